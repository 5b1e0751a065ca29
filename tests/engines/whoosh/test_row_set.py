"""Sets of rows: what is among others, whichever list is longer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.engines.whoosh.searching import row_set
from index.engines.whoosh.searching.row_set import RowSet, is_among, union_of

COUNT = 3_000
some_rows = st.lists(st.integers(0, COUNT - 1), max_size=60)


def rows_of(numbers: list[int]) -> np.ndarray:
    return np.array(sorted(numbers), np.int32)


@pytest.mark.parametrize("cost", [1, 32, 10_000])
@given(rows=some_rows, others=some_rows, repeated=st.integers(1, 40))
def test_rows_are_told_apart_however_often_each_occurs(
    cost: int, rows: list[int], others: list[int], repeated: int
) -> None:
    asked, known = rows_of(rows * repeated), rows_of(list(set(others)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_set, "_SEARCH", cost)
        expected = [row in set(others) for row in asked.tolist()]
        assert is_among(asked, known, COUNT).tolist() == expected
        assert RowSet(COUNT, known).contains(asked).tolist() == expected
        wide = asked.astype(np.int64)
        assert RowSet(COUNT, known).contains(wide).tolist() == expected


@given(st.lists(some_rows, max_size=5), st.sampled_from((0, COUNT)))
def test_a_union_is_the_same_by_sorting_and_as_a_bitmap(
    lists: list[list[int]], most: int
) -> None:
    parts = [rows_of(list(set(numbers))) for numbers in lists]
    expected = sorted(set().union(*lists))
    assert union_of(parts, most, COUNT).tolist() == expected
