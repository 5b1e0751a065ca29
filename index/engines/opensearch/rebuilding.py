"""Rebuilding: new indexes beside the old ones, which readers search until the end."""

from __future__ import annotations

import re
import secrets
import time
from typing import Any

from index.engines.opensearch.cluster import Cluster, Refused
from index.engines.opensearch.commits import (
    GRACE_SECONDS,
    Commit,
    Commits,
    alias_of,
    now,
)
from index.engines.opensearch.mapping import ARTICLES
from index.engines.opensearch.words import WORDS
from index.errors import IndexUnavailable

# A tombstone of a deleted document, with its version, is kept for longer than any
# request is under way: an older write that was delayed cannot bring it back.
_TOMBSTONES = "1h"
# Seconds between two looks at the replicas, and how many looks that see none being made
# end the wait for them.
_LOOK_SECONDS, _IDLE_LOOKS = 0.2, 10
_FLUSH_SECONDS = 300.0  # the longest that files may take to be written
# The generation that single articles are tried in.
PROBE = "probe"
# Only names that we give: the prefix of another archive may begin with ours.
_NAME = re.compile(rf"[0-9a-f]{{12}}|{PROBE}")


class Generations:
    """The indexes of all generations: made, filled elsewhere, and removed."""

    def __init__(self, cluster: Cluster, commits: Commits) -> None:
        self._cluster, self._commits = cluster, commits

    def create(self, name: str = "") -> str:
        """Make the empty indexes of a generation, without replicas; return its name.

        :param name: a name that it may have already; by default a new one.
        :raises IndexUnavailable: a primary shard could not be started.
        """
        name = name or secrets.token_hex(6)
        address = self._cluster.address
        generation = self._commits.generation(name)
        # The first writes wait for the shards of the words, whatever these wait for.
        self._make(generation.words, WORDS, shards=1, awaited=0)
        self._make(generation.articles, ARTICLES, shards=address.shards, awaited=1)
        return name

    def _make(
        self, index: str, body: dict[str, Any], *, shards: int, awaited: int
    ) -> None:
        """Make an index, unless it is there.

        :param awaited: copies of each shard that must be started.
        """
        try:
            answer = self._cluster.ask(
                "PUT",
                f"/{index}?wait_for_active_shards={awaited}",
                {**self._body(body, shards), "aliases": {alias_of(index): {}}},
                repeat=False,
            )
        except Refused as error:
            if error.kind == "resource_already_exists_exception":
                return
            raise
        if answer is None or not answer["shards_acknowledged"]:
            raise IndexUnavailable(
                f"the search cluster is not available: {index} was not started"
            )

    def replicate(self, name: str) -> None:
        """Give the indexes of a generation their replicas, and wait for them.

        A replica copies files: each document is indexed once. One that no node can take
        is not waited for; the cluster makes it when there is a node again.
        """
        replicas = self._cluster.address.replicas
        if not replicas:
            return
        names = ",".join(self._commits.generation(name))
        # Documents that are not in files yet would be indexed again.
        self._cluster.ask(
            "POST",
            f"/{names}/_flush",
            seconds=_FLUSH_SECONDS,
            patience=_FLUSH_SECONDS,
        )
        settings = {"index": {"number_of_replicas": replicas}}
        self._cluster.ask("PUT", f"/{names}/_settings", settings)
        idle = 0
        while idle < _IDLE_LOOKS:
            health = self._cluster.ask("GET", f"/_cluster/health/{names}")
            assert health is not None, "404 is an error here"
            if health["status"] == "green":
                return
            # A node that is asked what it has of a shard is not yet making a replica.
            busy = health["initializing_shards"] or health["number_of_in_flight_fetch"]
            idle = 0 if busy else idle + 1
            time.sleep(_LOOK_SECONDS)

    def remove(self, name: str) -> None:
        """Remove the indexes of a generation, as far as they are there."""
        names = ",".join(self._commits.generation(name))
        self._cluster.ask("DELETE", f"/{names}?ignore_unavailable=true")

    def remove_others(self, *kept: str) -> None:
        """Remove the indexes of all generations but some: what failed rebuilds left."""
        for name in self._names() - set(kept):
            self.remove(name)

    def remove_replaced(self, commit: Commit) -> bool:
        """Remove the indexes that a rebuild has replaced, once no search uses them.

        :return: whether there were any, and they are removed.
        """
        if commit.replaced is None:
            return False
        name, at = commit.replaced
        if now() - at < GRACE_SECONDS:
            return False
        self.remove(name)
        return True

    def _names(self) -> set[str]:
        prefix = self._cluster.address.prefix
        path = f"/_cat/indices/{prefix}-*?h=index&format=json&expand_wildcards=all"
        names = set()
        for row in self._cluster.ask("GET", path) or ():
            for kind in ("articles", "words"):
                start = f"{prefix}-{kind}-"
                name = row["index"].removeprefix(start)
                if name != row["index"] and _NAME.fullmatch(name):
                    names.add(name)
        return names

    def _body(self, body: dict[str, Any], shards: int) -> dict[str, Any]:
        settings = dict(body.get("settings", {}))
        index = {
            **settings.get("index", {}),
            "number_of_shards": shards,
            "number_of_replicas": 0,
            "refresh_interval": "-1",
            "gc_deletes": _TOMBSTONES,
        }
        return {**body, "settings": {**settings, "index": index}}
