"""The OpenAPI document with its shared parts in place, as tests read it."""

from __future__ import annotations

from typing import Any

_KINDS = ("responses", "parameters", "requestBodies")


def resolved(document: dict[str, Any]) -> dict[str, Any]:
    """A document whose operations have their parameters, bodies and answers.

    Schemas that take properties from another one have them as their own.
    """
    components = document["components"]

    def whole(part: Any) -> Any:
        if isinstance(part, list):
            return [whole(each) for each in part]
        if not isinstance(part, dict):
            return part
        _, _, reference = part.get("$ref", "").partition("#/components/")
        kind, _, name = reference.partition("/")
        if kind in _KINDS:
            return whole(components[kind][name])
        return {key: whole(value) for key, value in part.items()}

    def flat(schema: dict[str, Any]) -> dict[str, Any]:
        if "allOf" not in schema:
            return schema
        base, rest = schema["allOf"]
        base = flat(components["schemas"][base["$ref"].rpartition("/")[2]])
        return {
            **{key: value for key, value in schema.items() if key != "allOf"},
            "type": "object",
            "properties": {**base["properties"], **rest["properties"]},
            "required": [*base.get("required", []), *rest.get("required", [])],
        }

    paths = whole(document["paths"])
    for item in paths.values():
        for method in item.keys() & {"get", "post", "put", "delete"}:
            item[method].setdefault("security", document["security"])
    schemas = {name: flat(schema) for name, schema in components["schemas"].items()}
    return {
        **document,
        "paths": paths,
        "components": {**components, "schemas": schemas},
    }
