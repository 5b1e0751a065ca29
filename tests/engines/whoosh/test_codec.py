"""What the codec promises Whoosh: the answers of the stock codec, from our files."""

from __future__ import annotations

import pickle
import pickletools
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from faults.amounts import amount
from hypothesis import given
from hypothesis import strategies as st
from whoosh import analysis, columns, fields, query, sorting
from whoosh.codec.whoosh3 import W3Codec
from whoosh.filedb.filestore import FileStorage, RamStorage
from whoosh.index import TOC, FileIndex, create_in, open_dir
from whoosh.query.spans import SpanFirst, SpanNear
from whoosh.reading import TermNotFound
from whoosh.searching import Results, Searcher
from whoosh.writing import SegmentWriter

from index.article import Article, article_of
from index.dates import micros
from index.engines.whoosh.codec import ColumnarCodec, ColumnarSegment
from index.engines.whoosh.files.schema import (
    LINE_FIELDS,
    VALUE_FIELDS,
    VALUE_GAP,
    term_of,
    values_of,
    whoosh_schema,
)
from index.engines.whoosh.stock.stored_values import (
    NotSupported,
    stored_text,
    stored_values,
)
from index.engines.whoosh.writing.buffer import WriteBuffer
from index.engines.whoosh.writing.indexed_article import indexed_article_of
from index.engines.whoosh.writing.inversion import write_segment
from index.errors import IndexDamaged
from index.text import surfaces, word

pytestmark = pytest.mark.slow

SEED = 20160929
QUERIES = amount(400, 2_000)
SYLLABLES = [f"{first}{second}" for first in "bdfgklmp" for second in "aio"]
TAGS = ("ports", "food", "labour", "sea", "rail")
EPOCH = datetime(2016, 1, 1)


def made_up_words(chance: random.Random, count: int) -> list[str]:
    """Return words of two to four syllables; the first are to be frequent."""
    made = {
        "".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))) for _ in range(count)
    }
    return chance.sample(sorted(made), len(made))


def pick(chance: random.Random, words: Sequence[str], count: int) -> list[str]:
    """Return words, the first of them more often, as in any language."""
    return [words[int(len(words) * chance.random() ** 3)] for _ in range(count)]


# The same documents through both codecs.


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


@pytest.fixture(scope="module")
def words() -> list[str]:
    return made_up_words(random.Random(SEED), 300)


def filled(folder: Path, words: list[str], *, segments: int) -> Pair:
    """Return both indexes of the same documents, in so many segments."""
    chance = random.Random(SEED)
    made = list(documents(chance, words))
    found = []
    for name in Pair._fields:
        (folder / name).mkdir()
        found.append(create_in(str(folder / name), SCHEMA))
    pair = Pair(*found)
    for at in range(segments):
        for writer in pair.writers():
            for document in made[at::segments]:
                writer.add_document(**document)
            writer.commit(merge=False)
    return pair


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> Pair:
    return filled(tmp_path_factory.mktemp("pair"), words, segments=3)


def random_query(chance: random.Random, words: list[str], depth: int = 0) -> Any:
    """Return a query of any kind; compound ones are two deep at most."""

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
    # Not inside another: Whoosh cannot estimate how many documents they find.
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


def assert_same_matches(pair: Pair, asked: list[Any]) -> None:
    with pair.stock.searcher() as stock, pair.ours.searcher() as ours:
        found = 0
        for wanted in asked:
            expected = list(stock.docs_for_query(wanted))
            assert list(ours.docs_for_query(wanted)) == expected, wanted
            found += bool(expected)
        assert found > len(asked) / 3  # most of them ask for something


@pytest.mark.parametrize("limit", [None, 10])
def test_finds_and_scores_what_the_stock_codec_does(
    pair: Pair, words: list[str], limit: int | None
) -> None:
    # With a limit Whoosh leaves out blocks that cannot be good enough.
    failed = 0
    with pair.stock.searcher() as stock, pair.ours.searcher() as ours:
        for asked in random_queries(words, QUERIES if limit is None else QUERIES // 4):
            try:
                expected = scores(stock.search(asked, limit=limit))
            except (AssertionError, IndexError):
                # Of a few nestings Whoosh's own matchers make a mess.
                failed += 1
                continue
            found = scores(ours.search(asked, limit=limit))
            assert found == pytest.approx(expected, abs=1e-9), asked
    assert failed < QUERIES / 50


SORTS = {
    "number": "size",
    "number from high to low": sorting.FieldFacet("size", reverse=True),
    "date": "when",
    "date from late to early": sorting.FieldFacet("when", reverse=True),
    "text": "title",
    "text backwards": sorting.FieldFacet("title", reverse=True),
    "terms, for want of a column": "key",
    "several": ["tags", sorting.FieldFacet("when", reverse=True), "size"],
    "score, then date": [sorting.ScoreFacet(), "when"],
}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("order", SORTS.values(), ids=SORTS)
def test_sorts_as_the_stock_codec_does(
    pair: Pair, words: list[str], order: Any, reverse: bool
) -> None:
    with pair.stock.searcher() as stock, pair.ours.searcher() as ours:
        for asked in [query.Every(), *random_queries(words, 4)]:
            options = {"sortedby": order, "reverse": reverse, "limit": None}
            expected = [each for _, each in stock.search(asked, **options).top_n]
            found = [each for _, each in ours.search(asked, **options).top_n]
            assert found == expected, asked


GROUPS = {
    "column": sorting.FieldFacet("tags"),
    "number": sorting.FieldFacet("size"),
    "date": sorting.FieldFacet("when"),
    "terms": sorting.FieldFacet("tags", allow_overlap=True),
    "ranges": sorting.RangeFacet("size", 0, 1_000, 100),
    "months": sorting.DateRangeFacet(
        "when", EPOCH, EPOCH + timedelta(days=400), timedelta(days=30)
    ),
    "queries": sorting.QueryFacet({"urgent": query.Term("urgent", True)}),
    "stored": sorting.StoredFieldFacet("price"),
}


@pytest.mark.parametrize("facet", GROUPS.values(), ids=GROUPS)
def test_groups_as_the_stock_codec_does(
    pair: Pair, words: list[str], facet: Any
) -> None:
    with pair.stock.searcher() as stock, pair.ours.searcher() as ours:
        # Whoosh cannot name the group of documents without a date.
        dated = query.Every("when")
        for asked in [query.Every(), *random_queries(words, 4)]:
            options = {"groupedby": {"it": facet}, "filter": dated, "limit": None}
            expected = stock.search(asked, **options).groups("it")
            assert ours.search(asked, **options).groups("it") == expected, asked


def test_reads_every_term_statistic_length_and_stored_field_alike(pair: Pair) -> None:
    def facts(info: Any) -> tuple[Any, ...]:
        return (
            *(info.weight(), info.doc_frequency(), info.max_weight()),
            *(info.min_length(), info.max_length(), info.min_id(), info.max_id()),
        )

    with pair.stock.reader() as stock, pair.ours.reader() as ours:
        assert list(ours.all_terms()) == list(stock.all_terms())
        assert sorted(ours.indexed_field_names()) == sorted(stock.indexed_field_names())
        for stock_leaf, our_leaf in zip(stock.readers, ours.readers, strict=True):
            mine = {term: facts(info) for term, info in our_leaf}
            assert mine == {term: facts(info) for term, info in stock_leaf}
            assert list(our_leaf.iter_postings()) == [
                (*posting[:4], posting[4] or b"")
                for posting in stock_leaf.iter_postings()
            ]
        for name in ("body", "title", "tags"):
            assert ours.field_length(name) == stock.field_length(name)
            assert ours.min_field_length(name) == stock.min_field_length(name)
            assert ours.max_field_length(name) == stock.max_field_length(name)
            for document in range(stock.doc_count_all()):
                length = stock.doc_field_length(document, name) or 0
                assert ours.doc_field_length(document, name) == length
        assert list(ours.all_stored_fields()) == list(stock.all_stored_fields())
        with pytest.raises(TermNotFound):
            ours.readers[0].term_info("body", "none")


def test_deletions_merging_and_optimizing_find_the_same(
    tmp_path: Path, words: list[str]
) -> None:
    pair = filled(tmp_path, words, segments=4)
    asked = random_queries(words, 40)
    for writer in pair.writers():
        writer.delete_by_query(query.NumericRange("size", 100, 300))
        writer.delete_by_term("key", "urn:0007")
        writer.update_document(key="urn:0011", body=f"{words[0]} anew", size=5)
        writer.commit(merge=False)
    assert pair.ours.doc_count() == pair.stock.doc_count()
    assert pair.ours.doc_count_all() == pair.stock.doc_count_all()
    assert_same_matches(pair, asked)
    for writer in pair.writers():
        writer.add_document(key="urn:new", body=words[1])
        writer.commit(optimize=True)
    assert pair.ours.doc_count_all() == pair.stock.doc_count_all()
    assert len(pair.ours._segments()) == 1
    assert_same_matches(pair, asked)
    with pair.stock.searcher() as stock, pair.ours.searcher() as ours:
        for each in asked:
            expected = scores(stock.search(each, limit=None))
            assert scores(ours.search(each, limit=None)) == pytest.approx(
                expected, abs=1e-9
            ), each


def test_an_index_has_one_file_a_segment_and_no_other(
    tmp_path: Path, words: list[str]
) -> None:
    filled(tmp_path, words, segments=2)
    names = [path.name for path in (tmp_path / "ours").iterdir()]
    assert sorted(name.rpartition(".")[2] for name in names) == [
        "MAIN_WRITELOCK",
        "seg",
        "seg",
        "toc",
    ]


# What our own writer wrote.


class Given(analysis.Analyzer):  # type: ignore[misc]  # Whoosh has no types
    """Takes terms with their positions as they are given: ``term@position``."""

    def __call__(self, value: str, **options: Any) -> Iterator[analysis.Token]:
        token = analysis.Token(positions=True, chars=False, mode="index", boosts=True)
        for each in value.split():
            text, _, position = each.rpartition("@")
            token.text, token.pos, token.boost = text, int(position), 1.0
            token.stopped = False
            yield token


def tokens(values: Sequence[str]) -> str:
    """Return the terms of a field's values with their positions, for :class:`Given`."""
    made, start = [], 0
    for value in values:
        length = 0
        for surface in surfaces(value):
            found = word(surface)
            made += [
                f"{term_of(form, width)}@{start + length + position}"
                for form, position, width in zip(
                    found.forms, found.positions, found.widths, strict=True
                )
            ]
            length += found.length
        start += length + VALUE_GAP
    return " ".join(made)


def articles(words: list[str]) -> list[Article]:
    chance = random.Random(SEED)
    made = []
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
        made.append(article_of(document))
    return made


def put(folder: Path, parts: list[list[Article]]) -> list[ColumnarSegment]:
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


def put_with_stock_codec(folder: Path, parts: list[list[Article]]) -> FileIndex:
    """Return an index of the same tokens and values, by the stock codec."""
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
    made = create_in(str(folder), schema)
    for part in parts:
        writer = SegmentWriter(made, codec=W3Codec())
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
    return made


def paragraph_queries(words: list[str]) -> list[Any]:
    chance = random.Random(SEED)
    made: list[Any] = []
    for _ in range(60):
        one, two = pick(chance, words, 2)
        text = query.Term("text", one)
        made += [
            text,
            query.Phrase("text", [one, two], slop=3),
            query.Phrase("byline", [one, two]),
            query.Prefix("text", one[:3]),
            query.Or([text, query.Term("text", two), query.Term("byline", one)]),
            query.And([text, query.Term("subjects", chance.choice(TAGS))]),
            query.AndNot(text, query.Term("source", "harbour")),
        ]
    return made


@pytest.fixture(params=[1, 3])
def parts(request: pytest.FixtureRequest, words: list[str]) -> list[list[Article]]:
    made = articles(words)
    return [made[at :: request.param] for at in range(request.param)]


def test_stock_whoosh_opens_what_our_own_writer_wrote(
    tmp_path: Path, parts: list[list[Article]], words: list[str]
) -> None:
    ours_in, stock_in = tmp_path / "ours", tmp_path / "stock"
    ours_in.mkdir()
    stock_in.mkdir()
    put(ours_in, parts)
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
            found = ours.search(query.Every(), limit=None, **options)
            wanted = stock.search(query.Every(), limit=None, **options)
            assert [hit.docnum for hit in found] == [hit.docnum for hit in wanted]
        for name in ("source", "subjects", "published"):
            asked = query.Term("text", words[0])
            groups = ours.search(asked, groupedby=name, limit=None).groups(name)
            assert groups == stock.search(asked, groupedby=name, limit=None).groups(
                name
            )
        found = list(ours.reader().all_stored_fields())
        assert found == list(stock.reader().all_stored_fields())
        assert list(ours.reader().all_terms()) == list(stock.reader().all_terms())


def test_a_term_of_several_languages_and_widths_is_found(tmp_path: Path) -> None:
    texts = {"en": "The kick-off of parties", "fr": "Les parties sont parties"}
    made = [
        article_of(
            {"id": language, "version": "1", "language": language, "paragraphs": [text]}
        )
        for language, text in texts.items()
    ]
    put(tmp_path, [made])
    with open_dir(str(tmp_path), indexname="MAIN").searcher() as searcher:
        postings = searcher.postings("text", "parties")
        found = [
            (each, list(places)) for each, places in postings.items_as("positions")
        ]
        assert found == [(0, [4]), (1, [1, 3])]
        assert list(searcher.docs_for_query(query.Term("text", "kick-off\x1f2"))) == [0]
        spelt = query.Phrase("text", ["kick", "off", "of"])
        assert list(searcher.docs_for_query(spelt)) == [0]


def test_what_is_deleted_is_found_no_more_and_merged_away(
    tmp_path: Path, words: list[str]
) -> None:
    made = articles(words)
    (segment,) = put(tmp_path, [made])
    less = segment.with_deletions([(0, len(made[0].paragraphs)), (7, 2)])
    assert segment.deleted_count() == 0
    storage = FileStorage(str(tmp_path))
    TOC(whoosh_schema(), [less], 2).write(storage, "MAIN")
    index = open_dir(str(tmp_path), indexname="MAIN")
    gone = {*range(len(made[0].paragraphs)), 7, 8}
    with index.searcher() as searcher:
        assert set(searcher.reader().all_doc_ids()) == set(
            range(searcher.doc_count_all())
        ) - set(gone)
        assert not gone & set(searcher.docs_for_query(query.Prefix("text", "")))
        before = list(searcher.reader().all_stored_fields())
    # A writer of Whoosh's reads it through our readers.
    writer = SegmentWriter(index, codec=ColumnarCodec())
    writer.commit(optimize=True)
    with index.searcher() as searcher:
        assert searcher.doc_count_all() == len(before)
        assert list(searcher.reader().all_stored_fields()) == before
        first = query.Phrase("text", words[:2], slop=9)
        assert len(list(searcher.docs_for_query(first))) > 0


# The table of contents.


def test_a_pickled_segment_is_of_numbers_and_text() -> None:
    segment = ColumnarSegment("MAIN", documents=1_000, segid="abc123")
    segment.delete_document(3)
    segment.delete_document(999)
    state = segment.__getstate__()
    assert {name: type(value) for name, value in state.items()} == {
        "indexname": str,
        "segid": str,
        "documents": int,
        "deleted": str,
    }
    named = [
        value
        for code, value, _ in pickletools.genops(pickle.dumps(segment, 2))
        if code.name == "GLOBAL"
    ]
    assert named == ["index.engines.whoosh.codec ColumnarSegment"]
    again = pickle.loads(pickle.dumps(segment, 2))
    assert again == segment
    assert again.make_filename(".seg") == "MAIN_abc123.seg"
    assert list(again.deleted_docs()) == [3, 999]
    assert np.flatnonzero(~again.live()).tolist() == [3, 999]
    again.delete_document(999, delete=False)
    assert again.deleted_count() == 1
    again.delete_document(3, delete=False)
    assert again.__getstate__()["deleted"] == ""


@given(
    st.integers(1, 300).flatmap(
        lambda count: st.tuples(
            st.just(count), st.sets(st.integers(0, count - 1), max_size=40)
        )
    )
)
def test_deleted_documents_survive_the_table_of_contents(
    case: tuple[int, set[int]],
) -> None:
    count, gone = case
    segment = ColumnarSegment("MAIN", documents=count).with_deletions(
        (document, 1) for document in gone
    )
    again = pickle.loads(pickle.dumps(segment, 2))
    assert list(again.deleted_docs()) == sorted(gone)
    assert again.doc_count() == count - len(gone)
    assert again.has_deletions() is bool(gone)


def test_damage_to_what_is_deleted_is_told() -> None:
    state = (
        ColumnarSegment("MAIN", documents=4_000)
        .with_deletions([(5, 700)])
        .__getstate__()
    )
    text = str(state["deleted"])
    damaged = [f"{text[:at]}~{text[at + 1 :]}" for at in range(len(text))]
    damaged += [text[:-5], text + "00000", "é", " "]
    for each in damaged:
        segment = ColumnarSegment.__new__(ColumnarSegment)
        segment.__setstate__({**state, "deleted": each})
        if each != text:
            with pytest.raises(IndexDamaged):
                segment.deleted_count()
    other = ColumnarSegment.__new__(ColumnarSegment)
    other.__setstate__({**state, "documents": 40})
    with pytest.raises(IndexDamaged):
        other.live()
    with pytest.raises(IndexDamaged):
        other.__setstate__({**state, "documents": "4000"})


def test_a_file_that_is_not_the_segments_is_told(
    tmp_path: Path, words: list[str]
) -> None:
    (segment,) = put(tmp_path, [articles(words)[:5]])
    path = tmp_path / segment.make_filename(".seg")
    whole = path.read_bytes()
    segment.set_doc_count(segment.doc_count_all() + 1)
    TOC(whoosh_schema(), [segment], 2).write(FileStorage(str(tmp_path)), "MAIN")
    with pytest.raises(IndexDamaged, match="documents"):
        open_dir(str(tmp_path), indexname="MAIN").reader()
    path.write_bytes(whole[:-1])
    with pytest.raises(IndexDamaged):
        open_dir(str(tmp_path), indexname="MAIN").reader()


# Readers at the same time.


def test_readers_of_one_index_do_not_disturb_each_other(
    pair: Pair, words: list[str]
) -> None:
    asked = random_queries(words, 15)
    options = {"sortedby": "when", "groupedby": "tags", "limit": None}

    def answers(searcher: Searcher) -> list[Any]:
        found = [searcher.search(each, **options) for each in asked]
        return [([hit.docnum for hit in each], each.groups()) for each in found]

    failed: list[object] = []
    with pair.ours.searcher() as shared:
        expected = answers(shared)

        def read() -> None:
            with pair.ours.searcher() as own:
                for searcher in (own, shared):
                    if answers(searcher) != expected:
                        failed.append(searcher)

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failed


# What is not supported.


def write_one(folder: Path, field: fields.FieldType, value: Any) -> None:
    index = create_in(str(folder), fields.Schema(it=field))
    writer = SegmentWriter(index, codec=ColumnarCodec())
    try:
        writer.add_document(it=value)
        writer.commit()
    except NotSupported:
        writer.cancel()
        assert not list(folder.glob("*.toc.*"))
        raise


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        (fields.TEXT(vector=True), "a b", "vectors"),
        (fields.TEXT(chars=True), "alfa bravo", "Characters"),
        (fields.STORED, object(), "object"),
        (fields.STORED, {"deep": [1, {2: 3j}]}, "complex"),
        (fields.COLUMN(columns.PickleColumn(columns.VarBytesColumn())), 1, "pickle"),
        (fields.COLUMN(columns.CompressedBlockColumn()), b"1", "pickle"),
    ],
)
def test_unsupported_fields_and_values_are_refused_by_name(
    tmp_path: Path, field: fields.FieldType, value: Any, why: str
) -> None:
    with pytest.raises(NotSupported, match=rf"field 'it': .*{why}") as caught:
        write_one(tmp_path, field, value)
    assert caught.value.field == "it"
    assert isinstance(caught.value, TypeError)


def test_a_segment_cannot_be_read_while_it_is_written(tmp_path: Path) -> None:
    writer = SegmentWriter(create_in(str(tmp_path), SCHEMA), codec=ColumnarCodec())
    writer.add_document(key="urn:1")
    writer.perdocwriter.close()
    with pytest.raises(NotSupported, match="not written"):
        writer.per_document_reader()
    writer.cancel()


def test_a_storage_without_a_folder_is_refused() -> None:
    index = RamStorage().create_index(SCHEMA)
    with pytest.raises(NotSupported, match="RamStorage"):
        SegmentWriter(index, codec=ColumnarCodec())


KEPT = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.datetimes().map(lambda when: when.replace(fold=0))
    | st.dates()
    | st.times().map(lambda at: at.replace(fold=0))
    | st.timedeltas()
    | st.decimals(allow_nan=False),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.lists(inside, max_size=3).map(tuple)
        | st.dictionaries(
            st.text() | st.integers() | st.just("$bytes"), inside, max_size=3
        )
        | st.frozensets(st.text() | st.binary(), max_size=1)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.text(), KEPT, max_size=4))
def test_stored_values_come_back_as_they_were(values: dict[str, Any]) -> None:
    again = stored_values(stored_text(values))
    assert again == values
    assert repr(again) == repr(values)


def test_stored_values_keep_their_types() -> None:
    values = {
        "when": datetime(2016, 9, 29, 10, 30, 0, 5),
        "price": Decimal("1.50"),
        "day": date(2016, 9, 29),
        "at": time(10, 30),
        "pair": (1, (b"\0\xff", None)),
        "numbers": [1, 1.0, True, float("inf")],
        "named": {"$bytes": "no mark", "plain": {1, 2}},
    }
    assert repr(stored_values(stored_text(values))) == repr(values)


def test_fields_may_have_any_name(tmp_path: Path) -> None:
    names = ("a", "a/terms", "stored", "déjà-vu", "a.at", "/")
    schema = fields.Schema(
        **{name: fields.TEXT(stored=True, sortable=True) for name in names}
    )
    index = create_in(str(tmp_path), schema)
    writer = SegmentWriter(index, codec=ColumnarCodec())
    writer.add_document(**{name: f"of {at}{at}" for at, name in enumerate(names)})
    writer.commit()
    with index.searcher() as searcher:
        for at, name in enumerate(names):
            found = searcher.search(query.Term(name, f"{at}{at}"), sortedby=name)
            assert found[0][name] == f"of {at}{at}"


def test_a_document_that_was_taken_back_leaves_nothing(tmp_path: Path) -> None:
    schema = fields.Schema(a=fields.TEXT(stored=True, sortable=True), b=fields.NUMERIC)
    index = create_in(str(tmp_path), schema)
    writer = SegmentWriter(index, codec=ColumnarCodec())
    writer.add_document(a="kept")
    with pytest.raises(Exception, match="bad"):
        writer.add_document(a="lost", b="bad")
    writer.commit()
    with index.searcher() as searcher:
        assert searcher.doc_count_all() == 1
        assert list(searcher.lexicon("a")) == [b"kept"]
        assert [hit["a"] for hit in searcher.search(query.Every())] == ["kept"]
