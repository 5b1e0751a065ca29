"""Writes: what a busy node refuses is sent again, and a batch can be repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from articles import article
from engines.opensearch.conftest import Asked, Node

from index.engines.opensearch import writing
from index.engines.opensearch.cluster import Cluster
from index.engines.opensearch.commits import Generation, alias_of
from index.engines.opensearch.words import Vocabulary
from index.engines.opensearch.writing import ArticleRefused, Writer
from index.errors import IndexUnavailable

Connect = Callable[..., Cluster]
NAMES = Generation("t-articles-1", "t-words-1")
DONE = (200, {"errors": False})


def writer_to(cluster: Cluster) -> Writer:
    return Writer(cluster, NAMES, Vocabulary(NAMES.words), language="en")


def actions(asked: Asked) -> list[tuple[str, str]]:
    """What was done to each document of a request, and its id."""
    return [
        (kind, target["_id"])
        for line in asked.lines
        for kind, target in line.items()
        if isinstance(target, dict) and target.get("_index") == alias_of(NAMES.articles)
    ]


def answering(**statuses: int) -> Callable[[Asked], tuple[int, Any]]:
    """An answer with a status for some ids, 200 for the others."""

    def answer(asked: Asked) -> tuple[int, Any]:
        items = []
        for line in asked.lines:
            for kind in ("index", "create", "delete"):
                if kind in line and "_index" in line[kind]:
                    status = statuses.get(line[kind]["_id"], 200)
                    error = {"type": "t", "reason": "r"} if status > 299 else None
                    items.append({kind: {"status": status, "error": error}})
        for item in items:
            for result in item.values():
                if result["error"] is None:
                    del result["error"]
        return 200, {"errors": True, "items": items}

    return answer


def test_only_what_a_busy_node_refused_is_sent_again(
    node: Node, connect: Connect, quick: list[float]
) -> None:
    node.will(answering(b=429, c=503), DONE)
    writer_to(connect(node)).put([article(i, "x") for i in "abc"], ["d"], seq=7)
    first, second = node.asked
    assert actions(first) == [*(("index", i) for i in "abc"), ("delete", "d")]
    assert actions(second) == [("index", "b"), ("index", "c")]
    assert len(quick) == 1


def test_a_node_that_stays_busy_is_an_error(
    node: Node, connect: Connect, quick: list[float]
) -> None:
    node.will(answering(a=429))
    with pytest.raises(IndexUnavailable, match="too busy"):
        writer_to(connect(node)).put([article("a", "x")], seq=7)
    assert len(node.asked) == len(quick) == writing._ATTEMPTS


def test_a_newer_version_that_is_there_is_no_error(
    node: Node, connect: Connect
) -> None:
    node.will(answering(a=409))
    writer_to(connect(node)).put([article("a", "x")], ["b"], seq=7)
    versions = [
        (target["version"], target["version_type"])
        for line in node.asked[0].lines
        for kind in ("index", "delete")
        if isinstance(target := line.get(kind), dict)
    ]
    assert versions == [(7, "external_gte")] * 2


def test_a_deleted_article_that_was_never_there_is_no_error(
    node: Node, connect: Connect
) -> None:
    answer = {"errors": True, "items": [{"delete": {"status": 404}}]}
    node.will((200, answer))
    writer_to(connect(node)).put((), ["a"], seq=7)


def test_an_article_that_is_refused_is_named(node: Node, connect: Connect) -> None:
    node.will(answering(b=400))
    with pytest.raises(ArticleRefused, match="article b") as refused:
        writer_to(connect(node)).put([article("a", "x"), article("b", "x")], seq=7)
    assert refused.value.article_id == "b"


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_fault_of_the_index_is_the_fault_of_no_article(
    node: Node, connect: Connect, status: int
) -> None:
    node.will(answering(a=status))
    with pytest.raises(IndexUnavailable, match="cannot be written"):
        writer_to(connect(node)).put([article("a", "x")], seq=7)


def test_a_request_is_bounded_in_bytes(
    node: Node, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_REQUEST_BYTES", 10_000)
    node.will(DONE)
    articles = [article(f"a{n:03}", "harbour " * 50) for n in range(40)]
    writer_to(connect(node)).put(articles, seq=1)
    assert len(node.asked) > 3
    assert max(len(asked.body) for asked in node.asked) <= 10_000
    sent = [name for asked in node.asked for _, name in actions(asked)]
    assert sorted(sent) == [each.id for each in articles]


def test_a_word_that_is_there_already_is_not_sent_again(
    node: Node, connect: Connect
) -> None:
    node.will(DONE)
    writer = writer_to(connect(node))
    writer.put([article("a", "harbour")], seq=1)
    writer.put([article("b", "harbour")], seq=2)
    kinds = [{next(iter(line)) for line in asked.lines} for asked in node.asked]
    assert "create" in kinds[0]
    assert "create" not in kinds[1]


def test_a_request_that_fails_stops_the_batch(
    node: Node, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_REQUEST_BYTES", 1)
    node.will(answering(a5=400))
    articles = [article(f"a{n}", "x") for n in range(50)]
    with pytest.raises(ArticleRefused, match="article a5"):
        writer_to(connect(node)).put(articles, seq=1)
    assert len(node.asked) < 50


def test_a_refresh_that_a_shard_did_not_do_is_an_error(
    node: Node, connect: Connect
) -> None:
    node.will((200, {"_shards": {"total": 2, "successful": 1, "failed": 1}}))
    with pytest.raises(IndexUnavailable, match="1 shards did not refresh"):
        writer_to(connect(node)).refresh()
