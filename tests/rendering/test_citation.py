"""Citations: their words, and links that lead browsers to the cited text."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote, urlsplit

import pytest
from articles import article
from hypothesis import given
from hypothesis import strategies as st

from index.article import Article
from index.errors import ParagraphNotFound
from index.rendering import citation_of
from index.settings import Settings

DAY, PAGE = "3 May 2019", "https://desk.example/articles/a"
FERRY = article("a", "It sailed.", "It came.", headline="Ferry", source="City Desk")
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from(" -,&%"),
    min_size=1,
    max_size=300,
).filter(lambda text: text.split())
sentences = st.lists(
    st.sampled_from(
        ["ship", "harbour", "the", "a,", "day-old", "&", "船。", "سفينة", "don’t"]
    ),
    min_size=1,
    max_size=80,
).map(" ".join)


def cite(cited: Article, n: int, *, day: str = DAY, **settings: str) -> str:
    return citation_of(cited, n, day=day, page=PAGE, settings=Settings(**settings)).text


def words(cited: Article, *, day: str = DAY) -> str:
    return cite(cited, 0, day=day).split("\n")[0]


def terms(link: str) -> tuple[str, str, str]:
    """Prefix, start and end of a text directive, as a browser reads them."""
    fragment = link.partition("#")[2]
    directives = fragment.partition(":~:")[2].split("&")
    assert len(directives) == 1
    name, _, value = directives[0].partition("=")
    assert name == "text"
    parts = value.split(",")
    prefix = parts.pop(0)[:-1] if parts[0].endswith("-") else ""
    assert not any(part.startswith("-") or part.endswith("-") for part in parts)
    start, end = (*parts, "")[:2]
    return unquote(prefix), unquote(start), unquote(end)


def test_a_citation_has_headline_source_day_and_link() -> None:
    assert cite(FERRY, 2) == (
        f"Ferry (City Desk, 3 May 2019)\n{PAGE}#p2:~:text=It%20came."
    )
    assert cite(FERRY, 0) == f"Ferry (City Desk, 3 May 2019)\n{PAGE}"


def test_what_is_not_known_is_left_out() -> None:
    assert words(replace(FERRY, source=None)) == "Ferry (3 May 2019)"
    assert words(FERRY, day="") == "Ferry (City Desk)"
    assert words(replace(FERRY, source=None), day="") == "Ferry"
    assert words(article("a", "One."), day="") == "a"


def test_quotes_of_a_headline_stay_as_they_are() -> None:
    said = article("a", "One.", headline="“No”, he said: 'never' (\"ever\")")
    assert words(said, day="") == "“No”, he said: 'never' (\"ever\")"


def test_a_text_from_right_to_left_is_set_apart_and_turns_nothing_else() -> None:
    arabic = article("a", "One.", headline="الميناء القديم", source="Desk \u202eksed")
    assert words(arabic) == "\u2068الميناء القديم\u2069 (Desk ksed, 3 May 2019)"
    isolated = article("a", "One.", headline="a\n\u2066b")
    assert words(isolated, day="") == "a b"


def test_the_link_is_that_of_feeds_and_else_ours() -> None:
    settings = {"permalink": "https://news.example/{id}?x=1"}
    own = replace(FERRY, url="https://city.example/ferry")
    assert cite(own, 0, **settings).endswith("\nhttps://city.example/ferry")
    assert cite(own, 2).endswith("\nhttps://city.example/ferry#:~:text=It%20came.")
    assert cite(FERRY, 2, **settings).endswith(
        "\nhttps://news.example/a?x=1#:~:text=It%20came."
    )


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "urn:a", "//x.y/z"]
)
def test_an_address_that_is_none_of_the_web_is_not_cited(url: str) -> None:
    assert cite(replace(FERRY, url=url), 0).endswith(f"\n{PAGE}")


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://a.b/c#top", "https://a.b/c#top:~:text=It%20came."),
        ("https://a.b/c#:~:text=x", "https://a.b/c#:~:text=It%20came."),
        ("https://a.b/c#t:~:text=x", "https://a.b/c#t:~:text=It%20came."),
        ("https://a.b/ä b\n<c>%20", "https://a.b/%C3%A4%20b%0A%3Cc%3E%20"),
    ],
)
def test_a_link_stays_an_address_with_one_directive(url: str, link: str) -> None:
    given = cite(replace(FERRY, url=url), 2).partition("\n")[2]
    assert given.removesuffix("#:~:text=It%20came.") == link.removesuffix(
        "#:~:text=It%20came."
    )
    assert given.count(":~:") == 1


def test_signs_that_separate_terms_are_escaped() -> None:
    cited = article("a", "Oil-rich, R&D - 50%, co-op")
    link = cite(cited, 1)
    assert link.endswith("text=Oil%2Drich%2C%20R%26D%20%2D%2050%25%2C%20co%2Dop")
    assert terms(link)[1] == "Oil-rich, R&D - 50%, co-op"


def test_a_long_text_is_cited_by_its_two_ends() -> None:
    cited = article(
        "a", f"The ship came in at dawn that day. {'And so on. ' * 40}It left."
    )
    prefix, start, end = terms(cite(cited, 1))
    assert (prefix, start) == ("", "The ship came in at dawn that day.")
    assert end.endswith("on. It left.")


def test_a_text_without_spaces_is_cut_where_a_phrase_ends() -> None:
    text = (
        "货船在黎明时分抵达港口，船上装有一千二百吨小麦，这是罢工以来的第一艘货船。" * 4
    )
    _, start, end = terms(cite(article("a", text), 1))
    assert start[-1] in "，。"
    assert text[-len(end) - 1] in "，。"


def test_a_text_that_was_there_before_is_told_by_what_precedes_it() -> None:
    cited = article("a", "First day.", "No ship came.", "Next day.", "No ship came.")
    assert terms(cite(cited, 2)) == ("", "No ship came.", "")
    prefix, start, _ = terms(cite(cited, 4))
    assert (prefix, start) == ("Next day.", "No ship came.")


def test_the_end_of_a_long_text_is_its_first_place() -> None:
    refrain = "and the bells of the old town were heard."
    cited = article(
        "a",
        f"It was a day of many ships in the harbour, {refrain} "
        f"Some said otherwise, but {refrain}",
    )
    _, start, end = terms(cite(cited, 1))
    rest = cited.paragraphs[0].text[len(start) :]
    assert rest.index(end) == len(rest) - len(end)


@pytest.mark.parametrize("n", [3, 99])
def test_only_a_paragraph_of_the_article_is_cited(n: int) -> None:
    with pytest.raises(ParagraphNotFound):
        cite(FERRY, n)


@given(texts | sentences, texts | sentences)
def test_a_directive_names_the_ends_of_the_text(before: str, text: str) -> None:
    link = cite(article("a", before, text), 2).rpartition("\n")[2]
    assert link.isascii()
    assert " " not in link
    assert urlsplit(link)._replace(fragment="").geturl() == PAGE
    prefix, start, end = terms(link)
    plain = " ".join(text.split())
    assert start
    assert plain.startswith(start)
    assert plain.endswith(end)
    assert len(start) + len(end) <= len(plain)
    assert " ".join(before.split()).endswith(prefix)
    assert max(map(len, (prefix, start, end))) <= 120
    if start.casefold() in " ".join(before.split()).casefold():
        assert prefix


@given(texts, texts)
def test_words_are_one_line_that_turns_nothing(headline: str, source: str) -> None:
    line = words(article("a", "One.", headline=headline, source=source))
    assert "\n" not in line
    depth = 0
    for character in line:
        depth += (character == "\u2068") - (character == "\u2069")
        assert depth in (0, 1)
        assert character not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067"
    assert depth == 0
