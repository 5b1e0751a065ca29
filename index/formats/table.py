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
from index.formats import (
    csv,
    feeds,
    html,
    jsonfeed,
    jsonl,
    jsonld,
    newsml1,
    newsmlg2,
    ninjs,
    nitf,
    text,
    wire,
)
from index.formats.mapping import check_mapping
from index.formats.options import DEFAULTS, ReadOptions
from index.formats.record import Read
from index.formats.records import RecordReader
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


class DocumentReader(Protocol):
    """Reader of a JSON document whose records share properties."""

    def __call__(
        self,
        value: Any,
        text: Callable[[], str],
        line: int,
        position: int | None,
        *,
        options: ReadOptions,
    ) -> Iterator[Read]:
        """Yield the records of a document; see :class:`ValueReader`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format: how it is recognised, read and written.

    :param media_types: its names in a ``Content-Type``; we send the first.
    :param extensions: with the dot; ``.gz`` after them is ignored.
    :param about: one line for ``nutgraf formats``.
    :param roots: only of formats that are XML: local names of their root elements, in
        small letters.
    :param read_record: only of formats that are JSON, record by record.
    :param holds: whether a JSON value is a document of this format; only of formats
        whose documents share properties among their records.
    :param write: one article as bytes that ``read`` reads back.
    """

    name: str
    media_types: tuple[str, ...]
    extensions: tuple[str, ...]
    about: str
    read: Reader
    roots: tuple[str, ...] = ()
    read_record: RecordReader | None = None
    holds: Callable[[object], bool] | None = None
    read_document: DocumentReader | None = None
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
            write=text.write,
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
            read_record=jsonl.read_record,
            write=jsonl.write,
        ),
        Format(
            name="ninjs",
            media_types=("application/ninjs+json",),
            extensions=(".ninjs",),
            about="IPTC ninjs 1.x, 2.x, 3.x and Superdesk's flavour of it",
            read=ninjs.read,
            read_record=ninjs.read_record,
            write=ninjs.write,
        ),
        Format(
            name="newsmlg2",
            media_types=(
                "application/vnd.iptc.g2.newsitem+xml",
                "application/vnd.iptc.g2.packageitem+xml",
                "application/vnd.iptc.g2.newsmessage+xml",
                "application/vnd.iptc.g2.conceptitem+xml",
                "application/vnd.iptc.g2.knowledgeitem+xml",
                "application/vnd.iptc.g2.planningitem+xml",
                "application/vnd.iptc.g2.catalogitem+xml",
            ),
            extensions=(".xml", ".newsmlg2"),
            about="IPTC NewsML-G2: news items and packages, alone or in a message",
            read=newsmlg2.read,
            write=newsmlg2.write,
            roots=(
                "newsitem",
                "packageitem",
                "newsmessage",
                "conceptitem",
                "knowledgeitem",
                "planningitem",
                "catalogitem",
            ),
        ),
        Format(
            name="nitf",
            media_types=("application/nitf+xml",),
            extensions=(".nitf",),
            about="IPTC NITF 2.x and 3.x: one document a file",
            read=nitf.read,
            write=nitf.write,
            roots=("nitf",),
        ),
        Format(
            name="newsml1",
            media_types=("application/vnd.iptc.newsml+xml",),
            extensions=(".newsml",),
            about="IPTC NewsML 1.0 to 1.2: the news items of a file",
            read=newsml1.read,
            roots=("newsml",),
        ),
        Format(
            name="rss",
            media_types=("application/rss+xml", "application/rdf+xml"),
            extensions=(".rss", ".rdf"),
            about="RSS 0.9x, 1.0 and 2.0: the items of a feed",
            read=feeds.read_rss,
            roots=feeds.RSS_ROOTS,
        ),
        Format(
            name="atom",
            media_types=("application/atom+xml",),
            extensions=(".atom",),
            about="Atom 0.3 and 1.0: the entries of a feed, and its tombstones",
            read=feeds.read_atom,
            roots=feeds.ATOM_ROOTS,
        ),
        Format(
            name="wxr",
            media_types=("application/x-wordpress-export+xml",),
            extensions=(".wxr",),
            about="WordPress export (WXR): posts and pages, with their status",
            read=feeds.read_wxr,
        ),
        Format(
            name="csv",
            media_types=("text/csv", "text/tab-separated-values"),
            extensions=(".csv", ".tsv", ".tab"),
            about="a table with a header, a row an article, under the names of jsonl",
            read=csv.read,
        ),
        Format(
            name="jsonfeed",
            media_types=("application/feed+json",),
            extensions=(".jsonfeed",),
            about="JSON Feed 1.0 and 1.1",
            read=jsonfeed.read,
            holds=jsonfeed.is_feed,
            read_document=jsonfeed.read_value,
        ),
        Format(
            name="jsonld",
            media_types=("application/ld+json",),
            extensions=(".jsonld",),
            about="JSON-LD by schema.org: NewsArticle and its like",
            read=jsonld.read,
            holds=jsonld.holds_article,
            read_document=jsonld.read_document,
            write=jsonld.write,
        ),
        Format(
            name="html",
            media_types=("text/html", "application/xhtml+xml"),
            extensions=(".html", ".htm", ".xhtml"),
            about="a web page: its schema.org data, its head, and its text",
            read=html.read,
            write=html.write,
        ),
        Format(
            name="wire",
            media_types=("application/x-wire-text",),
            extensions=(".tst", ".anpa", ".iptc"),
            about="agency wire text: ANPA 1312 and IPTC 7901",
            read=wire.read,
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
    check_mapping(options.mapping)
    data = decoded(data, encoding)
    return FORMATS[name_of_format].read(data, name=name, options=options)


def decoded(data: bytes | BinaryIO, encoding: str | None) -> bytes | BinaryIO:
    """An input with its declared charset recoded as UTF-8.

    :raises UnreadableInput: the charset is unknown.
    """
    if encoding is None:
        return data
    # UTF-8 needs no recoding, but comes before what an XML file declares.
    charset = checked_encoding(encoding) or "utf-8"
    # Readers need only the method read() of a stream.
    return cast("BinaryIO", Recoded(data, charset))


def write(name_of_format: str, article: Article) -> bytes:
    """An article as the bytes of a format that can be written.

    :raises UnknownFormat: there is no such format, or it is only read.
    """
    writers = {each.name: each.write for each in FORMATS.values() if each.write}
    if name_of_format not in writers:
        raise UnknownFormat(name_of_format, allowed=tuple(writers))
    return writers[name_of_format](article)


def record_reader(name_of_format: str) -> RecordReader:
    """Reader of the records of a format that is JSON."""
    reader = FORMATS[name_of_format].read_record
    assert reader is not None, "the format is JSON"
    return reader
