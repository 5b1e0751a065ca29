"""Which engines do we compare ours with?"""

from benchmarks.peers.fts5 import FTS5
from benchmarks.peers.optional import has_tantivy, tantivy_peer
from benchmarks.peers.peer import Peer, Unsupported
from benchmarks.peers.stock_whoosh import StockWhoosh

__all__ = [
    "FTS5",
    "Peer",
    "StockWhoosh",
    "Unsupported",
    "has_tantivy",
    "tantivy_peer",
]
