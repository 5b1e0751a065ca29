"""Parameters and answers of withdrawals, and of the list of notices."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from service.exchange import ID_RULE, Choice, Text, Whole, described

KillArguments = Schema.from_dict(
    {
        "note": Text(
            metadata=described("the reason, for everybody who could see the article")
        ),
        "replacement": Text(
            metadata=described("id of the article to use instead", **ID_RULE)
        ),
        "cascade": Choice(
            ("story",),
            metadata=described(
                "story: also kill the articles it evolved from, those that evolved from"
                " it, and those of its story"
            ),
        ),
        "version": Text(
            metadata=described(
                "kill all versions up to this one; by default up to the current one"
            )
        ),
    },
    name="KillArguments",
)
KillArguments.optional = True  # type: ignore[attr-defined]  # as a body
NoticesArguments = Schema.from_dict(
    {
        "status": Choice(
            ("canceled",), required=True, metadata=described("status of the articles")
        ),
        "before": Whole(
            1, metadata=described("only notices with a smaller seq: for the next page")
        ),
        "limit": Whole(
            1, 1000, metadata=described("maximum number of notices", default=100)
        ),
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
        metadata=described(
            "the highest version that was killed; null if none has arrived"
        ),
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
        metadata=described("notices of this article, and of those killed with it"),
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
        metadata=described("the change; null if the article already had this status"),
    )
    indexed = fields.Boolean(required=True)


class NoticesAnswer(Schema):
    """Notices of killed articles, the newest first."""

    notices = fields.List(fields.Nested(Notice), required=True)
    next = fields.Integer(
        required=True,
        allow_none=True,
        metadata=described("the seq to send as before; null on the last page"),
    )
