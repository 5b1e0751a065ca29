"""Clippings: what an answer shows of a stored version, read without making all of it.

A hit shows a few fields and three paragraphs of an article. Making the whole
:class:`~index.article.Article` of each checks again what was checked when it was put,
and takes longer than to find it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from index.access import published_extra
from index.article import (
    CONCEPT_FIELDS,
    RIGHTS_FIELDS,
    Paragraph,
    Role,
    Status,
    concept_json,
    concepts_of,
)
from index.errors import InvalidArticle

_ROLES = {role.value: role for role in Role}
# Fields that are shown otherwise than the store has them.
_NOT_AS_KEPT = frozenset(("version", "extra", *CONCEPT_FIELDS))


class Clipping:
    """One version of an article, of which some is shown.

    :param content: as :func:`index.article.content` made it; it is trusted.
    :param status: what counts instead of the one in it.
    :raises ValueError: it is no such text.
    """

    __slots__ = ("_content", "_document", "headline", "id", "language", "version")

    def __init__(
        self,
        article_id: str,
        version: str,
        content: str,
        status: Status | None = None,
    ) -> None:
        document = orjson.loads(content)
        if status is not None:
            document["status"] = status.value
        try:
            first = document["paragraphs"][0]["n"]
        except (LookupError, TypeError) as error:
            raise InvalidArticle("paragraphs", "the stored article has none") from error
        if first != ("headline" not in document):
            raise InvalidArticle("paragraphs", "the first one has a wrong number")
        self.id, self.version = article_id, version
        self.headline: str | None = document.get("headline")
        self.language: str | None = document.get("language")
        self._content, self._document = content, document

    def paragraph(self, n: int) -> Paragraph:
        """Return a paragraph by its number."""
        found = self._document["paragraphs"][n - (self.headline is None)]
        return Paragraph(
            n=n,
            role=_ROLES[found["role"]],
            text=found["text"],
            key=found["key"],
            credit=found.get("credit"),
        )

    def fields(self, names: Iterable[str], now: datetime) -> dict[str, Any]:
        """Return fields in their JSON form, what is unknown as ``None``.

        They are as the public may see them at ``now``; ``ed_note`` must not be asked
        for.
        """
        value_of = self._document.get
        return {
            name: self._field(name, now) if name in _NOT_AS_KEPT else value_of(name)
            for name in names
        }

    def rights(self) -> dict[str, str]:
        """Return what is known of what may be done with it."""
        found = self._document
        return {name: found[name] for name in RIGHTS_FIELDS if name in found}

    def _field(self, name: str, now: datetime) -> Any:
        if name == "version":
            return self.version
        if name == "extra":
            # Only this field can hold integers of more than 64 bits, which orjson makes
            # fractions of.
            extra = json.loads(self._content).get(name, {})
            return published_extra(extra, now) or None
        value = self._document.get(name)
        if value is None:
            return None
        # The store has the names within a concept in the order of the alphabet.
        return [concept_json(concept) for concept in concepts_of(name, value)]
