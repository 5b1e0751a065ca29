"""Addresses of searches: the whole state of a page, and the links that change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from index.article import DATE_FIELDS
from index.errors import LimitExceeded
from index.query import Request, Sort, filter_key
from index.query import Scope as QueryScope

# Places in the list of hits; they mean nothing once the list is another one.
_PLACE = ("page", "cursor")
_PERIOD = ("from", "to", "date")
_EXCLUDE, _MISSING = "exclude.", "missing."

# Characters of the addresses in the links of a page, all together.
_MOST_IN_LINKS = 8_000_000
_LINKS_ASIDE = 200  # beside hits, filters and facets: those of the histogram and others
_PERIODS = 1_000  # of a date facet, at most

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Address:
    """Address of a search, as its parameters in order.

    Each method returns another address. All but :meth:`after` and :meth:`showing` start
    at the first hit.

    :param path: of the page, with the prefix of a proxy.
    :param pairs: names and values of parameters.
    """

    path: str
    pairs: tuple[Pair, ...] = ()

    @classmethod
    def of(cls, path: str, arguments: Mapping[str, Any]) -> Address:
        """Address of a search with the parameters that a view gets."""
        return cls(
            path,
            tuple(
                (name, _text(value))
                for name, values in arguments.items()
                for value in (values if isinstance(values, list) else [values])
            ),
        )

    def __str__(self) -> str:
        """The address as a link has it, percent-encoded."""
        query = "&".join(
            f"{_quoted(name)}={_quoted(value)}" for name, value in self.pairs
        )
        return f"{self.path}?{query}" if query else self.path

    def values(self, name: str) -> tuple[str, ...]:
        """Values of a parameter."""
        return tuple(value for other, value in self.pairs if other == name)

    def value(self, name: str, default: str = "") -> str:
        """First value of a parameter."""
        return next(iter(self.values(name)), default)

    def has(self, name: str, value: str) -> bool:
        """Whether a filter has a value, in any spelling."""
        key = filter_key(name, value)
        return any(filter_key(*pair) == key for pair in self.pairs if pair[0] == name)

    def start(self) -> Address:
        """The same search from its first hit."""
        return self.without(*_PLACE)

    def without(self, *names: str) -> Address:
        """The same search without some parameters."""
        dropped = {*names, *_PLACE}
        return self._of([pair for pair in self.pairs if pair[0] not in dropped])

    def setting(self, **values: str | None) -> Address:
        """The same search with parameters set to one value each; ``None`` drops one."""
        return self.start().showing(**values)

    def showing(self, **values: str | None) -> Address:
        """The same with parameters set, and at the same place in the hits."""
        pairs: list[Pair] = []
        left = dict(values)
        for name, value in self.pairs:
            if name not in values:
                pairs.append((name, value))
            elif (new := left.pop(name, None)) is not None:
                pairs.append((name, new))
        pairs += [(name, new) for name, new in left.items() if new is not None]
        return self._of(pairs)

    # Filters. A field is filtered by values, excludes values, or is without one.

    def adding(self, field: str, value: str) -> Address:
        """The search with one more value of a filter, which is no longer excluded."""
        return self._with(field, value, excluded=False)

    def excluding(self, field: str, value: str) -> Address:
        """The search with a value excluded, which is no longer selected."""
        return self._with(field, value, excluded=True)

    def removing(self, field: str, value: str) -> Address:
        """The search without a value of a filter, selected or excluded."""
        key = filter_key(field, value)
        names = (field, _EXCLUDE + field)
        return self._of(
            [
                (name, other)
                for name, other in self.start().pairs
                if name not in names or filter_key(field, other) != key
            ]
        )

    def keyed(self, field: str, *, excluded: bool = False) -> dict[object, str]:
        """Values that a field is filtered by, or that are excluded, each once.

        By their key: the same for all spellings of a value.
        """
        values = self.values(_EXCLUDE + field if excluded else field)
        return {filter_key(field, value): value for value in values}

    def lacks(self, field: str) -> bool:
        """Whether articles without a value of a field are selected."""
        return self.value(_MISSING + field) == "1"

    def filtered(self, field: str) -> bool:
        """Whether a field is filtered in any way."""
        names = (field, _EXCLUDE + field, _MISSING + field)
        return any(name in names for name, _ in self.pairs)

    def lacking(self, field: str, *, lacks: bool) -> Address:
        """The search with articles without a value of a field selected, or not."""
        kept = self.without(_MISSING + field)
        return self._of([*kept.pairs, (_MISSING + field, "1")]) if lacks else kept

    def toggling(self, field: str, value: str) -> Address:
        """The search with a value selected, or not any more if it is."""
        if self.has(field, value):
            return self.removing(field, value)
        return self.adding(field, value)

    def unfiltered(self, fields: tuple[str, ...]) -> Address:
        """The search without any filter or period."""
        names = [
            prefix + field for field in fields for prefix in ("", _EXCLUDE, _MISSING)
        ]
        return self.without(*names, *_PERIOD)

    # The rest of the search.

    def asking(self, q: str) -> Address:
        """The search with another query."""
        return self.setting(q=q or None)

    def dated(self, since: str | None, until: str | None, field: str) -> Address:
        """The search in a period of a date field; without either end, in none."""
        kept = self.without(*_PERIOD)
        ends = [("from", since), ("to", until)]
        period = [(name, value) for name, value in ends if value is not None]
        if period and field != "published":
            period.append(("date", field))
        return self._of([*kept.pairs, *period])

    def sorted_by(self, sort: Sort | None) -> Address:
        """The search in another order; ``None`` for the usual one."""
        return self.setting(sort=None if sort is None else sort.value)

    def scoped(self, scope: QueryScope) -> Address:
        """The search with its words in one article, or in one paragraph."""
        return self.setting(scope=None if scope is QueryScope.ARTICLE else scope.value)

    def after(self, cursor: str) -> Address:
        """The next page."""
        return self._of([*self.start().pairs, ("cursor", cursor)])

    def _with(self, field: str, value: str, *, excluded: bool) -> Address:
        name = _EXCLUDE + field if excluded else field
        return self._of([*self.removing(field, value).pairs, (name, value)])

    def _of(self, pairs: list[Pair]) -> Address:
        return replace(self, pairs=tuple(pairs))


def check_links(address: Address, request: Request, histogram: str = "") -> None:
    """Check that a page with the answer to a search is not made of its address.

    The address is the state, so it is in the links of filters, facets and hits.

    :param address: of the search, in which each filter has two links.
    :param histogram: the facet that is drawn, and listed only if the address names it.
    :raises LimitExceeded: the links would have millions of characters.
    """
    length = len(str(address))
    named = address.values("facet")
    links = (
        _LINKS_ASIDE
        + 2 * len(address.pairs)
        + sum(
            _PERIODS if name.partition(":")[0] in DATE_FIELDS else request.facet_size
            for name in request.facets
            if name != histogram or name in named
        )
        + request.limit * (request.passages + 2)
    )
    most = _MOST_IN_LINKS // links
    if length > most:
        raise LimitExceeded(
            "address",
            limit=most,
            got=length,
            detail=(
                f"this search has an address of {length:,} characters, and a page that"
                f" lists so much at most {most:,}; use fewer or shorter filters, list"
                " less, or ask the API"
            ),
        )


def article_address(
    root: str, article_id: str, pairs: tuple[Pair, ...] = ()
) -> Address:
    """Address of an article's page.

    :param root: prefix of the service's paths.
    :param pairs: parameters of the search that led to it, for the way back.
    """
    if article_id in (".", ".."):  # browsers take these out of a path
        return Address(f"{root}/article", (("id", article_id), *pairs))
    return Address(f"{root}/articles/{_quoted(article_id)}", pairs)


def versions_address(
    root: str, article_id: str, pairs: tuple[Pair, ...] = ()
) -> Address:
    """Address of the page of an article's versions.

    The id is no part of the path: another article's id may end with any word.
    """
    return Address(f"{root}/versions", (("id", article_id), *pairs))


def fragment(name: str) -> str:
    """The part of a link that leads to an element with this id."""
    return f"#{_quoted(name)}"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


def _quoted(text: str) -> str:
    return quote(text, safe=":")
