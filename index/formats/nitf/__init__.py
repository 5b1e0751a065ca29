"""NITF: how is it read, alone and inside NewsML?"""

from index.formats.nitf.document import nitf_articles
from index.formats.nitf.reading import read

__all__ = ["nitf_articles", "read"]
