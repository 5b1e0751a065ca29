"""NewsML-G2: how is it read and written?"""

from index.formats.newsmlg2.reading import read
from index.formats.newsmlg2.writing import write

__all__ = ["read", "write"]
