"""The body of NITF as paragraphs, and its media."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from index.formats.bodies import paragraph_json
from index.formats.property_names import names
from index.parsing import (
    XmlElement,
    attribute,
    descendants,
    element_paragraphs,
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
# The fields of ours that marked words of a text belong to.
_MARKED = {"person": "people", "org": "organisations", "location": "places"}
_MEDIA_ATTRIBUTES = frozenset(
    names("source name mime-type media-type alternate-text height width time")
)


def nitf_paragraphs(element: XmlElement) -> list[dict[str, Any]]:
    """Paragraphs of an element, in their JSON form."""
    return paragraph_json(element_paragraphs(element, TAGS, _MARKS))


def marked_concepts(element: XmlElement | None) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the people, organisations and places that a text marks, with their field.

    The code of a name is its ``value``, the scheme ``idsrc`` or ``value-src``.
    """
    for inner in outermost(element, *_MARKED):
        name = line_text(inner)
        if name is None:
            continue
        concept = {"name": name}
        if code := attribute(inner, "value") or attribute(inner, "code"):
            concept["code"] = code
            source = attribute(inner, "idsrc") or attribute(inner, "code-source")
            scheme = attribute(inner, "value-src") or source
            concept |= {"scheme": scheme} if scheme else {}
        yield _MARKED[str(inner.tag).rpartition("}")[2].lower()], concept


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
            "caption": line_text(next(descendants(item, "media-caption"), None)),
            "by": line_text(next(descendants(item, "media-producer"), None)),
        }
        media.append({name: value for name, value in parts.items() if value})
    return [each for each in media if each]
