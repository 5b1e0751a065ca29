"""Every parameter of the API, declared once.

Requests are read by these declarations and the OpenAPI document is made from them. The
names of fields, and what can be asked of each, come from :mod:`index.article.fields`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from index.article import DATE_FIELD_NAMES, FACETABLE, FIELDS, MAX_ID, PLACES, Kind
from index.formats import FORMATS
from index.query import MAX_DIGITS, RETURNABLE, Interval, Request, Scope, Sort, Unit

_WHOLE = re.compile(r"[+-]?[0-9]{1,9}\Z")
_DIGITS = re.compile(rf"\s*[0-9]{{1,{MAX_DIGITS}}}\s*\Z")
_FLAGS = {"1": True, "true": True, "0": False, "false": False}


class Refused(ValidationError):
    """A value that does not fit, with the code that says why."""

    def __init__(self, detail: str, *, code: str) -> None:
        super().__init__(detail)
        self.code = code


class Text(fields.String):
    """Text without NUL and lone surrogates."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise ValidationError("must be text")
        if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
            raise Refused("contains a NUL or a lone surrogate", code="invalid_encoding")
        return value


class Whole(fields.Integer):
    """A whole number, in ASCII digits where it comes as text."""

    def __init__(self, low: int, high: int | None = None, **kwargs: Any) -> None:
        bounds = f"{low:,} or more" if high is None else f"{low:,} to {high:,}"
        error = f"must be {bounds}"
        super().__init__(validate=validate.Range(low, high, error=error), **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if not isinstance(value, str) or not _WHOLE.match(value):
            raise ValidationError("must be a whole number")
        return int(value)


class WholeText(Text):
    """A whole number that is a value of a field, as text; JSON may have a number."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        text = super()._deserialize(value, *args, **kwargs)
        # The archive says what is wrong with any other.
        return str(int(text)) if _DIGITS.match(text) else text


class Flag(fields.Boolean):
    """A switch: ``1`` or ``true``, ``0`` or ``false``."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> bool:
        known = _FLAGS.get(str(value).lower())
        if known is None:
            raise ValidationError("must be 1, true, 0 or false")
        return known


class Choice(Text):
    """One of a few words."""

    def __init__(self, choices: Sequence[str], **kwargs: Any) -> None:
        words = tuple(map(str, choices))
        error = f"must be one of {', '.join(words)}"
        super().__init__(validate=validate.OneOf(words, error=error), **kwargs)


class Repeatable(fields.List[Any]):
    """A parameter that may be given several times, or as a list in JSON.

    Each value may not be blank.
    """

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        items = value if isinstance(value, list) else [value]
        if "" in items:
            raise ValidationError("is blank; leave it out")
        return [self.inner.deserialize(item) for item in items]


class Listed(Repeatable):
    """Names with commas between them, or as a list."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        items = value if isinstance(value, list) else [value]
        names = [name.strip() for item in items for name in item.split(",")]
        return super()._deserialize(names, *args, **kwargs)


def described(text: str, **more: Any) -> dict[str, Any]:
    return {"description": text, **more}


def _filters() -> dict[str, fields.Field[Any]]:
    found: dict[str, fields.Field[Any]] = {}
    for each in FIELDS:
        if each.filterable:
            whole = each.kind is Kind.INTEGER
            value = WholeText if whole else Text
            kinds = {"type": ["integer", "string"]} if whole else {}
            found[each.name] = Repeatable(
                value(metadata=kinds),
                metadata=described(
                    f"{each.about}: only articles with one of these values"
                ),
            )
            found[f"exclude.{each.name}"] = Repeatable(
                value(metadata=kinds),
                metadata=described(f"{each.about}: no article with one of these"),
            )
            found[f"missing.{each.name}"] = Flag(
                metadata=described(f"{each.about}: articles without a value")
            )
    return found


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

# What an id may be; in a path it is percent-encoded.
ID_RULE: dict[str, Any] = {"minLength": 1, "maxLength": MAX_ID, "pattern": r"^\S+$"}


def _path_parameter(name: str, text: str, **schema: Any) -> dict[str, Any]:
    return {
        "in": "path",
        "name": name,
        "required": True,
        "description": text,
        "schema": schema,
    }


# The parts of paths, by the names that the routes have for them.
PATH_PARAMETERS = {
    each["name"]: each
    for each in (
        _path_parameter(
            "article_id",
            "the article's id, percent-encoded: / is %2F",
            type="string",
            **ID_RULE,
        ),
        _path_parameter(
            "n", "the paragraph's number; 0 is the headline", type="integer", minimum=0
        ),
        _path_parameter(
            "field",
            "a field; of dates, also with an interval: published:month",
            type="string",
            enum=[
                *FACETABLE,
                *(
                    f"{name}:{interval}"
                    for name in FACETABLE
                    for interval in Interval
                    if name in DATE_FIELD_NAMES
                ),
            ],
        ),
    )
}
_ID: dict[str, fields.Field[Any]] = {
    "id": Text(required=True, metadata=described("the article's id", **ID_RULE))
}
_WAIT: dict[str, fields.Field[Any]] = {
    "wait": Flag(
        metadata=described(
            "answer once the change can be found, after 10 s at the latest",
            default=False,
        )
    )
}
_FORCE: dict[str, fields.Field[Any]] = {
    "force": Flag(
        metadata=described(
            "replace a version that is there with other content; takes the scope admin"
            " besides",
            default=False,
        )
    )
}
_FORMAT: dict[str, fields.Field[Any]] = {
    "format": Choice(
        tuple(FORMATS),
        metadata=described("format of the body, where its type does not say"),
    )
}
_VIEW: dict[str, fields.Field[Any]] = {
    "q": Text(metadata=described("mark the words of this query")),
    "in": Choice(
        tuple(PLACES), metadata=described("where words are marked", default="text")
    ),
    "version": Text(metadata=described("an older version; by default the current one")),
    "format": Choice(
        ("json", *(each.name for each in FORMATS.values() if each.write)),
        metadata=described("of the answer", default="json"),
    ),
}

_KILL: dict[str, fields.Field[Any]] = {
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
}
_ORIGINAL: dict[str, fields.Field[Any]] = {
    "version": Text(metadata=described("by default the current one")),
}
_DIFF: dict[str, fields.Field[Any]] = {
    "from": Text(
        metadata=described("a version; by default the one before, of those that show")
    ),
    "to": Text(metadata=described("a version; by default the current one")),
}

SuggestArguments = Schema.from_dict(
    {
        "q": Text(required=True, metadata=described("what is typed so far")),
        "limit": Whole(1, 50, metadata=described("most suggestions", default=10)),
    },
    name="SuggestArguments",
)
KillArguments = Schema.from_dict(_KILL, name="KillArguments")
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
ChangesArguments = Schema.from_dict(
    {
        "since": Whole(0, metadata=described("changes after this seq", default=0)),
        "limit": Whole(1, 1000, metadata=described("most changes", default=100)),
        "history": Text(
            metadata=described("as it was answered with next; another one is refused")
        ),
        "wait": Whole(
            0,
            30,
            metadata=described("seconds to wait for a change if there is none"),
        ),
    },
    name="ChangesArguments",
)
NoArguments = Schema.from_dict({}, name="NoArguments")
ArticleArguments = Schema.from_dict(_VIEW, name="ArticleArguments")
OriginalArguments = Schema.from_dict(_ORIGINAL, name="OriginalArguments")
DiffArguments = Schema.from_dict(_DIFF, name="DiffArguments")
WriteArguments = Schema.from_dict({**_FORMAT, **_FORCE, **_WAIT}, name="WriteArguments")
DeleteArguments = Schema.from_dict(_WAIT, name="DeleteArguments")


def with_id(arguments: type[Schema]) -> type[Schema]:
    """Return parameters, and the id of the article that they are of."""
    name = arguments.__name__.replace("Arguments", "ByIdArguments")
    return Schema.from_dict({**_ID, **arguments._declared_fields}, name=name)
