"""Routes of pages: for people, so they declare a scope and are not in OpenAPI."""

from __future__ import annotations

from typing import Any

import flask
from marshmallow import Schema

from index.access import Scope
from service.exchange.arguments import ArgumentsParser, View
from service.exchange.parameters import NoArguments
from service.exchange.paths import decode_id


class PageBlueprint(flask.Blueprint):
    """Blueprint of pages. Views get the id in the path decoded."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scopes: dict[str, Scope | None] = {}  # by the endpoint's name
        self.before_request(decode_id)

    def page(
        self,
        rule: str,
        view: View,
        *,
        scope: Scope | None,
        takes: type[Schema] = NoArguments,
        methods: tuple[str, ...] = ("GET",),
    ) -> None:
        """Add a page.

        :param view: gets the parameters as a dictionary, first; its name is that of the
            endpoint.
        :param scope: the scope that a key needs, or :data:`OPEN`. There is no default.
        :param takes: the parameters of the address, read as strictly as the API's.
        """
        self.scopes[view.__name__] = scope
        read = ArgumentsParser().use_args(takes, location="query")
        self.add_url_rule(rule, view.__name__, read(view), methods=methods)
