"""A disk that is full, and index files that are damaged, while the service runs."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from faults.amounts import SIZE, amount, chance, progress
from faults.cluster import Client, Cluster, path_of, running
from faults.ledger import is_sound, settles
from waiting import until

pytestmark = pytest.mark.slow

# A full disk, made by a limit on the size of files: what lies beyond cannot be written.

SIZES = [0, 4_096, 20_000, 100_000, 400_000][: amount(1, 5)]


@contextmanager
def no_room(pids: list[int], size: int) -> Iterator[None]:
    """Limit the size of files that processes may write, for the length of a block."""
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids}
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        for pid, limits in before.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


def files_of(cluster: Cluster) -> int:
    """Size of the largest file of the store."""
    # Not of the room that is kept for withdrawals: here no room can be freed.
    files = (cluster.folder / f"nutgraf.db{ending}" for ending in ("", "-wal", "-shm"))
    return max(path.stat().st_size for path in files)


class Desk:
    """A writer of one article after the other, which records those that were stored."""

    def __init__(self, cluster: Cluster) -> None:
        self.stored: set[str] = set()
        self.refused: set[str] = set()
        self._clients = [cluster.client_of(pid) for pid in cluster.workers()]
        self._count = 0

    def clear(self) -> None:
        """Delete the articles of earlier desks: tests share a store."""
        (client, *_) = self._clients
        for hit in client.search("goes", limit=100)["hits"]:
            assert client.ask("DELETE", path_of(hit["id"])).status == 200

    def write(self) -> int:
        """Send one more article to each worker, and return the worst status."""
        worst = 0
        for client in self._clients:
            self._count += 1
            article_id = f"desk-{self._count}"
            body = {"headline": "Desk", "paragraphs": ["It goes on. " * 400]}
            reply = client.ask("PUT", path_of(article_id), body)
            if reply.status == 200:
                self.stored.add(article_id)
            else:
                self.refused.add(article_id)
                assert reply.status == 507, reply.body
                assert reply.json["code"] == "storage_full"
                assert "disk" in reply.json["detail"], reply.json
                assert int(reply.headers["Retry-After"]) > 0
            worst = max(worst, reply.status)
        return worst

    def reads(self) -> None:
        """Read every kind of resource, from every worker."""
        for client in self._clients:
            assert client.search("goes")["total"]["articles"] >= 1
            for path in (
                *("/v1/suggest?q=go", "/v1/facets/section", "/v1/fields", "/healthz"),
                *("/metrics", "/openapi.json", "/v1/articles/desk-1/versions"),
                *("/v1/articles/desk-1?q=goes", "/v1/articles/desk-1/paragraphs"),
            ):
                assert client.ask("GET", path).status == 200, path

    def all_kept(self) -> None:
        """Check that acknowledged articles are stored, and refused ones are not."""
        (client, *_) = self._clients
        for article_id in self.stored:
            assert client.ask("GET", path_of(article_id)).status == 200, article_id
        for article_id in self.refused:
            assert client.ask("GET", path_of(article_id)).status == 404, article_id
        assert client.search("goes", limit=0)["total"]["articles"] == len(self.stored)

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients:
            client.close()


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with a first article, whose files the tests do not let grow."""
    with running(tmp_path_factory.mktemp("disk") / "data") as cluster:
        yield cluster


@pytest.mark.parametrize("size", SIZES)
def test_a_full_disk_is_told_reads_go_on_and_writes_when_there_is_room(
    disk: Cluster, size: int
) -> None:
    desk = Desk(disk)
    desk.clear()
    assert desk.write() == 200
    with disk.client() as client:
        settles(disk, client)
    with no_room(disk.workers(), files_of(disk) + size):
        until(lambda: desk.write() == 507, "the disk is full")
        for _ in range(3):
            desk.reads()
            desk.write()
    until(lambda: desk.write() == 200, "there is room again", 5)
    with disk.client() as client:
        settles(disk, client)
    desk.all_kept()
    desk.close()
    is_sound(disk)


@pytest.mark.parametrize("size", SIZES)
def test_a_full_disk_stops_the_index_but_nothing_else(disk: Cluster, size: int) -> None:
    before = len(disk.log("web"))
    with disk.client() as client:
        desk = Desk(disk)
        desk.clear()
        assert desk.write() == 200
        settles(disk, client)
        # First not even a table of contents fits, nor a line in the log; with more room
        # some segments do, and no merged one.
        with no_room([disk.indexer, *disk.helpers()], size):
            for _ in range(12):
                assert desk.write() == 200
                desk.reads()
            assert size or client.ask("GET", "/readyz").json["behind"] > 0
        settles(disk, client, 15)
        desk.all_kept()
        desk.close()
        assert "Traceback" not in disk.log("web")[before:]
        is_sound(disk)


@contextmanager
def small_disk(disk: Path, size: int) -> Iterator[None]:
    """Mount a small disk for the length of a block; only root may."""
    disk.mkdir(mode=0o700)
    options = ["-t", "tmpfs", "-o", f"size={size},mode=0700", "none", str(disk)]
    made = subprocess.run(["mount", *options], capture_output=True, check=False)
    if made.returncode != 0:
        pytest.skip("mounting a disk needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> None:
    """Take up all that is left of a disk."""
    with (disk / "filler").open("ab", buffering=0) as file:
        for size in (1024 * 1024, 4096, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))


def test_a_kill_on_a_full_disk_holds_at_once_and_in_every_worker(
    tmp_path: Path,
) -> None:
    disk = tmp_path / "disk"
    variables = {
        "NUTGRAF_STORE": f"sqlite:///{disk / 'data' / 'nutgraf.db'}",
        "NUTGRAF_ENGINE": f"whoosh:{disk / 'data' / 'index'}",
        "NUTGRAF_DISK_FREE": "1",  # of so small a disk, /readyz would say no
    }
    with (
        small_disk(disk, 32 * 1024 * 1024),
        running(tmp_path / "logs", **variables) as cluster,
    ):
        desk = Desk(cluster)
        for _ in range(amount(6, 40)):
            assert desk.write() == 200
        killed, kept = sorted(desk.stored)[:-1], sorted(desk.stored)[-1]
        with cluster.client() as client:
            settles(cluster, client)
            until(
                lambda: any(disk.glob("data/nutgraf.db-reserve")), "there is a reserve"
            )
            fill(disk)
            until(lambda: desk.write() == 507, "the disk is full")
            for article_id in killed:
                reply = client.ask("POST", path_of(article_id, "kill"), {"note": "No."})
                assert reply.status == 200, reply.body
                fill(disk)
                for pid in cluster.workers():
                    with cluster.client_of(pid) as other:
                        assert other.ask("GET", path_of(article_id)).status == 410
                        hits = other.search("goes", limit=100)["hits"]
                        assert article_id not in {hit["id"] for hit in hits}
            assert client.ask("GET", path_of(kept)).status == 200
            (disk / "filler").unlink()
            until(lambda: desk.write() == 200, "there is room again", 5)
            settles(cluster, client)
        desk.close()
        is_sound(cluster)


# Files of the index.


def articles() -> list[dict[str, Any]]:
    seed = chance("damage")
    words = [f"{start}{end}" for start in "bdfgkl" for end in ("ana", "olo", "irt")]
    return [
        {
            "id": f"a{n}",
            "headline": " ".join(seed.sample(words, 3)),
            "paragraphs": [" ".join(seed.choices(words, k=15)) for _ in range(2)],
            "section": seed.choice(["World", "Sport"]),
        }
        for n in range(120)
    ]


QUESTIONS: tuple[dict[str, object], ...] = (
    {"q": "", "limit": 100, "facet": "section"},
    {"q": "bana folo", "limit": 20},
    {"q": '"kirt gana" OR lolo', "limit": 20, "unit": "paragraph"},
    {"q": "dol* -headline:girt", "limit": 20, "explain": 1},
)


# Between two rounds of questions while an index is damaged, which is a second or so.
PAUSE_SECONDS = 0.02 if SIZE == "full" else 0.2


def answers(client: Client) -> object | None:
    """All answers of a worker; ``None`` if it answers 503."""
    pages = []
    for question in QUESTIONS:
        reply = client.ask("GET", "/v1/search", **question)
        if reply.status == 503:
            assert reply.json["code"] == "index_unavailable", reply.body
            assert int(reply.headers["Retry-After"]) > 0
            return None
        assert reply.status == 200, reply.body
        page = reply.json
        for name in ("took_ms", "index"):
            page.pop(name)
        pages.append(page)
    return pages


def cut(data: bytes, seed: random.Random) -> bytes:
    return data[: seed.randrange(len(data))]


def flip(data: bytes, seed: random.Random) -> bytes:
    flipped = bytearray(data)
    for _ in range(3):
        flipped[seed.randrange(len(data))] ^= 1 << seed.randrange(8)
    return bytes(flipped)


def zero(data: bytes, seed: random.Random) -> bytes:
    start = seed.randrange(len(data))
    return data[:start] + bytes(len(data[start : start + 512])) + data[start + 512 :]


def empty(data: bytes, seed: random.Random) -> bytes:
    return b""


HARMS: tuple[Callable[[bytes, random.Random], bytes] | None, ...] = (
    *(cut, flip, zero, empty),
    None,  # remove it
)


def harm(folder: Path, seed: random.Random) -> str:
    """Replace a file by a damaged one, or remove it; return what was done."""
    kind = seed.choice([".toc", ".json", ".seg", ".seg"])
    path = seed.choice(sorted(folder.glob(f"*{kind}")))
    change = seed.choice(HARMS)
    if change is None:
        path.unlink()
        return f"{path.name} removed"
    # Another file: some have this one in their memory.
    other = path.with_name(f"{path.name}.other")
    other.write_bytes(change(path.read_bytes(), seed))
    other.replace(path)
    return f"{path.name}: {change.__name__}"


def test_a_damaged_index_is_never_answered_from_and_heals(tmp_path: Path) -> None:
    seed = chance("harm")
    sent = articles()
    with running(tmp_path / "data") as cluster, cluster.client() as client:
        for start in range(0, len(sent), 30):  # in several segments
            batch = sent[start : start + 30]
            assert client.ask("POST", "/v1/articles", batch, wait=1).json["indexed"]
        right = answers(client)
        assert right is not None
        healed = 0
        for number in range(amount(7, 500)):
            detected = False
            what = harm(cluster.index, seed)
            # A new worker opens what is there now; the other may have all in memory.
            victim = seed.choice(cluster.workers())
            os.kill(victim, signal.SIGKILL)
            if number % 10 == 5:
                cluster.kill_indexer()
                cluster.start_indexer()
            until(
                lambda gone=victim: (
                    gone not in cluster.workers() and cluster.at_full_strength()
                ),
                "full strength",
            )
            clients = [cluster.client_of(pid) for pid in cluster.workers()]
            deadline = time.monotonic() + 10
            while True:
                given_answers = [answers(each) for each in clients]
                assert all(each in (None, right) for each in given_answers), what
                if None not in given_answers:
                    break
                detected = True
                assert time.monotonic() < deadline, f"{what}: not built again"
                time.sleep(PAUSE_SECONDS)
            for each in clients:
                each.close()
            healed += detected
            progress(
                f"{number + 1}: {what};"
                f" {'detected and healed' if detected else 'no harm'}"
            )
        assert healed > 0
        assert cluster.run("rebuild", "--json").returncode == 0
        is_sound(cluster)
        assert "Exception on" not in cluster.log("web")
