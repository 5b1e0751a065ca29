"""Documents, indexes and queries, for our codec and Whoosh's stock codec."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from whoosh import analysis, fields, query
from whoosh.codec.whoosh3 import W3Codec
from whoosh.filedb.filestore import FileStorage
from whoosh.index import TOC, FileIndex, create_in
from whoosh.query.spans import SpanFirst, SpanNear
from whoosh.searching import Results
from whoosh.writing import SegmentWriter

from index.article import Article, article_of
from index.engines.whoosh.codec import ColumnarCodec, ColumnarSegment
from index.engines.whoosh.files.schema import whoosh_schema
from index.engines.whoosh.writing.buffer import WriteBuffer
from index.engines.whoosh.writing.indexed_article import indexed_article_of
from index.engines.whoosh.writing.inversion import write_segment

SEED = 20160929
SYLLABLES = [f"{first}{second}" for first in "bdfgklmp" for second in "aio"]
TAGS = ("ports", "food", "labour", "sea", "rail")
EPOCH = datetime(2016, 1, 1)


def made_up_words(chance: random.Random, count: int) -> list[str]:
    """Words of two to four syllables; the first will be the frequent ones."""
    words = {
        "".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))) for _ in range(count)
    }
    return chance.sample(sorted(words), len(words))


def pick(chance: random.Random, words: Sequence[str], count: int) -> list[str]:
    """Random words, the first of the list more often, as in any language."""
    return [words[int(len(words) * chance.random() ** 3)] for _ in range(count)]


SCHEMA = fields.Schema(
    body=fields.TEXT(analyzer=analysis.SimpleAnalyzer()),
    title=fields.TEXT(field_boost=1.5, sortable=True, stored=True, phrase=False),
    tags=fields.KEYWORD(scorable=True, sortable=True),
    key=fields.ID(stored=True, unique=True),
    size=fields.NUMERIC(sortable=True),
    price=fields.NUMERIC(float, stored=True),
    when=fields.DATETIME(sortable=True, stored=True),
    urgent=fields.BOOLEAN,
)


class Pair(NamedTuple):
    """An index of the stock codec, and one of ours."""

    stock: FileIndex
    ours: FileIndex

    def writers(self) -> tuple[SegmentWriter, SegmentWriter]:
        return (
            SegmentWriter(self.stock, codec=W3Codec()),
            SegmentWriter(self.ours, codec=ColumnarCodec()),
        )


def documents(chance: random.Random, words: list[str]) -> Iterator[dict[str, Any]]:
    for number in range(400):
        document: dict[str, Any] = {
            "body": " ".join(pick(chance, words, chance.randint(1, 45))),
            "key": f"urn:{number:04}",
            "price": round(chance.random() * 50, 2),
            "urgent": chance.random() < 0.3,
        }
        if chance.random() < 0.9:
            document["title"] = " ".join(pick(chance, words, chance.randint(1, 6)))
        if chance.random() < 0.8:
            document["tags"] = " ".join(chance.sample(TAGS, chance.randint(1, 3)))
        if chance.random() < 0.8:
            document["size"] = chance.randint(-40, 1_000)
        if chance.random() < 0.9:
            document["when"] = EPOCH + timedelta(hours=chance.randint(0, 9_000))
        if chance.random() < 0.1:
            document["_body_boost"] = 1.75
        yield document


def filled(folder: Path, words: list[str], *, segments: int) -> Pair:
    """Both indexes of the same documents, in a number of segments."""
    chance = random.Random(SEED)
    all_documents = list(documents(chance, words))
    indexes = []
    for name in Pair._fields:
        (folder / name).mkdir()
        indexes.append(create_in(str(folder / name), SCHEMA))
    pair = Pair(*indexes)
    for at in range(segments):
        for writer in pair.writers():
            for document in all_documents[at::segments]:
                writer.add_document(**document)
            writer.commit(merge=False)
    return pair


def random_query(chance: random.Random, words: list[str], depth: int = 0) -> Any:
    """Random query of any kind; compound queries are at most two deep."""

    def one_word() -> str:
        return pick(chance, words, 1)[0]

    def inner() -> Any:
        return random_query(chance, words, depth + 1)

    def numbers() -> Any:
        low, high = sorted(chance.randint(-60, 1_050) for _ in range(2))
        openness = chance.random() < 0.5, chance.random() < 0.5
        return query.NumericRange("size", low, high, *openness)

    def dates() -> Any:
        low, high = sorted(chance.randint(-100, 9_100) for _ in range(2))
        first, last = EPOCH + timedelta(hours=low), EPOCH + timedelta(hours=high)
        return query.DateRange("when", first, last)

    def phrase() -> Any:
        field = "body"
        return query.Phrase(
            field, pick(chance, words[:40], chance.randint(2, 3)), chance.randint(1, 4)
        )

    def near() -> Any:
        terms = [query.Term("body", each) for each in pick(chance, words[:60], 2)]
        return SpanNear(
            *terms, slop=chance.randint(1, 5), ordered=chance.random() < 0.5
        )

    simple: list[Callable[[], Any]] = [
        lambda: query.Term("body", one_word()),
        lambda: query.Term("title", one_word(), boost=2.0),
        lambda: query.Term("tags", chance.choice(TAGS)),
        lambda: query.Term("key", f"urn:{chance.randint(0, 420):04}"),
        lambda: query.Term("urgent", True),
        phrase,
        lambda: query.Prefix("body", one_word()[:3]),
        lambda: query.Wildcard("body", f"{one_word()[:2]}*{one_word()[-2:]}"),
        lambda: query.Regex("title", f"{one_word()[:2]}.[aeiou]"),
        lambda: query.FuzzyTerm("body", one_word(), maxdist=1),
        lambda: query.TermRange(
            "key", "urn:0100", f"urn:{chance.randint(100, 400):04}"
        ),
        numbers,
        dates,
        lambda: query.Every("size"),
    ]
    compound: list[Callable[[], Any]] = [
        lambda: query.And([inner() for _ in range(chance.randint(2, 3))]),
        lambda: query.Or([inner() for _ in range(chance.randint(2, 4))]),
        lambda: query.DisjunctionMax([inner(), inner()]),
        lambda: query.AndNot(inner(), inner()),
        lambda: query.AndMaybe(inner(), inner()),
        lambda: query.And([query.Not(inner()), query.Term("body", one_word())]),
        lambda: query.Require(inner(), inner()),
    ]
    # Not nested: Whoosh cannot estimate how many documents these match.
    spans: list[Callable[[], Any]] = [
        near,
        lambda: SpanFirst(query.Term("body", one_word()), limit=chance.randint(0, 9)),
    ]
    if depth == 0:
        simple += spans
    kinds = simple if depth > 1 else simple + 2 * compound
    return chance.choice(kinds)()


def random_queries(words: list[str], count: int) -> list[Any]:
    chance = random.Random(SEED + 1)
    return [random_query(chance, words) for _ in range(count)]


def scores(results: Results) -> dict[int, float]:
    return {document: score for score, document in results.top_n}


def random_articles(words: list[str]) -> list[Article]:
    chance = random.Random(SEED)
    articles = []
    for number in range(80):
        document: dict[str, Any] = {
            "id": f"urn:test:{chance.randint(0, 10**6):07}-{number}",
            "version": str(number + 1),
            "language": chance.choice(["en", "en", "fr", "de"]),
            "paragraphs": [
                " ".join(pick(chance, words, chance.randint(2, 40)))
                for _ in range(chance.randint(1, 7))
            ],
            "subjects": chance.sample(TAGS, chance.randint(0, 3)),
            "byline": " ".join(pick(chance, words, 3)),
        }
        if chance.random() < 0.8:
            document["headline"] = " ".join(pick(chance, words, 5))
        if chance.random() < 0.8:
            document["source"] = chance.choice(["Harbour Desk", "City Desk", "café"])
        if chance.random() < 0.8:
            document["published"] = f"2016-{chance.randint(1, 12):02}-03T10:00:00Z"
        articles.append(article_of(document))
    return articles


def write_index(folder: Path, parts: list[list[Article]]) -> list[ColumnarSegment]:
    """Write a segment of each list of articles, and the table of contents."""
    segments = []
    for part in parts:
        buffer = WriteBuffer()
        for article in part:
            buffer.add(indexed_article_of(article, "en"))
        sizes = sum(len(article.paragraphs) for article in part)
        segment = ColumnarSegment("MAIN", documents=sizes)
        write_segment(buffer, folder / segment.make_filename(".seg"))
        segments.append(segment)
    TOC(whoosh_schema(), segments, 1).write(FileStorage(str(folder)), "MAIN")
    return segments
