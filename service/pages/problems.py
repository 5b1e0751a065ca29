"""Problems as pages: the same errors that the API answers with, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, Response, render_template, request
from werkzeug.exceptions import HTTPException

from index import dates
from index.errors import ArticleKilled, NutgrafError
from service import problems
from service.exchange import add_vary
from service.pages import policy
from service.pages.address import Address, Pair, article_address
from service.pages.remarks import remark_of, sentence
from service.pages.search import (
    Form,
    SearchPage,
    SearchPageArguments,
    form_of,
    render,
)
from service.pages.writing import Instant, counted, instant_of, title_of

_SHOWN = 50  # parameters of a faulty search that its form keeps
_PARAMETERS = frozenset(SearchPageArguments().fields)
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Kill:
    """The notice of a killed article.

    :param replacement: id of the article to use instead; blank if there is none.
    """

    id: str
    at: Instant
    note: str
    replacement: str
    href: str


@dataclass(frozen=True, slots=True)
class ProblemPage:
    """A problem, as a page shows it.

    :param again: this address, if the problem passes by itself; ``wait`` says when.
    """

    title: str
    form: Form
    code: str
    status: int
    text: str
    error_id: str = ""
    again: str = ""
    wait: str = ""
    kill: Kill | None = None


def register(blueprint: Blueprint) -> None:
    """Let the pages of a blueprint answer errors with pages.

    A browser gets a page for an address that is nobody's, too.
    """
    blueprint.register_error_handler(NutgrafError, answer_with_page)
    blueprint.register_error_handler(HTTPException, _answer_http_error)
    blueprint.app_errorhandler(404)(_answer_unknown)


def answer_with_page(error: NutgrafError) -> Response:
    """Answer to a request for a page that failed with an error of ours."""
    response = problems.answer_error(error)
    # A search that somebody typed: the form stays as it was filled in.
    if request.endpoint == "pages.search" and error.facts.get("parameter"):
        return with_page(response, _faulty_search(error))
    return with_page(response, _problem(response, error))


def _answer_http_error(error: HTTPException) -> Response:
    response = problems.answer_http_error(error)
    if not response.is_json:
        return response  # a redirect
    return with_page(response, _problem(response, error))


def _answer_unknown(error: HTTPException) -> Response:
    accepted = request.accept_mimetypes
    reads_pages = accepted.quality("text/html") > accepted.quality(problems.MEDIA_TYPE)
    if request.url_rule is not None or not reads_pages or _is_of_api(request.path):
        return problems.answer_http_error(error)
    # No route, so nothing else adds the headers of a page.
    response = policy.add_headers(_answer_http_error(error))
    add_vary(response, "Accept")
    return response


def _is_of_api(path: str) -> bool:
    return path == "/v1" or path.startswith("/v1/")


def with_page(response: Response, html: str) -> Response:
    """A problem's answer, with a page in place of its document."""
    response.set_data(html)
    response.content_type = HTML
    response.cache_control.no_store = True
    return response


def _problem(response: Response, error: Exception) -> str:
    document: dict[str, Any] = response.get_json()
    wait = response.headers.get("Retry-After", "")
    here = Address(f"{request.script_root}{request.path}", _pairs())
    kill = _kill(error) if isinstance(error, ArticleKilled) else None
    page = ProblemPage(
        title="This article was killed" if kill else title_of(document["title"]),
        form=Form(q="", action=f"{request.script_root}/"),
        code=document["code"],
        status=document["status"],
        text=sentence(document["detail"]),
        error_id=document.get("error_id") or "",
        again=str(here) if wait else "",
        wait=counted(int(wait), "second") if wait else "",
        kill=kill,
    )
    return render_template("problem.html", page=page)


def _pairs() -> tuple[Pair, ...]:
    """Names and values of this address, which may be faulty."""
    query = request.query_string.decode("utf-8", "replace")
    return tuple(parse_qsl(query, keep_blank_values=True, errors="replace"))


def _kill(error: ArticleKilled) -> Kill:
    other = error.replacement or ""
    return Kill(
        id=error.id,
        at=instant_of(error.killed, dates.zone("UTC"), "UTC"),
        note=error.note or "",
        replacement=other,
        href=str(article_address(request.script_root, other)) if other else "",
    )


def _faulty_search(error: NutgrafError) -> str:
    # Read leniently: what is wrong with the address is being said.
    # A name that no search has would be refused again, and as a field of the form hide
    # what scripts know by that name.
    known = [pair for pair in _pairs() if pair[0] in _PARAMETERS]
    address = Address(f"{request.script_root}/", tuple(known[:_SHOWN]))
    facts = error.facts
    faulty = str(facts.get("parameter") or "")
    form = form_of(address.without(faulty) if faulty != "q" else address)
    position = facts.get("position")
    return render(
        SearchPage(
            title=title_of(form.q),
            form=form,
            code=error.code,
            mistake=remark_of(
                form.q, str(error), position if isinstance(position, int) else None
            ),
        )
    )
