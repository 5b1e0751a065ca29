"""ANPA 1312: the header, the lines that begin with ``^``, and the text of a message.

Spec: ANPA 89-3, Wire Service Transmission Guidelines.
"""

from __future__ import annotations

import re

from index.formats.wire.message import CutOff, Message, is_embargo
from index.parsing import is_byline, single_spaced

HEADER = re.compile(
    r"(?P<service>[a-z])(?P<number>\d{3,4})\x1f?(?P<selector>[^\n]{0,40})\n"
    r"(?P<priority>[a-z]) (?P<category>[a-z])[\x0e-\x14]{0,3} ?"
    r"(?P<slug>[^\n]{1,120}?) +\d\d?-\d\d?(?: (?P<words>\d{1,5}))?[ ]*\n",
    re.IGNORECASE,
)
# After ETX: AP-WF-02-20-16 0337GMT
_SENT = re.compile(
    r"(?P<source>[A-Z]{2,5})-[A-Z]{2}-(?P<month>\d\d)-(?P<day>\d\d)-(?P<year>\d\d)"
    r" (?P<hour>\d\d)(?P<minute>\d\d) ?(?P<zone>GMT|UTC)?"
)
_EDITORS = re.compile(
    r"\(?(?:Eds\b|Editors?\b|EDITOR|[A-Z]{2,5} (?:Photo|Video|Graphic))"
)
_SECTIONS = {
    "e": "Entertainment",
    "f": "Financial",
    "i": "International",
    "l": "Lifestyle",
    "n": "State and regional",
    "p": "Political",
    "s": "Sports",
    "w": "Washington",
}
_URGENCIES = {"f": 1, "b": 2, "u": 3}  # flash, bulletin, urgent
# The wire's alphabet has no such marks.
_MARKS = (("``", "“"), ("''", "”"), (" _ ", " — "))


def read_anpa(header: re.Match[str], text: str) -> Message:
    """The parts of a message.

    :param text: all of it, from its header on, with line feeds.
    :raises CutOff: it has no end.
    """
    message = Message(f"{header['service']}{header['number']}".lower())
    fields, extra = message.fields, message.extra
    content, etx, end = text[header.end() :].partition("\x03")
    if not etx:
        raise CutOff
    if sent := _SENT.search(end):
        fields["source"] = sent["source"]
        fields["published"] = (
            f"20{sent['year']}-{sent['month']}-{sent['day']}"
            f"T{sent['hour']}:{sent['minute']}{'Z' if sent['zone'] else ''}"
        )
    priority, category = header["priority"].lower(), header["category"].lower()
    extra["priority"], extra["category"] = priority, category
    if priority in _URGENCIES:
        fields["urgency"] = _URGENCIES[priority]
    if category in _SECTIONS:
        fields["section"] = _SECTIONS[category]
    fields["slugline"] = single_spaced(header["slug"])
    in_text = False
    for line in content.split("\n"):
        is_header = line.lstrip("\x02").startswith("^") and not in_text
        words = line.strip("\x02^ \t\r<").translate(_CONTROLS)
        if not is_header:
            in_text = in_text or bool(words)
            message.lines.append(_typeset(line.translate(_CONTROLS)))
        elif words:
            _read_header_line(message, _typeset(words))
    if message.byline:
        fields["byline"] = ", ".join(message.byline)
    return message


def _read_header_line(message: Message, line: str) -> None:
    """Take a line between STX and the text: they come in an order that is usual."""
    fields = message.fields
    if message.slugline is None:
        # BC-BKN--Heat-Hawks, 1st Ld-Writethru,416
        slug, _, rest = line.partition(",")
        take, _, words = rest.rpartition(",")
        message.slugline = fields["slugline"] = slug.strip()
        message.mark((take if words.strip().isdecimal() else rest).strip(" ,"))
        return
    if _EDITORS.match(line) or is_embargo(line):
        message.note(line)
    elif is_byline(line.rstrip("= ")):
        message.byline = [line.rstrip("= ")]
    elif line.endswith("=") and message.byline:
        message.byline.append(line.rstrip("= "))
    elif "headline" not in fields:
        fields["headline"] = line.rstrip("= ")
    else:
        message.abstract.append(line)


def _typeset(text: str) -> str:
    for typed, meant in _MARKS:
        text = text.replace(typed, meant)
    return text


_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), 127))
