"""Kills, withholdings, reinstatements and purges, with each engine."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from archives import index, put
from sqlalchemy import Engine, event

from index.archive import Archive, feed
from index.article import Original, article_of, draft_of
from index.dates import iso
from index.errors import (
    ArticleKilled,
    ArticleNotFound,
    ArticlePurged,
    InvalidArticle,
    LimitExceeded,
    OutsideFilter,
    StatusConflict,
    VersionConflict,
)
from index.history import Difference, Notice, VersionInfo
from index.jobs import store_problems
from index.query import PUBLIC, Filter, Reader, Request
from index.settings import Settings
from index.store import Store, View

LATER = iso(datetime.now(UTC) + timedelta(days=400))
HELD = Reader(held=True)
DESK = Reader(filters=(Filter(field="source", values=("desk",)),))


@pytest.fixture
def archive(empty_archive: Archive) -> Archive:
    """An empty archive over each engine in turn."""
    return empty_archive


def versions_of(
    archive: Archive, article_id: str, reader: Reader = PUBLIC
) -> tuple[VersionInfo, ...]:
    with archive.moment(reader=reader) as moment:
        return moment.versions(article_id).versions


def difference(
    archive: Archive, article_id: str, *, reader: Reader = PUBLIC, **pair: str
) -> Difference:
    with archive.moment(reader=reader) as moment:
        return moment.difference(article_id, **pair)


def hits(archive: Archive, q: str = "", reader: Reader = PUBLIC) -> list[str]:
    answer = archive.search(Request(q=q, limit=100), reader=reader)
    assert answer.articles == len(answer.hits)
    return sorted(hit.article["id"] for hit in answer.hits)


def is_killed(archive: Archive, article_id: str = "a", **more: Any) -> ArticleKilled:
    with pytest.raises(ArticleKilled) as caught:
        archive.get(article_id, **more)
    assert hits(archive, "words") == []
    return caught.value


def test_a_kill_holds_before_it_is_indexed_and_after(archive: Archive) -> None:
    put(archive, subjects=["Ports"], people=["Ann Quay"])
    put(archive, text="Words anew.", subjects=["Ports"])
    index(archive)
    assert hits(archive, "words") == ["a"]
    (notice,) = archive.kill("a", note="Wrong.", replacement="b")
    for _ in range(2):
        killed = is_killed(archive)
        assert (killed.note, killed.replacement) == ("Wrong.", "b")
        for version in ("1", "2"):
            is_killed(archive, version=version)
        with pytest.raises(ArticleKilled):
            versions_of(archive, "a")
        assert archive.suggest("wor") == archive.suggest("por") == ()
        (facet,) = archive.search(Request(facets=("subjects",))).facets
        assert facet.values == ()
        index(archive)
    assert archive.engine.state().articles == 0
    assert archive.notices().notices == (notice,)
    assert list(store_problems(archive.store, archive.engine)) == []


def test_a_kill_needs_no_index(store_url: str) -> None:
    archive = Archive.open(Settings(store=store_url, engine="memory:"))
    put(archive)
    archive.kill("a")
    with pytest.raises(ArticleKilled):
        archive.get("a")
    archive.close()


@pytest.mark.parametrize(
    "late",
    [
        {"text": "Late."},
        {"text": "Late.", "version": "1"},
        {"text": "Late.", "version": "2"},
        {"text": "Words.", "version": "3", "status": "withheld"},
        {"text": "Words.", "version": "3", "status": "canceled"},
    ],
    ids=str,
)
def test_what_comes_late_does_not_bring_a_killed_article_back(
    archive: Archive, late: dict[str, str]
) -> None:
    put(archive, version="2", text="Two.")
    archive.kill("a")
    if late.get("version") == "2":
        with pytest.raises(VersionConflict):
            put(archive, **late)
    else:
        assert put(archive, **late) in ("stored", "updated")
    index(archive)
    is_killed(archive)
    assert list(store_problems(archive.store, archive.engine)) == []


@pytest.mark.slow
def test_only_a_higher_usable_version_brings_a_killed_article_back(
    archive: Archive,
) -> None:
    put(archive, version="9")
    archive.kill("a")
    assert put(archive, version="10", text="Words that are right.") == "updated"
    index(archive)
    assert hits(archive, "words") == ["a"]
    assert archive.notices().notices == ()
    assert put(archive, version="9.5") == "stored"
    index(archive)
    assert archive.get("a").article.version == "10"


def test_a_kill_of_what_is_not_here_holds_when_it_comes(archive: Archive) -> None:
    archive.kill("a", note="Never.")
    for version in ("3", "2", "4", None):
        assert put(archive, version=version, text=f"Words {version}.") == "stored"
    index(archive)
    assert is_killed(archive).note == "Never."
    archive.reinstate("a")
    index(archive)
    assert hits(archive, "words") == ["a"]


def test_a_kill_is_remembered_when_a_second_one_is_taken_back(
    archive: Archive,
) -> None:
    put(archive, version="1", text="Words that are wrong.")
    archive.kill("a")
    put(archive, version="2")
    archive.kill("a")
    archive.reinstate("a")
    index(archive)
    assert hits(archive, "words") == ["a"]
    for version in ("1",):
        with pytest.raises(ArticleNotFound):
            archive.get("a", version=version)
    assert [each.version for each in versions_of(archive, "a")] == ["2"]


def test_a_file_of_yesterday_stays_killed_after_a_newer_version_was_deleted(
    archive: Archive,
) -> None:
    put(archive, version="1")
    archive.kill("a")
    put(archive, version="2", text="Words that are right.")
    archive.delete("a")
    assert put(archive) == "stored"
    index(archive)
    is_killed(archive)
    put(archive, version="3", text="Words once more.")
    index(archive)
    assert hits(archive, "words") == ["a"]


@pytest.mark.parametrize("late", [{"version": "3"}, {"version": "5"}, {}], ids=str)
def test_what_comes_late_does_not_lift_a_withholding(
    archive: Archive, late: dict[str, str]
) -> None:
    put(archive, version="1")
    archive.withhold("a", version="5")
    put(archive, text="Words that are late.", **late)
    index(archive)
    assert hits(archive, "words") == []
    assert hits(archive, "words", HELD) == ["a"]
    put(archive, version="6", text="Words that are new.")
    index(archive)
    assert hits(archive, "words") == ["a"]
    assert [each.version for each in versions_of(archive, "a")] == ["6"]
    assert list(store_problems(archive.store, archive.engine)) == []


def test_what_is_not_here_can_be_withheld(archive: Archive) -> None:
    assert archive.withhold("a", unknown=True) is None
    put(archive)
    index(archive)
    assert hits(archive, "words") == []
    assert hits(archive, "words", HELD) == ["a"]
    archive.kill("a")
    is_killed(archive, reader=HELD)
    with pytest.raises(ArticleNotFound):
        archive.get("a")


@pytest.mark.slow
def test_an_article_that_joins_a_killed_story_takes_along_what_hangs_on_it(
    archive: Archive,
) -> None:
    put(archive, "first")
    put(archive, "third", evolved_from="second")
    index(archive)
    archive.kill("first", note="All.", cascade=True)
    assert hits(archive, "words") == ["third"]
    put(archive, "second", evolved_from="first")
    put(archive, "side", version="1")
    index(archive)
    assert hits(archive, "words") == ["side"]
    put(archive, "side", version="2", evolved_from="third")
    index(archive)
    assert is_killed(archive, "third").note == is_killed(archive, "side").note == "All."
    assert list(store_problems(archive.store, archive.engine)) == []


@pytest.mark.slow
def test_a_batch_of_a_killed_story_is_killed_whole(archive: Archive) -> None:
    archive.kill("0", cascade=True)
    batch = [
        article_of({"id": str(n), "paragraphs": ["Words."], "evolved_from": str(n - 1)})
        for n in range(1, 300)
    ]
    archive.put(batch)
    index(archive)
    assert hits(archive, "words") == []
    assert len(archive.notices(limit=1_000).notices) == 300


@pytest.mark.parametrize("version", ["9" * 5_000, "-1", " ", ""])
def test_a_kill_of_what_can_be_no_version_is_refused(
    archive: Archive, version: str
) -> None:
    with pytest.raises(InvalidArticle):
        archive.kill("a", version=version)


def test_a_note_has_a_limit(archive: Archive) -> None:
    with pytest.raises(LimitExceeded):
        archive.kill("a", note="x" * 10_001)


def test_a_kill_that_names_a_version_leaves_higher_ones_alone(archive: Archive) -> None:
    archive.kill("a", version="3")
    put(archive, version="2")
    index(archive)
    is_killed(archive)
    put(archive, version="4", text="Words.")
    index(archive)
    assert hits(archive, "words") == ["a"]


def test_an_older_version_does_not_lower_what_a_kill_covers(archive: Archive) -> None:
    archive.kill("a", version="7")
    for version in ("6", "6.5", "7"):
        assert put(archive, version=version, text=f"Words {version}.") == "stored"
        index(archive)
        is_killed(archive)
    (notice,) = archive.notices().notices
    assert notice.version == "7"


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [False, True])
def test_what_was_killed_stays_so_when_a_newer_version_shows(
    archive: Archive, at_once: bool
) -> None:
    documents = [
        {"id": "a", "paragraphs": ["Wrong."], "version": "1"},
        {"id": "a", "paragraphs": ["Wrong."], "version": "2", "status": "canceled"},
        {"id": "a", "paragraphs": ["Right."], "version": "3"},
        {"id": "a", "paragraphs": ["Righter."], "version": "4"},
        {"id": "a", "paragraphs": ["Late and wrong."], "version": "1.5"},
    ]
    batches = [documents] if at_once else [[each] for each in documents]
    for batch in batches:
        archive.put([article_of(each) for each in batch])
    index(archive)
    for reader in (PUBLIC, HELD):
        listed = versions_of(archive, "a", reader=reader)
        assert [each.version for each in listed] == ["4", "3"]
        for version in ("1", "1.5", "2"):
            with pytest.raises(ArticleNotFound):
                archive.get("a", version=version, reader=reader)
            with pytest.raises(ArticleNotFound):
                difference(archive, "a", old=version, reader=reader)
        assert difference(archive, "a", new="3", reader=reader).old == "3"
    # And a second kill covers them all.
    archive.kill("a")
    is_killed(archive, version="3")
    put(archive, version="5")
    assert [each.version for each in versions_of(archive, "a")] == ["5"]
    # Nor do they come back when the newer one is deleted.
    archive.delete("a")
    assert put(archive, version="2") == "stored"
    index(archive)
    is_killed(archive)
    assert list(store_problems(archive.store, archive.engine)) == []


def test_what_was_erased_is_not_kept_again_when_a_newer_version_shows(
    archive: Archive,
) -> None:
    put(archive, version="2")
    archive.kill("a")
    archive.purge("a")
    put(archive, version="3", text="Words that are right.")
    index(archive)
    assert hits(archive, "right") == ["a"]
    for version in ("1", "2"):
        with pytest.raises(ArticlePurged):
            put(archive, version=version)


def test_the_notice_of_a_kill_outlives_a_deletion(archive: Archive) -> None:
    put(archive)
    archive.kill("a")
    archive.delete("a")
    assert put(archive) == "stored"
    index(archive)
    is_killed(archive)


def test_a_canceled_version_is_a_kill(archive: Archive) -> None:
    put(archive)
    put(archive, status="canceled", correction="It was not so.")
    index(archive)
    killed = is_killed(archive)
    assert killed.note == "It was not so."
    assert put(archive, text="Yesterday's.") == "stored"
    is_killed(archive)


def test_a_kill_said_again_changes_nothing(archive: Archive) -> None:
    put(archive)
    first = archive.kill("a", note="One.")
    assert archive.kill("a", note="One.") == first
    assert archive.seq() == 2
    (second,) = archive.kill("a", note="Two.")
    assert (second.note, second.seq) == ("Two.", 3)


def test_what_was_withheld_comes_back_when_it_is_restored(archive: Archive) -> None:
    put(archive)
    index(archive)
    assert archive.withhold("a") == 2
    assert archive.withhold("a") is None
    for _ in range(2):
        assert hits(archive, "words") == []
        with pytest.raises(ArticleNotFound):
            archive.get("a")
        index(archive)
    assert hits(archive, "words", HELD) == ["a"]
    assert archive.get("a", reader=HELD).article.status.value == "withheld"
    assert archive.reinstate("a") == 3
    assert archive.reinstate("a") is None
    index(archive)
    assert hits(archive, "words") == ["a"]
    assert list(store_problems(archive.store, archive.engine)) == []


def test_a_kill_can_be_taken_back(archive: Archive) -> None:
    put(archive)
    archive.kill("a")
    archive.reinstate("a")
    index(archive)
    assert hits(archive, "words") == ["a"]
    assert archive.get("a").article.status.value == "usable"
    archive.kill("never-here")
    archive.reinstate("never-here")
    assert archive.notices().notices == ()


@pytest.mark.slow
def test_a_kill_by_a_canceled_version_is_taken_back_to_the_last_usable_one(
    archive: Archive,
) -> None:
    put(archive, version="1", text="Words of old.")
    put(archive, version="2", text="Words that are right.", published="2020-02-02")
    put(archive, version="3", text="Do not use.", status="canceled", correction="No.")
    put(archive, version="4", text="Never use.", status="canceled")
    archive.kill("a", note="Said once more.")
    index(archive)
    since = archive.seq()
    assert archive.reinstate("a") == since + 1
    assert archive.reinstate("a") is None
    index(archive)
    shown = archive.get("a").article
    assert shown.paragraphs[-1].text == "Words that are right."
    # A number between two of the newsroom's own.
    assert (shown.version, shown.status.value) == ("4.1", "usable")
    assert hits(archive, "words") == hits(archive, "right") == ["a"]
    assert [each.version for each in versions_of(archive, "a")] == ["4.1", "2", "1"]
    (entry,) = archive.changes(since).entries
    assert (entry.type.value, entry.version) == ("restored", "4.1")
    assert archive.notices().notices == ()
    assert put(archive, version="4", text="Never use.", status="canceled") in (
        "stored",
        "unchanged",
    )
    assert put(archive, version="5", text="Words of the morning.") == "updated"
    index(archive)
    assert hits(archive, "morning") == ["a"]
    assert list(store_problems(archive.store, archive.engine)) == []


def test_what_a_kill_is_taken_back_to_was_not_killed_before(archive: Archive) -> None:
    put(archive, version="1")
    archive.kill("a")
    put(archive, version="2", text="Words that are right.")
    put(archive, version="3", text="No.", status="canceled")
    archive.delete("a")
    put(archive, version="1")
    put(archive, version="3", text="No.", status="canceled")
    with pytest.raises(StatusConflict, match="no usable version"):
        archive.reinstate("a")
    put(archive, version="2", text="Words that are right.")
    archive.reinstate("a")
    index(archive)
    assert hits(archive, "right") == ["a"]
    assert [each.version for each in versions_of(archive, "a")] == ["3.1", "2"]


def test_what_came_killed_is_not_taken_back_but_sent_anew(archive: Archive) -> None:
    put(archive, version="1", status="canceled")
    with pytest.raises(StatusConflict, match="send one with a higher number"):
        archive.reinstate("a")
    index(archive)
    is_killed(archive)
    put(archive, version="2")
    index(archive)
    assert hits(archive, "words") == ["a"]


def test_what_was_withheld_by_its_version_is_shown_when_it_is_restored(
    archive: Archive,
) -> None:
    put(archive, version="1", text="Old words.")
    put(archive, version="2", text="Held words.", status="withheld")
    archive.reinstate("a")
    index(archive)
    assert hits(archive, "held") == ["a"]
    assert archive.get("a").article.version == "2"


def test_a_kill_is_not_taken_back_to_what_was_withheld(archive: Archive) -> None:
    put(archive, version="1", text="Words that were read.")
    put(archive, version="2", text="Words that were held.", status="withheld")
    put(archive, version="3", status="canceled")
    archive.reinstate("a")
    index(archive)
    assert hits(archive, "held") == []
    assert hits(archive, "read") == ["a"]
    assert [each.version for each in versions_of(archive, "a")] == ["3.1", "1"]


def test_a_kill_is_not_taken_back_to_what_is_beyond_a_filter(archive: Archive) -> None:
    put(archive, version="1", source="wire")
    put(archive, version="2", source="desk", status="canceled")
    seq = archive.seq()
    with pytest.raises(OutsideFilter):
        archive.reinstate("a", reader=DESK)
    index(archive)
    is_killed(archive)
    assert archive.seq() == seq
    archive.reinstate("a")
    assert archive.get("a").article.source == "wire"


def test_a_kill_under_the_longest_number_is_taken_back_by_a_new_version(
    archive: Archive,
) -> None:
    put(archive, version="1")
    put(archive, version="1" * 100, status="canceled")
    with pytest.raises(StatusConflict, match="send one with a higher number"):
        archive.reinstate("a")
    put(archive, version="2" * 100)
    assert archive.get("a").current


def test_a_kill_that_is_taken_back_leaves_an_embargo_in_force(archive: Archive) -> None:
    put(archive, version="1", embargoed_until=LATER)
    put(archive, version="2", status="canceled")
    archive.reinstate("a")
    index(archive)
    assert hits(archive, "words") == []
    assert hits(archive, "words", HELD) == ["a"]


def test_what_cannot_be_done_says_why(archive: Archive) -> None:
    put(archive)
    for act in (archive.withhold, archive.reinstate, archive.purge):
        with pytest.raises(ArticleNotFound):
            act("none")
    with pytest.raises(StatusConflict):
        archive.purge("a")
    archive.kill("a")
    with pytest.raises(StatusConflict):
        archive.withhold("a")


@pytest.mark.slow
def test_a_purge_erases_every_byte_of_the_text(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    archive = Archive.open(
        Settings(store=f"sqlite:///{folder}/store.db", engine=f"whoosh:{folder}/index")
    )
    put(archive, text="Zwetschgenkuchen was served.", people=["Ann Xylander"])
    put(archive, text="Zwetschgenkuchen was not served.")
    put(archive, "b", text="Something else.")
    # Longer than a page of the store, also when compressed.
    noise = random.Random(1).randbytes(20_000)
    sent = Original(format="ninjs", data=b"Zwetschgenkuchen" + noise)
    third = article_of({"id": "a", "headline": "Third", "version": "3"})
    archive.put([draft_of(third, sent)])
    index(archive)
    places = [noise[at : at + 40] for at in range(0, len(noise), 2_000)]
    assert holding(folder, b"zwetschgenkuchen")
    assert any(holding(folder, each.lower()) for each in places)
    archive.kill("a", note="By order of a court.")
    assert archive.purge("a") == 3
    index(archive)
    assert not holding(folder, b"zwetschgenkuchen")
    assert not any(holding(folder, each.lower()) for each in places)
    assert not holding(folder, b"xylander")
    assert is_killed(archive).note == "By order of a court."
    with pytest.raises(ArticlePurged):
        put(archive, text="Zwetschgenkuchen was served.")
    with pytest.raises(ArticlePurged):
        archive.reinstate("a")
    assert put(archive, version="4", text="Words.") == "created"
    index(archive)
    assert hits(archive) == ["a", "b"]
    assert list(store_problems(archive.store, archive.engine)) == []
    archive.close()


def holding(folder: Path, word: bytes) -> list[str]:
    """The files that hold a word."""
    return [
        str(file)
        for file in folder.rglob("*")
        if file.is_file() and word in file.read_bytes().lower()
    ]


def test_a_deleted_article_can_be_purged(archive: Archive) -> None:
    put(archive)
    archive.delete("a")
    assert archive.purge("a") == 0
    with pytest.raises(ArticlePurged):
        put(archive)


@pytest.mark.slow
def test_a_removal_is_told_though_it_was_purged(archive: Archive) -> None:
    rink = Reader(filters=(Filter(field="keywords", values=("rink",)),))
    for article_id in ("killed", "deleted"):
        put(archive, article_id, keywords=["Rink"])
    put(archive, "other", keywords=["ice"])
    archive.kill("killed")
    archive.kill("other")
    archive.delete("deleted")
    for _ in range(2):  # a second purge erases nothing more
        for article_id in ("killed", "deleted", "other"):
            archive.purge(article_id)
    index(archive)
    for reader, ids in (
        (rink, {"killed", "deleted"}),
        (PUBLIC, {"killed", "deleted", "other"}),
    ):
        entries = archive.changes(3, reader=reader).entries
        assert {each.id for each in entries if each.removed} == ids
        for article_id in ids:
            is_killed(archive, article_id, reader=reader)
    with pytest.raises(ArticleNotFound):
        archive.get("other", reader=rink)


def test_digests_of_older_releases_decide_as_they_did(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def casefolded(field: str, value: str) -> str:
        return value.casefold()

    monkeypatch.setattr("index.access.visibility.field_key", casefolded)
    for article_id, section in (("plain", "Night Desk"), ("odd", "Night\u00a0Desk")):
        put(archive, article_id, section=section)
        archive.kill(article_id)
        archive.purge(article_id)
    monkeypatch.undo()
    index(archive)
    # An odd spelling that was digested is not that of a filter any more: who asks for
    # the value is not told, who excludes it could read the article and is.
    for value, only, excluding in (
        ("night desk", {"plain"}, {"odd"}),
        ("NIGHT\u00a0DESK", {"plain", "odd"}, set()),
        ("night\u2009desk", {"plain"}, {"odd"}),
        ("day desk", set(), {"plain", "odd"}),
    ):
        for exclude, ids in ((False, only), (True, excluding)):
            condition = Filter(field="section", values=(value,), exclude=exclude)
            reader = Reader(filters=(condition,))
            page = archive.notices(reader=reader)
            assert {each.id for each in page.notices} == ids
            entries = archive.changes(0, reader=reader).entries
            assert {each.id for each in entries if each.removed} == ids


def test_a_purge_makes_nothing_known_of_what_was_deleted(archive: Archive) -> None:
    put(archive, "embargoed", embargoed_until=LATER)
    put(archive, "withheld", status="withheld")
    ids = ["embargoed", "withheld", *"abc"]
    for article_id in "abc":
        put(archive, article_id)
    for article_id in ids:
        archive.delete(article_id)
        archive.purge(article_id)
    index(archive)
    for article_id in ids[:2]:
        with pytest.raises(ArticleNotFound):
            archive.get(article_id)
        is_killed(archive, article_id, reader=HELD)
    # Each has the seq of its deletion, so that paging through them works.
    first = archive.notices(limit=2).notices
    rest = archive.notices(before=first[-1].seq).notices
    assert [(each.id, each.seq) for each in (*first, *rest)] == [
        ("c", 10),
        ("b", 9),
        ("a", 8),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=str)
def test_a_story_is_killed_whole_in_whatever_order_it_came(
    archive: Archive, order: tuple[int, ...]
) -> None:
    chain = [
        ("first", {}),
        ("second", {"evolved_from": "first"}),
        ("third", {"evolved_from": "second"}),
    ]
    for at in order:
        name, more = chain[at]
        put(archive, name, **more)
    put(archive, "other", text="Else.")
    put(archive, "side", text="Words.", story="s")
    put(archive, "third", text="Words.", evolved_from="second", story="s")
    index(archive)
    killed = archive.kill("first", cascade=True)
    assert {each.id for each in killed} == {"first", "second", "third", "side"}
    assert hits(archive) == ["other"]
    put(archive, "late", evolved_from="side")
    index(archive)
    assert hits(archive) == ["other"]
    is_killed(archive, "late")


@pytest.mark.slow
@pytest.mark.parametrize(
    "link",
    [
        lambda n: {"evolved_from": str(n - 1)},
        lambda n: {"evolved_from": "0"},
        lambda n: {"story": "s"},
    ],
    ids=["chain", "star", "named"],
)
def test_a_story_of_thousands_is_killed_by_few_statements(
    store: Store, link: Callable[[int], dict[str, str]]
) -> None:
    many = 2_000
    store.put(
        [
            article_of({"id": str(n), "paragraphs": ["Words."], **link(n)})
            for n in range(1, many)
        ]
    )
    for n in range(1, 20):
        store.withhold(str(n))
    statements: list[str] = []

    def note(*said: Any) -> None:
        statements.append(said[2])

    event.listen(Engine, "before_cursor_execute", note)
    killed = store.kill("7", cascade=True)
    event.remove(Engine, "before_cursor_execute", note)
    assert {each.id for each in killed} >= set(map(str, range(1, many)))
    assert len(statements) < many / 20
    with store.reading() as view:
        seqs = [each.seq for each in view.changes(many + 18, 10_000)]
        assert seqs == [each.seq for each in killed]
        assert view.searchable() == 0
    assert store.check() == []


def test_what_is_withheld_is_killed_with_its_story(archive: Archive) -> None:
    put(archive, "first")
    put(archive, "second", evolved_from="first")
    archive.withhold("second")
    index(archive)
    archive.kill("first", cascade=True)
    is_killed(archive, "second", reader=HELD)


def test_a_circle_of_articles_is_killed_and_ends(archive: Archive) -> None:
    put(archive, "a", evolved_from="b")
    put(archive, "b", evolved_from="a")
    assert len(archive.kill("a", cascade=True)) == 2


def test_an_article_that_was_restored_stays_so_in_a_killed_story(
    archive: Archive,
) -> None:
    put(archive, "first")
    put(archive, "second", evolved_from="first")
    archive.kill("first", cascade=True)
    archive.reinstate("second")
    put(archive, "second", text="Words anew.", evolved_from="first")
    index(archive)
    assert hits(archive, "words") == ["second"]


def test_a_notice_is_for_those_who_could_have_read_the_article(
    archive: Archive,
) -> None:
    put(archive, "embargoed", embargoed_until=LATER, source="Desk")
    put(archive, "open", source="Desk")
    put(archive, "wire", source="Wire")
    for article_id in ("embargoed", "open", "wire", "never-here"):
        archive.kill(article_id)

    def notified(reader: Reader) -> set[str]:
        return {each.id for each in archive.notices(reader=reader).notices}

    assert notified(PUBLIC) == {"open", "wire", "never-here"}
    assert notified(HELD) == {"embargoed", "open", "wire", "never-here"}
    assert notified(DESK) == {"open"}
    with pytest.raises(ArticleNotFound):
        archive.get("embargoed")
    with pytest.raises(ArticleNotFound):
        archive.get("wire", reader=DESK)
    with pytest.raises(ArticleKilled):
        archive.get("open", reader=DESK)


def test_what_was_only_ever_withheld_stays_unknown_when_it_is_killed(
    archive: Archive,
) -> None:
    put(archive, "only", status="withheld")
    put(archive, "by-version", status="withheld")
    put(archive, "open-once")
    archive.withhold("open-once")
    put(archive, "open-before", version="1")
    put(archive, "open-before", version="2", status="withheld")
    for article_id in ("only", "open-once"):
        archive.kill(article_id, note="One.")
        archive.kill(article_id, note="Two.")
    for article_id in ("by-version", "open-before"):
        put(archive, article_id, text="No words.", status="canceled")
        put(archive, article_id, text="Not at all.", status="canceled")
    index(archive)
    killed_ids = {"open-once", "open-before"}
    assert {each.id for each in archive.notices().notices} == killed_ids
    killed = [each for each in archive.changes(0).entries if each.type == "killed"]
    assert {each.id for each in killed} == killed_ids
    for article_id in ("only", "by-version"):
        with pytest.raises(ArticleNotFound):
            archive.get(article_id)
        is_killed(archive, article_id, reader=HELD)
    for article_id in killed_ids:
        is_killed(archive, article_id)


@pytest.mark.parametrize("status", ["usable", "canceled"])
@pytest.mark.parametrize(
    ("hidden", "deleted"),
    [
        pytest.param({"expires": "2020-02-02T10:00:00Z"}, False, id="expired"),
        pytest.param({"expires": "2020-02-02T10:00:00Z"}, True, id="expired, deleted"),
        pytest.param({"embargoed_until": LATER}, True, id="embargoed, deleted"),
        pytest.param({"status": "withheld"}, True, id="withheld, deleted"),
    ],
)
def test_a_kill_of_what_nobody_saw_is_told_to_nobody(
    archive: Archive, hidden: dict[str, str], deleted: bool, status: str
) -> None:
    put(archive, **hidden)
    if deleted:
        archive.delete("a")
    if status == "canceled":
        put(archive, text="No words.", **{**hidden, "status": "canceled"})
    else:
        archive.kill("a", note="Secret.")
    index(archive)
    assert archive.notices().notices == ()
    assert archive.changes(0).entries == ()
    with pytest.raises(ArticleNotFound):
        archive.get("a")
    held = "expires" not in hidden
    assert [each.id for each in archive.notices(reader=HELD).notices] == ["a"] * held


@pytest.mark.slow
def test_a_kill_is_told_to_who_read_what_has_ended_since(archive: Archive) -> None:
    soon = iso(datetime.now(UTC) + timedelta(seconds=0.5))
    put(archive, "expired", expires=soon, source="Desk")
    put(archive, "deleted", source="Desk")
    archive.delete("deleted")
    put(archive, "moved", source="Wire")
    archive.withhold("moved")
    put(archive, "moved", source="Desk", status="withheld")
    while archive.store.log_ended_embargoes() == 0:
        time.sleep(0.05)
    for article_id in ("expired", "deleted", "moved"):
        archive.kill(article_id)

    def notified(reader: Reader) -> set[str]:
        return {each.id for each in archive.notices(reader=reader).notices}

    assert notified(PUBLIC) == notified(HELD) == {"expired", "deleted", "moved"}
    assert notified(DESK) == {"expired", "deleted"}, "they never saw the other one"
    held_desk = Reader(held=True, filters=DESK.filters)
    assert notified(held_desk) == {"expired", "deleted", "moved"}
    index(archive)
    killed = [each.id for each in archive.changes(0, reader=DESK).entries][-2:]
    assert set(killed) == notified(DESK)


def test_notices_come_page_by_page(archive: Archive) -> None:
    for n in range(7):
        archive.kill(str(n))
    seen: list[str] = []
    before = None
    while page := archive.notices(before=before, limit=3).notices:
        seen += [each.id for each in page]
        before = page[-1].seq
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


def test_a_page_of_notices_reads_a_bounded_number_and_says_how_to_go_on(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(archive, "ours", source="Desk")
    archive.kill("ours")
    for n in range(7):
        put(archive, str(n), source="Wire")
        archive.kill(str(n))
    monkeypatch.setattr(feed, "_READ", 2)
    monkeypatch.setattr(feed, "_MOST_READ", 4)
    reads: list[int] = []
    rows = View.notices

    def counted(view: View, before: int, limit: int) -> tuple[Notice, ...]:
        page = rows(view, before, limit)
        reads.append(len(page))
        return page

    monkeypatch.setattr(View, "notices", counted)
    first = archive.notices(limit=1, reader=DESK)
    assert (first.notices, sum(reads)) == ((), 4)
    second = archive.notices(before=first.next, limit=1, reader=DESK)
    assert [each.id for each in second.notices] == ["ours"]
    last = archive.notices(before=second.next, limit=1, reader=DESK)
    assert (last.notices, last.next) == ((), None)


def test_an_embargo_covers_versions_that_say_nothing_of_it(archive: Archive) -> None:
    put(archive, embargoed_until=LATER)
    put(archive, text="Words, corrected.")
    index(archive)
    assert hits(archive) == []
    assert iso(archive.get("a", reader=HELD).article.embargoed_until or 0) == LATER
    put(archive, text="Words, open.", embargoed_until=None)
    index(archive)
    assert hits(archive) == ["a"]


def test_a_retry_of_what_inherited_an_embargo_is_no_new_version(
    archive: Archive,
) -> None:
    put(archive, version="1", embargoed_until=LATER)
    put(archive, version="2", text="Two.")
    assert put(archive, version="2", text="Two.") == "unchanged"
    assert put(archive, text="Two.") == "unchanged"


def test_a_correction_keeps_the_date_of_publication(archive: Archive) -> None:
    put(archive, published="2020-02-02T10:00:00Z")
    put(archive, text="Corrected.", correction="A name.")
    put(archive, text="Once more.")
    published = archive.get("a").article.published
    assert published is not None
    assert iso(published) == "2020-02-02T10:00:00Z"


@pytest.mark.slow
def test_writers_and_a_kill_at_once_leave_the_article_killed(
    archive: Archive,
) -> None:
    put(archive)
    start = threading.Barrier(4)

    def write(n: int) -> None:
        start.wait()
        for at in range(10):
            put(archive, text=f"Words {n} {at}.")

    def at_once(runs: list[Callable[[], None]]) -> None:
        threads = [threading.Thread(target=run) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def kill() -> None:
        start.wait()
        archive.kill("a")

    at_once([lambda: write(1), lambda: write(2), lambda: write(3), kill])
    index(archive)
    is_killed(archive)
    assert list(store_problems(archive.store, archive.engine)) == []
