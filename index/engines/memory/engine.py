"""The reference engine: exact, slow and strict, it defines what a search means.

It tests the articles one after another, with sets and dictionaries. Other engines are
correct if they answer as it does. It is for tests, and for a service that stores
nothing.
"""

from __future__ import annotations

import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from rapidfuzz.distance import OSA

from index.article import Article
from index.engines.budget import SearchMemory
from index.engines.engine import MEMORY, EngineState
from index.engines.facets import Counted, value_order
from index.engines.memory.docs import Doc, Docs, doc_of, values_of
from index.engines.memory.postings import all_postings
from index.engines.memory.search import Evaluation
from index.engines.result import Page, WordCount
from index.query import Search
from index.text import fold, has_words, leads, value_key


class MemoryEngine:
    """Articles in a dictionary; see :class:`index.engines.Engine`."""

    url = "memory:"
    folder: Path | None = None
    memory = MEMORY

    def __init__(self, *, language: str = "en", expansions: int = 20_000) -> None:
        self._language, self._expansions = language, expansions
        self._snapshot = self._empty()

    def snapshot(self) -> MemorySnapshot:
        """Newest committed snapshot."""
        return self._snapshot

    def state(self) -> EngineState:
        """Counts and sequence number of the newest snapshot."""
        snapshot = self._snapshot
        return EngineState(
            seq=snapshot.seq,
            epoch=snapshot.epoch,
            articles=len(snapshot.docs),
            paragraphs=sum(len(doc.passages) for doc in snapshot.docs),
            segments=1,
        )

    def apply(
        self, puts: Sequence[Article], deletes: Sequence[str], *, seq: int
    ) -> None:
        """Commit one batch: all of it or nothing."""
        by_id = dict(self._snapshot.docs.by_id)
        for article_id in deletes:
            by_id.pop(article_id, None)
        for article in puts:
            by_id[article.id] = doc_of(article, self._language)
        self._snapshot = self._snapshot_of(by_id, seq=seq, epoch=self._snapshot.epoch)

    def rebuild(
        self,
        articles: Iterable[Article],
        *,
        seq: int,
        total: int,
        epoch: int | None = None,
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        """Replace the whole index by these articles."""
        by_id = {}
        for done, article in enumerate(articles, 1):
            by_id[article.id] = doc_of(article, self._language)
            progress(done)
        self._snapshot = self._snapshot_of(by_id, seq=seq, epoch=epoch)

    def probe(self, article: Article) -> None:
        """Analyse an article, and drop the result."""
        doc_of(article, self._language)

    def check(self) -> Iterator[str]:
        """Yield nothing: there are no files."""
        yield from ()

    def let_go(self) -> None:
        """Do nothing: there are no files."""

    def cache_bytes(self) -> int:
        """0: there are no caches."""
        return 0

    def search_memory(self) -> SearchMemory:
        """Nothing: what searches take is not counted."""
        return SearchMemory(0, 0, 0)

    def close(self) -> None:
        """Free memory."""
        self._snapshot = self._empty()

    def _empty(self) -> MemorySnapshot:
        return MemorySnapshot(
            Docs({}), seq=0, epoch=None, token="", expansions=self._expansions
        )

    def _snapshot_of(
        self, by_id: dict[str, Doc], *, seq: int, epoch: int | None = None
    ) -> MemorySnapshot:
        return MemorySnapshot(
            Docs(by_id),
            seq=seq,
            epoch=epoch,
            token=secrets.token_hex(8),
            expansions=self._expansions,
        )


class MemorySnapshot:
    """The articles of one moment; see :class:`index.engines.Snapshot`."""

    def __init__(
        self,
        docs: Docs,
        *,
        seq: int,
        epoch: int | None,
        token: str,
        expansions: int,
    ) -> None:
        self.docs, self.seq, self.epoch, self.token = docs, seq, epoch, token
        self._expansions = expansions

    def search(self, search: Search) -> Page:
        """Answer a search."""
        postings = all_postings(self.docs, search, expansions=self._expansions)
        evaluation = Evaluation(self.docs, search, seq=self.seq, postings=postings)
        return evaluation.page()

    def reserved(self, size: int, search: Search) -> AbstractContextManager[None]:
        """Nothing: this engine does not bound the memory of searches."""
        return nullcontext()

    def names(
        self, field: str, typed: Sequence[str], search: Search, limit: int
    ) -> tuple[WordCount, ...]:
        """Values of a field with words that start with the typed ones, in any order."""
        spellings: dict[str, Counter[str]] = defaultdict(Counter)
        articles: Counter[str] = Counter()
        for doc in self.docs.visible(search):
            values = set(values_of(doc.article, field))
            articles.update({value_key(value) for value in values})
            for value in values:
                spellings[value_key(value)][value] += 1
        names = [
            WordCount(
                text=Counted(articles=count, spellings=spellings[key]).shown,
                articles=count,
            )
            for key, count in articles.items()
            if has_words(key, typed)
        ]
        names.sort(
            key=lambda name: (
                not leads(name.text, typed),
                -name.articles,
                value_order(name.text),
            )
        )
        return tuple(names[:limit])

    def completions(
        self, prefix: str, search: Search, limit: int
    ) -> tuple[WordCount, ...]:
        """Words that start with a folded prefix, most frequent first."""
        counts = [
            WordCount(text=form, articles=count)
            for form, count in self.docs.visible_words(search).items()
            if fold(form).startswith(prefix)
        ]
        counts.sort(key=lambda word: (-word.articles, word.text))
        return tuple(counts[:limit])

    def corrections(self, form: str, search: Search) -> Iterator[str]:
        """Yield words of visible articles that ``form`` may be a misspelling of."""
        folded = fold(form)
        distance = 1 if len(folded) <= 4 else 2
        ranked = [
            (OSA.distance(folded, fold(word)), -count, word)
            for word, count in self.docs.visible_words(search).items()
            if fold(word) != folded
        ]
        for edits, _, word in sorted(ranked):
            if edits <= distance:
                yield word
