"""The bytes of an input: unzipped, decoded, and cut into lines."""

from __future__ import annotations

import codecs
import io
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

import webencodings  # type: ignore[import-untyped]

from index.errors import LimitExceeded, UnreadableInput

MB = 1024 * 1024
MAX_WHOLE = 64 * MB  # bytes of an input that is read as a whole, unzipped
MAX_DOCUMENT = 512 * MB  # bytes of a JSON document with many records, unzipped
MAX_LINE = 8 * MB  # bytes of one line of an input that is read line by line
_CHUNK = 64 * 1024
_BLANK = b" \t\r\n\f\v"
_GZIP = b"\x1f\x8b"
# Python's text encodings that are not charsets of texts.
_NO_CHARSETS = frozenset(
    {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
)
# Read by Python: browsers take UTF-16 without a byte order mark as little-endian, and
# do not read UTF-32.
_BY_PYTHON = ("utf-16", "utf-32")
# Names of browsers that stand for no charset: a placeholder for unsafe ones, and bytes.
_NO_LABELS = frozenset({"replacement", "x-user-defined"})
# The longer marks first: UTF-32LE starts as UTF-16LE does.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
BYTE_ORDER_MARKS = tuple(mark for mark, _ in _MARKS)


class Line(NamedTuple):
    """One line without its line feed, or the error in its place; numbers start at 1."""

    number: int
    data: bytes
    error: UnreadableInput | LimitExceeded | None = None


def chunks(data: bytes | BinaryIO, *, encoding: str | None = None) -> Iterator[bytes]:
    """Yield the input in pieces, unzipped and recoded as UTF-8.

    UTF-8, UTF-16 and UTF-32 are known by their byte order mark, which is dropped.
    Without one the input is in ``encoding``; by default its bytes stay as they are.

    :raises UnreadableInput: the gzip data is damaged or cut off, or the input is not in
        its encoding; the pieces before that were yielded.
    """
    return recoded(_opened(data), encoding)


def unzipped(data: bytes | BinaryIO) -> tuple[Iterator[bytes], str | None]:
    """The input in pieces, unzipped, and its declared encoding.

    :func:`recoded` turns the two into what :func:`chunks` yields.
    """
    if isinstance(data, Recoded):
        return _opened(data.data), data.encoding
    return _opened(data), None


def recoded(pieces: Iterator[bytes], encoding: str | None) -> Iterator[bytes]:
    """Yield unzipped input as UTF-8; see :func:`chunks`."""
    head, pieces = _with_head(pieces, 4)
    for mark, encoding_of_mark in _MARKS:
        if head.startswith(mark):
            return _as_utf8(pieces, encoding_of_mark, mark)
    return pieces if encoding is None else _as_utf8(pieces, encoding, b"")


def _opened(data: bytes | BinaryIO) -> Iterator[bytes]:
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    pieces = iter(lambda: stream.read(_CHUNK), b"")
    head, pieces = _with_head(pieces, 2)
    return _unzipped(pieces) if head.startswith(_GZIP) else pieces


def pieces_of(data: bytes) -> Iterator[bytes]:
    """Yield bytes in pieces, as a stream would."""
    for start in range(0, len(data), _CHUNK):
        yield data[start : start + _CHUNK]


def checked_encoding(label: str) -> str | None:
    """Python's name of a charset; ``None`` for UTF-8, which needs no recoding.

    A label is read as browsers do, so ``iso-8859-1`` and ``ascii`` are windows-1252,
    and ``shift_jis`` includes the characters that Windows added to it. Labels that
    browsers do not know are Python's. Bytes that the charset lacks stay errors.

    Standard: https://encoding.spec.whatwg.org/#names-and-labels

    :raises UnreadableInput: the charset is unknown.
    """
    try:
        codec = _codec_of(label)
        known = codec not in _NO_CHARSETS
        if known:
            b"a".decode(codec)  # fails for codecs from bytes to bytes, such as hex
    except UnicodeError:
        pass  # one byte is half a character of UTF-16
    except (LookupError, ValueError):
        known = False
    if not known:
        raise UnreadableInput(
            f"the charset {label[:50]!r} is unknown; name another, or use UTF-8",
            code="invalid_encoding",
        )
    return None if codec in ("utf-8", "utf-8-sig") else codec


def _codec_of(label: str) -> str:
    """Python's codec for a label.

    :raises LookupError: there is none.
    """
    named_by_browsers = _browsers_codec(label)
    if named_by_browsers is not None:
        return named_by_browsers
    codec = codecs.lookup(label.strip()).name
    # Python has more spellings of a label, such as latin-1, for the same charset.
    return _browsers_codec(codec.replace("_", "-")) or codec


def _browsers_codec(label: str) -> str | None:
    """Python's codec for a label that browsers know."""
    encoding = webencodings.lookup(label)
    if (
        encoding is None
        or encoding.name in _NO_LABELS
        or encoding.name.startswith(_BY_PYTHON)
    ):
        return None
    return str(encoding.codec_info.name)


class Recoded:
    """A stream that unzips another and recodes it as UTF-8."""

    def __init__(self, data: bytes | BinaryIO, encoding: str) -> None:
        self.data, self.encoding = data, encoding
        self._pieces = self._decoded()
        self._buffer = b""

    def _decoded(self) -> Iterator[bytes]:
        # A generator: nothing is taken from the stream before the first read.
        yield from chunks(self.data, encoding=self.encoding)

    def read(self, size: int = -1) -> bytes:
        """Next bytes, at most ``size``; none at the end."""
        while not self._buffer and (piece := next(self._pieces, None)) is not None:
            self._buffer = piece
        size = len(self._buffer) if size < 0 else size
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data


def whole_text(
    pieces: Iterable[bytes], *, limit: int = MAX_WHOLE, article_bytes: int = MAX_WHOLE
) -> str:
    """All of an input as text.

    :param article_bytes: of the text without white space.
    :raises LimitExceeded: it is longer than ``limit`` bytes, or has more text than an
        article may have; the rest is then not read.
    :raises UnreadableInput: it is not UTF-8, or holds a NUL.
    """
    text = decoded(whole_bytes(_within(pieces, article_bytes), limit=limit))
    if "\0" in text:
        before = text[: text.index("\0")]
        raise UnreadableInput(
            f"byte {len(before.encode())} is a NUL: this is not text, or UTF-16 without"
            " a byte order mark; save the file as UTF-8",
            line=before.count("\n") + 1,
            code="invalid_encoding",
        )
    return text


def whole_bytes(pieces: Iterable[bytes], *, limit: int = MAX_WHOLE) -> bytes:
    """All bytes of an input.

    :raises LimitExceeded: it is longer than ``limit`` bytes.
    """
    data = bytearray()
    for piece in pieces:
        data += piece
        if len(data) > limit:
            raise LimitExceeded("bytes of an input read whole", limit=limit, got=None)
    return bytes(data)


def _within(pieces: Iterable[bytes], article_bytes: int) -> Iterator[bytes]:
    """Yield the pieces of one article, as long as its text is within a limit."""
    size = 0
    for piece in pieces:
        size += len(piece.translate(None, _BLANK))
        if size > article_bytes:
            raise LimitExceeded(
                "article", limit=article_bytes, got=None, code="article_too_large"
            )
        yield piece


def decoded(data: bytes, *, line: int | None = None) -> str:
    """Text of UTF-8 bytes.

    :raises UnreadableInput: they are not UTF-8; the error has the byte, from 0, and the
        line, counted from ``line``, by default 1.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        where = "" if line is None else " of the line"
        raise UnreadableInput(
            f"byte {error.start}{where} (0x{data[error.start]:02x}) is not UTF-8; save"
            " it as UTF-8, or name its charset (--encoding, charset= in Content-Type)",
            line=(line or 1) + data.count(b"\n", 0, error.start),
            code="invalid_encoding",
        ) from error


class Lines(Iterator[Line]):
    """The lines of an input, which may be longer than memory, in turn.

    Only a line feed ends a line. A line above ``longest`` bytes is an error, and the
    lines after it follow. If the input breaks off, an error is last; the unfinished
    line before it is left out. Long runs of blank lines are passed over.

    :param longest_first: bytes of a first line, by default ``longest``.
    :param number: of the first line.
    """

    def __init__(
        self,
        pieces: Iterable[bytes],
        *,
        longest: int = MAX_LINE,
        longest_first: int | None = None,
        number: int = 1,
    ) -> None:
        self._pieces = iter(pieces)
        self._parts, self._at = [b""], 1  # of the current piece; the next one's index
        self._lines = self._read(longest, longest_first or longest, number)

    def __next__(self) -> Line:
        return next(self._lines)

    def rest(self) -> Iterator[bytes]:
        """Yield what follows the last line that was taken, in pieces."""
        parts, self._parts = self._parts[self._at :], []
        if parts:
            yield b"\n".join(parts)
        yield from self._pieces

    def _read(self, longest: int, longest_now: int, number: int) -> Iterator[Line]:
        start, size = list[bytes](), 0
        try:
            for piece in self._pieces:
                if not start and piece.isspace():
                    number += piece.count(b"\n")
                    continue
                self._parts = parts = piece.split(b"\n")
                for self._at, part in enumerate(parts[:-1], 1):
                    yield _line(number, start, part, size + len(part), longest_now)
                    number, start, size = number + 1, [], 0
                    longest_now = longest
                self._parts = []
                size += len(parts[-1])
                if size <= longest_now:
                    start.append(parts[-1])
                else:
                    start = []
        except UnreadableInput as error:
            numbered = UnreadableInput(f"{error}", line=number, code=error.code)
            yield Line(number, b"", numbered)
            return
        if size:
            yield _line(number, start, b"", size, longest_now)


def _line(number: int, start: list[bytes], end: bytes, size: int, longest: int) -> Line:
    """Line of these parts, or the error if its size is above ``longest``."""
    if size > longest:
        too_long = LimitExceeded("bytes of a line", limit=longest, got=size)
        return Line(number, b"", too_long)
    return Line(number, b"".join((*start, end)) if start else end)


def _with_head(pieces: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """At least the first ``size`` bytes, if there are as many, and all the pieces."""
    head = b""
    try:
        for piece in pieces:
            head += piece
            if len(head) >= size:
                break
    except UnreadableInput as error:
        return head, _then_raise(head, error)
    return head, _chained(head, pieces)


def _then_raise(head: bytes, error: UnreadableInput) -> Iterator[bytes]:
    yield head
    raise error


def _chained(head: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from pieces


def _unzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the contents of gzip data, member after member (RFC 1952)."""
    done = 0  # bytes unzipped
    inflater = zlib.decompressobj(wbits=31)
    started = False  # whether a member has begun
    for piece in pieces:
        while piece:
            if inflater.eof:
                # Padding with zeros is common on tapes and block devices.
                piece = piece.lstrip(b"\0")
                if not piece:
                    break
                inflater, started = zlib.decompressobj(wbits=31), False
            try:
                # At most 1 MB at once, however well it was compressed.
                unzipped = inflater.decompress(piece, 16 * _CHUNK)
            except zlib.error as error:
                raise UnreadableInput(
                    f"the gzip data is damaged after {done:,} unzipped bytes: {error}"
                ) from error
            started = True
            done += len(unzipped)
            if unzipped:
                yield unzipped
            piece = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    if started and not inflater.eof:
        raise UnreadableInput(f"the gzip data is cut off after {done:,} unzipped bytes")


def _as_utf8(pieces: Iterator[bytes], encoding: str, mark: bytes) -> Iterator[bytes]:
    if encoding == "utf-8":
        yield next(pieces)[len(mark) :]
        yield from pieces
        return
    # An undecodable byte is passed on as it is. It is invalid in UTF-8 too, so its own
    # record is refused and no other.
    errors = "surrogateescape"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    done = 0  # bytes decoded
    try:
        for piece in pieces:
            yield decoder.decode(piece).encode("utf-8", errors)
            done += len(piece)
        yield decoder.decode(b"", final=True).encode("utf-8", errors)
    except UnicodeError as error:
        # Not all have a position: UTF-16 may lack its byte order mark, and UTF-7 can
        # spell half a surrogate pair, which no UTF-8 can.
        at = done + error.start if isinstance(error, UnicodeDecodeError) else done
        raise UnreadableInput(
            f"this is not {encoding.upper()} near byte {at}; use UTF-8",
            code="invalid_encoding",
        ) from error
