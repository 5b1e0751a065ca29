"""What declarations of parameters and answers share.

Requests are read by declarations, the OpenAPI document is made from them, and the tests
hold real answers to them. A required member of an answer is always there.
"""

from __future__ import annotations

from typing import Any

from marshmallow import INCLUDE, Schema, fields, validate

from index.article import MAX_ID
from service.codes import PROBLEM_TYPES

# What an id may be; in a path it is percent-encoded.
ID_RULE: dict[str, Any] = {"minLength": 1, "maxLength": MAX_ID, "pattern": r"^\S+$"}


def described(text: str, **more: Any) -> dict[str, Any]:
    return {"description": text, **more}


def any_of(*schemas: str) -> fields.Raw:
    """A value of any of these schemas: a type of JSON, or the name of a component."""
    return fields.Raw(
        metadata={
            "anyOf": [
                {"$ref": f"#/components/schemas/{name}"}
                if name[0].isupper()
                else {"type": name}
                for name in schemas
            ]
        }
    )


class Problem(Schema):
    """What went wrong, as RFC 9457 has it; ``code`` never changes its meaning."""

    class Meta:
        """Errors carry further facts by name."""

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
    scope = fields.String(metadata=described("what the key lacks"))
    retry_after = fields.Integer(metadata=described("seconds until the next try"))
