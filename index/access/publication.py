"""Publication: the parts of a visible article that a reader may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

from index.access.validity import Validity
from index.access.visibility import (
    NO_EMBARGO,
    NO_EXPIRY,
    STATUS_CODES,
    USABLE,
    Restrictions,
    shown,
)
from index.article import Article, status_of
from index.dates import DateRules, Precision, WrittenDate, micros, read_date
from index.errors import InvalidArticle

_HELD = object()
# Nobody says which zone the dates of an item are in if they name none. So an embargo
# ends when its time has come everywhere, an item expires when it has come anywhere.
_LAST_ZONE = DateRules(tz=timezone(timedelta(hours=-12)))
_FIRST_ZONE = DateRules(tz=timezone(timedelta(hours=14)))


# Notes to editors, under all names that formats read them by.
_NOTES = frozenset(("ednote", "editorsnote", "editornote"))


def published_form(
    article: Article, validity: Validity, *, held: bool = False
) -> Article:
    """An article without notes to editors and without the held parts of ``extra``.

    ``extra`` can hold whole associated items: pictures and texts with a status, an
    embargo and notes of their own. Items that may not be shown now are left out, and so
    are those whose status or dates cannot be parsed.

    :param validity: of the answer, which begins to depend on the dates of the items.
    :param held: the reader may see withheld and embargoed articles, and so also notes
        to editors, and everything in ``extra`` that was not killed and has not expired.
    """
    extra = _without_held(article.extra, validity, is_item=False, held=held)
    ed_note = article.ed_note if held else None
    if ed_note == article.ed_note and extra == article.extra:
        return article
    return replace(article, ed_note=ed_note, extra=extra)


def published_extra(extra: Mapping[str, Any], validity: Validity) -> dict[str, Any]:
    """``extra`` of an article without its held parts, as in :func:`published_form`."""
    published: dict[str, Any] = _without_held(
        extra, validity, is_item=False, held=False
    )
    return published


def _without_held(value: Any, validity: Validity, *, is_item: bool, held: bool) -> Any:
    if isinstance(value, list | tuple):
        parts = [
            _without_held(part, validity, is_item=is_item, held=held) for part in value
        ]
        return [part for part in parts if part is not _HELD]
    if not isinstance(value, Mapping):
        return value
    if is_item:
        restrictions = _restrictions_of_item(value)
        if restrictions is None:
            return _HELD
        validity.depends_on(restrictions, held=held)
        if not shown(*restrictions, validity.now, held=held):
            return _HELD
    published = {}
    for name, inner in value.items():
        plain = _plain(name)
        if plain in _NOTES and not held:
            continue
        # ninjs 1 has associated items by name, ninjs 2 in a list: one level down in
        # both.
        items = plain == "associations" or (is_item and "uri" not in value)
        part = _without_held(inner, validity, is_item=items, held=held)
        if part is not _HELD:
            published[name] = part
    return published


def _restrictions_of_item(item: Mapping[str, Any]) -> Restrictions | None:
    """Restrictions of an associated item; ``None`` if they cannot be parsed.

    Of several statuses, embargoes or expiries under names of one meaning, the strictest
    holds.
    """
    status, embargoed_until, expires = USABLE, NO_EMBARGO, NO_EXPIRY
    try:
        for name, value in item.items():
            plain = _plain(name)
            if value is None or value == "":
                continue
            if plain == "pubstatus":
                status = max(status, STATUS_CODES[status_of(value)])
            if plain in ("embargoed", "embargoeduntil"):
                end = micros(_instant_of(value, _LAST_ZONE).last)
                embargoed_until = max(embargoed_until, end)
            if plain == "expires":
                instant = micros(_instant_of(value, _FIRST_ZONE).instant)
                expires = min(expires, instant)
    except (InvalidArticle, ValueError):
        return None
    return Restrictions(status, embargoed_until, expires)


def _instant_of(value: object, rules: DateRules) -> WrittenDate:
    date = read_date(value, rules)
    if date.precision not in (Precision.DAY, Precision.INSTANT):
        raise ValueError("a whole year, month or week")
    return date


def _plain(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "")
