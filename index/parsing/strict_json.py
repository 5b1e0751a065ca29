"""JSON as RFC 8259 defines it, with rules that keep it storable."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from index.errors import LimitExceeded, UnreadableInput

# Most JSON writers cannot write integers beyond 64 bits.
_DIGITS = 20
# Values that are parsed together: an empty list takes twenty times the memory of its
# text. Documents of many records may have one for each 16 bytes.
MAX_VALUES = 2_000_000
_BYTES_PER_VALUE = 16
_SPACE = re.compile(r"[ \t\r\n]*")

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


def parse_json(text: str, *, line: int | None = None) -> Any:
    """Value of a JSON text.

    :raises LimitExceeded: it has more than 2 million values; it is then not parsed.
    :raises UnreadableInput: it is not JSON, has a key twice, holds a number that is not
        finite or has more than 64 bits, or is nested too deep.
    """
    check_values(text)
    try:
        return STRICT.decode(text)
    except (ValueError, RecursionError, UnreadableInput) as error:
        raise unreadable(error, line) from error


def check_values(text: str, start: int = 0) -> None:
    """Check the number of values in a JSON text before it takes memory for them.

    Commas and brackets are counted, those in strings too.

    :param start: of the text to check.
    :raises LimitExceeded: there are too many.
    """
    size = len(text) - start
    limit = max(MAX_VALUES, size // _BYTES_PER_VALUE)
    if size > limit and sum(text.count(sign, start) for sign in ",[{") > limit:
        raise LimitExceeded(
            "JSON",
            limit=limit,
            got=None,
            detail=f"more than {limit:,} commas and brackets in one value; send its"
            " records in several",
        )


def unreadable(error: Exception, line: int | None) -> UnreadableInput:
    """Error for what a decoder raised.

    :param line: on which the value starts; by default the line that the decoder named.
    """
    if isinstance(error, json.JSONDecodeError):
        return UnreadableInput(
            f"not JSON: {error.msg[0].lower()}{error.msg[1:]} (column {error.colno:,})",
            line=error.lineno if line is None else line,
            column=error.colno,
        )
    if isinstance(error, RecursionError):
        return UnreadableInput("nested too deep", line=line)
    return UnreadableInput(str(error), line=line)


def space_end(text: str, at: int) -> int:
    """Index of the first character from ``at`` that is not JSON white space."""
    space = _SPACE.match(text, at)
    assert space is not None, "the pattern matches nothing too"
    return space.end()


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


STRICT = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_constant=_constant,
    parse_float=_float,
    parse_int=_int,
)
# Only to find the end of a value, also of one that breaks our rules.
LENIENT = json.JSONDecoder(parse_int=float, strict=False)
