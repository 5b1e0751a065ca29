"""The cluster over HTTP: nodes in turn, deadlines, retries, and a circuit breaker.

It is the only module that talks to OpenSearch. What it returns is whole: an answer that
lacks a shard or the time to be complete is an error, never a shorter answer.
"""

from __future__ import annotations

import json
import logging
import os
import random
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, NoReturn

import urllib3
from opensearchpy import ConnectionTimeout, TransportError
from opensearchpy import Urllib3HttpConnection as Connection

from index.deadline import Deadline
from index.engines.opensearch.address import Address
from index.errors import (
    IndexMissing,
    IndexUnavailable,
    InvalidQuery,
    PointLost,
    SearchTimeout,
)

# Longest time for one request without a deadline, and for one node to answer it, in
# seconds.
_SECONDS, _PATIENCE = 60.0, 15.0
_CONNECT_SECONDS = 2.0
# Longest time for a request that is answered at once if at all, in seconds.
_LOOK_SECONDS = 4.0
# Share of the time that is left after which the cluster itself gives a search up.
_SERVER_SHARE = 0.9
_ATTEMPTS = 4
# Bytes of a request, unless one search alone has more: each names all hidden articles,
# and OpenSearch takes 100 MB at the most.
_REQUEST_BYTES = 4 * 1024 * 1024
_FIRST_PAUSE = 0.05  # seconds; doubled with each attempt, and then drawn from 0 up
# A node that failed so often in a row is left alone, first for a second, then longer.
_FAILURES = 3
_FIRST_REST, _LONGEST_REST = 1.0, 30.0
# Connections to a node that a process keeps: one for each thread of a worker.
_CONNECTIONS = 16
# Statuses that say that a node cannot answer now; another one may.
_BUSY = frozenset({429, 502, 503, 504})
_MISSING = frozenset({"index_not_found_exception", "index_closed_exception"})
# Causes of a failed search that say that its point in time is gone, or a node with it.
_LOST = frozenset(
    {
        "search_context_missing_exception",
        "no_shard_available_action_exception",
        "shard_not_found_exception",
        "index_shard_closed_exception",
        "node_not_connected_exception",
        "node_disconnected_exception",
        "node_closed_exception",
        "connect_transport_exception",
        "illegal_state_exception",  # no node found for id
    }
)
_TOO_MANY = frozenset({"too_many_clauses", "too_many_nested_clauses"})
_SLOW = frozenset({"task_cancelled_exception", "search_timed_out"})


# What fails is raised, so it need not be logged too, each time and with a traceback.
# And what is sent has words of readers and of articles, which no log has.
for _logger in ("opensearch", "opensearchpy.trace"):
    logging.getLogger(_logger).setLevel(logging.CRITICAL)


class Refused(Exception):
    """A request that the cluster refuses for what it says.

    :param status: of HTTP.
    :param kind: OpenSearch's name for the error.
    """

    def __init__(self, status: int, kind: str, reason: str) -> None:
        super().__init__(f"OpenSearch answers {status}, {kind}: {reason}")
        self.status, self.kind, self.reason = status, kind, reason


class _Node:
    """A node, its connections, and its circuit breaker."""

    def __init__(self, host: str, port: int, address: Address) -> None:
        self.name = f"{host}:{port}"
        self.failures = 0
        self.rests_until = 0.0  # on the clock of time.monotonic
        login = f"{address.user}:{address.password}" if address.user else None
        self.connection = Connection(
            host=host,
            port=port,
            http_auth=login,
            use_ssl=address.tls,
            ca_certs=address.ca if address.tls else None,
            pool_maxsize=_CONNECTIONS,
        )

    @property
    def is_open(self) -> bool:
        """Whether it failed so often that it is left alone."""
        return self.failures >= _FAILURES

    def failed(self, now: float) -> None:
        self.failures += 1
        if self.is_open:
            rest = min(_FIRST_REST * 2 ** (self.failures - _FAILURES), _LONGEST_REST)
            self.rests_until = now + rest * random.uniform(0.5, 1.0)  # noqa: S311

    def succeeded(self) -> None:
        self.failures, self.rests_until = 0, 0.0


class _Answer(NamedTuple):
    status: int
    body: Any


class Cluster:
    """The nodes of a cluster; several threads may use it.

    A process that is forked makes connections of its own.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._lock = threading.Lock()
        self._nodes: list[_Node] = []
        self._process = 0
        self._next = random.randrange(1_000)  # noqa: S311

    def get(self, path: str, *, deadline: Deadline | None = None) -> Any | None:
        """Answer to a GET that takes no time, ``None`` if there is nothing at the path.

        A node that says nothing for a moment is left for another one.
        """
        return self.ask(
            "GET",
            path,
            deadline=deadline,
            seconds=_LOOK_SECONDS,
            patience=_LOOK_SECONDS / _ATTEMPTS,
            missing_ok=True,
        )

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        deadline: Deadline | None = None,
        seconds: float = _SECONDS,
        patience: float = _PATIENCE,
        repeat: bool = True,
        missing_ok: bool = False,
    ) -> Any | None:
        """Answer to a request.

        :param body: JSON, or lines of it as bytes.
        :param deadline: the request never takes longer.
        :param seconds: longest time without a deadline.
        :param patience: longest time that one node is waited for.
        :param repeat: whether asking twice does no harm, so that another node may be
            asked if one fails.
        :param missing_ok: whether 404 is an answer, ``None``.
        :raises IndexUnavailable: no node answers, or all that were asked are busy.
        :raises SearchTimeout: the deadline passed.
        :raises IndexMissing: it is about an index that is not there.
        :raises Refused: the cluster refuses the request itself.
        """
        data = body if isinstance(body, bytes) or body is None else _json(body)
        end = time.monotonic() + seconds if deadline is None else deadline.at
        if not repeat:
            end = min(end, time.monotonic() + patience)
        tried: set[str] = set()
        for attempt in range(_ATTEMPTS if repeat else 1):
            node = self._pick(tried)
            tried.add(node.name)
            try:
                answer = self._perform(
                    node, method, path, data, min(end, time.monotonic() + patience)
                )
            except TransportError as error:
                # What ssl and urllib3 say may be long; the kind of it is enough.
                reason = f"{node.name} does not answer ({type(error).__name__})"
                if isinstance(error, ConnectionTimeout) and time.monotonic() >= end:
                    _give_up(reason, deadline)
            else:
                if answer.status not in _BUSY:
                    return _accepted(answer, deadline, missing_ok)
                kind = _error(answer).get("type", "")
                reason = f"{node.name} answers {answer.status} {kind}".rstrip()
                # Of a search: another node would say the same.
                _check_causes(_error(answer).get("failed_shards", ()), deadline)
            pause = random.uniform(0, _FIRST_PAUSE * 2**attempt)  # noqa: S311
            if time.monotonic() + pause >= end:
                _give_up(reason, deadline)
            time.sleep(pause)
        raise IndexUnavailable(f"the search cluster is not available: {reason}")

    def search(
        self, bodies: Sequence[dict[str, Any]], deadline: Deadline | None
    ) -> list[dict[str, Any]]:
        """Whole answers to searches of points in time, in one request if it is small.

        :raises SearchTimeout: the deadline passed, also for one of them only.
        :raises PointLost: the point in time of one of them is gone, or a node with it.
        :raises IndexMissing: so is its index.
        :raises InvalidQuery: a query has more clauses than the cluster takes.
        :raises IndexUnavailable: a shard of one of them did not answer.
        """
        limit = _server_limit(deadline)
        timed = [{**body, "timeout": limit} for body in bodies]
        options = (
            f"allow_partial_search_results=false&cancel_after_time_interval={limit}"
        )
        if len(timed) == 1:
            answer = self.ask(
                "POST", f"/_search?{options}", timed[0], deadline=deadline
            )
            return [_whole(answer, deadline)]
        each = {
            "allow_partial_search_results": False,
            "cancel_after_time_interval": limit,
        }
        answers: list[dict[str, Any]] = []
        for lines in _requests(lines_of((each, body)) for body in timed):
            answer = self.ask("POST", "/_msearch", lines, deadline=deadline)
            answers += [_whole(one, deadline) for one in (answer or {})["responses"]]
        return answers

    def sort_keys(
        self, index: str, body: dict[str, Any], deadline: Deadline | None
    ) -> list[list[Any]]:
        """Sort keys of the hits of a search of an index as it is now.

        It raises what :meth:`search` does.
        """
        path = (
            f"/{index}/_search?allow_partial_search_results=false"
            "&filter_path=timed_out,_shards,hits.hits.sort"
        )
        body = {**body, "timeout": _server_limit(deadline), "_source": False}
        answer = _whole(self.ask("POST", path, body, deadline=deadline), deadline)
        return [hit["sort"] for hit in answer.get("hits", {}).get("hits", ())]

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        with self._lock:
            nodes, self._nodes = self._nodes, []
        for node in nodes:
            node.connection.close()

    def _pick(self, tried: Iterable[str]) -> _Node:
        """The next node in turn that works, one that was not tried yet if there is any.

        One that rests is asked again when its rest is over: by one request, which
        prolongs its rest for all others.
        """
        now = time.monotonic()
        with self._lock:
            if not self._nodes or self._process != os.getpid():
                self._process = os.getpid()
                self._nodes = [
                    _Node(host, port, self.address) for host, port in self.address.hosts
                ]
            self._next += 1
            turn = self._next % len(self._nodes)
            nodes = self._nodes[turn:] + self._nodes[:turn]
            working = [node for node in nodes if now >= node.rests_until]
            if not working:
                soonest = min(node.rests_until for node in nodes) - now
                raise IndexUnavailable(
                    "the search cluster does not answer; it is asked again in"
                    f" {soonest:.0f} s"
                )
            node = next((one for one in working if one.name not in tried), working[0])
            if node.is_open:
                node.rests_until = now + _FIRST_REST
            return node

    def _perform(
        self, node: _Node, method: str, path: str, data: bytes | None, end: float
    ) -> _Answer:
        now = time.monotonic()
        timeout = urllib3.Timeout(
            connect=min(_CONNECT_SECONDS, max(end - now, 0.001)),
            read=max(end - now, 0.001),
        )
        is_lines = path.partition("?")[0].endswith(_LINES)
        kind = "application/x-ndjson" if is_lines else "application/json"
        try:
            status, _, text = node.connection.perform_request(
                method,
                path,
                body=data,
                timeout=timeout,  # type: ignore[arg-type]  # handed on to urllib3
                ignore=_ALL_STATUSES,
                headers={"content-type": kind},
            )
            body = json.loads(text) if text.startswith(("{", "[")) else {}
        except (TransportError, ValueError) as error:
            with self._lock:
                node.failed(time.monotonic())
            if isinstance(error, ValueError):
                raise TransportError("N/A", "the answer is no JSON", error) from error
            raise
        with self._lock:
            if status in (502, 504):  # a proxy cannot reach it
                node.failed(time.monotonic())
            else:
                node.succeeded()
        return _Answer(status, body)


_ALL_STATUSES = range(300, 600)
_LINES = ("/_bulk", "/_msearch")


def _server_limit(deadline: Deadline | None) -> str:
    """Time after which the cluster itself is to give a search up."""
    seconds = _SECONDS if deadline is None else deadline.at - time.monotonic()
    if seconds <= 0:
        _give_up("", deadline)
    return f"{max(1, int(seconds * _SERVER_SHARE * 1000))}ms"


def lines_of(values: Iterable[object]) -> bytes:
    """Values as lines of JSON."""
    return b"".join(_json(value) + b"\n" for value in values)


def _requests(searches: Iterable[bytes]) -> Iterator[bytes]:
    """Yield searches in order, joined to requests of bounded size."""
    request: list[bytes] = []
    size = 0
    for search in searches:
        if request and size + len(search) > _REQUEST_BYTES:
            yield b"".join(request)
            request, size = [], 0
        request.append(search)
        size += len(search)
    yield b"".join(request)


# Made once: with separators, each json.dumps would make one.
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode


def _json(value: object) -> bytes:
    return _ENCODE(value).encode("ascii")


def _accepted(answer: _Answer, deadline: Deadline | None, missing_ok: bool) -> Any:
    if answer.status < 300:
        return answer.body
    if answer.status == 404 and missing_ok:
        return None
    error = _error(answer)
    causes = [error, *error.get("root_cause", ()), *error.get("failed_shards", ())]
    _check_causes(causes, deadline)
    if answer.status in (401, 403) and error.get("type") != "cluster_block_exception":
        raise IndexUnavailable(
            f"the search cluster refuses the login of NUTGRAF_ENGINE ({answer.status})"
        )
    kind = str(error.get("type", ""))
    if answer.status >= 500 or kind == "cluster_block_exception":
        raise IndexUnavailable(
            f"the search cluster is not available: {kind or answer.status}:"
            f" {error.get('reason', '')}"
        )
    raise Refused(answer.status, kind, str(error.get("reason", "")))


def _whole(answer: Any, deadline: Deadline | None) -> dict[str, Any]:
    """An answer to a search that lacks nothing."""
    if "error" in answer:
        _accepted(_Answer(int(answer.get("status", 500)), answer), deadline, False)
    if answer.get("timed_out") or answer.get("terminated_early"):
        _give_up("a search was given up", deadline)
    shards = answer.get("_shards", {})
    if shards.get("failed"):
        _check_causes(shards.get("failures", ()), deadline)
        raise IndexUnavailable(
            f"the search cluster is not available: {shards['failed']} of"
            f" {shards['total']} shards did not answer"
        )
    whole: dict[str, Any] = answer
    return whole


def _error(answer: _Answer) -> dict[str, Any]:
    error = answer.body.get("error") if isinstance(answer.body, dict) else None
    return error if isinstance(error, dict) else {"reason": str(error or "")}


def _check_causes(
    failures: Iterable[dict[str, Any]], deadline: Deadline | None
) -> None:
    """Raise what the causes of an error mean, if they mean more than an error."""
    kinds: set[str] = set()
    for failure in failures:
        cause: Any = failure
        while isinstance(cause, dict):
            kinds.add(str(cause.get("type")))
            cause = cause.get("reason") if "index" in cause else cause.get("caused_by")
    if kinds & _MISSING:
        raise IndexMissing()
    if kinds & _LOST:
        lost = ", ".join(sorted(kinds & _LOST))
        raise PointLost(f"the search cluster is not available: {lost}")
    if kinds & _TOO_MANY:
        raise InvalidQuery(
            "the query makes more clauses than the search cluster takes"
            " (indices.query.bool.max_clause_count); use fewer words",
            code="query_too_many_clauses",
        )
    if kinds & _SLOW:
        _give_up("a search was given up", deadline)


def _give_up(reason: str, deadline: Deadline | None) -> NoReturn:
    if deadline is not None:
        raise SearchTimeout(deadline.seconds)
    raise IndexUnavailable(f"the search cluster is not available: {reason}")
