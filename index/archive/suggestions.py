"""Suggestions: completions of a query that is being typed, and corrections."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice, product

from index.deadline import Deadline, halfway_to, until
from index.engines import Page, Snapshot
from index.errors import InvalidQuery, SearchTimeout
from index.query import And, Prefix, Search, Term, scoring_leaves
from index.store import View
from index.text import fold, leads, query_forms, typed_words, value_key

# Fields whose values are suggested.
_FIELDS = ("people", "organisations", "places", "subjects", "section", "source")
# Corrections to try of each word, if one word is corrected, or two, or three: at most
# nine searches.
_TRIED_WORDS = (8, 3, 2)
_HEADLINES = 200  # articles whose headlines are read at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A way to continue what was typed.

    :param type: ``word``, ``headline``, or the field that it is a value of.
    :param articles: number of visible articles that have it.
    :param id: of the article, if it is a headline; the newest of several.
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
    words but the last and a word that starts with the last. Names of which the first
    word continues the first typed one before all others; names and words by frequency;
    headlines newest first, each once.

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
    left = search.limit - len(offers)
    if left > 0:
        offers += _headlines(snapshot, view, search, forms, left)
    return tuple(offers[: search.limit])


def did_you_mean(
    snapshot: Snapshot,
    search: Search,
    page: Page,
    q: str,
    search_for: Callable[[str, Deadline | None], Search],
) -> str | None:
    """Query with corrections of the words that no article has, if it has hits.

    ``None`` if no changed query that is tried has hits, or none of those that are tried
    in half of the time that is left: the answer needs the other half.

    :param page: the query's answer, with the count of each word.
    :param search_for: the same search for another query, by a deadline, which may raise
        InvalidQuery.
    """
    absent = _absent(search, page)
    if not absent:
        return None
    search = replace(search, deadline=halfway_to(search.deadline))
    try:
        for corrected in _corrected(snapshot, search, absent, q):
            with suppress(InvalidQuery):  # the correction made it too long
                if snapshot.search(search_for(corrected, search.deadline)).articles:
                    return corrected
    except SearchTimeout:
        pass  # the answer is complete without a correction
    return None


def _absent(search: Search, page: Page) -> list[Term]:
    """The first words of a query that no article has."""
    counts = zip(scoring_leaves(search.query), page.terms, strict=True)
    # A word of one or two letters is one edit from too many others.
    return [
        leaf
        for leaf, count in counts
        if count.articles == 0 and isinstance(leaf, Term) and len(leaf.form) > 2
    ][: len(_TRIED_WORDS)]


def _corrected(
    snapshot: Snapshot, search: Search, absent: Sequence[Term], q: str
) -> Iterator[str]:
    """Yield queries with corrected words, those with the closest words first."""
    tried = _TRIED_WORDS[len(absent) - 1]
    choices = [
        _Choices(leaf.text, snapshot.corrections(leaf.form, search)) for leaf in absent
    ]
    ranks = sorted(product(range(tried), repeat=len(absent)), key=sum)
    for chosen in ranks:
        corrected = q
        for leaf, of_leaf, rank in zip(absent, choices, chosen, strict=True):
            similar = of_leaf.at(rank)
            if similar is None:
                break
            word = re.compile(rf"(?<!\w){re.escape(leaf.text)}(?!\w)")
            corrected = similar.join(word.split(corrected))
        else:
            if corrected != q:
                yield corrected


class _Choices:
    """The words that a word may stand for, looked up one by one.

    Only the word itself if there is no other.
    """

    def __init__(self, text: str, corrections: Iterator[str]) -> None:
        self._words: list[str] = []
        self._others = corrections
        self._text = text

    def at(self, rank: int) -> str | None:
        """The word of a rank, 0 for the closest; ``None`` if there are fewer."""
        self._words += islice(self._others, max(0, rank + 1 - len(self._words)))
        if not self._words:
            self._words.append(self._text)
        return self._words[rank] if rank < len(self._words) else None


def _names(snapshot: Snapshot, search: Search, q: str) -> list[Suggestion]:
    """Values of fields with words that start with the typed ones."""
    typed = typed_words(q)
    if not typed:
        return []
    names = [
        Suggestion(text=name.text, type=field, articles=name.articles)
        for field in _FIELDS
        for name in snapshot.names(field, typed, search, search.limit)
    ]
    names.sort(key=lambda name: (not leads(name.text, typed), -name.articles))
    return names[: search.limit]


def _headlines(
    snapshot: Snapshot, view: View, search: Search, forms: Sequence[str], limit: int
) -> list[Suggestion]:
    """Different headlines with the typed words, among the newest :data:`_HEADLINES`.

    Each with its newest article and the number of all that have it.
    """
    page = snapshot.search(
        replace(search, query=_starting(forms), limit=_HEADLINES, passages=0)
    )
    of_page = _headlines_of(view, search, page)
    newest: dict[str, tuple[str, str]] = {}
    for hit, headline in zip(page.hits, of_page, strict=True):
        newest.setdefault(value_key(headline), (headline, hit.id))
    counts = Counter(map(value_key, of_page))
    return [
        Suggestion(
            text=headline,
            type="headline",
            articles=counts[key]
            if page.after is None
            else _articles_with(snapshot, view, search, headline),
            id=article_id,
        )
        for key, (headline, article_id) in islice(newest.items(), limit)
    ]


def _articles_with(
    snapshot: Snapshot, view: View, search: Search, headline: str
) -> int:
    """Number of visible articles with a headline, in any spelling."""
    words = And(tuple(Term(form) for form in dict.fromkeys(query_forms(headline))))
    wanted, count = value_key(headline), 0
    asked = replace(search, query=words, limit=_HEADLINES, passages=0)
    page = snapshot.search(asked)
    while True:
        count += [value_key(text) for text in _headlines_of(view, search, page)].count(
            wanted
        )
        if page.after is None:
            return count
        page = snapshot.search(replace(asked, after=page.after))


def _headlines_of(view: View, search: Search, page: Page) -> list[str]:
    check = until(search.deadline)
    headlines: dict[tuple[str, str], str] = {}
    for key, headline in view.headlines((hit.id, hit.version) for hit in page.hits):
        check()
        headlines[key] = headline or ""
    return [headlines[hit.id, hit.version] for hit in page.hits]


def _starting(forms: Sequence[str]) -> And:
    """Query for all words but the last, and for words that start with the last."""
    *words, last = forms
    return And((*(Term(form) for form in words), Prefix(fold(last))))
