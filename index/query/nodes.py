"""What is asked: the query algebra that the grammar yields and engines compile.

Leaves hold words as the analysis leaves them (see :mod:`index.text`), never as typed;
``text`` keeps the typed form for answers. Whether a leaf tests paragraphs or the
article follows from ``field``: see :func:`places_of`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from index.article import FIELD_BY_NAME, PLACES, Kind


@dataclass(frozen=True, slots=True)
class Term:
    """A word; it matches tokens with its stem in their article's language."""

    form: str  # casefolded, accents kept
    field: str | None = None
    boost: float = 1.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow each other directly; each matches as a :class:`Term` does."""

    forms: tuple[str, ...]
    field: str | None = None
    boost: float = 1.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Near:
    """Words in any order, at most ``distance`` other words between first and last."""

    forms: tuple[str, ...]
    distance: int
    field: str | None = None
    boost: float = 1.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Prefix:
    """Tokens whose folded form starts like this."""

    prefix: str  # folded
    field: str | None = None
    boost: float = 1.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Tokens whose whole folded form fits: ``*`` any characters, ``?`` exactly one."""

    pattern: str  # folded
    field: str | None = None
    boost: float = 1.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """Tokens whose folded form is within ``distance`` edits.

    An edit inserts, deletes or replaces a character, or swaps two neighbours (optimal
    string alignment distance).
    """

    form: str  # folded
    distance: int  # 1 or 2
    field: str | None = None
    boost: float = 1.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Exact:
    """Tokens of exactly these forms, following each other: case folds, nothing else."""

    forms: tuple[str, ...]  # casefolded, accents kept
    field: str | None = None
    boost: float = 1.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Range:
    """Articles whose number or date lies between two bounds, both included.

    Dates are microseconds since 1970 UTC. ``None`` is no bound. An article without a
    value is outside of every range.
    """

    field: str
    low: int | None = None
    high: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class And:
    """All of them; of none, everything."""

    children: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them; of none, nothing."""

    children: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Whatever the child is not."""

    child: Query


@dataclass(frozen=True, slots=True)
class All:
    """Everything."""


NOTHING = Or(())

WordLeaf = Term | Phrase | Near | Prefix | Wildcard | Fuzzy | Exact
Leaf = WordLeaf | Range
Query = Leaf | And | Or | Not | All

WORD_LEAVES = (Term, Phrase, Near, Prefix, Wildcard, Fuzzy, Exact)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the words of a leaf are sought.

    :param passages: fields made of paragraphs; the leaf tests each such paragraph.
    :param lines: an article's own fields; they hold for each of its paragraphs.
    :param whole: the leaf tests the article although it looks into paragraphs, so it
        holds for each of them (``headline:word``).
    """

    passages: tuple[str, ...]
    lines: tuple[str, ...]
    whole: bool = False


def places_of(leaf: WordLeaf, default: tuple[str, ...]) -> Places:
    """Return where a leaf's words are sought.

    :param default: the fields for a leaf without one, a value of
        :data:`index.article.PLACES`.
    """
    return _places(leaf.field, default)


@lru_cache(maxsize=256)
def _places(field: str | None, default: tuple[str, ...]) -> Places:
    chosen = default if field is None else (field,)
    return Places(
        passages=tuple(n for n in chosen if FIELD_BY_NAME[n].kind is Kind.PASSAGE),
        lines=tuple(n for n in chosen if FIELD_BY_NAME[n].kind is not Kind.PASSAGE),
        whole=field == "headline",
    )


def leaves(query: Query, *, negated: bool = False) -> Iterator[tuple[Leaf, bool]]:
    """Yield each leaf, left to right, and whether it stands under a NOT."""
    if isinstance(query, And | Or):
        for child in query.children:
            yield from leaves(child, negated=negated)
    elif isinstance(query, Not):
        yield from leaves(query.child, negated=True)
    elif not isinstance(query, All):
        yield query, negated


def scoring_leaves(query: Query) -> tuple[WordLeaf, ...]:
    """Return the word leaves not under a NOT, left to right."""
    return tuple(
        leaf
        for leaf, negated in leaves(query)
        if not negated and not isinstance(leaf, Range)
    )


class Scope(StrEnum):
    """On what a query's words are tested together."""

    ARTICLE = "article"
    PARAGRAPH = "paragraph"


class Unit(StrEnum):
    """What a hit is."""

    ARTICLE = "article"
    PARAGRAPH = "paragraph"


class Sort(StrEnum):
    """The order of hits; ties by id, then paragraph; unknown dates last in each."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"
    UPDATED = "updated"


class Interval(StrEnum):
    """The width of a date facet's buckets; ``auto`` is the finest with at most 60.

    Decades and centuries start with the years that end in 0: 1990, 1900.
    """

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    DECADE = "decade"
    CENTURY = "century"
    AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A condition on one keyword or integer field, on whole values without case.

    True for articles with any of the values, or, with ``missing``, without a value;
    ``exclude`` turns it round.
    """

    field: str
    values: tuple[str, ...] = ()
    missing: bool = False
    exclude: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads, as far as it decides what they may see.

    :param held: also what is withheld or under embargo.
    :param filters: what every article they see has; they are part of visibility, not of
        what was asked.
    """

    held: bool = False
    filters: tuple[Filter, ...] = ()


PUBLIC = Reader()


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetRequest:
    """A count of articles by the values of a field.

    :param interval: for dates, and only for them.
    :param prefix: only values that start like this, without case and accents.
    """

    field: str
    interval: Interval | None = None
    prefix: str = ""

    @property
    def name(self) -> str:
        """How the request is written: ``source`` or ``published:month``."""
        return self.field if self.interval is None else f"{self.field}:{self.interval}"


class SortKey(NamedTuple):
    """Where a hit stands in an order: the keyset that a cursor carries.

    :param score: rounded to 1e-6; 0.0 in date orders.
    :param date: microseconds since 1970 UTC, by ``updated`` in that order, else by
        ``published``; ``None`` unknown.
    :param n: the paragraph, where hits are paragraphs.
    """

    score: float
    date: int | None
    id: str
    n: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A whole search, as an engine gets it."""

    query: Query
    now: datetime  # aware UTC; the instant at which visibility is decided
    reader: Reader = PUBLIC
    places: tuple[str, ...] = PLACES["text"]
    scope: Scope = Scope.ARTICLE
    unit: Unit = Unit.ARTICLE
    filters: tuple[Filter, ...] = ()
    dates: Range | None = None
    sort: Sort = Sort.RELEVANCE
    limit: int = 10
    offset: int = 0  # hits left out first, after the cursor
    after: SortKey | None = None
    facets: tuple[FacetRequest, ...] = ()
    facet_size: int = 10
    passages: int = 3
    tz: str = "UTC"
    hidden: frozenset[str] = frozenset()  # ids that show nothing, whatever is indexed
    deadline: float | None = None  # on time.monotonic()'s clock
    explain: bool = False


def value_key(value: str) -> str:
    """Return what two values share that differ in case only."""
    return value.casefold()
