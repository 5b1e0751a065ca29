"""A running Nutgraf for the browser: its address, its processes and its keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from faults.cluster import HOST, Cluster, running

from browser.archive import fill
from index.access import UNLIMITED, Scope
from index.archive import Archive

# The keys of a site behind keys, by name, and what each may.
_KEYS = {
    "reader": frozenset({Scope.SEARCH}),
    "editor": frozenset({Scope.SEARCH, Scope.READ_EMBARGOED}),
    "feeds": frozenset({Scope.FEED}),  # no page: it may read feeds only
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A server with the articles of ``browser/archive.py``; nothing is indexed later.

    :param url: its address, without a slash at the end.
    :param keys: secrets of its keys, by name; none for a site that is open to all.
    """

    url: str
    cluster: Cluster
    keys: Mapping[str, str]


@contextmanager
def serving(folder: Path, *, behind_keys: bool = False) -> Iterator[Site]:
    """Keep a site running for the length of a block.

    :param folder: is made, and holds store, index and logs.
    """
    folder.mkdir(mode=0o700)
    filled = Cluster(folder=folder)
    keys = {}
    with closing(Archive.open(filled.settings())) as archive:
        fill(archive)
        if behind_keys:
            for name, scopes in _KEYS.items():
                keys[name] = archive.keys.add(name, scopes, rate=UNLIMITED).secret
    with running(folder, workers=1, indexer=False) as cluster:
        yield Site(url=f"http://{HOST}:{cluster.port}", cluster=cluster, keys=keys)
