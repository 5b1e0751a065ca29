"""The graph of schema.org data: its nodes, their references, and the articles in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
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
# Of a node that is referred to, no more is taken: many may refer to one.
_LONGEST_PART = 300  # characters of a property
_MOST_PARTS = 24  # properties
_LARGEST_BRIEF = 2_000  # characters of names and values
_MOST_TYPES = 5
# Properties that are taken before others: they name the node.
_NAMING = names(
    "@id @type name headline givenName familyName alternateName legalName url sameAs"
    " identifier value termCode inCodeSet addressLocality addressRegion addressCountry"
)
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
        self._briefs: dict[str, Node] = {}  # made when first referred to, then shared
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
        """A value whose references, ``{"@id": …}`` alone, are the nodes they name.

        A list has each node once that it refers to.
        """
        if isinstance(value, list):
            return [
                self.resolved(item)
                for item in _without_repeated(value)
                if not isinstance(item, list)
            ]
        if isinstance(value, Mapping):
            identity = _reference(value)
            return _plain_node(value) if identity is None else self._brief(identity)
        return value

    def _brief(self, identity: str) -> Node:
        """What is taken of a node that is referred to, the same for all references."""
        brief = self._briefs.get(identity)
        if brief is None:
            brief = _brief(self._by_id.get(identity, {"@id": identity}))
            self._briefs[identity] = brief
        return brief


def _reference(value: Any) -> str | None:
    """Id of the node that a value refers to; ``None`` if it is no reference."""
    if isinstance(value, Mapping) and value.keys() == {"@id"}:
        return str(value["@id"])
    return None


def _without_repeated(values: list[Any]) -> Iterator[Any]:
    """Yield the values of a list, and each reference of it once."""
    seen: set[str] = set()
    for value in values:
        identity = _reference(value)
        if identity is None or identity not in seen:
            yield value
        if identity is not None:
            seen.add(identity)


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
    """The short properties of a node, those that name it first."""
    naming = {name: node[name] for name in _NAMING if name in node}
    brief: dict[str, Any] = {}
    left = _LARGEST_BRIEF
    for name, value in chain(naming.items(), node.items()):
        if len(brief) == _MOST_PARTS:
            break
        if name == "@type" and isinstance(value, list):
            value = list(islice(types_of(node), _MOST_TYPES))
        elif name in brief or not isinstance(value, str | int | float):
            continue
        length = len("".join(value) if isinstance(value, list) else str(value))
        if length <= _LONGEST_PART and len(name) + length <= left:
            brief[name] = value
            left -= len(name) + length
    return brief


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
