"""A newsroom for tests: writers of articles, and the service that their readers ask.

In one form, archive and service are in the process of the test; in the other they are a
complete Nutgraf, and all its workers are asked. Both index only on demand, so that a
test knows what is indexed.
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
from faults.cluster import IDLE_SECONDS, Client, Cluster, Reply, state_of
from flask.testing import FlaskClient
from waiting import until

from index.access import keys
from index.archive import Archive
from index.dates import micros
from index.jobs import Indexer
from index.store import Store
from index.store.keyring import Keyring
from service.logs import JsonLines

# Members that differ between two answers with the same content.
_INCIDENTAL = ("took_ms", "request_id")


def path(article_id: str) -> str:
    """Address of an article."""
    return f"/v1/articles/{quote(article_id, safe='')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsroom(ABC):
    """Requests of a test to a service, in this process or in others.

    :param secret: the key that requests are sent with, if any.
    """

    secret: str | None = None

    @abstractmethod
    def index(self) -> None:
        """Index all writes and ended embargoes, then stop."""

    @abstractmethod
    def logged(self) -> str:
        """Log of the service."""

    @abstractmethod
    def add_key(self, name: str, scopes: str, only: Mapping[str, str]) -> str:
        """Secret of a new key."""

    @abstractmethod
    def revoke(self, name: str) -> None:
        """Revoke a key."""

    @abstractmethod
    def _answers(self, address: str, headers: Mapping[str, str]) -> list[Reply]:
        """Answers of all workers."""

    @abstractmethod
    def _answer(
        self, method: str, address: str, data: bytes | None, headers: Mapping[str, str]
    ) -> Reply:
        """Answer of one worker, another one each time."""

    @property
    def archive(self) -> Archive:
        """The archive, for what cannot be asked over HTTP."""
        pytest.skip("the clock of other processes cannot be set")

    def keyed(
        self, name: str, scopes: str = "search", only: Mapping[str, str] | None = None
    ) -> Self:
        """The newsroom as the holder of a new key sees it."""
        return replace(self, secret=self.add_key(name, scopes, only or {}))

    def send(
        self,
        method: str,
        address: str,
        body: object = None,
        media_type: str = "application/json",
    ) -> Reply:
        """Answer of one worker to a request with a body."""
        if body is None:
            return self._answer(method, address, None, self._headers({}))
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = self._headers({"Content-Type": media_type})
        return self._answer(method, address, data, headers)

    def get(self, address: str, **headers: str) -> Reply:
        """Answer of every worker, which must be the same."""
        answers = self._answers(address, self._headers(headers))
        contents = [(answer.status, _content(answer)) for answer in answers]
        agreed = all(content == contents[0] for content in contents)
        assert agreed, f"workers disagree on {address}"
        return answers[-1]

    def get_once(self, address: str, **headers: str) -> Reply:
        """Answer of one worker."""
        return self._answer("GET", address, None, self._headers(headers))

    def put(self, article_id: str, text: str = "Words.", **more: Any) -> dict[str, Any]:
        """Send an article; return its result."""
        answer = self.send("PUT", path(article_id), {"paragraphs": [text], **more})
        assert answer.status == 200, answer.body
        result: dict[str, Any] = answer.json["results"][0]
        return result

    def kill(self, article_id: str, **body: Any) -> Reply:
        """Kill an article."""
        return self.send("POST", f"{path(article_id)}/kill", body)

    def status(self, address: str) -> int:
        """Status of an answer."""
        return self.get(address).status

    def search(self, q: str = "", **more: Any) -> dict[str, Any]:
        """Answer to a search, which must succeed."""
        answer = self.get(f"/v1/search?{urlencode({'q': q, **more}, doseq=True)}")
        assert answer.status == 200, answer.body
        page: dict[str, Any] = answer.json
        return page

    def ids(self, q: str = "", **more: Any) -> list[str]:
        """Ids of the hits of a search."""
        return [hit["id"] for hit in self.search(q, **more)["hits"]]

    def walk(self, **more: Any) -> list[str]:
        """Ids of the hits of all pages, in order."""
        page = self.search(**more)
        ids = [hit["id"] for hit in page["hits"]]
        while page["next"] is not None:
            page = self.search(**{**more, "cursor": page["next"]})
            ids += [hit["id"] for hit in page["hits"]]
        return ids

    def feed(self, since: int = 0) -> list[tuple[str, str]]:
        """Type and id of each change in a reader's feed."""
        answer = self.get(f"/v1/changes?since={since}&limit=1000").json
        return [(change["type"], change["id"]) for change in answer["changes"]]

    def position(self) -> int:
        """The ``since`` for what follows the present end of the feed."""
        following: int = self.get("/v1/changes?limit=1000").json["next"]
        return following

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        key = {} if self.secret is None else {"X-API-Key": self.secret}
        return {**headers, **key}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNewsroom(Newsroom):
    """A newsroom in the process of the test."""

    own_archive: Archive
    client: FlaskClient
    log: pytest.LogCaptureFixture

    @property
    def archive(self) -> Archive:
        """The archive itself."""
        return self.own_archive

    def index(self) -> None:
        """Index all that was written."""
        Indexer(self.own_archive.store, self.own_archive.engine).catch_up()

    def logged(self) -> str:
        """Log records as the lines that the service writes."""
        return "\n".join(map(JsonLines().format, self.log.records))

    def add_key(self, name: str, scopes: str, only: Mapping[str, str]) -> str:
        """Secret of a new key."""
        return _added(self.own_archive.keys, name, scopes, only)

    def revoke(self, name: str) -> None:
        """Revoke a key."""
        self.own_archive.keys.revoke(name)

    def _answers(self, address: str, headers: Mapping[str, str]) -> list[Reply]:
        return [self._answer("GET", address, None, headers)]

    def _answer(
        self, method: str, address: str, data: bytes | None, headers: Mapping[str, str]
    ) -> Reply:
        answer = self.client.open(address, method=method, data=data, headers=headers)
        return Reply(answer.status_code, answer.headers, answer.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeNewsroom(Newsroom):
    """A cluster whose indexer runs only during :meth:`index`."""

    cluster: Cluster
    callers: dict[int, tuple[Client, float]] = field(default_factory=dict)

    def index(self) -> None:
        """Let the indexer run until it has nothing left to do."""
        now = micros(datetime.now(UTC))
        os.kill(self.cluster.indexer, signal.SIGCONT)
        try:
            with closing(self.cluster.client()) as client:
                # In this order: ended embargoes are logged first, then indexed.
                until(
                    lambda: not self._due(now) and self.cluster.caught_up(client),
                    "everything is indexed",
                )
        finally:
            self._stop()

    def _stop(self) -> None:
        """Stop the indexer, but never while it holds the lock of the store."""
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
        """Delete everything, as if an empty store had been restored.

        That is another history, for which the index is rebuilt.
        """
        with closing(self._database()) as database, database:
            database.execute("DELETE FROM keys")
        self.index()  # with nothing pending, so that it notices the change at once
        if self.position() == 0:
            return
        with closing(self._database()) as database, database:
            database.execute("PRAGMA foreign_keys = ON")  # deletes the rows of versions
            for table in ("versions", "articles", "changes", "notices"):
                database.execute(f"DELETE FROM {table}")
            for name, value in (("seq", 0), ("epoch", secrets.randbits(62))):
                database.execute(
                    "UPDATE state SET value = ? WHERE name = ?", (value, name)
                )
        self.index()

    def end(self) -> None:
        """Continue the indexer, so that it can be terminated."""
        os.kill(self.cluster.indexer, signal.SIGCONT)

    def logged(self) -> str:
        """Log of all processes since the start of the cluster."""
        return self.cluster.logged() + self.cluster.log("indexer")

    def add_key(self, name: str, scopes: str, only: Mapping[str, str]) -> str:
        """Secret of a new key, added to the store by another process than its own."""
        with closing(Store(self.cluster.settings().store)) as store:
            return _added(store.keys, name, scopes, only)

    def revoke(self, name: str) -> None:
        """Revoke a key in the store, by another process than its own."""
        with closing(Store(self.cluster.settings().store)) as store:
            store.keys.revoke(name)

    def _due(self, now: int) -> bool:
        with closing(self._database()) as database:
            due = "SELECT 1 FROM articles WHERE turns <= ?"
            return database.execute(due, (now,)).fetchone() is not None

    def _database(self, *, timeout: float = 20) -> sqlite3.Connection:
        return sqlite3.connect(self.cluster.folder / "nutgraf.db", timeout=timeout)

    def _answers(self, address: str, headers: Mapping[str, str]) -> list[Reply]:
        return [
            self._ask(worker, "GET", address, None, headers)
            for worker in self.cluster.workers()
        ]

    def _answer(
        self, method: str, address: str, data: bytes | None, headers: Mapping[str, str]
    ) -> Reply:
        # The worker whose last request was longest ago.
        worker = min(
            self.cluster.workers(),
            key=lambda pid: self.callers[pid][1] if pid in self.callers else 0.0,
        )
        return self._ask(worker, method, address, data, headers)

    def _ask(
        self,
        worker: int,
        method: str,
        address: str,
        data: bytes | None,
        headers: Mapping[str, str],
    ) -> Reply:
        client, used = self.callers.get(worker, (None, 0.0))
        # A connection idle for longer may be closed just when it is used again.
        if client is None or time.monotonic() - used > IDLE_SECONDS:
            if client is not None:
                client.close()
            client = self.cluster.client_of(worker)
        self.callers[worker] = client, time.monotonic()
        return client.ask(method, address, data, headers=headers)


def _added(keyring: Keyring, name: str, scopes: str, only: Mapping[str, str]) -> str:
    """Secret of a key that is added to a keyring."""
    filters = keys.filters_of(tuple(only.items()))
    return keyring.add(name, keys.scopes_of(scopes.split(",")), filters=filters).secret


def _content(answer: Reply) -> Any:
    """JSON of an answer without what differs from worker to worker."""
    if not answer.headers.get("Content-Type", "").endswith("json"):
        return None
    return {k: v for k, v in answer.json.items() if k not in _INCIDENTAL}
