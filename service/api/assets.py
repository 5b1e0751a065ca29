"""Assets of pushed items: pictures and recordings, which are counted and not kept.

Before an item, Superdesk asks a destination with an assets URL for each rendition of
the item's media, and sends those that are not there. An error would hold the item back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, request
from marshmallow import Schema, fields
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Field, File, MultipartDecoder, NeedData

from index.article import MAX_ID
from index.errors import InvalidValue, UnreadableInput
from service.api.signatures import PARAMETER, Signature, check_push_is_on
from service.context import context
from service.exchange import (
    OPEN,
    Blueprint,
    decoded,
    described,
    json_response,
    sent_pieces,
)
from service.refusals import AssetNotFound, UnsupportedMediaType

_FORM = "multipart/form-data"
_MAX_PARTS = 16
_BUFFER = 256 * 1024  # bytes of a form that are in memory at a time

blueprint = Blueprint(
    "assets", __name__, description="Accept the media of items that Superdesk pushes"
)


class AssetAnswer(Schema):
    """An asset that was received."""

    media_id = fields.String(
        required=True, metadata=described("the id by which items refer to it")
    )
    bytes = fields.Integer(required=True, metadata=described("how many were received"))
    kept = fields.Boolean(
        required=True, metadata=described("whether the bytes are kept: false")
    )


@dataclass(slots=True)
class Asset:
    """What a form says of its asset, as far as it was read.

    :param media_id: ``None`` if the form has none.
    :param size: bytes of the media; ``None`` if there are none.
    """

    media_id: bytes | None = None
    size: int | None = None


class AssetForm:
    """A form with an asset, read in pieces that are not kept.

    A fault in it is raised by :meth:`asset`, once it is known who sent the form.
    """

    def __init__(self, boundary: str) -> None:
        self._decoder = MultipartDecoder(
            boundary.encode("latin-1", "replace"), _BUFFER, max_parts=_MAX_PARTS
        )
        self._asset, self._part = Asset(), ""
        self._fault: Exception | None = None

    def add(self, piece: bytes | None) -> None:
        """Take the next piece of the body; ``None`` is its end."""
        if self._fault is not None:
            return
        try:
            self._decoder.receive_data(piece)
            while not isinstance(event := self._decoder.next_event(), NeedData):
                if isinstance(event, Field | File):
                    self._part = event.name
                elif isinstance(event, Data):
                    self._take(event.data)
                elif piece is None:
                    return
        except (ValueError, AttributeError, RequestEntityTooLarge) as error:
            self._fault = error

    def asset(self) -> Asset:
        """The asset of the whole form.

        :raises UnreadableInput: the body is no such form.
        :raises InvalidValue: its ``media_id`` or its ``media`` is missing.
        """
        if self._fault is not None:
            raise UnreadableInput(
                "the body is no form with media; send media_id and media as"
                f" {_FORM}, complete and with no other long fields"
            ) from self._fault
        for name, value in (
            ("media_id", self._asset.media_id),
            ("media", self._asset.size),
        ):
            if value is None:
                raise InvalidValue(name, "is required in the form")
        return self._asset

    def _take(self, data: bytes) -> None:
        if self._part == "media":
            self._asset.size = (self._asset.size or 0) + len(data)
        elif self._part == "media_id":
            self._asset.media_id = (self._asset.media_id or b"") + data
            if len(self._asset.media_id) > 4 * MAX_ID:
                raise ValueError("media_id is too long")


@blueprint.operation(
    "GET",
    "/v1/push/assets/<path:media_id>",
    scope=OPEN,  # Superdesk asks without a signature
    gives=AssetAnswer,
    problems=(404,),
)
def get_asset(arguments: dict[str, Any], media_id: str) -> Response:
    """Whether an asset is kept: none is, so the answer is 404."""
    check_push_is_on()
    raise AssetNotFound(decoded(media_id, "media_id")[:MAX_ID])


@blueprint.operation(
    "POST",
    "/v1/push/assets",
    scope=OPEN,  # the signature says who sends
    gives=AssetAnswer,
    gives_status=201,
    headers=(PARAMETER,),
    problems=(404, 411, 413, 415, 422),
    documented={
        "requestBody": {
            "required": True,
            "description": "The bytes of a picture or recording, and its id",
            "content": {
                _FORM: {
                    "schema": {
                        "type": "object",
                        "required": ["media_id", "media"],
                        "properties": {
                            "media_id": {"type": "string"},
                            "media": {"type": "string", "format": "binary"},
                        },
                    }
                }
            },
        },
    },
)
def push_asset(arguments: dict[str, Any]) -> Response:
    """Accept an asset: its bytes are counted, and not kept."""
    signature = Signature()
    boundary = request.mimetype_params.get("boundary")
    if request.mimetype != _FORM or not boundary:
        raise UnsupportedMediaType(request.mimetype, accepted=(_FORM,))
    if encoding := request.headers.get("Content-Encoding"):
        raise UnsupportedMediaType(encoding, encodings=("identity",))
    form = AssetForm(boundary)
    for piece in sent_pieces():
        signature.add(piece)
        form.add(piece)
    form.add(None)
    signature.check()
    asset = form.asset()
    try:
        media_id = (asset.media_id or b"").decode().strip()
    except UnicodeDecodeError as error:
        raise InvalidValue("media_id", "is not UTF-8 text") from error
    if not media_id or len(media_id) > MAX_ID or "\0" in media_id:
        raise InvalidValue("media_id", f"must have 1 to {MAX_ID:,} characters")
    size = asset.size or 0
    context().metrics.assets.inc()
    context().metrics.asset_bytes.inc(size)
    return json_response({"media_id": media_id, "bytes": size, "kept": False}, 201)
