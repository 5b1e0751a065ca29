"""The page at ``/``: one box, the articles that match, and what narrows them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from flask import Response, render_template, request

from index import dates
from index.archive import Answer, Question
from index.query import SHORT_FIELDS, Request, Sort
from index.query import Scope as QueryScope
from service.api import FormatSearchArguments, request_of
from service.authority import asks_for_keys, reader
from service.context import context
from service.exchange import Timing, conditional_response
from service.pages.address import Address, check_links
from service.pages.api_call import ApiCall, api_call_of
from service.pages.chips import Chip, chips_of
from service.pages.edition import edition
from service.pages.examples import examples_of
from service.pages.facets import (
    OTHER_FACETS,
    SIZE,
    FacetBox,
    boxes_of,
    counted_facets,
    date_facet,
    facets_address,
)
from service.pages.histogram import Histogram, histogram_of
from service.pages.nothing import nothing_of
from service.pages.periods import Span, span_of
from service.pages.reading import Said, reading_of
from service.pages.remarks import Remark, remarks_of
from service.pages.results import Results, Zone, results_of
from service.pages.writing import title_of

_PASSAGE_LENGTH = 400  # characters, unless the address says how many
_FIELDS = (*SHORT_FIELDS, "status", "embargoed_until")
_ORDERS = {
    Sort.RELEVANCE: "Best match",
    Sort.NEWEST: "Newest",
    Sort.OLDEST: "Oldest",
    Sort.UPDATED: "Last changed",
}
_SCOPES = {
    QueryScope.ARTICLE: "Anywhere",
    QueryScope.PARAGRAPH: "In one paragraph",
}


class SearchPageArguments(FormatSearchArguments):  # type: ignore[misc,valid-type]
    """Parameters of a search that mean something on a page."""

    class Meta:
        exclude = ("fields", "guard")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several ways to show the same search."""

    label: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class Form:
    """The form with the box.

    :param hidden: names and values of the search's other parameters.
    """

    q: str
    action: str
    hidden: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A query to try."""

    q: str
    href: str


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Everything that the page of a search shows.

    :param reading: what the query was read as, in words, if that is not plain to see.
    :param mistake: what is wrong with the search, in place of results; ``code`` is the
        code of that problem.
    :param other_facets: the page with the facets that are not counted for this one;
        blank if there are none.
    """

    title: str
    form: Form
    chips: tuple[Chip, ...] = ()
    clear: str = ""
    scopes: tuple[Choice, ...] = ()
    orders: tuple[Choice, ...] = ()
    results: Results | None = None
    boxes: tuple[FacetBox, ...] = ()
    reading: tuple[Said, ...] = ()
    other_facets: str = ""
    histogram: Histogram | None = None
    remarks: tuple[Remark, ...] = ()
    suggestion: Example | None = None
    examples: tuple[Example, ...] = ()
    api_call: ApiCall | None = None
    mistake: Remark | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class HitsPage:
    """Hits by themselves; ``whole`` is the address of their page."""

    title: str
    whole: str
    results: Results


def search(arguments: dict[str, Any]) -> Response:
    """Search page, or the newest articles if nothing was asked."""
    timing = Timing()
    address = Address.of(f"{request.script_root}/", arguments)
    search_request = _request_of(arguments)
    span = span_of(search_request, context().archive.clock())
    search_request = dataclasses.replace(
        search_request, facets=counted_facets(search_request, address, span)
    )
    check_links(address, search_request, date_facet(search_request, span))
    with context().archive.asking(search_request, reader=reader()) as question:
        return conditional_response(
            question.tag(f"{edition()} {search_request!r} {address}"),
            lambda: _response(question, search_request, address, span, timing),
        )


def hits(arguments: dict[str, Any]) -> Response:
    """Hits of a search by themselves: what the script adds to a list.

    Nothing is counted that such a page does not show.
    """
    timing = Timing()
    address = Address.of(f"{request.script_root}/", arguments)
    search_request = dataclasses.replace(_request_of(arguments), facets=())
    check_links(address, search_request)
    with context().archive.asking(search_request, reader=reader()) as question:
        return conditional_response(
            question.tag(f"{edition()} hits {search_request!r} {address}"),
            lambda: _hits_response(question, search_request, address, timing),
        )


def form_of(address: Address) -> Form:
    """The form of a search."""
    kept = address.without("q")
    return Form(q=address.value("q"), action=address.path, hidden=kept.pairs)


def zone_of(name: str) -> Zone:
    """The time zone of a page, by its name."""
    return Zone(dates.zone(name), name, context().archive.clock())


def render(page: SearchPage) -> str:
    """HTML of a search page."""
    return render_template("search.html", page=page)


def _request_of(arguments: dict[str, Any]) -> Request:
    defaults = {
        # Without words to look for, the beginning says what an article is about.
        "passages": 3 if arguments.get("q", "").strip() else 1,
        "passage_length": _PASSAGE_LENGTH,
        "facet_size": SIZE,
    }
    return dataclasses.replace(request_of({**defaults, **arguments}), fields=_FIELDS)


def _response(
    question: Question,
    search_request: Request,
    address: Address,
    span: Span,
    timing: Timing,
) -> Response:
    answer = question.answer()
    histogram = date_facet(search_request, span)
    facets = dict(zip(search_request.facets, answer.facets, strict=True))
    dated = facets.get(histogram)
    boxes = [
        facet
        for name, facet in facets.items()
        if name != histogram or name in address.values("facet")
    ]
    root = request.script_root
    zone = zone_of(search_request.tz)
    chips = chips_of(address)
    asked = bool(search_request.q.strip())
    nothing = (
        None
        if answer.articles
        else nothing_of(answer, search_request, address, question.count)
    )
    timing.done("search")
    page = SearchPage(
        title=title_of(search_request.q),
        form=form_of(address),
        chips=chips,
        clear=str(Address(address.path).asking(search_request.q)) if chips else "",
        scopes=_scopes(search_request, address) if asked else (),
        orders=_orders(search_request, address) if answer.articles > 1 else (),
        results=results_of(answer, address, root, zone, nothing),
        reading=reading_of(question.query),
        boxes=boxes_of(boxes, address, search_request.facet_size, root=root),
        other_facets=_other_facets(answer, search_request, address),
        histogram=(
            None
            if dated is None
            else histogram_of(dated, address, span, search_request.tz)
        ),
        remarks=remarks_of(search_request.q, answer.warnings),
        suggestion=_suggestion(answer, address),
        examples=()
        if address.pairs
        else tuple(Example(q, str(address.asking(q))) for q in examples_of(answer)),
        api_call=api_call_of(
            address,
            request.host_url.rstrip("/"),
            request.script_root,
            needs_key=asks_for_keys(),
        ),
    )
    response = Response(render(page), content_type="text/html; charset=utf-8")
    timing.done("write")
    return timing.add_to(response)


def _scopes(search_request: Request, address: Address) -> tuple[Choice, ...]:
    return tuple(
        Choice(label, str(address.scoped(scope)), search_request.scope is scope)
        for scope, label in _SCOPES.items()
    )


def _orders(search_request: Request, address: Address) -> tuple[Choice, ...]:
    usual = dataclasses.replace(search_request, sort=None).order
    return tuple(
        Choice(
            label,
            str(address.sorted_by(None if sort is usual else sort)),
            search_request.order is sort,
        )
        for sort, label in _ORDERS.items()
        # Without words all articles match alike.
        if sort is not Sort.RELEVANCE or search_request.q.strip()
    )


def _other_facets(answer: Answer, search_request: Request, address: Address) -> str:
    if not answer.articles or not set(OTHER_FACETS) - set(search_request.facets):
        return ""
    return str(facets_address(request.script_root, address.pairs))


def _suggestion(answer: Answer, address: Address) -> Example | None:
    q = answer.did_you_mean
    return None if q is None else Example(q, str(address.asking(q)))


def _hits_response(
    question: Question, search_request: Request, address: Address, timing: Timing
) -> Response:
    answer = question.answer()
    timing.done("search")
    zone = zone_of(search_request.tz)
    results = results_of(answer, address, request.script_root, zone, None)
    page = HitsPage(title_of(search_request.q), str(address), results)
    response = Response(
        render_template("hits.html", page=page),
        content_type="text/html; charset=utf-8",
    )
    timing.done("write")
    return timing.add_to(response)
