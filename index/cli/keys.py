"""Issuing keys: what each ``nutgraf keys`` command does."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
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

_ONCE = "Keep it now: only its digest is stored, and nobody can show it again."


def add(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Make a key and print it, this once."""
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
            "It is the first key: from now on the service asks every caller for one,"
            " also on this machine, and it may be bound to other addresses."
        )
    return 0


def list_keys(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Print all keys that were ever made, but for what they are sent as."""
    now = datetime.now(UTC)
    with _store(settings) as store:
        found = store.keys.all()
        used = {each.id: _instant(store.rates.used(each.id)) for each in found}
    if screen.as_json:
        screen.json(
            {
                "keys": [
                    {**_document(each, now), "used": used[each.id]} for each in found
                ]
            }
        )
        return 0
    screen.table(
        (
            (
                each.name,
                each.id,
                each.state(now),
                scopes_text(each.scopes),
                " ".join(map(_filter_text, each.filters)),
                _rate_text(each.rate),
                _written(each.expires) or "never",
                used[each.id] or "",
            )
            for each in found
        ),
        head=("name", "id", "", "scopes", "filter", "a minute", "expires", "last used"),
    )
    return 0


def revoke(args: Namespace, settings: Settings, screen: Screen) -> int:
    """End keys at once."""
    now = datetime.now(UTC)
    with _store(settings) as store:
        ended = store.keys.revoke(args.key)
    if screen.as_json:
        screen.json({"keys": [_document(each, now) for each in ended]})
    else:
        names = ", ".join(f"{each.name} ({each.id})" for each in ended)
        screen.line(f"revoked {count(len(ended), 'key')}: {names}")
    return 0


def rotate(args: Namespace, settings: Settings, screen: Screen) -> int:
    """Make a key with the rights of another one, which ends."""
    now = datetime.now(UTC)
    with _store(settings) as store:
        new, old = store.keys.rotate(
            args.key, overlap=duration_of("overlap", args.overlap)
        )
    if screen.as_json:
        screen.json({**_new_document(new, now), "old": _document(old, now)})
        return 0
    _show_new(screen, new, now)
    ends = "is revoked" if old.revoked else f"ends {_written(old.expires)}"
    screen.line(f"The old key ({old.id}) {ends}.")
    return 0


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    with closing(Store.open(settings.store)) as store:
        yield store


def _show_new(screen: Screen, new: NewKey, now: datetime) -> None:
    screen.line(new.secret)
    screen.line(_ONCE)
    document = _document(new.key, now)
    screen.table(
        [
            ("name", new.key.name),
            ("id", new.key.id),
            ("scopes", scopes_text(new.key.scopes)),
            ("filter", " ".join(map(_filter_text, new.key.filters)) or "none"),
            ("a minute", _rate_text(new.key.rate)),
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
            {"field": each.field, "values": each.values, "exclude": each.exclude}
            for each in key.filters
        ],
        "rate": NONE if key.rate == UNLIMITED else key.rate,
        "created": iso(key.created),
        "expires": _written(key.expires),
        "revoked": _written(key.revoked),
    }


def _filter_text(wanted: Filter) -> str:
    sign = "≠" if wanted.exclude else "="
    return f"{wanted.field}{sign}{'|'.join(wanted.values)}"


def _rate_text(rate: int | None) -> str:
    if rate is None:
        return "as set"
    return "no limit" if rate == UNLIMITED else f"{rate:,}"


def _written(instant: datetime | None) -> str | None:
    return None if instant is None else iso(instant.replace(microsecond=0))


def _instant(used: int | None) -> str | None:
    return None if used is None else _written(from_micros(used))
