"""API call: the search of a page as a line for the shell, and in other formats."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from service.api import unused_in
from service.exchange import SearchFormat
from service.pages.address import Address

_LABELS = {
    SearchFormat.JSON: "JSON",
    SearchFormat.ATOM: "Atom",
    SearchFormat.RSS: "RSS",
    SearchFormat.CSV: "CSV",
    SearchFormat.NDJSON: "NDJSON",
}
_KEY = "X-API-Key: YOUR-KEY"  # to be filled in: a page never shows a key


@dataclass(frozen=True, slots=True)
class FormatLink:
    """A search in another format."""

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A search of a page over HTTP.

    :param curl: a line for the shell.
    :param needs_key: whether the API asks for a key here.
    """

    curl: str
    needs_key: bool
    formats: tuple[FormatLink, ...]


def api_call_of(
    address: Address, origin: str, root: str, *, needs_key: bool
) -> ApiCall:
    """A search from its first hit, over HTTP.

    :param address: of its page.
    :param origin: of this server, such as ``https://archive.example``.
    :param root: prefix of the service's paths.
    """
    pairs = address.start().pairs
    here = Address(f"{root}/v1/search", pairs)
    line = ["curl", *(["-H", _KEY] if needs_key else []), f"{origin}{here}"]
    return ApiCall(
        curl=shlex.join(line),
        needs_key=needs_key,
        formats=tuple(
            FormatLink(
                label,
                str(
                    Address(f"{root}/v1/search.{name}", pairs).without(*unused_in(name))
                ),
            )
            for name, label in _LABELS.items()
        ),
    )
