"""Whether an index and a store speak of the same history of changes."""

from __future__ import annotations

from index.engines import EngineState, Snapshot

OTHER_HISTORY = (
    "the store was restored from a backup, or is another one than the index was built"
    " from"
)


def of_one_history(index: EngineState | Snapshot, epoch: int) -> bool:
    """Return whether the sequence numbers of an index are those of a store.

    An engine that holds nothing yet, or was built before stores had a history of their
    own, goes with any store.
    """
    return index.epoch is None or index.epoch == epoch
