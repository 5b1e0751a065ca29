"""A search request as callers send it, and its translation into a search."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from index import dates
from index.article import (
    ARTICLE_FIELDS,
    DATE_FIELD_NAMES,
    FACETABLE,
    FIELD_BY_NAME,
    FILTERABLE,
    PLACES,
    Kind,
    field_names,
)
from index.deadline import Deadline
from index.errors import InvalidValue, LimitExceeded, UnknownField
from index.query.cursor import decode_cursor, search_digest
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
from index.query.statistics import weighted_leaves
from index.settings import Settings
from index.text import ANALYZER_VERSION

# Article fields in a hit by default; ``id`` and ``version`` are always there.
SHORT_FIELDS = (*field_names(returned=True), "url")
# Hits return paragraphs as passages, and notes to editors to nobody.
RETURNABLE = tuple(
    name for name in ARTICLE_FIELDS if name not in ("paragraphs", "ed_note")
)
MAX_FACET_SIZE = 1_000
MAX_FACETS = 20
MAX_PASSAGES = 20
MAX_PASSAGE_LENGTH = 100_000  # characters
MAX_DIGITS = 18  # of a number, so that it fits into 64 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The parameters of a search, named as in the HTTP API and on the command line.

    An example::

        Request(q="kerry talks", since="2016-09", sort=Sort.NEWEST, limit=20)

    :param within: the fields to search, a key of :data:`index.article.PLACES`; ``in``
        in the API.
    :param since: earliest date, as :func:`index.dates.period` reads it; ``from`` in the
        API.
    :param until: latest date, the whole day or month included; ``to`` in the API.
    :param date: the field that ``since`` and ``until`` apply to.
    :param sort: default: relevance with a query, newest without.
    :param page: from 1; cannot be combined with ``cursor``.
    :param facets: each ``FIELD`` or ``FIELD:interval``.
    :param facet_prefix: count only facet values that start with it, ignoring case.
    :param passage_length: in characters, cut at sentence ends; 0 for whole paragraphs.
    :param fields: article fields to return; empty for :data:`SHORT_FIELDS`.
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
        """The requested order, or the default for this request."""
        if self.sort is not None:
            return self.sort
        return Sort.RELEVANCE if self.q.strip() else Sort.NEWEST

    def bound_for(self, search: Search, formula: object) -> str:
        """Digest of the search, its reader and its scoring, which binds its cursors.

        :param search: as this request was compiled.
        :param formula: version of the formula of scores.
        """
        return search_digest(
            search.reader,
            self.q,
            self.within,
            self.scope.value,
            self.unit.value,
            sorted(map(repr, self.filters)),
            (self.since, self.until, self.date, self.tz),
            self.order.value,
            weighted_leaves(search.query, search.places),
            (ANALYZER_VERSION, formula),
        )


def compile_request(
    request: Request,
    *,
    settings: Settings,
    now: datetime,
    reader: Reader = PUBLIC,
    hidden: frozenset[str] = frozenset(),
    deadline: Deadline | None = None,
) -> tuple[Search, Parsed]:
    """Translate a request into a search, and parse its query.

    The search begins at the first hit: see :func:`continued` for a cursor.

    :param now: the instant that relative dates count from and visibility is decided at.
    :param reader: what the caller may read.
    :param hidden: ids to leave out, whatever the index holds.
    :raises InputError: a parameter is invalid; the error names it.
    """
    tz = _zone(request.tz)
    _check_sizes(request, settings)
    parsed = parse(request.q, settings=settings, tz=tz, now=now, strict=request.strict)
    page = 1 if request.page is None else request.page
    search = Search(
        query=parsed.query,
        now=now,
        reader=reader,
        places=_places(request.within),
        scope=request.scope,
        unit=request.unit,
        filters=tuple(map(checked_filter, request.filters)),
        dates=_dates(request, tz, now),
        sort=request.order,
        limit=request.limit,
        offset=(page - 1) * request.limit,
        facets=tuple(_facet(text, request.facet_prefix) for text in request.facets),
        facet_size=request.facet_size,
        passages=request.passages,
        tz=request.tz,
        hidden=hidden,
        deadline=deadline,
        explain=request.explain,
    )
    return search, parsed


def continued(request: Request, search: Search, *, key: bytes, bound: str) -> Search:
    """A search that goes on after the cursor of its request.

    :param search: as the request was compiled.
    :param key: what the store's cursors are encrypted with.
    :param bound: from :meth:`Request.bound_for`.
    :raises InvalidValue: the cursor is not one of this store, or was changed.
    :raises CursorMismatch: it belongs to another search.
    """
    assert request.cursor is not None, "there is a cursor to go on after"
    after, statistics = decode_cursor(
        request.cursor, search=search, bound=bound, key=key
    )
    return replace(search, after=after, statistics=statistics)


def _zone(name: str) -> tzinfo:
    try:
        return dates.zone(name)
    except ValueError as error:
        raise InvalidValue("tz", str(error), got=name) from error


def _places(within: str) -> tuple[str, ...]:
    if within not in PLACES:
        choices = ", ".join(PLACES)
        raise InvalidValue("in", f"choose from {choices}", got=within)
    return PLACES[within]


def _check_sizes(request: Request, settings: Settings) -> None:
    for name, value, limit in (
        ("limit", request.limit, settings.limit),
        ("facet_size", request.facet_size, MAX_FACET_SIZE),
        ("facet", len(request.facets), MAX_FACETS),
        ("passages", request.passages, MAX_PASSAGES),
        ("passage_length", request.passage_length, MAX_PASSAGE_LENGTH),
    ):
        if value < 0:
            raise InvalidValue(name, "must be 0 or more", got=value)
        if value > limit:
            raise LimitExceeded(name, limit=limit, got=value)
    for name in request.fields:
        if name not in RETURNABLE:
            raise UnknownField(name, allowed=RETURNABLE, parameter="fields")
    if request.page is None:
        return
    if request.cursor is not None:
        raise InvalidValue(
            "page", "cannot be combined with cursor; send one of them", got=request.page
        )
    if request.page < 1:
        raise InvalidValue(
            "page", "must be 1 or more", got=request.page, code="page_out_of_range"
        )
    if request.page * request.limit > settings.window:
        raise LimitExceeded(
            "page",
            limit=settings.window,
            got=request.page * request.limit,
            code="page_out_of_range",
        )


def checked_filter(condition: Filter) -> Filter:
    """A filter with its values in the form that the index holds.

    :raises UnknownField: it is not on a field that can be filtered by.
    :raises InvalidValue: a value does not fit the field.
    """
    if condition.field not in FILTERABLE:
        raise UnknownField(
            condition.field, allowed=FILTERABLE, parameter=condition.field
        )
    if FIELD_BY_NAME[condition.field].kind is not Kind.INTEGER:
        return condition
    return replace(
        condition,
        values=tuple(_whole(condition.field, value) for value in condition.values),
    )


def _whole(name: str, text: str) -> str:
    digits = text.strip()
    if not (digits.isascii() and digits.isdecimal()):
        raise InvalidValue(name, "must be a whole number", got=text)
    if len(digits) > MAX_DIGITS:
        raise InvalidValue(name, f"must have at most {MAX_DIGITS} digits", got=text)
    return str(int(digits))


def _dates(request: Request, tz: tzinfo, now: datetime) -> Range | None:
    if request.date not in DATE_FIELD_NAMES:
        choices = ", ".join(DATE_FIELD_NAMES)
        raise InvalidValue("date", f"choose from {choices}", got=request.date)
    if request.since is None and request.until is None:
        return None
    spans = [
        _period(name, text, tz, now)
        for name, text in (("from", request.since), ("to", request.until))
        if text is not None
    ]
    low = None if request.since is None else dates.micros(spans[0][0])
    high = None if request.until is None else dates.micros(spans[-1][1]) - 1
    if low is not None and high is not None and low > high:
        # A day that the zone left out is an empty range.
        is_empty = any(start == after for start, after in spans)
        if not is_empty or spans != sorted(spans):
            raise InvalidValue("from", "is later than to; swap them", got=request.since)
    return Range(request.date, low, high)


def _period(
    name: str, text: str, tz: tzinfo, now: datetime
) -> tuple[datetime, datetime]:
    try:
        return dates.period(text, tz=tz, now=now)
    except ValueError as error:
        raise InvalidValue(name, str(error), got=text) from error


def _facet(text: str, prefix: str) -> FacetRequest:
    name, colon, interval = text.partition(":")
    if name not in FACETABLE:
        raise UnknownField(name, allowed=FACETABLE, parameter="facet")
    if FIELD_BY_NAME[name].kind is not Kind.DATE:
        if colon:
            raise InvalidValue("facet", f"{name} is not a date; leave out the interval")
        return FacetRequest(field=name, prefix=prefix)
    if prefix:
        raise InvalidValue("prefix", f"{name} is a date; leave out the prefix")
    try:
        return FacetRequest(
            field=name, interval=Interval(interval) if colon else Interval.AUTO
        )
    except ValueError:
        choices = ", ".join(Interval)
        raise InvalidValue(
            "facet", f"choose an interval from {choices}", got=interval
        ) from None
