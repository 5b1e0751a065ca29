"""What is asked: the query algebra that the grammar yields and engines compile.

Leaves hold words as the analysis leaves them (see :mod:`index.text`), never as typed;
``text`` keeps the typed form for answers. Whether a leaf tests paragraphs or the
article follows from ``field``: see :func:`places_of`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from index.article import FIELD_BY_NAME, Kind


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
