"""The indexer: batches, rebuilds, refused articles, failures, and its process."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from articles import sent_article as article
from commands import nutgraf
from waiting import until

from index.article import Article
from index.cli import operation
from index.cli.terminal import Screen
from index.engines import EngineState, open_engine
from index.engines.memory import MemoryEngine
from index.errors import (
    IndexerRunning,
    IndexUnavailable,
    InvalidArticle,
    StoreFull,
    StoreUnavailable,
)
from index.jobs import Indexer, batch, probing, store_problems
from index.jobs import indexer as module
from index.jobs.indexer import Stopped
from index.query import All, Search
from index.settings import Settings
from index.store import Store


class Engine(MemoryEngine):
    """An engine in memory that records its commits, and can be told to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.rebuilds = 0
        self.alone = True  # whether an article fails also alone
        self.commits: list[tuple[list[str], list[str], int]] = []
        self.stale: str | None = None
        self.poison: set[str] = set()
        self.broken: list[Exception] = []

    def state(self) -> EngineState:
        state = super().state()
        return EngineState(
            seq=state.seq,
            epoch=state.epoch,
            articles=state.articles,
            paragraphs=state.paragraphs,
            stale=self.stale,
        )

    def apply(
        self, puts: Sequence[Article], deletes: Sequence[str], *, seq: int
    ) -> None:
        if self.broken:
            raise self.broken.pop()
        self._refuse(puts)
        assert not {each.id for each in puts} & set(deletes)
        self.commits.append(([each.id for each in puts], list(deletes), seq))
        super().apply(puts, deletes, seq=seq)

    def rebuild(
        self,
        articles: Iterable[Article],
        *,
        seq: int,
        total: int,
        epoch: int | None = None,
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        self.rebuilds += 1

        def checked() -> Iterator[Article]:
            for each in articles:
                self._refuse([each])
                yield each

        super().rebuild(checked(), seq=seq, total=total, epoch=epoch, progress=progress)
        self.stale = None

    def probe(self, article: Article) -> None:
        if self.alone:
            self._refuse([article])

    def _refuse(self, puts: Iterable[Article]) -> None:
        for each in puts:
            if each.id in self.poison:
                raise InvalidArticle("paragraphs", "more than this engine takes")

    def indexed(self) -> dict[str, str]:
        page = self.snapshot().search(
            Search(query=All(), now=datetime.now(UTC), limit=1_000)
        )
        return {hit.id: hit.version for hit in page.hits}


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def indexer(store: Store, engine: Engine) -> Indexer:
    return Indexer(store, engine)


def test_a_step_applies_what_is_pending_in_one_commit(
    store: Store, engine: Engine, indexer: Indexer
) -> None:
    store.put([article("a"), article("b")])
    assert indexer.step() == 2
    assert engine.commits == [(["a", "b"], [], 2)]
    assert indexer.step() == 0


def test_the_newest_change_of_an_article_wins(
    store: Store, engine: Engine, indexer: Indexer
) -> None:
    store.put([article("a", "One."), article("b")])
    store.put([article("a", "Two.")])
    store.delete("b")
    indexer.step()
    assert engine.commits == [(["a"], ["b"], 4)]
    assert engine.indexed() == {"a": "2"}


def test_an_article_that_is_deleted_and_comes_back_is_put(
    store: Store, engine: Engine, indexer: Indexer
) -> None:
    store.put([article("a")])
    indexer.step()
    store.delete("a")
    store.put([article("a", "Anew.")])
    indexer.step()
    assert engine.commits[-1] == (["a"], [], 3)


def test_a_version_that_is_gone_is_not_waited_for(
    store: Store, engine: Engine, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "BATCH_CHANGES", 1)
    store.put([article("a")])
    store.delete("a")
    assert (indexer.step(), indexer.step(), indexer.step()) == (1, 1, 0)
    assert engine.indexed() == {}


def test_an_older_version_that_comes_late_leaves_the_index_alone(
    store: Store, engine: Engine, indexer: Indexer
) -> None:
    store.put([article("a", version="5")])
    store.put([article("a", "Older.", version="4")])
    indexer.step()
    assert engine.indexed() == {"a": "5"}
    store.put([article("a", "Older still.", version="3")])
    indexer.step()
    assert engine.commits[-1] == ([], [], 3)


def test_batches_are_bounded_by_changes(
    store: Store, engine: Engine, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "BATCH_CHANGES", 4)
    store.put([article(f"a{n}") for n in range(10)])
    indexer.catch_up()
    assert [seq for _, _, seq in engine.commits] == [4, 8, 10]


def test_batches_are_bounded_by_paragraphs(
    store: Store, engine: Engine, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "BATCH_PARAGRAPHS", 4)
    store.put([article(f"a{n}") for n in range(5)])  # of two paragraphs each
    indexer.catch_up()
    assert [len(puts) for puts, _, _ in engine.commits] == [2, 2, 1]


@pytest.mark.parametrize("size", [1, 3, 8])
@pytest.mark.parametrize("bad", [0, 1, 7])
def test_a_refused_article_costs_only_itself(
    store: Store,
    engine: Engine,
    indexer: Indexer,
    size: int,
    bad: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ids = [f"a{n}" for n in range(size)]
    refused = ids[bad % size]
    store.put([article(each) for each in ids])
    engine.poison = {refused}
    assert indexer.step() == size
    assert engine.indexed().keys() == set(ids) - {refused}
    assert engine.state().seq == size
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.__dict__["facts"]["id"] == refused
    store.put([article("next")])
    indexer.step()
    assert "next" in engine.indexed()


def test_a_refused_version_takes_the_older_one_out_of_the_index(
    store: Store, engine: Engine, indexer: Indexer
) -> None:
    store.put([article("a"), article("b")])
    indexer.step()
    engine.poison = {"a"}
    store.put([article("a", "Refused.")])
    indexer.step()
    assert engine.indexed() == {"b": "1"}


def test_a_divided_batch_is_committed_with_its_last_part(
    store: Store, engine: Engine, indexer: Indexer
) -> None:
    store.put([article(each) for each in "abcd"])
    engine.poison = {"d"}
    indexer.step()
    assert [seq for _, _, seq in engine.commits] == [0, 0, 4]


def test_a_rebuild_leaves_out_what_is_refused_and_nothing_else(
    store: Store, engine: Engine, indexer: Indexer
) -> None:
    ids = {f"a{n:02}" for n in range(30)}
    store.put([article(each) for each in sorted(ids)])
    engine.poison = {"a03", "a17"}
    indexer.rebuild()
    assert engine.indexed().keys() == ids - engine.poison
    assert engine.state().seq == 30


@pytest.fixture
def scattered(store: Store, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Ids of forty articles, of which an attempt at a rebuild suspects three."""
    monkeypatch.setattr(probing, "SUSPECTS", (1, 3))
    monkeypatch.setattr(module, "SUSPECTS", (1, 3), raising=False)
    ids = {f"a{n:02}" for n in range(40)}
    store.put([article(each) for each in sorted(ids)])
    return ids


def aside(store: Store) -> set[str]:
    with store.reading() as view:
        return set(store.quarantine.articles(view.epoch))


@pytest.mark.parametrize("count", [1, 2, 4, 5, 8])
def test_a_rebuild_gets_past_articles_that_fail_far_apart(
    store: Store, engine: Engine, indexer: Indexer, scattered: set[str], count: int
) -> None:
    engine.poison = {f"a{n * 5 + 3:02}" for n in range(count)}
    indexer.rebuild()
    assert engine.indexed().keys() == scattered - engine.poison
    assert aside(store) == engine.poison
    assert engine.rebuilds <= 5  # however many fail


def test_a_rebuild_that_stops_keeps_what_it_set_aside(
    store: Store, engine: Engine, indexer: Indexer, scattered: set[str]
) -> None:
    engine.poison = {"a03", "a13"}
    failures = [StoreFull()]

    def full(*_: object, **__: object) -> None:
        if engine.rebuilds and failures:
            raise failures.pop()
        Engine.rebuild(engine, *_, **__)  # type: ignore[arg-type]

    engine.rebuild = full  # type: ignore[method-assign]
    with pytest.raises(StoreFull):
        indexer.rebuild()
    assert aside(store) == {"a03"}
    Indexer(store, engine).rebuild()
    assert engine.rebuilds == 3
    assert aside(store) == engine.poison


def test_a_rebuild_sets_nothing_aside_while_no_article_passes(
    store: Store, engine: Engine, indexer: Indexer, scattered: set[str]
) -> None:
    engine.poison = scattered
    with pytest.raises(IndexUnavailable, match="cannot rebuild"):
        indexer.rebuild()
    assert aside(store) == set()
    engine.poison = set()
    indexer.rebuild()
    assert engine.indexed().keys() == scattered


def test_a_rebuild_gets_past_an_article_that_passes_alone(
    store: Store, engine: Engine, indexer: Indexer, scattered: set[str]
) -> None:
    engine.poison, engine.alone = {"a17"}, False
    indexer.rebuild()
    assert engine.indexed().keys() == scattered - {"a17"}
    assert aside(store) == {"a17"}


def test_a_store_whose_only_article_fails_is_rebuilt(
    store: Store, engine: Engine, indexer: Indexer
) -> None:
    store.put([article("a")])
    engine.poison = {"a"}
    indexer.rebuild()
    assert engine.indexed() == {}
    assert aside(store) == {"a"}


def test_a_version_that_is_stored_while_a_rebuild_looks_for_faults_is_indexed(
    store: Store, engine: Engine, indexer: Indexer, scattered: set[str]
) -> None:
    engine.poison = {"a03"}
    probe = engine.probe

    def mended(sent: Article) -> None:
        if sent.id == "a02":  # after a03 was found, and before it is left out
            store.put([article("a03", "Mended.")])
            engine.poison = set()
        probe(sent)

    engine.probe = mended  # type: ignore[method-assign]
    indexer.rebuild()
    assert engine.indexed()["a03"] == "2"
    assert aside(store) == set()


def test_a_stale_index_is_rebuilt_and_catches_up(
    store: Store, engine: Engine, indexer: Indexer
) -> None:
    store.put([article("a"), article("b")])
    engine.stale = "made by another version"
    assert indexer.step() == 2
    assert not engine.commits
    assert engine.indexed() == {"a": "1", "b": "1"}
    assert indexer.step() == 0


def test_an_index_ahead_of_its_store_is_rebuilt(
    store: Store, engine: Engine, indexer: Indexer
) -> None:
    engine.apply([article("ghost", version="1")], [], seq=7)
    store.put([article("a")])
    indexer.catch_up()
    assert engine.indexed() == {"a": "1"}
    assert engine.state().seq == 1


def test_a_rebuild_that_was_asked_for_happens_once(
    store: Store, engine: Engine, indexer: Indexer
) -> None:
    store.put([article("a")])
    indexer.catch_up()
    engine.apply([article("ghost", version="1")], [], seq=1)
    asked = store.request_rebuild()
    seen: list[tuple[int, int]] = []
    assert indexer.step(on_rebuild=lambda *done: seen.append(done)) == 1
    assert seen == [(1, 1)]
    assert engine.indexed() == {"a": "1"}
    assert store.rebuild_finished() == asked
    assert indexer.step() == 0


def test_a_rebuild_gives_up_when_the_indexer_is_to_end(
    store: Store, engine: Engine, indexer: Indexer
) -> None:
    store.put([article("a")])
    indexer.catch_up()
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        indexer.rebuild(stop=stop)
    assert engine.indexed() == {"a": "1"}


def test_deletes_that_are_refused_are_a_failure_of_the_index(
    store: Store, engine: Engine, indexer: Indexer
) -> None:
    store.put([article("a")])
    indexer.catch_up()
    store.delete("a")
    engine.broken = [ValueError("no")]
    with pytest.raises(IndexUnavailable, match="cannot delete"):
        indexer.step()


@pytest.mark.parametrize(
    "failure", [OSError(28, "No space left on device"), StoreFull()]
)
def test_a_failure_is_logged_waited_out_and_loses_nothing(
    store: Store,
    engine: Engine,
    indexer: Indexer,
    failure: Exception,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.01)
    store.put([article("a")])
    engine.broken = [failure, failure]
    with running(indexer):
        until(lambda: engine.state().seq == 1)
    failures = [each for each in caplog.records if each.getMessage() == "failed"]
    assert [each.__dict__["facts"]["retry_seconds"] for each in failures] == [
        0.01,
        0.02,
    ]
    assert engine.indexed() == {"a": "1"}


def test_an_article_is_searchable_well_within_a_second(
    store: Store, engine: Engine, indexer: Indexer
) -> None:
    with running(indexer):
        until(store.indexer_running)
        time.sleep(2 * module.IDLE_SECONDS)
        started = time.monotonic()
        store.put([article("a")])
        until(lambda: engine.state().seq == 1)
        assert time.monotonic() - started < 0.5


def test_an_index_that_is_deleted_under_an_idle_indexer_comes_back(
    store: Store, engine: Engine, indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.05)
    store.put([article("a")])
    with running(indexer):
        until(lambda: engine.state().seq == 1)
        engine.close()
        engine.stale = "there is no index yet"
        until(lambda: engine.indexed() == {"a": "1"})


def test_a_second_indexer_is_refused(store: Store, indexer: Indexer) -> None:
    with running(indexer):
        until(store.indexer_running)
        with pytest.raises(IndexerRunning, match="another indexer"):
            Indexer(store, Engine()).run(threading.Event())
    assert not store.indexer_running()


# The process itself, on a real index.


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    inherited = {
        name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ
    }
    return {
        **inherited,
        "NUTGRAF_STORE": f"sqlite:///{tmp_path / 'nutgraf.db'}",
        "NUTGRAF_ENGINE": f"whoosh:{tmp_path / 'index'}",
    }


def status(environ: dict[str, str]) -> Any:
    with nutgraf(environ, "status", "--json") as process:
        return json.loads(process.communicate()[0])


@pytest.mark.slow
def test_killing_the_process_loses_nothing_and_the_next_catches_up(
    environ: dict[str, str], store: Store
) -> None:
    engine = open_engine(environ["NUTGRAF_ENGINE"])
    for cycle in range(2):
        with nutgraf(environ, "indexer") as process:
            until(lambda: lives(process) and store.indexer_running())
            for n in range(40):
                store.put([article(f"{cycle}-{n}", f"Words of {n}.")])
            # At different moments of a batch, of which some forty are under way.
            time.sleep(0.05 * cycle)
            process.kill()
            process.communicate()
    with nutgraf(environ, "indexer") as process:
        until(lambda: lives(process) and store.indexer_running())
        until(lambda: lives(process) and engine.state().seq == 80)
        assert list(store_problems(store, engine)) == []
        process.send_signal(signal.SIGTERM)
        log = process.communicate(timeout=10)[1]
    assert process.returncode == 0
    events = [json.loads(line) for line in log.splitlines()]
    assert [events[0]["event"], events[-1]["event"]] == ["started", "stopped"]
    assert engine.snapshot().seq == 80
    engine.close()


@pytest.mark.slow
def test_a_second_process_refuses_to_start_and_says_why(
    environ: dict[str, str], store: Store
) -> None:
    with store.indexer_lock(), nutgraf(environ, "indexer") as second:
        out, err = second.communicate(timeout=30)
    assert second.returncode == 1
    assert out == b""
    assert b"another indexer (process" in err
    assert b"Traceback" not in err


@pytest.mark.slow
def test_one_on_standby_takes_over_when_the_indexer_is_killed(
    environ: dict[str, str], store: Store
) -> None:
    engine = open_engine(environ["NUTGRAF_ENGINE"])
    with nutgraf(environ, "indexer", "--standby") as first:
        until(lambda: lives(first) and store.indexer_running())
        with nutgraf(environ, "indexer", "--standby") as second:
            assert second.stderr is not None
            waiting = json.loads(second.stderr.readline())
            assert waiting["event"] == "standing by"
            assert str(first.pid) in waiting["reason"]
            first.kill()
            first.communicate()
            store.put([article("a")])
            until(lambda: lives(second) and engine.state().seq == 1)
            assert store.indexer_process() == second.pid
            second.send_signal(signal.SIGTERM)
            log = second.communicate(timeout=10)[1]
    assert second.returncode == 0
    assert b'"standing by"' not in log, "it is logged once"
    engine.close()


@pytest.mark.slow
def test_one_on_standby_ends_when_it_is_told_to(
    environ: dict[str, str], store: Store
) -> None:
    with store.indexer_lock(), nutgraf(environ, "indexer", "--standby") as second:
        assert second.stderr is not None
        assert b"standing by" in second.stderr.readline()
        second.send_signal(signal.SIGTERM)
        assert second.wait(10) == 0


def test_one_on_standby_waits_for_a_store_that_is_away(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[Indexer] = []

    def run(indexer: Indexer, stop: threading.Event) -> None:
        tries.append(indexer)
        if len(tries) < 3:
            raise StoreUnavailable("the database does not answer")

    monkeypatch.setattr(Indexer, "run", run)
    monkeypatch.setattr(operation, "STANDBY_SECONDS", 0)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    settings = Settings.from_environ(environ)
    assert operation.indexer(Namespace(standby=True), settings, Screen()) == 0
    assert len(tries) == 3
    tries.clear()
    with pytest.raises(StoreUnavailable):
        operation.indexer(Namespace(standby=False), settings, Screen())


class running:  # noqa: N801, reads as a statement
    """Runs an indexer in a thread during a block."""

    def __init__(self, indexer: Indexer) -> None:
        self.stop = threading.Event()
        self.thread = threading.Thread(target=indexer.run, args=(self.stop,))

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *raised: object) -> None:
        self.stop.set()
        self.thread.join(10)
        assert not self.thread.is_alive()


def lives(process: subprocess.Popen[bytes]) -> bool:
    """Assert that a process still runs."""
    assert process.poll() is None, process.communicate()
    return True
