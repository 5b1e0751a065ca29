"""Superdesk's HTTP push: signatures, and outcomes of items."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from checkout import GOLDEN
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from index.archive import Archive
from index.jobs import Indexer
from index.settings import Settings
from service import create_app

SECRET = "a push secret of thirty characters, ö"
PUSHED = GOLDEN / "push"
ITEM = {
    "guid": "urn:newsml:superdesk.example:1",
    "version": "1",
    "type": "text",
    "pubstatus": "usable",
    "headline": "Ferry back in service",
    "body_html": "<p>The ferry runs again after two weeks of repairs.</p>",
}
PATH = f"/v1/articles/{ITEM['guid']}"
Push = Callable[..., TestResponse]


def signature(body: bytes, secret: str = SECRET) -> str:
    return f"sha1={hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()}"


@pytest.fixture
def superdesk(settings: Settings, archive: Archive) -> FlaskClient:
    """A client of a service with a secret."""
    return create_app(replace(settings, push_secret=SECRET), archive).test_client()


@pytest.fixture
def push(superdesk: FlaskClient) -> Push:
    """A function that pushes an item, or bytes, with the right signature."""

    def pushed(item: Any = ITEM, **headers: str) -> TestResponse:
        body = item if isinstance(item, bytes) else json.dumps(item).encode()
        sent = {"x-superdesk-signature": signature(body), **headers}
        return superdesk.post(
            "/v1/push", data=body, headers=sent, content_type="application/json"
        )

    return pushed


# Dates of items.


@pytest.mark.parametrize("name", ["embargoed", "embargoedUntil"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_pushed_item_can_take_its_embargo_off(
    push: Push, superdesk: FlaskClient, name: str, value: str | None
) -> None:
    push({**ITEM, "embargoed": "2099-01-01T00:00:00Z"})
    push({**ITEM, "version": "2", "headline": "Not mentioned"})
    assert superdesk.get(PATH).status_code == 404
    push({**ITEM, "version": "3", name: value})
    assert superdesk.get(PATH).status_code == 200


def test_pushed_dates_are_read_by_the_rules_of_the_settings(
    settings: Settings, archive: Archive
) -> None:
    rules = replace(
        settings,
        push_secret=SECRET,
        tz="America/New_York",
        zones=("IST=Asia/Kolkata",),
        dates="dmy",
    )
    client = create_app(rules, archive).test_client()
    for number, (sent, expected) in enumerate(
        (
            ("30 Nov 2016 10:00 IST", "2016-11-30T04:30:00Z"),
            ("29/03/2016 10:00", "2016-03-29T14:00:00Z"),
        ),
        1,
    ):
        item = {**ITEM, "version": str(number), "firstcreated": sent}
        body = json.dumps(item).encode()
        client.post(
            "/v1/push",
            data=body,
            headers={"x-superdesk-signature": signature(body)},
            content_type="application/json",
        )
        assert client.get(PATH).json["published"] == expected
        ours = {"headline": "h", "published": sent}
        client.put(f"/v1/articles/ours-{number}", json=ours)
        stored = client.get(f"/v1/articles/ours-{number}").json
        assert stored["published"] == expected
        text = f"---\nid: text-{number}\npublished: {sent}\n---\nHead"
        client.post("/v1/articles", data=text, content_type="text/plain")
        stored = client.get(f"/v1/articles/text-{number}").json
        assert stored["published"] == expected


# Outcomes of items.


@pytest.mark.slow
@pytest.mark.parametrize("story", sorted(each.stem for each in PUSHED.glob("*.json")))
def test_a_story_has_the_expected_outcomes(push: Push, story: str) -> None:
    steps = json.loads((PUSHED / f"{story}.json").read_text("utf-8"))
    for step in steps:
        answer = push(step["item"])
        shown = answer.json
        if answer.status_code >= 400:
            shown = {name: shown[name] for name in ("code", "detail")}
        assert (answer.status_code, shown) == (step["status"], step["answer"]), step[
            "about"
        ]


def test_a_pushed_item_is_searched_and_shown(
    push: Push, superdesk: FlaskClient, index_now: Callable[[], None]
) -> None:
    assert push().status_code == 201
    index_now()
    (hit,) = superdesk.get("/v1/search?q=ferry").json["hits"]
    assert hit["id"] == ITEM["guid"]
    assert superdesk.get(PATH).json["headline"] == ITEM["headline"]


@pytest.mark.parametrize("word", ["canceled", "killed", "recalled", "stat:canceled"])
def test_a_kill_in_any_of_its_words_takes_effect_at_once(
    push: Push, superdesk: FlaskClient, index_now: Callable[[], None], word: str
) -> None:
    push()
    index_now()
    kill = {**ITEM, "version": "2", "pubstatus": word, "ednote": "It does not run."}
    assert push(kill).json["status"] == "killed"
    answer = superdesk.get(PATH)
    assert (answer.status_code, answer.json["note"]) == (410, "It does not run.")
    assert superdesk.get("/v1/search?q=ferry").json["total"]["articles"] == 0


# A version that is sent again.

RIGHTS = {"usageterms": "Subscribers only", "products": [{"code": "b"}]}


@pytest.mark.parametrize(
    "changed",
    [
        {"headline": "Ferry runs"},
        {"body_html": "<p>The ferry runs again after three weeks of repairs.</p>"},
        {"body_html": ITEM["body_html"] * 2},
        {"description_text": "An abstract."},
        {"embargoed": "2099-01-01T00:00:00Z"},
    ],
)
def test_another_text_or_embargo_of_a_version_is_a_conflict(
    push: Push, superdesk: FlaskClient, changed: dict[str, Any]
) -> None:
    push()
    answer = push({**ITEM, **RIGHTS, **changed})
    assert (answer.status_code, answer.json["code"]) == (409, "version_conflict")
    assert "usage_terms" not in superdesk.get(PATH).json


def test_another_status_of_a_version_is_no_amendment(
    push: Push, superdesk: FlaskClient
) -> None:
    push()
    assert push({**ITEM, "pubstatus": "withheld"}).json["status"] == "withheld"
    assert push({**ITEM, **RIGHTS}).status_code == 201
    assert superdesk.get(PATH).status_code == 404


@pytest.mark.parametrize(
    "changed",
    [
        RIGHTS,
        {"copyrightnotice": "Harbour Desk"},
        {"associations": {"a": {"type": "picture", "description_text": "A ferry."}}},
        {"service": [{"code": "a", "name": "Domestic"}]},
        {"ednote": "Please use."},
        {"urgency": 2},
    ],
)
def test_other_properties_of_a_version_are_an_update_of_it(
    push: Push,
    superdesk: FlaskClient,
    index_now: Callable[[], None],
    changed: dict[str, Any],
) -> None:
    push()
    seq = superdesk.get("/v1/changes?since=now").json["next"]
    answer = push({**ITEM, **changed})
    assert (answer.status_code, answer.json["status"]) == (201, "updated")
    assert answer.json["version"] == "1"
    index_now()
    (*_, entry) = superdesk.get(f"/v1/changes?since={seq}").json["changes"]
    assert (entry["type"], entry["version"]) == ("updated", "1")
    assert superdesk.get("/v1/search?q=ferry").json["total"]["articles"] == 1
    # What was replaced does not come back.
    assert push().json["status"] == "unchanged"
    assert push({**ITEM, **changed}).json["status"] == "unchanged"
    versions = superdesk.get(f"{PATH}/versions").json["versions"]
    assert [each["version"] for each in versions] == ["1"]


def test_a_replay_brings_no_older_rights_back(
    push: Push, superdesk: FlaskClient, archive: Archive
) -> None:
    bodies = [{**ITEM, "usageterms": f"Terms {n}"} for n in range(5)]
    for body in bodies:
        push(body)
    seq = archive.seq()
    for body in bodies:
        assert push(body).json["status"] == "unchanged"
    assert superdesk.get(PATH).json["usage_terms"] == "Terms 4"
    assert archive.seq() == seq


def test_an_older_version_can_be_amended(push: Push, superdesk: FlaskClient) -> None:
    push()
    push({**ITEM, "version": "2", "headline": "Ferry back"})
    assert push({**ITEM, **RIGHTS}).json["status"] == "updated"
    assert push().json["status"] == "unchanged"
    assert superdesk.get(f"{PATH}?version=1").json["usage_terms"] == "Subscribers only"
    assert superdesk.get(PATH).json["version"] == "2"


def test_an_inherited_embargo_is_no_other_one(
    push: Push, superdesk: FlaskClient
) -> None:
    push({**ITEM, "embargoed": "2099-01-01T00:00:00Z"})
    second = {**ITEM, "version": "2"}
    push(second)  # keeps the embargo
    assert push({**second, **RIGHTS}).json["status"] == "updated"
    assert superdesk.get(PATH).status_code == 404
    assert push({**second, "embargoed": None}).status_code == 409
    assert superdesk.get(PATH).status_code == 404


def test_a_put_does_not_amend(push: Push, superdesk: FlaskClient) -> None:
    push()
    ours = json.loads(superdesk.get(f"{PATH}?format=jsonl").text)
    answer = superdesk.put(PATH, json={**ours, "usage_terms": "None"})
    assert (answer.status_code, answer.json["code"]) == (409, "version_conflict")


def test_a_deleted_article_starts_anew(push: Push, superdesk: FlaskClient) -> None:
    push()
    push({**ITEM, **RIGHTS})
    superdesk.delete(PATH)
    assert push({**ITEM, "usageterms": "New"}).json["status"] == "created"
    assert push().json["status"] == "updated"


def test_a_number_is_a_guid(push: Push, superdesk: FlaskClient) -> None:
    for guid, version in ((7, "1"), (7.0, "2"), ("7", "3")):
        answer = push({**ITEM, "guid": guid, "version": version})
        assert (answer.status_code, answer.json["id"]) == (201, "7")
    assert push({**ITEM, "guid": 7, "version": 4, "pubstatus": "canceled"}).json[
        "id"
    ] == ("7")
    assert superdesk.get("/v1/articles/7").status_code == 410


def test_every_service_of_an_item_is_found(
    push: Push, superdesk: FlaskClient, index_now: Callable[[], None]
) -> None:
    names = ("Domestic", "Sport", "Weather", "Sport")
    push({**ITEM, "service": [{"code": name[:1], "name": name} for name in names]})
    index_now()
    article = superdesk.get(PATH).json
    assert article["section"] == "Domestic"
    assert [each["name"] for each in article["subjects"]] == ["Sport", "Weather"]
    search = "/v1/search?subjects=sport&section=domestic"
    assert superdesk.get(search).json["total"]["articles"] == 1


def test_editors_are_no_authors(push: Push, superdesk: FlaskClient) -> None:
    people = [
        *(("Ana Berg", "writer"), ("Bo Falk", "editor"), ("Cy Holm", "Sub-Editor")),
        *(("Di Lund", "photographer"), ("Ed Moe", "copy editor"), ("Fi Nor", None)),
    ]
    push({**ITEM, "authors": [{"name": name, "role": role} for name, role in people]})
    authors = superdesk.get(PATH).json["authors"]
    assert authors == ["Ana Berg", "Di Lund", "Fi Nor"]


def test_an_item_without_text_withdraws_nothing(
    push: Push, superdesk: FlaskClient
) -> None:
    push()
    empty = {"guid": ITEM["guid"], "version": "2", "type": "text"}
    assert push(empty).json["status"] == "ignored"
    assert superdesk.get(PATH).json["version"] == "1"


def test_an_erased_text_is_not_stored_again(push: Push, archive: Archive) -> None:
    push()
    push({**ITEM, "version": "2", "pubstatus": "canceled"})
    archive.purge(ITEM["guid"])
    answer = push()
    assert (answer.status_code, answer.json["status"]) == (201, "ignored")
    assert "erased" in answer.json["reason"]


def test_an_ignored_item_is_logged(
    push: Push, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        push({"guid": "urn:e", "type": "event"})
        push()
    (line,) = [each for each in caplog.records if each.name == "nutgraf.push"]
    assert line.getMessage() == "push of 'urn:e' ignored: event items are no articles"


def test_an_article_too_large_is_refused(settings: Settings, archive: Archive) -> None:
    app = create_app(replace(settings, push_secret=SECRET, article_bytes=200), archive)
    body = json.dumps({**ITEM, "body_html": "<p>word</p>" * 100}).encode()
    answer = app.test_client().post(
        "/v1/push", data=body, headers={"x-superdesk-signature": signature(body)}
    )
    assert (answer.status_code, answer.json["code"]) == (422, "article_too_large")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[]", 400),
        (b'"x"', 400),
        (b"{", 400),
        (b'{"guid": "a", "guid": "b"}', 400),
        (b'{"guid": NaN}', 400),
        (b'{"guid": "\\ud800", "headline": "x"}', 400),
        (b"\xff", 400),
        (b"", 411),
        (b"[" * 100_000, 400),
        (b'{"guid": true, "headline": "x"}', 422),
        (b'{"guid": 1.5, "headline": "x"}', 422),
        (b'{"guid": [1], "headline": "x"}', 422),
        (b'{"guid": "a", "headline": "x", "pubstatus": []}', 422),
        (b'{"guid": "a", "headline": "x", "pubstatus": 0}', 422),
    ],
)
def test_a_signed_body_that_is_not_an_item_is_refused(
    push: Push, body: bytes, status: int
) -> None:
    assert push(body).status_code == status


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["usable", "canceled", "withheld", "text", "picture", "1", "2"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        *("guid", "uri", "version", "type", "pubstatus", "pubStatus", "embargoed"),
        *("headline", "body_html", "ednote", "evolvedfrom", "associations", "subject"),
    ]
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of one service for all generated items."""
    folder = tmp_path_factory.mktemp("push")
    settings = Settings(
        store=f"sqlite:///{folder}/store.db", engine="memory:", push_secret=SECRET
    )
    archive = Archive.open(settings)
    yield create_app(settings, archive).test_client()
    archive.close()


@pytest.mark.slow
@hypothesis_settings(max_examples=150)
@given(st.dictionaries(NAMES, JSON, max_size=8), st.sampled_from("ab"))
def test_any_push_is_accepted_or_refused_with_a_reason(
    fuzzed: FlaskClient, item: dict[str, Any], article_id: str
) -> None:
    for each in (item, {**item, "guid": article_id}):
        body = json.dumps(each).encode()
        headers = {"x-superdesk-signature": signature(body)}
        answer = fuzzed.post("/v1/push", data=body, headers=headers)
        assert answer.status_code in (201, 400, 409, 422), answer.data
        if answer.status_code == 201:
            assert answer.json["status"] != "ignored" or answer.json["reason"]
        else:
            assert answer.json["detail"]


# Signatures.


@pytest.mark.parametrize(
    "wrong",
    [
        signature(json.dumps(ITEM).encode(), "another secret"),
        signature(json.dumps(ITEM).encode(), ""),
        signature(json.dumps(ITEM).encode() + b" "),
        signature(b""),
        signature(json.dumps(ITEM).encode())[:-1] + "g",
        signature(json.dumps(ITEM).encode())[:-1],
        signature(json.dumps(ITEM).encode()) + "0",
        signature(json.dumps(ITEM).encode()).removeprefix("sha1="),
        signature(json.dumps(ITEM).encode()).replace("sha1", "sha256"),
        "sha1=" + "ü" * 40,
        "sha1=",
        "",
    ],
)
def test_a_wrong_signature_is_refused_and_nothing_is_stored(
    push: Push, archive: Archive, wrong: str
) -> None:
    before = archive.seq()
    answer = push(**{"x-superdesk-signature": wrong})
    assert (answer.status_code, answer.json["code"]) == (403, "signature_refused")
    assert archive.seq() == before
    assert SECRET not in answer.text
    assert signature(json.dumps(ITEM).encode())[5:] not in answer.text


def test_without_a_signature_the_body_is_not_even_read(superdesk: FlaskClient) -> None:
    # The body is cut off: reading it would be another error.
    answer = superdesk.post(
        "/v1/push", data=b"{", environ_overrides={"CONTENT_LENGTH": "1000"}
    )
    assert (answer.status_code, answer.json["header"]) == (403, "x-superdesk-signature")


@pytest.mark.parametrize("place", [0, 10, -1])
def test_a_single_changed_byte_breaks_the_signature(
    superdesk: FlaskClient, place: int
) -> None:
    body = json.dumps(ITEM).encode()
    changed = bytearray(body)
    changed[place] ^= 1
    answer = superdesk.post(
        "/v1/push",
        data=bytes(changed),
        headers={"x-superdesk-signature": signature(body)},
    )
    assert answer.status_code == 403


def test_the_bytes_are_signed_as_they_are_sent(push: Push) -> None:
    spaced = json.dumps(ITEM, indent=4, ensure_ascii=False).encode()
    assert push(spaced).status_code == 201
    body = json.dumps({**ITEM, "version": "2"}).encode()
    assert (
        push(
            body,
            **{
                "x-superdesk-signature": signature(body).upper().replace("SHA1", "sha1")
            },
        ).status_code
        == 201
    )


def test_a_compressed_body_is_signed_compressed(push: Push) -> None:
    plain = json.dumps(ITEM).encode()
    packed = gzip.compress(plain)
    assert push(packed, **{"Content-Encoding": "gzip"}).status_code == 201
    of_plain = {"Content-Encoding": "gzip", "x-superdesk-signature": signature(plain)}
    assert push(packed, **of_plain).status_code == 403


@pytest.mark.slow
def test_a_chunked_body_is_signed_as_a_whole(superdesk: FlaskClient) -> None:
    body = json.dumps(ITEM).encode()
    answer = superdesk.post(
        "/v1/push",
        input_stream=io.BytesIO(body),
        headers={
            "x-superdesk-signature": signature(body),
            "Transfer-Encoding": "chunked",
        },
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 201, answer.data


def test_a_body_too_large_is_refused(settings: Settings, archive: Archive) -> None:
    app = create_app(replace(settings, push_secret=SECRET, body_bytes=100), archive)
    body = b"x" * 101
    answer = app.test_client().post(
        "/v1/push", data=body, headers={"x-superdesk-signature": signature(body)}
    )
    assert answer.status_code == 413


# The secret.


def test_without_a_secret_there_is_no_push(client: FlaskClient) -> None:
    body = json.dumps(ITEM).encode()
    for headers in ({}, {"x-superdesk-signature": signature(body, "")}):
        answer = client.post("/v1/push", data=body, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (404, "push_off")
        assert "NUTGRAF_PUSH_SECRET" in answer.json["detail"]


def test_the_secret_is_shown_nowhere(
    settings: Settings,
    archive: Archive,
    push: Push,
    superdesk: FlaskClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    known = replace(settings, push_secret=SECRET)
    assert SECRET not in repr(known)
    assert SECRET not in str(known.shown())
    assert known.shown()["NUTGRAF_PUSH_SECRET"] == "***"
    with caplog.at_level(logging.DEBUG):
        push()
        push(b"[]")
        push(**{"x-superdesk-signature": "sha1=0"})
        seen = superdesk.get("/metrics").text + superdesk.get("/readyz").text
    assert SECRET not in caplog.text + seen
    Indexer(archive.store, archive.engine).catch_up()


def test_the_secret_is_read_from_the_environment() -> None:
    assert Settings.from_environ({}).push_secret == ""
    assert Settings.from_environ({"NUTGRAF_PUSH_SECRET": " "}).push_secret == ""
    settings = Settings.from_environ({"NUTGRAF_PUSH_SECRET": SECRET})
    assert settings.push_secret == SECRET
