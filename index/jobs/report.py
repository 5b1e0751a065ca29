"""The report of a load: its counts, its problems and its progress."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A refused record or file, or a warning about an article that was stored.

    :param file: as it was named, or found in a folder; ``-`` is the standard input.
    :param line: where the record starts, from 1, in formats that have lines.
    :param label: the record's id or headline.
    :param code: of the error; ``None`` for a warning.
    """

    file: str
    line: int | None = None
    label: str | None = None
    reason: str
    code: str | None = None

    @property
    def refused(self) -> bool:
        """Whether nothing of it was stored."""
        return self.code is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a load did with a file that its caller may want to know; no fault.

    :param file: as in :class:`Problem`.
    """

    file: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Report of a load.

    :param files: that were read, wholly or partly.
    :param articles: that the store has now; the sum of the next five.
    :param refused: records and files of which nothing was stored.
    :param passed_over: files in a folder that are not articles by their name, and
        records that are none by their kind.
    :param seq: the newest change of this load; ``None`` if it changed nothing.
    :param problems: the first 1,000, batch by batch in the order of the input.
    :param notes: the first 1,000.
    """

    files: int
    articles: int
    created: int
    updated: int
    stored: int
    replaced: int
    unchanged: int
    refused: int
    warnings: int
    passed_over: int
    seq: int | None
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Progress of a load.

    :param read: bytes of the input that were read, before unzipping.
    :param total: bytes in all; ``None`` if a stream is part of the input.
    """

    read: int
    total: int | None
    articles: int


class LoadInterrupted(KeyboardInterrupt):
    """Interruption of a load from the keyboard.

    :param report: of what was stored until then.
    """

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report
