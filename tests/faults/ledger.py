"""A writer with a ledger: what it sent, and what was acknowledged."""

from __future__ import annotations

import random
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from faults.amounts import SIZE
from faults.cluster import Client, Cluster, path_of
from waiting import until

from index import cli
from index.store import Store

SHARED = "ledger"  # a word that every article has
_WORDS_AT_ONCE = 60  # words in one query; the limit of clauses is a few more
_MOST_CHARACTERS = 1_000  # of a query
_MOST_GONE = 3_000
# Seconds between two writes of a writer: what is written is compared in the end.
_BETWEEN = 0.002 if SIZE == "full" else 0.01
_PAUSE = 0.01  # seconds before a writer asks a server again that did not answer


@dataclass(slots=True)
class Sent:
    """A version of an article that was sent, once or until it was acknowledged.

    :param word: a word that only this version has.
    :param version: its number in the acknowledgement; ``None`` without one.
    """

    word: str
    digest: str
    version: str | None = None


@dataclass(slots=True)
class Entry:
    """Everything about one article, in the order in which it was sent."""

    sent: list[Sent] = field(default_factory=list)
    deleting: bool = False  # somebody has asked for it
    deleted: bool = False  # and was told that it is so


class Ledger:
    """What one writer sent, article by article; no one else writes these articles.

    :param name: of the writer; its articles and words begin with it.
    :param refusals: the statuses by which a service may say that it cannot write now.
    """

    def __init__(
        self, name: str, seed: random.Random, *, refusals: tuple[int, ...] = (503,)
    ) -> None:
        self.name = name
        self._refusals = refusals
        self.entries: dict[str, Entry] = {}
        self.batches: list[list[str]] = []  # ids that were sent together
        self.acknowledged = self.unacknowledged = 0
        self._chance = seed
        self._count = 0

    def write_until(self, stop: threading.Event, port: int) -> None:
        """Write random articles until told to stop; a refusal is a valid answer."""
        client = Client(port)
        while not stop.is_set():
            kind = self._chance.random()
            if kind < 0.1:
                self._post_some(client)
            elif kind < 0.15:
                self._delete_one(client)
            else:
                self._put_one(client, stop)
            stop.wait(_BETWEEN)
        client.close()

    def _put_one(self, client: Client, stop: threading.Event) -> None:
        article_id = f"{self.name}-{self._chance.randrange(150)}"
        body, sent = self._draft_of(article_id)
        # A careful writer asks again until it is told; a careless one does not.
        tries = 1 if self._chance.random() < 0.3 else 1_000
        while tries and not stop.is_set():
            tries -= 1
            try:
                reply = client.ask("PUT", path_of(article_id), body)
            except OSError:
                self.unacknowledged += 1
                stop.wait(_PAUSE)
                continue
            assert reply.status in (200, *self._refusals), (reply.status, reply.body)
            if reply.status == 200:
                (result,) = reply.json["results"]
                assert result["status"] in ("created", "updated", "unchanged"), result
                self._acknowledge(article_id, sent, result["version"])
                return

    def _post_some(self, client: Client) -> None:
        ids = [f"{self.name}-batch-{self._count}-{n}" for n in range(3)]
        articles = [self._draft_of(each) for each in ids]
        self.batches.append(ids)
        bodies = [{"id": each, **articles[n][0]} for n, each in enumerate(ids)]
        try:
            reply = client.ask("POST", "/v1/articles", bodies)
        except OSError:
            self.unacknowledged += 1
            return
        assert reply.status in (200, *self._refusals), (reply.status, reply.body)
        if reply.status == 200:
            for (_, sent), result in zip(articles, reply.json["results"], strict=True):
                assert result["status"] == "created", result
                self._acknowledge(result["id"], sent, result["version"])

    def _delete_one(self, client: Client) -> None:
        """Delete an article that only came in a batch, and is never written again."""
        known = [each for ids in self.batches for each in ids]
        if not known:
            return
        article_id = self._chance.choice(known)
        entry = self.entries[article_id]
        entry.deleting = True
        try:
            reply = client.ask("DELETE", path_of(article_id))
        except OSError:
            self.unacknowledged += 1
            return
        assert reply.status in (200, 404, *self._refusals), (reply.status, reply.body)
        # Of one that was never acknowledged 404 says only that it is not there.
        entry.deleted = entry.deleted or reply.status in (200, 404)

    def _draft_of(self, article_id: str) -> tuple[dict[str, Any], Sent]:
        self._count += 1
        word = f"{self.name}x{self._count}"
        body = {
            "headline": f"Entry {word}",
            "paragraphs": [
                f"The {SHARED} has {word} here.",
                "Grain came in. " * self._chance.randrange(1, 12) + f"So says {word}.",
            ],
            "source": self.name,
        }
        sent = Sent(word, digest(body["headline"], body["paragraphs"]))
        self.entries.setdefault(article_id, Entry()).sent.append(sent)
        return body, sent

    def _acknowledge(self, article_id: str, sent: Sent, version: str) -> None:
        sent.version = version
        self.acknowledged += 1


def digest(headline: Any, paragraphs: Any) -> str:
    """Digest of an article's text."""
    return sha256("\n".join([headline, *paragraphs]).encode()).hexdigest()


class Load:
    """Several writers at work on a running cluster for the length of a block."""

    def __init__(self, cluster: Cluster, ledgers: list[Ledger]) -> None:
        self._stop = threading.Event()
        self._failed: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._run, args=(each, cluster.port))
            for each in ledgers
        ]

    def _run(self, ledger: Ledger, port: int) -> None:
        try:
            ledger.write_until(self._stop, port)
        except BaseException as error:  # noqa: BLE001 - it is raised where the block ends
            self._failed.append(error)

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *raised: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()
        for error in self._failed:
            raise error


# Holding a service to a ledger.


def hold_to(
    ledgers: list[Ledger],
    cluster: Cluster,
    client: Client,
    *,
    besides: Collection[str] = (),
) -> None:
    """Compare the answers of a service with the ledgers of its writers.

    No acknowledged write is lost, stored twice or stored in part; searches find each
    article by the words of its current version, and by no others.

    :param besides: ids of articles that others have written.
    """
    _store_is_right(ledgers, cluster, besides)
    current = {}
    for ledger in ledgers:
        for article_id, entry in ledger.entries.items():
            if (sent := _current_over_http(client, article_id, entry)) is not None:
                current[article_id] = sent
    _searches_are_complete(client, {k: v[0] for k, v in current.items()})
    words = {sent.word: article_id for article_id, (_, sent) in current.items()}
    _words_are_right(ledgers, client, words)


def _store_is_right(
    ledgers: list[Ledger], cluster: Cluster, besides: Collection[str]
) -> None:
    """Compare every stored version with what was sent."""
    store = Store(cluster.settings().store)
    with store.reading() as view:
        there = {each.id for each in view.iterate()} - set(besides)
        known = {each for ledger in ledgers for each in ledger.entries}
        assert there <= known, "there are articles that nobody sent"
        for ledger in ledgers:
            for ids in ledger.batches:
                left = [each for each in ids if not ledger.entries[each].deleting]
                assert len(there & set(left)) in (0, len(left)), "half of a batch"
            for article_id, entry in ledger.entries.items():
                if article_id not in there:
                    acknowledged = [s for s in entry.sent if s.version is not None]
                    assert entry.deleting or not acknowledged, f"{article_id} is lost"
                    continue
                assert not entry.deleted, f"{article_id} came back"
                held = {
                    info.version: view.get(article_id, info.version).article
                    for info in view.versions(article_id)
                }
                version_of_digest = {
                    digest(a.headline, [p.text for p in a.paragraphs if p.n]): version
                    for version, a in held.items()
                }
                assert len(version_of_digest) == len(held), (
                    f"{article_id} has a version twice"
                )
                order = [
                    version_of_digest[s.digest]
                    for s in entry.sent
                    if s.digest in version_of_digest
                ]
                assert len(order) == len(held), f"{article_id} has what nobody sent"
                assert order == sorted(order, key=int), f"{article_id} is out of order"
                for sent in entry.sent:
                    if sent.version is not None:
                        assert version_of_digest.get(sent.digest) == sent.version, (
                            f"{article_id}, version {sent.version}, is lost"
                        )
    store.close()


def _current_over_http(
    client: Client, article_id: str, entry: Entry
) -> tuple[str, Sent] | None:
    reply = client.ask("GET", path_of(article_id))
    if reply.status == 404:
        return None
    assert reply.status == 200, reply.body
    article = reply.json
    texts = [each["text"] for each in article["paragraphs"] if each["n"]]
    sent_digest = digest(article["headline"], texts)
    (sent,) = (each for each in entry.sent if each.digest == sent_digest)
    return article["version"], sent


def walked(client: Client, **parameters: object) -> Iterator[dict[str, Any]]:
    """Yield every hit of a search, page after page."""
    cursor: dict[str, object] = {}
    while True:
        page = client.search(**parameters, **cursor)
        yield from page["hits"]
        if page["next"] is None:
            return
        cursor = {"cursor": page["next"]}


def _searches_are_complete(client: Client, current: dict[str, str]) -> None:
    page = client.search(SHARED, limit=0)
    assert page["total"]["articles"] == len(current)
    walk = walked(client, q=SHARED, limit=100, sort="newest", passages=0)
    hits = [(hit["id"], hit["version"]) for hit in walk]
    assert len(hits) == len(set(hits)), "an article is found twice"
    assert dict(hits) == current


def _words_are_right(
    ledgers: list[Ledger], client: Client, current: dict[str, str]
) -> None:
    """Check that words of current versions find these, and that others find nothing."""
    every = [
        s.word for ledger in ledgers for e in ledger.entries.values() for s in e.sent
    ]
    # Of very many the newest: the others were looked for before.
    every.sort(key=lambda word: int(word.partition("x")[2]))
    gone = [word for word in every if word not in current][-_MOST_GONE:]
    for words in _cut(gone):
        total = client.search(" OR ".join(words), limit=0)["total"]
        assert total == {"articles": 0, "paragraphs": 0}, (
            "words of no article are found"
        )
    for words in _cut(list(current)):
        hits = client.search(" OR ".join(words), limit=100, passages=1)["hits"]
        assert {hit["id"] for hit in hits} == {current[word] for word in words}


def _cut(words: list[str]) -> Iterator[list[str]]:
    longest = max(map(len, words), default=1)
    size = min(_WORDS_AT_ONCE, _MOST_CHARACTERS // (longest + len(" OR ")))
    for start in range(0, len(words), size):
        yield words[start : start + size]


def is_sound(cluster: Cluster) -> None:
    """Check store and index with ``nutgraf verify``, in this process."""
    assert cli.main(["verify", "--json"], cluster.environment()) == 0


def settles(cluster: Cluster, client: Client, seconds: float = 10) -> None:
    """Wait until searches include all that was written."""
    until(lambda: cluster.caught_up(client), "searches are complete", seconds)
