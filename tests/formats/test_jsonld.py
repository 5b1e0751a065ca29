"""JSON-LD by schema.org: which nodes are articles, and what they refer to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from index.formats import FORMATS, ReadOptions, detect, read, read_detected, read_parsed
from index.formats.jsonld import Graph
from index.formats.jsonld.graph import ARTICLES

ARTICLE: dict[str, Any] = {
    "@context": "https://schema.org",
    "@type": "NewsArticle",
    "@id": "urn:a:1",
    "headline": "Ferry back",
}


@pytest.mark.parametrize("context", ["https://schema.org", "http://schema.org/"])
@pytest.mark.parametrize("kind", sorted(ARTICLES))
def test_an_article_of_any_type_is_known(context: str, kind: str) -> None:
    data = json.dumps({**ARTICLE, "@context": context, "@type": kind}).encode()
    assert detect("a.json", data) == "jsonld"
    (record,) = read("jsonld", data)
    assert record.article is not None
    assert (record.article.id, record.article.headline) == ("urn:a:1", "Ferry back")


def test_what_only_looks_like_it_is_read_as_json_lines() -> None:
    lines = [
        {"@context": "https://schema.org", "id": "b", "headline": "No type"},
        {"id": "c", "headline": "No context", "@type": "NewsArticle"},
        ARTICLE,
    ]
    data = "\n".join(map(json.dumps, lines)).encode()
    records = read_detected(detect("", data), data)
    assert [record.article and record.article.id for record in records] == [
        *("b", "c", "urn:a:1")
    ]


def test_references_lead_to_the_node_that_says_most() -> None:
    graph = [
        {"@id": "#jo"},
        {**ARTICLE, "author": {"@id": "#jo"}, "publisher": {"@id": "#p"}},
        {"@type": "Person", "@id": "#jo", "name": "Jo Marsh"},
        {"@type": "Organization", "@id": "#p", "name": "Northtown Post"},
    ]
    data = json.dumps({"@context": "https://schema.org", "@graph": graph}).encode()
    (record,) = read("jsonld", data)
    assert record.article is not None
    assert [each.name for each in record.article.authors] == ["Jo Marsh"]
    assert record.article.source == "Northtown Post"


def test_an_article_within_an_article_is_none_of_the_document() -> None:
    inner = {"@type": "NewsArticle", "headline": "Of another site"}
    graph = Graph([{**ARTICLE, "citation": inner, "isPartOf": {"hasPart": [inner]}}])
    assert [node["headline"] for node in graph.articles()] == ["Ferry back"]


def test_many_articles_that_refer_to_one_node_do_not_each_hold_it() -> None:
    large = {"@type": "Person", "@id": "#jo", "name": "Jo", "text": "x" * 200_000}
    articles = [
        {**ARTICLE, "@id": f"urn:a:{n}", "author": {"@id": "#jo"}} for n in range(100)
    ]
    document = {"@context": "https://schema.org", "@graph": [large, *articles]}
    text = json.dumps(document)
    records = list(read("jsonld", text.encode()))
    kept = sum(len(json.dumps(dict(r.article.extra))) for r in records if r.article)
    originals = sum(len(r.original.data) for r in records if r.original)
    assert len(records) == 100
    assert kept + originals < len(text)


def test_the_mapping_reads_properties_of_the_node() -> None:
    data = json.dumps({**ARTICLE, "printSection": "Sport"}).encode()
    options = ReadOptions(mapping={"printSection": "section"})
    (record,) = read("jsonld", data, options=options)
    assert record.article is not None
    assert record.article.section == "Sport"


def test_a_parsed_document_is_read_as_its_text() -> None:
    (record,) = read_parsed(None, ARTICLE, lambda: json.dumps(ARTICLE))
    assert record.read_as == "jsonld"
    assert record.original is not None
    assert record.original.data == json.dumps(ARTICLE).encode()


def test_only_documents_are_asked_whether_they_are_of_a_format() -> None:
    holding = [each.name for each in FORMATS.values() if each.holds]
    assert holding == [each.name for each in FORMATS.values() if each.read_document]


def test_values_in_the_long_form_are_read_as_in_the_short_one() -> None:
    article = {
        **ARTICLE,
        "headline": {"@value": "Ferry back", "@language": "en"},
        "author": [{"@type": "Person", "name": {"@value": "Jo Marsh"}}],
        "version": 1.5,
    }
    (record,) = read("jsonld", json.dumps(article).encode())
    assert record.article is not None, record.error
    assert (record.article.headline, record.article.version) == ("Ferry back", "1.5")
    assert [each.name for each in record.article.authors] == ["Jo Marsh"]
