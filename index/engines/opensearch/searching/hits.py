"""Hits: which passages and leaves of an article count, as the reference engine says.

The hits of a page are few. So the rules are not written twice: the articles of a page
are read from the cluster with the places of their tokens, and
:mod:`index.engines.memory` searches in them.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from index.article import Article, Paragraph, Role
from index.dates import from_micros
from index.deadline import Check, until
from index.engines.memory import Doc, Docs, Evaluation, LeafPostings, word_leaves
from index.engines.opensearch.mapping import LINES, PARAGRAPHS
from index.engines.opensearch.tokens import (
    form_needles,
    forms_in,
    term_needles,
    tokens_of,
    word_term,
)
from index.engines.result import Hit
from index.query import (
    PUBLIC,
    Exact,
    Fuzzy,
    Prefix,
    Search,
    Sort,
    SortKey,
    Statistics,
    Term,
    Wildcard,
    WordLeaf,
    occurrences,
    places_of,
)
from index.text import Tokens

_TEXT = "-"  # of a paragraph: its words are in the places of its tokens


def hits_of(
    sources: Iterable[Mapping[str, Any]],
    keys: Iterable[SortKey],
    search: Search,
    statistics: Statistics,
    forms: Mapping[WordLeaf, Sequence[str]],
) -> tuple[Hit, ...]:
    """The hits of a page.

    :param sources: the documents of their articles.
    :param keys: sort key of each hit, in order.
    :param forms: what each prefix, wildcard and fuzzy leaf stands for.
    """
    articles = [_Source(source) for source in sources]
    check = until(search.deadline)
    postings = {
        leaf: _postings_of(leaf, articles, search, forms.get(leaf, ()), check)
        for leaf in dict.fromkeys(word_leaves(search.query))
    }
    evaluation = Evaluation(
        Docs({source.doc.article.id: source.doc for source in articles}),
        replace(search, reader=PUBLIC, hidden=frozenset(), statistics=statistics),
        seq=statistics.seq,
        postings=postings,
    )
    # The scores that hits are ordered by are the cluster's.
    ranked = search.sort is Sort.RELEVANCE
    return tuple(
        hit._replace(score=hit.key.score) if ranked else hit
        for hit in evaluation.hits(keys)
    )


class _Source:
    """An article of a page.

    :ivar doc: what queries test of it, with the lengths of its texts but no tokens.
    :ivar passages: places of the tokens of each paragraph.
    :ivar lines: field of the article's own → places of the tokens of each value.
    """

    def __init__(self, source: Mapping[str, Any]) -> None:
        paragraphs, lines = source[PARAGRAPHS], source.get(LINES, ())
        self.passages = [_places(paragraph) for paragraph in paragraphs]
        self.lines: dict[str, list[str]] = defaultdict(list)
        lengths: dict[str, list[Tokens]] = defaultdict(list)
        for line in lines:
            self.lines[line["field"]].append(_places(line))
            lengths[line["field"]].append(_of_length(line["length"]))
        headline = paragraphs[0]["field"] == "headline"
        numbers = range(0 if headline else 1, len(paragraphs) + (0 if headline else 1))
        self.doc = Doc(
            article=Article(
                id=source["id"],
                version=source["version"],
                headline=_TEXT if headline else None,
                paragraphs=tuple(
                    Paragraph(n, Role.BODY if n else Role.HEADLINE, _TEXT, "")
                    for n in numbers
                ),
                urgency=source["urgency"],
                published=_instant(source.get("published")),
                updated=_instant(source.get("updated")),
            ),
            language=source["language"],
            passages=tuple(_of_length(each["length"]) for each in paragraphs),
            fields=tuple(each["field"] for each in paragraphs),
            lines={name: tuple(values) for name, values in lengths.items()},
        )


def _places(nested: Mapping[str, Any]) -> str:
    return base64.b64decode(nested["places"]).decode()


def _of_length(length: int) -> Tokens:
    return Tokens([], [], [], [], [], length)


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


# Leaves.


def _postings_of(
    leaf: WordLeaf,
    sources: Iterable[_Source],
    search: Search,
    forms: Sequence[str],
    check: Check,
) -> LeafPostings:
    """Where a leaf occurs in the articles of a page."""
    postings = LeafPostings(places_of(leaf, search.places))
    expanded = frozenset(forms)
    for source in sources:
        doc = source.doc
        needles = _needles(leaf, doc.language)
        for number, (places, name) in enumerate(
            zip(source.passages, doc.fields, strict=True)
        ):
            check()
            if name not in postings.places.passages:
                continue
            frequency = _frequency(leaf, places, needles, expanded, doc.language)
            if frequency:
                postings.passages.setdefault(doc, {})[number] = frequency
        for name in postings.places.lines:
            frequency = sum(
                _frequency(leaf, places, needles, expanded, doc.language)
                for places in source.lines.get(name, ())
            )
            if frequency:
                postings.lines.setdefault(doc, {})[name] = frequency
    return postings


def _needles(leaf: WordLeaf, language: str) -> list[str]:
    """What the places of the tokens are behind that a leaf may match."""
    if isinstance(leaf, Prefix | Wildcard | Fuzzy):
        return []
    if isinstance(leaf, Exact):
        each = [form_needles(form) for form in leaf.forms]
    else:
        words = (leaf.form,) if isinstance(leaf, Term) else leaf.forms
        each = [term_needles(word_term(word, language)) for word in words]
    return list(dict.fromkeys(needle for needles in each for needle in needles))


def _frequency(
    leaf: WordLeaf,
    places: str,
    needles: Sequence[str],
    expanded: frozenset[str],
    language: str,
) -> int:
    """Number of occurrences of a leaf in a text."""
    if expanded:
        needles = [
            needle
            for form in forms_in(places)
            if form in expanded
            for needle in form_needles(form)
        ]
    tokens = tokens_of(places, needles)
    return len(occurrences(tokens, leaf, language)) if tokens.forms else 0
