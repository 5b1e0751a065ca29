"""The loader: files, folders and streams into the store, with a report.

A record that is refused, or a file that cannot be read, costs its own line in the
report and nothing else. Loading the same input again changes nothing, even where an
article stands in it more than once and no version tells which is newer:

- The last one counts. Those before it are older versions, and are warned of.
- So a record whose content an older version had is held back until a later one of the
  same article comes, which makes it a repetition, or until the load ends without one,
  which makes it the way back to the earlier text.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, cast

from index.article import Article, Original, draft_of
from index.errors import (
    InputError,
    LimitExceeded,
    UnknownFormat,
    UnreadableInput,
)
from index.formats import FORMATS, Read, check_mapping, detect, read
from index.history import Outcome
from index.jobs.repeats import Held, Pending
from index.store import Store

STDIN = "-"
# What one transaction of the store takes: enough that syncing it costs little an
# article, and little enough that others need not wait for it.
BATCH_ARTICLES = 200
BATCH_BYTES = 2 * 1024 * 1024
HEAD_BYTES = 4_096  # of a file, by which its format is found
KEPT_PROBLEMS = 1_000  # in a report; callbacks get them all
TWICE = (
    "stands more than once in this load, with other content and without a version to"
    " tell which is newer; the last one is kept"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something in the input that was refused, or not taken as it stood.

    :param file: as it was named, or found in a folder; ``-`` is the standard input.
    :param line: where the record starts, from 1, in formats that have lines.
    :param label: what the record calls itself: its id or headline.
    :param code: of the error; ``None`` for a warning, with which the article is kept.
    """

    file: str
    line: int | None = None
    label: str | None = None
    reason: str
    code: str | None = None

    @property
    def refused(self) -> bool:
        """Whether nothing of it was kept."""
        return self.code is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of an input.

    :param files: that were read, in whole or in part.
    :param articles: that the store has now, or had already; the sum of the next five.
    :param refused: records and files of which nothing was kept.
    :param passed_over: files in a folder that are no articles by their name.
    :param seq: the newest change this load made; ``None`` if it made none.
    :param problems: the first 1,000, in the order of the input by batches.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a load has come.

    :param read: bytes of the input, as stored, compressed or not.
    :param total: bytes in all; ``None`` if a stream is part of the input.
    """

    read: int
    total: int | None
    articles: int


class LoadInterrupted(KeyboardInterrupt):
    """A load was interrupted from the keyboard.

    :param report: of what the store had taken by then.
    """

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report


def load(
    paths: Sequence[str],
    store: Store,
    *,
    read_as: str | None = None,
    mapping: Mapping[str, str] = MappingProxyType({}),
    article_bytes: int,
    force: bool = False,
    stdin: BinaryIO | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_problem: Callable[[Problem], None] = lambda problem: None,
) -> Report:
    """Put the articles of files, folders and ``-`` into a store.

    Folders are read through, in the order of their names, without hidden files and
    without following links.

    :param read_as: a key of :data:`index.formats.FORMATS`; by default each file's own
        is found from its content.
    :param mapping: names in the input, and which of our fields each one is.
    :param article_bytes: how large an article may be as JSON.
    :param force: replace versions that are there with other content.
    :param stdin: what ``-`` stands for.
    :raises UnknownFormat: there is no such format.
    :raises UnknownField: the mapping names a field that is none.
    :raises StoreFull: the store took nothing of the last batch, but all before it.
    :raises StoreUnavailable: likewise.
    :raises LoadInterrupted: instead of KeyboardInterrupt.
    """
    if read_as is not None and read_as not in FORMATS:
        raise UnknownFormat(read_as, allowed=tuple(FORMATS))
    check_mapping(mapping)
    load = _Load(
        store,
        read_as=read_as,
        mapping=mapping,
        article_bytes=article_bytes,
        force=force,
        on_progress=on_progress,
        on_problem=on_problem,
    )
    try:
        sources = [source for path in paths for source in load.find(path)]
        load.expect(sources)
        for source in sources:
            load.read(source, stdin)
        load.finish()
    except KeyboardInterrupt as error:
        raise LoadInterrupted(load.report()) from error
    finally:
        load.close()
    return load.report()


@dataclass(frozen=True, slots=True)
class _Source:
    """A file to read.

    :param path: as it is opened and reported.
    :param name: as readers get it: of a file in a folder, its path in that folder.
    :param size: ``None`` where only its end will tell.
    :param found: in a folder, so nobody asked for it by name.
    """

    path: str
    name: str
    size: int | None
    found: bool = False


class _Metered:
    """A stream that counts what is read of it, and whose start can be looked at."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._unread = b""
        self.count = 0

    def look(self) -> bytes:
        """Return the first bytes; they will be read all the same."""
        self._unread = self._next(HEAD_BYTES)
        return self._unread

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most ``size``."""
        if self._unread:
            size = len(self._unread) if size < 0 else size
            given, self._unread = self._unread[:size], self._unread[size:]
        else:
            given = self._next(size)
        self.count += len(given)
        return given

    def _next(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except OSError as error:
            raise UnreadableInput(
                f"cannot be read to the end: {error.strerror}"
            ) from error


class _Load:
    """One load under way: what is on its way to the store, and the counts."""

    def __init__(
        self,
        store: Store,
        *,
        read_as: str | None,
        mapping: Mapping[str, str],
        article_bytes: int,
        force: bool,
        on_progress: Callable[[Progress], None],
        on_problem: Callable[[Problem], None],
    ) -> None:
        self._store = store
        self._read_as, self._mapping = read_as, mapping
        self._article_bytes, self._force = article_bytes, force
        self._on_progress, self._on_problem = on_progress, on_problem
        self._pending: list[Pending] = []
        self._pending_bytes = 0
        self._held = Held()
        # Hashes, as the ids of a large archive would fill the memory. A collision could
        # only cause a warning that is not due.
        self._seen: set[int] = set()
        self._outcomes: Counter[Outcome] = Counter()
        self._files = self._refused = self._warnings = self._passed_over = 0
        self._bytes = 0  # of the files that are done
        self._total: int | None = 0
        self._seq: int | None = None
        self._problems: list[Problem] = []

    def find(self, path: str) -> Iterator[_Source]:
        """Yield what a path stands for: itself, or the files of a folder."""
        if path == STDIN:
            yield _Source(path, "", None)
            return
        try:
            found = Path(path).stat()
        except (OSError, ValueError) as error:
            self._refuse_file(path, error)
            return
        if stat.S_ISDIR(found.st_mode):
            yield from self._find_in(path)
        else:
            regular = stat.S_ISREG(found.st_mode)
            yield _Source(path, path, found.st_size if regular else None)

    def _find_in(self, folder: str) -> Iterator[_Source]:
        for here, folders, names in os.walk(
            folder, onerror=lambda error: self._refuse_file(str(error.filename), error)
        ):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(each for each in names if not each.startswith(".")):
                path = Path(here, name)
                try:
                    found = path.lstat()
                except OSError as error:
                    self._refuse_file(str(path), error)
                    continue
                # Links may lead out of the folder, and a pipe might never end.
                if stat.S_ISREG(found.st_mode):
                    inside = path.relative_to(folder).as_posix()
                    yield _Source(str(path), inside, found.st_size, found=True)

    def expect(self, sources: Sequence[_Source]) -> None:
        """Take note of how much there is to read."""
        sizes = [source.size for source in sources]
        self._total = None if None in sizes else sum(size or 0 for size in sizes)

    def read(self, source: _Source, stdin: BinaryIO | None) -> None:
        """Put what one file holds."""
        if source.path == STDIN and stdin is not None:
            self._read_stream(source, stdin)
            return
        with ExitStack() as opened:
            try:
                stream = opened.enter_context(Path(source.path).open("rb"))
            except OSError as error:
                self._refuse_file(source.path, error)
            else:
                self._read_stream(source, stream)

    def _read_stream(self, source: _Source, stream: BinaryIO) -> None:
        metered = _Metered(stream)
        try:
            head = metered.look()
            read_as = self._read_as or detect(source.name, head)
            self._files += 1
            # All that readers need of a stream is read().
            data = cast("BinaryIO", metered)
            for found in read(read_as, data, name=source.name, mapping=self._mapping):
                for warning in found.warnings:
                    self._warn(source.path, found, warning)
                if found.article is not None:
                    self._add(found.article, found.original, source.path, found.line)
                elif found.error is not None:
                    self._refuse(source.path, found.line, found.label, found.error)
                self._tell(metered.count)
        except UnknownFormat as error:
            self._unknown(source, error)
        except InputError as error:
            line = getattr(error, "line", None)
            self._refuse(source.path, line, None, error)
        self._bytes += metered.count if source.size is None else source.size
        self._tell(0)

    def _unknown(self, source: _Source, error: UnknownFormat) -> None:
        """Refuse a file of no format, or pass over it if it is none of ours by name.

        What lies in a folder beside the articles (a README, pictures) is no failure.
        """
        ours = {ending for each in FORMATS.values() for ending in each.extensions}
        suffix = Path(source.path.removesuffix(".gz")).suffix.lower()
        if source.found and suffix and suffix not in ours:
            self._passed_over += 1
        else:
            self._refuse(source.path, None, None, error)

    def _add(
        self, article: Article, original: Original | None, file: str, line: int | None
    ) -> None:
        try:
            draft = draft_of(article, original)
            size = draft.size
            if size > self._article_bytes:
                raise LimitExceeded(
                    "bytes of an article as JSON",
                    limit=self._article_bytes,
                    got=size,
                    code="article_too_large",
                )
        except InputError as error:
            self._refuse(file, line, article.id, error)
            return
        if original is not None:
            size += len(original.data)
        if self._pending_bytes + size > BATCH_BYTES:
            self._flush()
        again = False
        if article.version is None:
            key = hash(article.id)
            again = key in self._seen
            self._seen.add(key)
        self._pending.append(Pending(draft, file, line, again=again))
        self._pending_bytes += size
        if len(self._pending) >= BATCH_ARTICLES:
            self._flush()

    def _flush(self) -> None:
        pending, self._pending, self._pending_bytes = self._pending, [], 0
        contents = [each.content for each in pending if each.content]
        with self._store.reading() as view:
            repeats = view.repeats(contents)
        batch: list[Pending] = []
        for each in pending:
            if self._held.drop(each.id):
                self._outcomes[Outcome.UNCHANGED] += 1
                self._warn_twice(each)
                each = replace(each, again=False)
            if each.content in repeats:
                self._held.add(each)
            else:
                batch.append(each)
        self._put(batch)

    def _put(self, batch: Sequence[Pending]) -> None:
        drafts = [each.draft for each in batch]
        results = self._store.put(drafts, force=self._force)
        for each, result in zip(batch, results, strict=True):
            if isinstance(result, InputError):
                self._refuse(each.file, each.line, each.id, result)
                continue
            self._outcomes[result.outcome] += 1
            if each.again and result.outcome is Outcome.UPDATED:
                self._warn_twice(each)
            if result.seq is not None:
                self._seq = result.seq

    def finish(self) -> None:
        """Put what is left."""
        self._flush()
        held = iter(self._held)
        while batch := list(islice(held, BATCH_ARTICLES)):
            self._put(batch)
        self._tell(0)

    def close(self) -> None:
        """Let go of what was held back."""
        self._held.close()

    def report(self) -> Report:
        """Return the account of what was put."""
        return Report(
            files=self._files,
            articles=self._outcomes.total(),
            created=self._outcomes[Outcome.CREATED],
            updated=self._outcomes[Outcome.UPDATED],
            stored=self._outcomes[Outcome.STORED],
            replaced=self._outcomes[Outcome.REPLACED],
            unchanged=self._outcomes[Outcome.UNCHANGED],
            refused=self._refused,
            warnings=self._warnings,
            passed_over=self._passed_over,
            seq=self._seq,
            problems=tuple(self._problems),
        )

    def _tell(self, within: int) -> None:
        """Report progress, with what was read of the file under way."""
        self._on_progress(
            Progress(
                read=self._bytes + within,
                total=self._total,
                articles=self._outcomes.total() + len(self._pending),
            )
        )

    def _refuse(
        self, file: str, line: int | None, label: str | None, error: InputError
    ) -> None:
        self._refused += 1
        self._note(
            Problem(
                file=file, line=line, label=label, reason=str(error), code=error.code
            )
        )

    def _refuse_file(self, file: str, error: OSError | ValueError) -> None:
        reason = getattr(error, "strerror", None) or str(error)
        self._refused += 1
        self._note(Problem(file=file, reason=f"cannot be read: {reason}", code="file"))

    def _warn(self, file: str, found: Read, warning: str) -> None:
        self._warnings += 1
        label = found.article.id if found.article is not None else found.label
        self._note(Problem(file=file, line=found.line, label=label, reason=warning))

    def _warn_twice(self, pending: Pending) -> None:
        self._warnings += 1
        self._note(
            Problem(
                file=pending.file,
                line=pending.line,
                label=pending.id,
                reason=TWICE,
            )
        )

    def _note(self, problem: Problem) -> None:
        if len(self._problems) < KEPT_PROBLEMS:
            self._problems.append(problem)
        self._on_problem(problem)
