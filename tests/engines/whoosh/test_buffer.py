"""Chunks of text, and the tokens of each."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.engines.whoosh.files.schema import form_of
from index.engines.whoosh.writing.buffer import ChunkDictionary
from index.text import analyse

words = st.sampled_from(
    (
        "truce",
        "C-17",
        "U.S.'s",
        "“Kerry’s”",
        "(AP)",
        "@handle,",
        "10.5%",
        "—",
        "…and",
        "O’Neil;",
        "京都で",
        "कि",
        "e\u0301",
        "3½",
        "🇫🇷",
        "don't.",
        "ſ",
        "x\u00adon",
        "http://a.b/c?d",
        "Ⅷ",
    )
)
spaces = st.sampled_from((" ", "\n", "\t", "\u00a0", "\u2003", "\u200b", "  ", "\x1f"))
texts = st.lists(st.one_of(words, spaces, st.text(max_size=5)), max_size=12).map(
    "".join
)


def tokens_by_chunk(text: str) -> tuple[list[tuple[str, int, int]], int]:
    """Form, position and width of each token, and the length of the text."""
    chunks = ChunkDictionary()
    numbers = [chunks[chunk] for chunk in text.split()]
    terms = list(chunks.terms)
    tokens, length = [], 0
    for number in numbers:
        for at in range(chunks.starts[number], chunks.starts[number + 1]):
            form, width = form_of(terms[chunks.entries[at]])
            tokens.append((form, length + chunks.offsets[at], width))
        length += chunks.lengths[number]
    return tokens, length


@pytest.mark.slow
@given(texts)
def test_the_words_of_a_text_are_those_of_its_chunks(text: str) -> None:
    whole = analyse(text)
    tokens, length = tokens_by_chunk(text)
    assert tokens == list(zip(whole.forms, whole.positions, whole.widths, strict=True))
    assert length == whole.length


def test_a_word_in_punctuation_has_the_number_of_the_word() -> None:
    chunks = ChunkDictionary()
    assert chunks["(truce,"] == chunks["truce"] == chunks["“truce”"]
    assert chunks["Truce"] != chunks["truce"]
    assert len(chunks.terms) == 1
    assert re.fullmatch("truce", next(iter(chunks.terms)))
