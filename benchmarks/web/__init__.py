"""How do searches over HTTP compare with what a user would pick instead?"""

from benchmarks.web.comparison import (
    CONNECTIONS,
    Row,
    WebComparison,
    WebEffort,
    compare,
    cpu_ratio,
    search_sets,
)
from benchmarks.web.contestant import Contestant, Hits
from benchmarks.web.opensearch import OPENSEARCH, VARIABLE, OpenSearch, port_of
from benchmarks.web.services import FLASK_TANTIVY, OURS, Bare, FlaskTantivy, Nutgraf

__all__ = [
    "CONNECTIONS",
    "FLASK_TANTIVY",
    "OPENSEARCH",
    "OURS",
    "VARIABLE",
    "Bare",
    "Contestant",
    "FlaskTantivy",
    "Hits",
    "Nutgraf",
    "OpenSearch",
    "Row",
    "WebComparison",
    "WebEffort",
    "compare",
    "cpu_ratio",
    "port_of",
    "search_sets",
]
