"""The searches that are timed: several kinds, with words drawn from the corpus.

A search is text in our own grammar, so that it can be recorded, sent over HTTP and run
again; peers compile the same parsed nodes that our engine gets.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import chain
from random import Random
from typing import Any

from index.article import Article, Role
from index.engines import MAX_BUCKETS
from index.query import Request, Search, Sort, compile_request
from index.settings import Settings

FACETS = ("source", "section", "language")
# Intervals of date facets, in days: the first with few enough buckets is used.
INTERVALS = (("week", 7), ("month", 28), ("year", 365))
FUZZY = "fuzzy"  # measured separately, and in no mean
NOW = datetime(2100, 1, 1, tzinfo=UTC)  # no article of any corpus is under embargo then
# Bands of words, by document frequency: the share of paragraphs with the word.
BANDS: Mapping[str, tuple[float, float]] = {
    "rare": (3e-5, 3e-4),
    "middle": (1e-3, 1e-2),
    "frequent": (2e-2, 1e-1),
    "common": (1e-1, 1.0),
}
LEAST = 2  # document frequency of a drawn word
SAMPLE = 3_000  # paragraphs, to draw words that occur together from
TRIES = 10_000
DRAWS = 20  # for each search, since some are drawn twice
_WORD = re.compile(r"[a-z]{3,20}")
# Lower case, since operators are upper case; all tokenizers split such words alike.
_RUN = re.compile(r"[a-z]+(?: [a-z]+)+")
_SETTINGS = Settings()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedSearch:
    """One search of the workload.

    :param q: query in our grammar.
    :param since: date as in the API, like ``until``.
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

    def compiled(self) -> Search:
        """The search for an engine: the best 10 articles, totals, facets, no text."""
        request = Request(
            q=self.q,
            since=self.since,
            until=self.until,
            sort=Sort(self.sort),
            facets=self.facets,
            passages=0,
        )
        return compile_request(request, settings=_SETTINGS, now=NOW)[0]

    def parameters(self) -> list[tuple[str, str]]:
        """The search for the API, which adds three passages per hit."""
        pairs = [("q", self.q), ("sort", self.sort)]
        pairs += [
            (name, value)
            for name, value in (("from", self.since), ("to", self.until))
            if value is not None
        ]
        return pairs + [("facet", name) for name in self.facets]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Searches of several kinds, and the seed that they were drawn with."""

    seed: int
    searches: tuple[TimedSearch, ...]

    def document(self) -> dict[str, Any]:
        """The workload for JSON; :func:`workload_of` reads it."""
        return {
            "seed": self.seed,
            "asked": [asdict(search) for search in self.searches],
        }

    def of(self, *kinds: str) -> tuple[TimedSearch, ...]:
        """The searches of some kinds."""
        return tuple(search for search in self.searches if search.kind in kinds)

    @property
    def scored(self) -> tuple[TimedSearch, ...]:
        """The searches that are part of means."""
        return tuple(search for search in self.searches if search.kind != FUZZY)


def workload_of(document: Mapping[str, Any]) -> Workload:
    """The workload that an earlier run recorded."""
    return Workload(
        seed=document["seed"], searches=tuple(map(search_of, document["asked"]))
    )


def search_of(document: Mapping[str, Any]) -> TimedSearch:
    """A search from its fields as JSON."""
    return TimedSearch(**{**document, "facets": tuple(document["facets"])})


def draw_workload(
    articles: Iterable[Article], *, seed: int = 1, per_kind: int = 8
) -> Workload:
    """Draw a workload; the same corpus and seed give the same one.

    :param per_kind: number of searches of each kind.
    """
    words = _Words(articles, Random(seed))
    searches = (_drawn(draw, words, per_kind) for draw in _KINDS)
    return Workload(seed=seed, searches=tuple(chain.from_iterable(searches)))


def draw_distinct(
    articles: Iterable[Article], *, seed: int, per_kind: int, nothing: int
) -> tuple[tuple[TimedSearch, ...], tuple[TimedSearch, ...]]:
    """Draw many searches for servers that must not know them yet.

    :param per_kind: number of searches of each kind that is part of means; fewer if the
        corpus has not so many.
    :param nothing: number of searches without hits.
    :return: the searches, and those without hits.
    """
    words = _Words(articles, Random(seed))
    searches = (_drawn(draw, words, per_kind) for draw in _KINDS if draw is not _fuzzy)
    return tuple(chain.from_iterable(searches)), _drawn(_nothing, words, nothing)


def _drawn(draw: _Draw, words: _Words, count: int) -> tuple[TimedSearch, ...]:
    """Different searches of a kind."""
    drawn: dict[TimedSearch, None] = {}
    for n in range(DRAWS * count):
        if len(drawn) == count:
            break
        drawn.setdefault(draw(words, n))
    return tuple(drawn)


@dataclass(slots=True)
class _Counts:
    """Document frequencies of a corpus, and a sample of its paragraphs."""

    paragraphs: int = 0
    frequencies: Counter[str] = field(default_factory=Counter)
    sample: list[str] = field(default_factory=list)
    days: set[date] = field(default_factory=set)


class _Words:
    """The words of a corpus by frequency band, alone and as they occur together."""

    def __init__(self, articles: Iterable[Article], rng: Random) -> None:
        self.rng = rng
        counts = _counts_of(articles, rng)
        frequencies = {w: n for w, n in counts.frequencies.items() if n >= LEAST}
        if not frequencies or not counts.days:
            raise ValueError("the corpus has too little text to search, or no dates")
        self.bands = {
            name: _band(frequencies, low * counts.paragraphs, high * counts.paragraphs)
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
        """A word of a band."""
        return self.rng.choice(self.bands[band])

    def several(self, *bands: str) -> list[str]:
        """Different words, one per band."""
        chosen: list[str] = []
        for band in bands:
            # In a tiny corpus two bands may have the same few words.
            others = [word for word in self.bands[band] if word not in chosen]
            chosen.append(self.rng.choice(others or self.bands[band]))
        return chosen

    def together(self, *bands: str) -> list[str]:
        """Different words, one per band, that occur in the same paragraph."""
        for _ in range(TRIES):
            by_band: dict[str, list[str]] = {}
            for word in dict.fromkeys(_WORD.findall(self.rng.choice(self._sample))):
                by_band.setdefault(self._band_of.get(word, ""), []).append(word)
            chosen = []
            for band in bands:
                others = [word for word in by_band.get(band, ()) if word not in chosen]
                if not others:
                    break
                chosen.append(self.rng.choice(others))
            else:
                return chosen
        return self.several(*bands)

    def phrase(self, length: int) -> str:
        """Words that follow each other in some paragraph, not all of them common."""
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
        """First and last day of a period in which an article was published."""
        first, last = self._days[0], self._days[-1]
        latest = max(first, last - timedelta(days=days))
        starts = [day for day in self._days if day <= latest]
        start = self.rng.choice(starts)
        return start.isoformat(), (start + timedelta(days=days - 1)).isoformat()


def _counts_of(articles: Iterable[Article], rng: Random) -> _Counts:
    counts = _Counts()
    for article in articles:
        if article.published is not None:
            counts.days.add(article.published.date())
        for paragraph in article.paragraphs:
            if paragraph.role is Role.HEADLINE:
                continue
            text = paragraph.text.lower()
            counts.frequencies.update(set(_WORD.findall(text)))
            # Algorithm R (Vitter, 1985): every paragraph has the same chance.
            if len(counts.sample) < SAMPLE:
                counts.sample.append(text)
            elif (place := int(rng.random() * (counts.paragraphs + 1))) < SAMPLE:
                counts.sample[place] = text
            counts.paragraphs += 1
    return counts


def _band(frequencies: Mapping[str, int], low: float, high: float) -> list[str]:
    """The words of a frequency band; in a small corpus, the 30 words nearest to it."""
    inside = sorted(word for word, n in frequencies.items() if low <= n < high)
    if len(inside) >= 30:
        return inside
    middle = math.log(math.sqrt(low * high))
    nearest = sorted(
        frequencies,
        key=lambda word: (abs(math.log(frequencies[word]) - middle), word),
    )
    return sorted(nearest[:30])


# Draws the nth search of a kind.
_Draw = Callable[[_Words, int], TimedSearch]


def _word(band: str, words: _Words, n: int) -> TimedSearch:
    return TimedSearch(kind=f"word, {band}", q=words.one(band))


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


def _nth(choices: Sequence[tuple[str, ...]], n: int) -> tuple[str, ...]:
    return choices[n % len(choices)]


def _and(count: int, words: _Words, n: int) -> TimedSearch:
    terms = words.together(*_nth(_TOGETHER[count], n))
    return TimedSearch(kind=f"AND of {count}", q=" AND ".join(terms))


def _or(count: int, words: _Words, n: int) -> TimedSearch:
    terms = words.several(*_nth(_APART[count], n))
    return TimedSearch(kind=f"OR of {count}", q=" OR ".join(terms))


def _phrase(words: _Words, n: int) -> TimedSearch:
    return TimedSearch(kind="phrase", q=f'"{words.phrase(2 + n % 2)}"')


def _prefix(words: _Words, n: int) -> TimedSearch:
    return TimedSearch(kind="prefix", q=f"{words.one('middle')[: 3 + n % 3]}*")


def _not(words: _Words, n: int) -> TimedSearch:
    if n % 2:
        one, other, without = words.several("middle", "frequent", "frequent")
        return TimedSearch(kind="with NOT", q=f"({one} OR {other}) AND NOT {without}")
    one, without = words.several("frequent", "middle")
    return TimedSearch(kind="with NOT", q=f"{one} AND NOT {without}")


def _dated(words: _Words, n: int) -> TimedSearch:
    since, until = words.period((30, 365)[n % 2])
    q = (
        words.one("frequent")
        if n % 3
        else " OR ".join(words.several("middle", "frequent"))
    )
    return TimedSearch(kind="dates", q=q, since=since, until=until)


def _faceted(words: _Words, n: int) -> TimedSearch:
    q = (words.one("common"), words.one("frequent"), words.one("middle"))[n % 3]
    facets = (*FACETS[:2], f"published:{words.interval}")
    return TimedSearch(kind="facets", q=q, facets=facets)


def _newest(words: _Words, n: int) -> TimedSearch:
    if n == 0:
        q = ""
    elif n % 2:
        q = words.one("frequent")
    else:
        q = " AND ".join(words.together("middle", "frequent"))
    return TimedSearch(kind="newest", q=q, sort=Sort.NEWEST.value)


def _nothing(words: _Words, n: int) -> TimedSearch:
    """A misspelt word, or one that resembles none."""
    if n % 2:
        q = "".join(words.rng.choices("bcdfghjklmnpqrstvwxz", k=9))
    else:
        word = words.one("middle")
        q = f"{word[:3]}q{word[3:]}"
    return TimedSearch(kind="nothing", q=q)


def _fuzzy(words: _Words, n: int) -> TimedSearch:
    while len(word := words.one("middle")) < 5:
        pass
    place = words.rng.randrange(1, len(word))
    return TimedSearch(kind=FUZZY, q=f"{word[:place]}{word[place + 1 :]}~1")


_KINDS: tuple[_Draw, ...] = (
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


def by_kind(
    searches: Iterable[TimedSearch],
) -> Iterator[tuple[str, tuple[TimedSearch, ...]]]:
    """Each kind with its searches, in the order of their first ones."""
    groups: dict[str, list[TimedSearch]] = {}
    for search in searches:
        groups.setdefault(search.kind, []).append(search)
    for kind, group in groups.items():
        yield kind, tuple(group)
