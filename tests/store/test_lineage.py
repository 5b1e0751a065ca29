"""Chains of articles that evolved from each other, in whatever order they arrive."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
from flask.testing import FlaskClient

from index.archive import Archive
from index.article import Article, article_of
from index.errors import ArticleKilled, ArticleNotFound, InputError
from index.history import Chain
from index.query import PUBLIC, Filter, Reader
from index.store import lineage as chains
from index.store.lineage import STEPS

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
DESK = Reader(held=True)
Told = list[tuple[str, str]]


def link(article_id: str, parent: str | None = None, **values: Any) -> Article:
    return article_of(
        {
            "id": article_id,
            "headline": f"The story as {article_id} tells it",
            "published": "2024-05-01T10:00:00Z",
            "evolved_from": parent,
            **values,
        }
    )


def put(archive: Archive, *articles: Article) -> None:
    for result in archive.put(articles):
        assert not isinstance(result, InputError), result


def chain_of(archive: Archive, article_id: str, reader: Reader = PUBLIC) -> Chain:
    with archive.moment(now=NOW, reader=reader) as moment:
        return moment.chain(article_id)


def chain(archive: Archive, article_id: str, **reader: Any) -> Told:
    """Ids and relations of a complete chain."""
    whole = chain_of(archive, article_id, **reader)
    assert whole.complete
    return [(each.id, each.relation.value) for each in whole.members]


LINKS = (link("a"), link("b", "a"), link("c", "b"), link("d", "b"))


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_a_chain_is_the_same_in_whatever_order_it_comes(
    archive: Archive, order: tuple[int, ...]
) -> None:
    put(archive, *(LINKS[place] for place in order))
    assert chain(archive, "a") == [("b", "later"), ("c", "later"), ("d", "later")]
    assert chain(archive, "b") == [("a", "earlier"), ("c", "later"), ("d", "later")]
    # Another article that evolved from the same parent is not part of it.
    assert chain(archive, "c") == [("a", "earlier"), ("b", "earlier")]


def test_a_child_that_came_before_its_parent_heals(archive: Archive) -> None:
    put(archive, link("b", "a"))
    assert chain(archive, "b") == []
    put(archive, link("a"))
    assert chain(archive, "b") == [("a", "earlier")]


def test_a_member_is_shown_as_it_is_now(archive: Archive) -> None:
    put(archive, link("a"), link("b", "a"))
    put(archive, link("a", headline="Told anew"))
    (member,) = chain_of(archive, "b").members
    assert (member.version, member.headline) == ("2", "Told anew")
    assert member.published == datetime(2024, 5, 1, 10, tzinfo=UTC)
    # The last version says what an article evolved from.
    put(archive, link("b", headline="On its own"))
    assert chain(archive, "b") == chain(archive, "a") == []


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_circle_ends(archive: Archive, size: int) -> None:
    ids = [f"c{place}" for place in range(size)]
    put(archive, *(link(each, ids[place - 1]) for place, each in enumerate(ids)))
    put(archive, link("tail", "c0"))
    ids_of_chain = [article_id for article_id, _ in chain(archive, "c0")]
    assert set(ids_of_chain) == {*ids[1:], "tail"}
    assert {i for i, relation in chain(archive, "tail") if relation == "earlier"} == {
        *ids
    }


@pytest.mark.parametrize(
    "restriction",
    [
        {"embargoed_until": "2030-01-01"},
        {"status": "withheld"},
        {"status": "canceled"},
        {"expires": "2024-01-01"},
    ],
    ids=str,
)
def test_a_chain_ends_where_it_may_not_be_seen(
    archive: Archive, restriction: dict[str, str]
) -> None:
    put(archive, link("a"), link("b", "a", **restriction), link("c", "b"))
    assert chain(archive, "a") == chain(archive, "c") == []
    seen = "embargoed_until" in restriction or "withheld" in restriction.values()
    shown = [("a", "earlier"), ("b", "earlier")] if seen else []
    assert chain(archive, "c", reader=DESK) == shown


def test_a_killed_member_is_out_at_once_and_back_when_restored(
    archive: Archive,
) -> None:
    put(archive, *LINKS)
    archive.kill("b")
    assert chain(archive, "a") == chain(archive, "c") == []
    with pytest.raises(ArticleKilled):
        chain_of(archive, "b")
    archive.reinstate("b")
    assert len(chain(archive, "b")) == 3
    archive.delete("b")
    assert chain(archive, "a") == chain(archive, "c") == []


def test_a_reader_sees_what_is_within_their_filter(archive: Archive) -> None:
    put(archive, link("a", source="Elsewhere"), link("b", "a", source="Desk"))
    put(archive, link("c", "b", source="Desk"))
    reader = Reader(filters=(Filter(field="source", values=("desk",)),))
    assert chain(archive, "c", reader=reader) == [("b", "earlier")]
    with pytest.raises(ArticleNotFound):
        chain_of(archive, "a", reader=reader)


def test_a_long_chain_is_cut_and_says_so(archive: Archive) -> None:
    ids = [f"n{place:03}" for place in range(2 * STEPS + 2)]
    put(archive, link(ids[0]))
    put(archive, *(link(ids[at], ids[at - 1]) for at in range(1, len(ids))))
    part = chain_of(archive, ids[0])
    assert not part.complete
    assert [each.id for each in part.members] == ids[1 : STEPS + 1]
    middle = chain_of(archive, ids[STEPS])
    assert not middle.complete
    assert [each.id for each in middle.members] == [
        *ids[:STEPS],
        *ids[STEPS + 1 : 2 * STEPS + 1],
    ]
    last = chain_of(archive, ids[-1])
    assert [each.id for each in last.members] == ids[-STEPS - 1 : -1]
    assert chain_of(archive, ids[STEPS + 1]).members[0].id == ids[1]


def test_exactly_as_many_as_are_listed_are_all(archive: Archive) -> None:
    put(archive, link("root"))
    put(archive, *(link(f"n{place:02}", "root") for place in range(STEPS)))
    assert len(chain(archive, "root")) == STEPS
    # One more that nobody may see changes nothing.
    put(archive, link("n99", "root", status="withheld"))
    assert len(chain(archive, "root")) == STEPS


def test_one_behind_many_that_may_not_be_seen_is_found(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chains, "_AT_ONCE", 3)
    put(archive, link("root"), link("z", "root"), link("zz", "z"), link("zzz", "zz"))
    put(archive, *(link(f"n{at}", "root", status="withheld") for at in range(8)))
    descendants = [("z", "later"), ("zz", "later"), ("zzz", "later")]
    assert chain(archive, "root") == descendants
    # If too many must be checked, the answer says that there may be more.
    for most, known in ((11, 3), (10, 2), (9, 1), (8, 0), (2, 0)):
        monkeypatch.setattr(chains, "MAX_CHECKED", most)
        part = chain_of(archive, "root")
        assert len(part.members) == known
        assert part.complete is (known == 3)


def test_the_list_of_versions_has_the_chain(
    client: FlaskClient, archive: Archive, index_now: Callable[[], None]
) -> None:
    put(archive, link("a"), link("b", "a"), link("c", "b", published=None))
    index_now()
    answer = client.get("/v1/articles/b/versions").json
    assert [each["version"] for each in answer["versions"]] == ["1"]
    assert answer["chain"] == [
        {
            "id": "a",
            "version": "1",
            "headline": "The story as a tells it",
            "published": "2024-05-01T10:00:00Z",
            "relation": "earlier",
        },
        {
            "id": "c",
            "version": "1",
            "headline": "The story as c tells it",
            "published": None,
            "relation": "later",
        },
    ]
    assert answer["chain_complete"] is True
