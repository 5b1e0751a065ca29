"""Marking: the spans of texts that the leaves of a query match.

A search marks some thirty texts for the same few leaves, and most words of a text match
none. If the first letters of every possible match are known, only words that start with
them are tested, in all texts at once. Other leaves need each text analysed as a whole.
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
from index.text import (
    LANGUAGES,
    Span,
    analyse,
    is_single_cjk,
    with_groups_joined,
    with_times_marked,
    word_key,
)

# Snowball's English stemmer changes only the ends of words: a stem starts as its word
# does, but for its own last two letters at most. The stem of dying is die, that of
# ability abl and then abil. Other stemmers may remove prefixes.
_STEMS_KEEP_START = ("en",)
_STEM_END = 2
_LONG = 50  # letters; longer words are analysed, as the analysis truncates some
_SPACE = re.compile(r"\s")
_STARTS = re.compile("[a-z0-9]+")
# ASCII letters and digits, characters that may join them to more of a word, and
# characters that never do.
_ALNUM = "[A-Za-z0-9]"
_JOINING = r".'\-/_&+@#,:"
_SEPARATING = r"\x00-\x20!\"$%()*;<=>?\[\\\]^`{|}~\x7f"
# The end of a word whose form is the word itself in lower case.
_END = rf"(?=[{_SEPARATING}]|[{_JOINING}](?!{_ALNUM}|[^\x00-\x7f])|\Z)"
_WORD = re.compile(rf"(?<![^{_SEPARATING}]){_ALNUM}{{1,{_LONG}}}+{_END}")
# Characters of a word that its form may leave out: o'neil is oneil too. The question
# mark stands for any character outside ASCII.
_OMITTED = b".'-/_&+@#,:?"
# Anything but ASCII, white space and the dashes, quotes and ellipsis of typography: no
# form starts with those. The rest may be, or stand for, letters.
_FOREIGN = re.compile(r"[^\x00-\x7f\s\u2010-\u2015\u2018-\u201f\u2026]+")


class Marker:
    """Marker of a query's leaves in the texts of articles of one language.

    :param places: the fields that leaves without a field are sought in.
    """

    def __init__(
        self, leaves: Iterable[WordLeaf], *, language: str, places: tuple[str, ...]
    ) -> None:
        self._leaves = [(leaf, places_of(leaf, places).passages) for leaf in leaves]
        self._language = language
        self._by_role: dict[Role, _LeafFinder | None] = {}
        self._by_leaves: dict[tuple[WordLeaf, ...], _LeafFinder] = {}

    def marks(
        self, texts: Sequence[tuple[str, Role]], check: Check = never
    ) -> list[tuple[Span, ...]]:
        """Spans that the leaves match, for each text: in order, none touching another.

        :param texts: each with the role of its paragraph; leaves are marked only in
            paragraphs of a role that they are sought in.
        :param check: called between steps; it may raise to stop them.
        """
        marks: list[tuple[Span, ...]] = [()] * len(texts)
        texts_of: dict[_LeafFinder, list[int]] = {}
        for number, (_, role) in enumerate(texts):
            finder = self._finder_for(role)
            if finder is not None:
                texts_of.setdefault(finder, []).append(number)
        for finder, numbers in texts_of.items():
            check()
            spans = finder.spans([texts[number][0] for number in numbers], check)
            for number, text_spans in zip(numbers, spans, strict=True):
                marks[number] = merged(text_spans)
        return marks

    def _finder_for(self, role: Role) -> _LeafFinder | None:
        if role not in self._by_role:
            field = FIELD_OF_ROLE[role]
            leaves = tuple(leaf for leaf, fields in self._leaves if field in fields)
            if leaves and leaves not in self._by_leaves:
                self._by_leaves[leaves] = _LeafFinder(leaves, self._language)
            self._by_role[role] = self._by_leaves.get(leaves)
        return self._by_role[role]


class _LeafFinder:
    """Finder of the spans of texts that some leaves match."""

    def __init__(self, leaves: Sequence[WordLeaf], language: str) -> None:
        self._language = language
        # Single words, the most frequent leaves, are looked up in one set.
        plain = [leaf for leaf in leaves if isinstance(leaf, Term) and _has_key(leaf)]
        self._keys = frozenset(word_key(leaf.form, language) for leaf in plain)
        self._others = [leaf for leaf in leaves if leaf not in plain]
        self._tests: list[FormTest] = []
        self._known: dict[str, bool] = {}  # words tested, and whether they match
        starts = {_start(leaf, language) for leaf in leaves}
        self._starts = [] if None in starts else [start for start in starts if start]
        if self._starts:
            self._tests = [form_tests(leaf, language)[0] for leaf in self._others]

    def spans(self, texts: Sequence[str], check: Check) -> list[list[Span]]:
        """Matched spans of each text, in any order, perhaps some twice."""
        if self._starts:
            return self._spans_of_words(texts)
        return [self._spans_of_forms(text, check) for text in texts]

    def _spans_of_forms(self, text: str, check: Check) -> list[Span]:
        check()
        tokens = analyse(text, self._language)
        spans = []
        if self._keys:
            for form, start, end in zip(
                tokens.forms, tokens.starts, tokens.ends, strict=True
            ):
                if word_key(form, self._language) in self._keys:
                    spans.append((start, end))
        for leaf in self._others:
            for occurrence in occurrences(tokens, leaf, self._language, check):
                spans.extend(occurrence)
        return spans

    def _spans_of_words(self, texts: Sequence[str]) -> list[list[Span]]:
        spans: list[Span] = []
        doubtful: list[int] = []  # places where a word needs the analysis
        known = self._known
        # No word continues across a line feed.
        text = with_groups_joined("\n".join(texts))
        bounds = list(accumulate((len(each) + 1 for each in texts), initial=0))
        # As long as the text, so a place in one is the same place in the other.
        lowered = text.encode("ascii", "replace").lower()
        joined = lowered.translate(None, _OMITTED)
        for letters in self._starts:
            unbroken = _places(lowered, letters, 0, len(lowered))
            places: Iterable[int] = unbroken
            if joined.count(letters) > len(unbroken):
                places = _places_in_parts(lowered, letters, bounds)
            for place in places:
                if place and lowered[place - 1 : place].isalnum():
                    continue
                match = _WORD.match(text, place)
                if match is None:
                    doubtful.append(place)
                    continue
                word = match[0]
                is_match = known.get(word)
                if is_match is None:
                    is_match = known[word] = self._matches(word.lower())
                if is_match:
                    spans.append(match.span())
        for each, start in zip(texts, bounds, strict=False):
            if not each.isascii():
                matches = _FOREIGN.finditer(text, start, start + len(each))
                doubtful += (match.start() for match in matches)
        analysed = 0  # the end of the last part that was analysed
        if doubtful:  # a part alone lacks the words that tell a time
            text = with_groups_joined("\n".join(map(with_times_marked, texts)))
        for start in sorted(doubtful):
            if start >= analysed:
                start, analysed = _between_spaces(text, start)
                tokens = analyse(text[start:analysed], self._language)
                for form, first, last in zip(
                    tokens.forms, tokens.starts, tokens.ends, strict=True
                ):
                    if self._matches(form):
                        spans.append((start + first, start + last))
        return _by_text(spans, bounds)

    def _matches(self, form: str) -> bool:
        if word_key(form, self._language) in self._keys:
            return True
        return bool(self._tests) and any(test(form) for test in self._tests)


def _between_spaces(text: str, place: int) -> Span:
    """Span around a place, between white space, so that no word crosses its ends."""
    start = place
    while start > 0 and not text[start - 1].isspace():
        start -= 1
    space = _SPACE.search(text, place)
    return start, len(text) if space is None else space.start()


def _has_key(leaf: Term) -> bool:
    return not is_single_cjk(leaf.form)


def _by_text(spans: list[Span], bounds: Sequence[int]) -> list[list[Span]]:
    """Spans of joined texts, by text and as offsets into it.

    :param bounds: where each text starts, and where one more would start.
    """
    by_text: list[list[Span]] = [[] for _ in bounds[1:]]
    number = 0
    for start, end in sorted(spans):
        while start >= bounds[number + 1]:
            number += 1
        by_text[number].append((start - bounds[number], end - bounds[number]))
    return by_text


def _places(text: bytes, letters: bytes, start: int, end: int) -> list[int]:
    """Places of some letters in a part of a text."""
    places: list[int] = []
    place = text.find(letters, start, end)
    while place >= 0:
        places.append(place)
        place = text.find(letters, place + len(letters), end)
    return places


def _places_in_parts(
    text: bytes, letters: bytes, bounds: Sequence[int]
) -> Iterator[int]:
    """Yield places where words may start with letters that other characters join."""
    for start, end in pairwise(bounds):
        joined = text[start:end].translate(None, _OMITTED)
        if joined.count(letters) > text.count(letters, start, end):
            yield from _places(text, letters[:1], start, end)
        else:
            yield from _places(text, letters, start, end)


def _start(leaf: WordLeaf, language: str) -> bytes | None:
    """Letters that every form that a leaf matches starts with, as far as known.

    The first letter does not occur again in them, so their places never overlap.

    :return: ASCII letters and digits; ``None`` if no first letter is known.
    """
    start = ""
    if isinstance(leaf, Term) and leaf.form.startswith("0."):
        return None  # .5 is 0.5 too
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
    """Spans in order, with those that overlap or touch as one."""
    union: list[Span] = []
    for start, end in sorted(spans):
        if union and start <= union[-1][1]:
            union[-1] = union[-1][0], max(end, union[-1][1])
        else:
            union.append((start, end))
    return tuple(union)
