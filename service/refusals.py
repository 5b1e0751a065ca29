"""What the service refuses by itself, before an article or a query is looked at.

::

    InputError
    ├── UnknownParameter
    ├── RepeatedParameter
    ├── InvalidJson              of UnreadableInput
    ├── BodyTooLarge             of LimitExceeded
    ├── TooManyArticles          of LimitExceeded
    ├── LengthRequired
    ├── UnsupportedMediaType
    ├── HostRefused
    ├── OriginRefused
    └── NothingStored            not one of several articles could be kept
"""

from __future__ import annotations

from index.errors import InputError, LimitExceeded, UnreadableInput


class UnknownParameter(InputError):
    """A parameter that the resource does not have.

    :param nearest: the parameter that was perhaps meant.
    """

    code = "unknown_parameter"

    def __init__(self, name: str, *, nearest: str | None) -> None:
        hint = f"; did you mean {nearest}?" if nearest else ""
        super().__init__(f"no parameter {name[:50]!r} here{hint}")
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
        self.got, self.accepted, self.encodings = got[:50], accepted, encodings


class HostRefused(InputError):
    """The ``Host`` is not one that this service answers to."""

    code = "host_refused"

    def __init__(self, host: str, *, allowed: tuple[str, ...]) -> None:
        super().__init__(
            f"this service does not answer to {host[:100]!r}, only to"
            f" {', '.join(allowed)}"
        )
        self.got = host[:100]


class OriginRefused(InputError):
    """A page of another origin calls, and the operator has not allowed it."""

    code = "origin_refused"

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"pages of {origin[:100]!r} may not call this service; the operator"
            " allows origins with NUTGRAF_CORS"
        )
        self.got = origin[:100]


class NothingStored(InputError):
    """Several articles were sent and none could be kept; ``results`` says why."""

    code = "nothing_stored"

    def __init__(self, count: int) -> None:
        super().__init__(
            f"none of the {count:,} articles could be kept; results says why of each"
        )
