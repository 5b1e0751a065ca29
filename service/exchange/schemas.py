"""What declarations of parameters and answers share.

Requests are read by declarations, the OpenAPI document is made from them, and the tests
hold real answers to them. A required member of an answer is always there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import INCLUDE, Schema, fields, validate

from index.article import MAX_ID
from service.codes import PROBLEM_TYPES

# JSON Schema of an id; in a path, ids are percent-encoded.
ID_RULE: dict[str, Any] = {"minLength": 1, "maxLength": MAX_ID, "pattern": r"^\S+$"}


def described(text: str, **more: Any) -> dict[str, Any]:
    """Metadata of a field: its description in OpenAPI, and more of its schema."""
    return {"description": text, **more}


# Name of the component that a schema becomes. apispec passes on no reference, and no
# discriminator by its own name.
COMPONENT = "x-component"
DISCRIMINATOR = "x-discriminator"


def one_of(name: str, *schemas: str) -> fields.Raw:
    """Value of one of these schemas, which OpenAPI describes as a component.

    Clients name its type as the component; without one they make a name up.

    :param schemas: each a type of JSON or the name of a component.
    """
    return fields.Raw(metadata=_union(name, schemas))


def told_apart(name: str, member: str, **schemas: str) -> fields.Raw:
    """Value of one of these components, as :func:`one_of`.

    :param member: its value says which: the name of a keyword here.
    """
    references = {
        value: f"#/components/schemas/{each}" for value, each in schemas.items()
    }
    discriminator = {"propertyName": member, "mapping": references}
    return fields.Raw(
        metadata={**_union(name, schemas.values()), DISCRIMINATOR: discriminator}
    )


def _union(name: str, schemas: Iterable[str]) -> dict[str, Any]:
    alternatives = [
        {"$ref": f"#/components/schemas/{each}"}
        if each[0].isupper()
        else {"type": each}
        for each in schemas
    ]
    return {COMPONENT: name, "oneOf": alternatives}


class Problem(Schema):
    """Problem document of RFC 9457; the meaning of a ``code`` never changes."""

    class Meta:
        """Errors have members of their own."""

        unknown = INCLUDE

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True, validate=validate.OneOf(tuple(PROBLEM_TYPES)))
    instance = fields.String()
    parameter = fields.String()
    field = fields.String()
    position = fields.Integer()
    limit = fields.Integer()
    got = fields.Raw()
    line = fields.Integer()
    column = fields.Integer()
    scope = fields.String(metadata=described("the scope that the key lacks"))
    retry_after = fields.Integer(metadata=described("seconds until the next attempt"))
