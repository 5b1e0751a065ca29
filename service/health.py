"""Whether the process lives, whether it can work, and its numbers."""

from __future__ import annotations

from typing import Any

from flask import Response

from index.archive import ArchiveState
from index.errors import ServiceError
from index.keys import Scope
from service import authority
from service.answers import json_response
from service.arguments import OPEN, Blueprint
from service.context import context
from service.schemas import Health, Readiness

blueprint = Blueprint(
    "health", __name__, description="For those who run and watch the service"
)


@blueprint.operation("GET", "/healthz", scope=OPEN, gives=Health)
def healthz(given: dict[str, Any]) -> Response:
    """Say that the process answers."""
    return json_response({"status": "ok"})


@blueprint.operation(
    "GET", "/readyz", scope=OPEN, gives=Readiness, also={503: Readiness}
)
def readyz(given: dict[str, Any]) -> Response:
    """Say whether searches can be answered and changes are being indexed."""
    try:
        state = context().archive.state()
        counted = authority.may(Scope.ADMIN)
    except ServiceError as error:
        return _not_ready({"status": "not ready", "problems": [str(error)]})
    problems = problems_of(state)
    found: dict[str, Any] = {
        "status": "not ready" if problems else "ready",
        "problems": problems,
    }
    # How much there is, and how much is being written, is for those who run it.
    if counted:
        found |= _counts(state)
    return _not_ready(found) if problems else json_response(found)


def _counts(state: ArchiveState) -> dict[str, Any]:
    return {
        "store_seq": state.store_seq,
        "index_seq": state.index_seq,
        "behind": state.behind,
        "articles": state.articles,
        "indexed_articles": state.indexed_articles,
        "indexed_paragraphs": state.indexed_paragraphs,
        "indexer_running": state.indexer_running,
        "progress": state.progress,
    }


@blueprint.operation(
    "GET",
    "/metrics",
    scope=Scope.ADMIN,
    gives={"type": "string"},
    gives_type="text/plain",
    problems=(503,),
)
def metrics(given: dict[str, Any]) -> Response:
    """Give the numbers that Prometheus collects."""
    found = context()
    return Response(
        found.metrics.exposition(found.archive.state),
        content_type="text/plain; version=0.0.4; charset=utf-8",
    )


def problems_of(state: ArchiveState) -> list[str]:
    """Return why the service is not ready, in sentences; none if it is."""
    found = []
    if state.stale is not None:
        found.append(f"the index must be rebuilt: {state.stale}")
    if not state.indexer_running:
        found.append("no indexer is running: start nutgraf indexer")
    return found


def _not_ready(found: dict[str, Any]) -> Response:
    response = json_response(found, 503)
    response.headers["Retry-After"] = "5"
    return response
