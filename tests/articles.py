"""Articles that tests write."""

from __future__ import annotations

from typing import Any

from index.article import Article, Role, article_of, number_paragraphs


def article(article_id: str, *paragraphs: Any, **values: Any) -> Article:
    """An article in its version 1, read from the names and values of its JSON."""
    return article_of(
        {"id": article_id, "version": "1", "paragraphs": list(paragraphs), **values}
    )


def sent_article(article_id: str = "a", text: str = "One.", **values: Any) -> Article:
    """An article as a desk sends it, without a version; values are an Article's."""
    paragraphs = number_paragraphs("Head", [(Role.BODY, text, None)])
    return Article(id=article_id, headline="Head", paragraphs=paragraphs, **values)
