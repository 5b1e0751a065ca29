"""Shapes: the schemas of the OpenAPI document, written out for people."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

Schema = dict[str, Any]

_CODE = re.compile(r"`([^`]+)`")
_FILTER = re.compile(r"(?:(exclude|missing)\.)?(\w+)\Z")
_NULL = "null"
_FLAG = "1 or 0"  # a boolean in an address


@dataclass(frozen=True, slots=True)
class Member:
    """A key of an object, or a parameter.

    :param place: where a parameter stands: ``path``, ``query`` or ``header``.
    :param values: the values that it may have, if they are listed.
    :param members: the keys of the object that it is, or of each item in its list.
    :param like: name of a key before it, or around it, that has the same members.
    :param either: whether it is one of several objects that may stand there.
    """

    name: str
    type: str
    about_html: str = ""
    place: str = ""
    required: bool = False
    default: str = ""
    values: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()
    like: str = ""
    either: bool = False


def path_html(path: str) -> str:
    """Escaped HTML of a path, which may break before each slash."""
    return html.escape(path).replace("/", "<wbr>/")


def prose_html(text: str) -> str:
    """Escaped HTML of a sentence, with what is between backticks as code."""
    return _CODE.sub(r"<code>\1</code>", html.escape(text))


class Shapes:
    """The schemas of one document.

    :param document: an OpenAPI document.
    """

    def __init__(self, document: Schema) -> None:
        self._components = document["components"]

    def whole(self, part: Schema) -> Schema:
        """A part of the document, or the shared one that it refers to."""
        reference = part.get("$ref")
        if reference is None:
            return part
        kind, name = reference.removeprefix("#/components/").split("/")
        shared: Schema = self._components[kind][name]
        return shared

    def parameter(self, described: Schema) -> Member:
        """A parameter of an operation."""
        parameter = self.whole(described)
        schema = parameter.get("schema", {})
        member = self._member(
            parameter["name"],
            {**schema, "description": parameter.get("description", "")},
            (),
            {},
            required=parameter.get("required", False),
        )
        kind = _FLAG if member.type == "boolean" else member.type
        return replace(member, place=parameter["in"], type=kind)

    def members(self, schema: Schema) -> tuple[Member, ...]:
        """The keys of an object, or of the items of a list; none for other schemas."""
        return self._members(schema, (), {})

    def example(self, schema: Schema) -> Any:
        """The example of a schema, of its first alternative or of a part that has one.

        ``None`` without.
        """
        schema = self.whole(schema)
        for alternative in schema.get("anyOf") or schema.get("oneOf") or ():
            return self.example(alternative)
        if "examples" in schema:
            return schema["examples"][0]
        parts = map(self.example, schema.get("allOf", ()))
        return next((example for example in parts if example is not None), None)

    def _member(
        self,
        name: str,
        schema: Schema,
        above: tuple[str, ...],
        shown: dict[str, str],
        *,
        required: bool,
    ) -> Member:
        references = tuple(_references(schema))
        like = ""
        if references and all(each in shown for each in references):
            like = shown[references[0]]
        else:
            shown.update(dict.fromkeys(references, name))
        listed = schema.get("enum") or schema.get("items", {}).get("enum", ())
        default = schema.get("default")
        about = schema.get("description") or self.whole(schema).get("description", "")
        return Member(
            name=name,
            type=self._type(schema),
            about_html="" if about == name else prose_html(about),
            required=required,
            default="" if default is None else _written(default),
            values=tuple(_written(value) for value in listed if value is not None),
            members=() if like else self._members(schema, above, shown),
            like=like,
        )

    def _members(
        self, schema: Schema, above: tuple[str, ...], shown: dict[str, str]
    ) -> tuple[Member, ...]:
        """The keys below a schema.

        :param above: references that lead here, which are not followed again.
        :param shown: names of the keys that have been written out, by reference; they
            are not written out twice.
        """
        if reference := schema.get("$ref"):
            if reference in above:
                return ()
            return self._members(self.whole(schema), (*above, reference), shown)
        if "items" in schema:
            return self._members(schema["items"], above, shown)
        if alternatives := schema.get("oneOf", schema.get("anyOf")):
            return self._either(alternatives, above, shown)
        members = [
            member
            for part in schema.get("allOf", ())
            for member in self._members(part, above, shown)
        ]
        needed = schema.get("required", ())
        members += [
            self._member(name, value, above, shown, required=name in needed)
            for name, value in schema.get("properties", {}).items()
        ]
        more = schema.get("additionalProperties")
        if isinstance(more, dict) and more:
            members.append(self._member("NAME", more, above, shown, required=False))
        return folded(tuple(members))

    def _either(
        self,
        alternatives: list[Schema],
        above: tuple[str, ...],
        shown: dict[str, str],
    ) -> tuple[Member, ...]:
        members_of = [
            (each, self._members(each, above, shown)) for each in alternatives
        ]
        objects = {
            (each.get("$ref") or each.get("items", {}).get("$ref", "")): members
            for each, members in members_of
            if members
        }
        if len(objects) == 1:  # itself or a list of it, or a plain value in its place
            return next(iter(objects.values()))
        return tuple(
            Member(reference.rpartition("/")[2], "object", members=members, either=True)
            for reference, members in objects.items()
        )

    def _type(self, schema: Schema) -> str:
        schema = self.whole(schema)
        if alternatives := schema.get("oneOf", schema.get("anyOf")):
            return _joined(self._type(each) for each in alternatives)
        if "allOf" in schema:
            return "object"
        kinds = schema.get("type", "object" if "properties" in schema else "any")
        return _joined(
            self._kind(kind, schema)
            for kind in (kinds if isinstance(kinds, list) else [kinds])
        )

    def _kind(self, kind: str, schema: Schema) -> str:
        if kind == "array":
            return f"list of {self._type(schema.get('items', {}))}"
        if kind == "string":
            return str(schema.get("format", kind))
        if kind in ("integer", "number"):
            low, high = schema.get("minimum"), schema.get("maximum")
            if low is not None:
                return f"{kind} from {low:,}" + (
                    "" if high is None else f" to {high:,}"
                )
        return kind


def folded(members: tuple[Member, ...]) -> tuple[Member, ...]:
    """Members with one row in place of the filters by each field.

    Of every field there is a filter, an exclusion and a filter for missing values.
    """
    fields = {
        member.name.removeprefix("exclude.")
        for member in members
        if member.name.startswith("exclude.")
    }
    shown: dict[str, Member] = {}
    listed: dict[str, list[str]] = {}
    for member in members:
        parts = _FILTER.match(member.name)
        if parts is None or parts[2] not in fields:
            shown[member.name] = member
            continue
        name = f"{parts[1]}.FIELD" if parts[1] else "FIELD"
        about = member.about_html.rpartition(": ")[2]
        shown.setdefault(name, replace(member, name=name, about_html=about))
        listed.setdefault(name, []).append(parts[2])
    if "FIELD" in shown:
        row = shown["FIELD"]
        shown["FIELD"] = replace(row, type="list", values=tuple(listed["FIELD"]))
    return tuple(shown.values())


def _references(schema: Schema) -> Iterator[str]:
    if "$ref" in schema:
        yield schema["$ref"]
    for part in ("items", "additionalProperties"):
        if isinstance(schema.get(part), dict):
            yield from _references(schema[part])
    for part in ("allOf", "anyOf", "oneOf"):
        for each in schema.get(part, ()):
            yield from _references(each)


def _joined(kinds: Iterable[str]) -> str:
    """Names of types, each once, and null at the end."""
    return " or ".join(sorted(dict.fromkeys(kinds), key=_NULL.__eq__))


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)
