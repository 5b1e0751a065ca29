"""A search for better parameters of the ranking, and whether they hold elsewhere.

One collection is left out at a time: parameters are chosen on the others and judged on
it. What only fits the collections it was chosen on shows as a loss there. The search
starts from the textbook's parameters, never from ours: those were chosen on all
collections, and would tell it of the one left out.

Words are counted once, and each trial scores them anew with the functions of
:mod:`index.engines`, which is what an engine does; so a trial takes no index.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.table import Table

from benchmarks.data.judged import Collection
from benchmarks.ranking.metrics import ndcg
from index.article import FIELD_BY_NAME, Role
from index.engines import ranking
from index.text import analyse, word_key, word_keys

LANGUAGE = "en"  # of all test collections
MOST_ROUNDS = 6
_LEAST_GAIN = 1e-3  # of nDCG, below which a change is noise

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What the ranking has to choose."""

    k1: float
    k1_paragraph: float
    b_article: float
    b_paragraph: float
    damping: float
    paragraph_share: float
    headline: float  # the weight of its words

    def __str__(self) -> str:
        return (
            f"k1 {self.k1:g} / {self.k1_paragraph:g},"
            f" b {self.b_article:g} / {self.b_paragraph:g},"
            f" damping {self.damping:g},"
            f" share {self.paragraph_share:g}, headline {self.headline:g}"
        )


# BM25 as it is usually set, and the two that are ours as they were first guessed.
TEXTBOOK = Parameters(
    k1=1.2,
    k1_paragraph=1.2,
    b_article=0.75,
    b_paragraph=0.75,
    damping=0.0,
    paragraph_share=0.5,
    headline=3.0,
)

GRID: Mapping[str, tuple[float, ...]] = {
    "k1": (0.8, 1.2, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0),
    "k1_paragraph": (0.6, 0.9, 1.2, 2.0, 3.0),
    "b_article": (0.3, 0.45, 0.6, 0.75, 0.9),
    "b_paragraph": (0.3, 0.45, 0.6, 0.75, 0.9),
    "damping": (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0),
    "paragraph_share": (0.0, 0.25, 0.5, 0.75, 1.0, 1.5),
    "headline": (1.0, 2.0, 3.0, 4.0, 5.0, 6.0),
}


def current() -> Parameters:
    """Return the parameters as they stand in the code."""
    return Parameters(
        k1=ranking.K1,
        k1_paragraph=ranking.K1_PARAGRAPH,
        b_article=ranking.B_ARTICLE,
        b_paragraph=ranking.B_PARAGRAPH,
        damping=ranking.DAMPING,
        paragraph_share=ranking.PARAGRAPH_SHARE,
        headline=FIELD_BY_NAME["headline"].weight,
    )


@contextmanager
def applied(chosen: Parameters) -> Iterator[None]:
    """Have :mod:`index.engines` use other parameters for the length of a block."""
    before = current()
    _set(chosen)
    try:
        yield
    finally:
        _set(before)


def _set(chosen: Parameters) -> None:
    ranking.K1 = chosen.k1
    ranking.K1_PARAGRAPH = chosen.k1_paragraph
    ranking.B_ARTICLE = chosen.b_article
    ranking.B_PARAGRAPH = chosen.b_paragraph
    ranking.DAMPING = chosen.damping
    ranking.PARAGRAPH_SHARE = chosen.paragraph_share


@dataclass(frozen=True, slots=True, eq=False)
class _Leaf:
    """Where one word of a query is."""

    paragraphs: npt.NDArray[np.int64]
    frequencies: Floats
    in_headline: Floats  # by document
    in_body: Floats
    articles: int


class Counted:
    """A collection with the words of its queries counted."""

    def __init__(self, judged: Collection) -> None:
        self.judged = judged
        self.ids = [article.id for article in judged.documents]
        postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        lengths: list[int] = []
        owners: list[int] = []
        headlines: list[bool] = []
        for number, article in enumerate(judged.documents):
            for paragraph in article.paragraphs:
                tokens = analyse(paragraph.text)
                for stem, count in Counter(word_keys(tokens.forms, LANGUAGE)).items():
                    postings[stem].append((len(lengths), count))
                lengths.append(tokens.length)
                owners.append(number)
                headlines.append(paragraph.role is Role.HEADLINE)
        self._lengths = np.array(lengths, float)
        self._owners = np.array(owners)
        self._is_headline = np.array(headlines)
        self._starts = np.searchsorted(self._owners, np.arange(len(self.ids)))
        self._headline_length = self._by_document(self._lengths * self._is_headline)
        self._body_length = self._by_document(self._lengths * ~self._is_headline)
        # Equal scores come in the order of ids.
        self._place = np.argsort(np.argsort(np.array(self.ids)))
        self._leaves = {
            query: [
                self._leaf(found)
                for word in words
                if (found := postings.get(word_key(word, LANGUAGE)))
            ]
            for query, words in judged.queries.items()
        }

    def scores(self, query: str, chosen: Parameters) -> Floats:
        """Return the score of each document, 0 where no word of the query is.

        With the constants of :mod:`index.engines` as they are set.
        """
        articles = np.zeros(len(self.ids))
        paragraphs = np.zeros(len(self._lengths))
        mean_headline = _mean(self._headline_length)
        mean_body = _mean(self._body_length)
        mean_paragraph = float(self._lengths.mean())
        for leaf in self._leaves[query]:
            weighted = ranking.field_frequency(
                leaf.in_headline, self._headline_length, mean_headline, chosen.headline
            ) + ranking.field_frequency(
                leaf.in_body, self._body_length, mean_body, FIELD_BY_NAME["body"].weight
            )
            idf = ranking.idf(len(self.ids), leaf.articles)
            articles += ranking.article_part(weighted, idf, 1.0)
            paragraphs[leaf.paragraphs] += ranking.paragraph_part(
                leaf.frequencies,
                self._lengths[leaf.paragraphs],
                mean_paragraph,
                ranking.idf(len(self._lengths), len(leaf.paragraphs)),
                1.0,
            )
        best = np.maximum.reduceat(paragraphs, self._starts)
        scores: Floats = ranking.article_score(articles, best)
        return scores

    def ranking(self, query: str, chosen: Parameters, depth: int) -> list[str]:
        """Return the ids of the best documents, the best first."""
        scores = self.scores(query, chosen)
        order = np.lexsort((self._place, -scores))[:depth]
        return [self.ids[at] for at in order if scores[at] > 0]

    def ndcg(self, chosen: Parameters) -> float:
        """Return the mean nDCG@10 over the queries."""
        with applied(chosen):
            found = [
                ndcg(self.ranking(query, chosen, 10), self.judged.judged[query], 10)
                for query in self.judged.queries
            ]
        return sum(found) / len(found)

    def _by_document(self, values: Floats) -> Floats:
        return np.bincount(self._owners, values, len(self.ids)).astype(float)

    def _leaf(self, postings: Sequence[tuple[int, int]]) -> _Leaf:
        paragraphs = np.array([paragraph for paragraph, _ in postings])
        counts = np.array([count for _, count in postings], float)
        everywhere = np.zeros(len(self._lengths))
        everywhere[paragraphs] = counts
        in_headline = self._by_document(everywhere * self._is_headline)
        in_body = self._by_document(everywhere * ~self._is_headline)
        return _Leaf(
            paragraphs=paragraphs,
            frequencies=counts,
            in_headline=in_headline,
            in_body=in_body,
            articles=int(((in_headline + in_body) > 0).sum()),
        )


def _mean(lengths: Floats) -> float:
    having = lengths[lengths > 0]
    return float(having.mean()) if len(having) else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """What was chosen with one collection left out, and how it does there.

    :param left_out: ``None`` where all collections took part.
    :param ndcg: by collection, with the parameters chosen.
    """

    left_out: str | None
    chosen: Parameters
    ndcg: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """How one parameter changed alone does, by collection."""

    name: str
    value: float
    ndcg: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """The folds, one a collection, and the choice that all collections made.

    :param varied: the parameters that were free; the others stayed the textbook's.
    :param textbook: nDCG by collection where the search starts; ``now`` as we rank.
    :param neighbours: of the parameters as they are now.
    """

    varied: tuple[str, ...]
    textbook: Mapping[str, float]
    now: Mapping[str, float]
    folds: tuple[Fold, ...]
    together: Fold
    neighbours: tuple[Neighbour, ...]

    def document(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)


def tune(
    judged: Sequence[Collection],
    varied: Sequence[str] = tuple(GRID),
    *,
    tell: Callable[[str], None] = lambda text: None,
) -> Tuned:
    """Choose parameters on all collections but one, for each, and on all of them."""
    if len(judged) < 2:
        raise ValueError("leaving one out takes two collections at least")
    counted = [Counted(each) for each in judged]
    known: dict[tuple[str, Parameters], float] = {}

    def score(each: Counted, chosen: Parameters) -> float:
        place = (each.judged.name, chosen)
        if place not in known:
            tell(f"{each.judged.name}: {chosen}")
            known[place] = each.ndcg(chosen)
        return known[place]

    def scores(chosen: Parameters) -> dict[str, float]:
        return {each.judged.name: score(each, chosen) for each in counted}

    def fold(left_out: Counted | None) -> Fold:
        training = [each for each in counted if each is not left_out]
        chosen = _climbed(
            lambda tried: sum(score(each, tried) for each in training) / len(training),
            varied,
        )
        return Fold(
            left_out=None if left_out is None else left_out.judged.name,
            chosen=chosen,
            ndcg=scores(chosen),
        )

    now = current()
    return Tuned(
        varied=tuple(varied),
        textbook=scores(TEXTBOOK),
        now=scores(now),
        folds=tuple(fold(each) for each in counted),
        together=fold(None),
        neighbours=tuple(
            Neighbour(
                name=name, value=value, ndcg=scores(replace(now, **{name: value}))
            )
            for name, choices in GRID.items()
            for value in choices
        ),
    )


def _climbed(score: Callable[[Parameters], float], varied: Sequence[str]) -> Parameters:
    """Return the best parameters found by changing one at a time, from the textbook."""
    best = TEXTBOOK
    value = score(best)
    for _ in range(MOST_ROUNDS):
        before = best
        for name in varied:
            for choice in GRID[name]:
                tried = replace(best, **{name: choice})
                if tried != best and (found := score(tried)) > value + _LEAST_GAIN:
                    best, value = tried, found
        if best == before:
            break
    return best


def table(tuned: Tuned, peer: Mapping[str, float]) -> Table:
    """Return the folds as a table for people.

    :param peer: tantivy's nDCG@10 by collection.
    """
    shown = Table(
        title=f"nDCG@10, {', '.join(tuned.varied)} chosen without the collection"
    )
    for name in ("left out", "chosen on the others"):
        shown.add_column(name)
    for name in ("textbook", "chosen", "now", "textbook / tantivy", "chosen", "now"):
        shown.add_column(name, justify="right")
    first, then, now, base = [], [], [], []
    for fold in tuned.folds:
        name = str(fold.left_out)
        first.append(tuned.textbook[name])
        then.append(fold.ndcg[name])
        now.append(tuned.now[name])
        base.append(peer[name])
        last = [each[-1:] for each in (first, then, now)]
        shown.add_row(name, str(fold.chosen), *_cells(last, base[-1:]))
    shown.add_section()
    shown.add_row("mean, each left out", "", *_cells([first, then, now], base))
    together = list(tuned.together.ndcg.values())
    chosen = str(tuned.together.chosen)
    shown.add_row("none", chosen, *_cells([first, together, now], base))
    return shown


def _cells(found: Sequence[Sequence[float]], base: Sequence[float]) -> list[str]:
    return [
        *(f"{sum(each) / len(each):.4f}" for each in found),
        *(f"{sum(each) / sum(base):.3f}" for each in found),
    ]


def neighbours(tuned: Tuned, peer: Mapping[str, float]) -> Table:
    """Return what changing one of our parameters does, as a table for people.

    :param peer: tantivy's nDCG@10 by collection.
    """
    now = current()
    shown = Table(title=f"nDCG@10 around what we use now: {now}")
    shown.add_column("parameter")
    for name in ("value", *tuned.now, "mean", "/ tantivy"):
        shown.add_column(name, justify="right")
    for each in tuned.neighbours:
        mark = " *" if each.value == getattr(now, each.name) else ""
        ours = list(each.ndcg.values())
        shown.add_row(
            each.name + mark,
            f"{each.value:g}",
            *(f"{value:.4f}" for value in ours),
            f"{sum(ours) / len(ours):.4f}",
            f"{sum(ours) / sum(peer.values()):.3f}",
            end_section=each.value == GRID[each.name][-1],
        )
    return shown
