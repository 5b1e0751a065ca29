"""Test collections: documents, queries, and judgements of which documents answer them.

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

# A paragraph of English news has about so many words.
PARAGRAPH_WORDS = 45
_BLANK_LINE = re.compile(r"\n\s*\n")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)]*\s+")
_FILES = ("docs.jsonl", "queries.jsonl", "qrels.tsv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """Documents and judged queries.

    :param queries: query → its words; only queries with a relevant document.
    :param judged: query → document → relevance.
    """

    name: str
    documents: tuple[Article, ...]
    queries: Mapping[str, tuple[str, ...]]
    judged: Mapping[str, Mapping[str, int]]


def collections(folder: Path) -> list[Collection]:
    """Return the collections in the folders of a folder, by name.

    :raises ValueError: there is none.
    """
    found = [
        collection(path)
        for path in sorted(folder.iterdir())
        if all((path / name).is_file() for name in _FILES)
    ]
    if not found:
        raise ValueError(f"no folder in {folder} holds {', '.join(_FILES)}")
    return found


def collection(folder: Path) -> Collection:
    """Return the collection of a folder; documents without any text are left out."""
    documents = tuple(
        article
        for record in _records(folder / "docs.jsonl")
        if (article := document(record)) is not None
    )
    judged: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels.tsv").read_text("utf-8").splitlines():
        query, found, relevance = line.split("\t")
        judged.setdefault(query, {})[found] = int(relevance)
    queries = {
        str(record["id"]): words(record["text"])
        for record in _records(folder / "queries.jsonl")
    }
    return Collection(
        name=folder.name,
        documents=documents,
        queries={
            query: found
            for query, found in queries.items()
            if found and any(gain > 0 for gain in judged.get(query, {}).values())
        },
        judged=judged,
    )


def document(record: Mapping[str, Any]) -> Article | None:
    """Return a document as an article in English; ``None`` if it has no text."""
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
    """Return the paragraphs of a text: by its blank lines, or else by its sentences.

    Sentences are put together until a paragraph has 45 words.
    """
    blocks = [block.strip() for block in _BLANK_LINE.split(text) if block.strip()]
    if len(blocks) != 1:
        return blocks
    paragraphs: list[str] = []
    under_way: list[str] = []
    length = 0
    for sentence in _SENTENCE_END.split(blocks[0]):
        under_way.append(sentence)
        length += len(sentence.split())
        if length >= PARAGRAPH_WORDS:
            paragraphs.append(" ".join(under_way))
            under_way, length = [], 0
    if under_way:
        paragraphs.append(" ".join(under_way))
    return paragraphs


def words(text: str) -> tuple[str, ...]:
    """Return the words of a query, each once; of punctuated ones the parts."""
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
