"""How do the figures grow with the corpus?"""

from benchmarks.scale.plot import plot
from benchmarks.scale.steps import Step, seconds_left

__all__ = ["Step", "plot", "seconds_left"]
