"""The score of an article and of a paragraph: the same formulas for every engine.

A leaf of the query scores like one word: its term frequency is the number of its
matches, its document frequency the number of public articles or paragraphs that match.
An article's score is BM25F over the fields searched (Zaragoza et al., TREC 2004;
Robertson and Zaragoza, 2009) plus a share of the BM25 score of its best matching
paragraph. ``docs/ranking.md`` has the whole formula, and how each constant was chosen.

Every function takes numbers or NumPy arrays, and gives the same results for both.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from index import article

_FORMULA = 1  # raised with every change to a formula below

# Term frequency saturation. In an article a word of the headline counts as several: K1
# is larger than if all words had the same weight (Robertson, Zaragoza, Taylor, 2004).
K1 = 4.0
K1_PARAGRAPH = 1.2
B_ARTICLE = 0.75  # length normalisation, 0 to 1
B_PARAGRAPH = 0.75
# Damping of frequent words in an article's score. No stop words are dropped: this keeps
# those of a long question from outweighing its subject.
DAMPING = 4.0
PARAGRAPH_SHARE = 0.5  # weight of the best matching paragraph in an article's score
_STEPS = 1e6  # scores are rounded to 1e-6, so that engines agree on ties


def version() -> tuple[object, ...]:
    """Version of the formulas and their parameters: scores of two do not compare."""
    parameters = K1, K1_PARAGRAPH, B_ARTICLE, B_PARAGRAPH, DAMPING, PARAGRAPH_SHARE
    weights = ((field.name, field.weight) for field in article.FIELDS)
    return _FORMULA, *parameters, *weights


def idf(doc_count: Any, doc_freq: Any) -> Any:
    """Inverse document frequency: the fewer documents have a word, the higher."""
    return np.log1p((doc_count - doc_freq + 0.5) / (doc_freq + 0.5))


def field_frequency(frequency: Any, length: Any, average: float, weight: float) -> Any:
    """One field's part of the weighted frequency of a word in an article (BM25F).

    :param length: of the field in the article, in words.
    :param average: mean length of the field, over the articles that have it.
    :param weight: of the field.
    """
    return weight * frequency / (1 - B_ARTICLE + B_ARTICLE * length / average)


def article_weight(idf_article: Any, boost: Any) -> Any:
    """Weight of a leaf in an article: its inverse document frequency, damped.

    If half of the articles have the leaf, damping reduces the weight to a sixteenth; if
    one in a hundred has it, hardly at all.
    """
    absent = -np.expm1(-idf_article)  # share of articles without it: 1 - exp(-idf)
    return boost * idf_article * absent**DAMPING


def article_saturation(weighted_frequency: Any) -> Any:
    """Saturated frequency of a leaf in an article, from its weighted frequency."""
    return weighted_frequency * (K1 + 1) / (weighted_frequency + K1)


def article_part(weighted_frequency: Any, idf_article: Any, boost: float) -> Any:
    """Part of a leaf in an article's score, from its weighted frequency (BM25F)."""
    weight = article_weight(idf_article, boost)
    return weight * article_saturation(weighted_frequency)


def paragraph_norm(length: Any, average: float) -> Any:
    """BM25 length norm of a paragraph."""
    return K1_PARAGRAPH * (1 - B_PARAGRAPH + B_PARAGRAPH * length / average)


def paragraph_saturation(frequency: Any, norm: Any) -> Any:
    """Saturated frequency of a leaf in a paragraph (BM25)."""
    return frequency * (K1_PARAGRAPH + 1) / (frequency + norm)


def paragraph_part(
    frequency: Any, length: Any, average: float, idf_paragraph: Any, boost: float
) -> Any:
    """Part of a leaf in a paragraph's score (BM25)."""
    saturation = paragraph_saturation(frequency, paragraph_norm(length, average))
    return boost * idf_paragraph * saturation


def article_score(parts: Any, best_paragraph: Any) -> Any:
    """Score of an article, as hits are ordered by.

    :param parts: sum of the article parts of its leaves, left to right.
    :param best_paragraph: highest sum of paragraph parts of a matching paragraph.
    """
    return rounded(parts + PARAGRAPH_SHARE * best_paragraph)


def rounded(score: Any) -> Any:
    """Rounded score, as hits are ordered by and as it is shown."""
    return np.rint(score * _STEPS) / _STEPS
