"""Calls: an example of each operation, as an address and as a curl line."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from service.exchange import JSON
from service.pages.shapes import Schema, Shapes

# Where curl lines and addresses have the id of an article, which readers put in.
ID = "ID"
_IN_PATH = {"field": "section", "n": "1", "format": "atom"}
# Parameters that show what an operation can do, besides those that it needs.
_SHOWN = {
    "search": {"q": "kerry talks", "facet": "section", "limit": "3"},
    "searchAs": {"q": "kerry talks"},
    "getFacet": {"q": "kerry"},
    "suggest": {"q": "ke"},
    "getArticle": {"q": "kerry"},
    "listChanges": {"limit": "3"},
}


@dataclass(frozen=True, slots=True)
class Call:
    """An example of a call.

    :param address: path and parameters, below the address of the service.
    :param options: of curl, one a line, without the address.
    """

    address: str
    options: tuple[str, ...]

    def curl(self, base: str) -> str:
        """The call as a command for a shell.

        :param base: address of the service, without a slash at its end.
        """
        return " \\\n  ".join(
            [f"curl {shlex.quote(base + self.address)}", *self.options]
        )


def call_of(
    method: str, path: str, operation: Schema, parameters: list[Schema], shapes: Shapes
) -> Call:
    """An example call of an operation.

    :param parameters: of the operation and of its path, with references followed.
    :param shapes: the schemas that its body refers to.
    """
    for parameter in parameters:
        if parameter["in"] == "path":
            name = parameter["name"]
            path = path.replace(f"{{{name}}}", _IN_PATH.get(name, ID))
    query = {
        each["name"]: _value(each)
        for each in parameters
        if each["in"] == "query" and each.get("required")
    }
    query |= _SHOWN.get(operation["operationId"], {})
    address = path + (f"?{urlencode(query, quote_via=quote)}" if query else "")
    options = [] if method == "GET" else [f"-X {method}"]
    if operation.get("security") != []:
        options.append('-H "Authorization: Bearer $KEY"')
    options += [
        f"-H {shlex.quote(_header(each['name']))}"
        for each in parameters
        if each["in"] == "header" and each.get("required")
    ]
    if "requestBody" in operation:
        content = shapes.whole(operation["requestBody"])["content"]
        options += _body(content, shapes, with_id=ID not in address.split("/"))
    return Call(address, tuple(options))


def _header(name: str) -> str:
    """A header with the last word of its name in place of a value."""
    return f"{name}: {name.rpartition('-')[2].upper()}"


def _value(parameter: Schema) -> str:
    schema = parameter.get("schema", {})
    (first, *_) = schema.get("enum", [schema.get("example", parameter["name"].upper())])
    return str(first)


def _body(content: Schema, shapes: Shapes, *, with_id: bool) -> list[str]:
    """Options of curl that send a body: the example, or a file in its place.

    :param with_id: whether the body says which article it is; else the path does.
    """
    media_type = next(iter(content))
    schema: Any = shapes.whole(content[media_type].get("schema", {}))
    if media_type == "multipart/form-data":
        return [
            f"-F {shlex.quote(name + ('=@FILE' if 'binary' in str(part) else '=TEXT'))}"
            for name, part in schema.get("properties", {}).items()
        ]
    example = shapes.example(schema)
    if isinstance(example, dict) and not with_id:
        example = {name: value for name, value in example.items() if name != "id"}
    sent = "@FILE" if example is None else json.dumps(example, ensure_ascii=False)
    return [
        f"-H {shlex.quote(f'Content-Type: {media_type}')}",
        f"{'-d' if media_type == JSON else '--data-binary'} {shlex.quote(sent)}",
    ]
