"""Articles from the JSON that the store keeps, which was checked when it came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from types import MappingProxyType
from typing import Any

from index.article.document import article_of
from index.article.records import (
    CONCEPT_FIELDS,
    DATE_FIELDS,
    Article,
    Concept,
    Paragraph,
    Role,
    Status,
)

_DEFAULTS: dict[str, Any] = {
    field.name: None if field.default is MISSING else field.default
    for field in fields(Article)
} | {"extra": MappingProxyType({})}
# Of the value of each property in JSON.
_TYPES: dict[str, type] = {
    **dict.fromkeys(_DEFAULTS, str),
    **dict.fromkeys((*CONCEPT_FIELDS, "paragraphs"), list),
    "urgency": int,
    "extra": dict,
}
_ROLES = {role.value: role for role in Role}
_STATUSES = {status.value: status for status in Status}


def stored_article_of(document: dict[str, Any]) -> Article:
    """Article from JSON that :func:`index.article.content_json` wrote.

    It equals what :func:`index.article.article_of` makes of it, in a third of the time:
    fields are not checked and keys of paragraphs not computed again. What was written
    otherwise is left to that function.

    :raises InvalidArticle: a field has the wrong type or an invalid value.
    """
    if any(type(value) is not _TYPES.get(name) for name, value in document.items()):
        return article_of(document)
    values = _DEFAULTS | document
    try:
        values["paragraphs"] = tuple(
            [
                Paragraph(
                    n=item["n"],
                    role=_ROLES[item["role"]],
                    text=item["text"],
                    key=item["key"],
                    credit=item.get("credit"),
                )
                for item in document["paragraphs"]
            ]
        )
        values["status"] = _STATUSES[document["status"]]
        for name in CONCEPT_FIELDS:
            if name in document:
                values[name] = tuple(map(_concept, document[name]))
        for name in DATE_FIELDS:
            if name in document:
                values[name] = _instant(document[name])
    except (AttributeError, KeyError, TypeError, ValueError):
        return article_of(document)
    # The constructor would check them.
    article = object.__new__(Article)
    for name, value in values.items():
        object.__setattr__(article, name, value)
    return article


def _concept(value: str | Mapping[str, str]) -> Concept:
    return Concept(name=value) if isinstance(value, str) else Concept(**value)


def _instant(text: str) -> datetime:
    if not text.endswith("Z"):
        raise ValueError("the store writes instants in UTC")
    return datetime.fromisoformat(text)
