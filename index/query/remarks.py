"""What is remarked on while a query is read: warnings, or errors where it is strict."""

from __future__ import annotations

from dataclasses import dataclass

from index.article import FIELD_BY_NAME
from index.errors import InvalidQuery, UnknownField


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryWarning:
    """Something in ``q`` that was not taken as typed, and how it was taken.

    :param position: code points from the start of ``q``; ``length`` of what is meant.
    """

    code: str
    detail: str
    position: int
    length: int = 0


class Remarks:
    """The warnings on one query; a strict one raises the first that is about syntax.

    :param offsets: where each character of the cleaned text is in ``q``, and its end;
        ``None`` if nothing was taken out.
    """

    def __init__(self, *, offsets: list[int] | None, strict: bool) -> None:
        self._offsets = offsets
        self._strict = strict
        self.found: list[QueryWarning] = []

    def position(self, start: int) -> int:
        """Return the position in ``q`` of one in the cleaned text."""
        return start if self._offsets is None else self._offsets[start]

    def syntax(self, code: str, detail: str, start: int, end: int) -> None:
        """Note that the syntax at this place was not taken as typed.

        :raises InvalidQuery: the query is strict.
        """
        if self._strict:
            refused = f"{detail}; strict refuses that"
            raise InvalidQuery(refused, position=self.position(start))
        self.note(code, detail, start, end)

    def unknown_field(self, name: str, detail: str, start: int, end: int) -> None:
        """Note that a name before a colon is no field.

        :raises UnknownField: the query is strict.
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
        """Note something that is no mistake and that the reader may not expect."""
        position = self.position(start)
        self.found.append(
            QueryWarning(
                code=code,
                detail=detail,
                position=position,
                length=self.position(end) - position,
            )
        )
