"""Remarks on a query: warnings with the part they are about, and errors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from index.query import QueryWarning

_Part = tuple[int | None, int]  # of a query: its position and length


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a query.

    :param flawed: whether the remark is about it.
    """

    text: str
    flawed: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark: one sentence, and the query with the parts that it is about.

    :param pieces: of the query, in order; none if the remark is about all of it.
    """

    text: str
    pieces: tuple[Piece, ...] = ()

    @property
    def about(self) -> tuple[str, ...]:
        """The parts that it is about, each text once."""
        return tuple(dict.fromkeys(piece.text for piece in self.pieces if piece.flawed))


def remarks_of(q: str, warnings: tuple[QueryWarning, ...]) -> tuple[Remark, ...]:
    """Remarks for the warnings on a query: each text once, with all of its parts."""
    parts: dict[str, list[_Part]] = {}
    for warning in warnings:
        part = (warning.position, warning.length)
        parts.setdefault(warning.detail, []).append(part)
    return tuple(_remark(q, detail, each) for detail, each in parts.items())


def remark_of(
    q: str, detail: str, position: int | None = None, length: int = 0
) -> Remark:
    """A remark on a part of a query.

    :param position: in code points; ``None`` if it is about the whole query.
    :param length: 0 underlines the rest of the word.
    """
    return _remark(q, detail, [(position, length)])


def _remark(q: str, detail: str, parts: list[_Part]) -> Remark:
    pieces = pieces_of(q, parts)
    # A message may begin with what was typed: "or was searched for as a word".
    typed = next((piece.text for piece in pieces if piece.flawed), None)
    text = sentence(detail)
    if typed is not None and detail.startswith(typed):
        text = detail[:1] + text[1:]
    return Remark(text, pieces)


def pieces_of(q: str, parts: Iterable[_Part]) -> tuple[Piece, ...]:
    """A query in pieces, flawed ones and others.

    :param parts: position and length of each flaw, as in :func:`remark_of`.
    """
    pieces: list[Piece] = []
    shown = 0
    for start, end in sorted(filter(None, (_span(q, *part) for part in parts))):
        if end > shown:
            start = max(start, shown)
            pieces += [Piece(q[shown:start]), Piece(q[start:end], flawed=True)]
            shown = end
    if pieces:
        pieces.append(Piece(q[shown:]))
    return tuple(piece for piece in pieces if piece.text)


def _span(q: str, position: int | None, length: int) -> tuple[int, int] | None:
    """Start and end of a flaw in a query; ``None`` if it has no place there."""
    if position is None or not q.strip() or not 0 <= position <= len(q):
        return None
    if length > 0 and position < len(q):
        return position, min(position + length, len(q))
    # At the end of the query the flaw is what is missing after the last word.
    start = min(position, len(q.rstrip()) - 1)
    end = start + 1
    while end < len(q) and not q[end].isspace():
        end += 1
    return start, end


def sentence(detail: str) -> str:
    """A message as a sentence: with a capital, and a full stop at its end.

    A message that begins with something typed, such as ``a*``, begins with just that.
    """
    text = detail.strip()
    if text.partition(" ")[0].rstrip(":").isalpha():
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
