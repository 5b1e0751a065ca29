"""A ninjs item as an article in our JSON form, with the rest of it in ``extra``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from index.article import CONCEPT_FIELDS, Role
from index.dates import DateRules, read_date
from index.errors import InvalidArticle
from index.formats import field_names, roles
from index.formats.aliases import EMBARGO_NAMES
from index.formats.date_fields import SentDates
from index.formats.ninjs.concepts import (
    concept_of,
    is_author,
    is_editor,
    is_keyword,
    is_modelled,
)
from index.formats.ninjs.properties import CONCEPTS, DATES, MEDIA, NAMES, TEXTS
from index.formats.ninjs.variants import PLAIN_ROLES, Variant, text_of, variants_of
from index.formats.property_names import plain_name
from index.parsing import Block

_CREDIT_ROLES = frozenset({"creditline", "credit"})
_UNPRINTED_ROLES = frozenset({"writer", "captionwriter", "keywords"}) | _CREDIT_ROLES
_EMBARGOES = frozenset(TEXTS["embargoed_until"])
_EXCLUDED = _EMBARGOES | {"expires"}


def field_of(
    properties: Mapping[str, Any], target: str
) -> tuple[Any, Mapping[str, Any]]:
    """One of our fields as read from an item, in our JSON form.

    The second value is what remains of the item, for other fields and for ``extra``.
    """
    item = Item(properties)
    return item.field(target), item.rest


def _names_of(properties: Mapping[str, Any]) -> dict[str, str]:
    """Names of properties by how they are looked up; an embargo's in any spelling."""
    names = {
        plain: name
        for name in properties
        if (plain := plain_name(name)) in EMBARGO_NAMES
    }
    return names | {name.lower(): name for name in properties}


class Item:
    """A ninjs item being read: properties are taken out of it, the rest is ``extra``.

    :param properties: of the item, as parsed.
    :param rules: how its dates are read.
    """

    def __init__(
        self,
        properties: Mapping[str, Any],
        rules: DateRules = DateRules(),  # noqa: B008 - frozen
    ) -> None:
        self.warnings: list[str] = []
        self._rules = rules
        self._blank = {
            name
            for name, value in properties.items()
            if value is None or (isinstance(value, str) and not value.strip())
        }
        self._rest: dict[str, Any] = {
            name: value
            for name, value in properties.items()
            if value is not None and not _is_blank(value)
        }
        self._names = _names_of(self._rest)
        self.type = str(self._peek("type") or "").lower()

    def document(self, mapping: Mapping[str, str]) -> dict[str, Any]:
        """The item's article, in our JSON form.

        :param mapping: further properties, and the fields to read them as.
        :raises InvalidArticle: it has an unreadable status or embargo.
        """
        mapped = {name: self._rest.pop(name) for name in mapping if name in self._rest}
        self._names = _names_of(self._rest)
        document: dict[str, Any] = {}
        for target, names in TEXTS.items():
            value = self._text(target, names)
            if value is not None:
                document[target] = value
        document |= self._dates()
        if any(
            name.lower() in _EMBARGOES or mapping.get(name) == "embargoed_until"
            for name in self._blank
        ):
            document.setdefault("embargoed_until", None)  # it lifts the embargo
        for target, names in CONCEPTS.items():
            if concepts := self._concepts(names):
                document[target] = concepts
        self._move_related(document)
        for target, names in NAMES.items():
            if value := self._name(names):
                document[target] = value
        self._add_further_sections(document)
        document["headline"] = self._headline()
        document["paragraphs"] = self._paragraphs(document)
        self._move_notes(document)
        extra = self._rest
        if mapped:
            fields = field_names.renamed(mapped, mapping)
            extra |= fields.pop("extra", {})
            for target in CONCEPT_FIELDS & fields.keys() & document.keys():
                fields[target] = [*fields[target], *document[target]]
            fields["paragraphs"] = [
                *fields.get("paragraphs", []),
                *document["paragraphs"],
            ]
            document |= fields
        document["extra"] = extra
        return document

    @property
    def rest(self) -> Mapping[str, Any]:
        """Properties that were not taken out yet."""
        return self._rest

    def field(self, target: str) -> Any:
        """One of our fields, taken out of the item."""
        if target in TEXTS:
            return self._text(target, TEXTS[target])
        if target in DATES:
            return self._dates().get(target)
        if target in NAMES:
            return self._name(NAMES[target])
        if target == "headline":
            return self._headline()
        if target == "paragraphs":
            return self._paragraphs({})
        document = {
            name: concepts
            for name in dict.fromkeys(
                ("people", "authors", "subjects", "keywords", target)
            )
            if (concepts := self._concepts(CONCEPTS[name]))
        }
        self._move_related(document)
        return document.get(target)

    def _peek(self, name: str) -> Any:
        """Value of a property; ``None`` if it is absent or taken."""
        spelled = self._names.get(name)
        return None if spelled is None else self._rest.get(spelled)

    def _take(self, name: str) -> Any:
        """Take a property out of the item."""
        return self._rest.pop(self._names[name])

    def _text(self, target: str, names: tuple[str, ...]) -> Any:
        if target == "embargoed_until":
            present = [name for name in names if self._peek(name) is not None]
            if len(present) > 1:  # the latest counts
                return SentDates(
                    tuple((self._names[name], self._take(name)) for name in present)
                )
        for name in names:
            value = self._peek(name)
            if value is None:
                continue
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            simple = isinstance(value, str | int) and not isinstance(value, bool)
            # A status, embargo or expiry of another type must not be lost in extra:
            # it decides who sees the article.
            if simple or name in _EXCLUDED or target == "status":
                self._take(name)
                return value.strip() or None if isinstance(value, str) else value
            self.warnings.append(f"{self._names[name]}: is not text; kept in extra")
        return None

    def _dates(self) -> dict[str, Any]:
        """Dates, each from the first of its properties that holds a readable one."""
        dates: dict[str, Any] = {}
        taken: set[str] = set()
        for target, names in DATES.items():
            for name in names:
                value = self._peek(name)
                if value is None:
                    continue
                try:
                    read_date(value, self._rules)
                except ValueError as error:
                    warning = f"{self._names[name]}: {error}; kept in extra"
                    if warning not in self.warnings:
                        self.warnings.append(warning)
                    continue
                dates[target] = value
                taken.add(name)
                break
        for name in taken:
            self._take(name)
        return dates

    def _concepts(self, names: tuple[str, ...]) -> list[Any]:
        """Concepts of the first property with any.

        A list that holds more than our records do stays in ``extra`` too.
        """
        for name in names:
            value = self._peek(name)
            if value is None:
                continue
            items = value if isinstance(value, list) else [value]
            concepts = [
                concept
                for item in items
                if (concept := concept_of(item)) is not None
                and not (name == "authors" and is_editor(item))
            ]
            if not concepts:
                continue
            if all(is_modelled(item) for item in items):
                self._take(name)
            return concepts
        return []

    def _move_related(self, document: dict[str, Any]) -> None:
        """Move people who wrote the item to authors, keyword subjects to keywords."""
        people = document.pop("people", [])
        authors = [person for person in people if is_author(person)]
        others = [person for person in people if not is_author(person)]
        if authors:
            document["authors"] = [*document.get("authors", []), *authors]
        if others:
            document["people"] = others
        subjects = document.pop("subjects", [])
        keywords = [subject for subject in subjects if is_keyword(subject)]
        others = [subject for subject in subjects if not is_keyword(subject)]
        if keywords:
            document["keywords"] = [*document.get("keywords", []), *keywords]
        if others:
            document["subjects"] = others
        for target in CONCEPTS:
            for concept in document.get(target, []):
                concept.pop("rel", None)

    def _add_further_sections(self, document: dict[str, Any]) -> None:
        """Add the sections after the first to the subjects: an article has one section.

        The list itself stays in ``extra``.
        """
        sections = self._peek("service")
        if not isinstance(sections, list):
            return
        subjects = document.get("subjects", [])
        names = {str(subject.get("name")).casefold() for subject in subjects}
        for item in sections[1:]:
            concept = concept_of(item)
            if concept is None or str(concept.get("name")).casefold() in names:
                continue
            names.add(str(concept.get("name")).casefold())
            concept.pop("rel", None)
            document["subjects"] = subjects = [*subjects, concept]

    def _name(self, names: tuple[str, ...]) -> str | None:
        """Name of the first concept, or the first text, under these properties."""
        for name in names:
            value = self._peek(name)
            items = value if isinstance(value, list) else [value]
            first = concept_of(items[0]) if items and items[0] is not None else None
            if first is None:
                continue
            if len(items) == 1 and is_modelled(items[0]) and set(first) <= {"name"}:
                self._take(name)
            return str(first.get("name") or first.get("code") or first.get("uri"))
        return None

    def _headline(self) -> str | None:
        texts = self._texts("headline", "headlines")
        legible = [text for text in texts if text.one_line() is not None]
        best = min(legible, key=lambda text: text.role not in PLAIN_ROLES, default=None)
        if best is not None:
            self._remove([best])
            headline = best.one_line()
            title = self._peek("title")
            if isinstance(title, str) and title.strip() == headline:
                self._take("title")
            return headline
        for name in ("title", "name", "eventname"):
            value = self._peek(name)
            if not isinstance(value, str):
                continue
            line = Variant("", None, value, key=name).one_line()
            if line is not None:
                self._take(name)
                return line
        return None

    def _paragraphs(self, document: dict[str, Any]) -> list[dict[str, Any]]:
        texts = self._texts("body", "bodies")
        for text in texts:
            # A body that we wrote holds all paragraphs, abstracts and captions too.
            if (exact := roles.read(text.value)) is not None:
                self._remove([text])
                return exact
        described, credit = self._described()
        credit = credit or text_of(document.get("byline"))
        media = self.type in MEDIA
        blocks: list[Block] = []
        for text in described:
            if media or text.role == "caption":
                blocks += text.caption(credit)
            else:
                blocks += [Block(Role.ABSTRACT, block.text) for block in text.blocks()]
        blocks += self._body(document.get("headline"))
        seen = {block.text for block in blocks}
        for caption in self._captions(document):
            if caption.text not in seen:
                seen.add(caption.text)
                blocks.append(caption)
        return field_names.paragraph_json(blocks)

    def _body(self, headline: str | None) -> list[Block]:
        """Paragraphs of the body: of its HTML, else its plain text, else its XML."""
        texts = self._texts("body", "bodies")
        for text in sorted(texts, key=Variant.body_rank):
            if blocks := text.blocks():
                self._remove([text])
                if blocks[0].text == headline and len(blocks) > 1:
                    # Web pages repeat the headline in an h1.
                    blocks = blocks[1:]
                return blocks
        return []

    def _described(self) -> tuple[list[Variant], str | None]:
        """Descriptions to print, one for each role, and the credit line."""
        texts = self._texts("description", "descriptions")
        printed: dict[str, Variant] = {}
        credit: Variant | None = None
        # Descriptions are a sentence or two: plain text before HTML.
        for text in sorted(texts, key=lambda text: text.is_html):
            if text.one_line() is None:
                continue
            if text.role in _CREDIT_ROLES:
                credit = credit or text
            elif text.role not in _UNPRINTED_ROLES:
                role = "" if text.role in PLAIN_ROLES else text.role
                printed.setdefault(role, text)
        self._remove([*printed.values(), *([credit] if credit else [])])
        chosen = set(map(id, printed.values()))
        in_order = [text for text in texts if id(text) in chosen]
        return in_order, credit.one_line() if credit else None

    def _captions(self, document: dict[str, Any]) -> Iterator[Block]:
        """Yield the captions of associated pictures that may be shown with the item.

        The associations themselves stay in ``extra``, without their editors' notes:
        :meth:`_move_notes` adds those to the item's own, which are never public.
        """
        associations = self._peek("associations")
        if isinstance(associations, Mapping):
            associations = list(associations.values())
        for properties in associations if isinstance(associations, list) else ():
            if not isinstance(properties, Mapping):
                continue
            picture = Item(properties)
            if picture.type not in MEDIA or not picture.may_be_shown():
                continue
            described, credit = picture._described()
            credit = credit or next(
                (
                    credited
                    for name in ("byline", "by", "copyrightholder")
                    if (credited := text_of(picture._peek(name)))
                ),
                None,
            )
            for text in described:
                yield from text.caption(credit)

    def may_be_shown(self) -> bool:
        """Whether no status, embargo or expiry holds the item back, now or ever."""
        status = self._peek("pubstatus")
        return status in (None, "usable", "stat:usable") and not any(
            self._peek(name) for name in _EXCLUDED
        )

    def _move_notes(self, document: dict[str, Any]) -> None:
        """Move the editors' notes of associations to the item's own."""
        associations = self._peek("associations")
        if associations is None:
            return
        notes: list[str] = []
        self._rest[self._names["associations"]] = _without_notes(associations, notes)
        if notes:
            own = text_of(document.get("ed_note"))
            document["ed_note"] = "\n".join([*([own] if own else []), *notes])

    def _texts(self, single: str, many: str) -> list[Variant]:
        return variants_of(self._rest, single, many)

    def _remove(self, used: list[Variant]) -> None:
        """Take used texts out of the item."""
        used_places: dict[str, set[int]] = {}  # by property that is a list
        for text in used:
            if text.at is None:
                self._rest.pop(text.key, None)
            else:
                used_places.setdefault(text.key, set()).add(text.at)
        for key, places in used_places.items():
            value = self._rest[key]
            items = value if isinstance(value, list) else [value]
            unused = [item for at, item in enumerate(items) if at not in places]
            if unused:
                self._rest[key] = unused
            else:
                del self._rest[key]


def _is_blank(value: Any) -> bool:
    return value in ([], {}) or (isinstance(value, str) and not value.strip())


def _without_notes(value: Any, notes: list[str], depth: int = 0) -> Any:
    """Associations without their editors' notes, which are added to ``notes``."""
    if depth > 64:
        raise InvalidArticle("extra", "is nested more than 64 levels deep")
    if isinstance(value, list):
        return [_without_notes(item, notes, depth + 1) for item in value]
    if not isinstance(value, Mapping):
        return value
    stripped: dict[str, Any] = {}
    for name, item in value.items():
        if name.lower() == "ednote" and isinstance(item, str):
            notes += [item.strip()] if item.strip() else []
        else:
            stripped[name] = _without_notes(item, notes, depth + 1)
    return stripped
