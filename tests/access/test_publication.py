"""Publication: which parts of ``extra`` a reader may see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from index.access import Validity, published_extra
from index.dates import instant as instant_of

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("name", "value", "instant"),
    [
        ("embargoed", "Mon Nov 30 2026 06:54:26 GMT-0500", "2026-11-30T11:54:26Z"),
        ("embargoed", "Nov 30, 2026 10:40 PM EST", "2026-12-01T03:40:00Z"),
        ("embargoedUntil", 1577880000, "2020-01-01T12:00:00Z"),
        # Without a zone: when the time has come everywhere.
        ("embargoed", "2026-11-30T12:00", "2026-12-01T00:00:00Z"),
        ("embargoed", "2026-11-30", "2026-11-30T12:00:00Z"),
    ],
)
def test_a_part_shows_when_its_embargo_is_over(
    value: Any, name: str, instant: str
) -> None:
    at = instant_of(instant)
    part = {"headline": "secret", name: value}
    extra = {"associations": {"picture": part}}
    assert published_extra(extra, Validity(at - SECOND)) == {"associations": {}}
    assert published_extra(extra, Validity(at)) == extra


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("Nov 30, 2026 10:40 PM EST", "2026-12-01T03:40:00Z"),
        # Without a zone: when the time has come anywhere.
        ("2026-11-30T14:00", "2026-11-30T00:00:00Z"),
    ],
)
def test_a_part_is_gone_when_it_has_expired(value: str, instant: str) -> None:
    at = instant_of(instant)
    extra = {"associations": {"picture": {"headline": "secret", "expires": value}}}
    assert published_extra(extra, Validity(at - SECOND)) == extra
    assert published_extra(extra, Validity(at)) == {"associations": {}}


@pytest.mark.parametrize(
    "value", ["2020", "2020-01", "soon", 5, True, {"a": 1}, "10:00 IST"]
)
@pytest.mark.parametrize("name", ["embargoed", "expires"])
def test_a_part_whose_dates_cannot_be_read_is_not_shown(name: str, value: Any) -> None:
    extra = {"associations": {"picture": {"headline": "secret", name: value}}}
    assert published_extra(extra, Validity(NOW)) == {"associations": {}}
