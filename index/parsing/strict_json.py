"""JSON as RFC 8259 has it, read record by record."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from index.errors import InputError, LimitExceeded, UnreadableInput
from index.parsing import source

_NO_UTF8 = re.compile("[\udc80-\udcff]")  # what surrogateescape makes of such bytes
# Integers beyond 64 bits cannot be given back by most JSON writers.
_DIGITS = 20


# What JSON calls the types of its values.
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
    """One JSON value of an input, or why it is none.

    :param line: where it starts, from 1.
    :param position: its number among the values, from 1; ``None`` if there are none.
    :param text: the value as it stands in the input, without the space around it.
    """

    line: int
    position: int | None
    value: Any = None
    error: InputError | None = None
    text: str = ""

    def given(self) -> str:
        """Return the value as it stands in the input."""
        return self.text


def parse_json(text: str, *, line: int | None = None) -> Any:
    """Return the value of a JSON text.

    :raises UnreadableInput: it is no JSON, names a key twice, holds a number that is
        not finite or has more than 64 bits, or is nested too deep.
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

    Lines are read one at a time, so the input may be larger than memory; an array or an
    object over several lines is held whole. Blank lines are skipped. A record that
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
        # Bytes that are no UTF-8 become lone surrogates, which refuse their own item.
        yield from _items(data.decode("utf-8", "surrogateescape"))
        return
    every = source.lines(stream)
    first = next(filter(_is_said, every), None)
    if first is None:
        yield Value(1, None, error=UnreadableInput("is empty"))
        return
    record = _value(first, 1)
    if record.error is not None and first.error is None and _breaks_off(first.data):
        held, size = [first], len(first.data) + 1
        for line in every:
            held.append(line)
            size += len(line.data) + 1
            if line.error or size > source.MAX_WHOLE:
                break
        else:
            data = b"\n".join(line.data for line in held)
            try:
                text = source.decoded(data)
                yield Value(first.number, 1, parse_json(text), text=text.strip())
                return
            except UnreadableInput as error:
                if _is_one(data):
                    yield Value(first.number, 1, error=error)
                    return
                # no document: lines, the first of which is broken
        every = itertools.chain(held[1:], every)
    yield record
    for position, line in enumerate(filter(_is_said, every), 2):
        yield _value(line, position)


def json_items(text: str, name: str) -> Iterator[str]:
    """Yield the items of a list that an object has under a name, each as it stands.

    :param text: of the object, which is known to be JSON.
    """
    at = _space(text, text.index("{") + 1)
    while True:
        found, at = _LENIENT.raw_decode(text, at)
        at = _space(text, _space(text, at) + 1)  # behind the colon
        if found == name:
            break
        at = _space(text, _LENIENT.raw_decode(text, at)[1])
        at = _space(text, at + 1)  # behind the comma
    yield from json_elements(text[at:])


def json_elements(text: str) -> Iterator[str]:
    """Yield the items of a list, each as it stands.

    :param text: begins with the list, and is known to be JSON.
    """
    at = _space(text, text.index("[") + 1)
    while text[at] != "]":
        end = _LENIENT.raw_decode(text, at)[1]
        yield text[at:end]
        at = _space(text, end)
        at = _space(text, at + (text[at] == ","))


def _is_said(line: source.Line) -> bool:
    return line.error is not None or bool(line.data.strip())


def _value(line: source.Line, position: int) -> Value:
    if line.error is not None:
        return Value(line.number, position, error=line.error)
    try:
        text = source.decoded(line.data, line=line.number).strip()
        found = parse_json(text, line=line.number)
        return Value(line.number, position, found, text=text)
    except UnreadableInput as error:
        return Value(line.number, position, error=error)


def _items(text: str) -> Iterator[Value]:
    """Yield the items of a text that is one JSON array.

    An item that is JSON but breaks one of our rules is an error of its own. Where the
    syntax is broken, nothing after it can be read: that error is the last.
    """
    at = _space(text, text.index("[") + 1)
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
            told = UnreadableInput(f"item {position} cannot be read: {error}")
            yield Value(line, position, error=told)
            return
        try:
            item = _encoded(text, at, end, line)
            yield Value(line, position, parse_json(item, line=line), text=item)
        except UnreadableInput as error:
            yield Value(line, position, error=error)
        after = _space(text, end)
        if text[after : after + 1] != ",":
            line += text.count("\n", at, after)
            if text[after : after + 1] == "]":
                yield from _trailing(text, after + 1, line, position + 1)
            else:
                told = UnreadableInput(
                    "the list is not closed: a comma or ] is missing", line=line
                )
                yield Value(line, position + 1, error=told)
            return
        following = _space(text, after + 1)
        line += text.count("\n", at, following)
        at = following


def _encoded(text: str, start: int, end: int, line: int) -> str:
    """Return the item from ``start`` to ``end``, if it was UTF-8."""
    item = text[start:end]
    if odd := _NO_UTF8.search(item):
        at = len(text[: start + odd.start()].encode("utf-8", "surrogateescape"))
        raise UnreadableInput(
            f"byte {at} (0x{ord(odd[0]) - 0xDC00:02x}) is no UTF-8; save the file as"
            " UTF-8, or as UTF-16 with a byte order mark",
            line=line,
            code="invalid_encoding",
        )
    return item


def _trailing(text: str, at: int, line: int, position: int) -> Iterator[Value]:
    if text[at:].strip():
        told = UnreadableInput(
            "there is text after the end of the list; remove it", line=line
        )
        yield Value(line, position, error=told)


def _space(text: str, at: int) -> int:
    """Return the first place from ``at`` that holds no JSON white space."""
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _is_one(data: bytes) -> bool:
    """Return whether an input is one JSON value, whatever is wrong within it."""
    try:
        _LENIENT.decode(data.decode("utf-8", "replace").strip())
    except (RecursionError, ValueError):
        return False
    return True


def _breaks_off(line: bytes) -> bool:
    """Return whether a line is the beginning of JSON that goes on after its end."""
    text = line.decode("utf-8", "replace").strip()
    try:
        _LENIENT.decode(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text)
    except (RecursionError, ValueError):
        return False
    return False


def _first_of(stream: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first piece that is not blank, and all of the stream."""
    passed: list[bytes] = []
    try:
        for piece in stream:
            passed.append(piece)
            if piece.strip():
                return piece, itertools.chain(passed, stream)
    except UnreadableInput as error:
        return b"", itertools.chain(passed, _raising(error))
    return b"", iter(passed)


def _raising(error: UnreadableInput) -> Iterator[bytes]:
    raise error
    yield b""


def _not_json(error: json.JSONDecodeError, line: int | None) -> UnreadableInput:
    return UnreadableInput(
        f"no JSON: {error.msg[0].lower()}{error.msg[1:]} (column {error.colno:,})",
        line=error.lineno if line is None else line,
        column=error.colno,
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise UnreadableInput(f"the key {name[:50]!r} occurs twice; keep one")
            seen.add(name)
    return found


def _constant(text: str) -> Any:
    raise UnreadableInput(f"{text} is no JSON number")


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
# Only to find where a value ends: what it holds costs that value alone.
_LENIENT = json.JSONDecoder(parse_int=float, strict=False)
