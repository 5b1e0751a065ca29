"""Web pages: how is the article of one read, and an article written?"""

from index.formats.html.reading import read
from index.formats.html.writing import POLICY, write

__all__ = ["POLICY", "read", "write"]
