"""What does a search mean? The reference engine: its code is the specification."""

from index.engines.memory.docs import Doc, Docs, date_of, doc_of, values_of
from index.engines.memory.engine import MemoryEngine
from index.engines.memory.matching import Matcher
from index.engines.memory.postings import LeafPostings, postings_of, word_leaves
from index.engines.memory.scoring import Scorer

__all__ = [
    "Doc",
    "Docs",
    "LeafPostings",
    "Matcher",
    "MemoryEngine",
    "Scorer",
    "date_of",
    "doc_of",
    "postings_of",
    "values_of",
    "word_leaves",
]
