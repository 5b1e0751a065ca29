"""Cursors say nothing to their holder, and cannot be changed."""

from __future__ import annotations

import base64
import json
import secrets

import pytest
from engines.kinds import NOW
from hypothesis import given
from hypothesis import strategies as st

from index.article import MAX_ID, PLACES
from index.errors import CursorMismatch, InvalidValue
from index.query import (
    CURSOR_KEY_BYTES,
    And,
    FieldStatistics,
    LeafStatistics,
    Or,
    Search,
    SortKey,
    Statistics,
    Term,
    encode_cursor,
    search_digest,
    weighted_fields,
    weighted_leaves,
)
from index.query.cursor import decode_cursor, packed, unpacked
from index.settings import Settings

KEY = secrets.token_bytes(CURSOR_KEY_BYTES)
BOUND = search_digest("a search")
LEAVES = (Term("tide"), Term("harbour", "body"))
FIELDS = ("headline", "body")
SEARCH = Search(query=Or(LEAVES), now=NOW, places=FIELDS)
STATISTICS = Statistics(
    seq=9,
    articles=300,
    fields={
        "headline": FieldStatistics(200, 1_400, 200),
        "body": FieldStatistics(300, 90_001, 2_000),
    },
    leaves=dict(zip(LEAVES, (LeafStatistics(3, 5), LeafStatistics(0, 0)), strict=True)),
)
END = SortKey(score=12.345678, date=-1, id="urn:example:tide", n=None)


def decoded(
    cursor: str, bound: str = BOUND, key: bytes = KEY
) -> tuple[SortKey, Statistics | None]:
    return decode_cursor(cursor, search=SEARCH, bound=bound, key=key)


whole = st.integers(0, 2**63)
counts = st.builds(FieldStatistics, whole, whole, whole)
ends = st.builds(
    SortKey,
    score=st.floats(0, allow_infinity=False),
    date=st.none() | st.integers(-(2**63), 2**63),
    id=st.text(max_size=20),
    n=st.none() | st.integers(0, 2**31),
)


@pytest.mark.slow
@given(
    end=ends,
    statistics=st.none()
    | st.builds(
        Statistics,
        seq=whole,
        articles=whole,
        fields=st.fixed_dictionaries(dict.fromkeys(FIELDS, counts)),
        leaves=st.fixed_dictionaries(
            dict.fromkeys(LEAVES, st.builds(LeafStatistics, whole, whole))
        ),
    ),
)
def test_a_cursor_gives_back_what_it_was_made_of(
    end: SortKey, statistics: Statistics | None
) -> None:
    cursor = encode_cursor(end, statistics, search=SEARCH, bound=BOUND, key=KEY)
    assert decoded(cursor) == (end, statistics)


@pytest.mark.slow
@given(st.lists(st.integers(0, 2**70)))
def test_packed_integers_are_unpacked(numbers: list[int]) -> None:
    assert list(unpacked(packed(numbers))) == numbers


def test_any_changed_character_is_refused() -> None:
    cursor = encode_cursor(END, STATISTICS, search=SEARCH, bound=BOUND, key=KEY)
    for at, letter in enumerate(cursor):
        for other in {"A", "B", "g", "w", "-", "_", "="} - {letter}:
            if (at, letter, other) == (0, "~", "-"):
                continue  # the same cursor, as earlier releases wrote it
            changed = cursor[:at] + other + cursor[at + 1 :]
            with pytest.raises(InvalidValue) as caught:
                decoded(changed)
            assert caught.value.code == "invalid_cursor"


@pytest.mark.parametrize(
    "change",
    [
        lambda cursor: "",
        lambda cursor: cursor[:-1],
        lambda cursor: cursor + "A",
        lambda cursor: cursor + "=",
        lambda cursor: cursor + "\n",
        lambda cursor: cursor[:9] + " " + cursor[9:],
        lambda cursor: cursor[:9] + "!" + cursor[9:],
        lambda cursor: cursor * 2,
        lambda cursor: "é",
        lambda cursor: "\ud800",
        lambda cursor: "A" * 100_000,
    ],
)
def test_what_is_no_cursor_is_refused(change) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidValue) as caught:
        decoded(
            change(encode_cursor(END, STATISTICS, search=SEARCH, bound=BOUND, key=KEY))
        )
    assert caught.value.code == "invalid_cursor"


def test_a_cursor_of_an_earlier_release_is_refused_and_told_why() -> None:
    old = json.dumps([BOUND, 1.5, None, "a", None], separators=(",", ":"))
    cursor = base64.urlsafe_b64encode(old.encode()).decode().rstrip("=")
    with pytest.raises(InvalidValue, match="start again without a cursor") as caught:
        decoded(cursor)
    assert caught.value.code == "invalid_cursor"


def test_equal_pages_have_equal_cursors() -> None:
    one, other = (
        encode_cursor(END, STATISTICS, search=SEARCH, bound=BOUND, key=KEY)
        for _ in range(2)
    )
    assert one == other


def test_a_cursor_of_another_store_or_search_is_refused() -> None:
    cursor = encode_cursor(END, STATISTICS, search=SEARCH, bound=BOUND, key=KEY)
    with pytest.raises(InvalidValue):
        decoded(cursor, key=secrets.token_bytes(CURSOR_KEY_BYTES))
    with pytest.raises(CursorMismatch):
        decoded(cursor, bound=search_digest("another search"))


def test_nothing_of_the_content_can_be_read_from_a_cursor() -> None:
    cursor = encode_cursor(END, STATISTICS, search=SEARCH, bound=BOUND, key=KEY)
    data = base64.urlsafe_b64decode(cursor + "==")
    assert END.id.encode() not in data
    assert bytes.fromhex(BOUND) not in data
    later = Statistics(
        seq=STATISTICS.seq,
        articles=STATISTICS.articles + 1,
        fields=STATISTICS.fields,
        leaves=STATISTICS.leaves,
    )
    other = encode_cursor(END, later, search=SEARCH, bound=BOUND, key=KEY)
    # One more article changes every part of it.
    pairs = list(zip(cursor, other, strict=True))
    assert sum(left != right for left, right in pairs) > len(pairs) * 0.8


def test_the_longest_cursor_fits_into_a_request_line() -> None:
    rows = 2**31 - 1  # documents that an index can number
    default = PLACES["all"]
    assert default == max(PLACES.values(), key=len)
    weighted = tuple(Term(f"word{n}") for n in range(Settings().query_clauses))
    assert weighted_leaves(And(weighted), default) == weighted
    statistics = Statistics(
        seq=2**40,
        articles=rows,
        fields=dict.fromkeys(
            weighted_fields(weighted, default), FieldStatistics(rows, 2**42, rows)
        ),
        leaves=dict.fromkeys(weighted, LeafStatistics(rows, rows)),
    )
    end = SortKey(score=1e9, date=-(2**62), id="\U0010fffd" * MAX_ID, n=rows)
    search = Search(query=And(weighted), now=NOW, places=default)
    cursor = encode_cursor(end, statistics, search=search, bound=BOUND, key=KEY)
    assert len(cursor) < 3_000


def test_a_cursor_is_no_option_of_a_command() -> None:
    cursors = [
        encode_cursor(
            END._replace(score=float(n)), None, search=SEARCH, bound=BOUND, key=KEY
        )
        for n in range(1_000)
    ]
    assert not [cursor for cursor in cursors if cursor.startswith("-")]
    for n, cursor in enumerate(cursors):
        end, _ = decoded(cursor)
        assert end.score == n
