"""Formulas: what a search asks of an article and of a paragraph, as truth values.

The cluster tests articles, and single paragraphs within them. A leaf of a query becomes
atoms of two kinds, each a test of one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from index.query import (
    All,
    And,
    Not,
    Or,
    Places,
    Query,
    Range,
    Scope,
    Search,
    WordLeaf,
    places_of,
)


@dataclass(frozen=True, slots=True)
class InArticle:
    """Whether a leaf matches an article, in whatever place of those."""

    leaf: WordLeaf
    places: Places


@dataclass(frozen=True, slots=True)
class InParagraph:
    """Whether a leaf occurs in a paragraph of one of these fields."""

    leaf: WordLeaf
    passages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Every:
    """Whether all parts are true; without parts, true."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Whether any part is true; without parts, false."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class No:
    """Whether the part is false."""

    part: Formula


ArticleAtom = InArticle | Range
Atom = ArticleAtom | InParagraph
Formula = Atom | Every | Some | No
TRUE, FALSE = Every(()), Some(())


def both(one: Formula, other: Formula) -> Formula:
    """Whether both are true."""
    if one in (TRUE, other):
        return other
    return one if other == TRUE else Every((one, other))


def known(formula: Formula, truths: Mapping[Formula, bool]) -> Formula:
    """The formula where the truth of some parts is known, as short as that makes it."""
    if formula in truths:
        return TRUE if truths[formula] else FALSE
    if isinstance(formula, No):
        part = known(formula.part, truths)
        if part in (TRUE, FALSE):
            return FALSE if part == TRUE else TRUE
        return No(part)
    if not isinstance(formula, Every | Some):
        return formula
    neutral, final = (TRUE, FALSE) if isinstance(formula, Every) else (FALSE, TRUE)
    parts = dict.fromkeys(known(part, truths) for part in formula.parts)
    if final in parts:
        return final
    parts.pop(neutral, None)
    if len(parts) == 1:
        return next(iter(parts))
    return type(formula)(tuple(parts))


def atoms(formula: Formula) -> Iterator[Atom]:
    """Yield the atoms of a formula, left to right."""
    if isinstance(formula, Every | Some):
        for part in formula.parts:
            yield from atoms(part)
    elif isinstance(formula, No):
        yield from atoms(formula.part)
    else:
        yield formula


def formula_of(query: Query, search: Search) -> Formula:
    """Formula of a query: of an article, or of a paragraph and its article."""
    if isinstance(query, And):
        return Every(tuple(formula_of(child, search) for child in query.children))
    if isinstance(query, Or):
        return Some(tuple(formula_of(child, search) for child in query.children))
    if isinstance(query, Not):
        return No(formula_of(query.child, search))
    if isinstance(query, All):
        return TRUE
    if isinstance(query, Range):
        return query
    places = places_of(query, search.places)
    if search.scope is Scope.ARTICLE or places.whole:
        return InArticle(query, places)
    parts: list[Formula] = []
    if places.passages:
        parts.append(InParagraph(query, places.passages))
    if places.lines:
        parts.append(InArticle(query, Places(passages=(), lines=places.lines)))
    return Some(tuple(parts)) if len(parts) > 1 else parts[0]


@dataclass(frozen=True, slots=True)
class Counting:
    """A leaf that may count: it does where it and the condition are true.

    :param true: whether the leaf is.
    :param condition: whether every AND around the leaf is, where the query is true.
    """

    leaf: WordLeaf
    places: Places
    true: Formula
    condition: Formula


def counting_leaves(search: Search) -> list[Counting]:
    """The leaves of a query that are not under a NOT, left to right."""

    def walk(query: Query, condition: Formula, implied: bool) -> Iterator[Counting]:
        if isinstance(query, And):
            if not implied:
                condition = both(condition, formula_of(query, search))
            for child in query.children:
                yield from walk(child, condition, True)
        elif isinstance(query, Or):
            for child in query.children:
                yield from walk(child, condition, implied and len(query.children) == 1)
        elif not isinstance(query, Not | All | Range):
            places = places_of(query, search.places)
            yield Counting(query, places, formula_of(query, search), condition)

    return list(walk(search.query, TRUE, True))
