"""The collection that statistics count: how much work the hidden articles cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from articles import article
from engines.kinds import NOW, open_empty, word
from engines.searches import search
from faults.amounts import amount

from index.engines import Engine
from index.engines.whoosh.searching import collection, postings

HIDDEN = amount(5_000, 100_000)
PUBLIC = HIDDEN // 10
FEW = 20  # articles with the rare word


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Many hidden articles, a tenth as many public ones, and some with a rare word."""
    engine = open_empty("whoosh:{tmp}/index", tmp_path_factory.mktemp("large"))
    until = (NOW + timedelta(days=1)).isoformat()
    hidden = (
        article(f"h{n}", "common words", embargoed_until=until) for n in range(HIDDEN)
    )
    shown = (
        article(f"p{n}", "common words" + " rare" * (n < FEW)) for n in range(PUBLIC)
    )
    engine.rebuild([*hidden, *shown], seq=1, total=HIDDEN + PUBLIC)
    yield engine
    engine.close()


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the shorter list of each look-up of hidden articles in posting lists."""
    sizes: list[int] = []
    whole = postings.places_of_common

    def counted(articles: Any, some: Any) -> Any:
        sizes.append(min(len(articles), len(some)))
        return whole(articles, some)

    monkeypatch.setattr(postings, "places_of_common", counted)
    return sizes


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch, large: Engine) -> list[int]:
    """Sizes of what is looked up in the bitmap of counted articles."""
    sizes: list[int] = []

    class Bitmap(np.ndarray[Any, Any]):
        def take(self, numbers: Any, *args: Any, **kwargs: Any) -> Any:
            sizes.append(len(numbers))
            return np.asarray(self).take(numbers, *args, **kwargs)

    search(large, word("rare"))
    snapshot: Any = large.snapshot()
    latest = snapshot._snapshot.latest_collection
    assert isinstance(latest, collection.Collection)
    monkeypatch.setattr(latest, "counted", latest.counted.view(Bitmap))
    # As if nothing had been searched for yet.
    latest.identity = object()
    snapshot._snapshot._shown[False] = (
        snapshot._snapshot._shown[False][0],
        latest.counted,
        False,
    )
    return sizes


@pytest.mark.slow
def test_a_rare_word_is_not_looked_up_in_many_hidden_articles(
    large: Engine, looked_up: list[int], taken: list[int]
) -> None:
    assert len(search(large, word("rare"), limit=100).hits) == FEW
    assert sum(looked_up) + sum(taken) <= 2 * FEW


@pytest.mark.slow
def test_of_a_common_word_no_more_is_looked_up_than_its_articles(
    large: Engine, looked_up: list[int], taken: list[int]
) -> None:
    page = search(large, word("common"), limit=1)
    assert page.articles == PUBLIC
    assert page.statistics is not None
    assert page.statistics.leaves[word("common")] == (PUBLIC, PUBLIC)
    assert 0 < sum(looked_up) + sum(taken) <= HIDDEN + PUBLIC
    # It is counted once, until an embargo ends or something is written.
    before = len(looked_up), len(taken)
    for second in range(3):
        now = NOW + timedelta(seconds=second)
        search(large, word("common"), limit=2, now=now)
    assert (len(looked_up), len(taken)) == before


@pytest.mark.slow
def test_a_withdrawal_that_is_not_indexed_is_looked_up_alone(
    large: Engine, looked_up: list[int]
) -> None:
    search(large, word("common"), limit=1)
    looked_up.clear()
    withdrawn = frozenset(f"p{n}" for n in range(3))
    page = search(large, word("common"), limit=1, hidden=withdrawn)
    assert page.statistics is not None
    assert page.statistics.leaves[word("common")] == (PUBLIC - 3, PUBLIC - 3)
    assert sum(looked_up) <= 3


def test_instants_that_change_nothing_share_a_collection(tmp_path: Path) -> None:
    engine = open_empty("whoosh:{tmp}/index", tmp_path)
    engine.apply(
        [
            article("a", "words", embargoed_until="2024-06-01T13:00:00Z"),
            article(
                "b",
                "words",
                status="withheld",
                embargoed_until="2024-06-01T12:30:00Z",
            ),
            article("c", "words"),
        ],
        (),
        seq=1,
    )
    collections = []
    for minutes in (0, 45, 90):
        search(engine, word("words"), now=NOW + timedelta(minutes=minutes))
        snapshot: Any = engine.snapshot()
        collections.append(snapshot._snapshot.latest_collection)
    assert collections[0] is collections[1] is not collections[2]
    assert [each.articles for each in collections] == [1, 1, 2]
    engine.close()
