"""The figures of growing as an SVG: a panel for each, over numbers of paragraphs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from benchmarks.scale.steps import Step

WIDTH, HEIGHT = 320, 240  # of a panel
COLUMNS = 3
LEFT, RIGHT, TOP, BOTTOM = 58, 22, 42, 44  # margins of a panel
TITLE_HEIGHT = 44
TICKS = 4  # of the vertical axis, at most one more
COLOURS = ("#0b5394", "#b45309")
_STYLE = (
    "text{font:11px sans-serif;fill:#222}.title{font-size:15px;font-weight:600}"
    ".panel{font-size:12px;font-weight:600}.grid{stroke:#ddd}.axis{stroke:#666}"
)


@dataclass(frozen=True, slots=True)
class _Curve:
    """One value of each step, by name; ``None`` where it was not measured."""

    name: str
    value: Callable[[Step], float | None]


@dataclass(frozen=True, slots=True)
class _Panel:
    """Curves with a common vertical axis, and their unit."""

    title: str
    unit: str
    curves: tuple[_Curve, ...]


PANELS = (
    _Panel(
        "Loading and building",
        "paragraphs/s",
        (
            _Curve("load", lambda step: step.load_rate),
            _Curve("rebuild", lambda step: step.rebuild_rate),
        ),
    ),
    _Panel(
        "Search, in process",
        "ms",
        (
            _Curve("p50", lambda step: step.p50_ms),
            _Curve("p95", lambda step: step.p95_ms),
        ),
    ),
    _Panel(
        "Write until it is searchable",
        "ms",
        (_Curve("median", lambda step: step.write_ms),),
    ),
    _Panel(
        "Size on disk",
        "GB",
        (
            _Curve("index", lambda step: step.index_bytes / 1e9),
            _Curve("text", lambda step: step.text_bytes / 1e9),
        ),
    ),
    _Panel(
        "Peak memory of a rebuild",
        "GB",
        (_Curve("memory", lambda step: step.rebuild_peak_bytes / 1e9),),
    ),
    _Panel(
        "First answer of a new process",
        "s",
        (_Curve("opening", lambda step: step.opening_seconds),),
    ),
)


def plot(steps: Sequence[Step]) -> str:
    """The figures as an SVG document, with logarithmic horizontal axes.

    :param steps: at least one, ascending.
    """
    rows = math.ceil(len(PANELS) / COLUMNS)
    width, height = COLUMNS * WIDTH, TITLE_HEIGHT + rows * HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" role="img" aria-labelledby="title">',
        f'<title id="title">{escape(_title(steps))}</title>',
        f"<style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text class="title" x="{LEFT}" y="28">{escape(_title(steps))}</text>',
    ]
    for number, panel in enumerate(PANELS):
        row, column = divmod(number, COLUMNS)
        parts.append(
            f'<g transform="translate({column * WIDTH} {TITLE_HEIGHT + row * HEIGHT})">'
        )
        parts += _drawn(panel, steps)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


def _title(steps: Sequence[Step]) -> str:
    first, last = steps[0].paragraphs, steps[-1].paragraphs
    return f"Nutgraf from {_millions(first)} to {_millions(last)} paragraphs"


def _drawn(panel: _Panel, steps: Sequence[Step]) -> list[str]:
    """The elements of a panel."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    values = [v for curve in panel.curves for s in steps if (v := curve.value(s))]
    step = _nice(max(values, default=1.0) / TICKS)
    ticks = max(1, math.ceil(max(values, default=1.0) / step - 1e-9))
    first, last = (math.log(steps[end].paragraphs) for end in (0, -1))

    def x_of(paragraphs: int) -> float:
        share = (math.log(paragraphs) - first) / (last - first) if last > first else 0.5
        return LEFT + 10 + share * (right - LEFT - 20)

    def y_of(value: float) -> float:
        return bottom - value / (step * ticks) * (bottom - TOP)

    parts = [f'<text class="panel" x="{LEFT}" y="16">{escape(panel.title)}</text>']
    parts.append(f'<text x="{LEFT}" y="{TOP - 10}">{escape(panel.unit)}</text>')
    for n in range(ticks + 1):
        y = y_of(n * step)
        parts.append(
            f'<line class="{"grid" if n else "axis"}" x1="{LEFT}" x2="{right}"'
            f' y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
            f"{n * step:,.10g}</text>"
        )
    for each in steps:
        x = x_of(each.paragraphs)
        parts.append(
            f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}"'
            f' y2="{bottom + 4}"/><text x="{x:.1f}" y="{bottom + 16}"'
            f' text-anchor="middle">{_millions(each.paragraphs)}</text>'
        )
    parts.append(
        f'<text x="{(LEFT + right) / 2}" y="{bottom + 32}" text-anchor="middle">'
        "paragraphs</text>"
    )
    for number, (curve, colour) in enumerate(zip(panel.curves, COLOURS, strict=False)):
        points = [
            (x_of(each.paragraphs), y_of(value))
            for each in steps
            if (value := curve.value(each)) is not None
        ]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(
            f'<polyline points="{line}" fill="none" stroke="{colour}"'
            ' stroke-width="2"/>'
        )
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
            for x, y in points
        ]
        if len(panel.curves) > 1:
            x = LEFT + 90 + 62 * number
            parts.append(
                f'<rect x="{x}" y="{TOP - 18}" width="10" height="10"'
                f' fill="{colour}"/><text x="{x + 14}" y="{TOP - 9}">'
                f"{escape(curve.name)}</text>"
            )
    return parts


def _nice(value: float) -> float:
    """The next of 1, 2, 2.5, 5 and 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(n * power for n in (1, 2, 2.5, 5, 10) if n * power >= value - 1e-12)


def _millions(paragraphs: int) -> str:
    """A number of paragraphs in a few characters."""
    if paragraphs >= 1_000_000:
        return f"{paragraphs / 1e6:.3g} M"
    return f"{paragraphs / 1e3:.3g} k"
