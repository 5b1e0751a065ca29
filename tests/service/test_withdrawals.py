"""Killing, withholding and reinstating articles over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

ONE = "/v1/articles/urn:test:grain"
PATHS = (ONE, f"{ONE}/paragraphs", f"{ONE}/paragraphs/0", f"{ONE}/versions")
SEARCH = "/v1/search?q=flour&facet=subjects"


def kill(client: FlaskClient, path: str = ONE, **body: Any) -> TestResponse:
    return client.post(f"{path}/kill", json=body or None)


def test_a_killed_article_answers_with_its_notice(client: FlaskClient) -> None:
    answer = kill(client, note="The figures were wrong.", replacement="urn:test:other")
    assert answer.status_code == 200
    assert answer.json is not None
    notice = answer.json["notices"][0]
    assert (answer.json["status"], notice["version"]) == ("canceled", "1")
    for path in PATHS:
        gone = client.get(path)
        assert gone.status_code == 410, path
        assert gone.json is not None
        assert gone.json["code"] == "article_killed"
        assert gone.json["note"] == "The figures were wrong."
        assert gone.json["replacement"] == "urn:test:other"
        assert gone.json["killed"] == notice["at"]
        assert b"flour" not in gone.data


def test_a_killed_article_is_in_no_answer(
    client: FlaskClient, index_now: Callable[[], None]
) -> None:
    before = client.get(SEARCH)
    assert before.json is not None
    assert before.json["total"] == {"articles": 1, "paragraphs": 1}
    kill(client)
    for _ in range(2):
        again = client.get(SEARCH, headers={"If-None-Match": before.headers["ETag"]})
        assert again.json is not None
        assert again.json["total"] == {"articles": 0, "paragraphs": 0}
        assert again.json["facets"]["subjects"]["values"] == []
        assert b"Bakers" not in again.data
        suggested = client.get("/v1/suggest?q=flou").json
        assert suggested == {"suggestions": []}
        index_now()


def test_a_cached_article_is_not_confirmed_after_a_kill(client: FlaskClient) -> None:
    tag = client.get(ONE).headers["ETag"]
    assert client.get(ONE, headers={"If-None-Match": tag}).status_code == 304
    kill(client)
    assert client.get(ONE, headers={"If-None-Match": tag}).status_code == 410


def test_a_kill_by_id_does_the_same(client: FlaskClient) -> None:
    answer = client.post("/v1/article/kill", json={"id": "urn:test:grain"})
    assert answer.status_code == 200
    assert client.get("/v1/article?id=urn:test:grain").status_code == 410


def test_notices_are_listed_the_newest_first(client: FlaskClient) -> None:
    for name in ("one", "two", "three"):
        kill(client, f"/v1/articles/{name}", note=name.upper())
    page = client.get("/v1/articles?status=canceled&limit=2").json
    assert page is not None
    assert [each["note"] for each in page["notices"]] == ["THREE", "TWO"]
    rest = client.get(f"/v1/articles?status=canceled&before={page['next']}").json
    assert rest is not None
    assert [each["note"] for each in rest["notices"]] == ["ONE"]
    assert rest["next"] is None


def test_withheld_is_not_found_until_it_is_reinstated(
    client: FlaskClient, index_now: Callable[[], None]
) -> None:
    answer = client.post(f"{ONE}/withhold").json
    assert answer is not None
    assert (answer["status"], answer["seq"]) == ("withheld", 4)
    assert client.get(ONE).status_code == 404
    assert client.post(f"{ONE}/withhold").json == {**answer, "seq": None}
    assert client.post(f"{ONE}/reinstate").status_code == 200
    index_now()
    assert client.get(ONE).status_code == 200
    answer = client.get(SEARCH).json
    assert answer is not None
    assert answer["total"]["articles"] == 1


@pytest.mark.parametrize(
    ("article", "parameters"), [(ONE, ""), ("/v1/article", "?id=urn:test:grain")]
)
def test_the_former_name_answers_alike_and_names_its_successor(
    client: FlaskClient, article: str, parameters: str
) -> None:
    answers = {}
    for name in ("reinstate", "restore"):
        client.post(f"{ONE}/withhold")
        answer = answers[name] = client.post(f"{article}/{name}{parameters}")
        assert answer.json is not None
        assert (answer.status_code, answer.json["status"]) == (200, "usable")
        assert client.get(ONE).status_code == 200
    assert not {"Deprecation", "Link"} & {*answers["reinstate"].headers.keys()}
    headers = answers["restore"].headers
    assert headers["Deprecation"] == "@1795996800"
    assert headers["Link"] == '<reinstate>; rel="successor-version"'
    refused = client.post("/v1/articles/none/restore")
    assert refused.status_code == 404
    assert refused.headers["Link"] == headers["Link"]


def test_only_the_former_name_is_deprecated_in_openapi(client: FlaskClient) -> None:
    described = client.get("/openapi.json").json
    assert described is not None
    deprecated = {
        path
        for path, item in described["paths"].items()
        if item.get("post", {}).get("deprecated")
    }
    assert deprecated == {"/v1/articles/{article_id}/restore", "/v1/article/restore"}


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/articles/none/withhold", 404, "article_not_found"),
        ("/v1/articles/none/reinstate", 404, "article_not_found"),
        ("/v1/articles/none/restore", 404, "article_not_found"),
        (f"{ONE}/withhold", 409, "status_conflict"),
    ],
)
def test_what_cannot_be_done_says_why(
    client: FlaskClient, path: str, status: int, code: str
) -> None:
    kill(client)
    answer = client.post(path)
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_an_article_killed_before_it_arrives_is_stored_and_hidden(
    client: FlaskClient,
) -> None:
    kill(client, "/v1/articles/late")
    answer = client.put("/v1/articles/late", json={"paragraphs": ["Too late."]})
    assert answer.json is not None
    assert answer.json["results"][0]["status"] == "stored"
    assert client.get("/v1/articles/late").status_code == 410


def test_other_known_words_for_a_kill_are_accepted(
    client: FlaskClient,
) -> None:
    body = {"paragraphs": ["Bakers paid."], "status": "killed"}
    assert client.put(ONE, json=body).status_code == 200
    assert client.get(ONE).status_code == 410
    unknown = client.put(ONE, json={**body, "status": "spiked"})
    assert unknown.json is not None
    assert (unknown.status_code, unknown.json["field"]) == (422, "status")
