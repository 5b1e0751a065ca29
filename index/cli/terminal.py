"""The terminal: what the command line prints for people, and its progress bars."""

from __future__ import annotations

import errno
import html
import json
import logging
import os
import re
import stat
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from rich.console import Console
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from index.archive import Answer, ArticleHit, ArticleView, Excerpt
from index.article import CONCEPT_FIELDS, Article
from index.dates import iso
from index.engines import Facet
from index.errors import InvalidValue, NutgrafError
from index.history import Outcome
from index.jobs import Problem, Report
from index.query import QueryWarning
from index.rendering import Document, error_document
from index.text import Span

MATCH = "bold yellow"
STDOUT = "-"
WIDE = 10_000  # columns of what is no terminal
_TAGS = re.compile("(</?mark>)")
# What a hit says of its article, between headline and passages, in this order.
_META = ("published", "source", "section", "byline")
_SHOWN = ("published", "updated", "source", "section", "byline", "dateline", "language")


def printable(text: str) -> str:
    """Return text with control characters replaced, one for one, but for line ends.

    What an article holds must not move the cursor or retitle the window.
    """
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"
        else c
        for c in text
    )


def marked(text: str, marks: Iterable[Span]) -> Text:
    """Return text for a terminal, with the spans that match standing out."""
    shown = Text(printable(text))
    for start, end in marks:
        shown.stylize(MATCH, start, end)
    return shown


def marked_html(source: str) -> Text:
    """Return what an answer has as HTML, with ``<mark>``, as text for a terminal."""
    shown, style = Text(), ""
    for part in _TAGS.split(source):
        if _TAGS.fullmatch(part):
            style = "" if part.startswith("</") else MATCH
        else:
            shown.append(printable(html.unescape(part)), style)
    return shown


class _Terminal(Console):
    """A console that leaves it to the command line what a broken pipe means."""

    def on_broken_pipe(self) -> None:
        """Raise what rich has caught; by itself it would end the process with 1."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class Bars(Progress):
    """Progress bars, one for each thing that is under way."""


class Screen:
    """Where the command line writes: answers to stdout, all else to stderr.

    On a terminal, lines are wrapped and coloured (``NO_COLOR`` is heeded) and bars show
    progress; elsewhere a line is a line and there are no bars.

    :param as_json: what a command answers is for a machine.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.out = _Terminal(highlight=False, markup=False, emoji=False)
        if not self.out.is_terminal:
            self.out.width = WIDE
        self.err = _Terminal(stderr=True, highlight=False, markup=False, emoji=False)

    def line(
        self,
        text: str | Text = "",
        *,
        indent: int = 0,
        style: str = "",
        wrap: bool = True,
    ) -> None:
        """Print one line, or paragraph, of an answer.

        :param wrap: at words, where it is printed on a terminal.
        """
        shown = Text(printable(text)) if isinstance(text, str) else text.copy()
        if style:
            shown.stylize_before(style)
        if self.out.is_terminal and wrap:
            self.out.print(Padding(shown, (0, 0, 0, indent), expand=False))
        else:
            self.out.print(Text(" " * indent) + shown, soft_wrap=True)

    def complain(self, text: str) -> None:
        """Print one line to stderr."""
        self.err.print(Text(printable(text)), soft_wrap=True)

    def error(self, error: NutgrafError) -> None:
        """Print an error to stderr, as one line or one document."""
        if self.as_json:
            self.complain(json.dumps(error_document(error)))
        else:
            self.complain(f"nutgraf: {error}")

    def interrupted(self, report: Report, outlook: str) -> None:
        """Print to stderr what a load had done when it was interrupted."""
        text = f"interrupted: {summary(report)}; {outlook}"
        if self.as_json:
            report_is = report_document(report)
            text = json.dumps(
                {"code": "interrupted", "detail": text, "report": report_is}
            )
        self.complain(text)

    def json(self, value: object) -> None:
        """Print a value as one line of JSON."""
        # ASCII, so that it does not depend on the terminal's encoding.
        sys.stdout.write(json.dumps(value, ensure_ascii=True) + "\n")

    def table(self, rows: Iterable[Sequence[str]], *, head: Sequence[str] = ()) -> None:
        """Print rows in columns, numbers to the right."""
        cells = [[printable(cell) for cell in row] for row in rows]
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.show_header = bool(head)
        for at, name in enumerate(head or [""] * max(map(len, cells), default=0)):
            numbers = all(re.fullmatch(r"[\d,.]*", row[at]) for row in cells)
            table.add_column(
                name, overflow="fold", justify="right" if numbers else "left"
            )
        for row in cells:
            table.add_row(*map(Text, row))
        if self.out.is_terminal:
            self.out.print(table)
            return
        # One line a row, as wide as it is, without what fills it up.
        with self.out.capture() as captured:
            self.out.print(table)
        for line in captured.get().splitlines():
            self.out.print(line.rstrip(), soft_wrap=True)

    @contextmanager
    def bars(self) -> Iterator[Bars]:
        """Show progress bars on stderr for the length of a block, on a terminal."""
        with Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            _Count(),
            TimeRemainingColumn(compact=True),
            console=self.err,
            disable=not self.err.is_terminal,
            # Else what goes to a file through stdout would end up on the terminal.
            redirect_stdout=self.out.is_terminal,
        ) as bars:
            yield bars


class _Count(ProgressColumn):
    """What a task has done, and how fast: ``items`` where it counts something else."""

    def render(self, task: Task) -> Text:
        done = int(task.fields.get("items", task.completed))
        what = task.fields.get("what", "articles")
        seconds = task.finished_time or task.elapsed or 0.0
        rate = f", {done / seconds:,.0f}/s" if seconds > 0 else ""
        return Text(f"{done:,} {what}{rate}")


@contextmanager
def output(name: str | None) -> Iterator[BinaryIO]:
    """Open stdout, or a file that is there under its name only once it is complete.

    A device or a pipe is written to as it stands, and a link leads to what it names.

    :raises InvalidValue: it cannot be written.
    """
    if name is None or is_stdout(name):
        yield sys.stdout.buffer
        return
    path, part = Path(name), None
    try:
        there = _status(path)
        if there is None or stat.S_ISREG(there.st_mode):
            path = path.resolve()
            part = path.with_name(f".{path.name}.{os.getpid()}.part")
        with (part or path).open("wb") as out:
            if part is not None and there is not None:  # who may read it stays so
                part.chmod(stat.S_IMODE(there.st_mode))
            yield out
        if part is not None:
            part.replace(path)
    except OSError as error:
        raise InvalidValue("output", f"{name} cannot be written: {error}") from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def is_stdout(name: str | None) -> bool:
    """Return whether a name means our stdout: none, ``-``, or such as /dev/stdout."""
    if name is None or name == STDOUT:
        return True
    try:
        return os.path.samestat(Path(name).stat(), os.fstat(1))
    except OSError:
        return False


def _status(path: Path) -> os.stat_result | None:
    """Return what is there under a name, behind links; ``None`` if nothing is."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def show_answer(screen: Screen, answer: Answer, names: Sequence[str]) -> None:
    """Print the answer to a search.

    :param names: of the facets, as they were asked for.
    """
    show_warnings(screen, answer.text, answer.warnings)
    if answer.did_you_mean is not None:
        screen.line(f"did you mean: {answer.did_you_mean}", style="cyan")
    for number, hit in enumerate(answer.hits, 1):
        _show_hit(screen, number, hit, answer.unit)
    for name, facet in zip(names, answer.facets, strict=True):
        show_facet(screen, name, facet)
    behind = f"; the index is {answer.behind:,} behind" if answer.behind else ""
    screen.line(
        f"{count(answer.articles, 'article')}, {count(answer.paragraphs, 'paragraph')}"
        f" in {answer.took_ms:.1f} ms{behind}",
        style="bold",
    )
    if answer.next is not None:
        screen.line(f"more: --cursor {answer.next}", style="dim", wrap=False)


def show_warnings(screen: Screen, text: str, warnings: Iterable[QueryWarning]) -> None:
    """Print how a query was taken where that is not as it was typed."""
    for warned in warnings:
        at = text[warned.position : warned.position + warned.length]
        where = f" ({at!r}, at {warned.position})" if at else ""
        screen.line(f"warning: {warned.detail}{where}", style="magenta")


def _show_hit(screen: Screen, number: int, hit: ArticleHit, unit: str) -> None:
    headline = marked_html(hit.headline_html or "") or Text("(no headline)")
    headline.stylize_before("bold")
    screen.line(Text(f"{number}. ") + headline)
    article = hit.article
    meta = [str(article[name]) for name in _META if article.get(name)]
    meta += [article["id"], f"version {article['version']}", f"score {hit.score:g}"]
    screen.line(" · ".join(meta), indent=3, style="dim")
    for part in hit.parts or ():
        screen.line(
            f"{part.text}: article {part.article:g}, paragraph {part.paragraph:g}",
            indent=3,
            style="dim",
        )
    for passage in hit.passages:
        show_paragraph(screen, passage)
    left_out = hit.passages_total - len(hit.passages)
    if unit == "article" and hit.passages and left_out > 0:
        screen.line(f"and {count(left_out, 'paragraph')} more", indent=3, style="dim")
    screen.line()


def show_paragraph(screen: Screen, excerpt: Excerpt) -> None:
    """Print one paragraph, its number and what it is, with its marks."""
    kind = "" if excerpt.role == "body" else f" [{excerpt.role}]"
    shown = Text()
    shown.append(f"¶{excerpt.n}{kind} ", "dim")
    shown.append_text(marked(excerpt.text, excerpt.marks))
    if excerpt.credit:
        shown.append(f" ({printable(excerpt.credit)})", "dim")
    screen.line(shown, indent=3)


def show_facet(screen: Screen, name: str, facet: Facet) -> None:
    """Print the counts of a facet."""
    screen.line(name, style="bold")
    rows = [
        (f"{each.value} ✓" if each.active else each.value, f"{each.count:,}")
        for each in facet.values
    ]
    for label in ("other", "missing"):
        if count := getattr(facet, label):
            rows.append((f"({label})", f"{count:,}"))
    screen.table(rows)
    screen.line()


def show_article(screen: Screen, view: ArticleView, q: str) -> None:
    """Print a whole article, with what ``q`` asks for marked."""
    show_warnings(screen, q, view.warnings)
    article = view.article
    headline = next((each for each in view.excerpts if each.n == 0), None)
    if headline is not None:
        title = marked(headline.text, headline.marks)
        title.stylize_before("bold")
        screen.line(title)
    current = "" if view.current else ", not the current one"
    rows = [("id", article.id), ("version", f"{article.version}{current}")]
    rows += [("status", article.status.value)]
    screen.table([*rows, *_metadata(article)])
    for excerpt in view.excerpts:
        if excerpt.n > 0:
            screen.line()
            show_paragraph(screen, excerpt)


def _metadata(article: Article) -> Iterator[tuple[str, str]]:
    for name in (*_SHOWN, *CONCEPT_FIELDS, "url", "usage_terms", "copyright"):
        value = getattr(article, name)
        if isinstance(value, datetime):
            yield name, iso(value)
        elif isinstance(value, tuple) and value:
            yield name, ", ".join(concept.name for concept in value)
        elif isinstance(value, str):
            yield name, value


def problem_line(problem: Problem) -> str:
    """Return one line on something that was refused, or not taken as it stood."""
    where = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
    label = "" if problem.label is None else f" ({problem.label})"
    kind = "refused" if problem.refused else "warning"
    return f"{kind}: {where}{label}: {problem.reason}"


def summary(report: Report) -> str:
    """Return a load's counts as one line, without those that are zero."""
    kinds = (*Outcome, "refused", "warnings")
    counts = [(kind, getattr(report, kind)) for kind in kinds]
    counts.append(("passed over", report.passed_over))
    found = ", ".join(f"{kind} {number:,}" for kind, number in counts if number)
    return f"{count(report.files, 'file')} read: {found or 'nothing to load'}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is one."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def problem_document(problem: Problem) -> Document:
    """Return something that a load refused, or did not take as it stood."""
    facts = {
        name: value for name, value in asdict(problem).items() if value is not None
    }
    return {"refused" if problem.refused else "warning": facts}


def report_document(report: Report) -> Document:
    """Return the counts of a load; its problems are told when they are met."""
    counts = asdict(report)
    del counts["problems"]
    return counts


class JsonLines(logging.Formatter):
    """Formats a log record, and the facts it carries, as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        facts: Mapping[str, Any] = getattr(record, "facts", {})
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **facts,
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True, default=str)
