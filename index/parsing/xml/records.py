"""The records of an XML file, one by one: the elements of given names, whole.

lxml parses, without DTD, network and entities of its own; what is read and what stays
in memory has limits, which hold while reading.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from lxml import etree

from index.errors import InputError, LimitExceeded, UnreadableInput
from index.parsing.source import MAX_DOCUMENT, MAX_WHOLE
from index.parsing.xml.decoding import XmlText
from index.parsing.xml.elements import XmlElement, local_name
from index.parsing.xml.preparation import prepared

MAX_DEPTH = 200  # open elements
MAX_ELEMENTS = 100_000  # of one record, and of everything around the records
MAX_ATTRIBUTES = 1_000  # of one element
_PIECE = 64 * 1024  # characters between two looks at the limits


@dataclass(frozen=True, slots=True)
class XmlRecord:
    """A record of an XML file.

    It may be used until the next one is asked for. The elements around it are there up
    to this place, but for the records before it.

    :param line: where it starts, from 1; ``None`` if the parser lost count.
    :param is_root: whether the file is this record.
    :param raw: as it was sent, of a record that was mended before it was parsed.
    """

    element: XmlElement
    line: int | None
    is_root: bool
    _text: XmlText
    raw: bytes | None = None

    def as_sent(self) -> bytes:
        """The bytes of the file if that is the record, else its element in UTF-8."""
        if self.raw is not None:
            return self.raw
        if self.is_root:
            return self._text.sent()
        return etree.tostring(self.element, encoding="utf-8", with_tail=False)


def xml_records(
    data: bytes | BinaryIO, is_record: Callable[[str], bool]
) -> Iterator[XmlRecord]:
    """Yield the outermost elements of an XML file whose names make them records.

    ::

        for record in xml_records(stream, {"item"}.__contains__):
            title = line_text(first(record.element, "title"))

    An error comes after the complete records before its place.

    :param is_record: whether an element of this local name, in small letters, is one.
    :raises UnreadableInput: it is not well-formed, or not in its charset, with line and
        column; the message names the element.
    :raises LimitExceeded: it is too long, too deep, or has too many elements.
    """
    text = XmlText(data)
    reading = _Reading(text, is_record)
    failure: InputError | None = None
    pieces = prepared(_cut(text.pieces()))
    while failure is None:
        try:
            piece = next(pieces, None)
        except InputError as error:
            failure = error
            break
        if piece is None:
            break
        failure = reading.feed(piece)
        yield from reading.records()
    failure = failure or reading.close()
    yield from reading.records()
    if failure is not None:
        raise failure


def _cut(texts: Iterator[str]) -> Iterator[str]:
    """Yield a text in pieces of one size, however short or long those are that come.

    What was there before an error comes before it.
    """
    waiting: list[str] = []
    size = 0
    failure: InputError | None = None
    while True:
        try:
            text = next(texts, None)
        except InputError as error:
            text, failure = None, error
        if text is not None:
            waiting.append(text)
            size += len(text)
        if text is None or size >= _PIECE:
            joined = "".join(waiting)
            whole = size if text is None else size - size % _PIECE
            for start in range(0, whole, _PIECE):
                yield joined[start : min(start + _PIECE, whole)]
            waiting = [joined[whole:]]
            size -= whole
        if failure is not None:
            raise failure
        if text is None:
            return


class _Reading:
    """The parser, and the place that it has come to."""

    def __init__(self, text: XmlText, is_record: Callable[[str], bool]) -> None:
        self._text, self._is_record = text, is_record
        self._parser = etree.XMLPullParser(
            events=("start", "end"),
            encoding="utf-8",
            resolve_entities=False,
            load_dtd=False,
            dtd_validation=False,
            no_network=True,
            huge_tree=False,
            recover=False,
            remove_comments=True,
            remove_pis=True,
        )
        self._open: list[str] = []
        self._record_depth: int | None = None
        self._around = self._inside = 0  # elements
        self._read = self._record_read = 0  # characters
        self._done: XmlElement | None = None  # the record before, still in the tree
        self._failure: InputError | None = None

    def feed(self, piece: str) -> InputError | None:
        """Parse a piece; the error that it ends in."""
        self._read += len(piece)
        if self._record_depth is not None:
            self._record_read += len(piece)
        if self._read > MAX_DOCUMENT:
            return LimitExceeded("bytes of an XML file", limit=MAX_DOCUMENT, got=None)
        if self._record_read > MAX_WHOLE:
            return LimitExceeded("bytes of an XML record", limit=MAX_WHOLE, got=None)
        try:
            self._parser.feed(piece.encode())
        except etree.XMLSyntaxError as error:
            self._failure = self._refusal(error)
        return self._failure

    def close(self) -> InputError | None:
        """End the input; the error if it is not complete."""
        try:
            self._parser.close()
        except etree.XMLSyntaxError as error:
            return self._refusal(error)
        return None

    def records(self) -> Iterator[XmlRecord]:
        """Yield the records that are complete now."""
        with contextlib.suppress(etree.XMLSyntaxError):  # feed() has returned it
            for event, element in self._parser.read_events():
                assert isinstance(element, XmlElement)
                if event == "start":
                    self._start(element)
                elif (record := self._end(element)) is not None:
                    self._text.check()
                    yield record
                    self._drop(element)

    def _start(self, element: XmlElement) -> None:
        name = local_name(element)
        self._open.append(name)
        if len(self._open) > MAX_DEPTH:
            raise LimitExceeded("levels of XML", limit=MAX_DEPTH, got=None)
        if len(element.attrib) > MAX_ATTRIBUTES:
            raise LimitExceeded(
                f"attributes of <{name}>",
                limit=MAX_ATTRIBUTES,
                got=len(element.attrib),
            )
        if self._record_depth is None and self._is_record(name):
            self._record_depth = len(self._open)
            self._inside = self._record_read = 0
            if len(self._open) > 1:
                self._text.keeping = False
        if self._record_depth is None:
            self._around += 1
        else:
            self._inside += 1
        if max(self._around, self._inside) > MAX_ELEMENTS:
            raise LimitExceeded("elements of XML", limit=MAX_ELEMENTS, got=None)

    def _end(self, element: XmlElement) -> XmlRecord | None:
        is_record = len(self._open) == self._record_depth
        is_root = len(self._open) == 1
        self._open.pop()
        if not is_record:
            return None
        self._record_depth = None
        return XmlRecord(element, _line_of(element), is_root, self._text)

    def _drop(self, element: XmlElement) -> None:
        """Free a record that was read.

        The last element stays in the tree until another follows it: the parser may
        write behind it.
        """
        element.clear(keep_tail=True)  # type: ignore[call-arg]  # newer than the stubs
        if self._done is not None and (parent := self._done.getparent()) is not None:
            parent.remove(self._done)
        self._done = element

    def _refusal(self, error: etree.XMLSyntaxError) -> UnreadableInput:
        line, column = error.position
        reason = (error.msg or "").partition(", line ")[0] or "it is empty"
        place = f" in <{self._open[-1]}>" if self._open else ""
        return UnreadableInput(
            f"this is not well-formed XML: {reason[:200]} (line {line}, column"
            f" {column}{place})",
            line=line or None,
            column=column or None,
        )


def _line_of(element: XmlElement) -> int | None:
    line = element.sourceline
    return line if isinstance(line, int) else None
