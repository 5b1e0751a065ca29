"""JSON read record by record: lines, lists, and documents over several lines."""

from __future__ import annotations

import itertools
import json
from collections.abc import Generator, Iterator
from typing import Any, BinaryIO, NamedTuple

from index.errors import InputError, LimitExceeded, UnreadableInput
from index.parsing import source
from index.parsing.json_window import Parsed, Window
from index.parsing.strict_json import LENIENT, parse_json


class Value(NamedTuple):
    """One JSON value of an input, or the error in its place.

    :param line: where it starts, from 1.
    :param position: its number among the values, from 1; ``None`` if the input is
        empty.
    :param text: the value as it stands in the input, without the space around it.
    """

    line: int
    position: int | None
    value: Any = None
    error: InputError | None = None
    text: str = ""

    def as_sent(self) -> str:
        """The value as it stands in the input."""
        return self.text


def json_records(data: bytes | BinaryIO) -> Iterator[Value]:
    """Yield the records of JSON lines, of lists, or of documents over several lines.

    Lines, and the items of a list, are read one at a time, so the input may be larger
    than memory; an object over several lines is read whole. Blank lines are skipped. A
    record that cannot be read is an error in its place, and those after it follow.
    """
    stream = source.chunks(data)
    head, stream = _first_of(stream)
    if head.lstrip().startswith(b"["):
        yield from _documents(Window(stream), 1)
        return
    all_lines = source.Lines(stream, longest_first=source.MAX_DOCUMENT)
    lines: Iterator[source.Line] = all_lines
    first = next(filter(_is_content, lines), None)
    if first is None:
        yield Value(1, None, error=UnreadableInput("is empty"))
        return
    if len(first.data) > source.MAX_LINE:
        second = next(filter(_is_content, lines), None)
        if second is not None:  # JSON lines, the first of which is too long
            too_long = LimitExceeded(
                "bytes of a line", limit=source.MAX_LINE, got=len(first.data)
            )
            first = source.Line(first.number, b"", too_long)
            lines = itertools.chain([second], lines)
    record = _value(first, 1)
    if isinstance(record.error, UnreadableInput) and _breaks_off(first):
        data, rest = _read_ahead(first.data, all_lines.rest())
        if rest is None:
            documents = _whole_documents(data, first.number)
            if documents is not None:
                yield from documents
                return
            # Otherwise it is JSON lines, and the first is broken.
        lines = source.Lines(
            itertools.chain(source.pieces_of(data), rest or ()),
            longest_first=source.MAX_DOCUMENT,
            number=first.number,
        )
        next(lines)
    yield record
    for position, line in enumerate(filter(_is_content, lines), 2):
        yield _value(line, position)


def _read_ahead(
    line: bytes, rest: Iterator[bytes]
) -> tuple[bytes, Iterator[bytes] | None]:
    """A line and what follows it, as far as it may be one document.

    The pieces after that, which may break off; ``None`` if the input has ended.
    """
    data = bytearray(line + b"\n")
    try:
        for piece in rest:
            data += piece
            if len(data) > source.MAX_DOCUMENT:
                return bytes(data), rest
    except UnreadableInput as error:
        return bytes(data), _raising(error)
    return bytes(data), None


def _whole_documents(data: bytes, line: int) -> Iterator[Value] | None:
    """Values of documents over several lines; ``None`` if the first is not JSON.

    :param line: on which the first one starts.
    """
    try:
        text = source.decoded(data)
        value = parse_json(text)
    except LimitExceeded as error:
        return iter([Value(line, 1, error=error)])
    except UnreadableInput as error:
        end = _first_end(data)
        if end is None:
            return None
        if not data[end:].strip():
            return iter([Value(line, 1, error=error)])
        window = Window(source.pieces_of(data))
        window.line = line
        return _documents(window, 1)
    return iter([Value(line, 1, value, text=text.strip())])


def _documents(window: Window, position: int) -> Iterator[Value]:
    """Yield the values of one JSON document after another, and the items of lists."""
    while sign := window.next():
        if sign == "[":
            after = yield from _items(window, position)
            if after is None:
                return
            position = after
        elif sign == "{":
            parsed = window.value()
            yield _of(parsed, position)
            position += 1
            if parsed.last:
                return
        else:
            trailing = UnreadableInput(
                "there is text after the end of the list; remove it", line=window.line
            )
            yield Value(window.line, position, error=trailing)
            return
    if window.error is not None:
        yield Value(window.line, position, error=_at_line(window.error, window.line))


def _items(window: Window, position: int) -> Generator[Value, None, int | None]:
    """Yield the items of a list; the window is at its bracket, and passes it.

    Return the position after them; ``None`` if the end of the list was not found: the
    last item is then the error.
    """
    window.skip()
    sign = window.next()
    while sign and sign != "]":
        parsed = window.value()
        if parsed.last and window.error is not None:
            broken = _at_line(window.error, parsed.line)
            yield Value(parsed.line, position, error=broken)
            return None
        yield _of(parsed, position)
        position += 1
        if parsed.last:
            return None
        sign = window.next()
        while sign == "}":  # one bracket too many
            yield _fault(window, position, "there is a } too many; remove it")
            position += 1
            window.skip()
            sign = window.next()
        if sign == "{":
            if parsed.error is None:  # otherwise it may have swallowed its comma
                yield _fault(window, position, "a comma is missing before this item")
                position += 1
        elif sign == ",":
            window.skip()
            sign = window.next()
            if sign == "]":
                yield _fault(window, position, "no item follows the last comma")
                position += 1
        elif sign != "]":
            break
    if sign == "]":
        window.skip()
        return position
    fault = "the list is not closed: a comma or ] is missing"
    if window.error is not None:
        fault = str(window.error)
    yield _fault(window, position, fault)
    return None


def _fault(window: Window, position: int, detail: str) -> Value:
    error = UnreadableInput(detail, line=window.line)
    return Value(window.line, position, error=error)


def _at_line(error: UnreadableInput, line: int) -> UnreadableInput:
    return UnreadableInput(str(error), line=line, code=error.code)


def _of(parsed: Parsed, position: int) -> Value:
    return Value(parsed.line, position, parsed.value, parsed.error, parsed.text)


def _is_content(line: source.Line) -> bool:
    """Whether a line is not blank."""
    return line.error is not None or bool(line.data.strip())


def _value(line: source.Line, position: int) -> Value:
    if line.error is not None:
        return Value(line.number, position, error=line.error)
    try:
        text = source.decoded(line.data, line=line.number).strip()
        value = parse_json(text, line=line.number)
        return Value(line.number, position, value, text=text)
    except InputError as error:
        return Value(line.number, position, error=error)


def _first_end(data: bytes) -> int | None:
    """End of the first value of an input, even of one that breaks our rules.

    In bytes; ``None`` if it does not start with JSON.
    """
    text = data.decode("utf-8", "surrogateescape")
    start = len(text) - len(text.lstrip())
    try:
        end = LENIENT.raw_decode(text, start)[1]
    except (RecursionError, ValueError):
        return None
    return len(text[:end].encode("utf-8", "surrogateescape"))


def _breaks_off(line: source.Line) -> bool:
    """Whether a line is the start of JSON that continues on the next."""
    if line.error is not None:
        return False
    text = line.data.decode("utf-8", "replace").strip()
    try:
        LENIENT.decode(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text)
    except (RecursionError, ValueError):
        return False
    return False


def _first_of(stream: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """First piece of a stream that is not blank, and the whole stream."""
    pieces: list[bytes] = []
    try:
        for piece in stream:
            pieces.append(piece)
            if piece.strip():
                return piece, itertools.chain(pieces, stream)
    except UnreadableInput as error:
        return b"", itertools.chain(pieces, _raising(error))
    return b"", iter(pieces)


def _raising(error: UnreadableInput) -> Iterator[bytes]:
    raise error
    yield b""
