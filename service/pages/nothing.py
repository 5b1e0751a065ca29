"""No results: why a search has none, and which searches nearby have some."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from index.archive import Answer
from index.article import FILTERABLE
from index.errors import InputError, SearchTimeout
from index.query import Filter, Request
from index.query import Scope as QueryScope
from service.pages.address import Address
from service.pages.names import field_name
from service.pages.writing import counted

_TRIED = 6  # filters that are left out one by one, each with a search that counts
_WORDS = re.compile(r"\w+(?:\s+\w+)*")  # a query that is words, without any sign
# What a search changes and to which value, the changed search, and its address.
_Change = tuple[str, str, Request, Address]
_OPERATORS = frozenset(("AND", "OR", "NOT"))


@dataclass(frozen=True, slots=True)
class WordRow:
    """A word of the query, and the number of articles with it, as text."""

    text: str
    count: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A search to try instead.

    :param label: what it changes; ``value`` is what was typed or chosen, blank if the
        label says it all.
    :param count: articles that it finds, as text.
    """

    label: str
    value: str
    count: str
    href: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Why a search has no hits, and what to try.

    :param absent: words that no article has.
    :param present: the other words.
    :param offers: searches that have hits.
    """

    absent: tuple[str, ...]
    present: tuple[WordRow, ...]
    offers: tuple[Offer, ...]


def nothing_of(
    answer: Answer, request: Request, address: Address, count: Callable[[Request], int]
) -> Nothing:
    """What to say in place of hits.

    :param address: of the search.
    :param count: number of articles that a search finds for this reader; it may raise
        InputError or SearchTimeout. It is called at most ten times.
    """
    counts = dict(answer.terms)
    absent = tuple(text for text, number in counts.items() if not number)
    return Nothing(
        absent=absent,
        present=tuple(
            WordRow(text, counted(number, "article"))
            for text, number in counts.items()
            if number
        ),
        offers=tuple(_offers(absent, request, address, count)),
    )


def _offers(
    absent: tuple[str, ...],
    request: Request,
    address: Address,
    count: Callable[[Request], int],
) -> Iterator[Offer]:
    """Yield the searches that have hits, the nearest first."""
    plain = replace(
        request, limit=0, page=None, cursor=None, facets=(), passages=0, explain=False
    )
    has_hits = False
    try:
        for change in _changes(absent, plain, address, count):
            for offer in _counted(change, count):
                has_hits = True
                yield offer
        some = _any_of(request.q, absent)
        # Further from what was asked than all others.
        if some and not has_hits:
            label = "Search for any of these words"
            yield from _counted((label, "", *_asking(some, plain, address)), count)
    except SearchTimeout:
        return  # the page is complete without offers


def _counted(change: _Change, count: Callable[[Request], int]) -> Iterator[Offer]:
    """Yield the offer of a changed search, if it has hits."""
    label, value, changed, link = change
    try:
        number = count(changed)
    except InputError:
        return  # what is left is no query
    if number:
        yield Offer(label, value, counted(number, "article"), str(link))


def _changes(
    absent: tuple[str, ...],
    request: Request,
    address: Address,
    count: Callable[[Request], int],
) -> Iterator[_Change]:
    """Yield what to change, with the changed search and its address."""
    if left := _without(request.q, absent):
        yield "Search for", left, *_asking(left, request, address)
    if request.scope is QueryScope.PARAGRAPH:
        wide = replace(request, scope=QueryScope.ARTICLE)
        anywhere = address.scoped(QueryScope.ARTICLE)
        yield "Look for the words anywhere in the article", "", wide, anywhere
    narrowed = list(_narrowed(request, address))
    if not narrowed:
        return
    everything = replace(request, filters=(), since=None, until=None, within="text")
    # Where this finds nothing, leaving out one of the filters does not either.
    if len(narrowed) > 1:
        if not count(everything):
            return
        yield from narrowed[:_TRIED]
        unfiltered = address.unfiltered(FILTERABLE).without("in")
        yield "Search without any filter", "", everything, unfiltered
    else:
        yield from narrowed


def _asking(q: str, request: Request, address: Address) -> tuple[Request, Address]:
    return replace(request, q=q), address.asking(q)


def _narrowed(request: Request, address: Address) -> Iterator[_Change]:
    """Yield the search without each of its filters."""
    for each in request.filters:
        others = tuple(other for other in request.filters if other is not each)
        names = (
            (f"exclude.{each.field}",)
            if each.exclude
            else (each.field, f"missing.{each.field}")
        )
        yield (
            f"Leave out the filter {'not ' if each.exclude else ''}"
            f"{field_name(each.field).one}",
            _values(each),
            replace(request, filters=others),
            address.without(*names),
        )
    if request.since is not None or request.until is not None:
        yield (
            "Search in all years",
            "",
            replace(request, since=None, until=None),
            address.dated(None, None, "published"),
        )
    if request.within != "text":
        yield (
            "Look for the words in the whole text",
            "",
            replace(request, within="text"),
            address.without("in"),
        )


def _values(each: Filter) -> str:
    values = [*map(str, each.values), *(["none"] if each.missing else [])]
    return " or ".join(values)


def _without(q: str, absent: tuple[str, ...]) -> str:
    """A query of words without those that no article has; blank if none is left."""
    words = _words(q)
    left = [word for word in words if word not in absent]
    return " ".join(left) if len(left) < len(words) else ""


def _any_of(q: str, absent: tuple[str, ...]) -> str:
    """A query for articles with some of a query's words; blank if one is left."""
    words = dict.fromkeys(word for word in _words(q) if word not in absent)
    # Next to operators they would be taken for mistyped ones.
    left = [word for word in words if word.upper() not in _OPERATORS]
    return " OR ".join(left) if len(left) > 1 else ""


def _words(q: str) -> list[str]:
    """Words of a query; none if it has more than words."""
    words = q.split()
    plain = _WORDS.fullmatch(q.strip()) and not _OPERATORS.intersection(words)
    return words if plain else []
