"""Findings of a load: what was unwrapped, passed over or never met, and ways out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rapidfuzz import fuzz, process

from index.errors import InputError, InvalidArticle
from index.formats import Read, ReadOptions, is_shapeless

_COMPARED = 50  # records whose names are compared with a name that nothing had
_REASONS = 20  # for which records are passed over that get a note each
_COLUMNS = 20  # of a table that are named
_NEAR = 70  # of 100, for names that are alike
_EXAMPLES = 3  # files that are named for each reason to pass them over


class FileFindings:
    """What the records of one file had in common, for one note each.

    :param read_as: format that the file was detected as, or declared to be.
    """

    def __init__(self, read_as: str) -> None:
        self._read_as = read_as
        self._wrapped: Counter[str] = Counter()
        self._formats: Counter[str] = Counter()
        self._guesses: Counter[tuple[str, str]] = Counter()
        self._passed_over: Counter[str] = Counter()
        self._unread: tuple[str, ...] = ()

    def add(self, read: Read) -> None:
        """Count a record."""
        if read.passed_over:
            reason = str(read.error)
            if len(self._passed_over) >= _REASONS and reason not in self._passed_over:
                reason = "other reasons"
            self._passed_over[reason] += 1
            return
        self._unread = self._unread or read.unread
        is_record = read.article is not None or read.error is not None
        if read.wrapper is not None:
            self._wrapped[read.wrapper] += is_record
        if is_record:
            self._formats[read.read_as or self._read_as] += 1
        if read.guess is not None and read.read_as is not None:
            self._guesses[read.guess, read.read_as] += 1

    def notes(self) -> Iterator[str]:
        """Yield a sentence for each finding."""
        for wrapper, number in self._wrapped.items():
            yield f"unwrapped {_count(number, 'record')} from {wrapper}"
        if len(self._formats) > 1 or self._guesses:
            numbers = (
                f"{number:,} as {name}" for name, number in self._formats.items()
            )
            yield f"each record was read by its own names: {', '.join(numbers)}"
        if self._unread:
            shown = ", ".join(self._unread[:_COLUMNS])
            more = ", …" if len(self._unread) > _COLUMNS else ""
            yield (
                f"columns that are no field are kept in extra: {shown}{more}; --map"
                " NAME=FIELD reads one as a field"
            )
        for reason, number in self._passed_over.items():
            yield f"passed over {_count(number, 'record')}: {reason}"
        for (guess, other), number in self._guesses.items():
            yield (
                f"{_count(number, 'record')} with names of {guess} could only be read"
                f" as {other}"
            )


class FolderFindings:
    """What was read and what was passed over in the folders that a caller named."""

    def __init__(self) -> None:
        self._numbers: Counter[str] = Counter()
        self._passed_over: dict[str, dict[str, list[str]]] = {}

    def count(self, folder: str, number: int) -> None:
        """Count records of a folder, and files in it that cannot be read."""
        self._numbers[folder] += number

    def pass_over(self, folder: str, file: str, reason: str) -> None:
        """Note a file that is passed over, or a record of it.

        :param file: relative to the folder.
        :param reason: why, such as "hidden".
        """
        reasons = self._passed_over.setdefault(folder, {})
        if len(reasons) >= _REASONS and reason not in reasons:
            reason = "other reasons"
        files = reasons.setdefault(reason, [])
        if len(files) <= _EXAMPLES and file not in files:
            files.append(file)

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield each folder of which nothing was read, and a sentence that says why."""
        for folder, number in self._numbers.items():
            if number:
                continue
            reasons = "; ".join(
                f"{', '.join(files[:_EXAMPLES])}"
                f"{' …' if len(files) > _EXAMPLES else ''} ({reason})"
                for reason, files in self._passed_over.get(folder, {}).items()
            )
            passed_over = f"passed over {reasons}" if reasons else "it is empty"
            yield folder, f"nothing in it was read: {passed_over}"


class MappingFindings:
    """The names of a mapping that no record had.

    :param options: with the mapping.
    """

    def __init__(self, options: ReadOptions) -> None:
        self._unmet = set(options.mapping)
        self._names: set[str] = set()
        self._compared = 0

    def add(self, read: Read) -> None:
        """Strike out the names that a record had."""
        if read.mapped is None or not self._unmet:
            return
        self._unmet -= read.mapped.met
        if self._unmet and self._compared < _COMPARED:
            self._compared += 1
            self._names.update(read.mapped.names())

    def warnings(self) -> Iterator[str]:
        """Yield a sentence for each name that nothing had, with the nearest that is."""
        for name in sorted(self._unmet):
            near = process.extractOne(
                name.casefold(),
                {each: each.casefold() for each in sorted(self._names)},
                scorer=fuzz.ratio,
                score_cutoff=_NEAR,
            )
            hint = "" if near is None else f"; did you mean {near[2]!r}?"
            yield f"nothing had {name!r}{hint}"


def with_way_out(error: InputError, options: ReadOptions) -> InputError:
    """Error of a record without an id, with the option that gives it one."""
    if not (
        isinstance(error, InvalidArticle)
        and error.field == "id"
        and is_shapeless(error)
        and "--records" not in error.detail
    ):
        return error
    places = " and ".join(options.id_from)
    way_out = (
        f"it has nothing under {places}, which --id-from names"
        if places
        else "--id-from url, hash or a name makes one"
    )
    return InvalidArticle("id", f"{error.detail}; {way_out}")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
