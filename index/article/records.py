"""The records of an article: formats produce them, and every other part uses them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, NamedTuple

from index.errors import InvalidArticle

MAX_ID = 400  # characters
# Paragraphs that formats read. The JSON of an article of 1 MB has room for fewer.
MAX_PARAGRAPHS = 20_000
# RFC 5646: a subtag of 2 to 8 letters, then subtags of 1 to 8 letters or digits.
LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z")


class Status(StrEnum):
    """Publication status of an article: the values of ``pubstatus`` in ninjs."""

    USABLE = "usable"
    WITHHELD = "withheld"
    CANCELED = "canceled"


class Role(StrEnum):
    """Role of a paragraph in its article."""

    HEADLINE = "headline"
    ABSTRACT = "abstract"
    BODY = "body"
    SUBHEAD = "subhead"
    QUOTE = "quote"
    CAPTION = "caption"
    LIST = "list"
    TABLE = "table"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """A subject, person, organisation, place or genre; from a vocabulary or not."""

    name: str
    code: str | None = None
    scheme: str | None = None
    uri: str | None = None

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InvalidArticle("concept", "a concept needs a name")
        for value in (self.name, self.code, self.scheme, self.uri):
            check_text("concept", value)


class Paragraph(NamedTuple):
    """One paragraph of an article.

    :param n: its number in the article; 0 is the headline.
    :param key: stays the same across versions while the text is unchanged; see
        :func:`number_paragraphs`.
    :param credit: of a caption: who made the picture.
    """

    n: int
    role: Role
    text: str
    key: str
    credit: str | None = None


CONCEPT_FIELDS = (
    "authors",
    "keywords",
    "subjects",
    "people",
    "organisations",
    "places",
    "genre",
)
TEXT_FIELDS = (
    "type",
    "headline",
    "slugline",
    "byline",
    "dateline",
    "section",
    "source",
    "language",
    "url",
    "evolved_from",
    "story",
    "correction",
    "ed_note",
    "usage_terms",
    "copyright",
)
# Terms of use: they accompany every excerpt of the text.
RIGHTS_FIELDS = ("usage_terms", "copyright")
DATE_FIELDS = ("published", "updated", "embargoed_until", "expires")


# Value of ``embargoed_until`` that lifts an embargo. A new version without the field
# keeps the embargo of the version before it.
LIFTED = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One version of a news article, with the property names of ninjs.

    Instants are aware UTC. ``published`` can be unknown. ``ed_note`` is never shown to
    the public. ``extra`` holds properties of the input format without a field here.

    :raises InvalidArticle: a field is invalid; the error names it.
    """

    id: str
    version: str | None = None  # None until the store assigns one
    type: str | None = None
    status: Status = Status.USABLE
    headline: str | None = None
    paragraphs: tuple[Paragraph, ...] = ()
    slugline: str | None = None
    byline: str | None = None
    authors: tuple[Concept, ...] = ()
    dateline: str | None = None
    section: str | None = None
    source: str | None = None
    language: str | None = None  # BCP 47
    url: str | None = None
    keywords: tuple[Concept, ...] = ()
    subjects: tuple[Concept, ...] = ()
    people: tuple[Concept, ...] = ()
    organisations: tuple[Concept, ...] = ()
    places: tuple[Concept, ...] = ()
    genre: tuple[Concept, ...] = ()
    urgency: int | None = None  # 1 (most urgent) to 9
    published: datetime | None = None
    updated: datetime | None = None
    embargoed_until: datetime | None = None
    expires: datetime | None = None
    evolved_from: str | None = None
    story: str | None = None
    correction: str | None = None
    ed_note: str | None = None
    usage_terms: str | None = None
    copyright: str | None = None
    extra: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        check_id(self.id)
        if self.version is not None:
            check_version(self.version)
        for name in TEXT_FIELDS:
            value = getattr(self, name)
            check_text(name, value)
            if value is not None and not value.strip():
                raise InvalidArticle(name, "is blank; leave it out")
        if self.language is not None and not LANGUAGE_TAG.match(self.language):
            raise InvalidArticle(
                "language", f"{self.language[:50]!r} is not a BCP 47 tag such as en-GB"
            )
        if self.urgency is not None and not 1 <= self.urgency <= 9:
            raise InvalidArticle("urgency", "must be a number from 1 to 9")
        for name in DATE_FIELDS:
            instant = getattr(self, name)
            if instant is not None and instant.utcoffset() != timedelta(0):
                raise InvalidArticle(name, f"must be in UTC, not {instant!r}")
        self._check_paragraphs()

    def _check_paragraphs(self) -> None:
        if not self.paragraphs:
            raise InvalidArticle(
                "paragraphs", "an article needs a headline or a paragraph"
            )
        first = 0 if self.headline is not None else 1
        for n, paragraph in enumerate(self.paragraphs, first):
            if paragraph.n != n:
                raise InvalidArticle(
                    "paragraphs", f"paragraph {n} is numbered {paragraph.n}"
                )
            if (paragraph.role is Role.HEADLINE) != (n == 0):
                raise InvalidArticle(
                    "paragraphs", "the headline must be paragraph 0, and no other"
                )
            if n == 0 and paragraph.text != self.headline:
                raise InvalidArticle("paragraphs", "paragraph 0 is not the headline")
            if not paragraph.text.strip():
                raise InvalidArticle("paragraphs", f"paragraph {n} is blank")
            check_text("paragraphs", paragraph.text)
            check_text("paragraphs", paragraph.credit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The original bytes of an article, kept if parsing changed them.

    :param format: the format it was parsed as, a key of :data:`index.formats.FORMATS`.
    :param data: the bytes of this article alone, decompressed.
    """

    format: str
    data: bytes


ARTICLE_FIELDS = tuple(record_field.name for record_field in fields(Article))


def check_id(article_id: str) -> str:
    """The id, if it is valid: 1 to 400 printable characters without spaces.

    :raises InvalidArticle: it is not.
    """
    if not 1 <= len(article_id) <= MAX_ID:
        raise InvalidArticle(
            "id", f"must have 1 to {MAX_ID} characters, not {len(article_id):,}"
        )
    if not article_id.isprintable() or any(map(str.isspace, article_id)):
        raise InvalidArticle("id", "must have printable characters only, and no spaces")
    return article_id


def check_version(version: str) -> str:
    """The version, if it is valid: 1 to 100 printable characters.

    :raises InvalidArticle: it is not.
    """
    if not version.isprintable() or not 1 <= len(version) <= 100:
        raise InvalidArticle("version", "must have 1 to 100 printable characters")
    return version


def number_paragraphs(
    headline: str | None, rest: Iterable[tuple[Role, str, str | None]]
) -> tuple[Paragraph, ...]:
    """Paragraphs of an article, with numbers and keys.

    The headline becomes paragraph 0; numbers start at 1 without one. Blank paragraphs
    are dropped. A key is a hash of role and text, plus a count if the same text came
    before in the article, so it survives edits elsewhere.

    :param rest: (role, text, credit) in reading order, without the headline.
    """
    texts = [item for item in rest if item[1].strip()]
    first = 1
    if headline is not None and headline.strip():
        texts.insert(0, (Role.HEADLINE, headline, None))
        first = 0
    digests = [
        blake2b(
            f"{role}\0{text}".encode("utf-8", "surrogatepass"), digest_size=8
        ).hexdigest()
        for role, text, _ in texts
    ]
    return tuple(
        [
            Paragraph(n=n, role=role, text=text, key=key, credit=credit)
            for n, (key, (role, text, credit)) in enumerate(
                zip(_keys(digests), texts, strict=True), first
            )
        ]
    )


def _keys(digests: list[str]) -> list[str]:
    """Digests with a count behind each that came before."""
    if len(set(digests)) == len(digests):
        return digests
    counts: Counter[str] = Counter()
    keys: list[str] = []
    for digest in digests:
        counts[digest] += 1
        keys.append(digest if counts[digest] == 1 else f"{digest}-{counts[digest]}")
    return keys


def paragraph_id(article_id: str, n: int) -> str:
    """Id of a paragraph: ``ARTICLE-ID#pN``."""
    return f"{article_id}#p{n}"


def check_text(name: str, value: str | None) -> None:
    """Check that every kind of database can hold a text.

    :raises InvalidArticle: it cannot; the error names the field.
    """
    # A lone surrogate cannot be encoded as UTF-8, and PostgreSQL refuses NUL in text.
    try:
        if value is None or b"\0" not in value.encode():
            return
    except UnicodeEncodeError:
        pass
    raise InvalidArticle(name, "contains a NUL or a lone surrogate; remove it")
