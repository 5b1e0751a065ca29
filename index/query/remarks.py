"""Remarks on a query while it is parsed: warnings, or errors in strict mode."""

from __future__ import annotations

from dataclasses import dataclass

from index.article import FIELD_BY_NAME
from index.errors import InvalidQuery, UnknownField


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryWarning:
    """A part of ``q`` that was not taken as typed, and how it was taken instead.

    :param position: code points from the start of ``q``.
    :param length: of the part, in code points.
    """

    code: str
    detail: str
    position: int
    length: int = 0


class Remarks:
    """The warnings on one query; in strict mode a syntax warning is an error.

    :param offsets: position in ``q`` of every character of the cleaned text, and of its
        end; ``None`` if no character was removed.
    """

    def __init__(self, *, offsets: list[int] | None, strict: bool) -> None:
        self._offsets = offsets
        self._strict = strict
        self.warnings: list[QueryWarning] = []

    def position(self, start: int) -> int:
        """Position in ``q`` of a position in the cleaned text."""
        return start if self._offsets is None else self._offsets[start]

    def syntax(self, code: str, detail: str, start: int, end: int) -> None:
        """Note that the syntax here was not taken as typed.

        :raises InvalidQuery: in strict mode.
        """
        if self._strict:
            raise InvalidQuery(
                f"{detail}; strict refuses that", position=self.position(start)
            )
        self.note(code, detail, start, end)

    def unknown_field(self, name: str, detail: str, start: int, end: int) -> None:
        """Note that a name before a colon is not a field.

        :raises UnknownField: in strict mode.
        """
        if self._strict:
            raise UnknownField(
                name,
                allowed=tuple(FIELD_BY_NAME),
                parameter="q",
                position=self.position(start),
            )
        self.note("unknown_field", detail, start, end)

    def note(self, code: str, detail: str, start: int, end: int) -> None:
        """Note something that is not a mistake, but could surprise the reader."""
        position = self.position(start)
        self.warnings.append(
            QueryWarning(
                code=code,
                detail=detail,
                position=position,
                length=self.position(end) - position,
            )
        )
