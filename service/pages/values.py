"""Pages of facets: the values of one, found by their beginning, and rarer facets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, render_template, request

from index.archive import Facet, Question
from index.query import folded_value
from service.api import request_of
from service.authority import reader
from service.context import context
from service.exchange import Text, Timing, Whole, conditional_response, decoded
from service.pages.address import Address, check_links
from service.pages.chips import Chip, chips_of
from service.pages.edition import edition
from service.pages.facets import (
    OTHER_FACETS,
    SIZE,
    FacetBox,
    FacetForm,
    boxes_of,
    facet_address,
)
from service.pages.names import field_name, value_name
from service.pages.search import Form, SearchPageArguments, form_of
from service.pages.writing import counted

LIST_SIZE = 200  # values on a page, unless the address says how many
MOST = 1_000


class ValuesPageArguments(SearchPageArguments):
    """Parameters of a search, and which values to list."""

    prefix = Text()
    values = Whole(1, MOST)


@dataclass(frozen=True, slots=True)
class ValuesPage:
    """The values of one or several facets.

    :param back: the search.
    :param find: the form for values by their beginning, if this is one facet.
    :param listed: how many values are listed, in words.
    :param everything: the same facet without a prefix; blank if there is none.
    :param longer: the same list with more values; blank if it has all or may not.
    """

    title: str
    form: Form
    chips: tuple[Chip, ...]
    back: str
    boxes: tuple[FacetBox, ...]
    find: FacetForm | None = None
    listed: str = ""
    everything: str = ""
    longer: str = ""


def facets(arguments: dict[str, Any]) -> Response:
    """Page of the facets that the page of a search does not count."""
    address = _search_address(arguments)
    shown = set(arguments.get("facet", ()))
    names = tuple(
        name
        for name in OTHER_FACETS
        if name not in shown and not address.filtered(name)
    )

    def page(counts: tuple[Facet, ...]) -> ValuesPage:
        return ValuesPage(
            title="More filters",
            form=form_of(address),
            chips=chips_of(address),
            back=str(address),
            boxes=boxes_of(counts, address, SIZE, root=request.script_root),
        )

    return _answer(
        arguments, address, page, facets=names, facet_prefix="", facet_size=SIZE
    )


def facet(arguments: dict[str, Any], field: str) -> Response:
    """Page of the values of one facet, the most frequent first."""
    field = decoded(field, "facet")
    address = _search_address(arguments)
    typed = arguments.get("prefix", "").strip()
    size = arguments.get("values", LIST_SIZE)
    # A language is typed by its name, which only pages know.
    by_name = field == "language" and bool(typed)

    def page(counts: tuple[Facet, ...]) -> ValuesPage:
        (found,) = counts
        if by_name:
            found = _named(found, typed)
        here = facet_address(request.script_root, found.field, address.pairs)
        boxes = boxes_of((found,), address, size, root=request.script_root)
        rows = [row for box in boxes for row in box.rows if row.listed]
        typing = here.setting(prefix=typed or None)
        left = found.distinct > len(rows) and size < MOST
        return ValuesPage(
            title=field_name(found.field).many,
            form=form_of(address),
            chips=chips_of(address),
            back=str(address),
            boxes=boxes,
            find=(
                FacetForm(here.path, typed, here.pairs)
                if found.interval is None
                else None
            ),
            listed=_listed(len(rows), found.distinct, typed),
            everything=str(here) if typed else "",
            longer=str(typing.setting(values=str(MOST))) if left else "",
        )

    return _answer(
        arguments,
        address,
        page,
        facets=(field,),
        facet_prefix="" if by_name else typed,
        facet_size=MOST if by_name else size,
    )


def _search_address(arguments: dict[str, Any]) -> Address:
    """Address of the search that the values narrow."""
    address = Address.of(f"{request.script_root}/", arguments)
    return address.without("prefix", "values")


def _answer(
    arguments: dict[str, Any],
    address: Address,
    page: Callable[[tuple[Facet, ...]], ValuesPage],
    **counted: Any,
) -> Response:
    timing = Timing()
    # The values are those of all hits, wherever in their list somebody is.
    placeless = {
        name: value
        for name, value in arguments.items()
        if name not in ("page", "cursor")
    }
    search_request = replace(request_of(placeless), limit=0, **counted)
    check_links(address, search_request)

    def response(question: Question) -> Response:
        counts = question.answer().facets
        timing.done("search")
        html = render_template("values.html", page=page(counts))
        timing.done("write")
        return timing.add_to(Response(html, content_type="text/html; charset=utf-8"))

    with context().archive.asking(search_request, reader=reader()) as question:
        return conditional_response(
            question.tag(f"{edition()} {request.path} {search_request!r} {address}"),
            lambda: response(question),
        )


def _named(found: Facet, typed: str) -> Facet:
    """The values of a facet whose names, as pages show them, start with typed text."""
    start = folded_value(typed)
    values = tuple(
        value
        for value in found.values
        if any(
            folded_value(text).startswith(start)
            for text in (value_name(found.field, value.value), value.value)
        )
    )
    return found._replace(values=values, distinct=len(values), missing=0)


def _listed(rows: int, distinct: int, typed: str) -> str:
    values = counted(distinct, "value")
    if typed:
        values = f"{values} that {'starts' if distinct == 1 else 'start'} so"
    return f"{rows:,} of {values}" if distinct > rows else values
