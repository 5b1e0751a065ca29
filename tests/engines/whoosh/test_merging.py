"""The memory of a merge: in proportion to the budget, however long a list is."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from articles import article
from engines.whoosh.indexes import opened

from index.engines.whoosh.files import (
    PARAGRAPH_WORDS,
    ArraysFile,
    Mask,
    PostingLists,
    PostingListsWriter,
    Segment,
    arrays,
    posting_lists,
)
from index.engines.whoosh.files.arrays import Column
from index.engines.whoosh.writing import merging
from index.engines.whoosh.writing.merged_lists import OCCURRENCE
from index.engines.whoosh.writing.merging import merge

MB = 1024 * 1024
Sources = list[tuple[Segment, Mask]]


@pytest.fixture(scope="module", params=["whole", "with deletions"])
def sources(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sources]:
    """Segments with frequent words of one form and of several, in several fields."""
    engine = opened(tmp_path_factory.mktemp("index"))
    engine.rebuild([], seq=0, total=0)
    for batch in range(3):
        articles = [
            article(
                f"a{batch}-{n}",
                *[f"Talks on talk {n} talked of truce{n % 7}"] * (1 + n % 5),
                *["truce talks " * 40] * (n == 11),
                headline=f"Talks {n}",
                byline="By Talks Truce",
                language=("en", "de")[n % 2],
            )
            for n in range(40)
        ]
        engine.apply(articles, [], seq=batch + 1)
    segments = engine.snapshot()._snapshot.segments
    assert len(segments) == 3
    number = np.random.default_rng(3)
    joined: Sources = []
    for segment in segments:
        kept = np.ones(segment.articles, bool)
        if request.param != "whole":
            kept = number.random(segment.articles) < 0.6
        joined.append((segment, kept[segment.owner]))
    yield joined
    engine.close()


def merged(sources: Sources, path: Path, *, memory: int) -> dict[str, bytes]:
    merge(sources, path, memory=memory)
    file = ArraysFile(path)
    return {name: file[name].tobytes() for name in file}


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_a_list_that_is_merged_in_blocks_is_the_list_that_is_merged_at_once(
    sources: Sources, limit: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting_lists, "LEAST_DENSE", 1)
    at_once = merged(sources, tmp_path / "once", memory=512 * MB)
    assert at_once[f"{PARAGRAPH_WORDS}/bits"]
    monkeypatch.setattr(merging, "_RUN_OCCURRENCES", limit)
    in_blocks = merged(sources, tmp_path / "blocks", memory=512 * MB)
    assert in_blocks == at_once


def test_arrays_of_a_merge_are_no_larger_than_its_budget_allows(
    sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    append = PostingListsWriter.append

    def counted(
        writer: PostingListsWriter, lists: PostingLists, *, continues: bool
    ) -> None:
        columns = lists.rows, lists.frequencies, lists.positions, lists.tags
        sizes.append(sum(column.nbytes for column in columns))
        append(writer, lists, continues=continues)

    monkeypatch.setattr(PostingListsWriter, "append", counted)
    budget = 200 * OCCURRENCE  # of which half is for parts, four of them at a time
    merge(sources, tmp_path / "merged", memory=budget)
    longest = 80 + 80 + 20  # occurrences in the longest article
    assert max(sizes) <= longest * OCCURRENCE
    assert len(sizes) > 100
    sizes.clear()
    merge(sources, tmp_path / "large", memory=512 * MB)
    assert max(sizes) > longest * OCCURRENCE


def test_a_column_is_widened_block_by_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "_BLOCK_BYTES", 64 * 1024)
    column = Column(tmp_path, None)
    narrow = np.arange(16 * MB, dtype=np.uint32).astype(np.uint8)
    column.append(narrow)
    assert column.dtype == np.uint8
    tracemalloc.start()
    try:
        column.append(np.array([70_000]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MB
    with (tmp_path / "written").open("w+b") as file:
        column.write_to(file)
    column.close()
    written = np.fromfile(tmp_path / "written", np.uint32)
    assert written[-1] == 70_000
    assert np.array_equal(written[:-1], narrow)
