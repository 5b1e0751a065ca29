"""If-Match: a write is carried out only if nobody changed the article meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from index.access import Scope
from index.archive import Archive
from index.query import Filter

GRAIN = "/v1/articles/urn:test:grain"
MINE = {"paragraphs": ["My correction."]}
THEIRS = {"paragraphs": ["Their correction."]}


def tag_of(client: FlaskClient, path: str = GRAIN) -> str:
    tag = client.get(path).headers["ETag"]
    assert not tag.startswith("W/"), tag
    return tag


def put(client: FlaskClient, tag: str, path: str = GRAIN) -> int:
    return client.put(path, json=MINE, headers={"If-Match": tag}).status_code


def delete(client: FlaskClient, tag: str, path: str = GRAIN) -> int:
    return client.delete(path, headers={"If-Match": tag}).status_code


@pytest.mark.parametrize("write", [put, delete])
@pytest.mark.parametrize(
    "query", ["", "?q=grain", "?format=ninjs", "?q=flour&in=body", "?version=1"]
)
def test_a_write_needs_the_article_as_it_was_read(
    client: FlaskClient, write: Callable[..., int], query: str
) -> None:
    tag = tag_of(client, f"{GRAIN}{query}")
    client.put("/v1/articles/other", json=THEIRS)  # does not matter
    client.put(GRAIN, json=THEIRS)
    assert write(client, tag) == 412
    assert client.get(GRAIN).json["paragraphs"][0]["text"] == "Their correction."
    assert write(client, tag_of(client)) == 200


def test_a_failed_precondition_names_the_article_and_changes_nothing(
    client: FlaskClient, archive: Archive
) -> None:
    answer = client.put(GRAIN, json=MINE, headers={"If-Match": '"other"'})
    assert (answer.status_code, answer.json["code"]) == (412, "precondition_failed")
    assert answer.json["id"] == "urn:test:grain"
    assert answer.json["results"][0]["status"] == "error"
    assert "If-Match" in answer.json["detail"]
    assert archive.seq() == 3


@pytest.mark.parametrize("write", [put, delete])
@pytest.mark.parametrize("form", ['{t}, "x"', '"x", {t}', '"x" ,{t},"y"', "{t},{t}"])
def test_one_tag_of_a_list_is_enough(
    client: FlaskClient, write: Callable[..., int], form: str
) -> None:
    assert write(client, form.format(t=tag_of(client))) == 200


@pytest.mark.parametrize("write", [put, delete])
@pytest.mark.parametrize("form", ["W/{t}", 'W/{t}, "x"', '"x"', '""', "", ","])
def test_a_weak_tag_another_one_and_none_match_nothing(
    client: FlaskClient, write: Callable[..., int], form: str
) -> None:
    assert write(client, form.format(t=tag_of(client))) == 412


@pytest.mark.parametrize("write", [put, delete])
def test_a_star_stands_for_any_article_that_is_there(
    client: FlaskClient, write: Callable[..., int]
) -> None:
    assert write(client, "*", "/v1/articles/unknown") == 412
    assert client.get("/v1/articles/unknown").status_code == 404
    assert write(client, "*") == 200


@pytest.mark.parametrize("write", [put, delete])
@pytest.mark.parametrize("tag", ["{t}", "*"])
@pytest.mark.parametrize("end", ["kill", "delete"])
def test_what_is_gone_matches_nothing(
    client: FlaskClient, write: Callable[..., int], tag: str, end: str
) -> None:
    tag = tag.format(t=tag_of(client))
    if end == "kill":
        client.post(f"{GRAIN}/kill")
    else:
        client.delete(GRAIN)
    assert write(client, tag) == 412


def test_another_status_is_another_state(client: FlaskClient) -> None:
    tag = tag_of(client)
    client.post(f"{GRAIN}/withhold")
    assert put(client, tag) == 412
    client.post(f"{GRAIN}/reinstate")
    assert put(client, tag) == 200


def test_content_that_was_replaced_is_another_state(client: FlaskClient) -> None:
    tag = tag_of(client)
    client.put(f"{GRAIN}?force=1", json={**THEIRS, "version": "1"})
    assert client.get(GRAIN).json["version"] == "1"
    assert put(client, tag) == 412


def test_an_article_deleted_and_stored_again_is_another(client: FlaskClient) -> None:
    client.put("/v1/articles/a", json=MINE)
    tag = tag_of(client, "/v1/articles/a")
    client.delete("/v1/articles/a")
    client.put("/v1/articles/a", json=MINE)
    assert delete(client, tag, "/v1/articles/a") == 412


def test_the_tag_of_another_article_does_not_match(client: FlaskClient) -> None:
    assert put(client, tag_of(client, "/v1/articles/urn:test:museum")) == 412


def test_a_precondition_holds_also_behind_a_proxy_that_decodes_paths(
    client: FlaskClient,
) -> None:
    by_id = "/v1/article?id=urn:test:grain"
    tag = tag_of(client, by_id)
    assert put(client, tag, by_id) == 200
    assert delete(client, tag, by_id) == 412


def test_a_tag_still_serves_a_conditional_get(
    client: FlaskClient, index_now: Callable[[], None]
) -> None:
    tag = tag_of(client)
    again = client.get(GRAIN, headers={"If-None-Match": tag})
    assert (again.status_code, again.headers["ETag"]) == (304, tag)
    weakened = client.get(GRAIN, headers={"If-None-Match": f"W/{tag}"})
    assert weakened.status_code == 304
    client.put(GRAIN, json=THEIRS)
    index_now()
    assert client.get(GRAIN, headers={"If-None-Match": tag}).status_code == 200
    assert tag_of(client) != tag


@pytest.mark.parametrize("path", [GRAIN, "/v1/search?q=grain"])
def test_an_empty_tag_is_no_error(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers={"If-None-Match": '"", W/""'})
    assert answer.status_code == 200


def test_answers_that_are_not_of_one_article_have_weak_tags(
    client: FlaskClient,
) -> None:
    tag = client.get("/v1/search?q=grain").headers["ETag"]
    assert tag.startswith("W/")


def test_a_filter_hides_what_a_precondition_would_tell(
    client: FlaskClient, archive: Archive
) -> None:
    rule = Filter(field="source", values=("City Desk",))
    key = archive.keys.add("desk", frozenset({Scope.INGEST}), filters=(rule,))
    answers = [
        client.delete(path, headers={"If-Match": tag, "X-API-Key": key.secret})
        for path in (GRAIN, "/v1/articles/unknown")
        for tag in ("*", '"x"')
    ]
    assert [each.status_code for each in answers] == [412] * 4
