"""Parameters and answers of searches, suggestions, facets and the list of fields."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from index.article import DATE_FIELD_NAMES, FACETABLE, FIELDS, PLACES, Kind
from index.query import RETURNABLE, Interval, Request, Scope, Sort, Unit
from service.api.article_schemas import HTML, Paragraph, UnderstoodQuery, article_fields
from service.exchange import (
    Choice,
    Flag,
    Listed,
    Repeatable,
    Text,
    Whole,
    WholeText,
    any_of,
    described,
)


def _filters() -> dict[str, fields.Field[Any]]:
    declared: dict[str, fields.Field[Any]] = {}
    for field in FIELDS:
        if field.filterable:
            whole = field.kind is Kind.INTEGER
            value = WholeText if whole else Text
            kinds = {"type": ["integer", "string"]} if whole else {}
            declared[field.name] = Repeatable(
                value(metadata=kinds),
                metadata=described(
                    f"{field.about}: only articles with one of these values"
                ),
            )
            declared[f"exclude.{field.name}"] = Repeatable(
                value(metadata=kinds),
                metadata=described(f"{field.about}: no article with one of these"),
            )
            declared[f"missing.{field.name}"] = Flag(
                metadata=described(f"{field.about}: articles without a value")
            )
    return declared


_DEFAULTS = Request()


_WHERE: dict[str, fields.Field[Any]] = {
    "q": Text(
        metadata=described("the query; blank is everything", example="kerry talks")
    ),
    "in": Choice(
        tuple(PLACES), metadata=described("where words are sought", default="text")
    ),
    "scope": Choice(
        tuple(Scope),
        metadata=described(
            "whether the words must be in one article or in one paragraph",
            default=_DEFAULTS.scope.value,
        ),
    ),
    **_filters(),
    "from": Text(
        metadata=described(
            "first day, month, year or instant: 2016-09-29, 2016-09, 2016,"
            " 2016-09-29T14:30:00Z, -7d, today, yesterday"
        )
    ),
    "to": Text(metadata=described("the last one, included")),
    "date": Choice(
        DATE_FIELD_NAMES,
        metadata=described("what from and to are about", default=_DEFAULTS.date),
    ),
    "tz": Text(metadata=described("IANA time zone", default=_DEFAULTS.tz)),
    "strict": Flag(
        metadata=described(
            "answer 400 where q is not understood as typed", default=False
        )
    ),
}


_FACET_SIZE = Whole(
    0, 1_000, metadata=described("most values of a facet", default=_DEFAULTS.facet_size)
)


SearchArguments = Schema.from_dict(
    {
        **_WHERE,
        "unit": Choice(
            tuple(Unit),
            metadata=described("what a hit is", default=_DEFAULTS.unit.value),
        ),
        "sort": Choice(
            tuple(Sort),
            metadata=described("by default relevance with q, newest without"),
        ),
        "limit": Whole(
            0,
            metadata=described(
                "most hits in the answer, to 100 unless the operator says else",
                default=_DEFAULTS.limit,
            ),
        ),
        "page": Whole(
            1, metadata=described("page of that size, from 1; not together with cursor")
        ),
        "cursor": Text(metadata=described("next of the answer before")),
        "facet": Repeatable(
            Text(),
            metadata=described(
                f"count articles by a field: {', '.join(FACETABLE)}; dates by"
                f" {', '.join(Interval)}, such as published:month"
            ),
        ),
        "facet_size": _FACET_SIZE,
        "passages": Whole(
            0,
            20,
            metadata=described("most passages of a hit", default=_DEFAULTS.passages),
        ),
        "passage_length": Whole(
            0,
            100_000,
            metadata=described(
                "characters of a passage, cut at sentence ends; 0 is all of it",
                default=_DEFAULTS.passage_length,
            ),
        ),
        "fields": Listed(
            Choice(RETURNABLE),
            metadata=described("article fields to return, with commas between them"),
        ),
        "explain": Flag(
            metadata=described("show the parts of each score", default=False)
        ),
        "format": Choice(
            ("json",), metadata=described("of the answer", default="json")
        ),
    },
    name="SearchArguments",
)


FacetArguments = Schema.from_dict(
    {
        **_WHERE,
        "prefix": Text(metadata=described("only values that start like this")),
        "facet_size": _FACET_SIZE,
    },
    name="FacetArguments",
)


SuggestArguments = Schema.from_dict(
    {
        "q": Text(required=True, metadata=described("what is typed so far")),
        "limit": Whole(1, 50, metadata=described("most suggestions", default=10)),
    },
    name="SuggestArguments",
)


class Passage(Paragraph):
    """A matching paragraph, or its sentences around the matches."""

    score = fields.Float(required=True)
    html = fields.String(required=True, metadata=described(HTML))


class ScorePart(Schema):
    """What a word contributed to a score."""

    text = fields.String(required=True)
    article = fields.Float(required=True)
    paragraph = fields.Float(required=True)


_EXPLAIN = fields.List(
    fields.Nested(ScorePart), metadata=described("parts of the score, with explain=1")
)


ArticleSummary = Schema.from_dict(article_fields(), name="ArticleSummary")


ArticleHit = Schema.from_dict(
    {
        **article_fields(),
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
    """A hit with unit=paragraph: a passage and its article."""

    article = fields.Nested(ArticleSummary, required=True)
    explain = _EXPLAIN


class WordCount(Schema):
    """A word of q, and the number of articles that contain it."""

    text = fields.String(required=True)
    articles = fields.Integer(required=True)


class SearchQuery(UnderstoodQuery):
    """How the query was understood, and what else filtered the answer."""

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
        any_of("ArticleHit", "ParagraphHit"),
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
    """A word, headline or value that starts with the typed text."""

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
    """A field, and what it can be used for."""

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
