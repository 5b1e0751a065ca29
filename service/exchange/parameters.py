"""Kinds of parameters, and the parameters in paths."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from index.article import DATE_FIELD_NAMES, FACETABLE
from index.query import MAX_DIGITS, Interval
from service.exchange.formats import SearchFormat
from service.exchange.schemas import ID_RULE, described

_WHOLE = re.compile(r"[+-]?[0-9]{1,9}\Z")
MAX_WHOLE = 999_999_999  # with as many digits


_DIGITS = re.compile(rf"\s*[0-9]{{1,{MAX_DIGITS}}}\s*\Z")


_FLAGS = {"1": True, "true": True, "0": False, "false": False}


class Refused(ValidationError):
    """Value that does not fit, with the code of its problem."""

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
    """Whole number; as text, in ASCII digits."""

    def __init__(
        self,
        low: int,
        high: int | None = None,
        *,
        metadata: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        bounds = f"{low:,} or more" if high is None else f"{low:,} to {high:,}"
        error = f"must be {bounds}"
        super().__init__(
            validate=validate.Range(low, high, error=error),
            metadata={"maximum": MAX_WHOLE if high is None else high, **metadata},
        )

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if not isinstance(value, str) or not _WHOLE.match(value):
            raise ValidationError("must be a whole number")
        return int(value)


class WholeText(Text):
    """Whole number as text, to compare with a field; in JSON, also a number."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        text = super()._deserialize(value, *args, **kwargs)
        # The archive refuses any other text, and says why.
        return str(int(text)) if _DIGITS.match(text) else text


class Flag(fields.Boolean):
    """Switch: ``1`` or ``true``, ``0`` or ``false``."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> bool:
        flag = _FLAGS.get(str(value).lower())
        if flag is None:
            raise ValidationError("must be 1, true, 0 or false")
        return flag


class Choice(Text):
    """One of a few words."""

    def __init__(self, choices: Sequence[str], **kwargs: Any) -> None:
        words = tuple(map(str, choices))
        error = f"must be one of {', '.join(words)}"
        super().__init__(validate=validate.OneOf(words, error=error), **kwargs)


class Repeatable(fields.List[Any]):
    """Parameter that may be repeated, or be a list in JSON; no value may be blank."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        items = value if isinstance(value, list) else [value]
        if "" in items:
            raise ValidationError("is blank; leave it out")
        return [self.inner.deserialize(item) for item in items]


class Listed(Repeatable):
    """Names, separated by commas or in a list."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        items = value if isinstance(value, list) else [value]
        names = [name.strip() for item in items for name in item.split(",")]
        return super()._deserialize(names, *args, **kwargs)


def _path_parameter(name: str, text: str, **schema: Any) -> dict[str, Any]:
    return {
        "in": "path",
        "name": name,
        "required": True,
        "description": text,
        "schema": schema,
    }


_FACET_PATTERN = "^({}|({})(:({}))?)$".format(
    *(
        "|".join(names)
        for names in (
            [name for name in FACETABLE if name not in DATE_FIELD_NAMES],
            [name for name in FACETABLE if name in DATE_FIELD_NAMES],
            Interval,
        )
    )
)


# Parameters in paths, by their names in the routes.
PATH_PARAMETERS = {
    parameter["name"]: parameter
    for parameter in (
        _path_parameter(
            "article_id",
            "the article's id, percent-encoded: / is %2F",
            type="string",
            **ID_RULE,
        ),
        _path_parameter(
            "media_id",
            "the asset's id, as the renditions of items have it",
            type="string",
        ),
        _path_parameter(
            "n", "the paragraph's number; 0 is the headline", type="integer", minimum=0
        ),
        _path_parameter(
            "format",
            "format of the answer",
            type="string",
            enum=[*map(str, SearchFormat)],
        ),
        _path_parameter(
            "field",
            "a field; dates may have an interval, as in published:month",
            type="string",
            pattern=_FACET_PATTERN,
        ),
    )
}


# Header of writes to one article.
IF_MATCH: dict[str, Any] = {
    "in": "header",
    "name": "If-Match",
    "description": (
        "write only if the article is as it was in the answer with this ETag, or in one"
        " of several; * if it is stored and not killed. Weak tags never match"
    ),
    "schema": {"type": "string"},
}


_ID: dict[str, fields.Field[Any]] = {
    "id": Text(required=True, metadata=described("the article's id", **ID_RULE))
}


NoArguments = Schema.from_dict({}, name="NoArguments")


def with_id(arguments: type[Schema]) -> type[Schema]:
    """Parameters of an operation on an article, with the article's ``id`` added."""
    name = arguments.__name__.replace("Arguments", "ByIdArguments")
    return Schema.from_dict({**_ID, **arguments._declared_fields}, name=name)
