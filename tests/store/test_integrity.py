"""Integrity: columns, notices and log are compared with the texts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from stores import behind

from index.article import article_of
from index.store import Store

SOON = (datetime.now(UTC) + timedelta(days=1)).isoformat()
LATER = (datetime.now(UTC) + timedelta(days=9)).isoformat()


def article(article_id: str, **more: Any) -> Any:
    return article_of({"id": article_id, "headline": "Head", **more})


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """A store with a row in every table."""
    store = Store(store_url)
    store.put(
        [
            article("plain", source="Desk", subjects=["ports"], story="s"),
            article("embargoed", embargoed_until=SOON, expires=LATER),
            article("canceled", status="canceled"),
            article("killed", story="s"),
            article("withheld"),
            article("back"),
            article("purged"),
        ]
    )
    store.put([article("plain", source="Other desk", story="s")])
    store.kill("killed", note="Wrong.", cascade=False)
    store.kill("never-here")
    store.withhold("withheld")
    store.kill("back")
    store.reinstate("back")
    store.kill("purged")
    store.purge("purged")
    with behind(store_url) as connection:
        connection.execute(
            "INSERT INTO keys VALUES"
            " ('k', 'desk', ?, 'search', '{}', NULL, 1, 2, NULL)",
            (bytes(32),),
        )
    yield store
    store.close()


def test_nothing_is_wrong_with_a_store_that_was_only_written_by_us(
    store: Store,
) -> None:
    assert store.check() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("harm", "finding"),
    [
        (
            """UPDATE articles SET "values" = '{"source": ["Desk"]}'
               WHERE id = 'plain'""",
            "plain: its values for readers' filters differ from its text",
        ),
        (
            "UPDATE articles SET story = 'another' WHERE id = 'plain'",
            "plain: its columns name another story than its text",
        ),
        (
            "UPDATE articles SET turns = 9223372036854775807 WHERE id = 'embargoed'",
            "embargoed: the end of its embargo or its expiry would not be logged",
        ),
        (
            "UPDATE articles SET turns = expires WHERE id = 'embargoed'",
            "embargoed: the end of its embargo or its expiry would not be logged",
        ),
        (
            "UPDATE articles SET turns = 5 WHERE id = 'plain'",
            "plain: an end is to be logged that is not its embargo or expiry",
        ),
        (
            "DELETE FROM notices WHERE id = 'killed'",
            "killed is killed, but has no notice",
        ),
        (
            "UPDATE articles SET status = 0 WHERE id = 'killed'",
            "killed is visible, but has a notice that it was killed or withheld",
        ),
        (
            "UPDATE notices SET version = '0' WHERE id = 'canceled'",
            "canceled is killed up to 0, but 1 is current",
        ),
        (
            "UPDATE keys SET digest = substr(digest, 1, 1)",
            "the key desk cannot be read: revoke it and create another",
        ),
        (
            "UPDATE keys SET filters = '{'",
            "the key desk cannot be read: revoke it and create another",
        ),
        (
            "DELETE FROM articles WHERE id = 'plain'",
            "a row of versions belongs to none of articles",
        ),
    ],
)
def test_what_contradicts_itself_is_named(
    store: Store, harm: str, finding: str
) -> None:
    with behind(store.url) as connection:
        connection.execute(harm)
    assert finding in store.check()


@pytest.mark.parametrize(
    "damage",
    ["UPDATE secrets SET value = substr(value, 1, 1)", "DELETE FROM secrets"],
)
def test_a_lost_or_damaged_key_of_cursors_is_reported(
    store: Store, damage: str
) -> None:
    assert store.check() == []
    with behind(store.url) as database:
        database.execute(damage)
    assert store.check() == [
        "the key of the store's cursors is lost or damaged; restore a backup"
    ]
