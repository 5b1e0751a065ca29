"""Parameters and answers of withdrawals, and of the list of notices."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from service.exchange import ID_RULE, Choice, Text, Whole, described

KillArguments = Schema.from_dict(
    {
        "note": Text(metadata=described("why, for everybody who had the article")),
        "replacement": Text(
            metadata=described("id of the article to use instead", **ID_RULE)
        ),
        "cascade": Choice(
            ("story",),
            metadata=described(
                "story: also what it evolved from, what evolved from it, and its story"
            ),
        ),
        "version": Text(
            metadata=described(
                "the highest version that is meant; by default the current one"
            )
        ),
    },
    name="KillArguments",
)
KillArguments.optional = True  # type: ignore[attr-defined]  # as a body
NoticesArguments = Schema.from_dict(
    {
        "status": Choice(
            ("canceled",), required=True, metadata=described("of the articles")
        ),
        "before": Whole(1, metadata=described("only notices with a smaller seq")),
        "limit": Whole(1, 1000, metadata=described("most notices", default=100)),
    },
    name="NoticesArguments",
)


class Notice(Schema):
    """Notice of a kill: all that readers still get of the article."""

    id = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(["canceled"]))
    version = fields.String(
        required=True,
        allow_none=True,
        metadata=described("the highest that was killed; null if none ever came"),
    )
    seq = fields.Integer(required=True)
    at = fields.DateTime(required=True, format="iso")
    note = fields.String(required=True, allow_none=True)
    replacement = fields.String(required=True, allow_none=True)
    cascade = fields.String(
        required=True, allow_none=True, validate=validate.OneOf(["story"])
    )


class KillAnswer(Schema):
    """Answer to a kill; no answer that begins after it has the text."""

    id = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(["canceled"]))
    seq = fields.Integer(required=True)
    notices = fields.List(
        fields.Nested(Notice),
        required=True,
        metadata=described("of this article, and of those killed with it"),
    )


class StatusAnswer(Schema):
    """Status of an article after the change."""

    id = fields.String(required=True)
    status = fields.String(
        required=True, validate=validate.OneOf(["withheld", "usable"])
    )
    seq = fields.Integer(
        required=True,
        allow_none=True,
        metadata=described("null if it stood so already"),
    )
    indexed = fields.Boolean(required=True)


class NoticesAnswer(Schema):
    """Notices of killed articles, the newest first."""

    notices = fields.List(fields.Nested(Notice), required=True)
    next = fields.Integer(
        required=True,
        allow_none=True,
        metadata=described("ask for those before this seq; null at the end"),
    )
