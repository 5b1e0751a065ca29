"""Keys: how they are written and stored, what they allow, when they expire."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from index.access import Key, NewKey, Scope, keys
from index.errors import InvalidValue, UnknownField
from index.query import Filter, Reader

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def key(**changed: object) -> Key:
    values = {"id": "0a1b2c3d", "name": "desk", "scopes": {"search"}, "created": NOW}
    values |= changed
    values["scopes"] = keys.scopes_of(values["scopes"])  # type: ignore[arg-type]
    return Key(**values)  # type: ignore[arg-type]


def test_a_key_has_its_id_and_256_random_bits() -> None:
    secrets = {keys.new_secret("0a1b2c3d") for _ in range(100)}
    assert len(secrets) == 100
    for secret in secrets:
        assert re.fullmatch(r"ng_0a1b2c3d_[A-Za-z0-9_-]{43}", secret)
        assert keys.key_id_in(secret) == "0a1b2c3d"
    assert re.fullmatch(r"[0-9a-f]{8}", keys.new_id())


def test_a_key_is_stored_as_a_digest() -> None:
    secret = keys.new_secret("0a1b2c3d")
    assert len(keys.secret_digest(secret)) == 32
    assert keys.equal_digests(keys.secret_digest(secret), keys.secret_digest(secret))
    assert not keys.equal_digests(
        keys.secret_digest(secret), keys.secret_digest(secret[:-1])
    )
    # Headers hold any bytes, as Latin-1.
    assert len(keys.secret_digest("\xff\x00\udcff")) == 32


def test_digests_are_compared_in_constant_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr("hmac.compare_digest", compare)
    assert keys.equal_digests(b"a", b"a")
    assert compared == [(b"a", b"a")]


def test_a_new_key_does_not_print_itself() -> None:
    secret = keys.new_secret("0a1b2c3d")
    assert secret not in repr(NewKey(key(), secret))
    assert secret not in str(NewKey(key(), secret))


@pytest.mark.parametrize("name", ["desk", "a", "wire.2@house-b", "büro", "x" * 64])
def test_a_name_is_a_word(name: str) -> None:
    assert key(name=name).name == name


@pytest.mark.parametrize(
    "name", ["", " a", "a b", "a\n", "-a", "x" * 65, "0a1b2c3d", "a/b", 'a"b']
)
def test_an_invalid_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        key(name=name)
    assert caught.value.parameter == "name"


def test_an_unknown_scope_is_refused() -> None:
    assert keys.scopes_of(["search", "admin"]) == {Scope.SEARCH, Scope.ADMIN}
    for wrong in (["write"], ["SEARCH"], ["search", ""]):
        with pytest.raises(InvalidValue) as caught:
            keys.scopes_of(wrong)
        assert "read-embargoed" in str(caught.value)
    with pytest.raises(InvalidValue):
        key(scopes=[])


def test_read_embargoed_needs_search() -> None:
    with pytest.raises(InvalidValue) as caught:
        key(scopes=["read-embargoed", "ingest"])
    assert caught.value.parameter == "scope"


def test_no_scope_includes_another() -> None:
    for scope in ("search", "ingest", "admin"):
        assert key(scopes=[scope]).scopes == {Scope(scope)}
        assert not key(scopes=[scope]).reader.held


def test_a_key_has_a_reader() -> None:
    filters = keys.filters_of([("source", "Reuters")])
    assert key().reader == Reader()
    assert key(scopes=["search", "read-embargoed"], filters=filters).reader == Reader(
        held=True, filters=filters
    )


def test_values_of_one_field_are_alternatives() -> None:
    assert keys.filters_of(
        [("source", "AP"), ("urgency", "01"), ("source", "Reuters")],
        [("section", "Sport"), ("source", "Blog")],
    ) == (
        Filter(field="source", values=("AP", "Reuters")),
        Filter(field="urgency", values=("1",)),
        Filter(field="section", values=("Sport",), exclude=True),
        Filter(field="source", values=("Blog",), exclude=True),
    )


def test_the_filters_of_a_key_are_those_of_searches() -> None:
    with pytest.raises(UnknownField):
        keys.filters_of([("headline", "x")])
    with pytest.raises(UnknownField):
        keys.filters_of([], [("nope", "x")])
    with pytest.raises(InvalidValue):
        keys.filters_of([("urgency", "high")])


def test_stored_filters_and_scopes_are_read_back() -> None:
    filters = keys.filters_of([("source", 'A "quoted" | ☃')], [("section", "Sport")])
    assert keys.filters_of_json(keys.filters_json(filters)) == filters
    scopes = keys.scopes_of(["admin", "search"])
    assert keys.scopes_text(scopes) == "search admin"
    assert keys.scopes_of_text("search admin") == scopes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90d", NOW + timedelta(days=90)),
        ("12h", NOW + timedelta(hours=12)),
        ("2w", NOW + timedelta(weeks=2)),
        ("2026-03-04", datetime(2026, 3, 5, tzinfo=UTC)),
        ("2026", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2027-01-31", datetime(2027, 2, 1, tzinfo=UTC)),
        ("2027-01-31T10:00:00+02:00", datetime(2027, 1, 31, 8, tzinfo=UTC)),
    ],
)
def test_a_key_expires_after_a_duration_a_day_or_at_an_instant(
    text: str, expected: datetime
) -> None:
    assert keys.expiry_of(text, NOW) == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "90", "0d", "-3d", "2026-03-03", "2026-02-30", "9999999d"]
)
def test_an_expiry_in_the_past_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        keys.expiry_of(text, NOW)
    assert caught.value.parameter == "expires"


def test_a_key_is_live_until_it_expires_or_is_revoked() -> None:
    ends = NOW + timedelta(seconds=1)
    assert key().state(NOW) == "live"
    assert key(expires=ends).state(NOW) == "live"
    assert key(expires=ends).state(ends) == "expired"
    assert key(expires=ends, revoked=NOW).state(ends) == "revoked"


def test_a_rate_is_a_number_or_none() -> None:
    assert keys.rate_of("600") == 600
    assert keys.rate_of("none") == keys.UNLIMITED
    for wrong in ("0", "-1", "1.5", "many", "", "10000000", "9" * 5000, "٣"):
        with pytest.raises(InvalidValue):
            keys.rate_of(wrong)
    with pytest.raises(InvalidValue):
        key(rate=-1)
