"""Erasure: the pages of deleted rows are freed, so that new rows overwrite them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from index.errors import StoreUnavailable
from index.store.postgresql.driver import Driver
from index.store.postgresql.failures import BUSY_SECONDS, store_errors
from index.store.tables import metadata

_PAUSE_SECONDS = 0.1
# A transaction that begins after the deletion: states before it still show the rows.
_NOW = "SELECT pg_current_xact_id()::xid::text"
_OLDER_READERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND age(backend_xmin) > age(%s::text::xid)
"""


def erase(parameters: Mapping[str, Any]) -> None:
    """Free the room of rows that were deleted, once no reader sees them any more.

    PostgreSQL overwrites it by and by. Its write-ahead log, archives of that, and
    backups keep what was written to them.

    :raises StoreUnavailable: readers of older states did not end in time.
    """
    with store_errors(), closing(Driver.open(parameters, writes=True)) as driver:
        driver.autocommit = True
        driver.silence = None
        now = driver.execute(_NOW).fetchone()
        limit = time.monotonic() + BUSY_SECONDS
        while driver.execute(_OLDER_READERS, now).fetchone() != (0,):
            if time.monotonic() > limit:
                raise StoreUnavailable(
                    "the text was erased, but its room is not free until readers of"
                    " older snapshots end; purge it again later"
                )
            time.sleep(_PAUSE_SECONDS)
        for table in metadata.sorted_tables:
            driver.execute(f'VACUUM "{table.name}"')
