"""Sentences: where they start and end, so that excerpts can be cut there."""

from __future__ import annotations

from itertools import pairwise

import regex

from index.text.characters import Span

# A full stop after one of these does not count as the end of a sentence. Sometimes it
# is one, but two sentences are better than half a sentence.
_SHORT = (
    r"Mrs?|Ms|Mx|Drs?|Profs?|Revs?|Hon|Gens?|Lt|Maj|Col|Capt|Cmdr|Adm|Sgt|Cpl|Pvt"
    r"|Govs?|Sens?|Reps?|Pres|Supt|Insp|Det|St|Ste|Mt|Ft|Jr|Sr|vs?|cf|Nos?|ca"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Inc|Corp|Co|Ltd|Bros|Ave"
    r"|\p{L}"  # initials, and the last letter of U.S. or p.m.
)

_ENDS_SHORT = regex.compile(rf"(?<![\p{{L}}\p{{M}}])(?:{_SHORT})\Z")

_NO_SPACE = regex.compile(r"\S")

_QUOTES = r"[\"'”’»›)\]]*+"

# A run of stops is tried only where it starts, so the search stays linear.
_SENTENCE_END = regex.compile(
    rf"(?<![.…])(?P<stop>[.…]++){_QUOTES}(?=\s+[^\s\p{{Ll}}])"
    rf"|(?<![!?؟।॥۔։።])[!?؟।॥۔։።]++{_QUOTES}(?=\s+[^\s\p{{Ll}}])"
    r"|(?<![。！？｡])[。！？｡]++[」』）〉》】”’]*+"
    r"|\n\s*\n"
)


def sentence_spans(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Spans of the sentences of a text, or of a part, without the space around them.

    A full stop ends a sentence if a space and no lower-case letter follow it, and if no
    initial, abbreviation or title precedes it. Full stops of scripts written without
    spaces need no space.

    :param start: of the part; a sentence begins there, whatever is before it.
    :param end: of the part; a sentence ends there. A longer text takes no longer.
    """
    if end is None:
        end = len(text)
    after = _NO_SPACE.search(text, end)  # what follows decides whether a stop is an end
    bounds = [start]
    for match in _SENTENCE_END.finditer(text, start, after.end() if after else None):
        if match.end() > end:
            break
        stop = match["stop"]
        # Only a few characters back, so that the search stays linear.
        before = text[max(match.start() - 20, 0) : match.start()]
        if stop != "." or not _ENDS_SHORT.search(before):
            bounds.append(match.end())
    bounds.append(end)
    spans: list[Span] = []
    for first, last in pairwise(bounds):
        sentence = text[first:last]
        if stripped := sentence.strip():
            first += len(sentence) - len(sentence.lstrip())
            spans.append((first, first + len(stripped)))
    return spans
