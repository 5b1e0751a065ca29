"""The text of an XML file made ready for the parser, in pieces.

The declaration and the DOCTYPE are taken out, so that the parser knows no DTD and no
entity but its own five; every other named character is put in its place, or refuses the
file. Line ends stay where they are.

Standard: https://www.w3.org/TR/xml/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from index.errors import LimitExceeded, UnreadableInput
from index.parsing.xml.entities import PREDEFINED, Entities

MAX_DOCTYPE = 64 * 1024  # characters of a DOCTYPE with its declarations
_LONGEST_NAME = 64  # characters of an entity's name
_HELD = 10  # characters that may begin one of the marks of _MARK
_MARK = re.compile(r"<(?:!--|!\[CDATA\[|\?|!DOCTYPE\b)")
_NAMED = re.compile(r"&([A-Za-z_:][\w:.-]*);")
_ENDS = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]{0,500}\?>")
_QUOTED = "\"[^\"]*\"|'[^']*'"
_DOCTYPE = re.compile(
    rf"<!DOCTYPE\s+[^\s\[<>\"']+\s*"
    rf"(?:(?:SYSTEM|PUBLIC)\s*(?:{_QUOTED})\s*(?:{_QUOTED})?)?\s*([\[>])"
)
_SUBSET = re.compile(
    rf"\s+|<!--(?:.*?)-->|<\?(?:.*?)\?>|(%)[\w:.-]+;|(\])"
    rf"|<!(ENTITY|ATTLIST|ELEMENT|NOTATION)((?:{_QUOTED}|[^\"'<>])*)>",
    re.DOTALL,
)
_ENTITY = re.compile(rf"\s+(%\s+)?(\S+)\s+(?:({_QUOTED})\s*\Z|SYSTEM\b|PUBLIC\b)")
_CLOSE = re.compile(r"\s*>")
_NOT_LINE_END = re.compile(r"[^\n]")


def prepared(texts: Iterable[str]) -> Iterator[str]:
    """Yield the pieces of an XML text as the parser gets them.

    :raises UnreadableInput: it has an entity that is unknown, external or not plain
        text, or a DOCTYPE that cannot be read; with line and column.
    :raises LimitExceeded: its DOCTYPE is too long, or its own entities make it so.
    """
    preparation = _Preparation()
    for text in texts:
        yield preparation.feed(text)
    yield preparation.feed("", last=True)


class _Preparation:
    """State between two pieces: what is unfinished, and the place in the file."""

    def __init__(self) -> None:
        self._rest = ""
        self._end: str | None = None  # of the comment or the like that is open
        self._begun = False
        self._entities = Entities()
        self._line, self._column = 1, 1  # of the start of the rest

    def feed(self, text: str, *, last: bool = False) -> str:
        """Next piece of the prepared text."""
        text = self._rest + text
        if not self._begun:
            text = text.lstrip("\N{ZERO WIDTH NO-BREAK SPACE}")
            if not last and len(text) < 600 and ">" not in text:
                self._rest = text
                return ""
            text = _without_declaration(text)
            self._begun = True
        parts: list[str] = []
        at = self._consume(text, parts, last=last)
        self._rest = text[at:]
        return "".join(parts)

    def _consume(self, text: str, parts: list[str], *, last: bool) -> int:
        """Add what is finished to the parts; the index of what is not."""
        at = 0
        while at < len(text):
            start = at
            if self._end is not None:
                at = self._skip(text, at, last=last)
                parts.append(text[start:at])
                self._advance(text, start, at)
                if self._end is not None:
                    break
                continue
            mark = _MARK.search(text, at)
            if mark is not None:
                at = mark.start()
            else:
                at = len(text) if last else self._safe_end(text, at)
            parts.append(self._with_characters(text[start:at]))
            self._advance(text, start, at)
            if mark is None:
                break
            start = at
            if mark[0] == "<!DOCTYPE":
                end = self._doctype_end(text, at, last=last)
                if end is None:
                    break
                at = end
                parts.append(_NOT_LINE_END.sub(" ", text[start:at]))
            else:
                self._end = _ENDS[mark[0]]
                at = mark.end()
                parts.append(mark[0])
            self._advance(text, start, at)
        return at

    def _skip(self, text: str, at: int, *, last: bool) -> int:
        """Index after the end of the open comment, or of what surely belongs to it."""
        assert self._end is not None
        end = text.find(self._end, at)
        if end >= 0:
            end += len(self._end)
            self._end = None
            return end
        return len(text) if last else max(at, len(text) - len(self._end) + 1)

    @staticmethod
    def _safe_end(text: str, at: int) -> int:
        """Index up to which a text without a mark cannot begin one."""
        sign = text.rfind("<", max(at, len(text) - _HELD))
        reference = text.rfind("&", max(at, len(text) - _LONGEST_NAME))
        ends = [place for place in (sign, reference) if place >= 0]
        return min(ends, default=len(text))

    def _advance(self, text: str, start: int, end: int) -> None:
        """Move the place in the file over a part of the text."""
        lines = text.count("\n", start, end)
        if lines:
            self._line += lines
            self._column = end - text.rfind("\n", start, end)
        else:
            self._column += end - start

    def _with_characters(self, text: str) -> str:
        """A text, without comments and the like, with its names replaced."""
        if "&" not in text:
            return text
        return _NAMED.sub(self._characters, text)

    def _characters(self, reference: re.Match[str]) -> str:
        name = reference[1]
        if name in PREDEFINED:
            return reference[0]
        text = self._entities.text_of(name)
        if text is not None:
            return text
        reason = (
            "stands for another file or for markup, which is never read"
            if self._entities.is_declared(name)
            else "is unknown; write the character itself"
        )
        self._advance(reference.string, 0, reference.start())
        raise self._refusal(f"the entity &{name}; {reason}")

    def _doctype_end(self, text: str, at: int, *, last: bool) -> int | None:
        """Index after a DOCTYPE; ``None`` if its end has not come yet."""
        end = None
        if match := _DOCTYPE.match(text, at):
            end = match.end() if match[1] == ">" else None
            if end is None and (rest := self._subset_end(text, match.end())):
                close = _CLOSE.match(text, rest)
                end = None if close is None else close.end()
        if end is not None and end - at <= MAX_DOCTYPE:
            return end
        if len(text) - at > MAX_DOCTYPE:
            raise LimitExceeded(
                "characters of an XML file's DOCTYPE", limit=MAX_DOCTYPE, got=None
            )
        if last:
            raise self._refusal("the DOCTYPE is not closed, or not well-formed")
        return None

    def _subset_end(self, text: str, at: int) -> int | None:
        """Index after the declarations of a DOCTYPE, if all of them are there."""
        declared: list[tuple[str, str]] = []
        while match := _SUBSET.match(text, at):
            at = match.end()
            if match[2]:
                for kind, rest in declared:
                    self._declare(kind, rest)
                return at
            if match[1]:
                raise self._refusal(
                    "the DOCTYPE refers to a parameter entity, which may stand for"
                    " another file; take it out"
                )
            if match[3]:
                declared.append((match[3], match[4]))
        return None

    def _declare(self, kind: str, rest: str) -> None:
        if kind == "ATTLIST" and re.search("[\"']", rest):
            raise self._refusal(
                "the DOCTYPE gives attributes default values, which are not read;"
                " write the attributes out"
            )
        if kind != "ENTITY":
            return
        match = _ENTITY.match(rest)
        if match is None:
            raise self._refusal("the DOCTYPE has an entity that is not well-formed")
        if not match[1]:  # nothing refers to parameter entities
            self._entities.declare(match[2], match[3] and match[3][1:-1])

    def _refusal(self, reason: str) -> UnreadableInput:
        return UnreadableInput(
            f"line {self._line}, column {self._column}: {reason}",
            line=self._line,
            column=self._column,
        )


def _without_declaration(text: str) -> str:
    """A text whose XML declaration is blank; blank lines before it are allowed."""
    match = _DECLARATION.match(text)
    if match is None:
        return text
    return _NOT_LINE_END.sub(" ", match[0]) + text[match.end() :]
