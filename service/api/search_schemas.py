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
    SearchFormat,
    Text,
    Whole,
    WholeText,
    described,
    told_apart,
)


def _filters() -> dict[str, fields.Field[Any]]:
    declared: dict[str, fields.Field[Any]] = {}
    for field in FIELDS:
        if field.filterable:
            whole = field.kind is Kind.INTEGER
            value = WholeText if whole else Text
            kinds = {"type": "integer", "minimum": 0} if whole else {}
            declared[field.name] = Repeatable(
                value(metadata=kinds),
                metadata=described(
                    f"{field.about}: only articles with one of these values"
                ),
            )
            declared[f"exclude.{field.name}"] = Repeatable(
                value(metadata=kinds),
                metadata=described(
                    f"{field.about}: no articles with one of these values"
                ),
            )
            declared[f"missing.{field.name}"] = Flag(
                metadata=described(f"{field.about}: articles without a value")
            )
    return declared


_DEFAULTS = Request()


_WHERE: dict[str, fields.Field[Any]] = {
    "q": Text(
        metadata=described(
            "the query; if it is blank, all articles match", example="kerry talks"
        )
    ),
    "in": Choice(
        tuple(PLACES), metadata=described("where to look for the words", default="text")
    ),
    "scope": Choice(
        tuple(Scope),
        metadata=described(
            "whether all words must occur in one article or in one paragraph",
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
    "to": Text(
        metadata=described("last day, month, year or instant, which is included")
    ),
    "date": Choice(
        DATE_FIELD_NAMES,
        metadata=described(
            "the date that from and to apply to", default=_DEFAULTS.date
        ),
    ),
    "tz": Text(metadata=described("IANA time zone", default=_DEFAULTS.tz)),
    "strict": Flag(
        metadata=described(
            "answer 400 if a part of q is not understood as typed", default=False
        )
    ),
}


_FACET_SIZE = Whole(
    0,
    1_000,
    metadata=described(
        "maximum number of values of a facet", default=_DEFAULTS.facet_size
    ),
)


_SEARCH: dict[str, fields.Field[Any]] = {
    **_WHERE,
    "unit": Choice(
        tuple(Unit),
        metadata=described("what a hit is", default=_DEFAULTS.unit.value),
    ),
    "sort": Choice(
        tuple(Sort),
        metadata=described("order; by default relevance with q, otherwise newest"),
    ),
    "limit": Whole(
        0,
        metadata=described(
            "maximum number of hits; 100 at most, unless the operator changes it",
            default=_DEFAULTS.limit,
        ),
    ),
    "page": Whole(
        1, metadata=described("page number, from 1; not together with cursor")
    ),
    "cursor": Text(metadata=described("next from the previous answer")),
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
        metadata=described(
            "maximum number of passages of a hit", default=_DEFAULTS.passages
        ),
    ),
    "passage_length": Whole(
        0,
        100_000,
        metadata=described(
            "characters of a passage, cut at the end of a sentence; 0: not cut",
            default=_DEFAULTS.passage_length,
        ),
    ),
    "fields": Listed(
        Choice(RETURNABLE),
        metadata=described("article fields to return, separated by commas"),
    ),
    "explain": Flag(
        metadata=described("return the parts of each score", default=False)
    ),
    "guard": Flag(
        metadata=described(
            "csv: write an apostrophe before cells that a spreadsheet would"
            " compute, such as =1+1",
            default=True,
        )
    ),
}


SearchArguments = Schema.from_dict(
    {
        **_SEARCH,
        "format": Choice(
            tuple(SearchFormat),
            metadata=described(
                "format of the answer: json; ndjson and csv with all hits, limit at"
                " most; feeds as atom, rss and jsonfeed; by default the one that Accept"
                " prefers",
            ),
        ),
    },
    name="SearchArguments",
)


FormatSearchArguments = Schema.from_dict(_SEARCH, name="FormatSearchArguments")


FacetArguments = Schema.from_dict(
    {
        **_WHERE,
        "prefix": Text(metadata=described("only values that start with this text")),
        "facet_size": _FACET_SIZE,
    },
    name="FacetArguments",
)


SuggestArguments = Schema.from_dict(
    {
        "q": Text(required=True, metadata=described("the text typed so far")),
        "limit": Whole(
            1, 50, metadata=described("maximum number of suggestions", default=10)
        ),
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
        "unit": fields.String(required=True, validate=validate.OneOf(["article"])),
        **article_fields(),
        "score": fields.Float(required=True),
        "passages_total": fields.Integer(
            required=True,
            metadata=described("number of matching paragraphs of the article"),
        ),
        "passages": fields.List(fields.Nested(Passage), required=True),
        "explain": _EXPLAIN,
    },
    name="ArticleHit",
)


class ParagraphHit(Passage):
    """A hit with unit=paragraph: a passage and its article."""

    unit = fields.String(required=True, validate=validate.OneOf(["paragraph"]))
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
        required=True,
        metadata=described("the filters and order in effect that are not in q"),
    )


class Total(Schema):
    """Exact totals."""

    articles = fields.Integer(required=True)
    paragraphs = fields.Integer(required=True)


class IndexState(Schema):
    """The state of the index that an answer comes from."""

    seq = fields.Integer(
        required=True, metadata=described("the newest change that the answer includes")
    )
    behind = fields.Integer(
        required=True,
        metadata=described("number of accepted changes that it does not include yet"),
    )


class FacetValue(Schema):
    """A value and the number of articles that have it."""

    value = fields.String(required=True)
    count = fields.Integer(required=True)
    active = fields.Boolean(
        required=True, metadata=described("the search filters for this value")
    )
    url = fields.String(
        required=True,
        metadata=described(
            "the search with this value selected, or deselected if it is active"
        ),
    )


class Facet(Schema):
    """Articles counted by a field."""

    values = fields.List(fields.Nested(FacetValue), required=True)
    missing = fields.Integer(
        required=True, metadata=described("number of articles without a value")
    )
    other = fields.Integer(
        required=True,
        metadata=described("number of articles with a value that is not listed"),
    )
    distinct = fields.Integer(
        required=True, metadata=described("number of different values")
    )
    interval = fields.String(
        metadata=described(f"of a date facet: {', '.join(Interval)}")
    )


class SearchAnswer(Schema):
    """The answer to a search."""

    query = fields.Nested(SearchQuery, required=True)
    total = fields.Nested(Total, required=True)
    took_ms = fields.Float(required=True)
    index = fields.Nested(IndexState, required=True)
    hits = fields.List(
        told_apart("Hit", "unit", article="ArticleHit", paragraph="ParagraphHit"),
        required=True,
    )
    facets = fields.Dict(
        keys=fields.String(), values=fields.Nested(Facet), required=True
    )
    next = fields.String(
        required=True,
        allow_none=True,
        metadata=described("cursor of the next page; null on the last page"),
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
        required=True, metadata=described("word, headline, or the name of a field")
    )
    articles = fields.Integer(required=True)
    id = fields.String(
        required=True,
        allow_none=True,
        metadata=described("id of the headline's article"),
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
        required=True, metadata=described("an article may have several values")
    )
    searchable = fields.Boolean(
        required=True, metadata=described("can be used in q as field:word")
    )
    range = fields.Boolean(
        required=True, metadata=described("can be used in q as field:[a TO b]")
    )
    filterable = fields.Boolean(
        required=True, metadata=described("can be used as a filter, FIELD=value")
    )
    facetable = fields.Boolean(
        required=True, metadata=described("can be used as facet=FIELD")
    )
    sortable = fields.Boolean(required=True, metadata=described("an order sorts by it"))
    returned = fields.Boolean(required=True, metadata=described("in hits by default"))


class FieldsAnswer(Schema):
    """All fields."""

    fields = fields.List(fields.Nested(FieldAnswer), required=True)  # type: ignore[assignment]
