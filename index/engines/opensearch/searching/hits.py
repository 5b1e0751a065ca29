"""Hits: which passages and leaves of an article count, as the reference engine says.

The hits of a page are few. So the rules are not written twice: the articles of a page
are read from the cluster with their tokens, and :mod:`index.engines.memory` searches
in them.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from sys import maxsize
from typing import Any

from index.article import Article, Paragraph, Role
from index.dates import from_micros
from index.engines.memory import Doc, Docs, Evaluation
from index.engines.opensearch.mapping import LINES, PARAGRAPHS
from index.engines.opensearch.tokens import tokens_of
from index.engines.result import Hit
from index.query import PUBLIC, Search, Sort, SortKey, Statistics
from index.text import Tokens

_TEXT = "-"  # of a paragraph: its words are in its tokens


def hits_of(
    sources: Iterable[Mapping[str, Any]],
    keys: Iterable[SortKey],
    search: Search,
    statistics: Statistics,
) -> tuple[Hit, ...]:
    """The hits of a page.

    :param sources: the documents of their articles.
    :param keys: sort key of each hit, in order.
    """
    docs = {source["id"]: doc_of_source(source) for source in sources}
    evaluation = Evaluation(
        Docs(docs),
        replace(
            search,
            reader=PUBLIC,
            hidden=frozenset(),
            filters=(),
            dates=None,
            sort=Sort.RELEVANCE,
            limit=maxsize,
            offset=0,
            after=None,
            statistics=statistics,
            facets=(),
        ),
        seq=statistics.seq,
        expansions=maxsize,
    )
    hits = {(hit.key.id, hit.key.n): hit for hit in evaluation.page().hits}
    relevance = search.sort is Sort.RELEVANCE
    paged = []
    for key in keys:
        hit = hits[key.id, key.n]
        if relevance or key.n is None:
            hit = hit._replace(score=key.score)
        paged.append(hit._replace(key=key))
    return tuple(paged)


def doc_of_source(source: Mapping[str, Any]) -> Doc:
    """The tokens of an article, and what queries test of it, from its document."""
    texts = source[PARAGRAPHS]
    has_headline = texts[0]["field"] == "headline"
    lines: dict[str, list[Tokens]] = defaultdict(list)
    for line in source.get(LINES, ()):
        lines[line["field"]].append(_tokens(line))
    paragraphs = [
        Paragraph(n=n, role=Role.BODY if n else Role.HEADLINE, text=_TEXT, key=str(n))
        for n, _ in enumerate(texts, 0 if has_headline else 1)
    ]
    return Doc(
        article=Article(
            id=source["id"],
            version=source["version"],
            headline=_TEXT if has_headline else None,
            paragraphs=tuple(paragraphs),
            urgency=source["urgency"],
            published=_instant(source.get("published")),
            updated=_instant(source.get("updated")),
        ),
        language=source["language"],
        passages=tuple(map(_tokens, texts)),
        fields=tuple(text["field"] for text in texts),
        lines={name: tuple(values) for name, values in lines.items()},
    )


def _tokens(nested: Mapping[str, Any]) -> Tokens:
    return tokens_of(base64.b64decode(nested["places"]).decode(), nested["length"])


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
