"""A purge leaves the text in no file, also of workers that are asked nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from faults.cluster import Cluster, deleted_mappings, path_of, running
from faults.ledger import is_sound, settles
from waiting import until

from index.store import Store

pytestmark = pytest.mark.slow

WORD = b"zwetschgenkuchen"


def open_files(pid: int) -> Iterator[tuple[str, bytes]]:
    """Files that a process has open or mapped, with what is in them."""
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            if (target := handle.readlink()).is_absolute():
                name = str(target)
                if not name.startswith(("/dev/", "/proc/")) and handle.is_file():
                    yield name, handle.read_bytes()
    for line in Path(f"/proc/{pid}/maps").read_text("utf-8").splitlines():
        *_, name = line.split(maxsplit=5)
        if name.endswith(" (deleted)"):
            span = line.split()[0]
            with suppress(OSError):  # it has been unmapped meanwhile
                yield name, Path(f"/proc/{pid}/map_files/{span}").read_bytes()


def holding(cluster: Cluster) -> set[str]:
    """Where the word still is: files of the folder, and files that processes hold."""
    places = {
        str(path)
        for path in cluster.folder.rglob("*")
        if path.is_file() and WORD in path.read_bytes().lower()
    }
    for pid in (*cluster.workers(), cluster.indexer, *cluster.helpers()):
        for name, data in open_files(pid):
            if WORD in data.lower():
                places.add(f"{pid}: {name}")
    return places


def test_a_purged_text_is_in_no_file_that_an_idle_worker_holds(tmp_path: Path) -> None:
    with running(tmp_path / "data") as cluster:
        with cluster.client() as client:
            for n in range(1, 4):
                body = {
                    "headline": f"Zwetschgenkuchen {n}",
                    "paragraphs": ["Zwetschgenkuchen was served. " * 2_000],
                    "people": ["Zwetschgenkuchen Baker"],
                }
                assert client.ask("PUT", path_of("cake"), body).status == 200
            other = {"headline": "Other", "paragraphs": ["Something else."]}
            assert client.ask("PUT", path_of("other"), other).status == 200
            settles(cluster, client)
        for pid in cluster.workers():
            with cluster.client_of(pid) as client:
                for path in (
                    *("/v1/search?q=zwetschgenkuchen&facet=people", "/v1/suggest?q=zw"),
                    *("/v1/search?q=zwetsch*+OR+else", "/v1/facets/people"),
                    *("/v1/articles/cake?q=zwetsch*", "/v1/articles/cake/versions"),
                    *("/v1/articles/cake/diff", "/v1/changes"),
                ):
                    assert client.ask("GET", path).status == 200, path
        assert holding(cluster)
        with cluster.client() as client:
            assert client.ask("POST", path_of("cake", "kill"), {}).status == 200
            settles(cluster, client)
        # From here on nobody asks the workers anything.
        assert cluster.run("purge", "cake").returncode == 0
        store = Store(cluster.settings().store)
        until(
            lambda: store.rebuild_finished() == store.rebuild_requested(),
            "the index has been built again",
        )
        store.close()
        until(
            lambda: not any(map(deleted_mappings, cluster.workers())),
            "the workers have let go of the old index",
            5,
        )
        until(lambda: not holding(cluster), "the word is in no file", 5)
        with cluster.client() as client:
            assert client.search("zwetschgenkuchen")["total"]["articles"] == 0
            assert client.search("else")["total"]["articles"] == 1
            settles(cluster, client)
        is_sound(cluster)
