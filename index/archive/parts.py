"""The parts of an archive: the store and the engine that settings name."""

from __future__ import annotations

from index.dates import Clock, utc_now
from index.engines import Engine, open_engine
from index.settings import Settings
from index.store import Store


def open_parts(settings: Settings, *, clock: Clock = utc_now) -> tuple[Store, Engine]:
    """The store and the engine that settings name; the store is created if missing."""
    engine = open_engine_of(settings)
    return Store.open(settings.store, clock=clock), engine


def open_engine_of(settings: Settings, url: str | None = None) -> Engine:
    """The engine that settings name, or the one of another URL with these settings."""
    return open_engine(
        settings.engine if url is None else url,
        language=settings.language,
        expansions=settings.expansions,
        memory=settings.index_memory,
        search_memory=settings.search_memory,
    )
