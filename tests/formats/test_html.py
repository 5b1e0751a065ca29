"""Web pages: which are articles, and where their text and their fields are from."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from checkout import GOLDEN
from faults.amounts import amount
from hypothesis import given, settings
from hypothesis import strategies as st

from index.formats import Read, ReadOptions, read
from index.formats.html import extraction
from index.parsing import web_page
from index.parsing.web_page import _PropertyTexts

WORDS = "The ferry sails again, and costs what it did before it went into dock."
ARTICLE: dict[str, Any] = {
    "@context": "https://schema.org",
    "@type": "NewsArticle",
    "headline": "Ferry back",
    "url": "https://news.example/ferry",
}


def page(*data: Any, body: str = f"<article><p>{WORDS}</p></article>") -> bytes:
    scripts = "".join(
        f"<script type=application/ld+json>{each}</script>"
        for each in (d if isinstance(d, str) else json.dumps(d) for d in data)
    )
    return f"<html lang=en><title>x</title>{scripts}{body}</html>".encode()


def one(data: bytes, **options: Any) -> Read:
    (record,) = read("html", data, name="a.html", options=ReadOptions(**options))
    return record


def texts(record: Read) -> list[str]:
    assert record.article is not None, record.error
    return [each.text for each in record.article.paragraphs]


@pytest.mark.parametrize(
    "shape",
    [
        lambda article: article,
        lambda article: [article],
        lambda article: {"@context": "https://schema.org", "@graph": [article]},
        lambda article: {"@type": "WebPage", "mainEntity": article},
        lambda article: {**article, "@type": ["NewsArticle", "Thing"]},
        lambda article: {**article, "@type": "http://schema.org/NewsArticle"},
        lambda article: f"<![CDATA[{json.dumps(article)}]]>",
        lambda article: f"//<![CDATA[\n{json.dumps(article)}\n//]]>",
        lambda article: f"<!--\n{json.dumps(article)}\n-->",
        lambda article: json.dumps(article)[:-1] + ",}",
        lambda article: json.dumps(article) + ";",
        lambda article: json.dumps(article).replace("Ferry back", "Ferry\n back"),
    ],
)
def test_the_data_of_a_page_is_read_in_any_shape(shape: Any) -> None:
    record = one(page(shape(ARTICLE)))
    assert record.article is not None, record.error
    assert record.article.id == "https://news.example/ferry"
    assert " ".join((record.article.headline or "").split()) == "Ferry back"


def test_a_comma_in_a_text_of_the_data_stays() -> None:
    data = json.dumps({**ARTICLE, "headline": "Ferry (back, } ] )"})[:-1] + ",}"
    record = one(page(data))
    assert record.article is not None
    assert record.article.headline == "Ferry (back, } ] )"


def test_data_that_cannot_be_read_is_a_warning() -> None:
    record = one(page('{"@type": ', ARTICLE))
    assert record.article is not None
    assert "JSON-LD cannot be read" in record.warnings[0]


def test_of_the_same_text_the_one_with_paragraphs_counts() -> None:
    many = "".join(f"<p>{WORDS} {n}</p>" for n in range(5))
    stated = {**ARTICLE, "articleBody": " ".join(f"{WORDS} {n}" for n in range(5))}
    record = one(page(stated, body=f"<article>{many}</article>"))
    assert texts(record) == ["Ferry back", *(f"{WORDS} {n}" for n in range(5))]


def test_a_teaser_in_the_data_does_not_replace_the_text() -> None:
    many = "".join(f"<p>{WORDS} {n}</p>" for n in range(5))
    stated = {**ARTICLE, "articleBody": "The ferry sails again …"}
    record = one(page(stated, body=f"<article>{many}</article>"))
    assert texts(record) == ["Ferry back", *(f"{WORDS} {n}" for n in range(5))]


def test_a_page_gives_what_it_marks_without_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(extraction, "_MODULE", "no_such_module")
    assert texts(one(page(ARTICLE))) == ["Ferry back", WORDS]
    stated = {**ARTICLE, "articleBody": WORDS}
    assert texts(one(page(stated, body="<p>Menu"))) == ["Ferry back", WORDS]
    unmarked = one(page(ARTICLE, body=f"<div><p>{WORDS}</p></div>"))
    assert "nutgraf[html]" in str(unmarked.error)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("home-page.html", "home page"),
        ("list-page.html", "list of 3"),
        ("collection.html", "CollectionPage"),
        ("not-found.html", "error page"),
        ("no-text.html", "no text"),
    ],
)
def test_a_page_of_no_article_is_refused_with_the_reason(
    name: str, reason: str
) -> None:
    record = one((GOLDEN / "html" / name).read_bytes())
    assert record.article is None
    assert reason in str(record.error)


@pytest.mark.parametrize(
    ("declared", "charset"),
    [
        ("utf-8", "utf-8"),
        ("iso-8859-1", "windows-1252"),
        ("windows-1251", "windows-1251"),
        ("shift_jis", "shift_jis"),
        ("klingon", "utf-8"),
        (None, "utf-8"),
        (None, "windows-1252"),
        (None, "utf-16"),
        ("iso-8859-1", "utf-8"),
    ],
)
def test_a_page_is_read_in_its_charset(declared: str | None, charset: str) -> None:
    word = {"windows-1251": "Паром", "shift_jis": "渡し船"}.get(charset, "Fähre")
    meta = f'<meta charset="{declared}">' if declared else ""
    text = f"<html>{meta}<meta property=og:type content=article><title>{word}</title>"
    record = one(f"{text}<article><p>{word} {WORDS}</p></article>".encode(charset))
    assert texts(record) == [word, f"{word} {WORDS}"]


def test_bytes_outside_of_the_charset_refuse_the_page() -> None:
    data = page(ARTICLE)
    data = b"<meta charset=utf-8>" + data.replace(b"</html>", b"<p>F\xe4hre</p>")
    record = one(data)
    assert record.error is not None
    assert record.error.code == "invalid_encoding"


def test_numbers_that_are_none_are_left_out_of_the_data() -> None:
    data = json.dumps(ARTICLE)[:-1] + ', "wordCount": NaN, "n": 1e999}'
    record = one(page(data))
    assert record.article is not None, record.error
    assert not {"wordCount", "n"} & record.article.extra.keys()


def test_a_page_that_is_not_free_has_a_warning() -> None:
    record = one(page({**ARTICLE, "isAccessibleForFree": False}))
    assert any("not free" in warning for warning in record.warnings)


def test_a_date_that_is_none_gives_way_to_one_of_the_head() -> None:
    meta = "<meta property=article:published_time content=2024-03-04>"
    data = page({**ARTICLE, "datePublished": "Monday"})
    record = one(data.replace(b"<title>", f"{meta}<title>".encode()))
    assert record.article is not None
    assert record.article.published is not None


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        ("<div>" * 600, "levels"),
        ("<p>x" * 20_001, "elements"),
        ("<p>" + "x" * 1_000_001, "characters of text"),
    ],
)
def test_a_page_beyond_the_limits_is_refused(body: str, limit: str) -> None:
    record = one(page(ARTICLE, body=body))
    assert record.error is not None
    assert record.error.code == "limit_exceeded"
    assert limit in str(record.error)


@pytest.mark.slow
def test_microdata_within_microdata_is_bounded() -> None:
    nested = "<div itemscope itemtype=NewsArticle>" + "<div itemprop=text>" * 400
    with pytest.raises(Exception, match="characters of microdata"):
        web_page(nested + "words " * 50_000)


@pytest.mark.parametrize(
    ("inside", "most"),
    [
        (" " * 100_000, 10),
        ("<i> </i>" * 2_000, 4_010),
        ("<i>   \n</i> " * 1_000, 4_010),
    ],
)
def test_blanks_are_not_copied_for_each_level_of_microdata(
    inside: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    texts_of = _PropertyTexts.of

    def counted(texts: _PropertyTexts, element: Any) -> str:
        before = texts.size
        text = texts_of(texts, element)
        taken.append(texts.size - before)
        return text

    monkeypatch.setattr(_PropertyTexts, "of", counted)
    item = "<div itemscope itemtype=NewsArticle>"
    body = item + "<div itemprop=text>" * 400 + inside + "words"
    (only,) = web_page(body).items
    assert only["text"] == ["words"] * 400
    assert max(taken) <= most


def test_a_property_has_the_text_of_what_is_inside_it() -> None:
    body = (
        "<div itemscope><p itemprop=a> One <b itemprop=b>two<br>\n three</b>\n four"
        "</p> five <a itemprop=c href=x>six</a><time itemprop=d datetime=7>8</time>"
    )
    assert web_page(body).items == [
        {"a": "One two three four", "b": "two three", "c": "six", "d": "7"}
    ]


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    body = (
        "<link rel=stylesheet href=http://other.example/a.css><base href=http://b.example>"
        f"<article><p>{WORDS}</p><img src=http://other.example/a.png></article>"
    )
    assert texts(one(page(ARTICLE, body=body))) == ["Ferry back", WORDS]


PIECES = st.sampled_from(
    [
        *(
            "<article>",
            "</article>",
            "<p>",
            "</p>",
            "<div itemscope>",
            "<h1>",
            "<html>",
        ),
        *("<script type=application/ld+json>", "</script>", "<!--", "-->", "<![CDATA["),
        *("<meta property=og:type content=article>", "words and words ", "&#0;", "\0"),
        *('{"@type": "NewsArticle", "headline": "x"}', "<table><tr><td>", "<li>", "é"),
    ]
)


@pytest.mark.slow
@given(st.lists(PIECES, max_size=25))
@settings(max_examples=amount(150, 5_000), deadline=None)
def test_no_page_raises(pieces: list[str]) -> None:
    record = one("".join(pieces).encode())
    assert (record.article is None) == (record.error is not None)


def test_captions_that_extraction_leaves_out_are_kept_behind_the_text() -> None:
    text = [{"role": "body", "text": each} for each in ("One.", "Two.")]
    dock = {"role": "caption", "text": "The dock.", "credit": "Jo Lind"}
    other = {"role": "caption", "text": "Another story."}
    on_page = [dock, text[0], dock, text[1], other]
    assert extraction.with_captions(text, on_page) == [*text, dock]
    assert extraction.with_captions([dock, *text], on_page) == [dock, *text]
    assert extraction.with_captions(text, [dock]) == text


def test_a_page_has_the_captions_of_its_article() -> None:
    figure = "<figure><img><figcaption>The dock. <i>Jo Lind</i></figcaption></figure>"
    text = "".join(f"<p>{n}. {WORDS}</p>" for n in range(4))
    body = f"<main><article><h1>Ferry back</h1>{figure}{text}</article></main>"
    record = one(page(ARTICLE, body=body))
    assert record.article is not None
    *_, last = record.article.paragraphs
    assert (last.role, last.text[:9]) == ("caption", "The dock.")
    assert len(record.article.paragraphs) == 6


def test_dublin_core_terms_are_read_as_its_elements_are() -> None:
    head = "".join(
        f'<meta name="dcterms.{name}" content="{value}">'
        for name, value in (
            ("creator", "Ada Moss"),
            ("subject", "ferries"),
            ("publisher", "Harbour Post"),
            ("date", "2024-03-01"),
        )
    )
    record = one(page(body=f"{head}<article><h1>Ferry</h1><p>{WORDS}</p></article>"))
    article = record.article
    assert article is not None
    assert [author.name for author in article.authors] == ["Ada Moss"]
    assert [keyword.name for keyword in article.keywords] == ["ferries"]
    assert article.source == "Harbour Post"
