"""The engine on a cluster: OpenSearch finds, by our words and our formula."""

from index.engines.opensearch.engine import ClusterEngine

__all__ = [
    "ClusterEngine",
]
