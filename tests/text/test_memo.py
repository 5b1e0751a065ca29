"""A memo keeps results up to a number of bytes, not of entries."""

from __future__ import annotations

from index.memo import Memo


def test_a_result_is_computed_once_while_it_is_kept() -> None:
    asked: list[str] = []

    def length(text: str) -> int:
        asked.append(text)
        return len(text)

    memo = Memo(length, lambda text, result: len(text), limit=1_000)
    assert [memo["ab"], memo["ab"], memo["abc"]] == [2, 2, 3]
    assert asked == ["ab", "abc"]


def test_entries_never_take_more_bytes_than_the_limit() -> None:
    memo = Memo(len, lambda text, result: len(text), limit=5_000)
    for number in range(1, 400):
        assert memo["x" * number] == number
        assert memo.bytes <= 5_000
        assert sum(len(text) + 100 for text in memo) == memo.bytes
    assert memo


def test_what_is_too_large_or_not_worth_it_is_not_kept() -> None:
    memo = Memo(
        len, lambda text, result: None if text == "no" else len(text), limit=500
    )
    assert memo["no"] == 2
    assert memo["x" * 501] == 501
    assert not memo
