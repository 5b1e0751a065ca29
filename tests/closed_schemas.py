"""JSON Schemas of the OpenAPI document, closed: an unknown key is an error."""

from __future__ import annotations

from typing import Any


def closed(schema: Any) -> Any:
    """Return a schema that allows no undeclared member, where it does not say so."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(value) for name, value in schema.items()}
    if "properties" in found and found.get("type") == "object":
        found.setdefault("additionalProperties", False)
    return found
