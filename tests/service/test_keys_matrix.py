"""Every operation: with every scope, without a key, and before any key exists."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from index.access import Scope
from index.archive import Archive
from index.settings import Settings
from service import bound_to, create_app

ID = "urn:test:harbour"
ONE = f"/v1/articles/{ID}"
NEW = {"headline": "New", "paragraphs": ["One."]}
SEARCH, INGEST, ADMIN = Scope.SEARCH, Scope.INGEST, Scope.ADMIN
OPEN = None
SEARCH_AS = "/v1/search.<any(json, ndjson, csv, atom, rss, jsonfeed):format>"

# Operations by method and route: a path to call, a body, and the scope needed. Each has
# one line; a test below fails for a new operation without one.
OPERATIONS: dict[tuple[str, str], tuple[str, Any, Scope | None]] = {
    ("GET", "/"): ("/?q=harbour", None, SEARCH),
    ("GET", "/articles/<path:article_id>"): (f"/articles/{ID}", None, SEARCH),
    ("GET", "/article"): (f"/article?id={ID}", None, SEARCH),
    ("GET", "/versions"): (f"/versions?id={ID}", None, SEARCH),
    ("GET", "/hits"): ("/hits?q=harbour", None, SEARCH),
    ("GET", "/facets"): ("/facets?q=harbour", None, SEARCH),
    ("GET", "/facets/<field>"): ("/facets/section?q=harbour", None, SEARCH),
    ("GET", "/suggest"): ("/suggest?q=har", None, SEARCH),
    ("GET", "/login"): ("/login", None, OPEN),
    ("POST", "/login"): ("/login", None, OPEN),
    ("POST", "/logout"): ("/logout", None, OPEN),
    ("GET", "/docs"): ("/docs", None, OPEN),
    ("GET", "/openapi.json"): ("/openapi.json", None, OPEN),
    ("GET", "/static/<path:filename>"): ("/static/page.js", None, OPEN),
    ("GET", "/healthz"): ("/healthz", None, OPEN),
    ("GET", "/readyz"): ("/readyz", None, OPEN),
    ("GET", "/metrics"): ("/metrics", None, ADMIN),
    ("GET", "/v1/search"): ("/v1/search?q=harbour", None, SEARCH),
    ("POST", "/v1/search"): ("/v1/search", {"q": "harbour"}, SEARCH),
    ("GET", SEARCH_AS): ("/v1/search.csv?q=harbour", None, SEARCH),
    ("GET", "/opensearch.xml"): ("/opensearch.xml", None, OPEN),
    ("GET", "/v1/facets/<field>"): ("/v1/facets/source", None, SEARCH),
    ("GET", "/v1/suggest"): ("/v1/suggest?q=har", None, SEARCH),
    ("GET", "/v1/fields"): ("/v1/fields", None, SEARCH),
    ("GET", "/v1/articles/<article_id>"): (ONE, None, SEARCH),
    ("GET", "/v1/article"): (f"/v1/article?id={ID}", None, SEARCH),
    ("GET", "/v1/articles/<article_id>/paragraphs"): (
        f"{ONE}/paragraphs",
        None,
        SEARCH,
    ),
    ("GET", "/v1/articles/<article_id>/paragraphs/<int:n>"): (
        f"{ONE}/paragraphs/1",
        None,
        SEARCH,
    ),
    ("GET", "/v1/articles/<article_id>/versions"): (f"{ONE}/versions", None, SEARCH),
    ("GET", "/v1/articles/<article_id>/original"): (f"{ONE}/original", None, ADMIN),
    ("GET", "/v1/article/original"): (f"/v1/article/original?id={ID}", None, ADMIN),
    ("GET", "/v1/articles/<article_id>/diff"): (f"{ONE}/diff", None, SEARCH),
    ("GET", "/v1/article/diff"): (f"/v1/article/diff?id={ID}", None, SEARCH),
    ("POST", "/v1/push"): ("/v1/push", {"guid": "new"}, OPEN),
    ("POST", "/v1/push/assets"): ("/v1/push/assets", {}, OPEN),
    ("GET", "/v1/push/assets/<path:media_id>"): ("/v1/push/assets/a", None, OPEN),
    ("GET", "/v1/articles"): ("/v1/articles?status=canceled", None, SEARCH),
    ("GET", "/v1/changes"): ("/v1/changes", None, SEARCH),
    ("PUT", "/v1/articles/<article_id>"): ("/v1/articles/new", NEW, INGEST),
    ("PUT", "/v1/article"): ("/v1/article?id=new", NEW, INGEST),
    ("POST", "/v1/articles"): ("/v1/articles", {"id": "new", **NEW}, INGEST),
    ("POST", "/v1/articles/<article_id>/kill"): (f"{ONE}/kill", {}, INGEST),
    ("POST", "/v1/article/kill"): ("/v1/article/kill", {"id": ID}, INGEST),
    ("POST", "/v1/articles/<article_id>/withhold"): (f"{ONE}/withhold", None, INGEST),
    ("POST", "/v1/article/withhold"): (f"/v1/article/withhold?id={ID}", None, INGEST),
    ("POST", "/v1/articles/<article_id>/reinstate"): (
        f"{ONE}/reinstate",
        None,
        INGEST,
    ),
    ("POST", "/v1/article/reinstate"): (f"/v1/article/reinstate?id={ID}", None, INGEST),
    ("POST", "/v1/articles/<article_id>/restore"): (f"{ONE}/restore", None, INGEST),
    ("POST", "/v1/article/restore"): (f"/v1/article/restore?id={ID}", None, INGEST),
    ("DELETE", "/v1/articles/<article_id>"): (ONE, None, INGEST),
    ("DELETE", "/v1/article"): (f"/v1/article?id={ID}", None, INGEST),
}
# Its senders sign requests; no secret is set here, so it answers 404.
SIGNED = (
    ("POST", "/v1/push"),
    ("POST", "/v1/push/assets"),
    ("GET", "/v1/push/assets/<path:media_id>"),
)
# Pages that need a key lead browsers that sent none to the form.
PAGES = tuple(
    ("GET", path)
    for path in (
        *("/", "/articles/<path:article_id>", "/article", "/versions"),
        *("/hits", "/suggest", "/facets", "/facets/<field>"),
    )
)
# Their forms are accepted from pages of this site only.
FORMS = (("POST", "/login"), ("POST", "/logout"))
# Scopes of the keys; read-embargoed opens nothing by itself.
KEYS: dict[str, frozenset[Scope]] = {
    "search": frozenset({SEARCH}),
    "search,read-embargoed": frozenset({SEARCH, Scope.READ_EMBARGOED}),
    "feed": frozenset({Scope.FEED}),
    "ingest": frozenset({INGEST}),
    "admin": frozenset({ADMIN}),
    "all": frozenset(Scope),
}
CHANGING = {"PUT", "POST", "DELETE"}


@pytest.fixture(scope="module")
def secrets(keyed: Archive) -> dict[str, str]:
    """A live key of each kind."""
    return {
        name: keyed.store.keys.add(name.replace(",", "-"), scopes).secret
        for name, scopes in KEYS.items()
    }


@pytest.fixture(scope="module")
def caller(keyed: Archive) -> FlaskClient:
    """A client of the service with those keys."""
    return create_app(keyed.settings, keyed).test_client()


def call(
    client: FlaskClient,
    operation: tuple[str, str],
    address: str = "127.0.0.1",
    **headers: str,
) -> Any:
    path, body, _ = OPERATIONS[operation]
    with client.open(
        path,
        method=operation[0],
        json=body,
        headers=headers,
        environ_overrides={"REMOTE_ADDR": address},
    ) as answer:
        answer.get_data()  # static files are streamed
        return answer


def code_of(answer: Any) -> str:
    """Code of a problem, which a page has in its markup."""
    if answer.is_json:
        return str(answer.json["code"])
    return str(html.document_fromstring(answer.text).find(".//main").get("data-code"))


def statuses_if_open(operation: tuple[str, str]) -> tuple[int, ...]:
    """How an open operation answers a caller without a key."""
    if operation in SIGNED:
        return (404,)
    return (403,) if operation in FORMS else (200, 302, 303, 503)


def is_led_to_the_form(answer: Any) -> bool:
    """Whether an answer asks a browser for a key."""
    location = answer.headers.get("Location", "")
    return answer.status_code == 303 and location.startswith("/login?next=")


def operation_id(operation: tuple[str, str]) -> str:
    return " ".join(operation)


def routes(app: Flask) -> set[tuple[str, str]]:
    return {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_the_table_has_exactly_the_operations(
    settings: Settings,
) -> None:
    assert routes(create_app(settings)) == OPERATIONS.keys()


@pytest.mark.parametrize("operation", OPERATIONS, ids=operation_id)
def test_no_key_opens_only_what_is_open(
    caller: FlaskClient, secrets: dict[str, str], operation: tuple[str, str]
) -> None:
    # An address of its own for each: one may send 60 wrong keys a minute.
    address = f"10.0.0.{list(OPERATIONS).index(operation)}"
    for headers in ({}, {"X-API-Key": "wrong"}, {"Authorization": "Bearer wrong"}):
        answer = call(caller, operation, address, **headers)
        if OPERATIONS[operation][2] is OPEN:
            assert answer.status_code in statuses_if_open(operation)
        elif operation in PAGES and not headers:
            assert is_led_to_the_form(answer)
        else:
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert code_of(answer) == "unauthorized"


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("operation", OPERATIONS, ids=operation_id)
def test_a_key_opens_its_scopes_and_nothing_else(
    caller: FlaskClient,
    secrets: dict[str, str],
    operation: tuple[str, str],
    name: str,
) -> None:
    needed = OPERATIONS[operation][2]
    answer = call(caller, operation, Authorization=f"Bearer {secrets[name]}")
    if operation in FORMS:  # whatever the key
        assert (answer.status_code, code_of(answer)) == (403, "form_refused")
    elif needed is OPEN or needed in KEYS[name]:
        assert answer.status_code not in (401, 403, 429, 500), answer.data
        assert answer.status_code < 400 or (
            # Another line killed or deleted it before; no indexer runs in the tests.
            answer.status_code in (404, 409, 410) or operation[1] == "/readyz"
        )
    else:
        assert answer.status_code == 403
        assert code_of(answer) == "scope"
        assert not answer.is_json or answer.json["scope"] == needed


@pytest.mark.parametrize("operation", OPERATIONS, ids=operation_id)
def test_head_is_like_get_and_options_only_list_methods(
    caller: FlaskClient, secrets: dict[str, str], operation: tuple[str, str]
) -> None:
    path, _, needed = OPERATIONS[operation]
    if operation[0] == "GET":
        with caller.head(path) as answer:
            is_refused = answer.status_code == 401 or is_led_to_the_form(answer)
            assert is_refused is (needed is not OPEN)
    answer = caller.options(path)
    assert (answer.status_code, answer.data) == (200, b"")


@pytest.mark.parametrize("operation", OPERATIONS, ids=operation_id)
def test_before_any_key_was_made_its_own_machine_may_do_everything(
    client: FlaskClient, operation: tuple[str, str]
) -> None:
    answer = call(client, operation)
    is_ready = operation[1] == "/readyz"
    assert answer.status_code in statuses_if_open(operation) or is_ready


@pytest.mark.parametrize("operation", OPERATIONS, ids=operation_id)
@pytest.mark.parametrize("from_", ["host", "origin"])
def test_before_any_key_was_made_nobody_elsewhere_may_do_anything(
    reading: FlaskClient, operation: tuple[str, str], from_: str
) -> None:
    foreign = {
        "host": ({"Host": "evil.example"}, 400, "host_refused"),
        "origin": ({"Origin": "https://evil.example"}, 403, "origin_refused"),
    }
    headers, status, code = foreign[from_]
    answer = call(reading, operation, **headers)
    if from_ == "host" and operation[1] in ("/healthz", "/readyz"):
        assert set(answer.json) <= {"status", "problems", "warnings"}
    else:
        assert (answer.status_code, code_of(answer)) == (status, code)


@pytest.fixture(scope="module")
def exposed(shared_archive: Archive) -> FlaskClient:
    """A client of a service that other machines can reach."""
    app = create_app(shared_archive.settings, shared_archive)
    bound_to(app, ["0.0.0.0:8000"])
    return app.test_client()


@pytest.mark.parametrize("operation", OPERATIONS, ids=operation_id)
def test_where_others_can_reach_it_nobody_does_anything_without_a_key(
    exposed: FlaskClient, operation: tuple[str, str]
) -> None:
    answer = call(exposed, operation)
    if operation in PAGES:
        assert is_led_to_the_form(answer)
    elif OPERATIONS[operation][2] is not OPEN:
        assert (answer.status_code, code_of(answer)) == (401, "unauthorized")
    elif operation[1] == "/readyz":
        assert set(answer.json) == {"status", "problems", "warnings"}
    else:
        assert answer.status_code in statuses_if_open(operation)
