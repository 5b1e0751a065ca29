"""Tables: what a spreadsheet must not compute, and what our own reader gets back."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.archive import ArticleHit
from index.formats import csv as csv_format
from index.parsing import guarded, unguarded
from index.query import Request
from index.rendering import Table

STARTS = "=+-@\t\r\n＝＋－＠"
CELLS = st.text(st.sampled_from("'=+-@\t\ra1;,\"\n"), max_size=8) | st.text(max_size=20)


def hit(**article: Any) -> ArticleHit:
    values = {"id": "a", "version": "1", "headline": "Head", **article}
    return ArticleHit(values, None, 1.5, 0, ())


def cells(text: str) -> dict[str, str]:
    header, row = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    return dict(zip(header, row, strict=True))


def table_of(one: ArticleHit, *, guards: bool, **request: Any) -> str:
    table = Table(Request(**request), guards=guards)
    return table.head() + table.rows([one])


@pytest.mark.slow
@given(CELLS)
def test_a_guard_comes_off_again(text: str) -> None:
    assert unguarded(guarded(text)) == text


@pytest.mark.slow
@given(CELLS)
def test_no_guarded_cell_starts_a_formula(text: str) -> None:
    assert guarded(text)[:1] not in set(STARTS)


@pytest.mark.parametrize("start", STARTS)
def test_cells_that_a_spreadsheet_would_compute_are_guarded(start: str) -> None:
    one = hit(headline=f"{start}cmd|' /c calc'!A1")
    assert cells(table_of(one, guards=True))["headline"].startswith(f"'{start}")
    assert cells(table_of(one, guards=False))["headline"].startswith(start)


def test_a_table_begins_with_the_mark_by_which_excel_knows_utf_8() -> None:
    assert Table(Request(), guards=True).head().startswith("\ufeffid,version,")


@pytest.mark.slow
@given(headline=st.text(st.sampled_from("'=+-@a é,;\""), min_size=1, max_size=8))
def test_our_own_reader_gets_the_texts_back(headline: str) -> None:
    text = table_of(hit(headline=f"{headline}x"), guards=True)
    (read,) = csv_format.read(text.encode())
    assert read.article is not None
    assert (read.article.id, read.article.headline) == ("a", f"{headline}x")


def test_lists_and_concepts_are_read_again_as_they_were() -> None:
    subjects = ["a;b", {"name": "Ports", "code": "p", "scheme": "s"}]
    one = hit(subjects=subjects, keywords=["one", "two"])
    fields = ("headline", "subjects", "keywords")
    text = table_of(one, guards=True, fields=fields)
    (read,) = csv_format.read(text.encode())
    assert read.article is not None
    assert [each.name for each in read.article.subjects] == ["a;b", "Ports"]
    assert read.article.subjects[1].code == "p"
    assert [each.name for each in read.article.keywords] == ["one", "two"]
    assert cells(text)["keywords"] == "one; two"
