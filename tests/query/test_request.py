"""Requests: their translation into searches."""

from __future__ import annotations

import pytest

from index.query import Filter, checked_filter


@pytest.mark.parametrize(
    ("values", "checked"),
    [
        (("en",), ("en",)),
        (("eng",), ("eng", "en")),
        (("German", "iw"), ("German", "de", "iw", "he")),
        (("en_gb", "en-GB"), ("en_gb", "en-GB")),
        (("xx", "", "nowhere"), ("xx", "", "nowhere")),
    ],
)
def test_a_language_is_filtered_by_any_of_its_codes(
    values: tuple[str, ...], checked: tuple[str, ...]
) -> None:
    for exclude in (False, True):
        condition = Filter(field="language", values=values, exclude=exclude)
        assert checked_filter(condition) == Filter(
            field="language", values=checked, exclude=exclude
        )
