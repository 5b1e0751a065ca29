"""The query in words: what was understood, and which part a remark is about."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from page_markup import Page, plain


def read_as(client: FlaskClient, q: str) -> str:
    """What the page says that a query was read as; blank if it says nothing."""
    page = Page(client.get("/", query_string={"q": q}))
    assert page.status == 200
    lines = [plain(line) for line in page.by_class("reading", "p")]
    return lines[0].removeprefix("Read as: ") if lines else ""


@pytest.mark.parametrize("q", [" ", "harbour", "harbour strike", '"harbour strike" a'])
def test_words_and_phrases_need_no_words(reading: FlaskClient, q: str) -> None:
    assert read_as(reading, q) == ""


@pytest.mark.parametrize(
    ("q", "words"),
    [
        ("harbour -strike", "harbour and not strike"),
        ("a OR b c", "a or (b and c)"),
        ("a AND (b OR c)", "a and (b or c)"),
        ("NOT (a OR b)", "not (a or b)"),
        ("harb*", "words that begin with harb"),
        ("har?our", "words of the pattern har?our"),
        ("harbour~", "words that differ by at most 1 letter from harbour"),
        ("harbour~2", "words that differ by at most 2 letters from harbour"),
        ('"peace talks"~3', "peace and talks with at most 3 words between them"),
        ("=Harbour", "exactly Harbour"),
        ("section:Business x", "section with Business and x"),
        ("headline:harbour^2", "headline with harbour (weight 2)"),
        ("published:[2016 TO 2017]", "published from 2016-01-01 to 2017-12-31"),
        ("published:[2016 TO *]", "published from 2016-01-01"),
        ("published:[* TO 2016]", "published up to 2016-12-31"),
        ("urgency:3", "urgency 3"),
        ("1.500", "1500 or 1.500"),
    ],
)
def test_operators_are_said_in_words(reading: FlaskClient, q: str, words: str) -> None:
    assert read_as(reading, q) == words


def test_typed_words_are_isolated(reading: FlaskClient) -> None:
    page = Page(reading.get("/", query_string={"q": "مرفأ OR <b>x"}))
    (line,) = page.by_class("reading", "p")
    assert plain(line.find("bdi")) == "مرفأ"
    assert list(page.foreign()) == []


def test_a_screen_reader_hears_which_part_is_underlined(reading: FlaskClient) -> None:
    for q, part in (("harbour (talks", "("), ("harbour a*", "a*")):
        page = Page(reading.get("/", query_string={"q": q}))
        (said,) = page.all(
            "*[@class='notice' or @class='notice mistake']//span[@class='unseen']"
        )
        assert plain(said) == f"It is about {part} in"
        assert [plain(each) for each in page.all("u")] == [part]


def test_a_refused_query_puts_the_caret_back_into_the_box(reading: FlaskClient) -> None:
    box = Page(reading.get("/?q=harbour a*")).one("input[@id='q']")
    assert "autofocus" in box.attrib
    assert box.get("aria-describedby") == "mistake"
