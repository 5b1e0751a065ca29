"""Concepts of NewsML-G2: codes resolved to schemes, names in the item's language."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable
from typing import Any

from index.formats.newscodes import FIELD_OF_TYPE, SCHEMES
from index.parsing import (
    XmlElement,
    attribute,
    children,
    first,
    line_text,
)

# Roles of a name that are not what people call the concept.
_UNSPOKEN = frozenset(("mnemonic", "code", "short", "abbreviation"))


def role_of(element: XmlElement, name: str = "role") -> str:
    """Code of a role or the like, without its scheme, in small letters."""
    value = attribute(element, name) or attribute(element, f"{name}uri") or ""
    return value.rpartition("/")[2].rpartition(":")[2].lower()


def code_of(element: XmlElement | None) -> str | None:
    """Code of a property such as ``pubStatus``, without its scheme."""
    for name in ("qcode", "uri", "literal"):
        if value := attribute(element, name):
            return value.rpartition("/")[2].rpartition(":")[2] or None
    return line_text(element)


def preferred(elements: Iterable[XmlElement], language: str | None) -> list[XmlElement]:
    """Elements in the item's language; else those in none or any one language.

    ``en-GB`` stands for ``en`` where nothing fits better.
    """
    by_language: dict[str, list[XmlElement]] = {}
    for element in elements:
        own = (attribute(element, "lang") or "").lower()
        by_language.setdefault(own, []).append(element)
    wanted = (language or "").lower()
    primary = wanted.partition("-")[0]
    choice = [
        *(each for each in by_language if each == wanted),
        *(each for each in by_language if not each),
        *(each for each in by_language if each.partition("-")[0] == primary),
        *by_language,
    ]
    return by_language[choice[0]] if choice else []


class MessageSchemes:
    """Schemes that the header of a message gives for all of its items."""

    def __init__(self) -> None:
        self._header: XmlElement | None = None
        self._schemes: dict[str, str] = {}

    def around(self, item: XmlElement) -> dict[str, str]:
        """Addresses of the schemes in the message around an item, by their aliases."""
        item_set = item.getparent()
        message = None if item_set is None else item_set.getparent()
        header = first(message, "header")
        if header is not None and header is not self._header:
            self._header, self._schemes = header, _schemes(header)
        return self._schemes if header is not None else {}


class Concepts:
    """The concepts of one item, and what its catalogs and assertions say of them.

    :param item: with its catalogs and assertions, or in a message with a catalog.
    :param language: of the item; names in it are preferred.
    :param message: the schemes of the message around it.
    """

    def __init__(
        self, item: XmlElement, language: str | None, message: MessageSchemes
    ) -> None:
        self._language = language
        self._schemes = ChainMap(_schemes(item), message.around(item), SCHEMES)
        self._asserted: dict[str, str] = {}
        for assertion in children(item, "assert"):
            name = self.name(assertion)
            for identifier in ("qcode", "uri", "literal"):
                if name and (value := attribute(assertion, identifier)):
                    self._asserted.setdefault(value, name)

    def name(self, element: XmlElement | None) -> str | None:
        """Name of a concept, in the item's language."""
        if element is None:
            return None
        named = [each for each in children(element, "name") if line_text(each)]
        spoken = [each for each in named if role_of(each) not in _UNSPOKEN]
        best = preferred(spoken or named, self._language)
        return line_text(best[0]) if best else None

    def concept(
        self, element: XmlElement | None, *, party: bool = False
    ) -> dict[str, str] | None:
        """A concept in its JSON form; ``None`` if nothing names it.

        :param party: whether a literal beside a code is a name: it is that of people
            and organisations; of subjects it often is an identifier.
        """
        if element is None:
            return None
        if (main := first(element, "mainconcept")) is not None:
            element = main
        parts: dict[str, str] = {}
        qcode, uri = attribute(element, "qcode"), attribute(element, "uri")
        literal = attribute(element, "literal")
        name = self.name(element)
        for identifier in (qcode, uri, literal):
            name = name or (identifier and self._asserted.get(identifier)) or None
        if name is None and (party or qcode is None):
            name = literal
        if name is not None:
            parts["name"] = name
        if qcode is not None:
            alias, colon, code = qcode.partition(":")
            if colon and code:
                parts |= {"code": code, "scheme": alias}
                if base := self._schemes.get(alias):
                    uri = uri or f"{base}{code}"
            else:
                parts["code"] = qcode
        if uri is not None:
            parts["uri"] = uri
        return parts or None

    def label(self, element: XmlElement | None) -> str | None:
        """Name of a party or service; its code if it has none."""
        concept = self.concept(element, party=True)
        if concept is None:
            return None if element is None else line_text(element)
        return concept.get("name") or concept.get("code") or concept.get("uri")

    def listed(self, elements: Iterable[XmlElement]) -> list[dict[str, str]]:
        """Concepts of these elements."""
        return [found for each in elements if (found := self.concept(each))]

    def by_field(self, subjects: Iterable[XmlElement]) -> dict[str, Any]:
        """Subjects by the fields that their types belong to."""
        fields: dict[str, list[dict[str, str]]] = {}
        for subject in subjects:
            if (concept := self.concept(subject)) is not None:
                fields.setdefault(_field_of(subject), []).append(concept)
        return fields


def _field_of(subject: XmlElement) -> str:
    typed = first(subject, "type")
    type_ = attribute(subject, "type") or attribute(typed, "qcode") or ""
    whole = FIELD_OF_TYPE.get(type_.lower())
    code = type_.rpartition("/")[2].rpartition(":")[2].lower()
    return whole or FIELD_OF_TYPE.get(code, "subjects")


def _schemes(element: XmlElement) -> dict[str, str]:
    """Addresses of the schemes in an element's catalogs, by their aliases."""
    schemes: dict[str, str] = {}
    for catalog in children(element, "catalog"):
        for scheme in children(catalog, "scheme"):
            alias, uri = attribute(scheme, "alias"), attribute(scheme, "uri")
            if alias and uri:
                schemes[alias] = uri
    return schemes
