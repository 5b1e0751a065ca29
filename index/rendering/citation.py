"""Citations: the words for an article, and a link that leads to one of its paragraphs.

The link has a text directive (WICG, URL Fragment Text Directives): browsers scroll to
the cited text on any page that has it, and mark it there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from index.article import Article
from index.errors import ParagraphNotFound
from index.rendering.links import permalink
from index.settings import Settings

# Sizes of a text in a link. In bytes of UTF-8, since a link has three characters for
# each byte that is not ASCII.
_WHOLE = 90  # of a text that a link contains as it is
_EDGE = 30  # of each end of a longer text, at least
_PREFIX = 12  # of the text before it, at least
_MOST = 120  # characters of each of them, at most
_WEB = re.compile(r"https?://", re.IGNORECASE)
_DIRECTIVE = ":~:"
# What an address is made of (RFC 3986), and escapes that it has already.
_OF_ADDRESSES = ":/?#[]@!$&'()*+,;=%"
# Browsers look for whole words. These end words in scripts written without spaces.
_BREAK = re.compile("[。，、；：？！）」』】》…]+|\\s+")
# Characters that turn the direction of the text around them.
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ISOLATE, _POP = "\u2068", "\u2069"
_RIGHT_TO_LEFT = ("R", "AL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A citation of an article, or of one of its paragraphs.

    :param words: headline, source and day, in one line.
    :param link: an address in ASCII.
    """

    words: str
    link: str

    @property
    def text(self) -> str:
        """Words and link, each on a line of its own."""
        return f"{self.words}\n{self.link}"


def citation_of(
    article: Article, n: int, *, day: str, page: str, settings: Settings
) -> Citation:
    """Citation of a paragraph.

    ::

        citation_of(ferry, 2, day="3 May 2019", page="", settings=settings).text
        # Ferry back in service (City Desk, 3 May 2019)
        # https://news.example/ferry#:~:text=It%20sailed%20at%20noon.

    :param n: 0 cites the article as a whole.
    :param day: when it was published, as people write it; blank if unknown.
    :param page: our own address of the article, for one that has no other.
    :raises ParagraphNotFound: the article has no such paragraph.
    """
    address = permalink(article.id, article.url, settings)
    is_ours = address is None or not _WEB.match(address)
    link = page if is_ours else quote(str(address), safe=_OF_ADDRESSES)
    if n:
        link = link.partition(_DIRECTIVE)[0]
        anchor = f"p{n}" if is_ours else ""
        hash_ = "" if "#" in link else "#"
        link = f"{link}{hash_}{anchor}{_DIRECTIVE}text={_directive(article, n)}"
    return Citation(words=_words(article, day), link=link)


def _words(article: Article, day: str) -> str:
    known = [_in_line(part) for part in (article.source, day) if part]
    headline = _in_line(article.headline or article.id)
    return f"{headline} ({', '.join(known)})" if known else headline


def _in_line(text: str) -> str:
    """A text in one line, which does not turn what stands around it."""
    line = _TURNING.sub("", " ".join(text.split()))
    if any(unicodedata.bidirectional(each) in _RIGHT_TO_LEFT for each in line):
        return f"{_ISOLATE}{line}{_POP}"
    return line


def _directive(article: Article, n: int) -> str:
    texts = [" ".join(each.text.split()) for each in article.paragraphs if each.n <= n]
    if not article.paragraphs[0].n <= n <= article.paragraphs[-1].n:
        raise ParagraphNotFound(article.id, n, last=article.paragraphs[-1].n)
    start, end = _ends(texts[-1])
    prefix = _prefix(texts[:-1], start)
    parts = [f"{_encoded(prefix)}-"] if prefix else []
    return ",".join([*parts, *map(_encoded, filter(None, (start, end)))])


def _encoded(text: str) -> str:
    """A text in which nothing separates the terms of a directive."""
    return quote(text, safe="").replace("-", "%2D")


def _ends(text: str) -> tuple[str, str]:
    """First and last words of a text; a short one whole, with a blank end."""
    if len(text.encode()) <= _WHOLE:
        return text, ""
    least = _characters(text, _EDGE)
    start = next(_beginnings(text, least), "")
    rest = text[len(start) :].casefold()
    end = ""
    for end in _endings(text, least):
        if len(start) + len(end) > len(text):
            return text[:_MOST], ""
        # The first place of these words must be the end of the text.
        if rest.find(end.casefold()) == len(rest) - len(end.casefold()):
            break
    return (start, end) if start and end else (text[:_MOST], "")


def _prefix(before: Sequence[str], start: str) -> str:
    """Last words before a text that tell it from an earlier one that starts alike.

    Blank if none starts alike.
    """
    earlier, sought = " ".join(before).casefold(), start.casefold()
    if sought not in earlier:
        return ""
    prefix = before[-1] if len(before[-1]) <= _MOST else ""
    for candidate in _endings(before[-1], _characters(before[-1], _PREFIX)):
        prefix = candidate
        if f"{candidate.casefold()} {sought}" not in earlier:
            break
    return prefix


def _characters(text: str, size: int) -> int:
    """About as many characters of a text as have this size."""
    return max(size * len(text) // len(text.encode()), 4)


def _beginnings(text: str, least: int) -> Iterator[str]:
    """Yield beginnings of a text that end with a word, the shortest first."""
    for match in _BREAK.finditer(text, least, _MOST):
        yield text[: match.end()].rstrip()


def _endings(text: str, least: int) -> Iterator[str]:
    """Yield ends of a text that start with a word, the shortest first."""
    first = max(len(text) - _MOST, 0)
    breaks = [match.end() for match in _BREAK.finditer(text, first, len(text) - least)]
    for place in reversed(breaks):
        yield text[place:]
    if not first:
        yield text
