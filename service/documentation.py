"""The API described: for machines at /openapi.json, for people at /docs."""

from __future__ import annotations

from copy import deepcopy

from flask import Blueprint, Flask, Response, current_app, redirect
from flask_smorest import Api
from werkzeug.wrappers import Response as AnyResponse

from service import (
    articles,
    changes,
    comparisons,
    health,
    originals,
    push,
    search,
    withdrawals,
)
from service.arguments import KEY_HEADERS
from service.schemas import NAMED

# The page is made of our own files only, and shows nothing that is not text.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
DESCRIPTION = """Paragraph search for newsrooms.

Every paragraph of every article is indexed. Parameters are read strictly: an unknown
one, one given twice or one with a bad value is refused by name. Errors are problems
(RFC 9457) with a stable `code`. Where keys were made, each call but those for health
and documentation needs one, in `Authorization: Bearer` or `X-API-Key`. Answers carry a
weak `ETag`; send it back as `If-None-Match` and an unchanged answer costs nothing.
"""

_ROOT = {
    "operationId": "index_page",
    "summary": "Send people to the documentation.",
    "tags": ["documentation"],
    "responses": {
        "302": {
            "description": "See /docs",
            "headers": {"Location": {"schema": {"type": "string"}}},
        }
    },
}

pages = Blueprint("documentation", __name__)


@pages.get("/")
def index_page() -> AnyResponse:
    """Send people who come to the root to the documentation."""
    return redirect("docs")


@pages.get("/docs")
def docs() -> Response:
    """Show the documentation, with a search to try."""
    response = current_app.send_static_file("docs.html")
    response.headers["Content-Security-Policy"] = POLICY
    return response


def register(app: Flask) -> None:
    """Give an app the API's blueprints and the documents about them."""
    app.config.update(
        API_TITLE="Nutgraf",
        API_VERSION="1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={"info": {"description": DESCRIPTION}},
        # What there is, is no secret; what is in it, is.
        OPEN_ENDPOINTS=(
            "documentation.index_page",
            "documentation.docs",
            "api-docs.openapi_json",
            "static",
        ),
    )
    api = _Api(app)
    for name, scheme in KEY_HEADERS.items():
        api.spec.components.security_scheme(name, scheme)
    for name, schema in NAMED.items():
        api.spec.components.schema(name, schema=schema)
    for module in (
        search,
        articles,
        comparisons,
        originals,
        withdrawals,
        changes,
        push,
        health,
    ):
        api.register_blueprint(module.blueprint)
    app.register_blueprint(pages)
    (root,) = app.url_map.iter_rules("documentation.index_page")
    api.spec.path(rule=root, operations={"get": deepcopy(_ROOT)})


class _Api(Api):  # type: ignore[misc]
    # Each operation says itself which problems it can answer with.
    DEFAULT_ERROR_RESPONSE_NAME = None
