"""What runs beside the answers? Indexing, loading, verifying."""

from index.jobs.indexer import Indexer
from index.jobs.loader import LoadInterrupted, Problem, Progress, Report, load
from index.jobs.verification import problems, warnings

__all__ = [
    "Indexer",
    "LoadInterrupted",
    "Problem",
    "Progress",
    "Report",
    "load",
    "problems",
    "warnings",
]
