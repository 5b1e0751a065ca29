"""Originals come back byte for byte, to administrators, until they are purged."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from stores import behind, on_a_file

from index.access import Scope
from index.archive import Archive
from index.article import Original, article_of, draft_of
from index.errors import ArticleKilled, ArticleNotFound, OriginalNotFound
from index.formats import read
from index.jobs import load
from index.query import Filter, Reader
from service import create_app

NINJS = "application/ninjs+json"
# With spaces, escapes and a float of zeros, which a JSON writer would write otherwise.
ONE = (
    b'{ "uri":"urn:o:1",\n\n  "type" : "text", "body_html": "<p>Caf\\u00e9 <b>one</b>,'
    b' \xc3\xb6</p>",\r\n "x_desk": {"weight": 1.50} }'
)
TWO = b'{"body_html":"<p>Two, [\\"]\\u007d</p>",   "uri":"urn:o:2", "n": [[], {}]}'
SENT = {"urn:o:1": ONE, "urn:o:2": TWO}


def originals(archive: Archive) -> dict[str, bytes]:
    return {each: archive.original(each).data for each in SENT}


def put(client: FlaskClient, body: bytes = ONE, where: str = "urn:o:1") -> Any:
    answer = client.put(f"/v1/articles/{where}", data=body, content_type=NINJS)
    assert answer.status_code == 200, answer.data
    return answer.json["results"][0]


@pytest.mark.parametrize("around", [b"", b"\n\n"])
def test_one_article_is_kept_as_the_whole_body(
    client: FlaskClient, archive: Archive, around: bytes
) -> None:
    body = around + ONE + around
    put(client, body)
    assert archive.original("urn:o:1") == Original(format="ninjs", data=body)


def test_of_a_packed_body_what_was_packed_is_kept(
    client: FlaskClient, archive: Archive
) -> None:
    put(client, gzip.compress(ONE))
    assert archive.original("urn:o:1").data == ONE


def test_an_id_of_the_address_is_not_added(
    client: FlaskClient, archive: Archive
) -> None:
    body = ONE.replace(b'"uri":"urn:o:1",', b"")
    put(client, body)
    assert archive.original("urn:o:1").data == body


BODIES = {
    "array": b"[ " + ONE + b" ,\n" + TWO + b"\n]",
    "articles": b'{"x": {"articles": [1]}, "articles" : [' + ONE + b"," + TWO + b" ] }",
    "wrapper": b'{"x": [1, "]"],"items":[ ' + ONE + b"," + TWO + b'], "y": 1}',
    "wrappers": b'[{"items": [' + ONE + b']}, {"_items" :[ ' + TWO + b"]}]",
}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("shape", BODIES)
def test_of_several_each_is_kept_as_its_own_bytes(
    client: FlaskClient, archive: Archive, shape: str, mark: bytes
) -> None:
    answer = client.post("/v1/articles", data=mark + BODIES[shape], content_type=NINJS)
    assert answer.status_code == 200, answer.data
    assert originals(archive) == SENT


def test_what_is_refused_beside_it_moves_nothing(
    client: FlaskClient, archive: Archive
) -> None:
    body = b'[{"uri": "no text"}, 7, ' + ONE + b', {"items": [{"x": 1}, ' + TWO + b"]}]"
    answer = client.post("/v1/articles", data=body, content_type=NINJS)
    assert answer.status_code == 207
    assert originals(archive) == SENT


def test_a_push_is_kept_as_it_was_signed(
    archive: Archive,
) -> None:
    settings = replace(archive.settings, push_secret="s" * 30)
    client = create_app(settings, archive).test_client()
    body = ONE.replace(b"uri", b"guid")
    signed = hmac.new(b"s" * 30, body, hashlib.sha1).hexdigest()
    answer = client.post(
        "/v1/push",
        data=body,
        headers={"x-superdesk-signature": f"sha1={signed}"},
        content_type="application/json",
    )
    assert answer.status_code == 201, answer.data
    assert archive.original("urn:o:1").data == body


FILES = {
    "document.ninjs": (ONE, b"\n"),
    "list.ninjs": (BODIES["array"], b"\n"),
    "wrapper.ninjs": (BODIES["wrapper"], b""),
    "lines.jsonl": (ONE.replace(b"\n", b" ") + b"\r\n\n" + TWO, b"\n"),
}


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("name", FILES)
def test_what_is_loaded_is_kept_article_by_article(
    archive: Archive, tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    body, end = FILES[name]
    (tmp_path / name).write_bytes(pack(body + end))
    report = load(
        [str(tmp_path / name)], archive.store, read_as="ninjs", article_bytes=10**6
    )
    assert report.refused == 0
    data = archive.original("urn:o:1").data
    assert data == (ONE.replace(b"\n", b" ") if name == "lines.jsonl" else ONE)
    if name != "document.ninjs":
        assert archive.original("urn:o:2").data == TWO


def test_what_a_load_holds_back_is_kept_as_well(
    archive: Archive, tmp_path: Path
) -> None:
    other = TWO.replace(b"Two", b"Three")
    for lines in (TWO, other, TWO + b"\n" + ONE.replace(b"\n", b" ")):
        (tmp_path / "a.ninjs").write_bytes(lines)
        load([str(tmp_path / "a.ninjs")], archive.store, article_bytes=10**6)
    originals = [archive.original("urn:o:2", version=each).data for each in "123"]
    assert originals == [TWO, other, TWO]


def test_a_text_is_kept_before_it_is_decoded(client: FlaskClient) -> None:
    body = "Köln\r\n\r\nOne  line.\r\n".encode("cp1252")
    answer = client.put(
        "/v1/articles/t", data=body, content_type="text/plain; charset=windows-1252"
    )
    assert answer.status_code == 200, answer.data
    answer = client.get("/v1/articles/t/original")
    assert answer.data == body
    assert answer.content_type == "application/octet-stream"


@pytest.mark.parametrize(
    ("document", "is_kept"),
    [
        ('{"id": "a", "headline": "H", "paragraphs": ["One."], "x_desk": 1}', False),
        ('{"id": "a", "headline": "H", "published": "2020-01-01T08:00:00Z"}', False),
        ('{"id": "a", "headline": "H", "published": "2020-01-01"}', True),
        ('{"id": "a", "headline": "H", "paragraphs": "<p>One.</p>"}', True),
        ('{"id": "a", "title": "H", "body": "<p>One.</p>"}', True),
        ('{"id": "a", "headline": "H", "published": "3 May 2020"}', True),
    ],
)
def test_json_is_kept_twice_only_where_reading_changes_it(
    client: FlaskClient, document: str, is_kept: bool
) -> None:
    for body in (document, f"[{document}]"):
        (draft,) = read("jsonl", body.encode())
        expected = Original(format="jsonl", data=document.encode())
        assert draft.original == (expected if is_kept else None)
    client.post("/v1/articles", data=document, content_type="application/json")
    answer = client.get("/v1/articles/a/original")
    if is_kept:
        assert answer.data == document.encode()
    else:
        assert (answer.status_code, answer.json["code"]) == (404, "original_not_found")


# Who may read an original, and in which form.


def test_it_is_a_file_of_no_kind_that_a_browser_shows(client: FlaskClient) -> None:
    put(client)
    for path in ("/v1/articles/urn:o:1/original", "/v1/article/original?id=urn:o:1"):
        answer = client.get(path)
        assert answer.data == ONE
        assert answer.content_type == "application/json"
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_only_who_administers_gets_it(client: FlaskClient, archive: Archive) -> None:
    put(client)
    keys = archive.keys
    others = keys.add("others", frozenset(Scope) - {Scope.ADMIN}).secret
    admin = keys.add("admin", frozenset({Scope.ADMIN})).secret
    for path in ("/v1/articles/urn:o:1/original", "/v1/article/original?id=urn:o:1"):
        refused = client.get(path, headers={"X-API-Key": others})
        assert (refused.status_code, refused.json["scope"]) == (403, "admin")
        assert client.get(path).status_code == 401
        assert client.get(path, headers={"X-API-Key": admin}).data == ONE


def test_what_is_not_within_the_filter_of_a_key_is_not_there(
    client: FlaskClient, archive: Archive
) -> None:
    put(client)
    desk = Reader(filters=(Filter(field="source", values=("desk",)),))
    with pytest.raises(ArticleNotFound):
        archive.original("urn:o:1", reader=desk)
    mine = article_of({"id": "m", "source": "desk", "headline": "H"})
    other = article_of({"id": "n", "source": "x", "headline": "H"})
    sent = [Original(format="ninjs", data=each) for each in (b"n", b"m")]
    archive.put(list(map(draft_of, [other, mine], sent)), reader=desk)
    assert archive.original("m", reader=desk).data == b"m"


# How long it is stored.


def test_each_version_has_its_own_and_a_repeat_keeps_the_first(
    client: FlaskClient,
) -> None:
    second = ONE.replace(b"one", b"two")
    put(client)
    assert put(client, b" " + ONE)["status"] == "unchanged"
    put(client, second)
    path = "/v1/articles/urn:o:1/original"
    assert client.get(path).data == second
    assert client.get(f"{path}?version=1").data == ONE
    missing = client.get(f"{path}?version=7")
    assert (missing.status_code, missing.json["code"]) == (404, "article_not_found")


def test_a_forced_version_replaces_it(archive: Archive) -> None:
    def force(text: str, original: bytes | None) -> None:
        article = article_of({"id": "a", "version": "1", "headline": text})
        sent = None if original is None else Original(format="ninjs", data=original)
        archive.put([draft_of(article, sent)], force=True)

    force("One", b"one")
    force("Two", b"two")
    assert archive.original("a").data == b"two"
    force("Three", None)
    with pytest.raises(OriginalNotFound):
        archive.original("a")
    articles = [
        article_of({"id": "b", "version": "1", "headline": text}) for text in "xyz"
    ]
    sent = [Original(format="ninjs", data=each) for each in (b"x", b"y")]
    archive.put(list(map(draft_of, articles[:2], sent)), force=True)
    assert archive.original("b").data == b"y"
    archive.put([draft_of(articles[0], sent[0]), articles[2]], force=True)
    with pytest.raises(OriginalNotFound):
        archive.original("b")
    assert archive.store.check() == []


@pytest.mark.slow
def test_a_killed_article_is_there_for_audit_until_it_is_purged(
    client: FlaskClient, archive: Archive
) -> None:
    put(client)
    path = "/v1/articles/urn:o:1/original"
    archive.withhold("urn:o:1")
    assert client.get(path).data == ONE
    archive.kill("urn:o:1")
    assert client.get("/v1/articles/urn:o:1").status_code == 410
    assert client.get(path).data == ONE
    archive.purge("urn:o:1")
    answer = client.get(path)
    assert (answer.status_code, answer.json["code"]) == (410, "article_killed")


def test_a_deletion_deletes_it(client: FlaskClient, archive: Archive) -> None:
    put(client)
    archive.delete("urn:o:1")
    assert client.get("/v1/articles/urn:o:1/original").status_code == 404
    assert "urn:o:1" not in {row[0] for row in rows(archive.store.url)}
    assert archive.store.check() == []


def rows(url: str) -> list[tuple[str, str, bytes]]:
    with behind(url) as database:
        return database.execute("SELECT id, version, data FROM originals").fetchall()


@on_a_file
@pytest.mark.slow
def test_a_backup_brings_back_what_was_not_purged_since(
    client: FlaskClient, archive: Archive, tmp_path: Path
) -> None:
    put(client)
    put(client, TWO, "urn:o:2")
    file = tmp_path / "copy.db"
    archive.store.take_backup(file)
    compressed = {id_: data for id_, _, data in rows(f"sqlite:///{file}")}
    assert {each: zlib.decompress(compressed[each]) for each in SENT} == SENT
    archive.kill("urn:o:1")
    archive.purge("urn:o:1")
    archive.delete("urn:o:2")
    archive.store.restore_backup(file)
    assert archive.original("urn:o:2").data == TWO
    with pytest.raises(ArticleKilled):
        archive.original("urn:o:1")
    there = b"".join(
        each.read_bytes() for each in archive.store.path.parent.glob("nutgraf.db*")
    )
    assert compressed["urn:o:2"] in there
    assert compressed["urn:o:1"][8:40] not in there


def test_one_that_is_damaged_is_found(client: FlaskClient, archive: Archive) -> None:
    put(client)
    with behind(archive.store.url) as database:
        database.execute(
            "UPDATE originals SET data = substr(data, 1, 1) WHERE id = 'urn:o:1'"
        )
    said = ["urn:o:1: what was sent as version 1 is damaged"]
    assert archive.store.check() == said


def test_one_without_its_version_is_found(
    client: FlaskClient, archive: Archive
) -> None:
    put(client)
    assert archive.store.check() == []
    with behind(archive.store.url) as database:
        database.execute("UPDATE originals SET version = '9' WHERE id = 'urn:o:1'")
    assert archive.store.check() == ["a row of originals belongs to none of versions"]
