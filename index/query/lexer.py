"""The lexer of queries: words, phrases, operators and brackets, with their positions.

What cannot be taken as typed is interpreted as well as possible, with a warning.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from enum import Enum, auto

import regex
from rapidfuzz import process
from rapidfuzz.distance import OSA

from index.article import FIELD_BY_NAME
from index.errors import InvalidQuery
from index.query.remarks import Remarks
from index.text import with_groups_joined

_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile("[\x01-\x1f\x7f-\x9f]")
# Direction marks, embeddings, overrides and isolates, and the byte order mark.
_INVISIBLE = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_STRAIGHT = str.maketrans(dict.fromkeys("“”„‟«»″＂", '"'))
# A quote inside a Hebrew word is typed for gershayim, which mark an abbreviation.
_INNER_QUOTE = regex.compile(r'(?<=\p{Hebrew})"(?=\p{Hebrew})')
_GERSHAYIM = "\u05f4"

_SPACE = re.compile(r"\s*")
_CHUNK = re.compile(r'[^\s()"]+')
_NAME = re.compile(r"([^\W\d]\w{0,39}):")
_SUFFIX = re.compile(r"(?:~(?P<tilde>[0-9.]*))?(?:\^(?P<boost>[0-9.]+))?")
_BOOST = re.compile(r"\^([0-9.]+)")
_DIGITS = re.compile(r"[0-9.]*")
_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?|\.\d{1,9}", re.ASCII)
_BRACKETS = re.compile(
    r"(?P<open>[\[{])\s*(?P<low>[^\s\]}]+)(?:\s+(?:TO|to)\s+(?P<high>[^\s\]}]+))?"
    r"(?P<close>\s*[\]}])?"
)
_COMPARISON = re.compile(r"(<=|>=|<|>|=)\s*")
BOOSTS = (0.001, 1000.0)  # lowest and highest number after ^
_CLOSE_NAME = 0.65  # least similarity of a field that is suggested for a name


class Kind(Enum):
    """Kind of a lexeme."""

    WORD = auto()
    PHRASE = auto()
    EXACT = auto()
    RANGE = auto()
    OPEN = auto()
    CLOSE = auto()
    AND = auto()
    OR = auto()
    NOT = auto()


OPERANDS = (Kind.WORD, Kind.PHRASE, Kind.EXACT, Kind.RANGE)
OPERATORS = {"AND": Kind.AND, "OR": Kind.OR, "NOT": Kind.NOT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexeme:
    """One token of the query language.

    :param start: position of its first character in the cleaned text.
    :param end: position after its last character.
    :param text: of an operand, without quotes, field, ``~`` and ``^``.
    :param tilde: the number after ``~``, ``""`` for ``~`` alone, ``None`` without it.
    :param boost: of a word, phrase or exact form; an opening bracket has the boost that
        follows the closing one.
    """

    kind: Kind
    start: int
    end: int
    text: str = ""
    field: str | None = None
    tilde: str | None = None
    boost: float = 1.0


def clean(text: str) -> tuple[str, list[int] | None]:
    """The query without invisible characters, and the original position of each other.

    Control characters become spaces, direction marks are removed, curly quotes become
    straight, and those inside a Hebrew word gershayim; thin spaces inside a number
    become apostrophes. The positions are ``None`` if no character was removed.

    :raises InvalidQuery: it holds a NUL or a lone surrogate.
    """
    if match := _FORBIDDEN.search(text):
        raise InvalidQuery(
            "q contains a NUL or a lone surrogate; send UTF-8 text",
            code="invalid_encoding",
            position=match.start(),
        )
    plain = with_groups_joined(_CONTROL.sub(" ", text).translate(_STRAIGHT))
    offsets = None
    if _INVISIBLE.search(plain):
        kept = [n for n, letter in enumerate(plain) if not _INVISIBLE.match(letter)]
        plain = "".join(plain[n] for n in kept)
        offsets = [*kept, len(text)]
    if not plain.isascii():
        plain = _INNER_QUOTE.sub(_GERSHAYIM, plain)
    return plain, offsets


def lex(text: str, remarks: Remarks) -> list[Lexeme]:
    """Lexemes of a cleaned query, in order, in time linear in its length."""
    return _Lexer(text, remarks).run()


class _Lexer:
    def __init__(self, text: str, remarks: Remarks) -> None:
        self.text = text
        self.remarks = remarks
        self.at = 0
        self.lexemes: list[Lexeme] = []
        self.opened: list[int] = []  # indexes of the brackets that are still open
        self.last_quote = text.rfind('"')

    def run(self) -> list[Lexeme]:
        self.skip_space()
        while self.at < len(self.text):
            self.step()
            self.skip_space()
        return self.lexemes

    def skip_space(self) -> None:
        match = _SPACE.match(self.text, self.at)
        if match is not None:
            self.at = match.end()

    def step(self) -> None:
        """Read the next lexeme: at least one character."""
        if self.text[self.at] == ")":
            self.close()
            return
        before = self.text[self.at - 1 : self.at]
        starts_word = before in ("", "(") or before.isspace()
        if starts_word and self.negates():
            self.at += 1
            self.add(Kind.NOT, self.at - 1)
            self.operand(self.inherited(), named=True)
            return
        chunk = self.chunk()
        if chunk in OPERATORS:
            self.at += len(chunk)
            self.add(OPERATORS[chunk], self.at - len(chunk))
            return
        self.operand(self.inherited(), named=starts_word)

    def negates(self) -> bool:
        """Whether the next character is a dash directly before an operand."""
        if self.text[self.at] != "-" or self.at + 1 == len(self.text):
            return False
        following = self.text[self.at + 1]
        if following in '("':
            return True
        self.at += 1
        chunk = self.chunk()
        after = self.text[self.at + len(chunk) : self.at + len(chunk) + 1]
        self.at -= 1
        if chunk.startswith("=") and after == '"':
            return True
        return (
            chunk != ""
            and unicodedata.category(chunk[0]) != "Pd"
            and any(map(str.isalnum, chunk))
        )

    def chunk(self) -> str:
        """The characters up to the next space, bracket or quote."""
        match = _CHUNK.match(self.text, self.at)
        return match[0] if match else ""

    def inherited(self) -> str | None:
        """The field of the innermost open group."""
        return self.lexemes[self.opened[-1]].field if self.opened else None

    def operand(self, field: str | None, *, named: bool = False) -> None:
        """Read a word, phrase, exact form, value or opening bracket.

        :param named: whether a field name can stand here.
        """
        letter = self.text[self.at]
        if letter == "(":
            self.opened.append(len(self.lexemes))
            self.at += 1
            self.add(Kind.OPEN, self.at - 1, field=field)
        elif letter == '"':
            self.quoted(Kind.PHRASE, self.at, field)
        elif letter == ")":  # right after a dash or a field name: no operand
            return
        elif letter == "=" and self.text.startswith('"', self.at + 1):
            self.at += 1
            self.quoted(Kind.EXACT, self.at - 1, field)
        elif field is not None and not FIELD_BY_NAME[field].searchable_words:
            self.value(field)
        elif field is not None and letter in "[{<>" and self.is_range():
            raise InvalidQuery(
                f"{field} is text and has no ranges; ranges work with urgency,"
                " published and updated",
                code="unsupported_syntax",
                position=self.remarks.position(self.at),
            )
        elif not (named and self.name()):
            self.word(field)

    def is_range(self) -> bool:
        if self.text[self.at] in "<>":
            return len(self.chunk()) > 1
        match = _BRACKETS.match(self.text, self.at)
        return match is not None and match["high"] is not None

    def name(self) -> bool:
        """Read a field name and its operand; ``False`` if there is no field name."""
        match = _NAME.match(self.text, self.at)
        if match is None:
            return False
        start, name = self.at, match[1]
        following = self.text[match.end() : match.end() + 1]
        direct = following != "" and not following.isspace() and following != ")"
        field = name.lower()
        if field not in FIELD_BY_NAME:
            nearest = process.extractOne(
                field,
                tuple(FIELD_BY_NAME),
                scorer=OSA.normalized_similarity,
                score_cutoff=_CLOSE_NAME,
            )
            # A colon before a space is prose, unless the name resembles a field.
            if direct or nearest is not None:
                hint = f"; did you mean {nearest[0]}:?" if nearest else ""
                self.remarks.unknown_field(
                    name,
                    f"{name}: is not a field, so it was searched for as text{hint}",
                    start,
                    match.end(),
                )
            return False
        if not direct:
            self.remarks.syntax(
                "field_without_value",
                f"{field}: was searched for as a word; to use it as a field, write the"
                f" value right after the colon, such as {field}:word",
                start,
                match.end(),
            )
            return False
        if following == "-" and FIELD_BY_NAME[field].searchable_words:
            self.remarks.syntax(
                "misplaced_dash",
                f"a dash after {field}: excludes nothing; write -{field}:word",
                match.end(),
                match.end() + 1,
            )
        self.at = match.end()
        self.operand(field)
        return True

    def quoted(self, kind: Kind, start: int, field: str | None) -> None:
        """Read a phrase, from its opening quote on."""
        if self.at == self.last_quote:
            self.remarks.syntax(
                "unbalanced_quote",
                'this " has no closing quote and was left out',
                self.at,
                self.at + 1,
            )
            self.at += 1
            if field is not None and _CHUNK.match(self.text, self.at):
                self.operand(field)
            return
        end = self.text.index('"', self.at + 1)
        content = self.text[self.at + 1 : end]
        self.at = end + 1
        if field is not None and not FIELD_BY_NAME[field].searchable_words:
            self.add(Kind.RANGE, start, content.strip(), field=field)
            self.skip_suffix("a value")
            return
        match = _SUFFIX.match(self.text, self.at)
        assert match is not None  # both of its parts are optional
        if kind is Kind.EXACT and match["tilde"] is not None:
            self.add(kind, start, content, field=field)
            self.skip_suffix("an exact form")
            return
        self.at = match.end()
        self.add(
            kind,
            start,
            content,
            field=field,
            tilde=match["tilde"],
            boost=self.boost(match["boost"], match.start("boost") - 1),
        )
        self.skip_suffix("a phrase")

    def close(self) -> None:
        start = self.at
        self.at += 1
        if not self.opened:
            self.remarks.syntax(
                "unbalanced_bracket",
                "this ) has no opening bracket and was left out",
                start,
                self.at,
            )
            return
        opening = self.opened.pop()
        self.add(Kind.CLOSE, start)
        if match := _BOOST.match(self.text, self.at):
            boost = self.boost(match[1], self.at)
            self.lexemes[opening] = replace(self.lexemes[opening], boost=boost)
            self.at = match.end()
        self.skip_suffix("a group")

    def skip_suffix(self, after: str) -> None:
        """Skip a ``~`` or ``^`` that means nothing after such an operand."""
        if self.text[self.at : self.at + 1] in ("~", "^"):
            chunk = self.chunk()
            self.note_suffix(chunk, self.at, after)
            self.at += len(chunk)

    def note_suffix(self, suffix: str, start: int, after: str) -> None:
        self.remarks.syntax(
            "bad_suffix",
            f"{suffix[:50]} means nothing after {after} and was left out",
            start,
            start + len(suffix),
        )

    def value(self, field: str) -> None:
        """Read a number, date, comparison or range."""
        start = self.at
        if match := _BRACKETS.match(self.text, start):
            self.at = match.end()
            opened, closed = match["open"], (match["close"] or "]").strip()
            low, high = match["low"], match["high"]
            if match["close"] is None or high is None:
                self.remarks.syntax(
                    "bad_range",
                    f"a range is written {field}:[A TO B]",
                    start,
                    self.at,
                )
            text = low if high is None else f"{opened}{low} TO {high}{closed}"
        else:
            match = _COMPARISON.match(self.text, start)
            operator = match[1] if match else ""
            self.at = match.end() if match else start
            if self.text.startswith('"', self.at) and self.at != self.last_quote:
                end = self.text.index('"', self.at + 1)
                text = operator + self.text[self.at + 1 : end].strip()
                self.at = end + 1
            else:
                text = self.chunk().partition("^")[0]
                self.at += len(text)
                text = operator + text
        self.add(Kind.RANGE, start, text, field=field)
        self.skip_suffix("a value")

    def word(self, field: str | None) -> None:
        """Read a word, or an exact word."""
        start, chunk = self.at, self.chunk()
        self.at += len(chunk)
        kind = Kind.WORD
        text = chunk
        if chunk.startswith("=") and any(map(str.isalnum, chunk)):
            kind, text = Kind.EXACT, chunk[1:]
        boost, tilde = 1.0, None
        word, caret, number = text.rpartition("^")
        if caret and word and _DIGITS.fullmatch(number):
            text = word
            boost = self.boost(number, start + chunk.rindex("^"))
        elif caret and word:
            self.note_no_number(chunk, start, "^")
        word, sign, number = text.rpartition("~")
        if sign and word and _DIGITS.fullmatch(number):
            text = word
            if kind is Kind.WORD:
                tilde = number
            else:
                place = start + chunk.rindex("~")
                self.note_suffix(f"~{number}", place, "an exact form")
        elif sign and word and not word.endswith("/"):  # /~ is in URLs
            self.note_no_number(chunk, start, "~")
        self.add(kind, start, text, field=field, tilde=tilde, boost=boost)

    def note_no_number(self, chunk: str, start: int, sign: str) -> None:
        place = chunk.rindex(sign)
        self.remarks.syntax(
            "bad_suffix",
            f"{chunk[place:][:50]} is not a number, so it was searched for as text",
            start + place,
            start + len(chunk),
        )

    def boost(self, number: str | None, start: int) -> float:
        """Boost that a number after ``^`` stands for; 1 if it is missing or invalid."""
        if number is None:
            return 1.0
        low, high = BOOSTS
        if _NUMBER.fullmatch(number) and low <= float(number) <= high:
            return float(number)
        self.remarks.syntax(
            "bad_boost",
            f"^{number[:50]} was left out: write a number from {low:g} to {high:g}"
            " after ^",
            start,
            start + 1 + len(number),
        )
        return 1.0

    def add(
        self,
        kind: Kind,
        start: int,
        text: str = "",
        *,
        field: str | None = None,
        tilde: str | None = None,
        boost: float = 1.0,
    ) -> None:
        """Add a lexeme that ends here."""
        self.lexemes.append(
            Lexeme(
                kind=kind,
                start=start,
                end=self.at,
                text=text,
                field=field,
                tilde=tilde,
                boost=boost,
            )
        )
