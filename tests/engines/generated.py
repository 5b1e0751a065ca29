"""Articles and searches drawn at random, and what it is to answer one alike."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from articles import article
from hypothesis import strategies as st

from index.article import PLACES, Article
from index.engines import LeafScore, Page
from index.query import (
    PUBLIC,
    All,
    And,
    Exact,
    Filter,
    Fuzzy,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Range,
    Reader,
    Scope,
    Sort,
    Term,
    Unit,
    Wildcard,
)

WORDS = ("truce", "truces", "talks", "aleppo", "kerry", "c-17", "the", "café", "cafe")
WORDS += ("1,500", "1.500", "1.5", "non-u.s", "she'll", "L'Oréal", "straße", ".5")
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join)
forms = st.sampled_from(
    [
        *("truce", "talks", "aleppo", "kerry", "the", "cafe", "17", "us", "absent"),
        *("1500", "1.500", "strasse", "0.5", "5", "loreal"),
    ]
)
fields_ = st.sampled_from((None, None, None, "headline", "body", "byline", "keywords"))
leaves = st.one_of(
    st.builds(Term, forms, fields_, st.sampled_from((1.0, 2.0))),
    st.builds(Phrase, st.lists(forms, min_size=2, max_size=3).map(tuple), fields_),
    st.builds(
        Near,
        st.lists(forms, min_size=2, max_size=3).map(tuple),
        st.integers(0, 4),
        fields_,
    ),
    st.builds(Prefix, st.sampled_from(("tru", "tal", "c", "caf", "u.s", "1")), fields_),
    st.builds(
        Wildcard, st.sampled_from(("tr*s", "c?17", "caf*", "non-?", "u?s")), fields_
    ),
    st.builds(Fuzzy, st.sampled_from(("truse", "alepo", "kerri")), st.just(1), fields_),
    st.builds(
        Exact,
        st.sampled_from(
            (("café",), ("c-17",), ("the", "truce"), ("u.s",), ("straße",))
        ),
        fields_,
    ),
    st.builds(Range, st.just("urgency"), st.integers(1, 9), st.integers(1, 9)),
)
queries = st.recursive(
    leaves | st.just(All()),
    lambda inner: st.one_of(
        st.builds(And, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Or, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=6,
)


@st.composite
def articles_(draw: st.DrawFn, number: int) -> Article:
    return article(
        f"a{number}",
        *draw(st.lists(texts, min_size=1, max_size=4)),
        headline=draw(st.none() | texts),
        byline=draw(st.none() | texts),
        keywords=draw(st.lists(st.sampled_from(("truce", "Truce", "the cafe")))),
        urgency=draw(st.none() | st.integers(1, 9)),
        published=draw(st.none() | st.sampled_from(("2020-01-01", "2020-02-01"))),
        language=draw(st.sampled_from((None, "en", "fr", "xx", "de-CH", "vi"))),
        status=draw(st.sampled_from(("usable", "usable", "usable", "withheld"))),
    )


searches = st.fixed_dictionaries(
    {
        "query": queries,
        "scope": st.sampled_from(Scope),
        "unit": st.sampled_from(Unit),
        "sort": st.sampled_from(Sort),
        "places": st.sampled_from(list(PLACES.values())),
        "filters": st.sampled_from(
            ((), (Filter(field="keywords", values=("TRUCE",)),))
        ),
        "reader": st.sampled_from(
            (
                PUBLIC,
                PUBLIC,
                Reader(held=True),
                Reader(filters=(Filter(field="keywords", values=("truce", "x")),)),
                Reader(
                    held=True,
                    filters=(
                        Filter(field="keywords", values=("the cafe",), exclude=True),
                        Filter(field="urgency", values=("1", "2"), missing=True),
                    ),
                ),
            )
        ),
    }
)


def assert_equal_pages(one: Page, other: Page) -> None:
    """Assert that two pages are equal: scores to 1e-4, order where scores differ."""
    assert (one.articles, one.paragraphs) == (other.articles, other.paragraphs)
    assert one.facets == other.facets
    assert one.terms == other.terms
    assert [hit.score for hit in one.hits] == pytest.approx(
        [hit.score for hit in other.hits], abs=1e-4
    )
    ordered = [sorted(page.hits, key=_place) for page in (one, other)]
    for left, right in zip(*ordered, strict=True):
        assert (left.id, left.version, left.key.n) == (
            right.id,
            right.version,
            right.key.n,
        )
        assert left.passages_total == right.passages_total
        assert left.leaves == right.leaves
        assert [(each.n, each.leaves) for each in left.passages] == [
            (each.n, each.leaves) for each in right.passages
        ]


def assert_equal_parts(
    pairs: Sequence[tuple[Sequence[LeafScore] | None, Sequence[LeafScore] | None]],
) -> None:
    """Assert that the parts of scores are equal to 1e-4."""
    for one, other in pairs:
        assert one is not None
        assert other is not None
        assert [part.text for part in one] == [part.text for part in other]
        for left, right in zip(one, other, strict=True):
            assert left.article == pytest.approx(right.article, abs=1e-4)
            assert left.paragraph == pytest.approx(right.paragraph, abs=1e-4)


def _place(hit: Any) -> tuple[Any, ...]:
    return (round(hit.score, 4), hit.id, hit.key.n or 0)


def written(random: Random, number: int) -> Article:
    """An article of several paragraphs, always the same of one number."""

    def text() -> str:
        return " ".join(random.choices(WORDS, k=random.randint(1, 12)))

    return article(
        f"a{number}",
        *[text() for _ in range(random.randint(1, 6))],
        headline=random.choice((None, text())),
        byline=random.choice((None, text())),
        keywords=random.choice(([], ["truce"], ["Truce", "the cafe"])),
        urgency=random.choice((None, 1, 5)),
        published=random.choice((None, "2020-01-01", "2020-02-01")),
        language=random.choice((None, "en", "fr")),
        status=random.choice(("usable", "usable", "usable", "withheld")),
    )
