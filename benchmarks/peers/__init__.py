"""Which engines do we compare ours with?"""

from benchmarks.peers.fts5 import FTS5
from benchmarks.peers.optional import has_tantivy, stored_tantivy, tantivy_peer
from benchmarks.peers.peer import Builder, Peer, Unsupported
from benchmarks.peers.stock_whoosh import StockWhoosh

__all__ = [
    "FTS5",
    "Builder",
    "Peer",
    "StockWhoosh",
    "Unsupported",
    "has_tantivy",
    "stored_tantivy",
    "tantivy_peer",
]
