"""Problem documents of RFC 9457: how the service answers with an error."""

from __future__ import annotations

import logging
import re
from typing import Any

from flask import Flask, Response, g, has_request_context, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from index.errors import NutgrafError, ServiceError
from service import refusals
from service.codes import PROBLEM_TYPES
from service.context import context
from service.exchange import write_json

MEDIA_TYPE = "application/problem+json"

# Each POST that writes nothing of an article.
_NO_WRITES = frozenset(("/v1/search", "/login", "/logout"))

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

# A path in an error of the system or of our own: in quotes, or up to the next : or ;.
_PATH = re.compile(r"'/[^']*'|(?<![\w'/.])/.*?(?=[:;,)] |[:;,)]?\Z)")

log = logging.getLogger("nutgraf")


def status_of(error: NutgrafError) -> int:
    """HTTP status of an error, from the row of its code."""
    return PROBLEM_TYPES[error.code].status_of(error)


def problem_of(error: NutgrafError) -> dict[str, Any]:
    """Problem document of an error, with the facts that it carries."""
    facts, detail = error.facts, str(error)
    if isinstance(error, ServiceError):
        facts = {
            name: without_paths(value) if isinstance(value, str) else value
            for name, value in facts.items()
        }
        detail = without_paths(error)
    return {**facts, **_standard(error.code, status_of(error), detail)}


def without_paths(reason: object) -> str:
    """Message of a failure as callers may read it, with no name of a file in it."""
    return _PATH.sub("a file", str(reason))


def problem_response(document: dict[str, Any], **more: Any) -> Response:
    """Answer with a problem document.

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
    """Let an app answer every error with a problem document."""
    app.register_error_handler(NutgrafError, answer_error)
    app.register_error_handler(HTTPException, answer_http_error)


def answer_error(error: NutgrafError) -> Response:
    """Answer to a request that failed with an error of ours."""
    document = problem_of(error)
    _count_refused_write(error.code)
    if document["status"] >= 500:
        # An operator needs the cause, if there is one.
        log.warning("%s: %s", error.code, error, exc_info=error.__cause__)
    response = problem_response({**document, "instance": _instance()})
    if isinstance(error, refusals.Unauthorized):
        response.headers["WWW-Authenticate"] = "Bearer"
        if g.get("feed"):
            # Of these alone a browser or a feed reader may ask for a password.
            response.headers.add(
                "WWW-Authenticate", 'Basic realm="Nutgraf feeds", charset="UTF-8"'
            )
    if isinstance(error, refusals.UnsupportedMediaType):
        # RFC 9110, 15.5.16: say which media types and compressions are accepted.
        if error.encodings:
            response.headers["Accept-Encoding"] = ", ".join(error.encodings)
        elif error.accepted and request.method in ("POST", "PUT"):
            response.headers[f"Accept-{request.method.title()}"] = ", ".join(
                error.accepted
            )
    return response


def _count_refused_write(code: str) -> None:
    """Count a refused request that would have changed something."""
    rule = request.url_rule
    writes = request.method in ("PUT", "DELETE") or (
        request.method == "POST" and rule is not None and rule.rule not in _NO_WRITES
    )
    if writes:
        context().metrics.refused_writes.labels(code).inc()


def answer_http_error(error: HTTPException) -> Response:
    """Answer to a request that HTTP itself refuses, or that failed by our mistake."""
    status = error.code or 500
    if isinstance(error, RequestRedirect) or status < 400:
        redirect: Response = error.get_response()  # type: ignore[assignment]
        return redirect
    code = _CODE_OF_STATUS.get(status, "bad_request")
    _count_refused_write(code)
    detail = error.description or PROBLEM_TYPES[code].title
    document = _standard(code, status, _detail_of(status, detail))
    document["instance"] = _instance()
    if status >= 500:
        # The traceback is in the log under this id; callers do not see it.
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
            more = " (percent-encode an id in a path: write / as %2F)"
        return f"there is no resource {request.path[:200]}{more}; see /docs for a list"
    if status == 405:
        return (
            f"{request.path[:200]} does not allow {request.method[:20]}; use a method"
            " from the header Allow"
        )
    if status >= 500:
        return "the service failed, and the log has the details; report the error_id"
    return detail


def _instance() -> str:
    return request.script_root + request.path


def _standard(code: str, status: int, detail: str) -> dict[str, Any]:
    row = PROBLEM_TYPES[code]
    # The worker refuses some requests before there is one.
    root = request.script_root if has_request_context() else ""
    return {
        "type": root + row.link,
        "title": row.title,
        "status": status,
        "detail": detail,
        "code": code,
    }
