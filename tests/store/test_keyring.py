"""The store's keys: looked up by their secret, revoked at once, rotated."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from stores import on_a_file

from index.access import Scope, keys
from index.dates import utc_now
from index.errors import InvalidValue
from index.store import Store, keyring

SEARCH = frozenset({Scope.SEARCH})
WEEK = timedelta(days=7)


class Clock:
    """The real time, until a test sets another."""

    instant: datetime | None = None

    def __call__(self) -> datetime:
        return self.instant or utc_now()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_key_is_found_by_what_is_sent_and_by_nothing_else(store: Store) -> None:
    filters = keys.filters_of([("source", "Reuters")], [("section", "Sport")])
    ends = datetime(2100, 1, 1, tzinfo=UTC)
    new = store.keys.add("desk", SEARCH, filters=filters, rate=7, expires=ends)
    key = store.keys.find(new.secret)
    assert key == new.key
    assert (key.filters, key.rate, key.expires) == (filters, 7, ends)
    for wrong in (
        new.secret[:-1],
        new.secret + "a",
        new.secret.upper(),
        new.key.id,
        "",
    ):
        assert store.keys.find(wrong) is None
    assert store.keys.find(f" {new.secret}") is None


@on_a_file
def test_the_database_holds_no_key(store: Store) -> None:
    new = store.keys.add("desk", SEARCH)
    random = new.secret.removeprefix(f"ng_{new.key.id}_").encode()
    files = list(store.path.parent.glob(f"{store.path.name}*"))
    assert store.path in files
    for file in files:
        assert random not in file.read_bytes(), file
    assert any(keys.secret_digest(new.secret) in file.read_bytes() for file in files)


def test_digests_are_compared_once_more(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = store.keys.add("desk", SEARCH)
    monkeypatch.setattr(keyring, "equal_digests", lambda one, other: False)
    assert store.keys.find(new.secret) is None


def test_that_a_key_was_made_is_never_forgotten(store: Store) -> None:
    assert not store.keys.ever()
    store.keys.add("desk", SEARCH)
    assert store.keys.ever()
    store.keys.revoke("desk")
    assert store.keys.ever()


def test_a_name_has_one_live_key(store: Store) -> None:
    store.keys.add("desk", SEARCH)
    with pytest.raises(InvalidValue) as caught:
        store.keys.add("desk", SEARCH)
    assert "rotate" in str(caught.value)
    store.keys.revoke("desk")
    store.keys.add("desk", SEARCH)
    assert [each.name for each in store.keys.all()] == ["desk", "desk"]


def test_a_revoked_key_stays_one_that_is_known_to_have_ended(store: Store) -> None:
    new = store.keys.add("desk", SEARCH)
    (ended,) = store.keys.revoke(new.key.id)
    now = datetime.now(UTC)
    assert ended.state(now) == "revoked"
    key = store.keys.find(new.secret)
    assert key is not None
    assert key.state(now) == "revoked"
    for which in (new.key.id, "desk", new.secret, "nobody"):
        with pytest.raises(InvalidValue):
            store.keys.revoke(which)


def test_a_whole_key_given_for_its_id_is_not_repeated(store: Store) -> None:
    secret = keys.new_secret("0a1b2c3d")
    with pytest.raises(InvalidValue) as caught:
        store.keys.revoke(secret)
    assert secret[-20:] not in f"{caught.value} {caught.value.facts}"


@pytest.mark.slow
def test_another_process_revokes_at_once(store: Store) -> None:
    new = store.keys.add("desk", SEARCH)
    assert store.keys.find(new.secret) == new.key
    code = (
        "import sys; from index.store import Store;"
        " Store(sys.argv[1]).keys.revoke('desk')"
    )
    subprocess.run([sys.executable, "-c", code, store.url], check=True)
    key = store.keys.find(new.secret)
    assert key is not None
    assert key.state(datetime.now(UTC)) == "revoked"


def test_rotating_leaves_both_keys_live_for_the_overlap(
    store: Store, clock: Clock
) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    clock.instant = start
    filters = keys.filters_of([("source", "Reuters")])
    first = store.keys.add(
        "desk", SEARCH, filters=filters, rate=5, expires=start + timedelta(days=90)
    )
    later = start + timedelta(days=80)
    clock.instant = later
    new, old = store.keys.rotate("desk", overlap=WEEK)
    assert new.secret != first.secret
    assert (new.key.name, new.key.scopes) == ("desk", SEARCH)
    assert (new.key.filters, new.key.rate) == (filters, 5)
    assert new.key.expires == later + timedelta(days=90)
    assert old.id == first.key.id
    assert old.expires == later + WEEK
    for secret in (first.secret, new.secret):
        key = store.keys.find(secret)
        assert key is not None
        assert key.state(later) == "live"
    key = store.keys.find(first.secret)
    assert key is not None
    assert key.state(later + WEEK) == "expired"


def test_an_overlap_does_not_make_a_key_live_longer(store: Store, clock: Clock) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    clock.instant = start
    store.keys.add("desk", SEARCH, expires=start + timedelta(days=3))
    _, old = store.keys.rotate("desk", overlap=WEEK)
    assert old.expires == start + timedelta(days=3)


def test_without_an_overlap_the_old_key_ends_at_once(store: Store) -> None:
    first = store.keys.add("desk", SEARCH)
    _, old = store.keys.rotate(first.key.id, overlap=timedelta())
    assert old.revoked is not None
    new, _ = store.keys.rotate("desk", overlap=timedelta())
    assert new.key.expires is None


def test_a_rotation_under_way_is_not_begun_again(store: Store) -> None:
    first = store.keys.add("desk", SEARCH)
    new, _ = store.keys.rotate("desk", overlap=WEEK)
    with pytest.raises(InvalidValue) as caught:
        store.keys.rotate("desk", overlap=WEEK)
    assert first.key.id in str(caught.value)
    assert new.key.id in str(caught.value)
    assert len(store.keys.revoke("desk")) == 2
    with pytest.raises(InvalidValue):
        store.keys.rotate("desk", overlap=WEEK)


def test_an_id_that_is_taken_is_not_given_twice(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = iter(["0a1b2c3d", "0a1b2c3d", "11111111"])
    monkeypatch.setattr(keyring, "new_id", lambda: next(ids))
    one, two = store.keys.add("one", SEARCH), store.keys.add("two", SEARCH)
    assert (one.key.id, two.key.id) == ("0a1b2c3d", "11111111")
    assert store.keys.find(two.secret) == two.key
