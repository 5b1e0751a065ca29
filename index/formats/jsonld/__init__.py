"""Articles in the vocabulary of schema.org: how are they read and written?"""

from index.formats.jsonld.articles import address_of, record_of
from index.formats.jsonld.graph import Graph, Node, types_of
from index.formats.jsonld.reading import (
    holds_article,
    is_head_of_document,
    read,
    read_document,
)
from index.formats.jsonld.writing import node_of, write

__all__ = [
    "Graph",
    "Node",
    "address_of",
    "holds_article",
    "is_head_of_document",
    "node_of",
    "read",
    "read_document",
    "record_of",
    "types_of",
    "write",
]
