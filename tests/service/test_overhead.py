"""What each request passes through: what is the same each time is done once."""

from __future__ import annotations

import inspect

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.exchange import negotiation


def test_a_request_goes_past_the_wrappers_that_document_its_view(app: Flask) -> None:
    for name in ("search.search", "articles.get_article", "search.facet"):
        view = app.view_functions[name]
        assert hasattr(view, "_apidoc")
        wrapped = inspect.unwrap(view)
        assert view.__wrapped__ is wrapped  # type: ignore[attr-defined]
        assert wrapped.__module__.startswith("service.api.")


def test_no_coroutine_is_looked_for(
    reading: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flask.app.iscoroutinefunction", None)
    assert reading.get("/v1/search?q=grain").status_code == 200


def test_what_a_header_prefers_is_found_once(
    reading: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept = {"Accept": "application/json, text/x-once;q=0.5"}
    assert reading.get("/v1/search?q=grain", headers=accept).status_code == 200
    monkeypatch.delattr(negotiation, "MIMEAccept")
    assert reading.get("/v1/search?q=harbour", headers=accept).status_code == 200


def test_what_headers_prefer_is_kept_within_bytes(reading: FlaskClient) -> None:
    choices = negotiation._CHOICES
    for number in range(300):
        accept = {"Accept": f"application/json, text/{'x' * 900}{number}"}
        assert reading.get("/v1/search", headers=accept).status_code == 200
        assert choices.bytes <= choices.limit
    kept = len(choices)
    accept = {"Accept": f"application/json, text/{'x' * 5_000}"}
    assert reading.get("/v1/search", headers=accept).status_code == 200
    assert len(choices) == kept
