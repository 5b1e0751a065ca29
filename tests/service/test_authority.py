"""Keys over HTTP: how to send them, answers without a right key, and rates."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from described import resolved
from flask import Flask
from flask.testing import FlaskClient

from index.access import NewKey, Scope, keys
from index.archive import Archive
from index.errors import StoreUnavailable
from index.settings import Settings
from service import authority, create_app
from service.api import changes
from service.exchange.operations import OPEN, Blueprint
from service.logs import JsonLines

PATH = "/v1/search"
HARBOUR = "/v1/articles/urn:test:harbour"
Make = Callable[..., NewKey]


@pytest.fixture
def make(archive: Archive) -> Make:
    """A function that makes a key with these scopes."""

    def make_key(*scopes: str, name: str = "desk", **more: Any) -> NewKey:
        return archive.keys.add(name, keys.scopes_of(scopes or ("search",)), **more)

    return make_key


def bearer(new: NewKey) -> dict[str, str]:
    return {"Authorization": f"Bearer {new.secret}"}


def refused(answer: Any) -> dict[str, Any]:
    """Check that an answer is the one for callers without a valid key."""
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.content_type == "application/problem+json"
    problem: dict[str, Any] = answer.json
    assert problem["code"] == "unauthorized"
    return problem


def test_a_key_is_sent_in_either_header(client: FlaskClient, make: Make) -> None:
    new = make()
    secret = new.secret
    for headers in (
        {"Authorization": f"Bearer {secret}"},
        {"Authorization": f"bearer  {secret} "},
        {"X-API-Key": secret},
        {"Authorization": f"Bearer {secret}", "X-API-Key": secret},
        {"Authorization": "Basic ZGVzazpwYXNz", "X-API-Key": secret},
    ):
        assert client.get(PATH, headers=headers).status_code == 200, headers


def test_two_different_keys_are_refused(client: FlaskClient, make: Make) -> None:
    new, other = make(), make(name="other")
    answer = client.get(PATH, headers={**bearer(new), "X-API-Key": other.secret})
    assert (answer.status_code, answer.json["code"]) == (400, "conflicting_keys")


@pytest.mark.parametrize("name", ["key", "api_key", "apikey", "access_token", "token"])
def test_a_key_in_the_address_is_an_unknown_parameter(
    client: FlaskClient, make: Make, name: str
) -> None:
    new = make()
    refused(client.get(PATH, query_string={name: new.secret}))
    answer = client.get(PATH, query_string={name: new.secret}, headers=bearer(new))
    assert (answer.status_code, answer.json["code"]) == (400, "unknown_parameter")
    assert new.secret not in answer.text


def test_without_a_key_nothing_is_revealed(client: FlaskClient, make: Make) -> None:
    make()
    for headers in ({}, {"Authorization": "Basic ZGVzazpwYXNz"}):
        assert "Bearer KEY" in refused(client.get(PATH, headers=headers))["detail"]


def test_unknown_expired_and_revoked_keys_are_answered_alike(
    client: FlaskClient, archive: Archive, make: Make
) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    expired, revoked = make(name="a", expires=past), make(name="b")
    archive.keys.revoke("b")
    unknown = keys.new_secret("0a1b2c3d")
    answers = []
    for secret in (expired.secret, revoked.secret, unknown, "x", "", "ä", "a b, c"):
        answer = client.get(PATH, headers={"X-API-Key": secret})
        refused(answer)
        headers = [h for h in answer.headers if h[0] != "X-Request-Id"]
        answers.append((answer.data, headers))
    assert all(each == answers[0] for each in answers)


def test_a_revoked_key_is_refused_by_the_next_request(
    client: FlaskClient, archive: Archive, make: Make
) -> None:
    new = make()
    assert client.get(PATH, headers=bearer(new)).status_code == 200
    archive.keys.revoke("desk")
    refused(client.get(PATH, headers=bearer(new)))


def test_revoking_the_last_key_opens_nothing(
    client: FlaskClient, archive: Archive, make: Make
) -> None:
    assert client.get(PATH).status_code == 200
    make()
    archive.keys.revoke("desk")
    refused(client.get(PATH))


def test_both_keys_of_a_rotation_work(
    client: FlaskClient, archive: Archive, make: Make
) -> None:
    first = make()
    new, _ = archive.keys.rotate("desk", overlap=timedelta(days=7))
    for each in (first, new):
        assert client.get(PATH, headers=bearer(each)).status_code == 200


def test_a_missing_scope_is_named(client: FlaskClient, make: Make) -> None:
    answer = client.get(PATH, headers=bearer(make("ingest")))
    assert answer.status_code == 403
    assert (answer.json["code"], answer.json["scope"]) == ("scope", "search")
    assert "search" in answer.json["detail"]


@pytest.mark.slow
def test_a_key_that_may_not_write_is_refused_before_its_body_is_read(
    client: FlaskClient, make: Make
) -> None:
    class Unread(io.BytesIO):
        def read(self, *sizes: int | None) -> bytes:
            raise AssertionError("the body was read")

    new = make()
    for method, path in (("PUT", HARBOUR), ("POST", "/v1/articles")):
        answer = client.open(
            path,
            method=method,
            headers=bearer(new),
            input_stream=Unread(),
            content_length=1000,
            content_type="application/json",
        )
        assert (answer.status_code, answer.json["scope"]) == (403, "ingest")
    # Nor does it reveal whether the article exists.
    for path in (HARBOUR, "/v1/articles/none"):
        answer = client.delete(path, headers=bearer(new))
        assert (answer.status_code, answer.json["scope"]) == (403, "ingest")


def test_open_operations_need_no_key_and_no_store(
    client: FlaskClient,
    archive: Archive,
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make()
    for path in ("/healthz", "/openapi.json", "/docs", "/static/page.css"):
        for headers in ({}, {"X-API-Key": "wrong"}):
            with client.get(path, headers=headers) as answer:
                assert answer.status_code in (200, 302), path

    def broken(*arguments: object) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(type(archive.keys), "find", broken)
    assert client.get("/healthz", headers={"X-API-Key": "x"}).status_code == 200
    answer = client.get(PATH, headers={"X-API-Key": "x"})
    assert (answer.status_code, answer.json["code"]) == (503, "store_unavailable")


def test_only_administrators_see_the_figures_in_readyz(
    client: FlaskClient, make: Make
) -> None:
    assert "store_seq" in client.get("/readyz").json
    reader, admin = make(), make("admin", name="watch")
    for headers in ({}, bearer(reader), {"X-API-Key": "wrong"}):
        answer = client.get("/readyz", headers=headers)
        assert set(answer.json) == {"status", "problems", "warnings"}
    assert "store_seq" in client.get("/readyz", headers=bearer(admin)).json


def test_metrics_are_for_administrators(client: FlaskClient, make: Make) -> None:
    assert client.get("/metrics").status_code == 200
    reader, admin = make(), make("admin", name="watch")
    refused(client.get("/metrics"))
    assert client.get("/metrics", headers=bearer(reader)).status_code == 403
    assert client.get("/metrics", headers=bearer(admin)).status_code == 200


@pytest.mark.parametrize(
    ("bind", "host", "peer"),
    [
        ("0.0.0.0:8000", "localhost", "127.0.0.1"),
        ("10.1.2.3:8000", "10.1.2.3", "127.0.0.1"),
        ("127.0.0.1:8000", "localhost", "10.0.0.7"),
        ("127.0.0.1:8000", "search.desk.example", "127.0.0.1"),
    ],
)
def test_callers_from_other_machines_always_need_a_key(
    settings: Settings, archive: Archive, bind: str, host: str, peer: str
) -> None:
    changed = replace(settings, bind=bind, hosts=("search.desk.example",))
    client = create_app(changed, archive).test_client()
    overrides = {"REMOTE_ADDR": peer}
    for path in (PATH, HARBOUR, "/metrics"):
        refused(client.get(path, headers={"Host": host}, environ_overrides=overrides))
    new = archive.keys.add("desk", frozenset({Scope.SEARCH}))
    answer = client.get(
        PATH, headers={"Host": host, **bearer(new)}, environ_overrides=overrides
    )
    assert answer.status_code == 200


def test_a_server_may_listen_elsewhere_than_the_settings_say(
    app: Flask, client: FlaskClient
) -> None:
    from service import bound_to

    bound_to(app, ["127.0.0.1:8000", "[::1]:8000", "unix:/run/nutgraf.sock"])
    assert client.get(PATH).status_code == 200
    bound_to(app, ["127.0.0.1:8000", "0.0.0.0:8000"])
    refused(client.get(PATH))


@pytest.mark.slow
def test_it_answers_to_its_configured_names(
    settings: Settings, archive: Archive, make: Make
) -> None:
    changed = replace(settings, hosts=("search.desk.example",))
    client = create_app(changed, archive).test_client()
    headers = bearer(make())
    for host, status in (
        ("search.desk.example", 200),
        ("SEARCH.desk.example:443", 200),
        ("localhost", 200),
        ("desk.example", 400),
        ("search.desk.example.evil.example", 400),
    ):
        answer = client.get(PATH, headers={"Host": host, **headers})
        assert answer.status_code == status, host


def test_a_foreign_origin_is_refused_also_with_a_key(
    client: FlaskClient, make: Make
) -> None:
    answer = client.get(
        PATH, headers={"Origin": "https://evil.example", **bearer(make())}
    )
    assert (answer.status_code, answer.json["code"]) == (403, "origin_refused")


def test_a_page_of_an_allowed_origin_may_send_a_key(
    settings: Settings, archive: Archive, make: Make
) -> None:
    home = "https://desk.example"
    client = create_app(replace(settings, cors=(home,)), archive).test_client()
    headers = bearer(make())
    asked = {"Origin": home, "Access-Control-Request-Method": "GET"}
    allowed = client.options(PATH, headers=asked).headers
    assert {"Authorization", "X-API-Key"} <= set(
        allowed["Access-Control-Allow-Headers"].split(", ")
    )
    answer = client.get(PATH, headers={"Origin": home, **headers})
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert {"RateLimit", "RateLimit-Policy", "Retry-After"} <= exposed


@pytest.mark.slow
def test_a_rate_is_announced_and_enforced(client: FlaskClient, make: Make) -> None:
    headers = bearer(make(rate=2))
    first = client.get(PATH, headers=headers)
    assert first.headers["RateLimit-Policy"] == '"key";q=2;w=60'
    assert first.headers["RateLimit"] == '"key";r=1;t=30'
    # A call refused for its scope counts too.
    second = client.put(HARBOUR, headers=headers)
    assert (second.status_code, second.headers["RateLimit"]) == (403, '"key";r=0;t=60')
    third = client.get(PATH, headers=headers)
    assert (third.status_code, third.json["code"]) == (429, "rate_limited")
    assert third.headers["RateLimit"].startswith('"key";r=0;t=')
    assert 0 < int(third.headers["Retry-After"]) <= 30
    assert third.json["limit"] == 2
    assert third.json["retry_after"] == int(third.headers["Retry-After"])
    other = make(name="other")
    assert client.get(PATH, headers=bearer(other)).status_code == 200
    assert client.get("/healthz", headers=headers).status_code == 200


@pytest.mark.slow
def test_a_rate_is_shared_by_the_apps_of_a_store(
    settings: Settings, archive: Archive, make: Make
) -> None:
    headers = bearer(make(rate=3))
    one = create_app(settings, archive).test_client()
    second_archive = Archive.open(settings)
    other = create_app(settings, second_archive).test_client()
    answered = [
        client.get("/v1/fields", headers=headers).status_code
        for client in (one, other, one, other, one)
    ]
    assert answered == [200, 200, 200, 429, 429]
    second_archive.close()


@pytest.mark.slow
def test_a_key_without_a_rate_has_that_of_the_settings(
    settings: Settings, archive: Archive, make: Make
) -> None:
    headers = bearer(make())
    limited = create_app(replace(settings, rate=1), archive).test_client()
    assert limited.get(PATH, headers=headers).headers["RateLimit-Policy"] == (
        '"key";q=1;w=60'
    )
    assert limited.get(PATH, headers=headers).status_code == 429
    free = create_app(replace(settings, rate=None), archive).test_client()
    answer = free.get(PATH, headers=headers)
    assert answer.status_code == 200
    assert "RateLimit" not in answer.headers
    own = bearer(make(name="own", rate=keys.UNLIMITED))
    for _ in range(3):
        answer = limited.get(PATH, headers=own)
        assert answer.status_code == 200
        assert "RateLimit-Policy" not in answer.headers
    assert archive.rates.used(archive.keys.all()[1].id)


def test_a_wrong_key_is_refused_also_before_any_was_made(client: FlaskClient) -> None:
    refused(client.get(PATH, headers={"X-API-Key": keys.new_secret("0a1b2c3d")}))
    # Another scheme is not for this service.
    answer = client.get(PATH, headers={"Authorization": "Basic ZGVzazpwYXNz"})
    assert answer.status_code == 200


def test_a_key_that_ends_while_it_waits_gets_nothing(
    client: FlaskClient,
    archive: Archive,
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    new = make()
    newest = archive.seq()

    def wait(feed: object, page: object, seconds: float, check: object) -> object:
        archive.keys.revoke("desk")
        return page

    monkeypatch.setattr("service.api.changes.Feed.wait", wait)
    path = f"/v1/changes?since={newest}&wait=1"
    refused(client.get(path, headers=bearer(new)))


@pytest.mark.parametrize("form", ["wait", "stream"])
def test_an_idle_feed_ends_soon_after_its_key(
    client: FlaskClient,
    archive: Archive,
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
) -> None:
    new = make()
    checks = []

    def look(after: int, seconds: float) -> int:  # at the store, in no time
        checks.append(seconds)
        if len(checks) == 2:
            archive.keys.revoke("desk")
        assert len(checks) < 1_000, "the feed goes on"
        return after

    monkeypatch.setattr(archive, "wait_for_change", look)
    monkeypatch.setattr(changes, "_CHECK_SECONDS", 0.0)
    path = f"/v1/changes?since={archive.seq()}"
    if form == "wait":
        refused(client.get(f"{path}&wait=30", headers=bearer(new)))
    else:
        headers = {**bearer(new), "Accept": changes.EVENTS}
        assert client.get(path, headers=headers).text.count("data:") == 0
    assert len(checks) == 2


def test_callers_without_a_key_have_no_rate(client: FlaskClient) -> None:
    assert "RateLimit" not in client.get(PATH).headers


def test_guessing_is_slowed_down_and_right_keys_are_not(
    client: FlaskClient, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authority, "FAILURES", 2)
    new = make()
    statuses = [
        client.get(PATH, headers={"X-API-Key": f"ng_{n}"}).status_code for n in range(3)
    ]
    assert statuses == [401, 401, 429]
    answer = client.get(PATH, headers={"X-API-Key": "ng_9"})
    assert answer.json["code"] == "rate_limited"
    assert int(answer.headers["Retry-After"]) >= 1
    assert client.get(PATH, headers=bearer(new)).status_code == 200
    refused(client.get(PATH))  # no key is not a wrong key
    elsewhere = {"REMOTE_ADDR": "10.0.0.7"}
    refused(client.get(PATH, headers={"X-API-Key": "x"}, environ_overrides=elsewhere))
    # The owner of an IPv6 address chooses its second half.
    for last, status in ((":1", 401), (":2:3", 401), ("ffff:4:5:6", 429)):
        answer = client.get(
            PATH,
            headers={"X-API-Key": "x"},
            environ_overrides={"REMOTE_ADDR": f"2001:db8:1:2:{last}"},
        )
        assert answer.status_code == status


@pytest.mark.slow
def test_logs_name_the_key_and_never_hold_it(
    client: FlaskClient,
    archive: Archive,
    make: Make,
    caplog: pytest.LogCaptureFixture,
) -> None:
    new, ended = make(rate=2), make(name="old")
    archive.keys.revoke("old")
    wrong = keys.new_secret("0a1b2c3d")
    with caplog.at_level(logging.INFO, "nutgraf"):
        texts = [
            client.get(PATH, headers=bearer(new)).text,
            client.put(HARBOUR, headers=bearer(new)).text,
            client.get(PATH, headers=bearer(new)).text,
            client.get(PATH, headers=bearer(ended)).text,
            client.get(PATH, headers={"X-API-Key": wrong}).text,
            client.get(PATH, headers={**bearer(new), "X-API-Key": wrong}).text,
        ]
    texts.append(client.get("/metrics", headers=bearer(make("admin", name="w"))).text)
    lines = [JsonLines().format(record) for record in caplog.records]
    for secret in (new.secret, ended.secret, wrong):
        part = secret.split("_", 2)[2][:12]
        assert not any(part in text for text in (*lines, *texts))
    entries = [json.loads(line) for line in lines]
    access = [entry for entry in entries if entry["logger"] == "nutgraf.access"]
    assert [entry["key"] for entry in access] == ["desk"] * 3 + [None] * 3
    events = [entry for entry in entries if entry["logger"] == "nutgraf.authority"]
    assert [(entry["message"], entry["key"]) for entry in events] == [
        ("scope", "desk"),
        ("rate limited", "desk"),
        ("wrong key", "old"),
        ("wrong key", None),
    ]
    assert [each["reason"] for each in events[2:]] == ["revoked", "unknown"]


def test_an_operation_must_declare_its_scope() -> None:
    blueprint = Blueprint("b", __name__)
    with pytest.raises(TypeError, match="scope"):
        blueprint.operation("GET", "/x", gives={})  # type: ignore[call-arg]


def test_an_app_with_an_endpoint_without_scope_does_not_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_app(settings)
    real = authority.scopes_of
    monkeypatch.setattr(
        authority,
        "scopes_of",
        lambda app: {k: v for k, v in real(app).items() if k != "search.facet"},
    )
    with pytest.raises(RuntimeError, match=r"search\.facet"):
        create_app(settings)


def test_the_document_says_which_scope_an_operation_needs(client: FlaskClient) -> None:
    described = resolved(client.get("/openapi.json").json)
    schemes = described["components"]["securitySchemes"]
    assert schemes["header"]["name"] == "X-API-Key"
    search = described["paths"][PATH]["get"]
    assert search["security"] == [
        *[{"bearer": ["search"]}, {"header": ["search"]}],
        *[{"bearer": ["feed"]}, {"header": ["feed"]}, {"basic": ["feed"]}],
    ]
    post = described["paths"][PATH]["post"]
    assert post["security"] == [{"bearer": ["search"]}, {"header": ["search"]}]
    assert {"401", "403", "4XX"} <= set(search["responses"])
    assert described["paths"]["/healthz"]["get"]["security"] == []
    assert OPEN is None
