"""Test collections: documents, queries and relevance judgements.

A collection is a folder with ``docs.jsonl`` (id, title, text), ``queries.jsonl`` (id,
text) and ``qrels.tsv`` (query, document, relevance).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.article import Article, Role, number_paragraphs
from index.text import analyse

# About the mean of English news.
PARAGRAPH_WORDS = 45
_BLANK_LINE = re.compile(r"\n\s*\n")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)]*\s+")
_FILES = ("docs.jsonl", "queries.jsonl", "qrels.tsv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """Documents, queries and judgements.

    :param queries: query → its words; only queries with a relevant document.
    :param judgements: query → document → relevance.
    """

    name: str
    documents: tuple[Article, ...]
    queries: Mapping[str, tuple[str, ...]]
    judgements: Mapping[str, Mapping[str, int]]


def read_collections(folder: Path) -> list[Collection]:
    """The test collections in the folders of a folder, by name.

    :raises ValueError: there is none.
    """
    complete = [
        read_collection(path)
        for path in sorted(folder.iterdir())
        if all((path / name).is_file() for name in _FILES)
    ]
    if not complete:
        raise ValueError(f"no folder in {folder} holds {', '.join(_FILES)}")
    return complete


def read_collection(folder: Path) -> Collection:
    """The test collection in a folder, without documents that have no text."""
    documents = tuple(
        article
        for record in _records(folder / "docs.jsonl")
        if (article := _article_of(record)) is not None
    )
    judgements: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels.tsv").read_text("utf-8").splitlines():
        query, document_id, relevance = line.split("\t")
        judgements.setdefault(query, {})[document_id] = int(relevance)
    queries = {
        str(record["id"]): words_of(record["text"])
        for record in _records(folder / "queries.jsonl")
    }
    return Collection(
        name=folder.name,
        documents=documents,
        queries={
            query: terms
            for query, terms in queries.items()
            if terms and any(gain > 0 for gain in judgements.get(query, {}).values())
        },
        judgements=judgements,
    )


def _article_of(record: Mapping[str, Any]) -> Article | None:
    """A document as an article in English; ``None`` if it has no text."""
    headline = record["title"].strip() or None
    paragraphs = number_paragraphs(
        headline, [(Role.BODY, text, None) for text in paragraphs_of(record["text"])]
    )
    if not paragraphs:
        return None
    return Article(
        id=str(record["id"]),
        version="1",
        headline=headline,
        paragraphs=paragraphs,
        language="en",
    )


def paragraphs_of(text: str) -> list[str]:
    """The paragraphs of a text, split at blank lines.

    A text without blank lines is split after the sentence that brings a paragraph to 45
    words.
    """
    blocks = [block.strip() for block in _BLANK_LINE.split(text) if block.strip()]
    if len(blocks) != 1:
        return blocks
    paragraphs: list[str] = []
    current: list[str] = []
    length = 0
    for sentence in _SENTENCE_END.split(blocks[0]):
        current.append(sentence)
        length += len(sentence.split())
        if length >= PARAGRAPH_WORDS:
            paragraphs.append(" ".join(current))
            current, length = [], 0
    if current:
        paragraphs.append(" ".join(current))
    return paragraphs


def words_of(text: str) -> tuple[str, ...]:
    """The distinct words of a query; a word with punctuation gives its parts."""
    tokens = analyse(text)
    pairs: Sequence[tuple[str, int]] = tuple(
        zip(tokens.forms, tokens.widths, strict=True)
    )
    return tuple(dict.fromkeys(form for form, width in pairs if width == 1))


def _records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)
