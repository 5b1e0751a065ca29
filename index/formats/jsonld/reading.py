"""JSON-LD in the vocabulary of schema.org: documents, and the articles in them.

Vocabulary: https://schema.org/NewsArticle
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO

from index.article import Original
from index.errors import UnreadableInput
from index.formats import jsonl
from index.formats.jsonld.articles import record_of
from index.formats.jsonld.graph import Graph
from index.formats.options import DEFAULTS, ReadOptions
from index.formats.record import Read, refusal_of
from index.formats.records import read_values

_VOCABULARY = re.compile(r"\bschema\.org\b", re.IGNORECASE)
_IN_HEAD = re.compile(
    r'"@context"\s*:\s*[\[{]?\s*(?:"@vocab"\s*:\s*)?"https?:\\?/\\?/(?:www\.)?schema\.org'
)


def read(
    data: bytes | BinaryIO, *, name: str = "", options: ReadOptions = DEFAULTS
) -> Iterator[Read]:
    """Yield the articles of a document, or of one document a line.

    ::

        (record,) = read(
            b'{"@context": "https://schema.org", "@type": "NewsArticle",'
            b' "@id": "urn:a:1", "headline": "Ferry back"}'
        )
        record.article.headline  # "Ferry back"
    """
    yield from read_values(data, partial(read_document, options=options))


def holds_article(value: object) -> bool:
    """Whether a JSON value is a document of schema.org with an article."""
    if not isinstance(value, Mapping) or "@context" not in value:
        return False
    return is_schema_org(value["@context"]) and bool(Graph([value]).articles())


def is_schema_org(context: object) -> bool:
    """Whether a JSON-LD context is that of schema.org."""
    return _VOCABULARY.search(json.dumps(context)[:10_000]) is not None


def is_head_of_document(head: str) -> bool:
    """Whether the first characters of an input name schema.org as their context."""
    start = head.lstrip()[:300]
    return start.startswith("{") and _IN_HEAD.search(start) is not None


def read_document(
    value: Any,
    text: Callable[[], str],
    line: int,
    position: int | None,
    *,
    options: ReadOptions,
) -> Iterator[Read]:
    """Yield the articles of a document; see :class:`ValueReader`."""
    graph = Graph([value])
    articles = graph.articles()
    if not articles:
        described = ", ".join(graph.types()[:5])
        detail = f"it describes {described}" if described else "it names no type"
        error = UnreadableInput(
            f"schema.org data without an article: {detail}; an article has the type"
            " NewsArticle or a like one",
            line=line,
        )
        yield refusal_of(error, value, line=line, position=position)
        return
    for number, node in enumerate(articles, 1):
        mapped = options.field_map.applied(node)
        sent = partial(json.dumps, node, ensure_ascii=False)
        if len(articles) == 1:
            sent = text  # type: ignore[assignment]
        at = number if len(articles) > 1 else position
        record = record_of(graph, mapped.record)
        read = jsonl.read_record(record, sent, options, line, at)
        if read.article is not None:
            original = Original(format="jsonld", data=sent().encode())
            read = replace(read, original=original)
        yield replace(read, mapped=mapped) if options.mapping else read
