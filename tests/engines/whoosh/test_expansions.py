"""Words that prefixes, wildcards and misspellings stand for: looked up once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from articles import article
from engines.kinds import NOW
from engines.whoosh.indexes import opened

from index.deadline import Deadline, never
from index.engines.whoosh import WhooshEngine
from index.engines.whoosh.files import (
    PARAGRAPH_WORDS,
    FieldIndex,
    field_index,
    letter_bags,
)
from index.errors import SearchTimeout
from index.query import All, Fuzzy, Prefix, Search, Wildcard, WordLeaf

# The package has a function of this name.
names = import_module("index.engines.whoosh.searching.names")
vocabulary = import_module("index.engines.whoosh.searching.vocabulary")
WORDS = [f"harbour{n}" for n in range(400)]
SEGMENTS = 3
# How a field looks for words, and the leaf that asks for it.
LOOKED_UP: dict[str, WordLeaf] = {
    "terms_with_prefix": Prefix("harbour12"),
    "terms_matching": Wildcard("harb*12"),
    "terms_near": Fuzzy("harbour12", 1),
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WhooshEngine]:
    folder: Path = tmp_path_factory.mktemp("index")
    engine = opened(folder)
    engine.rebuild([], seq=0, total=0)
    for n in range(SEGMENTS):
        engine.apply([article(f"a{n}", " ".join(WORDS))], [], seq=n + 1)
    yield engine
    engine.close()


def words_of(engine: WhooshEngine) -> FieldIndex:
    """The words of the paragraphs of one segment, opened anew."""
    engine.close()
    field = engine.snapshot()._snapshot.segments[0].field(PARAGRAPH_WORDS)
    assert field is not None
    return field


@pytest.mark.parametrize("method", LOOKED_UP)
def test_what_a_word_stands_for_is_looked_up_once(
    engine: WhooshEngine, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.close()  # with what it has cached
    looked_up: list[str] = []
    look_up = getattr(FieldIndex, method)

    def counted(field: FieldIndex, *arguments: Any) -> Any:
        if field.name == PARAGRAPH_WORDS:
            looked_up.append(field.name)
        return look_up(field, *arguments)

    monkeypatch.setattr(FieldIndex, method, counted)
    search = Search(query=LOOKED_UP[method], now=NOW)
    assert engine.snapshot().search(search).articles == SEGMENTS
    assert len(looked_up) == SEGMENTS
    engine.snapshot().search(search)
    assert len(looked_up) == SEGMENTS


def look_for_near(field: FieldIndex, check: Callable[[], None]) -> object:
    return field.terms_near("harbour12", 1, check)


def look_for_pattern(field: FieldIndex, check: Callable[[], None]) -> object:
    return field.terms_matching(re.compile("harb.*12"), "harb", check)


@pytest.mark.parametrize("look", [look_for_near, look_for_pattern])
def test_the_deadline_is_checked_every_some_words(
    engine: WhooshEngine,
    look: Callable[[FieldIndex, Callable[[], None]], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    field = words_of(engine)
    expected = look(field, never)
    monkeypatch.setattr(field_index, "AT_ONCE", 8)
    monkeypatch.setattr(letter_bags, "AT_ONCE", 8)
    field = words_of(engine)
    checks: list[None] = []
    assert list(look(field, lambda: checks.append(None))) == list(expected)  # type: ignore[call-overload]
    assert len(checks) >= len(WORDS) / 8


def test_a_search_that_is_stopped_leaves_what_it_computed_to_the_next_one(
    engine: WhooshEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = words_of(engine)
    monkeypatch.setattr(letter_bags, "AT_ONCE", 8)
    rounds = 0
    read: list[int] = []
    bags_of = letter_bags._bags

    def counted(forms: list[str]) -> object:
        read.append(len(forms))
        return bags_of(forms)

    monkeypatch.setattr(letter_bags, "_bags", counted)

    def stopped_after(most: int) -> Callable[[], None]:
        def check() -> None:
            nonlocal rounds
            rounds += 1
            if rounds > most:
                raise SearchTimeout(1.0)

        return check

    with pytest.raises(SearchTimeout):
        field.terms_near("harbour12", 1, stopped_after(20))
    assert sum(read) == 20 * 8
    field.terms_near("harbour12", 1, never)
    assert sum(read) == len(WORDS)


def test_the_articles_of_a_word_are_counted_only_if_it_may_come_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = opened(tmp_path)
    engine.rebuild([], seq=0, total=0)
    words = [f"truc{letter}" for letter in "abcdefghij"]
    texts = [" ".join(words[: n + 1]) for n in range(len(words))]
    engine.apply([article(f"a{n}", text) for n, text in enumerate(texts)], [], seq=1)
    counted: list[str] = []
    count = vocabulary._visible_articles

    def noted(*arguments: Any) -> Any:
        counted.append(arguments[-1])
        return count(*arguments)

    monkeypatch.setattr(vocabulary, "_visible_articles", noted)
    search = Search(query=All(), now=NOW)
    corrections = engine.snapshot().corrections("trucz", search)
    assert [next(corrections), next(corrections)] == words[:2]
    assert counted == words[:2]
    counted.clear()
    completions = engine.snapshot().completions("truc", search, 3)
    assert [each.text for each in completions] == counted == words[:3]
    engine.close()


def test_a_correction_past_its_deadline_is_stopped(engine: WhooshEngine) -> None:
    search = Search(query=All(), now=NOW, deadline=Deadline(0.0, 2.0))
    with pytest.raises(SearchTimeout):
        list(engine.snapshot().corrections("harbor", search))


def test_each_typed_word_of_a_name_is_looked_up_once_and_each_value_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = opened(tmp_path)
    engine.rebuild([], seq=0, total=0)
    people = [f"Ann Abbott Baker{n}" for n in range(100)]
    engine.apply([article("a", "x", people=people)], [], seq=1)
    looked_up: list[str] = []
    groups_of = names._groups

    def counted(*arguments: Any) -> Any:
        looked_up.append(arguments[-1])
        return groups_of(*arguments)

    monkeypatch.setattr(names, "_groups", counted)
    snapshot = engine.snapshot()
    typed = ["a", "b"] * 40
    evaluation = snapshot._evaluation(Search(query=All(), now=NOW))
    checks: list[None] = []
    evaluation.check = lambda: checks.append(None)
    found = names.names(snapshot._snapshot, evaluation, "people", typed, 5)
    assert found == ()
    assert looked_up == ["a", "b"]
    assert len(checks) >= len(people)
    two = snapshot.names("people", ["a", "a", "b"], Search(query=All(), now=NOW), 500)
    assert len(two) == len(people)
    engine.close()
