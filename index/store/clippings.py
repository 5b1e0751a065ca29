"""Clippings: parts of a stored version, read without building the whole article.

A hit shows a few fields and three paragraphs. Building an
:class:`~index.article.Article` for each would repeat the checks that were made when it
was stored, and would take longer than the search.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import orjson

from index.access import STATUSES, Validity, published_extra
from index.article import (
    CONCEPT_FIELDS,
    RIGHTS_FIELDS,
    Paragraph,
    Role,
    concept_json,
    concepts_of,
)
from index.errors import InvalidArticle

_ROLES = {role.value: role for role in Role}
# Fields whose published form differs from the stored one.
_CONVERTED = frozenset(("version", "extra", *CONCEPT_FIELDS))


class Clipping:
    """One version of an article, for answers that show parts of it.

    :param content: JSON in UTF-8 that :func:`index.article.content_json` wrote; it is
        trusted.
    :param names: of the fields that it has.
    :param status: number of the one in force, in place of the one in the content.
    :raises ValueError: the content is no such JSON.
    """

    __slots__ = (
        *("_content", "_document", "_names"),
        *("headline", "id", "language", "version"),
    )

    def __init__(
        self,
        article_id: str,
        version: str,
        content: bytes,
        names: Sequence[str] = (),
        status: int | None = None,
    ) -> None:
        document = orjson.loads(content)
        if status is not None:
            document["status"] = STATUSES[status].value
        try:
            first = document["paragraphs"][0]["n"]
        except (LookupError, TypeError) as error:
            raise InvalidArticle("paragraphs", "the stored article has none") from error
        if first != ("headline" not in document):
            raise InvalidArticle("paragraphs", "the first one has a wrong number")
        self.id, self.version = article_id, version
        self.headline: str | None = document.get("headline")
        self.language: str | None = document.get("language")
        self._content, self._document, self._names = content, document, names

    @property
    def size(self) -> int:
        """Bytes of the version's JSON."""
        return len(self._content)

    def opening(self, count: int) -> tuple[Paragraph, ...]:
        """First paragraphs after the headline, at most ``count``."""
        last = len(self._document["paragraphs"]) - (self.headline is not None)
        return tuple([self.paragraph(n + 1) for n in range(min(count, last))])

    def paragraph(self, n: int) -> Paragraph:
        """A paragraph by its number."""
        paragraph = self._document["paragraphs"][n - (self.headline is None)]
        role = _ROLES[paragraph["role"]]
        credit = paragraph.get("credit")
        return Paragraph(n, role, paragraph["text"], paragraph["key"], credit)

    def fields(self, validity: Validity) -> dict[str, Any]:
        """Fields in their JSON form, as the public may see them now.

        Fields without a value are ``None``. ``ed_note`` must not be among the names.
        """
        value_of = self._document.get
        return {
            name: self._field(name, validity) if name in _CONVERTED else value_of(name)
            for name in self._names
        }

    def rights(self) -> dict[str, str]:
        """The fields on rights that have a value."""
        document = self._document
        return {name: document[name] for name in RIGHTS_FIELDS if name in document}

    def _field(self, name: str, validity: Validity) -> Any:
        if name == "version":
            return self.version
        if name == "extra":
            # Only this field can hold integers of more than 64 bits, which orjson turns
            # into floats.
            extra = json.loads(self._content).get(name, {})
            return published_extra(extra, validity) or None
        value = self._document.get(name)
        if value is None:
            return None
        # The store sorts the names within a concept alphabetically.
        return [concept_json(concept) for concept in concepts_of(name, value)]
