"""Facets on pages: many values can be ticked, found by typing, and always removed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from archives import index, put
from flask.testing import FlaskClient
from page_markup import Page, plain

from index.access import Scope
from index.archive import Archive
from index.article import FACETABLE, FILTERABLE
from service import create_app
from service.pages.facets import FACETS, OTHER_FACETS

PEOPLE = 30


@pytest.fixture
def people(archive: Archive, client: FlaskClient) -> FlaskClient:
    """A client of an archive with many people; Person 00 is in the most articles."""
    for number in range(PEOPLE):
        names = [f"Person {other:02}" for other in range(number + 1)]
        sections = {"section": "Sport"} if number % 2 else {}
        put(archive, f"p{number:02}", "ferries", people=names, **sections)
    index(archive)
    return client


def show(client: FlaskClient, path: str = "/", **query: Any) -> Page:
    page = Page(client.get(f"{path}?{urlencode(query, doseq=True)}" if query else path))
    assert page.status == 200
    return page


def rows(page: Page, facet: str | None = None) -> dict[str, Any]:
    """The rows of a facet's box, or of all, by their text."""
    found = page.by_class("facet-row", "a")
    if facet is not None:
        (heading,) = page.all(f"h2[@id='facet-{facet}']")
        box = heading.getparent().getparent()
        found = [row for row in found if box in row.iterancestors()]
    return {plain(row): row for row in found}


def total(page: Page) -> int:
    return int(
        page.text("main//p[@role='status']").removeprefix("Newest of ").split()[0]
    )


def test_a_second_value_can_be_ticked(people: FlaskClient) -> None:
    page = show(people, q="ferries", people="Person 29")
    assert total(page) == 1
    # The other values are counted as if none was ticked.
    second = rows(page, "people")["Person 01 29"]
    both = show(people, second.get("href"))
    assert total(both) == 29
    ticked = [plain(row) for row in both.by_class("selected", "a")]
    assert ticked == ["Person 01 29", "Person 29 1"]


def test_a_ticked_value_without_hits_is_shown_and_can_be_removed(
    people: FlaskClient,
) -> None:
    page = show(people, q="harbour", people="Person 29", genre="Opinion")
    assert total(page) == 0
    for field, text in (("people", "Person 29 0"), ("genre", "Opinion 0")):
        row = rows(page, field)[text]
        assert row.get("aria-current") == "true"
        assert f"{field}=" not in row.get("href")


def test_an_excluded_value_is_shown_beside_the_others(people: FlaskClient) -> None:
    page = show(people, **{"q": "ferries", "exclude.section": "sport"})
    row = rows(page, "section")["not sport"]
    assert row.get("href") == "/?q=ferries"
    assert total(page) == PEOPLE / 2


def test_articles_without_a_value_can_be_ticked(people: FlaskClient) -> None:
    row = rows(show(people, q="ferries"), "section")["Without section 15"]
    page = show(people, row.get("href"))
    assert total(page) == 15
    row = rows(page, "section")["Without section 15"]
    assert (row.get("aria-current"), row.get("href")) == ("true", "/?q=ferries")
    both = show(people, rows(page, "section")["Sport 15"].get("href"))
    assert total(both) == PEOPLE


def test_facets_without_values_are_not_shown(people: FlaskClient) -> None:
    page = show(people, q="ferries")
    assert page.texts("details//h2") == ["Section", "People", "More filters"]
    more = show(people, page.link("Show more filters"))
    assert more.texts("main//h2") == []
    assert "nothing more to filter by" in more.source


def test_a_first_view_counts_few_facets(
    archive: Archive, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []
    asking = archive.asking

    def noted(request: Any, **how: Any) -> Any:
        if request.limit or request.facets:  # what offers other searches counts nothing
            asked.append(request.facets)
        return asking(request, **how)

    monkeypatch.setattr(archive, "asking", noted)
    show(client, q="harbour")
    show(client, q="harbour", genre="Feature")
    show(client, "/facets", q="harbour", genre="Feature")
    show(client, "/facets/people", q="harbour")
    assert asked == [
        (*FACETS, "published:auto"),
        (*FACETS, "genre", "published:auto"),
        tuple(name for name in OTHER_FACETS if name != "genre"),
        ("people",),
    ]


def test_every_field_that_filters_is_offered() -> None:
    assert {*FACETS, *OTHER_FACETS} == set(FILTERABLE)
    assert set(FILTERABLE) <= set(FACETABLE)


def test_more_filters_are_those_that_the_search_does_not_show(
    reading: FlaskClient,
) -> None:
    page = show(reading, q="harbour", language="en")
    first = page.texts("details//h2")
    more = show(reading, page.link("Show more filters"))
    others = more.texts("main//h2")
    assert others
    assert not set(first) & set(others)
    assert "Language" in first
    assert more.link("← Back to the results") == "/?q=harbour&language=en"
    for row in rows(more).values():
        assert total(show(reading, row.get("href"))) > 0


def test_a_long_facet_has_a_page_with_all_values(people: FlaskClient) -> None:
    page = show(people, q="ferries")
    assert len(rows(page, "people")) == 8
    listed = show(people, page.link("All 30"))
    assert len(rows(listed)) == PEOPLE
    assert listed.text("p[@role='status']") == "30 values"
    assert listed.text("h1") == "People"
    href = rows(listed)["Person 29 1"].get("href")
    assert href == "/?q=ferries&people=Person%2029"


def test_values_are_found_by_their_beginning(people: FlaskClient) -> None:
    page = show(people, q="ferries", people="Person 01")
    (form,) = page.by_class("facet-find", "form")
    sent = {each.get("name"): each.get("value") for each in form.findall(".//input")}
    assert sent == {"q": "ferries", "people": "Person 01", "prefix": ""}
    found = show(people, form.get("action"), **{**sent, "prefix": "pérson 2"})
    texts = list(rows(found))
    # What is ticked stays, whatever is typed.
    assert texts[:2] == ["Person 20 10", "Person 21 9"]
    assert texts[-1] == "Person 01"
    assert found.text("p[@role='status']").startswith("10 values that start so")
    assert found.link("All values") == "/facets/people?q=ferries&people=Person%2001"
    none = show(people, form.get("action"), **{**sent, "prefix": "xyl"})
    assert list(rows(none)) == ["Person 01"]
    assert none.text("p[@role='status']").startswith("0 values that start so")


def test_more_of_a_very_long_list_is_a_link(people: FlaskClient) -> None:
    page = show(people, "/facets/people", q="ferries", values=10)
    assert len(rows(page)) == 10
    assert page.text("p[@role='status']") == "10 of 30 values"
    everything = show(people, page.link("List more"))
    assert len(rows(everything)) == PEOPLE
    assert "List more" not in everything.texts("a")


def test_thousands_of_values_cost_what_is_shown_of_them(
    archive: Archive, client: FlaskClient
) -> None:
    for number in range(20):
        names = [f"Name {number * 100 + n:05}" for n in range(100)]
        put(archive, f"many{number}", "ferries", people=names)
    index(archive)
    first = client.get("/?q=ferries")
    assert len(first.data) < 40_000
    page = Page(first)
    assert len(rows(page, "people")) == 8
    assert page.link("All 2,000").startswith("/facets/people")
    listed = show(client, "/facets/people", q="ferries")
    assert listed.text("p[@role='status']") == "200 of 2,000 values"
    longest = show(client, listed.link("List more"))
    assert len(rows(longest)) == 1_000
    found = show(client, "/facets/people", q="ferries", prefix="name 0199")
    assert len(rows(found)) == 10


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ger", ["German 1", "German (de-AT) 1"]),
        ("de", ["German 1", "German (de-AT) 1"]),
        ("TLH", ["tlh 1"]),
        ("x", []),
    ],
)
def test_languages_are_found_by_their_names(
    archive: Archive, client: FlaskClient, typed: str, found: list[str]
) -> None:
    for tag in ("de", "de-AT", "fr", "tlh"):
        put(archive, tag, "ferries", language=tag)
    index(archive)
    page = show(client, "/facets/language", q="ferries", prefix=typed)
    assert sorted(rows(page)) == sorted(found)
    chosen = show(client, q="ferries", language="de")
    assert plain(chosen.by_class("chip", "li")[0]) == "Language German ×"


@pytest.mark.parametrize(
    "value",
    [
        "<script>alert(1)</script>",
        "\"quoted\" & 'single'",
        "\u202eturned\u202c",
        "a/b?c=d&e#f%2F",
        "+plus and  spaces",
        "word " * 40,
    ],
)
def test_a_hostile_value_is_text_that_filters(
    archive: Archive, client: FlaskClient, value: str
) -> None:
    put(archive, "hostile", "ferries", people=[value], section=value)
    index(archive)
    for path in ("/", "/facets/people", "/facets/section"):
        page = show(client, path, q="ferries")
        assert list(page.foreign()) == []
        for row in rows(page).values():
            if value.split()[0] not in plain(row):
                continue
            chosen = show(client, row.get("href"))
            assert total(chosen) == 1
            (turn,) = chosen.by_class("chip-value", "a")
            assert total(show(client, turn.get("href"))) == 0
            (gone,) = chosen.by_class("chip-remove", "a")
            assert gone.get("href") == "/?q=ferries"
    hostile_prefix = show(client, "/facets/people", q="ferries", prefix=value)
    assert list(hostile_prefix.foreign()) == []


def test_a_facet_that_does_not_exist_is_a_problem(reading: FlaskClient) -> None:
    for path in ("/facets/nothing", "/facets/headline", "/facets/%3Cb%3E"):
        page = Page(reading.get(path))
        assert page.status == 400
        assert list(page.foreign()) == []
    for query in ("values=0", "values=1001", "prefix=%00", "format=csv"):
        assert reading.get(f"/facets/people?{query}").status_code == 400


def test_a_date_facet_has_a_page_of_its_periods(reading: FlaskClient) -> None:
    page = show(reading, "/facets/published:year")
    for row in rows(page).values():
        count = int(plain(row).split()[-1])
        assert total(show(reading, row.get("href"))) == count
    assert page.by_class("facet-find") == []


def test_a_page_of_values_is_that_of_any_place_in_the_list(
    reading: FlaskClient,
) -> None:
    first = show(reading, "/facets/section", q="harbour")
    other = show(reading, "/facets/section", q="harbour", page=2, limit=1)
    assert list(rows(other)) == list(rows(first))
    assert "page=" not in "".join(other.links())


def test_values_are_only_those_that_a_key_may_see(
    archive: Archive, client: FlaskClient
) -> None:
    held = {"embargoed_until": "2999-01-01T00:00:00Z", "people": ["Secret Person"]}
    put(archive, "held", "ferries", genre=["Secret Genre"], **held)
    index(archive)
    client = create_app(archive.settings, archive).test_client()

    def pages(*scopes: Scope) -> str:
        key = archive.keys.add("-".join(scopes), frozenset(scopes)).secret
        headers = {"X-API-Key": key}
        paths = ("/facets", "/facets/people", "/facets/people?prefix=sec", "/")
        return "".join(client.get(path, headers=headers).text for path in paths)

    assert "Secret" not in pages(Scope.SEARCH)
    editors = pages(Scope.SEARCH, Scope.READ_EMBARGOED)
    assert "Secret Person" in editors
    assert "Secret Genre" in editors
    assert client.get("/facets").status_code == 303  # to the log-in


def test_a_page_of_values_that_has_not_changed_is_not_sent_again(
    archive: Archive, client: FlaskClient
) -> None:
    for path in ("/facets?q=harbour", "/facets/people?q=harbour"):
        sent = {"If-None-Match": client.get(path).headers["ETag"]}
        assert client.get(path, headers=sent).status_code == 304
    assert client.get(f"{path}&prefix=a", headers=sent).status_code == 200
