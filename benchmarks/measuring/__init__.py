"""How is a figure measured?"""

from benchmarks.measuring.load import Load, measure_load
from benchmarks.measuring.processes import (
    HOST,
    NUTGRAF,
    ROOT,
    CommandResult,
    Failed,
    Server,
    answer_of,
    bare_server,
    nutgraf_server,
    request_json,
    run,
    running,
    unshared_by_kind,
    unshared_bytes,
)
from benchmarks.measuring.timing import (
    FLOOR_MS,
    Times,
    alternated,
    geometric_mean,
    median_ratio,
    milliseconds,
    percentile,
)

__all__ = [
    "FLOOR_MS",
    "HOST",
    "NUTGRAF",
    "ROOT",
    "CommandResult",
    "Failed",
    "Load",
    "Server",
    "Times",
    "alternated",
    "answer_of",
    "bare_server",
    "geometric_mean",
    "measure_load",
    "median_ratio",
    "milliseconds",
    "nutgraf_server",
    "percentile",
    "request_json",
    "run",
    "running",
    "unshared_by_kind",
    "unshared_bytes",
]
