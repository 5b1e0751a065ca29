"""Documentation of the API for programs, at /openapi.json."""

from __future__ import annotations

from functools import cache
from threading import Lock

from flask import Blueprint, Flask, Response
from flask_smorest import Api
from marshmallow import Schema

from service.api import (
    articles,
    assets,
    changes,
    differences,
    feeds,
    health,
    originals,
    search,
    superdesk,
    withdrawals,
)
from service.api.article_schemas import (
    ArticleBody,
    ArticleFields,
    Concept,
    IdentifiedArticle,
    ListedArticle,
    ParagraphBody,
)
from service.api.openapi import finished
from service.api.search_schemas import ArticleHit, ParagraphHit
from service.exchange import BASIC, KEY_HEADERS, write_json

MODULES = (
    search,
    feeds,
    articles,
    differences,
    originals,
    withdrawals,
    changes,
    superdesk,
    assets,
    health,
)

# Components that declarations refer to by name only, so they are added here.
_NAMED: dict[str, type[Schema]] = {
    "Concept": Concept,
    "ArticleHit": ArticleHit,
    "ParagraphHit": ParagraphHit,
    "ParagraphBody": ParagraphBody,
    "ArticleFields": ArticleFields,
    "ArticleBody": ArticleBody,
    "IdentifiedArticle": IdentifiedArticle,
    "ListedArticle": ListedArticle,
}

DESCRIPTION = """Paragraph search for newsrooms.

Every paragraph of every article is indexed. Parameters are read strictly: an unknown
or repeated parameter and a bad value are errors that name the parameter. Errors are
problems (RFC 9457) with a stable `code`. Once a key has been made, all calls need one,
except those for health and documentation; send it in `Authorization: Bearer` or in
`X-API-Key`. Answers have an `ETag`; send it as `If-None-Match`, and an answer that
has not changed is 304, without a search.

Two addresses are for browsers and feed readers, not for generated clients:
`/v1/search.FORMAT` is the search with its `format` in the path, and `/opensearch.xml`
describes the search.
"""

documents = Blueprint("documentation", __name__)
_BUILDING = Lock()


@documents.get("/openapi.json")
def openapi_json() -> Response:
    """The API as an OpenAPI document."""
    return Response(openapi_document(), mimetype="application/json")


def openapi_document() -> bytes:
    """OpenAPI document as JSON; the first to ask waits until it is built."""
    with _BUILDING:  # one thread builds it; others wait for the result
        return openapi()


def register(app: Flask) -> None:
    """Add the API and its documentation to an app."""
    # Which operations there are is no secret.
    app.config["OPEN_ENDPOINTS"] = ("documentation.openapi_json", "static")
    for module in MODULES:
        app.register_blueprint(module.blueprint)
    app.register_blueprint(documents)


@cache
def openapi() -> bytes:
    """OpenAPI document as JSON; building it takes longer than starting an app.

    It does not depend on settings, so every app has the same. It is built from an app
    of its own, since flask-smorest documents blueprints while it registers them.
    """
    app = Flask("service")
    app.config.update(
        API_TITLE="Nutgraf",
        API_VERSION="1",
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={"info": {"description": DESCRIPTION}},
    )
    api = _Api(app)
    for name, scheme in (KEY_HEADERS | BASIC).items():
        api.spec.components.security_scheme(name, scheme)
    for name, schema in _NAMED.items():
        api.spec.components.schema(name, schema=schema)
    for module in MODULES:
        api.register_blueprint(module.blueprint)
    return write_json(finished(api.spec.to_dict()))


class _Api(Api):  # type: ignore[misc]
    # Each operation declares its own problems.
    DEFAULT_ERROR_RESPONSE_NAME = None
