"""What runs beside the answers? Indexing, loading, verifying."""

from index.jobs.indexer import Indexer
from index.jobs.loader import LoadInterrupted, Problem, Progress, Report, load
from index.jobs.verification import store_problems, store_warnings

__all__ = [
    "Indexer",
    "LoadInterrupted",
    "Problem",
    "Progress",
    "Report",
    "load",
    "store_problems",
    "store_warnings",
]
