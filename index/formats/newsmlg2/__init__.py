"""NewsML-G2: how is it read?"""

from index.formats.newsmlg2.reading import read

__all__ = ["read"]
