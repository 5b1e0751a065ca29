"""Searching: a search as questions to the cluster, and their answers as a page."""

from index.engines.opensearch.searching.conditions import visible
from index.engines.opensearch.searching.counts import Counts
from index.engines.opensearch.searching.search import answer as search
from index.engines.opensearch.searching.view import View

__all__ = [
    "Counts",
    "View",
    "search",
    "visible",
]
