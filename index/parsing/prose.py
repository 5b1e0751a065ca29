"""Plain text as agencies write it: paragraphs, captions, credits, datelines, dates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import NamedTuple

from index.article import MAX_PARAGRAPHS
from index.dates import MONTHS
from index.errors import LimitExceeded

MAX_WRAP = 120  # a block with a longer line was not wrapped by hand or editor
_INDENT = re.compile(r"\t| {3}")
_BULLET = re.compile(r"[•*·]\s+")
_RULE_SIGNS = "-_*=~#"
_BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001))))
_BLANK_LINES = re.compile(r"\n\s*\n")
_BREAKS = ("\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029")

# Agency names in credits and datelines, without case, and the names we use.
AGENCIES: dict[str, str] = {
    "reuters": "Reuters",
    "thomson reuters": "Reuters",
    "ap": "AP",
    "ap photo": "AP",
    "associated press": "AP",
    "the associated press": "AP",
    "afp": "AFP",
    "afp photo": "AFP",
    "agence france-presse": "AFP",
    "dpa": "dpa",
    "epa": "EPA",
    "epa-efe": "EPA",
    "efe": "EFE",
    "ansa": "ANSA",
    "apa": "APA",
    "tt": "TT",
    "ntb": "NTB",
    "stt": "STT",
    "upi": "UPI",
    "pa": "PA",
    "pa wire": "PA",
    "pa media": "PA",
    "press association": "PA",
    "aap": "AAP",
    "cp": "The Canadian Press",
    "the canadian press": "The Canadian Press",
    "getty images": "Getty Images",
    "getty": "Getty Images",
    "xinhua": "Xinhua",
    "tass": "TASS",
    "kyodo": "Kyodo",
    "kyodo news": "Kyodo",
    "pti": "PTI",
    "ians": "IANS",
    "yonhap": "Yonhap",
    "anadolu": "Anadolu",
    "bloomberg": "Bloomberg",
}

_NAME = r"[^\W\d_][^/|()\n]{1,60}"
_AGENCY = "|".join(re.escape(name) for name in sorted(AGENCIES, key=len, reverse=True))
_AGENCY_CREDIT = rf"(?i:{_AGENCY})\s*/\s*{_NAME}(?:\s*/\s*{_NAME})?"
_AFTER_SENTENCE = r"(?:(?<=[.!?”\"’)])|(?<=[.!?”\"’)]\s)|^)"
# "….REUTERS/A Name |", "(AP Photo/A Name)" and "Photo: A Name/AFP" end a caption; so
# does anything like "City Hall/A Name |" if a bar follows it.
_CREDIT = re.compile(
    rf"(?:\((?P<bracketed>{_AGENCY_CREDIT})\)"
    rf"|{_AFTER_SENTENCE}(?P<agency>{_AGENCY_CREDIT})"
    rf"|{_AFTER_SENTENCE}(?:Photo|Photograph|Picture|Image|Credit|Photo credit)s?:\s*"
    rf"(?P<named>{_NAME}(?:\s*/\s*{_NAME}){{0,2}})"
    rf")\s*\|?\s*\Z"
)
_BARRED = re.compile(
    rf"(?<=[.!?”\"’)\s])(?P<barred>[A-Z][\w&-]*(?: [A-Z][\w&-]*){{0,3}}/{_NAME})"
    r"\s*\|\s*\Z"
)
_LONGEST_CREDIT = 200  # characters from the end in which a credit is looked for

_MONTH = rf"(?i:{'|'.join(sorted(MONTHS, key=len, reverse=True))})\.?"
_DAY = re.compile(
    rf"\b(?:(?P<m1>{_MONTH})\s+(?P<d1>\d{{1,2}}),?\s+(?P<y1>\d{{4}})"
    rf"|(?P<d2>\d{{1,2}})\.?\s+(?P<m2>{_MONTH}),?\s+(?P<y2>\d{{4}})"
    rf"|(?P<y3>\d{{4}})-(?P<m3>\d{{2}})-(?P<d3>\d{{2}}))\b"
)
_DATED = (
    rf"{_MONTH}\s+\d{{1,2}}(?:,?\s+\d{{4}})?|\d{{1,2}}\.?\s+{_MONTH}(?:,?\s+\d{{4}})?"
)
_PLACE = r"[^\W\d_][^()\n\d–—;:!?\"“”]{0,60}?"
_DATELINE = re.compile(
    rf"(?P<line>(?:(?P<place>{_PLACE})(?:,?\s+(?P<date>{_DATED}))?)?)\s*"
    rf"\((?P<source>[^()\n]{{2,40}})\)\s*(?:--|[-–—;])\s*(?=\S)"
)
# Without an agency in brackets, a dateline needs capitals and a date.
_BARE_DATELINE = re.compile(
    rf"(?P<line>(?P<place>{_PLACE}),?\s+(?P<date>{_DATED}))\s*(?:--|[-–—])\s+(?=\S)"
)

_JOINING_WORDS = (
    "and of the in for with at to via da de del della der di du la le van von bin al"
    " & y e und et"
)
_BYS = ("by", "von", "par", "por")
_JOINING = frozenset(_JOINING_WORDS.split())


class Dateline(NamedTuple):
    """Dateline before an article's first sentence.

    :param line: place and day as printed, without the agency; ``None`` if there is only
        an agency.
    :param source: the agency, by the name we use.
    :param day: its date; ``None`` without a year.
    """

    line: str | None
    source: str | None
    day: date | None


def with_line_feeds(text: str) -> str:
    """Text with every kind of line end turned into a line feed."""
    for line_break in _BREAKS:
        text = text.replace(line_break, "\n")
    return text


def paragraphs(text: str) -> list[str]:
    """Paragraphs of a plain text, with single spaces.

    Blank lines and lines of dashes or stars separate them; without any, each line is a
    paragraph. Lines between blank lines belong together if they look wrapped, that is
    if none is longer than 120 characters; a line that starts with a tab, three spaces
    or a bullet begins a new paragraph.

    :raises LimitExceeded: there are more than an article may have; the rest is not
        read.
    """
    text = _BLANK_LINES.sub("\n\n", with_line_feeds(text))
    first = list(islice(_paragraphs(text), MAX_PARAGRAPHS + 1))
    if len(first) > MAX_PARAGRAPHS:
        raise LimitExceeded("paragraphs", limit=MAX_PARAGRAPHS, got=None)
    return first


def lines_of(text: str) -> Iterator[str]:
    """Yield the lines of a text in turn: a list of them may take fifty times its size.

    :param text: with line feeds only.
    """
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]


def _paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a text.

    :param text: without two blank lines after one another, nor blanks in one.
    """
    if not _is_spaced(text):
        for line in lines_of(text):
            if _is_content(line):
                yield single_spaced(line)
        return
    block: list[str] = []
    for line in lines_of(text):
        if _is_content(line):
            block.append(line)
        elif block:
            yield from _paragraphs_of(block)
            block = []
    yield from _paragraphs_of(block)


def _is_spaced(text: str) -> bool:
    """Whether a blank line stands between two others that are no rules."""
    if "\n\n" not in text:
        return False
    has_content = has_blank = False
    for line in lines_of(text):
        if _is_content(line):
            if has_blank:
                return True
            has_content = True
        elif has_content and not line.strip():
            has_blank = True
    return False


def _is_content(line: str) -> bool:
    # By counting: a pattern that repeats a group takes memory for each repetition.
    if line.strip(_RULE_SIGNS + _BLANKS):
        return True
    return 0 < sum(map(line.count, _RULE_SIGNS)) < 3


def _paragraphs_of(block: list[str]) -> Iterator[str]:
    """Yield the paragraphs of lines between two that are blank or rules."""
    wrapped = max(map(len, block), default=0) <= MAX_WRAP
    paragraph: list[str] = []
    for line in block:
        begins = not wrapped or _INDENT.match(line) or _BULLET.match(line)
        if paragraph and begins:
            yield single_spaced(" ".join(paragraph))
            paragraph = []
        paragraph.append(line)
    if paragraph:
        yield single_spaced(" ".join(paragraph))


def single_spaced(text: str) -> str:
    """Stripped text with each run of white space as one space."""
    return " ".join(text.split())


def bullet_text(text: str) -> str | None:
    """Text of a list item without its bullet; ``None`` if it has no bullet."""
    bullet = _BULLET.match(text)
    return text[bullet.end() :] if bullet else None


def caption_of(text: str) -> tuple[str, str] | None:
    """Caption and credit of a text; ``None`` if it does not end in a credit."""
    start = max(0, len(text) - _LONGEST_CREDIT)
    tail = text[start:]
    match = _CREDIT.search(tail) or _BARRED.search(tail)
    if match is None or match.lastgroup is None:
        return None
    words = (text[:start] + tail[: match.start()]).rstrip(" |-–—")
    credit = single_spaced(match[match.lastgroup])
    if not words or not _capitalised(credit.replace("/", " ").split(), most=12):
        return None
    return words, credit.removesuffix(".") if credit.count(".") == 1 else credit


def agency_of(credit: str) -> str:
    """Agency that a credit or dateline names first, by the name we use."""
    parts = [part.strip() for part in credit.split("/")]
    for part in parts:
        known = AGENCIES.get(part.casefold())
        if known is not None:
            return known
    return parts[0] or credit.strip()


def dateline_of(text: str) -> Dateline | None:
    """Dateline at the start of a paragraph, if it has one.

    ``LONDON, Sept 29 (Reuters) - …``, ``LONDON (AP) — …``, ``(dpa) - …`` and
    ``LONDON, Sept 29 - …`` are datelines.
    """
    match = _DATELINE.match(text) or _BARE_DATELINE.match(text)
    if match is None:
        return None
    parts = match.groupdict()
    place, source = parts["place"], parts.get("source")
    known = source is not None and _known(source)
    if place is None and not known:
        return None  # "(Corrects spelling) - …" and the like
    if place is not None and not _is_place(place, capitals=not known):
        return None
    return Dateline(
        line=single_spaced(parts["line"]) or None,
        source=agency_of(source) if source else None,
        day=day_of(parts["date"] or ""),
    )


def day_of(text: str) -> date | None:
    """Day of the last full date that occurs in an English text, if any."""
    day = None
    for match in _DAY.finditer(text):
        year = match["y1"] or match["y2"] or match["y3"]
        month = match["m1"] or match["m2"]
        number = MONTHS[month.lower().rstrip(".")] if month else int(match["m3"])
        day_of_month = match["d1"] or match["d2"] or match["d3"]
        try:
            day = date(int(year), number, int(day_of_month))
        except ValueError:
            continue  # February 30
    return day


def is_byline(line: str) -> bool:
    """Whether a line is a byline: ``By`` and a name or two, not a sentence.

    German, French, Spanish and Portuguese say ``Von``, ``Par`` and ``Por``.
    """
    words = line.split()
    if not 2 <= len(words) <= 14 or words[0].lower() not in _BYS:
        return False
    if len(line) > 100 or line.rstrip()[-1] in ".!?:;" or words[1][0].isdigit():
        return False
    return _capitalised(words[1:], most=13)


def _capitalised(words: list[str], *, most: int) -> bool:
    """Whether all words are names, joining words or agencies, with few names."""
    bare = [word.strip(",.") for word in words]
    names = [word for word in bare if word and word.lower() not in _JOINING]
    return 0 < len(names) <= most and not any(
        name[0].islower() and name.casefold() not in AGENCIES for name in names
    )


def _known(source: str) -> bool:
    return any(part.strip().casefold() in AGENCIES for part in source.split("/"))


def _is_place(place: str, *, capitals: bool) -> bool:
    words = [word for word in re.split(r"[\s,/]+", place) if word]
    if capitals and (len(words[0]) < 2 or words[0].upper() != words[0]):
        return False
    return _capitalised(words, most=8)
