"""The embedded engine: a Whoosh index of paragraphs, evaluated with arrays."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from index.article import Article
from index.engines.budget import SEARCH_MEMORY, SearchBudget, SearchMemory
from index.engines.engine import MEMORY, EngineState
from index.engines.result import Page, WordCount
from index.engines.whoosh.codec import ColumnarSegment
from index.engines.whoosh.files import SCHEMA_VERSION, Scrub, Segment, confirm_damage
from index.engines.whoosh.searching import (
    Evaluation,
    IndexSnapshot,
    completions,
    corrections,
    names,
)
from index.engines.whoosh.storage import DurableStorage, Meta, map_damage
from index.engines.whoosh.writing import Writer
from index.errors import IndexDamaged, IndexUnavailable
from index.query import Search
from index.text import ANALYZER_VERSION

# The modification time of a folder is as coarse as the kernel's clock: only one older
# than this proves that nothing changed after it was read.
_SETTLED = 50_000_000  # nanoseconds
_PROGRESS_SECONDS = 0.5
# A commit removes the files of older generations. A reader that was about to open them
# opens the newest generation instead.
_OPEN_ATTEMPTS = 20


class _Opened(NamedTuple):
    """An opened generation of the index."""

    generation: int
    meta: Meta
    snapshot: IndexSnapshot


class WhooshEngine:
    """A Whoosh index in a folder; see :class:`index.engines.Engine`."""

    def __init__(
        self,
        folder: str,
        *,
        language: str,
        expansions: int,
        memory: int = MEMORY,
        search_memory: int = SEARCH_MEMORY,
    ) -> None:
        self.url = f"whoosh:{folder}"
        self.folder: Path | None = Path(folder).absolute()
        self.memory = memory
        self._language = language
        self._expansions = expansions
        self._storage = DurableStorage(Path(folder))
        self._storage.check_rights()
        self._writer = Writer(self._storage, language=language, memory=memory)
        self._scrub = Scrub()
        self._budget = SearchBudget(search_memory)
        self._segments: dict[str, Segment] = {}
        self._newest: _Opened | None = None
        # The folder's modification time when it was last read; None: read it again.
        self._read_at: int | None = None
        self._lock = threading.Lock()

    def snapshot(self) -> WhooshSnapshot:
        """Newest committed generation."""
        try:
            _, meta, snapshot = self._opened()
            return WhooshSnapshot(snapshot, meta, self._expansions, self._budget)
        except OSError as error:
            # No damage, so no reason to rebuild: too many open files, for example.
            raise IndexUnavailable(f"the index cannot be read now: {error}") from error

    def state(self) -> EngineState:
        """Counts and sequence number of the newest committed generation.

        :raises OSError: the index cannot be read now; it is not stale for that.
        """
        progress = self._storage.progress()
        size = self._storage.size()
        try:
            _, meta, snapshot = self._opened()
            with confirm_damage(snapshot.segments):
                return EngineState(
                    seq=snapshot.seq,
                    epoch=meta.epoch,
                    articles=snapshot.live_articles,
                    paragraphs=int(snapshot.sizes[snapshot.live].sum()),
                    segments=len(snapshot.segments),
                    bytes=size,
                    progress=progress,
                )
        except IndexUnavailable as error:
            return EngineState(
                seq=0,
                articles=0,
                paragraphs=0,
                bytes=size,
                stale=str(error),
                progress=progress,
            )

    def apply(
        self, puts: Sequence[Article], deletes: Sequence[str], *, seq: int
    ) -> None:
        """Commit one batch: all of it or nothing, durable when this returns."""
        replaced = {*deletes, *(article.id for article in puts)}
        with self._storage.writing():
            generation, meta, snapshot = self._opened()
            segments = self._storage.segments(generation, meta)
            with confirm_damage(snapshot.segments):
                deletions = _deletions(snapshot, replaced)
            new = self._meta(seq, meta.epoch)
            self._writer.commit(segments, puts, deletions, meta=new)

    def rebuild(
        self,
        articles: Iterable[Article],
        *,
        seq: int,
        total: int,
        epoch: int | None = None,
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        """Replace the whole index by these articles, in one commit."""
        self._storage.create()
        with self._storage.writing():
            self._storage.write_progress(0.0)
            try:
                counted = self._with_progress(articles, total, progress)
                self._writer.replace(counted, meta=self._meta(seq, epoch))
            finally:
                self._storage.write_progress(None)

    def probe(self, article: Article) -> None:
        """Write an article as a segment, and remove it."""
        self._storage.create()
        with self._storage.writing():
            self._writer.probe(article)

    def check(self) -> Iterator[str]:
        """Yield a sentence for each damaged part of the files."""
        for _ in range(_OPEN_ATTEMPTS):
            generation = self._storage.generation()
            try:
                damage = list(self._damage(generation))
            except IndexUnavailable as error:
                damage = [str(error)]
            # A commit in the meantime removes files, which is no damage.
            if not damage or self._storage.generation() == generation:
                yield from damage
                return

    def let_go(self) -> None:
        """Let go of segments whose files a newer commit has removed."""
        with self._lock:
            removed = [
                segment_id
                for segment_id, segment in self._segments.items()
                if not segment.file.path.exists()
            ]
            if not removed:
                return
            for segment_id in removed:
                del self._segments[segment_id]
            # All segments that are kept belong to the newest snapshot. The next search
            # opens what is there then.
            if self._newest is not None:
                self._newest.snapshot.close()
            self._newest = self._read_at = None

    def cache_bytes(self) -> int:
        """Size of this process's caches of earlier searches, in bytes."""
        opened = self._newest
        return 0 if opened is None else opened.snapshot.cache_bytes()

    def search_memory(self) -> SearchMemory:
        """Memory that the searches under way in this process have reserved."""
        return self._budget.state()

    def close(self) -> None:
        """Close files and free memory."""
        self._scrub.close()
        with self._lock:
            self._newest = None
            self._segments.clear()
            self._read_at = None

    def _with_progress(
        self, articles: Iterable[Article], total: int, progress: Callable[[int], None]
    ) -> Iterator[Article]:
        written = time.monotonic()
        for done, article in enumerate(articles, 1):
            yield article
            if time.monotonic() - written > _PROGRESS_SECONDS:
                written = time.monotonic()
                self._storage.write_progress(min(1.0, done / max(total, 1)))
            progress(done)

    def _meta(self, seq: int, epoch: int | None = None) -> Meta:
        return Meta(
            seq=seq,
            epoch=epoch,
            token=secrets.token_hex(8),
            schema=SCHEMA_VERSION,
            analyzer=ANALYZER_VERSION,
            language=self._language,
        )

    def _stale(self, generation: int, meta: Meta | None) -> str | None:
        """Why the index must be rebuilt before it can be read, if it must."""
        if generation < 0:
            return "there is no index yet; the indexer builds it"
        if meta is None:
            return (
                "another program wrote to the index, or a file of it is lost;"
                " the indexer rebuilds it"
            )
        current = self._meta(meta.seq)
        if (meta.schema, meta.analyzer, meta.language) != (
            current.schema,
            current.analyzer,
            current.language,
        ):
            return (
                "the index is of another version or language; the indexer rebuilds it"
            )
        return None

    def _opened(self) -> _Opened:
        with self._lock:
            changed = self._storage.changed_at()
            opened = self._newest
            if opened is None or changed != self._read_at:
                settled = changed >= 0 and time.time_ns() - changed > _SETTLED
                opened = self._open_newest()
                self._read_at = changed if settled else None
            self._scrub.resume()
        for segment in opened.snapshot.segments:
            if segment.damage is not None:
                raise IndexDamaged(segment.damage)
        return opened

    def _open_newest(self) -> _Opened:
        self._storage.check_rights()
        for _ in range(_OPEN_ATTEMPTS):
            generation = self._storage.generation()
            meta: Meta | None = None
            try:
                meta = self._storage.meta(generation)
                if self._newest is not None and self._newest[:2] == (generation, meta):
                    return self._newest
                stale = self._stale(generation, meta)
                if stale is not None or meta is None:
                    progress = self._storage.progress()
                    raise IndexUnavailable(stale or "", progress=progress)
                previous = self._newest
                snapshot = self._open(generation, meta)
                self._newest = _Opened(generation, meta, snapshot)
                if previous is not None:
                    previous.snapshot.close()
                return self._newest
            except IndexUnavailable:
                if self._is_newest(generation, meta):
                    raise
        raise IndexUnavailable("the index changes too fast to be opened; try again")

    def _is_newest(self, generation: int, meta: Meta | None) -> bool:
        try:
            reread = self._storage.meta(generation)
        except IndexUnavailable:
            reread = None
        return reread == meta and self._storage.generation() == generation

    def _open(self, generation: int, meta: Meta) -> IndexSnapshot:
        segments = []
        for committed in self._storage.segments(generation, meta):
            segment, live = self._segment(committed), committed.live()
            if len(live) != segment.documents:
                raise IndexDamaged(f"{segment!r} does not have {len(live):,} documents")
            segments.append((segment, live))
        with confirm_damage([segment for segment, _ in segments]):
            snapshot = IndexSnapshot(segments, meta.seq)
        used = {segment.id for segment, _ in segments}
        for segment_id in self._segments.keys() - used:
            del self._segments[segment_id]
        return snapshot

    def _segment(self, segment: ColumnarSegment) -> Segment:
        name = segment.segment_id()
        opened = self._segments.get(name)
        if opened is None:
            path = self._storage.data_path(segment)
            with map_damage(path.name):
                opened = Segment(path, name)
            self._scrub.add(opened)
            self._segments[name] = opened
        return opened

    def _damage(self, generation: int) -> Iterator[str]:
        meta = self._storage.meta(generation)
        if meta is None:
            yield self._stale(generation, meta) or ""
            return
        for committed in self._storage.segments(generation, meta):
            path = self._storage.data_path(committed)
            try:
                committed.live()
                with map_damage(path.name):
                    segment = Segment(path, committed.segment_id())
            except IndexDamaged as error:
                yield str(error)
            else:
                for name in segment.damaged():
                    yield str(IndexDamaged(f"{name} in {path.name}"))


class WhooshSnapshot:
    """One generation of the index; see :class:`index.engines.Snapshot`."""

    def __init__(
        self,
        snapshot: IndexSnapshot,
        meta: Meta,
        expansions: int,
        budget: SearchBudget,
    ) -> None:
        self._snapshot = snapshot
        self.epoch, self.token = meta.epoch, meta.token
        self._expansions, self._budget = expansions, budget

    @property
    def seq(self) -> int:
        """Newest change of the store in the snapshot."""
        return self._snapshot.seq

    def search(self, search: Search) -> Page:
        """Answer a search."""
        with confirm_damage(self._snapshot.segments):
            return self._evaluation(search).page(self._budget)

    def reserved(self, size: int, search: Search) -> AbstractContextManager[None]:
        """Memory of the budget, for the answer to a search."""
        budget, deadline = self._budget, search.deadline
        return budget.reserved(
            min(size, budget.limit), None if deadline is None else deadline.at
        )

    def names(
        self, field: str, typed: Sequence[str], search: Search, limit: int
    ) -> tuple[WordCount, ...]:
        """Values of a field with words that start with the typed ones, in any order."""
        with confirm_damage(self._snapshot.segments):
            evaluation = self._evaluation(search)
            return names(self._snapshot, evaluation, field, typed, limit)

    def completions(
        self, prefix: str, search: Search, limit: int
    ) -> tuple[WordCount, ...]:
        """Words that start with a folded prefix, most frequent first."""
        with confirm_damage(self._snapshot.segments):
            return completions(self._snapshot, self._evaluation(search), prefix, limit)

    def corrections(self, form: str, search: Search) -> Iterator[str]:
        """Yield words of visible articles that ``form`` may be a misspelling of."""
        with confirm_damage(self._snapshot.segments):
            yield from corrections(self._snapshot, self._evaluation(search), form)

    def _evaluation(self, search: Search) -> Evaluation:
        return Evaluation(self._snapshot, search, expansions=self._expansions)


def _deletions(
    snapshot: IndexSnapshot, ids: set[str]
) -> dict[str, list[tuple[int, int]]]:
    """Ranges of documents to delete, by segment: the first and the count of each."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    for article_id in ids:
        number = snapshot.find(article_id)
        if number >= 0:
            segment, row = snapshot.located(number)
            first, end = segment.first[row : row + 2].tolist()
            ranges.setdefault(segment.id, []).append((first, end - first))
    return ranges
