"""The memory that indexing takes: estimated, and kept within the budget."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from articles import article
from engines.whoosh.indexes import ids_with, opened

from index.engines.whoosh.writing import writer
from index.engines.whoosh.writing.background import BackgroundWriter
from index.engines.whoosh.writing.buffer import WriteBuffer
from index.engines.whoosh.writing.indexed_article import (
    IndexedArticle,
    indexed_article_of,
)
from index.engines.whoosh.writing.inversion import write_segment
from index.text.words import ANALYSES

MB = 1024 * 1024
SIZE = 60_000  # characters of a text
NUMBERS = random.Random(12)


def words(count: int, form: str) -> str:
    return " ".join(form.format(NUMBERS.randrange(10**6)) for _ in range(count))


SHAPES = {
    "distinct words": words(SIZE // 8, "w{}"),
    "one letter": "a " * (SIZE // 2),
    "a word of many parts": words(SIZE // 8, "a{}").replace(" ", "-"),
    "words of parts": words(SIZE // 14, "a.b.c.d{}"),
    "a script without spaces": "".join(
        chr(0x4E00 + NUMBERS.randrange(5_000)) for _ in range(SIZE // 3)
    ),
    "numbers": words(SIZE // 11, "1,000.{}"),
    "elisions": words(SIZE // 9, "l'a{}"),
}


def indexed(name: str, text: str) -> IndexedArticle:
    return indexed_article_of(article(name, text, version="1"), "en")


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_a_buffer_knows_what_its_segment_takes(shape: str, tmp_path: Path) -> None:
    article = indexed("a", SHAPES[shape])
    # A full memo of the tests before would forget the words again.
    ANALYSES.clear()
    ANALYSES.bytes = 0
    buffer = WriteBuffer()
    buffer.add(article)  # what the process keeps of words is not the buffer's
    buffer = WriteBuffer()
    tracemalloc.start()
    try:
        buffer.add(article)
        write_segment(buffer, tmp_path / "segment")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < buffer.bytes * 1.2 + MB


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Estimates of the buffers that were written as segments."""
    written: list[int] = []

    def recorded(buffer: WriteBuffer, path: Path) -> int:
        written.append(buffer.bytes)
        return write_segment(buffer, path)

    monkeypatch.setattr(writer, "write_segment", recorded)
    yield written


@pytest.mark.slow
def test_a_commit_takes_no_more_memory_than_its_budget(
    sizes: list[int], tmp_path: Path
) -> None:
    texts = [words(2_000, f"w{n}x{{}}") for n in range(12)]
    budget = 10 * MB
    with closing(opened(tmp_path / "index", memory=budget)) as engine:
        engine.rebuild([], seq=0, total=0)
        engine.apply(
            [article(f"a{n}", text, version="1") for n, text in enumerate(texts)],
            [],
            seq=12,
        )
        assert len(sizes) > 1
        assert max(sizes) < budget * 0.6  # a share, and the article that fills it
        assert ids_with(engine, texts[3].split()[7]) == ["a3"]
        assert engine.state().articles == 12


@pytest.mark.slow
def test_the_background_process_writes_what_its_budget_has_room_for(
    tmp_path: Path,
) -> None:
    batch = [indexed(f"a{n}", words(2_000, f"w{n}x{{}}")) for n in range(6)]
    with closing(BackgroundWriter()) as background:
        count = background.write(batch, tmp_path / "first", memory=4 * MB)
        assert 0 < count < len(batch)
        assert background.write(batch, tmp_path / "second", memory=1) == 1
        assert background.write(batch, tmp_path / "third", memory=200 * MB) == 6


@pytest.mark.slow
def test_a_rebuild_of_large_texts_keeps_every_article(
    sizes: list[int], tmp_path: Path
) -> None:
    texts = [words(1_000, f"w{n}x{{}}") for n in range(30)]
    budget = 2 * MB  # also batches for the background process are small
    with closing(opened(tmp_path / "index", memory=budget)) as engine:
        engine.rebuild(
            [article(f"a{n}", text, version="1") for n, text in enumerate(texts)],
            seq=30,
            total=30,
        )
        assert engine.state().articles == 30
        for n, text in enumerate(texts):
            assert ids_with(engine, text.split()[7]) == [f"a{n}"]
