"""Problem documents of RFC 9457: how the service answers with an error."""

from __future__ import annotations

import logging
import re
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from index.errors import NutgrafError, ServiceError
from service import refusals
from service.answers import write_json
from service.codes import PROBLEM_TYPES
from service.context import context

MEDIA_TYPE = "application/problem+json"

_SEARCH = "/v1/search"  # the one that is asked with POST and writes nothing

# Codes for what HTTP itself refuses, by status; any other status is a bad_request.
_CODE_OF_STATUS = {
    PROBLEM_TYPES[code].status: code
    for code in (
        "not_found",
        "method_not_allowed",
        "length_required",
        "body_too_large",
        "unsupported_media_type",
        "internal_error",
    )
}

# As the system's errors and our own have them: in quotes, or up to the next : or ;.
_PATH = re.compile(r"'/[^']*'|(?<![\w'/.])/.*?(?=[:;,)] |[:;,)]?\Z)")

log = logging.getLogger("nutgraf")


def status_of(error: NutgrafError) -> int:
    """HTTP status of an error, from the row of its code."""
    return PROBLEM_TYPES[error.code].status_of(error)


def problem_of(error: NutgrafError) -> dict[str, Any]:
    """Return the problem document of an error, with the facts that it carries."""
    facts, detail = error.facts, str(error)
    if isinstance(error, ServiceError):
        facts = {
            name: told(value) if isinstance(value, str) else value
            for name, value in facts.items()
        }
        detail = told(error)
    return {**facts, **_standard(error.code, status_of(error), detail)}


def told(reason: object) -> str:
    """Return what callers are told of a failure of ours: no file by its name."""
    return _PATH.sub("a file", str(reason))


def problem_response(document: dict[str, Any], **more: Any) -> Response:
    """Return an answer that is a problem document.

    :param more: further members of the document.
    """
    g.problem = document["code"]
    response = Response(
        write_json({**document, **more}),
        status=document["status"],
        content_type=MEDIA_TYPE,
    )
    row = PROBLEM_TYPES[document["code"]]
    retry_after = document.get("retry_after", row.retry_after)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def register(app: Flask) -> None:
    """Make an app answer every error with a problem document."""
    app.register_error_handler(NutgrafError, _of_ours)
    app.register_error_handler(HTTPException, _of_http)


def _of_ours(error: NutgrafError) -> Response:
    document = problem_of(error)
    _count_refused_write(error.code)
    if document["status"] >= 500:
        # The cause, where there is one, is what an operator needs.
        log.warning("%s: %s", error.code, error, exc_info=error.__cause__)
    response = problem_response({**document, "instance": request.path})
    if isinstance(error, refusals.Unauthorized):
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, refusals.UnsupportedMediaType):
        # RFC 9110, 15.5.16: say which ways of packing would have been read.
        if error.encodings:
            response.headers["Accept-Encoding"] = ", ".join(error.encodings)
        elif error.accepted and request.method in ("POST", "PUT"):
            response.headers[f"Accept-{request.method.title()}"] = ", ".join(
                error.accepted
            )
    return response


def _count_refused_write(code: str) -> None:
    """Count a request that was to change something, and was refused as a whole."""
    rule = request.url_rule
    writes = request.method in ("PUT", "DELETE") or (
        request.method == "POST" and rule is not None and rule.rule != _SEARCH
    )
    if writes:
        context().metrics.refused_writes.labels(code).inc()


def _of_http(error: HTTPException) -> Response:
    status = error.code or 500
    if isinstance(error, RequestRedirect) or status < 400:
        redirect: Response = error.get_response()  # type: ignore[assignment]
        return redirect
    code = _CODE_OF_STATUS.get(status, "bad_request")
    _count_refused_write(code)
    detail = error.description or PROBLEM_TYPES[code].title
    document = _standard(code, status, _detail_of(status, detail))
    document["instance"] = request.path
    if status >= 500:
        # The log has the traceback under the same id; the caller gets nothing of it.
        document["error_id"] = g.get("request_id")
    response = problem_response(document)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _detail_of(status: int, detail: str) -> str:
    if status == 404:
        more = ""
        if request.path.startswith("/v1/articles/"):
            more = "; in a path an id is percent-encoded: / is written %2F"
        return f"no resource {request.path[:200]}{more}; /docs lists what there is"
    if status == 405:
        return (
            f"{request.path[:200]} has no {request.method[:20]}; Allow says what it has"
        )
    if status >= 500:
        return "the error is logged under error_id; please report it"
    return detail


def _standard(code: str, status: int, detail: str) -> dict[str, Any]:
    row = PROBLEM_TYPES[code]
    return {
        "type": row.link,
        "title": row.title,
        "status": status,
        "detail": detail,
        "code": code,
    }
