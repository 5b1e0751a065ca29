"""Field names: those that records come with, and ours that they are read as."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from index.article import (
    ARTICLE_FIELDS,
    CONCEPT_FIELDS,
    DATE_FIELDS,
    Role,
)
from index.errors import UnknownField
from index.formats.date_fields import SentDates
from index.parsing import Block, html_paragraphs, is_markup, paragraphs

# The fields of an article, its running text, and a summary paragraph.
TARGETS = (*ARTICLE_FIELDS, "text", "abstract")

# Other names of our fields; the first that is present counts. Case, hyphens and
# underscores make no difference.
ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("guid", "uri", "identifier"),
    "version": ("revision",),
    "status": ("pubstatus",),
    "headline": ("title", "head", "hed"),
    "slugline": ("slug",),
    "byline": ("by",),
    "authors": ("author", "creator", "creators", "writer"),
    "section": ("sectionname", "articlesection", "category", "department", "desk"),
    "source": ("publisher", "provider", "publication", "agency", "outlet"),
    "language": ("lang", "inlanguage", "locale"),
    "url": ("link", "permalink", "canonicalurl", "weburl", "href"),
    "keywords": ("tags", "tag", "keyword"),
    "subjects": ("subject",),
    "people": ("persons", "person"),
    "organisations": ("organizations", "organisation", "organization"),
    "places": ("place", "locations", "location"),
    "genre": ("genres",),
    "published": (
        "publishedat",
        "datepublished",
        "publisheddate",
        "publicationdate",
        "publishdate",
        "pubdate",
        "webpublicationdate",
        "date",
        "datetime",
    ),
    "updated": (
        "updatedat",
        "datemodified",
        "modified",
        "modifiedat",
        "lastmodified",
        "lastmod",
    ),
    "embargoed_until": ("embargoed", "embargo"),
    "expires": ("expiresat", "expiry"),
    "story": ("storyid",),
    "correction": ("corrections",),
    "ed_note": ("editorsnote", "editornote"),
    "usage_terms": ("rights", "license", "licence"),
    "copyright": ("copyrightnotice",),
    "text": (
        "body",
        "bodyhtml",
        "contenthtml",
        "html",
        "content",
        "articlebody",
        "fulltext",
        "bodytext",
        "contenttext",
    ),
    "abstract": ("standfirst", "deck", "dek", "summary", "description", "excerpt"),
}

_TARGET = {
    name.replace("_", ""): (target, rank)
    for target in TARGETS
    if target != "extra"
    for rank, name in enumerate((target, *ALIASES.get(target, ())), 2)
}
_FIELDS = frozenset(ARTICLE_FIELDS)
_BLANK: tuple[Any, ...] = (None, "", [], {})


def check_mapping(mapping: Mapping[str, str]) -> None:
    """Check that a mapping reads every name as a field.

    :raises UnknownField: there is no such field.
    """
    for target in mapping.values():
        if target not in TARGETS:
            raise UnknownField(target, allowed=TARGETS, parameter="map")


def renamed(record: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """A record under our own field names, as ``article_of`` reads it.

    ::

        renamed({"title": "Ferry back", "desk": "Local", "mood": 3}, {})
        # {"headline": "Ferry back", "section": "Local", "extra": {"mood": 3}}

    A name of the mapping comes before our own name, and that before an alias. Values
    that lose, and names of no field, go to ``extra`` under the name they came with.
    Dates are passed on as they came, with their names. Of blank values only an embargo
    that is ``null`` or a blank text is passed on, as ``null``: it lifts the embargo.
    Values of list fields that the mapping names are joined with those under
    our own name. ``text`` becomes paragraphs, unless the record has some, and
    ``abstract`` a paragraph before them.
    """
    candidates: dict[str, list[tuple[int, str, Any]]] = {}
    extra: dict[str, Any] = {}
    lifted = False
    for name, value in record.items():
        target: str | None
        if name in mapping:
            target, rank = mapping[name], 0
        elif name in _FIELDS:
            target, rank = name, 1
        else:
            target, rank = _target_of(name)
        if value in _BLANK or (target in DATE_FIELDS and str(value).isspace()):
            lifted = lifted or (target == "embargoed_until" and value not in ([], {}))
            continue
        if target is None or (target == "extra" and not isinstance(value, Mapping)):
            extra[name] = value
        else:
            candidates.setdefault(target, []).append((rank, name, value))
    if "paragraphs" in candidates:
        extra.update((name, value) for _, name, value in candidates.pop("text", ()))
    document: dict[str, Any] = {}
    # Authors last: they become the byline only if there is no other.
    for target in sorted(candidates, key=lambda target: target == "authors"):
        ranked = candidates[target]
        if len(ranked) > 1:
            ranked.sort(key=lambda candidate: candidate[0])
        if target in DATE_FIELDS:
            document[target] = _sent(target, ranked)
            continue
        _choose(document, target, ranked, extra)
    if "id" not in document and isinstance(document.get("url"), str):
        document["id"] = document["url"].strip()
    _make_paragraphs(document)
    if lifted and "embargoed_until" not in document:
        document["embargoed_until"] = None
    if extra:
        document["extra"] = {**document.get("extra", {}), **extra}
    return document


def _sent(target: str, ranked: list[tuple[int, str, Any]]) -> Any:
    """The values of a date field, to be read with their names."""
    values = tuple((name, value) for _, name, value in ranked)
    # A value alone under our own name stays the very object that was sent.
    return (
        values[0][1]
        if values[0][0] == target and len(values) == 1
        else SentDates(values)
    )


def _choose(
    document: dict[str, Any],
    target: str,
    ranked: list[tuple[int, str, Any]],
    extra: dict[str, Any],
) -> None:
    """Set a field of a document from the candidates (rank, name, value) for it."""
    for rank, name, value in ranked:
        shaped = _shaped(target, rank, value)
        if shaped is None:
            extra[name] = value
        elif target == "authors" and rank > 1 and isinstance(shaped, str):
            _take_author(document, shaped)
        elif target not in document:
            document[target] = shaped
        elif target == "abstract" or (target in CONCEPT_FIELDS and rank < 2):
            document[target] = [*_listed(document[target]), *_listed(shaped)]
        elif target == "extra":
            document[target] = {**document[target], **shaped}
        else:
            extra[name] = value


def _shaped(target: str, rank: int, value: Any) -> Any:
    """A value in the shape of its field; ``None`` if it does not fit.

    Under our own names nothing is reshaped: ``article_of`` checks it.
    """
    if rank == 1 and target != "extra":
        return value
    if target in CONCEPT_FIELDS:
        return _concepts(target, value)
    if target == "extra":
        return value if isinstance(value, Mapping) else None
    if target in ("text", "abstract"):
        return value if _is_texts(value) else _inner(value)
    if target == "paragraphs":
        return value
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str | int) and not isinstance(value, bool):
        return value.strip() if isinstance(value, str) else value
    inner = _inner(value)
    if inner is None and rank == 0:
        return value  # the mapping asks for it, so let article_of refuse it
    return _one_line(inner) if inner is not None else None


def _concepts(target: str, value: Any) -> Any:
    """List of concepts, or the text of ``authors``; ``None`` if they have no names."""
    if isinstance(value, str):
        if target == "keywords":
            return [part.strip() for part in value.split(",") if part.strip()]
        return value.strip() if target == "authors" else [value]
    items = value if isinstance(value, list) else [value]
    if all(isinstance(item, int | float) for item in items):
        return None  # database keys, not names
    named: list[Any] = []
    for item in items:
        if isinstance(item, int | float) and not isinstance(item, bool):
            named.append(str(item))
        elif isinstance(item, str) or _is_named(item):
            named.append(item)
        elif item is not None:
            return None
    return named


def _is_named(item: Any) -> bool:
    return isinstance(item, Mapping) and any(
        isinstance(item.get(part), str | int) for part in ("name", "code", "uri")
    )


def _take_author(document: dict[str, Any], author: str) -> None:
    """Take an author given as text as the byline, and as a name if it is like one."""
    document.setdefault("byline", author)
    name = re.sub(r"\A[Bb][Yy]\s+", "", author)
    if len(name) <= 60 and not re.search(r"[,;&/|@\d]|\band\b", name):
        document.setdefault("authors", [name])


def _make_paragraphs(document: dict[str, Any]) -> None:
    """Turn ``text`` and ``abstract`` into paragraphs."""
    text, abstract = document.pop("text", None), document.pop("abstract", None)
    if isinstance(document.get("paragraphs"), str):
        document["paragraphs"] = running(document["paragraphs"])
    if text is not None:
        document["paragraphs"] = [
            paragraph for part in _listed(text) for paragraph in running(part)
        ]
    if abstract is None:
        return
    rest = document.get("paragraphs", [])
    if not isinstance(rest, list):
        return
    texts = {each["text"] for part in _listed(abstract) for each in running(part)}
    repeated = {each.get("text") for each in rest if isinstance(each, Mapping)} & texts
    summary = [
        {"role": Role.ABSTRACT.value, "text": paragraph["text"]}
        for part in dict.fromkeys(_listed(abstract))
        for paragraph in running(part)
        if paragraph["text"] not in repeated
    ]
    first = rest[0] if rest else None
    headed = isinstance(first, Mapping) and first.get("role") == Role.HEADLINE.value
    document["paragraphs"] = [*rest[:headed], *summary, *rest[headed:]]


def running(text: str) -> list[dict[str, Any]]:
    """Paragraphs of a running text, HTML or plain, in their JSON form."""
    if is_markup(text):
        return paragraph_json(html_paragraphs(text))
    return [{"role": "body", "text": words} for words in paragraphs(text)]


def paragraph_json(blocks: list[Block]) -> list[dict[str, Any]]:
    """Paragraphs in the JSON form that ``article_of`` reads."""
    return [
        {"role": block.role.value, "text": block.text}
        | ({"credit": block.credit} if block.credit else {})
        for block in blocks
    ]


def _one_line(text: str) -> str:
    if is_markup(text) or "&" in text:
        return " ".join(block.text for block in html_paragraphs(text))
    return text.strip()


def _inner(value: Any) -> str | None:
    """Text of ``{"rendered": …}`` (WordPress) or ``{"name": …}``."""
    if isinstance(value, Mapping):
        for name in ("rendered", "name"):
            if isinstance(value.get(name), str) and value[name].strip():
                return str(value[name])
    return None


def _is_texts(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, str) for item in value)
    return isinstance(value, str)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def target_of(name: str) -> str | None:
    """Field that an alias is read as, if any."""
    return _target_of(name)[0]


@lru_cache(maxsize=4096)
def _target_of(name: str) -> tuple[str | None, int]:
    """Field that an alias is read as, and the alias's rank, from 2."""
    plain = name.replace("_", "").replace("-", "").lower()
    return _TARGET.get(plain, (None, 0))
