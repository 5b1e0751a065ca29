"""A key sees and changes the same articles by every operation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from index.access import keys
from index.archive import Archive
from index.article import article_of

HARBOUR, GRAIN, MUSEUM = (
    "urn:test:harbour",
    "urn:test:grain",
    "urn:test:museum",
)
HELD, EMBARGOED = "urn:test:held", "urn:test:embargoed"
NEW = {"headline": "New", "paragraphs": ["One."]}


class Caller:
    """A client that sends one key."""

    def __init__(self, client: FlaskClient, secret: str) -> None:
        self.client, self.secret = client, secret

    def __call__(self, path: str, method: str = "GET", **more: Any) -> Any:
        headers = {"X-API-Key": self.secret, **more.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **more)

    def hits(self, path: str) -> set[str]:
        """Ids of the hits of a search."""
        return {hit["id"] for hit in self(path).json["hits"]}


Key = Callable[..., Caller]


@pytest.fixture
def key(archive: Archive, client: FlaskClient, index_now: Callable[[], None]) -> Key:
    """A function that makes a key; the archive has two more articles, both withheld."""
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    archive.put(
        [
            article_of({"id": HELD, **NEW, "source": "Harbour Desk"}),
            article_of(
                {
                    "id": EMBARGOED,
                    **NEW,
                    "source": "Market Desk",
                    "embargoed_until": until,
                }
            ),
        ]
    )
    archive.withhold(HELD)
    index_now()

    def make_key(
        name: str,
        scopes: str = "search",
        only: tuple[tuple[str, str], ...] = (),
        exclude: tuple[tuple[str, str], ...] = (),
    ) -> Caller:
        new = archive.keys.add(
            name,
            keys.scopes_of(scopes.split(",")),
            filters=keys.filters_of(only, exclude),
        )
        return Caller(client, new.secret)

    return make_key


ALL = {HARBOUR, GRAIN, MUSEUM}
# Name, scopes, filter, exclude, and the articles that such a key sees.
SEEN: list[tuple[str, str, Any, Any, set[str]]] = [
    ("all", "search", (), (), ALL),
    ("held", "search,read-embargoed", (), (), {*ALL, HELD, EMBARGOED}),
    ("one", "search", [("source", "harbour desk")], (), {HARBOUR}),
    (
        "two",
        "search",
        [("source", "City Desk"), ("source", "Market Desk")],
        (),
        {GRAIN, MUSEUM},
    ),
    (
        "both",
        "search",
        [("section", "Business"), ("subjects", "labour")],
        (),
        {HARBOUR},
    ),
    ("not", "search", (), [("section", "Business")], {MUSEUM}),
    (
        "held-one",
        "search,read-embargoed",
        [("source", "Market Desk")],
        (),
        {GRAIN, EMBARGOED},
    ),
    ("none", "search", [("source", "Nobody")], (), set()),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "scopes", "only", "exclude", "seen"), SEEN, ids=[row[0] for row in SEEN]
)
def test_a_key_sees_the_same_by_every_operation(
    key: Key,
    archive: Archive,
    name: str,
    scopes: str,
    only: Any,
    exclude: Any,
    seen: set[str],
) -> None:
    call = key(name, scopes, only, exclude)
    answer = call("/v1/search?limit=100&facet=source").json
    assert {hit["id"] for hit in answer["hits"]} == seen
    assert answer["total"]["articles"] == len(seen)
    counted = answer["facets"]["source"]
    assert sum(each["count"] for each in counted["values"]) == len(seen)
    facet = call("/v1/facets/source").json
    assert {each["value"] for each in facet["values"]} == {
        each["value"] for each in counted["values"]
    }
    assert call.hits("/v1/search?q=harbour") <= seen
    posted = call("/v1/search", "POST", json={"limit": 100}).json
    assert {hit["id"] for hit in posted["hits"]} == seen
    for each in (*ALL, HELD, EMBARGOED):
        status = 200 if each in seen else 404
        for path in (
            f"/v1/articles/{each}",
            f"/v1/articles/{each}?format=jsonl",
            f"/v1/articles/{each}?format=ninjs",
            f"/v1/articles/{each}?version=1",
            f"/v1/articles/{each}/paragraphs",
            f"/v1/articles/{each}/paragraphs/0",
            f"/v1/articles/{each}/versions",
            f"/v1/article?id={each}",
        ):
            assert call(path).status_code == status, path
    headlines = {
        each["id"] for each in call("/v1/suggest?q=n").json["suggestions"] if each["id"]
    }
    assert headlines <= seen
    for each in call("/v1/suggest?q=h").json["suggestions"]:
        assert each["id"] is None or each["id"] in seen
    in_feed = {each["id"] for each in call("/v1/changes").json["changes"]}
    assert in_feed - {HELD} == seen - {HELD}
    assert (HELD in in_feed) or HELD not in seen


def test_a_filter_on_a_field_holds_for_the_facet_of_that_field(key: Key) -> None:
    call = key("one", only=(("source", "Harbour Desk"),))
    for path in (
        "/v1/search?facet=source&source=Market%20Desk",
        "/v1/search?facet=source&q=source:market",
    ):
        values = call(path).json["facets"]["source"]["values"]
        assert {each["value"] for each in values} <= {"Harbour Desk", "Market Desk"}
        assert all(
            each["count"] == 0 for each in values if each["value"] == "Market Desk"
        )


def test_a_word_of_hidden_articles_is_not_suggested(key: Key) -> None:
    call = key("one", only=(("source", "Harbour Desk"),))
    answer = call("/v1/search?q=museun").json["query"]
    assert answer["did_you_mean"] is None


@pytest.mark.slow
def test_a_tag_depends_on_what_a_key_sees_not_on_the_key(
    key: Key, archive: Archive, client: FlaskClient
) -> None:
    public, narrow = key("a"), key("b", only=(("source", "City Desk"),))
    held = key("c", "search,read-embargoed")
    twin = key("d")
    for path in ("/v1/search", "/v1/facets/source", f"/v1/articles/{MUSEUM}"):
        tags = [call(path).headers["ETag"] for call in (public, narrow, held, twin)]
        assert len(set(tags)) == 3, path
        assert tags[0] == tags[3]
        for call, tag in zip((public, narrow, held), tags, strict=False):
            for other in (public, narrow, held):
                answer = other(path, headers={"If-None-Match": tag})
                assert answer.status_code == (304 if other is call else 200)


def test_a_cursor_depends_on_what_a_key_sees_and_outlives_rotation(
    key: Key, archive: Archive, client: FlaskClient
) -> None:
    call, narrow = key("a"), key("b", only=(("section", "Business"),))
    following = call("/v1/search?limit=1").json["next_url"]
    assert call(following).status_code == 200
    refused = narrow(following)
    assert (refused.status_code, refused.json["code"]) == (400, "cursor_mismatch")
    new, _ = archive.keys.rotate("a", overlap=timedelta())
    assert call(following).status_code == 401
    assert Caller(client, new.secret)(following).status_code == 200


def test_a_killed_article_is_410_only_for_keys_that_could_see_it(
    key: Key, archive: Archive
) -> None:
    call, narrow = key("a"), key("b", only=(("source", "City Desk"),))
    archive.kill(HARBOUR, note="names the foreman")
    assert call(f"/v1/articles/{HARBOUR}").status_code == 410
    assert narrow(f"/v1/articles/{HARBOUR}").status_code == 404
    path = "/v1/articles?status=canceled"
    assert [each["id"] for each in call(path).json["notices"]] == [HARBOUR]
    assert narrow(path).json["notices"] == []


@pytest.mark.slow
def test_a_writer_with_a_filter_changes_nothing_beyond_it(
    key: Key, archive: Archive
) -> None:
    call = key("desk", "ingest", (("source", "Harbour Desk"),))
    mine, other = {**NEW, "source": "Harbour Desk"}, {**NEW, "source": "City Desk"}
    assert call("/v1/articles/new", "PUT", json=mine).status_code == 200
    for path, body in (
        ("/v1/articles/new2", other),
        ("/v1/articles/new2", NEW),
        ("/v1/articles/new", other),  # outside the filter
        (f"/v1/articles/{MUSEUM}", mine),  # somebody else's
    ):
        answer = call(path, "PUT", json=body)
        assert (answer.status_code, answer.json["code"]) == (403, "outside_filter")
    answer = call(
        "/v1/articles",
        "POST",
        json=[{"id": "a", **mine}, {"id": "b", **other}, {"id": MUSEUM, **mine}],
    )
    assert answer.status_code == 207
    assert [each["status"] for each in answer.json["results"]] == [
        *("created", "error", "error")
    ]
    assert archive.get(MUSEUM).article.version == "1"
    for path, method in (
        (f"/v1/articles/{MUSEUM}", "DELETE"),
        (f"/v1/articles/{MUSEUM}/kill", "POST"),
        (f"/v1/articles/{MUSEUM}/withhold", "POST"),
        (f"/v1/articles/{MUSEUM}/reinstate", "POST"),
        (f"/v1/articles/{MUSEUM}/restore", "POST"),
        ("/v1/articles/unheard-of/kill", "POST"),
    ):
        assert call(path, method).status_code == 404, path
    assert archive.get(MUSEUM).article.version == "1"
    story = call(f"/v1/articles/{HARBOUR}/kill", "POST", json={"cascade": "story"})
    assert (story.status_code, story.json["parameter"]) == (400, "cascade")
    assert call(f"/v1/articles/{HARBOUR}/kill", "POST").status_code == 200
    archive.kill(MUSEUM)
    assert call(f"/v1/articles/{MUSEUM}/reinstate", "POST").status_code == 404
    assert call(f"/v1/articles/{MUSEUM}/restore", "POST").status_code == 404
    assert call(f"/v1/articles/{HARBOUR}/reinstate", "POST").status_code == 200
    assert call(f"/v1/articles/{HARBOUR}", "DELETE").status_code == 200


@pytest.mark.slow
def test_waiting_for_the_feed_ends_with_the_key(
    key: Key, archive: Archive, index_now: Callable[[], None]
) -> None:
    call = key("a")
    since = call("/v1/changes?limit=1000").json["next"]
    answer = call(f"/v1/changes?since={since}", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 200
    events = iter(answer.response)
    assert "retry" in str(next(events))
    archive.put([article_of({"id": "late", **NEW})])
    index_now()
    archive.keys.revoke("a")
    assert "late" not in "".join(map(str, events))
