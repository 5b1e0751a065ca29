"""JSON as RFC 8259 defines it, read record by record."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from index.errors import InputError, LimitExceeded, UnreadableInput
from index.parsing import source

_NO_UTF8 = re.compile("[\udc80-\udcff]")  # undecodable bytes, by surrogateescape
# Most JSON writers cannot write integers beyond 64 bits.
_DIGITS = 20


# JSON's names for the types of its values.
JSON_TYPES: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "a truth value",
    type(None): "null",
}


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


def parse_json(text: str, *, line: int | None = None) -> Any:
    """Value of a JSON text.

    :raises UnreadableInput: it is not JSON, has a key twice, holds a number that is not
        finite or has more than 64 bits, or is nested too deep.
    """
    try:
        return _STRICT.decode(text)
    except json.JSONDecodeError as error:
        raise _not_json(error, line) from error
    except RecursionError as error:
        raise UnreadableInput("nested too deep", line=line) from error
    except UnreadableInput as error:
        raise UnreadableInput(str(error), line=line) from error


def json_records(data: bytes | BinaryIO) -> Iterator[Value]:
    """Yield the records of JSON lines, of one array, or the one object of a document.

    Lines are read one at a time, so the input may be larger than memory; an array, or
    an object over several lines, is read whole. Blank lines are skipped. A record that
    cannot be read is an error in its place, and those after it follow.
    """
    stream = source.chunks(data)
    head, stream = _first_of(stream)
    if head.lstrip().startswith(b"["):
        try:
            data = source.whole_bytes(stream)
        except (UnreadableInput, LimitExceeded) as error:
            yield Value(1, 1, error=error)
            return
        # Undecodable bytes become lone surrogates, so only their own item is refused.
        yield from _items(data.decode("utf-8", "surrogateescape"))
        return
    lines = source.lines(stream)
    first = next(filter(_is_content, lines), None)
    if first is None:
        yield Value(1, None, error=UnreadableInput("is empty"))
        return
    record = _value(first, 1)
    if record.error is not None and first.error is None and _breaks_off(first.data):
        read_ahead, size = [first], len(first.data) + 1
        for line in lines:
            read_ahead.append(line)
            size += len(line.data) + 1
            if line.error or size > source.MAX_WHOLE:
                break
        else:
            data = b"\n".join(line.data for line in read_ahead)
            try:
                text = source.decoded(data)
                yield Value(first.number, 1, parse_json(text), text=text.strip())
                return
            except UnreadableInput as error:
                if _is_one_value(data):
                    yield Value(first.number, 1, error=error)
                    return
                # Otherwise it is JSON lines, and the first is broken.
        lines = itertools.chain(read_ahead[1:], lines)
    yield record
    for position, line in enumerate(filter(_is_content, lines), 2):
        yield _value(line, position)


def json_items(text: str, name: str) -> Iterator[str]:
    """Yield the items of the list under a name in an object, each as it stands.

    :param text: the object, known to be JSON.
    """
    at = _space_end(text, text.index("{") + 1)
    while True:
        key, at = _LENIENT.raw_decode(text, at)
        at = _space_end(text, _space_end(text, at) + 1)  # after the colon
        if key == name:
            break
        at = _space_end(text, _LENIENT.raw_decode(text, at)[1])
        at = _space_end(text, at + 1)  # after the comma
    yield from json_elements(text[at:])


def json_elements(text: str) -> Iterator[str]:
    """Yield the items of a list, each as it stands.

    :param text: starts with the list, known to be JSON.
    """
    at = _space_end(text, text.index("[") + 1)
    while text[at] != "]":
        end = _LENIENT.raw_decode(text, at)[1]
        yield text[at:end]
        at = _space_end(text, end)
        at = _space_end(text, at + (text[at] == ","))


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
    except UnreadableInput as error:
        return Value(line.number, position, error=error)


def _items(text: str) -> Iterator[Value]:
    """Yield the items of a text that is one JSON array.

    An item that is JSON but breaks one of our rules is an error in its place. After an
    error of syntax nothing more can be read, so it is the last.
    """
    at = _space_end(text, text.index("[") + 1)
    line = text.count("\n", 0, at) + 1
    if text[at : at + 1] == "]":
        yield from _trailing(text, at + 1, line, 1)
        return
    for position in itertools.count(1):
        try:
            end = _LENIENT.raw_decode(text, at)[1]
        except json.JSONDecodeError as error:
            yield Value(line, position, error=_not_json(error, None))
            return
        except (RecursionError, ValueError) as error:
            unreadable = UnreadableInput(f"item {position} cannot be read: {error}")
            yield Value(line, position, error=unreadable)
            return
        try:
            item = _item_text(text, at, end, line)
            yield Value(line, position, parse_json(item, line=line), text=item)
        except UnreadableInput as error:
            yield Value(line, position, error=error)
        after = _space_end(text, end)
        if text[after : after + 1] != ",":
            line += text.count("\n", at, after)
            if text[after : after + 1] == "]":
                yield from _trailing(text, after + 1, line, position + 1)
            else:
                unclosed = UnreadableInput(
                    "the list is not closed: a comma or ] is missing", line=line
                )
                yield Value(line, position + 1, error=unclosed)
            return
        next_item = _space_end(text, after + 1)
        line += text.count("\n", at, next_item)
        at = next_item


def _item_text(text: str, start: int, end: int, line: int) -> str:
    """Text of the item from ``start`` to ``end``.

    :raises UnreadableInput: it was not UTF-8.
    """
    item = text[start:end]
    if undecodable := _NO_UTF8.search(item):
        before = text[: start + undecodable.start()]
        at = len(before.encode("utf-8", "surrogateescape"))
        byte = ord(undecodable[0]) - 0xDC00
        raise UnreadableInput(
            f"byte {at} (0x{byte:02x}) is not UTF-8; save the file as"
            " UTF-8, or as UTF-16 with a byte order mark",
            line=line,
            code="invalid_encoding",
        )
    return item


def _trailing(text: str, at: int, line: int, position: int) -> Iterator[Value]:
    if text[at:].strip():
        trailing = UnreadableInput(
            "there is text after the end of the list; remove it", line=line
        )
        yield Value(line, position, error=trailing)


def _space_end(text: str, at: int) -> int:
    """Index of the first character from ``at`` that is not JSON white space."""
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _is_one_value(data: bytes) -> bool:
    """Whether an input is one JSON value, even one that breaks our rules."""
    try:
        _LENIENT.decode(data.decode("utf-8", "replace").strip())
    except (RecursionError, ValueError):
        return False
    return True


def _breaks_off(line: bytes) -> bool:
    """Whether a line is the start of JSON that continues on the next."""
    text = line.decode("utf-8", "replace").strip()
    try:
        _LENIENT.decode(text)
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


def _not_json(error: json.JSONDecodeError, line: int | None) -> UnreadableInput:
    return UnreadableInput(
        f"not JSON: {error.msg[0].lower()}{error.msg[1:]} (column {error.colno:,})",
        line=error.lineno if line is None else line,
        column=error.colno,
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise UnreadableInput(f"the key {name[:50]!r} occurs twice; keep one")
            seen.add(name)
    return value


def _constant(text: str) -> Any:
    raise UnreadableInput(f"{text} is not a JSON number")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise UnreadableInput(f"the number {text[:50]} is too large")
    return number


def _int(text: str) -> int:
    if len(text) > _DIGITS or not -(2**63) <= (number := int(text)) < 2**64:
        raise UnreadableInput(f"the number {text[:50]} has more than 64 bits")
    return number


_STRICT = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_constant=_constant,
    parse_float=_float,
    parse_int=_int,
)
# Only to find the end of a value; _STRICT then checks the value on its own.
_LENIENT = json.JSONDecoder(parse_int=float, strict=False)
