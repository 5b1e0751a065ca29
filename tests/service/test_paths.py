"""Ids in paths: routes match the path as it was sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from index.article import MAX_ID
from service.exchange.paths import decoded_id, raw_path

ODD_IDS = [
    "tag:reuters.com,2016:newsml_KCN11Z",
    "https://example.org/a/b?c=d#e",
    "a/versions",
    "a/paragraphs/1",
    "a#p3",
    "100%",
    "a%2Fb",
    "පුවත්",
    "新聞/1",
    "..",
    ".",
    "../../etc/passwd",
    "//",
    "a+b&c;d=e",
    "~x'\"(y)!*",
    "😀",
]


@pytest.mark.parametrize("article_id", ODD_IDS)
def test_an_odd_id_can_be_put_read_and_deleted(
    client: FlaskClient, article_id: str
) -> None:
    path = f"/v1/articles/{quote(article_id, safe='')}"
    put = client.put(path, json={"headline": "Odd", "paragraphs": ["Text."]})
    assert put.json["results"][0]["id"] == article_id, put.json
    assert client.get(path).json["id"] == article_id
    assert client.get(f"{path}/paragraphs/1").json["id"] == f"{article_id}#p1"
    assert len(client.get(f"{path}/versions").json["versions"]) == 1
    by_id = client.get("/v1/article", query_string={"id": article_id})
    assert by_id.json["id"] == article_id
    assert client.delete(path).json["status"] == "deleted"
    assert client.get(path).status_code == 404


def test_an_encoded_slash_is_part_of_the_id(client: FlaskClient) -> None:
    missing = client.get("/v1/articles/urn:test:grain%2Fversions")
    assert (missing.status_code, missing.json["code"]) == (404, "article_not_found")
    assert missing.json["id"] == "urn:test:grain/versions"
    assert client.get("/v1/articles/urn:test:grain/versions").status_code == 200


def test_the_error_for_a_bare_slash_says_how_to_escape_it(client: FlaskClient) -> None:
    missing = client.get("/v1/articles/http://example.org/a").json
    assert missing["code"] == "not_found"
    assert "%2F" in missing["detail"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/articles/a%00b", "invalid_id"),
        ("/v1/articles/a%0d%0aX", "invalid_id"),
        ("/v1/articles/a%20b", "invalid_id"),
        ("/v1/articles/" + "a" * (MAX_ID + 1), "invalid_id"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_invalid_id_is_refused(
    reading: FlaskClient, method: str, path: str, code: str
) -> None:
    answer = reading.open(path, method=method, json={"headline": "x"})
    assert (answer.status_code, answer.json["code"]) == (400, code)


def test_an_id_that_is_not_utf_8_is_refused(client: FlaskClient) -> None:
    # The client itself cannot send such a path.
    answer = client.get(
        "/", environ_overrides={"PATH_INFO": "/v1/articles/\xff", "RAW_URI": ""}
    )
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_encoding")


def test_letters_may_be_escaped_without_need(client: FlaskClient) -> None:
    assert client.get("/v1/%73earch?q=grain").status_code == 200
    assert client.get("/v1/articles/%75rn%3atest%3agrain").status_code == 200


def environ(**more: Any) -> dict[str, Any]:
    return {"SCRIPT_NAME": "", **more}


@pytest.mark.parametrize(
    ("given_environ", "expected"),
    [
        (environ(PATH_INFO="/a/b", RAW_URI="/a%2fb?q=1"), "/a%2Fb"),
        (environ(PATH_INFO="/a/b", REQUEST_URI="/a%2fb"), "/a%2Fb"),
        (environ(PATH_INFO="/a/b", RAW_URI="http://h/a%2Fb?q"), "/a%2Fb"),
        (environ(PATH_INFO="/a/b"), "/a/b"),
        (environ(PATH_INFO="/a/b", RAW_URI="/c%2Fd"), "/a/b"),
        (environ(PATH_INFO="/a%b"), "/a%25b"),
        (environ(PATH_INFO="/\xc3\xa9", RAW_URI="/\xc3\xa9"), "/%C3%A9"),
        (environ(PATH_INFO="/é".encode().decode("latin-1")), "/%C3%A9"),
        (
            {"SCRIPT_NAME": "/app", "PATH_INFO": "/a/b", "RAW_URI": "/app/a%2Fb"},
            "/a%2Fb",
        ),
        (environ(PATH_INFO="/a", RAW_URI="http://[bad"), "/a"),
    ],
)
def test_the_raw_path_is_taken_from_the_request_line(
    given_environ: dict[str, Any], expected: str
) -> None:
    assert raw_path(given_environ) == expected


ids = st.text(
    st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=40
).filter(str.isprintable)


@pytest.mark.slow
@given(ids)
def test_every_id_survives_the_path(article_id: str) -> None:
    sent = f"/v1/articles/{quote(article_id, safe='')}"
    decoded = f"/v1/articles/{article_id}".encode().decode("latin-1")
    raw = raw_path(environ(PATH_INFO=decoded, RAW_URI=sent))
    assert raw.count("/") == 3
    assert decoded_id(raw.rpartition("/")[2]) == article_id


def test_a_paragraph_has_an_address(client: FlaskClient) -> None:
    answer = client.get("/v1/articles/urn:test:harbour/paragraphs/3").json
    assert answer["role"] == "caption"
    assert answer["credit"] == "Desk/Ana Berg"


def test_the_number_of_a_paragraph_may_be_too_large(
    client: FlaskClient, index_now: Callable[[], None]
) -> None:
    answer = client.get("/v1/articles/urn:test:harbour/paragraphs/4")
    assert (answer.status_code, answer.json["code"]) == (404, "paragraph_not_found")
    assert answer.json["last"] == 3
