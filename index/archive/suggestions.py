"""What somebody may be about to type, or may have meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from index.engines import Page, Snapshot
from index.errors import SearchTimeout
from index.query import And, FacetRequest, Prefix, Search, Term, scoring_leaves
from index.store import View
from index.text import fold, query_forms

# Fields whose values are offered.
_OFFERED = ("people", "organisations", "places", "subjects", "section", "source")
_CORRECTED_WORDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What somebody may be about to type.

    :param type: ``word``, ``headline``, or the field that it is a value of.
    :param articles: how many visible articles have it.
    :param id: of the article, for a headline.
    """

    text: str
    type: str
    articles: int
    id: str | None = None


def suggestions(
    snapshot: Snapshot, view: View, search: Search, q: str
) -> tuple[Suggestion, ...]:
    """Return names, words and headlines that go on from what was typed.

    Names first, then, for a single word, words, then headlines that hold the words
    before the last one and a word that starts like it. Within each, the commonest
    first; headlines newest first.

    :param search: for everything, newest first, in headlines; its limit is how many
        suggestions there are at most.
    """
    forms = query_forms(q)
    if not forms:
        return ()
    found = _names(snapshot, search, q)
    if len(forms) == 1:
        found += [
            Suggestion(text=each.text, type="word", articles=each.articles)
            for each in snapshot.words(fold(forms[0]), search, search.limit)
        ]
    page = snapshot.search(replace(search, query=_starting(forms)))
    texts = view.many([(hit.id, hit.version) for hit in page.hits])
    found += [
        Suggestion(
            text=texts[hit.id, hit.version].headline or "",
            type="headline",
            articles=1,
            id=hit.id,
        )
        for hit in page.hits
    ]
    return tuple(found[: search.limit])


def did_you_mean(snapshot: Snapshot, search: Search, page: Page, q: str) -> str | None:
    """Return the query with the words that nobody wrote put right, if that helps.

    :param page: what the query found, with the count of each word.
    """
    try:
        return _corrected(snapshot, search, page, q)
    except SearchTimeout:
        return None  # the answer is there; only its extra came too late


def _corrected(snapshot: Snapshot, search: Search, page: Page, q: str) -> str | None:
    corrected = q
    asked = zip(scoring_leaves(search.query), page.terms, strict=True)
    absent = [leaf for leaf, found in asked if found.articles == 0]
    for leaf in absent[:_CORRECTED_WORDS]:
        # A letter or two is within an edit of every other.
        if isinstance(leaf, Term) and len(leaf.form) > 2:
            better = snapshot.similar(leaf.form, search)
            if better is not None:
                word = re.compile(rf"(?<!\w){re.escape(leaf.text)}(?!\w)")
                corrected = better.join(word.split(corrected))
    return corrected if corrected != q else None


def _names(snapshot: Snapshot, search: Search, q: str) -> list[Suggestion]:
    wanted = tuple(FacetRequest(field=name, prefix=q.strip()) for name in _OFFERED)
    page = snapshot.search(
        replace(search, limit=0, facets=wanted, facet_size=search.limit)
    )
    found = [
        Suggestion(text=value.value, type=facet.field, articles=value.count)
        for facet in page.facets
        for value in facet.values
    ]
    found.sort(key=lambda each: -each.articles)
    return found[: search.limit]


def _starting(forms: Sequence[str]) -> And:
    *words, last = forms
    return And((*(Term(form) for form in words), Prefix(fold(last))))
