"""Names of fields, values and dates on pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.pages.names import period_name, value_name


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("en", "English"),
        ("EN", "English"),
        ("en-GB", "English (en-GB)"),
        ("zh-Hans", "Chinese (zh-Hans)"),
        ("tlh", "tlh"),
        ("tlh-Latn", "tlh-Latn"),
        ("", ""),
    ],
)
def test_a_language_is_named_and_an_unknown_one_keeps_its_tag(
    tag: str, name: str
) -> None:
    assert value_name("language", tag) == name


@given(st.sampled_from(["section", "people", "urgency"]), st.text(max_size=8))
def test_other_values_are_their_own_names(field: str, value: str) -> None:
    assert value_name(field, value) == value


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("2021", "2021", "2021"),
        ("2010", "2019", "2010 – 2019"),
        ("0001", "0009", "1 – 9"),
        ("2021-03", "2021-03", "March 2021"),
        ("2021-03", "2021-05", "March – May 2021"),
        ("2020-12", "2021-01", "December 2020 – January 2021"),
        ("2021-05-03", "2021-05-09", "3 May – 9 May 2021"),
        ("2021-05", "2021-05-09", "May 2021 – 9 May 2021"),
        ("2021-05-03", "2021-05-03", "3 May 2021"),
        ("2021", "", "from 2021"),
        ("", "2021-02", "until February 2021"),
        ("-7d", "", "from -7d"),
        ("2021-13", "2021-14", "2021-13 – 2021-14"),
        ("2021-00-00", "2021-00-01", "2021-00-00 – 2021-00-01"),
        ("yesterday", "yesterday", "yesterday"),
    ],
)
def test_a_period_is_named_as_people_say_it(first: str, last: str, name: str) -> None:
    assert period_name(first, last) == name
