"""HTML of news items, cut into paragraphs.

Nothing is fetched, and only text is taken: elements without any (scripts, styles,
forms, players) are dropped with their contents.
"""

from __future__ import annotations

import html as references
import re
from collections import Counter
from collections.abc import Iterable
from html.entities import html5

from lxml import etree

from index.article import MAX_PARAGRAPHS, Role
from index.errors import InvalidArticle, LimitExceeded
from index.parsing import prose
from index.parsing.blocks import Block, Cell

_IN_FIGURE = 8  # blocks of a caption of several paragraphs and its credit
_LONGEST_CREDIT = 100  # characters
MAX_MARKUP = 8 * 1024 * 1024  # characters of one fragment
MAX_TAGS = 300_000  # tags of one fragment, start and end tags
# End tags times open elements: libxml2 looks through all that are open for each.
MAX_STEPS = 500_000_000
_PIECE = 128 * 1024  # bytes that are parsed before the limits are looked at again

_BLOCK_TAGS = (
    "p div section article header footer main aside address center form fieldset ul ol"
    " dl hr details summary nav body html block thead tbody tfoot table"
)
_BLOCKS = frozenset(_BLOCK_TAGS.split())
_ROLES = {
    "li": Role.LIST,
    "dt": Role.LIST,
    "dd": Role.LIST,
    "h1": Role.SUBHEAD,
    "h2": Role.SUBHEAD,
    "h3": Role.SUBHEAD,
    "h4": Role.SUBHEAD,
    "h5": Role.SUBHEAD,
    "h6": Role.SUBHEAD,
    "blockquote": Role.QUOTE,
    "figcaption": Role.CAPTION,
    "caption": Role.CAPTION,
    "pre": Role.BODY,
}
_DROPPED_TAGS = (
    "script style head title template noscript iframe object embed applet svg math"
    " textarea select button canvas audio video map"
)
_DROPPED = frozenset(_DROPPED_TAGS.split())
_INLINE_TAGS = (
    "a abbr b bdi bdo big cite code del dfn em font i ins kbd label mark nobr q rp rt"
    " ruby s samp small span strike strong sub sup time tt u var wbr"
)
_OTHER_TAGS = (
    "article area base blockquote br caption col colgroup dd dir dt figcaption figure"
    " frame frameset hgroup h1 h2 h3 h4 h5 h6 img input legend li link menu meta object"
    " optgroup option output param picture pre progress s search source td th title tr"
    " track"
)
_HTML_TAGS = frozenset(
    f"{_BLOCK_TAGS} {_DROPPED_TAGS} {_INLINE_TAGS} {_OTHER_TAGS}".split()
)
_INLINE = "|".join(_INLINE_TAGS.split())
_TAG = re.compile(
    r"<(?:/|!--)?(?:p|br|div|h[1-6]|ul|ol|li|blockquote|table|section|article|figure"
    r"|html|body|pre)\b[^<>]{0,2000}>"
    rf"|</(?:{_INLINE}|figcaption|td|th|tr|dt|dd|dl)\s*>"
    rf"|<(?:{_INLINE}|img|iframe)\s+[a-z][\w:-]*\s*=[^<>]{{0,2000}}>",
    re.IGNORECASE,
)
# What makes a line HTML. <P>, <DD> and <BR> alone are shares in a headline.
_PAIR = re.compile(
    r"</[a-z][\w:-]*\s*>"
    rf"|<(?:{_INLINE}|p|div|img)\s+[a-z][\w:-]*\s*=[^<>]{{0,2000}}>"
    r"|(?-i:<br\s*/?>)|<br\s*/>",
    re.IGNORECASE,
)
# A < and what may make it a tag; > in quotes does not end one.
_LESS_THAN = re.compile(
    r"<(?![!?])(?:/?([A-Za-z][\w:-]*+)(?=[\s/>])"
    r"(?:(?:[^<>\"']++|\"[^\"]{0,2000}+\"|'[^']{0,2000}+'){0,80}>|[^<>]*+(>|\Z)))?"
)
_SEARCHED = re.compile(rb"</|<body", re.IGNORECASE)  # tags that it looks so for
_CLOSED = re.compile(r"</([A-Za-z][\w:-]*+)\s*+>")
_REFERENCE = re.compile(
    r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
)
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")
# &#150; and the like stand for Windows-1252 characters (HTML Standard, 13.2.5.80).
_WINDOWS = {
    code: bytes([code]).decode("cp1252")
    for code in range(0x80, 0xA0)
    if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n\s*")


def is_markup(text: str) -> bool:
    """Whether a text is HTML rather than words with a ``<`` among them."""
    return _TAG.search(text) is not None


def unescaped(text: str) -> str:
    """A text with its character references decoded: ``AT&amp;T`` is ``AT&T``.

    References without a semicolon, and names that HTML does not know, stay.
    """
    return _REFERENCE.sub(_character, text) if "&" in text else text


def plain_text(text: str, *, separator: str = " ") -> str:
    """Words of a line that may be HTML, such as a headline, without tags.

    ::

        plain_text("Salt &amp;amp; <i>pepper</i>")  # "Salt & pepper"
        plain_text("5 < 6, AT&T")  # "5 < 6, AT&T"

    What was encoded twice is decoded twice. Only an end tag, an attribute or a ``<br>``
    makes a line HTML, so that ``5 &lt; 6`` and ``<PRE>``, a share, lose nothing.

    :param separator: between paragraphs, if the HTML has several.
    """
    if "&" not in text and "<" not in text:
        return text.strip()
    if _PAIR.search(text):
        text = separator.join(block.text for block in html_paragraphs(text))
    else:
        text = unescaped(text)
    if _PAIR.search(text):
        text = separator.join(block.text for block in html_paragraphs(text))
    text = unescaped(text)
    return prose.single_spaced(text) if separator == " " else text.strip()


def _character(reference: re.Match[str]) -> str:
    name = reference[0][1:]
    if name[0] != "#" and name not in html5:
        return reference[0]
    return references.unescape(reference[0])


def _with_escaped_signs(html: str) -> str:
    """HTML in which every ``<`` that begins no tag is a character reference.

    A tag has a name of HTML, a name with a hyphen or colon, or one that is closed
    somewhere: the words of ``<ACM>`` and ``a<b then`` must not be lost.

    :raises LimitExceeded: it has too many tags.
    """
    closed = {name.lower() for name in _CLOSED.findall(html)}
    tags = 0

    def escaped(sign: re.Match[str]) -> str:
        nonlocal tags
        tags += 1
        if tags > MAX_TAGS:
            raise LimitExceeded("tags of HTML", limit=MAX_TAGS, got=None)
        name = (sign[1] or "").lower()
        if sign[2] == "":
            is_tag = name in _HTML_TAGS and "=" in sign[0]  # cut off within a tag
        else:
            is_tag = (
                name in _HTML_TAGS
                or name in closed
                or "-" in name
                or ":" in name
                or (name != "" and sign[0].endswith("/>"))
            )
        return sign[0] if is_tag else f"&lt;{sign[0][1:]}"

    return _LESS_THAN.sub(escaped, html)


def html_paragraphs(html: str) -> list[Block]:
    """Paragraphs of an HTML fragment or page, in reading order.

    Each ``p li h1-h6 blockquote figcaption pre`` and each row of a table is one, and so
    is bare text between them or between two ``br``. The cells of a row are joined with
    `` | ``; a table that only serves the layout is taken apart. White space is made
    single. A caption is separated from its credit. Broken HTML is read much as browsers
    read it, except that a ``<`` that begins no tag is text.

    :raises LimitExceeded: it has more than 8 MB, too many tags or paragraphs, or is
        nested too deep; the rest is then not parsed.
    :raises InvalidArticle: it holds a NUL or a lone surrogate.
    """
    if len(html) > MAX_MARKUP:
        raise LimitExceeded("characters of HTML", limit=MAX_MARKUP, got=len(html))
    if _FORBIDDEN.search(html):
        raise InvalidArticle("paragraphs", "contains a NUL or a lone surrogate")
    target = _Target()
    # Events instead of a tree: nothing recurses, however deep the nesting.
    parser = etree.HTMLParser(
        target=target,  # type: ignore[arg-type]  # the stubs take tags for bytes or str
        encoding="utf-8",
        no_network=True,
        huge_tree=True,
    )
    # The div because libxml2 refuses a document without an element.
    parser.feed(b"<div>")
    text = _with_escaped_signs(html).encode()
    steps = 0
    for start in range(0, len(text), _PIECE):
        piece = text[start : start + _PIECE]
        steps += target.depth * len(_SEARCHED.findall(piece))
        if steps > MAX_STEPS:
            raise LimitExceeded(
                "HTML",
                limit=MAX_STEPS,
                got=None,
                detail="too many elements are open inside one another; close them",
            )
        parser.feed(piece)
        target.check()
    parser.close()
    target.check()
    return target.blocks


def event_paragraphs(events: Iterable[tuple[str, str]]) -> list[Block]:
    """Paragraphs of a document that was parsed already; see :func:`html_paragraphs`.

    ::

        event_paragraphs([("start", "h2"), ("data", "Prices"), ("end", "h2")])
        # [Block(Role.SUBHEAD, "Prices")]

    :param events: (``start`` or ``end``, tag of HTML) and (``data``, text), in order.
    :raises LimitExceeded: it has too many paragraphs.
    """
    target = _Target()
    for event, value in events:
        if event == "data":
            target.data(value)
        elif event == "start":
            target.start(value, {})
        else:
            target.end(value)
    target.close()
    target.check()
    return target.blocks


class _Target:
    """Receiver of the events of lxml's parser; it collects the paragraphs."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._text: list[str] = []
        # Tags that give a role and the role in each, outermost first.
        self._open: list[tuple[str, Role]] = []
        self._open_counts: Counter[str] = Counter()
        self._dropped: list[str] = []
        self._rows: list[list[Cell]] = []  # the open table rows, outermost first
        self.depth = 0  # open elements
        self._count = 0  # paragraphs so far
        self._breaks = 0  # br since the last word
        self._figures: list[int] = []  # where each open figure starts in blocks
        self._span_ended = False  # whether a span ended just before

    def check(self) -> None:
        """Refuse a fragment that has too much.

        :raises LimitExceeded: it has too many paragraphs.
        """
        if self._count > MAX_PARAGRAPHS:
            raise LimitExceeded("paragraphs", limit=MAX_PARAGRAPHS, got=None)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self._dropped or tag in _DROPPED:
            if tag in _DROPPED:
                self._dropped.append(tag)
            return
        if tag == "span" and self._span_ended:
            # <span>Desk</span><span>Agency</span>: two names that styles set apart.
            self._text.append(" ")
        self._span_ended = False
        if tag == "figure":
            self._flush()
            self._figures.append(len(self.blocks))
        elif tag == "br":
            self._breaks += 1
            self._text.append("\n")
            if self._breaks == 2 and self._role() is not Role.LIST:
                self._flush()
        elif tag == "tr":
            self._flush()
            self._rows.append([])
        elif tag in ("td", "th"):
            self._flush()
            if self._rows:
                self._rows[-1].append(Cell())
        elif tag in _ROLES:
            self._flush()
            self._enter(tag, _ROLES[tag])
        elif tag in _BLOCKS:
            self._flush()
            if tag == "p":
                self._enter(tag, self._role())

    def end(self, tag: str) -> None:
        self.depth -= 1
        if self._dropped:
            if tag == self._dropped[-1]:
                self._dropped.pop()
            return
        self._span_ended = tag == "span"
        if tag == "figure":
            self._flush()
            self._end_figure()
        elif tag == "tr":
            self._flush()
            self._end_row()
        elif tag in _ROLES or tag == "p":
            self._flush()
            if self._open_counts[tag]:
                self._leave(tag)
        elif tag in _BLOCKS or tag in ("td", "th"):
            self._flush()

    def data(self, data: str) -> None:
        if self._dropped:
            return
        if not data.isspace():
            self._breaks = 0
        self._span_ended = False
        self._text.append(data)

    def comment(self, text: str) -> None:
        """Drop a comment."""

    def pi(self, target: str, data: str | None = None) -> None:
        """Drop a processing instruction."""

    def close(self) -> None:
        self._flush()
        while self._rows:
            self._end_row()

    def _enter(self, tag: str, role: Role) -> None:
        self._open.append((tag, role))
        self._open_counts[tag] += 1

    def _leave(self, tag: str) -> None:
        """End the innermost of these elements, and all inside it."""
        ended = None
        while ended != tag:
            ended, _ = self._open.pop()
            self._open_counts[ended] -= 1

    def _role(self) -> Role:
        return self._open[-1][1] if self._open else Role.BODY

    def _flush(self) -> None:
        text = "".join(self._text).translate(_WINDOWS)
        self._text.clear()
        self._breaks = 0
        if not text or text.isspace():
            return
        role = self._role()
        if self._open_counts["pre"]:
            parts = prose.paragraphs(text)
        elif self._open:
            parts = [text]
        else:
            parts = _BLANK_LINE.split(text)
        for part in parts:
            if self._count > MAX_PARAGRAPHS:
                return  # check() refuses it
            if words := prose.single_spaced(part):
                self._count += 1
                self._add(_with_credit(role, words))

    def _add(self, part: Block | Cell) -> None:
        if self._rows and self._rows[-1]:
            self._rows[-1][-1].add(part)
        elif len(self._rows) > 1 and self._rows[-2]:
            self._rows[-2][-1].add(part)
        elif isinstance(part, Block):
            self.blocks.append(part)
        else:
            self.blocks += part.blocks()

    def _end_figure(self) -> None:
        """Take a short line beside the caption of a figure as the caption's credit."""
        start = self._figures.pop() if self._figures else len(self.blocks)
        if not 2 <= len(self.blocks) - start <= _IN_FIGURE:
            return  # also the figures inside it would be looked through again
        inside = self.blocks[start:]
        captions = [block for block in inside if block.role is Role.CAPTION]
        # A table or a quotation in a figure is what the caption is about.
        others = [block for block in inside if block.role is Role.BODY]
        if not captions or len(others) != 1 or len(captions) + 1 != len(inside):
            return
        if len(others[0].text) <= _LONGEST_CREDIT:
            *before, last = captions
            credit = last.credit or others[0].text
            self.blocks[start:] = [*before, last._replace(credit=credit)]

    def _end_row(self) -> None:
        if not self._rows:
            return
        cells = [cell for cell in self._rows.pop() if cell.count]
        if len(cells) > 1 and all(cell.count == 1 for cell in cells):
            line = " | ".join(cell.only().text for cell in cells)
            self._add(Block(Role.TABLE, line))
            return
        for cell in cells:
            self._add(cell)


def _with_credit(role: Role, text: str) -> Block:
    if role is Role.CAPTION and (caption := prose.caption_of(text)):
        return Block(role, *caption)
    return Block(role, text)
