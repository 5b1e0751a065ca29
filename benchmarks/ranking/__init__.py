"""How good is our ranking?"""

from benchmarks.ranking.relevance import Scores, compare_rankings

__all__ = ["Scores", "compare_rankings"]
