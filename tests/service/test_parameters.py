"""Parameters are read strictly: each wrong one is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

# path and query, status, code, parameter
REFUSED = [
    ("/v1/search?limmit=3", 400, "unknown_parameter", "limmit"),
    ("/v1/search?Q=kerry", 400, "unknown_parameter", "Q"),
    ("/v1/search?exclude.headline=x", 400, "unknown_parameter", "exclude.headline"),
    ("/v1/search?limit=1&limit=2", 400, "repeated_parameter", "limit"),
    ("/v1/search?q=a&q=b", 400, "repeated_parameter", "q"),
    ("/v1/search?missing.source=1&missing.source=1", 400, "repeated_parameter", None),
    ("/v1/search?limit=ten", 400, "invalid_value", "limit"),
    ("/v1/search?limit=", 400, "invalid_value", "limit"),
    ("/v1/search?limit=-1", 400, "invalid_value", "limit"),
    ("/v1/search?limit=1.0", 400, "invalid_value", "limit"),
    ("/v1/search?limit=1_0", 400, "invalid_value", "limit"),
    ("/v1/search?limit=%D9%A1", 400, "invalid_value", "limit"),
    ("/v1/search?limit=99999999999999999999", 400, "invalid_value", "limit"),
    ("/v1/search?limit=101", 400, "limit_exceeded", "limit"),
    ("/v1/search?page=0", 400, "invalid_value", "page"),
    ("/v1/search?page=1001&limit=10", 400, "page_out_of_range", None),
    ("/v1/search?page=1&cursor=abc", 400, "invalid_value", "page"),
    ("/v1/search?cursor=abc", 400, "invalid_cursor", "cursor"),
    ("/v1/search?cursor=", 400, "invalid_cursor", "cursor"),
    ("/v1/search?passages=21", 400, "invalid_value", "passages"),
    ("/v1/search?passage_length=-1", 400, "invalid_value", "passage_length"),
    ("/v1/search?facet_size=1001", 400, "invalid_value", "facet_size"),
    ("/v1/search?facet=nope", 400, "unknown_field", "facet"),
    ("/v1/search?facet=headline", 400, "unknown_field", "facet"),
    ("/v1/search?facet=published:hour", 400, "invalid_value", "facet"),
    ("/v1/search?facet=source:day", 400, "invalid_value", "facet"),
    ("/v1/search?facet=", 400, "invalid_value", "facet"),
    ("/v1/search?in=nowhere", 400, "invalid_value", "in"),
    ("/v1/search?scope=page", 400, "invalid_value", "scope"),
    ("/v1/search?unit=word", 400, "invalid_value", "unit"),
    ("/v1/search?sort=best", 400, "invalid_value", "sort"),
    ("/v1/search?date=expires", 400, "invalid_value", "date"),
    ("/v1/search?tz=Mars/Base", 400, "invalid_value", "tz"),
    ("/v1/search?tz=../../etc/passwd", 400, "invalid_value", "tz"),
    ("/v1/search?from=soon", 400, "invalid_value", "from"),
    ("/v1/search?from=", 400, "invalid_value", "from"),
    ("/v1/search?to=2016-13-01", 400, "invalid_value", "to"),
    ("/v1/search?from=2017&to=2016", 400, "invalid_value", "from"),
    ("/v1/search?strict=yes", 400, "invalid_value", "strict"),
    ("/v1/search?explain=2", 400, "invalid_value", "explain"),
    ("/v1/search?format=xml", 400, "invalid_value", "format"),
    ("/v1/search?fields=headline,nope", 400, "invalid_value", "fields"),
    ("/v1/search?fields=ed_note", 400, "invalid_value", "fields"),
    ("/v1/search?source=", 400, "invalid_value", "source"),
    ("/v1/search?urgency=high", 400, "invalid_value", "urgency"),
    ("/v1/search?urgency=" + "+" * 18, 400, "invalid_value", "urgency"),
    ("/v1/search?urgency=" + "1" * 19, 400, "invalid_value", "urgency"),
    ("/v1/search?exclude.urgency=" + "1" * 19, 400, "invalid_value", "urgency"),
    ("/v1/search?urgency=-1", 400, "invalid_value", "urgency"),
    ("/v1/search?missing.source=maybe", 400, "invalid_value", "missing.source"),
    ("/v1/search?q=%00", 400, "invalid_encoding", "q"),
    ("/v1/search?q=%ff", 400, "invalid_encoding", "q"),
    ("/v1/search?q=%ed%a0%80", 400, "invalid_encoding", "q"),
    ("/v1/search?source=%c3", 400, "invalid_encoding", "source"),
    ("/v1/search?%ff=1", 400, "invalid_encoding", None),
    ("/v1/search?" + "source=a&" * 500, 400, "limit_exceeded", "parameters"),
    ("/v1/search?q=" + "a" * 1001, 400, "query_too_long", "q"),
    ("/v1/search?q=a*", 400, "wildcard_too_broad", "q"),
    ("/v1/search?q=" + "(" * 21 + "a" + ")" * 21, 400, "query_too_deep", "q"),
    ("/v1/search?q=" + "a+" * 65, 400, "query_too_many_clauses", "q"),
    ("/v1/search?strict=1&q=(a", 400, "query_syntax", "q"),
    ("/v1/suggest", 400, "invalid_value", "q"),
    ("/v1/suggest?q=" + "a" * 1001, 400, "query_too_long", "q"),
    ("/v1/suggest?q=a&limit=0", 400, "invalid_value", "limit"),
    ("/v1/suggest?q=a&limit=51", 400, "invalid_value", "limit"),
    ("/v1/facets/nope", 400, "unknown_field", "facet"),
    ("/v1/facets/source?size=3", 400, "unknown_parameter", "size"),
    ("/v1/fields?x=1", 400, "unknown_parameter", "x"),
    ("/v1/articles/urn:test:grain?p=1", 400, "unknown_parameter", "p"),
    ("/v1/articles/urn:test:grain?format=pdf", 400, "invalid_value", "format"),
    ("/v1/articles/urn:test:grain/versions?q=1", 400, "unknown_parameter", "q"),
    ("/v1/article", 400, "invalid_value", "id"),
    ("/v1/article?id=a%20b", 400, "invalid_id", "id"),
    ("/healthz?x=1", 400, "unknown_parameter", "x"),
]


@pytest.mark.parametrize(
    ("path", "status", "code", "parameter"),
    REFUSED,
    ids=[row[0][:60] for row in REFUSED],
)
def test_a_wrong_parameter_is_refused_by_name(
    reading: FlaskClient, path: str, status: int, code: str, parameter: str | None
) -> None:
    answer = reading.get(path)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.content_type == "application/problem+json"
    if parameter is not None:
        assert answer.json["parameter"] == parameter


def test_an_unknown_parameter_gets_the_nearest_name(reading: FlaskClient) -> None:
    answer = reading.get("/v1/search?limmit=3").json
    assert answer["nearest"] == "limit"
    assert "did you mean limit?" in answer["detail"]


@pytest.mark.parametrize(
    ("names", "nearest"),
    [
        ("Q query querry search", "q"),
        ("Limit size per_page perPage page_size pageSize rows", "limit"),
        ("offset start", "page"),
        ("from_date date_from from-date since FROM", "from"),
        ("to_date date_to until", "to"),
        ("order order_by orderBy", "sort"),
        ("facets FACET", "facet"),
        ("highlight", "passages"),
        ("exclude.Source exclude.sources", "exclude.source"),
    ],
)
def test_a_name_from_another_api_gets_ours(
    reading: FlaskClient, names: str, nearest: str
) -> None:
    for name in names.split():
        answer = reading.get("/v1/search", query_string={name: "1"}).json
        assert (answer["parameter"], answer["nearest"]) == (name, nearest)


def test_a_name_from_another_api_gets_only_declared_names(reading: FlaskClient) -> None:
    assert reading.get("/v1/facets/source?size=3").json["nearest"] == "facet_size"
    assert reading.get("/v1/suggest?size=3").json["nearest"] == "limit"
    assert "nearest" not in reading.get("/v1/suggest?offset=3").json


@pytest.mark.parametrize(
    ("query_string", "got"),
    [
        ("source=a&source=", "a, "),
        ("fields=headline,nope", "headline,nope"),
        ("limit=ten", "ten"),
    ],
)
def test_an_error_repeats_the_value_as_sent(
    reading: FlaskClient, query_string: str, got: str
) -> None:
    assert reading.get(f"/v1/search?{query_string}").json["got"] == got


def test_a_name_unlike_any_other_gets_no_guess(reading: FlaskClient) -> None:
    assert "nearest" not in reading.get("/v1/search?zzzzzzz=3").json


def test_a_limit_names_itself_its_value_and_what_was_sent(reading: FlaskClient) -> None:
    answer = reading.get("/v1/search?limit=101").json
    assert (answer["parameter"], answer["limit"], answer["got"]) == ("limit", 100, 101)


WRONG_BODIES: list[tuple[Any, str, str | None]] = [
    ({"limit": None}, "invalid_value", "limit"),
    ({"q": None}, "invalid_value", "q"),
    ({"q": 3}, "invalid_value", "q"),
    ({"q": ["a"]}, "invalid_value", "q"),
    ({"limit": "10"}, "invalid_value", "limit"),
    ({"limit": 10.0}, "invalid_value", "limit"),
    ({"limit": True}, "invalid_value", "limit"),
    ({"strict": "1"}, "invalid_value", "strict"),
    ({"strict": 2}, "invalid_value", "strict"),
    ({"source": {"a": 1}}, "invalid_value", "source"),
    ({"source": ["a", None]}, "invalid_value", "source"),
    ({"source": [["a"]]}, "invalid_value", "source"),
    ({"facet": [1]}, "invalid_value", "facet"),
    ({"urgency": True}, "invalid_value", "urgency"),
    ({"urgency": [2.0]}, "invalid_value", "urgency"),
    ({"urgency": -2}, "invalid_value", "urgency"),
    ({"urgency": 10**18}, "invalid_value", "urgency"),
    ({"missing.urgency": "x"}, "invalid_value", "missing.urgency"),
    ({"limmit": 3}, "unknown_parameter", "limmit"),
    ({"q": "a\0"}, "invalid_encoding", "q"),
    ([], "invalid_json", None),
    ("q", "invalid_json", None),
    (None, "invalid_json", None),
]


@pytest.mark.parametrize(("body", "code", "parameter"), WRONG_BODIES)
def test_a_wrong_member_of_a_search_body_is_a_parameter_error(
    reading: FlaskClient, body: Any, code: str, parameter: str | None
) -> None:
    answer = reading.post(
        "/v1/search", data=json.dumps(body), content_type="application/json"
    )
    assert (answer.status_code, answer.json["code"]) == (400, code)
    assert answer.json.get("parameter") == parameter


@pytest.mark.parametrize("value", [2, [2], "2", ["2"], [5, 2], " 2"])
def test_a_number_to_filter_by_may_be_one_in_json(
    reading: FlaskClient, value: Any
) -> None:
    answer = reading.post("/v1/search", json={"urgency": value, "facet": "urgency"})
    assert [hit["id"] for hit in answer.json["hits"]] == ["urn:test:harbour"]
    listed = answer.json["facets"]["urgency"]["values"]
    assert {"value": "2", "count": 1, "active": True}.items() <= listed[0].items()


@pytest.mark.parametrize(
    ("nested", "flat"),
    [
        ({"exclude": {"source": ["City Desk"]}}, {"exclude.source": ["City Desk"]}),
        ({"missing": {"section": True}}, {"missing.section": True}),
        ({"missing": {"section": False}}, {"missing.section": False}),
        (
            {"exclude": {"urgency": 2, "people": "X"}, "missing": {"urgency": False}},
            {"exclude.urgency": 2, "exclude.people": "X", "missing.urgency": False},
        ),
        ({"exclude": {}, "missing": {}}, {}),
    ],
)
def test_filters_in_a_body_may_be_objects(
    reading: FlaskClient, nested: dict[str, Any], flat: dict[str, Any]
) -> None:
    hits = [
        [hit["id"] for hit in reading.post("/v1/search", json=body).json["hits"]]
        for body in (nested, flat)
    ]
    assert hits[0] == hits[1]


@pytest.mark.parametrize(
    ("body", "code", "parameter"),
    [
        ({"exclude": {"nope": ["x"]}}, "unknown_parameter", "exclude.nope"),
        ({"missing": {"section": "x"}}, "invalid_value", "missing.section"),
        ({"exclude": {"source": {"a": 1}}}, "invalid_value", "exclude.source"),
        ({"exclude": ["x"]}, "unknown_parameter", "exclude"),
        ({"q": {"source": "x"}}, "invalid_value", "q"),
        (
            {"exclude.source": ["x"], "exclude": {"source": ["y"]}},
            *("repeated_parameter", "exclude.source"),
        ),
    ],
)
def test_a_wrong_object_of_filters_is_refused_by_its_name(
    reading: FlaskClient, body: dict[str, Any], code: str, parameter: str
) -> None:
    answer = reading.post("/v1/search", json=body)
    assert (answer.status_code, answer.json["code"]) == (400, code)
    assert answer.json["parameter"] == parameter


@pytest.mark.parametrize("query_string", ["q=a&nope=1", "q=a", "nope=1", "q"])
def test_a_body_and_an_address_are_not_mixed(
    reading: FlaskClient, query_string: str
) -> None:
    answer = reading.post(f"/v1/search?{query_string}", json={"q": "grain"})
    assert (answer.status_code, answer.json["code"]) == (400, "unknown_parameter")
    for pair in query_string.split("&"):
        assert pair.partition("=")[0] in answer.json["detail"]
    assert answer.json["parameter"] == query_string[:4].partition("=")[0]
    assert "body" in answer.json["detail"]


@pytest.mark.parametrize("word", ["1", "true", "TRUE", "True"])
def test_a_flag_is_on(reading: FlaskClient, word: str) -> None:
    hit = reading.get(f"/v1/search?q=grain&explain={word}").json["hits"][0]
    assert "explain" in hit


@pytest.mark.parametrize("word", ["0", "false"])
def test_a_flag_is_off(reading: FlaskClient, word: str) -> None:
    hit = reading.get(f"/v1/search?q=grain&explain={word}").json["hits"][0]
    assert "explain" not in hit


def test_utf_8_without_escapes_is_read(reading: FlaskClient) -> None:
    answer = reading.get(
        "/v1/search", environ_overrides={"QUERY_STRING": "q=caf\xc3\xa9"}
    )
    assert answer.json["query"]["text"] == "café"


def test_get_and_post_answer_the_same(reading: FlaskClient) -> None:
    got = reading.get(
        "/v1/search?q=grain&source=Harbour%20Desk&source=Market+Desk&facet=source"
        "&limit=1&explain=1&fields=headline,source"
    ).json
    posted = reading.post(
        "/v1/search",
        data=json.dumps(
            {
                "q": "grain",
                "source": ["Harbour Desk", "Market Desk"],
                "facet": "source",
                "limit": 1,
                "explain": True,
                "fields": ["headline", "source"],
            }
        ),
        content_type="application/json",
    ).json
    for answer in (got, posted):
        del answer["took_ms"]
    assert got == posted
    assert got["total"]["articles"] == 2
