"""The reference engine: what a search means, as a program."""

from index.engines.memory.engine import MemoryEngine

__all__ = [
    "MemoryEngine",
]
