"""One article out, in every format: by ``format``, by ``Accept``, and refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from index.access import Scope
from index.archive import Archive
from index.article import article_of
from index.formats import read
from index.rendering import REPRESENTATIONS
from service import create_app

GRAIN = "/v1/articles/urn:test:grain"
JSON = "application/json"
BROWSER = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    "*/*;q=0.8"
)


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_every_format_is_given_by_its_name(client: FlaskClient, name: str) -> None:
    answer = client.get(f"{GRAIN}?format={name}", headers={"Accept": "image/png"})
    assert answer.status_code == 200
    assert answer.content_type == REPRESENTATIONS[name].content_type
    assert b"Bakers paid more" in answer.data
    by_id = client.get(f"/v1/article?id=urn:test:grain&format={name}")
    assert by_id.data == answer.data


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("", JSON),
        ("*", JSON),
        (",;", JSON),
        (BROWSER, "text/html"),
        ("application/json", JSON),
        ("application/json; charset=utf-8", JSON),
        ("APPLICATION/JSON", JSON),
        ("application/*", JSON),
        ("text/*", "text/plain"),
        ("text/html, */*", "text/html"),
        ("application/ld+json", "application/ld+json"),
        ("application/ninjs+json", "application/ninjs+json"),
        ("application/ninjs+json;version=2", "application/ninjs+json; version=2"),
        ("application/ninjs+json; version=3", "application/ninjs+json; version=3"),
        ("application/ninjs+json; version=9", "application/ninjs+json"),
        ("application/nitf+xml;q=0.5, application/json;q=0.4", "application/nitf+xml"),
        ("text/markdown;q=0.1, text/plain;q=0.2", "text/plain"),
        ("application/json;q=0, */*;q=0.1", "text/plain"),
        ("image/png, */*;q=0.1", JSON),
        (
            "application/vnd.iptc.g2.newsitem+xml",
            "application/vnd.iptc.g2.newsitem+xml",
        ),
    ],
)
def test_accept_chooses_the_format(
    client: FlaskClient, accept: str | None, expected: str
) -> None:
    headers = {} if accept is None else {"Accept": accept}
    answer = client.get(GRAIN, headers=headers)
    assert answer.status_code == 200
    assert answer.content_type.removesuffix("; charset=utf-8") == expected
    assert "Accept" in answer.vary


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0", "text/x"])
def test_what_is_given_in_no_accepted_format_is_406(
    client: FlaskClient, accept: str
) -> None:
    answer = client.get(GRAIN, headers={"Accept": accept})
    assert answer.status_code == 406
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == "not_acceptable"
    assert answer.json["got"] == accept
    assert "text/html" in answer.json["offered"] and JSON in answer.json["offered"]
    assert "Accept" in answer.vary


def test_an_unknown_format_is_refused_with_the_choices(client: FlaskClient) -> None:
    answer = client.get(f"{GRAIN}?format=docx")
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_value")
    for name in ("json", *REPRESENTATIONS):
        assert name in answer.json["detail"]


def test_each_format_has_a_tag_of_its_own(client: FlaskClient) -> None:
    tags = {}
    for name in ("json", *REPRESENTATIONS):
        answer = client.get(f"{GRAIN}?format={name}")
        tags[name] = answer.headers["ETag"]
        sent = {"If-None-Match": tags[name]}
        unchanged = client.get(f"{GRAIN}?format={name}", headers=sent)
        assert (unchanged.status_code, unchanged.data) == (304, b"")
    html = {"If-None-Match": tags["html"]}
    assert client.get(GRAIN, headers={**html, "Accept": JSON}).status_code == 200
    assert client.get(GRAIN, headers={**html, "Accept": "text/html"}).status_code == 304
    client.put(GRAIN, json={"headline": "Grain falls", "paragraphs": ["One."]})
    assert client.get(f"{GRAIN}?format=html", headers=html).status_code == 200


@pytest.mark.parametrize("name", ["json", *REPRESENTATIONS])
def test_the_head_is_that_of_the_answer(client: FlaskClient, name: str) -> None:
    whole = client.get(f"{GRAIN}?format={name}")
    head = client.head(f"{GRAIN}?format={name}")
    assert (head.status_code, head.data) == (200, b"")
    for header in ("Content-Type", "Content-Length"):
        assert head.headers[header] == whole.headers[header]


def test_a_page_is_given_with_a_strict_policy(client: FlaskClient) -> None:
    answer = client.get(GRAIN, headers={"Accept": BROWSER})
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert b"<h1>Grain prices climb &lt;fast&gt;</h1>" in answer.data


def test_notes_to_editors_are_in_records_only_for_those_who_may_see_them(
    archive: Archive,
) -> None:
    article = article_of(
        {
            "id": "noted",
            "version": "1",
            "headline": "Noted",
            "ed_note": "Call the foreman.",
            "usage_terms": "Not for broadcast.",
            "copyright": "© The Desk",
        }
    )
    archive.put([article])
    client = create_app(archive.settings, archive).test_client()
    search, held = Scope.SEARCH, Scope.READ_EMBARGOED
    inside = archive.keys.add("inside", frozenset({search, held})).secret
    outside = archive.keys.add("outside", frozenset({search})).secret
    for name in ("json", *REPRESENTATIONS):
        is_record = name in ("json", "jsonl", "ninjs")
        for secret, sees in ((inside, True), (outside, False)):
            answer = client.get(
                f"/v1/articles/noted?format={name}", headers={"X-API-Key": secret}
            )
            text = answer.get_data(as_text=True)
            assert "Not for broadcast." in text and "© The Desk" in text
            assert ("Call the foreman." in text) is (sees and is_record), name


def test_links_of_an_article_without_url_are_those_of_the_settings(
    archive: Archive,
) -> None:
    archive.settings = replace(
        archive.settings, permalink="https://news.example/archive/{id}"
    )
    client = create_app(archive.settings, archive).test_client()
    page = client.get(f"{GRAIN}?format=html").get_data(as_text=True)
    address = "https://news.example/archive/urn%3Atest%3Agrain"
    assert f'<link rel="canonical" href="{address}">' in page
    assert "url" not in client.get(GRAIN).json


@pytest.mark.parametrize(
    "name", ["newsmlg2", "nitf", "jsonld", "text", "html", "ninjs3"]
)
def test_what_was_given_out_can_be_sent_back(client: FlaskClient, name: str) -> None:
    given = client.get(f"{GRAIN}?format={name}")
    (record,) = read("ninjs" if name == "ninjs3" else name, given.data)
    assert record.article is not None and record.article.id == "urn:test:grain"
    sent: Any = client.post(
        "/v1/articles?force=1", data=given.data, content_type=given.content_type
    )
    assert sent.status_code == 200, sent.json
    assert sent.json["results"][0]["id"] == "urn:test:grain"
    texts = [each["text"] for each in client.get(GRAIN).json["paragraphs"]]
    assert texts[1:] == [
        "Bakers paid more for grain & flour after the harbour closed.",
        "A minister promised talks.",
    ]


@pytest.mark.parametrize(
    ("article_id", "name", "file"),
    [
        ("urn:test:grain", "newsmlg2", "urn-test-grain.xml"),
        ("urn:test:grain", "markdown", "urn-test-grain.md"),
        ("https://news.example/a?b=1", "nitf", "https-news.example-a-b-1.nitf"),
        ("..", "text", "article.txt"),
        ("é" * 300, "html", "article.html"),
        ("a" * 300, "html", f"{'a' * 100}.html"),
    ],
)
def test_a_file_has_a_name_to_save_it_under(
    archive: Archive, client: FlaskClient, article_id: str, name: str, file: str
) -> None:
    archive.put([article_of({"id": article_id, "headline": "Mill opens"})])
    answer = client.get("/v1/article", query_string={"id": article_id, "format": name})
    disposition = answer.headers["Content-Disposition"]
    assert disposition in (f"inline; filename={file}", f'inline; filename="{file}"')


SEARCH = "/v1/search?q=bakers"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("*/*", JSON),
        (BROWSER, JSON),
        ("text/csv", "text/csv"),
        ("application/x-ndjson, application/json;q=0.5", "application/x-ndjson"),
        (
            "application/atom+xml, application/rss+xml, */*;q=0.1",
            "application/atom+xml",
        ),
        ("application/rss+xml", "application/rss+xml"),
        ("application/feed+json", "application/feed+json"),
        ("application/atom+xml;q=0.1, application/json", JSON),
    ],
)
def test_accept_chooses_the_format_of_a_search(
    client: FlaskClient, accept: str | None, expected: str
) -> None:
    headers = {} if accept is None else {"Accept": accept}
    answer = client.get(SEARCH, headers=headers)
    assert answer.status_code == 200
    assert answer.content_type.removesuffix("; charset=utf-8") == expected
    assert "Accept" in answer.vary
    # What is named in the address counts before it.
    named = client.get(f"{SEARCH}&format=rss", headers=headers)
    by_path = client.get("/v1/search.rss?q=bakers", headers=headers)
    assert named.mimetype == by_path.mimetype == "application/rss+xml"


def test_a_search_in_no_accepted_format_is_406(client: FlaskClient) -> None:
    for answer in (
        client.get(SEARCH, headers={"Accept": "image/png"}),
        client.post(
            "/v1/search",
            json={"q": "bakers"},
            headers={"Accept": "application/atom+xml"},
        ),
    ):
        assert (answer.status_code, answer.json["code"]) == (406, "not_acceptable")
        assert JSON in answer.json["offered"] and "Accept" in answer.vary


def test_a_feed_that_accept_chose_leads_to_itself(client: FlaskClient) -> None:
    answer = client.get(SEARCH, headers={"Accept": "application/feed+json"})
    assert "format=jsonfeed" in answer.json["feed_url"]


def test_a_feed_key_opens_what_accept_chooses_as_a_feed(archive: Archive) -> None:
    key = archive.keys.add("reader", scopes=(Scope.FEED,))
    client = create_app(archive.settings, archive).test_client()
    feed, table = (
        client.get(SEARCH, auth=("reader", key.secret), headers={"Accept": accept})
        for accept in ("application/atom+xml", "text/csv")
    )
    assert feed.status_code == 200
    assert "Authorization" in feed.vary
    assert table.status_code == 401
