"""Marks: the words of a search and the words that somebody looks for, in one text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from service.pages.address import Address, fragment

_Span = tuple[int, int]  # start and end, in code points


@dataclass(frozen=True, slots=True)
class Stepper:
    """Where a reader is among the marks of one kind.

    :param current: number of a mark, from 1; 0 before the first.
    :param previous: the article at the mark before it; the last is before the first.
    """

    count: int
    current: int
    previous: str
    next: str


class MarkWriter:
    """Texts of an article as HTML, with marks that are numbered through all of them.

    The marks of a search have the ids ``m1``, ``m2`` …, those that somebody looks for
    ``f1``, ``f2`` …. Where both mark the same words, the second are inside the first.

    :param current: numbers of the two marks where the reader is; 0 is none.
    :ivar counts: how many marks of each kind were written.
    """

    def __init__(self, current: tuple[int, int] = (0, 0)) -> None:
        self._current = current
        self.counts = [0, 0]

    def html(self, text: str, marks: Sequence[_Span], found: Sequence[_Span]) -> str:
        """A text, escaped, with both kinds of marks.

        :param marks: of the search, in order, none touching another.
        :param found: what somebody looks for, likewise.
        """
        parts: list[str] = []
        looked_for = _Cutter(found)
        at = 0
        for start, end in marks:
            parts += self._found(text, looked_for.until(at, start))
            parts.append(self._opening(0))
            parts += self._found(text, looked_for.until(start, end))
            parts.append("</mark>")
            at = end
        parts += self._found(text, looked_for.until(at, len(text)))
        return "".join(parts)

    def _found(self, text: str, pieces: Iterator[tuple[_Span, int]]) -> Iterator[str]:
        for (start, end), part in pieces:
            escaped = escape(text[start:end])
            if part == _OUTSIDE:
                yield escaped
            else:
                yield f"{self._opening(1, first=part == _FIRST)}{escaped}</mark>"

    def _opening(self, kind: int, *, first: bool = True) -> str:
        """Start tag of the next mark of a kind, or of the rest of the last one."""
        self.counts[kind] += first
        number = self.counts[kind]
        classes = [_CLASSES[kind]] if _CLASSES[kind] else []
        here = number == self._current[kind]
        if here:
            classes.append("current")
        name = f' class="{" ".join(classes)}"' if classes else ""
        id_ = f' id="{_LETTERS[kind]}{number}"' if first else ""
        return f"<mark{id_}{name}>"


_OUTSIDE, _FIRST, _REST = range(3)  # of a piece of a text, in a found span
_CLASSES, _LETTERS = ("", "found"), ("m", "f")


class _Cutter:
    """Spans, cut where others begin and end."""

    def __init__(self, spans: Sequence[_Span]) -> None:
        self._spans, self._next = spans, 0

    def until(self, start: int, end: int) -> Iterator[tuple[_Span, int]]:
        """Yield the pieces of a part of the text, which follows the part before."""
        at = start
        while at < end and self._next < len(self._spans):
            first, last = self._spans[self._next]
            if first >= end:
                break
            if at < first:
                yield (at, first), _OUTSIDE
                at = first
            yield (at, min(last, end)), _FIRST if at == first else _REST
            at = min(last, end)
            if last <= end:
                self._next += 1
        if at < end:
            yield (at, end), _OUTSIDE


def stepper_of(
    count: int, current: int, here: Address, name: str, letter: str
) -> Stepper | None:
    """Stepper among marks; ``None`` without any.

    :param current: as asked for; above the count it is the last.
    :param here: the article's page.
    :param name: of the parameter with the number.
    :param letter: what the ids of the marks begin with.
    """
    if not count:
        return None
    current = min(current, count)

    def at(number: int) -> str:
        place = here.showing(**{name: str(number)})
        return f"{place}{fragment(f'{letter}{number}')}"

    return Stepper(
        count=count,
        current=current,
        previous=at(current - 1 if current > 1 else count),
        next=at(current % count + 1),
    )
