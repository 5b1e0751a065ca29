"""Readers while the index is written and merged, and workers that must agree."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from faults.amounts import amount, chance, progress
from faults.cluster import Cluster, deleted_mappings, open_files, running
from faults.ledger import is_sound, settles
from faults.stamped import SEARCH, generation, stamp_of, store_first

pytestmark = pytest.mark.slow

SECONDS = amount(3, 600)
READERS = 3
MOST_MORE_FILES = 12  # open ones of a worker, when it has seen all of this


class Writer(threading.Thread):
    """A thread that stamps all articles anew, as fast as it can."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__()
        self.written = 0
        self.stop = threading.Event()
        self.failed: list[str] = []
        self._client = cluster.client()

    def run(self) -> None:
        while not self.stop.is_set():
            reply = self._client.ask("POST", "/v1/articles", generation(self.written))
            if reply.status != 200:
                self.failed.append(f"{reply.status} {reply.body!r}")
                return
            self.written += 1
            self.stop.wait(0.03)  # so that commits are many, and small
        self._client.close()


class Reader(threading.Thread):
    """A thread that reads all articles at once, and records contradictions."""

    def __init__(self, cluster: Cluster, writer: Writer) -> None:
        super().__init__()
        self.answers = 0
        self.generations: set[str] = set()
        self.wrong: list[str] = []
        self._client, self._writer = cluster.client(), writer

    def run(self) -> None:
        try:
            while not self._writer.stop.is_set():
                self._look()
        except (AssertionError, OSError) as error:
            self.wrong.append(repr(error))
        self._client.close()

    def _look(self) -> None:
        stamp, wrong = stamp_of(self._client.search(**SEARCH))
        self.answers += 1
        if wrong is not None:
            self.wrong.append(wrong)
        self.generations.add(stamp)


def held(cluster: Cluster) -> dict[int, tuple[int, int]]:
    """Numbers of open files and of deleted mapped files of each worker.

    Each answers a search first, so that it has released what it can.
    """
    held_files = {}
    for pid in cluster.workers():
        with cluster.client_of(pid) as client:
            client.search("stamped")
            held_files[pid] = open_files(pid), deleted_mappings(pid)
    return held_files


def test_an_answer_is_of_one_generation_while_the_index_is_written_and_merged(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "data") as cluster, cluster.client() as client:
        store_first(client)
        before = held(cluster)
        writer = Writer(cluster)
        writer.written = 1
        readers = [Reader(cluster, writer) for _ in range(READERS)]
        for thread in (writer, *readers):
            thread.start()
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends and not writer.failed:
            time.sleep(min(10, max(0, ends - time.monotonic())))
            progress(
                f"{writer.written:,} generations, "
                f"{sum(each.answers for each in readers):,} answers, {held(cluster)}"
            )
        writer.stop.set()
        for thread in (writer, *readers):
            thread.join(60)
        assert writer.failed == []
        assert [each.wrong for each in readers] == [[]] * READERS
        seen = set.union(*(each.generations for each in readers))
        assert len(seen) > 10, "nothing changed while it was read"
        settles(cluster, client)
        after = held(cluster)
        assert after.keys() == before.keys(), "a worker was lost"
        for pid, (files, mapped) in after.items():
            assert files <= before[pid][0] + MOST_MORE_FILES, (before, after)
            assert mapped <= 1, (before, after)
        assert '"level": "error"' not in cluster.log("web") + cluster.log("indexer")
        is_sound(cluster)


# Workers that were forked from one process.

QUESTIONS = amount(120, 300)


def articles() -> list[dict[str, Any]]:
    seed = chance("articles")
    words = [f"{start}{end}" for start in "bdfgkl" for end in ("ana", "olo", "irt")]
    return [
        {
            "id": f"a{n}",
            "headline": " ".join(seed.sample(words, 3)),
            "paragraphs": [" ".join(seed.choices(words, k=20)) for _ in range(3)],
            "section": seed.choice(["World", "Sport"]),
            "published": f"2020-01-{seed.randrange(1, 29):02}T00:00:00Z",
        }
        for n in range(400)
    ]


def questions() -> list[dict[str, object]]:
    """Searches for one word or two, whose right answer is known."""
    seed = chance("questions")
    words = sorted({word for each in articles() for word in each["headline"].split()})
    return [
        {"q": " ".join(seed.sample(words, seed.choice([1, 2]))), "limit": 20}
        for _ in range(QUESTIONS)
    ]


def right(question: dict[str, object], stored: list[dict[str, Any]]) -> set[str]:
    """Ids of the articles whose texts have all the words."""
    words = set(str(question["q"]).split())
    return {
        each["id"]
        for each in stored
        if words <= set(" ".join([each["headline"], *each["paragraphs"]]).split())
    }


def test_four_workers_of_one_process_give_the_right_answers_alike(
    tmp_path: Path,
) -> None:
    sent = articles()
    with running(tmp_path / "data", workers=4) as cluster, cluster.client() as client:
        assert client.ask("POST", "/v1/articles", sent, wait=1).json["indexed"]
        clients = [cluster.client_of(worker) for worker in cluster.workers()]
        for number, question in enumerate(questions()):
            pages = [clients[(number + n) % 4].search(**question) for n in (0, 1)]
            for page in pages:
                page.pop("took_ms")
            assert pages[0] == pages[1], question
            expected = right(question, sent)
            assert pages[0]["total"]["articles"] == len(expected), question
            ids = {hit["id"] for hit in pages[0]["hits"]}
            assert ids <= expected, question
            assert len(ids) == min(20, len(expected)), question
        for each in clients:
            each.close()
        assert sorted(cluster.workers()) == sorted(answering(cluster))


def answering(cluster: Cluster) -> set[int]:
    """Ids of the workers that have answered searches."""
    lines = map(json.loads, cluster.logged().splitlines())
    return {each["process"] for each in lines if each.get("path") == "/v1/search"}
