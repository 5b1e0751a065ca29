"""The parameters of the ranking: those we use, the textbook's, and values to try."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from index.article import FIELD_BY_NAME
from index.engines import ranking


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The parameters of the ranking."""

    k1: float
    k1_paragraph: float
    b_article: float
    b_paragraph: float
    damping: float
    paragraph_share: float
    headline: float  # weight of its words

    def __str__(self) -> str:
        return (
            f"k1 {self.k1:g} / {self.k1_paragraph:g},"
            f" b {self.b_article:g} / {self.b_paragraph:g},"
            f" damping {self.damping:g},"
            f" share {self.paragraph_share:g}, headline {self.headline:g}"
        )


# BM25 as it is usually set; damping and share are our own, as first guessed.
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
    """The parameters that the engines use now."""
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
    """Make the engines use other parameters for the length of a block."""
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
