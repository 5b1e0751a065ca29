"""Properties of scores that hold for any parameters."""

from __future__ import annotations

import re

import numpy as np
import pytest
from checkout import ROOT
from hypothesis import given
from hypothesis import strategies as st

from index.article import FIELD_BY_NAME
from index.engines import ranking

COUNTS = st.integers(1, 1_000_000)
FREQUENCIES = st.floats(0, 1_000)
LENGTHS = st.floats(1, 10_000)


@pytest.mark.slow
@given(count=COUNTS, data=st.data())
def test_rare_words_have_a_higher_weight(count: int, data: st.DataObject) -> None:
    fewer = data.draw(st.integers(0, count))
    more = data.draw(st.integers(fewer, count))
    for part in (
        lambda idf: ranking.article_part(1.0, idf, 1.0),
        lambda idf: ranking.paragraph_part(1.0, 10.0, 10.0, idf, 1.0),
    ):
        rare, frequent = (part(ranking.idf(count, each)) for each in (fewer, more))
        assert rare >= frequent > 0


@pytest.mark.slow
@given(frequency=FREQUENCIES, more=FREQUENCIES, length=LENGTHS, longer=LENGTHS)
def test_a_part_grows_with_occurrences_and_falls_with_length(
    frequency: float, more: float, length: float, longer: float
) -> None:
    idf = ranking.idf(1_000, 30)

    def article(frequency: float, length: float) -> float:
        weighted = ranking.field_frequency(frequency, length, 50.0, 3.0)
        return float(ranking.article_part(weighted, idf, 1.0))

    def paragraph(frequency: float, length: float) -> float:
        return float(ranking.paragraph_part(frequency, length, 50.0, idf, 1.0))

    for part in (article, paragraph):
        least = part(frequency, length)
        assert least >= 0
        assert part(frequency + more, length) >= least * (1 - 1e-12)
        assert part(frequency, length + longer) <= least * (1 + 1e-12)


@given(frequency=FREQUENCIES, length=LENGTHS, having=st.integers(0, 1_000))
def test_numbers_and_arrays_score_alike(
    frequency: float, length: float, having: int
) -> None:
    """Upper bounds are computed on arrays, scores on numbers: they must agree."""

    def score(frequency: object, length: object, having: object) -> object:
        idf = ranking.idf(1_000, having)
        weighted = ranking.field_frequency(frequency, length, 50.0, 3.0)
        return ranking.article_score(
            ranking.article_part(weighted, idf, 2.0),
            ranking.paragraph_part(frequency, length, 50.0, idf, 2.0),
        )

    alone = score(frequency, length, having)
    together = score(
        np.array([frequency, 1.0]), np.array([length, 1.0]), np.array([having, 1])
    )
    assert np.asarray(together)[0] == pytest.approx(alone, abs=2e-6)


@pytest.mark.parametrize("having", [1, 300, 900, 999, 1_000])
def test_one_word_ranks_by_how_often_and_in_how_short_a_text(having: int) -> None:
    """Even a word that all articles have, if some paragraph does not have it."""

    def score(frequency: float, length: float) -> float:
        weighted = ranking.field_frequency(frequency, 10 * length, 500.0, 1.0)
        return float(
            ranking.article_score(
                ranking.article_part(weighted, ranking.idf(1_000, having), 1.0),
                ranking.paragraph_part(
                    frequency, length, 50.0, ranking.idf(10_000, 5 * having), 1.0
                ),
            )
        )

    assert score(2, 50) > score(1, 50) > score(1, 80)


def test_a_word_of_the_subject_outweighs_function_words() -> None:
    """Four words that 90% of articles have, against one that 2% have."""

    def part(having: int, frequency: float) -> float:
        return float(ranking.article_part(frequency, ranking.idf(1_000, having), 1.0))

    assert part(20, 1) > 4 * part(900, 20)


def test_a_word_in_the_headline_counts_at_least_twice() -> None:
    assert FIELD_BY_NAME["headline"].weight >= 2 * FIELD_BY_NAME["body"].weight


def test_the_page_on_ranking_names_the_values_in_use() -> None:
    page = (ROOT / "docs/ranking.md").read_text("utf-8")
    page = page.partition("## The parameters")[2].partition("\n## ")[0]
    said = dict(re.findall(r"^\| `([A-Z0-9_]+)` \| ([\d.]+) \|", page, re.MULTILINE))
    assert {name: float(value) for name, value in said.items()} == {
        name: getattr(ranking, name)
        for name in vars(ranking)
        if name.isupper() and not name.startswith("_")
    }
    weights = dict(
        re.findall(r"^\| weight of `(\w+)` \| ([\d.]+) \|", page, re.MULTILINE)
    )
    assert {name: float(value) for name, value in weights.items()} == {
        each.name: each.weight for each in FIELD_BY_NAME.values() if each.weight != 1
    }
