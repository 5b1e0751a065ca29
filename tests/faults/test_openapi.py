"""Requests made from the OpenAPI document, which must declare every answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote, quote_from_bytes

import pytest
from closed_schemas import closed
from conftest import DOCUMENTS, filled_archive
from described import resolved
from faults.amounts import amount
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from index.settings import Settings
from service import create_app, use_worker
from service.codes import PROBLEM_TYPES

pytestmark = pytest.mark.slow

EXAMPLES = amount(35, 2_000)
METHODS = {"get", "post", "put", "delete", "patch"}
# Documented, and still never an answer to a request: ours to mend.
MISTAKE = 500

# The document is the same whatever the settings are, and needs no archive.
DESCRIBED = resolved(
    create_app(Settings(engine="memory:")).test_client().get("/openapi.json").json
)
OPERATIONS = [
    (method, path)
    for path, operations in DESCRIBED["paths"].items()
    for method in sorted(operations.keys() & METHODS)
]


class Sent(NamedTuple):
    """A request."""

    path: str
    query: str
    headers: dict[str, str]
    body: bytes | None


# Values. Half of them are what the document asks for.

KNOWN = [each["id"] for each in DOCUMENTS]
anything = st.one_of(
    st.text(max_size=30),
    st.integers().map(str),
    st.sampled_from(["", "0", "-1", "true", "null", "NaN", "1e400", "2016", "*", "[]"]),
    st.binary(max_size=10).map(lambda raw: raw.decode("latin-1")),
)
words = st.sampled_from(
    [
        *KNOWN,
        *("harbour", "talks OR grain", "har*", '"night shifts"', "2016-09", "today"),
        *("urn:test:new", "Europe/Berlin", "published:month", "source", "headline"),
    ]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | anything,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


# What stands in a path where it leads somewhere.
PLACES = {
    "format": st.sampled_from(["csv", "ndjson", "atom", "rss", "jsonfeed", "json"]),
    "article_id": st.sampled_from(KNOWN),
    "n": st.integers(0, 3).map(str),
    "media_id": st.sampled_from(["20240601/lamps.jpg", "5f0c9f0e"]),
    "field": st.sampled_from(["source", "section", "subjects", "published", "urgency"]),
}


HEADERS = {
    "If-None-Match": st.sampled_from(["*", 'W/"a"', '"', "x" * 500]),
    "Accept": st.sampled_from(["*/*", "text/html", "application/json", ",;"]),
    "Content-Encoding": st.sampled_from(["gzip", "identity", "br", "gzip, gzip"]),
    "X-Request-Id": st.sampled_from(["a", "ä", "a" * 500, "{}"]),
    "Range": st.just("bytes=0-1"),
    "Last-Event-ID": st.sampled_from(["7", "1@0", "x@y", "9" * 30]),
}
# None of them is right.
CREDENTIALS = {
    "Authorization": st.sampled_from(["Bearer x", "Basic eDp4", "Bearer", "\xff"]),
    "X-API-Key": st.sampled_from(["x", "", "\xff" * 9]),
}


def mostly(
    usual: st.SearchStrategy[Any], other: st.SearchStrategy[Any]
) -> st.SearchStrategy[Any]:
    """Values of which three out of four are the usual ones."""
    return st.integers(0, 3).flatmap(lambda n: usual if n else other)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema; if it is a reference, its target."""
    while "$ref" in schema:
        schema = DESCRIBED["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def values(schema: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a schema, as JSON."""
    schema = resolved(schema)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return st.one_of([values(each, depth) for each in schema[several]])
    kind = schema.get("type")
    if isinstance(kind, list):
        return st.one_of([values({**schema, "type": each}, depth) for each in kind])
    if kind == "integer":
        low, high = schema.get("minimum", -5), schema.get("maximum", 200)
        return st.integers(low, max(low, high))
    if kind == "number":
        return st.floats(-10, 1_000)
    if kind == "boolean":
        return st.booleans()
    if kind == "null":
        return st.none()
    if kind == "array":
        return st.lists(values(schema.get("items", {}), depth + 1), max_size=4)
    if kind == "object" and depth < 4:
        properties = schema.get("properties", {})
        return st.fixed_dictionaries(
            {},
            optional={
                name: mostly(values(each, depth + 1), json_values)
                for name, each in properties.items()
            },
        )
    return mostly(words, anything)


def as_text(value: Any) -> list[str]:
    """Texts that stand for a value in a query string: one for each item of a list."""
    if isinstance(value, list):
        return [text for each in value for text in as_text(each)]
    if isinstance(value, bool):
        return [str(int(value))]
    return [value if isinstance(value, str) else json.dumps(value)]


@cache
def requests(method: str, path: str) -> st.SearchStrategy[Sent]:
    """Requests for one operation, valid and invalid ones."""
    operation = DESCRIBED["paths"][path][method]
    declared = [
        *DESCRIBED["paths"][path].get("parameters", []),
        *operation.get("parameters", []),
    ]
    places = {each["name"] for each in declared if each["in"] == "path"}
    in_query = [each for each in declared if each["in"] == "query"]
    paths = st.fixed_dictionaries(
        {name: mostly(PLACES[name], words | anything) for name in places}
    )
    wanted = {each["name"]: values(each["schema"]) for each in in_query}
    required = {each["name"] for each in in_query if each.get("required")}
    good = (
        # Of many few at a time: nearly every request had one that does not fit.
        st.lists(st.sampled_from(sorted(wanted)), max_size=4) if wanted else st.just([])
    ).flatmap(
        lambda chosen: st.fixed_dictionaries(
            {name: wanted[name] for name in sorted({*chosen, *required})}
        ).map(
            lambda values_by_name: [
                (n, text) for n in values_by_name for text in as_text(values_by_name[n])
            ]
        )
    )
    names = st.sampled_from([*wanted, "nope", "Q", "limit "]) | st.text(max_size=8)
    bad = st.lists(st.tuples(names, anything), max_size=3)
    pairs = mostly(good, st.tuples(good, bad).map(lambda two: [*two[0], *two[1]]))
    content = operation.get("requestBody", {}).get("content", {})
    bodies: list[st.SearchStrategy[tuple[str | None, bytes | None]]] = [
        st.just((None, None)),
        st.tuples(
            st.sampled_from([*content, "application/json", "text/plain", "x", ""]),
            st.binary(max_size=60) | json_values.map(lambda v: json.dumps(v).encode()),
        ),
    ]
    for media_type, each in content.items():
        documents = values(each.get("schema", {}))
        bodies += [
            st.tuples(
                st.just(media_type), documents.map(lambda v: json.dumps(v).encode())
            )
        ] * 3
    headers = mostly(
        st.fixed_dictionaries({}, optional=HEADERS),
        st.fixed_dictionaries({}, optional={**HEADERS, **CREDENTIALS}),
    )

    def sent(
        at: dict[str, str],
        pairs: list[tuple[str, str]],
        body: tuple[str | None, bytes | None],
        headers: dict[str, str],
    ) -> Sent:
        where = path
        for name, value in at.items():
            # An empty part would be another path.
            where = where.replace(f"{{{name}}}", escaped(value or "a"))
        query = "&".join(f"{escaped(name)}={escaped(value)}" for name, value in pairs)
        kind, data = body
        more = {} if kind is None else {"Content-Type": kind}
        return Sent(where, query, {**headers, **more}, data)

    return st.builds(sent, paths, pairs, st.one_of(bodies), headers)


def escaped(text: str) -> str:
    return quote(text.encode("utf-8", errors="surrogatepass"), safe="")


# Answers.


@cache
def validator(method: str, path: str, status: str, media_type: str) -> Any:
    """Validator of a body by its declaration; ``None`` if it is not JSON."""
    answers = DESCRIBED["paths"][path][method]["responses"]
    answer = answers.get(status) or answers[f"{status[0]}XX"]
    schema = answer["content"][media_type].get("schema", {})
    if not media_type.endswith(("/json", "+json")):
        return None
    whole = {**schema, "components": DESCRIBED["components"]}
    return Draft202012Validator(closed(whole), format_checker=FormatChecker())


def hold_to_document(client: FlaskClient, method: str, path: str, sent: Sent) -> int:
    """Send a request, check its answer against the document, and return its status."""
    answer = client.open(
        "/",
        method=method.upper(),
        data=sent.body,
        headers=sent.headers,
        environ_overrides={
            "PATH_INFO": sent.path,
            "RAW_URI": f"{sent.path}?{sent.query}",
            "QUERY_STRING": sent.query,
        },
    )
    status = str(answer.status_code)
    declared = DESCRIBED["paths"][path][method]["responses"]
    if status not in declared:
        status = f"{status[0]}XX"
    assert status in declared, f"{method} {path}: {status} {answer.data[:500]!r}"
    assert answer.status_code != MISTAKE, answer.data
    content = declared[status].get("content")
    if content is None:
        assert answer.data == b"" or answer.status_code in range(300, 400)
        return answer.status_code
    media_type = answer.content_type.partition(";")[0]
    assert media_type in content, f"{method} {path}: {status} {media_type}"
    held = validator(method, path, status, media_type)
    if held is not None:
        held.validate(json.loads(answer.data))
    if answer.status_code >= 400 and media_type == "application/problem+json":
        assert answer.json["code"] in PROBLEM_TYPES
        assert answer.json["detail"]
    if answer.status_code in (503, 507):
        assert answer.headers["Retry-After"].isdecimal()
    return answer.status_code


@pytest.fixture
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of a service that waits for nothing, with articles of its own."""
    folder = tmp_path_factory.mktemp("openapi")
    folder.chmod(0o700)
    archive = filled_archive(
        Settings(
            store=f"sqlite:///{folder / 'nutgraf.db'}",
            engine="memory:",
            wait_seconds=0.01,
        )
    )
    app = create_app(archive.settings, archive)
    use_worker(app, lambda: False)  # who asks for changes does not wait for any
    yield app.test_client()
    archive.close()


def test_the_document_has_operations_to_try() -> None:
    assert len(OPERATIONS) >= 15


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_any_request_is_answered_as_declared(
    client: FlaskClient, method: str, path: str
) -> None:
    statuses: dict[int, int] = {}

    @settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(requests(method, path))
    def holds(sent: Sent) -> None:
        status = hold_to_document(client, method, path, sent)
        statuses[status] = statuses.get(status, 0) + 1

    holds()
    # What is sent is not refused in one and the same way.
    takes = DESCRIBED["paths"][path][method].get("parameters")
    assert len(statuses) > 1 or not takes, statuses


# What was once answered in another way than it is declared.
ONCE = [
    (
        *("post", "/v1/search"),
        Sent(
            *("/v1/search", ""),
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
            b"\0",
        ),
    ),
    # A property without a name was taken for each that the item does not have.
    *(
        (
            *("post", "/v1/articles"),
            Sent("/v1/articles", "", {"Content-Type": "application/ninjs+json"}, body),
        )
        for body in (b'{"": "no name", "uri": "once:1"}', b'{"": {"a": 1}}')
    ),
]


@pytest.mark.parametrize(("method", "path", "sent"), ONCE)
def test_what_was_once_answered_otherwise(
    client: FlaskClient, method: str, path: str, sent: Sent
) -> None:
    hold_to_document(client, method, path, sent)


@pytest.mark.parametrize("raw", [b"%", b"%zz", b"\xff", b"//", b"/%2e%2e/", b"?", b"#"])
def test_any_path_is_answered_with_a_problem(client: FlaskClient, raw: bytes) -> None:
    for sent in (raw.decode("latin-1"), quote_from_bytes(raw)):
        answer = client.open(
            "/",
            environ_overrides={"PATH_INFO": f"/v1/{sent}", "RAW_URI": f"/v1/{sent}"},
        )
        assert answer.status_code in (400, 404)
        assert answer.json["code"] in PROBLEM_TYPES
