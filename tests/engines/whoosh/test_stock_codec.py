"""Whoosh finds, scores, sorts and groups over our codec as over its own."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from engines.whoosh.stock import EPOCH, Pair, filled, random_queries, scores
from faults.amounts import amount
from whoosh import query, sorting
from whoosh.reading import TermNotFound
from whoosh.searching import Searcher

pytestmark = pytest.mark.slow

QUERIES = amount(200, 2_000)


def assert_same_matches(pair: Pair, asked: list[Any]) -> None:
    with pair.stock.searcher() as stock, pair.ours.searcher() as ours:
        with_matches = 0
        for wanted in asked:
            expected = list(stock.docs_for_query(wanted))
            assert list(ours.docs_for_query(wanted)) == expected, wanted
            with_matches += bool(expected)
        assert with_matches > len(asked) / 3  # most of them ask for something


@pytest.mark.parametrize("limit", [None, 10])
def test_finds_and_scores_as_the_stock_codec_does(
    pair: Pair, words: list[str], limit: int | None
) -> None:
    # With a limit Whoosh skips blocks whose scores are too low.
    failed = 0
    with pair.stock.searcher() as stock, pair.ours.searcher() as ours:
        for asked in random_queries(words, QUERIES if limit is None else QUERIES // 2):
            try:
                expected = scores(stock.search(asked, limit=limit))
            except (AssertionError, IndexError):
                # Whoosh's own matchers fail on a few nestings.
                failed += 1
                continue
            our_scores = scores(ours.search(asked, limit=limit))
            assert our_scores == pytest.approx(expected, abs=1e-9), asked
    assert failed < max(8, QUERIES / 50)


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
            our_order = [each for _, each in ours.search(asked, **options).top_n]
            assert our_order == expected, asked


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


def test_deleting_merging_and_optimizing_match_the_stock_codec(
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


def test_readers_of_one_index_do_not_disturb_each_other(
    pair: Pair, words: list[str]
) -> None:
    asked = random_queries(words, 15)
    options = {"sortedby": "when", "groupedby": "tags", "limit": None}

    def answers(searcher: Searcher) -> list[Any]:
        results = [searcher.search(each, **options) for each in asked]
        return [([hit.docnum for hit in each], each.groups()) for each in results]

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
