"""Settings: frozen values, built once from the environment."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Self

from index.dates import DateRules, date_rules
from index.errors import InvalidValue
from index.text import language_tag

PREFIX = "NUTGRAF_"
# NUTGRAF_STORE_FILE names a file that has the value of NUTGRAF_STORE.
IN_FILE = "_FILE"
MB = 1024 * 1024
MAX_RATE = 1_000_000  # requests a minute
# postgresql://user:password@host/name, where the password may contain an @; or a
# parameter, as in postgresql://host/name?user=user&password=password.
_PASSWORD = re.compile(r"(://[^:/@]*:).*@")
_PARAMETER = re.compile(r"([?&](?:ssl)?password=)[^&]*", re.IGNORECASE)
# An origin as browsers send it (RFC 6454). There is no * for all origins.
_ORIGIN = re.compile(
    r"(?!https://[^/]*:443\Z|http://[^/]*:80\Z)[a-z][a-z0-9+.-]*://"
    r"(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?\Z"
)
# An address with {id} in its path or query, and with no other braces.
_PERMALINK = re.compile(
    r"https?://(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[1-9][0-9]{0,4})?/"
    r"[^\s{}\"'<>\\^`|\x00-\x1f\x7f]*\{id\}[^\s{}\"'<>\\^`|\x00-\x1f\x7f]*\Z"
)
# A host as in the Host header, without the port.
_HOST = re.compile(
    r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?\Z"
    # Not *.org: that would be the names of everybody.
    r"|\*(?:\.[a-z0-9_-]+){2,}\Z"
    r"|\[[0-9a-f:.]+\]\Z"
)
NONE = "none"
# Settings that the answers to readers do not depend on. Add a new one only if that is
# sure: after a change of these, clients are told that their copies are current.
NOT_OF_ANSWERS = frozenset(
    {
        *("store", "engine", "bind", "cors", "hosts", "push_secret"),
        *("body_bytes", "article_bytes", "articles_per_request"),
        *("index_memory", "search_memory", "wait_seconds"),
        *("rate", "exports", "behind", "disk_free"),
    }
)
_KINDS = {int: "a whole number", float: "a number", str: "given, or not set at all"}


def _setting(
    default: Any, about: str, *, optional: bool = False, secret: bool = False
) -> Any:
    """Dataclass field of a setting.

    :param about: its meaning, a row of ``docs/settings.md``.
    :param optional: whether ``none`` is a value, which becomes ``None``.
    :param secret: whether its value is never shown.
    """
    return field(
        default=default,
        metadata={"about": about, "optional": optional, "secret": secret},
        repr=not secret,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings and their defaults.

    The environment variable of a setting is ``NUTGRAF_`` and its name in capitals. With
    ``_FILE`` behind that, the variable names a file that has the value.
    """

    store: str = _setting(
        "sqlite:///data/nutgraf.db",
        "sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE",
    )
    engine: str = _setting(
        "whoosh:data/index",
        "memory:, whoosh:FOLDER or opensearch+https://USER:PASSWORD@HOST:9200/PREFIX",
    )
    bind: str = _setting("127.0.0.1:8000", "address and port of the service")
    language: str = _setting(
        "en", "language for analysing articles that name none (BCP 47)"
    )
    tz: str = _setting("UTC", "IANA time zone of written dates that name none")
    zones: tuple[str, ...] = _setting(
        (),
        "meanings of zone names in written dates, such as IST=Asia/Kolkata, separated"
        " by spaces",
    )
    dates: str = _setting(
        "", "order of day and month in dates such as 29/03/2024: dmy or mdy"
    )
    cors: tuple[str, ...] = _setting(
        (), "origins that browsers may call from, separated by spaces"
    )
    hosts: tuple[str, ...] = _setting(
        (),
        "host names to answer to besides the machine's own, separated by spaces",
    )
    permalink: str = _setting(
        "",
        "address of an article that has no url, such as"
        " https://news.example/archive/{id}; without one, it has no link",
    )
    proxies: tuple[str, ...] = _setting(
        ("127.0.0.1", "::1"),
        "addresses of proxies whose X-Forwarded-Prefix counts, separated by spaces",
    )
    push_secret: str = _setting(
        "",
        "secret that Superdesk signs its pushes with; without one, push is off",
        secret=True,
    )
    query_characters: int = _setting(1_000, "longest q, in characters")
    query_clauses: int = _setting(64, "most words, phrases and ranges in a q")
    query_depth: int = _setting(20, "deepest nesting of parentheses in a q")
    wildcard_letters: int = _setting(3, "letters before the first * or ?")
    expansions: int = _setting(20_000, "most words that a prefix or wildcard may match")
    limit: int = _setting(100, "most hits in an answer")
    answer_bytes: int = _setting(
        16 * MB, "most text in the answer to a search, in bytes as JSON"
    )
    window: int = _setting(10_000, "last hit that `page` can reach; cursors go further")
    body_bytes: int = _setting(32 * MB, "largest request body, in bytes")
    article_bytes: int = _setting(1 * MB, "largest article as JSON, in bytes")
    articles_per_request: int = _setting(1_000, "most articles in one request")
    search_seconds: float = _setting(2.0, "deadline of a search, in seconds")
    index_memory: int = _setting(
        512 * MB, "memory that the indexer may use for articles, in bytes"
    )
    search_memory: int = _setting(
        384 * MB,
        "memory that the searches of one process may take together, in bytes",
    )
    wait_seconds: float = _setting(10.0, "longest wait of `?wait=1`, in seconds")
    rate: int | None = _setting(
        6_000, "requests a minute of a key without its own rate, or none", optional=True
    )
    exports: int = _setting(
        2, "exports of a key at one time, in each worker of the service"
    )
    behind: int = _setting(
        10_000, "changes that the index may be behind before `/readyz` fails"
    )
    disk_free: int = _setting(
        256 * MB, "bytes that must be free on each disk, or `/readyz` fails"
    )

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if isinstance(value, int | float) and not 0 < value < math.inf:
                raise InvalidValue(
                    _variable(setting), "must be above 0 and finite", got=value
                )
        tag = language_tag(self.language)
        if tag is None:
            raise InvalidValue(
                "NUTGRAF_LANGUAGE",
                "names no language; write a tag such as en-GB",
                got=self.language,
            )
        _check_dates("NUTGRAF_TZ", tz=self.tz)
        _check_dates("NUTGRAF_ZONES", zones=self.zones)
        _check_dates("NUTGRAF_DATES", order=self.dates)
        object.__setattr__(self, "language", tag)
        for origin in self.cors:
            if not _ORIGIN.match(origin):
                raise InvalidValue(
                    "NUTGRAF_CORS",
                    "write each origin as browsers send it, such as"
                    " https://desk.example or http://localhost:3000: scheme and host in"
                    " lower case, the port unless it is the default, and nothing else",
                    got=origin,
                )
        for name in self.hosts:
            if not _HOST.match(name):
                raise InvalidValue(
                    "NUTGRAF_HOSTS",
                    "write each host as in addresses, such as search.desk.example or"
                    " [fd00::1], or *.desk.example for all names below it: in lower"
                    " case, without a port",
                    got=name,
                )
        if self.permalink and not _PERMALINK.match(self.permalink):
            raise InvalidValue(
                "NUTGRAF_PERMALINK",
                "write an address that starts with https:// or http:// and has {id}"
                " once, in its path or query, such as https://news.example/archive/{id}",
                got=self.permalink,
            )
        for proxy in self.proxies:
            try:
                ip_network(proxy, strict=False)
            except ValueError:
                raise InvalidValue(
                    "NUTGRAF_PROXIES",
                    "write addresses or networks, such as 127.0.0.1 or 10.0.0.0/8",
                    got=proxy,
                ) from None
        if self.rate is not None and self.rate > MAX_RATE:
            raise InvalidValue(
                "NUTGRAF_RATE", f"write at most {MAX_RATE:,}, or none", got=self.rate
            )
        host, _, port = self.bind.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65_535:
            raise InvalidValue(
                "NUTGRAF_BIND", "write HOST:PORT, such as 127.0.0.1:8000", got=self.bind
            )

    @property
    def of_answers(self) -> tuple[Any, ...]:
        """Values of the settings that what readers are answered may depend on."""
        return tuple([getattr(self, name) for name in _OF_ANSWERS])

    def date_rules(self) -> DateRules:
        """How written dates are read."""
        return date_rules(tz=self.tz, zones=self.zones, order=self.dates)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Settings from a mapping such as ``os.environ``.

        :raises InvalidValue: a ``NUTGRAF_`` variable is not a setting, or is invalid,
            or names a file that cannot be read.
        """
        settings = {_variable(setting): setting for setting in fields(cls)}
        values: dict[str, Any] = {}
        for name, text in environ.items():
            if not name.startswith(PREFIX):
                continue
            variable = name.removesuffix(IN_FILE)
            if variable not in settings:
                raise InvalidValue(
                    name, f"is not a setting; choose from {', '.join(settings)}"
                )
            if variable != name:
                if variable in environ:
                    raise InvalidValue(
                        name, f"is set besides {variable}; set one of the two"
                    )
                text = _content(name, text.strip())
            setting = settings[variable]
            try:
                values[setting.name] = _parse(text.strip(), setting)
            except ValueError:
                kind = _KINDS[type(setting.default)]
                if setting.metadata["optional"]:
                    kind += f", or {NONE}"
                raise InvalidValue(name, f"must be {kind}", got=text) from None
        return cls(**values)

    def shown(self) -> dict[str, Any]:
        """All settings by variable name, with secrets masked."""
        return {
            _variable(setting): _masked(
                getattr(self, setting.name), secret=setting.metadata["secret"]
            )
            for setting in fields(self)
        }


_OF_ANSWERS = [
    setting.name for setting in fields(Settings) if setting.name not in NOT_OF_ANSWERS
]


def _check_dates(variable: str, **rules: Any) -> None:
    """Check one of the rules for written dates."""
    try:
        date_rules(**rules)
    except ValueError as error:
        raise InvalidValue(variable, str(error)) from error


def _content(variable: str, path: str) -> str:
    """Content of the file that a variable names, without white space around it."""
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise InvalidValue(
            variable,
            f"names a file that cannot be read: {reason}",
            got=without_password(path),
        ) from error


def _variable(setting: Field[Any]) -> str:
    return PREFIX + setting.name.upper()


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


def without_password(url: str) -> str:
    """A URL with ``***`` in place of each password."""
    return _PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1***@", url))


def _masked(value: Any, *, secret: bool) -> Any:
    if secret and value:
        return "***"
    return without_password(value) if isinstance(value, str) else value
