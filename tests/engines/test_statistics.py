"""Statistics count what the public may see now: scores tell of nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from articles import article
from engines.kinds import KINDS, NOW, open_empty, word
from engines.searches import fill, ids, search
from faults.amounts import amount
from served import kind_of

from index.article import PLACES, Article
from index.engines import Engine
from index.errors import InvalidQuery
from index.query import (
    PUBLIC,
    And,
    Exact,
    Filter,
    Fuzzy,
    Near,
    Or,
    Phrase,
    Prefix,
    Query,
    Reader,
    Scope,
    Term,
    Unit,
    Wildcard,
)

HELD = Reader(held=True)
DESK = Reader(filters=(Filter(field="source", values=("Desk",)),))
HIDDEN: dict[str, dict[str, Any]] = {
    "withheld": {"status": "withheld"},
    "embargoed": {"embargoed_until": "2024-06-01T12:00:01Z"},
    "expired": {"expires": "2024-06-01T12:00:00Z"},
    "killed": {},  # since the index was written
}
PUBLIC_ARTICLES = [
    article("a", "The harbour of Acme.", "Acme and the harbour wall.", source="Desk"),
    article("b", "Acme.", headline="Harbour", byline="Acme staff", language="fr"),
    article("c", "A wall of other words, and of some more.", keywords=["Acme"]),
    article("d", "Harbours and walls.", "Acmes.", headline="Acme wall", source="Desk"),
    article("e", "Nothing to see."),
]
QUERIES: list[Query] = [
    word("acme"),
    Term("acme", boost=2.0, text="acme"),
    And((word("acme"), word("harbour"))),
    Or((word("acme"), word("wall"))),
    Phrase(("harbour", "of"), text="harbour of"),
    Near(("acme", "wall"), 5, text="near"),
    Prefix("har", text="har*"),
    Wildcard("w?ll*", text="w?ll*"),
    Fuzzy("acne", 1, text="acne~"),
    Exact(("acmes",), text="=acmes"),
]

WAYS = [
    (Scope.ARTICLE, Unit.ARTICLE, "all"),
    (Scope.ARTICLE, Unit.PARAGRAPH, "text"),
    (Scope.PARAGRAPH, Unit.ARTICLE, "all"),
]


def hidden_articles(reason: str, count: int) -> list[Article]:
    return [
        article(
            f"hidden{n}",
            "Acme harbour wall, harbour wall, Acme " * (n + 1),
            headline="Acme acmes",
            byline="Acme",
            keywords=["Acme", "wall"],
            source="Desk",
            **HIDDEN[reason],
        )
        for n in range(count)
    ]


def answers(engine: Engine, reason: str = "", **options: Any) -> list[Any]:
    """The hits of each query with their scores, and the statistics of a cursor."""
    hidden = {f"hidden{n}" for n in range(10)} if reason == "killed" else set()
    found: list[Any] = []
    for query in QUERIES:
        for scope, unit, places in WAYS:
            of = {
                "scope": scope,
                "unit": unit,
                "places": PLACES[places],
                "explain": True,
                "hidden": frozenset(hidden),
                **options,
            }
            hits = [
                (hit.id, hit.score, hit.parts, hit.passages)
                for hit in search(engine, query, **of).hits
                if not hit.id.startswith("hidden")
            ]
            found.append((query, hits))
    statistics = search(engine, QUERIES[0], **{**of, "limit": 1}).statistics
    assert statistics is not None
    counts = statistics.articles, statistics.fields, statistics.leaves
    return [*found, ("a cursor", counts)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reason", "reader"),
    [*((reason, PUBLIC) for reason in HIDDEN), ("withheld", DESK)],
    ids=[*HIDDEN, "filtered"],
)
def test_scores_are_the_same_with_any_number_of_hidden_articles(
    engine: Engine, reason: str, reader: Reader
) -> None:
    fill(engine, *PUBLIC_ARTICLES[:3])
    fill(engine, *PUBLIC_ARTICLES[3:], seq=2)
    alone = answers(engine, reader=reader)
    assert all(hits for _, hits in alone)
    for count in (1, 10)[-amount(1, 2) :]:
        hidden = hidden_articles(reason, count)
        fill(engine, *hidden[: count // 2], seq=3)
        fill(engine, *hidden[count // 2 :], seq=4)
        assert answers(engine, reason, reader=reader) == alone, "in several segments"
        engine.rebuild([*PUBLIC_ARTICLES, *hidden], seq=20, total=15)
        assert answers(engine, reason, reader=reader) == alone, "in one segment"
        fill(engine, *PUBLIC_ARTICLES[:1], seq=21)
        assert answers(engine, reason, reader=reader) == alone, "one deleted"


@pytest.mark.parametrize("reason", ["withheld", "embargoed"])
def test_readers_of_hidden_articles_have_the_scores_of_all(
    engine: Engine, reason: str
) -> None:
    fill(engine, *PUBLIC_ARTICLES, *hidden_articles(reason, 3))
    public = search(engine, word("acme"), limit=100)
    held = search(engine, word("acme"), limit=100, reader=HELD)
    assert len(held.hits) == len(public.hits) + 3
    scores = {hit.id: hit.score for hit in held.hits}
    assert {hit.id: hit.score for hit in public.hits}.items() <= scores.items()


@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize("others", [[], [article("e", "Nothing to see.")]])
def test_scores_are_positive_where_nothing_public_has_the_word(
    engine: Engine, unit: Unit, others: list[Article]
) -> None:
    fill(engine, *others, *hidden_articles("withheld", 3))
    page = search(engine, word("acme"), reader=HELD, unit=unit, explain=True)
    assert page.hits
    for hit in page.hits:
        assert math.isfinite(hit.score)
        assert hit.score > 0
    assert search(engine, word("acme"), unit=unit).hits == ()


def test_an_article_counts_from_the_end_of_its_embargo_to_its_expiry(
    engine: Engine,
) -> None:
    at = [(NOW + timedelta(hours=n)).isoformat() for n in range(4)]
    fill(engine, *PUBLIC_ARTICLES)
    without = answers(engine)
    fill(engine, article("hidden", "Acme wall, harbour wall."), seq=2)
    with_it = answers(engine)
    assert without != with_it
    fill(
        engine,
        article(
            "hidden", "Acme wall, harbour wall.", embargoed_until=at[1], expires=at[3]
        ),
        seq=3,
    )
    for hours, expected in [(0, without), (1, with_it), (2, with_it), (3, without)]:
        assert answers(engine, now=NOW + timedelta(hours=hours)) == expected
    # In any order of instants, as requests under way have.
    assert answers(engine, now=NOW + timedelta(hours=1)) == with_it


@pytest.fixture(params=KINDS, ids=kind_of)
def narrow(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine of each kind in which few words are too many."""
    engine = open_empty(request.param, tmp_path, expansions=3)
    yield engine
    engine.close()


@pytest.mark.parametrize("reason", HIDDEN)
def test_words_of_hidden_articles_make_no_search_too_broad(
    narrow: Engine, reason: str
) -> None:
    texts = ["harbour harbours harbouring", "harbour harmony harm", "hardly"]
    hidden = [
        article(f"hidden{n}", text, keywords=[text], **HIDDEN[reason])
        for n, text in enumerate(texts)
    ]
    fill(narrow, article("a", "harbours and a harp"))
    fill(narrow, article("b", "harbour"), *hidden, seq=2)
    ids_of_hidden = {each.id for each in hidden} if reason == "killed" else set()
    options = {"hidden": frozenset(ids_of_hidden), "places": PLACES["all"]}
    for leaf in (
        Prefix("har", text="har*"),
        Wildcard("har*", text="har*"),
        Fuzzy("harbour", 2, text="harbour~2"),
    ):
        expected = ["a", "b"]
        assert sorted(ids(search(narrow, leaf, **options))) == expected
        # Kept posting lists are judged anew.
        later = {**options, "now": NOW - timedelta(days=1), "hidden": frozenset()}
        if reason in ("expired", "killed") and not isinstance(leaf, Fuzzy):
            with pytest.raises(InvalidQuery):
                search(narrow, leaf, **later)
        assert sorted(ids(search(narrow, leaf, **options))) == expected
    fill(narrow, article("c", "harmless hares"), seq=3)
    with pytest.raises(InvalidQuery):
        search(narrow, Prefix("har", text="har*"), **options)
