"""Bad input, row by row: each with its status, its code and the facts that help.

Rows that need another service than an idle one in memory have their tests elsewhere:
deadlines and missing indexes in tests/service/test_search.py and test_problems.py, a
full disk in tests/store/test_store.py, bodies that are cut off, and lines and headers
that are too long, in tests/service/test_gunicorn.py.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import RequestEntityTooLarge

from index.archive import Archive
from index.article import article_of
from index.errors import StoreFull
from index.jobs import Indexer
from index.query import Request
from index.settings import Settings
from index.store import Store

JSON = "application/json"
NOTHING: dict[str, Any] = {}


def search(**parameters: str) -> str:
    return "/v1/search?" + "&".join(
        f"{name}={quote(value)}" for name, value in parameters.items()
    )


# Parameters: what is asked, the code of the 400, and facts of it.
PARAMETERS = [
    (search(q="a" * 1_001), "query_too_long", {"limit": 1_000, "got": 1_001}),
    (
        search(q=" ".join(f"w{n}" for n in range(65))),
        "query_too_many_clauses",
        {"limit": 64, "got": 65},
    ),
    (
        search(q="(" * 21 + "a" + ")" * 21),
        "query_too_deep",
        {"limit": 20, "got": 21, "position": 20},
    ),
    (search(q='("a', strict="1"), "query_syntax", {"position": 1}),
    (search(q="a AND", strict="1"), "query_syntax", {"position": 2}),
    (search(q="NOT NOT x", strict="1"), "query_syntax", {"position": 0}),
    (search(q="*"), "wildcard_too_broad", {"limit": 3, "got": 0}),
    (search(q="?x"), "wildcard_too_broad", {"limit": 3, "got": 0}),
    (search(q="*ri"), "wildcard_too_broad", {"limit": 3, "got": 0}),
    (search(q="ba*"), "wildcard_too_broad", {"limit": 3, "got": 2}),
    (search(q="word~3"), "fuzzy_distance", {"limit": 2, "got": 3}),
    (search(q="abc~"), "fuzzy_distance", {"limit": 4, "got": 3}),
    (search(q="headline:[a TO z]"), "unsupported_syntax", {"position": 9}),
    (search(q="nope:x", strict="1"), "unknown_field", {"field": "nope"}),
    (search(facet="nope"), "unknown_field", {"parameter": "facet", "field": "nope"}),
    (search(q="published:[2016-13 TO 2017]"), "invalid_value", {"got": "2016-13"}),
    (search(q=f"urgency:{'9' * 400}"), "invalid_value", {"got": "9" * 50}),
    (search(**{"from": "2016-02-30"}), "invalid_value", {"parameter": "from"}),
    (search(**{"from": "0000-01-01"}), "invalid_value", {"parameter": "from"}),
    (
        search(**{"from": "2017", "to": "2016"}),
        "invalid_value",
        {"parameter": "from", "got": "2017"},
    ),
    (search(urgency="x"), "invalid_value", {"parameter": "urgency", "got": "x"}),
    (search(page="0"), "invalid_value", {"parameter": "page", "got": "0"}),
    (search(limit="101"), "limit_exceeded", {"limit": 100, "got": 101}),
    (
        search(page="101", limit="100"),
        "page_out_of_range",
        {"limit": 10_000, "got": 10_100},
    ),
    (search(sorted="newest"), "unknown_parameter", {"nearest": "sort"}),
    ("/v1/search?q=a&q=b", "repeated_parameter", {"parameter": "q", "got": 2}),
    ("/v1/search?q=%00", "invalid_encoding", {"parameter": "q"}),
    ("/v1/search?q=%ff", "invalid_encoding", {"parameter": "q"}),
    ("/v1/search?q=%ed%a0%80", "invalid_encoding", {"parameter": "q"}),
    (search(cursor="xyz"), "invalid_cursor", {"parameter": "cursor"}),
    (search(key="secret"), "unknown_parameter", {"parameter": "key"}),
    ("/v1/articles/a%20b", "invalid_id", {"got": "a b"}),
    (f"/v1/articles/{'x' * 401}", "invalid_id", {"parameter": "id"}),
    ("/v1/articles/a%00b", "invalid_id", {"parameter": "id"}),
    ("/v1/articles/a%0d%0aX", "invalid_id", {"parameter": "id"}),
]

# Bodies of an article: its type, the body, status, code, and facts.
BODIES = [
    (JSON, b'{"headline": NaN}', 400, "invalid_json", NOTHING),
    (JSON, b'{"headline": "a", "x": 1e400}', 400, "invalid_json", NOTHING),
    (JSON, b'{"headline": "a", "headline": "b"}', 400, "invalid_json", NOTHING),
    (JSON, b"[" * 100_000, 400, "invalid_json", NOTHING),
    (JSON, b'{"headline": "\\ud800"}', 400, "invalid_json", NOTHING),
    (JSON, b'{"x": %s}' % (b"9" * 5_000), 400, "invalid_json", NOTHING),
    (JSON, b'{"headline": "\xff"}', 400, "invalid_json", NOTHING),
    (JSON, b'{"headline":\n "a",}', 400, "invalid_json", {"line": 2, "column": 6}),
    (JSON, b"", 411, "length_required", NOTHING),
    (JSON, b"{}", 422, "invalid_article", {"field": "paragraphs"}),
    (JSON, b'{"headline": {"a": 1}}', 422, "invalid_article", {"field": "headline"}),
    (
        JSON,
        b'{"headline": "a", "version": -1}',
        422,
        "invalid_article",
        {"field": "version"},
    ),
    (
        JSON,
        b'{"headline": "a", "status": "gone"}',
        422,
        "invalid_article",
        {"field": "status"},
    ),
    (
        JSON,
        json.dumps({"headline": "a", "paragraphs": ["x" * 1_100_000]}).encode(),
        422,
        "article_too_large",
        {"limit": 1_048_576},
    ),
    ("text/plain", b"\xff\xfea\x00\x00\xd8", 422, "invalid_encoding", NOTHING),
    ("text/plain; charset=utf-16", b"a\x00b\x00", 422, "invalid_encoding", NOTHING),
    ("text/plain; charset=utf-7", b"half +2AA-", 422, "invalid_encoding", NOTHING),
    ("image/png", b"\x89PNG", 415, "unsupported_media_type", {"got": "image/png"}),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n',
        415,
        "unsupported_media_type",
        NOTHING,
    ),
    (
        "application/x-www-form-urlencoded",
        b"headline=a",
        415,
        "unsupported_media_type",
        NOTHING,
    ),
]


def check(answer: Any, status: int, code: str, facts: dict[str, Any]) -> None:
    """Assert that an answer is this problem, with these facts and no internals."""
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.content_type == "application/problem+json"
    assert {name: answer.json.get(name) for name in facts} == facts
    assert answer.json["detail"]
    text = answer.text.lower()
    for inner in ("traceback", "whoosh", "sqlite", "/index/", 'file "', ".py"):
        assert inner not in text


@pytest.mark.parametrize(("path", "code", "facts"), PARAMETERS)
def test_a_bad_parameter_is_400_and_says_which(
    reading: FlaskClient, path: str, code: str, facts: dict[str, Any]
) -> None:
    check(reading.get(path), 400, code, facts)


@pytest.mark.parametrize(("kind", "body", "status", "code", "facts"), BODIES)
def test_a_bad_body_is_refused_whole_and_says_why(
    reading: FlaskClient,
    shared_archive: Archive,
    kind: str,
    body: bytes,
    status: int,
    code: str,
    facts: dict[str, Any],
) -> None:
    seq = shared_archive.seq()
    check(
        reading.put("/v1/articles/a", data=body, content_type=kind), status, code, facts
    )
    assert shared_archive.seq() == seq


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Encoding": "br"}, 415, "unsupported_media_type"),
        ({"Content-Encoding": "gzip"}, 422, "invalid_gzip"),
    ],
)
def test_a_wrongly_compressed_body_is_refused(
    client: FlaskClient, headers: dict[str, str], status: int, code: str
) -> None:
    answer = client.put(
        "/v1/articles/a", data=b"{}", content_type=JSON, headers=headers
    )
    check(answer, status, code, {})


def test_a_body_that_says_it_is_too_long_is_not_read(
    client: FlaskClient, settings: Settings
) -> None:
    answer = client.put(
        "/v1/articles/a",
        data=b"{}",
        content_type=JSON,
        environ_overrides={"CONTENT_LENGTH": str(settings.body_bytes + 1)},
    )
    facts = {"limit": settings.body_bytes, "got": settings.body_bytes + 1}
    check(answer, 413, "body_too_large", facts)


@pytest.mark.slow
def test_more_articles_than_a_request_may_hold_are_refused(
    client: FlaskClient, settings: Settings
) -> None:
    many = [
        {"id": f"a{n}", "headline": "a"}
        for n in range(settings.articles_per_request + 1)
    ]
    answer = client.post("/v1/articles", json=many)
    check(answer, 413, "too_many_articles", {"limit": settings.articles_per_request})


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/articles/none", 404, "article_not_found"),
        ("GET", "/v1/articles/urn:test:grain?version=9", 404, "article_not_found"),
        (
            "GET",
            "/v1/articles/urn:test:grain/paragraphs/99",
            404,
            "paragraph_not_found",
        ),
        ("DELETE", "/v1/articles/none", 404, "article_not_found"),
        ("GET", "/nope", 404, "not_found"),
        ("GET", "/v1/articles/../../etc/passwd", 404, "not_found"),
        ("POST", "/healthz", 405, "method_not_allowed"),
        ("PATCH", "/v1/articles/a", 405, "method_not_allowed"),
    ],
)
def test_what_is_missing_is_named(
    client: FlaskClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.open(path, method=method)
    check(answer, status, code, {})
    assert (status == 405) is ("Allow" in answer.headers)


@pytest.mark.parametrize(
    "q", ["", " ", '("a', "a AND", "NOT NOT x", "nope:x", "/re.*/"]
)
def test_a_query_with_mistakes_is_understood_and_the_answer_says_how(
    reading: FlaskClient, q: str
) -> None:
    answer = reading.get(search(q=q))
    assert answer.status_code == 200
    assert bool(answer.json["query"]["warnings"]) is bool(q.strip())


def test_repeated_late_and_changed_versions_are_distinguished(
    client: FlaskClient,
) -> None:
    def put(headline: str, version: str) -> Any:
        body = {"headline": headline, "version": version}
        answer = client.put("/v1/articles/v", json=body)
        return answer.status_code, answer.json["results"][0]["status"]

    assert put("Two", "2") == (200, "created")
    assert put("Two", "2") == (200, "unchanged")
    assert put("One", "1") == (200, "stored")
    assert put("Three", "3") == (200, "updated")
    answer = client.put("/v1/articles/v", json={"headline": "Other", "version": "3"})
    check(answer, 409, "version_conflict", {"version": "3"})


def test_a_full_disk_is_reported_and_reading_continues(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreFull

    monkeypatch.setattr(Store, "put", full)
    answer = client.put("/v1/articles/a", json={"headline": "a"})
    check(answer, 507, "storage_full", {})
    assert answer.headers["Retry-After"]
    assert client.get("/v1/search?q=harbour").status_code == 200


def test_markup_is_text_and_is_escaped(client: FlaskClient, archive: Archive) -> None:
    client.put(
        "/v1/articles/a",
        json={
            "headline": "<script>alert(1)</script> zebra",
            "paragraphs": ["<img src=x onerror=alert(1)> zebra"],
        },
    )
    Indexer(archive.store, archive.engine).catch_up()
    (hit,) = client.get("/v1/search?q=zebra").json["hits"]
    for html in (hit["headline_html"], *(each["html"] for each in hit["passages"])):
        assert "<mark>zebra</mark>" in html
        bare = html.replace("<mark>", "").replace("</mark>", "")
        assert "<" not in bare
        assert ">" not in bare


@pytest.mark.slow
def test_an_article_of_ever_new_and_endless_words_is_taken_and_found(
    settings: Settings, tmp_path: Path
) -> None:
    whoosh = replace(settings, engine=f"whoosh:{tmp_path / 'index'}")
    words = [f"w{n:x}" for n in range(100_000)]
    endless = "x" * 100_000
    with closing(Archive.open(whoosh)) as archive:
        body = article_of({"id": "a", "paragraphs": [" ".join(words), endless]})
        other = article_of({"id": "b", "paragraphs": ["A neighbour."]})
        archive.put([body, other])
        archive.store.request_rebuild()
        Indexer(archive.store, archive.engine).catch_up()
        assert archive.search(Request(q="w1869f")).hits[0].article["id"] == "a"
        assert archive.search(Request(q="neighbour")).articles == 1


def test_multipart_forms_are_never_read(app: Flask) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'
    kind = "multipart/form-data; boundary=x"
    with (
        app.test_request_context(
            method="POST", data=body, content_type=kind
        ) as context,
        pytest.raises(RequestEntityTooLarge),
    ):
        context.request.form.get("a")
