"""An article read from ninjs and written as ninjs is read back as the same article."""

from __future__ import annotations

import json
from typing import Any

import pytest
from checkout import GOLDEN
from hypothesis import example, given, settings
from hypothesis import strategies as st

from index.article import Article, Paragraph, Role, article_of, number_paragraphs
from index.formats import FORMATS, read, roles
from index.formats.ninjs import properties, writing

ARTICLE = GOLDEN / "written" / "article.json"
EXPECTED = ARTICLE.with_name("article.ninjs")
NINJS = FORMATS["ninjs"]

WORDS = st.sampled_from(
    [
        *("Ferry strike", "  two  spaces ", "A <headline>", "5 < 6 & on", "Q&amp;A"),
        *("<p>One.</p><p>Two &amp; more.</p>", "<h1>Ferry strike</h1><p>Body</p>"),
        *(
            "Line\nline\n\nPara",
            "http://cv.example/1",
            " ",
            "<p></p>",
            "- item",
            "é\u2028",
        ),
    ]
) | st.text(min_size=1, max_size=8)
DATES = st.sampled_from(["2024-01-01T10:00:00Z", "2024-02-02T00:00:00+02:00", "soon"])
PARTS = ("name", "code", "literal", "qcode", "scheme", "uri", "rel", "x")
CONCEPTS = WORDS | st.dictionaries(
    st.sampled_from(PARTS), WORDS | st.sampled_from(["author", "about"]), max_size=4
)
ROLES = ("main", "html", "caption", "creditline", "writer", "short", "Text", "")
KINDS = ("text/plain", "text/html", "application/xml")
LISTED = WORDS | st.fixed_dictionaries(
    {"value": WORDS},
    optional={
        "role": st.sampled_from(ROLES),
        "contentType": st.sampled_from(KINDS),
        "x": WORDS,
    },
)
ODD = st.none() | st.integers(-9, 99) | st.lists(WORDS, max_size=2) | WORDS
PICTURE = st.fixed_dictionaries(
    {"type": st.just("picture")},
    optional={
        "description_text": WORDS,
        "byline": WORDS,
        "ednote": WORDS,
        "pubstatus": st.sampled_from(["usable", "withheld"]),
    },
)


def spelt(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from([name, name.upper(), name.capitalize()])


def item_properties() -> st.SearchStrategy[tuple[str, Any]]:
    """One property of an item, with a usual or an odd value."""
    strategies = []
    for table, values in (
        (properties.TEXTS, WORDS | ODD),
        (properties.DATES, DATES),
        (properties.CONCEPTS, st.lists(CONCEPTS, max_size=3) | ODD),
        (properties.NAMES, st.lists(CONCEPTS, max_size=2) | CONCEPTS | ODD),
    ):
        for target, names in table.items():
            # Items always have these, or have valid ones.
            if target in ("id", "type", "status", "embargoed_until", "expires"):
                continue
            # An editor's note is text: the notes of pictures are joined to it.
            value = WORDS if target == "ed_note" else values
            strategies += [st.tuples(spelt(name), value) for name in names]
    for name in ("headline", "description", "body"):
        for ending in ("", "_text", "_xhtml", "_caption", "_short"):
            strategies.append(st.tuples(spelt(name + ending), WORDS | ODD))
    for name in ("headlines", "descriptions", "bodies"):
        strategies.append(st.tuples(spelt(name), st.lists(LISTED, max_size=3) | LISTED))
    for name in ("title", "name", "eventName", "renditions", "x_desk", "charCount"):
        strategies.append(st.tuples(st.just(name), ODD))
    strategies.append(
        st.tuples(
            spelt("associations"),
            st.lists(PICTURE, max_size=2) | st.dictionaries(WORDS, PICTURE, max_size=2),
        )
    )
    return st.one_of(strategies)


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    # Names that differ in case only are one property, so only the last is taken.
    return dict({name.lower(): (name, value) for name, value in members}.values())


ITEMS = st.builds(
    lambda fixed, members: {**_once(members), **fixed},
    st.fixed_dictionaries(
        {"uri": st.just("urn:x:1")},
        optional={
            "guid": st.just("urn:x:2"),
            "pubstatus": st.sampled_from(["usable", "withheld", "canceled"]),
            "embargoed": DATES.filter(lambda each: each != "soon"),
            "expires": DATES.filter(lambda each: each != "soon"),
            "type": st.sampled_from(["text", "picture", "Video"]),
        },
    ),
    st.lists(item_properties(), max_size=10),
)


def article_in(data: bytes) -> Article | None:
    (record,) = read("ninjs", data)
    return record.article


@pytest.mark.slow
@given(ITEMS)
@example({"uri": "u", "byline": " ", "by": "Ann", "headline": "H"})
@example({"uri": "u", "guid": "g", "headline": "H", "title": "T", "name": "N"})
@example({"uri": "u", "headline": "H", "subjects": [{"name": "A", "rel": "about"}]})
@example({"uri": "u", "bodies": {"value": "<p>One.</p>"}, "body_text": "Other."})
@example({"uri": "u", "headline": "H", "source": "A", "infosources": ["A"]})
@example({"uri": "u", "headline": "H", "source": ["A"], "infosource": [{"name": "A"}]})
@settings(max_examples=300)
def test_ninjs_is_written_as_ninjs_and_read_back_the_same(
    sent: dict[str, Any],
) -> None:
    try:
        data = json.dumps(sent).encode()
    except UnicodeEncodeError:
        return
    first = article_in(data)
    if first is not None:
        assert NINJS.write is not None
        assert article_in(NINJS.write(first)) == first


def written(article: Article) -> dict[str, Any]:
    assert NINJS.write is not None
    item: dict[str, Any] = json.loads(NINJS.write(article))
    return item


def test_an_article_is_written_as_expected() -> None:
    article = article_of(json.loads(ARTICLE.read_text("utf-8")))
    assert written(article) == json.loads(EXPECTED.read_text("utf-8"))
    assert article_in(EXPECTED.read_bytes()) == article


ROLED = st.lists(
    st.tuples(
        st.sampled_from([each for each in Role if each is not Role.HEADLINE]),
        st.text(
            st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
            min_size=1,
        ).filter(str.strip),
        st.none() | st.sampled_from(['A "B" & <C>', "Desk/Ana"]),
    ),
    max_size=5,
)


@pytest.mark.slow
@given(ROLED)
def test_paragraphs_as_html_are_read_exactly(
    parts: list[tuple[Role, str, str | None]],
) -> None:
    paragraphs = number_paragraphs(None, parts)
    document = roles.read(roles.write(paragraphs))
    assert document is not None
    assert [(each["role"], each["text"], each.get("credit")) for each in document] == [
        (each.role, each.text, each.credit) for each in paragraphs
    ]


@pytest.mark.parametrize(
    "change",
    [
        ("<p data-role", "<p class=x data-role"),
        ('data-role="body"', 'data-role="headline"'),
        ("One.", "<b>One.</b>"),
        ("</article>", "</article><p>More.</p>"),
    ],
)
def test_html_that_somebody_changed_is_read_as_any_html(
    change: tuple[str, str],
) -> None:
    paragraph = Paragraph(n=1, role=Role.BODY, text="One.", key="")
    text = roles.write([paragraph])
    assert roles.read(text) is not None
    assert roles.read(text.replace(*change)) is None
    article = article_in(
        json.dumps({"uri": "u", "body_html": text.replace(*change)}).encode()
    )
    assert article is not None
    assert article.paragraphs[0].text == "One."


def test_extra_never_replaces_a_field() -> None:
    """Whoever imports the item must not show an article that we withhold."""
    document = {
        "id": "ours",
        "status": "withheld",
        "embargoed_until": "2099-01-01T00:00:00Z",
        "expires": "2099-02-01T00:00:00Z",
        "headline": "H",
        "extra": {
            "guid": "theirs",
            "URI": "theirs",
            "PubStatus": "usable",
            "embargoeduntil": "2001-01-01",
            "embargoed": "2001-01-01",
            "expires": "2199-01-01",
        },
    }
    article = article_of(document)
    read_back = article_in(json.dumps(written(article)).encode())
    assert read_back is not None
    for name in ("id", "status", "embargoed_until", "expires", "headline"):
        assert getattr(read_back, name) == getattr(article, name)


@pytest.mark.parametrize("value", ["soon", {"at": "noon"}, ["2099-01-01"], 7, False])
def test_an_unreadable_embargo_in_extra_does_not_prevent_writing(
    value: object,
) -> None:
    article = article_of(
        {
            "id": "ours",
            "embargoed_until": "2099-01-01T00:00:00Z",
            "expires": "2099-02-01T00:00:00Z",
            "headline": "H",
            "extra": {"embargoedUntil": value, "EXPIRES": value},
        }
    )
    read_back = article_in(json.dumps(written(article)).encode())
    assert read_back is not None
    assert read_back.embargoed_until == article.embargoed_until
    assert read_back.expires == article.expires


def test_a_concept_with_more_than_we_model_is_written_once() -> None:
    people = [{"name": "Ann", "rel": "author"}, {"name": "Bo", "rel": "about"}]
    article = article_in(
        json.dumps({"uri": "u", "headline": "H", "people": people}).encode()
    )
    assert article is not None
    assert writing.item_of(article)["people"] == people
    assert "authors" not in writing.item_of(article)
