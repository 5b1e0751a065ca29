"""Writing the Whoosh index: whole batches, durable, merged in tiers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from whoosh.reading import SegmentReader
from whoosh.writing import CLEAR, SegmentWriter

from index.engines.whoosh.schema import ID, PARAGRAPH_WORDS, ROW, Postings, Run
from index.engines.whoosh.storage import DurableStorage, Meta, damage_told

# Segments of about one size that are merged into one.
MERGE_FACTOR = 8
# Whoosh's pool of postings spills to disk beyond this.
POOL_MB = 256

Deletions = Mapping[str, Sequence[tuple[int, int]]]  # segment → (first document, count)


def commit(
    index: Any, runs: Sequence[Run], deletions: Deletions, *, meta: Meta
) -> None:
    """Add runs and remove documents in one commit.

    :param index: an open ``whoosh.index.FileIndex`` over a :class:`DurableStorage`.
    """
    with damage_told("while writing"), _writing(index) as writer:
        by_id = {segment.segment_id(): segment for segment in writer.segments}
        for segment_id, ranges in deletions.items():
            for first, count in ranges:
                for document in range(first, first + count):
                    by_id[segment_id].delete_document(document)
        for run in runs:
            _add(writer, run)
        _finish(writer, index.storage, meta, _merge_in_tiers)


def replace(index: Any, runs: Iterable[Run], *, meta: Meta) -> None:
    """Replace all that the index holds by these runs, in one commit."""
    with _writing(index) as writer:
        for run in runs:
            _add(writer, run)
        _finish(writer, index.storage, meta, CLEAR)


@contextmanager
def _writing(index: Any) -> Iterator[SegmentWriter]:
    before = index.latest_generation()
    segments = list(index._segments())
    writer = SegmentWriter(index, limitmb=POOL_MB)
    try:
        yield writer
    finally:
        # Whoosh keeps the lock when a commit fails: nobody could write until a restart.
        if not writer.is_closed:
            try:
                with suppress(Exception):  # the failure itself is on its way up
                    writer.cancel()
                index.storage.clean(before, segments)
            finally:
                if writer.writelock is not None and not writer.is_closed:
                    writer.writelock.release()
                    writer.is_closed = True


def _finish(
    writer: SegmentWriter, storage: DurableStorage, meta: Meta, policy: Any
) -> None:
    storage.write_meta(writer.generation, meta)
    writer.commit(mergetype=policy)


def _add(writer: SegmentWriter, run: Run) -> None:
    # Whoosh's own add_document takes text, and gives each word the next position; ours
    # have positions already. What it does with them is done here, step by step.
    schema = writer.schema
    writer.perdocwriter.start_doc(writer.docnum)
    writer.perdocwriter.add_field(ROW, schema[ROW], run.row, 0)
    writer.pool.add((ID, run.id.encode(), writer.docnum, 1.0, b""))
    writer.perdocwriter.add_field(ID, schema[ID], None, 1)
    for name, postings, length in sorted(run.lines, key=lambda line: line[0]):
        _add_words(writer, name, postings, length)
    _finish_document(writer)
    for postings, length in run.paragraphs:
        writer.perdocwriter.start_doc(writer.docnum)
        _add_words(writer, PARAGRAPH_WORDS, postings, length)
        _finish_document(writer)


def _add_words(
    writer: SegmentWriter, name: str, postings: Postings, length: int
) -> None:
    field = writer.schema[name]
    encode = field.format.encode
    add, document = writer.pool.add, writer.docnum
    for term, positions in postings.items():
        add((name, term.encode(), document, float(len(positions)), encode(positions)))
    writer.perdocwriter.add_field(name, field, None, length)


def _finish_document(writer: SegmentWriter) -> None:
    writer.perdocwriter.finish_doc()
    writer._added = True
    writer.docnum += 1


def _merge_in_tiers(writer: SegmentWriter, segments: list[Any]) -> list[Any]:
    """Merge segments of about one size once there are :data:`MERGE_FACTOR` of them.

    Each merge makes a segment of the next size, so a document is written again once a
    tier. A segment of which more than half is deleted is written again as well.
    """
    tiers: dict[int, list[Any]] = {}
    merged: list[Any] = []
    for segment in segments:
        live = segment.doc_count()
        if live == 0 or live < segment.doc_count_all() / 2:
            merged.append(segment)
        else:
            tiers.setdefault(_tier(live), []).append(segment)
    for tier in tiers.values():
        if len(tier) >= MERGE_FACTOR:
            merged.extend(tier)
    chosen = {id(segment) for segment in merged}
    for segment in segments:
        if id(segment) in chosen and segment.doc_count():
            reader = SegmentReader(writer.storage, writer.schema, segment)
            writer.add_reader(reader)
            reader.close()
    return [segment for segment in segments if id(segment) not in chosen]


def _tier(documents: int) -> int:
    tier = 0
    while documents >= MERGE_FACTOR**3:
        documents //= MERGE_FACTOR
        tier += 1
    return tier
