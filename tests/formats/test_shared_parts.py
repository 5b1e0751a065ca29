"""What is shared is read once: feeds, headers, nodes, topics, and nested elements."""

from __future__ import annotations

import ast
import json
import tracemalloc
from typing import Any

import pytest
from checkout import ROOT

from index.errors import LimitExceeded
from index.formats import Read, read
from index.formats.html import extraction
from index.formats.jsonld import Graph
from index.formats.newsml1 import topics
from index.formats.wire import anpa
from index.formats.wire.message import Message
from index.parsing.web_page import MAX_HEADINGS, web_page

WORDS = "The ferry sails again, and costs what it did before it went into dock. "
HEAD = b"\x01nwa0124 3 i 93  nwt 1888\n\nFerries/\n\x02"
END = b"\n\x03212101 GMT Nov 18\n"


def page(body: str) -> bytes:
    return (
        "<html><title>a</title><meta property=og:type content=article>" + body
    ).encode()


def one(name: str, data: bytes) -> Read:
    (record,) = read(name, data)
    return record


def texts(record: Read) -> list[str]:
    assert record.article is not None, record.error
    return [each.text for each in record.article.paragraphs]


@pytest.mark.parametrize(
    "script",
    [
        "{};",
        "{} ; ; //",
        "/* */ {} /* */",
        "<!-- {} -->;",
        "//<![CDATA[\n{}\n//]]>",
        "<![CDATA[{}]]> -->",
        '<!--{"a": {"b": "c,]",}, }-->',
    ],
)
def test_json_of_a_script_is_read_whatever_is_around_it(script: str) -> None:
    data = script.replace("{}", '{"a": {"b": "c,]"}}')
    read_page = web_page(f"<script type=application/ld+json>{data}</script>a")
    assert (read_page.data, read_page.faults) == ([{"a": {"b": "c,]"}}], [])


@pytest.mark.slow
def test_headings_inside_one_another_do_not_each_hold_the_text() -> None:
    nested = "<div><h1>" * 200 + WORDS * 1_000
    read_page = web_page("<title>a</title><h1>Head</h1>" + nested)
    assert read_page.headings == ["Head"]
    many = web_page("<h1>word</h1>" * 1_000)
    assert len(many.headings) <= MAX_HEADINGS


@pytest.mark.slow
def test_articles_inside_one_another_are_not_each_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = 0
    element_html = extraction.element_html

    def counted(element: Any) -> str:
        nonlocal written
        html = element_html(element)
        written += len(html)
        return html

    monkeypatch.setattr(extraction, "element_html", counted)
    data = page("<article>" * 100 + f"<p>{WORDS}" * 50)
    extraction.marked(web_page(data.decode()).root)
    assert written < 4 * len(data)


def test_the_longest_article_of_a_page_is_its_own() -> None:
    teaser = "<article><p>Rink opens</p></article>"
    body = f"{teaser}<article><p>{WORDS}</p>{teaser}</article>{teaser}"
    blocks = extraction.marked(web_page(body).root)
    assert [block.text for block in blocks] == [WORDS.strip(), "Rink opens"]


@pytest.mark.slow
def test_a_text_with_many_properties_is_counted_for_each() -> None:
    names = " ".join(f"p{number}" for number in range(2_000))
    body = f"<div itemscope><p itemprop='{names}'>{WORDS * 100}"
    assert isinstance(one("html", page(body)).error, LimitExceeded)


def test_all_references_to_a_node_are_the_same_short_object() -> None:
    large = {f"p{number}": "value" * 10 for number in range(1_000)}
    node = {**large, "@type": ["Person"] * 99, "@id": "#n", "name": "Jo", "url": "u"}
    graph = Graph([node])
    first, again = (graph.resolved({"@id": "#n"}) for _ in range(2))
    assert first is again
    assert (first["name"], first["url"], first["@id"]) == ("Jo", "u", "#n")
    assert len(json.dumps(first)) < 3_000
    assert graph.resolved([{"@id": "#n"}, "Al", {"@id": "#n"}]) == [first, "Al"]


def test_authors_that_a_list_repeats_are_each_taken_once() -> None:
    people = [{"@type": "Person", "@id": f"#{n}", "name": f"Jo {n}"} for n in (1, 2)]
    story = {
        "@type": "NewsArticle",
        "@id": "urn:a:1",
        "headline": "Ferry back",
        "author": [{"@id": "#2"}, {"@id": "#1"}, {"@id": "#2"}],
    }
    graph = {"@context": "https://schema.org", "@graph": [story, *people]}
    (record,) = read("jsonld", json.dumps(graph).encode())
    assert record.article is not None
    assert [each.name for each in record.article.authors] == ["Jo 2", "Jo 1"]


@pytest.mark.parametrize(
    "shared",
    [
        {"authors": [{"name": "Jo"}] * 51},
        {"authors": [{"name": "J" * 301}]},
        {"title": "T" * 301},
        {"title": {"name": "T" * 301}},
        {"language": "en-" * 200},
    ],
)
def test_a_feed_has_limits_for_what_its_items_share(shared: dict[str, Any]) -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [{"id": str(number), "title": "Ferry back"} for number in range(9)],
        **shared,
    }
    assert isinstance(one("jsonfeed", json.dumps(feed).encode()).error, LimitExceeded)


@pytest.mark.slow
@pytest.mark.parametrize(
    "header",
    ["id,headline," + "k" * 301, "id,headline" + ",k" * 33_000],
    ids=["a name", "all"],
)
def test_a_table_has_limits_for_its_header(header: str) -> None:
    rows = "1,Ferry back" + "," * (header.count(",") - 1) + "\n"
    error = one("csv", f"{header}\n{rows * 2}".encode()).error
    assert isinstance(error, LimitExceeded)


@pytest.mark.slow
def test_a_topic_is_read_once_however_often_it_is_referred_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_at = 0
    children = topics.children

    def counted(*arguments: Any) -> Any:
        nonlocal looked_at
        looked_at += 1
        return children(*arguments)

    monkeypatch.setattr(topics, "children", counted)
    data = (
        "<NewsML><NewsItem><Identification><NewsIdentifier><ProviderId>a.example"
        "</ProviderId><DateId>20260101</DateId><NewsItemId>1</NewsItemId><RevisionId"
        " PreviousRevision='0' Update='N'>1</RevisionId><PublicIdentifier>urn:a:1"
        "</PublicIdentifier></NewsIdentifier></Identification><NewsManagement>"
        "<NewsItemType FormalName='News'/><FirstCreated>20260101</FirstCreated>"
        "<ThisRevisionCreated>20260101</ThisRevisionCreated><Status"
        " FormalName='Usable'/></NewsManagement><NewsComponent><TopicSet><Topic"
        " Duid='t'><TopicType FormalName='Person'/><Description>Jo</Description>"
        "</Topic></TopicSet><NewsLines><HeadLine>Ferry back</HeadLine></NewsLines>"
        "<DescriptiveMetadata>"
        + "<TopicOccurrence Topic='#t'/>" * 500
        + "</DescriptiveMetadata></NewsComponent></NewsItem></NewsML>"
    )
    record = one("newsml1", data.encode())
    assert record.article is not None, record.error
    assert [each.name for each in record.article.people] == ["Jo"]
    assert looked_at < 50


class CountedFields(dict[str, Any]):
    """Fields that count the characters that are written into them."""

    written = 0

    def __setitem__(self, name: str, value: Any) -> None:
        self.written += len(str(value))
        super().__setitem__(name, value)


def test_lines_of_a_message_are_joined_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = CountedFields()
    monkeypatch.setattr(anpa, "Message", lambda number: Message(number, fields=fields))
    lines = "^By Ann Other=<\n" + "^Northtown Wire=<\n" * 200
    lines += "^Ferry back<\n" + "^It sails at six.<\n" * 200
    data = (
        "\x01a0123\x1fabc-\nr i BC-Ferry 03-04 0093\n\x02^BC-Ferry,93<\n"
        f"{lines}   It sails.\n\x03AP-WF-03-04-24 0630GMT\n"
    )
    record = one("wire", data.encode())
    assert texts(record).count("It sails at six.") == 200
    assert record.article is not None
    assert str(record.article.byline).count("Northtown Wire") == 200
    assert fields.written < 2 * len(data)


def test_an_embargo_without_a_date_is_told_once() -> None:
    record = one(
        "wire", HEAD + b"Ferry =\n\nIt sails.\n# Notebook\n" + b"Embargo\n" * 99 + END
    )
    assert record.article is not None
    assert len([each for each in record.warnings if "embargo" in each]) == 1


@pytest.mark.slow
def test_messages_are_looked_for_as_they_are_read() -> None:
    data = b"\x01" * 200_000
    tracemalloc.start()
    try:
        records = read("wire", data)
        for _ in range(10):
            next(records)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * len(data)


def _takes_the_first(node: ast.AST) -> bool:
    """Whether code moves all other items of a list: ``pop(0)``, ``del lines[0]``."""
    match node:
        case ast.Call(func=ast.Attribute(attr="pop"), args=[ast.Constant(value=0)]):
            return True
        case ast.Call(
            func=ast.Attribute(attr="insert"), args=[ast.Constant(value=0), _]
        ):
            return True
        case ast.Delete(targets=[ast.Subscript(slice=ast.Constant(value=0))]):
            return True
    return False


@pytest.mark.slow
def test_no_reader_takes_the_first_item_of_a_list_in_a_loop() -> None:
    places = [
        f"{path.relative_to(ROOT)}:{node.lineno}"  # type: ignore[attr-defined]
        for folder in ("index/parsing", "index/formats")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for loop in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(loop, ast.While | ast.For)
        for node in ast.walk(loop)
        if _takes_the_first(node)
    ]
    assert places == []
