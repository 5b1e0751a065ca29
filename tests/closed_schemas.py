"""JSON Schemas of the OpenAPI document, closed: an unknown key is an error."""

from __future__ import annotations

from typing import Any


def closed(schema: Any) -> Any:
    """A schema that allows no undeclared member unless it says so."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    members = {name: closed(value) for name, value in schema.items()}
    if "properties" in members and members.get("type") == "object":
        members.setdefault("additionalProperties", False)
    return members
