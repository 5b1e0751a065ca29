"""Errors that are ours: the request is right and cannot be served now."""

from __future__ import annotations

from index.errors.base import ServiceError


class IndexUnavailable(ServiceError):
    """Index that cannot be read now; the articles are safe in the store.

    :param progress: share of the rebuild that is done, 0 to 1; ``None`` if there is no
        rebuild under way.
    """

    code = "index_unavailable"

    def __init__(self, detail: str, *, progress: float | None = None) -> None:
        share = "" if progress is None else f" ({progress:.0%} done)"
        super().__init__(f"{detail}{share}")
        self.progress = progress


class IndexMissing(IndexUnavailable):
    """Index that is not there any more; the indexer rebuilds it."""

    def __init__(self) -> None:
        super().__init__("an index is missing; the indexer rebuilds it")


class PointLost(IndexUnavailable):
    """State of a cluster's index that is gone: its node ended, or its time is over."""


class IndexDamaged(IndexUnavailable):
    """Index with a file that was damaged after it was written."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the index is damaged ({what}) and the indexer rebuilds it")
        self.what = what


class SearchTimeout(ServiceError):
    """Search that reached its deadline."""

    code = "search_timeout"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the search took longer than {seconds:g} s; narrow it: use fewer"
            " wildcards, longer words or a date range"
        )
        self.seconds = seconds


class SearchMemoryUsed(ServiceError):
    """Search that found no memory free, since other searches take it."""

    code = "search_memory_used"

    def __init__(self) -> None:
        super().__init__(
            "other searches use all the memory that searches may take; try again, or"
            " use fewer words and wildcards"
        )


class StoreFull(ServiceError):
    """Full disk; nothing of this write was stored."""

    code = "storage_full"

    def __init__(self) -> None:
        super().__init__(
            "the store's disk is full, and nothing of this write was stored; free some"
            " space and try again"
        )


class StoreReadOnly(ServiceError):
    """Store whose file or disk is read-only; nothing of this write was stored.

    :param detail: what else cannot be done there, and the way out.
    """

    code = "store_read_only"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(
            detail
            or "the store is read-only, and nothing of this write was stored; make its"
            " disk and folder writable and try again: no restart is needed"
        )


class StoreMoving(StoreReadOnly):
    """Store whose writes are stopped for a moment, at the end of a move.

    :param seconds: until writes are accepted again at the latest, here or there.
    """

    code = "store_moving"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            "the store is being moved, and nothing of this write was stored; send it"
            f" again: writes are stopped for at most {max(1.0, seconds):.0f} s more"
        )
        self.seconds = seconds


class StoreMoved(StoreReadOnly):
    """Store that was moved to another place, where all writes go now, kills too.

    :param place: of the other store, without a password.
    """

    code = "store_moved"

    def __init__(self, place: str) -> None:
        super().__init__(
            f"the store was moved to {place}, and nothing of this write was stored;"
            " set NUTGRAF_STORE to it and start Nutgraf again. Until then this store is"
            " only read, and a kill over there does not hold here"
        )
        self.place = place


class StoreUnavailable(ServiceError):
    """Store that cannot be reached, is locked for too long, or is damaged."""

    code = "store_unavailable"


class MigrationNeeded(StoreUnavailable):
    """Store of an older schema, which this release neither reads nor writes.

    :param schema: that of the store.
    :param needed: that of this release.
    """

    code = "migration_needed"

    def __init__(self, schema: int, *, needed: int) -> None:
        super().__init__(
            f"the store has schema {schema}, and this release needs schema {needed};"
            " run nutgraf migrate"
        )
        self.schema, self.needed = schema, needed


class ReleaseOutdated(StoreUnavailable):
    """Store that a newer release has migrated, so that this one must not use it.

    :param schema: that of the store.
    :param oldest: the oldest schema whose releases may still use the store.
    :param own: the schema of this release.
    """

    code = "release_outdated"

    def __init__(self, schema: int, *, oldest: int, own: int) -> None:
        super().__init__(
            f"the store was migrated to schema {schema}, which releases older than"
            f" schema {oldest} cannot use, and this release has schema {own}; start the"
            " newer release"
        )
        self.schema, self.oldest, self.own = schema, oldest, own


class IndexerRunning(ServiceError):
    """Lock of the indexer, which another process holds."""

    code = "indexer_running"

    def __init__(self, lock: str, holder: str | None = None) -> None:
        process = f" (process {holder})" if holder else ""
        super().__init__(
            f"another indexer{process} holds {lock}; stop it first, or let it do the"
            " indexing"
        )
        self.lock, self.holder = lock, holder


class StoreIncomplete(StoreUnavailable):
    """Store into which a move has not ended, so that it is neither read nor written.

    :param place: of the store that is moved, without a password.
    """

    code = "store_incomplete"

    def __init__(self, place: str) -> None:
        super().__init__(
            f"the move of {place} into this store has not ended; wait for it, or run"
            " nutgraf move again if it was interrupted, with NUTGRAF_STORE set to the"
            " store that is moved"
        )
        self.place = place
