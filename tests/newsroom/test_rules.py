"""The rules that a newsroom relies on, each as tests with its number.

Each rule is tested with both engines through a test client, and over HTTP with a whole
Nutgraf of two workers and an indexer. Other test files have all the cases; here is the
core of each rule, from the writing of an article to the answer that a reader gets. Rule
22 is about alerts, which do not exist yet.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from faults.cluster import Reply, running
from newsroom.newsroom import Newsroom, OwnNewsroom, WholeNewsroom, path
from real.amounts import FULL
from served import SEARCH_SECONDS, SERVED, engine_of, kind_of

from index.archive import Archive
from index.dates import iso
from index.query import Request
from index.settings import Settings
from service import create_app

pytestmark = pytest.mark.slow

LATER = "2099-01-01T00:00:00Z"


def paths(article_id: str) -> list[str]:
    """Every address that answers with something of one article."""
    ends = ["", "/paragraphs", "/paragraphs/1", "/versions", "/diff", "?version=1"]
    return [
        *(path(article_id) + end for end in ends),
        f"/v1/article?id={quote(article_id)}&q=words",
        f"/v1/article/diff?id={quote(article_id)}&from=1",
    ]


def soon(seconds: float) -> datetime:
    """The end of an embargo, after all is indexed, which takes longer on nodes."""
    return datetime.now(UTC) + timedelta(seconds=15 if FULL else seconds)


def tag_of(answer: Reply) -> dict[str, str]:
    """Header of a client that has this answer already."""
    return {"If-None-Match": answer.headers["ETag"]}


# The formats in which an article is written, and their names for its rights.
WRITTEN = ("?format=jsonl", "?format=ninjs")
NAMES = (
    ("usage_terms", "usage_terms"),
    ("copyright", "copyright"),
    ("usage_terms", "usageTerms"),
    ("copyright", "copyrightNotice"),
)

# Every address that could answer with something of an article about a secretword.
ANYWHERE = (
    "/v1/search",
    "/v1/search?q=secretword",
    "/v1/search?q=secretword&unit=paragraph&explain=1",
    "/v1/search?q=secret*&facet=subjects&facet=section&facet=published:day",
    "/v1/search?fields=headline,subjects,extra,status",
    "/v1/facets/subjects",
    "/v1/facets/subjects?prefix=sec",
    "/v1/suggest?q=secret",
    "/v1/changes?limit=1000",
    "/v1/articles?status=canceled",
    f"{path('open')}/versions",  # its chain has the other
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeNewsroom]:
    """Two workers and an indexer, shared by the tests one after the other."""
    with running(tmp_path_factory.mktemp("rules") / "cluster") as cluster:
        newsroom = WholeNewsroom(cluster=cluster)
        newsroom.index()
        yield newsroom
        newsroom.end()


@pytest.fixture(params=[*SERVED, "cluster"], ids=kind_of)
def newsroom(
    request: pytest.FixtureRequest,
    store_url: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Newsroom]:
    """An empty newsroom of each kind in turn."""
    if request.param == "cluster":
        whole: WholeNewsroom = request.getfixturevalue("whole")
        whole.empty()
        yield whole
        return
    caplog.set_level(logging.DEBUG)
    settings = Settings(
        store=store_url,
        engine=engine_of(request, tmp_path),
        wait_seconds=0.2,
        search_seconds=SEARCH_SECONDS,
    )
    archive = Archive.open(settings)
    client = create_app(settings, archive).test_client()
    yield OwnNewsroom(own_archive=archive, client=client, log=caplog)
    archive.close()


# 1 to 4: visibility.


@pytest.mark.parametrize(
    "restriction",
    [
        {"status": "withheld"},
        {"status": "canceled"},
        {"embargoed_until": LATER},
        {"expires": "2001-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_rule_01_one_rule_of_visibility_holds_on_every_path(
    newsroom: Newsroom, restriction: dict[str, str]
) -> None:
    secret: dict[str, Any] = {
        "headline": "The secretword itself",
        "subjects": ["Secretword"],
        "section": "Secretword",
        "published": "2016-09-29",
        "evolved_from": "open",
    }
    newsroom.put("open", "Some words.", headline="Open", subjects=["Ports"])
    newsroom.put("a", "A secretword for all.", **secret)
    newsroom.index()
    assert newsroom.ids("secretword") == ["a"]
    seen = [each for each in ANYWHERE if b"ecretword" in newsroom.get(each).body]
    assert len(seen) == len(ANYWHERE) - 2, "the log and the notices have no text"
    newsroom.put("a", "A secretword no more.", **secret, **restriction)
    for _ in range(2):  # before it is indexed, and after
        for address in (*ANYWHERE, *paths("a")):
            answer = newsroom.get(address)
            text = answer.text.replace('"text":"secretword', "").replace(
                '"understood":"secretword', ""
            )
            assert "ecretword" not in text, address
        assert newsroom.search("secretword")["total"] == {
            "articles": 0,
            "paragraphs": 0,
        }
        assert newsroom.ids() == ["open"]
        assert not newsroom.search(section="Secretword")["hits"]
        newsroom.index()


def test_rule_02_an_embargo_ends_at_its_instant_and_no_tag_outlives_it(
    newsroom: Newsroom,
) -> None:
    # Written in another time zone, it is the same instant.
    lift = soon(1.5)
    written = lift.astimezone(timezone(timedelta(hours=2))).isoformat()
    newsroom.put("a", embargoed_until=written)
    newsroom.index()
    before = newsroom.get_once("/v1/search?q=words")
    if datetime.now(UTC) < lift:
        assert before.json["total"]["articles"] == 0
    assert before.headers["Cache-Control"] == "private, no-cache"
    while datetime.now(UTC) < lift:
        time.sleep(0.01)
    after = newsroom.get("/v1/search?q=words", **tag_of(before))
    assert (after.status, after.json["total"]["articles"]) == (200, 1)


def test_rule_02_an_embargo_ends_to_the_microsecond(newsroom: Newsroom) -> None:
    lift = datetime(2030, 1, 1, 12, tzinfo=UTC)
    archive = newsroom.archive
    newsroom.put("a", embargoed_until="2030-01-01T14:00:00+02:00")
    newsroom.index()
    for now, count in ((lift - timedelta(microseconds=1), 0), (lift, 1)):
        assert archive.search(Request(q="words"), now=now).articles == count


def test_rule_03_a_lift_is_an_event_once_and_an_embargo_covers_all_versions(
    newsroom: Newsroom,
) -> None:
    newsroom.put("a", embargoed_until=LATER)
    newsroom.put("a", "Words that say nothing of it.")
    newsroom.index()
    assert newsroom.status(path("a")) == 404
    assert newsroom.feed() == []
    newsroom.put("a", "Words that do.", embargoed_until=None)
    newsroom.index()
    assert newsroom.status(path("a")) == 200
    assert newsroom.feed() == [("embargo_lifted", "a")]
    lift = soon(0.3)
    newsroom.put("b", embargoed_until=iso(lift))
    newsroom.index()
    seq = newsroom.position()
    while datetime.now(UTC) < lift:
        time.sleep(0.01)
    for _ in range(2):
        newsroom.index()
        assert newsroom.feed(seq) == [("embargo_lifted", "b")]
    assert ("created", "b") not in newsroom.feed()


def test_rule_04_what_may_not_be_seen_is_not_found(newsroom: Newsroom) -> None:
    newsroom.put("a", embargoed_until=LATER)
    newsroom.put("b", status="withheld")
    newsroom.index()
    for held in ("a", "b"):
        for address in paths(held):
            answer = newsroom.get(address)
            missing = newsroom.get(address.replace(path(held), path("none")))
            assert (answer.status, answer.json["code"]) == (
                *(404, "article_not_found"),
            )
            assert answer.json["title"] == missing.json["title"]


# 5 to 9: kills.


def test_rule_05_a_kill_holds_when_its_call_returns(newsroom: Newsroom) -> None:
    newsroom.put("a", "Words of a scandal.", subjects=["Scandal"])
    newsroom.put("a", "Words of the scandal.", subjects=["Scandal"])
    newsroom.index()
    seq = newsroom.position()
    answer = newsroom.kill("a", note="It was wrong.", replacement="b")
    assert answer.status == 200
    for address in paths("a"):
        gone = newsroom.get(address)
        assert (gone.status, gone.json["code"]) == (410, "article_killed")
        assert (gone.json["note"], gone.json["replacement"]) == ("It was wrong.", "b")
        assert gone.json["killed"]
        assert "scandal" not in gone.text.lower()
    assert newsroom.search("scandal")["total"]["articles"] == 0
    assert newsroom.get("/v1/facets/subjects").json["values"] == []
    assert newsroom.get("/v1/suggest?q=scan").json["suggestions"] == []
    newsroom.index()
    assert newsroom.feed(seq) == [("killed", "a")]
    (notice,) = newsroom.get("/v1/articles?status=canceled").json["notices"]
    assert (notice["id"], notice["note"]) == ("a", "It was wrong.")
    assert "scandal" not in json.dumps(notice).lower()


def test_rule_06_a_kill_covers_all_versions_and_with_cascade_the_story(
    newsroom: Newsroom,
) -> None:
    newsroom.put("a", "First words.")
    newsroom.put("a", "Second words.")
    newsroom.put("b", evolved_from="a")
    newsroom.put("c", evolved_from="b")
    newsroom.put("other")
    newsroom.kill("a")
    assert {newsroom.status(f"{path('a')}?version={n}") for n in (1, 2)} == {410}
    assert newsroom.status(path("b")) == 200
    newsroom.kill("b", cascade="story")
    newsroom.put("d", evolved_from="c")
    assert [newsroom.status(path(each)) for each in ("b", "c", "d")] == [410] * 3
    newsroom.index()
    assert newsroom.ids() == ["other"]


@pytest.mark.parametrize(
    "late",
    [{}, {"version": "2"}, {"version": "1"}, {"version": "9", "status": "withheld"}],
)
def test_rule_07_a_kill_is_sticky(newsroom: Newsroom, late: dict[str, str]) -> None:
    newsroom.put("a", version="2")
    newsroom.kill("a")
    newsroom.kill("unknown", note="Before it came.")
    for article_id in ("a", "unknown"):
        assert newsroom.put(article_id, **late)["status"] in ("stored", "unchanged")
        newsroom.index()
        assert newsroom.status(path(article_id)) == 410
        assert newsroom.ids("words") == []


def test_rule_07_only_a_newer_usable_version_ends_a_kill(newsroom: Newsroom) -> None:
    newsroom.put("a", "Words that were wrong.", version="2")
    newsroom.kill("a")
    newsroom.put("a", "Words that are right.", version="3")
    newsroom.index()
    assert newsroom.ids("right") == ["a"]
    # The killed version stays killed as an older version.
    assert newsroom.ids("wrong") == []
    for address in (f"{path('a')}?version=2", f"{path('a')}/diff?from=2"):
        answer = newsroom.get(address)
        assert answer.status == 404
        assert "wrong" not in answer.text
    listed = newsroom.get(f"{path('a')}/versions").json["versions"]
    assert [each["version"] for each in listed] == ["3"]
    newsroom.put("a", "Wrong again, and late.", version="1")
    assert newsroom.status(f"{path('a')}?version=1") == 404


def test_rule_08_an_old_cursor_yields_a_hole_and_an_old_tag_no_text(
    newsroom: Newsroom,
) -> None:
    for n in range(6):
        newsroom.put(f"a{n}", published=f"2024-01-0{n + 1}")
    newsroom.index()
    first = newsroom.get("/v1/search?q=words&sort=newest&limit=2")
    newsroom.kill("a3")
    cursor = first.json["next"]
    for _ in range(2):
        assert newsroom.ids("words", sort="newest", limit=2, cursor=cursor) == [
            "a2",
            "a1",
        ]
        again = newsroom.get("/v1/search?q=words&sort=newest&limit=2", **tag_of(first))
        assert again.status == 200
        newsroom.index()
    newsroom.kill("a5")
    again = newsroom.get("/v1/search?q=words&sort=newest&limit=2", **tag_of(first))
    assert [hit["id"] for hit in again.json["hits"]] == ["a4", "a2"]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("usable", 200),
        *((word, 410) for word in ("canceled", "cancelled", "killed", "recalled")),
        ("retracted", 410),
        ("withheld", 404),
        ("unpublished", 404),
    ],
)
def test_rule_09_every_word_for_a_status_is_known(
    newsroom: Newsroom, word: str, status: int
) -> None:
    newsroom.put("a", status=word)
    assert newsroom.status(path("a")) == status


def test_rule_09_an_unknown_status_is_refused_and_none_is_usable(
    newsroom: Newsroom,
) -> None:
    for word in ("embargoed", "archived", "ready", "0", 0, False, []):
        body = {"paragraphs": ["Words."], "status": word}
        answer = newsroom.send("PUT", path("a"), body)
        if word == []:  # the same as no status
            assert answer.status == 200
        else:
            assert answer.status == 422, word
            assert answer.json["results"][0]["error"]["field"] == "status"
            assert newsroom.status(path("a")) == 404


# 10 to 13: versions, corrections, chains, dates.


def test_rule_10_a_version_is_taken_once(newsroom: Newsroom) -> None:
    assert newsroom.put("a", "Nine.", version="9")["status"] == "created"
    assert newsroom.put("a", "Ten.", version="10")["status"] == "updated"
    assert newsroom.put("a", "Ten.", version="10")["status"] == "unchanged"
    body = {"paragraphs": ["Another ten."], "version": "10"}
    answer = newsroom.send("PUT", path("a"), body)
    assert (answer.status, answer.json["code"]) == (409, "version_conflict")
    assert newsroom.put("a", "Eight.", version="8")["status"] == "stored"
    newsroom.index()
    assert newsroom.get(path("a")).json["version"] == "10"
    assert newsroom.ids("nine OR eight") == []
    listed = newsroom.get(f"{path('a')}/versions").json["versions"]
    assert [each["version"] for each in listed] == ["10", "9", "8"]


def test_rule_10_a_version_is_replaced_only_where_that_is_forced(
    newsroom: Newsroom,
) -> None:
    newsroom.put("a", "Nine as it was.", version="9")
    newsroom.put("a", "Ten as it was.", version="10")
    newsroom.put("b", "Killed.", version="1")
    newsroom.kill("b")
    newsroom.put("a", "Twelve as it was.", version="12")
    newsroom.index()
    since = newsroom.position()
    for version, text in (("12", "Twelve anew."), ("9", "Nine anew.")):
        body = {"paragraphs": [text], "version": version}
        for expected in ("replaced", "unchanged"):
            answer = newsroom.send("PUT", f"{path('a')}?force=1", body)
            assert answer.json["results"][0]["status"] == expected
        # No answer joins the old index with the new text.
        assert newsroom.ids("twelve") == []
        newsroom.index()
        assert newsroom.ids("anew") == ["a"]
        assert newsroom.ids("was") == []
        shown = newsroom.get(f"{path('a')}?version={version}").json
        assert [each["text"] for each in shown["paragraphs"]] == [text]
    assert newsroom.feed(since) == [("updated", "a")]
    listed = newsroom.get(f"{path('a')}/versions").json["versions"]
    assert [each["version"] for each in listed] == ["12", "10", "9"]
    body = {"paragraphs": ["Alive."], "version": "1"}
    answer = newsroom.send("PUT", f"{path('b')}?force=1", body)
    assert answer.json["results"][0]["status"] == "replaced"
    newsroom.index()
    assert newsroom.status(path("b")) == 410
    assert newsroom.ids("alive") == []
    assert newsroom.feed(since) == [("updated", "a")]


def test_rule_10_only_who_administers_forces_a_version(newsroom: Newsroom) -> None:
    newsroom.put("a", "As it was.", version="1")
    body = {"paragraphs": ["Anew."], "version": "1"}
    for name, scopes, status in (
        ("writer", "ingest", 403),
        ("admin", "admin", 403),
        ("chief", "ingest,admin", 200),
    ):
        desk = newsroom.keyed(name, scopes)
        assert desk.send("PUT", f"{path('a')}?force=1", body).status == status
        expected = 200 if status == 200 else 409 if name == "writer" else 403
        assert desk.send("PUT", path("a"), body).status == expected
    lines = [line for line in newsroom.logged().splitlines() if "replaced" in line]
    assert len([line for line in lines if '"key": "chief"' in line]) == 1


def test_rule_11_a_correction_keeps_its_place(newsroom: Newsroom) -> None:
    newsroom.put("old", published="2024-01-01", updated="2024-01-01")
    newsroom.put("new", published="2024-02-01", updated="2024-02-01")
    newsroom.put(
        "old",
        "Words, a comma.",
        updated="2024-03-01",
        correction="A comma was missing.",
    )
    newsroom.index()
    assert newsroom.ids(sort="newest") == ["new", "old"]
    assert newsroom.ids(sort="updated") == ["old", "new"]
    assert newsroom.ids(**{"from": "2024-03-01"}) == []
    assert newsroom.ids(**{"from": "2024-03-01", "date": "updated"}) == ["old"]
    corrected = newsroom.get(path("old")).json
    assert corrected["published"] == "2024-01-01T00:00:00Z"
    assert corrected["correction"] == "A comma was missing."
    assert newsroom.feed()[-1] == ("corrected", "old")


def test_rule_12_a_chain_heals_when_its_parent_comes(newsroom: Newsroom) -> None:
    newsroom.put("c", evolved_from="b")
    newsroom.put("a", evolved_from="c")  # a circle
    newsroom.put("b", evolved_from="a")
    for article_id, others in (("a", "bc"), ("b", "ca"), ("c", "ab")):
        chain = newsroom.get(f"{path(article_id)}/versions").json["chain"]
        earlier = {each["id"] for each in chain if each["relation"] == "earlier"}
        assert earlier == set(others)


def test_rule_13_a_day_is_the_local_one_when_the_clocks_change(
    newsroom: Newsroom,
) -> None:
    # In Oslo the last Sundays of March and October have 23 and 25 hours.
    zone = {"tz": "Europe/Oslo", "facet": "published:day"}
    for day, first, last in (
        ("2024-03-31", "2024-03-30T23:00:00Z", "2024-03-31T21:59:59Z"),
        ("2024-10-27", "2024-10-26T22:00:00Z", "2024-10-27T22:59:59Z"),
    ):
        newsroom.put(f"{day}-first", published=first)
        newsroom.put(f"{day}-last", published=last)
        newsroom.put(
            f"{day}-before",
            published=iso(datetime.fromisoformat(first) - timedelta(seconds=1)),
        )
        newsroom.put(
            f"{day}-after",
            published=iso(datetime.fromisoformat(last) + timedelta(seconds=1)),
        )
        newsroom.index()
        page = newsroom.search(**{"from": day, "to": day}, **zone)
        assert {hit["id"] for hit in page["hits"]} == {f"{day}-first", f"{day}-last"}
        (bucket,) = page["facets"]["published:day"]["values"]
        assert (bucket["value"], bucket["count"]) == (day, 2)
        assert page["query"]["applied"]["from"] == first
    answer = newsroom.get("/v1/search?from=2024-02-01&to=2024-01-01")
    assert answer.status == 400
    # Samoa left this day out.
    day = "from=2011-12-30&to=2011-12-30&q=published:2011-12-30"
    answer = newsroom.get(f"/v1/search?{day}&tz=Pacific/Apia&facet=published:day")
    assert (answer.status, answer.json["total"]["articles"]) == (200, 0)
    offset = newsroom.search(
        **{"from": "2024-03-31T00:00:00+01:00", "to": "2024-03-31"}
    )
    assert offset["query"]["applied"]["from"] == "2024-03-30T23:00:00Z"


# 14 to 16: pages, the feed, totals.


def test_rule_14_thousands_of_one_timestamp_page_without_repeat_or_hole(
    newsroom: Newsroom,
) -> None:
    ids = [f"n{n:04}" for n in range(2_000)]
    articles = [
        {"id": each, "paragraphs": ["Words."], "published": "2024-01-01"}
        for each in ids
    ]
    for start in (0, 1_000):
        answer = newsroom.send("POST", "/v1/articles", articles[start:][:1_000])
        assert answer.status == 200
    newsroom.index()
    first = newsroom.search(sort="newest", limit=100)
    newsroom.put("newer", published="2024-02-01")
    newsroom.index()
    rest = newsroom.walk(sort="newest", limit=100, cursor=first["next"])
    assert sorted([*(hit["id"] for hit in first["hits"]), *rest]) == ids
    other = newsroom.get(
        f"/v1/search?q=words&sort=newest&cursor={quote(first['next'])}"
    )
    assert (other.status, other.json["code"]) == (400, "cursor_mismatch")


def test_rule_15_the_feed_is_in_the_order_of_commits(newsroom: Newsroom) -> None:
    newsroom.put("first")
    newsroom.index()
    newsroom.put("late", published="2024-05-01")
    newsroom.put("early", published="1999-01-01")
    newsroom.put("late", "Words anew.")
    # The feed names no article that cannot be found yet.
    assert newsroom.feed() == [("created", "first")]
    newsroom.index()
    assert newsroom.feed(1) == [
        ("created", "late"),
        ("created", "early"),
        ("updated", "late"),
    ]
    seen: list[int] = []
    since = 0
    while page := newsroom.get(f"/v1/changes?since={since}&limit=1").json["changes"]:
        seen += [each["seq"] for each in page]
        since = seen[-1]
    assert seen == [1, 2, 3, 4]
    newsroom.put("later")
    newsroom.index()
    assert newsroom.feed(since) == [("created", "later")]


@pytest.mark.parametrize("unit", ["article", "paragraph"])
def test_rule_16_totals_pages_and_facets_agree(newsroom: Newsroom, unit: str) -> None:
    for n in range(30):
        newsroom.put(
            f"n{n:02}",
            "Words here." if n % 3 else "Words here and words there.",
            headline="Words" if n % 2 else "Other",
            published=f"2024-01-{n % 9 + 1:02}",
            **({"section": f"S{n % 4}"} if n % 5 else {}),
            **({"status": "withheld"} if n == 7 else {}),
        )
    newsroom.index()
    more = {"q": "words", "unit": unit, "limit": 7, "facet": "section", "facet_size": 2}
    page = newsroom.search(**more)
    walked = newsroom.walk(**more)
    assert len(walked) == len(set(walked)) == page["total"][f"{unit}s"]
    facet = page["facets"]["section"]
    listed = sum(each["count"] for each in facet["values"])
    assert page["total"]["articles"] == 29
    assert listed + facet["other"] + facet["missing"] == 29
    (zero,) = [
        each
        for each in newsroom.search(**{**more, "section": "none"})["facets"]["section"][
            "values"
        ]
        if each["active"]
    ]
    assert zero["count"] == 0, "the selected value stays in the list"


# 17 to 20: queries: hits, marks and warnings.


def test_rule_17_marks_are_what_matched_and_safe(newsroom: Newsroom) -> None:
    newsroom.put(
        "a",
        "A <b>ferry</b> strike & more strike talks; cafe\u0301 talks.",
        section="Ferry",
        ed_note="ferry",
    )
    newsroom.index()
    for q, marked in (
        ("ferry", ["ferry"]),
        ('"strike talks"', ["strike talks"]),
        ("cafe", ["cafe\u0301"]),
        ("ferry -absent", ["ferry"]),
        ("section:ferry", []),
    ):
        (hit,) = newsroom.search(q, section="Ferry")["hits"]
        (passage,) = hit["passages"]
        text = passage["text"]
        assert [text[start:end] for start, end in passage["marks"]] == marked, q
        assert passage["html"].count("<mark>") == len(marked)
        assert "<b>" not in passage["html"]
        assert "ed_note" not in json.dumps(hit)


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("The man has died.", ["has died", "HAS DIED", '="has died"']),
        ("The Who played on.", ['"the who"', "who"]),
        ("To be or not to be.", ['"to be or not to be"']),
        ("At the G7 a C-17 with T3.", ["g7", "c-17", "t3"]),
        ("On 2021/10/25 @handle wrote.", ['"2021/10/25"', "@handle"]),
        ("O’Neil drank in a café.", ["O'Neil", "o’neil", "cafe", '="café"']),
        ("A cafe in Paris.", ["café"]),
    ],
)
def test_rule_18_words_are_found_as_people_type_them(
    newsroom: Newsroom, text: str, queries: list[str]
) -> None:
    newsroom.put("a", text, section="City Desk")
    newsroom.put("b", "Something else altogether, a decoy.")
    newsroom.index()
    for q in queries:
        assert newsroom.ids(q) == ["a"], q
    assert newsroom.ids(section="city desk") == ["a"]
    (value,) = newsroom.get("/v1/facets/section?prefix=CITY").json["values"]
    assert value["value"] == "City Desk"


def test_rule_18_an_exact_form_is_exact(newsroom: Newsroom) -> None:
    newsroom.put("a", "A cafe in Paris.")
    newsroom.index()
    assert newsroom.ids('="café"') == []


def test_rule_19_nothing_narrows_an_answer_unsaid(newsroom: Newsroom) -> None:
    newsroom.put("a", published="1850-01-01")
    newsroom.put("b")
    newsroom.index()
    page = newsroom.search("words")
    assert page["total"]["articles"] == 2
    assert {"from", "to"}.isdisjoint(page["query"]["applied"])
    assert page["query"]["applied"]["status"] == "usable"
    assert page["query"]["applied"]["tz"] == "UTC"
    narrowed = newsroom.search("words", **{"from": "2000", "section": "x"})
    assert narrowed["query"]["applied"]["from"] == "2000-01-01T00:00:00Z"


@pytest.mark.parametrize("q", ["(words", '"words', "words AND", "OR words", ")("])
def test_rule_20_a_slip_is_said_and_never_an_error_of_ours(
    newsroom: Newsroom, q: str
) -> None:
    newsroom.put("a")
    newsroom.index()
    page = newsroom.search(q)
    assert page["query"]["warnings"]
    assert all(each["position"] >= 0 for each in page["query"]["warnings"])
    strict = newsroom.get(f"/v1/search?q={quote(q)}&strict=1")
    assert strict.status == 400
    assert "position" in strict.json


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"q": "word " * 300}, "query_too_long"),
        ({"q": "a b " * 40}, "query_too_many_clauses"),
        ({"q": "(" * 30 + "a" + ")" * 30}, "query_too_deep"),
        ({"q": "a*"}, "wildcard_too_broad"),
        ({"page": "9999999"}, "page_out_of_range"),
    ],
    ids=str,
)
def test_rule_20_a_limit_is_named(
    newsroom: Newsroom, query: dict[str, str], code: str
) -> None:
    answer = newsroom.get(f"/v1/search?{urlencode(query)}")
    assert (answer.status, answer.json["code"]) == (400, code)
    assert answer.json["limit"]


# 21 to 24: readers, secrets, markup.


def test_rule_21_what_a_reader_may_see_is_the_same_in_lists_and_items(
    newsroom: Newsroom,
) -> None:
    for article_id, more in (
        ("ours", {"source": "Desk"}),
        ("theirs", {"source": "Elsewhere"}),
        ("held", {"source": "Desk", "embargoed_until": LATER}),
    ):
        newsroom.put(
            article_id, "Words of it.", subjects=[f"Topic {article_id}"], **more
        )
    newsroom.index()
    for reader, seen in (
        (newsroom.keyed("desk", only={"source": "desk"}), {"ours"}),
        (newsroom.keyed("held", "search,read-embargoed"), {"ours", "theirs", "held"}),
        (newsroom.keyed("all"), {"ours", "theirs"}),
    ):
        topics = {f"Topic {each}" for each in seen}
        page = reader.search("words", facet="subjects")
        assert {hit["id"] for hit in page["hits"]} == seen
        assert page["total"]["articles"] == len(seen)
        values = page["facets"]["subjects"]["values"]
        assert {each["value"] for each in values} == topics
        listed = reader.get("/v1/facets/subjects").json["values"]
        assert {each["value"] for each in listed} == topics
        suggested = reader.get("/v1/suggest?q=topic").json["suggestions"]
        assert {each["text"] for each in suggested} == topics
        assert {article_id for _, article_id in reader.feed()} == seen
        for article_id in ("ours", "theirs", "held"):
            expected = 200 if article_id in seen else 404
            for address in paths(article_id):
                assert reader.status(address) == expected, address


def test_rule_21_rights_go_with_whatever_is_given_of_a_text(
    newsroom: Newsroom,
) -> None:
    rights = {"usage_terms": "Not for archives.", "copyright": "© Desk"}
    newsroom.put("a", **rights)
    newsroom.put("b", "Words without rights.")
    newsroom.index()
    for fields in ("", "&fields=id", "&fields=headline,usage_terms", "&fields=extra"):
        for unit in ("article", "paragraph"):
            page = newsroom.get(f"/v1/search?q=words&unit={unit}{fields}").json
            for hit in page["hits"]:
                shown = hit if unit == "article" else hit["article"]
                shown_rights = {name: shown[name] for name in rights if shown.get(name)}
                assert shown_rights == (rights if shown["id"] == "a" else {})
            assert len(page["hits"]) == 2
    for each, expected in (("a", rights), ("b", {})):
        for address in ("", "?q=words", "/paragraphs", "/paragraphs/1", *WRITTEN):
            shown = json.loads(newsroom.get(path(each) + address).body)
            shown_rights = {ours: shown[name] for ours, name in NAMES if name in shown}
            assert shown_rights == expected, address


def test_rule_21_notes_to_editors_are_for_those_who_see_what_is_held(
    newsroom: Newsroom,
) -> None:
    newsroom.put("a", "Some words.", ed_note="A foreman, notforall.", version="1")
    newsroom.put("a", "Some words.", ed_note="The foreman, notforall.", version="2")
    newsroom.index()
    assert newsroom.get("/v1/search?q=words&fields=ed_note").status == 400
    reader = newsroom.keyed("reader")
    editor = newsroom.keyed("editor", "search,read-embargoed")
    addresses = ("", "?version=1", "/diff", *WRITTEN)
    for address in addresses:
        assert "notforall" not in reader.get(path("a") + address).text
        assert "notforall" in editor.get(path("a") + address).text, address
    for who in (reader, editor):
        assert who.ids("foreman") == []
        for address in (*ANYWHERE, "/v1/search?q=words", f"{path('a')}/versions"):
            assert "notforall" not in who.get(address).text, address


def test_rule_23_what_is_asked_is_not_logged_and_no_secret_is_in_an_address(
    newsroom: Newsroom,
) -> None:
    newsroom.search("confidential")
    for name in ("key", "api_key", "token"):
        answer = newsroom.get(f"/v1/search?{name}=confidential")
        assert (answer.status, answer.json["code"]) == (400, "unknown_parameter")
        assert "confidential" not in answer.text
    reader = newsroom.keyed("desk")
    assert reader.secret is not None
    assert reader.search("words")["total"]["articles"] == 0
    assert newsroom.status(f"/v1/articles/{reader.secret}") == 401
    logged = newsroom.logged()
    counted = newsroom.keyed("counter", "admin").get_once("/metrics").text
    assert "/v1/search" in logged
    assert "/v1/search" in counted
    for secret in ("confidential", reader.secret):
        assert secret not in logged
        assert secret not in counted


def test_rule_23_a_reader_of_the_feed_has_a_key_that_only_reads_and_can_be_ended(
    newsroom: Newsroom,
) -> None:
    newsroom.put("a")
    newsroom.index()
    reader, other = newsroom.keyed("reader"), newsroom.keyed("other")
    assert reader.feed() == [("created", "a")]
    for method, address in (
        ("PUT", path("a")),
        ("DELETE", path("a")),
        ("POST", f"{path('a')}/kill"),
    ):
        refused = reader.send(method, address, {"paragraphs": ["Mine."]})
        assert (refused.status, refused.json["code"]) == (403, "scope")
    newsroom.revoke("reader")
    assert reader.status("/v1/changes") == 401
    assert other.feed() == [("created", "a")]


def test_rule_24_markup_is_taken_out_and_nothing_else_is_lost(
    newsroom: Newsroom,
) -> None:
    item = {
        "uri": "urn:example:html",
        "type": "text",
        "headline": "A <headline>",
        "body_html": "<p onclick='x()'>One <b>word</b>.</p><script>alert(1)</script>"
        "<style>p {}</style><p>5 &lt; 6 &amp; on</p>",
        "x_desk": {"priority": 3, "codes": ["a", None]},
        "pubstatus": "usable",
    }
    answer = newsroom.send("POST", "/v1/articles", item, "application/ninjs+json")
    assert answer.status == 200, answer.body
    newsroom.index()
    stored = newsroom.get(path("urn:example:html")).json
    texts = [each["text"] for each in stored["paragraphs"]]
    assert texts == ["A <headline>", "One word.", "5 < 6 & on"]
    assert stored["extra"]["x_desk"] == item["x_desk"]
    assert newsroom.ids("alert") == newsroom.ids("onclick") == []
    line = newsroom.get(f"{path('urn:example:html')}?format=jsonl").body
    again = newsroom.send("PUT", path("urn:example:html"), line, "application/x-ndjson")
    assert again.json["results"][0]["status"] == "unchanged", again.body


def test_rule_24_what_was_sent_is_kept_for_audit_as_its_bytes(
    newsroom: Newsroom,
) -> None:
    first, second = (
        b'{"uri": "urn:example:%d",  "type":"text", "body_html": "<p>\\u00e9</p>"}' % n
        for n in (1, 2)
    )
    body = b"[" + first + b",\n" + second + b"]"
    newsroom.send("POST", "/v1/articles", body, "application/ninjs+json")
    newsroom.index()
    newsroom.kill("urn:example:1")
    desk = newsroom.keyed("desk", "search,read-embargoed,ingest")
    auditor = newsroom.keyed("auditor", "admin")
    for article_id, sent in (("urn:example:1", first), ("urn:example:2", second)):
        address = f"{path(article_id)}/original"
        assert desk.get_once(address).status == 403
        original = auditor.get_once(address)
        assert original.body == sent
        assert original.headers["Content-Disposition"] == "attachment"
        assert original.headers["X-Content-Type-Options"] == "nosniff"


def test_rule_24_what_came_as_ninjs_goes_as_ninjs_and_comes_back(
    newsroom: Newsroom,
) -> None:
    item = {
        "uri": "urn:example:item",
        "type": "text",
        "version": "4",
        "headlines": [
            {"role": "main", "value": "Ferry & rail"},
            {"role": "short", "value": "Ferry"},
        ],
        "descriptions": [{"role": "summary", "value": "What is shut."}],
        "bodies": [
            {"contentType": "text/html", "value": "<h2>Sea</h2><p>One.</p><p>Two.</p>"},
            {"contentType": "text/plain", "value": "One. Two."},
        ],
        "subjects": [{"name": "Ports", "uri": "urn:cv:ports", "rel": "about"}],
        "people": [{"name": "Ann Berg", "rel": "author"}, {"name": "Bo Lind"}],
        "infoSources": [{"name": "Desk", "literal": "dsk"}],
        "renditions": [{"href": "https://example.org/a.jpg", "width": 90}],
        "firstCreated": "2024-01-01T10:00:00Z",
        "versionCreated": "2024-01-02T10:00:00+01:00",
        "copyrightNotice": "© Desk",
        "x_desk": {"priority": 3, "codes": ["a", None]},
    }
    kind = "application/ninjs+json"
    sent = newsroom.send("PUT", path("urn:example:item"), item, kind)
    assert sent.status == 200, sent.body
    newsroom.index()
    written = newsroom.get(f"{path('urn:example:item')}?format=ninjs")
    assert written.headers["Content-Type"].startswith(kind)
    back = json.loads(written.body)
    for name in ("uri", "version", "subjects", "infoSources", "renditions", "x_desk"):
        assert back[name] == item[name], name
    assert back["headlines"] == item["headlines"]
    assert back["bodies"][1:] == item["bodies"][1:]
    again = newsroom.send("PUT", path("urn:example:item"), written.body, kind)
    assert again.json["results"][0]["status"] == "unchanged", written.body
    by_id = newsroom.get("/v1/article?id=urn:example:item&format=ninjs")
    assert by_id.body == written.body
