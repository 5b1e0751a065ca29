"""Packed arrays: small numbers in a byte, exceptions beside them, nothing lost."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from engines.whoosh.indexes import opened

from index.article import article_of
from index.engines.whoosh.files import (
    ArraysFile,
    ArraysWriter,
    ParagraphIndex,
    Segment,
    arrays,
)
from index.engines.whoosh.files.packed import PackedArray, packed_column
from index.engines.whoosh.files.rows import DocumentRows
from index.engines.whoosh.searching import paragraph_postings
from index.engines.whoosh.searching.paragraph_postings import StoredPostings
from index.query import Phrase, Search, Term, Unit


def written(path: Path, *pieces: list[int]) -> ArraysFile:
    """A file with one packed array, appended piece by piece."""
    out = ArraysWriter(path)
    column = packed_column(out, "x")
    for piece in pieces:
        column.append(np.array(piece, np.int64))
    out.close({})
    return ArraysFile(path)


@pytest.mark.parametrize(
    ("values", "kind", "exceptions"),
    [
        ([], "|u1", 0),
        ([0, 254], "|u1", 0),
        ([0, 255, 7], "|u1", 0),
        ([255, 256], "<u2", 0),
        ([*range(200), 256], "|u1", 1),
        ([*range(200), 255, 256, 70_000], "|u1", 3),
        ([65_535] * 200 + [65_536], "<u4", 0),
        ([300] * 200 + [65_536], "<u2", 1),
        ([1 << 40] * 3, "<u8", 0),
        ([*range(200), 1 << 40], "|u1", 1),
    ],
)
def test_the_type_that_takes_least_room_is_chosen(
    tmp_path: Path, values: list[int], kind: str, exceptions: int
) -> None:
    file = written(tmp_path / "a", values[:2], values[2:])
    assert file["x"].dtype.str == kind
    assert ("x.high" in file) == ("x.high.at" in file) == (exceptions > 0)
    assert len(file.get("x.high", "<u1")) == exceptions
    assert PackedArray(file, "x").run(0, len(values)).tolist() == values


def test_a_column_on_disk_is_packed_block_by_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "_SPILL_BYTES", 1_000)
    monkeypatch.setattr(arrays, "_BLOCK_BYTES", 512)
    values = np.random.default_rng(5).geometric(0.03, 9_000).tolist()
    file = written(tmp_path / "a", values[:50], values[50:7_000], values[7_000:])
    assert file["x"].dtype == np.uint8
    assert 0 < len(file["x.high"]) < 20
    assert PackedArray(file, "x").run(0, 9_000).tolist() == values
    assert not list(file.damaged())


def test_runs_and_places_have_their_exceptions(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    values = rng.geometric(0.02, 3_000)
    packed = PackedArray(written(tmp_path / "a", values.tolist()), "x")
    assert len(packed) == 3_000
    for low, end in np.sort(rng.integers(0, 3_001, (200, 2))).tolist():
        assert packed.run(low, end).tolist() == values[low:end].tolist()
    for size in (0, 1, 40):
        at = rng.integers(0, 3_000, size)
        assert packed.take(at).tolist() == values[at].tolist()


def test_a_run_without_exceptions_is_read_where_it_is(tmp_path: Path) -> None:
    file = written(tmp_path / "a", [*range(200), 999])
    packed = PackedArray(file, "x")
    assert np.shares_memory(packed.run(0, 200), file["x"])
    assert not np.shares_memory(packed.run(100, 201), file["x"])


NOW = datetime(2024, 5, 1, tzinfo=UTC)
LONG = article_of(
    {
        "id": "urn:long",
        "version": "1",
        "headline": "A long one",
        "paragraphs": [
            {"text": "word " * 400 + "last"},
            *({"text": f"word and number {n}"} for n in range(300)),
            {"text": "the last word"},
        ],
    }
)
SHORT = [
    article_of(
        {
            "id": f"urn:{n}",
            "version": "1",
            "headline": "A short one",
            "paragraphs": [{"text": "one word"}, {"text": "and another word"}],
        }
    )
    for n in range(300)
]


def segment_of(tmp_path: Path) -> Segment:
    """A segment whose packed arrays have exceptions."""
    engine = opened(tmp_path / "index")
    engine.rebuild([*SHORT, LONG], seq=1, total=301)
    engine.close()
    (path,) = (tmp_path / "index").glob("*.seg")
    segment = Segment(path, "it")
    for name in ("frequencies", "positions", "spreads", "totals", "paragraphs"):
        assert segment.file[f"text/{name}"].dtype == np.uint8
    return segment


def test_what_does_not_fit_a_byte_is_found_and_counted(tmp_path: Path) -> None:
    segment = segment_of(tmp_path)
    field = segment.field("text")
    assert field is not None
    number = field.list_of("en", "word")
    rows, frequencies = field.postings(number)
    first = int(segment.first[-2])
    bodies = [n for n in range(first) if n % 3]
    assert rows.tolist() == bodies + list(range(first + 1, first + 303))
    assert frequencies.max() == 400
    assert field.positions(number)[len(bodies) :][:400].tolist() == list(range(400))
    several, _ = field.postings_of(np.array([number, number]))
    assert several.tolist() == rows.tolist() * 2
    (block,) = field.blocks(number, 10_000)
    assert block.rows.tolist() == rows.tolist()


@pytest.mark.parametrize(
    ("query", "documents"),
    [
        (Phrase(("the", "last", "word")), 1),
        (Phrase(("word", "last")), 1),
        (Phrase(("word", "word")), 1),
        (Term("last"), 2),
    ],
)
def test_phrases_are_found_beyond_what_fits_a_byte(
    tmp_path: Path, query: Phrase | Term, documents: int
) -> None:
    segment_of(tmp_path)
    engine = opened(tmp_path / "index")
    search = Search(query=query, now=NOW, unit=Unit.PARAGRAPH)
    assert engine.snapshot().search(search).paragraphs == documents
    engine.close()


def test_few_documents_are_decoded_alone_and_many_with_all_that_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paragraph_postings, "_MANY", 2)
    segment = segment_of(tmp_path)
    field = segment.field("text")
    assert isinstance(field, ParagraphIndex)
    number = field.list_of("en", "word")
    all_rows, all_frequencies = field.postings(number)
    postings = StoredPostings(segment, field, number)
    listed = postings.articles.articles
    for size in (0, 1, 7, len(listed) - 1, len(listed)):
        articles = listed[:size]
        counts, rows, frequencies = postings.documents_of(
            articles, segment.first.take(articles)
        )
        assert rows.tolist() == all_rows[: counts.sum(dtype=int)].tolist()
        assert frequencies.tolist() == all_frequencies[: len(rows)].tolist()
        assert ("rows" in vars(postings)) is (2 * len(rows) > len(all_rows))
    before = postings.rows
    assert postings.documents_at(np.arange(len(listed))).tolist() == before.tolist()
    assert postings.rows is before


def test_damaged_counts_do_not_ask_for_all_memory(tmp_path: Path) -> None:
    rows = DocumentRows(segment_of(tmp_path).file, "text")
    with pytest.raises(ValueError, match="not those counted"):
        rows.run(0, 2, slice(0, int(rows.count(0, 2)) + 1))
