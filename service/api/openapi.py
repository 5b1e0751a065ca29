"""The OpenAPI document as clients need it: shared parts once, names, and descriptions.

flask-smorest writes every parameter and problem out at each operation, and closes
schemas that may get further keys. What is added here holds for all operations alike.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from marshmallow import Schema, class_registry

from index.access import Scope
from service.api.descriptions import EXAMPLES, OPERATIONS, PROPERTIES
from service.exchange import COMPONENT, DISCRIMINATOR, JSON, KEY_HEADERS

Document = dict[str, Any]

_PROBLEM = "application/problem+json"
_METHODS = ("get", "post", "put", "delete")
_REFERENCE = re.compile(r'"#/components/(\w+)/([\w.]+)"')
_NAMES = {"facet": "getFacet", "healthz": "getHealth", "readyz": "getReadiness"}
_NAMES |= {"metrics": "getMetrics"}
# Schemas whose properties others have, too; one that has those of another comes first.
_SHARED = ("ArticleSummary", "ArticleBody", "ArticleFields", "Paragraph", "Facet")
# Schemas of bodies, beside those of parameters.
_SENT = ("ArticleBody", "IdentifiedArticle", "ListedArticle", "ParagraphBody")
# Of no operation in particular: they are declared by their range.
_OF_ALL = ("408", "429", "431")
_REFUSED = "Too many requests, a request too slow, or a head too long"
# What OpenAPI takes for a parameter in a query if it does not say so.
_USUAL = {"required": False, "explode": True, "style": "form"}
_ABOUT = ("description", "examples")  # of a schema
_NULL = {"type": ["null"]}
_MAX_INT32 = 2**31 - 1
_MAX_SAFE = 2**53 - 1  # the highest number that every client reads exactly
# Paths for browsers and feed readers. Linters take no dot in a segment.
_LEFT_OUT = ("/opensearch.xml", "/v1/search.{format}")
_LISTED = ("/v1/articles",)  # paths whose bodies may be lists
_LIST = {
    "oneOf": [
        {"$ref": "#/components/schemas/IdentifiedArticle"},
        {
            "type": "array",
            "items": {"$ref": "#/components/schemas/ListedArticle"},
        },
    ]
}
_ETAG = {
    "description": "state of the article, for If-None-Match and If-Match",
    "schema": {"type": "string"},
}
# What the filters of a body are together.
_GROUPS = {
    "exclude": "no articles with one of these values, by field",
    "missing": "true: only articles without a value, by field",
}


def finished(document: Document) -> Document:
    """A document of flask-smorest's, made fit for generated clients."""
    document["servers"] = [{"url": "/", "description": "This service"}]
    document["security"] = [{name: [Scope.SEARCH.value]} for name in KEY_HEADERS]
    document["info"]["license"] = {
        "name": "Apache License 2.0",
        "identifier": "Apache-2.0",
    }
    for path in _LEFT_OUT:
        del document["paths"][path]
    document["tags"] = [tag for tag in document["tags"] if tag["name"] != "feeds"]
    for path, operation in _operations(document):
        _name(operation)
        operation.setdefault("security", [])
        if operation["security"] == document["security"]:
            del operation["security"]
        _order_media_types(operation)
        if operation["operationId"].startswith("getArticle"):
            operation["responses"]["200"]["headers"] = {"ETag": _ETAG}
        if path in _LISTED and "requestBody" in operation:
            _take_lists(operation["requestBody"]["content"])
    document["components"]["schemas"]["ArticleOrList"] = _LIST
    _open_answers(document)
    _nest_filters(document)
    _describe(document)
    _name_unions(document)
    _share_fields(document)
    _allow_null(document)
    _bound_integers(document)
    _share_responses(document)
    _share_bodies(document)
    _share_parameters(document)
    _remove_unused(document)
    return document


def _operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, item[method]


def _name(operation: Document) -> None:
    """Name an operation as clients name functions, and say more than its name."""
    view = operation["operationId"]
    operation["operationId"] = operation_name(view)
    own = view.removesuffix("_by_id")
    operation["description"] = (
        OPERATIONS[own]
        if own == view
        else f"The same as {operation_name(own)}, with the id as a parameter."
    )


def operation_name(view: str) -> str:
    """Name of an operation: ``get_article_by_id`` is ``getArticleByQuery``."""
    if view in _NAMES:
        return _NAMES[view]
    first, *rest = re.sub(r"_by_id\Z", "_by_query", view).split("_")
    return first + "".join(map(str.capitalize, rest))


def _order_media_types(operation: Document) -> None:
    """Put JSON first: clients that know one type take the first.

    That another type is a text goes without saying.
    """
    for answer in operation["responses"].values():
        for media in answer.get("content", {}).values():
            if media.get("schema") == {"type": "string"}:
                del media["schema"]
        if len(content := answer.get("content", {})) > 1:
            answer["content"] = {
                name: content[name] for name in sorted(content, key=JSON.__ne__)
            }


def _take_lists(content: Document) -> None:
    content[JSON]["schema"] = {"$ref": "#/components/schemas/ArticleOrList"}


def _open_answers(document: Document) -> None:
    """Open all schemas but those of parameters: answers and articles may have more."""
    for name, schema in document["components"]["schemas"].items():
        if not name.endswith("Arguments") and not schema.get(
            "additionalProperties", True
        ):
            del schema["additionalProperties"]


def _describe(document: Document) -> None:
    """Describe schemas by their docstrings, and properties by their names."""
    for name, schema in document["components"]["schemas"].items():
        if about := _docstring(name):
            schema.setdefault("description", about)
        if name in EXAMPLES:
            schema["examples"] = [EXAMPLES[name]]
        for member, value in schema.get("properties", {}).items():
            if "$ref" not in value and member in PROPERTIES:
                value.setdefault("description", PROPERTIES[member])


def _nest_filters(document: Document) -> None:
    """Put the filters of bodies into groups: a key with a dot is no name in a client.

    The parameters of the same names say what each one is, and have the defaults.
    """
    for name, schema in document["components"]["schemas"].items():
        if not name.endswith("Arguments"):
            continue
        properties = schema["properties"]
        for value in properties.values():
            value.pop("default", None)  # a client would require what has one
        for member in [member for member in properties if "." in member]:
            group, _, field = member.partition(".")
            value = properties.pop(member)
            del value["description"]
            if group not in properties:
                properties[group] = {
                    "type": "object",
                    "description": _GROUPS[group],
                    "properties": {},
                    "additionalProperties": False,
                }
            properties[group]["properties"][field] = value


def _name_unions(document: Document) -> None:
    """Move unions to components, whose names are those of their types in clients."""
    schemas = document["components"]["schemas"]
    for schema in list(_schemas(schemas)):
        if COMPONENT in schema:
            union = dict(schema)
            if DISCRIMINATOR in union:
                union["discriminator"] = union.pop(DISCRIMINATOR)
            name = union.pop(COMPONENT)
            schemas[name] = union
            schema.clear()
            schema["$ref"] = f"#/components/schemas/{name}"


def _allow_null(document: Document) -> None:
    """Say ``null`` as all clients and linters take it.

    A list that an answer may leave out is described as if it could be null instead.
    """
    for name, schema in document["components"]["schemas"].items():
        for part in _schemas(schema):
            if part.get("anyOf", [None])[-1] == {"type": "null"}:
                part["anyOf"][-1] = _NULL
            if name in _SENT or name.endswith("Arguments"):
                continue
            for member, value in part.get("properties", {}).items():
                if "array" in value.get("type", ()) and member not in part.get(
                    "required", ()
                ):
                    about = {key: value.pop(key) for key in _ABOUT if key in value}
                    part["properties"][member] = {
                        **about,
                        "anyOf": [{**value, "type": "array"}, _NULL],
                    }


def _bound_integers(document: Document) -> None:
    """Give integers a width and bounds: clients would choose 32 bits for any."""
    for schema in _schemas(document):
        if "integer" in (schema.get("type") or ()):
            schema.setdefault("minimum", 0)
            schema.setdefault("maximum", _MAX_SAFE)
            is_short = schema["maximum"] <= _MAX_INT32
            schema["format"] = "int32" if is_short else "int64"


def _schemas(part: Any) -> Iterator[Document]:
    """All objects in a part of the document, the outermost first."""
    if isinstance(part, dict):
        yield part
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from _schemas(each)


def _docstring(name: str) -> str | None:
    known = class_registry._registry.get(name, [])
    for schema in known if isinstance(known, list) else [known]:
        text = schema.__dict__.get("__doc__") if isinstance(schema, type) else None
        if text and text != Schema.__doc__:
            return str(text).strip().partition("\n")[0]
    return None


def _share_fields(document: Document) -> None:
    """Let schemas that have all properties of a shared one refer to it."""
    schemas = document["components"]["schemas"]
    for base in _SHARED:
        common = schemas[base]
        properties, required = common["properties"], common.get("required", [])
        reference = {"$ref": f"#/components/schemas/{base}"}
        for name, schema in schemas.items():
            own = schema.get("properties", {})
            if name == base or not properties.items() <= own.items():
                continue
            rest: Document = {
                "type": "object",
                "properties": {key: own[key] for key in own if key not in properties},
            }
            own_required = [
                key for key in schema.get("required", ()) if key not in required
            ]
            if own_required:
                rest["required"] = own_required
            about = {key: schema[key] for key in _ABOUT if key in schema}
            schemas[name] = {**about, "allOf": [reference, rest]}


def _share_bodies(document: Document) -> None:
    """Move the bodies that several operations take to components."""
    operations = [
        operation
        for _, operation in _operations(document)
        if "requestBody" in operation
    ]
    uses = Counter(_text(operation["requestBody"]) for operation in operations)
    shared: Document = {}
    names: dict[str, str] = {}
    for operation in operations:
        text = _text(operation["requestBody"])
        if uses[text] > 1:
            name = operation["operationId"]
            name = names.setdefault(text, f"{name[:1].upper()}{name[1:]}Body")
            shared.setdefault(name, operation["requestBody"])
            operation["requestBody"] = {"$ref": f"#/components/requestBodies/{name}"}
    document["components"]["requestBodies"] = shared


def _share_responses(document: Document) -> None:
    """Move the problems of all operations to components, one for each status.

    So are other answers that several operations have.
    """
    shared: Document = {}
    for _, operation in _operations(document):
        answers = operation["responses"]
        for status in _OF_ALL:
            if answer := answers.pop(status, None):
                answers["4XX"] = {**answer, "description": _REFUSED}
        operation["responses"] = answers = {
            status: answers[status] for status in sorted(answers)
        }
        for status, answer in answers.items():
            if _PROBLEM in answer.get("content", {}) or status == "304":
                name = f"E{status}"
                if shared.setdefault(name, answer) == answer:
                    answers[status] = {"$ref": f"#/components/responses/{name}"}
    uses = Counter(
        _text(answer)
        for _, operation in _operations(document)
        for answer in operation["responses"].values()
    )
    names: dict[str, str] = {}
    for _, operation in _operations(document):
        for status, answer in operation["responses"].items():
            if "$ref" not in answer and uses[_text(answer)] > 1:
                own = f"{operation['operationId']}{status}"
                name = names.setdefault(_text(answer), own[0].upper() + own[1:])
                shared[name] = answer
                operation["responses"][status] = {
                    "$ref": f"#/components/responses/{name}"
                }
    document["components"]["responses"] = shared


def _share_parameters(document: Document) -> None:
    """Move the parameters that several operations have to components."""
    lists = [
        owner["parameters"]
        for item in document["paths"].values()
        for owner in (item, *(item[method] for method in _METHODS if method in item))
        if "parameters" in owner
    ]
    for parameters in lists:
        for each in parameters:
            for key, value in _USUAL.items():
                if each["in"] == "query" and each.get(key) == value:
                    del each[key]
    uses = Counter(_text(each) for parameters in lists for each in parameters)
    names: dict[str, str] = {}
    shared: Document = {}
    for parameters in lists:
        for at, each in enumerate(parameters):
            text = _text(each)
            if uses[text] == 1:
                continue
            if text not in names:
                words = re.findall(r"[A-Za-z0-9]+", each["name"])
                base = name = "".join(word[:1].upper() + word[1:] for word in words)
                number = 1
                while name in shared:
                    number += 1
                    name = f"{base}{number}"
                names[text], shared[name] = name, each
            parameters[at] = {"$ref": f"#/components/parameters/{names[text]}"}
    document["components"]["parameters"] = shared


def _remove_unused(document: Document) -> None:
    """Remove the components that nothing refers to."""
    components = document["components"]
    reached: set[tuple[str, str]] = set()
    ahead = _REFERENCE.findall(_text(document["paths"]))
    while ahead:
        kind, name = ahead.pop()
        if (kind, name) not in reached:
            reached.add((kind, name))
            ahead += _REFERENCE.findall(_text(components[kind][name]))
    for kind in ("schemas", "responses", "requestBodies", "parameters"):
        components[kind] = {
            name: part
            for name, part in components[kind].items()
            if (kind, name) in reached
        }


def _text(part: Any) -> str:
    return json.dumps(part, sort_keys=True)
