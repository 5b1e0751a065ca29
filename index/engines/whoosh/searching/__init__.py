"""What matches, how well, and how many?"""

from index.engines.whoosh.searching.evaluation import Evaluation
from index.engines.whoosh.searching.state import State
from index.engines.whoosh.searching.vocabulary import similar, words

__all__ = [
    "Evaluation",
    "State",
    "similar",
    "words",
]
