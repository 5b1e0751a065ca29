"""Times of day with a point between hours and minutes: at 10.30, 7.15 pm.

Where the decimal sign is a point, figures alone do not tell a time from a number: the
words around them do. They are those of English, which writes so; other languages with
a decimal point write a colon.
"""

from __future__ import annotations

import re

# It stands for the point of a time, so that the word is no number. NFKC makes it a
# point again.
TIME_POINT = "\u2024"

_TIME = r"(?:[01]?\d|2[0-3])\.[0-5]\d"
_BETWEEN = r"(?: ?[-–] ?| (?:to|until|till|and|or) )"
_TIMES = re.compile(
    rf"(?<![\w.,:/+%$£€¥#@-]){_TIME}(?:{_BETWEEN}{_TIME})*(?![\w/%°:-]|[.,\xa0\u2007\u2009\u202f]\d)"
)

# Most texts have none, and a pattern that starts with one sign is sought fast.
_POINT = re.compile(r"\.[0-5]")

_WEEKDAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?s?\b"
_DAY = rf"(?:today|tonight|yesterday|tomorrow|daily|nightly|{_WEEKDAY})"
_ZONES = (
    "(?:GMT|UTC|BST|IST|CES?T|WES?T|EES?T|MSK|[ECMP][SD]?T|AE[SD]T|NZ[SD]T|SGT|HKT|JST"
    "|KST|PKT|SAST|[WCE]AT|GST)"
)
# What only a time is followed by.
_AFTER_TIME = re.compile(
    r"\s?(?:[ap]m\b|[ap]\.\s?m\b|hrs?\b|uhr\b|o['’]clock\b|local time\b|sharp\b"
    r"|(?:in|on) the (?:morning|afternoon|evening)\b"
    rf"|this (?:morning|afternoon|evening)\b|\(?(?-i:{_ZONES})\b|{_DAY}|at night\b)",
    re.IGNORECASE,
)
# What only a time stands behind.
_BEFORE_TIME = re.compile(
    rf"\b{_WEEKDAY},?\s(?:at\s)?\Z|\b(?:kick-?off|o['’]clock)\s\Z", re.IGNORECASE
)
# What a time or a price stands behind, and what tells the price.
_AT = re.compile(r"\b(?:at|until|till|from|since)\s\Z", re.IGNORECASE)
_PRICED = re.compile(
    r"\b(?:clos|open|trad|quot|settl|pric|valu|fix|offer|end|finish|deal|stand|stood"
    r"|sold|sell|bought|buy|bid|ask|chang|unchanged|stead|high|low|up|down|firm|weak"
    r"|eas|rose|ris|f[ae]ll|gain|los[et]|rate|yield|par|dollar|pound|share|stock|index"
    r"|estimat|averag|peg)[a-z]*\s(?:at|from|since)\s\Z",
    re.IGNORECASE,
)
# What a sentence goes on with behind a time: a sign, a name, or one of these; behind a
# price stands its unit.
_GOES_ON = re.compile(
    r"\s*(?:\Z|[.,;:!?)\]\"'’”–—]|(?:on|in|to|until|till|and|but|when|where|with|for|as"
    r"|after|before|by|from|every|each|that|because|while|which|who|he|she|they|we|it"
    r"|the|there|having|without|outside|inside|near|to)\b|[A-Z][a-z])"
)
_WINDOW = 40  # characters before and after that are looked at


def with_times_marked(text: str) -> str:
    """Text of the same length, with :data:`TIME_POINT` for the point of each time.

    ::

        with_times_marked("at 10.30 on Monday")  # "at 10․30 on Monday"
        with_times_marked("at 10.30 francs")  # as it is
    """
    return text if _POINT.search(text) is None else _TIMES.sub(_marked, text)


def may_be_time(chunk: str) -> bool:
    """Whether a piece of text between white space may have a time in it."""
    return _POINT.search(chunk) is not None and _TIMES.search(chunk) is not None


def _marked(match: re.Match[str]) -> str:
    text, start, end = match.string, match.start(), match.end()
    before, after = text[max(0, start - _WINDOW) : start], text[end : end + _WINDOW]
    hour = match[0].partition(".")[0]
    is_time = (
        (len(hour) == 2 and hour[0] == "0")  # no number starts so
        or _AFTER_TIME.match(after)
        or _BEFORE_TIME.search(before)
        or (_AT.search(before) and not _PRICED.search(before) and _GOES_ON.match(after))
    )
    return match[0].replace(".", TIME_POINT) if is_time else match[0]
