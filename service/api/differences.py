"""What two versions of an article differ in."""

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
    DiffArguments,
    decode_id,
    described,
    digest_of_request,
    json_response,
    not_modified,
    set_etag,
)

blueprint = Blueprint(
    "comparisons", __name__, description="Compare versions of an article"
)
blueprint.before_request(decode_id)


class ComparedParagraph(Schema):
    """A paragraph as one of two versions has it."""

    n = fields.Integer(required=True, metadata=described("0 is the headline"))
    role = fields.String(required=True, validate=validate.OneOf([*Role]))
    text = fields.String(required=True)
    marks = fields.List(
        fields.List(fields.Integer(), validate=validate.Length(equal=2)),
        required=True,
        metadata=described("spans of text that the other version has not"),
    )
    key = fields.String(required=True, metadata=described("stays while the text does"))
    credit = fields.String(metadata=described("who made the picture of a caption"))


ParagraphChange = Schema.from_dict(
    {
        "type": fields.String(required=True, validate=validate.OneOf([*ChangeKind])),
        "from": fields.Nested(ComparedParagraph, required=True, allow_none=True),
        "to": fields.Nested(ComparedParagraph, required=True, allow_none=True),
        "html": fields.String(
            required=True,
            metadata=described("both texts in one, escaped, with <del> and <ins>"),
        ),
        "moved": fields.Integer(
            metadata=described("its number in the other version, where it is the same")
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
            metadata=described("too long to be compared word by word throughout"),
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
def diff_article(given: dict[str, Any], article_id: str) -> Response:
    """Compare two versions of an article, word by word."""
    with context().archive.moment(reader=reader()) as moment:
        tag = moment.tag(digest_of_request(given))
        if unchanged := not_modified(tag):
            return unchanged
        found = moment.difference(
            article_id, old=given.get("from"), new=given.get("to")
        )
    return set_etag(json_response(difference_document(found)), tag)
