"""Witnesses of a running service: they write, kill and search while servers fail.

A service may say that it cannot answer now: 503, with ``Retry-After``. What it does
answer is right: all of one generation, and nothing that is killed.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from typing import Self

from faults.cluster import Client, Cluster, Reply, path_of
from faults.ledger import Ledger, Load
from faults.stamped import SEARCH, TOGETHER, generation, stamp_of

_PAUSE = 0.02  # seconds between two requests of a witness
_REMEMBERED = 40  # killed articles that are looked for now and then


class _Witness(threading.Thread):
    """A thread that asks a service again and again, until it is to stop."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(daemon=True)
        self.answers = 0
        self.refusals: Counter[str] = Counter()  # by the code of the problem
        self.wrong: list[str] = []
        self._end = threading.Event()
        self._client: Client = cluster.client(timeout=60)

    def run(self) -> None:
        try:
            while not self._end.is_set():
                self._turn()
                self._end.wait(_PAUSE)
        except Exception as error:  # noqa: BLE001 - the test fails with it
            self.wrong.append(repr(error))

    def end(self) -> None:
        """End it, and wait for its last answer."""
        self._end.set()
        self.join(90)
        assert not self.is_alive(), "a request has no answer"
        self._client.close()

    def _turn(self) -> None:
        raise NotImplementedError

    def _answer(
        self, method: str, path: str, body: object = None, **parameters: object
    ) -> Reply | None:
        """An answer that is no refusal; ``None`` if it is one."""
        try:
            reply = self._client.ask(method, path, body, **parameters)
        except OSError:
            self.refusals["no answer"] += 1
            return None
        if reply.status == 503:
            self.refusals[reply.json["code"]] += 1
            if int(reply.headers.get("Retry-After", "0")) < 1:
                self.wrong.append(f"503 without Retry-After: {reply.body!r}")
            return None
        self.answers += 1
        return reply

    def _until_done(
        self, method: str, path: str, body: object = None, **parameters: object
    ) -> Reply | None:
        """The answer to a write, which is repeated until there is one."""
        while not self._end.is_set():
            reply = self._answer(method, path, body, **parameters)
            if reply is not None:
                return reply
            self._end.wait(_PAUSE)
        return None


class Stamper(_Witness):
    """A witness that stamps all articles anew, as fast as it can."""

    written = 1  # the first generation is there

    def _turn(self) -> None:
        reply = self._until_done("POST", "/v1/articles", generation(self.written))
        if reply is not None:
            if reply.status != 200:
                self.wrong.append(f"{reply.status} {reply.body!r}")
            self.written += 1


class Reader(_Witness):
    """A witness that reads all stamped articles at once."""

    def _turn(self) -> None:
        reply = self._answer("GET", "/v1/search", **SEARCH)
        if reply is None:
            return
        if reply.status != 200:
            self.wrong.append(f"{reply.status} {reply.body!r}")
            return
        _, wrong = stamp_of(reply.json)
        if wrong is not None:
            self.wrong.append(wrong)


class Killer(_Witness):
    """A witness that kills articles, and looks whether they stay so."""

    def __init__(self, cluster: Cluster, name: str, chance: random.Random) -> None:
        super().__init__(cluster)
        self.killed: list[str] = []
        self.sent: list[str] = []
        self._prefix, self._chance = name, chance

    def _turn(self) -> None:
        victim = f"{self._prefix}{len(self.sent)}"
        self.sent.append(victim)
        body = {"headline": f"Victim {victim}", "paragraphs": [f"Of {victim} alone."]}
        stored = self._until_done("PUT", path_of(victim), body, wait=1)
        if stored is None:
            return
        if stored.status != 200:
            self.wrong.append(f"{stored.status} {stored.body!r}")
            return
        if self._until_done("POST", path_of(victim, "kill"), {}) is None:
            return
        self.killed.append(victim)
        self._look_for(victim)
        self._look_for(self._chance.choice(self.killed[-_REMEMBERED:]))

    def _look_for(self, victim: str) -> None:
        reply = self._answer("GET", "/v1/search", q=victim, facet="source")
        if reply is not None and (
            reply.status != 200 or reply.json["total"]["articles"]
        ):
            self.wrong.append(f"{victim} is killed: {reply.status} {reply.body!r}")
        reply = self._answer("GET", path_of(victim))
        if reply is not None and reply.status != 410:
            self.wrong.append(f"{victim} is killed: {reply.status} {reply.body!r}")


class Witnesses:
    """All kinds of witnesses of a service, and writers with ledgers, for a block.

    What they saw is checked at its end.

    :ivar besides: ids of the articles that are in no ledger.
    """

    def __init__(
        self,
        cluster: Cluster,
        ledgers: list[Ledger],
        chance: random.Random,
        *,
        number: int = 0,
    ) -> None:
        self.stamper = Stamper(cluster)
        self.readers = [Reader(cluster) for _ in range(2)]
        self.killer = Killer(cluster, f"victim{number}x", chance)
        self._all = [self.stamper, *self.readers, self.killer]
        self._load = Load(cluster, ledgers)

    @property
    def besides(self) -> set[str]:
        """Ids of the articles that are in no ledger."""
        return {f"stamped-{n}" for n in range(TOGETHER)} | set(self.killer.sent)

    def answers(self) -> int:
        """Number of answers to searches so far that were no refusals."""
        return sum(each.answers for each in self.readers)

    def __enter__(self) -> Self:
        self._load.__enter__()
        for each in self._all:
            each.start()
        return self

    def __exit__(self, *raised: object) -> None:
        for each in self._all:
            each.end()
        self._load.__exit__(*raised)
        wrong = [each for witness in self._all for each in witness.wrong]
        assert wrong == []
