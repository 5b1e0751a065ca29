"""What matches, how well, and how many?"""

from index.engines.whoosh.searching.evaluation import Evaluation
from index.engines.whoosh.searching.names import names
from index.engines.whoosh.searching.snapshot import IndexSnapshot
from index.engines.whoosh.searching.vocabulary import completions, corrections

__all__ = [
    "Evaluation",
    "IndexSnapshot",
    "completions",
    "corrections",
    "names",
]
