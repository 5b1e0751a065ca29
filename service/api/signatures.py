"""Signatures of pushes: the HMAC-SHA1 of a body, with the secret of both sides."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any

from flask import request

from service.context import context
from service.refusals import PushOff, SignatureRefused

HEADER = "x-superdesk-signature"
# The header, as OpenAPI describes it.
PARAMETER: dict[str, Any] = {
    "in": "header",
    "name": HEADER.title(),
    "required": True,
    "description": (
        "sha1= and the HMAC-SHA1 of the body as it is sent, in hexadecimal; its key is"
        " the secret in NUTGRAF_PUSH_SECRET"
    ),
    "schema": {"type": "string", "pattern": "^sha1=[0-9a-fA-F]{40}$"},
}
_SIGNATURE = re.compile(r"sha1=([0-9a-fA-F]{40})\Z")


class Signature:
    """The signature of the request, to be compared once its body was read.

    :raises PushOff: no secret is set.
    :raises SignatureRefused: the request is not signed.
    """

    def __init__(self) -> None:
        secret = check_push_is_on()
        sent = _SIGNATURE.match(request.headers.get(HEADER, ""))
        if sent is None:
            raise SignatureRefused(HEADER, missing=True)
        self._sent = sent[1].lower()
        self._mac = hmac.new(secret.encode(), digestmod=hashlib.sha1)

    def add(self, piece: bytes) -> None:
        """Take the next piece of the body."""
        self._mac.update(piece)

    def check(self) -> None:
        """Check that the signature is that of the body.

        :raises SignatureRefused: it is not, or was made with another secret.
        """
        if not hmac.compare_digest(self._mac.hexdigest(), self._sent):
            raise SignatureRefused(HEADER, missing=False)


def check_push_is_on() -> str:
    """The secret of both sides.

    :raises PushOff: none is set.
    """
    secret = context().settings.push_secret
    if not secret:
        raise PushOff
    return secret
