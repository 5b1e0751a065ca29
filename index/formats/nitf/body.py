"""The body of NITF as paragraphs, and its media."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from index.article import Role
from index.formats.bodies import paragraph_json
from index.formats.property_names import names
from index.parsing import (
    XmlElement,
    attribute,
    descendants,
    element_paragraphs,
    first,
    line_text,
    outermost,
    own_attributes,
)

# The elements of NITF, and the tags of HTML that mean the same. Those that are in
# neither table stand for their words.
TAGS: dict[str, str] = {
    "body.content": "div",
    "block": "div",
    "note": "div",
    "abstract": "div",
    "hl1": "h1",
    "hl2": "h2",
    "bq": "blockquote",
    "fn": "p",
    "media": "figure",
    "media-caption": "figcaption",
    "media-producer": "div",
    "nitf-table": "div",
    "postaddr": "p",
    # Not text: data, descriptions of a table, and what the head says already.
    "media-object": "",
    "media-metadata": "",
    "media-reference": "",
    "nitf-table-metadata": "",
    "nitf-table-summary": "",
    "custom-table": "",
    "datasource": "",
    "frac-sep": "",
    "byline": "",
    "dateline": "",
}
# 1<frac><frac-num>1</frac-num><frac-den>2</frac-den></frac> is 1 1/2.
_MARKS = {"frac": " ", "frac-den": "/"}
_PARTS_OF_PLACE = ("sublocation", "city", "state", "region", "country")
# The fields of ours that marked words of a text belong to.
_MARKED = {"person": "people", "org": "organisations", "location": "places"}
ROLES = "roles"  # class of a block whose parts state their roles
_MEDIA_ATTRIBUTES = frozenset(
    names("source name mime-type media-type alternate-text height width time")
)


def _written_paragraphs(block: XmlElement) -> list[dict[str, Any]] | None:
    """Paragraphs of a block that we wrote, in their JSON form; ``None`` of another."""
    document = []
    for part in block:
        role = (part.get("class") or "").removeprefix("role-")
        holder = next(descendants(part, "media-caption"), part)
        while len(holder) == 1 and not (holder.text or "").strip():
            holder = holder[0]
        if role not in frozenset(Role) or len(holder) or not holder.text:
            return None
        paragraph = {"role": role, "text": holder.text}
        producer = next(descendants(part, "media-producer"), None)
        if producer is not None and producer.text:
            paragraph["credit"] = producer.text
        document.append(paragraph)
    return document


def nitf_paragraphs(element: XmlElement) -> list[dict[str, Any]]:
    """Paragraphs of an element, in their JSON form."""
    if len(element) == 1 and element[0].get("class") == ROLES:
        written = _written_paragraphs(element[0])
        if written is not None:
            return written
    return paragraph_json(element_paragraphs(element, TAGS, _MARKS))


def marked_concepts(element: XmlElement | None) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the people, organisations and places that a text marks, with their field.

    The code of a name is its ``value``, the scheme ``idsrc`` or ``value-src``.
    """
    for inner in outermost(element, *_MARKED):
        name = _most_specific(inner) or line_text(inner)
        if name is None:
            continue
        concept = {"name": name}
        names_of_code = ("value", "code", "location-code")
        codes = (attribute(inner, name) for name in names_of_code)
        if code := next(filter(None, codes), None):
            concept["code"] = code
            source = attribute(inner, "idsrc") or attribute(inner, "code-source")
            scheme = attribute(inner, "value-src") or source
            concept |= {"scheme": scheme} if scheme else {}
        yield _MARKED[str(inner.tag).rpartition("}")[2].lower()], concept


def _most_specific(element: XmlElement) -> str | None:
    """Name of a location by its smallest part; ``None`` if it has no parts."""
    names = (line_text(first(element, part)) for part in _PARTS_OF_PLACE)
    return next(filter(None, names), None)


def media_of(element: XmlElement | None) -> list[dict[str, Any]]:
    """Media of a body: where they are, and their captions and producers."""
    media = []
    for item in outermost(element, "media"):
        type_ = attribute(item, "media-type")
        references = [
            {
                name: value
                for name, value in own_attributes(reference).items()
                if name in _MEDIA_ATTRIBUTES
            }
            for reference in descendants(item, "media-reference")
        ]
        parts: dict[str, Any] = {
            "type": type_,
            "references": [each for each in references if each],
            "caption": _caption(next(descendants(item, "media-caption"), None)),
            "by": line_text(next(descendants(item, "media-producer"), None)),
        }
        media.append({name: value for name, value in parts.items() if value})
    return [each for each in media if each]


def _caption(element: XmlElement | None) -> str | None:
    """Paragraphs of a caption in one line."""
    if element is None:
        return None
    return " ".join(each["text"] for each in nitf_paragraphs(element))
