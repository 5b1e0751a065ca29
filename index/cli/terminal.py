"""The terminal: output of the command line, its errors and its progress bars."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

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

from index.errors import InvalidValue, NutgrafError
from index.history import Outcome
from index.jobs import Note, Problem, Report
from index.rendering import Document, error_document

STDOUT = "-"
WIDE = 10_000  # columns where stdout is not a terminal


def printable(text: str) -> str:
    """Text with each control character replaced, except line ends and tabs.

    The text of an article must not be able to move the cursor or retitle the window.
    """
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t"
        else char
        for char in text
    )


class _Terminal(Console):
    """A console that lets the command line handle a broken pipe."""

    def on_broken_pipe(self) -> None:
        """Raise the error again; rich itself would exit with 1."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class Bars(Progress):
    """Progress bars, one for each task under way."""


class Screen:
    """The output of a command: answers to stdout, everything else to stderr.

    On a terminal, lines are wrapped and coloured (unless ``NO_COLOR`` is set) and bars
    show progress; elsewhere lines are not wrapped and there are no bars.

    :param as_json: write answers and errors as JSON.
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
        """Print one line, or one paragraph, of an answer.

        :param wrap: wrap it at words, on a terminal.
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
        """Print an error to stderr: one line of text, or one JSON object."""
        if self.as_json:
            self.complain(json.dumps(error_document(error)))
        else:
            self.complain(f"nutgraf: {error}")

    def interrupted(self, report: Report, advice: str) -> None:
        """Print to stderr what a load had stored when it was interrupted.

        :param advice: what is safe, and how to go on.
        """
        text = f"interrupted: {summary(report)}; {advice}"
        if self.as_json:
            text = json.dumps(
                {
                    "code": "interrupted",
                    "detail": text,
                    "report": report_document(report),
                }
            )
        self.complain(text)

    def json(self, value: object) -> None:
        """Print a value as one line of JSON."""
        # ASCII works in every encoding of a terminal.
        sys.stdout.write(json.dumps(value, ensure_ascii=True) + "\n")

    def table(self, rows: Iterable[Sequence[str]], *, head: Sequence[str] = ()) -> None:
        """Print rows as columns, with numbers aligned right."""
        cells = [[printable(cell) for cell in row] for row in rows]
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.show_header = bool(head)
        for column, name in enumerate(head or [""] * max(map(len, cells), default=0)):
            numeric = all(re.fullmatch(r"[\d,.]*", row[column]) for row in cells)
            table.add_column(
                name, overflow="fold", justify="right" if numeric else "left"
            )
        for row in cells:
            table.add_row(*map(Text, row))
        if self.out.is_terminal:
            self.out.print(table)
            return
        # One line for each row, not wrapped, without padding at its end.
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
            # Otherwise output redirected to a file would end up on the terminal.
            redirect_stdout=self.out.is_terminal,
        ) as bars:
            yield bars


class _Count(ProgressColumn):
    """Number done and rate of a task.

    A task whose bar counts bytes gives the number to show as ``items``.
    """

    def render(self, task: Task) -> Text:
        done = int(task.fields.get("items", task.completed))
        what = task.fields.get("what", "articles")
        seconds = task.finished_time or task.elapsed or 0.0
        rate = f", {done / seconds:,.0f}/s" if seconds > 0 else ""
        return Text(f"{done:,} {what}{rate}")


@contextmanager
def output(name: str | None) -> Iterator[BinaryIO]:
    """Open stdout, or a file that gets its name only once it is complete.

    A device or a pipe is written to directly; a link is followed.

    :param name: ``None`` for stdout.
    :raises InvalidValue: the file cannot be written.
    """
    if name is None or is_stdout(name):
        yield sys.stdout.buffer
        return
    path, part = Path(name), None
    try:
        current = _status(path)
        if current is None or stat.S_ISREG(current.st_mode):
            path = path.resolve()
            part = path.with_name(f".{path.name}.{os.getpid()}.part")
        with (part or path).open("wb") as out:
            if part is not None and current is not None:  # keep its permissions
                part.chmod(stat.S_IMODE(current.st_mode))
            yield out
        if part is not None:
            part.replace(path)
    except OSError as error:
        raise InvalidValue("output", f"{name} cannot be written: {error}") from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def is_stdout(name: str | None) -> bool:
    """Whether a name means stdout: ``None``, ``-``, or a path such as /dev/stdout."""
    if name is None or name == STDOUT:
        return True
    try:
        return os.path.samestat(Path(name).stat(), os.fstat(1))
    except OSError:
        return False


def _status(path: Path) -> os.stat_result | None:
    """Status of the file behind a path and its links; ``None`` if there is none."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def problem_line(problem: Problem) -> str:
    """A problem of a load as one line: a record refused, or loaded with a warning."""
    where = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
    label = "" if problem.label is None else f" ({problem.label})"
    kind = "refused" if problem.refused else "warning"
    return f"{kind}: {where}{label}: {problem.reason}"


def note_line(note: Note) -> str:
    """A note of a load as one line."""
    return f"note: {note.file}: {note.detail}"


def note_document(note: Note) -> Document:
    """A note of a load as JSON."""
    return {"note": asdict(note)}


def summary(report: Report) -> str:
    """The counts of a load as one line, without zeros."""
    kinds = (*Outcome, "refused", "warnings")
    counts = [(kind, getattr(report, kind)) for kind in kinds]
    counts.append(("passed over", report.passed_over))
    text = ", ".join(f"{kind} {number:,}" for kind, number in counts if number)
    return f"{count(report.files, 'file')} read: {text or 'nothing to load'}"


def count(number: int, noun: str) -> str:
    """A number and its noun, such as ``1 article`` or ``2 articles``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def problem_document(problem: Problem) -> Document:
    """A problem of a load as JSON: a record refused, or loaded with a warning."""
    facts = {
        name: value for name, value in asdict(problem).items() if value is not None
    }
    return {"refused" if problem.refused else "warning": facts}


def report_document(report: Report) -> Document:
    """The counts of a load as JSON; its problems and notes are printed as met."""
    counts = asdict(report)
    del counts["problems"], counts["notes"]
    return counts
