"""Web pages: how is the article of one read?"""

from index.formats.html.reading import read

__all__ = ["read"]
