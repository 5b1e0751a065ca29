"""A newsroom for tests: who writes articles, and the service that their readers ask.

In one form archive and service are in the test's own process, in the other they are a
whole Nutgraf, whose workers are all asked. Both index only when they are told to, so
that a test knows what is indexed when it looks.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import quote, urlencode

import pytest
from faults.cluster import IDLE_SECONDS, Client, Cluster, Reply, state_of, until
from flask.testing import FlaskClient

from index.access import keys
from index.archive import Archive
from index.dates import micros
from index.jobs import Indexer
from service.logs import JsonLines

# What differs between two answers that say the same.
_INCIDENTAL = ("took_ms", "request_id")


def path(article_id: str) -> str:
    """Return where an article is."""
    return f"/v1/articles/{quote(article_id, safe='')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsroom(ABC):
    """What a test asks of articles and their service, whatever these run in.

    :param secret: the key that requests are sent with; ``None`` is none.
    """

    secret: str | None = None

    @abstractmethod
    def index(self) -> None:
        """Index all that was written and every instant that has passed, then stop."""

    @abstractmethod
    def logged(self) -> str:
        """Return all that the service has logged."""

    @abstractmethod
    def made_key(self, name: str, scopes: str, only: Mapping[str, str]) -> str:
        """Return a new key."""

    @abstractmethod
    def revoke(self, name: str) -> None:
        """End a key."""

    @abstractmethod
    def _answers(self, address: str, headers: Mapping[str, str]) -> list[Reply]:
        """Return what each worker answers."""

    @abstractmethod
    def _answer(
        self, method: str, address: str, data: bytes | None, headers: Mapping[str, str]
    ) -> Reply:
        """Return what one worker answers, another one each time."""

    @property
    def archive(self) -> Archive:
        """The archive, for what cannot be asked over HTTP."""
        pytest.skip("the clock of other processes cannot be set")

    def keyed(
        self, name: str, scopes: str = "search", only: Mapping[str, str] | None = None
    ) -> Self:
        """Return the newsroom as somebody with a new key has it."""
        return replace(self, secret=self.made_key(name, scopes, only or {}))

    def send(
        self,
        method: str,
        address: str,
        body: object = None,
        media_type: str = "application/json",
    ) -> Reply:
        """Send something to one worker, and return what it answers."""
        if body is None:
            return self._answer(method, address, None, self._headers({}))
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = self._headers({"Content-Type": media_type})
        return self._answer(method, address, data, headers)

    def get(self, address: str, **headers: str) -> Reply:
        """Return what every worker answers, which must be the same."""
        found = self._answers(address, self._headers(headers))
        said = [(each.status, _said(each)) for each in found]
        assert all(each == said[0] for each in said), f"workers disagree on {address}"
        return found[-1]

    def get_once(self, address: str, **headers: str) -> Reply:
        """Return what one worker answers."""
        return self._answer("GET", address, None, self._headers(headers))

    def put(self, article_id: str, text: str = "Words.", **more: Any) -> dict[str, Any]:
        """Send an article and return what became of it."""
        answer = self.send("PUT", path(article_id), {"paragraphs": [text], **more})
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.json["results"][0]
        return found

    def kill(self, article_id: str, **body: Any) -> Reply:
        """Kill an article."""
        return self.send("POST", f"{path(article_id)}/kill", body)

    def status(self, address: str) -> int:
        """Return the status of an answer."""
        return self.get(address).status

    def search(self, q: str = "", **more: Any) -> dict[str, Any]:
        """Return the answer to a search, which must be one."""
        answer = self.get(f"/v1/search?{urlencode({'q': q, **more}, doseq=True)}")
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.json
        return found

    def ids(self, q: str = "", **more: Any) -> list[str]:
        """Return the ids that a search finds."""
        return [hit["id"] for hit in self.search(q, **more)["hits"]]

    def walk(self, **more: Any) -> list[str]:
        """Return the ids of all pages, one behind the other."""
        page = self.search(**more)
        found = [hit["id"] for hit in page["hits"]]
        while page["next"] is not None:
            page = self.search(**{**more, "cursor": page["next"]})
            found += [hit["id"] for hit in page["hits"]]
        return found

    def told(self, since: int = 0) -> list[tuple[str, str]]:
        """Return type and id of each change that a reader is told of."""
        answer = self.get(f"/v1/changes?since={since}&limit=1000").json
        return [(each["type"], each["id"]) for each in answer["changes"]]

    def position(self) -> int:
        """Return where the feed goes on after all that is told now."""
        found: int = self.get("/v1/changes?limit=1000").json["next"]
        return found

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        key = {} if self.secret is None else {"X-API-Key": self.secret}
        return {**headers, **key}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNewsroom(Newsroom):
    """One in the process of the test."""

    kept: Archive
    client: FlaskClient
    log: pytest.LogCaptureFixture

    @property
    def archive(self) -> Archive:
        """The archive itself."""
        return self.kept

    def index(self) -> None:
        """Index all that was written."""
        Indexer(self.kept.store, self.kept.engine).catch_up()

    def logged(self) -> str:
        """Return a line for each record, as the service writes them."""
        return "\n".join(map(JsonLines().format, self.log.records))

    def made_key(self, name: str, scopes: str, only: Mapping[str, str]) -> str:
        """Return a new key."""
        return self.kept.store.keys.add(
            name,
            keys.scopes_of(scopes.split(",")),
            filters=keys.filters_of(tuple(only.items())),
        ).secret

    def revoke(self, name: str) -> None:
        """End a key."""
        self.kept.store.keys.revoke(name)

    def _answers(self, address: str, headers: Mapping[str, str]) -> list[Reply]:
        return [self._answer("GET", address, None, headers)]

    def _answer(
        self, method: str, address: str, data: bytes | None, headers: Mapping[str, str]
    ) -> Reply:
        answer = self.client.open(address, method=method, data=data, headers=headers)
        return Reply(answer.status_code, answer.headers, answer.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeNewsroom(Newsroom):
    """A cluster, whose indexer is stopped but while it is told to index."""

    cluster: Cluster
    callers: dict[int, tuple[Client, float]] = field(default_factory=dict)

    def index(self) -> None:
        """Let the indexer run until it has nothing left to do."""
        now = micros(datetime.now(UTC))
        os.kill(self.cluster.indexer, signal.SIGCONT)
        try:
            with closing(self.cluster.client()) as client:
                # In this order: what is due is logged first, and then indexed.
                until(
                    lambda: not self._due(now) and self.cluster.caught_up(client),
                    "everything is indexed",
                )
        finally:
            self._stop()

    def _stop(self) -> None:
        """Stop the indexer, but never while it keeps others from writing."""
        indexer = self.cluster.indexer
        while True:
            os.kill(indexer, signal.SIGSTOP)
            until(lambda: state_of(indexer) == "T", "the indexer is stopped")
            with (
                closing(self._database(timeout=0)) as database,
                suppress(sqlite3.OperationalError),
            ):
                database.execute("BEGIN IMMEDIATE")
                return
            os.kill(indexer, signal.SIGCONT)
            time.sleep(0.005)

    def empty(self) -> None:
        """Take out all there is, as if an empty store had been put back.

        The history is another one then, for which the index is built anew.
        """
        with closing(self._database()) as database, database:
            database.execute("DELETE FROM keys")
        self.index()  # the indexer notices at once that what it knows is no more
        if self.position() == 0:
            return
        with closing(self._database()) as database, database:
            database.execute("PRAGMA foreign_keys = ON")  # what goes with a version
            for table in ("versions", "articles", "changes", "notices"):
                database.execute(f"DELETE FROM {table}")
            for name, value in (("seq", 0), ("epoch", secrets.randbits(62))):
                database.execute(
                    "UPDATE state SET value = ? WHERE name = ?", (value, name)
                )
        self.index()

    def end(self) -> None:
        """Let the indexer run, so that it can be asked to end."""
        os.kill(self.cluster.indexer, signal.SIGCONT)

    def logged(self) -> str:
        """Return what all processes have logged since the cluster was started."""
        return self.cluster.log("web") + self.cluster.log("indexer")

    def made_key(self, name: str, scopes: str, only: Mapping[str, str]) -> str:
        """Return a new key, made as an operator makes it."""
        filters = [f"--filter={field}={value}" for field, value in only.items()]
        return self._run("keys", "add", name, "--scope", scopes, *filters)[0]

    def revoke(self, name: str) -> None:
        """End a key, as an operator does."""
        self._run("keys", "revoke", name)

    def _run(self, *arguments: str) -> list[str]:
        done = self.cluster.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def _due(self, now: int) -> bool:
        with closing(self._database()) as database:
            due = "SELECT 1 FROM articles WHERE turns <= ?"
            return database.execute(due, (now,)).fetchone() is not None

    def _database(self, *, timeout: float = 20) -> sqlite3.Connection:
        return sqlite3.connect(self.cluster.folder / "nutgraf.db", timeout=timeout)

    def _answers(self, address: str, headers: Mapping[str, str]) -> list[Reply]:
        return [
            self._of(worker, "GET", address, None, headers)
            for worker in self.cluster.workers()
        ]

    def _answer(
        self, method: str, address: str, data: bytes | None, headers: Mapping[str, str]
    ) -> Reply:
        # The one that was not asked for the longest time.
        worker = min(
            self.cluster.workers(),
            key=lambda pid: self.callers[pid][1] if pid in self.callers else 0.0,
        )
        return self._of(worker, method, address, data, headers)

    def _of(
        self,
        worker: int,
        method: str,
        address: str,
        data: bytes | None,
        headers: Mapping[str, str],
    ) -> Reply:
        client, used = self.callers.get(worker, (None, 0.0))
        # What is idle for longer may be closed just when it is used again.
        if client is None or time.monotonic() - used > IDLE_SECONDS:
            if client is not None:
                client.close()
            client = self.cluster.client_of(worker)
        self.callers[worker] = client, time.monotonic()
        return client.ask(method, address, data, headers=headers)


def _said(answer: Reply) -> Any:
    if not answer.headers.get("Content-Type", "").endswith("json"):
        return None
    return {k: v for k, v in answer.json.items() if k not in _INCIDENTAL}
