"""Feeds: searches that feed readers subscribe to, and the description of the search."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from index.archive import Question
from index.rendering import (
    Feed,
    FeedLinks,
    atom_document,
    feed_of,
    jsonfeed_document,
    opensearch_document,
    rss_document,
)
from service.api.links import Links
from service.context import context
from service.exchange import (
    FEEDS,
    MEDIA_TYPES,
    OPEN,
    Blueprint,
    SearchFormat,
    conditional_response,
    write_json,
)

blueprint = Blueprint("feeds", __name__, description="Subscribe to searches")
DESCRIPTION = "/opensearch.xml"
DESCRIPTION_TYPE = "application/opensearchdescription+xml"


def feed_response(
    question: Question,
    search_format: SearchFormat,
    arguments: dict[str, Any],
    parameters: str,
) -> Response:
    """Feed of a search; 304 if the client has it, without a search.

    :param parameters: the request, as text: what the tag of the answer stands for.
    """
    settings = context().settings
    # Links of the answer have the address that it was asked at.
    asked = f"{site()} {parameters} {settings.permalink}"
    tag = question.tag(asked)
    response = conditional_response(
        tag,
        lambda: _answer(question, search_format, arguments),
        last_modified=question.last_modified(),
    )
    if response.last_modified is None:
        # No date of ours, which have passed before they are given out: it fits none.
        response.last_modified = tag.now
    return response


def site() -> str:
    """Absolute address of the service, as this request was sent to it."""
    return request.host_url.rstrip("/") + request.script_root


@blueprint.operation(
    "GET",
    DESCRIPTION,
    scope=OPEN,
    gives={"type": "string"},
    gives_type=DESCRIPTION_TYPE,
)
def opensearch(arguments: dict[str, Any]) -> Response:
    """Describe the search for browsers and feed readers (OpenSearch 1.1)."""
    media_types = {
        name.value: MEDIA_TYPES[name]
        for name in SearchFormat
        if name in FEEDS or name is SearchFormat.JSON
    }
    body = opensearch_document(f"{site()}/v1/search", media_types)
    return Response(body, content_type=f"{DESCRIPTION_TYPE}; charset=utf-8")


def _answer(
    question: Question, search_format: SearchFormat, arguments: dict[str, Any]
) -> Response:
    page = question.feed_page()
    links = Links(site() + request.path, arguments)
    feed = feed_of(
        page,
        FeedLinks(
            page=links.here(arguments.get("cursor")),
            feed=links.here(None),
            next=None if page.answer.next is None else links.next(page.answer.next),
            description=site() + DESCRIPTION,
        ),
        context().settings,
    )
    return Response(
        _written(feed, search_format),
        content_type=f"{MEDIA_TYPES[search_format]}; charset=utf-8",
    )


def _written(feed: Feed, search_format: SearchFormat) -> bytes:
    if search_format is SearchFormat.ATOM:
        return atom_document(feed)
    if search_format is SearchFormat.RSS:
        return rss_document(feed)
    return write_json(jsonfeed_document(feed))
