"""Histogram of dates: bars that lead into their periods, and the way out again."""

from __future__ import annotations

from dataclasses import dataclass

from index.archive import Facet
from index.query import Interval
from service.api import bucket_period
from service.pages.address import Address, Pair
from service.pages.names import field_name, period_name
from service.pages.periods import Span
from service.pages.writing import MONTHS, counted

HEIGHT = 64  # of the chart, in pixels
_WIDEST = 4.0  # a bar, in percent of the chart
_FILLED = 0.76  # of a bar's room
_LOWEST = 2.0  # pixels of a bar that is not empty
_TICKS = 6  # dates below the chart, at most
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


@dataclass(frozen=True, slots=True)
class Bar:
    """The articles of one period.

    :param period: its name.
    :param articles: number of articles; ``count`` is the same as text.
    :param label: all that the bar says, for screen readers.
    :param first: value of ``from`` for the period; ``last`` is that of ``to``.
    :param href: the search in the period; blank if no article is in it.
    :param x: start of the bar, ``width`` its width, in percent of the chart.
    :param y: top of the bar, ``height`` its height, in pixels.
    :param room_x: start of its share of the axis, ``room_width`` the width of that.
    """

    period: str
    articles: int
    count: str
    label: str
    first: str
    last: str
    href: str
    x: float
    width: float
    y: float
    height: float
    room_x: float
    room_width: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A date below the chart; ``x`` is its middle, in percent."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Crumb:
    """A period around the one that is shown; ``href`` is blank for that one itself."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class PeriodForm:
    """The form with the first and the last day.

    :param hidden: names and values of the search's other parameters.
    """

    action: str
    first: str
    last: str
    hidden: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """The dates of a search's articles.

    :param name: of the field, for screen readers.
    :param unit: of a bar: ``month``.
    :param most: articles of the highest bar, as text.
    :param bars: without gaps; none if there are fewer than two periods, or no articles.
    :param only: the only period that has articles, if there is just one.
    :param undated: number of articles without a date, as text; blank if there are none.
    :param earlier: the period before the chosen one, ``later`` the one after it.
    :param base: the search without a period, to which a script adds one.
    """

    name: str
    unit: str
    most: str
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    only: str
    crumbs: tuple[Crumb, ...]
    earlier: Crumb | None
    later: Crumb | None
    undated: str
    zone: str
    base: str
    form: PeriodForm
    height: int = HEIGHT


def histogram_of(
    facet: Facet, address: Address, span: Span, zone: str
) -> Histogram | None:
    """Histogram of a date facet; ``None`` if nothing has a date and none was chosen.

    :param span: the period of the search.
    :param zone: name of the time zone.
    """
    bars = _bars(facet, address, span)
    if not span.chosen and not any(bar.href for bar in bars):
        return None
    full = [bar for bar in bars if bar.href]
    chart = bars if full and len(bars) > 1 else ()
    base = _undated(address, facet.field)
    name = field_name(facet.field).one
    return Histogram(
        name=name,
        unit=facet.interval or "",
        most=f"{max((value.count for value in facet.values), default=0):,}",
        bars=chart,
        ticks=_ticks(facet, chart),
        only=f"{name}: {full[0].period}" if len(full) == 1 and not chart else "",
        crumbs=_crumbs(address, span, facet.field),
        earlier=_beside(address, span, facet.field, -1),
        later=_beside(address, span, facet.field, 1),
        undated=counted(facet.missing, "article") if facet.missing else "",
        zone=zone,
        base=str(base),
        form=PeriodForm(base.path, *span.days(), hidden=base.pairs),
    )


def _undated(address: Address, field: str) -> Address:
    """The search without a period, still by the same date."""
    return address.dated(None, None, field).setting(
        date=None if field == "published" else field
    )


def _crumbs(address: Address, span: Span, field: str) -> tuple[Crumb, ...]:
    """The way out: all dates, the wider periods of the calendar, and this one."""
    if not span.chosen:
        return ()
    around = span.around()
    units = {period.unit for period in around}
    crumbs = [Crumb("All dates", str(_undated(address, field)))]
    for period in around:
        # Every period still has the next wider one before it.
        if period.unit is Interval.CENTURY and Interval.YEAR in units:
            continue
        link = "" if period.whole else address.dated(period.first, period.last, field)
        crumbs.append(Crumb(period.name, str(link)))
    if not around or not around[-1].whole:
        crumbs.append(Crumb(period_name(span.since, span.until)))
    return tuple(crumbs)


def _beside(address: Address, span: Span, field: str, direction: int) -> Crumb | None:
    period = span.beside(direction)
    if period is None:
        return None
    link = address.dated(period.first, period.last, field)
    return Crumb(period.full_name, str(link))


def _bars(facet: Facet, address: Address, span: Span) -> tuple[Bar, ...]:
    assert facet.interval is not None, "buckets are periods"
    most = max((value.count for value in facet.values), default=0)
    room = 100 / max(len(facet.values), 1)
    width = min(room * _FILLED, _WIDEST)
    bars = []
    for number, value in enumerate(facet.values):
        first, last = span.within(*bucket_period(facet.interval, value.value))
        name = period_name(first, last)
        height = max(value.count / most * HEIGHT, _LOWEST) if value.count else 0
        link = str(address.dated(first, last, facet.field)) if value.count else ""
        bars.append(
            Bar(
                period=name,
                articles=value.count,
                count=f"{value.count:,}",
                label=f"{name}: {counted(value.count, 'article')}",
                first=first,
                last=last,
                href=link,
                x=round(number * room + (room - width) / 2, 3),
                width=round(width, 3),
                y=round(HEIGHT - height, 2),
                height=round(height, 2),
                room_x=round(number * room, 3),
                room_width=round(room, 3),
            )
        )
    return tuple(bars)


def _ticks(facet: Facet, bars: tuple[Bar, ...]) -> tuple[Tick, ...]:
    """Dates below some of the bars: round years, Januaries, or every few days."""
    labels = [value.value for value in facet.values][: len(bars)]
    years = [int(label[:4]) for label in labels]
    unit = Interval(facet.interval) if facet.interval else Interval.AUTO
    if unit in (Interval.YEAR, Interval.DECADE, Interval.CENTURY):
        texts = [f"{year}" for year in years]
        chosen = _round(years)
    elif unit is Interval.MONTH:
        months = [int(label[5:7]) for label in labels]
        texts = [
            f"{year}" if month == 1 and years[0] != years[-1] else MONTHS[month - 1][:3]
            for year, month in zip(years, months, strict=True)
        ]
        if len(labels) > 2 * _TICKS:
            chosen = [n for n, month in enumerate(months) if month == 1]
        else:
            chosen = _every(len(labels))
    else:
        texts = [
            f"{int(label[8:])} {MONTHS[int(label[5:7]) - 1][:3]}" for label in labels
        ]
        chosen = _every(len(labels))
    return tuple(
        Tick(round(bars[n].room_x + bars[n].room_width / 2, 3), texts[n])
        for n in chosen
    )


def _round(years: list[int]) -> list[int]:
    for step in _STEPS:
        chosen = [n for n, year in enumerate(years) if year % step == 0]
        if 1 < len(chosen) <= _TICKS + 1:
            return chosen
    return _every(len(years))


def _every(count: int) -> list[int]:
    return list(range(0, count, max(-(-count // _TICKS), 1)))
