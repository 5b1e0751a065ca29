"""docs/segment_format.md and docs/whoosh_suite.md against the code and themselves."""

from __future__ import annotations

import json
import pickle
import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from checkout import ROOT
from engines.whoosh.indexes import opened

from index.article import PASSAGE_FIELDS, article_of
from index.engines.whoosh.codec import ColumnarSegment
from index.engines.whoosh.files import (
    ID,
    LINE_FIELDS,
    PARAGRAPH_WORDS,
    SIDE_FIELDS,
    VALUE_FIELDS,
    VERSION,
    Segment,
    arrays,
    posting_lists,
)
from index.engines.whoosh.files.arrays import ArraysFile

FORMAT = (ROOT / "docs/segment_format.md").read_text("utf-8")
SUITE = (ROOT / "docs/whoosh_suite.md").read_text("utf-8")
ARTICLES = [
    article_of(
        {
            "id": "urn:1",
            "version": "1",
            "headline": "Truce talks",
            "byline": "Ana Lima",
            "keywords": ["peace", "Peace talks"],
            "urgency": 3,
            "published": "2024-05-01T08:00:00Z",
            "paragraphs": [
                {"text": "Talks about a truce.", "role": "abstract"},
                {"text": "The talk was short, and rebel-held towns were calm."},
                {"text": "Talking in a truce.", "role": "caption"},
            ],
        }
    ),
    article_of(
        {
            "id": "urn:2",
            "version": "7",
            "language": "de",
            "paragraphs": [{"text": "Ein Waffenstillstand."}],
        }
    ),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an index with all arrays that there are."""
    monkeypatch.setattr(posting_lists, "LEAST_DENSE", 1)
    engine = opened(tmp_path / "index")
    engine.rebuild(ARTICLES, seq=4, total=2, epoch=5)
    engine.close()
    return tmp_path / "index"


@pytest.fixture
def file(folder: Path) -> ArraysFile:
    (path,) = folder.glob("*.seg")
    return ArraysFile(path)


def rows(page: str, heading: str) -> list[list[str]]:
    """Rows of the first table behind a heading, without its head."""
    behind = page.split(f"{heading}\n", 1)[1]
    table = re.search(r"^\|.*\n\|[ -|]+\n((?:\|.*\n)*)", behind, re.MULTILINE)
    assert table is not None, heading
    lines = table[1].splitlines()
    return [[cell.strip(" `*") for cell in line.split("|")[1:-1]] for line in lines]


def documented() -> dict[str, tuple[str, str]]:
    """Documented arrays, with their type and count."""
    described: dict[str, tuple[str, str]] = {}
    for heading in (
        "### Columns of documents and articles",
        "### Values of fields",
        "### Term dictionary and posting lists",
        "### Posting lists by article",
    ):
        for name, kind, count, _ in rows(FORMAT, heading):
            assert name not in described
            described[name] = kind, count
            if kind == "strings":
                described[name] = "u1", ""
                described[f"{name}.at"] = "offsets", f"{count}+1" if count else ""
    return described


def general(name: str) -> str:
    """Documented name of an array; the exceptions of packed arrays have its own."""
    name = re.sub(r"\.high(\.at)?$", "", name)
    passage, _, last = name.partition(".")
    if passage in PASSAGE_FIELDS:
        return f"PASSAGE.{last}"
    field, _, rest = name.partition("/")
    if field == ID or (field == PARAGRAPH_WORDS and name in documented()):
        return name
    side, dot, last = rest.partition(".")
    if field == PARAGRAPH_WORDS and side in SIDE_FIELDS:
        return f"text/SIDE{dot}{last}"
    if field in {PARAGRAPH_WORDS, VERSION, *LINE_FIELDS, *VALUE_FIELDS} and rest:
        return f"FIELD/{rest}"
    return name


def test_every_array_is_documented_and_written(file: ArraysFile) -> None:
    assert {general(name) for name in file} == set(documented())


def test_arrays_have_the_documented_types(file: ArraysFile) -> None:
    types = {
        "narrow": {"|u1", "<u2", "<u4", "<u8"},
        "packed": {"|u1", "<u2", "<u4", "<u8"},
        "offsets": {"<u4", "<u8"},
        "u1": {"|u1"},
    }
    for name in file:
        kind, _ = documented()[general(name)]
        assert file[name].dtype.str in types.get(kind, {f"<{kind}"}), name


def test_arrays_have_the_documented_counts(file: ArraysFile) -> None:
    for name in file:
        _, count = documented()[general(name)]
        letter, _, more = count.partition("+")
        field = name.partition("/")[0]
        numbers = {
            "A": len(file["first"]) - 1,
            "D": len(file["owner"]),
            "T": len(file.get(f"{field}/terms.at", "<u4")) - 1,
            "L": len(file.get(f"{field}/stems.at", "<u4")) - 1,
        }
        if letter:
            assert len(file[name]) == numbers[letter] + int(more or 0), name


def test_the_header_and_directory_are_as_documented(file: ArraysFile) -> None:
    data = file.path.read_bytes()
    spans = [row[0].split("-") for row in rows(FORMAT, "## A segment")]
    magic, version, crc, offset, length, size, zeros = (
        data[int(first) : int(last) + 1] for first, last in spans
    )
    number = np.frombuffer
    assert magic == b"NUTGRAF\n" == arrays.MAGIC
    assert number(version, "<u4") == arrays.VERSION == 1
    start = int(number(offset, "<u8")[0])
    directory = data[start : start + int(number(length, "<u8")[0])]
    assert number(crc, "<u4") == zlib.crc32(directory)
    assert number(size, "<u8") == len(data)
    assert not any(zeros) and int(spans[-1][1]) + 1 == 64
    (example,) = re.findall(r"^```json\n(.*)\n```$", FORMAT, re.MULTILINE)
    listed = json.loads(directory)
    assert listed.keys() == json.loads(example).keys()
    assert listed["facts"] == {"languages": ["de", "en"]}
    for kind, count, at, checksum in listed["arrays"].values():
        assert at % 64 == 0
        piece = data[at : at + count * np.dtype(kind).itemsize]
        assert zlib.crc32(piece) == checksum


def test_the_metadata_are_as_documented(folder: Path) -> None:
    (path,) = folder.glob("_MAIN_*.json")
    metadata = json.loads(path.read_bytes())
    assert set(metadata) == {row[0] for row in rows(FORMAT, "### Metadata")}
    crc = metadata.pop("crc")
    assert crc == zlib.crc32(json.dumps(metadata, sort_keys=True).encode())
    assert metadata["toc"] == zlib.crc32(path.with_suffix(".toc").read_bytes())
    assert (metadata["seq"], metadata["epoch"], metadata["schema"]) == (4, 5, 3)


def test_a_pickled_segment_is_as_documented() -> None:
    segment = ColumnarSegment("MAIN", documents=9).with_deletions([(3, 2)])
    _, _, state, *_ = segment.__reduce_ex__(2)
    described = rows(FORMAT, "### Segments in the table of contents")
    assert isinstance(state, dict) and set(state) == {row[0] for row in described}
    again = pickle.loads(pickle.dumps(segment))
    assert list(again.deleted_docs()) == [3, 4]


def test_the_files_of_an_index_are_documented(folder: Path) -> None:
    patterns = [
        re.escape(row[0].split("`")[0])
        .replace("<id>", "[0-9a-z]{16}")
        .replace("<generation>", r"\d+")
        for row in rows(FORMAT, "## Files")
    ]
    for path in folder.iterdir():
        assert any(re.fullmatch(each, path.name) for each in patterns), path.name
        assert path.name == "MAIN_WRITELOCK" or path.stat().st_mode & 0o777 == 0o600


def test_the_counts_of_the_whoosh_suite_add_up() -> None:
    *files, total = rows(SUITE, "# Whoosh's own test suite, over our codec")
    counts = [[int(cell or 0) for cell in row[1:4]] for row in files]
    assert all(run == passed + failed for run, passed, failed in counts)
    assert [str(sum(column)) for column in zip(*counts, strict=True)] == total[1:4]


def test_a_segment_opens_from_its_documented_arrays(file: ArraysFile) -> None:
    segment = Segment(file.path, "it")
    assert (segment.articles, segment.documents) == (2, 5)
    assert segment.article_ids(np.arange(2)) == ["urn:1", "urn:2"]
