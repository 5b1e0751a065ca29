"""Inputs that nobody should send over HTTP, and what every answer to them must be."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from service.codes import PROBLEM_TYPES

WORDS = [
    "harbour",
    "talks",
    "café",
    "the",
    "U.S.",
    "C-17",
    "新聞",
    "a",
    "",
    "\u200d",
    "😀",
]


SIGNS = [
    *(
        "AND",
        "OR",
        "NOT",
        "-",
        "(",
        ")",
        '"',
        '"~5',
        "~1",
        "~9",
        "*",
        "?",
        "=",
        "^2",
        ":",
    ),
    *("headline:", "published:[", " TO ", "]", "urgency:<=", "nope:", "“", "\\", "\n"),
]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def check(answer: Any, *statuses: int) -> None:
    assert answer.status_code in statuses, answer.data
    if answer.status_code >= 400:
        assert answer.content_type == "application/problem+json"
        assert answer.json["code"] in PROBLEM_TYPES
        assert answer.json["detail"]
