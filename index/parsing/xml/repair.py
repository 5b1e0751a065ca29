"""Records of XML that is not well-formed: each read on its own, or mended.

Only what has one meaning is mended: an ampersand that begins no reference, a prefix
that nothing declares, a control character, and HTML in an element that is known to hold
a text. A record that is not whole, or is broken otherwise, stays an error.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import BinaryIO

from index.errors import InputError, UnreadableInput
from index.parsing.xml.decoding import XmlText
from index.parsing.xml.records import XmlRecord, xml_records

MAX_REPAIRED = 16 * 1024 * 1024  # bytes of a file that is repaired
MAX_RECORDS = 10_000  # that are read on their own
MAX_NAMES = 20  # of elements with a text; each is looked for on its own
_LONGEST_TAG = 4_000  # characters of a start tag
_PREFIX = re.compile(r"(?:</?|\s)([A-Za-z_][\w.-]{0,60}):(?=[A-Za-z_])")
_AMPERSAND = re.compile(
    r"&(?!(?:[A-Za-z][A-Za-z0-9]{0,31}|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_DECLARED = re.compile(r"xmlns:([\w.-]+)\s*=")
# Places in a record that an error names.
_PLACES = re.compile(r"\Aline \d+, column \d+: |(?<=\S) line \d+(?= and )")
# The end tag of a root, and the comments that may follow it.
_END = re.compile(r"</[\w.:-]+\s*>(?:\s|<!--(?:(?!-->).)*-->)*", re.DOTALL)
_SKIPPED = {"<!--": "-->", "<![CDATA[": "]]>"}
_TAG = re.compile(
    r"<!--|<!\[CDATA\[|<(/?)((?:[A-Za-z_][\w.-]{0,60}:)?([A-Za-z_][\w.-]{0,60}))(?=[\s/>])"
)


@dataclass(frozen=True, slots=True)
class RepairedRecord:
    """A record of a file that is not well-formed.

    :param record: ``None`` if it could not be read.
    :param error: what is wrong with it, or was before it was mended.
    """

    record: XmlRecord | None
    line: int
    error: InputError | None


class KeptInput:
    """An input that is read once, and kept for a repair if it is not too long."""

    def __init__(self, data: bytes | BinaryIO) -> None:
        self._data = data
        self._kept: bytearray | None = bytearray()
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """Read the next bytes."""
        if isinstance(self._data, bytes):
            end = len(self._data) if size < 0 else self._at + size
            piece = self._data[self._at : end]
            self._at += len(piece)
        else:
            piece = self._data.read(size)
        if self._kept is not None:
            self._kept += piece
            if len(self._kept) > MAX_REPAIRED:
                self._kept = None
        return piece

    def text(self) -> str | None:
        """The whole text; ``None`` if it is too long."""
        while self._kept is not None and self.read(64 * 1024):
            pass
        if self._kept is None:
            return None
        pieces: list[str] = []
        size = 0
        for piece in XmlText(bytes(self._kept)).pieces():
            pieces.append(piece)
            size += len(piece)
            if size > MAX_REPAIRED:
                return None  # it was packed
        return "".join(pieces)


class BrokenFile:
    """A file that is not well-formed: its root, what is around its records, and they.

    :param names: local names of its records, in small letters.
    :param texts: local names of elements that hold a text and nothing else.
    """

    def __init__(
        self, text: str, names: Collection[str], texts: Collection[str]
    ) -> None:
        self._names, self._texts = frozenset(names), frozenset(texts)
        self._text = text
        self._spans = list(_spans(text, self._names))
        self._root, self._root_name, after = _root_of(text)
        first = self._spans[0][0] if self._spans else len(text)
        self._head = text[after:first] if after <= first else ""
        self._declared = frozenset(_DECLARED.findall(self._root))
        last = text.rfind(f"</{self._root_name}")
        self.is_closed = last >= 0 and _END.fullmatch(text, last) is not None

    def __len__(self) -> int:
        return len(self._spans)

    def ending(self, start: int) -> UnreadableInput | None:
        """What is wrong with the end of the file; ``None`` if it is complete.

        :param start: number of the first record that is read on its own.
        """
        if len(self) - start > MAX_RECORDS:
            line = self._text.count("\n", 0, self._spans[start + MAX_RECORDS][0]) + 1
            return UnreadableInput(
                f"this is not well-formed XML; after {MAX_RECORDS:,} records that were"
                f" read on their own, the rest is not read (line {line})",
                line=line,
            )
        if self.is_closed and self._spans:
            return None
        line = self._text.count("\n") + 1
        return UnreadableInput(
            f"the file is cut off: it does not end in </{self._root_name}>"
            f" (line {line})",
            line=line,
        )

    def head(self) -> XmlRecord | None:
        """A record without content behind what stands before the first one."""
        name = min(self._names)
        opened = _open_elements(self._head)
        closing = "".join(f"</{each}>" for each in reversed(opened))
        for head in (self._head, self._mended(self._head)):
            with suppress(InputError):
                if record := self._parsed(f"{head}<{name}/>{closing}"):
                    return record
        return None

    def records(self, start: int) -> Iterator[RepairedRecord]:
        """Yield the records from a number on, each with what is wrong with it."""
        line = 1
        counted = 0
        for begin, end, is_whole in self._spans[start : start + MAX_RECORDS]:
            line += self._text.count("\n", counted, begin)
            counted = begin
            if is_whole:
                yield self._record(self._text[begin:end], line)
            else:
                if end == len(self._text) and not self.is_closed:
                    return
                error = UnreadableInput(
                    f"this record does not end before the next begins (line {line})",
                    line=line,
                )
                yield RepairedRecord(None, line, error)

    def _record(self, text: str, line: int) -> RepairedRecord:
        failure: InputError | None = None
        for attempt in (text, self._mended(text)):
            try:
                record = self._parsed(attempt)
            except UnreadableInput as error:
                failure = failure or _placed(error, line)
            except InputError as error:
                return RepairedRecord(None, line, error)
            else:
                assert record is not None, "its tags were found"
                sent = replace(record, line=line, raw=text.encode("utf-8", "replace"))
                return RepairedRecord(sent, line, failure)
        return RepairedRecord(None, line, failure)

    def _parsed(self, text: str) -> XmlRecord | None:
        """The record in a text, as if it were in the file's root.

        What comes behind it is not looked at.
        """
        missing = set(_PREFIX.findall(text)) - self._declared - {"xml", "xmlns"}
        prefixes = "".join(
            f' xmlns:{prefix}="urn:undeclared:{prefix}"' for prefix in sorted(missing)
        )
        inner = f"<repaired{prefixes}>{text}</repaired>"
        whole = f"{self._root}{inner}</{self._root_name}>".encode("utf-8", "replace")
        return next(xml_records(whole, self._names.__contains__), None)

    def _mended(self, text: str) -> str:
        """A text whose ampersands, control characters and inline HTML are escaped."""
        pieces: list[str] = []
        at = 0
        for begin, end, kind in _parts(text, self._texts):
            pieces.append(_AMPERSAND.sub("&amp;", text[at:begin]))
            content = text[begin:end]
            if kind == "text":
                content = f"<![CDATA[{content.replace(']]>', ']]&gt;')}]]>"
            pieces.append(content)
            at = end
        pieces.append(_AMPERSAND.sub("&amp;", text[at:]))
        return _CONTROL.sub(" ", "".join(pieces))


def _placed(error: UnreadableInput, line: int) -> UnreadableInput:
    """An error in a record, with its line in the file."""
    reason = _PLACES.sub("", str(error).partition(" (line ")[0])
    place = line + (error.line or 1) - 1
    return UnreadableInput(f"{reason} (line {place})", line=place)


def _root_of(text: str) -> tuple[str, str, int]:
    """Start tag of the root, its name, and where it ends."""
    for tag in _tags(text):
        end = text.find(">", tag.end())
        if tag[1] or not 0 <= end - tag.start() <= _LONGEST_TAG:
            break
        return text[tag.start() : end + 1], tag[2], end + 1
    return "<root>", "root", 0


def _tags(text: str) -> Iterator[re.Match[str]]:
    """Yield the tags of a text that are in no comment and no CDATA section."""
    at = 0
    ends: dict[str, int] = {}
    while tag := _TAG.search(text, at):
        at = tag.end()
        end_mark = _SKIPPED.get(tag[0])
        if end_mark is None:
            yield tag
        elif (end := _next(text, end_mark, at, ends)) < len(text):
            at = end + len(end_mark)


def _spans(text: str, names: frozenset[str]) -> Iterator[tuple[int, int, bool]]:
    """Yield where records begin and end, and whether they do end."""
    begun: int | None = None
    for tag in _tags(text):
        if tag[3].lower() not in names:
            continue
        end = text.find(">", tag.end(), tag.end() + _LONGEST_TAG) + 1
        if tag[1]:
            if begun is not None and end:
                yield begun, end, True
                begun = None
            continue
        if begun is not None:
            yield begun, tag.start(), False
        begun = tag.start()
        if end and text[end - 2] == "/":
            yield begun, end, True
            begun = None
    if begun is not None:
        yield begun, len(text), False


def _open_elements(head: str) -> list[str]:
    """Names of the elements that are open at the end of a text."""
    opened: list[str] = []
    for tag in _tags(head):
        end = head.find(">", tag.end(), tag.end() + _LONGEST_TAG)
        if tag[1]:
            if tag[2] in opened[-20:]:
                while opened.pop() != tag[2]:
                    pass
        elif end >= 0 and head[end - 1] != "/":
            opened.append(tag[2])
    return opened


def _parts(text: str, names: frozenset[str]) -> Iterator[tuple[int, int, str]]:
    """Yield the texts that hold tags, and the CDATA sections outside them.

    :param names: local names of elements that hold a text.
    """
    at = 0
    ends: dict[str, int] = {}  # by mark, where the next one is that was looked for
    while tag := _TAG.search(text, at):
        at = tag.end()
        end_mark = _SKIPPED.get(tag[0])
        if end_mark is not None:
            end = _next(text, end_mark, at, ends)
            if end < len(text):
                at = end + len(end_mark)
                yield tag.start(), at, "section"
        elif not tag[1] and tag[3].lower() in names:
            begin = text.find(">", at, at + _LONGEST_TAG) + 1
            if not begin or text[begin - 2] == "/":
                continue
            mark = f"</{tag[2]}"
            if mark not in ends and len(ends) >= MAX_NAMES:
                continue
            end = _next(text, mark, begin, ends)
            if end == len(text) or text.find("<", begin, end) < 0:
                continue
            section = text.find("<![CDATA[", begin, end)
            if section < 0:
                yield begin, end, "text"
            at = end if section < 0 else section


def _next(text: str, mark: str, at: int, ends: dict[str, int]) -> int:
    """Place of the next mark; the end of the text if there is none.

    Each part of the text is searched once for each mark.
    """
    if ends.get(mark, -1) < at:
        place = text.find(mark, at)
        ends[mark] = len(text) if place < 0 else place
    return ends[mark]
