"""Reading: what a query was understood as, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.query import (
    All,
    And,
    Exact,
    Fuzzy,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Range,
    Term,
    Wildcard,
)


@dataclass(frozen=True, slots=True)
class Said:
    """A part of a sentence.

    :param typed: whether it comes from the query.
    """

    text: str
    typed: bool = False


_RANGE = re.compile(r"\[(.*) TO (.*)\]")
_BOUNDS = {"from": ">=", "up to": "<="}


def reading_of(query: Query) -> tuple[Said, ...]:
    """A query in words; nothing if it says just what was typed: words and phrases.

    :returns: pieces; those that were typed are flagged.
    """
    if isinstance(query, All) or all(map(_is_plain, _parts(query))):
        return ()
    return _joined(_said(query))


def _parts(query: Query) -> tuple[Query, ...]:
    return query.children if isinstance(query, And) else (query,)


def _is_plain(query: Query) -> bool:
    return (
        isinstance(query, Term | Phrase) and query.field is None and query.boost == 1.0
    )


def _said(query: Query) -> Iterator[Said]:
    match query:
        case All():
            yield Said("everything")
        case Not(child):
            yield Said("not ")
            yield from _grouped(child)
        case And(children):
            yield from _listed(children, " and ", "everything")
        case Or(children):
            yield from _listed(children, " or ", "nothing")
        case Range(field=field, text=text):
            yield Said(f"{field} ")
            yield from _period(text)
        case _:
            if query.field is not None:
                yield Said(f"{query.field} with ")
            yield from _words(query)
            if query.boost != 1.0:
                yield Said(f" (weight {query.boost:g})")


def _words(
    leaf: Term | Phrase | Near | Prefix | Wildcard | Fuzzy | Exact,
) -> Iterator[Said]:
    match leaf:
        case Prefix(text=text):
            yield Said("words that begin with ")
            yield _typed(text.rstrip("*"))
        case Wildcard(text=text):
            yield Said("words of the pattern ")
            yield _typed(text)
        case Fuzzy(form=form, distance=distance):
            letters = "1 letter" if distance == 1 else f"{distance} letters"
            yield Said("words that differ by at most " + letters + " from ")
            yield _typed(form)
        case Near(forms=forms, distance=distance):
            for number, form in enumerate(forms):
                if number:
                    yield Said(" and ")
                yield _typed(form)
            words = "1 word" if distance == 1 else f"{distance} words"
            yield Said(f" with at most {words} between them")
        case Exact(text=text):
            yield Said("exactly ")
            yield _typed(text.removeprefix("="))
        case _:
            yield _typed(leaf.text)


def _period(text: str) -> Iterator[Said]:
    """Say a range as the full form of the language writes it."""
    if ends := _RANGE.fullmatch(text):
        yield Said("from ")
        yield _typed(ends[1])
        yield Said(" to ")
        yield _typed(ends[2])
        return
    word, sign = next(
        (row for row in _BOUNDS.items() if text.startswith(row[1])), ("", "")
    )
    if word:
        yield Said(f"{word} ")
    yield _typed(text.removeprefix(sign))


def _listed(children: Sequence[Query], word: str, none: str) -> Iterator[Said]:
    if not children:
        yield Said(none)
    for number, child in enumerate(children):
        if number:
            yield Said(word)
        yield from _grouped(child)


def _grouped(query: Query) -> Iterator[Said]:
    if isinstance(query, And | Or) and query.children:
        yield Said("(")
        yield from _said(query)
        yield Said(")")
    else:
        yield from _said(query)


def _typed(text: str) -> Said:
    return Said(text, typed=True)


def _joined(pieces: Iterator[Said]) -> tuple[Said, ...]:
    """Saids of which no two that were not typed follow each other."""
    joined: list[Said] = []
    for piece in pieces:
        if joined and not piece.typed and not joined[-1].typed:
            joined[-1] = Said(joined[-1].text + piece.text)
        else:
            joined.append(piece)
    return tuple(joined)
