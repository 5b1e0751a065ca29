"""Commands for keys: add, list, revoke and rotate."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

from index.access import (
    UNLIMITED,
    Key,
    NewKey,
    duration_of,
    expiry_of,
    filters_of,
    rate_of,
    scopes_of,
    scopes_text,
)
from index.cli.terminal import Screen, count
from index.dates import from_micros, iso
from index.query import Filter
from index.settings import NONE, Settings
from index.store import Store
from index.text import field_key

_SAVE_IT = "Save it now: only its digest is stored, so it cannot be shown again."


def add(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Create a key and print it, this once."""
    now = datetime.now(UTC)
    with _store(settings) as store:
        first = not store.keys.ever()
        new = store.keys.add(
            args.name,
            scopes_of(args.scope),
            filters=filters_of(args.filter, args.exclude),
            rate=None if args.rate is None else rate_of(args.rate),
            expires=None if args.expires is None else expiry_of(args.expires, now),
        )
    if screen.as_json:
        screen.json(_new_document(new, now))
        return 0
    _show_new(screen, new, now)
    if first:
        screen.line(
            "This is the first key: from now on every caller needs one, also on this"
            " machine, and the service may listen on other addresses."
        )
    return 0


def list_keys(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Print all keys that were ever created, without their secrets."""
    now = datetime.now(UTC)
    with _store(settings) as store:
        keys = store.keys.all()
        used = {key.id: _instant_text(store.rates.used(key.id)) for key in keys}
    if screen.as_json:
        screen.json(
            {"keys": [{**_document(key, now), "used": used[key.id]} for key in keys]}
        )
        return 0
    screen.table(
        (
            (
                key.name,
                key.id,
                key.state(now),
                scopes_text(key.scopes),
                " ".join(map(_filter_text, key.filters)),
                _rate_text(key.rate),
                _date_text(key.expires) or "never",
                used[key.id] or "",
            )
            for key in keys
        ),
        head=(
            "name",
            "id",
            "",
            "scopes",
            "filter",
            "per minute",
            "expires",
            "last used",
        ),
    )
    for note in _filter_notes([key for key in keys if key.state(now) == "live"]):
        screen.line(note)
    return 0


def revoke(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Revoke keys at once."""
    now = datetime.now(UTC)
    with _store(settings) as store:
        revoked = store.keys.revoke(args.key)
    if screen.as_json:
        screen.json({"keys": [_document(key, now) for key in revoked]})
    else:
        names = ", ".join(f"{key.name} ({key.id})" for key in revoked)
        screen.line(f"revoked {count(len(revoked), 'key')}: {names}")
    return 0


def rotate(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Replace a key by a new one with the same rights."""
    now = datetime.now(UTC)
    with _store(settings) as store:
        new, old = store.keys.rotate(
            args.key, overlap=duration_of("overlap", args.overlap)
        )
    if screen.as_json:
        screen.json({**_new_document(new, now), "old": _document(old, now)})
        return 0
    _show_new(screen, new, now)
    ends = "is revoked" if old.revoked else f"ends {_date_text(old.expires)}"
    screen.line(f"The old key ({old.id}) {ends}.")
    return 0


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    with closing(Store.open(settings.store)) as store:
        yield store


def _show_new(screen: Screen, new: NewKey, now: datetime) -> None:
    screen.line(new.secret)
    screen.line(_SAVE_IT)
    document = _document(new.key, now)
    screen.table(
        [
            ("name", new.key.name),
            ("id", new.key.id),
            ("scopes", scopes_text(new.key.scopes)),
            ("filter", " ".join(map(_filter_text, new.key.filters)) or "none"),
            ("per minute", _rate_text(new.key.rate)),
            ("expires", document["expires"] or "never"),
        ]
    )


def _new_document(new: NewKey, now: datetime) -> dict[str, Any]:
    return {"key": new.secret, **_document(new.key, now)}


def _document(key: Key, now: datetime) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "state": key.state(now),
        "scopes": scopes_text(key.scopes).split(),
        "filters": [
            {"field": rule.field, "values": rule.values, "exclude": rule.exclude}
            for rule in key.filters
        ],
        "rate": NONE if key.rate == UNLIMITED else key.rate,
        "created": iso(key.created),
        "expires": _date_text(key.expires),
        "revoked": _date_text(key.revoked),
    }


def _filter_text(rule: Filter) -> str:
    sign = "≠" if rule.exclude else "="
    return f"{rule.field}{sign}{'|'.join(rule.values)}"


def _filter_notes(keys: Sequence[Key]) -> Iterator[str]:
    """Yield what whoever made these keys must know of how their filters compare."""
    if any(key.filters for key in keys):
        yield (
            "Filters compare values without case, white space, invisible characters and"
            " typographic forms, which older releases did not: a key may see more or"
            " less than before."
        )
    for key in keys:
        for rule in key.filters:
            for value in rule.values:
                key_of_value = field_key(rule.field, value)
                if key_of_value != value.casefold():
                    sign = "≠" if rule.exclude else "="
                    yield (
                        f"{key.name} ({key.id}): {rule.field}{sign}{_printable(value)}"
                        f" is compared as {key_of_value}."
                    )


def _printable(text: str) -> str:
    """Text with an escape in place of each invisible character."""
    return "".join(
        character if character.isprintable() else f"\\u{ord(character):04x}"
        for character in text
    )


def _rate_text(rate: int | None) -> str:
    if rate is None:
        return "as set"
    return "no limit" if rate == UNLIMITED else f"{rate:,}"


def _date_text(instant: datetime | None) -> str | None:
    return None if instant is None else iso(instant.replace(microsecond=0))


def _instant_text(micros: int | None) -> str | None:
    return None if micros is None else _date_text(from_micros(micros))
