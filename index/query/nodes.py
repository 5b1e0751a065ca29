"""The nodes of a query tree: the grammar builds it, and engines compile it.

Leaves hold words as the analysis returns them (see :mod:`index.text`); ``text`` keeps
the word as it was typed, for answers. ``field`` decides whether a leaf tests paragraphs
or the article: see :func:`places_of`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from index.article import FIELD_BY_NAME, Kind


@dataclass(frozen=True, slots=True)
class Term:
    """A word: matches tokens with the same stem in the language of their article."""

    form: str  # casefolded, accents kept
    field: str | None = None
    boost: float = 1.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow each other directly; each matches like a :class:`Term`."""

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
    """Tokens whose folded form starts with ``prefix``."""

    prefix: str  # folded
    field: str | None = None
    boost: float = 1.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Tokens whose folded form fits: ``*`` any characters, ``?`` exactly one."""

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
    """Tokens with exactly these forms, following each other; only case is ignored."""

    forms: tuple[str, ...]  # casefolded, accents kept
    field: str | None = None
    boost: float = 1.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Range:
    """Articles whose number or date is between two bounds, both included.

    Dates are microseconds since 1970 UTC. ``None`` is an open bound. An article without
    a value is in no range.
    """

    field: str
    low: int | None = None
    high: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class And:
    """Matches of all children; without children, everything."""

    children: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Matches of any child; without children, nothing."""

    children: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Everything that the child does not match."""

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
    """The fields in which a leaf looks for its words.

    :param passages: fields made of paragraphs; the leaf tests each of those paragraphs.
    :param lines: fields of the article; a match counts for all of its paragraphs.
    :param whole: whether a match in one paragraph counts for all paragraphs of the
        article (``headline:word``).
    """

    passages: tuple[str, ...]
    lines: tuple[str, ...]
    whole: bool = False

    @property
    def scores(self) -> bool:
        """Whether a leaf that is searched here adds to scores.

        A condition on an article's own fields selects articles and ranks none.
        """
        return bool(self.passages) and not self.whole


def places_of(leaf: WordLeaf, default: tuple[str, ...]) -> Places:
    """The fields in which a leaf looks for its words.

    :param default: for a leaf without a field: a value of :data:`index.article.PLACES`.
    """
    return _places(leaf.field, default)


@lru_cache(maxsize=256)
def _places(field: str | None, default: tuple[str, ...]) -> Places:
    names = default if field is None else (field,)
    return Places(
        passages=tuple(n for n in names if FIELD_BY_NAME[n].kind is Kind.PASSAGE),
        lines=tuple(n for n in names if FIELD_BY_NAME[n].kind is not Kind.PASSAGE),
        whole=field == "headline",
    )


def leaves(query: Query, *, negated: bool = False) -> Iterator[tuple[Leaf, bool]]:
    """Yield every leaf, left to right, and whether it is under a NOT."""
    if isinstance(query, And | Or):
        for child in query.children:
            yield from leaves(child, negated=negated)
    elif isinstance(query, Not):
        yield from leaves(query.child, negated=True)
    elif not isinstance(query, All):
        yield query, negated


def scoring_leaves(query: Query) -> tuple[WordLeaf, ...]:
    """The word leaves that are not under a NOT, left to right."""
    return tuple(
        leaf
        for leaf, negated in leaves(query)
        if not negated and not isinstance(leaf, Range)
    )
