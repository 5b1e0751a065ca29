"""Which articles are searched, and with which queries?"""

from benchmarks.data.corpus import (
    Copies,
    Corpus,
    File,
    Generated,
    Kept,
    Size,
    first_articles,
    size_of,
    write_lines,
)
from benchmarks.data.judged import Collection, read_collections
from benchmarks.data.workload import (
    FACETS,
    FUZZY,
    NOW,
    TimedSearch,
    Workload,
    by_kind,
    draw_distinct,
    draw_workload,
    search_of,
    workload_of,
)

__all__ = [
    "FACETS",
    "FUZZY",
    "NOW",
    "Collection",
    "Copies",
    "Corpus",
    "File",
    "Generated",
    "Kept",
    "Size",
    "TimedSearch",
    "Workload",
    "by_kind",
    "draw_distinct",
    "draw_workload",
    "first_articles",
    "read_collections",
    "search_of",
    "size_of",
    "workload_of",
    "write_lines",
]
