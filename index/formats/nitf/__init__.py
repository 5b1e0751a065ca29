"""NITF: how is it read, alone and inside NewsML, and written?"""

from index.formats.nitf.document import nitf_articles
from index.formats.nitf.reading import read
from index.formats.nitf.writing import write

__all__ = ["nitf_articles", "read", "write"]
