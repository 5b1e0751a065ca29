"""What is written is valid: ninjs, NewsML-G2 and NITF by the rules of their schemas.

The schemas of IPTC are not in this project; the tables here are what they say of the
parts that we write: names, their order, and what is required.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from checkout import GOLDEN
from hypothesis import HealthCheck, given, settings

from index.article import Article, Role, article_of, number_paragraphs
from index.rendering import representation
from index.settings import Settings
from tests.formats.generated import FREE, articles

FULL = article_of(json.loads((GOLDEN / "written" / "article.json").read_text("utf-8")))
MANY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def written(name: str, article: Article) -> bytes:
    return representation(name).write(article, Settings())


# ninjs: additional properties are not allowed, at the top and in every object.

NINJS_TEXTS = frozenset(
    (
        *("uri", "type", "version", "language", "by", "slugline", "located", "expires"),
        *("firstCreated", "versionCreated", "embargoed", "pubStatus"),
        *("copyrightNotice", "usageTerms"),
    )
)
NINJS_LISTS = {
    "headlines": {"role", "contentType", "value"},
    "bodies": {"role", "contentType", "value"},
    "people": {"name", "rel", "uri", "literal"},
    "organisations": {"name", "rel", "uri", "literal"},
    "places": {"name", "rel", "uri", "literal"},
    "subjects": {"name", "rel", "uri", "literal"},
    "infoSources": {"name", "role", "uri", "literal"},
    "genres": {"name", "uri", "literal"},
}
NINJS_TYPES = {"text", "audio", "video", "picture", "graphic", "composite", "component"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "version", "spelled"),
    [("ninjs2", "2.1", str.lower), ("ninjs3", "3.0", str)],
)
def test_ninjs_has_only_what_its_schema_allows(
    name: str, version: str, spelled: Any
) -> None:
    @MANY
    @given(articles())
    def run(article: Article) -> None:
        item = json.loads(written(name, article))
        standard = item.pop("standard")
        assert (standard["name"], standard["version"]) == ("ninjs", version)
        assert standard.keys() == {"name", "version", "schema"}
        assert item["uri"] == article.id
        assert item.get("type", "text") in NINJS_TYPES | {"planning"}
        urgency = item.pop("urgency", 5)
        assert type(urgency) is int and 1 <= urgency <= 9
        texts = set(map(spelled, NINJS_TEXTS))
        lists = {spelled(key): members for key, members in NINJS_LISTS.items()}
        assert item.keys() <= texts | lists.keys()
        for key, value in item.items():
            if key in texts:
                assert isinstance(value, str)
                continue
            for member in value:
                assert member.keys() <= set(map(spelled, lists[key]))
                assert all(isinstance(part, str) for part in member.values())

    run()


def test_an_event_is_no_event_of_ninjs_without_its_details() -> None:
    item = json.loads(written("ninjs3", replace(FULL, type="event")))
    assert "type" not in item


# NewsML-G2: a sequence of elements, except in the descriptive half of contentMeta.

G2_ORDER = {
    "newsItem": "catalogRef catalog rightsInfo itemMeta contentMeta contentSet",
    "rightsInfo": "copyrightNotice usageTerms",
    "itemMeta": "itemClass provider versionCreated firstCreated embargoed pubStatus"
    " service expires link",
    "contentSet": "inlineXML",
    "contentMeta": "urgency creator language genre keyword subject slugline headline"
    " dateline by",
}
G2_QCODE = re.compile(r"[^\s:]+:[^\s]+\Z")


def in_order(element: ElementTree.Element, names: str) -> None:
    order = names.split()
    places = [order.index(child.tag.rpartition("}")[2]) for child in element]
    assert places == sorted(places), element.tag


@pytest.mark.slow
@MANY
@given(articles())
def test_newsml_g2_follows_its_schema(article: Article) -> None:
    item = ElementTree.fromstring(written("newsmlg2", article))
    space = "{http://iptc.org/std/nar/2006-10-01/}"
    assert item.tag == f"{space}newsItem"
    for name, required in (("standard", "NewsML-G2"), ("guid", article.id)):
        assert item.get(name) == required
    assert item.get("standardversion") and item.get("conformance") == "power"
    assert re.fullmatch(r"[1-9]\d*", item.get("version", "1"))
    for element in item.iter():
        name = element.tag.removeprefix(space)
        if name in G2_ORDER:
            in_order(element, G2_ORDER[name])
        for attribute in ("qcode", "rel", "type"):
            assert G2_QCODE.match(element.get(attribute, "a:b"))
    meta = item.find(f"{space}itemMeta")
    assert meta is not None
    for name in ("itemClass", "provider", "pubStatus"):
        assert len(meta.findall(f"{space}{name}")) == 1
    dated = article.published or article.updated
    assert len(meta.findall(f"{space}versionCreated")) == (dated is not None)
    for name in ("headline", "slugline"):
        assert len(item.findall(f".//{space}{name}")) <= 1


# NITF: the content models of its schema, for the elements that we write.

NITF_ORDER = {
    "nitf": "head body",
    "head": "title tobject docdata pubdata revision-history",
    "tobject": "tobject.property tobject.subject",
    "body": "body.head body.content",
    "body.head": "hedline rights byline distributor dateline",
    "hedline": "hl1",
    "media": "media-reference media-caption media-producer",
    "key-list": "keyword",
}
NITF_INSIDE = {
    "docdata": "correction doc-id urgency date.issue date.release date.expire du-key"
    " doc.rights key-list identified-content",
    "identified-content": "classifier person org location",
    "body.content": "block",
    "block": "p hl2 bq media ul pre",
    "bq": "block",
    "ul": "li",
    "rights": "rights.owner",
    "byline": "person",
}


@pytest.mark.slow
@MANY
@given(articles(FREE))
def test_nitf_follows_its_schema(article: Article) -> None:
    space = "{http://iptc.org/std/NITF/2006-10-18/}"
    root = ElementTree.fromstring(written("nitf", article))
    assert root.tag == f"{space}nitf"
    for element in root.iter():
        name = element.tag.removeprefix(space)
        if name in NITF_ORDER:
            in_order(element, NITF_ORDER[name])
        elif name in NITF_INSIDE:
            tags = {child.tag.removeprefix(space) for child in element}
            assert tags <= set(NITF_INSIDE[name].split()), name
        else:
            assert len(element) == 0, name
        if name == "media":
            assert element.get("media-type") == "image"
            assert element.find(f"{space}media-reference") is not None
        if name == "tobject.subject":
            assert re.fullmatch(r"[\w.:-]+", element.get("tobject.subject.refnum", ""))
        if name.startswith("date."):
            assert re.match(r"\d{8}T\d{6}(\.\d+)?Z\Z", element.get("norm", ""))


# JSON-LD and pages.


def test_json_ld_is_a_news_article() -> None:
    node = json.loads(written("jsonld", FULL))
    assert node["@type"] == "NewsArticle"
    assert "https://schema.org" in node["@context"]
    assert {each["@type"] for each in node["mentions"]} == {"Person", "Organization"}
    assert node["author"][1]["identifier"]["value"] == "b1"
    assert "\n" not in written("jsonld", FULL).decode().rstrip("\n")


HOSTILE = [
    '</script><script>alert("x")</script>',
    "<!--<script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></title></article><b>",
    "javascript:alert(1)",
]


class Page(HTMLParser):
    """The elements of a page and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.data: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "script":
            self.data.append(data)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_an_article_becomes_markup_of_its_page(text: str) -> None:
    fields = dict.fromkeys(
        (
            *("slugline", "byline", "dateline", "section", "source", "url", "story"),
            *("correction", "usage_terms", "copyright"),
        ),
        text,
    )
    paragraphs = [(role, text, text) for role in Role if role is not Role.HEADLINE]
    article = replace(
        FULL, headline=text, paragraphs=number_paragraphs(text, paragraphs), **fields
    )
    page = Page(written("html", article).decode())
    calm = Page(
        written("html", replace(article, **dict.fromkeys(fields, "x"))).decode()
    )
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in calm.elements]
    scripts = [attrs for tag, attrs in page.elements if tag == "script"]
    assert scripts == [{"type": "application/ld+json"}]
    assert json.loads(page.data[0])["headline"] == text
    names = {name for _, attrs in page.elements for name in attrs}
    assert not [name for name in names if name.startswith("on")]
    links = [attrs.get("href") or "" for _, attrs in page.elements if "href" in attrs]
    assert not any(link.startswith("javascript:") for link in links)


def test_a_page_loads_nothing_and_may_run_nothing() -> None:
    text = written("html", FULL).decode()
    assert not re.search(
        r"<(?:img|iframe|object|embed|form)\b|\bsrc=|url\(|@import", text
    )
    policy = representation("html").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy
    assert "unsafe" not in policy
    assert "@media print" in text


MARKUP = ["# not a heading", "* no list", "1. no list", "> no quote", "a | b", "`x`"]


@pytest.mark.parametrize(
    "text", [*MARKUP, "- no list", "+ no", "===", "_x_ [a](b) <i>"]
)
def test_no_text_of_an_article_becomes_markdown(text: str) -> None:
    paragraphs = number_paragraphs(text, [(Role.BODY, f"One\n{text}", None)])
    article = Article(id="a", headline=text, paragraphs=paragraphs)
    body = written("markdown", article).decode().split("---\n")[2]
    heading, first, second = body.strip().replace("\n\n", "\n").split("\n")
    assert heading.startswith("# ") and first == "One\\"
    assert re.match(r"\\|\d+\\", second) or "\\" in second
    assert re.sub(r"\\(.)", r"\1", second) == text
    assert not re.match(r"[-+*=>#]|\d+[.)] ", second)


def test_markdown_shows_the_role_of_each_paragraph() -> None:
    assert written("markdown", FULL).decode().split("---\n")[2] == (
        GOLDEN / "written" / "article.md"
    ).read_text("utf-8")
