"""What a reader yields: an article, or why a record of the input is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from index.article import Article, Original, article_of
from index.dates import instant
from index.errors import InputError

LABEL = 100  # characters of a label, at most
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One record of an input: an article, or why it is none.

    :param line: where the record starts, from 1, in formats that have lines.
    :param error: why there is no article; ``None`` exactly if there is one.
    :param warnings: a sentence for each thing that could not be taken as it was.
    :param label: id, headline or position, to name a refused record in a report.
    :param original: what an article was read from, where reading changed that.
    """

    article: Article | None
    line: int | None = None
    error: InputError | None = None
    warnings: tuple[str, ...] = ()
    label: str | None = None
    original: Original | None = None


def made(
    document: dict[str, Any],
    *,
    line: int | None = None,
    warnings: tuple[str, ...] = (),
    position: int | None = None,
    original: Original | None = None,
) -> Read:
    """Return what a JSON form with our own field names makes: an article or an error.

    A date, language or urgency that means nothing is unknown, with a warning; the value
    is kept in ``extra``. An embargo or expiry that cannot be read refuses the record.

    :param position: the record's number in its input, from 1, for the label.
    """
    found = list(warnings)
    document = _without_odd_values(document, found)
    try:
        article = article_of(document, warn=found.append)
    except InputError as error:
        return refused(error, document, line=line, warnings=found, position=position)
    return Read(article=article, line=line, warnings=tuple(found), original=original)


def refused(
    error: InputError,
    record: object,
    *,
    line: int | None,
    warnings: list[str] | tuple[str, ...] = (),
    position: int | None = None,
) -> Read:
    """Return the report of a record that is no article."""
    return Read(
        article=None,
        line=line,
        error=error,
        warnings=tuple(warnings),
        label=label_of(record, position),
    )


def label_of(record: object, position: int | None = None) -> str | None:
    """Return what to call a record in a report; always printable, at most 100 long."""
    if isinstance(record, Mapping):
        for name in ("id", "uri", "guid", "headline", "title"):
            value = record.get(name)
            if isinstance(value, str | int) and str(value).strip():
                return _printable(str(value).strip()[:LABEL])
    return None if position is None else f"item {position}"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _without_odd_values(
    document: dict[str, Any], warnings: list[str]
) -> dict[str, Any]:
    odd: dict[str, Any] = {}
    language = document.get("language")
    if language is not None and language != "":
        tag = language.strip().replace("_", "-") if isinstance(language, str) else ""
        if not _LANGUAGE.match(tag):
            warnings.append(
                f"language: {str(language)[:50]!r} is not a BCP 47 tag such as en-GB;"
                " taken as unknown"
            )
            odd["language"] = language
        elif tag != language:
            document = {**document, "language": tag}
    urgency = document.get("urgency")
    if urgency is not None and urgency != "" and not _is_urgency(urgency):
        warnings.append(
            f"urgency: {str(urgency)[:50]!r} is no whole number from 1 to 9;"
            " taken as unknown"
        )
        odd["urgency"] = urgency
    for name in ("published", "updated"):
        value = document.get(name)
        if isinstance(value, str) and value.strip():
            try:
                instant(value)
            except ValueError as error:
                warnings.append(f"{name}: {error}; taken as unknown")
                odd[name] = value
    if not odd:
        return document
    extra = document.get("extra")
    kept = {**extra, **odd} if isinstance(extra, Mapping) else odd
    return {**{k: v for k, v in document.items() if k not in odd}, "extra": kept}


def _is_urgency(value: object) -> bool:
    if isinstance(value, str):
        return value.strip() in set("123456789")
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 9
