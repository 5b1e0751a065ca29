"""Feeds: XML whatever the texts are, and ids that are IRIs of one article each."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from index.archive import Removal
from index.rendering import Feed, FeedLinks, atom_document, rss_document
from index.rendering.feed_xml import element, text_element
from index.rendering.feeds import Item, iri_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
# The characters that XML cannot have become one that it can.
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
TEXTS = st.text(
    st.sampled_from("<>&\"']a é😀\x00\x0b\x1f\x7f\x85\ufffe\uffff\ud800\r\n\t")
    | st.characters(),
    min_size=1,
    max_size=12,
)
LINKS = FeedLinks(
    page="https://x.example/v1/search.atom?q=a&cursor=b",
    feed="https://x.example/v1/search.atom?q=a",
    next=None,
    description="https://x.example/opensearch.xml",
)


def feed_with(text: str) -> Feed:
    item = Item(
        id=iri_of(text),
        title=text,
        link="https://x.example/1",
        html=text,
        published=NOW,
        updated=NOW,
        authors=(text,),
        tags=(text,),
        language="en",
        source=text,
        rights=text,
    )
    removal = Removal(id=iri_of(f"{text}x"), at=NOW)
    return Feed(
        title=text,
        links=LINKS,
        updated=NOW,
        total=1,
        items=(item,),
        removals=(removal,),
    )


@pytest.mark.slow
@given(TEXTS)
def test_a_text_is_read_from_xml_as_it_is(text: str) -> None:
    for written in (text_element("a", text), element("a", t=text)):
        root = etree.fromstring(written.encode())
        read = root.text if root.text is not None else root.get("t")
        assert read == FORBIDDEN.sub("\ufffd", text)


@pytest.mark.slow
@given(TEXTS.map(lambda text: text.encode("utf-8", "replace").decode()))
def test_what_is_written_is_xml_whatever_the_texts_are(text: str) -> None:
    for written in (atom_document(feed_with(text)), rss_document(feed_with(text))):
        etree.fromstring(written)
        assert not feedparser.parse(written).bozo


@pytest.mark.slow
@given(
    st.text(
        st.sampled_from("a:/%2Fu né<\x01") | st.characters(exclude_categories=["Cs"]),
        min_size=1,
    )
)
def test_ids_of_feeds_are_iris(article_id: str) -> None:
    iri = iri_of(article_id)
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20]+", iri)
    assert not re.search("%(?![0-9A-Fa-f]{2})", iri)


IDS = st.lists(st.sampled_from(["urn:x-nutgraf:", *"a:%2F/ "])).map("".join)


@pytest.mark.slow
@given(IDS, IDS)
def test_two_articles_never_share_an_id(one: str, other: str) -> None:
    assert (iri_of(one) == iri_of(other)) is (one == other)


@pytest.mark.parametrize(
    ("article_id", "iri"),
    [
        ("urn:newsml:x:1", "urn:newsml:x:1"),
        ("tag:news.example,2026:a-1", "tag:news.example,2026:a-1"),
        ("a-1", "urn:x-nutgraf:a-1"),
        ("urn:x-nutgraf:a-1", "urn:x-nutgraf:urn%3Ax-nutgraf%3Aa-1"),
        ("x:100%", "urn:x-nutgraf:x%3A100%25"),
    ],
)
def test_an_id_that_is_an_iri_stays_as_it_is(article_id: str, iri: str) -> None:
    assert iri_of(article_id) == iri


def test_an_entry_without_a_link_has_its_text_as_content() -> None:
    # RFC 4287, 4.1.2: an entry has an alternate link or content.
    feed = feed_with("a")
    assert b"<summary" in atom_document(feed)
    unlinked = replace(feed, items=(replace(feed.items[0], link=None),))
    assert b"<content" in atom_document(unlinked)
    assert b"<summary" not in atom_document(unlinked)
