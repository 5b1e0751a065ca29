"""Tables as text: rows of cells between commas, semicolons, tabs or bars (RFC 4180).

Neither the delimiter nor the quoting is said by a file. Each that occurs is tried on
its first rows; the one that finds the most known column names, then the most rows as
wide as the header, is taken.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain, product
from typing import NamedTuple

from index.errors import InputError, LimitExceeded, UnreadableInput
from index.parsing import source

DELIMITERS = (",", ";", "\t", "|")
_HEAD = 64 * 1024  # characters that the dialect is found from
_SAMPLE = 100  # rows of them
# Python's own limit of a cell is lower, and one for all of a process.
csv.field_size_limit(source.MAX_LINE)
_SEPARATOR = re.compile(r'"?sep=(.)"?\s*\Z', re.IGNORECASE)
_UNDECODABLE = re.compile("[\udc80-\udcff]")  # bytes, by surrogateescape
# A backslash that escapes nothing is a character: C:\new.
_LONE_BACKSLASH = re.compile(r'\\(?![\\"])')
# How often, on average, the characters of a table may be read to find the ends of rows
# whose quotes are broken.
_READINGS = 4


class Dialect(NamedTuple):
    r"""How the cells of a table are set apart.

    :param quote: blank if quotes are characters like others.
    :param escapes: whether a quote in a cell is written ``\"``; else it is doubled.
    :param padded: whether spaces follow the delimiters.
    """

    delimiter: str
    quote: str = '"'
    escapes: bool = False
    padded: bool = False

    def reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        """Iterator over the rows of these lines; it raises ``csv.Error``."""
        if self.escapes:
            lines = (_LONE_BACKSLASH.sub(r"\\\\", line) for line in lines)
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            escapechar="\\" if self.escapes else None,
            skipinitialspace=self.padded,
            strict=True,
        )


class Row(NamedTuple):
    """A row of a table, or the error in its place.

    :param line: on which it starts, from 1.
    :param text: the row as it stands in the input, with its line end.
    """

    line: int
    cells: list[str]
    text: str
    error: InputError | None = None


class _Line(NamedTuple):
    number: int
    text: str
    error: InputError | None = None


def table_rows(
    pieces: Iterator[bytes], is_name: Callable[[str], bool]
) -> Iterator[Row]:
    """Yield the header of a table, then its other rows.

    Blank lines, lines of ``#`` before the header and Excel's ``sep=;`` are skipped. The
    input may be longer than memory. A row whose quotes are broken is an error in its
    place, and so is one that is wider or narrower than the header.

    :param pieces: of the input, in UTF-8; other bytes are an error of their row.
    :param is_name: whether a cell may be the name of a column.
    """
    lines = deque[_Line]()
    coming = _lines(pieces)
    size = 0
    for line in coming:
        lines.append(line)
        size += len(line.text)
        if size > _HEAD:
            break
    delimiter = _skip_preamble(lines)
    if not lines:
        yield Row(1, [], "", UnreadableInput("is empty"))
        return
    dialect = dialect_of([line.text for line in lines], is_name, delimiter)
    yield from _Rows(chain(lines, coming), dialect)


def header_of(line: str, is_name: Callable[[str], bool]) -> list[str]:
    """Cells of a line that may be the header of a table; none if it is none."""
    lines = [f"{line}\n"]
    try:
        return next(dialect_of(lines, is_name).reader(iter(lines)), [])
    except csv.Error:
        return []


def dialect_of(
    lines: list[str], is_name: Callable[[str], bool], delimiter: str | None = None
) -> Dialect:
    """The dialect that fits the first lines of a table best.

    :param delimiter: if it is known.
    """
    head = "".join(lines)
    delimiters = [each for each in DELIMITERS if each in head] or [DELIMITERS[0]]
    quotes = ['"', *(["'"] if head.startswith("'") else ())]
    escapes = [False, *([True] if '\\"' in head else ())]
    padded = [False, *([True] if ' "' in head else ())]
    dialects = [
        Dialect(*parts)
        for parts in product(
            [delimiter] if delimiter else delimiters, quotes, escapes, padded
        )
    ]
    if '"' in head:
        dialects += [Dialect("\t", "")] if "\t" in delimiters else []
    return max(dialects, key=lambda each: _fit(each, lines, is_name))


def _fit(
    dialect: Dialect, lines: list[str], is_name: Callable[[str], bool]
) -> tuple[int, float, int]:
    """Known names in the header, share of rows that are as wide, and their width."""
    reader = dialect.reader(iter(lines))
    try:
        header = next(reader, [])
    except csv.Error:
        return -1, 0.0, 0
    known = sum(is_name(cell.strip()) for cell in header)
    fitting = total = 0
    try:
        for row in reader:
            if not any(row):
                continue
            total += 1
            fitting += len(row) == len(header)
            if total == _SAMPLE:
                break
    except csv.Error:
        # The last row may only be cut off by the end of the sample.
        total += 1
    return known, fitting / total if total else 1.0, len(header)


def _skip_preamble(lines: deque[_Line]) -> str | None:
    """Drop the lines before the header; the delimiter that one of them names."""
    delimiter = None
    while lines and lines[0].error is None:
        text = lines[0].text.strip("\r\n")
        if named := _SEPARATOR.fullmatch(text):
            delimiter = named[1]
        elif text.strip(" ,;|\t") and not text.startswith("#"):
            break
        lines.popleft()
    return delimiter


def _lines(pieces: Iterator[bytes]) -> Iterator[_Line]:
    """Yield the lines of a text with their line ends; also those of old Macintoshes."""
    first = next(pieces, b"")
    pieces = chain([first], pieces)
    if b"\r" in first and b"\n" not in first:
        pieces = (piece.replace(b"\r", b"\n") for piece in pieces)
    for line in source.Lines(pieces):
        text = line.data.decode("utf-8", "surrogateescape")
        yield _Line(line.number, f"{text}\n", line.error)


class _Lines:
    """Lines that can be taken in turn, and put back."""

    def __init__(self, lines: Iterator[_Line]) -> None:
        self._lines = lines
        self._back = deque[_Line]()
        self.budget = _READINGS * source.MAX_LINE  # characters that may be taken

    def take(self) -> _Line | None:
        """Next line; ``None`` at the end."""
        if self._back:
            line: _Line | None = self._back.popleft()
        else:
            line = next(self._lines, None)
            if line is not None:
                self.budget += _READINGS * len(line.text)
        if line is not None:
            self.budget -= len(line.text)
        return line

    def put_back(self, lines: list[_Line]) -> None:
        """Let the next lines taken be these."""
        self._back.extendleft(reversed(lines))


class _Rows:
    """The rows of a table, read in turn from its lines."""

    def __init__(self, lines: Iterator[_Line], dialect: Dialect) -> None:
        self._lines, self._dialect = _Lines(lines), dialect
        self._row: list[_Line] = []  # the lines of the row that is being read
        self._width = 0
        self._in_step = True  # whether the row before was read

    def __iter__(self) -> Iterator[Row]:
        reader = self._dialect.reader(self._feed())
        while True:
            self._row = []
            cells: list[str] = []
            error: InputError | None = None
            try:
                cells = next(reader, [])
            except csv.Error as fault:
                error = self._fault(str(fault))
            except InputError as fault:
                error = fault
            if not self._row:
                return
            if error is not None:
                self._end_broken_row()
                error = self._with_extent(error)
                reader = self._dialect.reader(self._feed())
            text = "".join(line.text for line in self._row)
            if error is None:
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) == 1 < self._width and text.startswith("#"):
                    continue
                error = self._error_of(cells, text)
            self._width = self._width or len(cells)
            self._in_step = error is None
            yield Row(self._row[0].number, cells, text, error)
            if self._lines.budget < 0:
                line = self._row[-1].number + 1
                detail = "too many rows have broken quotes; the rest was not read"
                yield Row(line, [], "", UnreadableInput(detail, line=line))
                return

    def _feed(self) -> Iterator[str]:
        """Yield the lines of the row that is being read."""
        size = 0
        while (line := self._lines.take()) is not None:
            if line.error is not None and self._row:
                self._lines.put_back([line])  # to be refused on its own
                raise csv.Error("unexpected end")
            size = size + len(line.text) if self._row else len(line.text)
            self._row.append(line)
            if line.error is not None:
                raise line.error
            if size > source.MAX_LINE:
                raise LimitExceeded("bytes of a row", limit=source.MAX_LINE, got=size)
            yield line.text

    def _fault(self, detail: str) -> InputError:
        quote = self._dialect.quote
        if "expected after" in detail:
            detail = (
                f"a {quote} in a cell between {quote} is not doubled; write"
                f" {quote}{quote}"
            )
        elif "unexpected end" in detail or "limit" in detail:
            detail = f"a {quote} opens a cell and is never closed"
        return UnreadableInput(detail, line=self._row[0].number)

    def _end_broken_row(self) -> None:
        """Let a broken row end where it seems to, so that the next ones are read.

        A quote before a delimiter or a line end seems to close a cell. If the row is
        then as wide as the header, it ends there; else its first line is all of it.
        """
        lines, self._row = self._row, []
        ahead = _BrokenRow(self._dialect)
        self._lines.put_back(lines)
        ended = False
        while not ended and (not self._row or self._lines.budget > 0):
            line = self._lines.take()
            if line is None:
                break
            self._row.append(line)
            if line.error is not None:
                break
            ended = ahead.ends_with(line.text)
        if not (ended and ahead.width == self._width):
            self._lines.put_back(self._row[1:])
            del self._row[1:]

    def _with_extent(self, error: InputError) -> InputError:
        """Error of a broken row, with the line that it seems to end on."""
        first, last = self._row[0].number, self._row[-1].number
        if first == last or not isinstance(error, UnreadableInput):
            return error
        return UnreadableInput(
            f"{error}; the row seems to end in line {last}", line=first
        )

    def _error_of(self, cells: list[str], text: str) -> InputError | None:
        """Why a row is refused; ``None`` if it is as the header."""
        line = self._row[0].number
        if undecodable := _UNDECODABLE.search(text):
            try:
                source.decoded(text.encode("utf-8", "surrogateescape"), line=line)
            except UnreadableInput as error:
                return error
            raise AssertionError(undecodable)
        surplus = len(cells) - self._width
        if not self._width or (surplus > 0 and not any(cells[self._width :])):
            surplus = 0
        # A row after a broken one may be a part of it.
        is_part = not self._in_step and self._dialect.quote in "".join(cells)
        if surplus or (is_part and self._dialect.quote):
            return UnreadableInput(
                f"the row has {len(cells):,} cells, the header {self._width:,}; put"
                " quotes around a cell with a delimiter or a line end"
                if surplus
                else "the row may be a part of the broken one before it",
                line=line,
            )
        return None


class _BrokenRow:
    """A row whose quotes are broken: its width, and where it seems to end."""

    def __init__(self, dialect: Dialect) -> None:
        quote, delimiter = map(re.escape, (dialect.quote or "\0", dialect.delimiter))
        self._cell = re.compile(rf"[^{delimiter}\n]*([{delimiter}\n])")
        self._end = re.compile(rf"({quote}+)(?:[ \r]*[{delimiter}\n])?")
        self._quote = dialect.quote or "\0"
        self._quoted = False
        self.width = 1

    def ends_with(self, line: str) -> bool:
        """Whether the row ends with this line, which is its next."""
        at = 0
        while True:
            if self._quoted:
                end = self._end.search(line, at)
                if end is None:
                    return False
                # An odd number of quotes, the last of which closes the cell.
                closes = len(end[1]) % 2 and end.end() > end.end(1)
                self._quoted, at = not closes, end.end(1)
                if self._quoted:
                    continue
            elif line.startswith(self._quote, at):
                self._quoted, at = True, at + 1
                continue
            rest = self._cell.match(line, at)
            if rest is None or rest[1] == "\n":
                return True
            self.width, at = self.width + 1, rest.end()
