"""The loader: files, folders and streams into the store, with a report.

A refused record or an unreadable file costs one line of the report and nothing else.
Loading the same input again changes nothing, even if it has an article more than once
and without versions that tell which is newer:

- The last record of the article counts. The earlier ones become older versions, with a
  warning.
- A record with the content of an older version is therefore deferred. If a later record
  of the same article follows, it is a repetition of that older version; if the load
  ends without one, the article returns to its earlier text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from index.access import values_of
from index.article import Article, Original, draft_of
from index.errors import (
    InputError,
    LimitExceeded,
    UnknownFormat,
    UnreadableInput,
)
from index.formats import (
    FORMATS,
    Read,
    ReadOptions,
    check_mapping,
    detect,
    read,
    read_detected,
)
from index.history import Outcome
from index.jobs.findings import (
    FileFindings,
    FolderFindings,
    MappingFindings,
    with_way_out,
)
from index.jobs.repeats import DeferredArticles, Pending
from index.jobs.report import LoadInterrupted, Note, Problem, Progress, Report
from index.jobs.sources import STDIN, MeteredStream, Source, is_folder, sources_at
from index.parsing import checked_encoding
from index.store import Store

# One transaction of the store: large enough that its sync costs little per article,
# small enough that other writers need not wait long.
BATCH_ARTICLES = 200
BATCH_BYTES = 2 * 1024 * 1024
KEPT_PROBLEMS = 1_000  # in a report; the callback gets all of them
NAMED_SOURCES = 20  # articles from another source than before; the rest are counted
TWICE = (
    "occurs more than once in this load, with different content and no version that"
    " tells which is newer; the last one is kept"
)


def load(
    paths: Sequence[str],
    store: Store,
    *,
    read_as: str | None = None,
    options: ReadOptions = ReadOptions(),  # noqa: B008 - frozen
    article_bytes: int,
    force: bool = False,
    stdin: BinaryIO | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_problem: Callable[[Problem], None] = lambda problem: None,
    on_note: Callable[[Note], None] = lambda note: None,
    encoding: str | None = None,
) -> Report:
    """Store the articles of files, folders and ``-``, the standard input.

    ::

        report = load(["wire/", "extra.jsonl"], store, article_bytes=1_000_000)
        report.created, report.refused  # (120, 2)

    Folders are walked in the order of their names, without hidden files and without
    following links.

    :param read_as: a key of :data:`index.formats.FORMATS`; by default the format of
        each file is detected.
    :param options: of every file.
    :param article_bytes: size limit of an article as JSON.
    :param force: replace stored versions whose content differs.
    :param stdin: the stream that ``-`` names.
    :param encoding: charset of every file without a byte order mark; UTF-8 by default.
    :raises UnknownFormat: there is no such format.
    :raises UnknownField: the mapping reads a name as an unknown field.
    :raises UnreadableInput: the charset is unknown.
    :raises StoreFull: nothing of the last batch was stored; the batches before it were.
    :raises StoreUnavailable: likewise.
    :raises LoadInterrupted: instead of KeyboardInterrupt.
    """
    if read_as is not None and read_as not in FORMATS:
        raise UnknownFormat(read_as, allowed=tuple(FORMATS))
    check_mapping(options.mapping)
    charset = None if encoding is None else checked_encoding(encoding) or "utf-8"
    loading = _Loading(
        store,
        read_as=read_as,
        options=replace(options, article_bytes=article_bytes),
        article_bytes=article_bytes,
        force=force,
        on_progress=on_progress,
        on_problem=on_problem,
        on_note=on_note,
        charset=charset,
    )
    try:
        sources = loading.find(paths)
        for source in sources:
            loading.read(source, stdin)
        loading.finish()
    except KeyboardInterrupt as error:
        raise LoadInterrupted(loading.report()) from error
    finally:
        loading.close()
    return loading.report()


def source_of(article: Article) -> str | None:
    """Source of an article, as filters compare it."""
    return next(iter(values_of(article).get("source", ())), None)


class _Loading:
    """A load under way: the articles that wait to be stored, and the counts."""

    def __init__(
        self,
        store: Store,
        *,
        read_as: str | None,
        options: ReadOptions,
        article_bytes: int,
        force: bool,
        on_progress: Callable[[Progress], None],
        on_problem: Callable[[Problem], None],
        on_note: Callable[[Note], None],
        charset: str | None,
    ) -> None:
        self._store, self._charset = store, charset
        self._read_as, self._options = read_as, options
        self._article_bytes, self._force = article_bytes, force
        self._on_progress, self._on_problem = on_progress, on_problem
        self._on_note = on_note
        self._notes: list[Note] = []
        self._mapping = MappingFindings(options)
        self._folders = FolderFindings()
        self._met = 0  # records, and files that cannot be read
        self._other_sources = 0  # articles that were stored with another source
        self._pending: list[Pending] = []
        self._pending_bytes = 0
        self._deferred = DeferredArticles()
        # Hashes of ids: the ids of a large archive would fill the memory. A collision
        # can only cause a needless warning.
        self._seen: set[int] = set()
        self._outcomes: Counter[Outcome] = Counter()
        self._files = self._refused = self._warnings = self._passed_over = 0
        self._bytes = 0  # of the sources that are done
        self._total: int | None = 0
        self._seq: int | None = None
        self._problems: list[Problem] = []

    def find(self, paths: Sequence[str]) -> list[Source]:
        """The files and streams that paths name, with their bytes for the progress."""
        sources: list[Source] = []
        for path in paths:
            met = self._met
            sources += sources_at(path, self._refuse_file, self._folders.pass_over)
            if is_folder(path):
                self._folders.count(path, self._met - met)
        sizes = [source.size for source in sources]
        self._total = None if None in sizes else sum(size or 0 for size in sizes)
        return sources

    def read(self, source: Source, stdin: BinaryIO | None) -> None:
        """Store the articles of one source."""
        if source.path == STDIN and stdin is not None:
            self._read_stream(source, stdin)
            return
        met, passed_over = self._met, self._passed_over
        with ExitStack() as opened:
            try:
                stream = opened.enter_context(Path(source.path).open("rb"))
            except OSError as error:
                self._refuse_file(source.path, error)
            else:
                self._read_stream(source, stream)
        if source.folder is not None:
            if (self._met, self._passed_over) == (met, passed_over):
                self._folders.pass_over(source.folder, source.name, "without records")
            self._folders.count(source.folder, self._met - met)

    def _read_stream(self, source: Source, stream: BinaryIO) -> None:
        metered = MeteredStream(stream)
        try:
            head = metered.peek()
            read_as = self._read_as or detect(source.name, head, self._charset)
            self._files += 1
            # Readers need only the method read() of a stream.
            data = cast("BinaryIO", metered)
            findings = FileFindings(read_as)
            reading = read_detected if self._read_as is None else read
            for record in reading(
                read_as,
                data,
                name=source.name,
                options=self._options,
                encoding=self._charset,
            ):
                findings.add(record)
                self._mapping.add(record)
                for warning in record.warnings:
                    self._warn(source.path, record, warning)
                if record.article is not None:
                    self._add(record.article, record.original, source.path, record.line)
                elif record.passed_over:
                    self._passed_over += 1
                    if source.folder is not None:
                        reason = str(record.error)
                        self._folders.pass_over(source.folder, source.name, reason)
                elif record.error is not None:
                    error = with_way_out(record.error, self._options)
                    self._refuse(source.path, record.line, record.label, error)
                self._report_progress(metered.count)
            for note in findings.notes():
                self._note_of(source.path, note)
        except UnknownFormat as error:
            self._refuse_unknown(source, error)
        except InputError as error:
            line = getattr(error, "line", None)
            self._refuse(source.path, line, None, error)
        self._bytes += metered.count if source.size is None else source.size
        self._report_progress(0)

    def _refuse_unknown(self, source: Source, error: UnknownFormat) -> None:
        """Refuse a file of unknown format, or pass over it because of its extension.

        Other files in a folder of articles (a README, pictures) are not failures.
        """
        known = {suffix for each in FORMATS.values() for suffix in each.extensions}
        suffix = Path(source.path.removesuffix(".gz")).suffix.lower()
        if source.folder is not None and suffix and suffix not in known:
            self._passed_over += 1
            reason = "not named as articles"
            self._folders.pass_over(source.folder, source.name, reason)
        else:
            self._refuse(source.path, None, None, error)

    def _add(
        self, article: Article, original: Original | None, file: str, line: int | None
    ) -> None:
        self._met += 1
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
        repeated = False
        if article.version is None:
            key = hash(article.id)
            repeated = key in self._seen
            self._seen.add(key)
        self._pending.append(Pending(draft, file, line, repeated=repeated))
        self._pending_bytes += size
        if len(self._pending) >= BATCH_ARTICLES:
            self._flush()

    def _flush(self) -> None:
        """Store the pending articles, and defer those an older version equals."""
        pending, self._pending, self._pending_bytes = self._pending, [], 0
        contents = [article.content for article in pending if article.content]
        with self._store.reading() as view:
            repeats = view.repeats(contents)
        batch: list[Pending] = []
        for article in pending:
            if self._deferred.drop(article.id):
                self._outcomes[Outcome.UNCHANGED] += 1
                self._warn_twice(article)
                article = replace(article, repeated=False)
            if article.content in repeats:
                self._deferred.add(article)
            else:
                batch.append(article)
        self._put(batch)

    def _put(self, batch: Sequence[Pending]) -> None:
        drafts = [article.draft for article in batch]
        with self._store.reading() as view:
            sources = view.sources([article.id for article in batch])
        repeated = Counter(article.id for article in batch)
        results = self._store.put(drafts, force=self._force)
        for article, result in zip(batch, results, strict=True):
            if isinstance(result, InputError):
                self._refuse(article.file, article.line, article.id, result)
                continue
            self._outcomes[result.outcome] += 1
            if article.repeated and result.outcome is Outcome.UPDATED:
                self._warn_twice(article)
            if result.seq is not None:
                self._seq = result.seq
                if article.id in sources:
                    self._warn_of_source(article, sources)
                elif repeated[article.id] > 1:
                    sources[article.id] = source_of(article.draft.article)

    def finish(self) -> None:
        """Store the pending and deferred articles, and refuse folders without any."""
        self._flush()
        deferred = iter(self._deferred)
        while batch := list(islice(deferred, BATCH_ARTICLES)):
            self._put(batch)
        for folder, reason in self._folders.faults():
            self._refuse(folder, None, None, UnreadableInput(reason))
        for warning in self._mapping.warnings():
            self._warnings += 1
            self._note(Problem(file="--map", reason=warning))
        if self._other_sources > NAMED_SOURCES:
            more = self._other_sources - NAMED_SOURCES
            self._warnings += 1
            self._note(
                Problem(
                    file="store",
                    reason=f"{more:,} more articles came from another source",
                )
            )
        self._report_progress(0)

    def close(self) -> None:
        """Remove the temporary file of deferred articles."""
        self._deferred.close()

    def report(self) -> Report:
        """Report of what was stored and refused."""
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
            notes=tuple(self._notes),
        )

    def _report_progress(self, current_bytes: int) -> None:
        """Report progress, with the bytes read of the current source."""
        self._on_progress(
            Progress(
                read=self._bytes + current_bytes,
                total=self._total,
                articles=self._outcomes.total() + len(self._pending),
            )
        )

    def _refuse(
        self, file: str, line: int | None, label: str | None, error: InputError
    ) -> None:
        self._met += 1
        self._refused += 1
        self._note(
            Problem(
                file=file, line=line, label=label, reason=str(error), code=error.code
            )
        )

    def _refuse_file(self, file: str, error: OSError | ValueError) -> None:
        """Report a file or folder that cannot be read."""
        reason = getattr(error, "strerror", None) or str(error)
        self._met += 1
        self._refused += 1
        self._note(Problem(file=file, reason=f"cannot be read: {reason}", code="file"))

    def _warn(self, file: str, record: Read, warning: str) -> None:
        self._warnings += 1
        label = record.article.id if record.article is not None else record.label
        self._note(Problem(file=file, line=record.line, label=label, reason=warning))

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

    def _warn_of_source(self, pending: Pending, sources: dict[str, str | None]) -> None:
        """Warn of an id that was stored from another source, which may share it."""
        article = pending.draft.article
        before, now = sources[pending.id], source_of(article)
        sources[pending.id] = now
        if before is None or now is None or before == now:
            return
        self._other_sources += 1
        if self._other_sources <= NAMED_SOURCES:
            self._warnings += 1
            self._note(
                Problem(
                    file=pending.file,
                    line=pending.line,
                    label=pending.id,
                    reason=(
                        f"source: the stored article of this id is from {before!r},"
                        f" this one from {now!r}; if they are two articles, give them"
                        " ids of their own"
                    ),
                )
            )

    def _note_of(self, file: str, detail: str) -> None:
        note = Note(file=file, detail=detail)
        if len(self._notes) < KEPT_PROBLEMS:
            self._notes.append(note)
        self._on_note(note)

    def _note(self, problem: Problem) -> None:
        if len(self._problems) < KEPT_PROBLEMS:
            self._problems.append(problem)
        self._on_problem(problem)
