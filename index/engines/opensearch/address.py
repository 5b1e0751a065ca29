"""The address of a cluster: its nodes, its login, and how its indexes are made."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit

from index.errors import InvalidValue

_SCHEMES = {"opensearch+https": True, "opensearch+http": False}
_HOW = (
    "write opensearch+https://USER:PASSWORD@HOST:9200,HOST:9200/PREFIX, or"
    " opensearch+http://…"
)
_HOST = re.compile(
    r"(?P<name>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
)
# An index's name is in lower case, and begins with none of - _ +.
_PREFIX = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_PORT = 9200
_MOST_SHARDS = 1_024  # the most that OpenSearch makes of an index
_MOST_REPLICAS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The address of a cluster, read from the URL of the engine.

    :param hosts: name and port of each node that is asked.
    :param prefix: beginning of the names of our indexes.
    :param ca: file of the certificates that the nodes' are signed with; ``None`` for
        those of the system.
    :param shards: primary shards of each index of articles and paragraphs.
    :param replicas: copies of each shard beside the primary.
    """

    hosts: tuple[tuple[str, int], ...]
    tls: bool
    prefix: str = "nutgraf"
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str | None = None
    shards: int = 1
    replicas: int = 0

    def __str__(self) -> str:
        """The URL without the login, for logs."""
        scheme = "opensearch+https" if self.tls else "opensearch+http"
        hosts = ",".join(f"{name}:{port}" for name, port in self.hosts)
        return f"{scheme}://{hosts}/{self.prefix}"


def address_of(url: str) -> Address:
    """Address in the URL of an engine.

    Characters of the login that mean something in a URL are written as ``%40``.

    :raises InvalidValue: a part of it is invalid. The login is never in the error.
    """
    scheme, separator, rest = url.partition("://")
    if scheme not in _SCHEMES or not separator:
        _refuse(_HOW, None)  # what follows may hold a password
    # Not urlsplit's netloc: it would refuse several hosts with ports.
    netloc, slash, tail = rest.partition("/")
    login, _, hosts = netloc.rpartition("@")
    if "?" in netloc or "#" in netloc:
        _refuse("write %3F for ? and %23 for # in a login, and /PREFIX before ?", None)
    if "@" in tail:  # perhaps the rest of a login
        _refuse("write %2F for / in a login, and %40 for @ but before the hosts", None)
    user, _, password = login.partition(":")
    if login and not (user and password):
        _refuse("write both a user and a password before the @", None)
    parts = urlsplit(slash + tail)
    options = _options(parts.query)
    tls = _SCHEMES[scheme]
    ca = options.pop("ca", None)
    if ca is not None and not tls:
        _refuse("ca is for opensearch+https:// only", ca)
    prefix = parts.path.strip("/") or "nutgraf"
    if not _PREFIX.fullmatch(prefix):
        _refuse("write a prefix of lower-case letters, digits, - and _", prefix)
    return Address(
        hosts=tuple(map(_host, hosts.split(","))),
        tls=tls,
        prefix=prefix,
        user=unquote(user),
        password=unquote(password),
        ca=ca,
        shards=_number(options, "shards", 1, _MOST_SHARDS, default=1),
        replicas=_number(options, "replicas", 0, _MOST_REPLICAS, default=0),
    )


def _options(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in ("ca", "shards", "replicas") or name in options:
            _refuse("after ? write ca, shards and replicas, each once", name)
        options[name] = value
    return options


def _host(text: str) -> tuple[str, int]:
    parts = _HOST.fullmatch(text)
    port = _PORT if parts is None or parts["port"] is None else int(parts["port"])
    if parts is None or not 0 < port < 65_536:
        _refuse("write each host as HOST or HOST:PORT, separated by commas", text)
    return parts["name"], port


def _number(
    options: dict[str, str], name: str, least: int, most: int, *, default: int
) -> int:
    text = options.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and least <= int(text[:9]) <= most):
        _refuse(f"{name} must be a number from {least} to {most:,}", text)
    return int(text)


def _refuse(detail: str, got: str | None) -> NoReturn:
    raise InvalidValue("engine", detail, got=got)
