"""An article as a NewsArticle of schema.org, which the JSON-LD reader reads back.

Vocabulary: https://schema.org/NewsArticle. ``articleBody`` is running text: the roles
of paragraphs are not written. Nor are notes to editors, ``type``, ``slugline``,
``urgency``, ``evolved_from``, ``story`` and ``extra``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from itertools import dropwhile, takewhile
from typing import Any

from index.article import LIFTED, Article, Concept, Paragraph, Role, Status
from index.dates import iso

# What schema.org has no word for: an embargo, as NewsML-G2 defines it.
EMBARGO = {"embargoed_until": "http://iptc.org/std/nar/2006-10-01/embargoed"}
_IRI = re.compile(r"(?!https?:)[A-Za-z][A-Za-z0-9+.-]*:")
_PARAGRAPH = "\n\n"


def write(article: Article) -> bytes:
    """An article as one line of JSON-LD."""
    text = json.dumps(
        node_of(article), ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text.encode() + b"\n"


def node_of(article: Article, *, body: bool = True) -> dict[str, Any]:
    """An article as a JSON-LD document.

    :param body: whether its text is in it.
    """
    end = article.embargoed_until
    text = [each for each in article.paragraphs if each.n]
    summary = list(takewhile(_is_abstract, text))
    rest = list(dropwhile(_is_abstract, text))
    usable = article.status is Status.USABLE
    node: dict[str, Any] = {
        "@context": "https://schema.org"
        if end is None
        else ["https://schema.org", EMBARGO],
        "@type": "NewsArticle",
        "@id": article.id if _IRI.match(article.id) else None,
        "identifier": article.id,
        "version": article.version,
        "creativeWorkStatus": None if usable else article.status.value,
        "headline": article.headline,
        "abstract": _one_or_all(each.text for each in summary),
        "creditText": article.byline,
        "author": [_named("Person", each) for each in article.authors],
        "publisher": article.source
        and {"@type": "Organization", "name": article.source},
        "articleSection": article.section,
        "inLanguage": article.language,
        "url": article.url,
        "mainEntityOfPage": article.url,
        "datePublished": _date(article.published),
        "dateModified": _date(article.updated),
        "embargoed_until": "" if end == LIFTED else _date(end),
        "expires": _date(article.expires),
        "dateline": article.dateline,
        "keywords": [_term(each) for each in article.keywords],
        "about": [_thing(each) for each in article.subjects],
        "genre": [each.name for each in article.genre],
        "contentLocation": [_named("Place", each) for each in article.places],
        "mentions": [
            *(_named("Person", each) for each in article.people),
            *(_named("Organization", each) for each in article.organisations),
        ],
        "correction": article.correction,
        "copyrightNotice": article.copyright,
        "usageInfo": article.usage_terms
        and {"@type": "CreativeWork", "text": article.usage_terms},
        "articleBody": _PARAGRAPH.join(each.text for each in rest) if body else None,
    }
    return {
        name: value
        for name, value in node.items()
        if value not in (None, [], "") or (name == "embargoed_until" and end == LIFTED)
    }


def _is_abstract(paragraph: Paragraph) -> bool:
    return paragraph.role is Role.ABSTRACT


def _one_or_all(texts: Iterable[str]) -> str | list[str] | None:
    listed = list(texts)
    return listed[0] if len(listed) == 1 else listed or None


def _named(type_: str, concept: Concept) -> dict[str, Any]:
    """A person, organisation or place, with its code and its URI."""
    node: dict[str, Any] = {"@type": type_, "name": concept.name}
    if concept.code is not None:
        identifier = {"@type": "PropertyValue", "value": concept.code}
        if concept.scheme is not None:
            identifier["propertyID"] = concept.scheme
        node["identifier"] = identifier
    if concept.uri is not None:
        node["sameAs"] = concept.uri
    return node


def _term(concept: Concept) -> str | dict[str, Any]:
    """A keyword: its name, or a term with its code, vocabulary and URI."""
    parts = {
        "termCode": concept.code,
        "inDefinedTermSet": concept.scheme,
        "url": concept.uri,
    }
    known = {name: text for name, text in parts.items() if text is not None}
    if not known:
        return concept.name
    return {"@type": "DefinedTerm", "name": concept.name, **known}


def _thing(subject: Concept) -> dict[str, Any]:
    """A subject as a thing: schema.org has no plain texts in ``about``."""
    term = _term(subject)
    return {"@type": "Thing", "name": term} if isinstance(term, str) else term


def _date(date: datetime | None) -> str | None:
    return None if date is None else iso(date)
