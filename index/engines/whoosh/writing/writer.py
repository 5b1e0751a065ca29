"""Writing the index: commits, rebuilds, and the choice of segments to merge.

A commit is a new table of contents. The files that it names are on disk before it is
put in place, so a process that dies leaves the old index or the new one, and nothing in
between. It may also leave files that no table names; the next commit removes them.
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

# Segments of one tier that are merged into one.
MERGE_FACTOR = 8
# Documents below which a segment is of the smallest tier.
_SMALLEST_TIER = 512
# Shares of the memory budget. Of the whole: a write buffer while its segment is made.
_BUFFER_SHARE = 0.45
# Documents of one batch for the background process, and the share of the memory budget
# that their texts may take.
_BATCH_DOCUMENTS, _BATCH_SHARE = 25_000, 0.02
_PENDING = 6  # batches given to the background process and not finished

LOG = logging.getLogger("nutgraf.engine")

Deletions = Mapping[str, Sequence[tuple[int, int]]]  # segment → (first document, count)


class Writer:
    """Adds to an index, or replaces it; one commit at a time.

    :param language: of articles that name none.
    :param memory: budget in bytes for articles on their way into a segment.
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

        The caller holds the write lock, as for :meth:`replace`.

        :param held: the segments of the index.
        :raises IndexDamaged: a segment that had to be merged is damaged.
        """
        segments = [
            segment.with_deletions(deletions[segment.segment_id()])
            if segment.segment_id() in deletions
            else segment
            for segment in held
        ]
        indexed = (indexed_article_of(article, self._language) for article in articles)
        buffer = self._fill(WriteBuffer(), indexed, segments)
        if len(buffer):
            segments.append(self._write(buffer))
        self._storage.commit(self._merged(segments), meta)

    def replace(self, articles: Iterable[Article], *, meta: Meta) -> None:
        """Replace everything in the index by these articles, in one commit.

        The index is not read: it may be damaged, of another version, or missing.
        """
        segments = self._written(articles)
        if len(segments) > 1:
            segments = [self._merge(segments, trusted=True)]
        self._storage.commit(segments, meta)

    def probe(self, article: Article) -> None:
        """Write an article as a segment, and discard that."""
        buffer = WriteBuffer()
        buffer.add(indexed_article_of(article, self._language))
        self._storage.discard(self._write(buffer))

    def _written(self, articles: Iterable[Article]) -> list[ColumnarSegment]:
        """Write articles as segments, each as large as the memory budget allows.

        Large numbers of articles are shared with a background process: batches that it
        has no room for are written here meanwhile.
        """
        with ExitStack() as opened:
            opened.enter_context(_seldom_collected())
            pool = opened.enter_context(ThreadPoolExecutor(1))
            background: BackgroundWriter | None = None
            # A batch is released as soon as it is written.
            pending: deque[
                tuple[Future[list[ColumnarSegment]], list[IndexedArticle]]
            ] = deque()
            written: list[ColumnarSegment] = []
            buffer = WriteBuffer()
            batch, documents, characters = list[IndexedArticle](), 0, 0
            for article in articles:
                indexed = indexed_article_of(article, self._language)
                batch.append(indexed)
                documents += len(indexed.texts)
                characters += sum(map(len, indexed.texts))
                if (
                    documents < _BATCH_DOCUMENTS
                    and characters < self._memory * _BATCH_SHARE
                ):
                    continue
                if background is None:
                    background = BackgroundWriter()
                    opened.callback(background.close)
                while pending and pending[0][0].done():
                    written += pending.popleft()[0].result()
                # Some wait while one is being written: the process is never idle.
                if len(pending) < _PENDING:
                    job = pool.submit(self._write_in_background, background, batch)
                    pending.append((job, batch))
                else:
                    buffer = self._fill(buffer, batch, written)
                batch, documents, characters = [], 0, 0
            buffer = self._fill(buffer, batch, written)
            # Batches not yet begun are written here, while the last is written there.
            while pending and pending[-1][0].cancel():
                buffer = self._fill(buffer, pending.pop()[1], written)
            if len(buffer):
                written.append(self._write(buffer))
            for job, _ in pending:
                written += job.result()
            return written

    def _fill(
        self,
        buffer: WriteBuffer,
        articles: Iterable[IndexedArticle],
        written: list[ColumnarSegment],
    ) -> WriteBuffer:
        """Add articles to a buffer; when it is full, write it and start another."""
        full = self._memory * _BUFFER_SHARE
        for article in articles:
            buffer.add(article)
            if buffer.is_full(full):
                written.append(self._write(buffer))
                buffer = buffer.next(full)
        return buffer

    def _write(self, buffer: WriteBuffer) -> ColumnarSegment:
        segment = ColumnarSegment(NAME, documents=len(buffer.passages))
        with self._storage.new_file(segment) as path:
            write_segment(buffer, path)
        return segment

    def _write_in_background(
        self, background: BackgroundWriter, articles: Sequence[IndexedArticle]
    ) -> list[ColumnarSegment]:
        """Segments of articles: one, or more if the memory budget is too small."""
        written: list[ColumnarSegment] = []
        while articles:
            segment = ColumnarSegment(NAME)
            with self._storage.new_file(segment) as path:
                try:
                    count = background.write(
                        articles, path, memory=int(self._memory * _BUFFER_SHARE)
                    )
                except IndexUnavailable as error:
                    # However the process ended, the articles are still here.
                    LOG.warning("%s; the indexer writes its articles", str(error))
                    path.unlink(missing_ok=True)
                    buffer = self._fill(WriteBuffer(), articles, written)
                    return [*written, self._write(buffer)] if len(buffer) else written
            documents = sum(len(article.texts) for article in articles[:count])
            segment.set_doc_count(documents)
            written.append(segment)
            articles = articles[count:]
        return written

    def _merge(
        self, segments: Sequence[ColumnarSegment], *, trusted: bool = False
    ) -> ColumnarSegment:
        """Merge segments into one.

        :param trusted: they were just written, so their checksums are not verified.
        """
        opened = [
            (
                Segment(self._storage.written_path(segment), segment.segment_id()),
                segment.live(),
            )
            for segment in segments
        ]
        if not trusted:
            # The merged segment gets checksums of its own, which would hide damage.
            for source, _ in opened:
                source.check()
        merged = ColumnarSegment(
            NAME, documents=sum(int(live.sum()) for _, live in opened)
        )
        with self._storage.new_file(merged) as path:
            merge(opened, path, memory=self._memory)
        for segment in segments:
            self._storage.discard(segment)
        return merged

    def _merged(self, segments: list[ColumnarSegment]) -> list[ColumnarSegment]:
        """Merge the segments of a tier once there are :data:`MERGE_FACTOR` of them.

        Each merge makes a segment of the next tier, so a document is written again once
        per tier. A segment is also written again if more than half of it is deleted,
        and dropped if all of it is.
        """
        remaining = [segment for segment in segments if segment.doc_count()]
        tiers: dict[int, list[ColumnarSegment]] = {}
        for segment in remaining:
            tiers.setdefault(_tier(segment.doc_count()), []).append(segment)
        chosen: list[ColumnarSegment] = []
        for tier in tiers.values():
            if len(tier) >= MERGE_FACTOR:
                chosen += tier
            else:
                chosen += [
                    segment
                    for segment in tier
                    if segment.doc_count() * 2 < segment.doc_count_all()
                ]
        if not chosen:
            return remaining
        names = {segment.segment_id() for segment in chosen}
        rest = [segment for segment in remaining if segment.segment_id() not in names]
        in_order = [segment for segment in remaining if segment.segment_id() in names]
        return [*rest, self._merge(in_order)]


def _tier(documents: int) -> int:
    tier = 0
    while documents >= _SMALLEST_TIER:
        documents //= MERGE_FACTOR
        tier += 1
    return tier


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Run the garbage collector seldom: thousands of articles form no cycles."""
    before = gc.get_threshold()
    gc.set_threshold(GC_THRESHOLD, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
