"""What a reader may see of an article that they may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from index.article import Article, Status, status_of
from index.dates import instant
from index.errors import InvalidArticle

_GONE = object()


def published_form(article: Article, now: datetime, *, held: bool = False) -> Article:
    """Return an article without notes to editors, and without held parts of ``extra``.

    ``extra`` keeps what a format carried, and with it whole associated items: pictures
    and texts with a status, an embargo and notes of their own. An item that may not be
    shown at ``now`` is left out, also where it says so in words we do not know.

    :param held: for somebody who may see what is held. They see notes to editors, too,
        and of ``extra`` all but what was killed or has expired.
    """
    extra = _without_held(article.extra, now, is_item=False, held=held)
    ed_note = article.ed_note if held else None
    if ed_note == article.ed_note and extra == article.extra:
        return article
    return replace(article, ed_note=ed_note, extra=extra)


def published_extra(extra: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """``extra`` of an article without its held parts, as in :func:`published_form`."""
    kept: dict[str, Any] = _without_held(extra, now, is_item=False, held=False)
    return kept


def _without_held(value: Any, now: datetime, *, is_item: bool, held: bool) -> Any:
    if isinstance(value, list | tuple):
        parts = [_without_held(each, now, is_item=is_item, held=held) for each in value]
        return [part for part in parts if part is not _GONE]
    if not isinstance(value, Mapping):
        return value
    if is_item and not _shown(value, now, held):
        return _GONE
    kept = {}
    for name, inner in value.items():
        plain = _plain(name)
        if plain == "ednote" and not held:
            continue
        # By name in ninjs 1, a list since ninjs 2: an item is one level further down.
        items = plain == "associations" or (is_item and "uri" not in value)
        part = _without_held(inner, now, is_item=items, held=held)
        if part is not _GONE:
            kept[name] = part
    return kept


def _shown(item: Mapping[str, Any], now: datetime, held: bool) -> bool:
    try:
        for name, value in item.items():
            plain = _plain(name)
            if value is None or value == "":
                continue
            if plain == "pubstatus":
                status = status_of(value)
                if status is Status.CANCELED:
                    return False
                if status is Status.WITHHELD and not held:
                    return False
            if plain in ("embargoed", "embargoeduntil"):
                embargoed = instant(value) > now
                if embargoed and not held:
                    return False
            if plain == "expires" and instant(value) <= now:
                return False
    except (InvalidArticle, ValueError, TypeError, AttributeError):
        return False  # held in words that cannot be read is held
    return True


def _plain(name: str) -> str:
    return name.casefold().replace("_", "")
