"""Settings: frozen values, built once at the front door from the environment."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Self

from index.article import LANGUAGE_TAG
from index.errors import InvalidValue

PREFIX = "NUTGRAF_"
MB = 1024 * 1024
MAX_RATE = 1_000_000  # requests a minute
_PASSWORD = re.compile(r"(://[^:/@]*:).*@")
# As RFC 6454 has browsers write an origin. There is no * for all of them.
_ORIGIN = re.compile(
    r"(?!https://[^/]*:443\Z|http://[^/]*:80\Z)[a-z][a-z0-9+.-]*://"
    r"(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?\Z"
)
# As a Host header has it, without the port.
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?\Z|\[[0-9a-f:.]+\]\Z")
NONE = "none"
_KINDS = {int: "a whole number", float: "a number", str: "given, or not set at all"}


def _setting(
    default: Any, about: str, *, optional: bool = False, secret: bool = False
) -> Any:
    """Return a setting's field; an optional one may be ``none``, which is ``None``.

    A secret one is shown nowhere.
    """
    return field(
        default=default,
        metadata={"about": about, "optional": optional, "secret": secret},
        repr=not secret,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set, with what holds when nothing is.

    Each is the environment variable ``NUTGRAF_`` and its name in capitals.
    """

    store: str = _setting("sqlite:///data/nutgraf.db", "database URL of the store")
    engine: str = _setting("whoosh:data/index", "memory: or whoosh:FOLDER")
    bind: str = _setting("127.0.0.1:8000", "address and port of the service")
    language: str = _setting("en", "analysis of articles without a language (BCP 47)")
    cors: tuple[str, ...] = _setting(
        (), "origins that browsers may call from, separated by spaces"
    )
    hosts: tuple[str, ...] = _setting(
        (), "names it answers to besides its own machine's, separated by spaces"
    )
    push_secret: str = _setting(
        "",
        "what Superdesk signs its pushes with; without it there is no push",
        secret=True,
    )
    query_characters: int = _setting(1_000, "longest q, in characters")
    query_clauses: int = _setting(64, "most words, phrases and ranges in a q")
    query_depth: int = _setting(20, "deepest nesting of parentheses in a q")
    wildcard_letters: int = _setting(3, "letters before the first * or ?")
    expansions: int = _setting(20_000, "most words a prefix or wildcard may stand for")
    limit: int = _setting(100, "most hits an answer may hold")
    window: int = _setting(10_000, "furthest hit that page can reach; cursors go on")
    body_bytes: int = _setting(32 * MB, "largest request body, in bytes")
    article_bytes: int = _setting(1 * MB, "largest article as JSON, in bytes")
    articles_per_request: int = _setting(1_000, "most articles in one request")
    search_seconds: float = _setting(2.0, "deadline of a search, in seconds")
    index_memory: int = _setting(
        512 * MB, "memory that writing the index may take for articles, in bytes"
    )
    wait_seconds: float = _setting(10.0, "longest that ?wait=1 waits, in seconds")
    rate: int | None = _setting(
        6_000, "requests a minute of a key without its own rate, or none", optional=True
    )
    behind: int = _setting(
        10_000, "changes that the index may be behind until /readyz says no"
    )
    disk_free: int = _setting(
        256 * MB, "bytes that must be free on each disk, or /readyz says no"
    )

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, int | float) and not 0 < value < math.inf:
                raise InvalidValue(
                    PREFIX + each.name.upper(), "must be above 0 and finite", got=value
                )
        if not LANGUAGE_TAG.match(self.language):
            raise InvalidValue(
                "NUTGRAF_LANGUAGE", "write a tag such as en-GB", got=self.language
            )
        for origin in self.cors:
            if not _ORIGIN.match(origin):
                raise InvalidValue(
                    "NUTGRAF_CORS",
                    "write each origin as browsers send it, such as"
                    " https://desk.example or http://localhost:3000: scheme and host in"
                    " small letters, a port unless it is the usual one, and no more",
                    got=origin,
                )
        for each_host in self.hosts:
            if not _HOST.match(each_host):
                raise InvalidValue(
                    "NUTGRAF_HOSTS",
                    "write each host as it stands in addresses, such as"
                    " search.desk.example or [fd00::1]: in small letters, without a"
                    " port",
                    got=each_host,
                )
        if self.rate is not None and self.rate > MAX_RATE:
            raise InvalidValue(
                "NUTGRAF_RATE", f"write at most {MAX_RATE:,}, or none", got=self.rate
            )
        host, _, port = self.bind.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65_535:
            raise InvalidValue(
                "NUTGRAF_BIND", "write HOST:PORT, such as 127.0.0.1:8000", got=self.bind
            )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Return the settings of a mapping such as ``os.environ``.

        :raises InvalidValue: a ``NUTGRAF_`` variable is no setting, or has a bad value.
        """
        kinds = {PREFIX + each.name.upper(): each for each in fields(cls)}
        values: dict[str, Any] = {}
        for name, text in environ.items():
            if not name.startswith(PREFIX):
                continue
            if name not in kinds:
                raise InvalidValue(
                    name, f"is not a setting; choose from {', '.join(kinds)}"
                )
            default = kinds[name].default
            try:
                values[kinds[name].name] = _parse(text.strip(), kinds[name])
            except ValueError:
                kind = _KINDS[type(default)]
                if kinds[name].metadata["optional"]:
                    kind += f", or {NONE}"
                raise InvalidValue(name, f"must be {kind}", got=text) from None
        return cls(**values)

    def shown(self) -> dict[str, Any]:
        """Return every setting by variable name, with secrets masked."""
        return {
            PREFIX + each.name.upper(): _masked(
                getattr(self, each.name), secret=each.metadata["secret"]
            )
            for each in fields(self)
        }


def documented() -> tuple[tuple[str, Any, str], ...]:
    """Return (variable, default, meaning) of each setting, in order."""
    return tuple(
        (PREFIX + each.name.upper(), each.default, each.metadata["about"])
        for each in fields(Settings)
    )


def _parse(text: str, setting: Field[Any]) -> Any:
    default = setting.default
    if setting.metadata["optional"] and text.lower() == NONE:
        return None
    if isinstance(default, tuple):
        return tuple(text.split())
    if isinstance(default, int | float):
        return type(default)(text)
    if default and not text:
        raise ValueError("blank")
    return text


def _masked(value: Any, *, secret: bool) -> Any:
    if secret and value:
        return "***"
    # postgresql://user:password@host/name; a password may itself hold an @.
    return _PASSWORD.sub(r"\1***@", value) if isinstance(value, str) else value
