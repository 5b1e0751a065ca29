"""The cluster over HTTP: what fails is an error, and never a shorter answer."""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from engines.opensearch.conftest import Asked, Node

from index.deadline import Deadline, deadline_in
from index.engines.opensearch import cluster as module
from index.engines.opensearch.cluster import Cluster, Refused
from index.errors import (
    IndexMissing,
    IndexUnavailable,
    InvalidQuery,
    PointLost,
    SearchTimeout,
)

Connect = Callable[..., Cluster]
WHOLE = {"timed_out": False, "_shards": {"total": 3, "failed": 0}, "hits": {"hits": []}}
BUSY = (429, {"error": {"type": "rejected_execution_exception", "reason": "full"}})


def failed(kind: str, status: int = 503) -> tuple[int, Any]:
    shard = {"shard": 0, "index": "t", "reason": {"type": kind, "reason": "gone"}}
    cause = {"type": "search_phase_execution_exception", "failed_shards": [shard]}
    return status, {"error": cause, "status": status}


@pytest.mark.parametrize("answer", [BUSY, (503, {}), (502, b"no gateway"), None])
def test_a_node_that_fails_is_followed_by_another(
    node: Node, other: Node, connect: Connect, quick: list[float], answer: Any
) -> None:
    cluster = connect(node, other)
    node.will(answer)
    other.will((200, {"found": 1}))
    assert [cluster.ask("GET", "/x") for _ in range(4)] == [{"found": 1}] * 4
    assert node.asked
    # Each pause is drawn at random, so that clients do not come back together.
    assert len(set(quick)) == len(quick) > 0


def test_a_request_that_must_not_be_repeated_is_sent_once(
    node: Node, other: Node, connect: Connect, quick: list[float]
) -> None:
    cluster = connect(node, other)
    node.will(None)
    other.will(None)
    with pytest.raises(IndexUnavailable, match="does not answer"):
        cluster.ask("PUT", "/x", {}, repeat=False)
    assert len(node.asked) + len(other.asked) == 1


def test_no_log_has_what_is_asked_or_answered(
    node: Node, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    node.will((200, {"found": "harbour"}))
    connect(node).ask("POST", "/x/_search", {"query": "cocoa"})
    assert "/x/_search" in caplog.text
    assert not re.search("harbour|cocoa", caplog.text)


def test_a_busy_cluster_is_an_error_that_says_so(
    node: Node, connect: Connect, quick: list[float]
) -> None:
    node.will(BUSY)
    with pytest.raises(IndexUnavailable, match="answers 429"):
        connect(node).ask("GET", "/x")


def test_a_node_that_failed_three_times_is_left_alone_and_then_tried_once(
    node: Node, connect: Connect, quick: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = connect(node)
    node.will(None)
    for _ in range(2):
        with pytest.raises(IndexUnavailable):
            cluster.ask("GET", "/x")
    asked = len(node.asked)
    assert asked == 3
    with pytest.raises(IndexUnavailable, match="asked again in"):
        cluster.ask("GET", "/x")
    assert len(node.asked) == asked
    later = time.monotonic() + module._LONGEST_REST
    monkeypatch.setattr(module.time, "monotonic", lambda: later)
    node.will((200, {}))
    assert cluster.ask("GET", "/x") == {}
    assert cluster.ask("GET", "/x") == {}


def test_a_slow_node_costs_no_more_than_the_deadline(
    node: Node, connect: Connect
) -> None:
    silent = threading.Event()

    def slow(_: Asked) -> tuple[int, Any]:
        silent.wait(20)
        return 200, WHOLE

    node.will(slow)
    with pytest.raises(SearchTimeout) as stopped:
        connect(node).search([{}], deadline_in(0.05))
    assert stopped.value.seconds == 0.05
    silent.set()


def test_a_node_that_says_nothing_is_left_for_another(
    node: Node, other: Node, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK_SECONDS", 0.8)
    silent = threading.Event()

    def wait(_: Asked) -> tuple[int, Any]:
        silent.wait(20)
        return 200, {}

    node.will(wait)
    other.will((200, {"found": 1}))
    cluster = connect(node, other)
    assert [cluster.get("/x") for _ in range(2)] == [{"found": 1}] * 2
    assert node.asked
    silent.set()


def test_a_search_past_its_deadline_is_not_sent(node: Node, connect: Connect) -> None:
    with pytest.raises(SearchTimeout):
        connect(node).search([{}], Deadline(time.monotonic() - 1, 2.0))
    assert node.asked == []


def test_a_deadline_is_passed_on_to_the_cluster(node: Node, connect: Connect) -> None:
    node.will((200, WHOLE))
    connect(node).search([{"size": 1}], deadline_in(100))
    (asked,) = node.asked
    limit = asked.lines[0]["timeout"]
    assert 80_000 <= int(limit.removesuffix("ms")) <= 90_000
    assert f"cancel_after_time_interval={limit}" in asked.path
    assert "allow_partial_search_results=false" in asked.path


def test_searches_are_sent_in_requests_of_bounded_size(
    node: Node, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_REQUEST_BYTES", 1_000)

    def answer(asked: Asked) -> tuple[int, Any]:
        bodies = asked.lines[1::2]
        each = [{**WHOLE, "of": body["of"]} for body in bodies]
        return 200, {"responses": each}

    node.will(answer)
    bodies = [{"of": n, "query": "x" * 200} for n in range(9)]
    bodies.append({"of": 9, "query": "x" * 2_000})  # too large by itself
    answers = connect(node).search(bodies, deadline_in(100))
    assert [each["of"] for each in answers] == list(range(10))
    assert len(node.asked) == 4
    assert all(len(asked.body) <= 1_000 for asked in node.asked[:-1])


@pytest.mark.parametrize(
    "answer",
    [
        {**WHOLE, "timed_out": True},
        {"error": {"type": "task_cancelled_exception", "reason": "x"}, "status": 400},
    ],
)
@pytest.mark.parametrize("count", [1, 2])
def test_an_answer_that_took_too_long_is_no_answer(
    node: Node, connect: Connect, answer: Any, count: int
) -> None:
    body = {"responses": [WHOLE, answer]} if count == 2 else answer
    node.will((answer.get("status", 200) if count == 1 else 200, body))
    with pytest.raises(SearchTimeout):
        connect(node).search([{}] * count, deadline_in(9))


@pytest.mark.parametrize("count", [1, 2])
def test_an_answer_without_a_shard_is_no_answer(
    node: Node, connect: Connect, count: int
) -> None:
    short = {**WHOLE, "_shards": {"total": 3, "failed": 1, "failures": []}}
    node.will((200, {"responses": [WHOLE, short]} if count == 2 else short))
    with pytest.raises(IndexUnavailable, match="1 of 3 shards did not answer"):
        connect(node).search([{}] * count, None)


@pytest.mark.parametrize(
    "answer",
    [
        failed("search_context_missing_exception", 404),
        failed("search_context_missing_exception"),
        failed("node_not_connected_exception", 500),
        failed("illegal_state_exception", 500),
    ],
)
def test_a_point_in_time_that_is_gone_is_told_apart(
    node: Node, connect: Connect, quick: list[float], answer: Any
) -> None:
    node.will(answer)
    with pytest.raises(PointLost):
        connect(node).search([{}], None)
    assert len(node.asked) == 1


def test_an_index_that_is_missing_is_told_apart(node: Node, connect: Connect) -> None:
    node.will((404, {"error": {"type": "index_not_found_exception", "reason": "x"}}))
    with pytest.raises(IndexMissing):
        connect(node).search([{}], None)


def test_a_query_with_too_many_clauses_is_refused_as_such(
    node: Node, connect: Connect
) -> None:
    node.will(failed("too_many_nested_clauses", 400))
    with pytest.raises(InvalidQuery, match="use fewer words") as refused:
        connect(node).search([{}], None)
    assert refused.value.code == "query_too_many_clauses"


def test_a_request_that_is_wrong_is_told_apart(node: Node, connect: Connect) -> None:
    node.will((400, {"error": {"type": "parsing_exception", "reason": "unknown"}}))
    with pytest.raises(Refused, match="400, parsing_exception: unknown"):
        connect(node).ask("POST", "/x", {})
    assert len(node.asked) == 1


def test_a_refused_login_is_a_service_error(node: Node, connect: Connect) -> None:
    node.will((401, b"Unauthorized"))
    with pytest.raises(IndexUnavailable, match="refuses the login"):
        connect(node).ask("GET", "/x")


def test_what_is_not_there_may_be_an_answer(node: Node, connect: Connect) -> None:
    node.will((404, {"found": False}))
    assert connect(node).get("/t/_doc/x") is None


def test_a_forked_process_makes_connections_of_its_own(
    node: Node, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = connect(node)
    cluster.ask("GET", "/x")
    before = cluster._nodes
    cluster.ask("GET", "/x")
    assert cluster._nodes is before
    monkeypatch.setattr(os, "getpid", lambda: -1)
    cluster.ask("GET", "/x")
    assert cluster._nodes is not before
    before[0].connection.close()
