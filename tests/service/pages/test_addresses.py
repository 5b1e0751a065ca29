"""Addresses: the state of a page, and the links that change it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from index.article import FILTERABLE
from index.query import Scope, Sort
from service.pages.address import Address, article_address

NAMES = (
    *("q", "sort", "scope", "from", "to", "date", "cursor", "page", "tz", "limit"),
    *("section", "people", "exclude.people", "missing.genre", "urgency"),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
addresses = st.lists(st.tuples(st.sampled_from(NAMES), texts), max_size=8).map(
    lambda pairs: Address("/", tuple(pairs))
)
fields = st.sampled_from(["section", "people", "source"])


def read(address: Address) -> list[tuple[str, str]]:
    """The parameters as a server reads them."""
    query = urlsplit(str(address)).query
    return parse_qsl(query, keep_blank_values=True, errors="strict")


@given(addresses)
def test_an_address_is_read_as_it_was_written(address: Address) -> None:
    assert read(address) == list(address.pairs)
    assert str(address).isascii()


@given(addresses, fields, texts)
def test_a_value_that_was_added_is_there_and_can_be_removed(
    address: Address, field: str, value: str
) -> None:
    added = address.adding(field, value)
    assert added.has(field, value)
    assert not added.has(f"exclude.{field}", value)
    removed = added.removing(field, value)
    assert not removed.has(field, value)
    assert removed == address.removing(field, value)


@given(addresses, fields, texts)
def test_a_value_is_selected_or_excluded_never_both(
    address: Address, field: str, value: str
) -> None:
    excluded = address.adding(field, value).excluding(field, value)
    assert f"exclude.{field}" in dict(excluded.pairs)
    assert value not in excluded.values(field)
    assert value not in excluded.adding(field, value).values(f"exclude.{field}")


@given(addresses, fields, texts)
def test_toggling_twice_selects_as_before(
    address: Address, field: str, value: str
) -> None:
    before = address.has(field, value)
    once = address.toggling(field, value)
    assert once.has(field, value) is not before
    assert once.toggling(field, value).has(field, value) is before


@given(addresses, fields, texts)
def test_every_change_starts_at_the_first_hit(
    address: Address, field: str, value: str
) -> None:
    for changed in (
        address.adding(field, value),
        address.excluding(field, value),
        address.removing(field, value),
        address.toggling(field, value),
        address.asking(value),
        address.sorted_by(Sort.OLDEST),
        address.sorted_by(None),
        address.scoped(Scope.PARAGRAPH),
        address.dated("2016", None, "updated"),
        address.unfiltered(FILTERABLE),
        address.without(field),
        address.start(),
    ):
        assert {"cursor", "page"} & dict(changed.pairs).keys() == set()


@given(addresses, fields, texts)
def test_a_change_keeps_every_other_parameter(
    address: Address, field: str, value: str
) -> None:
    def others(one: Address, *names: str) -> list[tuple[str, str]]:
        return [pair for pair in one.pairs if pair[0] not in {*names, "cursor", "page"}]

    own = (field, f"exclude.{field}")
    assert others(address.adding(field, value), *own) == others(address, *own)
    assert others(address.sorted_by(Sort.NEWEST), "sort") == others(address, "sort")
    assert others(address.asking(value), "q") == others(address, "q")
    period = ("from", "to", "date")
    dated = address.dated("2016", "2017", "updated")
    assert others(dated, *period) == others(address, *period)
    assert others(address.after("c")) == others(address)


@given(addresses)
def test_a_parameter_that_is_set_has_one_value(address: Address) -> None:
    assert address.sorted_by(Sort.NEWEST).values("sort") == ("newest",)
    assert address.sorted_by(None).values("sort") == ()
    assert address.scoped(Scope.ARTICLE).values("scope") == ()
    assert address.after("c").values("cursor") == ("c",)


def test_spellings_of_one_value_are_one_filter() -> None:
    address = Address("/", (("section", "Business"), ("section", "Sport")))
    assert address.has("section", "BUSINESS")
    assert address.toggling("section", "business").pairs == (("section", "Sport"),)


def test_a_period_names_its_field_only_if_it_is_not_the_usual_one() -> None:
    address = Address("/", (("date", "updated"), ("to", "2015"), ("q", "a")))
    assert str(address.dated("2016", None, "published")) == "/?q=a&from=2016"
    assert str(address.dated(None, "2016", "updated")) == "/?q=a&to=2016&date=updated"
    assert str(address.dated(None, None, "updated")) == "/?q=a"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs"]), min_size=1))
def test_the_path_of_an_article_holds_its_id(article_id: str) -> None:
    address = str(article_address("/desk", article_id, (("q", "a"),)))
    assert address.startswith("/desk/article")
    assert urlsplit(address).path.count("/") <= 3


LONG = "exclude.type=" + "v" * 60_000
MANY = "&".join(f"exclude.type=v{number}" for number in range(499))


@pytest.mark.parametrize(
    "address",
    [
        f"/?q=harbour&{LONG}",
        f"/?q=harbour&limit=100&passages=20&{LONG[:8_000]}",
        f"/?facet_size=1000&facet=people&facet=places&{LONG[:8_000]}",
        f"/?{MANY}",
        f"/hits?limit=100&passages=20&{LONG}",
        f"/facets?{LONG}",
        f"/facets/published:day?{LONG[:10_000]}",
        f"/?facet=published:day&facet=updated:day&{LONG[:10_000]}",
        f"/facets/people?values=1000&{LONG}",
    ],
)
def test_a_page_is_not_made_of_its_own_address(
    reading: FlaskClient, address: str
) -> None:
    answer = reading.get(address)
    assert answer.status_code == 400
    assert "use fewer or shorter filters" in answer.text
    assert len(answer.data) < 2 * len(address) + 5_000


def test_a_long_query_and_many_filters_have_a_page(reading: FlaskClient) -> None:
    filters = [f"நாள்{number}" for number in range(40)]
    query = {"q": "படகு " * 60, "section": filters}
    assert reading.get("/", query_string=query).status_code == 200
    assert reading.get(f"/facets/people?values=1000&{LONG[:5_000]}").status_code == 200
