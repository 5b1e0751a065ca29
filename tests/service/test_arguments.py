"""A query string is read once: kept within bytes, and never if it is wrong."""

from __future__ import annotations

import tracemalloc
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from index.memo import Memo
from service.api.search_schemas import SearchArguments
from service.exchange import arguments
from service.exchange.parameters import Text


@pytest.fixture(autouse=True)
def loaded(monkeypatch: pytest.MonkeyPatch) -> Memo[object, object]:
    """What is kept from now on."""
    empty: Memo[object, object] = Memo(
        arguments._loaded,  # type: ignore[arg-type]
        arguments._bytes_of,  # type: ignore[arg-type]
        limit=arguments.LOADED_BYTES,
    )
    monkeypatch.setattr(arguments, "_LOADED", empty)
    return empty


def test_the_same_query_string_is_read_once(
    reading: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []
    deserialize = Text.deserialize

    def noted(field: Text, value: object, *more: object, **others: object) -> object:
        read.append(value)
        return deserialize(field, value, *more, **others)

    monkeypatch.setattr(Text, "deserialize", noted)
    answers = [reading.get("/v1/search?q=grain&source=World+Desk") for _ in range(3)]
    assert [each.status_code for each in answers] == [200] * 3
    assert sorted(map(str, read)) == ["World Desk", "grain"]


def test_the_same_query_string_of_two_operations_is_read_for_each(
    reading: FlaskClient,
) -> None:
    assert reading.get("/v1/search?facet_size=3").status_code == 200
    assert reading.get("/v1/suggest?facet_size=3").status_code == 400
    assert reading.get("/v1/facets/source?facet_size=3").status_code == 200


@pytest.mark.parametrize(
    "query", ["limit=x", "lmit=3", "q=a&q=b", "q=%ff", "limit=101"]
)
def test_a_wrong_query_string_is_refused_each_time(
    reading: FlaskClient, query: str
) -> None:
    first, again = (reading.get(f"/v1/search?{query}") for _ in range(2))
    assert (first.status_code, again.status_code) == (400, 400)
    assert first.json["detail"] == again.json["detail"]


def test_what_one_request_does_to_its_parameters_is_not_seen_by_the_next(
    loaded: Memo[object, object],
) -> None:
    key = SearchArguments, "q=a"
    given = {**loaded[key]}  # type: ignore[dict-item]
    given["q"] = "b"
    assert loaded[key] == {"q": "a"}


@pytest.mark.parametrize(
    "pairs",
    [
        [("q", "kerry {}")],
        [("q", "a" * 900 + "{}")],
        [("q", "\N{HORSE}" * 200 + "{}")],
        [("source", f"x{n}-{{}}") for n in range(100)],
        [("facet", ",".join(["section", "source"] * 10)), ("q", "{}")],
        [(name, "1") for name in ("limit", "page", "facet_size")] + [("q", "{}")],
    ],
    ids=range(6),
)
def test_parameters_take_no_more_memory_than_is_counted(
    pairs: list[tuple[str, str]], loaded: Memo[object, object]
) -> None:
    loaded.limit = 100_000_000
    queries = [
        urlencode([(name, value.format(n)) for name, value in pairs])
        for n in range(1_000, 1_100)
    ]
    assert isinstance(loaded[SearchArguments, queries.pop()], dict)
    loaded.clear()
    loaded.bytes = 0
    tracemalloc.start()
    try:
        for query in queries:
            assert loaded[SearchArguments, query]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(loaded) == len(queries)
    assert taken < 1.1 * loaded.bytes
