"""docs/security.md: every test that it names is one."""

from __future__ import annotations

import re

from checkout import ROOT, names_of_tests


def test_every_test_that_the_page_names_is_there() -> None:
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    assert len(named) > 20
    assert named - names_of_tests() == set()
