"""Where the leaves of a query stand in texts: what is marked in them.

A search marks some thirty texts for the same few leaves, and most words in a text are
none of what was asked. Where the first letters of all that can match are known, only
words that start so are looked at; other leaves need the analysis of the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

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
_ALNUM = "[A-Za-z0-9]"
# Outside of ASCII, but for the dashes, quotes, ellipsis and space of typographers: none
# of those starts a form.
_OTHER = r"\x80-\x9f\xa1-\u200f\u2016\u2017\u2020-\u2025\u2027-\U0010ffff"
_BESIDE = r".'\-/_&+@#,:\u2010-\u2015\u2018-\u201f\u2026\xa0"


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
        self._words: re.Pattern[str] | None = None
        starts = {_start(leaf, language) for leaf in leaves}
        if None not in starts:
            self._words = _words(frozenset(filter(None, starts)))
            self._tests = [form_tests(leaf, language)[0] for leaf in self._others]

    def spans(self, text: str, check: Check) -> list[Mark]:
        """Return what is matched, in any order, some of it perhaps twice."""
        if self._words is not None:
            return self._spans_of_words(self._words, text)
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

    def _spans_of_words(self, words: re.Pattern[str], text: str) -> list[Mark]:
        found: list[Mark] = []
        known = self._known
        done = 0
        for match in words.finditer(text):
            if match.lastindex:
                word = match[0]
                matches = known.get(word)
                if matches is None:
                    matches = known[word] = self._matches(word.lower())
                if matches:
                    found.append(match.span())
            elif (start := match.start()) >= done:
                # No word reaches over a space: what lies between two is analysed alone.
                done = _space_or_end(text, start)
                while start > 0 and not text[start - 1].isspace():
                    start -= 1
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
        return any(test(form) for test in self._tests)


def _space_or_end(text: str, start: int) -> int:
    space = _SPACE.search(text, start)
    return len(text) if space is None else space.start()


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


@lru_cache(maxsize=256)
def _words(starts: frozenset[str]) -> re.Pattern[str]:
    """Return what finds the words that may have a form with one of these starts.

    It has an empty group where it finds a whole word of ASCII letters and digits, which
    is its own form but for case. What else it finds is to be analysed: a letter beside
    punctuation that may belong to the word, or one that is not ASCII.
    """
    letters = "".join(sorted(starts | {each.upper() for each in starts}))
    # What is found stands first, and what must not be before it after that: so Python
    # passes over all other letters several times faster.
    return re.compile(
        rf"[{letters}{_OTHER}](?<!{_ALNUM}[{letters}])"
        rf"(?:(?<![{_BESIDE}{_OTHER}].)(?<![{_OTHER}])()"
        rf"{_ALNUM}{{0,{_LONG}}}+(?![{_OTHER}A-Za-z0-9]|[{_BESIDE}][{_OTHER}A-Za-z0-9]))?",
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
