"""Articles that cannot be indexed: found, set aside, and tried again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from articles import sent_article as article

from index.access import Scope
from index.archive import Archive
from index.article import Article, article_of
from index.engines import Engine, open_engine
from index.engines.memory import MemoryEngine
from index.errors import StoreUnavailable
from index.jobs import Indexer, attempts, batch, store_problems
from index.query import All, Search
from index.settings import Settings
from index.store import Attempt, Store
from service import create_app

LETTERS = 10_000


class Fragile(MemoryEngine):
    """An engine that fails for articles with a text, and counts what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.poison: str | None = "poison"
        self.error: type[Exception] = MemoryError
        self.batches: list[list[str]] = []

    def apply(
        self, puts: Sequence[Article], deletes: Sequence[str], *, seq: int
    ) -> None:
        self.batches.append([put.id for put in puts])
        for put in puts:
            self._check(put)
        super().apply(puts, deletes, seq=seq)

    def probe(self, article: Article) -> None:
        self._check(article)

    def _check(self, article: Article) -> None:
        if self.poison and self.poison in article.paragraphs[-1].text:
            raise self.error()


def indexed(engine: Engine) -> dict[str, str]:
    page = engine.snapshot().search(
        Search(query=All(), now=datetime.now(UTC), limit=1_000)
    )
    return {hit.id: hit.version for hit in page.hits}


def set_aside(store: Store) -> dict[str, str]:
    """Versions of the articles that are set aside, by id."""
    with store.reading() as view:
        known = store.quarantine.articles(view.epoch)
    return {article_id: article.version for article_id, article in known.items()}


@pytest.fixture
def engine() -> Fragile:
    return Fragile()


@pytest.fixture
def indexer(store: Store, engine: Fragile) -> Indexer:
    return Indexer(store, engine)


def test_a_batch_is_bounded_by_the_size_of_its_articles(
    store: Store, engine: Fragile, indexer: Indexer
) -> None:
    engine.memory = 16 * 3 * LETTERS  # a sixteenth of it is for the articles of a batch
    store.put([article(f"a{n}", "x" * LETTERS) for n in range(8)])
    indexer.catch_up()
    assert [len(each) for each in engine.batches] == [3, 3, 2]


def test_names_and_short_texts_count_for_more_than_their_letters(
    store: Store, engine: Fragile, indexer: Indexer
) -> None:
    engine.memory = 16 * 3 * LETTERS
    words = [f"k{n}" for n in range(400)]
    store.put(
        [
            article_of({"id": f"a{n}", "headline": "Head", "keywords": words})
            for n in range(8)
        ]
    )
    indexer.catch_up()
    assert max(len(each) for each in engine.batches) <= 2


def test_no_more_articles_are_read_than_a_batch_takes(
    store: Store,
    engine: Fragile,
    indexer: Indexer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []
    indexable = batch.View.indexable

    def counted(view: batch.View, article_id: str) -> object:
        read.append(article_id)
        return indexable(view, article_id)

    monkeypatch.setattr(batch.View, "indexable", counted)
    engine.memory = 16 * LETTERS
    store.put([article(f"a{n}", "x" * LETTERS) for n in range(8)])
    indexer.step()
    assert read == ["a0"]


@pytest.mark.parametrize("error", [MemoryError, RecursionError, IndexError])
@pytest.mark.parametrize("at", [0, 3, 4])
def test_an_article_that_fails_is_set_aside_and_the_others_are_found(
    store: Store,
    engine: Fragile,
    indexer: Indexer,
    error: type[Exception],
    at: int,
) -> None:
    engine.error = error
    store.put([article(f"a{n}") for n in range(5)])
    indexer.catch_up()
    store.put([article(f"a{n}", "poison" if n == at else "New.") for n in range(5)])
    indexer.catch_up()
    assert indexed(engine) == {f"a{n}": "2" for n in range(5) if n != at}
    assert set_aside(store) == {f"a{at}": "2"}
    assert engine.state().seq == store.seq()
    store.put([article("next")])
    indexer.catch_up()
    assert "next" in indexed(engine)


def test_a_later_version_or_other_content_is_tried(
    store: Store, engine: Fragile, indexer: Indexer
) -> None:
    store.put([article("a", "poison"), article("b", "poison", version="7")])
    indexer.catch_up()
    assert set_aside(store) == {"a": "1", "b": "7"}
    store.put([article("a", "Mended.")])
    store.put([article("b", "Mended.", version="7")], force=True)
    indexer.catch_up()
    assert indexed(engine) == {"a": "2", "b": "7"}
    assert set_aside(store) == {}


def test_a_change_of_status_does_not_try_the_same_content_again(
    store: Store, engine: Fragile, indexer: Indexer
) -> None:
    store.put([article("a", "poison")])
    indexer.catch_up()
    store.withhold("a")
    engine.batches.clear()
    indexer.catch_up()
    assert engine.batches == [[]]
    assert set_aside(store) == {"a": "1"}


@pytest.mark.parametrize("end", [Store.kill, Store.delete])
def test_what_is_killed_or_deleted_is_set_aside_no_longer(
    store: Store, engine: Fragile, indexer: Indexer, end: Callable[[Store, str], object]
) -> None:
    store.put([article("a", "poison"), article("b")])
    indexer.catch_up()
    end(store, "a")
    indexer.catch_up()
    assert set_aside(store) == {}
    assert indexed(engine) == {"b": "1"}


def test_a_rebuild_tries_each_once_more(
    store: Store, engine: Fragile, indexer: Indexer
) -> None:
    store.put([article("a", "poison"), article("b", "poison"), article("c")])
    indexer.catch_up()
    engine.poison = None
    indexer.catch_up()
    assert set_aside(store).keys() == {"a", "b"}
    store.request_rebuild()
    indexer.catch_up()
    assert set_aside(store) == {}
    assert indexed(engine).keys() == {"a", "b", "c"}


def test_another_release_tries_each_once_more(
    store: Store, engine: Fragile, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put([article("a", "poison")])
    indexer.catch_up()
    monkeypatch.setattr(attempts, "release", lambda: "99.0")
    engine.batches.clear()
    indexer.catch_up()
    indexer.catch_up()
    assert engine.batches.count(["a"]) == 1
    engine.poison = None
    monkeypatch.setattr(attempts, "release", lambda: "99.1")
    indexer.catch_up()
    assert indexed(engine) == {"a": "1"}
    assert set_aside(store) == {}


def test_nothing_is_set_aside_while_the_engine_takes_nothing_at_all(
    store: Store, engine: Fragile, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise MemoryError

    store.put([article("a"), article("b")])
    monkeypatch.setattr(MemoryEngine, "apply", fails)
    with pytest.raises(MemoryError):
        indexer.step()
    assert set_aside(store) == {}


def test_a_damaged_list_is_an_error_with_a_way_out(store: Store) -> None:
    path = store.path.with_name(f"{store.path.name}-set-aside")
    path.write_bytes(b"{")
    with pytest.raises(StoreUnavailable, match="remove it and run nutgraf rebuild"):
        store.quarantine.articles(1)


def test_what_another_history_set_aside_does_not_count(store: Store) -> None:
    quarantine = store.quarantine
    attempts.Attempts(quarantine, epoch=1).put_aside("a", "1", "d", "no")
    assert quarantine.articles(1).keys() == {"a"}
    assert quarantine.articles(2) == {}
    assert (
        store.path.with_name(f"{store.path.name}-set-aside").stat().st_mode & 0o77 == 0
    )


# What operators and readers are told.


@pytest.fixture
def told(
    store: Store, engine: Fragile, indexer: Indexer, settings: Settings
) -> Archive:
    """An archive with one article that is set aside."""
    store.put([article("a", "poison"), article("b")])
    indexer.catch_up()
    return Archive(store, engine, settings)


def test_readiness_says_that_articles_are_set_aside(told: Archive) -> None:
    with told.store.indexer_lock():
        answer = create_app(told.settings, told).test_client().get("/readyz")
    assert answer.status_code == 200  # one article takes no machine out of service
    assert "cannot be indexed" in answer.json["warnings"][0]
    assert answer.json["set_aside"] == 1
    (entry,) = answer.json["set_aside_articles"]
    assert (entry["id"], entry["version"]) == ("a", "1")
    assert entry["reason"] == "MemoryError"


def test_who_does_not_administer_learns_no_id_of_an_article_that_is_set_aside(
    told: Archive,
) -> None:
    told.keys.add("desk", scopes=frozenset({Scope.SEARCH}))
    with told.store.indexer_lock():
        answer = create_app(told.settings, told).test_client().get("/readyz")
    assert answer.json.keys() == {"status", "problems", "warnings"}
    assert len(answer.json["warnings"]) == 1


def test_articles_that_are_set_aside_are_measured(told: Archive) -> None:
    text = create_app(told.settings, told).test_client().get("/metrics").text
    assert "\nnutgraf_set_aside_articles 1.0" in text


def test_verification_names_what_is_set_aside_and_finds_no_other_fault(
    told: Archive,
) -> None:
    assert list(store_problems(told.store, told.engine)) == [
        "a, version 1, cannot be indexed"
    ]


# Processes that die at an article.

SIGNATURE = "deadly"


@pytest.fixture
def process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], int]]:
    """Starts an indexer in a process of its own, and returns its exit code."""
    from index.engines.whoosh.writing import writer

    url = f"sqlite:///{tmp_path / 'nutgraf.db'}"
    analysed = writer.indexed_article_of

    def deadly(sent: Article, language: str) -> object:
        if SIGNATURE in sent.paragraphs[-1].text:
            os._exit(9)
        return analysed(sent, language)

    monkeypatch.setattr(writer, "indexed_article_of", deadly)

    def run() -> int:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                other = Store.open(url)
                engine = open_engine(f"whoosh:{tmp_path / 'index'}")
                Indexer(other, engine).catch_up()
                code = 0
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    yield run


def codes(process: Callable[[], int]) -> list[int]:
    """Exit codes of one indexer after the other, until one has caught up."""
    ended = [process()]
    while ended[-1] != 0:
        assert len(ended) < 10
        ended.append(process())
    return ended


@pytest.mark.slow
@pytest.mark.parametrize("at", [0, 2, 4])
def test_an_article_that_kills_is_set_aside_and_the_others_are_found(
    store: Store, process: Callable[[], int], tmp_path: Path, at: int
) -> None:
    store.put([article(f"a{n}") for n in range(5)])
    assert process() == 0
    store.put([article(f"a{n}", SIGNATURE if n == at else "New.") for n in range(5)])
    assert codes(process) == [9, 9, 9, 9, 0]
    with closing(open_engine(f"whoosh:{tmp_path / 'index'}")) as engine:
        assert indexed(engine) == {f"a{n}": "2" for n in range(5) if n != at}
        assert set_aside(store) == {f"a{at}": "2"}
        store.put([article(f"a{at}", "Mended.")])
        assert process() == 0
        assert indexed(engine)[f"a{at}"] == "3"
        assert set_aside(store) == {}


@pytest.mark.slow
def test_a_rebuild_gets_past_an_article_that_kills(
    store: Store, process: Callable[[], int], tmp_path: Path
) -> None:
    store.put([article(f"a{n}", SIGNATURE if n == 3 else "One.") for n in range(6)])
    assert codes(process) == [9, 9, 9, 9, 0]
    with closing(open_engine(f"whoosh:{tmp_path / 'index'}")) as engine:
        assert indexed(engine).keys() == {f"a{n}" for n in range(6)} - {"a3"}
    assert set_aside(store) == {"a3": "1"}
    store.request_rebuild()
    assert codes(process) == [9, 0]  # tried once more, after the rebuild


def test_a_single_death_sets_nothing_aside(
    store: Store, engine: Fragile, indexer: Indexer
) -> None:
    engine.poison = None
    store.put([article(f"a{n}") for n in range(3)])
    indexer.catch_up()
    store.put([article(f"b{n}") for n in range(3)])
    with store.reading() as view:
        died = Attempt(epoch=view.epoch, since=3, until=6)
    store.quarantine.begin(died)
    engine.batches.clear()
    Indexer(store, engine).catch_up()
    assert engine.batches == [["b0", "b1", "b2"]]
    assert store.quarantine.attempt() is None


def test_after_two_deaths_only_the_articles_of_that_batch_are_tried_one_by_one(
    store: Store, engine: Fragile, indexer: Indexer
) -> None:
    engine.poison = None
    store.put([article(f"a{n}") for n in range(3)])
    with store.reading() as view:
        died = Attempt(epoch=view.epoch, since=0, until=2, deaths=1)
    store.put([article(f"b{n}") for n in range(3)])
    store.quarantine.begin(died)
    Indexer(store, engine).catch_up()
    assert engine.batches == [["a0"], ["a1"], ["a2", "b0", "b1", "b2"]]


def test_an_attempt_that_fails_is_no_death(
    store: Store, engine: Fragile, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    store.put([article("a")])
    monkeypatch.setattr(MemoryEngine, "apply", full)
    for _ in range(5):
        with pytest.raises(OSError, match="No space"):
            Indexer(store, engine).step()
    assert store.quarantine.attempt() is None


def test_the_note_of_an_attempt_is_there_while_it_is_under_way(
    store: Store, engine: Fragile, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[Attempt | None] = []
    apply = MemoryEngine.apply

    def noted(*arguments: object, **named: object) -> None:
        notes.append(store.quarantine.attempt())
        apply(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(MemoryEngine, "apply", noted)
    store.put([article("a"), article("b")])
    indexer.catch_up()
    (note,) = notes
    assert note is not None
    assert (note.since, note.until, note.article, note.deaths) == (0, 2, None, 0)
    assert json.dumps(note.epoch)
