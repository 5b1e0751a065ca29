"""Articles by id: read one, its paragraphs and versions; put, post and delete."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import Any

from flask import Response

from index import formats
from index.access import Scope
from index.archive import ArticleView
from index.dates import iso
from index.errors import InputError, ParagraphNotFound
from index.formats import FORMATS
from index.history import Member, Outcome, VersionInfo
from index.rendering import article_document, excerpt_document, rights_document
from service.api.article_schemas import (
    ArticleAnswer,
    ArticleArguments,
    ArticleBody,
    DeleteAnswer,
    ParagraphAnswer,
    ParagraphsAnswer,
    VersionsAnswer,
    WriteAnswer,
    WriteArguments,
)
from service.authority import key_name, reader, require
from service.context import context
from service.exchange import (
    ACCEPTED,
    JSON,
    PATH,
    Blueprint,
    Submission,
    WaitArguments,
    answered,
    conditional,
    digest_of_request,
    json_response,
    submitted,
)
from service.problems import problem_of, problem_response
from service.refusals import NothingStored

blueprint = Blueprint(
    "articles", __name__, description="Read, write and delete articles by their id"
)
LOG = logging.getLogger("nutgraf")
_WRITTEN = tuple(each.media_types[0] for each in FORMATS.values() if each.write)
_SCHEMAS = {JSON: ArticleBody, "application/ninjs+json": {"type": "object"}}
_BODY_PROBLEMS = (411, 413, 415, 422, 503, 507)
_BODY = {
    "requestBody": {
        "required": True,
        "description": (
            "One article or several, in any format that is read; of"
            " application/octet-stream the content says which"
        ),
        "content": {
            media_type: {"schema": _SCHEMAS.get(media_type, {"type": "string"})}
            for media_type in ACCEPTED
        },
    }
}


@blueprint.of_article(
    "GET",
    scope=Scope.SEARCH,
    takes=ArticleArguments,
    gives=ArticleAnswer,
    gives_text=_WRITTEN,
    also={304: None},
    problems=(404, 410, 503),
)
def get_article(given: dict[str, Any], article_id: str) -> Response:
    """Give an article, with the words of a query marked."""
    q = given.get("q", "")
    with context().archive.moment(reader=reader()) as moment:
        return conditional(
            moment.tag(digest_of_request(given)),
            lambda: _article_answer(
                moment.article(
                    article_id,
                    version=given.get("version"),
                    q=q,
                    within=given.get("in", "text"),
                ),
                q,
                given.get("format", "json"),
            ),
        )


def _article_answer(view: ArticleView, q: str, format_name: str) -> Response:
    if format_name == "json":
        return json_response(article_document(view, q))
    return Response(
        formats.write(format_name, view.article),
        content_type=FORMATS[format_name].media_types[0],
    )


@blueprint.operation(
    "GET",
    f"{PATH}/paragraphs",
    scope=Scope.SEARCH,
    gives=ParagraphsAnswer,
    problems=(404, 410, 503),
)
def list_paragraphs(given: dict[str, Any], article_id: str) -> Response:
    """List the paragraphs of an article."""
    view = context().archive.get(article_id, reader=reader())
    return json_response(
        {
            "id": article_id,
            "version": view.article.version,
            "paragraphs": [
                excerpt_document(each, marked=False) for each in view.excerpts
            ],
            **rights_document(view.article),
        }
    )


@blueprint.operation(
    "GET",
    f"{PATH}/paragraphs/<int:n>",
    scope=Scope.SEARCH,
    gives=ParagraphAnswer,
    problems=(404, 410, 503),
)
def get_paragraph(given: dict[str, Any], article_id: str, n: int) -> Response:
    """Give one paragraph of an article; 0 is the headline."""
    view = context().archive.get(article_id, reader=reader())
    for each in view.excerpts:
        if each.n == n:
            found = excerpt_document(each, marked=False)
            return json_response(found | rights_document(view.article))
    raise ParagraphNotFound(article_id, n, last=view.excerpts[-1].n)


@blueprint.operation(
    "GET",
    f"{PATH}/versions",
    scope=Scope.SEARCH,
    gives=VersionsAnswer,
    problems=(404, 410, 503),
)
def list_versions(given: dict[str, Any], article_id: str) -> Response:
    """List the versions of an article, the newest first, and what evolved into what."""
    with context().archive.moment(reader=reader()) as moment:
        found = moment.versions(article_id)
        chain = moment.chain(article_id)
    return json_response(
        {
            "versions": [version_document(each) for each in found],
            "chain": [member_document(each) for each in chain.members],
            "chain_complete": chain.complete,
        }
    )


@blueprint.of_article(
    "PUT",
    scope=Scope.INGEST,
    takes=WriteArguments,
    gives=WriteAnswer,
    problems=(409, *_BODY_PROBLEMS),
    documented=_BODY,
)
def put_article(given: dict[str, Any], article_id: str) -> Response:
    """Store an article, or its next version."""
    written = write(given, article_id)
    (error,) = written.errors
    if error is not None:
        return problem_response(problem_of(error), **written.answer, indexed=False)
    return answered(written.answer, given)


@blueprint.operation(
    "POST",
    "/v1/articles",
    scope=Scope.INGEST,
    takes=WriteArguments,
    gives=WriteAnswer,
    also={207: WriteAnswer},
    problems=_BODY_PROBLEMS,
    documented=_BODY,
)
def post_articles(given: dict[str, Any]) -> Response:
    """Store one article or many, each with its id in the body."""
    written = write(given)
    failed = [error for error in written.errors if error is not None]
    if failed and len(failed) == len(written.errors):
        error = failed[0] if len(failed) == 1 else NothingStored(len(failed))
        return problem_response(
            {**problem_of(error), "status": 422}, **written.answer, indexed=False
        )
    return answered(written.answer, given, 207 if failed else 200)


@blueprint.of_article(
    "DELETE",
    scope=Scope.INGEST,
    takes=WaitArguments,
    gives=DeleteAnswer,
    problems=(404, 503, 507),
)
def delete_article(given: dict[str, Any], article_id: str) -> Response:
    """Delete an article with all its versions."""
    seq = context().archive.delete(article_id, reader=reader())
    return answered({"id": article_id, "status": "deleted", "seq": seq}, given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What became of the articles of one request.

    :param answer: ``results`` and ``seq``, as they are answered.
    :param errors: for each article its error, or ``None``, in the same order.
    """

    answer: dict[str, Any]
    errors: tuple[InputError | None, ...]


def write(given: dict[str, Any], article_id: str | None = None) -> Writing:
    """Store the articles of a request and return what became of each, in order.

    :param article_id: the id in the address, if there is one.
    :raises ScopeMissing: something is to be replaced, and the key is not for that.
    """
    force = given.get("force", False)
    if force:
        # What is replaced is kept nowhere: that is more than who writes may do.
        require(Scope.ADMIN)
    submissions = submitted(given.get("format"), article_id)
    drafts = [each.draft for each in submissions if each.draft is not None]
    outcomes = iter(context().archive.put(drafts, reader=reader(), force=force))
    results: list[dict[str, Any]] = []
    errors: list[InputError | None] = []
    for each in submissions:
        read = each.read
        outcome = next(outcomes) if each.draft is not None else read.error
        assert outcome is not None, "a record is an article or an error"
        result: dict[str, Any]
        if isinstance(outcome, InputError):
            errors.append(outcome)
            result = _failed(each, outcome)
        else:
            errors.append(None)
            if outcome.outcome is Outcome.REPLACED:
                LOG.warning(
                    "version replaced",
                    extra={
                        "id": outcome.id,
                        "version": outcome.version,
                        "seq": outcome.seq,
                        "key": key_name(),
                    },
                )
            result = {
                "id": outcome.id,
                "version": outcome.version,
                "status": outcome.outcome.value,
                "seq": outcome.seq,
            }
        if read.warnings:
            result["warnings"] = read.warnings
        results.append(result)
    _tell_refused(errors)
    changes = [result["seq"] for result in results if result["seq"] is not None]
    return Writing(
        answer={"results": results, "seq": max(changes, default=None)},
        errors=tuple(errors),
    )


def _tell_refused(errors: list[InputError | None]) -> None:
    """Count the articles of a request that were refused, and log it once for all."""
    codes = Counter(error.code for error in errors if error is not None)
    for code, count in codes.items():
        context().metrics.refused_writes.labels(code).inc(count)
    if codes:
        LOG.info("articles refused", extra={"of": len(errors), "codes": dict(codes)})


def _failed(submission: Submission, error: InputError) -> dict[str, Any]:
    read = submission.read
    result: dict[str, Any] = {
        "id": submission.id,
        "version": None if read.article is None else read.article.version,
        "status": "error",
        "seq": None,
        "error": problem_of(error),
    }
    if read.line is not None:
        result["line"] = read.line
    if submission.id is None and read.label is not None:
        result["label"] = read.label
    return result


def version_document(version: VersionInfo) -> dict[str, Any]:
    """Return one line of an article's history."""
    return {
        "version": version.version,
        "status": version.status.value,
        "headline": version.headline,
        "current": version.current,
        "seq": version.seq,
        "at": iso(version.at),
    }


def member_document(member: Member) -> dict[str, Any]:
    """Return one article of a chain."""
    return {
        "id": member.id,
        "version": member.version,
        "headline": member.headline,
        "published": None if member.published is None else iso(member.published),
        "relation": member.relation.value,
    }
