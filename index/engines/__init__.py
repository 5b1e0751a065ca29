"""Which articles match a search? What an engine promises; `memory` specifies it."""

from index.engines import ranking
from index.engines.budget import SearchMemory
from index.engines.engine import (
    OTHER_HISTORY,
    Engine,
    EngineState,
    Snapshot,
    of_one_history,
)
from index.engines.facets import MAX_BUCKETS
from index.engines.opening import open_engine
from index.engines.result import Facet, Hit, LeafScore, Page, Passage, WordCount

__all__ = [
    "MAX_BUCKETS",
    "OTHER_HISTORY",
    "Engine",
    "EngineState",
    "Facet",
    "Hit",
    "LeafScore",
    "Page",
    "Passage",
    "SearchMemory",
    "Snapshot",
    "WordCount",
    "of_one_history",
    "open_engine",
    "ranking",
]
