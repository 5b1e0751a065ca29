"""Articles as they are written: valid, safe, with their rights, and read back the same.

The table "not carried" in docs/formats.md says what each format cannot carry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from checkout import GOLDEN, ROOT
from hypothesis import HealthCheck, example, given, settings

from index.article import (
    LIFTED,
    Article,
    Concept,
    Role,
    article_of,
    document_of,
    number_paragraphs,
)
from index.formats import read
from index.rendering import REPRESENTATIONS, representation
from index.settings import Settings
from tests.formats.generated import FREE, articles

FULL = article_of(json.loads((GOLDEN / "written" / "article.json").read_text("utf-8")))
NO_LINKS = Settings()
READ_AS = {"ninjs2": "ninjs", "ninjs3": "ninjs"}
TWO_WAY = [name for name in REPRESENTATIONS if name != "markdown"]


def named(concepts: tuple[Concept, ...]) -> tuple[Concept, ...]:
    return tuple(Concept(name=concept.name) for concept in concepts)


def without(*parts: str) -> Callable[[tuple[Concept, ...]], tuple[Concept, ...]]:
    def changed(concepts: tuple[Concept, ...]) -> tuple[Concept, ...]:
        return tuple(replace(each, **dict.fromkeys(parts)) for each in concepts)

    return changed


SUBJECT_LISTS = ("subjects", "people", "organisations", "places")


def lost(article: Article, *names: str) -> Article:
    """An article without the values of some fields."""
    empty = {
        name: () if isinstance(getattr(article, name), tuple) else None
        for name in names
    }
    return replace(article, **empty)  # type: ignore[arg-type]


def with_roles(article: Article, kept: tuple[Role, ...], *, leading: bool) -> Article:
    """An article in which other paragraphs, or abstracts that come later, are body."""
    rest: list[tuple[Role, str, str | None]] = []
    at_start = True
    for each in article.paragraphs:
        if each.n == 0:
            continue
        at_start = at_start and each.role is Role.ABSTRACT
        is_kept = each.role in kept and (at_start or not leading)
        rest.append((each.role if is_kept else Role.BODY, each.text, None))
    return replace(article, paragraphs=number_paragraphs(article.headline, rest))


def as_newsmlg2(article: Article) -> Article:
    article = lost(article, "story", "correction", "ed_note")
    return replace(
        article,
        type=article.type or "text",
        published=article.published or article.updated,
        updated=article.updated or article.published,
        keywords=named(article.keywords),
        embargoed_until=_unless_lifted(article),
    )


def _unless_lifted(article: Article) -> Any:
    return None if article.embargoed_until == LIFTED else article.embargoed_until


def as_nitf(article: Article) -> Article:
    article = lost(article, "version", "evolved_from", "ed_note")
    byline = article.byline or ""
    # An author whose name is within another's is marked as part of it.
    subjects = sorted(article.subjects, key=lambda each: each.code is None)
    bare = without("uri")
    found = [each.name for each in article.authors if "By our" not in byline and byline]
    if article.status != "usable":
        article = replace(article, embargoed_until=_unless_lifted(article))
    return replace(
        article,
        type="text",
        published=article.published or _unless_lifted(article),
        story=article.slugline,
        authors=tuple(Concept(name=name) for name in found),
        keywords=named(article.keywords),
        genre=named(article.genre),
        subjects=bare(tuple(subjects)),
        people=bare(article.people),
        organisations=bare(article.organisations),
        places=bare(article.places),
    )


def as_schema_org(article: Article) -> Article:
    article = lost(
        article, "type", "slugline", "urgency", "evolved_from", "story", "ed_note"
    )
    lists = ("authors", "people", "organisations", "places", "genre")
    return replace(
        article,
        status="withheld" if article.status == "canceled" else article.status,
        **{name: named(getattr(article, name)) for name in lists},
    )


def as_html(article: Article) -> Article:
    is_uri = re.match(r"[a-z]+:", article.id)
    article_id = article.id if is_uri or article.url is None else article.url
    return replace(as_schema_org(article), id=article_id)


def as_jsonld(article: Article) -> Article:
    return with_roles(as_schema_org(article), (Role.ABSTRACT,), leading=True)


def as_release(article: Article) -> Article:
    article = lost(
        article,
        *("section", "url", "evolved_from", "story", "correction", "ed_note"),
    )
    lists = ("authors", "keywords", "genre", *SUBJECT_LISTS)
    bare = without("scheme")
    return replace(
        article,
        published=article.published or article.updated,
        embargoed_until=_unless_lifted(article),
        **{name: bare(getattr(article, name)) for name in lists},
    )


def as_text(article: Article) -> Article:
    article = lost(article, "ed_note")
    return with_roles(article, (Role.LIST,), leading=False)


CARRIED: dict[str, Callable[[Article], Article]] = {
    "newsmlg2": as_newsmlg2,
    "nitf": as_nitf,
    "jsonld": as_jsonld,
    "html": as_html,
    "ninjs2": as_release,
    "ninjs3": as_release,
    "text": as_text,
    "jsonl": lambda article: article,
    "ninjs": lambda article: replace(
        article,
        published=article.published or article.updated,
        embargoed_until=_unless_lifted(article),
    ),
}


def written(name: str, article: Article, link: Settings = NO_LINKS) -> bytes:
    return representation(name).write(article, link)


def read_back(name: str, data: bytes) -> Article:
    (record,) = read(READ_AS.get(name, name), data)
    assert record.article is not None, (record.error, data)
    return record.article


def check(name: str, article: Article) -> None:
    """Check that what is written is read back as the format carries it."""
    data = written(name, article)
    expected = document_of(CARRIED[name](article))
    document = document_of(read_back(name, data))
    if name not in ("jsonl", "ninjs"):  # what the format says of itself
        expected.pop("extra", None)
        document.pop("extra", None)
    assert document == expected, data.decode()


@pytest.mark.slow
@pytest.mark.parametrize("name", TWO_WAY)
def test_what_is_written_is_read_back_the_same(name: str) -> None:
    @given(articles())
    @settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    def run(article: Article) -> None:
        check(name, article)

    run()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["newsmlg2", "nitf", "html", "ninjs2", "ninjs3"])
def test_any_paragraphs_are_read_back_the_same(name: str) -> None:
    @given(FREE)
    @example([(Role.ABSTRACT, "  Two  spaces\n\n", None), (Role.BODY, "H", None)])
    @example([(Role.BODY, "<p>One.</p>", None), (Role.BODY, "<p>One.</p>", None)])
    @example([(Role.QUOTE, "H", None), (Role.CAPTION, "</article>", "<b>")])
    @settings(max_examples=80, deadline=None)
    def run(paragraphs: list[tuple[Role, str, str | None]]) -> None:
        captions = [
            (role, text, credit if role is Role.CAPTION else None)
            for role, text, credit in paragraphs
        ]
        article = Article(
            id="urn:x",
            headline="H",
            paragraphs=number_paragraphs("H", captions),
            published=FULL.published,
        )
        assert read_back(name, written(name, article)).paragraphs == article.paragraphs

    run()


@pytest.mark.parametrize("name", TWO_WAY)
def test_an_article_that_has_everything_is_read_back(name: str) -> None:
    article = replace(
        FULL,
        headline="Ferry & rail",
        paragraphs=number_paragraphs(
            "Ferry & rail", [(Role.ABSTRACT, "What is shut.", None)]
        ),
        authors=(Concept(name="Ann Berg"),),
        subjects=(Concept(name="Ports", code="11", scheme="cv"),),
    )
    check(name, article)


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_rights_are_in_every_format_and_notes_only_in_records(name: str) -> None:
    text = written(name, FULL).decode()
    assert "Not for archives." in text.replace("\\", "")
    assert "© Desk" in text
    assert ("Check the name." in text) is (name in ("jsonl", "ninjs"))


@pytest.mark.parametrize("name", REPRESENTATIONS)
def test_an_article_without_url_gets_the_link_of_the_settings(name: str) -> None:
    made = Settings(permalink="https://archive.example/{id}")
    text = written(name, replace(FULL, url=None), made).decode()
    unlinked = ("jsonl", "ninjs", "ninjs2", "ninjs3")
    address = "https://archive.example/urn%3Aexample%3Afull"
    assert (address in text) is (name not in unlinked)
    assert "archive.example" not in written(name, FULL, made).decode()


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize(
    "article",
    [
        Article(id="a", headline="H", paragraphs=number_paragraphs("H", [])),
        Article(id="a", paragraphs=number_paragraphs(None, [(Role.LIST, "x", None)])),
        replace(FULL, version="2.9-rc1", embargoed_until=LIFTED),
    ],
    ids=["headline only", "no headline", "odd version"],
)
def test_any_article_can_be_written(name: str, article: Article) -> None:
    data = written(name, article)
    assert data.endswith(b"\n")
    assert representation(name).lines is (name in _LINES)
    if representation(name).lines:
        assert data.count(b"\n") == 1


_LINES = ("jsonl", "ninjs", "jsonld", "ninjs2", "ninjs3")


def test_the_page_says_what_is_not_carried_of_every_format() -> None:
    page = (ROOT / "docs" / "formats.md").read_text("utf-8")
    table = page.split("<!-- not carried -->")[1].split("\n\n")[0]
    said: dict[str, set[str]] = {}
    for row in table.strip().splitlines()[2:]:
        names, fields, _ = (
            re.findall(r"`(\w+)`", cell) for cell in row.split("|")[1:4]
        )
        said |= {name: set(fields) for name in names}
    article = replace(FULL, byline="By Ann Berg and Bo")
    for name in TWO_WAY:
        carried = document_of(CARRIED[name](article))
        gone = document_of(article).keys() - carried.keys()
        if name not in ("jsonl", "ninjs"):
            gone |= {"extra"}
        assert said[name] == gone, name
