"""A search as a person or program asks for it, and what it means to an engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from index import dates
from index.article import ARTICLE_FIELDS, Kind, fields
from index.errors import InvalidValue, LimitExceeded, UnknownField
from index.query import cursor
from index.query.grammar import Parsed, parse
from index.query.nodes import Range
from index.query.search import (
    PUBLIC,
    FacetRequest,
    Filter,
    Interval,
    Reader,
    Scope,
    Search,
    Sort,
    Unit,
)
from index.settings import Settings

# What a hit tells of its article unless asked for more; ``id`` and ``version`` always.
SHORT_FIELDS = (*fields.field_names(returned=True), "url")
# Paragraphs are passages here, and notes to editors are nobody's else.
RETURNABLE = tuple(
    name for name in ARTICLE_FIELDS if name not in ("paragraphs", "ed_note")
)
MAX_FACET_SIZE = 1_000
MAX_FACETS = 20
MAX_PASSAGES = 20
MAX_PASSAGE_LENGTH = 100_000  # characters
MAX_DIGITS = 18  # of a number, which has 64 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The parameters of a search, named as the HTTP API and the command line name them.

    :param within: where words are sought, a key of :data:`index.article.PLACES`; ``in``
        in the API.
    :param since: ``from`` in the API; a date as :func:`index.dates.period` reads it.
    :param until: ``to`` in the API; the whole of the day or month it names is included.
    :param date: the field that ``since`` and ``until`` are about.
    :param sort: by default relevance with text, newest without.
    :param page: from 1; not together with ``cursor``.
    :param facets: ``FIELD`` or ``FIELD:interval``.
    :param facet_prefix: only facet values that start like this, without case.
    :param passage_length: characters, cut at sentence ends; 0 is the whole paragraph.
    :param fields: article fields to return; empty is the short set.
    """

    q: str = ""
    within: str = "text"
    scope: Scope = Scope.ARTICLE
    unit: Unit = Unit.ARTICLE
    filters: tuple[Filter, ...] = ()
    since: str | None = None
    until: str | None = None
    date: str = "published"
    tz: str = "UTC"
    sort: Sort | None = None
    limit: int = 10
    page: int | None = None
    cursor: str | None = None
    facets: tuple[str, ...] = ()
    facet_size: int = 10
    facet_prefix: str = ""
    passages: int = 3
    passage_length: int = 0
    fields: tuple[str, ...] = ()
    strict: bool = False
    explain: bool = False

    @property
    def order(self) -> Sort:
        """The sort asked for, or the one that is meant without."""
        if self.sort is not None:
            return self.sort
        return Sort.RELEVANCE if self.q.strip() else Sort.NEWEST

    def bound_for(self, reader: Reader) -> str:
        """Return what a cursor of this search is bound to, for one who reads."""
        return cursor.search_digest(
            reader,
            self.q,
            self.within,
            self.scope.value,
            self.unit.value,
            sorted(map(repr, self.filters)),
            (self.since, self.until, self.date, self.tz),
            self.order.value,
        )


def compile_request(
    asked: Request,
    *,
    settings: Settings,
    now: datetime,
    reader: Reader = PUBLIC,
    hidden: frozenset[str] = frozenset(),
    deadline: float | None = None,
) -> tuple[Search, Parsed]:
    """Return the search that a request means, and how its text was taken.

    :param now: the instant of relative dates and of visibility.
    :param reader: who is to be answered.
    :raises InputError: a parameter is wrong, named in the error.
    """
    tz = _zone(asked.tz)
    _check_sizes(asked, settings)
    parsed = parse(asked.q, settings=settings, tz=tz, now=now, strict=asked.strict)
    page = 1 if asked.page is None else asked.page
    search = Search(
        query=parsed.query,
        now=now,
        reader=reader,
        places=_places(asked.within),
        scope=asked.scope,
        unit=asked.unit,
        filters=tuple(checked_filter(each) for each in asked.filters),
        dates=_dates(asked, tz, now),
        sort=asked.order,
        limit=asked.limit,
        offset=(page - 1) * asked.limit,
        after=None
        if asked.cursor is None
        else cursor.decode(asked.cursor, asked.bound_for(reader)),
        facets=tuple(_facet(each, asked.facet_prefix) for each in asked.facets),
        facet_size=asked.facet_size,
        passages=asked.passages,
        tz=asked.tz,
        hidden=hidden,
        deadline=deadline,
        explain=asked.explain,
    )
    return search, parsed


def _zone(name: str) -> tzinfo:
    try:
        return dates.zone(name)
    except ValueError as error:
        raise InvalidValue("tz", str(error), got=name) from error


def _places(within: str) -> tuple[str, ...]:
    if within not in fields.PLACES:
        choices = ", ".join(fields.PLACES)
        raise InvalidValue("in", f"choose from {choices}", got=within)
    return fields.PLACES[within]


def _check_sizes(asked: Request, settings: Settings) -> None:
    for name, value, most in (
        ("limit", asked.limit, settings.limit),
        ("facet_size", asked.facet_size, MAX_FACET_SIZE),
        ("facet", len(asked.facets), MAX_FACETS),
        ("passages", asked.passages, MAX_PASSAGES),
        ("passage_length", asked.passage_length, MAX_PASSAGE_LENGTH),
    ):
        if value < 0:
            raise InvalidValue(name, "must be 0 or more", got=value)
        if value > most:
            raise LimitExceeded(name, limit=most, got=value)
    for name in asked.fields:
        if name not in RETURNABLE:
            raise UnknownField(name, allowed=RETURNABLE, parameter="fields")
    if asked.page is None:
        return
    if asked.cursor is not None:
        raise InvalidValue(
            "page", "cannot go with cursor; send one of them", got=asked.page
        )
    if asked.page < 1:
        raise InvalidValue(
            "page", "must be 1 or more", got=asked.page, code="page_out_of_range"
        )
    if asked.page * asked.limit > settings.window:
        raise LimitExceeded(
            "page",
            limit=settings.window,
            got=asked.page * asked.limit,
            code="page_out_of_range",
        )


def checked_filter(wanted: Filter) -> Filter:
    """Return a filter with its values as the index has them.

    :raises UnknownField: its field is none that filters.
    :raises InvalidValue: a value is not of its kind.
    """
    if wanted.field not in fields.FILTERABLE:
        raise UnknownField(
            wanted.field, allowed=fields.FILTERABLE, parameter=wanted.field
        )
    if fields.FIELD_BY_NAME[wanted.field].kind is not Kind.INTEGER:
        return wanted
    return Filter(
        field=wanted.field,
        values=tuple(_whole(wanted.field, value) for value in wanted.values),
        missing=wanted.missing,
        exclude=wanted.exclude,
    )


def _whole(name: str, text: str) -> str:
    digits = text.strip()
    if not (digits.isascii() and digits.isdecimal()):
        raise InvalidValue(name, "must be a whole number", got=text)
    if len(digits) > MAX_DIGITS:
        raise InvalidValue(name, f"at most {MAX_DIGITS} digits", got=text)
    return str(int(digits))


def _dates(asked: Request, tz: tzinfo, now: datetime) -> Range | None:
    if asked.date not in fields.DATE_FIELD_NAMES:
        choices = ", ".join(fields.DATE_FIELD_NAMES)
        raise InvalidValue("date", f"choose from {choices}", got=asked.date)
    if asked.since is None and asked.until is None:
        return None
    low = high = None
    if asked.since is not None:
        low = dates.micros(_period("from", asked.since, tz, now)[0])
    if asked.until is not None:
        high = dates.micros(_period("to", asked.until, tz, now)[1]) - 1
    if low is not None and high is not None and low > high:
        raise InvalidValue("from", "is later than to; swap them", got=asked.since)
    return Range(asked.date, low, high)


def _period(
    name: str, text: str, tz: tzinfo, now: datetime
) -> tuple[datetime, datetime]:
    try:
        return dates.period(text, tz=tz, now=now)
    except ValueError as error:
        raise InvalidValue(name, str(error), got=text) from error


def _facet(text: str, prefix: str) -> FacetRequest:
    name, colon, interval = text.partition(":")
    if name not in fields.FACETABLE:
        raise UnknownField(name, allowed=fields.FACETABLE, parameter="facet")
    if fields.FIELD_BY_NAME[name].kind is not Kind.DATE:
        if colon:
            raise InvalidValue("facet", f"{name} is no date; leave out the interval")
        return FacetRequest(field=name, prefix=prefix)
    if prefix:
        raise InvalidValue("prefix", f"{name} is a date; leave the prefix out")
    try:
        return FacetRequest(
            field=name, interval=Interval(interval) if colon else Interval.AUTO
        )
    except ValueError:
        choices = ", ".join(Interval)
        raise InvalidValue(
            "facet", f"choose an interval from {choices}", got=interval
        ) from None
