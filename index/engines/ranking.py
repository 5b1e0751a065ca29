"""The score of an article and of a paragraph: one set of formulas for every engine.

A leaf of the query scores like one word: its frequency in a place is the number of its
matches there, its document frequency the number of live articles or paragraphs that
match it. An article's score is BM25F over the fields searched (Zaragoza et al., TREC
2004; Robertson and Zaragoza, 2009) plus a share of its best matching paragraph's BM25.
``docs/ranking.md`` has the formula in full, and what each constant was chosen by.

Every function takes numbers or NumPy arrays, and works alike on both.
"""

from __future__ import annotations

from typing import Any

import numpy as np

# How soon more of the same word stops adding. In an article a word of the headline
# counts as several, so that K1 is larger than where all words are alike (Robertson,
# Zaragoza and Taylor, 2004).
K1 = 4.0
K1_PARAGRAPH = 1.2
B_ARTICLE = 0.75  # how far a field's length counts, 0 to 1
B_PARAGRAPH = 0.75
# How much less a word tells of an article, the more articles have it. No stop words are
# dropped: damping keeps those of a long question from outweighing its subject.
DAMPING = 4.0
PARAGRAPH_SHARE = 0.5  # weight of the best matching paragraph in an article's score
_STEPS = 1e6  # scores are rounded to 1e-6, so that engines agree on ties


def idf(count: Any, having: Any) -> Any:
    """Return how much a word that few have tells: ``having`` of ``count`` have it."""
    return np.log1p((count - having + 0.5) / (having + 0.5))


def field_frequency(frequency: Any, length: Any, average: float, weight: float) -> Any:
    """Return one field's part of a word's weighted frequency in an article.

    :param length: of the field in the article, in words; ``average`` over the articles
        that have the field.
    """
    return weight * frequency / (1 - B_ARTICLE + B_ARTICLE * length / average)


def article_weight(idf_article: Any, boost: Any) -> Any:
    """Return how much a leaf counts for in an article.

    It is damped by how many articles have the leaf: to a sixteenth where half of them
    do, and hardly where one in a hundred does.
    """
    lacking = -np.expm1(-idf_article)  # a share of all: idf is -log of the others'
    return boost * idf_article * lacking**DAMPING


def article_saturation(weighted_frequency: Any) -> Any:
    """Return how much of its weight a leaf gets, from its frequency over all fields."""
    return weighted_frequency * (K1 + 1) / (weighted_frequency + K1)


def article_part(weighted_frequency: Any, idf_article: Any, boost: float) -> Any:
    """Return what a leaf adds to an article, from its frequency over all fields."""
    weight = article_weight(idf_article, boost)
    return weight * article_saturation(weighted_frequency)


def paragraph_norm(length: Any, average: float) -> Any:
    """Return what a paragraph's length sets against a frequency in it."""
    return K1_PARAGRAPH * (1 - B_PARAGRAPH + B_PARAGRAPH * length / average)


def paragraph_saturation(frequency: Any, norm: Any) -> Any:
    """Return how much of its weight a leaf gets in a paragraph (BM25)."""
    return frequency * (K1_PARAGRAPH + 1) / (frequency + norm)


def paragraph_part(
    frequency: Any, length: Any, average: float, idf_paragraph: Any, boost: float
) -> Any:
    """Return what a leaf adds to a paragraph (BM25)."""
    saturation = paragraph_saturation(frequency, paragraph_norm(length, average))
    return boost * idf_paragraph * saturation


def article_score(parts: Any, best_paragraph: Any) -> Any:
    """Return an article's ordering score.

    :param parts: the sum of its leaves' article parts, left to right.
    :param best_paragraph: the highest sum of paragraph parts among its matching ones.
    """
    return rounded(parts + PARAGRAPH_SHARE * best_paragraph)


def rounded(score: Any) -> Any:
    """Return a score as it orders hits and as it is shown."""
    return np.rint(score * _STEPS) / _STEPS
