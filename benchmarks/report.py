"""What a run came to: a table for people, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks import machine
from benchmarks.line import Line, Measured
from benchmarks.workplace import Workplace


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One line, measured, or why it could not be.

    :param seconds: how long measuring took.
    """

    line: Line
    measured: Measured | None
    error: str | None = None
    seconds: float = 0.0

    @property
    def verdict(self) -> str:
        """``aim`` or ``bar`` for what was reached, ``below`` for neither."""
        line = self.line
        if self.measured is None:
            return "failed"
        value = self.measured.value
        if line.bar is None:
            return ""
        if line.aim is not None and line.reaches(value, line.aim):
            return "aim"
        return "bar" if line.reaches(value, line.bar) else "below"

    def document(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        line, measured = self.line, self.measured
        return {
            "name": line.name,
            "what": line.what,
            "unit": line.unit,
            "bar": line.bar,
            "aim": line.aim,
            "higher_is_better": line.higher,
            "value": None if measured is None else measured.value,
            "verdict": self.verdict,
            "note": None if measured is None else measured.note,
            "error": self.error,
            "details": {} if measured is None else measured.details,
            "took_seconds": round(self.seconds, 1),
        }


def document(
    results: Sequence[Result],
    workplace: Workplace,
    described: Mapping[str, Any],
    at: datetime,
) -> dict[str, Any]:
    """Return a whole run as JSON can hold it; the workload in it can be run again."""
    return {
        "at": at.astimezone(UTC).isoformat(timespec="seconds"),
        "machine": dict(described),
        "corpus": {
            **workplace.corpus.description(),
            **workplace.size._asdict(),
        },
        "workload": workplace.workload.document(),
        "lines": [each.document() for each in results],
    }


def write_json(found: Mapping[str, Any], path: Path) -> None:
    """Write a document to a file, whose folder is made if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")


def show(
    console: Console,
    results: Sequence[Result],
    workplace: Workplace,
    described: Mapping[str, Any],
) -> None:
    """Print the lines, and the kinds of searches behind them."""
    size = workplace.size
    console.print(
        f"{size.articles:,} articles, {size.paragraphs:,} paragraphs besides the"
        f" headlines, {size.text_bytes / 1e6:,.1f} MB of text"
    )
    console.print(machine.in_a_line(dict(described)))
    console.print(lines_table(results))
    for each in results:
        rows = {} if each.measured is None else each.measured.details
        if each.line.name in _BY_KIND and rows.get("by_kind"):
            console.print(kinds_table(each.line, rows["by_kind"]))


_BY_KIND = ("search", "stock", "fts5", "articles")


def lines_table(results: Sequence[Result]) -> Table:
    """Return the lines as a table, each with what is behind its figure."""
    table = Table(title="Benchmark")
    table.add_column("line")
    table.add_column("what")
    for name in ("bar", "aim", "measured"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("unit", "reached"):
        table.add_column(name, no_wrap=True)
    for each in results:
        line, measured = each.line, each.measured
        sign = "≥ " if line.higher else "≤ "
        bar, aim = (
            "" if mark is None else sign + shown(mark) for mark in (line.bar, line.aim)
        )
        what = Text(line.what)
        what.append(f"\n{measured.note if measured else each.error}", style="dim")
        table.add_row(
            line.name,
            what,
            bar,
            aim,
            "" if measured is None else shown(measured.value),
            line.unit,
            each.verdict,
            style={"below": "red", "failed": "red", "aim": "green"}.get(
                each.verdict, ""
            ),
        )
    return table


def kinds_table(line: Line, kinds: Sequence[Mapping[str, Any]]) -> Table:
    """Return what each kind of search came to; ratios are our time by the peer's."""
    table = Table(title=f"{line.what}, by kind")
    table.add_column("kind")
    for name in ("ours, ms", "peer, ms", "ratio", "worst"):
        table.add_column(name, justify="right")
    for kind in kinds:
        table.add_row(
            kind["kind"],
            f"{kind['ours_ms']:.2f}",
            f"{kind['peer_ms']:.2f}",
            f"{kind['ratio']:.2f}",
            f"{kind['worst']:.2f}",
        )
    return table


def shown(value: float) -> str:
    """Return a value with as many digits as mean something."""
    digits = 0 if value >= 100 or not value % 1 else 1 if value >= 20 else 2
    return f"{value:,.{digits}f}"
