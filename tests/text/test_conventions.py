"""Conventions: what the analysis knows of a language."""

from __future__ import annotations

import pytest

from index.text import Convention, convention_of


@pytest.mark.parametrize(
    ("language", "decimal_comma", "elision"),
    [
        ("", False, False),
        ("xx", False, False),
        ("en", False, False),
        ("en-DE", False, False),
        ("de", True, False),
        ("DE_at", True, False),
        ("de-CH", False, False),
        ("de-Latn-CH", False, False),
        ("fr-CA", True, True),
        ("it-CH", False, True),
        ("es-MX", False, False),
        ("ca", True, True),
    ],
)
def test_a_language_has_a_convention(
    language: str, decimal_comma: bool, elision: bool
) -> None:
    assert convention_of(language) == Convention(decimal_comma, elision)
