"""The searches that are timed: kinds of queries, their words drawn from the corpus.

A search is kept as text in our own grammar, so that it can be recorded, sent over HTTP
and run again; peers compile the same parsed nodes that our engine gets.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from index.article import Article, Role
from index.engines import MAX_BUCKETS
from index.query import Request, Search, Sort, compile_request
from index.settings import Settings

FACETS = ("source", "section", "language")
# Where facets are what is asked for, one of them is of dates: by the first of these
# intervals (of so many days) with which a corpus has few enough buckets.
INTERVALS = (("week", 7), ("month", 28), ("year", 365))
FUZZY = "fuzzy"  # measured apart: no mean includes it
NOW = datetime(2100, 1, 1, tzinfo=UTC)  # nothing is embargoed, whatever the corpus
# Bands of words, by the share of paragraphs that have one.
BANDS: Mapping[str, tuple[float, float]] = {
    "rare": (3e-5, 3e-4),
    "middle": (1e-3, 1e-2),
    "frequent": (2e-2, 1e-1),
    "common": (1e-1, 1.0),
}
LEAST = 2  # paragraphs that a drawn word is in
SAMPLE = 3_000  # paragraphs kept, from which words that meet are drawn
TRIES = 10_000
_WORD = re.compile(r"[a-z]{3,20}")
# Words as typed: upper case would be operators, and these tokenizers all cut alike.
_RUN = re.compile(r"[a-z]+(?: [a-z]+)+")
_SETTINGS = Settings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One search of the workload.

    :param q: in our grammar; ``since`` and ``until`` as the API takes them.
    """

    kind: str
    q: str
    since: str | None = None
    until: str | None = None
    sort: str = Sort.RELEVANCE.value
    facets: tuple[str, ...] = FACETS

    @property
    def label(self) -> str:
        """The search in one short line."""
        dates = f" from {self.since} to {self.until}" if self.since else ""
        order = "" if self.sort == Sort.RELEVANCE else f" {self.sort}"
        return f"{self.kind}: {self.q or '(everything)'}{dates}{order}"

    def search(self, *, passages: int = 0) -> Search:
        """Return it as an engine gets it: the best 10 articles, totals and facets."""
        request = Request(
            q=self.q,
            since=self.since,
            until=self.until,
            sort=Sort(self.sort),
            facets=self.facets,
            passages=passages,
        )
        return compile_request(request, settings=_SETTINGS, now=NOW)[0]

    def parameters(self) -> list[tuple[str, str]]:
        """Return it as the API gets it, with its three passages a hit."""
        found = [("q", self.q), ("sort", self.sort)]
        found += [
            (name, value)
            for name, value in (("from", self.since), ("to", self.until))
            if value is not None
        ]
        return found + [("facet", name) for name in self.facets]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Searches by kind, and the seed they were drawn with."""

    seed: int
    asked: tuple[Asked, ...]

    def document(self) -> dict[str, Any]:
        """Return it as JSON can hold it; :func:`workload_of` reads it back."""
        return {"seed": self.seed, "asked": [asdict(each) for each in self.asked]}

    def of(self, *kinds: str) -> tuple[Asked, ...]:
        """Return the searches of some kinds."""
        return tuple(each for each in self.asked if each.kind in kinds)

    @property
    def scored(self) -> tuple[Asked, ...]:
        """The searches that means are made of."""
        return tuple(each for each in self.asked if each.kind != FUZZY)


def workload_of(document: Mapping[str, Any]) -> Workload:
    """Return the workload that an earlier run recorded."""
    return Workload(
        seed=document["seed"],
        asked=tuple(
            Asked(**{**each, "facets": tuple(each["facets"])})
            for each in document["asked"]
        ),
    )


def draw(articles: Iterable[Article], *, seed: int = 1, each: int = 8) -> Workload:
    """Draw a workload from a corpus, the same for a corpus and a seed.

    :param each: how many searches a kind has.
    """
    words = _Words(articles, Random(seed))
    asked: list[Asked] = []
    for make in _MAKES:
        found: dict[Asked, None] = {}
        for _ in range(TRIES):
            if len(found) == each:
                break
            found.setdefault(make(words, len(found)))
        asked += found
    return Workload(seed=seed, asked=tuple(asked))


@dataclass(slots=True)
class _Counts:
    """In how many paragraphs each word is, and some paragraphs to look into."""

    paragraphs: int = 0
    having: Counter[str] = field(default_factory=Counter)
    sample: list[str] = field(default_factory=list)
    days: set[date] = field(default_factory=set)


class _Words:
    """The words of a corpus by frequency, and what stands together in it."""

    def __init__(self, articles: Iterable[Article], rng: Random) -> None:
        self.rng = rng
        counts = _counted(articles, rng)
        having = {w: n for w, n in counts.having.items() if n >= LEAST}
        if not having or not counts.days:
            raise ValueError("the corpus has too little text, or no dates, to ask for")
        self.bands = {
            name: _band(having, low * counts.paragraphs, high * counts.paragraphs)
            for name, (low, high) in BANDS.items()
        }
        self._band_of = {
            word: name for name, words in self.bands.items() for word in words
        }
        self._sample = counts.sample
        self._days = sorted(counts.days)
        days = (self._days[-1] - self._days[0]).days
        self.interval = next(
            name for name, width in INTERVALS if days / width < MAX_BUCKETS - 2
        )

    def one(self, band: str) -> str:
        """Return a word of a band."""
        return self.rng.choice(self.bands[band])

    def several(self, *bands: str) -> list[str]:
        """Return different words, one a band."""
        found: list[str] = []
        for band in bands:
            # In a tiny corpus a band may be the same few words as another.
            rest = [word for word in self.bands[band] if word not in found]
            found.append(self.rng.choice(rest or self.bands[band]))
        return found

    def together(self, *bands: str) -> list[str]:
        """Return different words, one a band, that stand in one paragraph."""
        for _ in range(TRIES):
            here: dict[str, list[str]] = {}
            for word in dict.fromkeys(_WORD.findall(self.rng.choice(self._sample))):
                here.setdefault(self._band_of.get(word, ""), []).append(word)
            found = []
            for band in bands:
                rest = [word for word in here.get(band, ()) if word not in found]
                if not rest:
                    break
                found.append(self.rng.choice(rest))
            else:
                return found
        return self.several(*bands)

    def phrase(self, length: int) -> str:
        """Return words that follow each other somewhere, not all of them common."""
        for _ in range(TRIES):
            runs = _RUN.findall(self.rng.choice(self._sample))
            if not runs:
                continue
            words = self.rng.choice(runs).split()
            start = self.rng.randint(0, max(0, len(words) - length))
            chosen = words[start : start + length]
            bands = {self._band_of.get(word, "") for word in chosen}
            if len(chosen) == length and bands & {"middle", "frequent"}:
                return " ".join(chosen)
        return " ".join(self.together("frequent", "middle"))

    def period(self, days: int) -> tuple[str, str]:
        """Return the first and the last day of a period in which something appeared."""
        first, last = self._days[0], self._days[-1]
        latest = max(first, last - timedelta(days=days))
        inside = [day for day in self._days if day <= latest]
        start = self.rng.choice(inside)
        return start.isoformat(), (start + timedelta(days=days - 1)).isoformat()


def _counted(articles: Iterable[Article], rng: Random) -> _Counts:
    counts = _Counts()
    for article in articles:
        if article.published is not None:
            counts.days.add(article.published.date())
        for paragraph in article.paragraphs:
            if paragraph.role is Role.HEADLINE:
                continue
            text = paragraph.text.lower()
            counts.having.update(set(_WORD.findall(text)))
            # Algorithm R (Vitter, 1985): each paragraph has the same chance to stay.
            if len(counts.sample) < SAMPLE:
                counts.sample.append(text)
            elif (place := int(rng.random() * (counts.paragraphs + 1))) < SAMPLE:
                counts.sample[place] = text
            counts.paragraphs += 1
    return counts


def _band(having: Mapping[str, int], low: float, high: float) -> list[str]:
    """Return the words within a band; in a small corpus, those nearest to it."""
    inside = sorted(word for word, n in having.items() if low <= n < high)
    if len(inside) >= 30:
        return inside
    middle = math.log(math.sqrt(low * high))
    nearest = sorted(having, key=lambda w: (abs(math.log(having[w]) - middle), w))
    return sorted(nearest[:30])


_Make = Callable[[_Words, int], Asked]


def _word(band: str, words: _Words, n: int) -> Asked:
    return Asked(kind=f"word, {band}", q=words.one(band))


_TOGETHER = {
    2: (("frequent", "frequent"), ("middle", "frequent"), ("middle", "middle")),
    3: (
        ("frequent", "frequent", "frequent"),
        ("middle", "frequent", "frequent"),
        ("middle", "middle", "frequent"),
    ),
}
_APART = {
    2: (("middle", "frequent"), ("frequent", "frequent"), ("rare", "middle")),
    3: (
        ("middle", "middle", "frequent"),
        ("frequent", "frequent", "common"),
        ("rare", "middle", "frequent"),
    ),
    5: (
        ("middle", "middle", "frequent", "frequent", "common"),
        ("rare", "rare", "middle", "middle", "frequent"),
        ("frequent", "frequent", "frequent", "middle", "middle"),
    ),
}


def _turn(choices: Sequence[tuple[str, ...]], n: int) -> tuple[str, ...]:
    return choices[n % len(choices)]


def _and(count: int, words: _Words, n: int) -> Asked:
    found = words.together(*_turn(_TOGETHER[count], n))
    return Asked(kind=f"AND of {count}", q=" AND ".join(found))


def _or(count: int, words: _Words, n: int) -> Asked:
    found = words.several(*_turn(_APART[count], n))
    return Asked(kind=f"OR of {count}", q=" OR ".join(found))


def _phrase(words: _Words, n: int) -> Asked:
    return Asked(kind="phrase", q=f'"{words.phrase(2 + n % 2)}"')


def _prefix(words: _Words, n: int) -> Asked:
    return Asked(kind="prefix", q=f"{words.one('middle')[: 3 + n % 3]}*")


def _not(words: _Words, n: int) -> Asked:
    if n % 2:
        one, other, without = words.several("middle", "frequent", "frequent")
        return Asked(kind="with NOT", q=f"({one} OR {other}) AND NOT {without}")
    one, without = words.several("frequent", "middle")
    return Asked(kind="with NOT", q=f"{one} AND NOT {without}")


def _dated(words: _Words, n: int) -> Asked:
    since, until = words.period((30, 365)[n % 2])
    q = (
        words.one("frequent")
        if n % 3
        else " OR ".join(words.several("middle", "frequent"))
    )
    return Asked(kind="dates", q=q, since=since, until=until)


def _faceted(words: _Words, n: int) -> Asked:
    q = (words.one("common"), words.one("frequent"), words.one("middle"))[n % 3]
    facets = (*FACETS[:2], f"published:{words.interval}")
    return Asked(kind="facets", q=q, facets=facets)


def _newest(words: _Words, n: int) -> Asked:
    if n == 0:
        q = ""
    elif n % 2:
        q = words.one("frequent")
    else:
        q = " AND ".join(words.together("middle", "frequent"))
    return Asked(kind="newest", q=q, sort=Sort.NEWEST.value)


def _fuzzy(words: _Words, n: int) -> Asked:
    while len(word := words.one("middle")) < 5:
        pass
    place = words.rng.randrange(1, len(word))
    return Asked(kind=FUZZY, q=f"{word[:place]}{word[place + 1 :]}~1")


_MAKES: tuple[_Make, ...] = (
    *(partial(_word, band) for band in ("rare", "middle", "frequent")),
    *(partial(_and, count) for count in _TOGETHER),
    *(partial(_or, count) for count in _APART),
    _phrase,
    _prefix,
    _not,
    _dated,
    _faceted,
    _newest,
    _fuzzy,
)


def by_kind(asked: Iterable[Asked]) -> Iterator[tuple[str, tuple[Asked, ...]]]:
    """Yield each kind with its searches, in the order of the first of each."""
    found: dict[str, list[Asked]] = {}
    for each in asked:
        found.setdefault(each.kind, []).append(each)
    for kind, some in found.items():
        yield kind, tuple(some)
