"""Names of elements of feeds: by their namespaces, also by those often written wrongly.

A name is that of the element, in small letters, behind the usual prefix of its
namespace: ``dc:creator``. Elements of RSS itself have no prefix, those of
Atom ``atom``.
"""

from __future__ import annotations

import re

from index.formats.property_names import kept
from index.parsing import XmlElement

# Addresses without scheme, "www." and what they end in, in small letters.
_NAMESPACES = {
    "": "",
    "purl.org/rss/1.0": "",
    "purl.org/net/rss1.1": "",
    "my.netscape.com/rdf/simple/0.9": "",
    "my.netscape.com/publish/formats/rss-0.91.dtd": "",
    "channel.netscape.com/rdf/simple/0.9": "",
    "backend.userland.com/rss": "",
    "backend.userland.com/rss2": "",
    "backend.userland.com/rss091": "",
    "backend.userland.com/rss092": "",
    "backend.userland.com/rss-0.91": "",
    "blogs.law.harvard.edu/tech/rss": "",
    "cyber.law.harvard.edu/rss": "",
    "cyber.law.harvard.edu/rss/rss.html": "",
    "rssboard.org/rss-specification": "",
    "w3.org/2005/atom": "atom",
    "w3.org/2005/atom10": "atom",
    "purl.org/atom/ns": "atom",
    "purl.org/atom/app": "app",
    "w3.org/2007/app": "app",
    "purl.org/atompub/tombstones/1.0": "at",
    "purl.org/dc/elements/1.0": "dc",
    "purl.org/dc/elements/1.1": "dc",
    "dublincore.org/documents/dcmi-namespace": "dc",
    "purl.org/dc/terms": "dcterms",
    "purl.org/rss/1.0/modules/dcterms": "dcterms",
    "purl.org/rss/1.0/modules/content": "content",
    "purl.org/rss/1.0/modules/slash": "slash",
    "purl.org/rss/1.0/modules/syndication": "sy",
    "purl.org/rss/1.0/modules/prism": "prism",
    "prismstandard.org/namespaces/basic": "prism",
    "wellformedweb.org/commentapi": "wfw",
    "purl.org/syndication/thread/1.0": "thr",
    "search.yahoo.com/mrss": "media",
    "search.yahoo.com/rss": "media",
    "rssboard.org/media-rss": "media",
    "tools.search.yahoo.com/mrss": "media",
    "itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "itunes.com/dtds/podcast-1.0": "itunes",
    "podcastindex.org/namespace/1.0": "podcast",
    "rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "georss.org/georss": "georss",
    "w3.org/2003/01/geo/wgs84_pos": "geo",
    "backend.userland.com/creativecommonsrssmodule": "creativecommons",
    "cyber.law.harvard.edu/rss/creativecommonsrssmodule.html": "creativecommons",
    "web.resource.org/cc": "cc",
    "creativecommons.org/ns": "cc",
    "w3.org/1999/xhtml": "xhtml",
    "w3.org/1999/02/22-rdf-syntax-ns": "rdf",
}
_SCHEME = re.compile(r"\A\s*(?:https?:)?//(?:www\.)?")
# Prefixes that people write for those above.
_OTHER_PREFIXES = {
    "atom10": "atom",
    "atom03": "atom",
    "a10": "atom",
    "a": "atom",
    "mrss": "media",
    "dct": "dcterms",
    "dcterm": "dcterms",
}
_WORDPRESS = re.compile(r"wordpress\.org/export(?:/[\d.]+)?(/excerpt)?\Z")
_PRISM = re.compile(r"prismstandard\.org/namespaces/(?:basic/)?[\d.]+(?:/basic)?\Z")


def name_of(element: XmlElement) -> str:
    """Name of an element, behind the usual prefix of its namespace.

    A namespace that is unknown is named by its prefix, which says what was meant.
    """
    namespace, _, name = element.tag.rpartition("}")
    if not namespace:
        return name.lower()
    prefix = _prefix_of(f"{element.prefix or ''} {namespace[1:]}")
    return f"{prefix}:{name.lower()}" if prefix else name.lower()


@kept(1024)
def _prefix_of(written: str) -> str:
    """Usual prefix of a namespace.

    :param written: the prefix in the file, a space, and the namespace.
    """
    prefix, _, namespace = written.lower().partition(" ")
    address = _SCHEME.sub("", namespace.strip()).rstrip("/#")
    if address in _NAMESPACES:
        return _NAMESPACES[address]
    if match := _WORDPRESS.match(address):
        return "excerpt" if match[1] else "wp"
    if _PRISM.match(address):
        return "prism"
    return _OTHER_PREFIXES.get(prefix, prefix)
