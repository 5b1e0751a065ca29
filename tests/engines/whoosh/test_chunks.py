"""Numbers of chunks, looked up together; and the strings of their terms."""

from __future__ import annotations

from pathlib import Path

import pytest
from articles import article

from index.engines.whoosh.writing import chunks as module
from index.engines.whoosh.writing import vocabulary
from index.engines.whoosh.writing.buffer import WriteBuffer
from index.engines.whoosh.writing.chunks import ChunkDictionary
from index.engines.whoosh.writing.indexed_article import indexed_article_of
from index.engines.whoosh.writing.inversion import write_segment
from index.text import Convention, word_keys

TEXTS = [
    "",
    "The truce, the TRUCE: a cease-fire that holds",
    "a\0b a\0 a \0",
    "x" * 15 + " " + "x" * 16 + " " + "x" * 17 + " " + "x" * 16,
    "\u00a0zwölf\u2003Boxkämpfer\u2028jagen Viktor\x1fquer\x85über",
    "Donaudampfschifffahrtsgesellschaft Donaudampfschifffahrtsgesellschaf",
    "停戦が発効した 停戦",
    " ".join(f"word{number}" for number in range(600)),
] * 2


def one_by_one(texts: list[str]) -> list[list[str]]:
    """Terms of each text, its chunks looked up in a dictionary of their own."""
    return [
        [term for chunk in text.split() for term in terms_of([chunk])[0]]
        for text in texts
    ]


def terms_of(texts: list[str]) -> list[list[str]]:
    chunks = ChunkDictionary()
    numbers, counts = chunks.numbers_of(texts, [Convention()] * len(texts))
    terms = list(chunks.vocabulary.numbers)
    of_text, at = [], 0
    for count in counts.tolist():
        of_text.append(
            [
                terms[chunks.entries[entry]]
                for number in numbers[at : at + count].tolist()
                for entry in range(chunks.starts[number], chunks.starts[number + 1])
            ]
        )
        at += count
    return of_text


def test_chunks_are_the_same_together_as_one_by_one() -> None:
    assert terms_of(TEXTS) == one_by_one(TEXTS)


def test_chunks_that_take_each_others_places_keep_their_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = one_by_one(TEXTS)
    monkeypatch.setattr(module, "_FEWEST_PLACES", 2)
    monkeypatch.setattr(module, "_MOST_PLACES", 8)
    monkeypatch.setattr(module, "_PART", 7)
    assert terms_of(TEXTS) == expected


def test_a_chunk_is_analysed_once_however_often_it_occurs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    analysed: list[str] = []
    number_of = ChunkDictionary.number_of

    def counted(self: ChunkDictionary, chunk: str, convention: Convention) -> int:
        analysed.append(chunk)
        return number_of(self, chunk, convention)

    monkeypatch.setattr(ChunkDictionary, "number_of", counted)
    chunks = ChunkDictionary()
    for _ in range(3):
        chunks.numbers_of(TEXTS, [Convention()] * len(TEXTS))
    assert len(analysed) == len(set(analysed))


def test_texts_of_several_conventions_stay_in_their_order() -> None:
    texts = ["1.500 a", "b 1.500 c", "", "1.500"]
    comma = Convention(decimal_comma=True, elision=False)
    point = Convention(decimal_comma=False, elision=False)
    chunks = ChunkDictionary()
    numbers, counts = chunks.numbers_of(texts, [comma, point, comma, comma])
    assert counts.tolist() == [2, 3, 0, 1]
    grouped, decimal = numbers[0], numbers[3]
    assert numbers[5] == grouped != decimal


def test_the_next_segment_stems_only_words_that_are_new(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stemmed: list[str] = []

    def counted(forms: list[str], language: str) -> list[str]:
        stemmed.extend(forms)
        return word_keys(forms, language)

    monkeypatch.setattr(vocabulary, "word_keys", counted)
    buffer = WriteBuffer()
    for number, text in enumerate(("truces held", "truces broken", "held broken")):
        indexed = indexed_article_of(article("a", text, version="1"), "en")
        buffer.add(indexed)
        write_segment(buffer, tmp_path / str(number))
        buffer = buffer.next(1e9)
    for word in ("truces", "held", "broken"):
        assert stemmed.count(word) == 1
