"""Parameters and answers of the operations on articles."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from index.article import (
    CONCEPT_FIELDS,
    DATE_FIELDS,
    FIELDS,
    PLACES,
    RIGHTS_FIELDS,
    TEXT_FIELDS,
    Role,
    Status,
)
from index.formats import FORMATS
from index.history import Outcome, Relation
from index.rendering import REPRESENTATIONS
from service.exchange import (
    ID_RULE,
    WAIT,
    Choice,
    Flag,
    Problem,
    Text,
    Whole,
    described,
    one_of,
)

_VIEW: dict[str, fields.Field[Any]] = {
    "q": Text(metadata=described("mark the words of this query")),
    "in": Choice(
        tuple(PLACES), metadata=described("where to mark the words", default="text")
    ),
    "version": Text(metadata=described("an older version; by default the current one")),
    "format": Choice(
        ("json", *REPRESENTATIONS),
        metadata=described("of the answer; by default the one that Accept prefers"),
    ),
}


_FORMAT: dict[str, fields.Field[Any]] = {
    "format": Choice(
        tuple(FORMATS),
        metadata=described(
            "format of the body, if its media type does not determine it"
        ),
    )
}


_FORCE: dict[str, fields.Field[Any]] = {
    "force": Flag(
        metadata=described(
            "replace a stored version that has other content; also needs the scope"
            " admin",
            default=False,
        )
    )
}


ArticleArguments = Schema.from_dict(_VIEW, name="ArticleArguments")
WriteArguments = Schema.from_dict({**_FORMAT, **_FORCE, **WAIT}, name="WriteArguments")


VersionsArguments = Schema.from_dict(
    {
        "before": Text(
            metadata=described("only versions below this one: for the next page")
        ),
        "limit": Whole(
            1, 1000, metadata=described("maximum number of versions", default=100)
        ),
    },
    name="VersionsArguments",
)


class Concept(Schema):
    """A subject, person, organisation, place, author or genre."""

    name = fields.String(required=True)
    code = fields.String()
    scheme = fields.String()
    uri = fields.String()


def _concepts(text: str) -> fields.Field[Any]:
    return fields.List(
        one_of("ConceptOrName", "string", "Concept"),
        allow_none=True,
        metadata=described(text),
    )


_ABOUT = {field.name: field.about for field in FIELDS}


_MARKS = fields.List(
    fields.List(fields.Integer(), validate=validate.Length(equal=2)),
    metadata=described("start and end of each mark in text, in Unicode code points"),
)


_ED_NOTE = fields.String(
    metadata=described("note to editors, only for keys with read-embargoed")
)


_RIGHTS = {
    name: fields.String(metadata=described("as in the article, if it has one"))
    for name in RIGHTS_FIELDS
}


HTML = "the text, escaped, with <mark> around each match"


def article_fields() -> dict[str, fields.Field[Any]]:
    declared: dict[str, fields.Field[Any]] = {
        "id": fields.String(required=True),
        "version": fields.String(required=True),
        "status": fields.String(metadata=described(", ".join(Status))),
        "urgency": fields.Integer(validate=validate.Range(1, 9), allow_none=True),
    }
    for name in TEXT_FIELDS:
        if name != "ed_note":
            declared[name] = fields.String(
                allow_none=True, metadata=described(_ABOUT.get(name, name))
            )
    for name in DATE_FIELDS:
        declared[name] = fields.DateTime(
            allow_none=True, metadata=described(_ABOUT.get(name, name))
        )
    for name in CONCEPT_FIELDS:
        declared[name] = _concepts(_ABOUT.get(name, name))
    declared["extra"] = fields.Dict(
        allow_none=True, metadata=described("other data of the format")
    )
    declared["headline_html"] = fields.String(allow_none=True, metadata=described(HTML))
    return declared


class Paragraph(Schema):
    """A paragraph of an article; with a query, also ``html`` and ``marks``."""

    id = fields.String(required=True, metadata=described("ARTICLE-ID#pN"))
    n = fields.Integer(required=True, metadata=described("0 is the headline"))
    role = fields.String(required=True, validate=validate.OneOf([*Role]))
    text = fields.String(required=True)
    html = fields.String(metadata=described(HTML))
    marks = _MARKS
    credit = fields.String(metadata=described("the credit of a caption's picture"))
    key = fields.String(metadata=described("stays the same as long as the text does"))


class QueryWarning(Schema):
    """A part of q that was not understood as typed."""

    code = fields.String(required=True)
    detail = fields.String(required=True)
    position = fields.Integer(
        required=True, metadata=described("offset in q, in code points")
    )
    length = fields.Integer(required=True)


class UnderstoodQuery(Schema):
    """How q was understood."""

    text = fields.String(required=True)
    understood = fields.String(required=True)
    warnings = fields.List(
        fields.Nested(QueryWarning),
        required=True,
        metadata=described(
            "for an article also marks_left_out: marking took too long, and no word is"
            " marked"
        ),
    )


class ParagraphBody(Schema):
    """A paragraph in a body."""

    text = fields.String(required=True)
    role = fields.String(
        validate=validate.OneOf([*Role]), metadata=described("by default body")
    )
    credit = fields.String()


# What articles have in bodies and in answers.
ArticleFields = Schema.from_dict(
    {
        name: field
        for name, field in article_fields().items()
        if name not in ("id", "version", "status", "headline_html")
    },
    name="ArticleFields",
)


ArticleBody = Schema.from_dict(
    {
        **ArticleFields._declared_fields,
        "status": fields.String(validate=validate.OneOf([*Status])),
        "version": fields.String(
            metadata=described("by default, the previous number plus one")
        ),
        "paragraphs": fields.List(one_of("ParagraphOrText", "string", "ParagraphBody")),
        "ed_note": _ED_NOTE,
    },
    name="ArticleBody",
)


IdentifiedArticle = Schema.from_dict(
    {
        **ArticleBody._declared_fields,
        "id": fields.String(
            required=True, metadata=described("the newsroom's own id", **ID_RULE)
        ),
    },
    name="IdentifiedArticle",
)


# In a list under a name of its own: a generator of clients imports a name twice that
# stands for both alternatives of a body.
ListedArticle = Schema.from_dict(
    IdentifiedArticle._declared_fields, name="ListedArticle"
)


ArticleAnswer = Schema.from_dict(
    {
        **article_fields(),
        "ed_note": _ED_NOTE,
        "paragraphs": fields.List(fields.Nested(Paragraph), required=True),
        "current": fields.Boolean(
            required=True, metadata=described("searches use this version")
        ),
        "seq": fields.Integer(
            required=True, metadata=described("the change that stored this version")
        ),
        "at": fields.DateTime(required=True, metadata=described("when it was stored")),
        "query": fields.Nested(UnderstoodQuery),
    },
    name="ArticleAnswer",
)


ParagraphAnswer = Schema.from_dict(
    {**Paragraph._declared_fields, **_RIGHTS}, name="ParagraphAnswer"
)


ParagraphsAnswer = Schema.from_dict(
    {
        "id": fields.String(required=True),
        "version": fields.String(required=True),
        "paragraphs": fields.List(fields.Nested(Paragraph), required=True),
        **_RIGHTS,
    },
    name="ParagraphsAnswer",
)


class Version(Schema):
    """A stored version of an article."""

    version = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf([*Status]))
    headline = fields.String(required=True, allow_none=True)
    current = fields.Boolean(required=True)
    seq = fields.Integer(required=True)
    at = fields.DateTime(required=True)


class ChainMember(Schema):
    """An article that evolved from this one, or this one from it."""

    id = fields.String(required=True)
    version = fields.String(required=True)
    headline = fields.String(required=True, allow_none=True)
    published = fields.DateTime(required=True, allow_none=True)
    relation = fields.String(required=True, validate=validate.OneOf([*Relation]))


class VersionsAnswer(Schema):
    """The versions of an article, and the other articles of its chain."""

    versions = fields.List(fields.Nested(Version), required=True)
    next = fields.String(
        required=True,
        allow_none=True,
        metadata=described("the version to send as before; null on the last page"),
    )
    chain = fields.List(fields.Nested(ChainMember), required=True)
    chain_complete = fields.Boolean(
        required=True,
        metadata=described("whether the whole chain is listed, in both directions"),
    )


class WriteResult(Schema):
    """Outcome of one article."""

    id = fields.String(required=True, allow_none=True)
    version = fields.String(required=True, allow_none=True)
    status = fields.String(
        required=True,
        validate=validate.OneOf([*Outcome, "error"]),
    )
    seq = fields.Integer(required=True, allow_none=True)
    label = fields.String(metadata=described("name for a record whose id is unknown"))
    line = fields.Integer(metadata=described("line of the record in JSONL, from 1"))
    warnings = fields.List(fields.String())
    error = fields.Nested(Problem)


class WriteAnswer(Schema):
    """Outcomes of the articles, in the order sent."""

    results = fields.List(fields.Nested(WriteResult), required=True)
    seq = fields.Integer(
        required=True, allow_none=True, metadata=described("the newest of the changes")
    )
    indexed = fields.Boolean(
        required=True, metadata=described("true: searches already include the change")
    )


class DeleteAnswer(Schema):
    """Answer to a deletion."""

    id = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(["deleted"]))
    seq = fields.Integer(required=True)
    indexed = fields.Boolean(required=True)
