"""An article of schema.org as a record under our own field names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from index.formats import concepts
from index.formats.bodies import running
from index.formats.jsonld.graph import Graph, Node, types_of
from index.formats.objects import text_in
from index.parsing import plain_text

# Our field, and the properties it is read from: the first that says something counts,
# and the others are kept in ``extra``.
FIELDS: dict[str, tuple[str, ...]] = {
    "headline": ("headline", "name", "alternativeHeadline"),
    "text": ("articleBody", "text", "reviewBody"),
    "byline": ("creditText",),
    "section": ("articleSection",),
    "source": ("publisher", "sourceOrganization", "provider"),
    "language": ("inLanguage",),
    "published": ("datePublished", "dateCreated"),
    "updated": ("dateModified",),
    "expires": ("expires",),
    "dateline": ("dateline", "locationCreated"),
    "version": ("version",),
    "genre": ("genre",),
    "keywords": ("keywords",),
    "correction": ("correction",),
    "copyright": ("copyrightNotice", "copyrightHolder"),
    "usage_terms": ("usageInfo", "license"),
}
# Our field, and the properties whose values it all gets.
JOINED: dict[str, tuple[str, ...]] = {
    "authors": ("author", "creator"),
    "places": ("contentLocation", "spatialCoverage"),
    "subjects": ("about",),
    "abstract": ("abstract", "description"),
}
_SILENT = frozenset(("@context", "@id", "@type", "url", "mainEntityOfPage"))
_USUAL = frozenset(("Article", "NewsArticle"))  # types that say nothing more
_ADDRESS = re.compile(r"https?://[^\s/]+", re.IGNORECASE)
# Fields that get the texts of objects.
_NAMED = frozenset(("correction", "copyright", "usage_terms", "dateline", "source"))
_MENTIONED = ("people", "organisations", "places")


def record_of(graph: Graph, node: Node) -> dict[str, Any]:
    """A node under our own field names; what is none of ours keeps its name.

    :param graph: that its references lead into.
    """
    rest = {name: value for name, value in node.items() if name not in _SILENT}
    record: dict[str, Any] = {}
    for target, properties in FIELDS.items():
        for name in properties:
            value = graph.resolved(rest.get(name))
            shaped = _shaped(target, value)
            if shaped not in (None, "", [], {}):
                record[target] = shaped
                del rest[name]
                if target == "source" and not isinstance(value, str):
                    rest[name] = value  # it may say more than its name
                break
    for target, properties in JOINED.items():
        values = [
            item
            for name in properties
            for item in _listed(graph.resolved(rest.pop(name, None)))
        ]
        if values:
            is_text = len(values) == 1 and isinstance(values[0], str)
            record[target] = values[0] if is_text else values
    if updates := _live_updates(graph, rest.pop("liveBlogUpdate", None)):
        text = record.pop("text", None)
        record["paragraphs"] = [
            *running(text if isinstance(text, str) else ""),
            *updates,
        ]
    _take_mentions(graph, record, rest)
    if rest.get("name") == record.get("headline"):
        rest.pop("name", None)
    if not _USUAL.issuperset(types := list(types_of(node))):
        rest["@type"] = types[0] if len(types) == 1 else types
    addresses = [
        address
        for name in ("url", "mainEntityOfPage", "@id")
        if (address := address_of(node.get(name)))
    ]
    if addresses:
        record["url"] = addresses[0]
    if identity := _identity(node):
        record["id"] = identity
        rest.pop("identifier", None)
    return {**rest, **record}


def address_of(value: Any) -> str | None:
    """The address that a value is, or that its object has; without its fragment."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, Mapping):
        value = value.get("@id") or value.get("url")
    if not isinstance(value, str) or not _ADDRESS.match(value.strip()):
        return None
    return value.strip().partition("#")[0]


def _identity(node: Node) -> str | None:
    """Id of a node: an absolute ``@id``, or its identifier."""
    identity = node.get("@id")
    if isinstance(identity, str) and not identity.startswith(("_:", "#", "/", ".")):
        return identity.strip() or None
    value = node.get("identifier")
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, Mapping):
        value = value.get("value")
    is_text = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value).strip() or None if is_text else None


def _shaped(target: str, value: Any) -> Any:
    """A value as its field takes it."""
    if target == "source" and isinstance(value, list):
        value = value[0] if value else None
    if target == "version" and isinstance(value, float):
        return str(value)
    if target in _NAMED:
        texts = [_text(item) for item in _listed(value)]
        return "\n".join(filter(None, texts))
    if target == "text" and isinstance(value, Mapping):
        return _text(value)
    return value


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        named = text_in("text", value) or text_in("url", value)
        return named.text if named is not None else ""
    return plain_text(value, separator="\n") if isinstance(value, str) else ""


def _live_updates(graph: Graph, value: Any) -> list[dict[str, Any]]:
    """Paragraphs of the updates of a live blog, in their order."""
    updates: list[dict[str, Any]] = []
    for update in _listed(graph.resolved(value)):
        if not isinstance(update, Mapping):
            continue
        title = _text(update.get("headline") or update.get("name"))
        if title:
            updates.append({"role": "subhead", "text": title})
        body = update.get("articleBody") or update.get("text")
        updates += running(body) if isinstance(body, str) else []
    return updates


def _take_mentions(graph: Graph, record: dict[str, Any], rest: dict[str, Any]) -> None:
    """Take people, organisations and places that are mentioned; the rest is kept."""
    mentions = _listed(graph.resolved(rest.get("mentions")))
    objects = [each for each in mentions if isinstance(each, Mapping)]
    mentioned = concepts.read("subjects", objects) if objects else None
    if mentioned is None:
        return
    for target in _MENTIONED:
        if found := mentioned.others.get(target):
            record[target] = [*_listed(record.get(target)), *found]
    if not mentioned.own and len(objects) == len(mentions):
        del rest["mentions"]


def _listed(value: Any) -> list[Any]:
    if value in (None, "", [], {}):
        return []
    return value if isinstance(value, list) else [value]
