"""How often the cluster is asked for a leaf, to match articles and to score them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from index.article import FIELDS
from index.engines.opensearch.searching.cases import Compiler, cases_of
from index.engines.opensearch.searching.leaves import Leaves
from index.engines.opensearch.searching.scoring import Scores
from index.query import (
    And,
    FieldStatistics,
    LeafStatistics,
    Not,
    Or,
    Query,
    Scope,
    Search,
    Statistics,
    Term,
)

A, B, C = Term("aaa", "body"), Term("bbb", "body"), Term("ccc", "body")


def times(query: Query, scope: Scope) -> dict[str, int]:
    """How often a query of articles by score reads each word."""
    search = Search(query=query, scope=scope, now=datetime(2024, 1, 1, tzinfo=UTC))
    compiler = Compiler(Leaves(("en",), {}))
    statistics = Statistics(
        seq=1,
        articles=9,
        fields={each.name: FieldStatistics(9, 99, 30) for each in FIELDS},
        leaves=dict.fromkeys((A, B, C), LeafStatistics(3, 4)),
    )
    scores = Scores(compiler, statistics)
    text = json.dumps(scores.articles(search, cases_of(search)))
    return {word: text.count(f"en:{word}") for word in ("aaa", "bbb", "ccc")}


# Once for the best paragraph, and once for all paragraphs.
ONCE = {"aaa": 2, "bbb": 2, "ccc": 2}


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("query", [And((A, B, C)), Or((A, B, C))], ids=["and", "or"])
def test_a_leaf_is_read_once_to_match_and_to_score(query: Query, scope: Scope):
    assert times(query, scope) == ONCE


def test_a_leaf_of_an_or_within_an_and_is_read_once_in_an_article():
    assert times(And((A, Or((B, C)))), Scope.ARTICLE) == ONCE


def test_a_leaf_under_a_not_is_read_to_match_only():
    assert times(And((A, B, Not(C))), Scope.ARTICLE) == {**ONCE, "ccc": 1}
