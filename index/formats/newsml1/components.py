"""The components of a NewsML 1 item: which text is the body, which are captions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from index.article import Status
from index.formats.bodies import paragraph_json, running
from index.formats.nitf import nitf_articles
from index.formats.property_names import names
from index.parsing import (
    XmlElement,
    attribute,
    children,
    descendants,
    element_paragraphs,
    first,
    line_text,
    outermost,
)

# Roles of components, in small letters, and what their text is.
HEADLINE, SUMMARY, BODY, CAPTION, UNREAD = "headline", "abstract", "body", "caption", ""
_TEXT_OF_ROLE: dict[str, str] = {
    role: text
    for text, roles in {
        HEADLINE: "title headline",
        SUMMARY: "abstract summary subheadline subtitle tweettext",
        CAPTION: "caption legend",
        UNREAD: "stylesheet script",
    }.items()
    for role in names(roles)
}
_MEDIA_ROLES = frozenset(
    names("picture photo image graphic video audio sound logo thumbnail preview")
)
# The order of a body's components, where they are not sent in it.
_RANKS = {"lead": 0, "contact": 2}
_RANK = 1
# Marks the place of another component in a plain text.
_REFERENCE = re.compile(r"<NewsComponentRef\b[^<>]{0,200}>", re.IGNORECASE)
_TYPES = {"photo": "picture", "image": "picture", "graphics": "graphic"}


@dataclass(slots=True)
class Components:
    """What the components of an item hold.

    :param texts: paragraphs in their JSON form, by what they are.
    :param nitf: articles of the NITF documents among them, in our JSON form.
    :param media: where media are, with their formats.
    """

    texts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    nitf: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    media: list[dict[str, str]] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Paragraphs of a kind, in order."""
        return self.texts.get(kind, [])


@dataclass(frozen=True, slots=True)
class _Part:
    """A content item: the roles around it, outermost first, and its text if any."""

    roles: tuple[str, ...]
    content: XmlElement


def languages_of(item: XmlElement) -> list[XmlElement]:
    """Components that are the same story in several languages; none if there is one."""
    top = first(item, "newscomponent")
    parts = list(children(top, "newscomponent"))
    by_language = any(
        (line_text(basis) or "").lower().endswith("language")
        for basis in children(top, "basisforchoice")
    )
    if not by_language or len(parts) < 2:
        return []
    return parts


def read_components(top: XmlElement | None) -> Components:
    """Texts and media of a component and those inside it.

    :raises InvalidArticle: a NITF document among them has an unknown status.
    """
    components = Components()
    if top is None:
        return components
    parts = list(_parts(top))
    # Titles and texts of a picture are captions, unless the item is nothing else.
    has_text = any(_is_body(part) and not _of_media(part) for part in parts)
    ranked: list[tuple[int, list[dict[str, Any]]]] = []
    for part in parts:
        kind = _TEXT_OF_ROLE.get(part.roles[-1] if part.roles else "", BODY)
        if reference := _reference(part.content):
            components.media.append(reference)
        if kind == UNREAD:
            continue
        paragraphs = _paragraphs(part.content, components, whole=kind == BODY)
        if has_text and _of_media(part):
            if kind not in (CAPTION, BODY):
                continue
            kind = CAPTION
        if kind == BODY:
            rank = min((_RANKS.get(role, _RANK) for role in part.roles), default=_RANK)
            rank = _RANKS["contact"] if "contact" in part.roles else rank
            ranked.append((rank, paragraphs))
        else:
            components.texts.setdefault(kind, []).extend(paragraphs)
    ranked.sort(key=lambda each: each[0])
    components.texts[BODY] = [text for _, texts in ranked for text in texts]
    return components


def url_of(story: XmlElement | None) -> str | None:
    """Address of the first text that says where it is published."""
    for content in descendants(story, "contentitem"):
        href = attribute(content, "href") or ""
        if _has_text(content) and href.startswith(("http://", "https://")):
            return href
    return None


def type_of(media: list[dict[str, str]]) -> str:
    """Type of an item without a text: that of its first medium."""
    for each in media:
        if kind := each.get("type", "").lower():
            return _TYPES.get(kind, kind)
    return "text"


def _parts(top: XmlElement) -> Iterator[_Part]:
    """Yield the content items inside a component, the best of each component."""
    waiting: list[tuple[XmlElement, tuple[str, ...]]] = [(top, ())]
    while waiting:
        component, roles = waiting.pop()
        if role := (attribute(first(component, "role"), "formalname") or "").lower():
            roles = (*roles, role)
        contents = list(children(component, "contentitem"))
        equal = attribute(component, "equivalentslist") == "yes" or any(
            "contentitem" in (line_text(basis) or "").lower()
            for basis in children(component, "basisforchoice")
        )
        texts = [each for each in contents if _has_text(each)]
        if equal and len(texts) > 1:
            best = min(texts, key=_preference)
            contents = [
                each for each in contents if each is best or not _has_text(each)
            ]
        for content in contents:
            yield _Part(roles, content)
        inner = [(each, roles) for each in children(component, "newscomponent")]
        waiting += reversed(inner)


def _has_text(content: XmlElement) -> bool:
    data = first(content, "datacontent")
    return data is not None and (len(data) > 0 or bool((data.text or "").strip()))


def _is_body(part: _Part) -> bool:
    kind = _TEXT_OF_ROLE.get(part.roles[-1] if part.roles else "", BODY)
    return kind == BODY and _has_text(part.content)


def _of_media(part: _Part) -> bool:
    return not _MEDIA_ROLES.isdisjoint(part.roles)


def _preference(content: XmlElement) -> int:
    """Sort key of equal texts: with markup first."""
    data = first(content, "datacontent")
    return 0 if data is not None and len(data) > 0 else 1


def _reference(content: XmlElement) -> dict[str, str]:
    """A medium that is elsewhere."""
    href = attribute(content, "href")
    if href is None or _has_text(content):
        return {}
    parts = {
        "href": href,
        "type": attribute(first(content, "mediatype"), "formalname"),
        "format": attribute(first(content, "format"), "formalname"),
        "mimetype": attribute(first(content, "mimetype"), "formalname"),
    }
    return {name: value for name, value in parts.items() if value}


def _paragraphs(
    content: XmlElement, components: Components, *, whole: bool
) -> list[dict[str, Any]]:
    """Paragraphs of a content item.

    :param whole: whether a NITF document in it is the item's, and not that of a
        picture: such a one adds nothing but its text, if nothing holds that back.
    """
    data = first(content, "datacontent")
    if data is None or first(content, "encoding") is not None:
        return []
    nitf = next(outermost(data, "nitf"), None)
    if nitf is not None:
        article, *_ = nitf_articles(nitf)
        if whole:
            components.nitf.append(article.document)
            components.warnings += article.warnings
        elif article.document["status"] != Status.USABLE.value or any(
            article.document.get(name) for name in ("embargoed_until", "expires")
        ):
            return []
        return list(article.document["paragraphs"])
    if len(data) > 0:
        return paragraph_json(element_paragraphs(data, {}))
    kind = attribute(first(content, "mimetype"), "formalname") or ""
    text = _REFERENCE.sub("", data.text or "")
    return running(text, html="html" in kind)
