"""The API reference: everything in the OpenAPI document, once, for people."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from described import resolved
from flask.testing import FlaskClient
from page_markup import Page, plain

from service.codes import PROBLEM_TYPES
from service.pages import reference
from service.pages.calls import ID
from service.pages.shapes import Member, Shapes

METHODS = ("get", "post", "put", "delete")
FILTERS = re.compile(r"(?:exclude|missing)\.\w+\Z")


@pytest.fixture(scope="module")
def page(reading: FlaskClient) -> Page:
    """The reference."""
    return Page(reading.get("/docs"))


@pytest.fixture(scope="module")
def described(reading: FlaskClient) -> dict[str, Any]:
    """The OpenAPI document."""
    return resolved(reading.get("/openapi.json").json)


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the operations that have a place of their own, with method and path."""
    for path, item in described["paths"].items():
        for method in METHODS:
            if method in item and not item[method]["operationId"].endswith("ByQuery"):
                shared = item.get("parameters", [])
                own = item[method].get("parameters", [])
                yield method, path, {**item[method], "parameters": [*shared, *own]}


def place(page: Page, operation: dict[str, Any]) -> Any:
    return page.one(f"article[@id='operation-{operation['operationId']}']")


def names_in(element: Any) -> list[str]:
    return [plain(each) for each in element.xpath(".//code[@class='name']")]


def test_every_operation_has_an_address_within_the_page(
    page: Page, described: dict[str, Any]
) -> None:
    ids = Counter(element.get("id") for element in page.all("*[@id]"))
    for item in described["paths"].values():
        for method in item.keys() & set(METHODS):
            assert f"operation-{item[method]['operationId']}" in ids
    assert set(ids.values()) == {1}
    for link in page.all("a[starts-with(@href, '#')]"):
        assert link.get("href")[1:] in ids


def test_an_operation_with_the_id_as_a_parameter_is_a_note_of_its_twin(
    page: Page, described: dict[str, Any]
) -> None:
    own = {f"operation-{each['operationId']}" for *_, each in operations(described)}
    assert {each.get("id") for each in page.all("article")} == own
    for element_id, text in (
        ("getArticle", "GET /v1/article?id=ID"),
        ("killArticle", "with the id in the body: POST /v1/article/kill"),
    ):
        twin = page.one(f"p[@id='operation-{element_id}ByQuery']")
        assert text in plain(twin)
        assert twin.xpath("ancestor::article")[0].get("id") == f"operation-{element_id}"


def test_deprecated_operations_are_folded_away(
    page: Page, described: dict[str, Any]
) -> None:
    listed = {link.get("href") for link in page.all("nav//a")}
    for *_, operation in operations(described):
        old = operation.get("deprecated", False)
        folded = place(page, operation).xpath("ancestor::details[not(@open)]")
        assert bool(folded) is old
        assert (f"#operation-{operation['operationId']}" in listed) is not old


def test_an_operation_says_what_it_takes(page: Page, described: dict[str, Any]) -> None:
    for method, path, operation in operations(described):
        element = place(page, operation)
        assert plain(element.find(".//h3")) == f"{method.upper()} {path}"
        rows = {
            names_in(row)[0]: plain(row)
            for row in element.xpath(".//dl[@class='parameters']/div")
        }
        folded = {
            name.partition(".")[2]
            for each in operation["parameters"]
            if FILTERS.match(name := each["name"])
        }
        for each in operation["parameters"]:
            name, schema = each["name"], each["schema"]
            if name in folded:
                assert name in rows["FIELD"].split()
                continue
            if FILTERS.match(name):
                assert f"{name.partition('.')[0]}.FIELD" in rows
                continue
            row = rows[name]
            assert ("required" in row) is each.get("required", False)
            assert each["description"] in row
            for value in schema.get("enum", ()):
                assert str(value) in row
            if isinstance(schema.get("default"), int | str):
                default = schema["default"]
                written = int(default) if isinstance(default, bool) else default
                assert f"default {written}" in row


def test_an_operation_says_which_key_it_needs(
    page: Page, described: dict[str, Any]
) -> None:
    for *_, operation in operations(described):
        (needs,) = place(page, operation).find_class("needs")
        scopes = {each.text for each in needs.findall("code")[:-1]}
        assert scopes == {
            scope
            for way in operation["security"]
            for wanted in way.values()
            for scope in wanted
        }
        assert plain(needs).startswith("No key is needed") is (not scopes)


def test_an_operation_says_what_it_answers(
    page: Page, described: dict[str, Any]
) -> None:
    schemas = described["components"]["schemas"]
    for *_, operation in operations(described):
        element = place(page, operation)
        text, names = plain(element), names_in(element)
        for status, answer in operation["responses"].items():
            assert status in text
            assert (status < "4") or answer["description"] in text
            for media_type, media in answer.get("content", {}).items():
                if status < "4":
                    assert media_type in text
                    reference = media.get("schema", {}).get("$ref", "")
                    schema = schemas.get(reference.rpartition("/")[2], {})
                    assert schema.get("properties", {}).keys() <= set(names)


def test_a_search_says_what_both_kinds_of_hits_have(page: Page) -> None:
    answer = plain(page.one("article[@id='operation-search']"))
    for text in ("either ArticleHit", "either ParagraphHit", "passages_total integer"):
        assert text in answer


def test_every_code_of_a_problem_is_there_with_what_to_do(page: Page) -> None:
    for code, row in PROBLEM_TYPES.items():
        assert row.link == f"/docs#{code}"
        place_of_code = page.one(f"div[@id='{code}']")
        assert row.title in plain(place_of_code)
        assert len(plain(place_of_code)) > len(code) + len(row.title) + 10
        status = place_of_code.xpath("ancestor::section[@class='status']")[0]
        assert status.get("id") == f"status-{row.status}"
    assert "Try again after 5 s" in plain(page.one("div[@id='index_unavailable']"))


def arguments_of(line: str) -> dict[str, Any]:
    """What the test client sends for a line of curl."""
    address, *options = shlex.split(line.replace("\\\n", ""))[1:]
    sent: dict[str, Any] = {"method": "GET", "headers": {}}
    for option, value in zip(options[::2], options[1::2], strict=True):
        if option == "-H":
            name, _, text = value.partition(": ")
            sent["headers"][name] = text
        elif option == "-X":
            sent["method"] = value
        elif option == "-d":
            sent["data"] = value.encode()
        else:
            assert option == "-F"
    sent["headers"].pop("Authorization", None)
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc) == ("http", "localhost")
    sent["path"] = parts.path.replace(f"/{ID}", "/urn:test:harbour")
    return {**sent, "query_string": parts.query}


def test_every_example_is_a_call_that_the_service_takes(
    client: FlaskClient, page: Page
) -> None:
    # Not because of the call, but of what is stored.
    fine = {"asset_not_found", "original_not_found", "push_off", "status_conflict"}
    fine |= {"article_not_found", "article_killed", "index_unavailable"}
    lines = [each.text_content() for each in page.all("pre/code")]
    assert len(lines) == len(page.all("article"))
    done = 0
    for line in lines:
        answer = client.open(**arguments_of(line))
        if answer.status_code >= 400 and not line.endswith("/readyz"):
            assert answer.json["code"] in fine, (line, answer.json)
        else:
            done += 1
    assert done > 15


def test_examples_that_can_be_tried_read_only(page: Page) -> None:
    tried = page.all("pre[@data-try]")
    assert len(tried) > 10
    for each in tried:
        assert "-X" not in each.text_content()
        assert each.get("data-try") in each.text_content()


def test_an_example_of_a_query_is_a_search(reading: FlaskClient, page: Page) -> None:
    examples = page.all("dl[@class='constructs']//a")
    assert len(examples) > 15
    for each in examples:
        found = Page(reading.get(each.get("href") + "&strict=1"))
        assert found.status == 200
        assert found.one("input[@id='q']").get("value") == each.text_content()


def test_the_page_loads_our_own_files_and_has_nothing_inline(
    reading: FlaskClient, page: Page
) -> None:
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    loads = [each.get("src") for each in page.all("script")]
    loads += [each.get("href") for each in page.all("link[@rel='stylesheet']")]
    assert len(loads) == 4
    for address in loads:
        with reading.get(address) as loaded:
            assert loaded.status_code == 200
    assert page.all("style") == []
    assert all(not each.text for each in page.all("script"))
    assert page.all("*[@style or @onclick or @onload]") == []


def test_no_key_can_get_into_an_address_or_a_storage(
    reading: FlaskClient, page: Page
) -> None:
    assert page.all("input[@type='password']") == []  # the script makes them
    with reading.get("/static/reference.js") as answer:
        script = answer.text
    assert '"X-API-Key"' in script
    assert not re.search(r"(local|session)Storage|\.cookie|\.name = ", script)


def test_the_page_is_written_once_for_an_address_and_known_by_its_tag(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    def counted(document: dict[str, Any]) -> Any:
        written.append(document)
        return groups_of(document)

    groups_of = reference.groups_of
    monkeypatch.setattr(reference, "groups_of", counted)
    reference._reference.cache_clear()
    reference._main.cache_clear()
    first, second = client.get("/docs"), client.get("/docs")
    assert len(written) == 1
    assert first.data == second.data
    again = client.get("/docs", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get("/docs?page=2").status_code == 400


def test_every_address_has_the_prefix_of_a_proxy(reading: FlaskClient) -> None:
    forwarded = {"X-Forwarded-Prefix": "/archive", "X-Forwarded-Host": "localhost"}
    page = Page(reading.get("/docs", headers=forwarded))
    links = [link for link in page.links() if not link.startswith(("#", "data:"))]
    assert len(links) > 20
    assert all(link.startswith("/archive/") for link in links)
    assert "curl 'http://localhost/archive/v1/search?" in page.source.replace(
        "&#39;", "'"
    )
    assert page.by_class("guide")[0].get("data-root") == "/archive"


# Schemas of any kind


def shapes_of(**schemas: Any) -> Shapes:
    return Shapes({"components": {"schemas": schemas}})


def lines(members: tuple[Member, ...], depth: int = 0) -> list[str]:
    return [
        line
        for member in members
        for line in (
            f"{'  ' * depth}{member.name}: {member.type}"
            + (f" like {member.like}" if member.like else ""),
            *lines(member.members, depth + 1),
        )
    ]


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


TREE = {"type": "object", "properties": {"name": {"type": "string"}}}


@pytest.mark.parametrize(
    "inner",
    [
        ref("Tree"),
        {"type": "array", "items": ref("Tree")},
        {"anyOf": [ref("Tree"), {"type": "null"}]},
        {"type": "object", "additionalProperties": ref("Tree")},
        {"allOf": [ref("Tree")]},
        {"type": "array", "items": {"oneOf": [ref("Tree"), ref("Other")]}},
    ],
)
def test_a_schema_within_itself_is_written_out_once(inner: dict[str, Any]) -> None:
    tree = {"type": "object", "properties": {"name": {"type": "string"}, "in": inner}}
    shapes = shapes_of(Tree=tree, Other={"properties": {"more": ref("Tree")}})
    written = lines(shapes.members(ref("Tree")))
    assert written[0] == "name: string"
    assert len(written) < 20


def test_schemas_that_hold_each_other_end() -> None:
    shapes = shapes_of(
        A={"properties": {"b": ref("B")}}, B={"allOf": [ref("A"), {"properties": {}}]}
    )
    assert len(lines(shapes.members(ref("A")))) < 10
    assert shapes_of(A={"allOf": [ref("A")]}).members(ref("A")) == ()


def test_the_same_members_are_written_out_once() -> None:
    shapes = shapes_of(
        Tree=TREE, All={"properties": {"one": ref("Tree"), "two": ref("Tree")}}
    )
    assert lines(shapes.members(ref("All"))) == [
        "one: object",
        "  name: string",
        "two: object like one",
    ]


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        ({"type": ["string", "null"]}, "string or null"),
        ({"type": ["null", "integer"], "minimum": 1}, "integer from 1 or null"),
        ({"type": "integer", "minimum": 0, "maximum": 1000}, "integer from 0 to 1,000"),
        ({"type": "array", "items": {"type": "string"}}, "list of string"),
        ({"type": "string", "format": "date-time"}, "date-time"),
        ({"anyOf": [{"type": "string"}, {"type": "object"}]}, "string or object"),
        ({}, "any"),
    ],
)
def test_a_type_is_written_in_words(schema: dict[str, Any], written: str) -> None:
    shapes = shapes_of()
    assert lines(shapes.members({"properties": {"x": schema}})) == [f"x: {written}"]


def test_a_description_is_text_with_code_and_never_markup() -> None:
    schema = {"type": "string", "description": "`<b>` and <i>"}
    (member,) = shapes_of().members({"properties": {"x": schema}})
    assert member.about_html == "<code>&lt;b&gt;</code> and &lt;i&gt;"
