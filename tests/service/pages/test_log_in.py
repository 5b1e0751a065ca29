"""Sessions over HTTP: logging in and out, and what a cookie is good for."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from archives import index, put
from flask import Flask
from flask.testing import FlaskClient
from stores import behind

from index.access import SESSIONS_PER_KEY, NewKey, Scope, keys, rates
from index.archive import Archive
from index.errors import StoreFull
from index.settings import Settings
from service import authority, create_app
from service.exchange import scopes_of
from service.exchange.operations import OPEN, pages_of
from service.logs import JsonLines

OWN = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
HTTPS = {"base_url": "https://search.desk.example"}
_PARAMETER = re.compile(r"<(?:any\((\w+)[^>]*|[^>]*)>")  # of a rule
Make = Callable[..., NewKey]


@pytest.fixture
def app_with(settings: Settings, archive: Archive) -> Callable[..., Flask]:
    """A function that makes the service with other settings."""
    return lambda **more: create_app(replace(settings, **more), archive)


@pytest.fixture
def make(archive: Archive) -> Make:
    """A function that makes a key with these scopes."""

    def make_key(*scopes: str, name: str = "desk", **more: Any) -> NewKey:
        return archive.keys.add(name, keys.scopes_of(scopes or ("search",)), **more)

    return make_key


def token_in(page: str) -> str:
    found = re.search(r'name="token" value="(\w+)"', page)
    assert found is not None, page
    return found[1]


def log_in(client: FlaskClient, secret: str, target: str = "/", **headers: str) -> Any:
    """Open the form and send it with a key."""
    form = client.get("/login", query_string={"next": target})
    assert form.status_code == 200
    return client.post(
        "/login",
        data={"key": secret, "next": target, "token": token_in(form.text)},
        headers={**OWN, **headers},
    )


def logged_in(client: FlaskClient, new: NewKey) -> str:
    """Log in, and return the id of the session."""
    assert log_in(client, new.secret).status_code == 303
    cookie = client.get_cookie("nutgraf")
    assert cookie is not None
    return cookie.value


def count(archive: Archive) -> int:
    """The sessions that are stored."""
    with behind(archive.store.url) as connection:
        ((number,),) = connection.execute("SELECT count(*) FROM sessions")
        return int(number)


# A page behind keys.


def test_a_page_that_needs_a_key_leads_to_the_form(
    client: FlaskClient, make: Make
) -> None:
    make()
    for address in (
        "/",
        "/?q=harbour%20strike&section=Business",
        "/articles/a%2Fb?q=x",
    ):
        answer = client.get(address)
        assert answer.status_code == 303
        target = urlsplit(answer.headers["Location"])
        assert (target.scheme, target.netloc, target.path) == ("", "", "/login")
        assert parse_qs(target.query) == {"next": [address]}
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Cookie" in answer.headers["Vary"]


def test_without_keys_nobody_needs_to_log_in(client: FlaskClient) -> None:
    assert client.get("/").status_code == 200
    answer = client.get("/login", query_string={"next": "/?q=x"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?q=x")


def test_a_script_and_a_wrong_key_are_not_led_to_the_form(
    client: FlaskClient, make: Make
) -> None:
    make()
    for headers in (
        {"Sec-Fetch-Mode": "cors"},
        {"X-API-Key": "wrong"},
        {"Authorization": "Bearer wrong"},
    ):
        assert client.get("/", headers=headers).status_code == 401


def test_who_logs_in_is_back_where_they_were(client: FlaskClient, make: Make) -> None:
    new = make()
    answer = log_in(client, f" {new.secret}\n", "/?q=harbour")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?q=harbour")
    page = client.get("/?q=harbour")
    assert page.status_code == 200
    assert "Harbour strike" in re.sub("<[^>]*>", "", page.text)


def test_the_addresses_of_the_forms_have_the_prefix_of_the_proxy(
    client: FlaskClient, make: Make
) -> None:
    new = make()
    prefix = {"X-Forwarded-Prefix": "/archive"}
    answer = client.get("/?q=x", headers=prefix)
    assert answer.headers["Location"] == "/archive/login?next=/%3Fq%3Dx"
    form = client.get("/login", headers=prefix)
    # It is sent to where it is, whatever comes before that.
    assert '<form class="log-in" method="post">' in form.text
    answer = log_in(client, new.secret, "/?q=x", **prefix)
    assert answer.headers["Location"] == "/archive/?q=x"
    assert 'action="/archive/logout"' in client.get("/", headers=prefix).text
    for line in answer.headers.getlist("Set-Cookie"):
        assert "Path=/;" in f"{line};"


def test_answers_to_a_session_are_not_stored(client: FlaskClient, make: Make) -> None:
    logged_in(client, make())
    for address in ("/", "/?q=harbour", "/articles/urn:test:harbour", "/articles/none"):
        answer = client.get(address)
        assert answer.headers["Cache-Control"] == "no-store", address
        assert "Cookie" in answer.headers["Vary"]
        assert "ETag" not in answer.headers
        assert "Last-Modified" not in answer.headers


def test_a_page_says_whose_key_it_is_and_what_it_may(
    client: FlaskClient, make: Make
) -> None:
    filters = keys.filters_of(
        [("section", "Business"), ("section", "<b>")], [("source", "Market Desk")]
    )
    new = make("search", "read-embargoed", filters=filters)
    logged_in(client, new)
    for address in ("/", "/articles/urn:test:harbour"):
        page = client.get(address).text
        text = re.sub("<[^>]*>", "", page)
        assert "Key desk" in text
        assert "reads published, withheld and embargoed articles" in text
        assert "only section Business or &lt;b&gt;" in text
        assert "not source Market Desk" in text
        assert new.secret[12:] not in page


def test_without_a_session_no_page_names_a_key(client: FlaskClient, make: Make) -> None:
    new = make()
    page = client.get("/", headers={"X-API-Key": new.secret})
    assert page.status_code == 200
    assert "Log out" not in page.text
    assert "desk" not in re.sub("<[^>]*>", "", page.text.partition("<main")[0])


# What a session may.


def test_a_session_sees_what_its_key_sees(
    client: FlaskClient, archive: Archive, make: Make
) -> None:
    put(archive, "held", "A harbour secret.", embargoed_until="2999-01-01T00:00:00Z")
    index(archive)
    only = keys.filters_of([("section", "Business")])
    for new, statuses in (
        (make(name="plain"), {"held": 404, "urn:test:museum": 200}),
        (
            make("search", "read-embargoed", name="editor"),
            {"held": 200, "urn:test:museum": 200},
        ),
        (
            make(name="partner", filters=only),
            {"held": 404, "urn:test:museum": 404, "urn:test:grain": 200},
        ),
    ):
        logged_in(client, new)
        for article_id, status in statuses.items():
            page = client.get(f"/articles/{article_id}")
            api = client.get(
                f"/v1/articles/{article_id}", headers={"X-API-Key": new.secret}
            )
            assert page.status_code == api.status_code == status, article_id
        found = client.get("/?q=harbour").text
        assert ("secret" in found) is (statuses["held"] == 200)


def test_a_session_uses_up_the_rate_of_its_key(client: FlaskClient, make: Make) -> None:
    logged_in(client, make(rate=3))
    assert [client.get("/").status_code for _ in range(3)] == [200, 200, 429]


def test_a_cookie_means_nothing_to_the_api(
    client: FlaskClient, app: Flask, make: Make
) -> None:
    logged_in(client, make("search", "ingest", "admin"))
    pages, scopes = pages_of(app), scopes_of(app)
    tried = 0
    for rule in app.url_map.iter_rules():
        if rule.endpoint in pages or scopes[rule.endpoint] is OPEN:
            continue
        path = _PARAMETER.sub(lambda each: each[1] or "1", rule.rule)
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            answer = client.open(path, method=method)
            assert answer.status_code == 401, (method, path)
            assert "Cookie" not in answer.headers.get("Vary", "")
            tried += 1
    assert tried > 30


def test_the_api_answers_with_a_cookie_as_without(
    client: FlaskClient, app: Flask, make: Make
) -> None:
    logged_in(client, make())
    others = app.test_client()
    for path in ("/v1/search?q=x", "/v1/articles/urn:test:harbour", "/metrics"):
        one, other = client.get(path), others.get(path)
        assert one.status_code == other.status_code == 401
        assert one.data == other.data
    assert client.get("/readyz").json == others.get("/readyz").json


def test_a_key_in_a_header_goes_before_a_session(
    client: FlaskClient, make: Make
) -> None:
    logged_in(client, make())
    only = keys.filters_of([("section", "Business")])
    partner = make(name="partner", filters=only)
    header = {"X-API-Key": partner.secret}
    assert client.get("/articles/urn:test:museum").status_code == 200
    assert client.get("/articles/urn:test:museum", headers=header).status_code == 404
    wrong = {"Authorization": "Bearer wrong"}
    assert client.get("/", headers=wrong).status_code == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_session_is_good_for_reading_only(
    client: FlaskClient, make: Make, method: str
) -> None:
    logged_in(client, make())
    for path in ("/", "/articles/urn:test:harbour"):
        assert client.open(path, method=method).status_code == 405


def test_a_session_is_not_taken_for_another_method_of_a_page(
    app: Flask, client: FlaskClient, make: Make
) -> None:
    app.add_url_rule("/any", "pages.search", methods=["GET", "POST"])
    new = make()
    logged_in(client, new)
    assert client.get("/any").status_code == 200
    assert client.post("/any", headers=OWN).status_code == 401
    key = {"X-API-Key": new.secret}
    assert client.post("/any", headers={**OWN, **key}).status_code == 200


# Its end.


FORGED = (
    "x",
    "",
    "0" * 43,
    "ä",
    "a b",
    "nutgraf",
    "'; DROP TABLE sessions",
    "A" * 4000,
)


@pytest.mark.parametrize("value", FORGED)
def test_a_forged_cookie_is_none(client: FlaskClient, make: Make, value: str) -> None:
    new = make()
    for cookie in (value, new.key.id, new.secret, keys.secret_digest(new.secret).hex()):
        answer = client.get("/", headers={"Cookie": f"nutgraf={cookie}"})
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/login")


def test_a_changed_cookie_is_none(client: FlaskClient, make: Make) -> None:
    session_id = logged_in(client, make())
    for changed in (session_id[:-1], session_id + "A", session_id.swapcase()):
        client.set_cookie("nutgraf", changed)
        assert client.get("/").status_code == 303
    client.set_cookie("nutgraf", session_id)
    assert client.get("/").status_code == 200


def test_a_session_is_over_once_its_key_is_revoked(
    client: FlaskClient, archive: Archive, make: Make
) -> None:
    logged_in(client, make())
    archive.keys.revoke("desk")
    answer = client.get("/")
    assert answer.status_code == 303
    form = client.get(answer.headers["Location"])
    assert "Your session has ended" in form.text
    assert client.get_cookie("nutgraf") is None


def test_a_log_out_ends_the_session_and_not_the_cookie_alone(
    client: FlaskClient, app: Flask, make: Make
) -> None:
    session_id = logged_in(client, make())
    token = token_in(client.get("/").text)
    answer = client.post("/logout", data={"token": token}, headers=OWN)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert client.get_cookie("nutgraf") is None
    other = app.test_client()
    other.set_cookie("nutgraf", session_id)
    assert other.get("/").status_code == 303


def test_a_log_out_needs_its_own_token(
    client: FlaskClient, app: Flask, make: Make
) -> None:
    new = make()
    logged_in(client, new)
    other = app.test_client()
    logged_in(other, new)
    foreign = token_in(other.get("/").text)
    for token in ("", "x", foreign, "é"):
        answer = client.post("/logout", data={"token": token}, headers=OWN)
        assert answer.status_code == 403
        assert client.get("/").status_code == 200


def test_who_has_no_session_may_log_out(client: FlaskClient) -> None:
    answer = client.post("/logout", data={"token": ""}, headers=OWN)
    assert answer.status_code == 303


def test_each_log_in_has_a_new_id_and_ends_the_session_before(
    client: FlaskClient, app: Flask, archive: Archive, make: Make
) -> None:
    new = make()
    first = logged_in(client, new)
    second = logged_in(client, new)
    assert first != second
    other = app.test_client()
    other.set_cookie("nutgraf", first)
    assert other.get("/").status_code == 303
    assert count(archive) == 1


def test_no_id_that_somebody_planted_becomes_a_session(
    client: FlaskClient, make: Make
) -> None:
    client.set_cookie("nutgraf", "planted-by-somebody-else-planted-by-somebod")
    assert logged_in(client, make()) != "planted-by-somebody-else-planted-by-somebod"


def test_a_key_has_a_bounded_number_of_sessions(
    client: FlaskClient,
    app: Flask,
    archive: Archive,
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(authority, "LOG_INS", 1_000)
    new = make()
    first = logged_in(client, new)
    for _ in range(SESSIONS_PER_KEY):
        logged_in(app.test_client(), new)
    assert count(archive) == SESSIONS_PER_KEY
    assert archive.sessions.find(first) is None


def test_on_a_full_disk_who_is_logged_in_goes_on(
    client: FlaskClient,
    archive: Archive,
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logged_in(client, make())

    def full(*_: object) -> None:
        raise StoreFull

    monkeypatch.setattr(type(archive.sessions), "use", full)
    assert client.get("/").status_code == 200
    monkeypatch.setattr(type(archive.sessions), "begin", full)
    answer = log_in(client, make(name="other").secret)
    assert answer.status_code == 507


# The form.


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(
    client: FlaskClient, make: Make
) -> None:
    form = client.get("/login") if make() else None
    assert form is not None
    answer = log_in(client, make(name="two").secret)
    lines = [*form.headers.getlist("Set-Cookie"), *answer.headers.getlist("Set-Cookie")]
    assert len(lines) == 3
    for line in lines:
        attributes = set(line.split("; ")[1:])
        assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= attributes
        assert "Secure" not in attributes  # http on this machine
        assert not any(each.startswith("Domain") for each in attributes)


@pytest.mark.parametrize("hosts", [("search.desk.example",)])
def test_over_https_the_cookie_is_of_this_host_only(
    app_with: Callable[..., Flask], make: Make, hosts: tuple[str, ...]
) -> None:
    client = app_with(hosts=hosts).test_client()
    new = make()
    form = client.get("/login", **HTTPS)
    headers = {"Origin": "https://search.desk.example"}
    answer = client.post(
        "/login",
        data={"key": new.secret, "next": "/", "token": token_in(form.text)},
        headers=headers,
        **HTTPS,
    )
    assert answer.status_code == 303
    lines = [*form.headers.getlist("Set-Cookie"), *answer.headers.getlist("Set-Cookie")]
    assert {line.partition("=")[0] for line in lines} == {
        "__Host-nutgraf",
        "__Host-nutgraf-form",
    }
    for line in lines:
        assert {"Secure", "HttpOnly", "Path=/"} <= set(line.split("; ")[1:])
    assert client.get("/", **HTTPS).status_code == 200
    # A cookie without the prefix may come from another host of the domain.
    cookie = client.get_cookie("__Host-nutgraf", domain="search.desk.example")
    assert cookie is not None
    other = app_with(hosts=hosts).test_client()
    answer = other.get("/", headers={"Cookie": f"nutgraf={cookie.value}"}, **HTTPS)
    assert answer.status_code == 303


def test_nobody_types_a_key_where_no_session_would_be_kept(
    app_with: Callable[..., Flask], make: Make
) -> None:
    make()
    client = app_with(hosts=("search.desk.example",)).test_client()
    answer = client.get("/login", base_url="http://search.desk.example")
    assert answer.status_code == 403
    assert "https" in answer.text
    assert 'name="key"' not in answer.text


FOREIGN: dict[str, dict[str, str]] = {
    "another site": {"Origin": "https://evil.example"},
    "another port": {"Origin": "http://localhost:8001"},
    "another scheme": {"Origin": "https://localhost"},
    "a sandbox": {"Origin": "null"},
    "a sandbox that lies": {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    "no origin, cross-site": {"Sec-Fetch-Site": "cross-site"},
    "no origin, a sister site": {"Sec-Fetch-Site": "same-site"},
    "own origin, cross-site": {
        "Origin": "http://localhost",
        "Sec-Fetch-Site": "cross-site",
    },
    "nothing said": {},
    "allowed for the API": {"Origin": "https://desk.example"},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_a_form_of_another_site_is_refused(
    app_with: Callable[..., Flask], make: Make, headers: dict[str, str]
) -> None:
    client = app_with(cors=("https://desk.example",)).test_client()
    new = make()
    token = token_in(client.get("/login").text)
    sent = {"key": new.secret, "next": "/", "token": token}
    answer = client.post("/login", data=sent, headers=headers)
    assert answer.status_code == 403
    assert client.get_cookie("nutgraf") is None
    logged_in(client, new)
    token = token_in(client.get("/").text)
    answer = client.post("/logout", data={"token": token}, headers=headers)
    assert answer.status_code == 403
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("token", ["", "x", "0" * 64, "é", None])
def test_a_form_without_its_token_is_refused(
    client: FlaskClient, archive: Archive, make: Make, token: str | None
) -> None:
    new = make()
    client.get("/login")
    sent = {"key": new.secret} | ({} if token is None else {"token": token})
    answer = client.post("/login", data=sent, headers=OWN)
    assert answer.status_code == 403
    assert count(archive) == 0


@pytest.mark.parametrize(
    "value",
    ["a", "é\x01", "x" * 7_000, '"a;b"', "\udcff"],
    ids=["short", "control", "long", "quoted", "not text"],
)
def test_a_form_is_never_bound_to_a_value_that_is_not_ours(
    client: FlaskClient, make: Make, value: str
) -> None:
    new = make()
    planted = f"nutgraf-form={value}".encode("utf-8", "surrogateescape")
    headers = {"Cookie": planted.decode("latin-1")}
    strict = client.application.test_client(use_cookies=False)
    (cookie,) = strict.get("/login", headers=headers).headers.getlist("Set-Cookie")
    assert re.match(r"nutgraf-form=[\w-]{43};", cookie)
    client.set_cookie("nutgraf-form", "planted")
    assert log_in(client, new.secret).status_code == 303


def test_a_token_is_of_one_browser(
    client: FlaskClient, app: Flask, archive: Archive, make: Make
) -> None:
    new = make()
    foreign = token_in(app.test_client().get("/login").text)
    sent = {"key": new.secret, "next": "/", "token": foreign}
    for known in (False, True):
        if known:
            client.get("/login")
        assert client.post("/login", data=sent, headers=OWN).status_code == 403
    assert count(archive) == 0


ELSEWHERE = (
    *("//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example"),
    *("javascript:alert(1)", "evil.example", "", "?q=x", "/\t/evil.example"),
    *("/\n/evil.example", "/\r\nSet-Cookie: a=b", " //evil.example", "/ü", "/ x"),
    *("/..//evil.example", "/./", "/x/../..//evil.example", "/%2e%2E//evil", "/.%2e/"),
    *("///evil.example", "/\x00", "http:/login", "//", "/\\", "/x\\y", "@evil.example"),
)


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nobody_is_sent_elsewhere(
    client: FlaskClient, archive: Archive, make: Make, target: str
) -> None:
    new = make()
    if target:
        answer = client.get("/login", query_string={"next": target})
        assert answer.status_code == 400
        assert "Location" not in answer.headers
    token = token_in(client.get("/login").text)
    sent = {"key": new.secret, "next": target, "token": token}
    answer = client.post("/login", data=sent, headers=OWN)
    if target:
        assert answer.status_code == 400
        assert count(archive) == 0
    else:
        assert answer.headers["Location"] == "/"


@pytest.mark.parametrize(
    "target", ["/", "/?q=a//b&c=%2F%2Fx", "/articles/urn:x%2Fy..z?q=x", "/docs#query"]
)
def test_a_path_of_this_site_is_where_people_go_on(
    client: FlaskClient, make: Make, target: str
) -> None:
    answer = log_in(client, make().secret, target)
    assert (answer.status_code, answer.headers["Location"]) == (303, target)


def test_unknown_expired_and_revoked_keys_are_told_alike(
    client: FlaskClient, archive: Archive, make: Make
) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    expired, revoked = make(name="a", expires=past), make(name="b")
    archive.keys.revoke("b")
    pages = set()
    for secret in (
        expired.secret,
        revoked.secret,
        keys.new_secret("0a1b2c3d"),
        "x",
        "",
    ):
        answer = log_in(client, secret)
        assert answer.status_code == 401
        assert "unknown, expired or revoked" in answer.text
        assert 'name="key"' in answer.text
        assert secret == "" or f'value="{secret}"' not in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        pages.add(re.sub('value="[^"]*"', "", answer.text))
    assert len(pages) == 1
    assert count(archive) == 0


def test_after_a_wrong_key_the_form_can_be_sent_again(
    client: FlaskClient, make: Make
) -> None:
    new = make()
    answer = log_in(client, "wrong", "/?q=x")
    sent = {"key": new.secret, "next": "/?q=x", "token": token_in(answer.text)}
    assert 'name="next" value="/?q=x"' in answer.text
    again = client.post("/login", data=sent, headers=OWN)
    assert (again.status_code, again.headers["Location"]) == (303, "/?q=x")


@pytest.mark.parametrize("scope", ["ingest", "feed", "admin"])
def test_a_key_that_may_not_search_is_told_so(
    client: FlaskClient, archive: Archive, make: Make, scope: str
) -> None:
    answer = log_in(client, make(scope).secret)
    assert answer.status_code == 403
    assert "may not search" in answer.text
    assert count(archive) == 0


def test_wrong_keys_are_limited_and_a_right_one_gets_in(
    client: FlaskClient, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine another one would be allowed before the last is sent.
    now = time.time_ns() // 1000
    monkeypatch.setattr(rates, "_now", lambda: now)
    new = make()
    for n in range(authority.FAILURES + 1):
        answer = log_in(client, "wrong")
        assert answer.status_code == (401 if n < authority.FAILURES else 429)
    assert int(answer.headers["Retry-After"]) >= 1
    assert "again in" in answer.text
    # Both ways to try a key are one count.
    assert client.get("/v1/search", headers={"X-API-Key": "x"}).status_code == 429
    assert log_in(client, new.secret).status_code == 303


def test_log_ins_with_one_key_are_limited(
    client: FlaskClient, app: Flask, archive: Archive, make: Make
) -> None:
    new = make(rate=keys.UNLIMITED)
    for n in range(authority.LOG_INS + 1):
        answer = log_in(app.test_client(), new.secret)
        assert answer.status_code == (303 if n < authority.LOG_INS else 429)
    assert count(archive) == authority.LOG_INS
    assert log_in(client, make(name="other").secret).status_code == 303


BODIES: tuple[tuple[dict[str, Any], int], ...] = (
    ({"data": "x" * 65_537, "content_type": "application/x-www-form-urlencoded"}, 413),
    ({"data": "{}", "content_type": "application/json"}, 415),
    ({"data": {"token": "x"}, "content_type": "multipart/form-data"}, 415),
    ({"data": "token=x&token=x"}, 400),
    ({"data": "token=x&more=x"}, 400),
    ({"data": "token=%ff"}, 400),
    ({"data": b"token=\xff"}, 400),
    ({"data": "&".join(f"a{n}=1" for n in range(99))}, 400),
    ({"data": "token=x", "headers": {"Content-Encoding": "gzip"}}, 415),
)


@pytest.mark.parametrize(("body", "status"), BODIES)
@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_a_body_that_is_no_such_form_is_refused(
    client: FlaskClient, make: Make, path: str, body: dict[str, Any], status: int
) -> None:
    make()
    more = {"content_type": "application/x-www-form-urlencoded", **body}
    more["headers"] = {**OWN, **body.get("headers", {})}
    assert client.post(path, **more).status_code == status


def test_the_form_works_under_the_policy_of_the_page(
    client: FlaskClient, make: Make
) -> None:
    make()
    form = client.get("/login")
    assert "form-action 'self'" in form.headers["Content-Security-Policy"]
    # With no-referrer, browsers would send Origin: null.
    assert form.headers["Referrer-Policy"] == "same-origin"
    assert form.headers["Cache-Control"] == "no-store"
    assert 'autocomplete="current-password"' in form.text
    assert 'method="post"' in form.text


def test_no_key_and_no_session_is_in_a_log_line_an_address_or_a_page(
    client: FlaskClient, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    new = make("search", name="desk")
    secrets = [new.secret[12:]]
    answers = []
    with caplog.at_level(logging.INFO):
        answers.append(log_in(client, "ng_0a1b2c3d_wrong-key-that-nobody-may-read-x"))
        secrets.append("wrong-key-that-nobody-may-read")
        answers.append(log_in(client, new.secret))
        cookie = client.get_cookie("nutgraf")
        assert cookie is not None
        secrets.append(cookie.value)
        answers += [client.get("/"), client.get("/?q=x"), client.get("/articles/none")]
        answers.append(client.post("/login", data=new.secret, headers=OWN))
        answers.append(client.post("/login", data={new.secret: "x"}, headers=OWN))
    lines = [JsonLines().format(record) for record in caplog.records]
    assert any(json.loads(line).get("message") == "wrong key" for line in lines)
    assert any(json.loads(line).get("key") == "desk" for line in lines)
    for secret in secrets:
        assert not [line for line in lines if secret in line]
        for answer in answers:
            assert secret not in answer.text
            assert secret not in answer.headers.get("Location", "")


def test_scopes_of_pages_are_those_that_keys_have(app: Flask) -> None:
    scopes = scopes_of(app)
    pages = pages_of(app)
    assert {"pages.search", "pages.article", "pages.log_in", "pages.log_out"} <= pages
    assert {scopes[endpoint] for endpoint in pages} <= {OPEN, Scope.SEARCH}
