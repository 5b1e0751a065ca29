"""Writing the index: whole batches, durable, merged in tiers.

A commit is a new table of contents. What it names is on disk before it is put in place,
so whenever a process dies there is the old index or the new one, and nothing between.
Files that no table names are left by processes that died; the next commit removes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from index.article import Article
from index.engines.whoosh.buffer import CHUNK_BYTES, Buffer
from index.engines.whoosh.codec import ColumnarSegment
from index.engines.whoosh.inversion import Tables, write_segment
from index.engines.whoosh.merging import merge
from index.engines.whoosh.segment import Segment
from index.engines.whoosh.storage import NAME, DurableStorage, Meta

# Segments of about one size that are merged into one.
MERGE_FACTOR = 8
# Documents of the smallest tier.
_SMALLEST_TIER = 512
# The share of a writer's memory that a buffer takes at most, while it is written. The
# next one, which is filled meanwhile, takes little before it is written itself.
_SHARE = 0.8
# The share of that which known words may take and still be kept for the next buffer.
_KNOWN_SHARE = 0.4

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
            each.without(deletions[each.segment_id()])
            if each.segment_id() in deletions
            else each
            for each in held
        ]
        segments += self._written(articles)
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

        While one is written, the next is filled: NumPy lets go of the interpreter.
        """
        written: list[Future[ColumnarSegment]] = []
        buffer = Buffer(self._language)
        full = self._memory * _SHARE
        with ThreadPoolExecutor(1) as pool:
            for article in articles:
                buffer.add(article)
                if buffer.bytes > full:
                    if written:
                        written[-1].result()
                    written.append(
                        pool.submit(self._write, buffer, Tables(buffer.chunks))
                    )
                    chunks = buffer.chunks
                    few = len(chunks) * CHUNK_BYTES < full * _KNOWN_SHARE
                    buffer = Buffer(self._language, chunks if few else None)
            if len(buffer):
                if not written:
                    return [self._write(buffer, Tables(buffer.chunks))]
                written.append(pool.submit(self._write, buffer, Tables(buffer.chunks)))
            return [each.result() for each in written]

    def _write(self, buffer: Buffer, tables: Tables) -> ColumnarSegment:
        segment = ColumnarSegment(NAME, documents=len(buffer.passages))
        with self._storage.new_file(segment) as path:
            write_segment(buffer, path, tables)
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
            self._storage.forget(each)
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
