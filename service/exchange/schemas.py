"""Every body and answer of the API, declared once, as its parameters are elsewhere.

The OpenAPI document is made from these declarations, and the tests hold real answers to
them. A required member is always there.
"""

from __future__ import annotations

from typing import Any

from marshmallow import INCLUDE, Schema, fields, validate

from index.article import (
    CONCEPT_FIELDS,
    DATE_FIELDS,
    FIELDS,
    RIGHTS_FIELDS,
    TEXT_FIELDS,
    Kind,
    Role,
    Status,
)
from index.history import FEED_TYPES, Outcome, Relation
from index.query import Interval
from service.codes import PROBLEM_TYPES
from service.exchange.parameters import ID_RULE, described


class Concept(Schema):
    """A subject, person, organisation, place, author or genre."""

    name = fields.String(required=True)
    code = fields.String()
    scheme = fields.String()
    uri = fields.String()


def _concepts(text: str) -> fields.Field[Any]:
    return fields.List(
        fields.Raw(
            metadata={
                "anyOf": [
                    {"type": "string"},
                    {"$ref": "#/components/schemas/Concept"},
                ]
            }
        ),
        allow_none=True,
        metadata=described(text),
    )


_ABOUT = {each.name: each.about for each in FIELDS}
_MARKS = fields.List(
    fields.List(fields.Integer(), validate=validate.Length(equal=2)),
    metadata=described("spans of text: start and end, in Unicode code points"),
)
_ED_NOTE = fields.String(
    metadata=described("for editors: shown only to keys with read-embargoed")
)
_RIGHTS = {
    name: fields.String(metadata=described("of the article, where it has one"))
    for name in RIGHTS_FIELDS
}
_HTML = "the text, escaped, with <mark> around what matched"


def _article_fields() -> dict[str, fields.Field[Any]]:
    found: dict[str, fields.Field[Any]] = {
        "id": fields.String(required=True),
        "version": fields.String(required=True),
        "status": fields.String(validate=validate.OneOf([*Status])),
        "urgency": fields.Integer(validate=validate.Range(1, 9), allow_none=True),
    }
    for name in TEXT_FIELDS:
        if name != "ed_note":
            found[name] = fields.String(
                allow_none=True, metadata=described(_ABOUT.get(name, name))
            )
    for name in DATE_FIELDS:
        found[name] = fields.DateTime(
            allow_none=True, metadata=described(_ABOUT.get(name, name))
        )
    for name in CONCEPT_FIELDS:
        found[name] = _concepts(_ABOUT.get(name, name))
    found["extra"] = fields.Dict(
        allow_none=True, metadata=described("what the format carried besides")
    )
    found["headline_html"] = fields.String(allow_none=True, metadata=described(_HTML))
    return found


class Paragraph(Schema):
    """A paragraph of an article; ``html`` and ``marks`` where a query was given."""

    id = fields.String(required=True, metadata=described("ARTICLE-ID#pN"))
    n = fields.Integer(required=True, metadata=described("0 is the headline"))
    role = fields.String(required=True, validate=validate.OneOf([*Role]))
    text = fields.String(required=True)
    html = fields.String(metadata=described(_HTML))
    marks = _MARKS
    credit = fields.String(metadata=described("who made the picture of a caption"))
    key = fields.String(metadata=described("stays while the text does"))


class Passage(Paragraph):
    """A matching paragraph, or its sentences around what matched."""

    score = fields.Float(required=True)
    html = fields.String(required=True, metadata=described(_HTML))


class ScorePart(Schema):
    """What a word added to a score."""

    text = fields.String(required=True)
    article = fields.Float(required=True)
    paragraph = fields.Float(required=True)


_EXPLAIN = fields.List(
    fields.Nested(ScorePart), metadata=described("parts of the score, with explain=1")
)
ArticleSummary = Schema.from_dict(_article_fields(), name="ArticleSummary")
ArticleHit = Schema.from_dict(
    {
        **_article_fields(),
        "score": fields.Float(required=True),
        "passages_total": fields.Integer(
            required=True, metadata=described("matching paragraphs of the article")
        ),
        "passages": fields.List(fields.Nested(Passage), required=True),
        "explain": _EXPLAIN,
    },
    name="ArticleHit",
)


class ParagraphHit(Passage):
    """A hit of unit=paragraph: a passage and the article it is from."""

    article = fields.Nested(ArticleSummary, required=True)
    explain = _EXPLAIN


class QueryWarning(Schema):
    """Something in q that was not taken as typed."""

    code = fields.String(required=True)
    detail = fields.String(required=True)
    position = fields.Integer(
        required=True, metadata=described("code points from the start of q")
    )
    length = fields.Integer(required=True)


class WordCount(Schema):
    """A word of q and how many articles have it."""

    text = fields.String(required=True)
    articles = fields.Integer(required=True)


class UnderstoodQuery(Schema):
    """How q was taken."""

    text = fields.String(required=True)
    understood = fields.String(required=True)
    warnings = fields.List(fields.Nested(QueryWarning), required=True)


class SearchQuery(UnderstoodQuery):
    """How the query was taken, and what else narrowed the answer."""

    did_you_mean = fields.String(required=True, allow_none=True)
    terms = fields.List(fields.Nested(WordCount), required=True)
    applied = fields.Dict(
        required=True, metadata=described("what narrowed the answer and is not in q")
    )


class Total(Schema):
    """Exact totals."""

    articles = fields.Integer(required=True)
    paragraphs = fields.Integer(required=True)


class IndexState(Schema):
    """The state of the index that an answer comes from."""

    seq = fields.Integer(required=True, metadata=described("newest change included"))
    behind = fields.Integer(
        required=True, metadata=described("changes not yet included")
    )


class FacetValue(Schema):
    """A value and the number of articles that have it."""

    value = fields.String(required=True)
    count = fields.Integer(required=True)
    active = fields.Boolean(required=True, metadata=described("it is filtered for"))
    url = fields.String(
        required=True,
        metadata=described("the search with this value ticked or unticked"),
    )


class Facet(Schema):
    """Articles counted by a field."""

    values = fields.List(fields.Nested(FacetValue), required=True)
    missing = fields.Integer(
        required=True, metadata=described("articles without a value")
    )
    other = fields.Integer(
        required=True, metadata=described("articles with a value that is not listed")
    )
    distinct = fields.Integer(required=True, metadata=described("values there are"))
    interval = fields.String(validate=validate.OneOf([*Interval]))


class SearchAnswer(Schema):
    """The answer to a search."""

    query = fields.Nested(SearchQuery, required=True)
    total = fields.Nested(Total, required=True)
    took_ms = fields.Float(required=True)
    index = fields.Nested(IndexState, required=True)
    hits = fields.List(
        fields.Raw(
            metadata={
                "anyOf": [
                    {"$ref": "#/components/schemas/ArticleHit"},
                    {"$ref": "#/components/schemas/ParagraphHit"},
                ]
            }
        ),
        required=True,
    )
    facets = fields.Dict(
        keys=fields.String(), values=fields.Nested(Facet), required=True
    )
    next = fields.String(
        required=True,
        allow_none=True,
        metadata=described("cursor; null on the last page"),
    )
    next_url = fields.String(required=True, allow_none=True)


class FacetAnswer(Facet):
    """One facet by itself."""

    field = fields.String(required=True)
    index = fields.Nested(IndexState, required=True)


class Suggestion(Schema):
    """Something that starts like what was typed."""

    text = fields.String(required=True)
    type = fields.String(
        required=True, metadata=described("word, headline or the name of a field")
    )
    articles = fields.Integer(required=True)
    id = fields.String(
        required=True, allow_none=True, metadata=described("of a headline's article")
    )


class SuggestAnswer(Schema):
    """Suggestions, best first."""

    suggestions = fields.List(fields.Nested(Suggestion), required=True)


class FieldAnswer(Schema):
    """A field and what can be done with it."""

    name = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf([*Kind]))
    about = fields.String(required=True)
    many = fields.Boolean(
        required=True, metadata=described("several values an article")
    )
    searchable = fields.Boolean(required=True, metadata=described("field:word in q"))
    range = fields.Boolean(required=True, metadata=described("field:[a TO b] in q"))
    filterable = fields.Boolean(
        required=True, metadata=described("FIELD= as parameter")
    )
    facetable = fields.Boolean(required=True, metadata=described("facet=FIELD"))
    sortable = fields.Boolean(required=True, metadata=described("an order goes by it"))
    returned = fields.Boolean(
        required=True, metadata=described("in a hit unless asked")
    )


class FieldsAnswer(Schema):
    """All fields."""

    fields = fields.List(fields.Nested(FieldAnswer), required=True)  # type: ignore[assignment]


ArticleBody = Schema.from_dict(
    {
        **{
            name: field
            for name, field in _article_fields().items()
            if name not in ("id", "version", "headline_html")
        },
        "id": fields.String(
            metadata=described("the newsroom's own; PUT may leave it out", **ID_RULE)
        ),
        "version": fields.String(
            metadata=described("by default one more than the last")
        ),
        "paragraphs": fields.List(
            fields.Raw(
                metadata={
                    "anyOf": [
                        {"type": "string"},
                        {"$ref": "#/components/schemas/ParagraphBody"},
                    ]
                }
            )
        ),
        "ed_note": _ED_NOTE,
    },
    name="ArticleBody",
)


class ParagraphBody(Schema):
    """A paragraph as it is sent."""

    text = fields.String(required=True)
    role = fields.String(validate=validate.OneOf([*Role]), metadata={"default": "body"})
    credit = fields.String()


ArticleAnswer = Schema.from_dict(
    {
        **_article_fields(),
        "ed_note": _ED_NOTE,
        "paragraphs": fields.List(fields.Nested(Paragraph), required=True),
        "current": fields.Boolean(
            required=True, metadata=described("it is the version that is searched")
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
    """An article that evolved from another one, or that another one evolved from."""

    id = fields.String(required=True)
    version = fields.String(required=True)
    headline = fields.String(required=True, allow_none=True)
    published = fields.DateTime(required=True, allow_none=True)
    relation = fields.String(required=True, validate=validate.OneOf([*Relation]))


class VersionsAnswer(Schema):
    """The versions of an article, and the articles of its chain."""

    versions = fields.List(fields.Nested(Version), required=True)
    chain = fields.List(fields.Nested(ChainMember), required=True)
    chain_complete = fields.Boolean(
        required=True, metadata=described("not more than is listed, either way")
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


class WriteResult(Schema):
    """What became of one article."""

    id = fields.String(required=True, allow_none=True)
    version = fields.String(required=True, allow_none=True)
    status = fields.String(
        required=True,
        validate=validate.OneOf([*Outcome, "error"]),
    )
    seq = fields.Integer(required=True, allow_none=True)
    label = fields.String(
        metadata=described("what to call a record whose id is not known")
    )
    line = fields.Integer(metadata=described("where lines were sent, from 1"))
    warnings = fields.List(fields.String())
    error = fields.Nested(Problem)


class WriteAnswer(Schema):
    """What became of each article, in the order sent."""

    results = fields.List(fields.Nested(WriteResult), required=True)
    seq = fields.Integer(
        required=True, allow_none=True, metadata=described("the newest change made")
    )
    indexed = fields.Boolean(
        required=True, metadata=described("searches include it already")
    )


class DeleteAnswer(Schema):
    """What became of a deletion."""

    id = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(["deleted"]))
    seq = fields.Integer(required=True)
    indexed = fields.Boolean(required=True)


class Notice(Schema):
    """What is left to be read of a killed article."""

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
    """That an article is killed: no answer begun from here on has its text."""

    id = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(["canceled"]))
    seq = fields.Integer(required=True)
    notices = fields.List(
        fields.Nested(Notice),
        required=True,
        metadata=described("of this article, and of those killed with it"),
    )


class StatusAnswer(Schema):
    """How an article stands now."""

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


class ChangeEntry(Schema):
    """Something that happened to an article."""

    seq = fields.Integer(required=True)
    type = fields.String(required=True, validate=validate.OneOf(FEED_TYPES))
    id = fields.String(required=True)
    version = fields.String(
        required=True,
        allow_none=True,
        metadata=described("that shows since; null where none does"),
    )
    at = fields.DateTime(required=True, format="iso")
    removed = fields.Boolean(
        required=True, metadata=described("a copy of the article is to go")
    )


class ChangesAnswer(Schema):
    """A stretch of the change feed."""

    changes = fields.List(fields.Nested(ChangeEntry), required=True)
    next = fields.Integer(
        required=True, metadata=described("ask again with since=next")
    )
    more = fields.Boolean(
        required=True, metadata=described("more is there to be had now")
    )
    history = fields.String(
        required=True,
        metadata=described("of the store; another one after a backup was put back"),
    )


class Health(Schema):
    """That the process answers."""

    status = fields.String(required=True, validate=validate.OneOf(["ok"]))


class Readiness(Schema):
    """Whether the service can do its work, and if not, why."""

    status = fields.String(
        required=True, validate=validate.OneOf(["ready", "not ready"])
    )
    problems = fields.List(fields.String(), required=True)
    store_seq = fields.Integer()
    index_seq = fields.Integer()
    behind = fields.Integer()
    behind_seconds = fields.Float()
    indexer_running = fields.Boolean()
    progress = fields.Float(allow_none=True)
    disk_free = fields.Dict(keys=fields.String(), values=fields.Integer())


# Referred to by name from the declarations above, so put into the document by hand.
NAMED: dict[str, type[Schema]] = {
    "Concept": Concept,
    "ArticleHit": ArticleHit,
    "ParagraphHit": ParagraphHit,
    "ParagraphBody": ParagraphBody,
    "ArticleBody": ArticleBody,
}
