"""Which figures are measured?"""

from benchmarks.lines.line import Line, Measured
from benchmarks.lines.table import BY_NAME, LINES

__all__ = ["BY_NAME", "LINES", "Line", "Measured"]
