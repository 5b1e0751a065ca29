"""Cases: what a search asks of the paragraphs of an article, by what the article has.

A query of a cluster looks at an article or at one nested paragraph, never at both. So
where a paragraph counts only if its article has something, the articles are divided
into those that have it and those that have not. Most searches have a single case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from index.engines.opensearch.mapping import PARAGRAPHS
from index.engines.opensearch.searching.conditions import (
    Query,
    every,
    in_range,
    no,
    some,
)
from index.engines.opensearch.searching.formula import (
    FALSE,
    TRUE,
    Counting,
    Every,
    Formula,
    InArticle,
    InParagraph,
    No,
    Some,
    atoms,
    both,
    counting_leaves,
    formula_of,
    known,
)
from index.engines.opensearch.searching.leaves import Leaves, scored_by_none
from index.errors import InvalidQuery
from index.query import Range, Scope, Search

MOST_CASES = 64


@dataclass(frozen=True, slots=True)
class Counted:
    """A leaf that adds to the scores of a case.

    :param in_paragraph: of the paragraphs in which it occurs: where it counts.
    :param in_article: it counts in an article if a paragraph has this.
    """

    leaf: Counting
    in_paragraph: Formula
    in_article: Formula


@dataclass(frozen=True, slots=True)
class Case:
    """Articles of which the same is asked.

    :param truths: which articles: what is true of them, and what is false.
    :param paragraphs: their matching paragraphs.
    :param or_all: whether all paragraphs of an article match if none of those does;
        else the article does not match.
    """

    truths: tuple[tuple[Formula, bool], ...]
    paragraphs: Formula
    or_all: bool
    counted: tuple[Counted, ...]


def cases_of(search: Search) -> list[Case]:
    """The cases of a search.

    :raises InvalidQuery: there are too many.
    """
    tree = formula_of(search.query, search)
    counting = counting_leaves(search)
    compiled = _by_article if search.scope is Scope.ARTICLE else _by_paragraph
    cases: list[Case] = []
    for case in compiled(tree, counting):
        cases.append(case)
        if len(cases) > MOST_CASES:
            raise InvalidQuery(
                "too many words may be in a paragraph or in a field of the article;"
                " search in fewer fields, or in scope article",
                code="query_too_many_clauses",
                limit=MOST_CASES,
            )
    return cases


def _by_article(tree: Formula, counting: list[Counting]) -> Iterator[Case]:
    """Yield the cases in the scope of an article: by the ANDs within an OR."""
    conditions = list(dict.fromkeys(each.condition for each in counting))
    conditions = [condition for condition in conditions if condition != TRUE]
    for values in product((True, False), repeat=len(conditions)):
        truths = dict(zip(conditions, values, strict=True))
        there = [each for each in counting if truths.get(each.condition, True)]
        if known(tree, truths) == FALSE:
            continue
        within = [
            each for each in there if each.places.passages and not each.places.whole
        ]
        paragraphs = known(
            Some(tuple(InParagraph(e.leaf, e.places.passages) for e in within)), {}
        )
        in_no_paragraph = {each.true: False for each in within if not each.places.lines}
        yield Case(
            truths=tuple(truths.items()),
            paragraphs=paragraphs if within else TRUE,
            or_all=bool(within) and known(tree, in_no_paragraph) != FALSE,
            counted=tuple(
                Counted(each, TRUE, TRUE) for each in there if each.places.scores
            ),
        )


def _by_paragraph(
    tree: Formula, counting: list[Counting], truths: Mapping[Formula, bool] = {}
) -> Iterator[Case]:
    """Yield the cases in the scope of a paragraph: by the atoms of the article."""
    tree = known(tree, truths)
    if tree == FALSE:
        return
    scoring = [each for each in counting if each.places.scores]
    open_formulas = [tree]
    for each in scoring:
        condition = known(each.condition, truths)
        if condition != FALSE:
            open_formulas += condition, known(each.true, truths)
    unknown = next(
        (
            atom
            for formula in open_formulas
            for atom in atoms(formula)
            if not isinstance(atom, InParagraph)
        ),
        None,
    )
    if unknown is not None:
        for value in (True, False):
            yield from _by_paragraph(tree, counting, {**truths, unknown: value})
        return
    counted = []
    for each in scoring:
        condition, true = known(each.condition, truths), known(each.true, truths)
        if FALSE in (condition, true):
            continue
        implied = true == TRUE or known(tree, {true: False}) == FALSE
        if implied:
            in_article = TRUE if condition == TRUE else both(tree, condition)
        else:
            rest = known(both(tree, condition), {true: True})
            in_article = TRUE if rest == TRUE else both(true, rest)
        counted.append(Counted(each, condition, in_article))
    yield Case(tuple(truths.items()), tree, False, tuple(counted))


class Compiler:
    """Compiles formulas to queries of the cluster."""

    def __init__(self, leaves: Leaves) -> None:
        self.leaves = leaves

    def query(self, formula: Formula) -> Query:
        """Articles or paragraphs, by its atoms, of which a formula is true."""
        if isinstance(formula, InArticle):
            return self.leaves.in_article(formula)
        if isinstance(formula, InParagraph):
            return self.leaves.in_paragraph(formula)
        if isinstance(formula, Range):
            return in_range(formula)
        if isinstance(formula, No):
            return no(self.query(formula.part))
        combined = every if isinstance(formula, Every) else some
        return combined([self.query(part) for part in formula.parts])

    def having(self, formula: Formula) -> list[Query]:
        """Queries that all match an article with a paragraph that a formula is true of.

        Every article has a paragraph.
        """
        if formula == TRUE:
            return []
        return [scored_by_none(PARAGRAPHS, self.query(formula))]

    def articles(self, case: Case) -> list[Query]:
        """Queries that all match an article of a case."""
        return [
            query if value else no(query)
            for formula, value in case.truths
            for query in [self.query(formula)]
        ]
