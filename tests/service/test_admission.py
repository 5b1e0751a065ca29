"""From where the service may be called, and the headers of every answer."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from index.access import Scope, new_secret
from index.archive import Archive
from index.settings import Settings
from service import create_app
from service.hosts import allowed_hosts, is_loopback, network_of
from service.logs import JsonLines

HOME = "https://desk.example"


@pytest.fixture
def shared(settings: Settings, archive: Archive) -> FlaskClient:
    """A client of a service that accepts pages of HOME."""
    return create_app(replace(settings, cors=(HOME,)), archive).test_client()


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"]
)
def test_it_answers_to_its_own_machine(reading: FlaskClient, host: str) -> None:
    assert reading.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *(
            "evil.example",
            "evil.example:8000",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
        ),
        *("10.0.0.1", "localhost:8000@evil.example", "local host", ""),
    ],
)
def test_a_foreign_host_is_refused(reading: FlaskClient, host: str) -> None:
    answer = reading.get("/v1/fields", headers={"Host": host})
    assert answer.status_code == 400
    assert answer.json["code"] in ("host_refused", "bad_request")
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "target",
    [
        "http://evil.example/v1/fields",
        "HTTP://EVIL.example:8000/v1/fields",
        "http://localhost@evil.example/v1/fields",
        "http://[bad/v1/fields",
        "localhost:8000",
    ],
)
def test_a_foreign_host_in_the_request_line_is_refused(
    reading: FlaskClient, target: str
) -> None:
    for name in ("RAW_URI", "REQUEST_URI"):
        answer = reading.get("/v1/fields", environ_overrides={name: target})
        assert (answer.status_code, answer.json["code"]) == (400, "host_refused")


def test_its_own_host_in_the_request_line_is_accepted(
    reading: FlaskClient,
) -> None:
    for target in ("http://LOCALHOST:8000/healthz", "/healthz", "//evil.example", "*"):
        answer = reading.get("/healthz", environ_overrides={"RAW_URI": target})
        assert answer.status_code == 200, target


def test_a_request_names_its_host(app: Flask) -> None:
    environ = EnvironBuilder(path="/v1/fields").get_environ()
    for protocol in ("HTTP/1.1", "HTTP/1.0"):
        without = {k: v for k, v in environ.items() if k != "HTTP_HOST"}
        answer = Response.from_app(app, {**without, "SERVER_PROTOCOL": protocol})
        assert answer.status_code == 400
        assert answer.json["code"] == "host_refused"
        assert "got" not in answer.json


FOREIGN = ["evil.example", "10.0.0.1:8000", "local host", "[bad", "é", "", None]


def answer_to(
    app: Flask, path: str, host: str | None, protocol: str, **more: str
) -> Response:
    environ = EnvironBuilder(path=path).get_environ()
    del environ["HTTP_HOST"]
    if host is not None:
        environ["HTTP_HOST"] = host.encode().decode("latin-1")
    environ |= {"SERVER_PROTOCOL": protocol, "REMOTE_ADDR": "127.0.0.1", **more}
    return Response.from_app(app, environ)


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("protocol", ["HTTP/1.1", "HTTP/1.0"])
def test_health_is_told_to_any_host(
    app: Flask, archive: Archive, host: str | None, protocol: str
) -> None:
    with archive.store.indexer_lock():
        alive = answer_to(app, "/healthz", host, protocol)
        ready = answer_to(app, "/readyz", host, protocol)
        figures = answer_to(app, "/metrics", host, protocol)
    assert (alive.status_code, alive.json) == (200, {"status": "ok"})
    # Before the first key only calls to this machine are known to come from it.
    assert ready.json == {"status": "ready", "problems": [], "warnings": []}
    assert (figures.status_code, figures.json["code"]) == (400, "host_refused")


def test_health_is_told_in_full_to_a_key_at_any_host(
    app: Flask, archive: Archive
) -> None:
    key = archive.keys.add("operator", frozenset({Scope.ADMIN}))
    answer = answer_to(
        app, "/readyz", "10.0.0.1", "HTTP/1.0", HTTP_X_API_KEY=key.secret
    )
    assert answer.json["store_seq"] == 3


def test_a_page_of_a_foreign_host_may_not_read_health(app: Flask) -> None:
    origin = "http://evil.example"
    answer = answer_to(app, "/healthz", "evil.example", "HTTP/1.1", HTTP_ORIGIN=origin)
    assert (answer.status_code, answer.json["code"]) == (403, "origin_refused")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a.desk.example", True),
        ("A.desk.example:8000", True),
        ("b.a.desk.example", True),
        ("search.example", True),
        *((name, False) for name in ("desk.example", ".desk.example", "xdesk.example")),
        *((name, False) for name in ("a..desk.example", "a.desk.example.evil.example")),
        *((name, False) for name in ("evil.example/.desk.example", "*.desk.example.")),
        *((name, False) for name in ("x@a.desk.example", "a.desk.example\n")),
    ],
)
def test_a_star_stands_for_the_names_below_a_host(
    settings: Settings, host: str, *, expected: bool
) -> None:
    named = replace(settings, hosts=("*.desk.example", "search.example"))
    assert (host in allowed_hosts(named)) is expected


def test_it_answers_to_a_name_below_a_host(
    settings: Settings, archive: Archive
) -> None:
    named = replace(settings, hosts=("*.desk.example",))
    client = create_app(named, archive).test_client()
    archive.keys.add("first", frozenset({Scope.SEARCH}))
    for host, status in (("a.desk.example", 401), ("desk.example", 400)):
        answer = client.get("/v1/fields", headers={"Host": host})
        assert answer.status_code == status, host


def test_the_host_it_is_bound_to_is_its_own(
    settings: Settings, archive: Archive
) -> None:
    bound = create_app(replace(settings, bind="127.0.0.9:80"), archive).test_client()
    assert bound.get("/healthz", headers={"Host": "127.0.0.9"}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:3000", "", HOME]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/search"), ("DELETE", "/v1/articles/a"), ("OPTIONS", "/v1/search")],
)
def test_a_foreign_origin_is_refused(
    reading: FlaskClient, method: str, path: str, origin: str
) -> None:
    answer = reading.open(path, method=method, headers={"Origin": origin})
    assert (answer.status_code, answer.json["code"]) == (403, "origin_refused")
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_its_own_pages_may_call(reading: FlaskClient) -> None:
    answer = reading.get(
        "/v1/search",
        headers={"Origin": "http://localhost:8000", "Host": "localhost:8000"},
    )
    assert answer.status_code == 200


def test_a_page_of_an_allowed_origin_may_call(shared: FlaskClient) -> None:
    answer = shared.get("/v1/search", headers={"Origin": HOME})
    assert answer.headers["Access-Control-Allow-Origin"] == HOME
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert {"Accept", "Origin"} == {*answer.vary}
    assert "Access-Control-Allow-Credentials" not in answer.headers
    wrong = shared.get("/v1/search?x=1", headers={"Origin": HOME})
    assert wrong.headers["Access-Control-Allow-Origin"] == HOME
    without = shared.get("/v1/search")
    assert "Access-Control-Allow-Origin" not in without.headers
    assert {"Accept", "Origin"} == {*answer.vary}
    assert (
        shared.get("/v1/search", headers={"Origin": f"{HOME}.evil"}).status_code == 403
    )


def test_a_page_may_send_a_preflight(shared: FlaskClient) -> None:
    answer = shared.options(
        "/v1/articles/a%2Fb",
        headers={"Origin": HOME, "Access-Control-Request-Method": "PUT"},
    )
    assert (answer.status_code, answer.data) == (204, b"")
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    allowed = answer.headers["Access-Control-Allow-Headers"].split(", ")
    # What browsers' clients of event streams send, among others.
    assert {"Content-Type", "Last-Event-ID", "Cache-Control"} <= {*allowed}
    assert answer.headers["Access-Control-Allow-Origin"] == HOME


@pytest.mark.slow
def test_every_answer_is_safe_to_show(reading: FlaskClient) -> None:
    for path in ("/v1/search", "/nope", "/healthz", "/openapi.json", "/metrics"):
        headers = reading.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Cache-Control"] == "private, no-cache"
        assert headers["X-Request-Id"]


def test_a_request_keeps_its_id_if_it_is_a_plain_one(reading: FlaskClient) -> None:
    answer = reading.get("/healthz", headers={"X-Request-Id": "abc-1.2_3"})
    assert answer.headers["X-Request-Id"] == "abc-1.2_3"
    for odd in ("a b", "x" * 65, 'a"b', ""):
        answer = reading.get("/healthz", headers={"X-Request-Id": odd})
        assert len(answer.headers["X-Request-Id"]) == 32


@pytest.mark.parametrize(
    ("bind", "expected"),
    [
        ("127.0.0.1:8000", True),
        ("127.3.2.1:8000", True),
        ("localhost:8000", True),
        ("[::1]:8000", True),
        ("unix:/run/nutgraf.sock", True),
        ("0.0.0.0:8000", False),
        ("[::]:8000", False),
        (":8000", False),
        ("192.168.1.4:8000", False),
        ("127.evil.example:80", False),
    ],
)
def test_loopback_addresses_are_recognised(bind: str, expected: bool) -> None:
    assert is_loopback(bind) is expected


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("2001:db8::1", "2001:0db8:0000:0000"),
        ("2001:db8:0:0:9::", "2001:0db8:0000:0000"),
        ("2001:db8:0:1::1", "2001:0db8:0000:0001"),
        ("", ""),
    ],
)
def test_addresses_of_one_network_count_as_one(address: str, network: str) -> None:
    assert network_of(address) == network


def test_a_log_line_is_one_json_object(
    reading: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "nutgraf.access"):
        reading.get("/v1/articles/a%0aFORGED?q=private%0aLINE")
    (record,) = [each for each in caplog.records if each.name == "nutgraf.access"]
    line = JsonLines().format(record)
    assert "\n" not in line
    assert "private" not in line
    entry = json.loads(line)
    assert entry["path"] == "/v1/articles/a%0AFORGED"
    assert (entry["method"], entry["status"]) == ("GET", 400)
    assert entry["level"] == "info"


@pytest.mark.parametrize("name", ["path", "traceback", "message"])
def test_a_key_in_a_path_is_in_no_line(name: str) -> None:
    secret = new_secret("0123abcd")
    path = f"/v1/articles/urn:{secret}/versions"
    try:
        raise ValueError(path)
    except ValueError as error:
        raised = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("x", logging.INFO, "", 0, path, (), raised)
    record.path = path
    line = JsonLines().format(record)
    assert secret[12:] not in line
    assert "urn:ng_0123abcd_.../versions" in json.loads(line)[name]


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": new_secret("0123abcd")}])
def test_a_key_sent_as_an_id_is_in_no_line(
    app: Flask,
    client: FlaskClient,
    archive: Archive,
    caplog: pytest.LogCaptureFixture,
    headers: dict[str, str],
) -> None:
    new = archive.keys.add("desk", frozenset({Scope.SEARCH}))
    with caplog.at_level(logging.INFO):
        client.get(f"/v1/articles/{new.secret}", headers=headers)
        client.delete(f"/v1/articles/{new.secret}", headers={"X-API-Key": new.secret})
    lines = [JsonLines().format(record) for record in caplog.records]
    assert any(new.secret[:12] in line for line in lines)
    assert not any(new.secret[12:20] in line for line in lines)


def test_what_was_refused_is_logged_by_its_code(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "nutgraf"):
        client.get("/v1/search?q=private&limit=101")
        client.get("/v1/search?q=private")
        client.post("/v1/articles", json=[{"id": "a"}, {"id": "b", "headline": "B"}])
    lines = [json.loads(JsonLines().format(each)) for each in caplog.records]
    refused, answered, refused_articles, written = lines
    assert (refused["status"], refused["code"]) == (400, "limit_exceeded")
    assert "code" not in answered
    assert (refused_articles["message"], refused_articles["of"]) == (
        "articles refused",
        2,
    )
    assert refused_articles["codes"] == {"invalid_article": 1}
    assert written["status"] == 207
    assert not any("private" in json.dumps(each) for each in lines)


def test_a_traceback_stays_on_one_line() -> None:
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        record = logging.getLogger("x").makeRecord(
            "x", logging.ERROR, "f", 1, "failed\n%s", ("\x1b[31m",), exc_info=True
        )
        record.exc_info = __import__("sys").exc_info()
    line = JsonLines().format(record)
    assert "\n" not in line
    assert "ValueError" in json.loads(line)["traceback"]
