"""The move of a store to another place, and of its index if a new one is wanted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing

from index.engines import Engine
from index.jobs.indexer import Indexer, Progress
from index.store import Move, Moved


def move_store(
    source: str,
    target: str,
    *,
    open_engine: Callable[[], Engine] | None = None,
    on_copy: Progress = lambda done, total: None,
    on_index: Progress = lambda done, total: None,
) -> Moved:
    """Move a store while it serves, or go on with a move that was interrupted.

    :param source: URL of the store that is moved.
    :param target: URL of an empty one, which is created if need be.
    :param open_engine: opens the engine whose index is built of the new store before
        writes are stopped; without it, the index of the old store goes on.
    :param on_copy: gets how many articles were copied, and how many there are.
    :param on_index: gets how many articles were indexed, and how many there are.
    :raises InvalidValue: the target is not empty, or is the source, or lacks room.
    :raises ServiceError: the move was not ended; the same command goes on.
    """
    with ExitStack() as opened:
        indexer = None
        with_index = open_engine is not None
        move = opened.enter_context(Move.open(source, target, with_index=with_index))
        if open_engine is not None:
            engine = opened.enter_context(closing(open_engine()))
            indexer = Indexer(move.target, engine)
        move.copy(on_copy)
        move.follow()
        if indexer is not None:
            indexer.catch_up(on_rebuild=on_index)
            move.follow()
            indexer.catch_up(on_rebuild=on_index)
        move.compare()
        moved = move.finish()
        if indexer is not None:
            indexer.catch_up(on_rebuild=on_index)
        return moved
