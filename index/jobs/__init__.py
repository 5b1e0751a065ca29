"""What runs beside the answers? Indexing, loading and verifying."""

from index.jobs.indexer import Indexer
from index.jobs.loader import load
from index.jobs.moving import move_store
from index.jobs.report import LoadInterrupted, Note, Problem, Progress, Report
from index.jobs.sources import STDIN
from index.jobs.verification import store_problems, store_warnings

__all__ = [
    "STDIN",
    "Indexer",
    "LoadInterrupted",
    "Note",
    "Problem",
    "Progress",
    "Report",
    "load",
    "move_store",
    "store_problems",
    "store_warnings",
]
