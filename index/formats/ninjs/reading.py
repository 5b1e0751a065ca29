"""IPTC ninjs, news in JSON: 1.x, 2.x, 3.x and Superdesk's flavour.

Spec: https://iptc.org/standards/ninjs/. The generations differ in names (``pubstatus``,
``pubStatus``), in maps against lists (``headline_main``, ``headlines``) and in how a
concept is coded; here a property is looked up without case, in either shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from index.article import CONCEPT_FIELDS, Original, Role
from index.dates import instant
from index.errors import InputError, InvalidArticle, UnreadableInput
from index.formats import field_names, roles
from index.formats.ninjs.variants import PLAIN_ROLES, Variant, text_of, variants
from index.formats.record import Read, made, refused
from index.parsing import JSON_TYPES, Block, json_items, json_records, single_spaced

WRAPPERS = ("item", "items", "_items")
MEDIA = frozenset({"picture", "photo", "video", "audio", "graphic", "animation"})

# Our field, and the properties it comes from: the first that is there counts. Without
# case; the others are kept in ``extra``.
TEXTS: dict[str, tuple[str, ...]] = {
    "id": ("guid", "uri"),
    "version": ("version",),
    "type": ("type",),
    "status": ("pubstatus",),
    "slugline": ("slugline",),
    "byline": ("byline", "by"),
    "dateline": ("located",),
    "language": ("language",),
    "urgency": ("urgency",),
    "url": ("url",),
    "embargoed_until": ("embargoeduntil", "embargoed"),
    "expires": ("expires",),
    "evolved_from": ("evolvedfrom",),
    "story": ("original_id",),
    "correction": ("correction",),
    "ed_note": ("ednote",),
    "usage_terms": ("usageterms",),
    "copyright": ("copyrightnotice", "copyrightholder"),
}
DATES: dict[str, tuple[str, ...]] = {
    "published": ("firstpublished", "firstcreated", "contentcreated", "versioncreated"),
    "updated": ("versioncreated",),
}
CONCEPTS: dict[str, tuple[str, ...]] = {
    "authors": ("authors",),
    "keywords": ("keywords",),
    "subjects": ("subjects", "subject"),
    "people": ("people", "person", "persons"),
    "organisations": ("organisations", "organisation", "organizations", "organization"),
    "places": ("places", "place"),
    "genre": ("genres", "genre"),
}
NAMES: dict[str, tuple[str, ...]] = {
    "source": ("source", "infosources", "infosource", "provider"),
    "section": ("service", "section"),
}
_AUTHOR_RELS = frozenset({"author", "creator", "byline", "writer", "by"})
_CREDIT_ROLES = frozenset({"creditline", "credit"})
_UNPRINTED_ROLES = frozenset({"writer", "captionwriter", "keywords"}) | _CREDIT_ROLES
_EXCLUDED = frozenset({"embargoed", "embargoeduntil", "expires"})


def read(
    data: bytes | BinaryIO, *, name: str = "", mapping: Mapping[str, str]
) -> Iterator[Read]:
    """Yield the items of a ninjs document, of an array, a wrapper, or JSON lines.

    :param mapping: further properties to fields of ours.
    """
    for value in json_records(data):
        if value.error is not None:
            yield refused(value.error, None, line=value.line, position=value.position)
        else:
            yield from _items(
                value.value, value.given, mapping, value.line, value.position or 1
            )


def read_parsed(value: Any, text: Callable[[], str]) -> Iterator[Read]:
    """Yield the items of a JSON value; ``text`` gives it as it stands."""
    yield from _items(value, text, {}, line=1, position=1)


def wrapper_of(value: Any) -> str | None:
    """Return under which name a value has items, if it is none itself."""
    if isinstance(value, Mapping) and not value.keys() & {"uri", "guid"}:
        for name in WRAPPERS:
            if isinstance(value.get(name), list):
                return name
    return None


def part_of(item: Mapping[str, Any], target: str) -> tuple[Any, Mapping[str, Any]]:
    """Return what reading an item gives for one of our fields, in our JSON form.

    And what of the item is left then, for other fields and for ``extra``.
    """
    reader = _Item(item)
    return reader.part(target), reader.left


def _items(
    value: Any,
    text: Callable[[], str],
    mapping: Mapping[str, str],
    line: int,
    position: int,
) -> Iterator[Read]:
    wrapper = wrapper_of(value)
    if wrapper is None:
        yield _read(value, text(), mapping, line, position)
        return
    texts = json_items(text(), wrapper)
    for at, (item, one) in enumerate(zip(value[wrapper], texts, strict=True), 1):
        yield _read(item, one, mapping, line, at)


def _read(
    item: Any, text: str, mapping: Mapping[str, str], line: int, position: int
) -> Read:
    try:
        if not isinstance(item, Mapping):
            kind = JSON_TYPES[type(item)]
            raise UnreadableInput(f"an item must be an object, not {kind}", line=line)
        reader = _Item(item)
        document = reader.document(mapping)
    except InputError as error:
        return refused(error, item, line=line, position=position)
    return made(
        document,
        line=line,
        warnings=tuple(reader.warnings),
        position=position,
        original=Original(format="ninjs", data=text.encode()),
    )


class _Item:
    """One ninjs item being read: what is not taken out of it ends up in ``extra``."""

    def __init__(self, item: Mapping[str, Any]) -> None:
        self.warnings: list[str] = []
        self._left: dict[str, Any] = {
            name: value
            for name, value in item.items()
            if value is not None and not _is_blank(value)
        }
        self._names = {name.lower(): name for name in self._left}
        self.type = str(self._peek("type") or "").lower()

    def document(self, mapping: Mapping[str, str]) -> dict[str, Any]:
        """Return the item's JSON form under our own names.

        :raises InvalidArticle: it has no uri, or a status or embargo of no meaning.
        """
        mapped = {name: self._left.pop(name) for name in mapping if name in self._left}
        self._names = {name.lower(): name for name in self._left}
        document: dict[str, Any] = {}
        for target, names in TEXTS.items():
            value = self._text(target, names)
            if value is not None:
                document[target] = value
        if "id" not in document and "id" not in mapping.values():
            raise InvalidArticle("id", "a ninjs item needs a uri, or Superdesk's guid")
        document |= self._dates()
        for target, names in CONCEPTS.items():
            if concepts := self._concepts(names):
                document[target] = concepts
        self._part_authors(document)
        for target, names in NAMES.items():
            if value := self._name(names):
                document[target] = value
        document["headline"] = self._headline()
        document["paragraphs"] = self._paragraphs(document)
        self._keep_notes(document)
        extra = self._left
        if mapped:
            found = field_names.renamed(mapped, mapping)
            extra |= found.pop("extra", {})
            if "id" not in mapping.values():
                found.pop("id", None)  # made of a url
            for target in CONCEPT_FIELDS & found.keys() & document.keys():
                found[target] = [*found[target], *document[target]]
            found["paragraphs"] = [
                *found.get("paragraphs", []),
                *document["paragraphs"],
            ]
            document |= found
        document["extra"] = extra
        return document

    @property
    def left(self) -> Mapping[str, Any]:
        """What was not taken out of it yet."""
        return self._left

    def part(self, target: str) -> Any:
        """Return one of our fields and take it out of the item."""
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
            each: concepts
            for each in dict.fromkeys(("people", "authors", target))
            if (concepts := self._concepts(CONCEPTS[each]))
        }
        self._part_authors(document)
        return document.get(target)

    def _peek(self, name: str) -> Any:
        own = self._names.get(name)
        return None if own is None else self._left.get(own)

    def _take(self, name: str) -> Any:
        return self._left.pop(self._names[name])

    def _text(self, target: str, names: tuple[str, ...]) -> Any:
        for name in names:
            value = self._peek(name)
            if value is None:
                continue
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            simple = isinstance(value, str | int) and not isinstance(value, bool)
            # A status, an embargo or an expiry of another kind must not become none.
            if simple or name in _EXCLUDED or target == "status":
                self._take(name)
                return value.strip() or None if isinstance(value, str) else value
            self.warnings.append(f"{self._names[name]}: is no text; kept in extra")
        return None

    def _dates(self) -> dict[str, Any]:
        """Return the dates, each from the first property that has one that is read."""
        found: dict[str, Any] = {}
        taken: set[str] = set()
        for target, names in DATES.items():
            for name in names:
                value = self._peek(name)
                if value is None:
                    continue
                try:
                    instant(value if isinstance(value, str) else "")
                except ValueError:
                    told = (
                        f"{self._names[name]}: {str(value)[:50]!r} is no date;"
                        " kept in extra"
                    )
                    if told not in self.warnings:
                        self.warnings.append(told)
                    continue
                found[target] = value
                taken.add(name)
                break
        for name in taken:
            self._take(name)
        return found

    def _concepts(self, names: tuple[str, ...]) -> list[Any]:
        """Return concepts; a list that says more than we model stays in extra too."""
        for name in names:
            value = self._peek(name)
            if value is None:
                continue
            items = value if isinstance(value, list) else [value]
            concepts = [each for item in items if (each := _concept(item)) is not None]
            if not concepts:
                continue
            if all(_is_modelled(item) for item in items):
                self._take(name)
            return concepts
        return []

    def _part_authors(self, document: dict[str, Any]) -> None:
        """Move those among the people who wrote it to the authors."""
        people = document.pop("people", [])
        wrote = [each for each in people if _rel(each) in _AUTHOR_RELS]
        about = [each for each in people if _rel(each) not in _AUTHOR_RELS]
        if wrote:
            document["authors"] = [*document.get("authors", []), *wrote]
        if about:
            document["people"] = about
        for target in CONCEPTS:
            for concept in document.get(target, []):
                concept.pop("rel", None)

    def _name(self, names: tuple[str, ...]) -> str | None:
        """Return the name of the first concept, or the text, under these properties."""
        for name in names:
            value = self._peek(name)
            items = value if isinstance(value, list) else [value]
            first = _concept(items[0]) if items and items[0] is not None else None
            if first is None:
                continue
            if len(items) == 1 and _is_modelled(items[0]) and set(first) <= {"name"}:
                self._take(name)
            return str(first.get("name") or first.get("code") or first.get("uri"))
        return None

    def _headline(self) -> str | None:
        texts = self._texts("headline", "headlines")
        said = [each for each in texts if each.one_line() is not None]
        best = min(said, key=lambda each: each.role not in PLAIN_ROLES, default=None)
        if best is not None:
            self._leave(texts, [best])
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
            # A body by us has all of it: what was a description or a caption, too.
            if (exact := roles.read(text.value)) is not None:
                self._leave(texts, [text])
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
        told = {block.text for block in blocks}
        for caption in self._captions(document):
            if caption.text not in told:
                told.add(caption.text)
                blocks.append(caption)
        return field_names.paragraph_json(blocks)

    def _body(self, headline: str | None) -> list[Block]:
        """Return the body in its best notation: HTML, else plain text, else XML."""
        texts = self._texts("body", "bodies")
        for text in sorted(texts, key=Variant.body_rank):
            if blocks := text.blocks():
                self._leave(texts, [text])
                if blocks[0].text == headline and len(blocks) > 1:
                    # Pages repeat the headline in an h1.
                    del blocks[0]
                return blocks
        return []

    def _described(self) -> tuple[list[Variant], str | None]:
        """Return descriptions to print, one a role, and the credit line."""
        texts = self._texts("description", "descriptions")
        printed: dict[str, Variant] = {}
        credit: Variant | None = None
        # Descriptions are a sentence or two: plain text before HTML.
        for text in sorted(texts, key=lambda each: each.is_html):
            if text.one_line() is None:
                continue
            if text.role in _CREDIT_ROLES:
                credit = credit or text
            elif text.role not in _UNPRINTED_ROLES:
                role = "" if text.role in PLAIN_ROLES else text.role
                printed.setdefault(role, text)
        kept = [*printed.values(), *([credit] if credit else [])]
        self._leave(texts, kept)
        chosen = [text for text in texts if text in printed.values()]
        return chosen, credit.one_line() if credit else None

    def _captions(self, document: dict[str, Any]) -> Iterator[Block]:
        """Yield the captions of associated pictures that may be shown with the item.

        The associations themselves stay in extra, but for their editors' notes, which
        join the item's own: those are never public.
        """
        value = self._peek("associations")
        if isinstance(value, Mapping):
            value = list(value.values())
        for item in value if isinstance(value, list) else ():
            if not isinstance(item, Mapping):
                continue
            related = _Item(item)
            if related.type not in MEDIA or not related.may_be_shown():
                continue
            described, credit = related._described()
            credit = credit or next(
                (
                    found
                    for name in ("byline", "by", "copyrightholder")
                    if (found := text_of(related._peek(name)))
                ),
                None,
            )
            for text in described:
                yield from text.caption(credit)

    def may_be_shown(self) -> bool:
        """Return whether it says nothing of being held back, now or at some time."""
        status = self._peek("pubstatus")
        return status in (None, "usable", "stat:usable") and not any(
            self._peek(name) for name in _EXCLUDED
        )

    def _keep_notes(self, document: dict[str, Any]) -> None:
        value = self._peek("associations")
        if value is None:
            return
        notes: list[str] = []
        self._left[self._names["associations"]] = _without_notes(value, notes)
        if notes:
            own = text_of(document.get("ed_note"))
            document["ed_note"] = "\n".join([*([own] if own else []), *notes])

    def _texts(self, single: str, many: str) -> list[Variant]:
        return variants(self._left, single, many)

    def _leave(self, texts: list[Variant], used: list[Variant]) -> None:
        """Take used texts out of the item; the others stay for extra."""
        lists: dict[str, set[int]] = {}
        for text in used:
            if text.at is None:
                self._left.pop(text.key, None)
            else:
                lists.setdefault(text.key, set()).add(text.at)
        for key, gone in lists.items():
            value = self._left[key]
            items = value if isinstance(value, list) else [value]
            rest = [item for at, item in enumerate(items) if at not in gone]
            if rest:
                self._left[key] = rest
            else:
                del self._left[key]


def _is_blank(value: Any) -> bool:
    return value in ([], {}) or (isinstance(value, str) and not value.strip())


def _concept(item: Any) -> dict[str, Any] | None:
    """Return name, code, scheme and uri of a concept, and its rel, where it has a name.

    Codes are called ``code`` (1.x), ``literal`` (2.x, 3.x) or ``qcode`` (Superdesk); a
    code that is a URL is the concept's URI.
    """
    if isinstance(item, str):
        return {"name": item.strip()} if item.strip() else None
    if not isinstance(item, Mapping):
        return None
    parts: dict[str, Any] = {}
    for target, names in (
        ("name", ("name",)),
        ("code", ("code", "literal", "qcode")),
        ("scheme", ("scheme",)),
        ("uri", ("uri",)),
        ("rel", ("rel",)),
    ):
        for name in names:
            value = item.get(name)
            if isinstance(value, int) and not isinstance(value, bool):
                value = str(value)
            if found := text_of(value):
                parts[target] = single_spaced(found)
                break
    if parts.get("code", "").startswith(("http://", "https://")) and "uri" not in parts:
        parts["uri"] = parts.pop("code")
    return parts if parts.keys() & {"name", "code", "uri"} else None


def _is_modelled(item: Any) -> bool:
    """Return whether a concept holds nothing that our record would lose."""
    if not isinstance(item, Mapping):
        return isinstance(item, str)
    known = {"name", "code", "literal", "qcode", "scheme", "uri"}
    codes = item.keys() & {"code", "literal", "qcode"}
    return (
        item.keys() <= known
        and len(codes) <= 1
        and all(isinstance(value, str | int | None) for value in item.values())
    )


def _rel(concept: Mapping[str, Any]) -> str:
    return str(concept.get("rel", "")).rpartition("/")[2].rpartition(":")[2].lower()


def _without_notes(value: Any, notes: list[str], depth: int = 0) -> Any:
    """Return associations without editors' notes, which are put among ``notes``."""
    if depth > 64:
        raise InvalidArticle("extra", "is nested more than 64 levels deep")
    if isinstance(value, list):
        return [_without_notes(item, notes, depth + 1) for item in value]
    if not isinstance(value, Mapping):
        return value
    kept: dict[str, Any] = {}
    for name, item in value.items():
        if name.lower() == "ednote" and isinstance(item, str):
            notes += [item.strip()] if item.strip() else []
        else:
            kept[name] = _without_notes(item, notes, depth + 1)
    return kept
