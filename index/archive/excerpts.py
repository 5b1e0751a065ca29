"""A paragraph with its marks: as HTML, and the part of it to show."""

from __future__ import annotations

import html
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import regex

from index.text import Span, is_single_cjk, sentences

_GRAPHEME = regex.compile(r"\X")
_TO_ESCAPE = re.compile("[&<>\"']")  # by html.escape; many texts have nothing of it


def marked_html(text: str, marks: Sequence[Span]) -> str:
    """Return a text escaped for HTML with ``<mark>`` around its marks."""
    escape = html.escape if _TO_ESCAPE.search(text) else str
    parts: list[str] = []
    at = 0
    for start, end in marks:
        parts.append(f"{escape(text[at:start])}<mark>{escape(text[start:end])}</mark>")
        at = end
    parts.append(escape(text[at:]))
    return "".join(parts)


def excerpt_of(
    text: str, marks: Sequence[Span], length: int
) -> tuple[str, tuple[Span, ...]]:
    """Return the part of a paragraph to show, and its marks as offsets into that part.

    :param length: characters, 0 for the whole paragraph; see :func:`cut`.
    """
    start, end = cut(text, marks, length)
    if (start, end) == (0, len(text)):
        return text, tuple(marks)
    return text[start:end], tuple(
        (max(first, start) - start, min(last, end) - start)
        for first, last in marks
        if first < end and start < last
    )


def cut(text: str, marks: Sequence[Span], length: int) -> Span:
    """Return the span of a paragraph to show, of at most ``length`` characters.

    It is whole sentences: as many as fit, where most marks are; the first ones where
    there are no marks. If no sentence with a mark fits, it is words around its first
    mark. No mark, word or combined character is cut unless it alone is too long.

    :param marks: in order, none touching another.
    :param length: 0 for the whole paragraph.
    """
    if length <= 0 or len(text) <= length:
        return 0, len(text)
    found = _joined(sentences(text), marks) or [(0, len(text))]
    starts, ends = [start for start, _ in marks], [end for _, end in marks]
    best: tuple[int, float] = (0, 0.0)  # minus the marks, how far off their middle is
    chosen: Span | None = None
    last = 0
    for first, (start, _) in enumerate(found):
        last = max(last, first)
        while last < len(found) and found[last][1] - start <= length:
            last += 1
        if last == first:
            continue
        end = found[last - 1][1]
        inside = bisect_left(starts, start), bisect_right(ends, end)
        count = inside[1] - inside[0]
        if count > 0:
            middle = starts[inside[0]] + ends[inside[1] - 1] - start - end
            rank = (-count, abs(middle) / 2)
            if rank < best:
                best, chosen = rank, (start, end)
        elif not marks and first == 0:
            return start, end
    return chosen or _words_around(text, found, marks, length)


def _joined(found: Sequence[Span], marks: Sequence[Span]) -> list[Span]:
    """Return sentences, as one where a mark goes on from one to the next."""
    joined: list[Span] = []
    crossing = iter(marks)
    mark = next(crossing, None)
    for start, end in found:
        while mark is not None and mark[1] <= start:
            mark = next(crossing, None)
        if joined and mark is not None and mark[0] < joined[-1][1]:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined


def _words_around(
    text: str, found: Sequence[Span], marks: Sequence[Span], length: int
) -> Span:
    """Return a span of whole words of a long sentence, with its first mark."""
    first, last = marks[0] if marks else (found[0][0], found[0][0])
    low, high = next((each for each in found if first < each[1]), found[-1])
    # A quarter of the room is for what leads to the mark, if the mark leaves as much.
    start = max(low, min(first - length // 4, high - length), last - length)
    start = min(start, first)
    if start > low:
        start = _word_start(text, start, first)
    end = min(start + length, high)
    if end == high:
        return start, end
    if last > end:  # the mark alone is too long
        return start, _word_end(text, start + 1, end)
    earliest = max(last, start + 1)
    end = _word_end(text, earliest, end)
    while (split := bisect_left(marks, (end, 0)) - 1) > 0 and marks[split][1] > end:
        end = _word_end(text, earliest, marks[split][0])
    return start, end


def _word_start(text: str, start: int, latest: int) -> int:
    """Return the first place from ``start`` to ``latest`` where a word begins."""
    for place in range(start, latest):
        if is_single_cjk(text[place]) or (
            text[place - 1].isspace() and not text[place].isspace()
        ):
            return place
    return latest


def _word_end(text: str, earliest: int, latest: int) -> int:
    """Return the last place between two where a word ends, else a character does."""
    for place in range(latest, earliest - 1, -1):
        if is_single_cjk(text[place]) or (
            text[place].isspace() and not text[place - 1].isspace()
        ):
            return place
    ends = [match.end() for match in _GRAPHEME.finditer(text, earliest - 1, latest + 1)]
    return max((place for place in ends if place <= latest), default=latest)
