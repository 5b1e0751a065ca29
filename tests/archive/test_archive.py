"""The archive: a store and an engine that answer together."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from archives import put
from served import SEARCH_SECONDS

from index.archive import Archive, question
from index.deadline import Check, Deadline
from index.engines import Page, Snapshot
from index.errors import (
    ArticleKilled,
    ArticleNotFound,
    CursorMismatch,
    IndexDamaged,
    IndexUnavailable,
    InputError,
    InvalidValue,
    LimitExceeded,
    SearchTimeout,
    UnknownField,
)
from index.history import Difference, VersionInfo
from index.jobs import Indexer
from index.query import PUBLIC, Filter, Reader, Request, Scope, Search, Sort, Unit
from index.settings import Settings

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
ENGINES = ("memory:", "whoosh:{tmp}/index")


@pytest.fixture
def archive(empty_archive: Archive) -> Archive:
    """An empty archive over each engine in turn."""
    return empty_archive


def source(value: str, *, exclude: bool = False) -> Filter:
    return Filter(field="source", values=(value,), exclude=exclude)


def catch_up(archive: Archive) -> None:
    Indexer(archive.store, archive.engine).step()


def versions_of(archive: Archive, article_id: str) -> tuple[VersionInfo, ...]:
    with archive.moment(now=NOW) as moment:
        return moment.versions(article_id).versions


def difference(
    archive: Archive, article_id: str, *, reader: Reader = PUBLIC, **pair: str
) -> Difference:
    with archive.moment(now=NOW, reader=reader) as moment:
        return moment.difference(article_id, **pair)


def ids(archive: Archive, q: str, **options: Any) -> list[str]:
    answer = archive.search(Request(q=q, **options), now=NOW)
    return [hit.article["id"] for hit in answer.hits]


@pytest.fixture
def news(archive: Archive) -> Archive:
    """Three articles, stored and indexed."""
    put(
        archive,
        "kerry",
        "Kerry said: “we are on the verge of suspending the talks”.",
        "Two hospitals in Aleppo were hit. Nobody could say by whom. Doctors left.",
        headline="Talks over Aleppo <close> to an end",
        source="World Desk",
        people=["John Kerry"],
        places=["Aleppo"],
        published="2016-09-29T20:00:00Z",
        ed_note="for internal eyes",
        language="en",
    )
    put(
        archive,
        "cocoa",
        "Cocoa rose again.",
        headline="Cocoa high",
        published="2016-10-02",
        source="Business Desk",
        url="https://example.org/cocoa",
    )
    put(archive, "undated", "A truce was agreed.")
    catch_up(archive)
    return archive


def test_an_empty_store_answers_with_nothing(archive: Archive) -> None:
    answer = archive.search(Request(q="x", facets=("source",)), now=NOW)
    assert (answer.articles, answer.hits, answer.seq) == (0, (), 0)
    assert archive.suggest("x", now=NOW) == ()


def test_a_hit_has_its_short_fields_and_marked_passages(news: Archive) -> None:
    answer = news.search(Request(q="aleppo hospitals"), now=NOW)
    (hit,) = answer.hits
    assert hit.article == {
        "id": "kerry",
        "version": "1",
        "headline": "Talks over Aleppo <close> to an end",
        "byline": None,
        "section": None,
        "source": "World Desk",
        "language": "en",
        "published": "2016-09-29T20:00:00Z",
        "url": None,
    }
    assert hit.headline_html == "Talks over <mark>Aleppo</mark> &lt;close&gt; to an end"
    (passage,) = hit.passages
    assert passage.id == "kerry#p2"
    assert [passage.text[start:end] for start, end in passage.marks] == [
        "hospitals",
        "Aleppo",
    ]
    assert passage.html.startswith("Two <mark>hospitals</mark> in <mark>Aleppo</mark>")


def test_a_phrase_marks_exactly_its_words(news: Archive) -> None:
    answer = news.search(Request(q='"verge of suspending"'), now=NOW)
    (passage,) = answer.hits[0].passages
    assert [passage.text[start:end] for start, end in passage.marks] == [
        "verge of suspending"
    ]


def test_a_passage_can_be_cut_at_sentence_ends(news: Archive) -> None:
    answer = news.search(Request(q="hospitals", passage_length=40), now=NOW)
    (passage,) = answer.hits[0].passages
    assert passage.text == "Two hospitals in Aleppo were hit."
    assert passage.marks == ((4, 13),)


def test_the_fields_to_return_can_be_chosen(news: Archive) -> None:
    answer = news.search(Request(q="aleppo", fields=("people", "source")), now=NOW)
    assert answer.hits[0].article == {
        "id": "kerry",
        "version": "1",
        "people": ["John Kerry"],
        "source": "World Desk",
    }


def test_notes_to_editors_cannot_be_requested(news: Archive) -> None:
    with pytest.raises(UnknownField):
        news.search(Request(fields=("ed_note",)), now=NOW)


def test_text_orders_by_relevance_and_nothing_by_date(news: Archive) -> None:
    assert news.search(Request(), now=NOW).applied["sort"] == "newest"
    assert news.search(Request(q="  "), now=NOW).applied["sort"] == "newest"
    assert news.search(Request(q="a"), now=NOW).applied["sort"] == "relevance"
    assert ids(news, "") == ["cocoa", "kerry", "undated"]


def test_a_date_means_the_whole_local_day(news: Archive) -> None:
    assert ids(news, "", since="2016-09-29", until="2016-09-29") == ["kerry"]
    assert ids(news, "", since="2016-09-30", tz="Asia/Tokyo") == ["cocoa", "kerry"]
    assert ids(news, "", until="2016-09") == ["kerry"]
    applied = news.search(Request(since="2016-09-30", tz="Asia/Tokyo"), now=NOW).applied
    assert applied["from"] == "2016-09-29T15:00:00Z"


@pytest.mark.parametrize(
    ("options", "kind", "parameter"),
    [
        ({"tz": "Mars/Base"}, InvalidValue, "tz"),
        ({"tz": "../../etc/passwd"}, InvalidValue, "tz"),
        ({"within": "footnotes"}, InvalidValue, "in"),
        ({"date": "embargoed_until"}, InvalidValue, "date"),
        ({"since": "soon"}, InvalidValue, "from"),
        ({"until": "2016-13"}, InvalidValue, "to"),
        ({"since": "2017", "until": "2016"}, InvalidValue, "from"),
        ({"limit": 101}, LimitExceeded, "limit"),
        ({"limit": -1}, InvalidValue, "limit"),
        ({"page": 0}, InvalidValue, "page"),
        ({"page": 1001, "limit": 10}, LimitExceeded, "page"),
        ({"page": 1, "cursor": "x"}, InvalidValue, "page"),
        ({"cursor": "x"}, InvalidValue, "cursor"),
        ({"cursor": "é"}, InvalidValue, "cursor"),
        ({"cursor": "W10"}, InvalidValue, "cursor"),
        ({"facets": ("headline",)}, UnknownField, "facet"),
        ({"facets": ("source:month",)}, InvalidValue, "facet"),
        ({"facets": ("published:hour",)}, InvalidValue, "facet"),
        ({"facet_size": 1001}, LimitExceeded, "facet_size"),
        ({"passages": 21}, LimitExceeded, "passages"),
        ({"filters": (Filter(field="byline", values=("x",)),)}, UnknownField, "byline"),
        (
            {"filters": (Filter(field="urgency", values=("x",)),)},
            InvalidValue,
            "urgency",
        ),
    ],
    ids=str,
)
def test_a_wrong_parameter_is_named(
    news: Archive, options: dict[str, Any], kind: type[InputError], parameter: str
) -> None:
    with pytest.raises(kind) as caught:
        news.search(Request(**options), now=NOW)
    assert caught.value.facts["parameter"] == parameter


def test_a_cursor_goes_on_and_belongs_to_its_search(news: Archive) -> None:
    first = news.search(Request(limit=2), now=NOW)
    assert first.next is not None
    second = news.search(
        Request(limit=5, cursor=first.next, facets=("source",)), now=NOW
    )
    assert [hit.article["id"] for hit in second.hits] == ["undated"]
    assert second.next is None
    for other in (
        {"q": "truce"},
        {"sort": Sort.OLDEST},
        {"unit": Unit.PARAGRAPH},
        {"scope": Scope.PARAGRAPH},
        {"filters": (Filter(field="source", values=("x",)),)},
        {"since": "2016"},
    ):
        with pytest.raises(CursorMismatch):
            news.search(Request(cursor=first.next, **other), now=NOW)  # type: ignore[arg-type]


def test_a_misspelt_word_gets_a_correction(news: Archive) -> None:
    answer = news.search(Request(q="alepo -truce hospitals"), now=NOW)
    assert answer.did_you_mean == "aleppo -truce hospitals"
    assert [(each.text, each.articles) for each in answer.terms] == [
        ("alepo", 0),
        ("hospitals", 1),
    ]
    assert news.search(Request(q="aleppo"), now=NOW).did_you_mean is None


@pytest.mark.parametrize(
    ("options", "correction"),
    [
        ({"q": "hospitls"}, "hospitals"),
        ({"q": "hospitls", "since": "2016-09-29"}, "hospitals"),
        ({"q": "hospitls", "since": "2017"}, None),
        ({"q": "hospitls", "within": "headline"}, None),
        ({"q": "hospitls", "filters": (source("World Desk"),)}, "hospitals"),
        ({"q": "hospitls", "filters": (source("World Desk", exclude=True),)}, None),
        ({"q": "hospitls", "filters": (source("Nothing"),)}, None),
        ({"q": "hospitls kocoa"}, None),  # no article has both
        ({"q": "hospitls OR kocoa", "strict": True}, "hospitals OR cocoa"),
        ({"q": "hospitls xyzzyx"}, None),
    ],
    ids=str,
)
def test_a_correction_is_offered_only_if_it_has_hits(
    news: Archive, options: dict[str, Any], correction: str | None
) -> None:
    assert news.search(Request(**options), now=NOW).did_you_mean == correction
    hidden = Reader(filters=(source("World Desk", exclude=True),))
    answer = news.search(Request(q="hospitls"), now=NOW, reader=hidden)
    assert answer.did_you_mean is None


def test_a_correction_leaves_time_for_the_answer(
    news: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadlines: list[Deadline] = []

    def searched(snapshot: Snapshot, search: Search) -> Page:
        assert search.deadline is not None
        deadlines.append(search.deadline)
        return search_by(snapshot, search)

    def stopped(snapshot: Snapshot, form: str, search: Search) -> Iterator[str]:
        assert search.deadline is not None
        deadlines.append(search.deadline)
        raise SearchTimeout(2.0)

    kind = type(news.engine.snapshot())
    search_by = kind.search
    monkeypatch.setattr(kind, "search", searched)
    monkeypatch.setattr(kind, "corrections", stopped)
    answer = news.search(Request(q="alepo OR hospitals"), now=NOW)
    assert answer.did_you_mean is None
    assert len(answer.hits) == 1
    of_search, of_correction = deadlines
    assert of_correction.at < of_search.at
    assert of_correction.seconds == of_search.seconds


def test_no_more_corrections_are_looked_up_than_are_tried(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(archive, "a", "A truce in a trice, and a trace of rain.")
    catch_up(archive)
    taken: list[str] = []
    kind = type(archive.engine.snapshot())
    corrections = kind.corrections

    def noted(snapshot: Snapshot, form: str, search: Search) -> Iterator[str]:
        for word in corrections(snapshot, form, search):
            taken.append(word)
            yield word

    monkeypatch.setattr(kind, "corrections", noted)
    answer = archive.search(Request(q="trxce"), now=NOW)
    assert [answer.did_you_mean] == taken == ["trace"]


def test_a_correction_is_the_closest_word_with_hits(archive: Archive) -> None:
    put(archive, "a", "The truce holds.", source="World Desk")
    put(archive, "b", "The truce holds.", source="World Desk")
    put(archive, "c", "A trace of rain.", source="Weather")
    catch_up(archive)
    for filters, correction in (
        ((), "truce"),
        ((source("Weather"),), "trace"),
        ((source("Sport"),), None),
    ):
        answer = archive.search(Request(q="trxce", filters=filters), now=NOW)
        assert answer.did_you_mean == correction
    answer = archive.search(Request(q="trxce rainn"), now=NOW)
    assert answer.did_you_mean == "trace rain"


def test_suggestions_are_names_then_words_then_headlines(news: Archive) -> None:
    suggested = [(each.type, each.text) for each in news.suggest("ale", now=NOW)]
    assert suggested == [
        ("places", "Aleppo"),
        ("word", "aleppo"),
        ("headline", "Talks over Aleppo <close> to an end"),
    ]
    assert [each.text for each in news.suggest("talks ov", now=NOW)] == [
        "Talks over Aleppo <close> to an end"
    ]
    assert news.suggest("!!", now=NOW) == ()


def test_a_name_is_suggested_by_any_of_its_words(news: Archive) -> None:
    put(news, "lavrov", people=["Sergei Lavrov"], organisations=["Lavrov Institute"])
    catch_up(news)
    suggested = [(each.type, each.text) for each in news.suggest("lavr", now=NOW)]
    assert suggested == [
        ("organisations", "Lavrov Institute"),
        ("people", "Sergei Lavrov"),
    ]
    for typed in ("lavrov ser", "serg lav"):
        (name,) = news.suggest(typed, now=NOW)
        assert (name.type, name.text, name.articles) == ("people", "Sergei Lavrov", 1)


@pytest.mark.parametrize("read", [200, 2])
def test_an_equal_headline_is_suggested_once(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, read: int
) -> None:
    monkeypatch.setattr("index.archive.suggestions._HEADLINES", read)
    for n, headline in enumerate(
        (
            "Morning brief",
            "Rain",
            "MORNING  BRIEF",
            "Morning\u00a0brief",
            "Morning briefs",
        )
    ):
        put(archive, f"a{n}", headline=headline, published=f"2020-01-0{n + 1}")
    put(archive, "held", headline="Morning brief", status="withheld")
    catch_up(archive)
    suggested = [
        (each.text, each.articles, each.id)
        for each in archive.suggest("morning b", now=NOW)
    ]
    assert suggested == [
        ("Morning briefs", 1, "a4"),
        ("Morning\u00a0brief", 3, "a3"),
    ]


def test_the_newest_accepted_version_waits_for_the_index(news: Archive) -> None:
    put(news, "kerry", "Another text.", published="2016-09-29T20:00:00Z")
    answer = news.search(Request(q="hospitals"), now=NOW)
    assert (answer.hits[0].article["version"], answer.behind) == ("1", 1)
    catch_up(news)
    assert ids(news, "hospitals") == []
    assert news.search(Request(q="another"), now=NOW).behind == 0


@pytest.mark.parametrize(
    "restriction",
    [
        {"status": "withheld"},
        {"status": "canceled"},
        {"embargoed_until": "2030-01-01"},
        {"expires": "2020-01-01"},
    ],
    ids=str,
)
def test_what_is_hidden_is_left_out_before_it_is_indexed(
    news: Archive, restriction: dict[str, str]
) -> None:
    put(news, "kerry", "Another text.", **restriction)
    assert ids(news, "hospitals") == []
    assert "places" not in {each.type for each in news.suggest("ale", now=NOW)}
    gone = ArticleKilled if "canceled" in restriction.values() else ArticleNotFound
    for version in (None, "1", "2"):
        with pytest.raises(gone):
            news.get("kerry", version=version, now=NOW)
    with pytest.raises(gone):
        versions_of(news, "kerry")
    catch_up(news)
    assert ids(news, "hospitals") == []


def test_a_reader_with_a_filter_sees_nothing_that_has_left_it(news: Archive) -> None:
    world = Reader(filters=(Filter(field="source", values=("World Desk",)),))
    answer = news.search(Request(q="hospitals"), now=NOW, reader=world)
    assert answer.articles == 1
    put(news, "kerry", "Hospitals once more.", source="Elsewhere")
    # It is not indexed yet, and was theirs by what is.
    answer = news.search(Request(q="hospitals"), now=NOW, reader=world)
    assert answer.articles == 0
    assert [each.text for each in news.suggest("ale", now=NOW, reader=world)] == []


def test_a_deletion_takes_effect_at_once(news: Archive) -> None:
    news.delete("kerry")
    assert ids(news, "hospitals") == []
    with pytest.raises(ArticleNotFound):
        news.get("kerry", now=NOW)
    catch_up(news)
    assert ids(news, "hospitals") == []
    put(news, "kerry", "Hospitals anew.")
    catch_up(news)
    assert ids(news, "hospitals") == ["kerry"]
    assert news.get("kerry", now=NOW).article.version == "1"


def test_an_article_is_read_with_its_words_marked(news: Archive) -> None:
    view = news.get("kerry", q="aleppo -talks absent", now=NOW)
    marked = [
        excerpt.text[start:end]
        for excerpt in view.excerpts
        for start, end in excerpt.marks
    ]
    assert marked == ["Aleppo", "Aleppo"]  # the negated word is not marked
    assert [excerpt.n for excerpt in view.excerpts] == [0, 1, 2]
    assert view.marked
    assert not news.get("kerry", now=NOW).marked


def test_old_versions_can_be_read(news: Archive) -> None:
    put(news, "kerry", "Second text.")
    assert news.get("kerry", now=NOW).article.version == "2"
    old = news.get("kerry", version="1", now=NOW)
    assert (old.article.version, old.current) == ("1", False)
    listed = versions_of(news, "kerry")
    assert [(each.version, each.current) for each in listed] == [
        ("2", True),
        ("1", False),
    ]


def test_a_version_that_may_not_be_seen_is_not_listed(archive: Archive) -> None:
    put(archive, "a", "x", headline="Secret", status="withheld")
    put(archive, "a", "x", headline="Embargoed", embargoed_until="2030-01-01")
    put(archive, "a", "x", headline="Open", embargoed_until="2020-01-01")
    catch_up(archive)
    assert [each.headline for each in versions_of(archive, "a")] == ["Open"]


def test_versions_are_compared_the_one_before_with_the_current_one(
    news: Archive,
) -> None:
    put(news, "kerry", "Second text.", section="World")
    put(news, "kerry", "Third text.", section="World", ed_note="for desks only")
    changes = difference(news, "kerry")
    assert (changes.old, changes.new, changes.fields) == ("2", "3", ())
    changed = [each.html for each in changes.paragraphs if each.kind != "unchanged"]
    assert changed == ["<del>Second</del><ins>Third</ins> text."]
    first = difference(news, "kerry", new="2")
    assert (first.old, first.new) == ("1", "2")
    assert "section" in {each.name for each in first.fields}
    back = difference(news, "kerry", old="3", new="1")
    assert (back.old, back.new) == ("3", "1")
    put(news, "one", "The only version.")
    for unchanged in (difference(news, "kerry", old="3"), difference(news, "one")):
        assert unchanged.old == unchanged.new
        assert not unchanged.fields
        assert {each.kind for each in unchanged.paragraphs} == {"unchanged"}


def test_only_versions_that_may_be_seen_are_compared(archive: Archive) -> None:
    put(archive, "a", "One.")
    put(archive, "a", "Secret.", status="withheld")
    put(archive, "a", "Embargoed.", embargoed_until="2030-01-01")
    put(archive, "a", "Two.", embargoed_until="2020-01-01")
    changes = difference(archive, "a")
    assert (changes.old, changes.new) == ("1", "4")
    for hidden in ("2", "3", "9"):
        for pair in ({"old": hidden}, {"new": hidden}):
            with pytest.raises(ArticleNotFound):
                difference(archive, "a", **pair)
    for_desks = difference(archive, "a", reader=Reader(held=True))
    assert (for_desks.old, for_desks.new) == ("3", "4")
    elsewhere = Reader(filters=(Filter(field="source", values=("Reuters",)),))
    with pytest.raises(ArticleNotFound):
        difference(archive, "a", reader=elsewhere)
    put(archive, "a", "Gone.", status="canceled")
    with pytest.raises(ArticleKilled):
        difference(archive, "a", old="1", new="4")
    with pytest.raises(ArticleNotFound):
        difference(archive, "none")


def test_withheld_parts_of_an_article_are_not_shown(archive: Archive) -> None:
    put(
        archive,
        "a",
        "x",
        ed_note="secret",
        extra={
            "edNote": "secret",
            "expires": "2020-01-01",  # says nothing here
            "associations": {
                "open": {
                    "headline": "shown",
                    "ednote": "secret",
                    "pubstatus": "usable",
                },
                "held": {"headline": "secret", "pubStatus": "withheld"},
                "late": {"headline": "secret", "embargoed": "2030-01-01T00:00:00Z"},
                "odd": {"headline": "secret", "embargoedUntil": "when the boss says"},
                "over": {"headline": "secret", "expires": "2020-01-01"},
            },
        },
    )
    catch_up(archive)
    view = archive.get("a", now=NOW)
    answer = archive.search(Request(q="x", fields=("extra",)), now=NOW)
    expected = {
        "expires": "2020-01-01",
        "associations": {"open": {"headline": "shown", "pubstatus": "usable"}},
    }
    assert (dict(view.article.extra), view.article.ed_note) == (expected, None)
    assert answer.hits[0].article["extra"] == expected
    inside = archive.get("a", now=NOW, reader=Reader(held=True)).article
    assert (inside.ed_note, inside.extra["edNote"]) == ("secret", "secret")
    assert set(inside.extra["associations"]) == {"open", "held", "late"}
    assert inside.extra["associations"]["open"]["ednote"] == "secret"
    later = archive.get("a", now=datetime(2031, 1, 1, tzinfo=UTC)).article.extra
    assert set(later["associations"]) == {"open", "late"}


def test_an_index_ahead_of_its_store_is_unavailable(news: Archive) -> None:
    news.engine.apply([], [], seq=99)
    with pytest.raises(IndexUnavailable):
        news.search(Request(q="aleppo"), now=NOW)


def test_an_article_that_takes_long_to_mark_comes_whole_and_without_marks(
    archive: Archive,
) -> None:
    put(archive, "a", "a " * 2_000, "Переговоры " * 2_000)
    view = archive.get("a", q="a переговоры NOT", now=NOW)
    assert (view.complete, len(view.excerpts[1].marks)) == (True, 2_000)
    archive.settings = replace(archive.settings, search_seconds=1e-9)
    view = archive.get("a", q="a переговоры NOT", now=NOW)
    assert [excerpt.marks for excerpt in view.excerpts] == [(), (), ()]
    assert view.excerpts[1].text == view.excerpts[1].html == "a " * 2_000
    assert view.marked
    assert not view.complete
    assert [(each.code, each.position, each.length) for each in view.warnings] == [
        ("dangling_operator", 13, 3),
        ("marks_left_out", 0, 16),
    ]


def test_a_search_that_takes_long_to_mark_ends_at_its_deadline(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(archive, "a", "Переговоры " * 2_000)
    catch_up(archive)
    assert archive.search(Request(q="пере*"), now=NOW).articles == 1
    checks = 0

    def expired(deadline: Deadline | None) -> Check:
        def check() -> None:
            nonlocal checks
            checks += 1
            if checks == 5:
                raise SearchTimeout(2.0)

        return check

    monkeypatch.setattr(question, "until", expired)
    with pytest.raises(SearchTimeout):
        archive.search(Request(q="пере*"), now=NOW)
    assert checks == 5


def test_waiting_ends_with_the_index_or_the_time(news: Archive) -> None:
    put(news, "new", "x")
    seq = news.store.seq()
    assert not news.wait_indexed(seq, 0.02)
    catch_up(news)
    assert news.wait_indexed(seq, 0.0)


def tag(archive: Archive, parameters: str, now: datetime) -> str:
    with archive.moment(now=now) as moment:
        return moment.tag(parameters)


def tag_of_search(archive: Archive, request: Request, now: datetime) -> str:
    with archive.asking(request, now=now) as question:
        return question.tag("q")


def test_a_tag_changes_with_whatever_may_change_an_answer(archive: Archive) -> None:
    put(archive, "a", "x", embargoed_until="2024-06-01T12:00:00Z")
    put(archive, "b", "x", expires="2024-06-01T13:00:00Z")
    catch_up(archive)
    second = timedelta(seconds=1)
    tags = [
        tag(archive, "q", at)
        for at in (
            NOW - second,
            NOW,
            NOW + timedelta(hours=1) - second,
            NOW + timedelta(hours=1),
        )
    ]
    assert tags[1] == tags[2]
    assert len(set(tags)) == 3
    assert tag(archive, "other", NOW) != tags[1]
    relative = Request(q="published:>=-7d")
    searched = tag_of_search(archive, relative, NOW)
    assert searched == tag_of_search(archive, relative, NOW)
    assert searched != tag_of_search(archive, relative, NOW + second)
    put(archive, "c", "x")
    stored = tag(archive, "q", NOW)
    assert stored != tag(archive, "q", NOW + second)  # nothing is sure until indexed
    catch_up(archive)
    indexed = tag(archive, "q", NOW)
    assert len({tags[1], stored, indexed}) == 3


def test_the_state_has_the_seq_of_the_index(news: Archive) -> None:
    put(news, "new", "x")
    state = news.state()
    assert (state.store_seq, state.index_seq, state.behind) == (4, 3, 1)
    assert (state.articles, state.indexed_articles) == (4, 3)
    assert (state.stale, state.indexer_running) == (None, False)


def test_a_slow_search_is_stopped(news: Archive) -> None:
    news.settings = replace(news.settings, search_seconds=1e-9)
    with pytest.raises(SearchTimeout) as refused:
        news.search(Request(q="aleppo"), now=NOW)
    assert refused.value.seconds == 1e-9


def test_a_timeout_names_the_seconds_of_the_whole_search(
    news: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The clock jumps over the deadline when the index has answered.
    jump = 0.0
    monotonic = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + jump)
    with news.asking(Request(q="aleppo"), now=NOW) as asked:
        jump = 60.0
        with pytest.raises(
            SearchTimeout, match=f"took longer than {SEARCH_SECONDS:g} s;"
        ):
            asked.answer()


def test_no_index_is_an_error_and_not_an_empty_answer(tmp_path: Path) -> None:
    archive = Archive.open(
        Settings(
            store=f"sqlite:///{tmp_path}/store.db", engine=f"whoosh:{tmp_path}/index"
        )
    )
    put(archive, "a", "x")
    with pytest.raises(IndexUnavailable):
        archive.search(Request(q="x"), now=NOW)
    archive.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_rebuild_of_a_damaged_index_is_requested(tmp_path: Path) -> None:
    settings = Settings(
        store=f"sqlite:///{tmp_path}/store.db", engine=f"whoosh:{tmp_path}/index"
    )
    archive = Archive.open(settings)
    put(archive, "a", "truce")
    catch_up(archive)
    for path in (tmp_path / "index").glob("*.seg"):
        path.write_bytes(b"\0" * path.stat().st_size)
    archive.engine.close()
    for _ in range(2):
        with pytest.raises(IndexDamaged):
            archive.search(Request(q="truce"), now=NOW)
    assert archive.store.rebuild_requested() == 1
    catch_up(archive)
    assert ids(archive, "truce") == ["a"]
    archive.close()
    gc.collect()  # what Whoosh left open, while that may be warned of
