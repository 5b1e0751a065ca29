"""Stock Whoosh reads the segments that our own writer wrote."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from engines.whoosh.stock import SEED, TAGS, pick, random_articles, scores, write_index
from whoosh import analysis, columns, fields, query, sorting
from whoosh.codec.whoosh3 import W3Codec
from whoosh.filedb.filestore import FileStorage
from whoosh.index import TOC, FileIndex, create_in, open_dir
from whoosh.writing import SegmentWriter

from index.article import Article, article_of
from index.dates import micros
from index.engines.whoosh.codec import ColumnarCodec
from index.engines.whoosh.files.schema import (
    LINE_FIELDS,
    VALUE_FIELDS,
    VALUE_GAP,
    term_of,
    values_of,
    whoosh_schema,
)
from index.text import analyse

pytestmark = pytest.mark.slow


class Given(analysis.Analyzer):  # type: ignore[misc]  # Whoosh has no types
    """Reads terms with their positions: ``term@position``."""

    def __call__(self, value: str, **options: Any) -> Iterator[analysis.Token]:
        token = analysis.Token(positions=True, chars=False, mode="index", boosts=True)
        for each in value.split():
            text, _, position = each.rpartition("@")
            token.text, token.pos, token.boost = text, int(position), 1.0
            token.stopped = False
            yield token


def tokens(values: Sequence[str]) -> str:
    """Terms of a field's values with their positions, for :class:`Given`."""
    terms, start = [], 0
    for value in values:
        analysed = analyse(value)
        terms += [
            f"{term_of(form, width)}@{start + position}"
            for form, position, width in zip(
                analysed.forms, analysed.positions, analysed.widths, strict=True
            )
        ]
        start += analysed.length + VALUE_GAP
    return " ".join(terms)


def put_with_stock_codec(folder: Path, parts: list[list[Article]]) -> FileIndex:
    """Index of the same tokens and values, written by the stock codec."""
    column = fields.COLUMN(columns.NumericColumn("q"))
    words = {
        name: fields.TEXT(analyzer=Given(), sortable=name in VALUE_FIELDS)
        for name in ("text", *LINE_FIELDS)
    }
    schema = fields.Schema(
        id=fields.ID(stored=True, unique=True),
        version=fields.STORED,
        n=fields.STORED,
        published=column,
        **words,
    )
    index = create_in(str(folder), schema)
    for part in parts:
        writer = SegmentWriter(index, codec=W3Codec())
        for article in part:
            document: dict[str, Any] = {"id": article.id, "version": article.version}
            if article.published is not None:
                document["published"] = micros(article.published)
            for name in LINE_FIELDS:
                values = values_of(article, name)
                if values:
                    document[name] = tokens(values)
                    document[f"_stored_{name}"] = values[0]
            for paragraph in article.paragraphs:
                text = tokens([paragraph.text])
                writer.add_document(n=paragraph.n, text=text, **document)
        writer.commit(merge=False)
    return index


def paragraph_queries(words: list[str]) -> list[Any]:
    chance = random.Random(SEED)
    queries: list[Any] = []
    for _ in range(60):
        one, two = pick(chance, words, 2)
        text = query.Term("text", one)
        queries += [
            text,
            query.Phrase("text", [one, two], slop=3),
            query.Phrase("byline", [one, two]),
            query.Prefix("text", one[:3]),
            query.Or([text, query.Term("text", two), query.Term("byline", one)]),
            query.And([text, query.Term("subjects", chance.choice(TAGS))]),
            query.AndNot(text, query.Term("source", "harbour")),
        ]
    return queries


@pytest.fixture(params=[1, 3])
def parts(request: pytest.FixtureRequest, words: list[str]) -> list[list[Article]]:
    articles = random_articles(words)
    return [articles[at :: request.param] for at in range(request.param)]


def test_stock_whoosh_opens_what_our_own_writer_wrote(
    tmp_path: Path, parts: list[list[Article]], words: list[str]
) -> None:
    ours_in, stock_in = tmp_path / "ours", tmp_path / "stock"
    ours_in.mkdir()
    stock_in.mkdir()
    write_index(ours_in, parts)
    expected_index = put_with_stock_codec(stock_in, parts)
    index = open_dir(str(ours_in), indexname="MAIN")
    with index.searcher() as ours, expected_index.searcher() as stock:
        assert ours.doc_count() == stock.doc_count() > 80
        for asked in paragraph_queries(words):
            expected = scores(stock.search(asked, limit=None))
            assert scores(ours.search(asked, limit=None)) == pytest.approx(
                expected, abs=1e-9
            ), asked
        for options in (
            {"sortedby": "published"},
            {"sortedby": sorting.FieldFacet("published", reverse=True)},
            {"sortedby": ["subjects", "published"]},
        ):
            our_results = ours.search(query.Every(), limit=None, **options)
            wanted = stock.search(query.Every(), limit=None, **options)
            assert [hit.docnum for hit in our_results] == [hit.docnum for hit in wanted]
        for name in ("source", "subjects", "published"):
            asked = query.Term("text", words[0])
            groups = ours.search(asked, groupedby=name, limit=None).groups(name)
            assert groups == stock.search(asked, groupedby=name, limit=None).groups(
                name
            )
        our_results = list(ours.reader().all_stored_fields())
        assert our_results == list(stock.reader().all_stored_fields())
        assert list(ours.reader().all_terms()) == list(stock.reader().all_terms())


def test_a_term_of_several_languages_and_widths_is_found(tmp_path: Path) -> None:
    texts = {"en": "The kick-off of parties", "fr": "Les parties sont parties"}
    articles = [
        article_of(
            {"id": language, "version": "1", "language": language, "paragraphs": [text]}
        )
        for language, text in texts.items()
    ]
    write_index(tmp_path, [articles])
    with open_dir(str(tmp_path), indexname="MAIN").searcher() as searcher:
        postings = searcher.postings("text", "parties")
        positions = [
            (each, list(places)) for each, places in postings.items_as("positions")
        ]
        assert positions == [(0, [4]), (1, [1, 3])]
        assert list(searcher.docs_for_query(query.Term("text", "kick-off\x1f2"))) == [0]
        spelt = query.Phrase("text", ["kick", "off", "of"])
        assert list(searcher.docs_for_query(spelt)) == [0]


def test_deleted_documents_are_not_found_and_are_merged_away(
    tmp_path: Path, words: list[str]
) -> None:
    articles = random_articles(words)
    (segment,) = write_index(tmp_path, [articles])
    less = segment.with_deletions([(0, len(articles[0].paragraphs)), (7, 2)])
    assert segment.deleted_count() == 0
    storage = FileStorage(str(tmp_path))
    TOC(whoosh_schema(), [less], 2).write(storage, "MAIN")
    index = open_dir(str(tmp_path), indexname="MAIN")
    gone = {*range(len(articles[0].paragraphs)), 7, 8}
    with index.searcher() as searcher:
        assert set(searcher.reader().all_doc_ids()) == set(
            range(searcher.doc_count_all())
        ) - set(gone)
        assert not gone & set(searcher.docs_for_query(query.Prefix("text", "")))
        before = list(searcher.reader().all_stored_fields())
    # Whoosh's writer reads the segment through our readers.
    writer = SegmentWriter(index, codec=ColumnarCodec())
    writer.commit(optimize=True)
    with index.searcher() as searcher:
        assert searcher.doc_count_all() == len(before)
        assert list(searcher.reader().all_stored_fields()) == before
        first = query.Phrase("text", words[:2], slop=9)
        assert len(list(searcher.docs_for_query(first))) > 0
