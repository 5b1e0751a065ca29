"""Marking: the spans of texts that the leaves of a query match.

Time is in proportion to the texts and to the leaves, not to their product: a form is
looked up once for all leaves, and a text is read once for all phrases. The deadline is
checked inside each text.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import NamedTuple

from index.archive.scanning import MOST_STARTS, Anchor, Scan, anchor_of, distinct_starts
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
    may_be_time,
    with_groups_joined,
    word_key,
)

_NEXT_CHECK = 256  # forms, words or tokens between two looks at the deadline
_SCANNED_AT_ONCE = 256 * 1024  # characters; each takes some 20 bytes of memory then
_LONGEST_KEPT = 64  # characters of a word of which the spans are kept


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

    def __missing__(self, form: str) -> _Hit | None:
        patterns = 0
        if self._automaton:
            # Without a language the key is the folded form.
            patterns = self._automaton.accepted(word_key(form, ""))
        words = self._lookup.words(form)
        hit = self[form] = _Hit(patterns, words) if patterns or words else None
        return hit


class _WrittenHits(dict[str, _Hit | None]):
    """What words match whose form is the word itself in lower case."""

    def __init__(self, hits: _Hits) -> None:
        super().__init__()
        self._hits = hits

    def __missing__(self, word: str) -> _Hit | None:
        hit = self[word] = self._hits[word.lower()]
        return hit


class _Part(NamedTuple):
    """What a leaf adds to a choice.

    :param fields: of the paragraphs that it is marked in.
    :param pattern: its bit, if it is a pattern.
    :param words: the numbers of its words, if it is none.
    :param distance: of a :class:`Near`.
    :param anchor: the word that places are sought by; see :func:`.anchor_of`.
    """

    fields: tuple[str, ...]
    pattern: int
    words: tuple[int, ...]
    distance: int | None
    anchor: Anchor | None


@dataclass(frozen=True, slots=True)
class _Choice:
    """The leaves that are marked in a text.

    :param patterns: bits of prefixes, wildcards and similar words.
    :param words: numbers of single words.
    :param sequences: phrases, or ``None`` if there are none.
    :param nears: distances and words of those that are near each other.
    :param anchors: numbers of words of which every phrase has one.
    :param reach: how many words of a phrase are before and after those.
    :param starts: whether the first letters of all matches are known.
    """

    patterns: int
    words: frozenset[int]
    sequences: Sequences | None
    nears: tuple[tuple[int, tuple[int, ...]], ...]
    anchors: frozenset[int]
    reach: tuple[int, int]
    starts: bool

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
        self._automaton = Automaton(
            dict.fromkeys(
                _bare(leaf)
                for leaf in self._leaves
                if isinstance(leaf, Prefix | Wildcard | Fuzzy)
            )
        )
        self._lookup = Lookup(language)
        # By identity, since hashing a leaf takes long; the marker keeps its leaves.
        self._parts = {id(leaf): self._part(leaf) for leaf in self._leaves}
        self._starts = distinct_starts(
            part.anchor.letters for part in self._parts.values() if part.anchor
        )
        self._choices: dict[
            tuple[int, int], tuple[Collection[WordLeaf], _Choice | None]
        ] = {}
        self._distinct: dict[tuple[tuple[int, ...], str], _Choice | None] = {}
        self._hits = _Hits(self._automaton, self._lookup)
        self._written = _WrittenHits(self._hits)
        self._pieces: dict[tuple[str, int], tuple[Span, ...]] = {}

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
        marks: list[tuple[Span, ...]] = [()] * len(texts)
        group: list[tuple[int, str, _Choice]] = []
        characters = 0
        for number, (text, role) in enumerate(texts):
            choice = self._choice(
                self._leaves if leaves is None else leaves[number], role
            )
            if choice is None:
                continue
            if not choice.starts:
                marks[number] = merged(self._spans_of_forms(text, choice, check))
                continue
            group.append((number, text, choice))
            characters += len(text)
            if characters > _SCANNED_AT_ONCE:
                self._mark_near_starts(group, marks, check)
                group, characters = [], 0
        if group:
            self._mark_near_starts(group, marks, check)
        return marks

    def _part(self, leaf: WordLeaf) -> _Part:
        pattern = 0
        words: tuple[int, ...] = ()
        if isinstance(leaf, Prefix | Wildcard | Fuzzy):
            pattern = self._automaton.bit(_bare(leaf))
        else:
            words = tuple(self._lookup.add(leaf))
        return _Part(
            places_of(leaf, self._places).passages,
            pattern,
            words,
            leaf.distance if isinstance(leaf, Near) else None,
            anchor_of(leaf, self._language),
        )

    def _choice(self, leaves: Collection[WordLeaf], role: Role) -> _Choice | None:
        # By identity, since hashing many leaves takes long; their choice is kept with
        # them. Few choices differ, though each hit has a tuple of its own.
        known = self._choices.get((id(leaves), id(role)))
        if known is None:
            key = tuple(map(id, leaves)), FIELD_OF_ROLE[role]
            if key not in self._distinct:
                self._distinct[key] = self._choice_of(leaves, FIELD_OF_ROLE[role])
            known = self._choices[id(leaves), id(role)] = leaves, self._distinct[key]
        return known[1]

    def _choice_of(self, leaves: Collection[WordLeaf], field: str) -> _Choice | None:
        parts = [self._parts[id(leaf)] for leaf in leaves]
        parts = [part for part in parts if field in part.fields]
        if not parts:
            return None
        patterns = 0
        words: set[int] = set()
        sequences: dict[tuple[int, ...], None] = {}
        nears: dict[tuple[int, tuple[int, ...]], None] = {}
        anchors: set[int] = set()
        before = after = 0
        for part in parts:
            patterns |= part.pattern
            if part.distance is not None:
                nears[part.distance, part.words] = None
            elif len(part.words) > 1:
                sequences[part.words] = None
                if part.anchor is not None:
                    anchors.add(part.words[part.anchor.before])
                    before = max(before, part.anchor.before)
                    after = max(after, len(part.words) - 1 - part.anchor.before)
            else:
                words.update(part.words)
        return _Choice(
            patterns,
            frozenset(words),
            Sequences(tuple(sequences)) if sequences else None,
            tuple(nears),
            frozenset(anchors),
            (before, after),
            len(self._starts) <= MOST_STARTS and all(part.anchor for part in parts),
        )

    def _matching(self, tokens: Tokens, check: Check) -> list[tuple[int, _Hit]]:
        """The tokens that match a leaf or a word of one, and what they match.

        In order of tokens.
        """
        hit_of, forms = self._hits.__getitem__, tokens.forms
        matching: list[tuple[int, _Hit]] = []
        for at in range(0, len(forms), _NEXT_CHECK):
            check()
            hits = map(hit_of, forms[at : at + _NEXT_CHECK])
            matching += [(token, hit) for token, hit in enumerate(hits, at) if hit]
        return matching

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
        if choice.sequences is not None and tokens_of:
            yield from choice.sequences.spans(tokens, tokens_of, check)
        for distance, words in choice.nears:
            counts = {word: words.count(word) for word in words}
            if counts.keys() <= tokens_of.keys():
                yield from _near_spans(tokens, distance, tokens_of, counts, check)

    # Words with known first letters.

    def _mark_near_starts(
        self,
        group: Sequence[tuple[int, str, _Choice]],
        marks: list[tuple[Span, ...]],
        check: Check,
    ) -> None:
        """Set the marks of some texts.

        :param group: numbers of texts, the texts, and the leaves to mark in them.
        """
        numbers, texts, choices = zip(*group, strict=True)
        # No word continues across a line feed.
        text = with_groups_joined("\n".join(("", *texts, "", "")))
        bounds = list(accumulate((len(each) + 1 for each in texts), initial=1))
        scan = Scan(text, self._starts, check)
        spans_of: dict[int, list[Span]] = {}
        reaches = [choice.reach for choice in choices if choice.anchors]
        places: list[int] = []  # of words that a phrase may be around
        next_low = 0
        for start, word, hit in self._hits_of(scan.words, check):
            if start >= next_low:
                number = bisect_right(bounds, start) - 1
                low, next_low = bounds[number], bounds[number + 1]
                choice, spans = choices[number], spans_of.setdefault(number, [])
            if choice.takes(hit):
                spans.append((start - low, start - low + len(word)))
            if reaches and not choice.anchors.isdisjoint(hit.words):
                places.append(start)
        pieces = (
            scan.windows(places, *map(max, zip(*reaches, strict=True)))
            if reaches
            else scan.pieces()
        )
        analysed: set[int] = set()  # texts with spans in any order
        whole: set[int] = set()
        for start, end in pieces:
            check()
            number = bisect_right(bounds, start) - 1
            while start < min(end, bounds[-1]):
                low, next_low = bounds[number], bounds[number + 1]
                piece = text[start : min(end, next_low - 1)]
                if may_be_time(piece):  # a piece alone lacks the words that tell it
                    whole.add(number)
                elif piece_spans := self._spans_of_piece(piece, choices[number], check):
                    shift = start - low
                    spans_of.setdefault(number, []).extend(
                        [(shift + first, shift + last) for first, last in piece_spans]
                    )
                    analysed.add(number)
                start, number = next_low, number + 1
        for number in whole:
            text_spans = self._spans_of_forms(texts[number], choices[number], check)
            spans_of.setdefault(number, []).extend(text_spans)
        analysed |= whole
        for number, spans in spans_of.items():
            marks[numbers[number]] = (
                merged(spans) if number in analysed else tuple(spans)
            )

    def _hits_of(
        self, words: Sequence[tuple[int, str]], check: Check
    ) -> list[tuple[int, str, _Hit]]:
        """The words that match, and what; their forms are only in lower case."""
        matching: list[tuple[int, str, _Hit]] = []
        hits = self._written
        for at in range(0, len(words), _NEXT_CHECK):
            check()
            matching += [
                (start, word, hit)
                for start, word in words[at : at + _NEXT_CHECK]
                if (hit := hits[word])
            ]
        return matching

    def _spans_of_piece(
        self, piece: str, choice: _Choice, check: Check
    ) -> Sequence[Span]:
        """Matched spans of a part of a text; those of one word are kept."""
        key = piece, id(choice)  # the marker keeps its choices
        spans = self._pieces.get(key)
        if spans is None:
            spans = tuple(self._spans_of_forms(piece, choice, check))
            if len(piece) <= _LONGEST_KEPT:
                self._pieces[key] = spans
        return spans


def _bare(pattern: Prefix | Wildcard | Fuzzy) -> Prefix | Wildcard | Fuzzy:
    """A pattern without what does not count for marking."""
    return replace(pattern, field=None, boost=1.0, text="")


def _near_spans(
    tokens: Tokens,
    distance: int,
    tokens_of: Mapping[int, Sequence[int]],
    counts: Mapping[int, int],
    check: Check,
) -> Iterator[Span]:
    """Yield the spans of the words in the windows of a Near.

    :param counts: for each word: how often the query has it.
    """
    often = list(counts.values())
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
