"""Routes: the addresses of all pages, with the scope that each needs."""

from __future__ import annotations

from flask import Flask
from jinja2 import StrictUndefined

from index.access import Scope
from service.exchange import OPEN, PageBlueprint
from service.pages import policy, problems, sessions
from service.pages.articles import (
    ArticleByIdArguments,
    ArticlePageArguments,
    article,
    article_by_id,
)
from service.pages.blanks import drop_blanks
from service.pages.reference import docs
from service.pages.search import SearchPageArguments, hits, search
from service.pages.sessions import LogInArguments
from service.pages.suggestions import suggest
from service.pages.values import ValuesPageArguments, facet, facets
from service.pages.versions import VersionsPageArguments, versions


def register(app: Flask) -> None:
    """Add the pages to an app."""
    environment = app.jinja_env
    environment.trim_blocks = environment.lstrip_blocks = True
    # A name that a record does not have is a mistake of ours.
    environment.undefined = StrictUndefined
    app.register_blueprint(_blueprint())


def _blueprint() -> PageBlueprint:
    pages = PageBlueprint("pages", __name__)
    read = Scope.SEARCH
    pages.page("/", search, scope=read, takes=SearchPageArguments)
    pages.page("/hits", hits, scope=read, takes=SearchPageArguments)
    pages.page("/suggest", suggest, scope=read, takes=SearchPageArguments)
    pages.page("/facets", facets, scope=read, takes=ValuesPageArguments)
    pages.page("/facets/<field>", facet, scope=read, takes=ValuesPageArguments)
    # Here an id may have plain slashes, too.
    pages.page(
        "/articles/<path:article_id>", article, scope=read, takes=ArticlePageArguments
    )
    pages.page("/article", article_by_id, scope=read, takes=ArticleByIdArguments)
    pages.page("/versions", versions, scope=read, takes=VersionsPageArguments)
    pages.page("/login", sessions.log_in_form, scope=OPEN, takes=LogInArguments)
    pages.page(
        *("/login", sessions.log_in),
        scope=OPEN,
        takes=LogInArguments,
        methods=("POST",),
    )
    pages.page("/logout", sessions.log_out, scope=OPEN, methods=("POST",))
    # Which operations there are is no secret.
    pages.page("/docs", docs, scope=OPEN)
    pages.before_request(drop_blanks)
    pages.after_request(policy.add_headers)
    problems.register(pages)
    sessions.register(pages)
    return pages
