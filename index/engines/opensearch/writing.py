"""Writing: documents in bounded requests, with the answer to each read one by one.

A document's version is the seq of its batch, and OpenSearch keeps the one with the
highest: a request that was delayed or is repeated never wins over a newer one, and a
batch that failed half-way can be repeated.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

from index.article import Article
from index.engines.opensearch.cluster import Cluster, Refused, lines_of
from index.engines.opensearch.commits import Generation, alias_of
from index.engines.opensearch.documents import (
    analysed,
    article_document,
    document_id,
)
from index.engines.opensearch.words import Vocabulary
from index.errors import IndexUnavailable

# Bytes of a request, unless one document alone is larger.
_REQUEST_BYTES = 2 * 1024 * 1024
# Requests under way at a time, while the next articles are analysed. Their order does
# not matter: nothing shows before the commit.
_REQUESTS = 3
# Pauses before what a busy node refused is sent again, in seconds: doubled, and drawn
# from half of that up. They add up to about a minute.
_FIRST_PAUSE, _LONGEST_PAUSE, _ATTEMPTS = 0.1, 10.0, 12
_BUSY = frozenset({429, 502, 503, 504})
_IS_THERE = 409  # in this version or a newer one
_IS_WRONG = 400  # the document itself; all else is of the index


class ArticleRefused(Refused):
    """An article that the cluster refuses to index.

    :param article_id: its id.
    """

    def __init__(self, article_id: str, status: int, kind: str, reason: str) -> None:
        super().__init__(status, kind, f"{reason} (article {article_id})")
        self.article_id = article_id


class Operation(NamedTuple):
    """A document to put or to delete, as lines of a request.

    :param article_id: of the article that it is of, or that has the word.
    """

    lines: bytes
    article_id: str


class Writer:
    """Writes articles into the indexes of a generation.

    :param language: of articles without a language.
    """

    def __init__(
        self,
        cluster: Cluster,
        generation: Generation,
        vocabulary: Vocabulary,
        *,
        language: str,
    ) -> None:
        self._cluster, self._generation = cluster, generation
        self._vocabulary, self._language = vocabulary, language

    def put(
        self, puts: Iterable[Article], deletes: Iterable[str] = (), *, seq: int
    ) -> None:
        """Put and delete articles.

        :raises ArticleRefused: the cluster refuses an article.
        :raises IndexUnavailable: it is not available; the batch can be repeated.
        """
        self._send(self._operations(puts, deletes, seq))

    def refresh(self) -> None:
        """Make all that was written visible to points in time opened from now on.

        :raises IndexUnavailable: a copy of a shard did not do it.
        """
        answer = self._cluster.ask("POST", f"/{','.join(self._generation)}/_refresh")
        assert answer is not None, "only a GET may find nothing"
        failed = answer["_shards"]["failed"]
        if failed:
            raise IndexUnavailable(
                f"the search cluster is not available: {failed} shards did not refresh"
            )

    def _operations(
        self, puts: Iterable[Article], deletes: Iterable[str], seq: int
    ) -> Iterator[Operation]:
        index = alias_of(self._generation.articles)
        # An article that is in both is put: deletes come first in a batch.
        deleted = dict.fromkeys(deletes)
        for article in puts:
            deleted.pop(article.id, None)
            whole = analysed(article, self._language)
            for lines in self._vocabulary.new_lines(whole):
                yield Operation(lines, article.id)
            document = {**article_document(whole), "seq": seq}
            action = {"index": _target(index, article.id, seq)}
            yield Operation(lines_of((action, document)), article.id)
        for article_id in deleted:
            action = {"delete": _target(index, article_id, seq)}
            yield Operation(lines_of([action]), article_id)

    def _send(self, operations: Iterable[Operation]) -> None:
        """Send operations in requests of bounded size, a few of them at a time.

        :raises ArticleRefused: the cluster refuses an article.
        :raises IndexUnavailable: it is not available, or busy for too long.
        """
        sent: deque[Future[None]] = deque()
        with ThreadPoolExecutor(_REQUESTS) as senders:
            for request in _requests(operations):
                sent.append(senders.submit(self._send_all, request))
                if len(sent) > _REQUESTS:
                    sent.popleft().result()
            for one in sent:
                one.result()

    def _send_all(self, operations: list[Operation]) -> None:
        pause = _FIRST_PAUSE
        for _ in range(_ATTEMPTS):
            operations = self._send_once(operations)
            if not operations:
                return
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            pause = min(pause * 2, _LONGEST_PAUSE)
        raise IndexUnavailable(
            f"the search cluster is too busy: it refused {len(operations):,} documents"
            f" {_ATTEMPTS} times"
        )

    def _send_once(self, operations: list[Operation]) -> list[Operation]:
        """Send one request; return what a busy node has refused of it."""
        answer = self._cluster.ask(
            "POST",
            # Without the alias OpenSearch would make an index that is missing.
            "/_bulk?require_alias=true&timeout=30s"
            "&filter_path=errors,items.*.status,items.*.error",
            b"".join(operation.lines for operation in operations),
        )
        assert answer is not None, "only a GET may find nothing"
        if not answer["errors"]:
            return []
        refused = []
        for operation, item in zip(operations, answer["items"], strict=True):
            ((_, result),) = item.items()
            status, error = result["status"], result.get("error")
            if error is None or status == _IS_THERE:
                continue
            if status in _BUSY:
                refused.append(operation)
                continue
            kind, reason = str(error.get("type", "")), _reason(error)
            if status != _IS_WRONG:
                raise IndexUnavailable(f"the index cannot be written: {kind}: {reason}")
            raise ArticleRefused(operation.article_id, status, kind, reason)
        return refused


def _requests(operations: Iterable[Operation]) -> Iterator[list[Operation]]:
    """Yield operations in order, in lists of bounded size."""
    request: list[Operation] = []
    size = 0
    for operation in operations:
        if request and size + len(operation.lines) > _REQUEST_BYTES:
            yield request
            request, size = [], 0
        request.append(operation)
        size += len(operation.lines)
    if request:
        yield request


def _target(index: str, article_id: str, seq: int) -> dict[str, Any]:
    # Not "external": the halves of a batch, and what is tried again, have one seq.
    return {
        "_index": index,
        "_id": document_id(article_id),
        "version": seq,
        "version_type": "external_gte",
    }


def _reason(error: Mapping[str, Any]) -> str:
    """The innermost reason of an error, which names the field."""
    while isinstance(error.get("caused_by"), dict):
        error = error["caused_by"]
    return str(error.get("reason", ""))
