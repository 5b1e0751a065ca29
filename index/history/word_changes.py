"""Word changes: the words that were removed from a text and added to it."""

from __future__ import annotations

import html
import re
from bisect import bisect_left
from itertools import pairwise
from typing import NamedTuple

import regex

from index.history.alignment import Block, matching_blocks
from index.history.budget import COMPARING, CUTTING, Budget, steps_of
from index.text import Span, word_spans

_GAP = re.compile(r"\s+|\S")
# Flags have an alternative of their own: \X counts all flags before one every time.
_GRAPHEME = regex.compile(
    r"(?V1)\p{Regional_Indicator}{2}[\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}]*+|\X"
)
# In a text without any of these, every code point is a character as readers see it.
_JOINING = regex.compile(
    r"(?V1)[^\p{GCB=Other}\p{GCB=LV}\p{GCB=LVT}\p{GCB=LF}\p{GCB=Control}]"
)


class _Pieces(NamedTuple):
    """A text cut at the edges of its words, and between words into characters."""

    items: list[str]
    edges: list[int]  # where the items start, and the end of the text
    words: list[int]  # where the words start


def word_changes(
    old: str, new: str, budget: Budget
) -> tuple[tuple[Span, ...], tuple[Span, ...], str]:
    """Spans removed from a text, spans added in the other, and both texts as HTML.

    Texts that would exceed the budget count as replaced.
    """
    if old == new:
        return (), (), html.escape(new)
    sides: list[_Pieces] = []
    for text in (old, new):
        if budget.spend(steps_of(text, CUTTING)):
            sides.append(_pieces(text))
    if len(sides) < 2 or not budget.spend(
        COMPARING * sum(len(pieces.items) for pieces in sides)
    ):
        replaced = f"<del>{html.escape(old)}</del><ins>{html.escape(new)}</ins>"
        return ((0, len(old)),), ((0, len(new)),), replaced
    before, after = sides
    removed: list[Span] = []
    added: list[Span] = []
    markup: list[str] = []
    old_start = new_start = 0
    blocks = list(matching_blocks(before.items, after.items))
    for block in _with_words(blocks, before):
        for tag, text, edges, start, end, spans in (
            ("del", old, before.edges, old_start, block.old, removed),
            ("ins", new, after.edges, new_start, block.new, added),
        ):
            if start < end:
                span = edges[start], edges[end]
                spans.append(span)
                markup.append(f"<{tag}>{html.escape(text[slice(*span)])}</{tag}>")
        old_start, new_start = block.old_end, block.new_end
        unchanged = new[after.edges[block.new] : after.edges[new_start]]
        markup.append(html.escape(unchanged))
    return tuple(removed), tuple(added), "".join(markup)


def _pieces(text: str) -> _Pieces:
    spans = word_spans(text)
    edges = [0]
    for start, end in (*spans, (len(text), len(text))):
        if start - edges[-1] == 1:  # a single space, nearly always
            edges.append(start)
        elif start > edges[-1]:
            edges += (match.end() for match in _GAP.finditer(text, edges[-1], start))
        if end > start:
            edges.append(end)
    if _JOINING.search(text):
        grapheme_ends = {0, *(match.end() for match in _GRAPHEME.finditer(text))}
        edges = [edge for edge in edges if edge in grapheme_ends]
    return _Pieces(
        items=[text[start:end] for start, end in pairwise(edges)],
        edges=edges,
        words=[start for start, _ in spans],
    )


def _with_words(blocks: list[Block], before: _Pieces) -> list[Block]:
    """Blocks without those between two changes that hold no word.

    Two replaced words in a row are one change, not two with a space between them.
    """

    def has_word(block: Block) -> bool:
        start, end = before.edges[block.old], before.edges[block.old_end]
        return bisect_left(before.words, start) < bisect_left(before.words, end)

    *inner, last = blocks
    return [
        block for block in inner if has_word(block) or (block.old, block.new) == (0, 0)
    ] + [last]
