"""Facets: the values of the hits with their counts, each a link that filters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from index.archive import Facet
from index.article import FACETABLE, FILTERABLE
from index.query import MAX_FACETS, Request, filter_key
from service.api import bucket_period
from service.pages.address import Address, Pair
from service.pages.names import field_name, period_name, value_name
from service.pages.periods import Span

# Counted for each page, unless the address names facets: few, since every hit counts.
FACETS = ("section", "source", "people", "subjects")
# Counted once somebody asks for more filters.
OTHER_FACETS = (
    *("organisations", "places", "authors", "keywords", "genre", "language"),
    *("type", "story", "urgency"),
)
SIZE = 8  # values of a facet beside the hits


@dataclass(frozen=True, slots=True)
class FacetRow:
    """A value of a facet.

    :param count: articles that have it, as text; blank if it is excluded.
    :param href: the search with it, or without it if it is selected or excluded.
    :param none: whether the row stands for articles without a value.
    """

    value: str
    count: str
    selected: bool
    href: str
    excluded: bool = False
    none: bool = False

    @property
    def listed(self) -> bool:
        """Whether it is a value that the facet counts."""
        return not self.none and not self.excluded and self.count not in ("", "0")


@dataclass(frozen=True, slots=True)
class FacetForm:
    """The form that looks for values by their beginning, on the page of a facet.

    :param hidden: names and values of the search's parameters.
    """

    action: str
    prefix: str
    hidden: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class FacetBox:
    """The values of one field.

    :param id: of the heading's element.
    :param all: the page with more values; blank if there are no more.
    :param distinct: number of values, as text.
    :param find: the form for values that are not listed; ``None`` if all of them are.
    """

    id: str
    name: str
    rows: tuple[FacetRow, ...]
    all: str = ""
    distinct: str = ""
    find: FacetForm | None = None


def counted_facets(request: Request, address: Address, span: Span) -> tuple[str, ...]:
    """What a page counts: named or usual facets, those in use, and the histogram."""
    names = list(request.facets or FACETS)
    names += [
        field
        for field in FILTERABLE
        if field in FACETABLE and address.filtered(field) and field not in names
    ]
    histogram = date_facet(request, span)
    if histogram not in names:
        names.append(histogram)
    return tuple(names[: max(MAX_FACETS, len(request.facets))])


def date_facet(request: Request, span: Span) -> str:
    """The facet that the histogram is drawn from."""
    return f"{request.date}:{span.interval()}"


def boxes_of(
    facets: Iterable[Facet], address: Address, size: int, *, root: str
) -> tuple[FacetBox, ...]:
    """Boxes of the facets that have a value, or a filter in effect.

    :param size: values to list, besides the selected ones.
    :param root: prefix of the service's paths.
    """
    boxes = [_box(facet, address, size, root) for facet in facets]
    return tuple(
        box
        for box in boxes
        if any(row.listed or row.selected or row.excluded for row in box.rows)
    )


def facets_address(root: str, pairs: tuple[Pair, ...]) -> Address:
    """Address of the page with the facets that a search's page does not count."""
    return Address(f"{root}/facets", pairs).start()


def facet_address(root: str, field: str, pairs: tuple[Pair, ...]) -> Address:
    """Address of the page of a facet."""
    return Address(f"{root}/facets/{field}", pairs).start()


def _box(facet: Facet, address: Address, size: int, root: str) -> FacetBox:
    field = facet.field
    name = field_name(field).many
    if facet.interval is not None:
        ident = f"facet-{field}-{facet.interval}"
        return FacetBox(ident, name, _period_rows(facet, address))
    rows = _value_rows(facet, address, size)
    more = facet.distinct > sum(row.listed for row in rows)
    page = facet_address(root, field, address.pairs)
    return FacetBox(
        id=f"facet-{field}",
        name=name,
        rows=rows,
        all=str(page) if more else "",
        distinct=f"{facet.distinct:,}",
        find=FacetForm(page.path, "", page.pairs) if more else None,
    )


def _value_rows(facet: Facet, address: Address, size: int) -> tuple[FacetRow, ...]:
    field = facet.field
    rows = [
        FacetRow(
            value=value_name(field, value.value),
            count=f"{value.count:,}",
            selected=address.has(field, value.value),
            href=str(address.toggling(field, value.value)),
        )
        for number, value in enumerate(facet.values)
        if number < size or value.active
    ]
    # Values that are in effect and not counted, such as those without the prefix.
    listed = {filter_key(field, value.value) for value in facet.values}
    rows += [
        FacetRow(
            value_name(field, value), "", True, str(address.removing(field, value))
        )
        for key, value in address.keyed(field).items()
        if key not in listed
    ]
    rows += [
        FacetRow(
            value=value_name(field, value),
            count="",
            selected=False,
            href=str(address.removing(field, value)),
            excluded=True,
        )
        for value in address.keyed(field, excluded=True).values()
    ]
    none = address.lacks(field)
    if facet.missing or none:
        rows.append(
            FacetRow(
                value=f"Without {field_name(field).many.lower()}",
                count=f"{facet.missing:,}",
                selected=none,
                href=str(address.lacking(field, lacks=not none)),
                none=True,
            )
        )
    return tuple(rows)


def _period_rows(facet: Facet, address: Address) -> tuple[FacetRow, ...]:
    assert facet.interval is not None, "buckets are periods"
    rows = []
    chosen = address.value("from"), address.value("to")
    for value in facet.values:
        first, last = bucket_period(facet.interval, value.value)
        selected = chosen == (first, last)
        link = (
            address.dated(None, None, facet.field)
            if selected
            else address.dated(first, last, facet.field)
        )
        name = period_name(first, last)
        rows.append(FacetRow(name, f"{value.count:,}", selected, str(link)))
    return tuple(rows)
