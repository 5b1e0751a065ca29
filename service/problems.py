"""Errors as RFC 9457 problem documents: the only place where a status is chosen."""

from __future__ import annotations

import logging
import re
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from index import errors
from index.errors import NutgrafError, ServiceError
from service import refusals
from service.answers import write_json
from service.codes import TITLES
from service.context import context

MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[NutgrafError], int] = {
    errors.NutgrafError: 500,
    errors.InputError: 400,
    errors.InvalidQuery: 400,
    errors.UnknownField: 400,
    errors.InvalidValue: 400,
    errors.CursorMismatch: 400,
    errors.LimitExceeded: 400,
    errors.InvalidArticle: 422,
    errors.UnreadableInput: 422,
    errors.UnknownFormat: 415,
    errors.VersionConflict: 409,
    errors.OutsideFilter: 403,
    errors.ArticleNotFound: 404,
    errors.ArticleKilled: 410,
    errors.ArticlePurged: 409,
    errors.StatusConflict: 409,
    errors.HistoryChanged: 409,
    errors.ParagraphNotFound: 404,
    errors.OriginalNotFound: 404,
    errors.ServiceError: 503,
    errors.IndexUnavailable: 503,
    errors.IndexDamaged: 503,
    errors.SearchTimeout: 503,
    errors.StoreFull: 507,
    errors.StoreUnavailable: 503,
    errors.IndexerRunning: 503,
    refusals.UnknownParameter: 400,
    refusals.RepeatedParameter: 400,
    refusals.InvalidJson: 400,
    refusals.BodyTooLarge: 413,
    refusals.TooManyArticles: 413,
    refusals.IncompleteBody: 400,
    refusals.RequestTimeout: 408,
    refusals.HeadTooLarge: 431,
    refusals.LengthRequired: 411,
    refusals.UnsupportedMediaType: 415,
    refusals.HostRefused: 400,
    refusals.OriginRefused: 403,
    refusals.Unauthorized: 401,
    refusals.ConflictingKeys: 400,
    refusals.ScopeMissing: 403,
    refusals.RateLimited: 429,
    refusals.TooManyFailures: 429,
    refusals.PushOff: 404,
    refusals.SignatureRefused: 403,
    refusals.NothingStored: 422,
}

# Where an error of a general class says by its code that it is about a body.
STATUS_OF_CODE = {"article_too_large": 422, "invalid_json": 400}

_SEARCH = "/v1/search"  # the one that is asked with POST and writes nothing

# Seconds until a client should try again.
RETRY_AFTER = {"index_unavailable": 5, "search_timeout": 1, "storage_full": 60}
RETRY_AFTER_ELSE = 2

# What HTTP itself says no to, by status; any other status is a bad_request.
_CODE_OF_STATUS = {
    404: "not_found",
    405: "method_not_allowed",
    411: "length_required",
    413: "body_too_large",
    415: "unsupported_media_type",
    500: "internal_error",
}

# As the system's errors and our own have them: in quotes, or up to the next : or ;.
_PATH = re.compile(r"'/[^']*'|(?<![\w'/.])/.*?(?=[:;,)] |[:;,)]?\Z)")

log = logging.getLogger("nutgraf")


def status_of(error: NutgrafError) -> int:
    """Return the status of an error: by its code, else by its nearest class."""
    if error.code in STATUS_OF_CODE:
        return STATUS_OF_CODE[error.code]
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


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
    if response.status_code in (503, 507):
        response.headers["Retry-After"] = str(
            RETRY_AFTER.get(document["code"], RETRY_AFTER_ELSE)
        )
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
    if isinstance(error, refusals.RateLimited):
        response.headers["Retry-After"] = str(error.retry_after)
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
    detail = error.description or TITLES[code]
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
    return {
        "type": f"/docs#{code}",
        "title": TITLES[code],
        "status": status,
        "detail": detail,
        "code": code,
    }
