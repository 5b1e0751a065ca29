"""Facts: what is known about an article, by name; each value is the search for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from index import dates
from index.article import FILTERABLE, Article, Concept
from index.history import Chain, Member, Relation
from service.pages.address import Address, Pair, article_address
from service.pages.names import value_name
from service.pages.results import Zone
from service.pages.writing import local_day

_CONCEPTS = (
    *("authors", "subjects", "people", "organisations", "places", "keywords", "genre"),
)
_VALUES = ("language", "type", "story", "urgency")
_LINES = ("slugline", "dateline")
_SPECIAL = re.compile(r'["\\]')  # what ends a phrase, or escapes
_MOST_SEARCHED = 200  # characters of a line that is searched for as a phrase


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the article.

    :param href: the search for it; blank if there is none.
    :param code: vocabulary and code of a concept; blank if it is from none.
    """

    text: str
    href: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A named group of values."""

    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Finder:
    """Searches for the values of an article.

    :param root: prefix of the service's paths.
    :param zone: the time zone of the page, in which its days are searched.
    """

    root: str
    zone: Zone

    def filter(self, field: str, text: str | None) -> Value | None:
        """A value that is a filter, by its name; ``None`` without it."""
        if text is None:
            return None
        return Value(value_name(field, text), self._href((field, text)))

    def line(self, field: str, text: str | None) -> Value | None:
        """A line whose words are searched for; ``None`` without it."""
        if text is None:
            return None
        if len(text) > _MOST_SEARCHED:
            return Value(text)
        return Value(text, self._href(("q", f'{field}:"{_SPECIAL.sub(" ", text)}"')))

    def concept(self, field: str, concept: Concept) -> Value:
        """A concept, with its code."""
        code = " ".join(filter(None, (concept.scheme, concept.code))) or concept.uri
        href = self._href((field, concept.name)) if field in FILTERABLE else ""
        return Value(concept.name, href, code or "")

    def day(self, field: str, at: datetime | None) -> Value | None:
        """An instant, which is searched for by its day."""
        if at is None:
            return None
        day = local_day(at, self.zone.rules)
        pairs: list[Pair] = [("from", day), ("to", day)]
        if field != "published":
            pairs.append(("date", field))
        if self.zone.name != "UTC":
            pairs.append(("tz", self.zone.name))
        return Value(self.written(at), self._href(*pairs))

    def written(self, at: datetime) -> str:
        """An instant as people write it."""
        instant = self.zone.instant(dates.iso(at))
        return f"{instant.day}, {instant.time or '00:00'} {instant.zone}"

    def _href(self, *pairs: Pair) -> str:
        return str(Address(f"{self.root}/", pairs))


def facts_of(article: Article, chain: Chain, finder: Finder) -> tuple[Fact, ...]:
    """Facts of an article as a reader may see it, which never has notes to editors.

    :param chain: of the article, as far as the reader may see it.
    """
    return tuple(_facts(article, chain, finder))


def _facts(article: Article, chain: Chain, finder: Finder) -> Iterator[Fact]:
    for name in ("published", "updated"):
        yield from _fact(name, finder.day(name, getattr(article, name)))
    yield from _fact("section", finder.filter("section", article.section))
    yield from _fact("source", finder.filter("source", article.source))
    yield from _fact("byline", finder.line("byline", article.byline))
    for name in _CONCEPTS:
        concepts: tuple[Concept, ...] = getattr(article, name)
        values = dict.fromkeys(finder.concept(name, concept) for concept in concepts)
        if values:
            yield Fact(_title(name), tuple(values))
    for name in _VALUES:
        value = getattr(article, name)
        text = None if value is None else str(value)
        yield from _fact(name, finder.filter(name, text))
    for name in _LINES:
        yield from _fact(name, finder.line(name, getattr(article, name)))
    for name in ("embargoed_until", "expires"):
        at: datetime | None = getattr(article, name)
        yield from _fact(name, None if at is None else Value(finder.written(at)))
    yield from _chain(article, chain, finder)
    yield Fact("Id", (Value(article.id),))


def _chain(article: Article, chain: Chain, finder: Finder) -> Iterator[Fact]:
    """Yield what an article evolved from, and what evolved from it."""
    earlier = [each for each in chain.members if each.relation is Relation.EARLIER]
    values = [_member(each, finder) for each in earlier]
    named = article.evolved_from
    if named is not None and named not in [each.id for each in earlier]:
        # It is not here yet, or no longer, or not for this reader.
        values.append(Value(named, str(article_address(finder.root, named))))
    if values:
        yield Fact("Evolved from", tuple(values))
    if later := later_of(chain, finder):
        yield Fact("Superseded by", later)


def later_of(chain: Chain, finder: Finder) -> tuple[Value, ...]:
    """The articles that evolved from one, with links to them."""
    return tuple(
        _member(each, finder)
        for each in chain.members
        if each.relation is Relation.LATER
    )


def _member(member: Member, finder: Finder) -> Value:
    href = str(article_address(finder.root, member.id))
    return Value(member.headline or member.id, href)


def _fact(name: str, value: Value | None) -> Iterator[Fact]:
    if value is not None:
        yield Fact(_title(name), (value,))


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()
