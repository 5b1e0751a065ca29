"""Exports: all hits of a search, streamed as lines or as a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from archives import index, put
from conftest import settings_in
from flask.testing import FlaskClient

from index.access import Scope
from index.archive import Archive
from index.errors import SearchTimeout
from index.query import Request
from service import create_app
from service.api import exports

pytestmark = pytest.mark.slow

ARTICLES = 25
SIZE = 10  # hits of a page


@pytest.fixture
def many(tmp_path: Path) -> Iterator[Archive]:
    """An archive whose hits take several pages."""
    archive = Archive.open(replace(settings_in(tmp_path), limit=SIZE))
    for n in range(ARTICLES):
        put(archive, f"a-{n:02}", f"The ferry number {n} is late.")
    index(archive)
    yield archive
    archive.close()


@pytest.fixture
def caller(many: Archive) -> FlaskClient:
    return create_app(many.settings, many).test_client()


def lines(data: bytes) -> list[Any]:
    return [json.loads(line) for line in data.splitlines()]


def rows(data: bytes) -> list[dict[str, str]]:
    text = data.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("path", ["/v1/search.ndjson?", "/v1/search?format=ndjson&"])
def test_lines_have_every_hit_once_and_an_end(caller: FlaskClient, path: str) -> None:
    answer = caller.get(f"{path}q=ferry")
    assert answer.content_type == "application/x-ndjson; charset=utf-8"
    *hits, end = lines(answer.data)
    assert sorted(hit["id"] for hit in hits) == [f"a-{n:02}" for n in range(ARTICLES)]
    assert end == {"end": {"complete": True, "hits": ARTICLES}}


@pytest.mark.parametrize("path", ["/v1/search.csv?", "/v1/search?format=csv&"])
def test_a_table_has_every_hit_once(caller: FlaskClient, path: str) -> None:
    answer = caller.get(f"{path}q=ferry")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert sorted(row["id"] for row in rows(answer.data)) == [
        f"a-{n:02}" for n in range(ARTICLES)
    ]


def test_the_order_is_that_of_the_search(caller: FlaskClient) -> None:
    exported = [
        row["id"] for row in rows(caller.get("/v1/search.csv?sort=oldest").data)
    ]
    listed = []
    url = "/v1/search.json?sort=oldest"
    while url:
        answer = caller.get(url).json
        listed += [hit["id"] for hit in answer["hits"]]
        url = answer["next_url"]
    assert exported == listed


def test_a_limit_counts_for_all_pages_together(caller: FlaskClient) -> None:
    for limit in (0, 1, 3, ARTICLES, 100):
        *hits, end = lines(caller.get(f"/v1/search.ndjson?limit={limit}").data)
        assert len(hits) == end["end"]["hits"] == min(limit, ARTICLES)


def test_paragraphs_are_rows_too(caller: FlaskClient) -> None:
    exported = rows(caller.get("/v1/search.csv?q=ferry&unit=paragraph").data)
    assert len(exported) == ARTICLES
    assert {(row["n"], row["role"]) for row in exported} == {("1", "body")}


def test_a_body_may_ask_for_an_export(caller: FlaskClient) -> None:
    answer = caller.post("/v1/search", json={"q": "ferry", "format": "csv"})
    assert len(rows(answer.data)) == ARTICLES


def test_a_page_is_searched_when_the_client_takes_it(
    caller: FlaskClient, many: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[Request] = []
    search = many.search

    def counted(request: Request, **rest: Any) -> Any:
        searched.append(request)
        return search(request, **rest)

    monkeypatch.setattr(many, "search", counted)
    with caller.get("/v1/search.ndjson", buffered=False) as answer:
        pieces = iter(answer.response)
        for page in range(1, 4):
            next(pieces)
            assert len(searched) == page
    assert {request.limit for request in searched} == {SIZE}


def test_an_article_killed_under_way_is_on_no_later_page(
    caller: FlaskClient, many: Archive
) -> None:
    with caller.get("/v1/search.ndjson?sort=oldest", buffered=False) as answer:
        pieces = iter(answer.response)
        first = lines(next(pieces))
        many.kill(f"a-{ARTICLES - 1:02}")
        many.kill(first[0]["id"])
        *rest, end = lines(b"".join(pieces))
    ids = [hit["id"] for hit in first + rest]
    assert f"a-{ARTICLES - 1:02}" not in ids
    assert end["end"] == {"complete": True, "hits": ARTICLES - 1}


def failing_after(archive: Archive, pages: int) -> Callable[..., Any]:
    search, count = archive.search, iter(range(100))

    def fails(request: Request, **rest: Any) -> Any:
        if next(count) == pages:
            raise SearchTimeout(2.0)
        return search(request, **rest)

    return fails


def test_lines_that_end_too_early_say_why(
    caller: FlaskClient, many: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "search", failing_after(many, 2))
    *hits, end = lines(caller.get("/v1/search.ndjson").data)
    assert len(hits) == end["end"]["hits"] == 2 * SIZE
    assert end["end"]["complete"] is False
    assert end["end"]["error"]["code"] == "search_timeout"


def test_a_table_that_ends_too_early_is_cut_off(
    caller: FlaskClient, many: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "search", failing_after(many, 2))
    # The server then closes the connection without the end of a chunked answer.
    with pytest.raises(ConnectionResetError, match="took longer"):
        assert caller.get("/v1/search.csv").data


def test_an_error_of_the_first_page_is_an_answer_like_any(
    caller: FlaskClient, many: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("csv", "ndjson"):
        with monkeypatch.context() as failing:
            failing.setattr(many, "search", failing_after(many, 0))
            answer = caller.get(f"/v1/search.{name}")
            assert (answer.status_code, answer.json["code"]) == (503, "search_timeout")
        # Its slot is free again.
        assert caller.get(f"/v1/search.{name}").status_code == 200


def test_an_export_ends_with_its_key(many: Archive, caller: FlaskClient) -> None:
    key = many.keys.add("partner", frozenset({Scope.SEARCH}))
    headers = {"X-API-Key": key.secret}
    with caller.get("/v1/search.ndjson", buffered=False, headers=headers) as answer:
        pieces = iter(answer.response)
        next(pieces)
        many.keys.revoke(key.key.id)
        (end,) = lines(b"".join(pieces))
    assert end["end"]["error"]["code"] == "unauthorized"


def test_a_key_has_few_exports_at_one_time(many: Archive) -> None:
    app = create_app(many.settings, many, threads=16)
    one, other = (
        {"X-API-Key": many.keys.add(name, frozenset({Scope.SEARCH})).secret}
        for name in ("one", "other")
    )
    caller = app.test_client()
    held = [
        caller.get("/v1/search.csv", buffered=False, headers=one)
        for _ in range(many.settings.exports)
    ]
    answer = caller.get("/v1/search.csv", headers=one)
    assert (answer.status_code, answer.json["code"]) == (429, "too_many_exports")
    assert answer.headers["Retry-After"] == "5"
    assert caller.get("/v1/search.csv", headers=other).status_code == 200
    held.pop().close()
    assert caller.get("/v1/search.csv", headers=one).status_code == 200
    held.pop().close()


def test_exports_leave_threads_for_other_requests(many: Archive) -> None:
    app = create_app(replace(many.settings, exports=50), many, threads=4)
    caller = app.test_client()
    held = [caller.get("/v1/search.csv", buffered=False) for _ in range(2)]
    answer = caller.get("/v1/search.csv")
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert caller.get("/v1/search").status_code == 200
    for each in held:
        each.close()


def test_a_client_that_is_too_slow_is_disconnected(
    caller: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10_000, 20))
    monkeypatch.setattr(exports.time, "monotonic", lambda: float(next(clock)))
    pieces = exports._paced(iter([b"x" * 100_000]), ExitStack())
    assert len(next(pieces)) == exports.PIECE  # no more is given out at a time
    with pytest.raises(ConnectionResetError, match="too slow"):
        list(pieces)


@pytest.mark.parametrize(
    ("address", "parameter"),
    [
        ("/v1/search.csv?page=2", "page"),
        ("/v1/search.csv?facet=source", "facet"),
        ("/v1/search.csv?explain=1", "explain"),
        ("/v1/search.ndjson?guard=0", "guard"),
        ("/v1/search?guard=0", "guard"),
        ("/v1/search.atom?unit=paragraph", "unit"),
        ("/v1/search.rss?fields=source", "fields"),
    ],
)
def test_a_parameter_that_would_change_nothing_is_refused(
    reading: FlaskClient, address: str, parameter: str
) -> None:
    answer = reading.get(address)
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_value")
    assert answer.json["parameter"] == parameter


def test_a_format_is_named_once(reading: FlaskClient) -> None:
    assert reading.get("/v1/search.xml").status_code == 404
    assert reading.get("/v1/search.csv?format=csv").status_code == 400
    assert reading.get("/v1/search?format=xml").status_code == 400
