"""Articles by id: read one, its paragraphs and versions; put, post and delete."""

from __future__ import annotations

import logging
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from flask import Response, after_this_request

from index.access import Scope
from index.archive import ArticleView
from index.dates import iso
from index.errors import InputError, ParagraphNotFound
from index.history import Member, Outcome, VersionInfo
from index.rendering import (
    REPRESENTATIONS,
    article_document,
    excerpt_document,
    representation,
    rights_document,
)
from service.api.article_schemas import (
    ArticleAnswer,
    ArticleArguments,
    ArticleBody,
    DeleteAnswer,
    ParagraphAnswer,
    ParagraphsAnswer,
    VersionsAnswer,
    VersionsArguments,
    WriteAnswer,
    WriteArguments,
)
from service.authority import key_name, reader, require
from service.context import context
from service.exchange import (
    ACCEPTED,
    IF_MATCH,
    JSON,
    PATH,
    Blueprint,
    Submission,
    WaitArguments,
    add_vary,
    bare_type,
    conditional_response,
    digest_of_request,
    expected_state,
    json_response,
    preferred,
    read_submissions,
    write_response,
)
from service.problems import problem_of, problem_response
from service.refusals import NothingStored

blueprint = Blueprint(
    "articles", __name__, description="Read, write and delete articles by their id"
)
LOG = logging.getLogger("nutgraf")
_LONGEST_NAME = 100  # characters of a file's name, without its extension
# The media types of an answer, the default first.
_OFFERED = {JSON: "json"} | {
    each.media_type: each.name for each in REPRESENTATIONS.values()
}
_SCHEMAS = {JSON: ArticleBody, "application/ninjs+json": {"type": "object"}}
_BODY_PROBLEMS = (411, 413, 415, 422, 503, 507)
_BODY = {
    "requestBody": {
        "required": True,
        "description": (
            "One or more articles, in any format that is read; the format of"
            " application/octet-stream is detected from the content"
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
    gives_text=tuple(dict.fromkeys(map(bare_type, list(_OFFERED)[1:]))),
    also={304: None},
    problems=(404, 406, 410, 503),
)
def get_article(arguments: dict[str, Any], article_id: str) -> Response:
    """Get an article, with the words of a query marked."""
    q = arguments.get("q", "")
    after_this_request(_varied)
    format_name = arguments.get("format") or preferred(_OFFERED)
    arguments = {**arguments, "format": format_name}  # each has a tag of its own
    with context().archive.moment(reader=reader()) as moment:
        return conditional_response(
            moment.tag(digest_of_request(arguments)),
            lambda: article_answer(
                moment.article(
                    article_id,
                    version=arguments.get("version"),
                    q=q,
                    within=arguments.get("in", "text"),
                ),
                q,
                format_name,
            ),
        )


def _varied(response: Response) -> Response:
    add_vary(response, "Accept")
    return response


def article_answer(view: ArticleView, q: str, format_name: str) -> Response:
    """Answer with an article in a format: ``json``, or a representation."""
    if format_name == "json":
        response = json_response(article_document(view, q))
        if not view.complete:
            response.cache_control.no_store = True  # the next one may have the marks
    else:
        chosen = representation(format_name)
        response = Response(
            chosen.write(view.article, context().settings),
            content_type=chosen.content_type,
            headers=dict(chosen.headers),
        )
        # Shown where a client can show it, and saved under this name.
        name = _file_name(view.article.id, chosen.extension)
        response.headers.set("Content-Disposition", "inline", filename=name)
    response.set_etag(view.state)
    return response


def _file_name(article_id: str, extension: str) -> str:
    """Name to save an article under: its id, with hyphens for other signs."""
    name = re.sub(r"[^A-Za-z0-9.]+", "-", article_id).strip("-.")
    return f"{name[:_LONGEST_NAME] or 'article'}{extension}"


@blueprint.operation(
    "GET",
    f"{PATH}/paragraphs",
    scope=Scope.SEARCH,
    gives=ParagraphsAnswer,
    problems=(404, 410, 503),
)
def list_paragraphs(arguments: dict[str, Any], article_id: str) -> Response:
    """List the paragraphs of an article."""
    view = context().archive.get(article_id, reader=reader())
    return json_response(
        {
            "id": article_id,
            "version": view.article.version,
            "paragraphs": [
                excerpt_document(excerpt, marked=False) for excerpt in view.excerpts
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
def get_paragraph(arguments: dict[str, Any], article_id: str, n: int) -> Response:
    """Get one paragraph of an article; 0 is the headline."""
    view = context().archive.get(article_id, reader=reader())
    for excerpt in view.excerpts:
        if excerpt.n == n:
            document = excerpt_document(excerpt, marked=False)
            return json_response(document | rights_document(view.article))
    raise ParagraphNotFound(article_id, n, last=view.excerpts[-1].n)


@blueprint.operation(
    "GET",
    f"{PATH}/versions",
    scope=Scope.SEARCH,
    takes=VersionsArguments,
    gives=VersionsAnswer,
    problems=(404, 410, 503),
)
def list_versions(arguments: dict[str, Any], article_id: str) -> Response:
    """List the versions of an article, the highest first, and its chain."""
    with context().archive.moment(reader=reader()) as moment:
        page = moment.versions(
            article_id,
            before=arguments.get("before"),
            limit=arguments.get("limit", 100),
        )
        chain = moment.chain(article_id)
    return json_response(
        {
            "versions": [version_document(version) for version in page.versions],
            "next": page.next,
            "chain": [member_document(member) for member in chain.members],
            "chain_complete": chain.complete,
        }
    )


@blueprint.of_article(
    "PUT",
    scope=Scope.INGEST,
    takes=WriteArguments,
    gives=WriteAnswer,
    problems=(409, 412, *_BODY_PROBLEMS),
    headers=(IF_MATCH,),
    documented=_BODY,
)
def put_article(arguments: dict[str, Any], article_id: str) -> Response:
    """Store an article, or its next version."""
    outcome = write(arguments, article_id)
    (error,) = outcome.errors
    if error is not None:
        return problem_response(problem_of(error), **outcome.answer, indexed=False)
    return write_response(outcome.answer, arguments)


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
def post_articles(arguments: dict[str, Any]) -> Response:
    """Store one or more articles that contain their ids."""
    outcome = write(arguments)
    failed = [error for error in outcome.errors if error is not None]
    if failed and len(failed) == len(outcome.errors):
        error = failed[0] if len(failed) == 1 else NothingStored(len(failed))
        return problem_response(
            {**problem_of(error), "status": 422}, **outcome.answer, indexed=False
        )
    return write_response(outcome.answer, arguments, 207 if failed else 200)


@blueprint.of_article(
    "DELETE",
    scope=Scope.INGEST,
    takes=WaitArguments,
    gives=DeleteAnswer,
    problems=(404, 412, 503, 507),
    headers=(IF_MATCH,),
)
def delete_article(arguments: dict[str, Any], article_id: str) -> Response:
    """Delete an article with all its versions."""
    seq = context().archive.delete(
        article_id, reader=reader(), expected=expected_state()
    )
    return write_response(
        {"id": article_id, "status": "deleted", "seq": seq}, arguments
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOutcome:
    """Outcome of the articles of one request.

    :param answer: ``results`` and ``seq``, as in the answer.
    :param errors: the error of each article, or ``None``, in the order sent.
    """

    answer: dict[str, Any]
    errors: tuple[InputError | None, ...]


def write(arguments: dict[str, Any], article_id: str | None = None) -> WriteOutcome:
    """Store the articles of a request; their outcomes, in the order sent.

    :param article_id: the id in the address, if there is one.
    :raises ScopeMissing: ``force`` is set, and the key lacks ``admin``.
    """
    force = arguments.get("force", False)
    if force:
        # The replaced content is lost, so the scope of writers is not enough.
        require(Scope.ADMIN)
    submissions = read_submissions(arguments.get("format"), article_id)
    drafts = [sent.draft for sent in submissions if sent.draft is not None]
    written_articles = iter(
        context().archive.put(
            drafts,
            reader=reader(),
            force=force,
            expected=None if article_id is None else expected_state(),
        )
    )
    results: list[dict[str, Any]] = []
    errors: list[InputError | None] = []
    for submission in submissions:
        read = submission.read
        written = next(written_articles) if submission.draft is not None else read.error
        assert written is not None, "a record is an article or an error"
        result: dict[str, Any]
        if isinstance(written, InputError):
            errors.append(written)
            result = _failed(submission, written)
        else:
            errors.append(None)
            if written.outcome is Outcome.REPLACED:
                LOG.warning(
                    "version replaced",
                    extra={
                        "id": written.id,
                        "version": written.version,
                        "seq": written.seq,
                        "key": key_name(),
                    },
                )
            result = {
                "id": written.id,
                "version": written.version,
                "status": written.outcome.value,
                "seq": written.seq,
            }
        if read.warnings:
            result["warnings"] = read.warnings
        results.append(result)
    _report_refused(errors)
    seqs = [result["seq"] for result in results if result["seq"] is not None]
    return WriteOutcome(
        answer={"results": results, "seq": max(seqs, default=None)},
        errors=tuple(errors),
    )


def _report_refused(errors: list[InputError | None]) -> None:
    """Count and log the refused articles of a request, in one line."""
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
    """JSON document of a version in an article's history."""
    return {
        "version": version.version,
        "status": version.status.value,
        "headline": version.headline,
        "current": version.current,
        "seq": version.seq,
        "at": iso(version.at),
    }


def member_document(member: Member) -> dict[str, Any]:
    """JSON document of an article in a chain."""
    return {
        "id": member.id,
        "version": member.version,
        "headline": member.headline,
        "published": None if member.published is None else iso(member.published),
        "relation": member.relation.value,
    }
