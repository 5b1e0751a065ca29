"""The page of an article's versions: the list, and the difference of any two."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from archives import index, put
from flask.testing import FlaskClient
from page_markup import Page, plain

from index.access import Scope
from index.archive import Archive
from service import create_app


@pytest.fixture
def ferry(archive: Archive, client: FlaskClient) -> FlaskClient:
    """A client of an archive with an article in three versions."""
    for text, more in (
        ("A ferry sank at dawn.", {}),
        ("A ferry sank off Eastport at dawn.", {"people": ["Ana Berg"]}),
        ("A ferry sank off Eastport.", {"section": "News", "headline": "Ferry lost"}),
    ):
        put(archive, "a", text, "It was raised.", **more)
    index(archive)
    return client


def versions(page: Page) -> list[str]:
    return page.texts("tbody//th[@scope='row']/a")


def sides(page: Page, of: str) -> list[str]:
    return [plain(side) for side in page.by_class(of, "div")]


def chosen(page: Page, name: str) -> list[str]:
    return [
        each.get("value")
        for each in page.all(f"input[@name='{name}']")
        if each.get("checked") is not None
    ]


def test_an_article_with_one_version_has_no_link_to_them(
    archive: Archive, client: FlaskClient
) -> None:
    put(archive, "a")
    assert "Versions and what changed" not in Page(client.get("/articles/a")).texts("a")
    page = Page(client.get("/versions?id=a"))
    assert versions(page) == ["1"]
    assert page.all("section") == []


def test_versions_are_listed_and_the_last_two_compared(ferry: FlaskClient) -> None:
    link = Page(ferry.get("/articles/a?q=ferry")).link("Versions and what changed")
    page = Page(ferry.get(link))
    assert versions(page) == ["3", "2", "1"]
    (current,) = page.by_class("is-current", "tr")
    assert "Current" in plain(current)
    assert (chosen(page, "old"), chosen(page, "new")) == (["2"], ["3"])
    assert page.link("← Back to the article") == "/articles/a?q=ferry"
    assert page.link("1") == "/articles/a?version=1&q=ferry"


def test_any_two_are_compared_word_by_word(ferry: FlaskClient) -> None:
    page = Page(ferry.get("/versions?id=a&old=1&new=2"))
    assert page.text("h2") == "From version 1 to 2"
    assert "A ferry sank at dawn." in sides(page, "old")
    assert "A ferry sank off Eastport at dawn." in sides(page, "new")
    assert "off Eastport" in " ".join(page.texts("ins"))
    assert page.texts("section//td//ins") == ["Ana Berg"]
    back = Page(ferry.get("/versions?id=a&old=2&new=1"))
    assert back.texts("section//td//del") == ["Ana Berg"]


def test_the_difference_is_that_of_the_api(ferry: FlaskClient) -> None:
    answer = ferry.get("/v1/articles/a/diff?from=1&to=3").json
    page = Page(ferry.get("/versions?id=a&old=1&new=3"))
    for name in ("from", "to"):
        texts = [each[name]["text"] for each in answer["paragraphs"] if each[name]]
        assert sides(page, {"from": "old", "to": "new"}[name]) == texts
    names = {row["name"].capitalize() for row in answer["fields"]}
    shown = set(page.texts("section//tbody//th"))
    # The headline is shown as the first of the paragraphs.
    assert names - {"Headline"} == shown


def test_two_that_are_the_same_say_so(ferry: FlaskClient) -> None:
    page = Page(ferry.get("/versions?id=a&old=2&new=2"))
    assert plain(page.by_class("notice", "p")[0]) == "These two are the same."


def test_unchanged_paragraphs_are_folded(archive: Archive, client: FlaskClient) -> None:
    for word in ("one", "two"):
        put(archive, "a", f"It was {word}.", *(f"Paragraph {n}." for n in range(9)))
    page = Page(client.get("/versions?id=a"))
    assert "9 unchanged paragraphs" in page.texts("section//summary")


def test_a_paragraph_that_moved_or_changed_its_role_says_so(
    archive: Archive, client: FlaskClient
) -> None:
    long = [f"Paragraph with words of its own, number {n}." for n in range(4)]
    put(archive, "a", "A line of seven words to be moved.", *long)
    put(archive, "a", *long, "A line of seven words to be moved.")
    notes = [
        plain(note)
        for note in Page(client.get("/versions?id=a")).by_class("change-note", "p")
    ]
    assert notes == ["Moved to paragraph 5", "Moved from paragraph 1"]
    put(archive, "b", "The same words here.")
    put(archive, "b", {"role": "quote", "text": "The same words here."})  # type: ignore[arg-type]
    page = Page(client.get("/versions?id=b"))
    assert [plain(note) for note in page.by_class("became", "p")] == [
        "Body became quote"
    ]


def test_a_long_list_comes_in_pages_that_keep_the_chosen_two(
    archive: Archive, client: FlaskClient
) -> None:
    for number in range(53):
        put(archive, "a", f"Text {number}.")
    first = Page(client.get("/versions?id=a&old=52&new=53"))
    assert len(versions(first)) == 50
    second = Page(client.get(first.link("Older versions")))
    assert versions(second) == ["53", "52", "3", "2", "1"]
    assert (chosen(second, "old"), chosen(second, "new")) == (["52"], ["53"])
    assert versions(Page(client.get(second.link("Newest versions")))) == versions(first)


def test_versions_too_long_to_compare_are_listed(
    archive: Archive, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.history.difference.MOST_PARAGRAPHS", 3)
    for text in ("One.", "Two."):
        put(archive, "a", text)
    page = Page(client.get("/versions?id=a"))
    assert page.status == 200
    assert versions(page) == ["2", "1"]
    assert plain(page.by_class("notice", "p")[0]) == (
        "They are too long to compare. Paragraphs: at most 3, not 4."
    )


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("id=none", 404, "article_not_found"),
        ("id=a&old=9", 404, "article_not_found"),
        ("id=a&new=9", 404, "article_not_found"),
        ("id=", 400, "invalid_id"),
        ("", 400, "invalid_value"),
        ("id=a&nope=1", 400, "unknown_parameter"),
    ],
)
def test_what_is_not_there_is_a_problem(
    ferry: FlaskClient, query: str, status: int, code: str
) -> None:
    page = Page(ferry.get(f"/versions?{query}"))
    assert (page.status, page.one("main").get("data-code")) == (status, code)


def test_the_versions_of_a_killed_article_are_its_notice(
    ferry: FlaskClient, archive: Archive
) -> None:
    archive.kill("a", note="Wrong ship")
    page = Page(ferry.get("/versions?id=a"))
    assert page.status == 410
    assert "Wrong ship" in page.text("main")
    assert "Eastport" not in page.source


def test_texts_of_versions_stay_text(archive: Archive, client: FlaskClient) -> None:
    evil = "<script>alert(1)</script> </del>\u202eevil"
    for text in ("One", "Two"):
        put(
            archive,
            "a",
            f"{text} {evil}",
            headline=f"{text} {evil}",
            section=f"{text}{evil}",
        )
    page = Page(client.get("/versions?id=a"))
    assert list(page.foreign()) == []
    for tag in ("del", "ins"):
        assert all("evil" not in text for text in page.texts(f"p//{tag}"))


# Keys that may and may not.


def test_a_key_sees_the_versions_that_the_api_shows_it(
    archive: Archive, index_now: Callable[[], None]
) -> None:
    put(archive, "a", "Public words.")
    put(archive, "a", "Secret words.", status="withheld")
    put(archive, "a", "Later words.", status="usable")
    put(archive, "held", "Held words.", embargoed_until="2999-01-01T00:00:00Z")
    put(archive, "held", "More held words.", embargoed_until="2999-01-01T00:00:00Z")
    put(
        archive,
        "next",
        "Hidden sequel.",
        headline="Sequel",
        evolved_from="a",
        embargoed_until="2999-01-01T00:00:00Z",
    )
    index_now()
    client = create_app(archive.settings, archive).test_client()

    def pages(*scopes: Scope) -> tuple[str, dict[str, int]]:
        key = archive.keys.add("-".join(scopes), frozenset(scopes)).secret
        headers = {"X-API-Key": key}
        paths = (
            *("/articles/a", "/versions?id=a", "/versions?id=a&old=2&new=3"),
            *("/versions?id=held", "/articles/held?cite=1&format=citation"),
        )
        answers = {path: client.get(path, headers=headers) for path in paths}
        listed = client.get("/v1/articles/a/versions", headers=headers).json
        assert versions(Page(answers["/versions?id=a"])) == [
            each["version"] for each in listed["versions"]
        ]
        text = "".join(answer.text for answer in answers.values())
        return text, {path: answer.status_code for path, answer in answers.items()}

    text, statuses = pages(Scope.SEARCH)
    assert [*statuses.values()] == [200, 200, 404, 404, 404]
    for hidden in ("Secret", "Held", "held words", "Sequel"):
        assert hidden not in text
    text, statuses = pages(Scope.SEARCH, Scope.READ_EMBARGOED)
    assert {*statuses.values()} == {200}
    assert "Secret" in text
    assert "Superseded by" in text
