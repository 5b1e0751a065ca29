"""The operands of a query: from lexemes to the leaves of the query tree."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from index.article import FIELD_BY_NAME
from index.errors import InvalidQuery, InvalidValue
from index.query import ranges
from index.query.lexer import BOOSTS, OPERATORS, Kind, Lexeme
from index.query.nodes import (
    And,
    Exact,
    Fuzzy,
    Near,
    Or,
    Phrase,
    Prefix,
    Query,
    Term,
    Wildcard,
)
from index.query.remarks import Remarks
from index.settings import Settings
from index.text import (
    Span,
    adjoining_spans,
    analyse,
    exact_forms,
    fold,
    fold_text,
    is_single_cjk,
    number_readings,
    plain_form,
    query_forms,
)

FARTHEST = 1_000  # most other words between those of a Near
FUZZY_LETTERS = 4  # a shorter word has too many neighbours
_WILDCARDS = re.compile(r"[*?]+")
_QUESTION = re.compile(r"(?<![*?])\?+(?![\w*?])")
# Signs of currencies and units, and others that are part of a name.
_SIGNS = "[#%&@+$§°‰\u00a2-\u00a5\u20a0-\u20cf]"
_MOST_SIGNS = 10  # on each side of a word that a note quotes
_SIGNS_BEFORE = re.compile(rf"{_SIGNS}+\Z")
_SIGNS_AFTER = re.compile(rf"{_SIGNS}{{1,{_MOST_SIGNS}}}")
_DIGIT = re.compile(r"\d")
# A word that means the same everywhere without quotes.
_PLAIN = re.compile(r'(?![-=<>[{(])(?!(?:AND|OR|NOT)\Z)[^\s()":^~*?]+')


def all_of(parts: Iterable[Query]) -> Query:
    """AND of one or more queries."""
    flat: list[Query] = []
    for part in parts:
        flat.extend(part.children if isinstance(part, And) else (part,))
    return flat[0] if len(flat) == 1 else And(tuple(flat))


class OperandReader:
    """Turns the operands of one query into leaves.

    :param text: the cleaned query, which the lexemes come from.
    :ivar has_ranges: whether one is a range, whose dates may count from now.
    """

    def __init__(
        self,
        text: str,
        *,
        settings: Settings,
        tz: tzinfo,
        now: datetime,
        remarks: Remarks,
    ) -> None:
        self.text = text
        self.settings = settings
        self.tz = tz
        self.now = now
        self.remarks = remarks
        self.clauses = 0
        self.has_ranges = False

    def expect(self, more: int) -> None:
        """Count leaves ahead of reading them.

        :raises InvalidQuery: there are too many.
        """
        self.clauses += more
        limit = self.settings.query_clauses
        if self.clauses > limit:
            raise InvalidQuery(
                f"q has {self.clauses:,} words, phrases and ranges; at most {limit:,}",
                code="query_too_many_clauses",
                limit=limit,
                got=self.clauses,
            )

    def boosted(self, boost: float, lexeme: Lexeme) -> float:
        """Boost of a group multiplied by the boost of an operand in it."""
        low, high = BOOSTS
        product = round(boost * lexeme.boost, 6)
        if low <= product <= high:
            return product
        self.remarks.syntax(
            "bad_boost",
            f"boosts multiply to {product:g} here, outside {low:g} to {high:g};"
            " this one was left out",
            lexeme.start,
            lexeme.end,
        )
        return boost

    def read(self, lexeme: Lexeme, boost: float) -> Query | None:
        """Leaf or subtree of an operand, ``None`` if it has nothing searchable."""
        if lexeme.kind is Kind.RANGE:
            assert lexeme.field is not None  # values always follow a field
            self.has_ranges = True
            return ranges.read(
                lexeme.field,
                lexeme.text,
                tz=self.tz,
                now=self.now,
                position=self.remarks.position(lexeme.start),
            )
        boost = self.boosted(boost, lexeme)
        if lexeme.kind is Kind.EXACT:
            query = self.exact(lexeme, boost)
        elif lexeme.kind is Kind.PHRASE:
            query = self.phrase(lexeme, boost)
        elif _WILDCARDS.search(lexeme.text) and "://" not in lexeme.text:
            query = self.wildcards(lexeme, boost)
        elif lexeme.tilde is not None:
            query = self.fuzzy(lexeme, boost)
        else:
            query = self.words(lexeme, lexeme.text, boost)
        if query is None:
            self.remarks.note(
                "nothing_searchable",
                f"{self.text[lexeme.start : lexeme.end][:50]} has no letter or digit to"
                " search for and was left out",
                lexeme.start,
                lexeme.end,
            )
        else:
            self.note_signs(lexeme)
        return query

    def note_signs(self, lexeme: Lexeme) -> None:
        """Note the signs beside a word that no index has: ``C++``, ``50%``."""
        signs = _signs_beside_words(lexeme.text)
        if signs:
            self.remarks.note(
                "signs_left_out",
                f"{signs[:50]} was left out: only letters, digits and emoji can be"
                " searched for",
                lexeme.start,
                lexeme.end,
            )

    def words(self, lexeme: Lexeme, text: str, boost: float) -> Query | None:
        """The words of a text without spaces: what separates in a text does so here.

        A web address stays together, as a phrase.
        """
        plain = plain_form(text)
        if plain is not None and text not in OPERATORS:  # as most words are
            return Term(plain, lexeme.field, boost, text)
        spans = adjoining_spans(text)
        if not spans:
            return None
        if "://" in text:
            spans = [(spans[0][0], spans[-1][1])]
        self.expect(len(spans) - 1)
        return all_of(self.word(lexeme, text, span, boost) for span in spans)

    def word(self, lexeme: Lexeme, text: str, span: Span, boost: float) -> Query:
        """A typed word: one term, or a phrase of its parts."""
        start, end = span
        following = text[end : end + 1]
        leaves: list[Query] = []
        for reading in self.readings(text[start:end]):
            shown = reading
            if "." in shown and following == "." and not shown[-1].isdecimal():
                shown += "."  # as in U.S.
            if not _PLAIN.fullmatch(shown):
                shown = f'"{shown}"'
            forms = query_forms(reading)
            if len(forms) == 1:
                leaves.append(Term(forms[0], lexeme.field, boost, shown))
            else:
                leaves.append(Phrase(forms, lexeme.field, boost, shown))
        return _any_of(leaves)

    def readings(self, text: str) -> Sequence[str]:
        """The text in every way to read its numbers; each is a clause of the query.

        :raises InvalidQuery: there are too many.
        """
        if not _DIGIT.search(text):
            return (text,)
        readings = number_readings(text)
        self.expect(len(readings) - 1)
        return readings

    def exact(self, lexeme: Lexeme, boost: float) -> Query | None:
        forms = exact_forms(lexeme.text)
        if not forms:
            return None
        shown = _quoted(lexeme.text)
        if lexeme.text and _PLAIN.fullmatch(lexeme.text):
            shown = lexeme.text
        if len(forms) == 1 and is_single_cjk(forms[0]):
            # Tokens of such scripts are pairs, so a single character is a prefix.
            return Term(forms[0], lexeme.field, boost, f"={shown}")
        return Exact(forms, lexeme.field, boost, f"={shown}")

    def phrase(self, lexeme: Lexeme, boost: float) -> Query | None:
        forms = query_forms(lexeme.text)
        if not forms:
            return None
        if re.search(r"\w\*", lexeme.text):
            self.remarks.note(
                "wildcard_in_phrase",
                "* between quotes is not a wildcard",
                lexeme.start,
                lexeme.end,
            )
        distance = None if lexeme.tilde is None else self.distance(lexeme)
        leaves: list[Query] = []
        for reading in self.readings(lexeme.text):
            forms, shown = query_forms(reading), _quoted(reading)
            if len(forms) == 1:
                leaves.append(Term(forms[0], lexeme.field, boost, shown))
            elif distance is None:
                leaves.append(Phrase(forms, lexeme.field, boost, shown))
            else:
                shown = f"{shown}~{distance}"
                leaves.append(Near(forms, distance, lexeme.field, boost, shown))
        return _any_of(leaves)

    def distance(self, lexeme: Lexeme) -> int | None:
        """Number after the ``~`` of a phrase, ``None`` if it is not one."""
        if not lexeme.tilde or not lexeme.tilde.isdecimal():
            self.remarks.syntax(
                "bad_suffix",
                '~ after a phrase needs a number of words, such as "a b"~5; the'
                " words were searched for as a phrase",
                lexeme.start,
                lexeme.end,
            )
            return None
        if len(lexeme.tilde) > 9 or int(lexeme.tilde) > FARTHEST:
            raise InvalidValue(
                "q",
                f"at most {FARTHEST:,} words may be between those of a phrase",
                got=lexeme.tilde,
                position=self.remarks.position(lexeme.start),
                limit=FARTHEST,
            )
        return int(lexeme.tilde)

    def fuzzy(self, lexeme: Lexeme, boost: float) -> Query | None:
        forms = exact_forms(lexeme.text)
        if not forms:
            return None
        if len(forms) > 1 or is_single_cjk(forms[0]):
            self.remarks.syntax(
                "bad_suffix",
                "~ works only on single words of an alphabetic script; the text was"
                " searched for without it",
                lexeme.start,
                lexeme.end,
            )
            return self.words(lexeme, lexeme.text, boost)
        position = self.remarks.position(lexeme.start)
        if lexeme.tilde not in ("", "1", "2"):
            raise InvalidQuery(
                f"~{lexeme.tilde}: a word may differ by 1 or 2 letters; write ~1 or ~2",
                code="fuzzy_distance",
                position=position,
                limit=2,
                got=int(lexeme.tilde)
                if lexeme.tilde and lexeme.tilde.isdecimal() and len(lexeme.tilde) < 10
                else None,
            )
        letters = sum(map(str.isalnum, forms[0]))
        if letters < FUZZY_LETTERS:
            raise InvalidQuery(
                f"~ needs a word of at least {FUZZY_LETTERS} letters",
                code="fuzzy_distance",
                position=position,
                limit=FUZZY_LETTERS,
                got=letters,
            )
        distance = int(lexeme.tilde or 1)
        (start, end), *_ = _words(lexeme.text)
        shown = f"{lexeme.text[start:end]}~{distance}"
        return Fuzzy(fold(forms[0]), distance, lexeme.field, boost, shown)

    def wildcards(self, lexeme: Lexeme, boost: float) -> Query | None:
        """A typed word with ``*`` or ``?``, and the words attached to it."""
        if lexeme.tilde is not None:
            self.remarks.syntax(
                "bad_suffix",
                "~ means nothing on a word with a wildcard and was left out",
                lexeme.start,
                lexeme.end,
            )
        text = self.without_question_marks(lexeme)
        masked = _masked(text)
        if not any(map(str.isalnum, masked)) and "*" in text:
            raise self.too_broad(lexeme, 0)
        parts: list[Query] = []
        rest = 0  # start of the text that no part covers yet
        for start, end in _words(masked):
            piece = text[start:end]
            if _WILDCARDS.search(piece):
                before = self.words(lexeme, text[rest:start], boost)
                parts.extend((before,) if before else ())
                parts.append(self.pattern(lexeme, piece, boost))
                rest = end
        after = self.words(lexeme, text[rest:], boost)
        parts.extend((after,) if after else ())
        if _WILDCARDS.search(masked):
            self.remarks.syntax(
                "bad_wildcard",
                "a * or ? that is not part of a word was left out",
                lexeme.start,
                lexeme.end,
            )
        self.expect(max(len(parts) - 1, 0))
        return all_of(parts) if parts else None

    def without_question_marks(self, lexeme: Lexeme) -> str:
        """Text of a word with the ``?`` that ends a sentence replaced by a space."""
        text = _QUESTION.sub(lambda match: " " * len(match[0]), lexeme.text)
        if text != lexeme.text and any(map(str.isalnum, text)):
            self.remarks.note(
                "question_mark",
                "? at the end of a word is a question mark, not a wildcard;"
                " write * for any ending",
                lexeme.start,
                lexeme.end,
            )
        return text

    def pattern(self, lexeme: Lexeme, typed: str, boost: float) -> Query:
        """A prefix, or a wildcard that is not just a prefix."""
        first = _WILDCARDS.search(typed)
        assert first is not None  # the caller checked
        start = typed[: first.start()]
        ends_in_star = first.end() == len(typed) and "?" not in first[0]
        if any(map(is_single_cjk, typed)):
            if not ends_in_star or not start:
                raise InvalidQuery(
                    "wildcards do not work in scripts without spaces, where words are"
                    " found inside others anyway; remove the wildcard",
                    code="unsupported_syntax",
                    position=self.remarks.position(lexeme.start),
                )
            self.remarks.note(
                "wildcard_not_needed",
                "* was left out: in scripts written without spaces a word is found"
                " whatever follows it",
                lexeme.start,
                lexeme.end,
            )
            query = self.words(lexeme, start, boost)
            assert query is not None  # its first character is a word
            return query
        # A Korean syllable is two or three letters, as its decomposition has them.
        letters = sum(map(str.isalnum, unicodedata.normalize("NFD", start)))
        if letters < self.settings.wildcard_letters:
            raise self.too_broad(lexeme, letters)
        if ends_in_star:
            return Prefix(fold_text(start), lexeme.field, boost, f"{start}*")
        typed = re.sub(r"\*+", "*", typed)
        return Wildcard(fold_text(typed), lexeme.field, boost, typed)

    def too_broad(self, lexeme: Lexeme, letters: int) -> InvalidQuery:
        limit = self.settings.wildcard_letters
        remedy = f"put at least {limit} letters before the first * or ?"
        field = lexeme.field
        if (
            lexeme.text.strip("*") == ""
            and field is not None
            and FIELD_BY_NAME[field].filterable
        ):
            remedy = (
                f"for articles with any {field}, use the parameter missing.{field}=0"
            )
        return InvalidQuery(
            f"{self.text[lexeme.start : lexeme.end][:50]} matches too many words;"
            f" {remedy}",
            code="wildcard_too_broad",
            position=self.remarks.position(lexeme.start),
            limit=limit,
            got=letters,
        )


def _any_of(leaves: list[Query]) -> Query:
    return leaves[0] if len(leaves) == 1 else Or(tuple(leaves))


def _signs_beside_words(text: str) -> str:
    """Signs that touch a word and are no part of one, in order."""
    signs: list[str] = []
    if plain_form(text) is not None:
        return ""
    for start, end in _words(text):
        before = _SIGNS_BEFORE.search(text[:start][-_MOST_SIGNS:])
        after = _SIGNS_AFTER.match(text, end)
        signs += [match[0] for match in (before, after) if match]
    return " ".join(dict.fromkeys(signs))


def _quoted(text: str) -> str:
    return '"' + " ".join(text.split()) + '"'


def _words(text: str) -> list[tuple[int, int]]:
    """Spans of the words; in scripts without spaces, of the runs."""
    tokens = analyse(text)
    spans: list[tuple[int, int]] = []
    for start, end in zip(tokens.starts, tokens.ends, strict=True):
        if spans and start < spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((start, end))
    return spans


def _masked(text: str) -> str:
    """Text with letters in place of wildcards, so that they do not split words."""

    def letters(match: re.Match[str]) -> str:
        before = text[match.start() - 1 : match.start()]
        after = text[match.end() : match.end() + 1]
        if before and (before.isalnum() or unicodedata.category(before)[0] == "M"):
            return before * len(match[0])
        return after * len(match[0]) if after.isalnum() else match[0]

    return _WILDCARDS.sub(letters, text)
