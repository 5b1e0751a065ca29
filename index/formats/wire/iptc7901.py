"""IPTC 7901: header, keywords, lines for editors and text of a message.

Spec: https://iptc.org/std/IPTC7901/1.0/specification/7901V5.pdf
"""

from __future__ import annotations

import re
from collections import deque

from index.formats.wire.message import CutOff, Message, is_embargo, is_mark
from index.parsing import single_spaced

HEADER = re.compile(
    r"(?P<service>[a-z]{2,4})(?P<number>\d{3,6}) (?P<priority>\d)"
    r" (?P<category>[a-z]{1,3}) (?P<words>\d{1,5}) +(?P<source>[\w-]{1,20})"
    r"(?: +\d{1,6})? *\n",
    re.IGNORECASE,
)
# The last line: 212101 GMT Nov 18
_SENT = re.compile(
    r"(?P<day>\d\d)(?P<hour>\d\d)(?P<minute>\d\d)(?: ?(?P<zone>GMT|UTC))?"
    r" (?P<month>[^\W\d_]{3,4})\.? (?P<year>\d\d)[ \t]*(?=\n|\Z)"
)
_MONTH_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec"
_OTHERS = {"mär": 3, "mrz": 3, "mai": 5, "sept": 9, "okt": 10, "dez": 12}
_MONTH_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec"
_OTHERS = {"mär": 3, "mrz": 3, "mai": 5, "sept": 9, "okt": 10, "dez": 12}
_MONTHS = {
    **{name: number for number, name in enumerate(_MONTH_NAMES.split(), 1)},
    **_OTHERS,
}
_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), 127))
# From here on, a message is for editors.
_NOTES = re.compile(
    r"#+ *Notebook\b|\* \* \* \*|The following information is not", re.IGNORECASE
)
_SIGNATURE = re.compile(r"[a-z]{2,8}(?: [a-z]{2,4}){1,5}")  # dpa grj rmo


def read_iptc(header: re.Match[str], text: str) -> Message:
    """The parts of a message.

    :param text: all of it, from its header on, with line feeds.
    :raises CutOff: it has no end.
    """
    message = Message(f"{header['service']}{header['number']}".lower())
    fields, extra = message.fields, message.extra
    extra["category"] = header["category"].lower()
    if header["priority"] != "0":
        fields["urgency"] = int(header["priority"])
    fields["source"] = header["source"]
    before, stx, content = text[header.end() :].partition("\x02")
    if not stx:
        before, content = "", before
    content, etx, end = content.partition("\x03")
    if etx:
        sent = _SENT.search(end)
    else:
        # The control characters were lost on the way: the last line is the end.
        content = content.rstrip()
        last = content.rpartition("\n")
        sent = _SENT.match(last[2].strip())
        content = last[0]
        if stx or not sent:
            raise CutOff
    if sent and (month := _MONTHS.get(sent["month"].lower())):
        fields["published"] = (
            f"20{sent['year']}-{month:02}-{sent['day']}"
            f"T{sent['hour']}:{sent['minute']}{'Z' if sent['zone'] else ''}"
        )
    lines = deque(line.translate(_CONTROLS) for line in content.split("\n"))
    keywords = [line.strip() for line in before.translate(_CONTROLS).split("\n")]
    while lines and not lines[0].strip():
        lines.popleft()
    if not stx and lines and lines[0].rstrip().endswith("/"):
        keywords.append(lines.popleft().strip())
    words = [word.strip() for word in "/".join(keywords).split("/")]
    if any(words):
        fields["keywords"] = list(filter(None, words))
        fields["slugline"] = "/".join(fields["keywords"])
    _read_head(message, lines)
    _read_text(message, list(lines))
    return message


def _read_head(message: Message, lines: deque[str]) -> None:
    """Take marks, notes, headline and byline, up to ``=`` or a blank line."""
    headline: list[str] = []
    byline: list[str] = []
    while lines and (line := lines.popleft().strip()):
        words = line.rstrip("= ")
        if is_mark(words) and not headline:
            message.mark(words)
        elif is_embargo(words) or (words.startswith("(") and words.endswith(")")):
            message.note(words)
        elif byline or (headline and re.match(r"(?:By|Von|Par|Por)\b ", words)):
            byline.append(words)
        else:
            headline.append(words)
        if line.endswith("="):
            break
    if headline:
        message.fields["headline"] = single_spaced(" ".join(headline))
    if byline:
        message.fields["byline"] = single_spaced(" ".join(byline))


def _read_text(message: Message, lines: list[str]) -> None:
    """Take the text, and what follows it for editors."""
    end = next((at for at, line in enumerate(lines) if _NOTES.match(line)), len(lines))
    message.lines = lines[:end]
    for line in lines[end:]:
        if line.strip():
            message.note(line.strip())
    while message.lines and not message.lines[-1].strip():
        message.lines.pop()
    if message.lines and _SIGNATURE.fullmatch(message.lines[-1].strip()):
        message.note(message.lines.pop().strip())
