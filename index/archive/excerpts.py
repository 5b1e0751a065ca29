"""Excerpts: a marked paragraph as HTML, and the part of it to show."""

from __future__ import annotations

import html
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import regex

from index.text import Span, is_single_cjk, sentence_spans

# Characters beyond the longest excerpt with a mark, so that no sentence of one is cut.
_MARGIN = 32
_GRAPHEME = regex.compile(r"\X")


def marked_html(text: str, marks: Sequence[Span]) -> str:
    """Text escaped for HTML, with its marks in ``<mark>``."""
    # Many texts need no escaping, and are written in a fraction of the time.
    is_plain = not (
        "&" in text or "'" in text or '"' in text or "<" in text or ">" in text
    )
    parts: list[str] = []
    at = 0
    for start, end in marks:
        outside, inside = text[at:start], text[start:end]
        if not is_plain:
            outside, inside = html.escape(outside), html.escape(inside)
        parts.append(f"{outside}<mark>{inside}</mark>")
        at = end
    rest = text[at:]
    parts.append(rest if is_plain else html.escape(rest))
    return "".join(parts)


def excerpt_of(
    text: str, marks: Sequence[Span], length: int
) -> tuple[str, tuple[Span, ...]]:
    """Part of a paragraph to show, and its marks as offsets into that part.

    :param length: characters, 0 for the whole paragraph; see :func:`cut`.
    """
    start, end = cut(text, marks, length)
    if start == 0 and end == len(text):
        return text, tuple(marks)
    return text[start:end], tuple(
        (max(first, start) - start, min(last, end) - start)
        for first, last in marks
        if first < end and start < last
    )


def cut(text: str, marks: Sequence[Span], length: int) -> Span:
    """Span of a paragraph to show, of at most ``length`` characters.

    Whole sentences, as many as fit, with the most marks; without marks the first ones.
    If no sentence with a mark fits, the words around the first mark. A mark, word or
    grapheme is cut only if it alone is too long.

    :param marks: in order, none touching another.
    :param length: 0 for the whole paragraph.
    """
    if length <= 0 or len(text) <= length:
        return 0, len(text)
    units = [
        unit
        for low, high, own in _near(text, marks, length + _MARGIN)
        for unit in _joined(sentence_spans(text, low, high), own)
    ] or [(0, len(text))]
    starts, ends = [start for start, _ in marks], [end for _, end in marks]
    # Minus the number of marks, then the distance of their middle from the excerpt's.
    best: tuple[int, float] = (0, 0.0)
    chosen: Span | None = None
    last = 0
    for first, (start, _) in enumerate(units):
        last = max(last, first)
        while last < len(units) and units[last][1] - start <= length:
            last += 1
        if last == first:
            continue
        end = units[last - 1][1]
        inside = bisect_left(starts, start), bisect_right(ends, end)
        count = inside[1] - inside[0]
        if count > 0:
            middle = starts[inside[0]] + ends[inside[1] - 1] - start - end
            rank = (-count, abs(middle) / 2)
            if rank < best:
                best, chosen = rank, (start, end)
        elif not marks and first == 0:
            return start, end
    return chosen or _words_around(text, units, marks, length)


def _near(
    text: str, marks: Sequence[Span], reach: int
) -> Iterator[tuple[int, int, Sequence[Span]]]:
    """Yield the parts of a text near its marks, each with those that are in it.

    No excerpt with a mark goes beyond them. Without marks it is the beginning.
    """
    if not marks:
        start = len(text) - len(text.lstrip())
        yield 0, _end_of_space(text, start + reach), ()
        return
    first, low = 0, _start_of_space(text, marks[0][0] - reach)
    for number, (start, _) in enumerate(marks):
        if number and start - marks[number - 1][1] > 2 * reach:
            # White space at an edge is looked at once from each side.
            high = _end_of_space(text, marks[number - 1][1] + reach)
            next_low = _start_of_space(text, start - reach)
            if next_low > high:
                yield low, high, marks[first:number]
                first, low = number, next_low
    yield low, _end_of_space(text, marks[-1][1] + reach), marks[first:]


def _start_of_space(text: str, place: int) -> int:
    """The last place up to this one without a space there."""
    place = max(place, 0)
    while place and text[place].isspace():
        place -= 1
    return place


def _end_of_space(text: str, place: int) -> int:
    """The first place from this one on without a space before it."""
    place = min(place, len(text))
    while place < len(text) and text[place - 1].isspace():
        place += 1
    return place


def _joined(units: Sequence[Span], marks: Sequence[Span]) -> list[Span]:
    """Sentences, with two joined if a mark crosses from one into the other."""
    joined: list[Span] = []
    crossing = iter(marks)
    mark = next(crossing, None)
    for start, end in units:
        while mark is not None and mark[1] <= start:
            mark = next(crossing, None)
        if joined and mark is not None and mark[0] < joined[-1][1]:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined


def _words_around(
    text: str, units: Sequence[Span], marks: Sequence[Span], length: int
) -> Span:
    """Span of whole words around the first mark, in a sentence that is too long."""
    first, last = marks[0] if marks else (units[0][0], units[0][0])
    low, high = next((unit for unit in units if first < unit[1]), units[-1])
    # A quarter of the length precedes the mark, if the mark leaves that much.
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
    """First place from ``start`` to ``latest`` where a word begins."""
    for place in range(start, latest):
        if is_single_cjk(text[place]) or (
            text[place - 1].isspace() and not text[place].isspace()
        ):
            return place
    return latest


def _word_end(text: str, earliest: int, latest: int) -> int:
    """Last place from ``earliest`` to ``latest`` where a word ends, else a grapheme."""
    for place in range(latest, earliest - 1, -1):
        if is_single_cjk(text[place]) or (
            text[place].isspace() and not text[place - 1].isspace()
        ):
            return place
    ends = [match.end() for match in _GRAPHEME.finditer(text, earliest - 1, latest + 1)]
    return max((place for place in ends if place <= latest), default=latest)
