"""Assets of Superdesk's items: asked for, sent, counted, and not kept."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, TestResponse

from index.archive import Archive
from index.settings import Settings
from service import create_app
from service.api import assets

SECRET = "a push secret"
ASSETS = "/v1/push/assets"
MEDIA = bytes(range(256)) * 40
Send = Callable[..., TestResponse]


def form(**parts: Any) -> tuple[bytes, str]:
    """Body and content type of a form, as Superdesk sends it."""
    builder = EnvironBuilder(method="POST", data=parts)
    environ = builder.get_environ()
    return environ["wsgi.input"].read(), environ["CONTENT_TYPE"]


def media(content: bytes = MEDIA) -> tuple[io.BytesIO, str, str]:
    return io.BytesIO(content), "20240601/lamps.jpg", "image/jpeg"


@pytest.fixture
def superdesk(settings: Settings, archive: Archive) -> FlaskClient:
    """A client of a service with a secret and small bodies."""
    known = replace(settings, push_secret=SECRET, body_bytes=1_000_000)
    return create_app(known, archive).test_client()


@pytest.fixture
def send(superdesk: FlaskClient) -> Send:
    """A function that posts a signed form."""

    def sent(body: bytes, content_type: str, **headers: str) -> TestResponse:
        digest = hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
        signed = {"x-superdesk-signature": f"sha1={digest}", **headers}
        return superdesk.post(
            ASSETS, data=body, content_type=content_type, headers=signed
        )

    return sent


@pytest.mark.parametrize(
    "media_id", ["5f0c9f0e6a3e4d7c", "20240601/lamps.jpg", "tag:x:2024%2F1", "a%20b"]
)
def test_an_asset_is_not_there(superdesk: FlaskClient, media_id: str) -> None:
    for method in ("GET", "HEAD"):
        answer = superdesk.open(f"{ASSETS}/{media_id}", method=method)
        assert answer.status_code == 404
    assert superdesk.get(f"{ASSETS}/{media_id}").json["code"] == "asset_not_found"


def test_an_asset_is_counted_and_not_kept(superdesk: FlaskClient, send: Send) -> None:
    answer = send(*form(media_id="20240601/lamps.jpg", media=media()))
    assert answer.status_code == 201, answer.json
    assert answer.json == {
        "media_id": "20240601/lamps.jpg",
        "bytes": len(MEDIA),
        "kept": False,
    }
    assert superdesk.get(f"{ASSETS}/20240601/lamps.jpg").status_code == 404
    metrics = superdesk.get("/metrics").text
    assert "nutgraf_assets_total 1.0" in metrics
    assert f"nutgraf_asset_bytes_total {float(len(MEDIA))}" in metrics


def test_an_item_keeps_the_reference_to_its_asset(superdesk: FlaskClient) -> None:
    original = {"media": "20240601/lamps.jpg", "mimetype": "image/jpeg"}
    picture = {"type": "picture", "renditions": {"original": original}}
    item = {"guid": "a", "version": "1", "headline": "Lamps"}
    body = json.dumps({**item, "associations": {"main": picture}}).encode()
    digest = hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
    headers = {"x-superdesk-signature": f"sha1={digest}"}
    superdesk.post("/v1/push", data=body, headers=headers)
    extra = superdesk.get("/v1/articles/a").json["extra"]
    assert extra["associations"]["main"]["renditions"]["original"] == original


def test_the_whole_form_is_signed(superdesk: FlaskClient, send: Send) -> None:
    body, content_type = form(media_id="a", media=media())
    unsigned = superdesk.post(ASSETS, data=body, content_type=content_type)
    assert (unsigned.status_code, unsigned.json["code"]) == (403, "signature_refused")
    digest = hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
    wrong = send(
        body + b" ", content_type, **{"x-superdesk-signature": f"sha1={digest}"}
    )
    assert (wrong.status_code, wrong.json["code"]) == (403, "signature_refused")
    # Nothing of a form is judged before it is known who sent it.
    broken = {"x-superdesk-signature": f"sha1={'0' * 40}"}
    assert send(b"no form", content_type, **broken).status_code == 403


def test_without_a_secret_there_are_no_assets(client: FlaskClient) -> None:
    body, content_type = form(media_id="a", media=media())
    for answer in (
        client.get(f"{ASSETS}/a"),
        client.post(ASSETS, data=body, content_type=content_type),
    ):
        assert (answer.status_code, answer.json["code"]) == (404, "push_off")


FORM = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n'


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"x", "multipart/form-data", 415),
        (b"x", FORM, 422),
        (b"--x--\r\n", FORM, 400),
        (PART % b"media" + b"1\r\n--x--\r\n", FORM, 400),
        (PART % b"media_id" + b"1\r\n--x--\r\n", FORM, 400),
        (PART % b"media_id" + b"1\r\n--x\r\n", FORM, 422),
        (PART % b"media_id" + b"1", FORM, 422),
        (b"--x\r\nNone\r\n\r\n1\r\n--x--\r\n", FORM, 422),
        (b"--x\r\n" + b"a" * 400_000, FORM, 422),
        ((PART % b"a" + b"1\r\n") * 17 + b"--x--\r\n", FORM, 422),
        (PART % b"media_id" + b"1" * 20_000 + b"\r\n--x--\r\n", FORM, 422),
        (PART % b"media_id" + b"\xff\r\n" + PART % b"media" + b"\r\n--x--", FORM, 400),
        (b"x" * 1_000_001, FORM, 413),
    ],
)
def test_a_signed_body_that_is_no_asset_is_refused(
    send: Send, body: bytes, content_type: str, status: int
) -> None:
    answer = send(body, content_type)
    assert answer.status_code == status, answer.json


def test_an_asset_cut_off_is_refused(superdesk: FlaskClient) -> None:
    body, content_type = form(media_id="a", media=media())
    digest = hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
    answer = superdesk.post(
        ASSETS,
        data=body,
        content_type=content_type,
        headers={"x-superdesk-signature": f"sha1={digest}"},
        environ_overrides={"CONTENT_LENGTH": str(len(body) + 10)},
    )
    assert (answer.status_code, answer.json["code"]) == (400, "incomplete_body")


@pytest.mark.parametrize(
    "content", [b"m" * 8_000_000, b"\r\n" * 4_000_000, b"\r\n--x" * 1_600_000]
)
@pytest.mark.slow
def test_a_large_asset_is_never_in_memory_as_a_whole(content: bytes) -> None:
    asset = assets.AssetForm("xyz")
    whole = b'--xyz\r\nContent-Disposition: form-data; name="media"\r\n\r\n'
    whole += content + b'\r\n--xyz\r\nContent-Disposition: form-data; name="media_id"'
    whole += b"\r\n\r\na\r\n--xyz--\r\n"
    most = 0
    for start in range(0, len(whole), 65_536):
        asset.add(whole[start : start + 65_536])
        most = max(most, len(asset._decoder.buffer))
    asset.add(None)
    assert asset.asset().size == len(content)
    assert most < 300_000
