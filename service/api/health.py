"""Health: whether the process is alive, whether it is ready, and its metrics."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from index.access import Scope
from index.archive import Condition
from index.errors import ServiceError
from service import authority
from service.context import context
from service.exchange import OPEN, Blueprint, described, json_response
from service.problems import without_paths

_SHOWN = 100  # articles that are set aside, in one answer

blueprint = Blueprint(
    "health", __name__, description="Health and metrics, for operators"
)


class Health(Schema):
    """The process answers."""

    status = fields.String(required=True, validate=validate.OneOf(["ok"]))


class SetAsideArticle(Schema):
    """An article that cannot be indexed, and why."""

    id = fields.String(required=True)
    version = fields.String(required=True)
    reason = fields.String(required=True)
    at = fields.String(required=True)


class ReadinessArguments(Schema):
    """What has to work for the service to be ready."""

    part = fields.String(
        validate=validate.OneOf(["all", "search", "store"]),
        metadata=described("what has to work", default="all"),
    )


class Readiness(Schema):
    """Whether the service is ready, and if not, why."""

    status = fields.String(required=True, validate=validate.Regexp("^(not )?ready$"))
    problems = fields.List(fields.String(), required=True)
    warnings = fields.List(fields.String())
    store_seq = fields.Integer()
    index_seq = fields.Integer()
    behind = fields.Integer()
    behind_seconds = fields.Float()
    indexer_running = fields.Boolean()
    progress = fields.Float(allow_none=True)
    disk_free = fields.Dict(keys=fields.String(), values=fields.Integer())
    set_aside = fields.Integer()
    set_aside_articles = fields.List(fields.Nested(SetAsideArticle))


@blueprint.operation("GET", "/healthz", scope=OPEN, gives=Health)
def healthz(arguments: dict[str, Any]) -> Response:
    """Whether the process is alive."""
    return json_response({"status": "ok"})


@blueprint.operation(
    "GET",
    "/readyz",
    scope=OPEN,
    takes=ReadinessArguments,
    gives=Readiness,
    also={503: Readiness},
)
def readyz(arguments: dict[str, Any]) -> Response:
    """Whether the service can answer searches and index changes."""
    part = arguments.get("part", "all")
    try:
        if part == "store":
            context().archive.seq()
            return json_response({"status": "ready", "problems": []})
        condition = context().archive.condition()
        is_admin = authority.may(Scope.ADMIN)
    except ServiceError as error:
        return _not_ready({"status": "not ready", "problems": [without_paths(error)]})
    problems = condition.problems if part == "all" else condition.outages
    document: dict[str, Any] = {
        "status": "not ready" if problems else "ready",
        "problems": [without_paths(problem) for problem in problems],
        "warnings": list(condition.warnings),
    }
    # The amounts stored and written are for operators only.
    if is_admin:
        document |= _numbers(condition)
    return _not_ready(document) if problems else json_response(document)


@blueprint.operation(
    "GET",
    "/metrics",
    scope=Scope.ADMIN,
    gives={"type": "string"},
    gives_type="text/plain",
    problems=(503,),
)
def metrics(arguments: dict[str, Any]) -> Response:
    """Metrics for Prometheus."""
    ctx = context()
    # Read before the answer begins, so that a missing store is a 503.
    state, condition = ctx.archive.state(), ctx.archive.condition()
    ctx.measure()
    return Response(
        ctx.metrics.exposition(state, condition, ctx.connections()),
        content_type="text/plain; version=0.0.4; charset=utf-8",
    )


def _numbers(condition: Condition) -> dict[str, Any]:
    """Figures for operators only."""
    return {
        "store_seq": condition.store_seq,
        "index_seq": condition.index_seq,
        "behind": condition.behind,
        "behind_seconds": round(condition.behind_seconds, 3),
        "indexer_running": condition.indexer_running,
        "progress": condition.progress,
        "disk_free": condition.free,
        "set_aside": len(condition.set_aside),
        "set_aside_articles": [
            {
                "id": article.id,
                "version": article.version,
                "reason": article.reason,
                "at": article.at,
            }
            for article in condition.set_aside[:_SHOWN]
        ],
    }


def _not_ready(document: dict[str, Any]) -> Response:
    response = json_response(document, 503)
    response.headers["Retry-After"] = "5"
    return response
