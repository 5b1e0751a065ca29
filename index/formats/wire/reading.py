"""Wire text: messages between control characters, by ANPA 1312 or IPTC 7901."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import compress
from typing import Any, BinaryIO

from index.article import Original, Role, Status
from index.dates import is_dated
from index.errors import InputError, UnreadableInput
from index.formats.completion import complete, identify
from index.formats.options import DEFAULTS, ReadOptions
from index.formats.record import Read, read_of, refusal_of
from index.formats.wire import anpa, iptc7901
from index.formats.wire.message import CutOff, Message, is_kill
from index.parsing import (
    agency_of,
    dateline_of,
    paragraphs,
    recoded,
    unzipped,
    whole_bytes,
    whole_text,
)

# Wires are older than UTF-8: what is not in it is read so.
_USUAL_CHARSET = "windows-1252"
_START = "\x01"
_FILLING = "\x00\x04\x0c\x16\x7f \r\n\ufeff"  # around messages


def read(
    data: bytes | BinaryIO, *, name: str = "", options: ReadOptions = DEFAULTS
) -> Iterator[Read]:
    r"""Yield the messages of an input, one article each.

    ::

        message = (
            b"\x01nwa0124 3 i 93  nwt 1888\n\nFerries/\n\x02Ferry back =\n\n"
            b"It sails at six.\n\x03212101 GMT Nov 18\n"
        )
        (record,) = read(message)
        record.article.headline, record.article.urgency  # "Ferry back", 3

    A message that kills a story is refused, as it names no id.
    """
    try:
        pieces, encoding = unzipped(data)
        text, warnings = _decoded(whole_bytes(pieces), encoding)
        if not text.strip(_FILLING):
            raise UnreadableInput("is empty")
    except InputError as error:
        yield refusal_of(error, None, line=getattr(error, "line", None))
        return
    for position, (line, message) in enumerate(_messages(text), 1):
        yield _read_message(message, options, line, position, list(warnings))


def is_wire(head: str) -> bool:
    """Whether the first characters of an input are the header of a message."""
    start = head.replace("\r\n", "\n").lstrip(_FILLING)
    header = start.removeprefix(_START)
    if iptc7901.HEADER.match(header):
        return True
    return start.startswith(_START) and anpa.HEADER.match(header) is not None


def _decoded(sent: bytes, encoding: str | None) -> tuple[str, tuple[str, ...]]:
    """The text of an input, and a warning if its charset is the usual one."""
    sent = sent.replace(b"\0", b"") if encoding is None else sent
    try:
        text, warnings = whole_text(recoded(iter([sent]), encoding)), []
    except UnreadableInput:
        if encoding is not None:
            raise
        text = whole_text(recoded(iter([sent]), _USUAL_CHARSET))
        warnings = [f"the text is not UTF-8; read as {_USUAL_CHARSET}"]
    return text.replace("\r\n", "\n").replace("\r", "\n"), tuple(warnings)


def _messages(text: str) -> Iterator[tuple[int, str]]:
    """Yield the messages of a text, each with its first line."""
    line, at = 1, 0
    start = _after_start(text, 0)
    if start is None:
        start = len(text) - len(text.lstrip(_FILLING))
    while start is not None:
        line += text.count("\n", at, start)
        at, start = start, _after_start(text, start)
        yield line, text[at:start].rstrip(_FILLING) + "\n"


def _after_start(text: str, at: int) -> int | None:
    """Where the next message begins, behind its SOH; ``None`` if there is no other."""
    place = text.find(_START, at)
    return None if place < 0 else place + len(_START)


def _read_message(
    text: str, options: ReadOptions, line: int, position: int, warnings: list[str]
) -> Read:
    try:
        document = _document(_taken_apart(text, line), text, line, warnings)
    except InputError as error:
        return refusal_of(error, None, line=line, position=position)
    made = document.pop("id")
    identify(document, document, lambda: json.dumps({"text": text}), options, usual=())
    document.setdefault("id", made)
    complete(document, options)
    return read_of(
        document,
        dates=options.dates,
        line=line,
        warnings=tuple(warnings),
        position=position,
        original=Original(format="wire", data=f"{_START}{text}".encode()),
    )


def _taken_apart(text: str, line: int) -> Message:
    """The parts of a message.

    :raises UnreadableInput: it has no header that we know, or no end.
    """
    try:
        if header := anpa.HEADER.match(text):
            return anpa.read_anpa(header, text)
        if header := iptc7901.HEADER.match(text):
            return iptc7901.read_iptc(header, text)
    except CutOff as error:
        raise UnreadableInput(
            "the message is cut off: it has no ETX, and does not end in a line with its"
            " time, such as 212101 GMT Nov 18",
            line=line,
        ) from error
    raise UnreadableInput(
        "the message does not begin with a header of ANPA 1312 or IPTC 7901", line=line
    )


def _document(
    message: Message, text: str, line: int, warnings: list[str]
) -> dict[str, Any]:
    """The article of a message, in our JSON form.

    :raises UnreadableInput: the message kills a story.
    """
    fields = message.fields
    texts = paragraphs("\n".join(message.lines))
    titles = [fields.get(name) or "" for name in ("headline", "slugline")]
    first = [words for words in texts[:1] if len(words) < 200]
    if message.kills or any(map(is_kill, [*titles, *first])):
        named = next(filter(None, reversed(titles)), "a story")
        raise UnreadableInput(
            f"this is a kill of {named[:80]!r}, and names no id; find the article, and"
            " kill it with nutgraf kill ID",
            line=line,
        )
    document = dict(fields)
    document["id"] = _id_of(message, text)
    document["paragraphs"] = [
        {"role": role.value, "text": words}
        for role, lines in (
            (Role.ABSTRACT, message.abstract),
            (Role.BODY, texts),
        )
        for words in lines
    ]
    dateline = dateline_of(texts[0]) if texts else None
    if dateline is not None and dateline.line:
        document["dateline"] = dateline.line
    if "source" in document:
        document["source"] = agency_of(document["source"])
    elif dateline is not None and dateline.source:
        document["source"] = dateline.source
    if message.notes:
        document["ed_note"] = "\n".join(message.notes)
    dated = [is_dated(until) for until in message.embargoes]
    for until in compress(message.embargoes, dated):
        document["embargoed_until"] = until
    if not all(dated):
        document["status"] = Status.WITHHELD.value
        warnings.append("it speaks of an embargo without a date; withheld")
    document["extra"] = message.extra
    return document


def _id_of(message: Message, text: str) -> str:
    """Id of a message: its number and day; numbers begin again every day or so."""
    day = message.fields.get("published", "")[:10]
    if not day:
        day = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"wire:{message.number}:{day}"
