"""Forms: the fields of one that a browser has sent, read strictly."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import parse_qsl

from flask import request

from index.errors import InvalidValue
from service.exchange.bodies import read_sent
from service.refusals import RepeatedParameter, UnknownParameter, UnsupportedMediaType

FORM_TYPE = "application/x-www-form-urlencoded"
FORM_BYTES = 64 * 1024  # an address in it may be as long as a request line


def read_form(names: Collection[str]) -> dict[str, str]:
    """Fields of the form in the body of the request, blank if they are missing.

    :param names: the fields that it may have, each once.
    :raises UnsupportedMediaType: the body is no form, or is compressed.
    :raises BodyTooLarge: it is longer than :data:`FORM_BYTES`.
    :raises InvalidValue: it is not UTF-8, or has too many fields.
    :raises UnknownParameter: it has another field.
    :raises RepeatedParameter: it has a field twice.
    """
    if request.mimetype != FORM_TYPE:
        raise UnsupportedMediaType(request.mimetype, accepted=(FORM_TYPE,))
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", ""):
        raise UnsupportedMediaType(encoding, encodings=("identity",))
    try:
        pairs = parse_qsl(
            read_sent(limit=FORM_BYTES).decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=2 * len(names),
        )
    except ValueError as error:
        # Without the value, which may be a key.
        raise InvalidValue(
            "form", f"has at most {len(names)} fields of UTF-8 text, percent-encoded"
        ) from error
    fields = dict.fromkeys(names, "")
    for name, value in pairs:
        if name not in fields:
            raise UnknownParameter(name)
        sent = [each for each, _ in pairs].count(name)
        if sent > 1:
            raise RepeatedParameter(name, got=sent)
        fields[name] = value
    return fields
