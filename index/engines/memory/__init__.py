"""What does a search mean? The reference engine: its code is the specification."""

from index.engines.memory.docs import Doc, Docs, date_of, doc_of, values_of
from index.engines.memory.engine import MemoryEngine
from index.engines.memory.postings import LeafPostings, word_leaves
from index.engines.memory.search import Evaluation

__all__ = [
    "Doc",
    "Docs",
    "Evaluation",
    "LeafPostings",
    "MemoryEngine",
    "date_of",
    "doc_of",
    "values_of",
    "word_leaves",
]
