"""A batch: pending changes for one commit, within bounds of work and memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from index.history import INDEXED_TYPES
from index.jobs.attempts import Attempts
from index.store import Indexable, SetAside, View

# Bounds of a batch, for the memory it takes and the work that a failed commit repeats.
BATCH_CHANGES = 5_000
BATCH_PARAGRAPHS = 20_000
BATCH_BYTES = 32 * 1024 * 1024
# The same as a share of the memory that the indexer may use for articles.
_BATCH_SHARE = 1 / 16
_STRING_BYTES = 60  # of a text or name in an article, besides its characters


@dataclass(slots=True, kw_only=True)
class Batch:
    """What one commit changes in the index; an article is in it once.

    :param seq: of the last change.
    :param is_single: it holds one change only, to find an article that kills.
    :ivar changes: number of changes.
    :ivar set_aside: what is known of those of its articles that are set aside.
    :ivar bytes: memory that the articles take, with ``paragraphs`` of text.
    """

    seq: int
    is_single: bool = False
    changes: int = 0
    puts: list[Indexable] = field(default_factory=list)
    deletes: list[str] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    paragraphs: int = 0
    bytes: int = 0
    _ids: set[str] = field(default_factory=set)

    def __contains__(self, article_id: str) -> bool:
        return article_id in self._ids

    def put(self, current: Indexable) -> None:
        """Add an article to put."""
        self._ids.add(current.article.id)
        self.puts.append(current)
        self.paragraphs += len(current.article.paragraphs)
        self.bytes += current.characters + _STRING_BYTES * current.strings

    def delete(self, article_id: str) -> None:
        """Add an article to delete."""
        self._ids.add(article_id)
        self.deletes.append(article_id)

    def is_full(self, limit: float) -> bool:
        """Whether it has reached a bound.

        :param limit: of :attr:`bytes`.
        """
        return self.paragraphs >= BATCH_PARAGRAPHS or self.bytes >= limit


def next_batch(view: View, since: int, attempts: Attempts, *, memory: int) -> Batch:
    """The next changes, as far as the bounds allow: at least one, if there is one.

    Articles are read one by one, so never more of them than the batch takes.

    :param since: seq of the index.
    :param memory: budget in bytes for articles on their way into the index.
    """
    batch = Batch(seq=since, is_single=attempts.is_single(since))
    changes = view.pending(since, 1 if batch.is_single else BATCH_CHANGES)
    set_aside = attempts.set_aside() if changes else {}
    limit = min(BATCH_BYTES, memory * _BATCH_SHARE)
    for change in changes:
        if batch.is_full(limit):
            break
        batch.changes += 1
        batch.seq = change.seq
        # Other types change nothing in the index: an older version that arrived late,
        # or the end of an embargo, whose time the index has.
        if change.type not in INDEXED_TYPES or change.id in batch:
            continue
        # The article as it is now, not as it was then: one that was withdrawn since
        # must not be found for even a moment.
        current = view.indexable(change.id)
        known = set_aside.get(change.id)
        if known is not None:
            batch.set_aside.append(known)
        if current is None or (known is not None and _is_same(current, known)):
            batch.delete(change.id)
        else:
            batch.put(current)
    return batch


def _is_same(current: Indexable, known: SetAside) -> bool:
    """Whether an article is still what was set aside."""
    return (current.article.version, current.digest) == (known.version, known.digest)
