"""Concepts of a JSON record: keywords, people, places in the shapes that feeds use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from index.errors import UnreadableInput
from index.formats.property_names import kept, names, plain_name
from index.parsing import parse_json, plain_text

# Kinds of concepts, and the fields of ours that they belong to.
KINDS: dict[str, str] = {
    kind: target
    for target, kinds in {
        "people": "person persons people per personality persname celebrity politician",
        "organisations": "organization organizations organisation organisations org"
        " orgs corporation company companies institution newsmediaorganization"
        " sportsteam",
        "places": "place places location locations glocation glocations geo gpe loc"
        " country city region state administrativearea geographic",
        "subjects": "subject subjects topic topics theme category categories",
        "authors": "author authors contributor contributors creator writer",
        "genre": "genre tone typeofmaterial",
    }.items()
    for kind in kinds.split()
}
# The fields whose concepts may be of other kinds.
_MIXED = ("keywords", "subjects")
_KIND_NAMES = ("type", "@type", "taxonomy", "kind", "entitytype", "facet", "label")
_LABELS = names(
    "name title webtitle displayname fullname label term text tag keyword value"
    " preflabel headline #text $t content rendered username slug"
)
_GIVEN = ("firstname", "first", "givenname", "forename")
_FAMILY = ("lastname", "last", "familyname", "surname")
_MODELLED = frozenset(("name", "code", "scheme", "uri"))
# What an object may have besides, without saying more than its name and its field do.
# The same of a term in the vocabulary of schema.org.
_TERM = {"termcode": "code", "indefinedtermset": "scheme", "url": "uri"}
_SILENT = frozenset(("@type", "type", "@context", "kind", "taxonomy"))
_QUOTED = r"'[^'\\]*+(?:\\.[^'\\]*+)*'|\"[^\"\\]*+(?:\\.[^\"\\]*+)*\""
_PYTHON_LIST = re.compile(
    rf"\[\s*+(?:{_QUOTED})(?:\s*+,\s*+(?:{_QUOTED}))*\s*+,?+\s*+\]"
)
_PYTHON_TEXT = re.compile(_QUOTED)
# Values separated by commas; double quotes around a value that contains one.
_PART = re.compile(r'\s*+(?:"([^"]*+)"\s*+(?:,|\Z)|([^,]++)(?:,|\Z)|,)')


@dataclass(slots=True)
class Concepts:
    """The concepts of one property of a record.

    :param own: those of the field that the property is read as.
    :param others: those of other kinds, by their fields.
    :param complete: whether they say everything that the property does.
    """

    own: list[Any] = field(default_factory=list)
    others: dict[str, list[Any]] = field(default_factory=dict)
    complete: bool = True


def read(target: str, value: Any, *, sorted_by_kind: bool = True) -> Concepts | None:
    """Concepts of a list, of one object, or of a text that lists some.

    ::

        read("keywords", [{"name": "glocations", "value": "Northtown"}, "ferry"])
        # Concepts(own=["ferry"], others={"places": ["Northtown"]})

    :param sorted_by_kind: whether a place among keywords goes to the places.
    :return: ``None`` if an item has no name.
    """
    concepts = Concepts()
    items = listed(target, value) if isinstance(value, str) else value
    items = list(_flat(items)) if isinstance(items, list) else [items]
    if items and all(isinstance(item, int | float) for item in items):
        return None  # database keys, not names
    for item in items:
        if item is None or item in ("", {}):
            continue
        concept, kind = _concept(item, concepts)
        if concept is None:
            return None
        place = KINDS.get(kind, target) if target in _MIXED else target
        if place == target or not sorted_by_kind:
            concepts.own.append(concept)
        else:
            concepts.others.setdefault(place, []).append(concept)
    return concepts


def is_plain(value: Any) -> bool:
    """Whether a value is a list of names that can be taken as it is."""
    if not isinstance(value, list):
        return False
    for item in value:
        if not isinstance(item, str) or "&" in item or "<" in item:
            return False
    return True


def listed(target: str, text: str) -> list[Any]:
    """Values that a text lists: as JSON, in Python's notation, or with separators.

    Semicolons separate in every field; commas and bars only keywords, since
    ``Smith, John`` is one person.
    """
    stripped = text.strip()
    if stripped.startswith("[") and stripped.endswith("]"):
        try:
            values = parse_json(stripped)
        except UnreadableInput:
            if _PYTHON_LIST.fullmatch(stripped):
                return [
                    re.sub(r"\\(.)", r"\1", quoted[1:-1])
                    for quoted in _PYTHON_TEXT.findall(stripped)
                ]
        else:
            return list(values)
        if stripped == "[]":
            return []
    line = plain_text(text)
    if ";" in line:
        return _nonblank(line.split(";"))
    if target != "keywords":
        return _nonblank([line])
    if "," in line:
        return _nonblank([quoted or bare for quoted, bare in _PART.findall(line)])
    return _nonblank(line.split("|"))


def names_of(value: Any, *, depth: int = 0) -> list[str]:
    """Names of the people that a byline is made of, if it is made of objects."""
    people = value if isinstance(value, list) else [value]
    people_names: list[str] = []
    for person in people:
        if not isinstance(person, Mapping) or depth > 3:
            return []
        parts = {plain_name(name): part for name, part in person.items()}
        inner = parts.get("person") or parts.get("persons") or parts.get("authors")
        if isinstance(inner, list):
            people_names += names_of(inner, depth=depth + 1)
        elif isinstance(inner, Mapping):
            people_names += names_of([inner], depth=depth + 1)
        elif len(people) > 1 or isinstance(value, list):
            name = _label(parts)
            people_names += [name] if name else []
    return people_names


def _concept(item: Any, concepts: Concepts) -> tuple[Any, str]:
    """A concept and its kind, a key of ``KINDS`` or blank; ``None`` without a name."""
    if isinstance(item, str):
        return plain_text(item), ""
    if isinstance(item, int | float) and not isinstance(item, bool):
        return str(item), ""
    if not isinstance(item, Mapping):
        return None, ""
    if item.keys() <= _MODELLED and not isinstance(item.get("name"), Mapping | list):
        if not any(isinstance(part, str | int) for part in item.values()):
            return None, ""
        name = item.get("name")
        if isinstance(name, str) and ("&" in name or "<" in name):
            return {**item, "name": plain_text(name)}, ""
        return item, ""
    parts = {plain_name(name): part for name, part in item.items()}
    if parts.get("@type") == "DefinedTerm":
        parts = {_TERM.get(name, name): part for name, part in parts.items()}
    kind = _kind(parts)
    name, value = parts.get("name"), parts.get("value")
    if _is_text(name) and _is_text(value) and not re.match(r"https?://", value):
        # The New York Times: {"name": "glocations", "value": "Northtown", "rank": 1}.
        label, kind = plain_text(value), _letters(name) or kind
        silent = {"name", "value"}
    else:
        label = _label(parts)
        silent = set()
    codes = {
        part: parts[part]
        for part in ("code", "scheme", "uri")
        if isinstance(parts.get(part), str | int) and parts[part] != ""
    }
    if not label and not codes:
        return None, ""
    labels = {plain_text(p) for n, p in parts.items() if n in _LABELS and _is_text(p)}
    said = silent | _MODELLED | _SILENT | {n for n in _LABELS if labels <= {label}}
    said |= set(_GIVEN + _FAMILY)
    if any(n not in said and p not in (None, "", [], {}) for n, p in parts.items()):
        concepts.complete = False
    if not codes:
        return label, kind
    return ({"name": label} if label else {}) | codes, kind


def _kind(parts: Mapping[str, Any]) -> str:
    for name in _KIND_NAMES:
        value = parts.get(name)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, str) and (kind := _letters(value)) in KINDS:
            return kind
    return ""


def _label(parts: Mapping[str, Any]) -> str:
    """Name of a concept; blank if it has none."""
    kind = _kind(parts)
    for name in _LABELS:
        value = parts.get(name)
        if isinstance(value, Mapping):
            value = value.get("rendered") or value.get("name")
        if name == "label" and isinstance(value, str) and _letters(value) == kind:
            continue  # spaCy: {"text": "Northtown", "label": "GPE"}
        if _is_text(value):
            return plain_text(value)
        if isinstance(value, int) and not isinstance(value, bool) and name == "name":
            return str(value)
    given, family = (
        next((parts[n].strip() for n in choice if _is_text(parts.get(n))), "")
        for choice in (_GIVEN, _FAMILY)
    )
    middle = parts.get("middlename")
    middle = middle.strip() if isinstance(middle, str) else ""
    return " ".join(filter(None, (given, middle, family)))


def _flat(items: list[Any], depth: int = 0) -> Iterator[Any]:
    """Items of lists in lists: WordPress embeds one list for each taxonomy."""
    for item in items:
        if isinstance(item, list) and depth < 3:
            yield from _flat(item, depth + 1)
        else:
            yield item


def _nonblank(values: list[str]) -> list[Any]:
    return [value.strip() for value in values if value.strip()]


def _is_text(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value.strip())


@kept(1024)
def _letters(kind: str) -> str:
    return re.sub(r"[^a-z]", "", kind[:60].lower())
