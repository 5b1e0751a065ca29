"""The characters of an XML file: by its byte order mark, by the caller, as declared.

Standard: https://www.w3.org/TR/xml/#sec-guessing
"""

from __future__ import annotations

import codecs
import itertools
import re
from collections.abc import Iterator
from typing import BinaryIO

from index.errors import UnreadableInput
from index.parsing.source import checked_encoding, recoded, unzipped

_HEAD = 1024  # bytes that a declaration ends in
_DECLARED = re.compile(
    rb"\s*<\?xml\s[^>]{0,300}?\sencoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,50})[\"']"
)
# Files without a byte order mark, by where their first bytes are zero.
_WIDE = (
    (re.compile(rb"[^\0]\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0[^\0]"), "utf-32-be"),
    (re.compile(rb"[^\0]\0[^\0]\0"), "utf-16-le"),
    (re.compile(rb"\0[^\0]\0[^\0]"), "utf-16-be"),
)
_NOT_ASCII = bytes(range(0x80, 0x100))


class XmlText:
    """The text of an XML file, in pieces, and the bytes that it was read from.

    :param keeping: whether the bytes are kept; may be set to ``False`` at any time.
    """

    def __init__(self, data: bytes | BinaryIO) -> None:
        self.keeping = True
        self._data = data
        self._sent = bytearray()
        self._utf8: _Utf8Check | None = None
        self._declared = ""

    def pieces(self) -> Iterator[str]:
        """Yield the text.

        :raises UnreadableInput: the charset is unknown, or the bytes are not in it.
        """
        pieces, encoding = unzipped(self._data)
        pieces = self._kept(pieces)
        if encoding is None:
            head = b""
            for piece in pieces:
                head += piece
                if len(head) >= _HEAD:
                    break
            pieces = itertools.chain([head], pieces)
            encoding = self._encoding_of(head)
        yield from _decoded(recoded(self._checked(pieces), encoding))

    def sent(self) -> bytes:
        """The bytes so far, unzipped, if they were kept from the start."""
        return bytes(self._sent)

    def check(self) -> None:
        """Check that the declared charset is not UTF-8 under another name.

        :raises UnreadableInput: the bytes so far are UTF-8, with letters that are none
            in a charset of one byte each.
        """
        if self._utf8 is not None and self._utf8.found():
            raise UnreadableInput(
                f"the file declares {self._declared} but is UTF-8; correct its"
                " declaration, or load it with --encoding utf-8",
                line=1,
                code="invalid_encoding",
            )

    def _encoding_of(self, head: bytes) -> str | None:
        for zeros, wide in _WIDE:
            if zeros.match(head):
                return wide
        match = _DECLARED.match(head)
        if match is None:
            return None  # UTF-8, or what a byte order mark says
        self._declared = match[1].decode()
        encoding = checked_encoding(self._declared)
        if encoding is None or re.match(r"(utf|ucs|iso-10646-ucs)[-_]?\d", encoding):
            return None  # UTF-16 has no letters that can be read as these were
        if len(_NOT_ASCII.decode(encoding, "replace")) == len(_NOT_ASCII):
            self._utf8 = _Utf8Check()
        return encoding

    def _kept(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if self.keeping:
                self._sent += piece
            elif self._sent:
                self._sent.clear()
            yield piece

    def _checked(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if self._utf8 is not None:
                self._utf8.feed(piece)
            yield piece


class _Utf8Check:
    """Whether bytes are UTF-8 with other letters than ASCII's."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._valid, self._ascii = True, True

    def feed(self, piece: bytes) -> None:
        if not self._valid or (self._ascii and piece.isascii()):
            return
        self._ascii = False
        try:
            self._decoder.decode(piece)
        except UnicodeDecodeError:
            self._valid = False

    def found(self) -> bool:
        return self._valid and not self._ascii


def _decoded(pieces: Iterator[bytes]) -> Iterator[str]:
    """Yield the text of UTF-8.

    :raises UnreadableInput: a byte is not UTF-8; with its place.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, done = 1, 0
    for piece in pieces:
        pending, _ = decoder.getstate()
        try:
            text = decoder.decode(piece)
        except UnicodeDecodeError as error:
            at = done - len(pending) + error.start
            line += (pending + piece).count(b"\n", 0, error.start)
            raise UnreadableInput(
                f"byte {at} (0x{(pending + piece)[error.start]:02x}) is not in the"
                " charset that the file declares (UTF-8 by default); correct its"
                " declaration, or name its charset (--encoding, charset= in"
                " Content-Type)",
                line=line,
                code="invalid_encoding",
            ) from error
        line += text.count("\n")
        done += len(piece)
        yield text
    if decoder.getstate()[0]:
        raise UnreadableInput(
            f"the file is cut off within a character, at byte {done}",
            line=line,
            code="invalid_encoding",
        )
