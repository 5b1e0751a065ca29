"""The graph of schema.org data: its nodes, their references, and the articles in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from index.formats.property_names import names

Node = Mapping[str, Any]

# Types of schema.org that are articles: https://schema.org/Article and below it.
ARTICLES = frozenset(
    names(
        "Article NewsArticle AnalysisNewsArticle AskPublicNewsArticle"
        " BackgroundNewsArticle OpinionNewsArticle ReportageNewsArticle"
        " ReviewNewsArticle AdvertiserContentArticle SatiricalArticle Report"
        " ScholarlyArticle MedicalScholarlyArticle TechArticle SocialMediaPosting"
        " BlogPosting LiveBlogPosting DiscussionForumPosting"
    )
)
_LONGEST_PART = 300  # characters of a property of a node that is referred to
_PREFIX = re.compile(r"(?:schema:|https?://(?:www\.)?schema\.org/)", re.IGNORECASE)
# Properties that lead from a document to its own article, and to those of a list.
_MAIN = frozenset(("@graph", "mainEntity", "mainEntityOfPage"))
_LISTS = frozenset(
    ("itemListElement", "item", "hasPart", "blogPost", "dataFeedElement", "@list")
)


class Graph:
    """The nodes of one or more documents, in their order.

    :param documents: JSON values; a list is as many documents.
    """

    def __init__(self, documents: Iterable[Any]) -> None:
        self.nodes: list[Node] = []
        self.main: list[Node] = []  # nodes of the documents themselves
        self.listed: list[Node] = []  # articles in their lists
        self._by_id: dict[str, Node] = {}
        # Parts not looked at yet, the next one last, and how they were reached.
        parts = [(each, "main") for each in reversed(list(documents))]
        while parts:
            value, reached = parts.pop()
            if isinstance(value, list):
                parts += ((item, reached) for item in reversed(value))
                continue
            if not isinstance(value, Mapping):
                continue
            node = _plain_node(value)
            self.nodes.append(node)
            identity = node.get("@id")
            if isinstance(identity, str):
                # Of nodes with one id, the one that says most is meant.
                known = self._by_id.get(identity, {})
                self._by_id[identity] = max(known, node, key=len)
            if reached == "main":
                self.main.append(node)
            elif reached == "list" and is_article(node):
                self.listed.append(node)
            inside = is_article(node) or reached == ""
            parts += (
                (member, _reached(name, reached, inside=inside))
                for name, member in reversed(node.items())
                if isinstance(member, Mapping | list)
            )

    def articles(self) -> list[Node]:
        """Articles that the documents are; without any, those in their lists."""
        return [node for node in self.main if is_article(node)] or self.listed

    def types(self) -> list[str]:
        """Types of the documents' own nodes, each once."""
        return list(
            dict.fromkeys(name for node in self.main for name in types_of(node))
        )

    def resolved(self, value: Any) -> Any:
        """A value whose references, ``{"@id": …}`` alone, are the nodes they name."""
        if isinstance(value, list):
            return [self.resolved(item) for item in value if not isinstance(item, list)]
        if isinstance(value, Mapping):
            if value.keys() == {"@id"}:
                return _brief(self._by_id.get(str(value["@id"]), value))
            return _plain_node(value)
        return value


def _plain_node(value: Mapping[str, Any]) -> dict[str, Any]:
    """A node with plain names, and plain values for ``{"@value": …}``."""
    return {
        plain(name): [_literal(item) for item in member]
        if isinstance(member, list)
        else _literal(member)
        for name, member in value.items()
    }


def _literal(value: Any) -> Any:
    return (
        value["@value"] if isinstance(value, Mapping) and "@value" in value else value
    )


def _brief(node: Node) -> Node:
    """A node that is referred to, without its parts: many may refer to one."""
    return {
        name: value
        for name, value in node.items()
        if (isinstance(value, str) and len(value) <= _LONGEST_PART)
        or isinstance(value, int | float)
        or name == "@type"
    }


def plain(name: str) -> str:
    """A name without the prefix of schema.org: ``schema:headline`` as ``headline``."""
    return _PREFIX.sub("", name, count=1)


def types_of(node: Node) -> Iterator[str]:
    """Yield the types of a node, without the prefix of schema.org."""
    types = node.get("@type")
    for each in types if isinstance(types, list) else [types]:
        if isinstance(each, str):
            yield plain(each)


def is_article(node: Node) -> bool:
    """Whether a node is an article."""
    return any(each in ARTICLES for each in types_of(node))


def _reached(name: str, before: str, *, inside: bool) -> str:
    """How the members of a node are reached: as the document, in its list, or not."""
    if inside:
        return ""
    if name in _MAIN:
        return before
    return "list" if name in _LISTS else ""
