"""A key's filter holds in every operation, however an article spells its values."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from index.access import keys
from index.archive import Archive
from index.article import article_of
from index.cli import main
from index.jobs import Indexer

pytestmark = pytest.mark.slow

SPELLINGS = (
    "Night Desk",
    "NIGHT DESK",
    "Night  Desk",
    " night desk\u00a0",
    "Night\u2009Desk",
    "Night\u3000Desk",
    "Night\tDesk\n",
    "Night\u3164Desk",
    "Ni\u00adght Desk",
    "Night Desk\u200b",
    "\ufeffNight De\u200dsk",
    "\u202eNight\u202c Desk\ufe0f",
    "Night De\u034fsk\u0001",
    "Ｎｉｇｈｔ Ｄｅｓｋ",
    "𝐍ight 𝐃esk",
    "Nıght Desk",
    "NİGHT DESK",
)
ASKED = (SPELLINGS[0], SPELLINGS[10], SPELLINGS[-1])
SPELLED = {f"urn:spelled:{n}": spelling for n, spelling in enumerate(SPELLINGS)}
OPEN = "urn:spelled:open"
BOTH = (*SPELLED, OPEN)
TEXT = {"headline": "Ferry sails", "paragraphs": ["Two boats left."]}

Call = Callable[..., Any]


def document(article_id: str) -> dict[str, Any]:
    return {"id": article_id, **TEXT, "section": SPELLED.get(article_id, "Day Desk")}


@pytest.fixture
def filled(archive: Archive) -> Archive:
    """An archive with an article of each spelling, each in two versions."""
    for paragraph in ("Three boats left.", "Two boats left."):
        batch = [{**document(each), "paragraphs": [paragraph]} for each in BOTH]
        archive.put(list(map(article_of, batch)))
    Indexer(archive.store, archive.engine).catch_up()
    return archive


@pytest.fixture
def caller(filled: Archive, client: FlaskClient) -> Callable[..., Call]:
    """A function that makes a key with a filter, and a function that calls with it."""

    def with_filter(name: str, value: str, *, exclude: bool) -> Call:
        pairs = [("section", value)]
        scopes = keys.scopes_of(["search", "ingest"])
        only, excluded = ((), pairs) if exclude else (pairs, ())
        secret = filled.keys.add(
            name, scopes, filters=keys.filters_of(only, excluded)
        ).secret

        def call(path: str, method: str = "GET", **more: Any) -> Any:
            headers = {"X-API-Key": secret}
            return client.open(path, method=method, headers=headers, **more)

        return call

    return with_filter


@pytest.mark.parametrize("value", ASKED, ids=ascii)
@pytest.mark.parametrize("exclude", [True, False], ids=["exclude", "only"])
def test_a_filter_holds_for_every_spelling_in_every_operation(
    caller: Callable[..., Call], filled: Archive, value: str, exclude: bool
) -> None:
    call = caller("partner", value, exclude=exclude)
    seen = {OPEN} if exclude else set(SPELLED)

    def hits(path: str = "/v1/search", **query: Any) -> set[str]:
        answer = call(path, query_string={"limit": 100, "q": "ferry", **query}).json
        assert answer["total"]["articles"] == len(answer["hits"])
        return {hit["id"] for hit in answer["hits"]}

    assert hits() == seen
    assert hits(section=value) == seen - {OPEN}
    assert hits(**{"exclude.section": value}) == seen - set(SPELLED)
    assert hits(**{"missing.section": 1}) == set()
    posted = call("/v1/search", "POST", json={"q": "ferry", "limit": 100}).json
    assert {hit["id"] for hit in posted["hits"]} == seen
    for facet in (
        call("/v1/search?q=ferry&facet=section").json["facets"]["section"],
        call("/v1/facets/section?q=ferry").json,
        call("/v1/facets/section?q=ferry&prefix=day" if exclude else PREFIXED).json,
    ):
        (counted,) = facet["values"]
        assert counted["count"] == len(seen)
        assert facet["missing"] == facet["other"] == 0
        assert facet["distinct"] == 1
    assert call(PREFIXED).json["distinct"] == (0 if exclude else 1)
    suggested = call("/v1/suggest?q=desk").json["suggestions"]
    sections = [each for each in suggested if each["type"] == "section"]
    assert [each["articles"] for each in sections] == [len(seen)]
    assert {each["id"] for each in call("/v1/changes").json["changes"]} & set(
        BOTH
    ) == seen
    for article_id in BOTH:
        status = 200 if article_id in seen else 404
        one = f"/v1/articles/{article_id}"
        for path in (
            *(one, f"{one}?version=1", f"{one}?format=ninjs", f"{one}/paragraphs"),
            *(f"{one}/paragraphs/0", f"{one}/versions", f"{one}/diff"),
            *(f"/v1/article?id={article_id}", f"/v1/article/diff?id={article_id}"),
        ):
            assert call(path).status_code == status, path
        written = call(one, "PUT", json={**document(article_id), "byline": "Ana"})
        assert written.status_code == (200 if article_id in seen else 403)
    moved = call(f"/v1/articles/{OPEN}", "PUT", json={**TEXT, "section": value})
    assert moved.status_code == 403, "neither into a filter nor out of it"
    for article_id in BOTH:
        filled.kill(article_id)
    Indexer(filled.store, filled.engine).catch_up()
    for purged in (False, True):
        if purged:
            for article_id in BOTH:
                filled.purge(article_id)
        notices = call("/v1/articles?status=canceled").json["notices"]
        assert {each["id"] for each in notices} == seen
        changes = call("/v1/changes?limit=1000").json["changes"]
        assert {each["id"] for each in changes if each["removed"]} == seen
        for article_id in BOTH:
            status = 410 if article_id in seen else 404
            assert call(f"/v1/articles/{article_id}").status_code == status


PREFIXED = "/v1/facets/section?q=ferry&prefix=nIght%C2%A0%20d"


@pytest.mark.parametrize("value", ASKED, ids=ascii)
def test_the_link_of_a_value_drops_its_filter_in_every_spelling(
    caller: Callable[..., Call], value: str
) -> None:
    call = caller("all", "Nothing", exclude=True)
    query = {"q": "ferry", "facet": "section", "section": value}
    facet = call("/v1/search", query_string=query).json["facets"]["section"]
    active = [each for each in facet["values"] if each["active"]]
    assert [each["count"] for each in active] == [len(SPELLED)]
    assert call(active[0]["url"]).json["total"]["articles"] == len(BOTH)


@pytest.mark.parametrize("value", ASKED, ids=ascii)
def test_the_command_line_filters_by_every_spelling(
    filled: Archive, tmp_path: Path, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    engine = f"whoosh:{tmp_path / 'index'}"
    environ = {"NUTGRAF_STORE": filled.store.url, "NUTGRAF_ENGINE": engine}
    assert main(["rebuild"], environ) == 0
    capsys.readouterr()
    for option, ids in (("--filter", set(SPELLED)), ("--exclude", {OPEN})):
        arguments = ["search", "ferry", option, f"section={value}"]
        assert main([*arguments, "--limit", "100", "--json"], environ) == 0
        hits = json.loads(capsys.readouterr().out)["hits"]
        assert {hit["id"] for hit in hits} == ids
