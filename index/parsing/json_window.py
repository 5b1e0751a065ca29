"""A window on a JSON text that may be longer than memory: its values, one by one.

A value is parsed where it stands. Only if that fails, its end is looked for by its
brackets and strings, so that a value that is not JSON costs nothing but itself.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from index.errors import InputError, LimitExceeded, UnreadableInput
from index.parsing.source import MAX_WHOLE
from index.parsing.strict_json import STRICT, check_values, space_end, unreadable

_PIECE = re.compile(r'"(?:[^"\\\n]+|\\.)*("?)|[{}\[\],:]')
_SCALAR = re.compile(r"[^\s,{}\[\]]*")
_UNDECODABLE = re.compile("[\udc80-\udcff]")  # bytes, by surrogateescape
_LONGEST_MARGIN = 200  # characters before a value on its line


class Parsed(NamedTuple):
    """A value of a text, or the error in its place.

    :param line: where it starts, from 1.
    :param text: the value as it stands.
    :param last: whether it is not known where the next value starts.
    """

    line: int
    value: Any = None
    text: str = ""
    error: InputError | None = None
    last: bool = False


class Window:
    """The part of a JSON text that was read from its pieces and not passed yet.

    Undecodable bytes become lone surrogates, so only their own value is refused.

    :param pieces: of the text, in UTF-8.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text, self._at = "", 0
        self._margin = ""  # what was dropped of the current line, or its end
        self._passed = 0  # bytes before the text
        self._counted = 0  # characters of the text that are in these bytes too
        self._line_start = 0  # of the line at the window's place; 0 if it is dropped
        # Places of brackets that the text, which is read to its end, does not close.
        self._unclosed: frozenset[int] = frozenset()
        self._ended = False
        self.line = 1
        self.error: UnreadableInput | None = None  # why the pieces broke off

    def next(self) -> str:
        """Next character that is not white space; blank at the end of the text."""
        while True:
            self._pass_to(space_end(self._text, self._at))
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read_on():
                return ""

    def skip(self) -> None:
        """Pass one character."""
        self._pass_to(self._at + 1)

    def value(self) -> Parsed:
        """The value that starts at the next character; the window passes it."""
        if self._at in self._unclosed:
            # Known from an item before: to look for the end again would take too long.
            endless = UnreadableInput("this value has no end: a bracket is not closed")
            return self._refused(endless, _End(None))
        while True:
            text, at = self._text, self._at
            try:
                value, end = STRICT.raw_decode(text, at)
            except (ValueError, RecursionError, UnreadableInput) as error:
                broken_end = _end_of(text, at)
                if broken_end.place is None:
                    if len(text) - at > MAX_WHOLE:
                        return self._too_long()
                    try:
                        check_values(text, at)
                    except LimitExceeded as too_many:
                        return Parsed(self.line, error=too_many, last=True)
                    if self._read_on():
                        continue
                    self._unclosed = frozenset(broken_end.unclosed)
                return self._refused(error, broken_end)
            # A number at the very end may go on in the next piece.
            if end == len(text) and text[end - 1] not in '"}]' and self._read_on():
                continue
            return self._accepted(value, end)

    def _accepted(self, value: Any, end: int) -> Parsed:
        line, item = self.line, self._text[self._at : end]
        error = None if item.isascii() else self._undecodable(item)
        self._pass_to(end)
        return Parsed(line, value if error is None else None, item, error)

    def _refused(self, error: Exception, end: _End) -> Parsed:
        """Error in the place of a value; the window passes what belongs to it."""
        text, at, line = self._text, self._at, self.line
        stop = end.place if end.place is not None and not end.broken else None
        if stop is None:
            stop = self._next_alike(at + 1 if end.place is None else end.place)
        item = text[at:stop]
        reason: InputError | None = self._undecodable(item)
        if reason is None and isinstance(error, json.JSONDecodeError):
            reason = self._not_json(error)
        self._pass_to(len(text) if stop is None else stop)
        return Parsed(line, error=reason or unreadable(error, line), last=stop is None)

    def _too_long(self) -> Parsed:
        error = LimitExceeded("bytes of a JSON value", limit=MAX_WHOLE, got=None)
        return Parsed(self.line, error=error, last=True)

    def _not_json(self, error: json.JSONDecodeError) -> UnreadableInput:
        """Error with the line and the column in the whole text."""
        line = self.line + self._text.count("\n", self._at, error.pos)
        start = self._text.rfind("\n", self._at, error.pos) + 1 or self._line_start
        dropped = len(self._margin) if start == 0 else 0
        column = error.pos - start + dropped + 1
        return UnreadableInput(
            f"not JSON: {error.msg[0].lower()}{error.msg[1:]} (column {column:,})",
            line=line,
            column=column,
        )

    def _undecodable(self, item: str) -> UnreadableInput | None:
        """Error of a value at the window's place that holds bytes beyond UTF-8."""
        match = _UNDECODABLE.search(item)
        if match is None:
            return None
        at = self._bytes_before(self._at + match.start())
        return UnreadableInput(
            f"byte {at} (0x{ord(match[0]) - 0xDC00:02x}) is not UTF-8; save the file as"
            " UTF-8, or as UTF-16 with a byte order mark",
            line=self.line,
            code="invalid_encoding",
        )

    def _next_alike(self, since: int) -> int | None:
        """Place of the next object that starts a line in the column of this one.

        A value without its end is given up there, so that it does not swallow those
        after it. ``None`` if this one does not start its line, or none follows.
        """
        start = self._text.rfind("\n", max(0, self._at - _LONGEST_MARGIN), self._at) + 1
        margin = self._text[start : self._at]
        if start == 0:
            margin = self._margin + margin
        if margin.strip(" \t,[") or margin.count("[") > 1:
            return None
        column = len(margin)
        first = column - margin.count("[")
        alike = re.compile(rf"\n[ \t,]{{{first},{column}}}(?={{)")
        match = alike.search(self._text, max(self._at, since - column - 2))
        return None if match is None else match.end()

    def _bytes_before(self, place: int) -> int:
        """Bytes of the input before a place; ask for places in turn."""
        text = self._text[self._counted : place]
        self._passed += len(text.encode("utf-8", "surrogateescape"))
        self._counted = place
        return self._passed

    def _pass_to(self, place: int) -> None:
        lines = self._text.count("\n", self._at, place)
        if lines:
            self.line += lines
            self._line_start = self._text.rindex("\n", self._at, place) + 1
        self._at = place

    def _read_on(self) -> bool:
        """Read at least as much as is left, so that retries cost little in all.

        False if nothing is left to read.
        """
        kept = len(self._text) - self._at
        parts, size = list[str](), 0
        try:
            while size <= kept and not self._ended:
                piece = next(self._pieces, None)
                self._ended = piece is None
                parts.append(self._decoder.decode(piece or b"", final=self._ended))
                size += len(parts[-1])
        except UnreadableInput as error:
            self.error, self._ended = error, True
        if not size:
            return False
        self._drop_passed()
        self._text = "".join((self._text, *parts))
        return True

    def _drop_passed(self) -> None:
        self._bytes_before(self._at)
        line = self._text[self._line_start : self._at]
        margin = line if self._line_start else self._margin + line
        self._margin = margin[-_LONGEST_MARGIN:]
        self._text, self._at = self._text[self._at :], 0
        self._counted = self._line_start = 0


class _End(NamedTuple):
    """End of a value by its brackets and strings.

    :param place: after the value, or where it breaks; ``None`` if the text ends first.
    :param broken: the brackets do not match, or a string runs into the end of a line.
    :param unclosed: places of the brackets that the text does not close.
    """

    place: int | None
    broken: bool = False
    unclosed: tuple[int, ...] = ()


def _end_of(text: str, at: int) -> _End:
    """End of the value that starts at a place, even if it is not JSON."""
    if text[at : at + 1] not in ("{", "[", '"'):
        match = _SCALAR.match(text, at)
        assert match is not None, "the pattern matches nothing too"
        return _End(match.end() if match.end() < len(text) else None)
    opened: list[str] = []
    places: list[int] = []  # of these
    before = ""
    for piece in _PIECE.finditer(text, at):
        sign = piece[0][0]
        if sign == '"':
            if not piece[1]:  # a string without its closing quote
                # A backslash may be the first half of an escape.
                ended = piece.end() + text.startswith("\\", piece.end()) >= len(text)
                if ended:
                    return _End(None, unclosed=tuple(places))
                return _End(piece.start(), broken=True)
        elif sign in "{[":
            # In an object, another one can only be the value of a name.
            if opened and opened[-1] == "{" and before != ":":
                return _End(piece.start(), broken=True)
            opened.append(sign)
            places.append(piece.start())
        elif sign in "}]":
            places.pop()
            if opened.pop() + sign not in ("{}", "[]"):
                return _End(piece.start(), broken=True)
        before = sign
        if not opened:
            return _End(piece.end())
    return _End(None, unclosed=tuple(places))
