"""The articles to measure with: generated, read from a file, or copied to a size.

A corpus can be iterated any number of times and is the same each time. It streams: only
the current article is in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from benchmarks.data.vocabulary import vocabulary_of
from index.article import Article, Concept, Role, number_paragraphs
from index.formats import ReadOptions, detect, read, write

SOURCES, SECTIONS, PLACES, TOPICS = 14, 16, 300, 500
FIRST_DAY = datetime(2015, 1, 1, tzinfo=UTC)
YEARS = 10
_VERSION = "1"  # an engine that gets articles without a store needs a version
_HEAD_BYTES = 4_096


class Corpus(Protocol):
    """Articles with versions, always in the same order."""

    def __iter__(self) -> Iterator[Article]:
        """The articles, from the first one."""

    def description(self) -> dict[str, Any]:
        """The description of the corpus, for JSON; it names no folder."""


class Size(NamedTuple):
    """The size of a corpus.

    :param paragraphs: without headlines.
    :param text_bytes: of headlines and paragraphs, in UTF-8.
    """

    articles: int
    paragraphs: int
    text_bytes: int


def size_of(articles: Iterable[Article]) -> Size:
    """Size of a corpus, by iterating it."""
    count = paragraphs = text_bytes = 0
    for article in articles:
        count += 1
        paragraphs += body_paragraphs(article)
        text_bytes += sum(
            len(paragraph.text.encode()) for paragraph in article.paragraphs
        )
    return Size(count, paragraphs, text_bytes)


def body_paragraphs(article: Article) -> int:
    """Number of paragraphs of an article, without its headline."""
    return len(article.paragraphs) - (article.headline is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """Generated news; a seed gives the same articles on every machine.

    :param paragraphs: without headlines; the last article may exceed it.
    """

    paragraphs: int
    seed: int = 1

    def __iter__(self) -> Iterator[Article]:
        """The articles, from the first one."""
        newsroom = _Newsroom(Random(self.seed), self.seed)
        count = 0
        while count < self.paragraphs:
            article = newsroom.article()
            count += body_paragraphs(article)
            yield article

    def description(self) -> dict[str, Any]:
        """The description of the corpus, for JSON."""
        return {
            "kind": "generated",
            "asked_paragraphs": self.paragraphs,
            "seed": self.seed,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """The articles of a file in any format that Nutgraf reads, also with gzip.

    Refused records are skipped, and so are records with the id of an earlier one.

    :param mapping: name in the input → our field.
    """

    path: Path
    mapping: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __iter__(self) -> Iterator[Article]:
        """The articles, from the first one."""
        seen: set[str] = set()
        with self.path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
            stream.seek(0)
            name = detect(self.path.name, head)
            for record in read(name, stream, options=ReadOptions(mapping=self.mapping)):
                article = record.article
                if article is None or article.id in seen:
                    continue
                seen.add(article.id)
                yield (
                    article if article.version else replace(article, version=_VERSION)
                )

    def description(self) -> dict[str, Any]:
        """The description of the corpus, for JSON."""
        return {
            "kind": "file",
            "name": self.path.name,
            "bytes": self.path.stat().st_size,
            "mapping": dict(self.mapping),
        }


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A corpus in memory, which is read once only."""

    of: Corpus

    def __iter__(self) -> Iterator[Article]:
        """The articles, from the first one."""
        return iter(self._articles)

    @cached_property
    def _articles(self) -> tuple[Article, ...]:
        return tuple(self.of)

    def description(self) -> dict[str, Any]:
        """The description of the corpus, for JSON."""
        return self.of.description()


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """A corpus and copies of it with new ids, up to a number of paragraphs."""

    of: Corpus
    paragraphs: int

    def __iter__(self) -> Iterator[Article]:
        """The articles, from the first one."""
        return copies(self.of, paragraphs=self.paragraphs)

    def description(self) -> dict[str, Any]:
        """The description of the corpus, for JSON."""
        return {**self.of.description(), "copied_to_paragraphs": self.paragraphs}


def copies(
    articles: Iterable[Article], paragraphs: int = 1_000_000
) -> Iterator[Article]:
    """Articles, then copies of them under new ids, up to a number of paragraphs.

    The id of a copy is that of the original with ``~2``, ``~3`` …; all else is equal.

    :param articles: a corpus or a list, not an iterator.
    :param paragraphs: without headlines; the last article may exceed it.
    :raises ValueError: the articles are an iterator, or have no paragraph.
    """
    if iter(articles) is articles:
        raise ValueError("an iterator can be read once only; pass a list")
    count, turn = 0, 1
    while count < paragraphs:
        before = count
        for article in articles:
            if turn > 1:
                article = replace(article, id=f"{article.id}~{turn}")
            count += body_paragraphs(article)
            yield article
            if count >= paragraphs:
                return
        if count == before:
            raise ValueError("there is no paragraph to copy")
        turn += 1


def first_articles(articles: Iterable[Article], paragraphs: int) -> Iterator[Article]:
    """The first articles that together have a number of paragraphs."""
    count = 0
    for article in articles:
        if count >= paragraphs:
            return
        count += body_paragraphs(article)
        yield article


def write_lines(articles: Iterable[Article], path: Path) -> None:
    """Write articles as JSON lines."""
    with path.open("wb") as out:
        for article in articles:
            out.write(write("jsonl", article))


@dataclass(frozen=True, slots=True)
class _Topic:
    """A topic of the news: its own words, names, places and section."""

    words: tuple[str, ...]
    names: tuple[str, ...]
    places: tuple[str, ...]
    section: str


class _Newsroom:
    """A source of articles made from random numbers."""

    def __init__(self, rng: Random, seed: int) -> None:
        self._rng, self._seed, self._written = rng, seed, 0
        self._vocabulary = vocabulary_of(rng)
        names = self._vocabulary.names
        self._sources = [f"{rng.choice(names)} Post" for _ in range(SOURCES)]
        self._sections = [rng.choice(names) for _ in range(SECTIONS)]
        self._places = [f"{rng.choice(names)}ville" for _ in range(PLACES)]
        self._topics = [self._topic() for _ in range(TOPICS)]

    def article(self) -> Article:
        """The next article."""
        rng = self._rng
        self._written += 1
        # Squared, so that a few topics, sources and sections make up most of the news.
        topic = self._topics[int(rng.random() ** 2 * TOPICS)]
        source = self._sources[int(rng.random() ** 2 * SOURCES)]
        # Half of all articles have at most 7 paragraphs; the mean is 11.
        count = max(1, round(rng.lognormvariate(2.0, 0.85)))
        headline = self._sentence(topic, rng.randint(6, 13)).rstrip(".")
        paragraphs = [(Role.BODY, self._paragraph(topic), None) for _ in range(count)]
        published = FIRST_DAY + timedelta(
            seconds=int(rng.random() * YEARS * 365 * 86_400)
        )
        places = tuple(
            Concept(name=name) for name in dict.fromkeys(rng.choices(topic.places, k=2))
        )
        author = " ".join(rng.choices(self._vocabulary.names, k=2))
        return Article(
            id=f"urn:nutgraf:made-up:{self._seed}:{self._written:07d}",
            version=_VERSION,
            headline=headline,
            paragraphs=number_paragraphs(headline, paragraphs),
            byline=f"By {author}",
            authors=(Concept(name=author),),
            section=topic.section if rng.random() < 0.95 else None,
            source=source,
            language=rng.choices(("en", "en-GB", "en-US"), (80, 15, 5))[0],
            places=places,
            urgency=rng.choices((1, 2, 3, 4, 5, 6), (1, 4, 20, 50, 15, 10))[0],
            published=published,
        )

    def _topic(self) -> _Topic:
        rng, vocabulary = self._rng, self._vocabulary
        return _Topic(
            words=tuple(
                # From all ranks: the words of a topic are rarely frequent ones.
                vocabulary.stems[int(rng.random() ** 3 * len(vocabulary.stems))]
                for _ in range(60)
            ),
            names=tuple(" ".join(rng.choices(vocabulary.names, k=2)) for _ in range(5)),
            places=tuple(rng.choices(self._places, k=4)),
            section=self._sections[int(rng.random() ** 2 * SECTIONS)],
        )

    def _paragraph(self, topic: _Topic) -> str:
        # As in English news: half of them have at most 35 words, the mean is 42.
        words = max(4, round(self._rng.lognormvariate(3.555, 0.6)))
        sentences = []
        while words > 0:
            length = min(words, self._rng.randint(9, 28))
            sentences.append(self._sentence(topic, max(4, length)))
            words -= length
        return " ".join(sentences)

    def _sentence(self, topic: _Topic, length: int) -> str:
        rng, vocabulary = self._rng, self._vocabulary
        own = length // 5
        words = rng.choices(
            vocabulary.words, cum_weights=vocabulary.weights, k=length - own
        )
        for word in rng.choices(topic.words, k=own):
            words.insert(int(rng.random() * len(words)), word)
        chance = rng.random()
        if chance < 0.4:
            words.insert(int(rng.random() * len(words)), rng.choice(topic.names))
        elif chance < 0.5:
            words.insert(int(rng.random() * len(words)), rng.choice(topic.places))
        elif chance < 0.6:
            words.insert(int(rng.random() * len(words)), f"{rng.randint(2, 9_999):,}")
        if len(words) > 14:
            words[7] += ","
        return f"{words[0][0].upper()}{words[0][1:]} {' '.join(words[1:])}."
