"""Where the leaves of a query stand in texts: what is marked in them.

A search marks some thirty texts for the same few leaves, and most words in a text are
none of what was asked. Where the first letters of all that can match are known, only
words that start so are looked at; other leaves need the analysis of the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

from index.answer import Mark
from index.article import Role
from index.deadline import Check, never
from index.fields import FIELD_OF_ROLE
from index.matching import Test, form_tests, occurrences
from index.query import Exact, Prefix, Term, Wildcard, WordLeaf, places_of
from index.text import LANGUAGES, analyse, is_single_cjk, key

# Snowball's stemmer for English works on the ends of words: a stem starts as its word.
# The others are not relied on for that: some take away prefixes.
_STEMS_KEEP_START = ("en",)
_LONG = 50  # letters; a longer word is left to the analysis, which cuts some
_SPACE = re.compile(r"\s")
_STARTS = re.compile("[a-z0-9]")
# Letters and digits of ASCII; what may join them to more of a word, and what may not.
_ALNUM = "[A-Za-z0-9]"
_BESIDE = r".'\-/_&+@#,:"
_APART = r"\x00-\x20!\"$%()*;<=>?\[\\\]^`{|}~\x7f"
# No ASCII, nor the dashes, quotes, ellipsis and space of typographers: no form starts
# with those. The others may be letters, of whatever they stand for.
_FOREIGN = re.compile(r"[^\x00-\x7f\u2010-\u2015\u2018-\u201f\u2026\xa0]+")


class Marker:
    """What marks leaves in the texts of articles of one language.

    :param places: where leaves without a field are sought.
    """

    def __init__(
        self, leaves: Iterable[WordLeaf], *, language: str, places: tuple[str, ...]
    ) -> None:
        self._leaves = [(leaf, places_of(leaf, places).passages) for leaf in leaves]
        self._language = language
        self._sought: dict[str, _Sought | None] = {}

    def marks(self, text: str, role: Role, check: Check = never) -> tuple[Mark, ...]:
        """Return the spans that the leaves match, in order, with gaps between.

        :param role: of the paragraph; only leaves sought in such paragraphs are marked.
        :param check: called between steps; it may stop them.
        """
        field = FIELD_OF_ROLE[role]
        if field not in self._sought:
            sought = [leaf for leaf, passages in self._leaves if field in passages]
            self._sought[field] = _Sought(sought, self._language) if sought else None
        found = self._sought[field]
        if found is None:
            return ()
        check()
        return merged(found.spans(text, check))


class _Sought:
    """Leaves prepared to be looked for, one text after the other."""

    def __init__(self, leaves: Sequence[WordLeaf], language: str) -> None:
        self._language = language
        # Single words, the most of what is asked, are looked up all at once.
        plain = [leaf for leaf in leaves if isinstance(leaf, Term) and _has_key(leaf)]
        self._keys = frozenset(key(leaf.form, language) for leaf in plain)
        self._others = [leaf for leaf in leaves if leaf not in plain]
        self._tests: list[Test] = []
        self._known: dict[str, bool] = {}  # words met, and whether they match
        self._words: list[re.Pattern[str]] = []
        starts = {_start(leaf, language) for leaf in leaves}
        if None not in starts:
            self._words = [_words(start) for start in starts if start]
            self._tests = [form_tests(leaf, language)[0] for leaf in self._others]

    def spans(self, text: str, check: Check) -> list[Mark]:
        """Return what is matched, in any order, some of it perhaps twice."""
        if self._words:
            return self._spans_of_words(text)
        tokens = analyse(text)
        found = []
        if self._keys:
            for form, start, end in zip(
                tokens.forms, tokens.starts, tokens.ends, strict=True
            ):
                if key(form, self._language) in self._keys:
                    found.append((start, end))
        for leaf in self._others:
            for occurrence in occurrences(tokens, leaf, self._language, check):
                found.extend(occurrence)
        return found

    def _spans_of_words(self, text: str) -> list[Mark]:
        found: list[Mark] = []
        doubtful: list[int] = []
        known = self._known
        for words in self._words:
            for match in words.finditer(text):
                if not match.lastindex:
                    doubtful.append(match.start())
                    continue
                word = match[0]
                matches = known.get(word)
                if matches is None:
                    matches = known[word] = self._matches(word.lower())
                if matches:
                    found.append(match.span())
        if not text.isascii():
            doubtful += (match.start() for match in _FOREIGN.finditer(text))
        done = 0
        for start in sorted(doubtful):
            if start >= done:
                start, done = _between_spaces(text, start)
                tokens = analyse(text[start:done])
                for form, first, last in zip(
                    tokens.forms, tokens.starts, tokens.ends, strict=True
                ):
                    if self._matches(form):
                        found.append((start + first, start + last))
        return found

    def _matches(self, form: str) -> bool:
        if key(form, self._language) in self._keys:
            return True
        return bool(self._tests) and any(test(form) for test in self._tests)


def _between_spaces(text: str, place: int) -> Mark:
    """Return the span around a place that no word reaches out of."""
    start = place
    while start > 0 and not text[start - 1].isspace():
        start -= 1
    space = _SPACE.search(text, place)
    return start, len(text) if space is None else space.start()


def _has_key(leaf: Term) -> bool:
    return not is_single_cjk(leaf.form)


def _start(leaf: WordLeaf, language: str) -> str | None:
    """Return the letter that all forms which match start with, if that is known."""
    start = ""
    if isinstance(leaf, Prefix):
        start = leaf.prefix[:1]
    elif isinstance(leaf, Wildcard):
        start = leaf.pattern[:1]
    elif isinstance(leaf, Exact) and len(leaf.forms) == 1:
        start = leaf.forms[0][:1]
    elif isinstance(leaf, Term):
        short = language.partition("-")[0].lower()
        if short in _STEMS_KEEP_START or short not in LANGUAGES:
            start = key(leaf.form, language)[:1]
    return start if _STARTS.fullmatch(start) else None


@cache
def _words(start: str) -> re.Pattern[str]:
    """Return what finds the words that may have a form with this start.

    It has an empty group where it finds a whole word of ASCII letters and digits, which
    is its own form but for case. What else it finds is to be analysed: a letter beside
    what may belong to the word. The letter is looked for first, and then what must not
    be before it: so Python passes over all others several times faster.
    """
    return re.compile(
        rf"[{start}{start.upper()}](?<!{_ALNUM}.)"
        rf"(?:(?<![^{_APART}].)(){_ALNUM}{{0,{_LONG}}}+"
        rf"(?=[{_APART}]|[{_BESIDE}](?!{_ALNUM}|[^\x00-\x7f])|\Z))?",
        re.DOTALL,
    )


def merged(spans: Iterable[Mark]) -> tuple[Mark, ...]:
    """Return what spans cover, in order; those that overlap or touch become one."""
    found: list[Mark] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return tuple(found)
