"""The change feed over HTTP: pages, waiting, and the stream of events."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError

import pytest
from checkout import ROOT
from flask import Flask, Response, request
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from index.access import Scope
from index.archive import Archive, carried
from index.article import article_of
from index.query import Filter
from service import use_threads, use_worker
from service.api import changes

EVENTS = {"Accept": "text/event-stream"}


def put(client: FlaskClient, name: str) -> None:
    answer = client.put(f"/v1/articles/{name}", json={"paragraphs": [f"On {name}."]})
    assert answer.status_code == 200


def page(client: FlaskClient, query: str = "") -> Any:
    answer = client.get(f"/v1/changes{query}")
    assert answer.status_code == 200, answer.data
    return answer.json


def test_a_page_has_the_start_of_the_next(client: FlaskClient) -> None:
    first = page(client, "?limit=2")
    assert [each["seq"] for each in first["changes"]] == [1, 2]
    assert (first["next"], first["more"]) == (2, True)
    rest = page(client, f"?since=2&history={first['history']}")
    assert [each["id"] for each in rest["changes"]] == ["urn:test:museum"]
    assert (rest["next"], rest["more"]) == (3, False)
    assert page(client, "?since=3")["changes"] == []


def test_a_removal_says_so(client: FlaskClient, index_now: Callable[[], None]) -> None:
    client.post("/v1/articles/urn:test:grain/kill")
    index_now()
    (change,) = page(client, "?since=3")["changes"]
    assert (change["type"], change["removed"], change["version"]) == (
        "killed",
        True,
        None,
    )


def test_a_follower_can_start_now(
    client: FlaskClient, index_now: Callable[[], None]
) -> None:
    start = page(client, "?since=now")
    assert (start["changes"], start["next"], start["more"]) == ([], 3, False)
    put(client, "new")
    index_now()
    following = f"?since={start['next']}&history={start['history']}"
    assert [each["id"] for each in page(client, following)["changes"]] == ["new"]


def test_now_is_what_searches_include(
    client: FlaskClient, index_now: Callable[[], None]
) -> None:
    put(client, "stored")
    start = page(client, "?since=now")
    assert start["next"] == 3  # whoever searches now does not find it
    index_now()
    assert [each["id"] for each in page(client, "?since=3")["changes"]] == ["stored"]
    assert page(client, "?since=now")["next"] == 4


@pytest.mark.parametrize("since", ["NOW", "now ", "newest", "-1", ""])
def test_since_is_a_seq_or_now(client: FlaskClient, since: str) -> None:
    answer = client.get("/v1/changes", query_string={"since": since})
    assert (answer.status_code, answer.json["parameter"]) == (400, "since")


def test_a_stream_can_start_now(
    client: FlaskClient, index_now: Callable[[], None]
) -> None:
    stream = client.get("/v1/changes?since=now", headers=EVENTS, buffered=False)
    chunks = stream.iter_encoded()
    put(client.application.test_client(), "new")
    index_now()
    (new,) = events(chunks, 1)
    assert '"id": "new"' in new["data"]
    stream.close()


def test_an_entry_has_the_fields_and_passages_that_were_asked_for(
    client: FlaskClient,
) -> None:
    first, second, third = page(
        client, "?fields=headline,section&passages=1&passage_length=20"
    )["changes"]
    assert second["article"] == {
        "id": "urn:test:grain",
        "version": "1",
        "headline": "Grain prices climb <fast>",
        "section": "Business",
        "passages": [second["article"]["passages"][0]],
    }
    (passage,) = second["article"]["passages"]
    assert {*passage} == {"id", "n", "role", "text"}
    assert (passage["n"], passage["role"]) == (1, "body")
    assert len(passage["text"]) <= 20
    assert third["article"]["section"] is None
    assert "ed_note" not in str(first)
    assert "article" not in page(client)["changes"][0]


def test_passages_alone_bring_the_fields_of_a_hit(client: FlaskClient) -> None:
    entry = page(client, "?passages=0")["changes"][0]
    hit = client.get("/v1/search?q=harbour&passages=0&limit=1").json["hits"][0]
    assert entry["article"]["passages"] == []
    assert set(hit) - set(entry["article"]) == {
        *("unit", "headline_html", "score", "passages_total"),
    }


def test_a_length_without_passages_is_an_error(client: FlaskClient) -> None:
    answer = client.get("/v1/changes?passage_length=20")
    assert (answer.status_code, answer.json["parameter"]) == (400, "passage_length")


@pytest.mark.parametrize("field", ["ed_note", "paragraphs", "nothing"])
def test_an_entry_has_no_field_that_a_hit_cannot_have(
    client: FlaskClient, field: str
) -> None:
    answer = client.get(f"/v1/changes?fields={field}")
    assert (answer.status_code, answer.json["parameter"]) == (400, "fields")


def test_an_article_is_carried_only_while_it_is_visible(
    client: FlaskClient, index_now: Callable[[], None]
) -> None:
    client.post("/v1/articles/urn:test:grain/kill")
    client.post("/v1/articles/urn:test:museum/withhold")
    client.delete("/v1/articles/urn:test:harbour")
    for _ in range(2):  # also before the index knows of it
        entries = page(client, "?fields=headline")["changes"]
        assert [each["article"] for each in entries] == [None] * len(entries)
        index_now()
    assert [each["removed"] for each in entries] == [False] * 3 + [True] * 3


def test_an_entry_has_the_article_as_it_is_now(
    client: FlaskClient, index_now: Callable[[], None]
) -> None:
    client.put("/v1/articles/urn:test:grain", json={"paragraphs": ["Corrected."]})
    index_now()
    entries = page(client, "?passages=1")["changes"]
    grain = [each for each in entries if each["id"] == "urn:test:grain"]
    assert [each["version"] for each in grain] == ["1", "2"]
    assert [each["article"]["version"] for each in grain] == ["2", "2"]
    assert grain[0]["article"]["passages"][0]["text"] == "Corrected."


def test_a_reader_with_a_filter_is_given_no_article_beyond_it(
    client: FlaskClient, archive: Archive
) -> None:
    rule = Filter(field="source", values=("Market Desk",))
    key = archive.keys.add("desk", frozenset({Scope.SEARCH}), filters=(rule,))
    headers = {"X-API-Key": key.secret}
    asked = "/v1/changes?fields=source"
    (entry,) = client.get(asked, headers=headers).json["changes"]
    assert entry["article"]["source"] == "Market Desk"
    moved = {"paragraphs": ["Moved."], "source": "City Desk"}
    archive.put([article_of({"id": "urn:test:grain", **moved})])
    entries = client.get(asked, headers=headers).json["changes"]
    assert [each["article"] for each in entries] == [None, None]


def test_a_page_ends_when_its_articles_are_large(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carried, "MOST_CARRIED", 1)
    since, ids = 0, []
    for _ in range(3):
        got = page(client, f"?since={since}&fields=headline")
        assert (len(got["changes"]), got["more"]) in [(1, True), (1, False)]
        ids += [each["id"] for each in got["changes"]]
        since = got["next"]
    assert ids == ["urn:test:harbour", "urn:test:grain", "urn:test:museum"]


def test_an_article_listed_again_counts_again(
    client: FlaskClient, index_now: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(20):
        client.put("/v1/articles/big", json={"paragraphs": [f"{n} " + "x" * 1_000]})
    index_now()
    monkeypatch.setattr(carried, "MOST_CARRIED", 5_000)
    got = page(client, "?since=3&passages=1&passage_length=0")
    assert len(got["changes"]) == 5
    assert len(json.dumps(got)) < 10_000


@pytest.mark.slow
@pytest.mark.parametrize("query", ["?since=9", "?since=1&history=0"])
def test_another_history_is_a_conflict(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/v1/changes{query}")
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (409, "history_changed")


def test_a_waiting_request_is_answered_at_the_next_change(
    client: FlaskClient, archive: Archive, index_now: Callable[[], None]
) -> None:
    asked = threading.Event()
    look = archive.changes

    def changes_of(*args: Any, **more: Any) -> Any:
        asked.set()
        return look(*args, **more)

    archive.changes = changes_of  # type: ignore[method-assign]

    def write() -> None:
        asked.wait(10)
        put(client.application.test_client(), "new")
        index_now()

    writer = threading.Thread(target=write)
    writer.start()
    answer = page(client, "?since=3&wait=30")
    writer.join()
    assert [each["id"] for each in answer["changes"]] == ["new"]


@pytest.mark.slow
def test_waiting_ends_with_its_time(client: FlaskClient) -> None:
    answer = page(client, "?since=3&wait=1")
    assert (answer["changes"], answer["next"]) == ([], 3)


def test_waiting_ends_with_its_worker(app: Flask, client: FlaskClient) -> None:
    use_worker(app, lambda: False)
    began = time.monotonic()
    assert page(client, "?since=3&wait=30")["changes"] == []
    assert "text" in client.get("/v1/changes", headers=EVENTS).content_type
    assert time.monotonic() - began < 25


def test_a_head_request_does_not_wait(client: FlaskClient) -> None:
    began = time.monotonic()
    assert client.head("/v1/changes?since=3&wait=30").status_code == 200
    assert client.head("/v1/changes?since=3", headers=EVENTS).status_code == 200
    assert time.monotonic() - began < 25


@pytest.mark.slow
def test_one_waiting_request_too_many_must_retry(
    app: Flask, client: FlaskClient
) -> None:
    use_threads(app, 2)
    stream = client.get("/v1/changes", headers=EVENTS, buffered=False)
    refused = client.get("/v1/changes?since=3&wait=30")
    assert (refused.status_code, refused.headers["Retry-After"]) == (200, "1")
    short = client.get("/v1/changes?since=3", headers=EVENTS)
    assert short.data.startswith(b"retry: 3000")
    stream.close()
    assert "Retry-After" not in client.get("/v1/changes?since=3&wait=1").headers


def events(chunks: Iterator[bytes], count: int) -> list[dict[str, str]]:
    """Read this many events of a stream, as a browser does."""
    events: list[dict[str, str]] = []
    text = ""
    while len(events) < count:
        text += next(chunks).decode()
        *whole, text = text.split("\n\n")
        for block in whole:
            lines = [line.partition(": ") for line in block.split("\n")]
            event = {name: value for name, _, value in lines if name}
            if "data" in event:
                events.append(event)
    return events


def test_a_stream_has_past_and_future_changes(
    client: FlaskClient, index_now: Callable[[], None]
) -> None:
    stream = client.get("/v1/changes?since=1", headers=EVENTS, buffered=False)
    assert stream.content_type == "text/event-stream; charset=utf-8"
    chunks = stream.iter_encoded()
    there = events(chunks, 2)
    assert [each["event"] for each in there] == ["created", "created"]
    put(client.application.test_client(), "new")
    index_now()
    (new,) = events(chunks, 1)
    assert '"id": "new"' in new["data"]
    stream.close()
    again = client.get(
        "/v1/changes",
        headers={**EVENTS, "Last-Event-ID": there[0]["id"]},
        buffered=False,
    )
    assert events(again.iter_encoded(), 2) == [there[1], new]
    again.close()


@pytest.mark.parametrize(
    ("accept", "streams"),
    [
        ("text/event-stream;q=0, application/json", False),
        ("text/event-stream;q=0", False),
        ("text/event-stream;q=0.5, application/json", False),
        ("*/*", False),
        ("text/*", False),
        ("text/event-stream, */*", True),
        ("TEXT/Event-Stream", True),
        ("application/json;q=0.5, text/event-stream;q=0.8", True),
    ],
)
def test_only_a_client_that_prefers_events_gets_a_stream(
    app: Flask, client: FlaskClient, accept: str, *, streams: bool
) -> None:
    use_worker(app, lambda: False)
    answer = client.get("/v1/changes", headers={"Accept": accept})
    assert answer.content_type.startswith("text/event-stream") is streams


def test_a_stream_of_another_history_is_refused(client: FlaskClient) -> None:
    answer = client.get("/v1/changes", headers={**EVENTS, "Last-Event-ID": "1@abc"})
    assert answer.status_code == 409


def test_a_stream_ends_after_a_while(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "STREAM_SECONDS", 0.2)
    monkeypatch.setattr(changes, "_BEAT_SECONDS", 0.0)
    text = client.get("/v1/changes?since=3", headers=EVENTS).text
    assert text.startswith("retry: 1000\n\nid: 3@")
    assert ": still here\n\n" in text


def consumer() -> Callable[..., Iterator[tuple[int, str]]]:
    """The generator in the README."""
    readme = (ROOT / "README.md").read_text("utf-8")
    (block,) = (
        each
        for each in re.findall(r"```python\n(.*?)```", readme, re.S)
        if "def follow" in each
    )
    assert len(block[block.index("def follow") :].strip().split("\n")) <= 15
    names: dict[str, Any] = {}
    exec(block, names)
    follow: Callable[..., Iterator[tuple[int, str]]] = names["follow"]
    return follow


@pytest.fixture
def served(app: Flask) -> Iterator[str]:
    """The address of the API of a test's own service, on a port of its own."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
def test_the_consumer_of_the_readme_keeps_a_copy_in_step(
    served: str, client: FlaskClient, index_now: Callable[[], None]
) -> None:
    copy: dict[str, Any] = {}
    following = consumer()(served, copy)
    since, history = next(following)
    assert set(copy) == {"urn:test:harbour", "urn:test:grain", "urn:test:museum"}
    put(client, "new%2F1")
    client.post("/v1/articles/urn:test:grain/kill")
    index_now()
    again = consumer()(served, copy, since, history)  # as after a restart
    next(again)
    assert copy["urn:test:grain"] is None
    assert copy["new/1"]["paragraphs"][0]["text"] == "On new%2F1."
    following.close()  # type: ignore[attr-defined]
    again.close()  # type: ignore[attr-defined]


def failing(app: Flask, name: str, *statuses: int) -> list[int]:
    """Make an app answer a path with these first; return the list of those left."""
    left = list(statuses)

    @app.before_request
    def fail() -> Response | None:
        if left and request.path.endswith(name):
            return Response(status=left.pop(0), headers={"Retry-After": "0"})
        return None

    return left


@pytest.mark.slow
def test_the_consumer_of_the_readme_waits_where_it_is_asked_to(
    app: Flask, served: str
) -> None:
    left = failing(app, "grain", 429, 503, 429)
    copy: dict[str, Any] = {}
    next(consumer()(served, copy))
    assert left == []
    assert set(copy) == {"urn:test:harbour", "urn:test:grain", "urn:test:museum"}
    assert None not in copy.values()


@pytest.mark.slow
def test_the_consumer_of_the_readme_removes_only_what_is_gone(
    app: Flask, served: str
) -> None:
    copy: dict[str, Any] = {}
    left = failing(app, "grain", 500, 410)
    with pytest.raises(HTTPError, match="500"):
        next(consumer()(served, copy))
    assert "urn:test:grain" not in copy
    next(consumer()(served, copy))
    assert left == []
    assert copy["urn:test:grain"] is None
    with pytest.raises(HTTPError, match="409"):
        next(consumer()(served, copy, 3, "&history=0"))
