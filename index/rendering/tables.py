"""Tables of hits: CSV that spreadsheets open, and that our own reader reads again."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from index.archive import ArticleHit
from index.article import RIGHTS_FIELDS
from index.parsing import guarded
from index.query import SHORT_FIELDS, Request, Unit

MARK = "\ufeff"  # the byte order mark, by which Excel knows UTF-8
# A value with one of these would be cut in two when it is read again.
_SEPARATORS = frozenset(';,|"[')
_PASSAGE = {Unit.ARTICLE: ("passages",), Unit.PARAGRAPH: ("n", "role", "passages")}


class Table:
    """The hits of one search as rows of CSV (RFC 4180), with a header.

    ::

        table = Table(Request(q="ferry"), guards=True)
        table.head() + table.rows(answer.hits)

    :param request: the search: its fields are columns, and its unit says what a row is.
    :param guards: whether cells that a spreadsheet would compute are guarded.
    """

    def __init__(self, request: Request, *, guards: bool) -> None:
        named = request.fields or SHORT_FIELDS
        fields = dict.fromkeys(("id", "version", *named, *RIGHTS_FIELDS))
        self._fields, self._unit = tuple(fields), request.unit
        self._guards = guards

    def head(self) -> str:
        """The byte order mark and the header."""
        return MARK + _lines([[*self._fields, "score", *_PASSAGE[self._unit]]])

    def rows(self, hits: Iterable[ArticleHit]) -> str:
        """Rows of these hits."""
        return _lines(self._row(hit) for hit in hits)

    def _row(self, hit: ArticleHit) -> list[str]:
        cells = [_cell(hit.article.get(name)) for name in self._fields]
        cells.append(_cell(hit.score))
        if self._unit is Unit.PARAGRAPH:
            (passage,) = hit.passages
            cells += [str(passage.n), passage.role]
        cells.append("\n\n".join(passage.text for passage in hit.passages))
        return [guarded(cell) for cell in cells] if self._guards else cells


def _lines(rows: Iterable[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cell(value: Any) -> str:
    """A value as the text of a cell: lists as names with semicolons, else as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(
        isinstance(each, str) and not _SEPARATORS & set(each) for each in value
    ):
        return "; ".join(value)
    return json.dumps(value, ensure_ascii=False)
