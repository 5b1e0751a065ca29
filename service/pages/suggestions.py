"""Suggestions for the box, each as the address of its page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from flask import Response, request

from index.archive import Suggestion
from service.api import suggestions_of
from service.exchange import json_response
from service.pages.address import Address, article_address
from service.pages.names import field_name
from service.pages.writing import counted

_MOST = 8
_NAMES = {"word": "Words", "headline": "Articles"}


def suggest(arguments: dict[str, Any]) -> Response:
    """Suggestions for a query that is being typed, grouped by what they are.

    A word becomes the query, a headline leads to its article, and a name becomes a
    filter. The other parameters of the search stay as they are.
    """
    address = Address.of(f"{request.script_root}/", arguments)
    suggestions = suggestions_of(arguments.get("q", ""), _MOST)
    return json_response({"groups": list(_groups(suggestions, address))})


def _groups(
    suggestions: tuple[Suggestion, ...], address: Address
) -> Iterator[dict[str, Any]]:
    def kind(suggestion: Suggestion) -> str:
        return suggestion.type

    # Groups in the order of the best of each.
    order = list(dict.fromkeys(map(kind, suggestions)))
    for name, group in groupby(
        sorted(suggestions, key=lambda each: order.index(each.type)), kind
    ):
        yield {
            "name": _NAMES.get(name) or field_name(name).many,
            "options": [
                {
                    "text": suggestion.text,
                    "count": _count(suggestion),
                    "href": _href(suggestion, address),
                }
                for suggestion in group
            ],
        }


def _count(suggestion: Suggestion) -> str:
    """Articles that have it, as text; blank for a headline that stands for one."""
    if suggestion.id is not None and suggestion.articles == 1:
        return ""
    return counted(suggestion.articles, "article")


def _href(suggestion: Suggestion, address: Address) -> str:
    if suggestion.id is not None:
        return str(article_address(request.script_root, suggestion.id))
    if suggestion.type == "word":
        return str(address.asking(suggestion.text))
    return str(address.asking("").adding(suggestion.type, suggestion.text))
