"""Clippings: parts of a stored version, read without building the article."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from checkout import SEEDS

from index import formats
from index.access import Validity, published_form
from index.article import Article, article_of, content_json, document_of
from index.errors import InvalidArticle
from index.query import RETURNABLE
from index.store import Clipping

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FULL: dict[str, Any] = {
    "id": "urn:test:full",
    "version": "3",
    "headline": "Port <closes>",
    "paragraphs": [
        "The café closed, too.",
        {"role": "caption", "text": "A crane.", "credit": "Desk"},
    ],
    "language": "en-GB",
    "urgency": 2,
    "published": "2016-09-29T10:00:00.5+02:00",
    "embargoed_until": "2016-09-29",
    "subjects": ["ports", {"name": "Labour", "scheme": "s", "uri": "u", "code": "1"}],
    "ed_note": "not for the public",
    "extra": {
        "big": 2**70,
        "ednote": "nor is this",
        "associations": {"held": {"uri": "u", "pubstatus": "withheld"}},
    },
}


def seeds() -> list[Article]:
    return [
        read.article
        for path in sorted(SEEDS.rglob("*.*"))
        if path.name != "README.md"
        for data in (path.read_bytes(),)
        for read in formats.read(formats.detect(path.name, data), data)
        if read.article is not None
    ]


def clipping_of(article: Article, *names: str) -> Clipping:
    content = content_json(article).encode()
    return Clipping(article.id, article.version or "1", content, names)


@pytest.mark.parametrize(
    "article",
    [
        article_of(FULL),
        article_of({"id": "a", "paragraphs": ["No headline."], "extra": {}}),
        article_of({"id": "a", "headline": "No text"}),
        *seeds(),
    ],
    ids=lambda article: article.id,
)
def test_a_clipping_shows_what_the_whole_article_would(article: Article) -> None:
    clipping = clipping_of(article, *RETURNABLE)
    shown = {
        "version": clipping.version,
        **document_of(published_form(article, Validity(NOW))),
    }
    names = [name for name in RETURNABLE if name != "version"]
    assert clipping.fields(Validity(NOW)) == {
        "version": clipping.version,
        **{name: shown.get(name) for name in names},
    }
    assert (clipping.headline, clipping.language) == (
        article.headline,
        article.language,
    )
    for paragraph in article.paragraphs:
        assert clipping.paragraph(paragraph.n) == paragraph


def test_names_within_a_concept_stand_in_the_order_of_the_record() -> None:
    clipping = clipping_of(article_of(FULL), "subjects")
    (subjects,) = clipping.fields(Validity(NOW)).values()
    assert list(subjects[1]) == ["name", "code", "scheme", "uri"]


@pytest.mark.parametrize("text", [b"{", b"[]", b"{}", b'{"paragraphs": []}'])
def test_what_is_no_article_is_refused(text: bytes) -> None:
    with pytest.raises((ValueError, InvalidArticle)):
        Clipping("a", "1", text)


def test_numbers_that_are_not_where_they_should_be_are_refused() -> None:
    with pytest.raises(InvalidArticle):
        Clipping("a", "1", b'{"paragraphs": [{"n": 0, "role": "body", "text": "x"}]}')
