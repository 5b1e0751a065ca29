"""The formats we read: one module each, and the table of them.

A reader takes bytes or a binary stream and yields a :class:`Read` for each record. A
record that is no article is an error in its place and never stops the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, BinaryIO, Protocol, cast

from index.article import Article
from index.errors import UnknownFormat
from index.formats import field_names, jsonl, ninjs, text
from index.formats.record import Read
from index.parsing import Recoded, checked_encoding


class Reader(Protocol):
    """What reads a format: a pure generator, without network, clock or settings."""

    def __call__(
        self, data: bytes | BinaryIO, *, name: str, mapping: Mapping[str, str]
    ) -> Iterator[Read]:
        """Yield the records of an input, in order."""


class ParsedReader(Protocol):
    """What reads a JSON value that is parsed already, as its text would be read."""

    def __call__(self, value: Any, text: Callable[[], str]) -> Iterator[Read]:
        """Yield the articles of a value; ``text`` gives it as it stands in the input.

        It is asked for only where an original is kept.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format and how it is read and written.

    :param media_types: what a ``Content-Type`` calls it; the first is what we say.
    :param extensions: with the dot; of ``.gz`` files that before it counts.
    """

    name: str
    media_types: tuple[str, ...]
    extensions: tuple[str, ...]
    about: str
    read: Reader
    read_parsed: ParsedReader | None = None  # of formats that are JSON
    write: Callable[[Article], bytes] | None = None


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format(
            name="text",
            media_types=("text/plain",),
            extensions=(".txt", ".text"),
            about="plain text: a headline, then paragraphs; front matter if you like",
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
            read=ninjs.read,
            read_parsed=ninjs.read_parsed,
            write=ninjs.write,
        ),
    )
}

_NO_MAPPING: Mapping[str, str] = MappingProxyType({})


def read(
    name_of_format: str,
    data: bytes | BinaryIO,
    *,
    name: str = "",
    mapping: Mapping[str, str] = _NO_MAPPING,
    encoding: str | None = None,
) -> Iterator[Read]:
    """Yield the records of an input, in order; gzip is looked through.

    :param data: a stream is read bit by bit where the format allows it, and not closed.
    :param name: the file's, relative to the folder that was asked for.
    :param mapping: names of the input to fields of ours, before all else.
    :param encoding: the charset it was declared to be in; a byte order mark overrides
        it. By default UTF-8.
    :raises UnknownFormat: there is no such format.
    :raises UnknownField: the mapping names a field that is none.
    :raises UnreadableInput: the encoding is none that is known.
    """
    if name_of_format not in FORMATS:
        raise UnknownFormat(name_of_format, allowed=tuple(FORMATS))
    field_names.check_mapping(mapping)
    known = None if encoding is None else checked_encoding(encoding)
    if known is not None:
        # All that readers need of a stream is read().
        data = cast("BinaryIO", Recoded(data, known))
    return FORMATS[name_of_format].read(data, name=name, mapping=mapping)


def write(name_of_format: str, article: Article) -> bytes:
    """An article in a format that can be written.

    :raises UnknownFormat: there is no such format, or it is only read.
    """
    written = {each.name: each.write for each in FORMATS.values() if each.write}
    if name_of_format not in written:
        raise UnknownFormat(name_of_format, allowed=tuple(written))
    return written[name_of_format](article)


def read_parsed(
    name_of_format: str, value: Any, text: Callable[[], str]
) -> Iterator[Read]:
    """Yield the articles of a JSON value, as :func:`read` would those of its text.

    :param name_of_format: of a format that is JSON.
    :param text: gives the value as it stands in the input, for originals.
    """
    reader = FORMATS[name_of_format].read_parsed
    assert reader is not None, "the format is JSON"
    return reader(value, text)
