"""What each request passes through: what is the same each time is done once."""

from __future__ import annotations

import inspect
import sys
from types import FrameType

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from index.query import encryption
from service.exchange import add_vary, negotiation


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


def test_flask_looks_for_the_request_a_few_times_only(reading: FlaskClient) -> None:
    assert reading.get("/v1/search?q=grain").status_code == 200
    looks = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal looks
        code = frame.f_code
        if event == "call" and code.co_qualname == "_ProxyLookup.__get__":
            looks += 1

    sys.setprofile(count)
    try:
        reading.get("/v1/search?q=grain")
    finally:
        sys.setprofile(None)
    assert looks < 20


def test_a_cipher_is_made_once_for_each_key(
    reading: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reading.get("/v1/search?q=grain").status_code == 200
    monkeypatch.setattr(encryption, "AESSIV", None)
    assert reading.get("/v1/search?q=grain").status_code == 200


def test_a_header_that_an_answer_varies_by_is_named_once() -> None:
    response = Response()
    for names in (("Accept",), ("accept", "Origin"), ("Origin", "Cookie")):
        add_vary(response, *names)
    assert response.headers.getlist("Vary") == ["Accept, Origin, Cookie"]
