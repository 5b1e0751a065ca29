"""Feeds: searches that feed readers subscribe to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import feedparser
import pytest
from archives import index, put
from conftest import settings_in
from flask.testing import FlaskClient
from lxml import etree

from index.access import Scope
from index.archive import Archive, subscription
from index.archive.question import Question
from index.query import Filter
from service import create_app

pytestmark = pytest.mark.slow

FEEDS = ("atom", "rss", "jsonfeed")
NAMES = {
    "a": "http://www.w3.org/2005/Atom",
    "at": "http://purl.org/atompub/tombstones/1.0",
}
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Desk:
    """An archive with a clock to set, and its service."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.now = START
        self.archive = Archive.open(
            replace(settings_in(folder), **settings), clock=lambda: self.now
        )
        self.client = create_app(self.archive.settings, self.archive).test_client()

    def put(self, article_id: str, text: str = "Words.", **values: Any) -> None:
        put(self.archive, article_id, text, **values)
        index(self.archive)

    def index(self) -> None:
        index(self.archive)

    def later(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    def atom(self, query: str = "", **headers: str) -> Any:
        answer = self.client.get(f"/v1/search.atom?{query}", headers=headers)
        assert answer.status_code == 200, answer.data
        return etree.fromstring(answer.data)

    def removed(self, query: str = "", **headers: str) -> list[str]:
        feed = self.atom(query, **headers)
        return [each.get("ref") for each in feed.iterfind("at:deleted-entry", NAMES)]

    def shown(self, query: str = "") -> list[str]:
        feed = self.atom(query)
        return [each.text for each in feed.iterfind("a:entry/a:id", NAMES)]

    def key(self, name: str, *scopes: Scope, **values: Any) -> dict[str, str]:
        key = self.archive.keys.add(name, frozenset(scopes), **values)
        return {"X-API-Key": key.secret}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.archive.close()


def fetch(client: FlaskClient, name: str, query: str = "", **headers: str) -> Any:
    return client.get(f"/v1/search.{name}?{query}", headers=headers)


# What is in a feed.


@pytest.mark.parametrize("name", ["atom", "rss"])
def test_a_feed_reader_reads_what_is_written(desk: Desk, name: str) -> None:
    desk.put(
        "tag:news.example,2026:1",
        "Ferry ]]> crews & <b>cooks</b> strike \x0b at night 😀.",
        headline='Ferry & "crews" <strike>',
        byline="Ana Berg & Co",
        url="https://news.example/1?a=1&b=2",
        section="Sea & Coast",
        copyright="Harbour Desk © 2026",
        published="2026-02-28T10:00:00Z",
        language="en",
    )
    answer = fetch(desk.client, name, "q=ferry+%26+crews")
    feed = feedparser.parse(answer.data, sanitize_html=False)
    assert not feed.bozo, feed.get("bozo_exception")
    (entry,) = feed.entries
    assert entry.id == "tag:news.example,2026:1"
    assert entry.title_detail.value == 'Ferry & "crews" <strike>'
    assert entry.link == "https://news.example/1?a=1&b=2"
    assert "<mark>Ferry</mark>" in entry.summary
    assert "&lt;b&gt;" in entry.summary
    assert entry.author == "Ana Berg & Co"
    assert entry.rights == "Harbour Desk © 2026"
    assert entry.published_parsed[:4] == (2026, 2, 28, 10)
    assert "Sea & Coast" in [tag.term for tag in entry.tags]


def test_a_json_feed_has_the_same(desk: Desk) -> None:
    desk.put("a/1", "The ferry is late.", usage_terms="Not for Norway")
    answer = fetch(desk.client, "jsonfeed", "q=ferry")
    assert answer.content_type == "application/feed+json; charset=utf-8"
    feed = answer.json
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    (item,) = feed["items"]
    assert item["id"] == "urn:x-nutgraf:a%2F1"
    assert item["content_html"] == "The <mark>ferry</mark> is late."
    assert item["_nutgraf"] == {"rights": "Not for Norway"}


def test_notes_to_editors_are_in_no_feed(desk: Desk) -> None:
    desk.put("a", ed_note="mind the foreman")
    for name in (*FEEDS, "csv", "ndjson"):
        assert b"foreman" not in fetch(desk.client, name).data


def test_an_article_links_to_its_page(tmp_path: Path) -> None:
    desk = Desk(tmp_path, permalink="https://news.example/archive/{id}")
    desk.put("a/1")
    desk.put("b", url="https://news.example/b")
    desk.put("c", url="javascript:alert(1)")
    links = {
        item["id"]: item.get("url")
        for item in fetch(desk.client, "jsonfeed").json["items"]
    }
    assert links == {
        "urn:x-nutgraf:a%2F1": "https://news.example/archive/a%2F1",
        "urn:x-nutgraf:b": "https://news.example/b",
        "urn:x-nutgraf:c": None,
    }
    desk.archive.close()


@pytest.mark.parametrize("name", FEEDS)
def test_following_the_pages_gives_every_article_once(desk: Desk, name: str) -> None:
    for n in range(7):
        desk.put(f"urn:a:{n}")
    url: str | None = f"/v1/search?format={name}&limit=3&q=words"
    ids: list[str] = []
    pages = 0
    while url:
        answer = desk.client.get(url)
        pages += 1
        if name == "jsonfeed":
            ids += [item["id"] for item in answer.json["items"]]
            url = answer.json.get("next_url")
        else:
            feed = feedparser.parse(answer.data)
            ids += [entry.id for entry in feed.entries]
            url = next(
                (link.href for link in feed.feed.links if link.rel == "next"), None
            )
        url = url and url.removeprefix("http://localhost")
    assert (pages, sorted(ids)) == (3, [f"urn:a:{n}" for n in range(7)])


def test_a_correction_is_a_new_instant_and_comes_first(desk: Desk) -> None:
    desk.put("urn:a:1", version="1", published="2026-01-01")
    desk.later(hours=1)
    desk.put("urn:a:2", version="1", published="2026-01-02")
    first = {
        e.findtext("a:id", None, NAMES): e.findtext("a:updated", None, NAMES)
        for e in desk.atom().iterfind("a:entry", NAMES)
    }
    desk.later(hours=1)
    desk.put(
        "urn:a:1",
        "Words, corrected.",
        version="2",
        published="2026-01-01",
        updated="2026-03-01T14:00:00Z",
    )
    second = {
        e.findtext("a:id", None, NAMES): e.findtext("a:updated", None, NAMES)
        for e in desk.atom().iterfind("a:entry", NAMES)
    }
    assert [*second] == ["urn:a:1", "urn:a:2"]
    assert first["urn:a:1"] == "2026-03-01T12:00:00Z"
    assert second["urn:a:1"] == "2026-03-01T14:00:00Z"
    assert second["urn:a:2"] == first["urn:a:2"]


# What disappeared.


def test_a_killed_article_has_a_tombstone_and_is_gone_elsewhere(desk: Desk) -> None:
    desk.put("urn:a:1", "Ferry late.")
    desk.put("urn:a:2", "Ferry sunk.")
    desk.later(hours=1)
    desk.archive.kill("urn:a:2", note="wrong")
    # Before it is indexed, and after; whatever was searched for.
    for _ in range(2):
        for query in ("", "q=ferry", "q=somethingelse"):
            (tombstone,) = desk.atom(query).iterfind("at:deleted-entry", NAMES)
            assert dict(tombstone.attrib) == {
                "ref": "urn:a:2",
                "when": "2026-03-01T13:00:00Z",
            }
        assert desk.shown("q=ferry") == ["urn:a:1"]
        for name in ("rss", "jsonfeed"):
            assert b"urn:a:2" not in fetch(desk.client, name).data
        desk.index()
    assert desk.removed("limit=1") == ["urn:a:2"]


@pytest.mark.parametrize("end", ["kill", "withhold", "delete"])
def test_every_end_has_a_tombstone_for_thirty_days(desk: Desk, end: str) -> None:
    desk.put("urn:a:1")
    getattr(desk.archive, end)("urn:a:1")
    assert desk.removed() == ["urn:a:1"]
    desk.later(days=29, hours=23)
    assert desk.removed() == ["urn:a:1"]
    desk.later(hours=2)
    assert desk.removed() == []


def test_what_shows_again_has_no_tombstone(desk: Desk) -> None:
    desk.put("urn:a:1")
    desk.archive.kill("urn:a:1")
    desk.archive.reinstate("urn:a:1")
    desk.index()
    assert (desk.removed(), desk.shown()) == ([], ["urn:a:1"])


def test_nobody_hears_of_what_they_could_not_see(desk: Desk) -> None:
    desk.put("urn:secret:1", embargoed_until="2030-01-01T00:00:00Z")
    desk.put("urn:sport:1", section="Sport")
    business = desk.key(
        "partner",
        Scope.SEARCH,
        filters=(Filter(field="section", values=("Business",)),),
    )
    inside = desk.key("desk", Scope.SEARCH, Scope.READ_EMBARGOED)
    public = desk.key("public", Scope.SEARCH)
    for article_id in ("urn:secret:1", "urn:sport:1"):
        desk.archive.kill(article_id)
    assert desk.removed("", **public) == ["urn:sport:1"]
    assert desk.removed("", **business) == []
    assert sorted(desk.removed("", **inside)) == ["urn:secret:1", "urn:sport:1"]


def test_tombstones_are_chosen_by_the_filters_of_the_search(desk: Desk) -> None:
    desk.put("urn:a:1", section="Sport")
    desk.put("urn:a:2", section="Business")
    for article_id in ("urn:a:1", "urn:a:2"):
        desk.archive.kill(article_id)
    assert desk.removed("section=Sport") == ["urn:a:1"]
    assert desk.removed("exclude.section=Sport") == ["urn:a:2"]
    assert desk.removed("section=Culture") == []


def test_an_article_that_left_the_filter_has_a_tombstone(desk: Desk) -> None:
    desk.put("urn:a:1", section="Sport", version="1")
    desk.put("urn:a:1", section="Business", version="2")
    assert desk.removed("section=Sport") == ["urn:a:1"]
    assert desk.removed("section=Business") == desk.removed() == []


def test_a_load_of_many_articles_buries_no_tombstone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "_READ", 5)
    monkeypatch.setattr(subscription, "_MOST_READ", 10)
    desk.put("urn:a:1", section="Sport")
    desk.archive.kill("urn:a:1")
    for n in range(20):
        put(desk.archive, f"urn:b:{n}")
    assert desk.removed() == desk.removed("section=Sport") == ["urn:a:1"]


def test_later_pages_have_no_tombstones(desk: Desk) -> None:
    for n in range(3):
        desk.put(f"urn:a:{n}")
    desk.archive.kill("urn:a:0")
    desk.index()
    (next_page,) = desk.atom("limit=1").xpath(
        "a:link[@rel='next']/@href", namespaces=NAMES
    )
    answer = desk.client.get(next_page.removeprefix("http://localhost"))
    assert b"deleted-entry" not in answer.data


# Whether a reader has it already.


@pytest.mark.parametrize("name", FEEDS)
@pytest.mark.parametrize("by", ["etag", "date"])
def test_a_reader_that_has_the_feed_gets_304_without_a_search(
    desk: Desk, name: str, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.put("urn:a:1")
    desk.later(minutes=1)
    first = fetch(desk.client, name, "q=words")
    sent = (
        {"If-None-Match": first.headers["ETag"]}
        if by == "etag"
        else {"If-Modified-Since": first.headers["Last-Modified"]}
    )
    monkeypatch.setattr(Question, "answer", None)
    answer = fetch(desk.client, name, "q=words", **sent)
    assert (answer.status_code, answer.data) == (304, b"")


@pytest.mark.parametrize("what", ["store", "kill", "embargo", "expiry", "index"])
def test_whatever_changes_a_feed_changes_its_tag_and_its_date(
    desk: Desk, what: str
) -> None:
    desk.put("urn:a:1", embargoed_until="2026-03-01T12:30:00Z")
    desk.put("urn:a:2", expires="2026-03-01T12:30:00Z")
    desk.put("urn:a:3")
    if what == "embargo":
        desk.archive.delete("urn:a:2")
    if what == "expiry":
        desk.archive.delete("urn:a:1")
    if what == "index":
        put(desk.archive, "urn:a:5")
    else:
        desk.index()
    desk.later(minutes=20)
    first = fetch(desk.client, "atom")
    sent = {"If-Modified-Since": first.headers["Last-Modified"]}
    if what != "index":
        assert fetch(desk.client, "atom", **sent).status_code == 304
    desk.later(minutes=1 if what in ("store", "kill", "index") else 20)
    if what == "store":
        desk.put("urn:a:4")
    elif what == "kill":
        desk.archive.kill("urn:a:3")
    elif what == "index":
        desk.index()
    second = fetch(desk.client, "atom", **sent)
    assert second.status_code == 200
    assert second.data != first.data
    assert second.headers["ETag"] != first.headers["ETag"]
    if what != "index":
        desk.later(minutes=1)
        desk.index()
        third = fetch(desk.client, "atom")
        assert third.headers["Last-Modified"] != first.headers["Last-Modified"]


class Subscriber:
    """A feed reader that asks for a feed again and again, and keeps its items.

    :param by: the header that says what it has: ``ETag`` or ``Last-Modified``.
    """

    def __init__(self, desk: Desk, name: str, by: str) -> None:
        self.desk, self.name, self.by = desk, name, by
        self.sent: dict[str, str] = {}
        self.items: dict[str, str] = {}  # when each was updated

    def asks(self) -> bool:
        """Ask for the feed again: whether it has changed."""
        answer = fetch(self.desk.client, self.name, "q=ferry", **self.sent)
        if answer.status_code == 304:
            return False
        header = "If-None-Match" if self.by == "ETag" else "If-Modified-Since"
        self.sent = {header: answer.headers[self.by]}
        if self.name == "jsonfeed":
            items = {e["id"]: e["date_modified"] for e in answer.json["items"]}
        else:
            feed = feedparser.parse(answer.data)
            assert not feed.bozo
            items = {e.id: e.get("updated", "") for e in feed.entries}
        if self.name == "atom":
            tombstones = etree.fromstring(answer.data).iterfind(
                "at:deleted-entry", NAMES
            )
            gone = {each.get("ref") for each in tombstones}
            # Atom keeps what is on no page any more, unless it has a tombstone.
            self.items = {
                key: value
                for key, value in (self.items | items).items()
                if key not in gone or key in items
            }
        else:
            self.items = items
        return True


@pytest.mark.parametrize("name", FEEDS)
@pytest.mark.parametrize("by", ["ETag", "Last-Modified"])
def test_a_subscriber_has_what_shows_over_a_whole_life(
    desk: Desk, name: str, by: str
) -> None:
    reader = Subscriber(desk, name, by)

    def follows(ids: set[str]) -> None:
        desk.later(minutes=1)
        assert reader.asks()
        if name != "atom":  # where what expired has its tombstone from the indexer
            assert set(reader.items) == ids
        desk.index()
        reader.asks()  # an answer before the index has caught up is not the last
        assert set(reader.items) == ids
        desk.later(minutes=1)
        assert not reader.asks()

    desk.put("urn:a:1", "The ferry is late.", version="1")
    desk.put("urn:a:2", "The ferry sinks.", expires="2026-03-01T18:00:00Z")
    desk.put("urn:a:3", "The ferry rises.", embargoed_until="2026-03-01T15:00:00Z")
    follows({"urn:a:1", "urn:a:2"})
    desk.later(hours=1)
    desk.put("urn:a:4", "A ferry is new.")
    follows({"urn:a:1", "urn:a:2", "urn:a:4"})
    before = reader.items["urn:a:1"]
    desk.put("urn:a:1", "The ferry is early.", version="2")
    follows({"urn:a:1", "urn:a:2", "urn:a:4"})
    if name != "rss":  # which has no date of a correction
        assert reader.items["urn:a:1"] > before
    desk.now = START.replace(hour=15)
    follows({"urn:a:1", "urn:a:2", "urn:a:3", "urn:a:4"})
    desk.now = START.replace(hour=18)
    follows({"urn:a:1", "urn:a:3", "urn:a:4"})
    desk.archive.kill("urn:a:4", note="wrong")
    follows({"urn:a:1", "urn:a:3"})
    desk.archive.withhold("urn:a:3")
    follows({"urn:a:1"})
    desk.archive.reinstate("urn:a:3")
    desk.index()
    follows({"urn:a:1", "urn:a:3"})


def test_a_search_of_the_last_days_is_never_unchanged_by_its_date(desk: Desk) -> None:
    desk.put("urn:a:1", published="2026-02-28T12:00:00Z")
    desk.later(minutes=1)
    for query in ("from=-7d", "from=today", "q=published:[-7d TO *]"):
        first = fetch(desk.client, "atom", query)
        sent = {"If-Modified-Since": first.headers["Last-Modified"]}
        assert fetch(desk.client, "atom", query, **sent).status_code == 200, query


def test_two_changes_in_one_second_are_two(desk: Desk) -> None:
    desk.now = START + timedelta(milliseconds=100)
    desk.put("urn:a:1")
    desk.now = START + timedelta(milliseconds=200)
    first = fetch(desk.client, "atom")
    desk.now = START + timedelta(milliseconds=300)
    desk.put("urn:a:2")
    desk.later(hours=1)
    sent = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert fetch(desk.client, "atom", **sent).status_code == 200


# Keys of feeds.


def basic(secret: str) -> tuple[str, str]:
    return ("anybody", secret)


def test_a_feed_key_may_be_a_password_in_feeds_only(desk: Desk) -> None:
    desk.put("urn:a:1")
    key = desk.archive.keys.add("reader", frozenset({Scope.FEED}))
    for path in (*(f"/v1/search.{name}" for name in FEEDS), "/v1/search?format=atom"):
        answer = desk.client.get(path, auth=basic(key.secret))
        assert answer.status_code == 200
        assert "Authorization" in answer.headers["Vary"]
        assert "private" in answer.headers["Cache-Control"]
        assert desk.client.head(path, auth=basic(key.secret)).status_code == 200
        bearer = {"Authorization": f"Bearer {key.secret}"}
        assert desk.client.get(path, headers=bearer).status_code == 200
    for path in (
        "/v1/search",
        "/v1/search.csv",
        "/v1/search.ndjson",
        "/v1/changes",
        "/v1/articles/urn:a:1",
    ):
        answer = desk.client.get(path, auth=basic(key.secret))
        assert (answer.status_code, answer.json["code"]) == (401, "unauthorized")
        assert answer.headers.getlist("WWW-Authenticate") == ["Bearer"]
        answer = desk.client.get(path, headers={"X-API-Key": key.secret})
        assert (answer.status_code, answer.json["code"]) == (403, "scope")
    answer = desk.client.post(
        "/v1/search", json={"format": "atom"}, auth=basic(key.secret)
    )
    assert answer.status_code == 401


def test_only_a_feed_asks_for_a_password(desk: Desk) -> None:
    desk.key("first", Scope.SEARCH)
    for name in FEEDS:
        answer = fetch(desk.client, name)
        assert answer.status_code == 401
        assert [
            each.split()[0] for each in answer.headers.getlist("WWW-Authenticate")
        ] == ["Bearer", "Basic"]
        assert "Authorization" in answer.headers["Vary"]
    for path in (
        "/v1/search",
        "/v1/search.csv",
        "/v1/changes",
        "/v1/search?format=atom&format=rss",
    ):
        assert desk.client.get(path).headers.getlist("WWW-Authenticate") == ["Bearer"]


@pytest.mark.parametrize(
    "scopes",
    [
        (Scope.SEARCH,),
        (Scope.FEED, Scope.SEARCH),
        (Scope.FEED, Scope.INGEST),
        (Scope.ADMIN,),
    ],
)
def test_a_wider_key_is_refused_as_a_password(desk: Desk, scopes: Any) -> None:
    key = desk.archive.keys.add("wide", frozenset(scopes))
    answer = desk.client.get("/v1/search.atom", auth=basic(key.secret))
    assert (answer.status_code, answer.json["code"]) == (403, "basic_refused")
    # Also beside the header in which it may be sent.
    answer = desk.client.get(
        "/v1/search.atom", auth=basic(key.secret), headers={"X-API-Key": key.secret}
    )
    assert answer.status_code == 403


def test_a_revoked_feed_key_reads_nothing(desk: Desk) -> None:
    key = desk.archive.keys.add("reader", frozenset({Scope.FEED}))
    etag = desk.client.get("/v1/search.atom", auth=basic(key.secret)).headers["ETag"]
    desk.archive.keys.revoke(key.key.id)
    answer = desk.client.get(
        "/v1/search.atom", auth=basic(key.secret), headers={"If-None-Match": etag}
    )
    assert answer.status_code == 401


def test_passwords_of_a_proxy_are_no_keys(desk: Desk) -> None:
    key = desk.archive.keys.add("reader", frozenset({Scope.FEED}))
    answer = desk.client.get(
        "/v1/search.atom",
        auth=basic("of the proxy"),
        headers={"X-API-Key": key.secret},
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("name", FEEDS)
def test_a_key_is_never_read_from_the_address(desk: Desk, name: str) -> None:
    key = desk.archive.keys.add("reader", frozenset({Scope.FEED}))
    answer = fetch(desk.client, name, f"key={key.secret}")
    assert answer.status_code == 401


# How the search is found.


def test_the_description_names_the_search_in_every_format_of_pages(desk: Desk) -> None:
    answer = desk.client.get("/opensearch.xml")
    assert answer.content_type == "application/opensearchdescription+xml; charset=utf-8"
    document = etree.fromstring(answer.data)
    namespace = {"o": "http://a9.com/-/spec/opensearch/1.1/"}
    assert len(document.findtext("o:ShortName", None, namespace)) <= 16
    desk.put("urn:a:1")
    for url in document.iterfind("o:Url", namespace):
        address = url.get("template").replace("{searchTerms}", "words")
        parts = urlsplit(address)
        found = desk.client.get(f"{parts.path}?{parts.query}")
        assert found.status_code == 200
        assert found.mimetype == url.get("type")


@pytest.mark.parametrize("query", ["%80", "format=%80", "%66ormat=atom", "\x80=&%"])
def test_no_address_breaks_the_look_for_a_format(desk: Desk, query: str) -> None:
    assert desk.client.get(f"/v1/search?{query}").status_code in (200, 400)
    environ = {"QUERY_STRING": query}
    answer = desk.client.get("/v1/search", environ_overrides=environ)
    assert answer.status_code in (200, 400)
