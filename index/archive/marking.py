"""Marking: the spans of texts that the leaves of a query match.

Time is in proportion to the texts and to the leaves, not to their product: a form is
looked up once for all leaves, and a text is read once for all phrases. The deadline is
checked inside each text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from index.archive.scanning import (
    MOST_STARTS,
    candidates,
    distinct_starts,
    start_of,
)
from index.article import FIELD_OF_ROLE, Role
from index.deadline import Check, never
from index.query import (
    Automaton,
    Fuzzy,
    Lookup,
    Near,
    Prefix,
    Sequences,
    Wildcard,
    WordLeaf,
    near_occurrences,
    near_the_rarest,
    places_of,
)
from index.text import (
    Span,
    Tokens,
    analyse,
    with_groups_joined,
    with_times_marked,
    word_key,
)

_PATTERNS = (Prefix, Wildcard, Fuzzy)  # a tuple is looked at faster than a union
_NEXT_CHECK = 256  # forms or tokens between two looks at the deadline


class _Hit(NamedTuple):
    """What a form matches.

    :param patterns: bits of an :class:`Automaton`.
    :param words: numbers of a :class:`Lookup`.
    """

    patterns: int
    words: tuple[int, ...]


class _Hits(dict[str, _Hit | None]):
    """What forms match, ``None`` if nothing; each is looked up once."""

    def __init__(self, automaton: Automaton, lookup: Lookup) -> None:
        super().__init__()
        self._automaton, self._lookup = automaton, lookup
        self.matching: dict[str, _Hit] = {}

    def __missing__(self, form: str) -> _Hit | None:
        patterns = 0
        if self._automaton:
            # Without a language the key is the folded form.
            patterns = self._automaton.accepted(word_key(form, ""))
        words = self._lookup.words(form)
        if not patterns and not words:
            self[form] = None
            return None
        hit = self[form] = self.matching[form] = _Hit(patterns, words)
        return hit


@dataclass(frozen=True, slots=True)
class _Choice:
    """The leaves that are marked in a text.

    :param patterns: bits of prefixes, wildcards and similar words.
    :param words: numbers of single words.
    :param sequences: phrases, or ``None`` if there are none.
    :param starts: whether the first letters of all matches are known.
    :param leaves: what the choice was made of.
    """

    patterns: int
    words: frozenset[int]
    sequences: Sequences | None
    nears: tuple[tuple[Near, list[int]], ...]
    starts: bool
    leaves: Collection[WordLeaf]

    def takes(self, hit: _Hit) -> bool:
        """Whether a form with this hit is marked by itself."""
        return bool(
            hit.patterns & self.patterns or not self.words.isdisjoint(hit.words)
        )

    @property
    def needs_order(self) -> bool:
        """Whether it depends on the order of words what is marked."""
        return self.sequences is not None or bool(self.nears)


class Marker:
    """Marker of a query's leaves in the texts of articles of one language.

    :param places: the fields that leaves without a field are sought in.
    """

    def __init__(
        self, leaves: Iterable[WordLeaf], *, language: str, places: tuple[str, ...]
    ) -> None:
        self._leaves = tuple(leaves)
        self._language, self._places = language, places
        # Leaves that differ only in field or boost match the same words.
        self._bare = {leaf: _bare(leaf) for leaf in self._leaves}
        distinct = dict.fromkeys(self._bare.values())
        self._automaton = Automaton(
            leaf for leaf in distinct if isinstance(leaf, _PATTERNS)
        )
        self._lookup = Lookup(language)
        self._words: dict[WordLeaf, list[int]] = {
            leaf: self._lookup.add(leaf)
            for leaf in distinct
            if not isinstance(leaf, _PATTERNS)
        }
        starts = {leaf: start_of(leaf, language) for leaf in distinct}
        self._starts = distinct_starts(start for start in starts.values() if start)
        self._with_start = {leaf for leaf, start in starts.items() if start}
        if len(self._starts) > MOST_STARTS:
            self._with_start = set()
        self._choices: dict[tuple[int, Role], _Choice | None] = {}
        self._hits = _Hits(self._automaton, self._lookup)
        self._written: dict[str, _Hit | None] = {}  # the same by words as written

    def marks(
        self,
        texts: Sequence[tuple[str, Role]],
        check: Check = never,
        *,
        leaves: Sequence[Collection[WordLeaf]] | None = None,
    ) -> list[tuple[Span, ...]]:
        """Spans that the leaves match, for each text: in order, none touching another.

        :param texts: each with the role of its paragraph; leaves are marked only in
            paragraphs of a role that they are sought in.
        :param check: called between steps; it may raise to stop them.
        :param leaves: for each text, those of the marker's that are marked in it; by
            default all.
        """
        choice_of, own = self._choice, self._leaves
        choices = (
            [choice_of(own, role) for _, role in texts]
            if leaves is None
            else list(map(choice_of, leaves, [role for _, role in texts]))
        )
        marks: list[tuple[Span, ...]] = [()] * len(texts)
        scanned: list[tuple[int, _Choice]] = []
        for number, choice in enumerate(choices):
            if choice is None:
                continue
            if choice.starts:
                scanned.append((number, choice))
            else:
                spans = self._spans_of_forms(texts[number][0], choice, check)
                marks[number] = merged(spans)
        if scanned:
            spans_of = self._spans_of_words(
                [texts[number][0] for number, _ in scanned],
                [choice for _, choice in scanned],
                check,
            )
            for (number, _), text_spans in zip(scanned, spans_of, strict=True):
                marks[number] = merged(text_spans)
        return marks

    def _choice(self, leaves: Collection[WordLeaf], role: Role) -> _Choice | None:
        # By identity, since hashing many leaves takes long; the choice keeps them.
        key = id(leaves), role
        if key not in self._choices:
            self._choices[key] = self._choice_of(leaves, FIELD_OF_ROLE[role])
        return self._choices[key]

    def _choice_of(self, leaves: Collection[WordLeaf], field: str) -> _Choice | None:
        chosen = dict.fromkeys(
            self._bare[leaf]
            for leaf in leaves
            if field in places_of(leaf, self._places).passages
        )
        if not chosen:
            return None
        patterns = 0
        words: set[int] = set()
        sequences: list[list[int]] = []
        nears: list[tuple[Near, list[int]]] = []
        for leaf in chosen:
            if isinstance(leaf, _PATTERNS):
                patterns |= self._automaton.bit(leaf)
            elif isinstance(leaf, Near):
                nears.append((leaf, self._words[leaf]))
            elif len(self._words[leaf]) > 1:
                sequences.append(self._words[leaf])
            else:
                words.update(self._words[leaf])
        return _Choice(
            patterns,
            frozenset(words),
            Sequences(sequences) if sequences else None,
            tuple(nears),
            self._with_start.issuperset(chosen),
            leaves,
        )

    def _matching(self, tokens: Tokens, check: Check) -> Iterator[tuple[int, _Hit]]:
        """Yield the tokens that match a leaf or a word of one, and what they match.

        In order of tokens.
        """
        hits, forms = self._hits, tokens.forms
        distinct = set(forms)
        for number, form in enumerate(distinct.difference(hits)):
            if number % _NEXT_CHECK == 0:
                check()
            hits[form]
        matching: list[tuple[int, _Hit]] = []
        for form in distinct.intersection(hits.matching):
            hit, token = hits.matching[form], -1
            for _ in range(forms.count(form)):
                token = forms.index(form, token + 1)
                matching.append((token, hit))
        matching.sort()
        return iter(matching)

    # Texts as a whole.

    def _spans_of_forms(
        self, text: str, choice: _Choice, check: Check
    ) -> Iterator[Span]:
        """Yield matched spans of a text, in any order, perhaps some twice."""
        check()
        tokens = analyse(text, self._language, check)
        tokens_of: dict[int, list[int]] = {}
        for token, hit in self._matching(tokens, check):
            if choice.takes(hit):
                yield tokens.starts[token], tokens.ends[token]
            if choice.needs_order:
                for word in hit.words:
                    tokens_of.setdefault(word, []).append(token)
        if choice.sequences is not None:
            yield from choice.sequences.spans(tokens, tokens_of, check)
        for near, words in choice.nears:
            counts = {word: words.count(word) for word in words}
            if counts.keys() <= tokens_of.keys():
                yield from _near_spans(tokens, near, tokens_of, counts, check)

    # Words with known first letters.

    def _spans_of_words(
        self, texts: Sequence[str], choices: Sequence[_Choice], check: Check
    ) -> list[list[Span]]:
        """Matched spans of each text, in any order, perhaps some twice."""
        # No word continues across a line feed.
        text = with_groups_joined("\n".join(texts))
        bounds = list(accumulate((len(each) + 1 for each in texts), initial=0))
        found = candidates(text, bounds, self._starts, check)
        spans: list[tuple[int, int, _Hit]] = []
        written = self._written
        for place, match in enumerate(found.words):
            if place % _NEXT_CHECK == 0:
                check()
            word = match[0]
            if word in written:
                hit = written[word]
            else:
                hit = written[word] = self._hits[word.lower()]
            if hit is not None:
                spans.append((*match.span(), hit))
        if found.pieces:  # a piece alone lacks the words that tell a time
            text = with_groups_joined("\n".join(map(with_times_marked, texts)))
        for start, end in found.pieces:
            tokens = analyse(text[start:end], self._language, check)
            for token, hit in self._matching(tokens, check):
                first, last = tokens.starts[token], tokens.ends[token]
                spans.append((start + first, start + last, hit))
        by_text: list[list[Span]] = [[] for _ in texts]
        number = 0
        for start, end, hit in sorted(spans):
            while start >= bounds[number + 1]:
                number += 1
            if choices[number].takes(hit):
                by_text[number].append((start - bounds[number], end - bounds[number]))
        return by_text


@lru_cache(maxsize=1_024)
def _bare(leaf: WordLeaf) -> WordLeaf:
    """A leaf without what does not count for marking."""
    return replace(leaf, field=None, boost=1.0, text="")


def _near_spans(
    tokens: Tokens,
    near: Near,
    tokens_of: Mapping[int, Sequence[int]],
    counts: Mapping[int, int],
    check: Check,
) -> Iterator[Span]:
    """Yield the spans of the words in the windows of a Near.

    :param counts: for each word: how often the query has it.
    """
    often, distance = list(counts.values()), near.distance
    matching = near_the_rarest(
        tokens, [tokens_of[word] for word in counts], often, distance, check
    )
    for window in near_occurrences(tokens, matching, often, distance, check):
        yield from window


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans in order, with those that overlap or touch as one."""
    union: list[Span] = []
    for start, end in sorted(spans):
        if union and start <= union[-1][1]:
            union[-1] = union[-1][0], max(end, union[-1][1])
        else:
            union.append((start, end))
    return tuple(union)
