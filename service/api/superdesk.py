"""Superdesk's HTTP push: items as Superdesk publishes them, signed with a secret.

On an error, a newsroom system sends the item again, or stops sending. So items that are
repeated, older than the stored article, or not articles at all are accepted too, and
the answer says what happened to them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from index.article import MAX_ID, Status, check_id, check_version, status_of
from index.errors import (
    ArticlePurged,
    InputError,
    InvalidArticle,
    StatusConflict,
    VersionConflict,
)
from index.history import Outcome
from service.api.signatures import PARAMETER, Signature
from service.context import context
from service.exchange import (
    OPEN,
    Blueprint,
    decompressed,
    described,
    json_response,
    read_sent,
    strict_json,
    submission_of_item,
)
from service.refusals import InvalidJson

# Items of Superdesk's planning: they describe coverage, and are not articles.
PLANNING = frozenset({"event", "planning", "planning_featured"})
NO_TEXT = "it has neither a headline nor text"

# A version that is amended is replaced: an update for whoever sends it.
_STATUSES = {Outcome.REPLACED: Outcome.UPDATED}

LOG = logging.getLogger("nutgraf.push")
blueprint = Blueprint(
    "push", __name__, description="Accept items that Superdesk pushes"
)


class PushAnswer(Schema):
    """Outcome of a pushed item."""

    id = fields.String(required=True, allow_none=True)
    version = fields.String(required=True, allow_none=True)
    status = fields.String(
        required=True,
        validate=validate.OneOf(
            [
                *("created", "updated", "stored", "unchanged"),
                *("killed", "withheld", "ignored"),
            ]
        ),
    )
    seq = fields.Integer(
        required=True,
        allow_none=True,
        metadata=described("the change; null if there was none"),
    )
    reason = fields.String(metadata=described("why the item was ignored"))
    warnings = fields.List(fields.String())


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """Outcome of a pushed item.

    :param version: the item's version, or the stored one with its content.
    :param seq: the change that the item made, ``None`` if it made none.
    """

    id: str | None
    version: str | None
    status: str
    seq: int | None = None
    reason: str | None = None
    warnings: tuple[str, ...] = ()


@blueprint.operation(
    "POST",
    "/v1/push",
    scope=OPEN,  # the signature says who sends
    gives=PushAnswer,
    gives_status=201,
    problems=(404, 409, 411, 413, 415, 422, 503, 507),
    headers=(PARAMETER,),
    documented={
        "requestBody": {
            "required": True,
            "description": "One ninjs item",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "properties": {"guid": {"description": "the item's id"}},
                    }
                }
            },
        },
    },
)
def push_item(arguments: dict[str, Any]) -> Response:
    """Accept an item that Superdesk pushes."""
    body = decompressed(signed_body())
    item = strict_json(body)
    if not isinstance(item, dict):
        raise InvalidJson("push one ninjs item, as a JSON object")
    members = {name.lower(): value for name, value in item.items()}
    pushed = carry_out(members, item, body)
    if pushed.reason is not None:
        LOG.warning("push of %r ignored: %s", pushed.id, pushed.reason)
    answer = asdict(pushed)
    for name in ("reason", "warnings"):
        if not answer[name]:
            del answer[name]
    return json_response(answer, 201)


def signed_body() -> bytes:
    """Body of the request as it was sent, if it is signed with our secret.

    :raises PushOff: no secret is set.
    :raises SignatureRefused: it is signed with another secret, or not at all.
    """
    signature = Signature()
    body = read_sent()
    signature.add(body)
    signature.check()
    return body


def carry_out(members: Mapping[str, Any], item: dict[str, Any], body: bytes) -> Pushed:
    """Store, kill or withhold the article of an item.

    :param members: the item, with its names in lower case.
    :param body: the bytes that the item was parsed from.
    :raises InputError: the article cannot be stored.
    """
    article_id, version = _id(members), _version(members)
    kind = str(members.get("type")).lower()
    if kind in PLANNING:
        short_id = article_id[:MAX_ID] if isinstance(article_id, str) else None
        return _ignored(short_id, version, f"{kind} items are no articles")
    if not isinstance(article_id, str):
        raise InvalidArticle("id", "an item needs a guid")
    article_id = check_id(article_id.strip())
    pubstatus = members.get("pubstatus")
    status = Status.USABLE if pubstatus in (None, "") else status_of(pubstatus)
    if status is Status.USABLE:
        return _put(article_id, version, item, body)
    archive = context().archive
    if status is Status.CANCELED:
        # An old kill still counts. It is only too late if it was carried out before,
        # and a newer version has become visible since.
        if version is not None and archive.was_killed(article_id, version):
            return _ignored(article_id, version, "a newer version came after this kill")
        return _kill(article_id, version, members.get("ednote"))
    newer = None if version is None else archive.newer_than(article_id, version)
    if newer is not None:
        return _ignored(article_id, version, f"version {newer} came before it")
    withheld = _withhold(article_id, version)
    if withheld.reason is None:
        with suppress(VersionConflict):  # the same version, with another status
            _put(article_id, version, item, body)
    return withheld


def _id(members: Mapping[str, Any]) -> Any:
    """Id of an item; a number, as some systems have them, is its digits."""
    article_id = members.get("guid") or members.get("uri")
    if isinstance(article_id, float) and article_id.is_integer():
        article_id = int(article_id)
    if isinstance(article_id, int) and not isinstance(article_id, bool):
        return str(article_id)
    return article_id


def _version(members: Mapping[str, Any]) -> str | None:
    """Version of an item, as the ninjs reader understands it."""
    version = members.get("version")
    if isinstance(version, float) and version.is_integer():
        version = int(version)
    if isinstance(version, int) and not isinstance(version, bool):
        version = str(version)
    if not isinstance(version, str) or not version.strip():
        return None
    return check_version(version.strip())


def _put(
    article_id: str, version: str | None, item: dict[str, Any], body: bytes
) -> Pushed:
    submission = submission_of_item(item, body)
    read, draft = submission.read, submission.draft
    if draft is None:
        assert read.error is not None, "a record is an article or an error"
        if isinstance(read.error, InvalidArticle) and read.error.field == "paragraphs":
            return _ignored(article_id, version, NO_TEXT)
        raise read.error
    # Superdesk sends a version again after a change of its rights or its products.
    (written,) = context().archive.put([draft], amend=True)
    if isinstance(written, ArticlePurged):
        return _ignored(article_id, version, "its texts were erased for good")
    if isinstance(written, InputError):
        raise written
    return Pushed(
        id=written.id,
        version=written.version,
        status=_STATUSES.get(written.outcome, written.outcome).value,
        seq=written.seq,
        warnings=read.warnings,
    )


def _kill(article_id: str, version: str | None, note: object) -> Pushed:
    """Kill an article by an item that may contain nothing else."""
    text = note.strip() if isinstance(note, str) else ""
    notices = context().archive.kill(article_id, note=text or None, version=version)
    return Pushed(
        id=article_id,
        version=version,
        status="killed",
        seq=max(notice.seq for notice in notices),
    )


def _withhold(article_id: str, version: str | None) -> Pushed:
    """Withhold an article by an item that may have no text."""
    try:
        seq = context().archive.withhold(article_id, version=version, unknown=True)
    except StatusConflict:
        return _ignored(article_id, version, "the article was killed before")
    return Pushed(id=article_id, version=version, status="withheld", seq=seq)


def _ignored(article_id: str | None, version: str | None, reason: str) -> Pushed:
    return Pushed(id=article_id, version=version, status="ignored", reason=reason)
