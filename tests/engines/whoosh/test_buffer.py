"""Chunks of text, and the tokens of each."""

from __future__ import annotations

import pytest
from articles import article
from hypothesis import given
from hypothesis import strategies as st

from index.engines.whoosh.files.schema import form_of
from index.engines.whoosh.writing.buffer import WriteBuffer
from index.engines.whoosh.writing.chunks import ChunkDictionary
from index.engines.whoosh.writing.indexed_article import indexed_article_of
from index.text import Convention, analyse

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
        "at",
        "10.30",
        "(9.15",
        "9.30-10.15",
        "–",
        "pm",
        "percent",
        "1.15,",
        "07.05",
    )
)
spaces = st.sampled_from((" ", "\n", "\t", "\u00a0", "\u2003", "\u200b", "  ", "\x1f"))
texts = st.lists(st.one_of(words, spaces, st.text(max_size=5)), max_size=12).map(
    "".join
)


def tokens_by_chunk(text: str, language: str) -> tuple[list[tuple[str, int, int]], int]:
    """Form, position and width of each token, and the length of the text."""
    buffer = WriteBuffer()
    # With an article of German before it, whose chunks are read in another way.
    before = article("a", "Um 10.30 Uhr, 1.15 Prozent", language="de")
    for each in (before, article("b", "x", language=language)):
        indexed = indexed_article_of(each, "")
        if each is not before:
            indexed = indexed._replace(texts=(*indexed.texts[:-1], text))
        buffer.add(indexed)
    buffer.number()
    chunks, runs = buffer.chunks, buffer.text
    terms = list(chunks.vocabulary.numbers)
    tokens, length = [], 0
    for number in runs.numbers[runs.ends[-2] :]:
        for at in range(chunks.starts[number], chunks.starts[number + 1]):
            form, width = form_of(terms[chunks.entries[at]])
            tokens.append((form, length + chunks.offsets[at], width))
        length += chunks.lengths[number]
    assert runs.ends[-1] == len(runs.numbers)
    return tokens, length


@pytest.mark.slow
@given(texts, st.sampled_from(("", "en", "de", "it-CH")))
def test_the_words_of_a_text_are_those_of_its_chunks(text: str, language: str) -> None:
    whole = analyse(text, language)
    tokens, length = tokens_by_chunk(text, language)
    assert tokens == list(zip(whole.forms, whole.positions, whole.widths, strict=True))
    assert length == whole.length


def test_a_word_in_punctuation_has_the_number_of_the_word() -> None:
    chunks = ChunkDictionary()
    numbers, counts = chunks.numbers_of(
        ["(truce, truce", "“truce” Truce"], Convention()
    )
    assert len(set(numbers.tolist())) == 1
    assert counts.tolist() == [2, 2]
    assert list(chunks.vocabulary.numbers) == ["truce"]


def test_a_time_is_told_by_the_words_around_it_however_often_it_occurs() -> None:
    for _ in range(2):
        tokens, _ = tokens_by_chunk("at 10.30 on Monday it rose 10.30 percent", "en")
        forms = [form for form, _, _ in tokens]
        assert forms.count("10.30") == 2
        assert forms.count("30") == 1
