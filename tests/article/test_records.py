"""The record of an article: what it refuses, and numbers and keys of paragraphs."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.article import (
    ARTICLE_FIELDS,
    CONCEPT_FIELDS,
    DATE_FIELDS,
    TEXT_FIELDS,
    Article,
    Concept,
    Paragraph,
    Role,
    Status,
    check_id,
    number_paragraphs,
    paragraph_id,
)
from index.errors import InvalidArticle

BODY = [(Role.BODY, "One.", None)]


def article(**values: Any) -> Article:
    values = {"id": "a", "paragraphs": number_paragraphs(None, BODY)} | values
    return Article(**values)


def refused_field(**values: Any) -> str:
    with pytest.raises(InvalidArticle) as caught:
        article(**values)
    return caught.value.field


def paragraph(n: int, role: Role = Role.BODY, text: str = "One.") -> Paragraph:
    return Paragraph(n=n, role=role, text=text, key="k")


def test_an_article_needs_only_an_id_and_a_paragraph() -> None:
    least = article()
    assert (least.status, least.version, least.published) == (Status.USABLE, None, None)


def test_a_headline_alone_is_an_article() -> None:
    only = article(headline="Head", paragraphs=number_paragraphs("Head", ()))
    assert [each.role for each in only.paragraphs] == [Role.HEADLINE]


def test_an_article_does_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        article().id = "b"  # type: ignore[misc]


def test_every_field_has_one_kind() -> None:
    others = {"id", "version", "status", "paragraphs", "urgency", "extra"}
    kinds = [*TEXT_FIELDS, *DATE_FIELDS, *CONCEPT_FIELDS, *others]
    assert sorted(kinds) == sorted(ARTICLE_FIELDS)


@pytest.mark.parametrize(
    "article_id", ["1", "urn:newsml:a.example:20160929:x,1/2", "日本", "x" * 400]
)
def test_ids_are_the_newsrooms_own(article_id: str) -> None:
    assert check_id(article_id) == article_id


@pytest.mark.parametrize(
    "article_id",
    ["", "x" * 401, "a b", "a\u00a0b", "a\n", "a\0", "\u202ea", "a\ud800", " "],
)
def test_an_invalid_id_is_refused(article_id: str) -> None:
    assert refused_field(id=article_id) == "id"


@pytest.mark.parametrize("version", ["", "x" * 101, "a\nb", "\ud800"])
def test_a_version_is_printable(version: str) -> None:
    assert refused_field(version=version) == "version"


@pytest.mark.parametrize("name", TEXT_FIELDS)
@pytest.mark.parametrize("value", ["", " \t", "a\0b", "a\ud800"])
def test_blank_or_broken_text_is_refused(name: str, value: str) -> None:
    assert refused_field(**{name: value}) == name


@pytest.mark.parametrize("tag", ["en", "en-GB", "zh-Hant-TW", "si", "de-CH-1996"])
def test_languages_are_tags(tag: str) -> None:
    assert article(language=tag).language == tag


@pytest.mark.parametrize("tag", ["e", "English please", "en_GB", "en-", "en\n"])
def test_an_invalid_language_tag_is_refused(tag: str) -> None:
    assert refused_field(language=tag) == "language"


@pytest.mark.parametrize(
    "urgency", [0, 10, -1, 10**5000], ids=["none", "ten", "minus", "huge"]
)
def test_urgency_is_1_to_9(urgency: int) -> None:
    assert refused_field(urgency=urgency) == "urgency"


@pytest.mark.parametrize("name", DATE_FIELDS)
def test_instants_are_aware_utc(name: str) -> None:
    assert refused_field(**{name: datetime(2016, 9, 29)}) == name
    elsewhere = timezone(timedelta(hours=2))
    assert refused_field(**{name: datetime(2016, 9, 29, tzinfo=elsewhere)}) == name
    moment = datetime(2016, 9, 29, tzinfo=UTC)
    assert getattr(article(**{name: moment}), name) == moment


@pytest.mark.parametrize(
    ("headline", "paragraphs"),
    [
        (None, ()),
        ("Head", (paragraph(1),)),
        ("Head", (paragraph(0), paragraph(1))),
        ("Head", (paragraph(0, Role.HEADLINE, "Other"), paragraph(1))),
        (None, (paragraph(0, Role.HEADLINE, "Head"),)),
        (None, (paragraph(1), paragraph(3))),
        (None, (paragraph(1), paragraph(2, Role.HEADLINE))),
        (None, (paragraph(1, text="  "),)),
        (None, (paragraph(1, text="a\0"),)),
        (None, (paragraph(1)._replace(credit="a\ud800"),)),
    ],
)
def test_paragraphs_are_numbered_from_the_headline(
    headline: str | None, paragraphs: tuple[Paragraph, ...]
) -> None:
    assert refused_field(headline=headline, paragraphs=paragraphs) == "paragraphs"


@pytest.mark.parametrize("name", ["", "  ", "a\0", "a\ud800"])
def test_a_concept_needs_a_name(name: str) -> None:
    with pytest.raises(InvalidArticle):
        Concept(name=name)


def test_paragraphs_are_numbered_without_the_blank_ones() -> None:
    numbered = number_paragraphs(
        "Head",
        [
            (Role.ABSTRACT, "Short.", None),
            (Role.BODY, " ", None),
            (Role.CAPTION, "Picture.", "Desk"),
        ],
    )
    assert [(each.n, each.role, each.text, each.credit) for each in numbered] == [
        (0, Role.HEADLINE, "Head", None),
        (1, Role.ABSTRACT, "Short.", None),
        (2, Role.CAPTION, "Picture.", "Desk"),
    ]


@pytest.mark.parametrize("headline", [None, "", "  "])
def test_without_a_headline_numbers_start_at_1(headline: str | None) -> None:
    assert [each.n for each in number_paragraphs(headline, BODY * 2)] == [1, 2]


TEXTS = st.lists(st.sampled_from(["One.", "Two.", "Three."]), max_size=8)


def keyed(*texts: str) -> list[str]:
    rest = [(Role.BODY, text, None) for text in texts]
    return [each.key for each in number_paragraphs(None, rest)]


@pytest.mark.slow
@given(TEXTS)
def test_keys_are_unique_in_an_article(texts: list[str]) -> None:
    keys = keyed(*texts)
    assert len(set(keys)) == len(keys)


@pytest.mark.slow
@given(TEXTS, TEXTS)
def test_keys_survive_edits_elsewhere(before: list[str], after: list[str]) -> None:
    (key,) = keyed("Kept.")
    assert keyed(*before, "Kept.", *after)[len(before)] == key


def test_a_key_belongs_to_role_and_text() -> None:
    rest = [(role, "Same.", None) for role in (Role.BODY, Role.QUOTE)]
    assert len({each.key for each in number_paragraphs("Same.", rest)}) == 3


def test_a_paragraphs_id_is_its_articles_and_its_number() -> None:
    assert paragraph_id("urn:a#b", 3) == "urn:a#b#p3"
