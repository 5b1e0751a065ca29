"""Plain text: which lines at its top are its date and byline."""

from __future__ import annotations

import pytest

from index.dates import DateRules
from index.dates.zones import DayOrder
from index.formats import ReadOptions, read


@pytest.mark.parametrize(
    ("line", "published"),
    [
        ("2024-11-04", "2024-11-04T00:00"),
        ("4 November 2024", "2024-11-04T00:00"),
        ("Mon, 04 Nov 2024 07:30:00 +0100", "2024-11-04T06:30"),
        ("Posted on November 4, 2024", "2024-11-04T00:00"),
        ("November 2024", "2024-11-01T00:00"),
        ("04/11/2024", "2024-11-04T00:00"),
        ("4. November 2024, 7.30 Uhr", "2024-11-04T07:30"),
        ("lundi 4 novembre 2024", "2024-11-04T00:00"),
        ("By Jo Marsh, 4 November 2024", "2024-11-04T00:00"),
        ("By Jo Marsh - 2024-11-04 07:30", "2024-11-04T07:30"),
    ],
)
def test_a_line_that_is_a_date_says_when_it_was_published(
    line: str, published: str
) -> None:
    options = ReadOptions(dates=DateRules(order=DayOrder.DMY))
    (record,) = read("text", f"Rink opens\n{line}\n\nText.".encode(), options=options)
    assert record.article is not None
    assert record.article.published is not None
    assert record.article.published.isoformat().startswith(published)
    assert [each.text for each in record.article.paragraphs] == ["Rink opens", "Text."]


@pytest.mark.parametrize(
    ("line", "byline"),
    [
        ("4 November 2024 | By Jo Marsh", "By Jo Marsh"),
        ("November 4, 2024, by Jo Marsh and Ada Lind", "by Jo Marsh and Ada Lind"),
        ("4. November 2024\nVon Jo Marsh", "Von Jo Marsh"),
        ("Par Jo Marsh – 4 novembre 2024", "Par Jo Marsh"),
    ],
)
def test_a_date_and_a_byline_may_share_the_top(line: str, byline: str) -> None:
    (record,) = read("text", f"Rink opens\n{line}\n\nText.".encode())
    assert record.article is not None
    assert record.article.byline == byline
    assert record.article.published is not None
    assert [each.text for each in record.article.paragraphs] == ["Rink opens", "Text."]


@pytest.mark.parametrize(
    "line", ["Von Berlin fahren wir los", "Por la tarde", "4 November 2024 | By car"]
)
def test_a_line_that_is_no_byline_stays_in_the_text(line: str) -> None:
    (record,) = read("text", f"Rink opens\n{line}\n\nText.".encode())
    assert record.article is not None
    assert record.article.byline is None
    assert record.article.paragraphs[1].text == line


@pytest.mark.parametrize("label", ["Updated", "Last updated:", "Modified on"])
def test_a_line_with_the_day_of_an_update_may_follow(label: str) -> None:
    text = f"Rink opens\n4 November 2024\n{label} 5 November 2024\n\nText."
    (record,) = read("text", text.encode())
    assert record.article is not None
    published, updated = record.article.published, record.article.updated
    assert published is not None and updated is not None
    assert (published.day, updated.day) == (4, 5)
    assert [each.text for each in record.article.paragraphs] == ["Rink opens", "Text."]


@pytest.mark.parametrize(
    "line",
    [
        *("2024", "1730700000", "20241104", "May", "Sunday", "07:30", "November 4"),
        *("2024-11-04 was a cold day", "4-5 November 2024", "4. November, morgens"),
    ],
)
def test_a_line_that_is_no_date_stays_in_the_text(line: str) -> None:
    (record,) = read("text", f"Rink opens\n{line}\n\nText.".encode())
    assert record.article is not None
    assert record.article.published is None
    assert record.article.paragraphs[1].text == line
