"""Writing the index: whole batches, durable, merged in tiers.

A commit is a new table of contents. What it names is on disk before it is put in place,
so whenever a process dies there is the old index or the new one, and nothing between.
Files that no table names are left by processes that died; the next commit removes them.
"""

from __future__ import annotations

import gc
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from index.article import Article
from index.engines.whoosh.codec import ColumnarSegment
from index.engines.whoosh.files import Segment
from index.engines.whoosh.storage import NAME, DurableStorage, Meta
from index.engines.whoosh.writing.background import GC_THRESHOLD, BackgroundWriter
from index.engines.whoosh.writing.buffer import WriteBuffer
from index.engines.whoosh.writing.indexed_article import (
    IndexedArticle,
    indexed_article_of,
)
from index.engines.whoosh.writing.inversion import write_segment
from index.engines.whoosh.writing.merging import merge
from index.errors import IndexUnavailable

# Segments of about one size that are merged into one.
MERGE_FACTOR = 8
# Documents of the smallest tier.
_SMALLEST_TIER = 512
# The share of a writer's memory that a buffer takes at most, while it is written.
_SHARE = 0.4
# Documents that are handed to the process beside this one at a time, and the share of
# memory that their texts take at most.
_SHARED, _SHARED_SHARE = 50_000, 0.04
_WAITING = 3  # shares that are under way there, or wait
# The share of that which known words may take and still be kept for the next buffer.
_KNOWN_SHARE = 0.4

LOG = logging.getLogger("nutgraf.engine")

Deletions = Mapping[str, Sequence[tuple[int, int]]]  # segment → (first document, count)


class Writer:
    """Adds to an index, or replaces it; one at a time.

    :param memory: bytes that articles on their way into a segment may take.
    """

    def __init__(self, storage: DurableStorage, *, language: str, memory: int) -> None:
        self._storage, self._language = storage, language
        self._memory = memory

    def commit(
        self,
        held: Sequence[ColumnarSegment],
        articles: Sequence[Article],
        deletions: Deletions,
        *,
        meta: Meta,
    ) -> None:
        """Add articles and remove documents in one commit.

        The lock is held; :meth:`replace` wants it too.

        :param held: the segments of the index.
        :raises IndexDamaged: one that had to be merged is damaged.
        """
        segments = [
            each.with_deletions(deletions[each.segment_id()])
            if each.segment_id() in deletions
            else each
            for each in held
        ]
        buffer = WriteBuffer()
        for article in articles:
            buffer.add(indexed_article_of(article, self._language))
        if len(buffer):
            segments.append(self._write(buffer))
        self._storage.commit(self._merged(segments), meta)

    def replace(self, articles: Iterable[Article], *, meta: Meta) -> None:
        """Replace all that the index holds by these articles, in one commit.

        Nothing of the index is read, so it may be damaged, another version's or none.
        """
        segments = self._written(articles)
        if len(segments) > 1:
            segments = [self._merge(segments, checked=True)]
        self._storage.commit(segments, meta)

    def _written(self, articles: Iterable[Article]) -> list[ColumnarSegment]:
        """Write articles as segments, each as large as memory allows.

        Many are shared out with a process beside this one: what it has no room for is
        done here meanwhile.
        """
        with ExitStack() as opened:
            opened.enter_context(_seldom_collected())
            pool = opened.enter_context(ThreadPoolExecutor(1))
            beside: BackgroundWriter | None = None
            # Articles are let go of as soon as they are written.
            waiting: deque[tuple[Future[ColumnarSegment], list[IndexedArticle]]] = (
                deque()
            )
            written: list[ColumnarSegment] = []
            buffer, share, documents, size = WriteBuffer(), list[IndexedArticle](), 0, 0
            for article in articles:
                draft = indexed_article_of(article, self._language)
                share.append(draft)
                documents += len(draft.texts)
                size += sum(map(len, draft.texts))
                if documents < _SHARED and size < self._memory * _SHARED_SHARE:
                    continue
                if beside is None:
                    beside = BackgroundWriter()
                    opened.callback(beside.close)
                while waiting and waiting[0][0].done():
                    written.append(waiting.popleft()[0].result())
                # Some wait while one is under way: there is always something to do.
                if len(waiting) < _WAITING:
                    job = pool.submit(self._have_written, beside, share)
                    waiting.append((job, share))
                else:
                    buffer = self._fill(buffer, share, written)
                share, documents, size = [], 0, 0
            buffer = self._fill(buffer, share, written)
            # What nobody has begun is done here, while the last is done there.
            while waiting and waiting[-1][0].cancel():
                buffer = self._fill(buffer, waiting.pop()[1], written)
            if len(buffer):
                written.append(self._write(buffer))
            return written + [job.result() for job, _ in waiting]

    def _fill(
        self,
        buffer: WriteBuffer,
        drafts: Sequence[IndexedArticle],
        written: list[ColumnarSegment],
    ) -> WriteBuffer:
        """Add articles to a buffer, and go on with another when it is full."""
        full = self._memory * _SHARE
        for draft in drafts:
            buffer.add(draft)
            if buffer.bytes > full:
                written.append(self._write(buffer))
                known = buffer.chunks
                few = known.bytes < full * _KNOWN_SHARE
                buffer = WriteBuffer(known if few else None)
        return buffer

    def _write(self, buffer: WriteBuffer) -> ColumnarSegment:
        segment = ColumnarSegment(NAME, documents=len(buffer.passages))
        with self._storage.new_file(segment) as path:
            write_segment(buffer, path)
        return segment

    def _have_written(
        self, beside: BackgroundWriter, drafts: Sequence[IndexedArticle]
    ) -> ColumnarSegment:
        documents = sum(len(each.texts) for each in drafts)
        segment = ColumnarSegment(NAME, documents=documents)
        with self._storage.new_file(segment) as path:
            try:
                beside.write(drafts, path)
            except IndexUnavailable as error:
                # Whatever became of it, the articles are still here.
                LOG.warning("%s; it is done here", str(error))
                path.unlink(missing_ok=True)
                buffer = WriteBuffer()
                for draft in drafts:
                    buffer.add(draft)
                write_segment(buffer, path)
        return segment

    def _merge(
        self, segments: Sequence[ColumnarSegment], *, checked: bool = False
    ) -> ColumnarSegment:
        opened = [
            (Segment(self._storage.written_path(each), each.segment_id()), each.live())
            for each in segments
        ]
        if not checked:
            # What is merged gets checksums of its own: damage would never be found.
            for segment, _ in opened:
                segment.check()
        merged = ColumnarSegment(
            NAME, documents=sum(int(live.sum()) for _, live in opened)
        )
        with self._storage.new_file(merged) as path:
            merge(opened, path)
        for each in segments:
            self._storage.discard(each)
        return merged

    def _merged(self, segments: list[ColumnarSegment]) -> list[ColumnarSegment]:
        """Merge segments of about one size once there are :data:`MERGE_FACTOR` of them.

        Each merge makes a segment of the next size, so a document is written again once
        a tier. A segment of which more than half is deleted is written again as well,
        and one of which nothing is left is dropped.
        """
        kept = [each for each in segments if each.doc_count()]
        tiers: dict[int, list[ColumnarSegment]] = {}
        for each in kept:
            tiers.setdefault(_tier(each.doc_count()), []).append(each)
        chosen: list[ColumnarSegment] = []
        for tier in tiers.values():
            if len(tier) >= MERGE_FACTOR:
                chosen += tier
            else:
                chosen += [
                    each for each in tier if each.doc_count() * 2 < each.doc_count_all()
                ]
        if not chosen:
            return kept
        names = {each.segment_id() for each in chosen}
        rest = [each for each in kept if each.segment_id() not in names]
        in_order = [each for each in kept if each.segment_id() in names]
        return [*rest, self._merge(in_order)]


def _tier(documents: int) -> int:
    tier = 0
    while documents >= _SMALLEST_TIER:
        documents //= MERGE_FACTOR
        tier += 1
    return tier


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Let the garbage collector rest: articles by the thousand are no cycles."""
    before = gc.get_threshold()
    gc.set_threshold(GC_THRESHOLD, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
