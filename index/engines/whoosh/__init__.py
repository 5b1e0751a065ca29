"""The embedded engine: a Whoosh index of paragraphs, evaluated with arrays."""

from __future__ import annotations

import dataclasses
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from whoosh.index import LockError

from index.article import Article
from index.engines import EngineState
from index.engines.whoosh.codec import ColumnarSegment
from index.engines.whoosh.schema import SCHEMA_VERSION
from index.engines.whoosh.search import Evaluation
from index.engines.whoosh.segment import Segment
from index.engines.whoosh.state import State
from index.engines.whoosh.storage import DurableStorage, Meta, damage_told
from index.engines.whoosh.vocabulary import similar, words
from index.engines.whoosh.writer import Writer
from index.errors import IndexDamaged, IndexerRunning, IndexUnavailable
from index.query import Search
from index.result import Page, WordCount
from index.text import ANALYZER_VERSION

# A folder's time of change has the coarseness of the kernel's clock: one that is older
# than this when it is read cannot hide a later change.
_SETTLED = 50_000_000  # nanoseconds
_PROGRESS_SECONDS = 0.5
MEMORY = 512 * 1024 * 1024  # bytes that articles on their way into the index may take
# A commit removes the files of the generation before the last; whoever was about to
# open those finds a newer one at once.
_OPEN_ATTEMPTS = 20


class WhooshEngine:
    """A Whoosh index in a folder; see :class:`index.engines.Engine`."""

    def __init__(
        self, folder: str, *, language: str, expansions: int, memory: int = MEMORY
    ) -> None:
        self.url = f"whoosh:{folder}"
        self._language = language
        self._expansions = expansions
        self._storage = DurableStorage(Path(folder))
        self._writer = Writer(self._storage, language=language, memory=memory)
        self._segments: dict[str, Segment] = {}
        self._newest: tuple[int, Meta, State] | None = None
        self._looked_at: int | None = None  # the folder's time; None: look again
        self._lock = threading.Lock()

    def snapshot(self) -> WhooshSnapshot:
        """Return the newest committed state."""
        return WhooshSnapshot(self._state(), self._expansions)

    def state(self) -> EngineState:
        """Return what the engine holds, from its newest committed state."""
        progress = self._storage.progress()
        try:
            state = self._state()
        except IndexUnavailable as error:
            return EngineState(
                seq=0,
                articles=0,
                paragraphs=0,
                bytes=self._storage.size(),
                stale=str(error),
                progress=progress,
            )
        return EngineState(
            seq=state.seq,
            articles=state.live_articles,
            paragraphs=int(state.sizes[state.live].sum()),
            segments=len(state.segments),
            bytes=self._storage.size(),
            progress=progress,
        )

    def apply(
        self, puts: Sequence[Article], deletes: Sequence[str], *, seq: int
    ) -> None:
        """Commit one batch: all of it or nothing, durable when this returns."""
        state = self._state()
        gone = {*deletes, *(article.id for article in puts)}
        with self._writing():
            self._writer.commit(puts, _deletions(state, gone), meta=self._meta(seq))

    def rebuild(
        self,
        articles: Iterable[Article],
        *,
        seq: int,
        total: int,
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        """Replace everything by these articles, in one commit."""
        self._storage.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._storage.write_progress(0.0)
        try:
            with self._writing():
                if not self._readable():
                    self._storage.start_over()
                told = self._told(articles, total, progress)
                self._writer.replace(told, meta=self._meta(seq))
        finally:
            self._storage.write_progress(None)

    def close(self) -> None:
        """Let go of files and memory."""
        with self._lock:
            self._newest = None
            self._segments.clear()
            self._looked_at = None

    def _told(
        self, articles: Iterable[Article], total: int, progress: Callable[[int], None]
    ) -> Iterator[Article]:
        told = time.monotonic()
        for done, article in enumerate(articles, 1):
            yield article
            if time.monotonic() - told > _PROGRESS_SECONDS:
                told = time.monotonic()
                self._storage.write_progress(min(1.0, done / max(total, 1)))
            progress(done)

    def _meta(self, seq: int) -> Meta:
        return Meta(
            seq=seq,
            token=secrets.token_hex(8),
            schema=SCHEMA_VERSION,
            analyzer=ANALYZER_VERSION,
            language=self._language,
        )

    def _readable(self) -> bool:
        try:
            self._state()
        except IndexUnavailable:
            return False
        return True

    def _stale(self, generation: int, meta: Meta | None) -> str | None:
        if generation < 0:
            return "there is no index yet"
        if meta is None:
            return "the index is not complete"
        if meta != dataclasses.replace(self._meta(meta.seq), token=meta.token):
            return "the index was made by another version or for another language"
        return None

    def _state(self) -> State:
        with self._lock:
            changed = self._storage.changed_at()
            if self._newest is not None and changed == self._looked_at:
                return self._newest[2]
            settled = changed >= 0 and time.time_ns() - changed > _SETTLED
            state = self._open_newest()
            self._looked_at = changed if settled else None
            return state

    def _open_newest(self) -> State:
        for _ in range(_OPEN_ATTEMPTS):
            generation = self._storage.generation()
            meta = self._storage.meta(generation)
            if self._newest is not None and self._newest[:2] == (generation, meta):
                return self._newest[2]
            failure: IndexUnavailable
            stale = self._stale(generation, meta)
            if stale is None and meta is not None:
                try:
                    state = self._open(generation, meta)
                except IndexDamaged as error:
                    failure = error
                else:
                    self._newest = (generation, meta, state)
                    return state
            else:
                progress = self._storage.progress()
                failure = IndexUnavailable(stale or "", progress=progress)
            if self._storage.generation() == generation:
                raise failure
        raise IndexUnavailable("the index changes too fast to be opened")

    def _open(self, generation: int, meta: Meta) -> State:
        with damage_told(f"generation {generation}"):
            toc = self._storage.toc(generation)
            segments = [(self._segment(each), each.live()) for each in toc.segments]
            state = State(segments, meta.seq)
        used = {segment.id for segment, _ in segments}
        for segment_id in self._segments.keys() - used:
            del self._segments[segment_id]
        return state

    def _segment(self, segment: ColumnarSegment) -> Segment:
        name = segment.segment_id()
        found = self._segments.get(name)
        if found is None:
            path = self._storage.data_path(segment)
            found = self._segments.setdefault(name, Segment(path, name))
        return found

    @contextmanager
    def _writing(self) -> Iterator[None]:
        # Whoosh's lock is a second line: the indexer's own is the store's.
        try:
            yield
        except LockError as error:
            raise IndexerRunning(str(self._storage.path)) from error


class WhooshSnapshot:
    """One generation of the index; see :class:`index.engines.Snapshot`."""

    def __init__(self, state: State, expansions: int) -> None:
        self._state = state
        self._expansions = expansions

    @property
    def seq(self) -> int:
        """The newest change of the store that it includes."""
        return self._state.seq

    def search(self, search: Search) -> Page:
        """Return what matches."""
        return self._evaluation(search).page()

    def words(self, prefix: str, search: Search, limit: int) -> tuple[WordCount, ...]:
        """Return the words that start with a folded prefix, commonest first."""
        return words(self._state, self._evaluation(search), prefix, limit)

    def similar(self, form: str, search: Search) -> str | None:
        """Return the word of visible articles that ``form`` is a slip from."""
        return similar(self._state, self._evaluation(search), form)

    def _evaluation(self, search: Search) -> Evaluation:
        return Evaluation(self._state, search, expansions=self._expansions)


def _deletions(state: State, ids: set[str]) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for article_id in ids:
        number = state.find(article_id)
        if number >= 0:
            segment, row = state.located(number)
            first, end = segment.first[row : row + 2].tolist()
            found.setdefault(segment.id, []).append((first, end - first))
    return found
