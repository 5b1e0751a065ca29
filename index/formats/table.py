"""The table of formats: names, media types, extensions, readers, writers.

A reader takes bytes or a binary stream and yields a :class:`Read` for each record. A
record that is not an article yields its error in its place and never stops the rest.
CONTRIBUTING.md says how to add a format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, cast

from index.article import Article
from index.errors import UnknownFormat
from index.formats import field_names, jsonl, ninjs, text
from index.formats.options import DEFAULTS, ReadOptions
from index.formats.record import Read
from index.parsing import Recoded, checked_encoding


class Reader(Protocol):
    """Reader of a format: a pure generator, without network, clock or settings.

    ::

        (record,) = text.read(b"Ferry back\\n\\nIt sails at six.")
        record.article.headline  # "Ferry back"
    """

    def __call__(
        self, data: bytes | BinaryIO, *, name: str = "", options: ReadOptions = DEFAULTS
    ) -> Iterator[Read]:
        """Yield the records of an input, in order; raise nothing for what it holds.

        :param data: gzip included; :mod:`index.parsing` unzips, decodes and limits it.
            A stream has ``read`` only, and is not closed.
        :param name: of the file, relative to its folder; blank if unknown.
        """


class ParsedReader(Protocol):
    """Reader of a parsed JSON value: it yields what ``Reader`` yields for its text."""

    def __call__(
        self, value: Any, text: Callable[[], str], options: ReadOptions = DEFAULTS
    ) -> Iterator[Read]:
        """Yield the records of a value.

        :param text: returns the value as it stands in the input; called only where the
            original is kept.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format: how it is recognised, read and written.

    :param media_types: its names in a ``Content-Type``; we send the first.
    :param extensions: with the dot; ``.gz`` after them is ignored.
    :param marks: properties that only this format's JSON has, in lower case.
    :param wrappers: properties under which a JSON object lists records, in lower case.
    :param about: one line for ``nutgraf formats``.
    :param read_parsed: only of formats that are JSON.
    :param write: one article as bytes that ``read`` reads back.
    """

    name: str
    media_types: tuple[str, ...]
    extensions: tuple[str, ...]
    about: str
    read: Reader
    marks: frozenset[str] = frozenset()
    wrappers: tuple[str, ...] = ()
    read_parsed: ParsedReader | None = None
    write: Callable[[Article], bytes] | None = None


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format(
            name="text",
            media_types=("text/plain",),
            extensions=(".txt", ".text"),
            about="plain text: a headline, then paragraphs; optional front matter",
            read=text.read,
        ),
        Format(
            name="jsonl",
            media_types=(
                "application/x-ndjson",
                "application/jsonl",
                "application/json",
            ),
            extensions=(".jsonl", ".ndjson", ".json"),
            about="JSON, an article a line, under our field names or common others",
            read=jsonl.read,
            read_parsed=jsonl.read_parsed,
            write=jsonl.write,
        ),
        Format(
            name="ninjs",
            media_types=("application/ninjs+json",),
            extensions=(".ninjs",),
            about="IPTC ninjs 1.x, 2.x, 3.x and Superdesk's flavour of it",
            marks=ninjs.MARKS,
            wrappers=ninjs.WRAPPERS,
            read=ninjs.read,
            read_parsed=ninjs.read_parsed,
            write=ninjs.write,
        ),
    )
}


def read(
    name_of_format: str,
    data: bytes | BinaryIO,
    *,
    name: str = "",
    options: ReadOptions = DEFAULTS,
    encoding: str | None = None,
) -> Iterator[Read]:
    """Yield the records of an input, in order; gzip is unzipped.

    ::

        for record in read("ninjs", Path("wire.json").read_bytes()):
            print(record.article or record.error)

    :param data: a stream is read in pieces where the format allows it, and not closed.
    :param name: of the file, relative to the folder that was loaded.
    :param encoding: the declared charset, UTF-8 by default; a byte order mark overrides
        it.
    :raises UnknownFormat: there is no such format.
    :raises UnknownField: the mapping reads a name as an unknown field.
    :raises UnreadableInput: the charset is unknown.
    """
    if name_of_format not in FORMATS:
        raise UnknownFormat(name_of_format, allowed=tuple(FORMATS))
    field_names.check_mapping(options.mapping)
    charset = None if encoding is None else checked_encoding(encoding)
    if charset is not None:
        # Readers need only the method read() of a stream.
        data = cast("BinaryIO", Recoded(data, charset))
    return FORMATS[name_of_format].read(data, name=name, options=options)


def write(name_of_format: str, article: Article) -> bytes:
    """An article as the bytes of a format that can be written.

    :raises UnknownFormat: there is no such format, or it is only read.
    """
    writers = {each.name: each.write for each in FORMATS.values() if each.write}
    if name_of_format not in writers:
        raise UnknownFormat(name_of_format, allowed=tuple(writers))
    return writers[name_of_format](article)


def read_parsed(
    name_of_format: str,
    value: Any,
    text: Callable[[], str],
    options: ReadOptions = DEFAULTS,
) -> Iterator[Read]:
    """Yield the records of a JSON value, as :func:`read` would those of its text.

    :param name_of_format: of a format that is JSON.
    :param text: returns the value as it stands in the input, for originals.
    """
    reader = FORMATS[name_of_format].read_parsed
    assert reader is not None, "the format is JSON"
    return reader(value, text, options)
