"""Facets: the values of the hits with their counts, each a link that filters."""

from __future__ import annotations

from dataclasses import dataclass

from index.archive import Facet
from service.api import bucket_period
from service.pages.address import Address
from service.pages.chips import name_of

# What is counted unless the address names facets.
FACETS = (
    *("section", "source", "people", "organisations", "places", "subjects"),
    *("genre", "language"),
)
SIZE = 8  # values of a facet


@dataclass(frozen=True, slots=True)
class FacetRow:
    """A value of a facet.

    :param count: articles that have it, as text.
    :param href: the search with it, or without it if it is selected.
    """

    value: str
    count: str
    selected: bool
    href: str


@dataclass(frozen=True, slots=True)
class FacetBox:
    """The values of one field.

    :param id: of the heading's element.
    :param others: number of values that are not listed, as text; blank if none.
    """

    id: str
    name: str
    rows: tuple[FacetRow, ...]
    others: str


def boxes_of(
    facets: tuple[Facet, ...], address: Address, size: int
) -> tuple[FacetBox, ...]:
    """Boxes of the facets that have a value.

    :param size: values to list, besides the selected ones.
    """
    boxes = [_box(facet, address, size) for facet in facets]
    return tuple(box for box in boxes if box.rows)


def _box(facet: Facet, address: Address, size: int) -> FacetBox:
    listed = [
        value
        for number, value in enumerate(facet.values)
        if facet.interval or number < size or value.active
    ]
    others = facet.distinct - len(listed)
    rows = []
    for value in listed:
        if facet.interval is None:
            selected = address.has(facet.field, value.value)
            link = address.toggling(facet.field, value.value)
            text = value.value
        else:
            first, last = bucket_period(facet.interval, value.value)
            text = first if first == last else f"{first} – {last}"
            selected = (address.value("from"), address.value("to")) == (first, last)
            link = (
                address.dated(None, None, facet.field)
                if selected
                else address.dated(first, last, facet.field)
            )
        rows.append(FacetRow(text, f"{value.count:,}", selected, str(link)))
    return FacetBox(
        id=f"facet-{facet.field}",
        name=name_of(facet.field),
        rows=tuple(rows),
        others=f"{others:,}" if others > 0 else "",
    )
