"""The OpenAPI document is true: real answers are checked against it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest
from apispec import APISpec
from closed_schemas import closed
from described import resolved
from flask import Flask, Response
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator, FormatChecker

from index.access import Scope
from index.archive import Archive
from index.article import FACETABLE, FILTERABLE, MAX_ID
from index.query import Interval
from index.settings import Settings
from service import create_app
from service.api import documentation
from service.api.descriptions import EXAMPLES
from service.codes import PROBLEM_TYPES
from service.exchange import JSON, Blueprint
from service.exchange.schemas import Problem


@pytest.fixture
def described(reading: FlaskClient) -> dict[str, Any]:
    """The OpenAPI document."""
    return resolved(reading.get("/openapi.json").json)


def validate(described: dict[str, Any], answer: Any, method: str, path: str) -> None:
    """Check an answer against the document, by its path and status."""
    operation = described["paths"][path][method.lower()]
    status = str(answer.status_code)
    if status not in operation["responses"]:
        status = f"{status[0]}XX"
    assert status in operation["responses"], f"{method} {path} {status}"
    content = operation["responses"][status].get("content")
    if content is None:
        assert answer.data == b""
        return
    media_type = answer.content_type.partition(";")[0]
    assert media_type in content, f"{method} {path} {media_type}"
    schema = {
        **content[media_type].get("schema", {}),
        "components": described["components"],
    }
    Draft202012Validator(closed(schema), format_checker=FormatChecker()).validate(
        answer.json if answer.is_json else answer.get_data(as_text=True)
    )


ONE = "/v1/articles/{article_id}"
SMALL = {"headline": "Small", "paragraphs": ["One."]}
# method, path in the document, path to call, status, body
CALLS: list[tuple[str, str, str, int, Any]] = [
    ("GET", "/v1/search", "/v1/search", 200, None),
    ("GET", "/v1/search", "/v1/search?q=harbour&facet=source&limit=1", 200, None),
    ("GET", "/v1/search", "/v1/search?q=talks&unit=paragraph&explain=1", 200, None),
    ("GET", "/v1/search", "/v1/search?q=talks&facet=published:month", 200, None),
    ("GET", "/v1/search", "/v1/search?q=(harbor&facet=urgency", 200, None),
    ("GET", "/v1/search", "/v1/search?fields=subjects,extra,people,status", 200, None),
    ("GET", "/v1/search", "/v1/search?limit=x", 400, None),
    ("GET", "/v1/search", "/v1/search?format=atom", 200, None),
    ("GET", "/v1/search", "/v1/search.json?q=talks", 200, None),
    ("GET", "/v1/search", "/v1/search.ndjson?q=talks", 200, None),
    ("GET", "/v1/search", "/v1/search.csv?q=talks", 200, None),
    ("GET", "/v1/search", "/v1/search.rss?q=talks", 200, None),
    ("GET", "/v1/search", "/v1/search.jsonfeed?q=talks", 200, None),
    ("GET", "/v1/search", "/v1/search.atom?page=0", 400, None),
    ("POST", "/v1/search", "/v1/search", 200, {"q": "harbour", "format": "csv"}),
    ("POST", "/v1/search", "/v1/search", 400, {"format": "atom"}),
    ("POST", "/v1/search", "/v1/search", 200, {"q": "harbour"}),
    ("POST", "/v1/search", "/v1/search", 400, {"q": 1}),
    ("GET", "/v1/facets/{field}", "/v1/facets/section", 200, None),
    ("GET", "/v1/facets/{field}", "/v1/facets/published", 200, None),
    ("GET", "/v1/facets/{field}", "/v1/facets/nope", 400, None),
    ("GET", "/v1/suggest", "/v1/suggest?q=ha", 200, None),
    ("GET", "/v1/suggest", "/v1/suggest", 400, None),
    ("GET", "/v1/fields", "/v1/fields", 200, None),
    ("GET", ONE, "/v1/articles/urn:test:harbour", 200, None),
    ("GET", ONE, "/v1/articles/urn:test:harbour?q=dockers", 200, None),
    ("GET", ONE, "/v1/articles/none", 404, None),
    ("GET", "/v1/article", "/v1/article?id=urn:test:grain", 200, None),
    ("GET", f"{ONE}/paragraphs", "/v1/articles/urn:test:grain/paragraphs", 200, None),
    (
        *("GET", f"{ONE}/paragraphs/{{n}}"),
        *("/v1/articles/urn:test:grain/paragraphs/0", 200, None),
    ),
    (
        *("GET", f"{ONE}/paragraphs/{{n}}"),
        *("/v1/articles/urn:test:grain/paragraphs/7", 404, None),
    ),
    ("GET", f"{ONE}/versions", "/v1/articles/urn:test:grain/versions", 200, None),
    ("GET", f"{ONE}/original", "/v1/articles/urn:test:grain/original", 200, None),
    ("GET", f"{ONE}/original", "/v1/articles/none/original", 404, None),
    (
        *("GET", "/v1/article/original"),
        *("/v1/article/original?id=urn:test:grain&version=1", 200, None),
    ),
    ("GET", f"{ONE}/diff", "/v1/articles/urn:test:grain/diff", 200, None),
    ("GET", f"{ONE}/diff", "/v1/articles/urn:test:grain/diff?to=7", 404, None),
    ("GET", "/v1/article/diff", "/v1/article/diff?id=urn:test:grain", 200, None),
    ("PUT", ONE, "/v1/articles/new", 200, SMALL),
    ("PUT", ONE, "/v1/articles/new", 200, {**SMALL, "published": "soon"}),
    ("PUT", ONE, "/v1/articles/new", 422, {}),
    ("PUT", ONE, "/v1/articles/urn:test:grain", 409, {**SMALL, "version": "1"}),
    ("PUT", ONE, "/v1/articles/urn:test:grain?force=1", 200, {**SMALL, "version": "1"}),
    ("PUT", "/v1/article", "/v1/article?id=new", 200, SMALL),
    ("POST", "/v1/articles", "/v1/articles", 200, {"id": "n", **SMALL}),
    ("POST", "/v1/articles", "/v1/articles", 207, [{"id": "n", **SMALL}, {"id": "m"}]),
    ("POST", "/v1/articles", "/v1/articles", 422, [{"id": "n"}, {"id": "m"}]),
    ("POST", f"{ONE}/kill", "/v1/articles/urn:test:grain/kill", 200, None),
    ("POST", f"{ONE}/kill", "/v1/articles/none/kill", 200, {"note": "No."}),
    ("POST", f"{ONE}/kill", "/v1/articles/none/kill", 400, {"cascade": "all"}),
    ("POST", "/v1/article/kill", "/v1/article/kill", 200, {"id": "none"}),
    ("POST", f"{ONE}/withhold", "/v1/articles/urn:test:grain/withhold", 200, None),
    ("POST", f"{ONE}/withhold", "/v1/articles/none/withhold", 404, None),
    (
        *("POST", "/v1/article/withhold"),
        *("/v1/article/withhold?id=urn:test:grain", 200, None),
    ),
    ("POST", f"{ONE}/reinstate", "/v1/articles/urn:test:grain/reinstate", 200, None),
    (
        *("POST", "/v1/article/reinstate"),
        *("/v1/article/reinstate?id=none", 404, None),
    ),
    ("POST", f"{ONE}/restore", "/v1/articles/urn:test:grain/restore", 200, None),
    ("POST", "/v1/article/restore", "/v1/article/restore?id=none", 404, None),
    ("GET", "/v1/articles", "/v1/articles?status=canceled", 200, None),
    ("GET", "/v1/articles", "/v1/articles", 400, None),
    ("GET", "/v1/changes", "/v1/changes", 200, None),
    ("GET", "/v1/changes", "/v1/changes?since=1000", 409, None),
    ("DELETE", ONE, "/v1/articles/urn:test:grain", 200, None),
    ("DELETE", ONE, "/v1/articles/none", 404, None),
    ("DELETE", "/v1/article", "/v1/article?id=urn:test:grain", 200, None),
    ("POST", "/v1/push", "/v1/push", 404, {"guid": "n"}),
    ("POST", "/v1/push/assets", "/v1/push/assets", 404, {}),
    ("GET", "/v1/push/assets/{media_id}", "/v1/push/assets/a/b", 404, None),
    ("GET", "/v1/changes", "/v1/changes?since=1&fields=subjects,extra", 200, None),
    ("PUT", ONE, "/v1/articles/urn:test:grain", 200, SMALL),
    ("GET", "/healthz", "/healthz", 200, None),
    ("GET", "/readyz", "/readyz", 503, None),
]


@pytest.mark.parametrize(
    ("method", "path", "call", "status", "body"),
    CALLS,
    ids=[f"{row[0]} {row[2]} {row[3]}" for row in CALLS],
)
def test_a_real_answer_is_as_declared(
    request: pytest.FixtureRequest,
    described: dict[str, Any],
    method: str,
    path: str,
    call: str,
    status: int,
    body: Any,
) -> None:
    changes = method != "GET" and path != "/v1/search"
    client = request.getfixturevalue("client" if changes else "reading")
    answer = client.open(call, method=method, json=body)
    assert answer.status_code == status, answer.data
    validate(described, answer, method, path)


@pytest.mark.slow
def test_refusals_of_a_key_are_as_declared(
    client: FlaskClient, archive: Archive, described: dict[str, Any]
) -> None:
    search = frozenset({Scope.SEARCH})
    secret = archive.keys.add("desk", search, rate=2).secret
    statuses = []
    for method, path, sent in (
        ("GET", "/v1/search", {}),
        ("GET", "/v1/search", {"X-API-Key": secret, "Authorization": "Bearer x"}),
        ("PUT", "/v1/article", {"X-API-Key": secret}),
        ("GET", "/metrics", {"X-API-Key": secret}),
        ("GET", "/v1/fields", {"X-API-Key": secret}),
        ("GET", "/readyz", {"X-API-Key": secret}),
    ):
        answer = client.open(path, method=method, headers=sent)
        statuses.append(answer.status_code)
        validate(described, answer, method, path)
    assert statuses == [401, 400, 403, 403, 429, 503]


@pytest.mark.slow
def test_a_difference_is_as_declared(
    client: FlaskClient, described: dict[str, Any]
) -> None:
    lines = ["One line.", "Another.", "A third one."]
    first = {"headline": "Small", "paragraphs": lines, "x_desk": {"priority": 1}}
    for body in (
        first,
        {"headline": "Big", "paragraphs": [lines[2], "Some new line.", "More."]},
    ):
        assert client.put("/v1/articles/new", json=body).status_code == 200
    answer = client.get("/v1/articles/new/diff")
    assert {each["type"] for each in answer.json["paragraphs"]} == {
        *("added", "removed", "changed", "unchanged")
    }
    validate(described, answer, "GET", f"{ONE}/diff")


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in described["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "put", "delete"):
                yield method.upper(), path, operation


def test_every_operation_is_called_above(described: dict[str, Any]) -> None:
    called = {(method, path) for method, path, *_ in CALLS}
    called |= {("GET", "/metrics")}
    assert {(method, path) for method, path, _ in operations(described)} == called


def test_every_route_is_described(app: Flask, described: dict[str, Any]) -> None:
    routes = set()
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("pages."):
            continue  # for people
        if rule.rule not in ("/openapi.json", "/static/<path:filename>"):
            path = re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule)
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            routes |= {(method, path) for method in methods}
    for path in ("/v1/search.FORMAT", "/opensearch.xml"):
        # For browsers and readers of feeds: linters take no dot in a path.
        assert f"`{path}`" in described["info"]["description"]
        routes.remove(("GET", path.replace("FORMAT", "{format}")))
    assert routes == {(method, path) for method, path, _ in operations(described)}


def test_operations_by_id_are_described_as_those_by_path(
    described: dict[str, Any],
) -> None:
    twins = [
        (path, method)
        for path, methods in described["paths"].items()
        if path.startswith("/v1/article/") or path == "/v1/article"
        for method in methods
    ]
    assert len(twins) == 9
    for path, method in twins:
        rest = path.removeprefix("/v1/article")
        by_id = described["paths"][path][method]
        by_path = described["paths"][f"{ONE}{rest}"][method]
        assert by_id["operationId"] == f"{by_path['operationId']}ByQuery"
        assert by_id["responses"].keys() - {"411"} == by_path["responses"].keys() - {
            "411"
        }
        names = [
            {each["name"] for each in operation.get("parameters", ())} - {"article_id"}
            for operation in (by_id, by_path)
        ]
        assert names[0] - {"id"} == names[1] - {"id"}
        for key in ("tags", "security"):
            assert by_id[key] == by_path[key]


@pytest.mark.slow
def test_the_document_is_sound(described: dict[str, Any]) -> None:
    assert described["openapi"] == "3.1.0"
    for schema in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    text = str(described)
    for name in re.findall(r"#/components/schemas/(\w+)", text):
        assert name in described["components"]["schemas"]
    seen = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(seen) == len(set(seen))
    for method, path, operation in operations(described):
        assert operation["summary"], f"{method} {path}"
        named = {each["name"] for each in operation.get("parameters", ())}
        named |= {
            each["name"] for each in described["paths"][path].get("parameters", ())
        }
        assert set(re.findall(r"{(\w+)}", path)) <= named, f"{method} {path}"


def test_every_filter_is_described(described: dict[str, Any]) -> None:
    operation = described["paths"]["/v1/search"]["get"]
    named = {each["name"]: each for each in operation["parameters"]}
    for name in FILTERABLE:
        assert named[name]["schema"]["type"] == "array"
        assert f"exclude.{name}" in named
        assert f"missing.{name}" in named
    assert named["limit"]["schema"]["default"] == 10
    assert named["scope"]["schema"]["enum"] == ["article", "paragraph"]
    body = described["paths"]["/v1/search"]["post"]["requestBody"]["content"]
    reference = body["application/json"]["schema"]["$ref"].rpartition("/")[2]
    properties = described["components"]["schemas"][reference]["properties"]
    for group in ("exclude", "missing"):
        for name, schema in properties.pop(group)["properties"].items():
            properties[f"{group}.{name}"] = schema
    assert set(properties) == set(named)
    for name, parameter in named.items():
        assert properties[name].get("items") == parameter["schema"].get("items")


def test_every_media_type_is_described(
    client: FlaskClient, described: dict[str, Any]
) -> None:
    refused = client.post("/v1/articles", data=b"x", content_type="image/png").json
    for path, method in (
        (ONE, "put"),
        ("/v1/article", "put"),
        ("/v1/articles", "post"),
    ):
        body = described["paths"][path][method]["requestBody"]["content"]
        assert list(body) == refused["accepted"]
    for path, call in ((ONE, "/v1/articles/urn:test:grain"), ("/v1/article",) * 2):
        answers = described["paths"][path]["get"]["responses"]["200"]["content"]
        for name in ("json", "jsonl"):
            answer = client.get(
                call,
                query_string={"format": name}
                | ({"id": "urn:test:grain"} if call == path else {}),
            )
            assert answer.content_type.partition(";")[0] in answers


def test_the_rules_for_ids_are_described(described: dict[str, Any]) -> None:
    (in_path,) = described["paths"][ONE]["parameters"]
    by_name = {
        parameter["name"]: parameter
        for parameter in operation_of(described, "/v1/article")
    }
    schemas = described["components"]["schemas"]
    body = schemas["IdentifiedArticle"]["properties"]["id"]
    for schema in (in_path["schema"], by_name["id"]["schema"], body):
        check = Draft202012Validator(schema).is_valid
        assert check("tag:reuters.com,2016:newsml_KCN11Z")
        assert check("😀" * MAX_ID)
        assert not check("a" * (MAX_ID + 1))
        assert not check("")
        assert not check("a b")


def operation_of(described: dict[str, Any], path: str) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = described["paths"][path]["get"]["parameters"]
    return parameters


def test_every_facet_is_described_and_works(
    reading: FlaskClient, described: dict[str, Any]
) -> None:
    (field,) = described["paths"]["/v1/facets/{field}"]["parameters"]
    pattern = re.compile(field["schema"]["pattern"])
    names = [
        *FACETABLE,
        *(f"{name}:{each}" for name in FACETABLE for each in [*Interval, "hour"]),
    ]
    described_names = {name for name in names if pattern.search(name)}
    assert {"source", "urgency", "published", "updated:century"} <= described_names
    for name in names:
        status = reading.get(f"/v1/facets/{name}?facet_size=0").status_code
        assert status == (200 if name in described_names else 400), name
    facet = {each["name"]: each for each in operation_of(described, "/v1/search")}
    for interval in Interval:
        assert interval.value in facet["facet"]["description"]


def test_every_parameter_has_a_description(described: dict[str, Any]) -> None:
    for method, path, operation in operations(described):
        shared = described["paths"][path].get("parameters", ())
        for each in (*operation.get("parameters", ()), *shared):
            assert each.get("description"), f"{method} {path} {each['name']}"


def test_every_status_of_an_error_is_described_somewhere(
    described: dict[str, Any],
) -> None:
    described_statuses = {
        int(status)
        for _, _, operation in operations(described)
        for status in operation["responses"]
        if status != "4XX"
    }
    statuses = {row.status for row in PROBLEM_TYPES.values()}
    # No operation is described for a method that a resource does not have.
    # "4XX" is described for what may happen to any request.
    assert statuses - {405, 408, 429, 431, 500} <= described_statuses


def test_every_code_is_in_the_document(described: dict[str, Any]) -> None:
    codes = described["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
    assert codes == list(PROBLEM_TYPES)
    assert list(PROBLEM_TYPES) == sorted(PROBLEM_TYPES)


def test_every_app_has_the_same_document(
    app: Flask, settings: Settings, reading: FlaskClient
) -> None:
    from service import create_app

    before = raw(reading)
    assert create_app(settings).test_client().get("/openapi.json").json == before


def raw(client: FlaskClient) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/openapi.json").json
    return document


def test_the_document_is_small(reading: FlaskClient) -> None:
    assert len(reading.get("/openapi.json").data) < 100 * 1024


def test_json_comes_first(described: dict[str, Any]) -> None:
    for method, path, operation in operations(described):
        for answer in operation["responses"].values():
            types = list(answer.get("content", {}))
            assert types[:1] in ([], [JSON]) or JSON not in types, f"{method} {path}"


def test_lists_are_described_where_they_are_taken(
    client: FlaskClient, described: dict[str, Any]
) -> None:
    for path, method, takes in (("/v1/articles", "post", True), (ONE, "put", False)):
        body = described["paths"][path][method]["requestBody"]["content"][JSON]
        schema = {**body["schema"], "components": described["components"]}
        check = Draft202012Validator(schema).is_valid
        assert check({"id": "a", **SMALL})
        assert check([{"id": "a", **SMALL}]) is takes
    assert client.post("/v1/articles", json=[{"id": "a", **SMALL}]).status_code == 200


def test_answers_and_articles_may_get_further_keys(reading: FlaskClient) -> None:
    for name, schema in raw(reading)["components"]["schemas"].items():
        assert name.endswith("Arguments") or schema.get("additionalProperties", True)


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/v1/search", "/v1/search"),
        ("/v1/facets/{field}", "/v1/facets/source"),
        ("/v1/suggest", "/v1/suggest?q=ha"),
        (ONE, "/v1/articles/urn:test:grain"),
        ("/v1/article", "/v1/article?id=urn:test:grain"),
        (f"{ONE}/versions", "/v1/articles/urn:test:grain/versions"),
        (f"{ONE}/diff", "/v1/articles/urn:test:grain/diff"),
        ("/v1/articles", "/v1/articles?status=canceled"),
        ("/v1/changes", "/v1/changes"),
    ],
)
def test_a_client_may_send_every_default(
    reading: FlaskClient, described: dict[str, Any], path: str, call: str
) -> None:
    # As generated clients do.
    sent = {
        each["name"]: str(each["schema"]["default"]).lower()
        if isinstance(each["schema"]["default"], bool)
        else each["schema"]["default"]
        for each in described["paths"][path]["get"]["parameters"]
        if "default" in each["schema"]
    }
    address = f"{call}{'&' if '?' in call else '?'}{urlencode(sent)}"
    answers = [reading.get(each).json for each in (address, call)]
    for answer in answers:
        for name in ("took_ms", "facets", "values"):
            answer.pop(name, None)
    assert answers[0] == answers[1]


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """All objects in a JSON value."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from parts(each)


def test_every_integer_has_a_width_that_holds_it(reading: FlaskClient) -> None:
    integers = [
        part for part in parts(raw(reading)) if "integer" in (part.get("type") or "")
    ]
    for schema in integers:
        bits = {"int32": 31, "int64": 53}[schema["format"]]
        assert schema["minimum"] <= schema["maximum"] < 2**bits
    entry = raw(reading)["components"]["schemas"]["ChangeEntry"]["properties"]
    assert entry["seq"]["format"] == "int64"


def test_every_union_has_a_name(reading: FlaskClient) -> None:
    document = raw(reading)
    unions = {
        name
        for name, each in document["components"]["schemas"].items()
        if "oneOf" in each
    }
    assert unions == {"ArticleOrList", "ConceptOrName", "Hit", "ParagraphOrText"}
    assert sum("oneOf" in part for part in parts(document)) == len(unions)
    # Any other is a value that may be null.
    for part in parts(document):
        if "anyOf" in part:
            assert part["anyOf"][1:] == [{"type": ["null"]}]


def test_no_property_is_of_two_types_or_has_a_dot_in_its_name(
    reading: FlaskClient,
) -> None:
    for part in parts(raw(reading)):
        types = part.get("type")
        assert not isinstance(types, list) or len({*types} - {"null"}) <= 1
        assert not any("." in name for name in part.get("properties", ()))


def test_a_body_has_no_defaults_that_clients_would_require(
    reading: FlaskClient,
) -> None:
    assert not any(
        "default" in part for part in parts(raw(reading)["components"]["schemas"])
    )


def test_the_tag_of_an_article_is_described(described: dict[str, Any]) -> None:
    for path in (ONE, "/v1/article"):
        assert "ETag" in described["paths"][path]["get"]["responses"]["200"]["headers"]


def test_every_component_is_used(reading: FlaskClient) -> None:
    document = raw(reading)
    used = set(re.findall(r"#/components/(\w+/[\w.]+)", str(document)))
    kinds = ("schemas", "responses", "requestBodies", "parameters")
    assert used == {
        f"{kind}/{name}" for kind in kinds for name in document["components"][kind]
    }
    assert "Error" not in document["components"]["schemas"]


def test_operations_have_names_that_clients_would_want(
    described: dict[str, Any],
) -> None:
    seen = {operation["operationId"] for *_, operation in operations(described)}
    assert all(re.fullmatch(r"[a-z]+(?:[A-Z][a-z]+)*", name) for name in seen)
    assert {"search", "getArticle", "putArticle", "killArticle", "listChanges"} <= seen


def test_an_operation_is_described_in_more_words_than_its_summary(
    described: dict[str, Any],
) -> None:
    for method, path, operation in operations(described):
        about = operation["description"]
        assert about.rstrip(".") != operation["summary"].rstrip("."), f"{method} {path}"
        assert len(about) > 30, f"{method} {path}"


def test_every_example_fits_its_schema(described: dict[str, Any]) -> None:
    count = 0
    for schema in described["components"]["schemas"].values():
        whole = {**schema, "components": described["components"]}
        for example in schema.get("examples", ()):
            Draft202012Validator(whole, format_checker=FormatChecker()).validate(
                example
            )
            count += 1
    assert count == len(EXAMPLES)


@pytest.mark.parametrize("unit", ["article", "paragraph"])
def test_a_hit_says_what_it_is(
    reading: FlaskClient, described: dict[str, Any], unit: str
) -> None:
    schemas = described["components"]["schemas"]
    hits = schemas["SearchAnswer"]["properties"]["hits"]
    assert hits["items"] == {"$ref": "#/components/schemas/Hit"}
    mapping = schemas["Hit"]["discriminator"]["mapping"]
    hit = reading.get(f"/v1/search?unit={unit}&q=harbour").json["hits"][0]
    assert hit["unit"] == unit
    schema = {"$ref": mapping[unit], "components": described["components"]}
    Draft202012Validator(schema).validate(hit)


def test_pages_for_people_are_not_in_the_document(
    app: Flask, described: dict[str, Any]
) -> None:
    pages = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("pages.")
    }
    assert "/" in pages
    assert pages & described["paths"].keys() == set()


# When the document is built.


@pytest.mark.slow
def test_the_document_is_built_once_when_first_requested(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[APISpec] = []
    make = APISpec.__init__

    def counted(self: APISpec, *args: Any, **kwargs: Any) -> None:
        built.append(self)
        make(self, *args, **kwargs)

    monkeypatch.setattr(APISpec, "__init__", counted)
    documentation.openapi.cache_clear()
    apps = [create_app(settings) for _ in range(2)]
    assert built == []
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda app: app.test_client().get("/openapi.json"), apps * 4)
        )
    assert len(built) == 1
    assert len({each.data for each in answers}) == 1
    assert {each.status_code for each in answers} == {200}


def test_adding_an_answer_copies_no_schema_of_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copies: list[Problem] = []

    def copied(schema: Problem, memo: dict[int, Any]) -> Problem:
        copies.append(schema)
        return schema

    monkeypatch.setattr(Problem, "__deepcopy__", copied, raising=False)
    blueprint = Blueprint("more", __name__)
    declared = blueprint.operation(
        "GET", "/more", scope=Scope.SEARCH, gives={}, problems=(404, 409, 410)
    )
    declared(lambda arguments: Response())
    assert copies == []
