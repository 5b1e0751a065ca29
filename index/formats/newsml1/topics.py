"""Topics of NewsML 1: names of codes, and the people and places that an item names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from index.formats.newscodes import FIELD_OF_TYPE, subject_code
from index.parsing import XmlElement, attribute, children, line_text, outermost


class Topics:
    """The topics in the topic sets of an item.

    :param item: with its topic sets, at any depth.
    :param language: of the item; descriptions in it are preferred.
    """

    def __init__(self, item: XmlElement, language: str | None) -> None:
        self._names: dict[str, str] = {}
        self._by_duid: dict[str, XmlElement] = {}
        self._language = (language or "").partition("-")[0].lower()
        for topic in outermost(item, "topic"):
            if duid := attribute(topic, "duid"):
                self._by_duid.setdefault(duid, topic)
            name = self._described(topic)
            for formal in children(topic, "formalname"):
                if name and (code := line_text(formal)):
                    self._names.setdefault(code, name)

    def subjects(
        self, described: Iterable[XmlElement | None]
    ) -> Iterator[dict[str, str]]:
        """Yield the subjects of descriptive metadata, by name if a topic has it."""
        for metadata in described:
            for subject in children(metadata, "subjectcode"):
                for each in children(
                    subject, "subject", "subjectmatter", "subjectdetail"
                ):
                    code = attribute(each, "formalname")
                    if code is None:
                        continue
                    if code.isdecimal():
                        yield subject_code(code, self._names.get(code))
                    else:
                        yield {"name": self._names.get(code, code)}

    def occurring(
        self, described: Iterable[XmlElement | None]
    ) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield the topics that descriptive metadata refers to, with their fields."""
        by_duid = dict(self._by_duid)
        for metadata in described:
            for occurrence in children(metadata, "topicoccurrence"):
                reference = (attribute(occurrence, "topic") or "").removeprefix("#")
                # Each once: many may refer to one topic, which may be large.
                topic = by_duid.pop(reference, None)
                if topic is None:
                    continue
                if (name := self._described(topic) or _code_of(topic)) is not None:
                    yield _field_of(topic), {"name": name}

    def _described(self, topic: XmlElement) -> str | None:
        """Name of a topic, in the item's language if there is one."""
        texts = [
            (each, text)
            for each in children(topic, "description")
            if (text := line_text(each))
        ]
        if not texts:
            return None
        return min(texts, key=lambda each: self._rank(each[0]))[1]

    def _rank(self, description: XmlElement) -> tuple[bool, bool]:
        variant = (attribute(description, "variant") or "name").lower()
        language = (attribute(description, "lang") or "").partition("-")[0].lower()
        return variant not in ("name", "fullname"), language not in ("", self._language)


def _code_of(topic: XmlElement) -> str | None:
    codes = (line_text(each) for each in children(topic, "formalname"))
    return next(filter(None, codes), None)


def _field_of(topic: XmlElement) -> str:
    """The field that a topic is for, by its type."""
    kinds = (
        (attribute(each, "formalname") or "").lower()
        for each in children(topic, "topictype")
    )
    fields = (FIELD_OF_TYPE[kind] for kind in kinds if kind in FIELD_OF_TYPE)
    return next(fields, "subjects")
