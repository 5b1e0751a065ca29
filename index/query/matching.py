"""Matching: which tokens match a word, and where a word or phrase is in a text.

Highlighting and ranking use the same occurrences, so the words that count are the words
that are marked. The term frequency of a leaf is the number of its occurrences:

* ``Term``, ``Prefix``, ``Wildcard``, ``Fuzzy``, and ``Exact`` with one form: one for
  every matching token. A punctuated word that matches as a whole and by a part counts
  twice: term frequencies of forms add up, in every engine.
* ``Phrase``, ``Exact`` with several forms: one for every position where it starts. A
  token follows another if its position is the other's position plus width. Tokens of
  every width take part.
* ``Near``: one for every window of :func:`near_windows`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import (
    Callable,
    Container,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from heapq import heapify, heappop, heappush

from rapidfuzz.distance import OSA

from index.deadline import Check, never
from index.query.nodes import Exact, Fuzzy, Near, Prefix, Term, Wildcard, WordLeaf
from index.text import Span, Tokens, fold, is_single_cjk, word_key

Occurrence = tuple[Span, ...]  # the spans to mark, in order; several only for Near
FormTest = Callable[[str], bool]  # whether the form of a token matches
_NEXT_CHECK = 256  # occurrences between two looks at the deadline


def occurrences(
    tokens: Tokens, leaf: WordLeaf, language: str, check: Check = never
) -> list[Occurrence]:
    """Occurrences of a leaf in a text, from left to right.

    :param language: of the text, for stemming.
    :param check: called between steps, to stop at a deadline.
    """
    if isinstance(leaf, Near):
        return list(_near(tokens, leaf, language, check))
    tests = form_tests(leaf, language)
    if len(tests) > 1:
        return list(_chains(tokens, tests, check))
    return [
        ((tokens.starts[token], tokens.ends[token]),)
        for token, form in enumerate(tokens.forms)
        if tests[0](form)
    ]


def form_tests(leaf: WordLeaf, language: str) -> tuple[FormTest, ...]:
    """A test for each word of a leaf, in order: does the form of a token match it?"""
    if isinstance(leaf, Prefix):
        prefix = leaf.prefix
        return (lambda form: fold(form).startswith(prefix),)
    if isinstance(leaf, Wildcard):
        match = wildcard_pattern(leaf.pattern).match
        return (lambda form: match(fold(form)) is not None,)
    if isinstance(leaf, Fuzzy):
        return (lambda form: _is_similar(leaf.form, fold(form), leaf.distance),)
    if isinstance(leaf, Exact):
        return tuple(form.__eq__ for form in leaf.forms)
    forms = (leaf.form,) if isinstance(leaf, Term) else leaf.forms
    return tuple(_same_word(form, language) for form in forms)


# Where a run of parts may end inside a form: before punctuation, except in figures.
_END_OF_RUN = r"(?:\Z|(?=[.'\-/_&+@\"])(?!(?<=\d).\d))"
_RUN_ENDS = re.compile(_END_OF_RUN)


def run_ends(form: str) -> Container[int]:
    """Places where a run of parts of a form may end, the end of the form included."""
    if form.isalnum():
        return (len(form),)
    return {match.start() for match in _RUN_ENDS.finditer(form)}


def wildcard_pattern(pattern: str) -> re.Pattern[str]:
    """Regular expression for the folded forms that fit a wildcard.

    A form fits too if a run of its parts from the first one on does. It takes time
    linear in the form for each piece between stars: the leftmost match of a piece is
    always good enough, so atomic groups keep it from trying others.
    """
    first, *rest = (
        "".join("." if letter == "?" else re.escape(letter) for letter in piece)
        for piece in re.split(r"\*+", pattern)
    )
    if not rest:
        return re.compile(rf"{first}{_END_OF_RUN}", re.DOTALL)
    middle = "".join(f"(?>.*?{piece})" for piece in rest[:-1])
    return re.compile(rf"{first}{middle}.*{rest[-1]}{_END_OF_RUN}", re.DOTALL)


def _is_similar(one: str, other: str, distance: int) -> bool:
    if abs(len(one) - len(other)) > distance:
        return False
    return OSA.distance(one, other, score_cutoff=distance) <= distance


def _same_word(form: str, language: str) -> FormTest:
    """A test for forms of the same word; the key of this form is computed once."""
    if is_single_cjk(form):
        folded = fold(form)
        return lambda other: fold(other).startswith(folded)
    key = word_key(form, language)
    return lambda other: word_key(other, language) == key


def _chains(
    tokens: Tokens, tests: Sequence[FormTest], check: Check
) -> Iterator[Occurrence]:
    """Yield the span of every run of adjacent tokens that pass the tests in turn.

    Of several runs from one position, the one that ends last is taken.
    """
    matches: list[dict[int, list[int]]] = []  # for each test, tokens by position
    for test in tests:
        check()
        by_position: dict[int, list[int]] = defaultdict(list)
        for token, form in enumerate(tokens.forms):
            if test(form):
                by_position[tokens.positions[token]].append(token)
        if not by_position:
            return
        matches.append(by_position)
    for start in sorted(matches[0]):
        check()
        ends = {start: 0}  # by the next position, the end of the text up to there
        for by_position in matches:
            next_ends: dict[int, int] = {}
            for position in ends:
                for token in by_position.get(position, ()):
                    after = position + tokens.widths[token]
                    next_ends[after] = max(tokens.ends[token], next_ends.get(after, 0))
            ends = next_ends
        if ends:
            first = matches[0][start][0]
            yield ((tokens.starts[first], max(ends.values())),)


def _near(
    tokens: Tokens, leaf: Near, language: str, check: Check
) -> Iterator[Occurrence]:
    """Yield the spans of the words of every window that holds all words of a Near."""
    words: dict[str, tuple[int, FormTest]] = {}  # by key: how often, and its test
    for form, test in zip(leaf.forms, form_tests(leaf, language), strict=True):
        key = word_key(form, language)
        words[key] = (words[key][0] + 1 if key in words else 1, test)
    matching = [
        [token for token, form in enumerate(tokens.forms) if test(form)]
        for _, test in words.values()
    ]
    counts = [count for count, _ in words.values()]
    yield from near_occurrences(tokens, matching, counts, leaf.distance, check)


def near_occurrences(
    tokens: Tokens,
    matching: Sequence[Sequence[int]],
    counts: Sequence[int],
    distance: int,
    check: Check = never,
) -> Iterator[Occurrence]:
    """Yield the spans of the words of every window that holds all words of a Near.

    :param matching: for each word, the tokens that match it, ascending.
    :param counts: for each word: how often the query has it.
    """
    tokens_of = [_widest(tokens, of_word, check) for of_word in matching]
    widths = [
        {position: tokens.widths[token] for position, token in widest.items()}
        for widest in tokens_of
    ]
    for window in near_windows(widths, counts, distance, check):
        in_window = [tokens_of[word][position] for position, word in window]
        yield tuple((tokens.starts[token], tokens.ends[token]) for token in in_window)


def near_the_rarest(
    tokens: Tokens,
    matching: Sequence[Sequence[int]],
    counts: Sequence[int],
    distance: int,
    check: Check = never,
) -> list[Sequence[int]]:
    """The tokens of a Near that may be in a window: those near its rarest word.

    Many Nears with one frequent word then take no longer than their rare words do.
    See :func:`near_occurrences` for the parameters.
    """
    rarest = min(matching, key=len)
    # The words of a window take up at most so many positions.
    reach = distance + sum(counts) * max(tokens.widths)
    intervals: list[tuple[int, int]] = []
    for token in rarest:
        position = tokens.positions[token]
        if intervals and position - reach <= intervals[-1][1]:
            intervals[-1] = intervals[-1][0], position + reach
        else:
            intervals.append((position - reach, position + reach))
    position_of = tokens.positions.__getitem__
    nearby: list[Sequence[int]] = []
    for of_word in matching:
        check()
        chosen: list[int] = []
        for first, last in intervals:
            low = bisect_left(of_word, first, key=position_of)
            chosen += of_word[low : bisect_right(of_word, last, key=position_of)]
        nearby.append(chosen)
    return nearby


def _widest(tokens: Tokens, matching: Sequence[int], check: Check) -> dict[int, int]:
    """The widest matching token at each position, in order of position."""
    check()
    widest: dict[int, int] = {}  # ordered, since the tokens are in order of position
    for token in matching:
        position = tokens.positions[token]
        other = widest.setdefault(position, token)
        if tokens.widths[token] > tokens.widths[other]:
            widest[position] = token
    return widest


def near_windows(
    widths: Sequence[Mapping[int, int]],
    counts: Sequence[int],
    distance: int,
    check: Check = never,
) -> Iterator[list[tuple[int, int]]]:
    """Yield the windows that hold all words of a Near, as (position, word), ascending.

    The scan goes from left to right and keeps the latest occurrence of each word; of a
    word that the query has k times (forms with one stem are one word), the latest k, at
    different positions. Once all are there, the positions from the first to the end of
    the last, minus those that the words take up, are the other words between them. If
    there are at most ``distance`` of them, this is a window, and the scan starts afresh
    after it: windows share no word.

    It takes time in proportion to the occurrences, however many words are sought.

    :param widths: for each word: by position, the width of its widest token there.
    :param counts: for each word: how often the query has it.
    """
    hits = sorted(
        (position, word) for word, here in enumerate(widths) for position in here
    )
    latest = _Latest(counts)
    scanned = 0  # end of the last window
    for position, word in hits:
        check()
        if position < scanned:
            continue
        latest.add(position, word, widths[word][position])
        if latest.missing:
            continue
        start, end = latest.span()
        if end - start - latest.taken <= distance:
            yield latest.window()
            scanned = end
            latest = _Latest(counts)


def near_spans(
    hits: Iterable[tuple[int, int, int]],
    counts: Sequence[int],
    distance: int,
    check: Check = never,
) -> Iterator[tuple[int, int, int]]:
    """Yield where the latest occurrences of all words of a Near are close together.

    One scan serves every distance up to this one. Its windows are the first of the
    spans with no more other words than that, then the first of those that start after
    its end, and so on: see :func:`near_windows`.

    :param hits: position, word and width of each occurrence, ascending; of a word, one
        at each position.
    :param counts: for each word: how often the query has it.
    :return: start, end and number of other words; starts are ascending.
    """
    latest = _Latest(counts)
    for number, (position, word, width) in enumerate(hits):
        if number % _NEXT_CHECK == 0:
            check()
        latest.add(position, word, width)
        if not latest.missing:
            start, end = latest.span()
            others = end - start - latest.taken
            if others <= distance:
                yield start, end, others


class _Latest:
    """The latest occurrences of the words of a Near.

    Its bounds are kept up to date, since a window with many words would take long to
    look through at each occurrence.

    :ivar missing: number of occurrences that are still to come.
    :ivar taken: number of positions that the words take up.
    """

    def __init__(self, counts: Sequence[int]) -> None:
        self._counts = counts
        self._positions = [deque[int]() for _ in counts]
        self._widths = [deque[int]() for _ in counts]
        self.missing = sum(counts)
        self.taken = 0
        # Two words can share a position: a single character, and the pair it begins.
        self._sharing: dict[int, list[int]] = {}  # widths of the words by position
        self._order: deque[tuple[int, int]] = deque()  # some are no longer the latest
        self._ends: list[tuple[int, int, int]] = []  # a heap, of some no longer, too
        self._most = 2 * self.missing + 16  # of either

    def add(self, position: int, word: int, width: int) -> None:
        """Add the next occurrence of a word; the oldest of too many is dropped."""
        positions, widths = self._positions[word], self._widths[word]
        if len(positions) == self._counts[word]:
            self._share(positions.popleft(), widths.popleft(), list.remove)
        else:
            self.missing -= 1
        positions.append(position)
        widths.append(width)
        self._share(position, width, list.append)
        self._order.append((position, word))
        heappush(self._ends, (-position - width, position, word))
        if len(self._ends) > self._most:
            self._ends = [end for end in self._ends if self._is_latest(*end[1:])]
            heapify(self._ends)
        if len(self._order) > self._most:
            self._order = deque(hit for hit in self._order if self._is_latest(*hit))

    def _share(
        self, position: int, width: int, change: Callable[[list[int], int], None]
    ) -> None:
        widths = self._sharing.setdefault(position, [])
        self.taken -= max(widths, default=0)
        change(widths, width)
        self.taken += max(widths, default=0)
        if not widths:
            del self._sharing[position]

    def span(self) -> Span:
        """Position of the first word, and end of the one that ends last."""
        while not self._is_latest(*self._order[0]):
            self._order.popleft()
        while not self._is_latest(*self._ends[0][1:]):
            heappop(self._ends)
        return self._order[0][0], -self._ends[0][0]

    def _is_latest(self, position: int, word: int) -> bool:
        return position >= self._positions[word][0]

    def window(self) -> list[tuple[int, int]]:
        """The occurrences as (position, word), ascending."""
        return sorted(
            (position, word)
            for word, positions in enumerate(self._positions)
            for position in positions
        )
