"""Pages of an archive's answers fit together while articles come and go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from archives import index, put

from index.archive import Answer, Archive
from index.errors import CursorMismatch, InvalidValue
from index.query import Filter, Reader, Request, Sort, Unit

FERRIES = Request(q="ferries", limit=2)


def found(answer: Answer) -> list[str]:
    return [hit.article["id"] for hit in answer.hits]


def after(archive: Archive, answer: Answer, request: Request = FERRIES) -> Answer:
    return archive.search(replace(request, cursor=answer.next))


@pytest.fixture
def ferries(empty_archive: Archive) -> Iterator[Archive]:
    """Six articles that a search for ferries scores alike."""
    for n in range(6):
        put(empty_archive, f"a{n}", "Ferries sail again.")
    index(empty_archive)
    return empty_archive


def test_an_unrelated_article_between_pages_hides_no_hit(ferries: Archive) -> None:
    first = ferries.search(FERRIES)
    put(ferries, "other", "Nothing of the kind.")
    index(ferries)
    second = after(ferries, first)
    third = after(ferries, second)
    assert found(first) + found(second) + found(third) == [f"a{n}" for n in range(6)]
    assert (second.articles, third.next) == (6, None)


@pytest.mark.slow
@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize("sort", Sort)
def test_a_walk_beside_a_writer_shows_all_that_stayed(
    empty_archive: Archive, unit: Unit, sort: Sort
) -> None:
    archive = empty_archive
    for n in range(24):
        put(archive, f"a{n:02d}", "tide " * (1 + n % 4), "The tide, at length.")
    index(archive)
    request = Request(q="tide OR quay", limit=5, unit=unit, sort=sort, passages=1)
    page, shown, turn = archive.search(request), [], 0
    while True:
        shown += [(hit.article["id"], hit.passages[0].n) for hit in page.hits]
        if page.next is None:
            break
        turn += 1
        put(archive, f"new{turn}", "tide quay " * turn, headline="Quay")
        put(archive, "a00", f"The tide turned {turn} times.", headline=f"Now {turn}")
        if turn == 1:
            archive.delete("a01")
        if turn == 2:
            archive.kill("a02")
        if turn == 3:
            archive.withhold("a03")
        if turn != 4:  # then the index is behind
            index(archive)
        page = after(archive, page, request)
    stayed = [f"a{n:02d}" for n in range(4, 24)]
    old = [hit for hit in shown if hit[0] in stayed]
    assert len(old) == len(set(old))
    assert sorted({id_ for id_, _ in old}) == stayed
    if unit is Unit.PARAGRAPH:
        assert len(old) == 2 * len(stayed)


def test_a_cursor_serves_every_process_and_outlives_them(ferries: Archive) -> None:
    first = ferries.search(FERRIES)
    with closing(Archive.open(ferries.settings)) as other:
        index(other)  # an engine in memory starts empty
        second = after(other, first)
        assert found(second) == ["a2", "a3"]
    ferries.close()
    index(ferries)
    assert found(after(ferries, second)) == ["a4", "a5"]


def test_a_backup_brings_the_key_of_its_cursors(
    ferries: Archive, tmp_path: Path
) -> None:
    first = ferries.search(FERRIES)
    file = tmp_path / "ferries.backup"
    ferries.store.take_backup(file)
    ferries.store.restore_backup(file)
    index(ferries)
    assert found(after(ferries, first)) == ["a2", "a3"]


def test_a_cursor_of_another_store_is_refused(ferries: Archive, tmp_path: Path) -> None:
    first = ferries.search(FERRIES)
    settings = replace(
        ferries.settings, store=f"sqlite:///{tmp_path}/other.db", engine="memory:"
    )
    with (
        closing(Archive.open(settings)) as other,
        pytest.raises(InvalidValue) as caught,
    ):
        after(other, first)
    assert caught.value.code == "invalid_cursor"


def test_a_cursor_belongs_to_its_reader(ferries: Archive) -> None:
    first = ferries.search(FERRIES)
    for reader in (
        Reader(held=True),
        Reader(filters=(Filter(field="source", values=("desk",)),)),
    ):
        with pytest.raises(CursorMismatch):
            ferries.search(
                Request(q="ferries", cursor=first.next),
                reader=reader,
            )


@pytest.mark.parametrize(
    "name",
    ["index.engines.ranking.K1", "index.query.request.ANALYZER_VERSION"],
)
def test_a_cursor_belongs_to_one_analysis_and_formula(
    ferries: Archive, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ferries.search(FERRIES)
    monkeypatch.setattr(name, 3)
    with pytest.raises(CursorMismatch):
        after(ferries, first)


def test_an_answer_given_twice_has_the_same_cursor(ferries: Archive) -> None:
    assert ferries.search(FERRIES).next == ferries.search(FERRIES).next
