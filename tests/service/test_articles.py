"""Articles over HTTP: reading, putting, posting, deleting."""

from __future__ import annotations

import gzip
import io
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from index.archive import Archive
from index.article import article_of
from index.settings import Settings
from service import create_app

GRAIN = "/v1/articles/urn:test:grain"
SMALL = {"headline": "Small", "paragraphs": ["One line."]}


# Reading.


def test_an_article_has_every_paragraph(client: FlaskClient) -> None:
    answer = client.get("/v1/articles/urn:test:harbour").json
    assert answer["headline"] == "Harbour strike enters second week"
    assert [each["n"] for each in answer["paragraphs"]] == [0, 1, 2, 3]
    assert answer["paragraphs"][3]["credit"] == "Desk/Ana Berg"
    assert "marks" not in answer["paragraphs"][1]
    assert "query" not in answer
    assert (answer["version"], answer["current"], answer["seq"]) == ("1", True, 1)


def test_a_query_marks_its_words_wherever_they_are(client: FlaskClient) -> None:
    answer = client.get(f"{GRAIN}?q=grain+minister+-prices+absent").json
    marked = {
        each["n"]: [each["text"][start:end] for start, end in each["marks"]]
        for each in answer["paragraphs"]
    }
    assert marked == {0: ["Grain"], 1: ["grain"], 2: ["minister"]}
    assert answer["headline_html"] == "<mark>Grain</mark> prices climb &lt;fast&gt;"
    assert answer["query"]["text"] == "grain minister -prices absent"


def test_an_article_that_takes_long_to_mark_is_not_to_be_stored(
    empty_archive: Archive,
) -> None:
    empty_archive.put([article_of({**SMALL, "id": "a"})])
    address = "/v1/articles/a?q=line"
    quick = create_app(empty_archive.settings, empty_archive).test_client().get(address)
    assert quick.json["paragraphs"][1]["marks"] == [[4, 8]]
    assert "ETag" in quick.headers
    empty_archive.settings = replace(empty_archive.settings, search_seconds=1e-9)
    slow = create_app(empty_archive.settings, empty_archive).test_client().get(address)
    assert slow.status_code == 200
    assert [each["marks"] for each in slow.json["paragraphs"]] == [[], []]
    assert [each["code"] for each in slow.json["query"]["warnings"]] == [
        "marks_left_out"
    ]
    assert slow.headers["Cache-Control"] == "no-store"
    assert "ETag" not in slow.headers


def test_an_older_version_can_be_read(client: FlaskClient) -> None:
    client.put(GRAIN, json={"headline": "Grain falls"})
    assert client.get(GRAIN).json["headline"] == "Grain falls"
    older = client.get(f"{GRAIN}?version=1").json
    assert (older["headline"], older["current"]) == ("Grain prices climb <fast>", False)
    versions = client.get(f"{GRAIN}/versions").json["versions"]
    assert [(v["version"], v["current"]) for v in versions] == [
        ("2", True),
        ("1", False),
    ]
    missing = client.get(f"{GRAIN}?version=9")
    assert (missing.status_code, missing.json["version"]) == (404, "9")


def test_a_line_as_export_writes_it(client: FlaskClient) -> None:
    answer = client.get(f"{GRAIN}?format=jsonl")
    assert answer.content_type == "application/x-ndjson"
    document = json.loads(answer.data)
    assert answer.data.count(b"\n") == 1
    assert "current" not in document


def test_an_unchanged_article_is_not_sent_again(client: FlaskClient) -> None:
    tag = client.get(GRAIN).headers["ETag"]
    assert client.get(GRAIN, headers={"If-None-Match": tag}).status_code == 304
    client.put(GRAIN, json=SMALL)
    assert client.get(GRAIN, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["", "/paragraphs", "/paragraphs/1", "/versions", "/diff", "?version=1"],
)
def test_a_missing_article_is_404(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/v1/articles/none{path}")
    assert (answer.status_code, answer.json["code"]) == (404, "article_not_found")


def test_paragraphs_can_be_listed(client: FlaskClient) -> None:
    answer = client.get(f"{GRAIN}/paragraphs").json
    assert [each["n"] for each in answer["paragraphs"]] == [0, 1, 2]
    assert (answer["id"], answer["version"]) == ("urn:test:grain", "1")


def test_two_versions_are_compared(
    client: FlaskClient, index_now: Callable[[], None]
) -> None:
    client.put(GRAIN, json={"headline": "Grain prices fall", "section": "World"})
    index_now()
    answer = client.get(f"{GRAIN}/diff")
    document = answer.json
    assert (document["from"], document["to"]) == ("1", "2")
    fields = {each["name"]: (each["from"], each["to"]) for each in document["fields"]}
    assert fields["headline"] == ("Grain prices climb <fast>", "Grain prices fall")
    assert fields["section"] == ("Business", "World")
    headline, removed, *_ = document["paragraphs"]
    assert headline["type"] == "changed"
    assert headline["html"] == (
        "Grain prices <del>climb &lt;fast&gt;</del><ins>fall</ins>"
    )
    assert headline["from"]["marks"] == [[13, 25]]
    assert headline["to"]["marks"] == [[13, 17]]
    assert (removed["type"], removed["from"]["n"], removed["to"]) == (
        "removed",
        1,
        None,
    )
    tag = {"If-None-Match": answer.headers["ETag"]}
    assert client.get(f"{GRAIN}/diff", headers=tag).status_code == 304
    by_id = client.get("/v1/article/diff?id=urn:test:grain&from=1&to=2").json
    assert by_id == document
    back = client.get(f"{GRAIN}/diff?from=2&to=1").json
    assert [each["type"] for each in back["paragraphs"]] == [
        "changed",
        "added",
        "added",
    ]


def test_a_paragraph_that_was_moved_says_so(client: FlaskClient) -> None:
    lines = ["One line.", "Quite another."]
    client.put("/v1/articles/m", json={"paragraphs": lines})
    client.put("/v1/articles/m", json={"paragraphs": lines[::-1]})
    changes = client.get("/v1/articles/m/diff").json["paragraphs"]
    assert sorted((each["type"], each.get("moved")) for each in changes) in (
        [("added", 1), ("removed", 2), ("unchanged", None)],
        [("added", 2), ("removed", 1), ("unchanged", None)],
    )


def test_a_version_that_is_not_there_cannot_be_compared(client: FlaskClient) -> None:
    for query in ("from=9", "to=9", "from=1&to=9"):
        answer = client.get(f"{GRAIN}/diff?{query}")
        assert (answer.status_code, answer.json["version"]) == (404, "9")
    assert client.get("/v1/article/diff?from=1").status_code == 400


# Putting.


def result(answer: Any) -> dict[str, Any]:
    (only,) = answer.json["results"]
    result: dict[str, Any] = only
    return result


def test_a_put_answers_with_its_outcome(client: FlaskClient) -> None:
    created = client.put("/v1/articles/new", json=SMALL)
    assert created.status_code == 200
    assert created.json["seq"] == result(created)["seq"] == 4
    assert (result(created)["status"], result(created)["version"]) == ("created", "1")
    unchanged = client.put("/v1/articles/new", json=SMALL)
    assert (result(unchanged)["status"], unchanged.json["seq"]) == ("unchanged", None)
    updated = client.put("/v1/articles/new", json={**SMALL, "section": "City"})
    assert (result(updated)["status"], result(updated)["version"]) == ("updated", "2")
    older = client.put("/v1/articles/new", json={**SMALL, "version": "0"})
    assert result(older)["status"] == "stored"


def test_a_version_sent_with_other_content_is_a_conflict(client: FlaskClient) -> None:
    client.put("/v1/articles/new", json={**SMALL, "version": 5})
    answer = client.put("/v1/articles/new", json={"headline": "Other", "version": 5})
    assert (answer.status_code, answer.json["code"]) == (409, "version_conflict")
    assert answer.content_type == "application/problem+json"
    assert result(answer)["status"] == "error"
    assert answer.json["version"] == "5"


def test_the_body_may_repeat_the_id_but_not_change_it(client: FlaskClient) -> None:
    assert (
        client.put("/v1/articles/new", json={**SMALL, "id": "new"}).status_code == 200
    )
    answer = client.put("/v1/articles/new", json={**SMALL, "id": "old"})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_article")
    assert answer.json["field"] == "id"


def test_what_was_read_can_be_sent_back(client: FlaskClient) -> None:
    read = client.get(f"{GRAIN}?q=grain").json
    back = client.put(GRAIN, json=read)
    assert result(back)["status"] == "unchanged", back.json
    read["section"] = "Markets"
    del read["version"]
    assert result(client.put(GRAIN, json=read))["status"] == "updated"
    assert "extra" not in client.get(GRAIN).json


def test_members_named_like_ours_are_kept(client: FlaskClient) -> None:
    client.put("/v1/articles/new", json={**SMALL, "seq": 7, "query": "x"})
    assert client.get("/v1/articles/new").json["extra"] == {"seq": 7, "query": "x"}


def test_an_article_by_id_in_the_query(client: FlaskClient) -> None:
    put = client.put("/v1/article?id=a/b", json=SMALL)
    assert result(put)["id"] == "a/b"
    assert client.get("/v1/article?id=a/b").json["headline"] == "Small"
    assert client.delete("/v1/article?id=a/b").json["status"] == "deleted"


def test_a_text_can_be_put(client: FlaskClient) -> None:
    answer = client.put(
        "/v1/articles/wire-1",
        data="Rain ends drought\n\nIt rained.\n\nFarmers danced.\n",
        content_type="text/plain; charset=utf-8",
    )
    assert result(answer)["id"] == "wire-1"
    assert len(client.get("/v1/articles/wire-1").json["paragraphs"]) == 3


def test_a_ninjs_item_can_be_put(client: FlaskClient) -> None:
    item = {
        "uri": "urn:ninjs:1",
        "type": "text",
        "versioncreated": "2016-09-29T10:00:00Z",
        "pubstatus": "usable",
        "headline": "From elsewhere",
        "body_text": "A paragraph.",
    }
    assert (
        result(client.put("/v1/articles/urn:ninjs:1", json=item))["id"] == item["uri"]
    )
    refused = client.put("/v1/articles/other", json=item)
    assert refused.json["code"] == "invalid_article"
    del item["uri"]
    assert result(client.put("/v1/articles/other", json=item))["id"] == "other"


WRONG_ARTICLES: list[tuple[Any, int, str]] = [
    ({}, 422, "invalid_article"),
    ({"headline": " "}, 422, "invalid_article"),
    ({"headline": 3.5}, 422, "invalid_article"),
    ({"headline": "x", "status": "secret"}, 422, "invalid_article"),
    ({"headline": "x", "embargoed_until": "soon"}, 422, "invalid_article"),
    ({"headline": "x", "paragraphs": 1}, 422, "invalid_article"),
    ({"headline": "a\0b"}, 422, "invalid_article"),
    ({"headline": "x" * 2_000_000}, 422, "article_too_large"),
    ([], 422, "invalid_article"),
    ([SMALL, SMALL], 422, "invalid_article"),
    ("text", 400, "invalid_json"),
]


@pytest.mark.parametrize(("body", "status", "code"), WRONG_ARTICLES, ids=range(11))
def test_a_wrong_article_is_refused(
    reading: FlaskClient, body: Any, status: int, code: str
) -> None:
    answer = reading.put("/v1/articles/wrong", json=body)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert reading.get("/v1/articles/wrong").status_code == 404


# Posting.


def test_each_of_many_gets_its_result_in_order(client: FlaskClient) -> None:
    answer = client.post(
        "/v1/articles",
        json=[
            {"id": "m1", **SMALL},
            {"id": "m2"},
            "nonsense",
            {"id": "m3", **SMALL},
            {"id": "m1", **SMALL},
        ],
    )
    assert answer.status_code == 207
    statuses = [each["status"] for each in answer.json["results"]]
    assert statuses == ["created", "error", "error", "created", "unchanged"]
    error = answer.json["results"][1]
    assert (error["id"], error["error"]["code"]) == ("m2", "invalid_article")
    assert answer.json["seq"] == 5
    assert client.get("/v1/articles/m3").status_code == 200


def test_several_articles_are_all_stored(client: FlaskClient) -> None:
    answer = client.post("/v1/articles", json={"articles": [{"id": "m1", **SMALL}]})
    assert answer.status_code == 200
    assert result(answer)["status"] == "created"


def test_several_articles_all_fail(client: FlaskClient) -> None:
    answer = client.post("/v1/articles", json=[{"id": "m1"}, {"id": "m2"}])
    assert (answer.status_code, answer.json["code"]) == (422, "nothing_stored")
    assert answer.content_type == "application/problem+json"
    assert [each["status"] for each in answer.json["results"]] == ["error", "error"]
    single = client.post("/v1/articles", json={"headline": "no id"})
    assert (single.status_code, single.json["code"]) == (422, "invalid_article")


def test_lines_can_be_posted(client: FlaskClient) -> None:
    lines = b'{"id":"l1","title":"One"}\n\n{"id":"l2"\n{"id":"l3","headline":"Three"}\n'
    for kwargs in (
        {"content_type": "application/x-ndjson"},
        {"query_string": "format=jsonl", "content_type": "text/plain"},
        {"content_type": "application/octet-stream"},
        {},
    ):
        answer = client.post("/v1/articles", data=lines, **kwargs)
        results = answer.json["results"]
        assert [each["status"] == "error" for each in results] == [False, True, False]
        assert (results[1]["id"], results[1]["line"]) == (None, 3)
        assert results[1]["label"]
        assert answer.status_code == 207


def test_a_date_that_cannot_be_read_is_a_warning(client: FlaskClient) -> None:
    answer = client.put("/v1/articles/new", json={**SMALL, "published": "tomorrow"})
    assert answer.status_code == 200
    assert "published" in result(answer)["warnings"][0]


def test_an_embargo_that_cannot_be_read_is_named(client: FlaskClient) -> None:
    sent = {**SMALL, "embargoed_until": "30 Nov 2026 10:00 IST"}
    answer = client.put("/v1/articles/new", json=sent)
    assert answer.status_code == 422
    assert "'30 Nov 2026 10:00 IST' is not a date" in answer.json["detail"]
    assert "NUTGRAF_ZONES" in answer.json["detail"]


def test_an_empty_list_can_be_posted(client: FlaskClient) -> None:
    answer = client.post("/v1/articles", json=[])
    assert (answer.status_code, answer.json["results"]) == (200, [])


def test_too_many_articles_are_refused_before_any_is_stored(
    settings: Settings, archive: Archive
) -> None:
    few = create_app(replace(settings, articles_per_request=2), archive).test_client()
    body = [{"id": f"m{n}", **SMALL} for n in range(3)]
    answer = few.post("/v1/articles", json=body)
    assert (answer.status_code, answer.json["code"]) == (413, "too_many_articles")
    assert answer.json["limit"] == 2
    assert few.get("/v1/articles/m0").status_code == 404


def test_an_unknown_format_is_named(client: FlaskClient) -> None:
    answer = client.post("/v1/articles?format=docx", data=b"x")
    assert (answer.status_code, answer.json["parameter"]) == (400, "format")
    looks = client.post("/v1/articles", data=b"\x89PNG\r\n\x1a\n\0")
    assert (looks.status_code, looks.json["code"]) == (415, "unknown_format")


def test_a_large_number_in_extra_is_returned_or_refused(client: FlaskClient) -> None:
    answer = client.put("/v1/articles/new", json={**SMALL, "count": 2**64 - 1})
    assert answer.status_code == 200
    assert client.get("/v1/articles/new").json["extra"] == {"count": 2**64 - 1}


# Deleting and waiting.


def test_a_deletion_hides_at_once(client: FlaskClient) -> None:
    answer = client.delete(GRAIN)
    assert answer.json == {
        "id": "urn:test:grain",
        "status": "deleted",
        "seq": 4,
        "indexed": False,
    }
    assert client.get("/v1/search?q=bakers").json["total"]["articles"] == 0
    again = client.delete(GRAIN)
    assert (again.status_code, again.json["code"]) == (404, "article_not_found")


def test_a_write_waits_until_it_can_be_found(
    settings: Settings, archive: Archive, index_now: Callable[[], None]
) -> None:
    client = create_app(replace(settings, wait_seconds=30), archive).test_client()
    answered = threading.Event()

    def index() -> None:
        while not answered.wait(0.05):
            index_now()

    indexer = threading.Thread(target=index)
    indexer.start()
    answer = client.put("/v1/articles/new?wait=1", json=SMALL)
    answered.set()
    indexer.join()
    assert answer.json["indexed"] is True
    assert client.get("/v1/search?q=small").json["total"]["articles"] == 1


@pytest.mark.slow
def test_waiting_ends(client: FlaskClient, settings: Settings) -> None:
    started = time.monotonic()
    answer = client.put("/v1/articles/new?wait=1", json=SMALL)
    assert answer.status_code == 200
    assert answer.json["indexed"] is False
    assert time.monotonic() - started >= settings.wait_seconds
    # Unchanged, and still not indexed.
    again = client.put("/v1/articles/new", json=SMALL).json
    assert (again["results"][0]["status"], again["indexed"]) == ("unchanged", False)


def test_half_of_the_threads_may_wait(settings: Settings, archive: Archive) -> None:
    app = create_app(replace(settings, wait_seconds=5), archive, threads=2)
    waiting, release = threading.Event(), threading.Event()

    def wait_indexed(seq: int, seconds: float) -> bool:
        if seconds:
            waiting.set()
            release.wait(5)
        return False

    archive.wait_indexed = wait_indexed  # type: ignore[method-assign]
    first = threading.Thread(
        target=lambda: app.test_client().put("/v1/articles/a?wait=1", json=SMALL)
    )
    first.start()
    assert waiting.wait(5)
    answer = app.test_client().put("/v1/articles/b?wait=1", json=SMALL)
    release.set()
    first.join()
    assert (answer.status_code, answer.json["indexed"]) == (200, False)
    assert answer.headers["Retry-After"] == "1"
    assert app.test_client().get("/v1/articles/b").status_code == 200


# Bodies.


def test_a_chunked_body_is_counted(settings: Settings, archive: Archive) -> None:

    client = create_app(replace(settings, body_bytes=1000), archive).test_client()

    def send(size: int) -> Any:
        text = json.dumps({**SMALL, "slugline": "x" * size}).encode()
        return client.put(
            "/v1/articles/new",
            input_stream=io.BytesIO(text),
            headers={"Transfer-Encoding": "chunked"},
            content_type="application/json",
            environ_overrides={"wsgi.input_terminated": True},
        )

    assert send(100).status_code == 200
    answer = send(2000)
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")
    assert answer.json["limit"] == 1000
    declared = client.put("/v1/articles/new", json={**SMALL, "slugline": "x" * 2000})
    assert declared.status_code == 413
    assert declared.json["got"] > 2000


def test_gzip_is_unpacked_within_the_limit(
    settings: Settings, archive: Archive
) -> None:
    client = create_app(replace(settings, body_bytes=5000), archive).test_client()

    def send(data: bytes, encoding: str = "gzip") -> Any:
        return client.put(
            "/v1/articles/new",
            data=data,
            content_type="application/json",
            headers={"Content-Encoding": encoding},
        )

    packed = gzip.compress(json.dumps(SMALL).encode())
    assert send(packed).status_code == 200
    assert send(packed[:-9]).json["code"] == "invalid_gzip"
    assert send(packed + packed).json["code"] == "invalid_gzip"
    assert send(b"{}").json["code"] == "invalid_gzip"
    bomb = send(gzip.compress(b" " * 1_000_000))
    assert (bomb.status_code, bomb.json["code"]) == (413, "body_too_large")
    other = send(b"{}", "br")
    assert (other.status_code, other.headers["Accept-Encoding"]) == (415, "gzip")
    assert other.json["encodings"] == ["gzip"]
    assert "accepted" not in other.json


def test_a_gzip_file_is_decompressed_up_to_the_limit(
    settings: Settings, archive: Archive
) -> None:
    client = create_app(replace(settings, body_bytes=5000), archive).test_client()
    file = gzip.compress(b'{"id":"m1","headline":"One"}\n')
    bomb = gzip.compress(b'{"id":"m2","headline":"Two"}\n' + b"\n" * 1_000_000)
    for declared in ({"content_type": "application/octet-stream"}, {"format": "jsonl"}):
        media_type = {"content_type": declared.get("content_type", "text/plain")}
        query = {"query_string": {k: v for k, v in declared.items() if k == "format"}}
        answer = client.post("/v1/articles", data=file, **media_type, **query)
        assert result(answer)["id"] == "m1"
        for data, headers in (
            (bomb, {}),
            (gzip.compress(bomb), {"Content-Encoding": "gzip"}),
        ):
            answer = client.post(
                "/v1/articles", data=data, headers=headers, **media_type, **query
            )
            assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")
        answer = client.post(
            "/v1/articles", data=gzip.compress(file), **media_type, **query
        )
        assert (answer.status_code, answer.json["code"]) == (422, "invalid_gzip")


BAD_JSON = [
    (b'{"headline": "x"', "column"),
    (b'{"headline": }', "line"),
    (b'{"headline": NaN}', None),
    (b'{"headline": "x", "n": 1e400}', None),
    (b'{"headline": "x", "headline": "y"}', None),
    (b'{"headline": "\\ud800"}', None),
    (b'{"headline": "x", "n": ' + b"9" * 5000 + b"}", None),
    (b"[" * 100_000, None),
    (b'{"a":' * 100 + b"1" + b"}" * 100, None),
    (b'{"headline": "\xff"}', None),
    (b"\0", None),
]


@pytest.mark.parametrize(("body", "fact"), BAD_JSON, ids=range(len(BAD_JSON)))
@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/v1/articles/new"), ("POST", "/v1/search")]
)
def test_what_is_not_json_is_refused(
    reading: FlaskClient, method: str, path: str, body: bytes, fact: str | None
) -> None:
    answer = reading.open(
        path, method=method, data=body, content_type="application/json"
    )
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_json")
    if fact is not None:
        assert answer.json[fact] >= 1


@pytest.mark.parametrize(
    "media_type",
    ["application/x-www-form-urlencoded", "image/png", "multipart/form-data"],
)
def test_a_media_type_that_is_not_accepted_is_refused(
    client: FlaskClient, media_type: str
) -> None:
    for method, path in (("PUT", "/v1/articles/a"), ("POST", "/v1/search")):
        answer = client.open(path, method=method, data=b"{}", content_type=media_type)
        assert (answer.status_code, answer.json["code"]) == (
            415,
            "unsupported_media_type",
        )
        assert answer.json["accepted"][0] == "application/json"
        assert "encodings" not in answer.json


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/v1/articles/a"), ("POST", "/v1/articles"), ("POST", "/v1/search")],
)
def test_a_body_is_required(client: FlaskClient, method: str, path: str) -> None:
    answer = client.open(
        path,
        method=method,
        content_type="application/json",
    )
    assert (answer.status_code, answer.json["code"]) == (411, "length_required")


def test_an_empty_body_is_not_json(client: FlaskClient) -> None:
    answer = client.put(
        "/v1/articles/a",
        content_type="application/json",
        environ_overrides={"CONTENT_LENGTH": "0"},
    )
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_json")


def test_a_body_that_is_cut_off_is_refused(client: FlaskClient) -> None:
    answer = client.put(
        "/v1/articles/a",
        data=b'{"headline": "x"}',
        content_type="application/json",
        environ_overrides={"CONTENT_LENGTH": "100"},
    )
    assert (answer.status_code, answer.json["code"]) == (400, "incomplete_body")


def test_a_server_may_pass_on_a_body_that_is_cut_off(client: FlaskClient) -> None:
    answer = client.put(
        "/v1/articles/a",
        data=b"Only the start",
        content_type="text/plain",
        environ_overrides={"CONTENT_LENGTH": "100", "wsgi.input_terminated": True},
    )
    assert (answer.status_code, answer.json["code"]) == (400, "incomplete_body")
    assert answer.json["got"] == 14
    assert client.get("/v1/articles/a").status_code == 404


def test_any_of_several_tags_is_enough(client: FlaskClient) -> None:
    path = "/v1/articles/urn:test:grain"
    tag = client.get(path).headers["ETag"]
    for sent, status in [
        (tag, 304),
        (f'"x", {tag}, W/"y"', 304),
        (tag.removeprefix("W/"), 304),
        ('W/"x"', 200),
        ("*", 200),
    ]:
        answer = client.get(path, headers={"If-None-Match": sent})
        assert answer.status_code == status, sent
        assert answer.headers["ETag"] == tag
