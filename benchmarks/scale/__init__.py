"""How do the figures grow with the corpus?"""

from benchmarks.scale.plot import plot
from benchmarks.scale.steps import Step, measure_steps, remaining, seconds_left

__all__ = ["Step", "measure_steps", "plot", "remaining", "seconds_left"]
