"""The JSON form of an article: writing, reading, hashing, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.article import (
    CONCEPT_FIELDS,
    DATE_FIELDS,
    LIFTED,
    Article,
    Concept,
    Role,
    Status,
    article_of,
    concepts_of,
    content_digest,
    content_json,
    document_of,
    status_of,
)
from index.article.document import STATUS_WORDS
from index.errors import InvalidArticle


def read(**fields: Any) -> Article:
    return article_of({"id": "a", "paragraphs": ["One."]} | fields)


def digest(article: Article) -> str:
    return content_digest(content_json(article))


def refused_field(**fields: Any) -> str:
    with pytest.raises(InvalidArticle) as caught:
        read(**fields)
    return caught.value.field


def test_an_article_is_written_with_the_names_of_its_record() -> None:
    article = read(
        version="2",
        headline="Head",
        keywords=["fuel", {"name": "Oil", "code": "medtop:1"}],
        published="2016-09-29T20:00:00+05:30",
        paragraphs=["One.", {"text": "Pic.", "role": "caption", "credit": "Desk"}],
        desk="foreign",
    )
    document = document_of(article)
    keys = [paragraph.pop("key") for paragraph in document["paragraphs"]]
    assert len(set(keys)) == 3
    assert document == {
        "id": "a",
        "version": "2",
        "status": "usable",
        "headline": "Head",
        "keywords": ["fuel", {"name": "Oil", "code": "medtop:1"}],
        "published": "2016-09-29T14:30:00Z",
        "paragraphs": [
            {"n": 0, "role": "headline", "text": "Head"},
            {"n": 1, "role": "body", "text": "One."},
            {"n": 2, "role": "caption", "text": "Pic.", "credit": "Desk"},
        ],
        "extra": {"desk": "foreign"},
    }


WORDS = st.text(st.sampled_from("aé日 .\n\u0301<"), max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3)
    ),
    max_leaves=6,
).filter(lambda value: "Infinity" not in json.dumps(value))
CONCEPTS = st.lists(
    st.sampled_from(["fuel", " fuel ", ""])
    | st.fixed_dictionaries(
        {"name": st.sampled_from(["fuel", "oil"])},
        optional={"code": st.sampled_from(["c1", "", None]), "uri": st.just("u")},
    ),
    max_size=4,
)
PARAGRAPHS = st.lists(
    WORDS
    | st.fixed_dictionaries(
        {"text": WORDS, "role": st.sampled_from([r for r in Role if r != "headline"])},
        optional={"credit": st.sampled_from(["Desk", None, ""])},
    ),
    max_size=5,
).map(lambda texts: [*texts, "Last."])
DOCUMENTS = st.fixed_dictionaries(
    {"id": st.just("a"), "paragraphs": PARAGRAPHS},
    optional={
        "version": st.sampled_from(["1", 2, " 3 ", None]),
        "status": st.sampled_from([*STATUS_WORDS, "stat:canceled", "Killed"]),
        "headline": WORDS,
        "section": WORDS,
        "urgency": st.sampled_from([1, "5", 9]),
        "published": st.datetimes(timezones=st.just(UTC)).map(str),
        "extra": st.dictionaries(WORDS, JSON, max_size=3),
        "unknown": JSON,
    }
    | dict.fromkeys(CONCEPT_FIELDS, CONCEPTS),
)


@pytest.mark.slow
@given(DOCUMENTS)
def test_a_written_article_is_read_back_unchanged(document: dict[str, Any]) -> None:
    article = article_of(document)
    through_json = json.loads(json.dumps(document_of(article)))
    assert article_of(through_json) == article
    assert (
        article_of(json.loads(content_json(article)) | version_of(article)) == article
    )


def version_of(article: Article) -> dict[str, Any]:
    return {} if article.version is None else {"version": article.version}


@pytest.mark.slow
@given(DOCUMENTS)
def test_the_digest_depends_on_content_not_on_order_or_version(
    document: dict[str, Any],
) -> None:
    article = article_of(document)
    turned = dict(reversed(document.items())) | {"version": "77"}
    assert digest(article_of(turned)) == digest(article)
    assert digest(article_of(document | {"byline": "By A"})) != digest(article)


def test_the_digest_is_the_same_in_every_release() -> None:
    # A store written by an older release compares new content with such digests.
    assert digest(read(headline="Café", published="2016-09-29", x=[1.5, None])) == (
        "8cc744d6756417b7b0484982b22f69e569480dbf2bf4807346b91cbfafe49c08"
    )


def test_content_that_is_not_json_is_refused() -> None:
    for value in (float("inf"), object(), "\udfff", {1: 1, "a": 2}):
        article = Article(id="a", paragraphs=read().paragraphs, extra={"x": value})
        with pytest.raises(InvalidArticle) as caught:
            content_json(article)
        assert caught.value.field == "extra"


def test_unknown_names_are_kept_and_blank_values_are_not() -> None:
    article = read(desk="foreign", note="", byline=" ", extra={"id": "x"}, list=[])
    assert article.extra == {"desk": "foreign", "id": "x"}
    assert article.byline is None


def test_an_article_needs_an_id() -> None:
    with pytest.raises(InvalidArticle) as caught:
        article_of({"paragraphs": ["One."]})
    assert caught.value.field == "id"
    assert read(id=17).id == "17"


@pytest.mark.parametrize("headline", ["Head", None])
def test_a_headline_may_come_as_the_first_paragraph(headline: str | None) -> None:
    first = {"text": "Head", "role": "headline"}
    article = read(headline=headline, paragraphs=[first, "One."])
    assert article.headline == "Head"
    assert [each.n for each in article.paragraphs] == [0, 1]


@pytest.mark.parametrize(
    "paragraphs",
    [
        "One.",
        [1],
        [{"role": "body"}],
        [{"text": 1}],
        [{"text": "x", "role": "footer"}],
        [{"text": "x", "role": 3}],
        [{"text": "x", "role": "caption", "credit": 3}],
        [{"text": "Other", "role": "headline"}],
        ["One.", {"text": "Head", "role": "headline"}],
        ["a\0"],
        ["  "],
    ],
)
def test_invalid_paragraphs_are_refused(paragraphs: object) -> None:
    headline = None if paragraphs == ["  "] else "Head"
    assert refused_field(headline=headline, paragraphs=paragraphs) == "paragraphs"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("usable", Status.USABLE),
        ("stat:usable", Status.USABLE),
        ("Withheld", Status.WITHHELD),
        ("unpublished", Status.WITHHELD),
        ("cancelled", Status.CANCELED),
        ("stat:canceled", Status.CANCELED),
        (" KILLED ", Status.CANCELED),
        ("recalled", Status.CANCELED),
    ],
)
def test_newsroom_words_for_a_status(word: str, status: Status) -> None:
    assert status_of(word) is status


@pytest.mark.parametrize("word", ["published", "draft", "ok", 1, True, ["usable"]])
def test_an_unknown_status_is_never_taken_for_usable(word: object) -> None:
    assert refused_field(status=word) == "status"


def test_concepts_get_their_best_name_and_are_not_repeated() -> None:
    assert concepts_of(
        "subjects",
        [
            " fuel ",
            "fuel",
            "",
            None,
            {"name": "", "code": "medtop:1"},
            {"uri": "http://a.example/1"},
            {"name": "Oil", "code": 7, "scheme": "s"},
        ],
    ) == (
        Concept(name="fuel"),
        Concept(name="medtop:1", code="medtop:1"),
        Concept(name="http://a.example/1", uri="http://a.example/1"),
        Concept(name="Oil", code="7", scheme="s"),
    )
    assert concepts_of("places", "Kandy") == (Concept(name="Kandy"),)
    assert concepts_of("places", {"name": "Kandy"}) == (Concept(name="Kandy"),)


@pytest.mark.parametrize("value", [[1], [{}], [{"scheme": "s"}], [{"name": [1]}], 5])
def test_an_invalid_concept_is_refused(value: object) -> None:
    assert refused_field(people=value) == "people"


@pytest.mark.parametrize(
    "fields",
    [
        {"headline": 1.5},
        {"byline": ["By A"]},
        {"version": True},
        {"version": "a\nb"},
        {"urgency": "high"},
        {"urgency": 2.0},
        {"urgency": True},
        {"urgency": "12345678901"},
        {"urgency": 10},
        {"extra": "text"},
        {"language": "English, mostly"},
    ],
)
def test_a_field_of_the_wrong_kind_is_named(fields: dict[str, Any]) -> None:
    assert refused_field(**fields) == next(iter(fields))


@pytest.mark.parametrize("urgency", [5, "5", " 5 ", "          5", "05"])
def test_urgency_may_be_written_as_text(urgency: object) -> None:
    assert read(urgency=urgency).urgency == 5


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [float("nan"), [float("inf")], {"a": "\ud800"}, {"\ud800": 1}, nested(70)],
    ids=["nan", "infinity", "a surrogate", "in a name", "too deep"],
)
def test_a_value_that_json_cannot_express_is_refused(value: object) -> None:
    assert refused_field(anything=value) == "extra"


@pytest.mark.parametrize("name", DATE_FIELDS)
def test_a_date_in_another_notation_is_an_error(name: str) -> None:
    assert refused_field(**{name: "soon"}) == name
    assert refused_field(**{name: "Thu, 29 Sep 2016 14:30:00 GMT"}) == name
    assert refused_field(**{name: ["2016"]}) == name


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_blank_embargo_is_lifted(value: str | None) -> None:
    document = {"id": "a", "paragraphs": ["One."], "embargoed_until": value}
    assert article_of(document).embargoed_until == LIFTED


def test_milliseconds_are_not_a_date() -> None:
    assert refused_field(published=1310121530000) == "published"


def test_dates_become_utc() -> None:
    article = read(published="2016-09-29T20:00:00+05:30", updated="2016-09-29")
    assert article.published == datetime(2016, 9, 29, 14, 30, tzinfo=UTC)
    assert article.updated == datetime(2016, 9, 29, tzinfo=UTC)
