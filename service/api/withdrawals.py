"""Withdrawals: killing, withholding and reinstating articles; notices of kills."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Response

from index.access import Scope
from index.dates import iso
from index.history import Notice
from service.api.withdrawal_schemas import (
    KillAnswer,
    KillArguments,
    NoticesAnswer,
    NoticesArguments,
    StatusAnswer,
)
from service.authority import reader
from service.context import context
from service.exchange import (
    Blueprint,
    DeprecatedPath,
    WaitArguments,
    checked_id,
    json_response,
    write_response,
)

blueprint = Blueprint(
    "withdrawals", __name__, description="Kill, withhold and reinstate articles"
)
# What the operations that withhold and reinstate an article have in common.
_STATUS_CHANGE: dict[str, Any] = {
    "scope": Scope.INGEST,
    "takes": WaitArguments,
    "gives": StatusAnswer,
    "problems": (404, 409, 503, 507),
}


@blueprint.of_article(
    "POST",
    "/kill",
    scope=Scope.INGEST,
    takes=KillArguments,
    location="json",
    gives=KillAnswer,
    problems=(413, 415, 422, 503, 507),
)
def kill_article(arguments: dict[str, Any], article_id: str) -> Response:
    """Kill an article: only its notice remains."""
    replacement = arguments.get("replacement")
    notices = context().archive.kill(
        article_id,
        note=arguments.get("note"),
        replacement=None if replacement is None else checked_id(replacement),
        version=arguments.get("version"),
        cascade="cascade" in arguments,
        reader=reader(),
    )
    return json_response(
        {
            "id": article_id,
            "status": "canceled",
            "seq": max(notice.seq for notice in notices),
            "notices": [notice_document(notice) for notice in notices],
        }
    )


@blueprint.of_article("POST", "/withhold", **_STATUS_CHANGE)
def withhold_article(arguments: dict[str, Any], article_id: str) -> Response:
    """Withhold an article until it is reinstated."""
    seq = context().archive.withhold(article_id, reader=reader())
    return write_response(
        {"id": article_id, "status": "withheld", "seq": seq}, arguments
    )


@blueprint.of_article(
    "POST",
    "/reinstate",
    formerly=DeprecatedPath("/restore", datetime(2026, 11, 30, tzinfo=UTC)),
    **_STATUS_CHANGE,
)
def reinstate_article(arguments: dict[str, Any], article_id: str) -> Response:
    """Reinstate an article: undo a kill or a withholding."""
    seq = context().archive.reinstate(article_id, reader=reader())
    return write_response({"id": article_id, "status": "usable", "seq": seq}, arguments)


@blueprint.operation(
    "GET",
    "/v1/articles",
    scope=Scope.SEARCH,
    takes=NoticesArguments,
    gives=NoticesAnswer,
    problems=(503,),
)
def list_notices(arguments: dict[str, Any]) -> Response:
    """List the notices of killed articles, the newest first."""
    page = context().archive.notices(
        before=arguments.get("before"),
        limit=arguments.get("limit", 100),
        reader=reader(),
    )
    return json_response(
        {
            "notices": [notice_document(notice) for notice in page.notices],
            "next": page.next,
        }
    )


def notice_document(notice: Notice) -> dict[str, Any]:
    """JSON document of the notice of a kill."""
    return {
        "id": notice.id,
        "status": "canceled",
        "version": notice.version,
        "seq": notice.seq,
        "at": iso(notice.at),
        "note": notice.note,
        "replacement": notice.replacement,
        "cascade": "story" if notice.cascade else None,
    }
