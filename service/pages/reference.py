"""The page at ``/docs``: the reference of the API, from its OpenAPI document."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, lru_cache
from http import HTTPStatus
from typing import Any

from flask import Response, render_template, request

from service.api import openapi_document
from service.codes import PROBLEM_TYPES, Row
from service.pages.operations import Group, groups_of
from service.pages.query_language import (
    IN_FIELDS,
    WORDS,
    Construct,
    FieldRow,
    constructs_of,
    field_rows,
)
from service.pages.remedies import REMEDIES
from service.pages.shapes import Member, Shapes, prose_html

_PROBLEM = "#/components/schemas/Problem"
_BASES = 8  # addresses of the service whose pages are kept


@dataclass(frozen=True, slots=True)
class Code:
    """A code of problems.

    :param wait: seconds after which to try again; blank if waiting does not help.
    :param also: other statuses that it may come with, as text.
    """

    code: str
    title: str
    remedy_html: str
    wait: str
    also: str


@dataclass(frozen=True, slots=True)
class Status:
    """The codes of problems with one status."""

    anchor: str
    status: int
    phrase: str
    codes: tuple[Code, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """Everything that the reference shows.

    :param about_html: paragraphs of the introduction.
    :param members: of every problem.
    """

    version: str
    about_html: tuple[str, ...]
    groups: tuple[Group, ...]
    words: tuple[Construct, ...]
    in_fields: tuple[Construct, ...]
    fields: tuple[FieldRow, ...]
    statuses: tuple[Status, ...]
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class ReferencePage:
    """The page around the reference."""

    title: str
    main_html: str


def docs(_: dict[str, Any]) -> Response:
    """Reference of the API."""
    page = ReferencePage("The API", _main(request.url_root.rstrip("/")))
    response = Response(
        render_template("reference.html", page=page),
        content_type="text/html; charset=utf-8",
    )
    response.cache_control.no_cache = True
    response.add_etag()
    response.make_conditional(request)
    return response


@lru_cache(maxsize=_BASES)
def _main(base: str) -> str:
    """HTML of the reference, which is the same for every reader of one address.

    :param base: address of the service, without a slash at its end.
    """
    return render_template(
        "_reference.html", reference=_reference(), base=base, root=request.script_root
    )


@cache
def _reference() -> Reference:
    document = json.loads(openapi_document())
    first, *rest = document["info"]["description"].strip().split("\n\n")
    shapes = Shapes(document)
    return Reference(
        version=document["info"]["version"],
        about_html=tuple(prose_html(" ".join(each.split())) for each in (first, *rest)),
        groups=groups_of(document),
        words=constructs_of(WORDS),
        in_fields=constructs_of(IN_FIELDS),
        fields=field_rows(),
        statuses=_statuses(),
        members=shapes.members({"$ref": _PROBLEM}),
    )


def _statuses() -> tuple[Status, ...]:
    rows: dict[int, list[Row]] = {}
    for row in PROBLEM_TYPES.values():
        rows.setdefault(row.status, []).append(row)
    return tuple(
        Status(
            anchor=f"status-{status}",
            status=status,
            phrase=HTTPStatus(status).phrase,
            codes=tuple(map(_code, rows[status])),
        )
        for status in sorted(rows)
    )


def _code(row: Row) -> Code:
    return Code(
        code=row.code,
        title=row.title,
        remedy_html=prose_html(REMEDIES[row.code]),
        wait="" if row.retry_after is None else str(row.retry_after),
        also=", ".join(map(str, sorted(set(row.otherwise.values()) - {row.status}))),
    )
