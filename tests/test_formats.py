"""The readers: golden files, one thing each, and what holds for any input."""

from __future__ import annotations

import gzip
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.article import (
    CONCEPT_FIELDS,
    TEXT_FIELDS,
    Article,
    Concept,
    Role,
    Status,
    number_paragraphs,
)
from index.document import document_of
from index.errors import InputError, UnknownField, UnknownFormat
from index.formats import FORMATS, Read, aliases, detect, markup, ninjs, prose, read
from index.formats import source as sources

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
CASES = sorted(
    path
    for name in FORMATS
    for path in (GOLDEN / name).iterdir()
    if not path.name.endswith(".expected.json")
)
SHARED = HERE.parents[1] / "shared"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the measuring data lies beside a checkout of the lead"
)


def told(record: Read) -> dict[str, Any]:
    """Return a record as an expectation file has it: without numbers and keys."""
    found: dict[str, Any] = {}
    if record.article is not None:
        found["article"] = document_of(record.article)
        for paragraph in found["article"]["paragraphs"]:
            del paragraph["n"], paragraph["key"]
    if record.error is not None:
        found["error"] = {"code": record.error.code, "detail": str(record.error)}
        found["label"] = record.label
    found["line"] = record.line
    if record.warnings:
        found["warnings"] = list(record.warnings)
    return found


@pytest.mark.parametrize("path", CASES, ids=lambda each: f"{each.parent.name}/{each.name}")
def test_reads_as_expected(path: Path) -> None:
    with path.open("rb") as stream:
        found = [told(each) for each in read(path.parent.name, stream, name=path.name)]
    expected = path.with_name(f"{path.name}.expected.json")
    assert found == json.loads(expected.read_text("utf-8"))


UNDETECTED = {"latin-1.txt", "empty.txt", "byte-order-mark.jsonl"}
