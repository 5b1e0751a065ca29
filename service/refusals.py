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
    ├── HostRefused
    ├── OriginRefused
    ├── Unauthorized             no key, or one that is unknown, expired or revoked
    ├── ConflictingKeys
    ├── ScopeMissing
    ├── RateLimited
    │   └── TooManyFailures      too many wrong keys from one address
    ├── PushOff
    ├── SignatureRefused
    └── NothingStored            several articles were sent and all of them failed
"""

from __future__ import annotations

from index.errors import InputError, LimitExceeded, UnreadableInput


class UnknownParameter(InputError):
    """A parameter that the resource does not have, or not in this place.

    :param nearest: the parameter that was perhaps meant.
    :param hint: another way out, as the end of the sentence.
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
    """A parameter that takes one value was given several."""

    code = "repeated_parameter"

    def __init__(self, name: str, *, got: int) -> None:
        super().__init__(f"{name} takes one value and was given {got:,}")
        self.parameter, self.got = name, got


class InvalidJson(UnreadableInput):
    """A body is not JSON, or holds what JSON does not allow."""

    code = "invalid_json"


class BodyTooLarge(LimitExceeded):
    """A request body is longer than the service reads, as sent or once unpacked."""

    code = "body_too_large"

    def __init__(self, *, limit: int, got: int | None = None) -> None:
        super().__init__("body", limit=limit, got=got)


class TooManyArticles(LimitExceeded):
    """More articles came in one request than the service takes."""

    code = "too_many_articles"

    def __init__(self, *, limit: int) -> None:
        super().__init__("articles", limit=limit, got=None)


class IncompleteBody(InputError):
    """A request body was cut off, or broken, on its way; nothing of it is used.

    :param got: the bytes that came, where they are known.
    """

    code = "incomplete_body"

    def __init__(self, reason: str, *, got: int | None = None) -> None:
        super().__init__(
            f"the body did not arrive whole: {reason}; nothing of it was used, so send"
            " it again"
        )
        self.got = got


class RequestTimeout(InputError):
    """A request did not come in time; nothing of it was used."""

    code = "request_timeout"

    def __init__(self) -> None:
        super().__init__(
            "the request did not come in time, and nothing of it was used: send it"
            " again, without a pause"
        )


class HeadTooLarge(LimitExceeded):
    """The request line and the headers are longer, together, than is taken in."""

    code = "head_too_large"

    def __init__(self, *, limit: int) -> None:
        super().__init__("head", limit=limit, got=None)


class LengthRequired(InputError):
    """A request that needs a body came without one."""

    code = "length_required"

    def __init__(self) -> None:
        super().__init__(
            "this request needs a body: send a Content-Length, or send it chunked"
        )


class UnsupportedMediaType(InputError):
    """A body is of a type, or packed in a way, that this resource does not read.

    :param accepted: what it reads; ``encodings`` how it may be packed.
    """

    code = "unsupported_media_type"

    def __init__(
        self,
        got: str,
        *,
        accepted: tuple[str, ...] = (),
        encodings: tuple[str, ...] = (),
    ) -> None:
        known = ", ".join(accepted or encodings)
        super().__init__(
            f"{got[:50] or 'no media type'} is not read here; send {known}"
            + (" (curl: -H 'Content-Type: application/json')" if accepted else "")
        )
        self.got = got[:50]
        self.accepted, self.encodings = accepted or None, encodings or None


class HostRefused(InputError):
    """The host that a request names is not one that this service answers to.

    :param host: of ``Host`` or of the whole address; ``None`` if there is none.
    """

    code = "host_refused"

    def __init__(self, host: str | None, *, allowed: tuple[str, ...]) -> None:
        named = "a request without a Host" if host is None else repr(host[:100])
        super().__init__(
            f"this service does not answer to {named}, only to {', '.join(allowed)}"
        )
        self.got = None if host is None else host[:100]


class OriginRefused(InputError):
    """A page of another origin calls, and the operator has not allowed it."""

    code = "origin_refused"

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"pages of {origin[:100]!r} may not call this service; the operator"
            " allows origins with NUTGRAF_CORS"
        )
        self.got = origin[:100]


class Unauthorized(InputError):
    """There is no key, or what was sent is none: unknown, expired and revoked alike."""

    code = "unauthorized"

    def __init__(self, *, sent: bool) -> None:
        super().__init__(
            "this key is not known here, or it has ended; the operator has"
            " nutgraf keys list"
            if sent
            else "this needs a key: send it as Authorization: Bearer KEY, or as"
            " X-API-Key: KEY; the operator makes one with nutgraf keys add"
        )


class ConflictingKeys(InputError):
    """``Authorization`` and ``X-API-Key`` hold two different keys."""

    code = "conflicting_keys"

    def __init__(self) -> None:
        super().__init__(
            "Authorization and X-API-Key hold different keys: send one of them"
        )


class ScopeMissing(InputError):
    """The key is good, but not for this.

    :param scope: what it would need.
    """

    code = "scope"

    def __init__(self, scope: str) -> None:
        super().__init__(
            f"this needs a key with the scope {scope}, which this one does not have;"
            " the operator makes one with nutgraf keys add"
        )
        self.scope = str(scope)


class RateLimited(InputError):
    """A key was used more often than its rate allows.

    :param limit: requests a minute; ``retry_after`` seconds until there is one again.
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
    """One address has sent too many keys that are none."""

    def __init__(self, *, limit: int, retry_after: int) -> None:
        super().__init__(
            limit=limit, retry_after=retry_after, what="wrong keys from this address"
        )


class PushOff(InputError):
    """Something is pushed, and the operator has set no secret to know the sender by."""

    code = "push_off"

    def __init__(self) -> None:
        super().__init__(
            "push is switched off; the operator switches it on with a secret in"
            " NUTGRAF_PUSH_SECRET that the sender signs with, see docs/push.md"
        )


class SignatureRefused(InputError):
    """What is pushed is not signed, or not with our secret.

    :param header: where the signature is to be.
    """

    code = "signature_refused"

    def __init__(self, header: str, *, missing: bool) -> None:
        reason = (
            f"has no {header} of the form sha1=HEX"
            if missing
            else f"is not signed with our secret, going by {header}: that must be the"
            " HMAC-SHA1 of the body, byte for byte as it is sent"
        )
        super().__init__(f"the request {reason}")
        self.header = header


class NothingStored(InputError):
    """Several articles were sent and none could be kept; ``results`` says why."""

    code = "nothing_stored"

    def __init__(self, count: int) -> None:
        super().__init__(
            f"none of the {count:,} articles could be kept; results says why of each"
        )
