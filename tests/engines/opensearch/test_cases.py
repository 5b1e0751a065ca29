"""The cases that a search divides articles into."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from index.article import PLACES
from index.engines.opensearch.searching.cases import MOST_CASES, cases_of
from index.engines.opensearch.searching.formula import (
    FALSE,
    TRUE,
    Every,
    No,
    Some,
    known,
)
from index.errors import InvalidQuery
from index.query import And, Not, Or, Query, Range, Scope, Search, Term

A, B, C = Term("a"), Term("b"), Term("c")


def search(query: Query, **options: Any) -> Search:
    return Search(query=query, now=datetime(2024, 1, 1, tzinfo=UTC), **options)


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize(
    "query", [A, And((A, B)), Or((A, B)), And((A, Not(B))), And((Or((A, B)), C))]
)
def test_most_searches_have_a_single_case(query: Query, scope: Scope):
    (case,) = cases_of(search(query, scope=scope))
    assert case.truths == ()


def test_an_and_within_an_or_divides_articles_into_those_that_have_all_of_it():
    cases = cases_of(search(Or((And((A, B)), C))))
    assert [len(case.truths) for case in cases] == [1, 1]
    assert [len(case.counted) for case in cases] == [3, 1]


def test_a_paragraph_is_asked_apart_where_its_article_has_a_word():
    mixed = search(And((A, B)), places=PLACES["all"], scope=Scope.PARAGRAPH)
    cases = cases_of(mixed)
    assert len(cases) == 4
    assert sum(case.paragraphs == TRUE for case in cases) == 1  # both are in lines


def test_articles_that_cannot_match_are_no_case():
    condition = Range("urgency", 1, 3)
    cases = cases_of(search(And((A, condition)), scope=Scope.PARAGRAPH))
    assert [case.truths for case in cases] == [((condition, True),)]


def test_a_search_with_too_many_cases_is_refused():
    words = And(tuple(Term(f"word{n}") for n in range(MOST_CASES)))
    mixed = search(words, places=PLACES["all"], scope=Scope.PARAGRAPH)
    with pytest.raises(InvalidQuery) as refused:
        cases_of(mixed)
    assert refused.value.code == "query_too_many_clauses"
    assert len(cases_of(search(words, scope=Scope.PARAGRAPH))) == 1


def test_what_is_known_makes_a_formula_shorter():
    one, other = Range("urgency", 1), Range("urgency", 2)
    assert known(Every((one, Some((other, TRUE)))), {}) == one
    assert known(Every((one, other)), {one: True}) == other
    assert known(Some((one, No(other))), {other: True}) == one
    assert known(No(one), {one: True}) == FALSE
