"""What a newsroom relies on, while hundreds of requests a second are answered."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from faults.amounts import amount, chance, progress
from faults.cluster import ROOT, Client, Cluster, Reply, path_of, running
from faults.ledger import settles, walked
from waiting import until

pytestmark = pytest.mark.slow

# A kill in the middle of searches.

KILLS = amount(6, 120)
ASKING = amount(2, 4)  # threads, each with a connection to every worker


class Seen(NamedTuple):
    """The answer to one request for an article.

    :ivar begun: when the request started.
    :ivar shown: whether anything of the article was in the answer.
    """

    victim: int
    kind: str
    begun: float
    shown: bool


def word(victim: int) -> str:
    """A word that is only in the text of one article."""
    return f"quicksilver{victim:04}"


def victims() -> Iterator[dict[str, Any]]:
    """Yield all articles, in two versions each; the word is in both."""
    for version in (1, 2):
        for n in range(KILLS):
            yield {
                "id": f"victim-{n}",
                "version": str(version),
                "headline": f"Mercury {word(n)} rises",
                "paragraphs": [f"The mercury {word(n)} in version {version}."],
                "keywords": [word(n)],
                "source": f"Desk {word(n)}",
                "published": f"2020-01-01T00:{n // 60:02}:{n % 60:02}Z",
            }


def has_word(victim: int) -> Callable[[Reply], bool]:
    return lambda reply: word(victim).encode() in reply.body.lower()


def is_counted(reply: Reply) -> bool:
    page = reply.json
    facet = page["facets"]["source"]
    return bool(
        page["total"]["articles"] or facet["values"] or facet["missing"] or page["hits"]
    )


def looks(victim: int) -> dict[str, tuple[str, dict[str, object], Any]]:
    """The ways to look for an article, each with the test that it was found."""
    path = path_of(f"victim-{victim}")
    newest = {"q": "mercury", "limit": 100, "sort": "newest"}
    exact = {"q": word(victim), "facet": "source"}
    return {
        "a hit, with its marks": ("/v1/search", newest, has_word(victim)),
        "a hit for a paragraph": (
            "/v1/search",
            {**newest, "unit": "paragraph"},
            has_word(victim),
        ),
        "a count": ("/v1/search", exact, is_counted),
        "a value": (
            "/v1/facets/keywords",
            {"prefix": word(victim)},
            lambda reply: bool(reply.json["values"]),
        ),
        "a suggestion": (
            "/v1/suggest",
            {"q": word(victim)},
            lambda reply: bool(reply.json["suggestions"]),
        ),
        "the article": (path, {"q": "mercury"}, has_word(victim)),
        "an old version": (path, {"version": "1"}, has_word(victim)),
        "its paragraphs": (f"{path}/paragraphs", {}, has_word(victim)),
        "its versions": (f"{path}/versions", {}, has_word(victim)),
    }


class Asking(threading.Thread):
    """A thread that looks for an article in all ways, in every worker, repeatedly."""

    def __init__(self, cluster: Cluster, victim: list[int]) -> None:
        super().__init__()
        self.seen: list[Seen] = []
        self.failed: list[str] = []
        self.stop = threading.Event()
        self._clients = [cluster.client_of(pid) for pid in cluster.workers()]
        self._victim = victim

    def run(self) -> None:
        tags: dict[tuple[int, str], str] = {}
        try:
            while not self.stop.is_set():
                victim = self._victim[0]
                for kind, (path, parameters, tells) in looks(victim).items():
                    for client in self._clients:
                        self._look(client, victim, kind, path, parameters, tells, tags)
        except Exception as error:  # noqa: BLE001 - the test fails with it
            self.failed.append(repr(error))

    def _look(
        self,
        client: Client,
        victim: int,
        kind: str,
        path: str,
        parameters: dict[str, object],
        tells: Callable[[Reply], bool],
        tags: dict[tuple[int, str], str],
    ) -> None:
        begun = time.monotonic()
        reply = client.ask("GET", path, **parameters)
        assert reply.status in (200, 404, 410), (kind, reply.status, reply.body)
        shown = reply.status == 200 and tells(reply)
        self.seen.append(Seen(victim, kind, begun, shown))
        if shown and "ETag" in reply.headers:
            tags[victim, kind] = reply.headers["ETag"]
        # A page that was kept is confirmed only while it is still right.
        if tag := tags.get((victim, kind)):
            begun = time.monotonic()
            again = client.ask("GET", path, if_none_match=tag, **parameters)
            confirmed = again.status == 304
            self.seen.append(Seen(victim, f"{kind}, kept", begun, confirmed))


def test_no_request_begun_after_a_kill_has_anything_of_the_article(
    tmp_path: Path,
) -> None:
    killed: dict[int, float] = {}
    current = [0]
    with running(tmp_path / "data") as cluster, cluster.client() as client:
        every = list(victims())
        for start in range(0, len(every), 500):
            part = every[start : start + 500]
            reply = client.ask("POST", "/v1/articles", part, wait=1)
            assert reply.json["indexed"], reply.body
        threads = [Asking(cluster, current) for _ in range(ASKING)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        ways_that_found: set[str] = set()
        for victim in range(KILLS):
            current[0] = victim
            before = [len(each.seen) for each in threads]
            rounds(threads, before, 1)
            for kind, (path, parameters, tells) in looks(victim).items():
                if tells(client.ask("GET", path, **parameters)):
                    ways_that_found.add(kind)
            # With the indexer gone it holds as well.
            if victim % 6 == 4:
                cluster.kill_indexer()
            with cluster.client() as killer:
                path = path_of(f"victim-{victim}", "kill")
                reply = killer.ask("POST", path, {"note": "It was wrong."})
            assert reply.status == 200, reply.body
            killed[victim] = time.monotonic()
            rounds(threads, [len(each.seen) for each in threads], 1)
            if victim % 6 == 4:
                cluster.start_indexer()
        for thread in threads:
            thread.stop.set()
        for thread in threads:
            thread.join(60)
        seconds = time.monotonic() - started
        assert [each.failed for each in threads] == [[]] * ASKING
        seen = [each for thread in threads for each in thread.seen]
        progress(f"{len(seen):,} requests, {len(seen) / seconds:.0f} a second")
        late = [
            each for each in seen if each.begun > killed[each.victim] and each.shown
        ]
        assert late == []
        kinds = {each.kind for each in seen}
        ways = set(looks(0))
        assert ways_that_found == ways, (
            "something is never found, so that nothing was tested"
        )
        confirmed = {each.kind for each in seen if each.shown and "kept" in each.kind}
        assert confirmed, "no page that was kept was ever confirmed"
        after = {each.kind for each in seen if each.begun > killed[each.victim]}
        assert after == kinds
        # The older ones as well, when all is over, and after everything is indexed.
        settles(cluster, client)
        for victim in range(KILLS):
            for kind, (path, parameters, tells) in looks(victim).items():
                reply = client.ask("GET", path, **parameters)
                assert not (reply.status == 200 and tells(reply)), (victim, kind)
            assert client.ask("GET", path_of(f"victim-{victim}")).status == 410


def rounds(threads: list[Asking], before: list[int], count: int) -> None:
    """Wait until each thread has looked in all ways ``count`` times more."""
    ways = 2 * len(looks(0)) * count
    until(
        lambda: all(
            each.failed or len(each.seen) - was >= ways
            for each, was in zip(threads, before, strict=True)
        ),
        "searches are answered",
        60,
    )


# An export that is under way.


def test_an_export_under_way_has_no_line_of_a_killed_article_after_some_more(
    tmp_path: Path,
) -> None:
    batch, total = 100, 400
    text = ["It was raining on the harbour. " * 700]  # so that a pipe holds few lines
    with running(tmp_path / "data") as cluster, cluster.client() as client:
        for start in range(0, total, 100):
            articles = [
                {"id": f"a{n:04}", "headline": "Rain", "paragraphs": text}
                for n in range(start, start + 100)
            ]
            assert client.ask("POST", "/v1/articles", articles).status == 200
        with subprocess.Popen(
            [sys.executable, "-m", "index", "export"],
            cwd=ROOT,
            env=cluster.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as export:
            assert export.stdout is not None and export.stderr is not None
            lines = [export.stdout.readline() for _ in range(10)]
            gone = ["a0250", "a0320", "a0399"]
            for article_id, how in zip(gone, ("kill", "withhold", None), strict=True):
                if how is None:
                    reply = client.ask("DELETE", path_of(article_id))
                else:
                    reply = client.ask("POST", path_of(article_id, how))
                assert reply.status == 200, reply.body
            lines += export.stdout.readlines()
            assert export.stderr.read() == b""
        assert export.returncode == 0
    written = [line.split(b'"id":', 1)[1].split(b'"')[1].decode() for line in lines]
    assert written == sorted(set(written))
    assert set(written) == {f"a{n:04}" for n in range(total)} - set(gone)
    assert 10 + 2 * batch < 250  # what was killed stood further on than a batch


# Those who keep a copy in step.


class Follower(threading.Thread):
    """A thread that keeps a copy by the change feed, and is often interrupted."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        super().__init__()
        self.copy: dict[str, str] = {}
        self.since = 0
        self.entries = 0
        self.stop = threading.Event()
        self.failed: list[str] = []
        self._cluster, self._seed = cluster, chance("follower", name)

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                # Begun anew from what was kept at some moment, which may be old.
                saved = self.since, dict(self.copy)
                with self._cluster.client() as client:
                    for _ in range(self._seed.randrange(1, 12)):
                        self.read(client, wait=1)
                        if self.stop.is_set():
                            return
                        if self._seed.random() < 0.2:
                            saved = self.since, dict(self.copy)
                if self._seed.random() < 0.5:
                    self.since, self.copy = saved
        except AssertionError as error:
            self.failed.append(repr(error))

    def read(self, client: Client, wait: int = 0) -> bool:
        """Take one page; return whether there is more at once."""
        limit = self._seed.choice([1, 7, 100, 1_000])
        try:
            reply = client.ask(
                "GET", "/v1/changes", since=self.since, limit=limit, wait=wait
            )
        except OSError:  # the worker was killed
            return True
        if reply.status == 503:
            return True
        assert reply.status == 200, reply.body
        page = reply.json
        seqs = [each["seq"] for each in page["changes"]]
        assert seqs == sorted(set(seqs)) and all(seq > self.since for seq in seqs)
        assert page["next"] >= max([self.since, *seqs])
        for each in page["changes"]:
            self.entries += 1
            if each["removed"]:
                self.copy.pop(each["id"], None)
            else:
                self.copy[each["id"]] = each["version"]
        self.since = page["next"]
        return bool(page["more"])


def change_something(client: Client, seed: Any, serial: int) -> None:
    """Do one of all the things that can happen to an article."""
    article_id = f"f{seed.randrange(40)}"
    soon = datetime.now(UTC) + timedelta(seconds=seed.uniform(0.05, 1.5))
    body: dict[str, Any] = {"headline": f"Followed {serial}"}
    what = seed.choice(
        ["put"] * 6
        + ["kill", "reinstate", "withhold", "reinstate", "delete"]
        + ["embargo", "expiry", "both", "higher", "older", "correct"]
    )
    if what in ("kill", "withhold", "reinstate"):
        reply = client.ask("POST", path_of(article_id, what))
    elif what == "delete":
        reply = client.ask("DELETE", path_of(article_id))
    else:
        if what in ("embargo", "both"):
            body["embargoed_until"] = soon.isoformat()
        if what in ("expiry", "both"):
            body["expires"] = (soon + timedelta(seconds=0.5)).isoformat()
        if what == "higher":
            body["version"] = str(1_000 + serial)
        if what == "older":
            body["version"] = "0"
        if what == "correct":
            body["correction"] = "A figure was wrong."
        reply = client.ask("PUT", path_of(article_id), body)
    assert reply.status in (200, 404, 409, 410, 422, 503), reply.body


def visible(client: Client) -> dict[str, str]:
    hits = walked(client, limit=100, sort="newest", passages=0)
    return {hit["id"]: hit["version"] for hit in hits}


def test_who_follows_the_feed_ends_with_what_shows(tmp_path: Path) -> None:
    seed = chance("feed")
    with running(tmp_path / "data") as cluster, cluster.client() as client:
        followers = [Follower(cluster, "first")]
        followers[0].start()
        for serial in range(amount(160, 5_000)):
            for attempt in range(50):
                try:
                    change_something(client, seed, serial)
                    break
                except OSError:
                    time.sleep(0.02 * (attempt + 1))
            if serial % 100 == 50:
                followers.append(Follower(cluster, f"late {serial}"))
                followers[-1].start()
            if serial % 60 == 30:
                os.kill(seed.choice(cluster.workers()), signal.SIGKILL)
            if serial % 150 == 140:
                cluster.kill_indexer()
                cluster.start_indexer()
        settles(cluster, client)
        # Embargoes end and articles expire, all of them, and are told of.
        until(lambda: is_quiet(cluster, client), "nothing happens any more", 20)
        for each in followers:
            each.stop.set()
        for each in followers:
            each.join(40)
            assert not each.is_alive() and each.failed == []
        shows = visible(client)
        from_start = Follower(cluster, "last")
        for each in (*followers, from_start):
            while each.read(client):
                pass
            assert each.copy == shows
        assert from_start.entries > 0 and shows
        assert "Traceback" not in cluster.log("indexer")


def is_quiet(cluster: Cluster, client: Client) -> bool:
    """Whether the seq has stayed the same for longer than any embargo lasts here."""
    before = client.ask("GET", "/readyz").json["store_seq"]
    time.sleep(2.5)
    after = client.ask("GET", "/readyz").json
    return bool(after["store_seq"] == before and cluster.caught_up(client))


# Very many of one moment.


@pytest.mark.parametrize("unit", ["article", "paragraph"])
def test_thousands_of_articles_of_one_moment_page_without_repeat_or_hole(
    moment: Cluster, unit: str
) -> None:
    clients = [moment.client_of(pid) for pid in moment.workers()]
    for sort in ("newest", "oldest", "updated", "relevance"):
        if unit == "paragraph" and sort not in ("newest", "relevance"):
            continue
        asked = {"q": "moment", "unit": unit, "sort": sort, "limit": 100, "passages": 0}
        ids: list[str] = []
        after: dict[str, object] = {}
        pages = 0
        while True:
            page = clients[pages % 2].search(**asked, **after)
            pages += 1
            ids += [hit["id"] for hit in page["hits"]]
            if page["next"] is None:
                break
            after = {"cursor": page["next"]}
        assert len(ids) == len(set(ids)) == page["total"][f"{unit}s"]
        assert {each.partition("#")[0] for each in ids} == {
            f"m{n}" for n in range(MOMENT)
        }
    for each in clients:
        each.close()


MOMENT = amount(2_000, 5_000)


@pytest.fixture(scope="module")
def moment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with as many articles as that, all published at the same moment."""
    with running(tmp_path_factory.mktemp("moment") / "data") as cluster:
        with cluster.client() as client:
            for start in range(0, MOMENT, 1_000):
                batch = [
                    {
                        "id": f"m{n}",
                        "headline": "One moment",
                        "published": "2020-02-29T12:00:00Z",
                    }
                    for n in range(start, start + 1_000)
                ]
                assert client.ask("POST", "/v1/articles", batch).status == 200
            settles(cluster, client, 30)
        yield cluster
