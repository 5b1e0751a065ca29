"""Whether a token matches a leaf, and where a leaf occurs in a text.

Marks and ranking use the same occurrences, so that what counts is what is shown. How
often a leaf occurs (its term frequency) is the number of its occurrences:

* ``Term``, ``Prefix``, ``Wildcard``, ``Fuzzy``, and ``Exact`` of one form: one for each
  token that matches. A punctuated word that matches by its whole form and by a part
  counts for both: frequencies of forms simply add up, in any engine.
* ``Phrase``, ``Exact`` of several forms: one for each position where it starts. Each
  token follows the one before: its position is that one's position plus its width.
  Tokens of every width take part.
* ``Near``: one for each window, as :func:`near_windows` finds them.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence

from rapidfuzz.distance import OSA

from index.deadline import Check, never
from index.query.nodes import Exact, Fuzzy, Near, Prefix, Term, Wildcard, WordLeaf
from index.text import Span, Tokens, fold, is_single_cjk, word_key

Occurrence = tuple[Span, ...]  # the spans to mark, in order; several for Near only
FormTest = Callable[[str], bool]  # of a token's form


def occurrences(
    tokens: Tokens, leaf: WordLeaf, language: str, check: Check = never
) -> list[Occurrence]:
    """Return where a leaf occurs in a text, from left to right.

    :param language: of the text, for its stems.
    :param check: called between steps, since some queries on some texts take long.
    """
    if isinstance(leaf, Near):
        return list(_near(tokens, leaf, language, check))
    tests = form_tests(leaf, language)
    if len(tests) > 1:
        return list(_chains(tokens, tests, check))
    return [
        ((tokens.starts[each], tokens.ends[each]),)
        for each, form in enumerate(tokens.forms)
        if tests[0](form)
    ]


def form_tests(leaf: WordLeaf, language: str) -> tuple[FormTest, ...]:
    """Return, for each word of a leaf in order, whether a token of some form is it."""
    if isinstance(leaf, Prefix):
        prefix = leaf.prefix
        return (lambda form: fold(form).startswith(prefix),)
    if isinstance(leaf, Wildcard):
        fits = wildcard_pattern(leaf.pattern).match
        return (lambda form: fits(fold(form)) is not None,)
    if isinstance(leaf, Fuzzy):
        return (lambda form: _within(leaf.form, fold(form), leaf.distance),)
    if isinstance(leaf, Exact):
        return tuple(form.__eq__ for form in leaf.forms)
    forms = (leaf.form,) if isinstance(leaf, Term) else leaf.forms
    return tuple(_same_word(form, language) for form in forms)


def wildcard_pattern(pattern: str) -> re.Pattern[str]:
    """Return a regular expression for whole folded forms that fit a wildcard.

    It takes time linear in the form for each piece between stars: the leftmost place of
    a piece is always good enough, so none is tried twice (hence the atomic groups).
    """
    first, *rest = (
        "".join("." if letter == "?" else re.escape(letter) for letter in piece)
        for piece in re.split(r"\*+", pattern)
    )
    if not rest:
        return re.compile(rf"{first}\Z", re.DOTALL)
    middle = "".join(f"(?>.*?{piece})" for piece in rest[:-1])
    return re.compile(rf"{first}{middle}.*{rest[-1]}\Z", re.DOTALL)


def _within(one: str, other: str, distance: int) -> bool:
    if abs(len(one) - len(other)) > distance:
        return False
    return OSA.distance(one, other, score_cutoff=distance) <= distance


def _same_word(form: str, language: str) -> FormTest:
    """Test whether a form is the same word, with this form's own part done once."""
    if is_single_cjk(form):
        start = fold(form)
        return lambda other: fold(other).startswith(start)
    wanted = word_key(form, language)
    return lambda other: word_key(other, language) == wanted


def _widest(tokens: Tokens, test: FormTest) -> dict[int, int]:
    """Return, by position in order, the widest matching token that starts there."""
    found: dict[int, int] = {}  # tokens are in order of position, so this is, too
    for each, form in enumerate(tokens.forms):
        if test(form):
            position = tokens.positions[each]
            other = found.setdefault(position, each)
            if tokens.widths[each] > tokens.widths[other]:
                found[position] = each
    return found


def _chains(
    tokens: Tokens, tests: Sequence[FormTest], check: Check
) -> Iterator[Occurrence]:
    """Yield the span of each run of tokens that follow each other and pass in turn.

    Of several runs from one position, the one that reaches furthest is taken.
    """
    at: list[dict[int, list[int]]] = []
    for test in tests:
        check()
        places: dict[int, list[int]] = defaultdict(list)
        for each, form in enumerate(tokens.forms):
            if test(form):
                places[tokens.positions[each]].append(each)
        if not places:
            return
        at.append(places)
    for start in sorted(at[0]):
        check()
        reached = {start: 0}  # next position → end of the text up to there
        for places in at:
            following: dict[int, int] = {}
            for position in reached:
                for each in places.get(position, ()):
                    after = position + tokens.widths[each]
                    following[after] = max(tokens.ends[each], following.get(after, 0))
            reached = following
        if reached:
            first = at[0][start][0]
            yield ((tokens.starts[first], max(reached.values())),)


def _near(
    tokens: Tokens, leaf: Near, language: str, check: Check
) -> Iterator[Occurrence]:
    """Yield the words of each window that holds all words of a Near."""
    asked: dict[str, tuple[int, FormTest]] = {}
    for form, test in zip(leaf.forms, form_tests(leaf, language), strict=True):
        word = word_key(form, language)
        asked[word] = (asked[word][0] + 1 if word in asked else 1, test)
    tokens_of = [_widest(tokens, test) for _, test in asked.values()]
    places = [
        {position: tokens.widths[each] for position, each in found.items()}
        for found in tokens_of
    ]
    counts = [count for count, _ in asked.values()]
    for window in near_windows(places, counts, leaf.distance, check):
        chosen = [tokens_of[word][position] for position, word in window]
        yield tuple((tokens.starts[each], tokens.ends[each]) for each in chosen)


def near_windows(
    places: Sequence[Mapping[int, int]],
    counts: Sequence[int],
    distance: int,
    check: Check = never,
) -> Iterator[list[tuple[int, int]]]:
    """Yield the windows that hold all words of a Near, as (position, word), ascending.

    Reading from left to right, the latest occurrence of each word is kept: of a word
    asked for k times (forms with one stem are one word), the latest k, at k different
    positions. As soon as all are there, the positions from the first one's to the last
    one's end, less those that the words themselves take, are the other words between
    them. If they are no more than the distance, that is a window, and reading starts
    afresh behind it: windows share no word.

    :param places: for each word, the positions where it stands, and the width of the
        widest of its tokens that starts there.
    :param counts: for each word, how many times it is asked for.
    """
    events = sorted(
        (position, word) for word, found in enumerate(places) for position in found
    )
    latest = [deque[int](maxlen=count) for count in counts]
    behind = 0  # the last window
    for position, word in events:
        check()
        if position < behind:
            continue
        latest[word].append(position)
        if any(len(kept) < count for kept, count in zip(latest, counts, strict=True)):
            continue
        window = sorted(
            (place, each) for each, kept in enumerate(latest) for place in kept
        )
        # Two words can be at one place: a character that is a prefix, and its pair.
        taken: dict[int, int] = {}
        for place, each in window:
            taken[place] = max(places[each][place], taken.get(place, 0))
        end = max(place + width for place, width in taken.items())
        if end - window[0][0] - sum(taken.values()) <= distance:
            yield window
            behind = end
            for kept in latest:
                kept.clear()
