"""Suggestions: completions of a query that is being typed, and corrections."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from index.engines import Page, Snapshot
from index.errors import SearchTimeout
from index.query import And, FacetRequest, Prefix, Search, Term, scoring_leaves
from index.store import View
from index.text import fold, query_forms

# Fields whose values are suggested.
_FIELDS = ("people", "organisations", "places", "subjects", "section", "source")
_CORRECTED_WORDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A way to continue what was typed.

    :param type: ``word``, ``headline``, or the field that it is a value of.
    :param articles: number of visible articles that have it.
    :param id: of the article, if it is a headline.
    """

    text: str
    type: str
    articles: int
    id: str | None = None


def suggestions(
    snapshot: Snapshot, view: View, search: Search, q: str
) -> tuple[Suggestion, ...]:
    """Names, words and headlines that continue what was typed.

    Names first, then words if a single word was typed, then headlines that hold all
    words but the last and a word that starts with the last. Names and words by
    frequency; headlines newest first.

    :param search: for everything, newest first, in headlines; its limit is that of the
        suggestions.
    """
    forms = query_forms(q)
    if not forms:
        return ()
    offers = _names(snapshot, search, q)
    if len(forms) == 1:
        offers += [
            Suggestion(text=word.text, type="word", articles=word.articles)
            for word in snapshot.completions(fold(forms[0]), search, search.limit)
        ]
    page = snapshot.search(replace(search, query=_starting(forms)))
    articles = view.many([(hit.id, hit.version) for hit in page.hits])
    offers += [
        Suggestion(
            text=articles[hit.id, hit.version].headline or "",
            type="headline",
            articles=1,
            id=hit.id,
        )
        for hit in page.hits
    ]
    return tuple(offers[: search.limit])


def did_you_mean(snapshot: Snapshot, search: Search, page: Page, q: str) -> str | None:
    """Query with corrections of the words that no article has; ``None`` without any.

    :param page: the query's answer, with the count of each word.
    """
    try:
        return _corrected(snapshot, search, page, q)
    except SearchTimeout:
        return None  # the answer is complete without a correction


def _corrected(snapshot: Snapshot, search: Search, page: Page, q: str) -> str | None:
    corrected = q
    counts = zip(scoring_leaves(search.query), page.terms, strict=True)
    absent = [leaf for leaf, count in counts if count.articles == 0]
    for leaf in absent[:_CORRECTED_WORDS]:
        # A word of one or two letters is one edit from too many others.
        if isinstance(leaf, Term) and len(leaf.form) > 2:
            similar = snapshot.correction(leaf.form, search)
            if similar is not None:
                word = re.compile(rf"(?<!\w){re.escape(leaf.text)}(?!\w)")
                corrected = similar.join(word.split(corrected))
    return corrected if corrected != q else None


def _names(snapshot: Snapshot, search: Search, q: str) -> list[Suggestion]:
    """Values of fields that start with what was typed, the most frequent first."""
    facets = tuple(FacetRequest(field=name, prefix=q.strip()) for name in _FIELDS)
    page = snapshot.search(
        replace(search, limit=0, facets=facets, facet_size=search.limit)
    )
    names = [
        Suggestion(text=value.value, type=facet.field, articles=value.count)
        for facet in page.facets
        for value in facet.values
    ]
    names.sort(key=lambda name: -name.articles)
    return names[: search.limit]


def _starting(forms: Sequence[str]) -> And:
    """Query for all words but the last, and for words that start with the last."""
    *words, last = forms
    return And((*(Term(form) for form in words), Prefix(fold(last))))
