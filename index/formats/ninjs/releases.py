"""An article as an item that is valid by the JSON schema of one release of ninjs.

The schemas allow no other properties: the writer of ``ninjs`` writes all that an
article holds, this one only what a release has a property for. Authors are people and
keywords are subjects, by their ``rel``. Notes to editors are not written.
Schemas: https://github.com/iptc/newsinjson/tree/main/specification
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from index.article import Article, Concept
from index.formats.ninjs.writing import item_of

# Properties of ours, and what the schemas call them.
_RENAMED = {"embargoedUntil": "embargoed"}
_CONCEPTS = ("people", "organisations", "places", "subjects", "genres")
AUTHOR, KEYWORD = "author", "keyword"
_TYPES = frozenset(("text", "audio", "video", "picture", "graphic", "composite"))


@dataclass(frozen=True, slots=True)
class Release:
    """A release of ninjs.

    :param types: values of ``type``.
    :param spelled: a property's name as the release spells it.
    """

    version: str
    types: frozenset[str]
    spelled: Callable[[str], str]

    @property
    def schema(self) -> str:
        """Address of its JSON schema."""
        return f"http://www.iptc.org/std/ninjs/ninjs-schema_{self.version}.json"


RELEASE_2 = Release("2.1", _TYPES | {"component"}, str.lower)
# An event needs its details, which we have in extra only.
RELEASE_3 = Release("3.0", _TYPES | {"component", "planning"}, str)
# By their major versions.
RELEASES = {2: RELEASE_2, 3: RELEASE_3}


def write_release(release: Release, article: Article) -> bytes:
    """An article as one line of JSON, valid by the release's schema."""
    text = json.dumps(
        valid_item(release, article),
        ensure_ascii=False,
        allow_nan=False,
        separators=(",", ":"),
    )
    return text.encode() + b"\n"


def valid_item(release: Release, article: Article) -> dict[str, Any]:
    """An article as an item with the properties of a release."""
    kind = article.type if article.type in release.types else None
    plain = replace(
        article,
        type=kind,
        authors=(),
        keywords=(),
        # The schemas have no property for these.
        section=None,
        url=None,
        evolved_from=None,
        story=None,
        correction=None,
        ed_note=None,
        extra={},
    )
    item = {_RENAMED.get(name, name): value for name, value in item_of(plain).items()}
    for name in _CONCEPTS:
        if name in item:
            item[name] = [_concept(each) for each in item[name]]
    for name, concepts, rel in (
        ("people", article.authors, AUTHOR),
        ("subjects", article.keywords, KEYWORD),
    ):
        if concepts:
            related = [_related(concept, rel) for concept in concepts]
            item[name] = [*item.get(name, []), *related]
    item["standard"] = {
        "name": "ninjs",
        "version": release.version,
        "schema": release.schema,
    }
    spelled: dict[str, Any] = _spelled(release, item)
    return spelled


def _concept(value: Any) -> dict[str, str]:
    """A concept as an object, without the scheme, which no release has."""
    parts = {"name": value} if isinstance(value, str) else dict(value)
    parts.pop("scheme", None)
    return parts


def _related(concept: Concept, rel: str) -> dict[str, str]:
    parts = {
        "name": concept.name,
        "rel": rel,
        "uri": concept.uri,
        "literal": concept.code,
    }
    return {name: text for name, text in parts.items() if text is not None}


def _spelled(release: Release, value: Any) -> Any:
    if isinstance(value, dict):
        return {
            release.spelled(name): _spelled(release, inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_spelled(release, inner) for inner in value]
    return value
