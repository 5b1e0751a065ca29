"""Moving a store into a database of any kind, and comparing two stores."""

from index.store.moves.move import Move, Moved, store_differences, undo_move

__all__ = ["Move", "Moved", "store_differences", "undo_move"]
