"""JSON Feed: how it is known, and what items have from their feed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from index.formats import ReadOptions, detect, read_detected, read_parsed

FEED: dict[str, Any] = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "Northtown Wire",
    "items": [{"id": "a", "title": "Ferry back"}, {"id": "b", "title": "Rink opens"}],
}


def sources(data: bytes, **options: Any) -> list[str | None]:
    name = detect("", data[:4096])
    records = read_detected(name, data, options=ReadOptions(**options))
    return [record.article.source if record.article else None for record in records]


@pytest.mark.parametrize("at_end", [False, True])
def test_a_feed_is_known_wherever_its_version_stands(at_end: bool) -> None:
    padded = {**FEED, "items": [*FEED["items"], {"id": "c", "title": "x" * 9_000}]}
    order = reversed(padded) if at_end else iter(padded)
    data = json.dumps({name: padded[name] for name in order}).encode()
    assert detect("a.json", data[:4096]) == ("jsonl" if at_end else "jsonfeed")
    assert sources(data) == ["Northtown Wire"] * 3


def test_feeds_among_json_lines_are_read_as_feeds_and_others_are_not() -> None:
    lines = [FEED, {"id": "c", "title": "Alone", "source": "Else"}, FEED]
    wire = ["Northtown Wire"] * 2
    for order, expected in (
        (lines, [*wire, "Else", *wire]),
        (lines[1:], ["Else", *wire]),
    ):
        assert sources("\n".join(map(json.dumps, order)).encode()) == expected


def test_a_path_to_the_records_makes_it_a_list_of_records() -> None:
    assert sources(json.dumps(FEED).encode(), records="items") == [None, None]


def test_a_parsed_feed_is_read_as_its_text() -> None:
    text = json.dumps(FEED)
    parsed = list(read_parsed(None, FEED, lambda: text))
    assert [record.read_as for record in parsed] == ["jsonfeed", "jsonfeed"]
    assert [r.original.data for r in parsed if r.original is not None] == [
        json.dumps(item).encode() for item in FEED["items"]
    ]


def test_the_names_of_its_feed_add_no_authors_to_an_item_with_some() -> None:
    people = {"authors": [{"name": "The Desk"}]}
    items = [{"id": "a", "title": "x", "author": {"name": "Jo Marsh"}}]
    data = json.dumps({**FEED, **people, "items": items}).encode()
    (record,) = read_detected("jsonfeed", data)
    assert record.article is not None
    assert [author.name for author in record.article.authors] == ["Jo Marsh"]
