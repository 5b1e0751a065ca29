"""Differences between two versions of an article."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from index.access import Scope
from index.article import Role
from index.history import ChangeKind
from index.rendering import difference_document
from service.authority import reader
from service.context import context
from service.exchange import (
    Blueprint,
    Text,
    conditional_response,
    described,
    digest_of_request,
    json_response,
)

blueprint = Blueprint(
    "comparisons", __name__, description="Compare versions of an article"
)


DiffArguments = Schema.from_dict(
    {
        "from": Text(
            metadata=described("a version; by default the visible one before")
        ),
        "to": Text(metadata=described("a version; by default the current one")),
    },
    name="DiffArguments",
)


class ComparedParagraph(Schema):
    """A paragraph in one of two versions."""

    n = fields.Integer(required=True, metadata=described("0 is the headline"))
    role = fields.String(required=True, validate=validate.OneOf([*Role]))
    text = fields.String(required=True)
    marks = fields.List(
        fields.List(fields.Integer(), validate=validate.Length(equal=2)),
        required=True,
        metadata=described(
            "start and end of each text that the other version does not have"
        ),
    )
    key = fields.String(
        required=True, metadata=described("stays the same as long as the text does")
    )
    credit = fields.String(metadata=described("the credit of a caption's picture"))


ParagraphChange = Schema.from_dict(
    {
        "type": fields.String(required=True, validate=validate.OneOf([*ChangeKind])),
        "from": fields.Nested(ComparedParagraph, required=True, allow_none=True),
        "to": fields.Nested(ComparedParagraph, required=True, allow_none=True),
        "html": fields.String(
            required=True,
            metadata=described("both texts merged and escaped, with <del> and <ins>"),
        ),
        "moved": fields.Integer(
            metadata=described(
                "its number in the other version, if the same text is there"
            )
        ),
    },
    name="ParagraphChange",
)
FieldChange = Schema.from_dict(
    {
        "name": fields.String(required=True),
        "from": fields.Raw(required=True, allow_none=True),
        "to": fields.Raw(required=True, allow_none=True),
    },
    name="FieldChange",
)
DiffAnswer = Schema.from_dict(
    {
        "id": fields.String(required=True),
        "from": fields.String(required=True, metadata=described("a version")),
        "to": fields.String(required=True, metadata=described("a version")),
        "coarse": fields.Boolean(
            required=True,
            metadata=described("true: too long to be compared word by word everywhere"),
        ),
        "fields": fields.List(fields.Nested(FieldChange), required=True),
        "paragraphs": fields.List(fields.Nested(ParagraphChange), required=True),
    },
    name="DiffAnswer",
)


@blueprint.of_article(
    "GET",
    "/diff",
    scope=Scope.SEARCH,
    takes=DiffArguments,
    gives=DiffAnswer,
    also={304: None},
    problems=(404, 410, 503),
)
def diff_article(arguments: dict[str, Any], article_id: str) -> Response:
    """Compare two versions of an article, word by word."""
    with context().archive.moment(reader=reader()) as moment:
        return conditional_response(
            moment.tag(digest_of_request(arguments)),
            lambda: json_response(
                difference_document(
                    moment.difference(
                        article_id, old=arguments.get("from"), new=arguments.get("to")
                    )
                )
            ),
        )
