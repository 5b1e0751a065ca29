"""Statuses of other systems: whatever holds an article back wins."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.access import Validity, published_form
from index.article import Article, Status
from index.article.document import STATUS_WORDS
from index.formats import Read, ReadOptions
from index.formats.detection import read_parsed
from index.formats.statuses import WORDS


def article_of(**properties: Any) -> Article | None:
    """Article of a record; ``None`` if it is refused."""
    (record,) = read_parsed("jsonl", {"id": "a", "title": "T"} | properties, lambda: "")
    return record.article


USABLE = ["usable", "publish", "Published", None, ""]
HELD: list[dict[str, Any]] = [
    *({"status": word} for word in ("draft", "pending", "private", "trash")),
    *({"status": word} for word in ("auto-draft", "auto_draft", "inherit", "sent")),
    *({"pubStatus": word} for word in ("withheld", "draft")),
    *({"visibility": word} for word in ("members", "paid", "tiers", "private", 3)),
    *({"visibility": word} for word in ("nobody-knows", False, ["public"])),
    *({"password": word} for word in ("sesame", 5)),
    *({name: True} for name in ("draft", "is_draft", "isPrivate", "hidden", "deleted")),
    *({name: False} for name in ("published", "is_published", "isPublic")),
    {"draft": "perhaps"},
    *({"state": word} for word in ("draft", "Pending", "killed")),
    *({name: "draft"} for name in ("moderation_state", "workflowState")),
    *({name: no} for name in ("live", "visible", "public") for no in (False, 0, "0")),
    *({name: True} for name in ("is_members_only", "is_embargoed", "under_embargo")),
    *({"content": {"rendered": "", "protected": yes}} for yes in (1, "true")),
    {"status": "scheduled", "created_at": "2019-01-01T00:00:00Z"},
    {"content": {"rendered": "", "protected": True}},
    {"status": "future"},
    {"fields": {"status": "draft"}},
    {"attributes": {"status": "draft"}},
]


@pytest.mark.parametrize("word", USABLE)
def test_words_for_usable(word: Any) -> None:
    article = article_of(status=word)
    assert article is not None
    assert article.status is Status.USABLE
    assert article.embargoed_until is None


@pytest.mark.parametrize("properties", HELD, ids=str)
def test_what_holds_an_article_back(properties: dict[str, Any]) -> None:
    article = article_of(**properties)
    assert article is not None
    assert article.status is Status.WITHHELD


@given(
    st.sampled_from(HELD),
    st.sampled_from(USABLE),
    st.sampled_from(["status", "pubstatus", "post_status"]),
    st.booleans(),
)
def test_the_stricter_of_two_wins(
    held: dict[str, Any], word: Any, name: str, first: bool
) -> None:
    others = {name: word} if name not in held else {"visibility": "public"}
    if "visibility" in held:
        others.pop("visibility", None)
    article = article_of(**(others | held if first else held | others))
    assert article is None or article.status is not Status.USABLE


@given(st.text(max_size=12) | st.integers() | st.floats(allow_nan=False))
def test_an_unknown_word_never_shows_an_article(word: Any) -> None:
    letters = "".join(c for c in str(word).lower() if c not in "-_" and not c.isspace())
    known = letters.removeprefix("stat:") in {*WORDS, *STATUS_WORDS, ""}
    if not known:
        assert article_of(status=word) is None


def test_a_scheduled_article_is_embargoed_until_the_later_date() -> None:
    day = {"date": "2034-03-05T10:00:00Z"}
    for others, hour in [
        ({}, 10),
        ({"embargoed_until": None}, 10),
        ({"embargoed_until": "2034-03-05T09:00:00Z"}, 10),
        ({"embargoed_until": "2034-03-05T12:00:00Z"}, 12),
        ({"date_gmt": "2034-03-05T11:00:00"}, 11),
    ]:
        article = article_of(status="future", **day, **others)
        assert article is not None
        assert article.embargoed_until is not None
        assert article.embargoed_until.hour == hour
    article = article_of(status="future", date="some day")
    assert article is not None
    assert article.status.value == "withheld"


def test_the_password_of_a_post_is_not_kept_for_readers() -> None:
    post = {"password": "sesame", "post_password": "sesame"}
    article = article_of(**post, fields=post)
    assert article is not None
    assert "sesame" not in str(article)


def test_canceled_is_stricter_than_withheld() -> None:
    article = article_of(status="killed", visibility="members", draft=True)
    assert article is not None
    assert article.status is Status.CANCELED


SHOWN: list[dict[str, Any]] = [
    *({"state": word} for word in ("Bavaria", "published", 7)),
    *({name: "https://news.example/a"} for name in ("live", "public")),
    {"embargo_reason": "until the vote is over"},
]


@pytest.mark.parametrize("properties", SHOWN, ids=str)
def test_what_only_looks_like_a_flag_holds_nothing_back(
    properties: dict[str, Any],
) -> None:
    article = article_of(**properties)
    assert article is not None
    assert article.status is Status.USABLE


def ninjs(**properties: Any) -> Read:
    """Record of a ninjs item."""
    item = {"uri": "a", "headline": "T", "versioncreated": "2026-05-01T10:00:00Z"}
    (record,) = read_parsed("ninjs", item | properties, lambda: "")
    return record


@pytest.mark.parametrize(
    "properties",
    [
        {"status": "draft"},
        {"visibility": "private"},
        {"draft": True},
        {"post_password": "sesame"},
        {"pubstatus": "usable", "state": "killed"},
    ],
    ids=str,
)
def test_an_item_of_ninjs_is_held_back_as_any_record(
    properties: dict[str, Any],
) -> None:
    article = ninjs(**properties).article
    assert article is not None
    assert article.status is Status.WITHHELD
    assert "sesame" not in str(article)


@pytest.mark.parametrize("name", ["embargo", "embargo_until", "embargoDate"])
@pytest.mark.parametrize("form", ["jsonl", "ninjs"])
def test_an_embargo_is_read_under_other_names(form: str, name: str) -> None:
    until = {name: "2035-01-01T00:00:00Z"}
    article = article_of(**until) if form == "jsonl" else ninjs(**until).article
    assert article is not None
    assert article.embargoed_until == datetime(2035, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("form", ["jsonl", "ninjs"])
def test_a_date_whose_name_speaks_of_an_embargo_refuses(form: str) -> None:
    item = {"id": "a", "title": "T"} if form == "jsonl" else {"uri": "a"}
    item |= {"press_embargo_lift": "2035-01-01"}
    (record,) = read_parsed(form, item, lambda: "")
    assert "--map press_embargo_lift=embargoed_until" in str(record.error)


@pytest.mark.parametrize(
    "restriction",
    [
        {"status": "draft"},
        {"visibility": "private"},
        {"embargo": "2035-01-01"},
        {"draft": True},
    ],
    ids=str,
)
def test_a_wrapper_that_holds_its_records_back_is_refused(
    restriction: dict[str, Any],
) -> None:
    value = {**restriction, "posts": [{"id": "a", "title": "T"}]}
    (record,) = read_parsed("jsonl", value, lambda: json.dumps(value))
    assert "of its own" in str(record.error)
    given = ReadOptions(records="posts")
    (record,) = read_parsed("jsonl", value, lambda: json.dumps(value), given)
    assert record.article is not None


@pytest.mark.parametrize("name", ["ed_note", "editors_note", "ed-note", "EditorNote"])
def test_a_second_note_to_editors_is_not_public(name: str) -> None:
    article = article_of(**{"ed_note": "one", name: "do not name him"})
    assert article is not None
    public = published_form(article, Validity(datetime(2026, 5, 1, tzinfo=UTC)))
    assert "name him" not in str(public)
