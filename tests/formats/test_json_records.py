"""JSON record by record: lists and documents of any length, and faults in them."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.parsing import EACH, Step, json_records, json_texts, json_values, source
from index.parsing.json_window import Window

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=9,
)


def read(text: str) -> list[Any]:
    """The records of a text: their values, or the line and the words of their error."""
    return [
        each.value if each.error is None else (each.line, str(each.error))
        for each in json_records(text.encode("utf-8", "surrogateescape"))
    ]


TOO_MANY = "there is a } too many; remove it"
NO_COMMA = "a comma is missing before this item"
UNCLOSED = "the list is not closed: a comma or ] is missing"
TRAILING = "there is text after the end of the list; remove it"
BROKEN = [
    ('{"id": 2 "x": 3},', "expecting ',' delimiter (column 10)"),
    ('{"id": "cut},', "invalid control character at (column 14)"),
    ('{"id": 2, "x": [1, 2},', "expecting ',' delimiter (column 21)"),
    ('{"id": 2, "x": [1, 2,', "expecting value (column 23)"),
    ('{"id": 2,', "expecting property name enclosed in double quotes (column 1)"),
    ("{'id': 2},", "expecting property name enclosed in double quotes (column 2)"),
    ('{"id": None},', "expecting value (column 8)"),
    ("nothing,", "expecting value (column 1)"),
]


@pytest.mark.parametrize(("broken", "fault"), BROKEN)
def test_an_item_that_is_not_json_costs_only_itself(broken: str, fault: str) -> None:
    text = f'[\n{{"id": 1}},\n{broken}\n{{"id": 3}},\n{{"id": 4}}\n]'
    first, error, *rest = read(text)
    assert first == {"id": 1}
    assert error[0] == 3
    if not broken.endswith(
        "2,"
    ):  # the fault of this one is only found on the next line
        assert fault in error[1]
    assert rest[-1] == {"id": 4}
    if not broken.endswith("[1, 2,"):  # a list may hold the object after it
        assert rest == [{"id": 3}, {"id": 4}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[\n  {\n    "id": 1,\n    "x": [1\n  },\n  {\n    "id": 2\n  }\n]',
            [(2, "not JSON: expecting ',' delimiter (column 3)"), {"id": 2}],
        ),
        ('[{"id": 1}},\n{"id": 2}]', [{"id": 1}, (1, TOO_MANY), {"id": 2}]),
        ('[{"id": 1} {"id": 2}]', [{"id": 1}, (1, NO_COMMA), {"id": 2}]),
        ('[{"id": 1},]', [{"id": 1}, (1, "no item follows the last comma")]),
        ('[{"id": 1}', [{"id": 1}, (1, UNCLOSED)]),
        ('[{"id": 1}] and more', [{"id": 1}, (1, TRAILING)]),
    ],
)
def test_a_fault_between_items_is_named_by_its_place(
    text: str, expected: list[Any]
) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        '[{"id": 1}]\n[{"id": 2},\n{"id": 3}]\n',
        '[{"id": 1}]{"id": 2}\n[]\n{"id": 3}',
        '{\n"id": 1\n}\n{\n"id": 2\n}\n{"id": 3}',
    ],
)
def test_several_documents_in_a_file_are_read_in_turn(text: str) -> None:
    assert read(text) == [{"id": 1}, {"id": 2}, {"id": 3}]


@pytest.mark.slow
@given(st.lists(VALUES, max_size=5), st.integers(1, 9), st.sampled_from([None, 1]))
def test_a_list_in_pieces_is_the_list(
    items: list[Any], size: int, indent: int | None
) -> None:
    text = json.dumps(items, ensure_ascii=False, indent=indent)
    data = text.encode()
    window = Window(iter(data[at : at + size] for at in range(0, len(data), size)))
    assert window.next() == "["
    window.skip()
    parsed = []
    while window.next() not in ("]", ""):
        parsed.append(window.value())
        if window.next() == ",":
            window.skip()
    assert [each.value for each in parsed] == items
    assert [json.loads(each.text) for each in parsed] == items
    assert [each.value for each in json_records(data)] == (items or [])


@pytest.mark.slow
@given(st.binary(max_size=60).map(lambda data: b"[" + data))
def test_no_bytes_in_a_list_raise_or_loop(data: bytes) -> None:
    records = list(json_records(data))
    assert [each.position for each in records] == list(range(1, len(records) + 1))


@pytest.mark.slow
def test_a_list_is_read_item_by_item_however_long_it_is() -> None:
    item = json.dumps({"id": "a", "text": "word " * 200})
    data = io.BytesIO(f"[{','.join([item] * 20_000)}]".encode())
    tracemalloc.start()
    try:
        count = sum(1 for _ in json_records(data))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 2_000_000


@pytest.mark.slow
def test_a_document_on_one_line_may_be_longer_than_a_line() -> None:
    long = json.dumps({"articles": ["x" * 1_000] * 9_000})
    assert len(long) > source.MAX_LINE
    (record,) = json_records(long.encode())
    assert len(record.value["articles"]) == 9_000
    first, second = json_records(f'{long}\n{{"id": 1}}'.encode())
    assert "bytes of a line" in str(first.error)
    assert second.value == {"id": 1}


@pytest.mark.slow
def test_a_long_item_without_its_end_is_not_read_again_and_again() -> None:
    # Were each piece followed by a new search from the start, this would take minutes.
    data = b'[{"text": "' + b"x" * (source.MAX_WHOLE + 1_000_000)
    (record,) = json_records(data)
    assert "bytes of a JSON value" in str(record.error)


PATHS: list[tuple[Step, ...]] = [
    (),
    (EACH,),
    ("a",),
    ("a", EACH),
    ("a", "b"),
    ("a", EACH, "b", 0),
    (1, "a"),
    ("a", 0),
]


@pytest.mark.slow
@given(
    st.recursive(
        st.integers(0, 9) | st.text(max_size=2),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
        ),
        max_leaves=12,
    ),
    st.sampled_from(PATHS),
)
def test_the_texts_at_a_path_are_those_of_its_values(
    value: Any, path: tuple[Step, ...]
) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=1)):
        texts = [json.loads(each) for each in json_texts(text, path)]
        assert texts == list(json_values(value, path))
