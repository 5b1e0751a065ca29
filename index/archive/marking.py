"""Where the leaves of a query stand in texts: what is marked in them.

A search marks some thirty texts for the same few leaves, and most words in a text are
none of what was asked. Where the first letters of all that can match are known, only
words that start so are looked at, in all the texts at once; other leaves need the
analysis of each whole text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise

from index.article import FIELD_OF_ROLE, Role
from index.deadline import Check, never
from index.query import (
    Exact,
    FormTest,
    Prefix,
    Term,
    Wildcard,
    WordLeaf,
    form_tests,
    occurrences,
    places_of,
)
from index.text import LANGUAGES, Span, analyse, is_single_cjk, word_key

# Snowball's stemmer for English works on the ends of words: a stem starts as its word,
# but for its last two letters at the most: dying is die, ability is abl and then abil.
# The others are not relied on for that: some take away prefixes.
_STEMS_KEEP_START = ("en",)
_STEM_END = 2
_LONG = 50  # letters; a longer word is left to the analysis, which cuts some
_SPACE = re.compile(r"\s")
_STARTS = re.compile("[a-z0-9]+")
# Letters and digits of ASCII; what may join them to more of a word, and what may not.
_ALNUM = "[A-Za-z0-9]"
_BESIDE = r".'\-/_&+@#,:"
_APART = r"\x00-\x20!\"$%()*;<=>?\[\\\]^`{|}~\x7f"
# What ends a word that is its own form but for case.
_END = rf"(?=[{_APART}]|[{_BESIDE}](?!{_ALNUM}|[^\x00-\x7f])|\Z)"
_WORD = re.compile(rf"(?<![^{_APART}]){_ALNUM}{{1,{_LONG}}}+{_END}")
# In words as ASCII has them, what a form may leave out: o'neil is oneil, too. There is
# a question mark for each character that is none of ASCII's.
_JOINTS = b".'-/_&+@#,:?"
# No ASCII, nor the dashes, quotes, ellipsis and spaces of typographers: no form starts
# with those. The others may be letters, of whatever they stand for.
_FOREIGN = re.compile(r"[^\x00-\x7f\s\u2010-\u2015\u2018-\u201f\u2026]+")


class Marker:
    """What marks leaves in the texts of articles of one language.

    :param places: where leaves without a field are sought.
    """

    def __init__(
        self, leaves: Iterable[WordLeaf], *, language: str, places: tuple[str, ...]
    ) -> None:
        self._leaves = [(leaf, places_of(leaf, places).passages) for leaf in leaves]
        self._language = language
        self._by_role: dict[Role, _Sought | None] = {}
        self._by_leaves: dict[tuple[WordLeaf, ...], _Sought] = {}

    def marks(
        self, texts: Sequence[tuple[str, Role]], check: Check = never
    ) -> list[tuple[Span, ...]]:
        """Return of each text the spans that the leaves match, in order, with gaps.

        :param texts: each with the role of its paragraph: only leaves that are sought
            in such paragraphs are marked.
        :param check: called between steps; it may stop them.
        """
        found: list[tuple[Span, ...]] = [()] * len(texts)
        together: dict[_Sought, list[int]] = {}
        for place, (_, role) in enumerate(texts):
            sought = self._sought_in(role)
            if sought is not None:
                together.setdefault(sought, []).append(place)
        for sought, places in together.items():
            check()
            spans = sought.spans([texts[place][0] for place in places], check)
            for place, some in zip(places, spans, strict=True):
                found[place] = merged(some)
        return found

    def _sought_in(self, role: Role) -> _Sought | None:
        if role not in self._by_role:
            field = FIELD_OF_ROLE[role]
            leaves = tuple(leaf for leaf, where in self._leaves if field in where)
            if leaves and leaves not in self._by_leaves:
                self._by_leaves[leaves] = _Sought(leaves, self._language)
            self._by_role[role] = self._by_leaves.get(leaves)
        return self._by_role[role]


class _Sought:
    """Leaves prepared to be looked for."""

    def __init__(self, leaves: Sequence[WordLeaf], language: str) -> None:
        self._language = language
        # Single words, the most of what is asked, are looked up all at once.
        plain = [leaf for leaf in leaves if isinstance(leaf, Term) and _has_key(leaf)]
        self._keys = frozenset(word_key(leaf.form, language) for leaf in plain)
        self._others = [leaf for leaf in leaves if leaf not in plain]
        self._tests: list[FormTest] = []
        self._known: dict[str, bool] = {}  # words met, and whether they match
        starts = {_start(leaf, language) for leaf in leaves}
        self._starts = [] if None in starts else [each for each in starts if each]
        if self._starts:
            self._tests = [form_tests(leaf, language)[0] for leaf in self._others]

    def spans(self, texts: Sequence[str], check: Check) -> list[list[Span]]:
        """Return what is matched in each, in any order, some of it perhaps twice."""
        if self._starts:
            return self._spans_of_words(texts)
        return [self._spans_of_forms(text, check) for text in texts]

    def _spans_of_forms(self, text: str, check: Check) -> list[Span]:
        check()
        tokens = analyse(text)
        found = []
        if self._keys:
            for form, start, end in zip(
                tokens.forms, tokens.starts, tokens.ends, strict=True
            ):
                if word_key(form, self._language) in self._keys:
                    found.append((start, end))
        for leaf in self._others:
            for occurrence in occurrences(tokens, leaf, self._language, check):
                found.extend(occurrence)
        return found

    def _spans_of_words(self, texts: Sequence[str]) -> list[list[Span]]:
        found: list[Span] = []
        doubtful: list[int] = []
        known = self._known
        # No word goes on over the end of a line.
        text = "\n".join(texts)
        bounds = list(accumulate((len(each) + 1 for each in texts), initial=0))
        # As long as the text: places in one are places in the other.
        small = text.encode("ascii", "replace").lower()
        joined = small.translate(None, _JOINTS)
        for letters in self._starts:
            everywhere = _places(small, letters, 0, len(small))
            places: Iterable[int] = everywhere
            if joined.count(letters) > len(everywhere):
                places = _places_in_parts(small, letters, bounds)
            for place in places:
                if place and small[place - 1 : place].isalnum():
                    continue
                match = _WORD.match(text, place)
                if match is None:
                    doubtful.append(place)
                    continue
                word = match[0]
                is_sought = known.get(word)
                if is_sought is None:
                    is_sought = known[word] = self._matches(word.lower())
                if is_sought:
                    found.append(match.span())
        for each, start in zip(texts, bounds, strict=False):
            if not each.isascii():
                matches = _FOREIGN.finditer(text, start, start + len(each))
                doubtful += (match.start() for match in matches)
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
        return _split(found, bounds)

    def _matches(self, form: str) -> bool:
        if word_key(form, self._language) in self._keys:
            return True
        return bool(self._tests) and any(test(form) for test in self._tests)


def _between_spaces(text: str, place: int) -> Span:
    """Return the span around a place that no word reaches out of."""
    start = place
    while start > 0 and not text[start - 1].isspace():
        start -= 1
    space = _SPACE.search(text, place)
    return start, len(text) if space is None else space.start()


def _has_key(leaf: Term) -> bool:
    return not is_single_cjk(leaf.form)


def _split(spans: list[Span], bounds: Sequence[int]) -> list[list[Span]]:
    """Return spans by the texts they are in, as offsets into these.

    :param bounds: where each text starts, and where one more would.
    """
    found: list[list[Span]] = [[] for _ in bounds[1:]]
    at = 0
    for start, end in sorted(spans):
        while start >= bounds[at + 1]:
            at += 1
        found[at].append((start - bounds[at], end - bounds[at]))
    return found


def _places(text: bytes, letters: bytes, start: int, end: int) -> list[int]:
    """Return where something stands in a part of a text."""
    places: list[int] = []
    place = text.find(letters, start, end)
    while place >= 0:
        places.append(place)
        place = text.find(letters, place + len(letters), end)
    return places


def _places_in_parts(
    text: bytes, letters: bytes, bounds: Sequence[int]
) -> Iterator[int]:
    """Yield where words may start so, some of them with joints between the letters."""
    for start, end in pairwise(bounds):
        joined = text[start:end].translate(None, _JOINTS)
        if joined.count(letters) > text.count(letters, start, end):
            yield from _places(text, letters[:1], start, end)
        else:
            yield from _places(text, letters, start, end)


def _start(leaf: WordLeaf, language: str) -> bytes | None:
    """Return what all forms that match start with, as far as that is known.

    Its first letter stands nowhere else in it: so it never overlaps with itself.

    :return: letters and digits of ASCII, or ``None`` if none is known.
    """
    start = ""
    if isinstance(leaf, Prefix):
        start = leaf.prefix
    elif isinstance(leaf, Wildcard):
        start = leaf.pattern
    elif isinstance(leaf, Exact) and len(leaf.forms) == 1:
        start = leaf.forms[0]
    elif isinstance(leaf, Term):
        short = language.partition("-")[0].lower()
        if short in _STEMS_KEEP_START:
            start = word_key(leaf.form, language)
            start = start[: max(1, len(start) - _STEM_END)]
        elif short not in LANGUAGES:
            start = word_key(leaf.form, language)
    known = _STARTS.match(start)
    if known is None:
        return None
    again = start.find(start[0], 1, known.end())
    return start[: known.end() if again < 0 else again].encode()


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return what spans cover, in order; those that overlap or touch become one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return tuple(found)
