"""docs/promises.md names a test for each promise, and every fault test."""

from __future__ import annotations

import re

from checkout import ROOT, names_of_tests

ROWS = [
    tuple(cell.strip() for cell in line.strip("| \n").split(" | "))
    for line in (ROOT / "docs/promises.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and not line.startswith(("| promise |", "| --- |"))
]


def named() -> set[str]:
    return {name for row in ROWS for name in re.findall(r"`(test_\w+)`", row[1])}


def test_every_promise_names_tests() -> None:
    assert len(ROWS) > 20
    for promise, tests in ROWS:
        assert promise.endswith("."), promise
        assert re.fullmatch(r"`test_\w+`( `test_\w+`)*", tests), promise


def test_every_test_that_is_named_exists() -> None:
    assert named() - names_of_tests() == set()


def test_every_fault_test_stands_behind_a_promise() -> None:
    about_themselves = {
        "test_the_document_has_operations_to_try",
        "test_what_was_once_answered_otherwise",
        "test_no_process_is_left_when_a_test_fails",
        "test_any_path_is_answered_with_a_problem",
    }
    assert names_of_tests("faults/test_*.py") - named() == about_themselves
