"""A service under load whose servers fail, and the comparison with what was written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from faults.amounts import chance
from faults.cluster import Client, Cluster, Reply, running
from faults.ledger import Ledger, hold_to, is_sound, settles
from faults.stamped import SEARCH, stamp_of, store_first
from faults.witnesses import Witnesses

# What a search may take: a node that says nothing is waited for so long.
SECONDS = 5.0
# Seconds until what takes a second or two on a machine that has nothing else to do.
LATE = 60


@dataclass
class Trial:
    """A service under load, and the ledgers of its writers."""

    cluster: Cluster
    client: Client
    name: str
    ledgers: list[Ledger]
    besides: set[str] = field(default_factory=set)
    rounds: int = 0

    @contextmanager
    def under_load(self) -> Iterator[Witnesses]:
        """Witnesses at work for the length of a block; then everything is compared."""
        self.rounds += 1
        seed = chance(self.name, self.rounds)
        witnesses = Witnesses(self.cluster, self.ledgers, seed, number=self.rounds)
        with witnesses:
            yield witnesses
        self.besides |= witnesses.besides
        settles(self.cluster, self.client, LATE)
        hold_to(self.ledgers, self.cluster, self.client, besides=self.besides)
        is_sound(self.cluster)
        for victim in witnesses.killer.killed:
            page = self.client.search(victim)
            assert page["total"]["articles"] == 0, f"{victim} is killed"
        assert '"level": "error"' not in self.cluster.log("web")
        assert "\nTraceback" not in self.cluster.log("indexer")

    def refused(self, **parameters: object) -> Reply:
        """A search, which must be refused for a while."""
        reply = self.client.ask("GET", "/v1/search", **{**SEARCH, **parameters})
        assert reply.status == 503, reply.body
        assert int(reply.headers["Retry-After"]) >= 1
        return reply

    def answers(self) -> bool:
        """Whether a search is answered, and then rightly."""
        reply = self.client.ask("GET", "/v1/search", **SEARCH)
        if reply.status == 503:
            return False
        assert reply.status == 200, reply.body
        assert stamp_of(reply.json)[1] is None
        return True


@contextmanager
def trial(name: str, folder: Path, **variables: str) -> Iterator[Trial]:
    """A service with its first articles indexed.

    :param name: of the test; the articles of its writers begin with it.
    :param variables: settings, by the names of their variables: its servers.
    """
    ledgers = [Ledger(f"{name}{n}", chance(name, "writer", n)) for n in range(2)]
    variables = {"NUTGRAF_SEARCH_SECONDS": str(SECONDS), **variables}
    with running(folder, **variables) as cluster, cluster.client() as client:
        store_first(client)
        yield Trial(cluster, client, name, ledgers)
