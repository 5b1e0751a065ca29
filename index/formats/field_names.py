"""Field names: those that records come with, and ours that they are read as."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from index.article import (
    ARTICLE_FIELDS,
    CONCEPT_FIELDS,
    DATE_FIELDS,
    TEXT_FIELDS,
)
from index.formats import blocks, concepts, objects, statuses
from index.formats.aliases import (
    ALIASES,
    CREATION_NAMES,
    TARGETS,
    ranked_target_of,
    target_of,
)
from index.formats.bodies import (
    are_paragraphs,
    is_cut_off,
    is_exported,
    paragraph_json,
    put_paragraphs,
    running,
)
from index.formats.date_fields import SentDates
from index.formats.property_names import plain_name
from index.parsing import plain_text

__all__ = [
    "ALIASES",
    "TARGETS",
    "paragraph_json",
    "renamed",
    "running",
    "target_of",
]

_FIELDS = frozenset(ARTICLE_FIELDS)
_BLANK: tuple[Any, ...] = (None, "", [], {})  # 0 and false are none of them
# Objects whose members are properties of the article: Guardian, JSON:API, Arc,
# WordPress.
_CONTAINERS = frozenset(("fields", "attributes", "taxonomy", "credits", "embedded"))
_LAST = 1000  # rank of the members of containers: after all others
# Fields that lose tags and character references, and what stands between paragraphs.
_LINES = {
    **dict.fromkeys(
        ("headline", "slugline", "byline", "dateline", "section", "source"), " "
    ),
    **dict.fromkeys(("correction", "ed_note", "usage_terms", "copyright"), "\n"),
}
_TEXTS = frozenset(("id", "version", *TEXT_FIELDS))
# Fields whose object without a text refuses the article; others go to extra.
_REQUIRED = frozenset(("id", "version", "headline"))


def renamed(
    record: Mapping[str, Any],
    mapping: Mapping[str, str],
    *,
    warn: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """A record under our own field names, as ``article_of`` reads it.

    ::

        renamed({"title": "Ferry back", "desk": "Local", "mood": 3}, {})
        # {"headline": "Ferry back", "section": "Local", "extra": {"mood": 3}}

    A name of the mapping comes before our own name, and that before an alias; the
    members of ``fields`` and of the like come last. Values that lose, and names of no
    field, go to ``extra`` under the name they came with. Dates are passed on as they
    came, with their names. Of blank values only an embargo that is ``null`` or a blank
    text is passed on, as ``null``: it lifts the embargo. Values of list fields that the
    mapping names are joined with those under our own name. ``text`` becomes
    paragraphs, unless the record has some, and ``abstract`` a paragraph before them.

    :param warn: called with a sentence for what the report must tell.
    :raises InputError: a text cannot be read.
    """
    reading = _Record(mapping, warn)
    reading.take_apart(record)
    return reading.document()


class _Candidate(NamedTuple):
    """A value that a field may get.

    :param container: name of the object that it is a member of, if any.
    """

    rank: int
    name: str
    value: Any
    container: str | None = None


class _Record:
    """A record being read under our own field names."""

    def __init__(self, mapping: Mapping[str, str], warn: Callable[[str], None]) -> None:
        self._mapping = mapping
        self._warn = warn
        self._candidates: dict[str, list[_Candidate]] = {}
        self._extra: dict[str, Any] = {}
        self._held = self._lifted = False
        self._document: dict[str, Any] = {}
        self._other_concepts: dict[str, list[Any]] = {}
        self._exported = False

    def take_apart(self, record: Mapping[str, Any]) -> None:
        """Sort the values of a record by the fields they may be."""
        self._exported = is_exported(record)
        mapped = set(self._mapping.values())
        for name, value in record.items():
            if value in _BLANK or (isinstance(value, str) and value.isspace()):
                self._skip(name, value)
                continue
            target: str | None
            if name in self._mapping:
                target, rank = self._mapping[name], 0
            elif plain_name(name) == "story" and _is_body(value):
                target, rank = "text", _LAST  # no id is a text
            elif name in _FIELDS:
                target, rank = name, 1
                if name not in mapped and self._is_settled(name, value):
                    self._document[name] = value
                    continue
                if name == "published" and statuses.holds_back(name, value, self._warn):
                    self._held = True
            else:
                target, rank = ranked_target_of(name)
                if statuses.holds_back(name, value, self._warn):
                    self._held = True
                    if statuses.is_password(name):
                        continue  # extra is for readers
            if target is None:
                if isinstance(value, dict) and _is_container(name):
                    self._open(name, value)
                else:
                    self._extra[name] = value
            elif target == "extra" and not isinstance(value, Mapping):
                self._extra[name] = value
            else:
                self._add(target, _Candidate(rank, name, value))

    def document(self) -> dict[str, Any]:
        """The record under our own field names."""
        candidates, document = self._candidates, self._document
        if "paragraphs" in candidates or "paragraphs" in document:
            for candidate in candidates.pop("text", ()):
                self._keep(candidate, candidate.value)
        if status := candidates.pop("status", None):
            self._order(status)
        for byline in candidates.get("byline", ()):
            if people := concepts.names_of(byline.value):
                self._add("authors", _Candidate(_LAST, "", people))
        # Authors last: they become the byline only if there is no other.
        for target in sorted(candidates, key=lambda target: target == "authors"):
            ranked = candidates[target]
            if len(ranked) > 1:
                self._order(ranked)
            if target in DATE_FIELDS:
                document[target] = _sent(target, ranked)
                continue
            self._choose(target, ranked)
        for target, others in self._other_concepts.items():
            document[target] = [*_listed(document.get(target, [])), *others]
        if status or self._held:
            words = [(each.rank, _only(each.value)) for each in status or ()]
            statuses.take(document, words, held=self._held)
            if isinstance(document.get("status"), statuses.Scheduled):
                document["published"] = _without_creation(document.get("published"))
        put_paragraphs(document)
        if self._lifted:
            document.setdefault("embargoed_until", None)
        if self._extra:
            document["extra"] = {**document.get("extra", {}), **self._extra}
        return document

    def _is_settled(self, name: str, value: Any) -> bool:
        """Whether a value under our own name is taken as it is, whatever else comes."""
        if isinstance(value, str):
            return name in _TEXTS and (
                self._exported
                or name not in _LINES
                or not ("&" in value or "<" in value)
            )
        if name in CONCEPT_FIELDS:
            return concepts.is_plain(value) or (self._exported and type(value) is list)
        return name == "paragraphs" and are_paragraphs(value)

    def _skip(self, name: str, value: Any) -> None:
        """Take a blank value of an embargo as its end; others say nothing."""
        target = self._mapping.get(name) or target_of(name)
        if target == "embargoed_until" and value not in ([], {}):
            self._lifted = True

    def _open(self, container: str, members: dict[str, Any]) -> None:
        """Sort the members of an object that holds the properties of the article."""
        for name, value in members.items():
            if value in _BLANK:
                continue
            target, rank = ranked_target_of(name)
            if statuses.holds_back(name, value, self._warn):
                self._held = True
                if statuses.is_password(name):
                    continue
            candidate = _Candidate(_LAST + rank, name, value, container)
            if target is None:
                self._keep(candidate, value)
            else:
                self._add(target, candidate)

    def _add(self, target: str, candidate: _Candidate) -> None:
        self._candidates.setdefault(target, []).append(candidate)

    def _order(self, ranked: list[_Candidate]) -> None:
        ranked.sort(key=lambda candidate: candidate.rank)

    def _keep(self, candidate: _Candidate, value: Any) -> None:
        """Keep a value in ``extra``, under the name that it came with."""
        if candidate.container is None:
            self._extra[candidate.name] = value
        else:
            members = self._extra.setdefault(candidate.container, {})
            members[candidate.name] = value

    def _choose(self, target: str, ranked: list[_Candidate]) -> None:
        """Set a field of the document from the candidates for it."""
        document = self._document
        joined: list[Any] = []  # what other candidates add
        for candidate in ranked:
            rank, value = candidate.rank, candidate.value
            joins = target == "abstract" or (target in CONCEPT_FIELDS and rank < 2)
            if target in document and not joins and target != "extra":
                if candidate.name:
                    self._keep(candidate, value)
                continue
            shaped = self._shaped(target, candidate)
            if shaped is None:
                self._keep(candidate, value)
            elif shaped == []:
                continue  # all its concepts are of other fields
            elif target == "authors" and rank > 1 and isinstance(shaped, str):
                _take_author(document, shaped)
            elif target not in document:
                document[target] = shaped
            elif target == "extra":
                document[target] = {**document[target], **shaped}
            else:
                joined.extend(_listed(shaped))
        if joined:
            document[target] = [*_listed(document[target]), *joined]

    def _shaped(self, target: str, candidate: _Candidate) -> Any:
        """A value in the shape of its field; ``None`` if it does not fit."""
        rank, value = candidate.rank, candidate.value
        if target in ("text", "abstract", "paragraphs"):
            return self._paragraphs(target, candidate)
        if target in CONCEPT_FIELDS:
            return self._concepts(target, candidate)
        if target == "extra":
            return value if isinstance(value, Mapping) or rank == 1 else None
        if isinstance(value, str):
            # Under our own name a value stays the object that was sent, if it can.
            if ("&" in value or "<" in value) and target in _LINES:
                return plain_text(value, separator=_LINES[target]) or None
            return value if rank == 1 else value.strip()
        if isinstance(value, list):
            value = _one_of(target, value)
            if value is not candidate.value and len(candidate.value) > 1:
                self._keep(candidate, candidate.value)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return value
        if isinstance(value, Mapping):
            inner = objects.text_in(target, value)
            if inner is not None:
                if inner.rest and value is _only(candidate.value):
                    self._keep(candidate, inner.rest)
                return inner.text
            if target == "byline" and (people := concepts.names_of(value)):
                self._keep(candidate, value)
                return ", ".join(people)
            if target not in _REQUIRED or objects.is_blank(value):
                return None
        # Our own names and those of the mapping must fit: article_of refuses the rest.
        return candidate.value if rank < 2 else None

    def _paragraphs(self, target: str, candidate: _Candidate) -> Any:
        """Paragraphs of a body or a summary; ``None`` if it has no text."""
        value = candidate.value
        if target == "paragraphs" and are_paragraphs(value):
            return value
        read = blocks.paragraphs_of(value, html=_is_html(candidate.name))
        if not read and isinstance(value, Mapping):
            named = objects.text_in(target, value)
            read = running(named.text) if named is not None else []
        if target == "paragraphs":
            return read or value  # article_of refuses what has no text
        if target == "text" and isinstance(value, str) and is_cut_off(value):
            self._warn(f"{candidate.name}: its sender cut the text off")
        return read or None

    def _concepts(self, target: str, candidate: _Candidate) -> Any:
        """Concepts, or the text of ``authors``; ``None`` if they have no names."""
        rank, value = candidate.rank, candidate.value
        if concepts.is_plain(value):
            return value
        if isinstance(value, str) and target == "authors" and rank != 1:
            authors = concepts.listed(target, value)
            if len(authors) < 2:
                return plain_text(value)
            if not value.lstrip().startswith("["):
                self._document.setdefault("byline", plain_text(value))
            return authors
        by_field = concepts.read(target, value, sorted_by_kind=rank > 0)
        if by_field is None:
            return value if rank == 1 else None
        for other, values in by_field.others.items():
            self._other_concepts.setdefault(other, []).extend(values)
        if not by_field.complete:
            self._keep(candidate, value)
        return by_field.own


def _one_of(target: str, values: list[Any]) -> Any:
    """The value of a list that stands for a field with one value."""
    if len(values) == 1:
        return values[0]
    if target == "byline":
        texts = [value for value in values if isinstance(value, str)]
        return ", ".join(map(plain_text, texts or concepts.names_of(values))) or values
    return values[0] if target in ("section", "source") and values else values


def _only(value: Any) -> Any:
    """The value of a list of one; else the value itself."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _without_creation(published: Any) -> Any:
    """Dates of publication without those that only say when a record was made."""
    if not isinstance(published, SentDates):
        return published
    values = tuple(
        each for each in published.values if plain_name(each[0]) not in CREATION_NAMES
    )
    return SentDates(values) if values else None


def _is_body(value: Any) -> bool:
    return isinstance(value, str) and blocks.is_prose(value, blocks.LONG)


def _is_html(name: str) -> bool:
    plain = plain_name(name)
    return "html" in plain or plain in ("rendered", "contentencoded")


def _is_container(name: str) -> bool:
    return plain_name(name) in _CONTAINERS


def _sent(target: str, ranked: list[_Candidate]) -> Any:
    """The values of a date field, to be read with their names."""
    if len(ranked) == 1 and ranked[0].name == target:
        return ranked[0].value  # it stays the very object that was sent
    return SentDates(tuple((each.name, each.value) for each in ranked))


def _take_author(document: dict[str, Any], author: str) -> None:
    """Take an author given as text as the byline, and as a name if it is like one."""
    document.setdefault("byline", author)
    name = re.sub(r"\A[Bb][Yy]\s+", "", author)
    if len(name) <= 60 and not re.search(r"[,;&/|@\d]|\band\b", name):
        document.setdefault("authors", [name])


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
