"""Articles that the store keeps: read without checks, and the same all the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from formats.generated import FREE, articles
from hypothesis import given

from index.article import Article, article_of, content_json, stored_article_of
from index.errors import InvalidArticle


def stored(article: Article) -> dict[str, Any]:
    """The JSON of an article as the store reads it back, with its version."""
    return {**json.loads(content_json(article)), "version": "7"}


@given(articles(FREE))
def test_a_stored_article_is_what_checking_would_make_of_it(article: Article) -> None:
    document = stored(article)
    assert stored_article_of(document) == article_of(document)


def test_nothing_that_was_checked_is_checked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = stored(article_of({"id": "a-1", "paragraphs": ["One.", "Two."]}))
    monkeypatch.setattr(Article, "__post_init__", lambda self: pytest.fail("checked"))
    assert [each.n for each in stored_article_of(document).paragraphs] == [1, 2]


@pytest.mark.parametrize(
    "change",
    [
        {"mood": 3},
        {"published": "2024-03-01"},
        {"published": "2024-03-01T10:00:00+05:00"},
        {"paragraphs": ["One."]},
        {"paragraphs": [{"n": 4, "text": "One."}]},
        {"people": "Kerry"},
        {"people": [{"code": "k-1"}]},
        {"status": "killed"},
        {"headline": None},
    ],
    ids=str,
)
def test_what_another_hand_wrote_is_read_with_checks(change: dict[str, Any]) -> None:
    document = stored(article_of({"id": "a-1", "paragraphs": ["One."]})) | change
    assert stored_article_of(document) == article_of(document)


@pytest.mark.parametrize(
    "change", [{"status": "odd"}, {"paragraphs": 3}, {"published": "soon"}], ids=str
)
def test_a_damaged_stored_article_is_refused(change: dict[str, Any]) -> None:
    document = stored(article_of({"id": "a-1", "paragraphs": ["One."]})) | change
    with pytest.raises(InvalidArticle):
        stored_article_of(document)
