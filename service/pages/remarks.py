"""Remarks on a query: warnings with the part they are about, and errors."""

from __future__ import annotations

from dataclasses import dataclass

from index.query import QueryWarning


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a query.

    :param flawed: whether the remark is about it.
    """

    text: str
    flawed: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark: one sentence, and the query with the part that it is about.

    :param pieces: of the query, in order; none if the remark is about all of it.
    """

    text: str
    pieces: tuple[Piece, ...] = ()


def remarks_of(q: str, warnings: tuple[QueryWarning, ...]) -> tuple[Remark, ...]:
    """Remarks for the warnings on a query, each text once."""
    return tuple(
        remark_of(q, warning.detail, warning.position, warning.length)
        for warning in warnings
    )


def remark_of(
    q: str, detail: str, position: int | None = None, length: int = 0
) -> Remark:
    """A remark on a part of a query.

    :param position: in code points; ``None`` if it is about the whole query.
    :param length: 0 underlines the rest of the word.
    """
    pieces = pieces_of(q, position, length)
    # A message may begin with what was typed: "or was searched for as a word".
    typed = next((piece.text for piece in pieces if piece.flawed), None)
    text = sentence(detail)
    if typed is not None and detail.startswith(typed):
        text = detail[:1] + text[1:]
    return Remark(text, pieces)


def pieces_of(q: str, position: int | None, length: int) -> tuple[Piece, ...]:
    """A query in pieces, one of them flawed."""
    if position is None or not q.strip() or not 0 <= position <= len(q):
        return ()
    if length <= 0:
        # At the end of the query the flaw is what is missing after the last word.
        start = min(position, len(q.rstrip()) - 1)
        end = start + 1
        while end < len(q) and not q[end].isspace():
            end += 1
    else:
        start, end = position, min(position + length, len(q))
    pieces = (Piece(q[:start]), Piece(q[start:end], flawed=True), Piece(q[end:]))
    return tuple(piece for piece in pieces if piece.text)


def sentence(detail: str) -> str:
    """A message as a sentence: with a capital, and a full stop at its end.

    A message that begins with something typed, such as ``a*``, begins with just that.
    """
    text = detail.strip()
    if text.partition(" ")[0].rstrip(":").isalpha():
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
