"""NewsML 1: how is it read?"""

from index.formats.newsml1.reading import read

__all__ = ["read"]
