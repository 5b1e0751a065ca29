"""The query grammar: from text to a query tree, with warnings and limits.

Words are joined by AND. ``NOT`` and ``-`` bind tightest, then ``AND``, then ``OR``.
Wrong syntax is interpreted as well as possible, with a warning; exceeding a limit is an
error. ``docs/query.md`` has the whole grammar.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import pairwise

from index.errors import InvalidQuery
from index.memo import Memo
from index.query.lexer import OPERANDS, Kind, Lexeme, clean, lex
from index.query.nodes import NOTHING, All, And, Not, Or, Query, Range, leaves
from index.query.operands import OperandReader, all_of
from index.query.remarks import QueryWarning, Remarks
from index.settings import Settings

# Upper bound of the setting: trees are walked recursively, and Python allows some 1,000
# nested calls.
DEEPEST = 50
PARSED_BYTES = 2 * 1024 * 1024  # of parsed queries that a process keeps


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A parsed query.

    :param understood: the query in canonical form, which parses to the same tree.
    """

    query: Query
    understood: str
    warnings: tuple[QueryWarning, ...]


def parse(
    text: str, *, settings: Settings, tz: tzinfo, now: datetime, strict: bool = False
) -> Parsed:
    """Parse a query, in time linear in its length.

    :param tz: time zone of the days and months that dates stand for.
    :param now: the instant that relative dates count from.
    :param strict: make wrong syntax an error instead of a warning.
    :raises InvalidQuery: it exceeds a limit or, in strict mode, has wrong syntax.
    :raises InvalidValue: a number or date is invalid.
    :raises UnknownField: in strict mode: a name before a colon is not a field.
    """
    if len(text) > settings.query_characters:
        raise InvalidQuery(
            f"q has {len(text):,} characters; at most {settings.query_characters:,}",
            code="query_too_long",
            limit=settings.query_characters,
            got=len(text),
        )
    key = text, strict, settings
    parsed = _PARSED.get(key)
    if parsed is None:
        parsed, has_ranges = _parsed(text, settings, tz, now, strict)
        if not has_ranges:
            _PARSED.keep(key, parsed)
    return parsed


def _parsed(
    text: str, settings: Settings, tz: tzinfo, now: datetime, strict: bool
) -> tuple[Parsed, bool]:
    """A query, and whether it has ranges, whose dates depend on the zone and on now."""
    plain, offsets = clean(text)
    remarks = Remarks(offsets=offsets, strict=strict)
    operands = OperandReader(plain, settings=settings, tz=tz, now=now, remarks=remarks)
    query = _Parser(plain, settings, operands).run()
    if query is None:
        query = NOTHING if plain.strip() else All()
        if query is NOTHING:
            remarks.warnings = [
                warning
                for warning in remarks.warnings
                if warning.code != "nothing_searchable"
            ]
            remarks.note(
                "no_words", "there is nothing to search for here", 0, len(plain)
            )
    parsed = Parsed(
        query=query,
        understood=write(query),
        warnings=tuple(sorted(remarks.warnings, key=lambda warning: warning.position)),
    )
    return parsed, operands.has_ranges


def _bytes_of(key: tuple[str, bool, Settings], parsed: Parsed) -> int:
    """Upper bound of the memory that a parsed query takes, with its text."""
    characters = len(key[0]) + len(parsed.understood)
    return (
        1_000
        + 50 * characters
        + 600 * sum(1 for _ in leaves(parsed.query))
        + sum(300 + 4 * len(warning.detail) for warning in parsed.warnings)
    )


def _never(key: tuple[str, bool, Settings]) -> Parsed:
    raise AssertionError("only what was parsed is looked up")


# The same few queries come again and again: of pages, facets, feeds and saved searches.
_PARSED: Memo[tuple[str, bool, Settings], Parsed] = Memo(
    _never, _bytes_of, limit=PARSED_BYTES
)


def write(query: Query) -> str:
    """Canonical text of a query, which parses to the same tree."""
    if isinstance(query, All):
        return ""
    if isinstance(query, Not):
        return f"NOT {_grouped(query.child)}"
    if isinstance(query, And):
        return " AND ".join(map(_grouped, query.children))
    if isinstance(query, Or):
        return " OR ".join(map(_grouped, query.children)) or '""'
    name = f"{query.field}:" if query.field else ""
    if isinstance(query, Range) or query.boost == 1.0:
        return f"{name}{query.text}"
    return f"{name}{query.text}^{query.boost:.6f}".rstrip("0").rstrip(".")


def _grouped(query: Query) -> str:
    return f"({write(query)})" if isinstance(query, And | Or) else write(query)


@dataclass(slots=True)
class _Group:
    """A group in brackets, or the whole query, as far as it has been parsed."""

    boost: float = 1.0
    # The lists are joined by OR, the parts of each list by AND.
    alternatives: list[list[Query]] = field(default_factory=lambda: [[]])
    operator: Lexeme | None = None  # AND or OR, waiting for its right operand
    negation: Lexeme | None = None  # NOT, waiting for its operand
    negated: bool = False

    def take(self, operand: Query | None) -> None:
        """Add an operand; ``None`` only consumes the operators before it."""
        if operand is not None:
            if self.negated:
                operand = operand.child if isinstance(operand, Not) else Not(operand)
            self.alternatives[-1].append(operand)
        self.operator = self.negation = None
        self.negated = False

    def query(self) -> Query | None:
        """Query tree of the group, ``None`` if it is empty."""
        parts = [all_of(parts) for parts in self.alternatives if parts]
        if not parts:
            return None
        flat: list[Query] = []
        for part in parts:
            flat.extend(part.children if isinstance(part, Or) else (part,))
        # Two readings of numbers may coincide: 1500 OR 1,500.
        flat = list(dict.fromkeys(flat))
        return flat[0] if len(flat) == 1 else Or(tuple(flat))


class _Parser:
    def __init__(self, text: str, settings: Settings, operands: OperandReader) -> None:
        self.text = text
        self.depth = min(settings.query_depth, DEEPEST)
        self.operands = operands
        self.remarks = operands.remarks

    def run(self) -> Query | None:
        """Query tree of the text, ``None`` if it has no operand.

        A stack of groups replaces recursion, which has a limit.
        """
        lexemes = lex(self.text, self.remarks)
        self.operands.expect(sum(lexeme.kind in OPERANDS for lexeme in lexemes))
        self.note_lower_case(lexemes)
        groups = [_Group()]
        openings: list[Lexeme] = []
        for lexeme in lexemes:
            group = groups[-1]
            match lexeme.kind:
                case Kind.AND | Kind.OR:
                    self.join(group, lexeme)
                case Kind.NOT:
                    self.negate(group, lexeme)
                case Kind.OPEN:
                    openings.append(lexeme)
                    self.check_depth(openings)
                    groups.append(_Group(self.operands.boosted(group.boost, lexeme)))
                case Kind.CLOSE:
                    groups.pop()
                    groups[-1].take(self.close(group, openings.pop()))
                case _:
                    group.take(self.operands.read(lexeme, group.boost))
        while openings:
            opening, group = openings.pop(), groups.pop()
            self.remarks.syntax(
                "unbalanced_bracket",
                "this ( has no closing bracket; it was closed at the end",
                opening.start,
                opening.end,
            )
            groups[-1].take(self.close(group, opening))
        self.check_operators(groups[0])
        return groups[0].query()

    def check_depth(self, openings: list[Lexeme]) -> None:
        if len(openings) > self.depth:
            raise InvalidQuery(
                f"brackets are nested {len(openings)} deep here; at most {self.depth}",
                code="query_too_deep",
                position=self.remarks.position(openings[-1].start),
                limit=self.depth,
                got=len(openings),
            )

    def note_lower_case(self, lexemes: list[Lexeme]) -> None:
        """Warn of a lower-case operator before an operand, which counts as a word.

        ``and`` and ``or`` have an operand on their other side too.
        """
        for number, (lexeme, after) in enumerate(pairwise(lexemes)):
            follows_operand = number > 0 and lexemes[number - 1].kind in (
                *OPERANDS,
                Kind.CLOSE,
            )
            if (
                lexeme.kind is Kind.WORD
                and lexeme.text in ("and", "or", "not")
                and (follows_operand or lexeme.text == "not")
                and after.kind in (*OPERANDS, Kind.OPEN, Kind.NOT)
            ):
                self.remarks.note(
                    "lower_case_operator",
                    f"{lexeme.text} was searched for as a word;"
                    f" the operator is {lexeme.text.upper()}",
                    lexeme.start,
                    lexeme.end,
                )

    def join(self, group: _Group, lexeme: Lexeme) -> None:
        """Take an AND or OR."""
        waiting = group.negation is not None or group.operator is not None
        if waiting or not group.alternatives[-1]:
            self.dangling(lexeme)
        else:
            group.operator = lexeme
            if lexeme.kind is Kind.OR:
                group.alternatives.append([])

    def negate(self, group: _Group, lexeme: Lexeme) -> None:
        """Take a NOT or a dash; two in a row cancel out."""
        if group.negation is not None:
            self.remarks.syntax(
                "double_negation",
                "two negations in a row cancel out",
                group.negation.start,
                lexeme.end,
            )
        group.negation = lexeme
        group.negated = not group.negated

    def dangling(self, lexeme: Lexeme) -> None:
        self.remarks.syntax(
            "dangling_operator",
            f"this {lexeme.kind.name} has no operand and was left out",
            lexeme.start,
            lexeme.end,
        )

    def check_operators(self, group: _Group) -> None:
        for lexeme in (group.operator, group.negation):
            if lexeme is not None:
                self.dangling(lexeme)

    def close(self, group: _Group, opening: Lexeme) -> Query | None:
        self.check_operators(group)
        query = group.query()
        if query is None:
            self.remarks.syntax(
                "empty_group",
                "these brackets hold nothing to search for and were left out",
                opening.start,
                opening.end,
            )
        return query
