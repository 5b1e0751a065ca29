"""Pickled segments, and what the codec refuses or stores as JSON."""

from __future__ import annotations

import pickle
import pickletools
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engines.whoosh.stock import SCHEMA, random_articles, write_index
from hypothesis import given
from hypothesis import strategies as st
from whoosh import columns, fields, query
from whoosh.filedb.filestore import FileStorage, RamStorage
from whoosh.index import TOC, create_in, open_dir
from whoosh.writing import SegmentWriter

from index.engines.whoosh.codec import ColumnarCodec, ColumnarSegment
from index.engines.whoosh.files.schema import whoosh_schema
from index.engines.whoosh.stock.stored_values import (
    NotSupported,
    stored_text,
    stored_values,
)
from index.errors import IndexDamaged

pytestmark = pytest.mark.slow


# The table of contents.


def test_a_pickled_segment_has_only_numbers_and_text() -> None:
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


def test_a_damaged_deletion_mask_is_detected() -> None:
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


def test_the_file_of_another_segment_is_detected(
    tmp_path: Path, words: list[str]
) -> None:
    (segment,) = write_index(tmp_path, [random_articles(words)[:5]])
    path = tmp_path / segment.make_filename(".seg")
    whole = path.read_bytes()
    segment.set_doc_count(segment.doc_count_all() + 1)
    TOC(whoosh_schema(), [segment], 2).write(FileStorage(str(tmp_path)), "MAIN")
    with pytest.raises(IndexDamaged, match="documents"):
        open_dir(str(tmp_path), indexname="MAIN").reader()
    path.write_bytes(whole[:-1])
    with pytest.raises(IndexDamaged):
        open_dir(str(tmp_path), indexname="MAIN").reader()


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
def test_stored_values_are_read_back_equal(values: dict[str, Any]) -> None:
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
            results = searcher.search(query.Term(name, f"{at}{at}"), sortedby=name)
            assert results[0][name] == f"of {at}{at}"


def test_a_cancelled_document_leaves_nothing(tmp_path: Path) -> None:
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
