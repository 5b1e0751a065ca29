"""The work for a body: it is parsed once, and each article is written once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from checkout import GOLDEN
from flask.testing import FlaskClient

from index.archive import Archive
from index.formats import FORMATS, read
from index.parsing import MAX_LINE

JSON = "application/json"
WORD = "zwetschgenkuchen"  # in each article's text, and nowhere else
OURS: dict[str, Any] = {"id": "a", "headline": "Head", "paragraphs": [WORD]}
OTHERS: dict[str, Any] = {"id": "a", "title": "Head", "body": WORD}
NINJS: dict[str, Any] = {
    "uri": "a",
    "headline": "Head",
    "versioncreated": "2016-09-29T10:00:00Z",
    "body_html": f"<p>{WORD}</p>",
}


class Work:
    """The JSON texts with the word that were parsed and written."""

    def __init__(self) -> None:
        self.parsed: list[str] = []
        self.written: list[str] = []

    @property
    def counts(self) -> tuple[int, int]:
        return len(self.parsed), len(self.written)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    work = Work()
    parse, write = json.JSONDecoder.raw_decode, json.JSONEncoder.encode

    def counted_parse(self: json.JSONDecoder, s: str, idx: int = 0) -> Any:
        value, end = parse(self, s, idx)
        if WORD in s[idx:end]:
            work.parsed.append(s[idx:end])
        return value, end

    def counted_write(self: json.JSONEncoder, o: Any) -> str:
        text = write(self, o)
        if WORD in text:
            work.written.append(text)
        return text

    monkeypatch.setattr(json.JSONDecoder, "raw_decode", counted_parse)
    monkeypatch.setattr(json.JSONEncoder, "encode", counted_write)
    return work


@pytest.mark.parametrize("document", [OURS, OTHERS, NINJS])
@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/v1/articles/a"), ("POST", "/v1/articles")]
)
def test_json_is_parsed_once_and_the_article_written_once(
    client: FlaskClient, work: Work, document: dict[str, Any], method: str, path: str
) -> None:
    body = json.dumps(document)
    work.written.clear()
    answer = client.open(path, method=method, data=body, content_type=JSON)
    assert answer.json["results"][0]["status"] == "created"
    assert work.counts == (1, 1)


@pytest.mark.parametrize("shape", [list, lambda items: {"articles": items}])
def test_a_list_is_parsed_once(
    client: FlaskClient, work: Work, shape: Callable[[list[Any]], Any]
) -> None:
    body = json.dumps(shape([{**OURS, "id": each} for each in "abc"]))
    work.written.clear()
    assert client.post("/v1/articles", data=body, content_type=JSON).status_code == 200
    assert work.counts == (1, 3)


def test_each_line_is_parsed_once(client: FlaskClient, work: Work) -> None:
    body = "".join(json.dumps({**OURS, "id": each}) + "\n" for each in "abc")
    work.written.clear()
    answer = client.post("/v1/articles", data=body, content_type="application/x-ndjson")
    assert answer.status_code == 200
    assert work.counts == (3, 3)


def test_an_original_is_what_was_sent(client: FlaskClient, archive: Archive) -> None:
    # With spaces, an escape and a byte order mark that no JSON writer would write.
    body = b'\xef\xbb\xbf { "uri":"n", "versioncreated": null,"headline":"H\\u00e9" } '
    client.put("/v1/articles/n", data=body, content_type=JSON)
    assert archive.original("n").data == body


@pytest.mark.slow
def test_an_item_is_limited_like_a_line(client: FlaskClient) -> None:
    long = "<b></b>" * (MAX_LINE // 7 + 1)
    body = json.dumps([{"id": "l", "body": f"{long}text"}, {**OURS, "id": "s"}])
    answer = client.post("/v1/articles", data=body, content_type=JSON)
    refused, stored = answer.json["results"]
    assert (refused["id"], refused["error"]["code"]) == ("l", "limit_exceeded")
    assert refused["error"]["limit"] == MAX_LINE
    assert stored["status"] == "created"


def test_the_answer_of_an_interface_is_unwrapped(
    client: FlaskClient, archive: Archive
) -> None:
    hits = [
        {"_id": "h", "_source": {"title": "Hit", "body": WORD}},
        {"_id": "i", "_source": {"title": "Hit", "pubstatus": "live-ish"}},
    ]
    ninjs = {**NINJS, "uri": "n"}
    for body, ids in (
        ({"status": "ok", "articles": [OTHERS, ninjs]}, ["a", "n"]),
        ({"response": {"docs": [OTHERS]}, "status": "OK"}, ["a"]),
        ({"hits": {"total": 2, "hits": hits}}, ["h", "i"]),
        ([{"results": [OTHERS]}, ninjs], ["a", "n"]),
    ):
        data = json.dumps(body)
        answer = client.post("/v1/articles", data=data, content_type=JSON)
        assert [each.get("id") for each in answer.json["results"]] == ids
    assert archive.original("h").data == json.dumps(hits[0]).encode()


def test_an_article_with_a_list_of_its_own_is_one_article(client: FlaskClient) -> None:
    body = {**OTHERS, "items": [{"id": "b", "headline": "Not an article"}]}
    answer = client.put("/v1/articles/a", json=body)
    (result,) = answer.json["results"]
    assert (result["id"], result["status"]) == ("a", "created")


XML = [
    (known.name, known.media_types[0], path)
    for known in FORMATS.values()
    if known.roots
    for path in sorted((GOLDEN / known.name).glob("*.xml"))
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "own_type", "path"), XML, ids=[f"{row[0]}-{row[2].stem}" for row in XML]
)
def test_xml_that_is_posted_is_read_as_from_a_file(
    client: FlaskClient, name: str, own_type: str, path: Path
) -> None:
    body = path.read_bytes()
    records = list(read(name, body))
    for media_type in ("application/xml", "text/xml", own_type):
        answer = client.post("/v1/articles", data=body, content_type=media_type)
        results = answer.json["results"]
        assert [result.get("id") for result in results if "error" not in result] == [
            record.article.id for record in records if record.article is not None
        ], media_type
        assert [r["error"]["code"] for r in results if "error" in r] == [
            record.error.code for record in records if record.error is not None
        ], media_type


def test_xml_of_another_kind_is_refused(client: FlaskClient) -> None:
    answer = client.post("/v1/articles", data=b"<opml/>", content_type="text/xml")
    assert (answer.status_code, answer.json["code"]) == (415, "unknown_format")
    assert "<opml>" in answer.json["detail"]


def test_a_nitf_document_without_an_id_takes_that_of_the_address(
    client: FlaskClient, archive: Archive
) -> None:
    body = (
        b"<nitf><body><body.head><hedline><hl1>Ferry back</hl1></hedline></body.head>"
        b"</body></nitf>"
    )
    path = "/v1/articles/x-1"
    answer = client.put(path, data=body, content_type="application/nitf+xml")
    assert answer.json["results"][0]["status"] == "created"
    assert client.get(path).json["headline"] == "Ferry back"
    assert archive.original("x-1").data == body


@pytest.mark.parametrize("media_type", [JSON, "application/feed+json"])
def test_the_items_of_a_feed_have_its_title_as_their_source(
    client: FlaskClient, media_type: str
) -> None:
    version = "https://jsonfeed.org/version/1.1"
    items = [{"id": "a", "title": "One"}, {"id": "b", "title": "Two"}]
    feed = json.dumps({"version": version, "title": "Wire", "items": items})
    answer = client.post("/v1/articles?wait=1", data=feed, content_type=media_type)
    assert [each["id"] for each in answer.json["results"]] == ["a", "b"]
    assert client.get("/v1/articles/b").json["source"] == "Wire"


def test_documents_in_a_list_are_read_as_documents(client: FlaskClient) -> None:
    jo = {"@type": "Person", "@id": "#jo", "name": "Jo Marsh"}
    page = {
        "@type": "NewsArticle",
        "@id": "a",
        "headline": "h",
        "author": {"@id": "#jo"},
    }
    document = {"@context": "https://schema.org", "@graph": [jo, page]}
    body = json.dumps([document, {**OURS, "id": "b"}])
    answer = client.post("/v1/articles?wait=1", data=body, content_type=JSON)
    assert [each["id"] for each in answer.json["results"]] == ["a", "b"]
    assert client.get("/v1/articles/a").json["authors"] == ["Jo Marsh"]


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/csv", b"id,title\na,Ferry back\nb,Rink opens\n"),
        ("text/csv; charset=utf-16-le", "id;title\na;Fähre\nb;x\n".encode("utf-16-le")),
    ],
)
def test_a_table_is_taken_row_by_row(
    client: FlaskClient, media_type: str, body: bytes
) -> None:
    answer = client.post("/v1/articles?wait=1", data=body, content_type=media_type)
    assert [each["status"] for each in answer.json["results"]] == ["created"] * 2


def test_a_page_without_an_address_takes_the_id_of_the_request(
    client: FlaskClient,
) -> None:
    head = "<meta property=og:type content=article><h1>Ferry back</h1>"
    page = f"{head}<article><p>Text.</p>"
    answer = client.put("/v1/articles/a", data=page, content_type="text/html")
    assert answer.json["results"][0]["id"] == "a"


@pytest.mark.parametrize(
    "media_type", ["application/rss+xml", "application/atom+xml", "text/xml", ""]
)
def test_the_items_of_a_feed_in_xml_are_stored_with_what_the_feed_says(
    client: FlaskClient, media_type: str
) -> None:
    feed = (
        b"<rss version='2.0'><channel><title>Wire</title><copyright>W</copyright>"
        b"<item><guid>a</guid><title>One</title></item>"
        b"<item><guid>b</guid><title>Salt & pepper</title></item></channel></rss>"
    )
    answer = client.post("/v1/articles?wait=1", data=feed, content_type=media_type)
    assert [each["id"] for each in answer.json["results"]] == ["a", "b"]
    article = client.get("/v1/articles/b").json
    assert (article["headline"], article["source"]) == ("Salt & pepper", "Wire")
    assert article["copyright"] == "W"


@pytest.mark.parametrize(
    ("media_type", "feed"),
    [
        ("application/rss+xml", b"<rss><channel/></rss>"),
        (
            "application/feed+json",
            b'{"version": "https://jsonfeed.org/version/1.1", "items": []}',
        ),
    ],
)
def test_a_feed_without_items_stores_nothing(
    client: FlaskClient, media_type: str, feed: bytes
) -> None:
    answer = client.post("/v1/articles", data=feed, content_type=media_type)
    assert (answer.status_code, answer.json["results"]) == (200, [])
    answer = client.put("/v1/articles/a", data=feed, content_type=media_type)
    assert answer.status_code == 422
    assert "takes one article, not 0" in answer.json["detail"]


def test_a_tombstone_takes_an_entry_away(client: FlaskClient) -> None:
    feed = (
        "<feed xmlns='http://www.w3.org/2005/Atom'"
        " xmlns:at='http://purl.org/atompub/tombstones/1.0'>{}</feed>"
    )
    entry = "<entry><id>urn:e:1</id><title>One</title></entry>"
    grave = "<at:deleted-entry ref='urn:e:1' when='2026-05-01T12:00:00Z'/>"
    path = "/v1/articles/urn:e:1"
    for content, status in ((entry, 200), (grave, 410)):
        answer = client.post(
            "/v1/articles?wait=1",
            data=feed.format(content),
            content_type="application/atom+xml",
        )
        assert answer.status_code == 200
        assert client.get(path).status_code == status
