"""What a reader yields for each record: an article, or the error in its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from index.article import MAX_PARAGRAPHS, Article, Original, Role, article_of
from index.dates import DateRules
from index.errors import InputError, LimitExceeded
from index.formats.blocks import LONG, is_prose
from index.formats.date_fields import check_embargo_names, with_instants
from index.formats.mapping import Mapped
from index.formats.statuses import settle
from index.text import language_tag, value_key

_LONGEST_LABEL = 100  # characters
_SENTENCE = 40  # characters from which a text may be one of a body's
_BODY = frozenset(Role) - {Role.HEADLINE, Role.ABSTRACT, Role.CAPTION}


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One record of an input: an article or an error.

    A wrapper without records yields one that is neither.

    :param line: where the record starts, from 1, in formats that have lines.
    :param error: why there is no article.
    :param warnings: a sentence for each value that was changed or ignored.
    :param label: id, headline or position, to name a refused record in a report.
    :param original: the bytes an article was read from, if reading changed them.
    :param wrapper: path of the list that the record was found in.
    :param read_as: format of a record that was detected on its own.
    :param guess: format that it looked like, if only another one could read it.
    :param passed_over: whether it is no article by its kind, which is no fault of it;
        the error says what it is.
    :param mapped: the record with the mapping applied, if there is a mapping.
    :param unread: names of columns that are no field, and kept in ``extra``; only of
        the first row of a table.
    """

    article: Article | None
    line: int | None = None
    error: InputError | None = None
    warnings: tuple[str, ...] = ()
    label: str | None = None
    original: Original | None = None
    wrapper: str | None = None
    read_as: str | None = None
    guess: str | None = None
    passed_over: bool = False
    mapped: Mapped | None = None
    unread: tuple[str, ...] = ()


def read_of(
    document: dict[str, Any],
    *,
    dates: DateRules,
    line: int | None = None,
    warnings: tuple[str, ...] = (),
    position: int | None = None,
    original: Original | None = None,
) -> Read:
    """Record of an article in JSON under our own field names, or of the error in it.

    An unreadable date, language or urgency is taken as unknown, with a warning, and
    kept in ``extra``. An unreadable embargo or expiry refuses the record. If there is
    no body, each property with a text of 200 characters or more in ``extra`` is named.

    :param dates: how its dates are read.
    :param position: the record's number in its input, from 1, for the label.
    """
    notes = list(warnings)
    document = _without_odd_values(document, notes)
    try:
        _check_paragraphs(document.get("paragraphs"))
        check_embargo_names(document.get("extra"), dates)
        document = with_instants(document, dates, notes)
        settle(document, notes)
        article = article_of(document)
    except InputError as error:
        return refusal_of(error, document, line=line, warnings=notes, position=position)
    if not _has_body(article):
        notes += _unread_texts(article)
    return Read(article=article, line=line, warnings=tuple(notes), original=original)


def _check_paragraphs(paragraphs: object) -> None:
    count = len(paragraphs) if isinstance(paragraphs, list | tuple) else 0
    if count > MAX_PARAGRAPHS:
        raise LimitExceeded("paragraphs", limit=MAX_PARAGRAPHS, got=count)


def refusal_of(
    error: InputError,
    record: object,
    *,
    line: int | None,
    warnings: list[str] | tuple[str, ...] = (),
    position: int | None = None,
) -> Read:
    """Record that holds an error instead of an article."""
    return Read(
        article=None,
        line=line,
        error=error,
        warnings=tuple(warnings),
        label=label_of(record, position),
    )


def label_of(record: object, position: int | None = None) -> str | None:
    """Name of a record in a report: printable, at most 100 characters."""
    if isinstance(record, Mapping):
        for name in ("id", "uri", "guid", "headline", "title"):
            value = record.get(name)
            if isinstance(value, str | int) and str(value).strip():
                return _printable(str(value).strip()[:_LONGEST_LABEL])
    return None if position is None else f"item {position}"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _without_odd_values(
    document: dict[str, Any], warnings: list[str]
) -> dict[str, Any]:
    """A document with unusable values moved to ``extra``, and a warning of each."""
    odd: dict[str, Any] = {}
    language = document.get("language")
    if language is not None and language != "":
        tag = language_tag(language) if isinstance(language, str) else None
        if tag is None:
            warnings.append(
                f"language: {str(language)[:50]!r} names no language; write a BCP 47"
                " tag such as en-GB; taken as unknown"
            )
            odd["language"] = language
        elif tag != language:
            document = {**document, "language": tag}
    urgency = document.get("urgency")
    if urgency is not None and urgency != "":
        number = _whole(urgency)
        if number is None or not 1 <= number <= 9:
            warnings.append(
                f"urgency: {str(urgency)[:50]!r} is not a whole number from 1 to 9;"
                " taken as unknown"
            )
            odd["urgency"] = urgency
        elif type(urgency) is not int:
            document = {**document, "urgency": number}
    if not odd:
        return document
    extra = document.get("extra")
    extra = {**extra, **odd} if isinstance(extra, Mapping) else odd
    return {**{k: v for k, v in document.items() if k not in odd}, "extra": extra}


def _has_body(article: Article) -> bool:
    """Whether an article has running text; that of a picture is its caption."""
    of_text = article.type in (None, "text", "composite")
    roles = _BODY if of_text else _BODY | {Role.CAPTION}
    return any(paragraph.role in roles for paragraph in article.paragraphs)


def _unread_texts(article: Article) -> list[str]:
    """A warning for each property of ``extra`` that may hold the body of an article."""
    lengths: dict[str, int] = {}
    parts: list[tuple[str, Any]] = [("", article.extra)]
    while parts:
        path, value = parts.pop()
        if isinstance(value, Mapping):
            for name, member in value.items():
                parts.append((f"{path}.{name}" if path else name, member))
        elif isinstance(value, list | tuple):
            # One path for all items: a body may be a list of short texts.
            parts += ((f"{path}[]", item) for item in value)
        elif isinstance(value, str) and is_prose(value, _SENTENCE):
            lengths[path] = lengths.get(path, 0) + len(value)
    return [
        f"no body was found, but {_printable(path[:_LONGEST_LABEL])} holds a text of"
        f" {length:,} characters; it is kept in extra, and not searched"
        for path, length in sorted(lengths.items())
        if length >= LONG
    ]


def _whole(value: object) -> int | None:
    """Whole number that a value stands for, in digits of any width."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        digits = value_key(value)
        is_number = digits.isdecimal() and len(digits) < 10
        return int(digits) if is_number else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
