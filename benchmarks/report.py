"""The result of a run: tables for people, JSON for machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks import machine
from benchmarks.lines import Line, Measured
from benchmarks.workplace import Workplace


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A line and its value, or the error that prevented measuring it.

    :param seconds: the time that measuring took.
    """

    line: Line
    measured: Measured | None
    error: str | None = None
    seconds: float = 0.0

    @property
    def verdict(self) -> str:
        """``aim`` or ``bar`` if reached, ``below`` if neither; empty without a bar."""
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
        """The result for JSON."""
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
    """A whole run for JSON; ``--workload`` reads its workload."""
    return {
        "at": at.astimezone(UTC).isoformat(timespec="seconds"),
        "machine": dict(described),
        "corpus": {
            **workplace.corpus.description(),
            **workplace.size._asdict(),
        },
        "workload": workplace.workload.document(),
        "lines": [result.document() for result in results],
    }


def show(
    console: Console,
    results: Sequence[Result],
    workplace: Workplace,
    described: Mapping[str, Any],
) -> None:
    """Print the lines, and the kinds of searches that they consist of."""
    size = workplace.size
    console.print(
        f"{size.articles:,} articles, {size.paragraphs:,} paragraphs without"
        f" headlines, {size.text_bytes / 1e6:,.1f} MB of text"
    )
    console.print(machine.summary(described))
    console.print(lines_table(results))
    for result in results:
        details = {} if result.measured is None else result.measured.details
        if result.line.name in _BY_KIND and details.get("by_kind"):
            console.print(kinds_table(result.line, details["by_kind"]))
    rows = web_rows(results)
    if rows:
        console.print(web_table(rows))


_BY_KIND = ("search", "stock", "fts5", "articles")


def lines_table(results: Sequence[Result]) -> Table:
    """The lines as a table, each with the note on its value."""
    table = Table(title="Benchmark")
    table.add_column("line")
    table.add_column("what")
    for name in ("bar", "aim", "measured"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("unit", "reached"):
        table.add_column(name, no_wrap=True)
    for result in results:
        line, measured = result.line, result.measured
        sign = "≥ " if line.higher else "≤ "
        bar, aim = (
            "" if mark is None else sign + shown(mark) for mark in (line.bar, line.aim)
        )
        what = Text(line.what)
        what.append(f"\n{measured.note if measured else result.error}", style="dim")
        table.add_row(
            line.name,
            what,
            bar,
            aim,
            "" if measured is None else shown(measured.value),
            line.unit,
            result.verdict,
            style={"below": "red", "failed": "red", "aim": "green"}.get(
                result.verdict, ""
            ),
        )
    return table


def kinds_table(line: Line, kinds: Sequence[Mapping[str, Any]]) -> Table:
    """The kinds of searches as a table; ratios are our time by the peer's."""
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


def web_rows(results: Sequence[Result]) -> list[Mapping[str, Any]]:
    """The rows of the comparison over HTTP that the lines have, each once."""
    rows = {
        (row["hits"], row["contestant"]): row
        for result in results
        if result.measured is not None
        for row in result.measured.details.get("web", ())
    }
    return [rows[key] for key in sorted(rows)]


def web_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """The comparison over HTTP, as medians of the rounds."""
    table = Table(
        title="Searches over HTTP",
        show_lines=True,
        caption="First over 1 connection, below over 8. CPU, p50 and p95 in ms; CPU per"
        " request, also of the same again, and of one without hits. kB of an answer."
        " Memory of all processes in MB: RSS, below PSS.",
    )
    table.add_column("hits", no_wrap=True)
    table.add_column("contestant", no_wrap=True)
    for name in (
        *("CPU", "again", "none", "p50", "p95", "req./s", "kB", "MB"),
        *("totals", "errors"),
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        compared = row["totals"]["compared"]
        agreeing = compared - len(row["totals"]["differing"])
        table.add_row(
            row["hits"],
            row["contestant"],
            _column(row["cpu_ms"].values()),
            _column([row["again_cpu_ms"]]),
            _column([row["nothing_cpu_ms"]]),
            _column(row["p50_ms"].values()),
            _column(row["p95_ms"].values()),
            _column(row["requests_per_second"].values()),
            _column(n / 1e3 for n in row["answer_bytes"].values()),
            _column(n and n / 1e6 for n in (row["rss_bytes"], row["pss_bytes"])),
            f"{agreeing}/{compared}" if compared else "",
            str(row["failed"]),
        )
    return table


def _column(values: Iterable[float | None]) -> str:
    """Values below each other; those that were not measured are left out."""
    return "\n".join(shown(value) for value in values if value is not None)


def shown(value: float) -> str:
    """A value with as many digits as are significant."""
    digits = 0 if value >= 100 or not value % 1 else 1 if value >= 20 else 2
    return f"{value:,.{digits}f}"
