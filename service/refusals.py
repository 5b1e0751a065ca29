"""Requests that the service refuses before it looks at an article or a query.

::

    InputError
    ├── LimitExceeded
    │   ├── BodyTooLarge
    │   ├── TooManyArticles
    │   └── HeadTooLarge
    ├── UnreadableInput
    │   └── InvalidJson
    ├── UnknownParameter
    ├── RepeatedParameter
    ├── IncompleteBody
    ├── RequestTimeout
    ├── LengthRequired
    ├── UnsupportedMediaType
    ├── NotAcceptable            a format that the resource is not given in
    ├── HostRefused
    ├── OriginRefused
    ├── FormRefused              a form of another site, or an old one
    ├── Unauthorized             no key, or one that is unknown, expired or revoked
    ├── ConflictingKeys
    ├── ScopeMissing
    ├── RateLimited
    │   └── TooManyFailures      too many wrong keys from one address
    ├── TooManyExports           at one time, with one key
    ├── BasicRefused             a key that is no feed key, sent as a Basic password
    ├── PushOff
    ├── AssetNotFound
    ├── SignatureRefused
    └── NothingStored            several articles were sent and all of them failed
"""

from __future__ import annotations

from index.errors import InputError, LimitExceeded, UnreadableInput


class UnknownParameter(InputError):
    """Parameter that the resource does not have, or not in this place.

    :param nearest: the parameter that the caller probably means.
    :param hint: what to do instead, as the end of the message.
    """

    code = "unknown_parameter"

    def __init__(
        self, name: str, *, nearest: str | None = None, hint: str = ""
    ) -> None:
        way_out = f"did you mean {nearest}?" if nearest else hint
        super().__init__(
            f"no parameter {name[:50]!r} here" + (f"; {way_out}" if way_out else "")
        )
        self.parameter, self.nearest = name[:50], nearest


class RepeatedParameter(InputError):
    """Parameter that takes one value and was sent several times."""

    code = "repeated_parameter"

    def __init__(self, name: str, *, got: int) -> None:
        super().__init__(f"{name} takes one value, not {got:,}; send it once")
        self.parameter, self.got = name, got


class InvalidJson(UnreadableInput):
    """Body that is not JSON, or breaks one of its rules."""

    code = "invalid_json"


class BodyTooLarge(LimitExceeded):
    """Body above the limit, as sent or decompressed."""

    code = "body_too_large"

    def __init__(self, *, limit: int, got: int | None = None) -> None:
        super().__init__("body", limit=limit, got=got)


class TooManyArticles(LimitExceeded):
    """Request with more articles than the limit."""

    code = "too_many_articles"

    def __init__(self, *, limit: int) -> None:
        super().__init__("articles", limit=limit, got=None)


class IncompleteBody(InputError):
    """Body that was cut off or damaged on its way; nothing of it is used.

    :param got: the bytes that arrived, if their number is known.
    """

    code = "incomplete_body"

    def __init__(self, reason: str, *, got: int | None = None) -> None:
        super().__init__(
            f"the body did not arrive completely: {reason}; nothing of it was used,"
            " send it again"
        )
        self.got = got


class RequestTimeout(InputError):
    """Request that arrived too slowly; nothing of it is used."""

    code = "request_timeout"

    def __init__(self) -> None:
        super().__init__(
            "the request arrived too slowly, and nothing of it was used; send it again"
            " without pauses"
        )


class HeadTooLarge(LimitExceeded):
    """Request line and headers that together are above the limit."""

    code = "head_too_large"

    def __init__(self, *, limit: int) -> None:
        super().__init__("head", limit=limit, got=None)


class LengthRequired(InputError):
    """Request without the body that it needs."""

    code = "length_required"

    def __init__(self) -> None:
        super().__init__(
            "this request needs a body; send one with a Content-Length, or in chunks"
        )


class UnsupportedMediaType(InputError):
    """Body of a media type, or in a compression, that the resource does not accept.

    :param accepted: the media types that it accepts.
    :param encodings: the compressions that it accepts.
    """

    code = "unsupported_media_type"

    def __init__(
        self,
        got: str,
        *,
        accepted: tuple[str, ...] = (),
        encodings: tuple[str, ...] = (),
    ) -> None:
        fault = f"{got[:50]} is not accepted here" if got else "there is no media type"
        super().__init__(
            f"{fault}; send {', '.join(accepted or encodings)}"
            + (" (curl: -H 'Content-Type: application/json')" if accepted else "")
        )
        self.got = got[:50]
        self.accepted, self.encodings = accepted or None, encodings or None


class NotAcceptable(InputError):
    """Request whose ``Accept`` names none of the resource's media types.

    :param offered: the media types that it has.
    """

    code = "not_acceptable"

    def __init__(self, got: str, *, offered: tuple[str, ...]) -> None:
        self.got, self.offered = got[:100], tuple(dict.fromkeys(offered))
        super().__init__(
            f"nothing here is {self.got}; accept one of {', '.join(self.offered)}, or"
            " choose with ?format="
        )


class HostRefused(InputError):
    """Request to a host name that is not one of the service's.

    :param host: from ``Host`` or from the address; ``None`` if neither has one.
    """

    code = "host_refused"

    def __init__(self, host: str | None, *, allowed: tuple[str, ...]) -> None:
        name = "a request without a Host" if host is None else repr(host[:100])
        super().__init__(
            f"this service does not answer to {name}; use {' or '.join(allowed)}, or"
            " ask the operator to add a host to NUTGRAF_HOSTS"
        )
        self.got = None if host is None else host[:100]


class OriginRefused(InputError):
    """Call from a web page whose origin the operator has not allowed."""

    code = "origin_refused"

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"pages of {origin[:100]!r} may not call this service; ask the operator to"
            " add the origin to NUTGRAF_CORS"
        )
        self.got = origin[:100]


class FormRefused(InputError):
    """Form that this site did not give to this browser, or gave too long ago.

    :param reason: the fault, and the way out.
    """

    code = "form_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class Unauthorized(InputError):
    """Request without a key, or with one that is unknown, expired or revoked."""

    code = "unauthorized"

    def __init__(self, *, sent: bool) -> None:
        super().__init__(
            "this key is unknown, expired or revoked; ask the operator, who can look it"
            " up with nutgraf keys list"
            if sent
            else "this needs a key; send it as Authorization: Bearer KEY or X-API-Key:"
            " KEY, or ask the operator to make one with nutgraf keys add"
        )


class ConflictingKeys(InputError):
    """Two different keys, in ``Authorization`` and ``X-API-Key``."""

    code = "conflicting_keys"

    def __init__(self) -> None:
        super().__init__(
            "Authorization and X-API-Key hold different keys; send only one of them"
        )


class ScopeMissing(InputError):
    """Valid key without the scope that the request needs.

    :param scope: the missing scope.
    """

    code = "scope"

    def __init__(self, scope: str) -> None:
        super().__init__(
            f"this needs a key with the scope {scope}, which this one does not have;"
            " ask the operator to make one with nutgraf keys add"
        )
        self.scope = str(scope)


class RateLimited(InputError):
    """Key that is used more often than its rate allows.

    :param limit: requests a minute.
    :param retry_after: seconds until the next request is allowed.
    """

    code = "rate_limited"

    def __init__(
        self, *, limit: int, retry_after: int, what: str = "requests with this key"
    ) -> None:
        super().__init__(
            f"{what}: at most {limit:,} a minute; try again in {retry_after} s"
        )
        self.limit, self.retry_after = limit, retry_after


class TooManyFailures(RateLimited):
    """Address that has sent too many wrong keys."""

    def __init__(self, *, limit: int, retry_after: int) -> None:
        super().__init__(
            limit=limit, retry_after=retry_after, what="wrong keys from this address"
        )


class TooManyExports(InputError):
    """Export beyond those that one key may have under way at one time.

    :param limit: exports at one time.
    """

    code = "too_many_exports"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit:,} exports of this key are under way, as many as may be at one"
            " time; wait until one has ended"
        )
        self.limit = limit


class BasicRefused(InputError):
    """Key with another scope than ``feed``, sent as a Basic password.

    :param scopes: of the key.
    """

    code = "basic_refused"

    def __init__(self, scopes: tuple[str, ...]) -> None:
        super().__init__(
            "only a key whose one scope is feed may be sent as a Basic password; make"
            " one with nutgraf keys add NAME --scope feed, or send this one as"
            " Authorization: Bearer KEY"
        )
        self.scopes = scopes


class PushOff(InputError):
    """Push to a service whose operator has set no secret for it."""

    code = "push_off"

    def __init__(self) -> None:
        super().__init__(
            "push is switched off; ask the operator to set NUTGRAF_PUSH_SECRET to the"
            " secret that the sender signs with (see docs/push.md)"
        )


class AssetNotFound(InputError):
    """Media of a pushed item, whose bytes are never kept."""

    code = "asset_not_found"

    def __init__(self, media_id: str) -> None:
        super().__init__(
            f"the bytes of {media_id} are not kept here; items that refer to it are"
            " accepted all the same"
        )
        self.media_id = media_id


class SignatureRefused(InputError):
    """Push that is not signed, or not with the service's secret.

    :param header: name of the header that should have the signature.
    """

    code = "signature_refused"

    def __init__(self, header: str, *, missing: bool) -> None:
        super().__init__(
            f"the request has no {header} of the form sha1=HEX; send the HMAC-SHA1 of"
            " the body there"
            if missing
            else f"{header} does not fit the body and our secret; send the HMAC-SHA1"
            " of the body, byte for byte as it is sent"
        )
        self.header = header


class NothingStored(InputError):
    """Several articles that all failed; ``results`` says why."""

    code = "nothing_stored"

    def __init__(self, count: int) -> None:
        super().__init__(
            f"none of the {count:,} articles could be stored; results says why for each"
        )
