"""What does a search mean? The reference engine: its code is the specification."""

from index.engines.memory.engine import MemoryEngine

__all__ = [
    "MemoryEngine",
]
