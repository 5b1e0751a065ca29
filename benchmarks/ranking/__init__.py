"""How good is our ranking?"""

from benchmarks.ranking.relevance import Comparison, Scores, compare_rankings

__all__ = ["Comparison", "Scores", "compare_rankings"]
