"""Articles of XML files: each record's element read by its format, and completed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from index.article import CONCEPT_FIELDS, Original, Status
from index.errors import InputError, InvalidArticle, UnreadableInput
from index.formats import field_names
from index.formats.completion import complete, identify
from index.formats.mapping import Mapped
from index.formats.options import ReadOptions
from index.formats.record import Read, read_of, refusal_of
from index.formats.text import article_id
from index.parsing import (
    XmlElement,
    XmlRecord,
    attribute,
    first,
    line_text,
    xml_records,
)


@dataclass(slots=True)
class XmlArticle:
    """An article as an element of XML says it.

    :param document: in our JSON form, with dates as they were written.
    :param warnings: a sentence for each value that was changed or ignored.
    :param has_own_id: whether the format demands an id: without it the article is
        refused, and not named after its file.
    """

    document: dict[str, Any]
    warnings: list[str] = field(default_factory=list)
    has_own_id: bool = False


class PassedOver(Exception):
    """A record that is no article by its kind, such as a file of a WordPress site.

    :param reason: what it is.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.error = InvalidArticle("type", reason)


_BASIC_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})\Z")


def iso_date(text: str | None) -> str | None:
    """A date of a format whose dates are ISO 8601: a day also without hyphens.

    Elsewhere eight digits alone are no date, as they could be something else.
    """
    return text and _BASIC_DAY.sub(r"\1-\2-\3", text)


def withdrawal_of(
    article_id: str, status: Status, *, headline: str | None, **rest: Any
) -> XmlArticle:
    """Article that only cancels or withholds another one, whose text is not there.

    :param headline: of the notice; nobody may read more of the article.
    """
    document = {
        "id": article_id,
        "status": status.value,
        "headline": headline or article_id,
        **rest,
    }
    return XmlArticle(document)


# Articles of one record: its own, and those whose status it changes.
ElementReader = Callable[[XmlElement], list[XmlArticle]]


def read_elements(
    data: bytes | BinaryIO,
    read_element: ElementReader,
    *,
    records: frozenset[str],
    missing: str,
    format_name: str,
    name: str,
    options: ReadOptions,
    records_of: Callable[[bytes | BinaryIO], Iterator[XmlRecord | Read]] | None = None,
    listed: str | None = None,
) -> Iterator[Read]:
    """Yield the articles of an XML file, in order; raise nothing for what it holds.

    :param records: local names of the elements that are records, in small letters.
    :param missing: what is wrong with a file that has none.
    :param records_of: yields the records, where their names do not say which they are,
        or what is read in place of one.
    :param listed: name of the records of a format whose files may have none.
    :param name: of the file; an article that is all of it and has no id is named so.
    """
    number = 0
    failure: InputError | None = None
    try:
        elements = xml_records(data, records.__contains__)
        for record in elements if records_of is None else records_of(data):
            number += 1
            if isinstance(record, Read):
                yield record
                continue
            yield from _reads_of(
                record, number, read_element, format_name, name, options
            )
    except InputError as error:
        failure = error
    if failure is None and number == 0:
        if listed is not None:
            yield Read(article=None, line=1, wrapper=listed)
            return
        failure = UnreadableInput(missing, line=1)
    if failure is not None:
        line = getattr(failure, "line", None)
        yield Read(article=None, line=line, error=failure, label=name or None)


def _reads_of(
    record: XmlRecord,
    number: int,
    read_element: ElementReader,
    format_name: str,
    name: str,
    options: ReadOptions,
) -> Iterator[Read]:
    try:
        articles = read_element(record.element)
    except PassedOver as none:
        refusal = refusal_of(
            none.error, _named(record.element), line=record.line, position=number
        )
        yield replace(refusal, passed_over=True)
        return
    except InputError as error:
        yield refusal_of(
            error, _named(record.element), line=record.line, position=number
        )
        return
    original = Original(format=format_name, data=record.as_sent())
    for article in articles:
        try:
            mapped = _with_mapping(article, options)
        except InputError as error:
            yield refusal_of(error, article.document, line=record.line, position=number)
            continue
        document = article.document
        _identify(article, record, number, name, options)
        complete(document, options)
        read = read_of(
            document,
            dates=options.dates,
            line=record.line,
            warnings=tuple(article.warnings),
            position=number,
            original=original,
        )
        yield read if mapped is None else replace(read, mapped=mapped)


def _named(element: XmlElement) -> dict[str, str | None]:
    """Id and title of a record that was refused, where a format has them."""
    own = attribute(element, "guid") or attribute(element, "ref")
    guid = first(element, "guid")
    return {
        "id": own or line_text(guid) or line_text(first(element, "id")),
        "title": line_text(first(element, "title")),
    }


def _with_mapping(article: XmlArticle, options: ReadOptions) -> Mapped | None:
    """Read the properties of ``extra`` that a mapping names as fields."""
    if not options.mapping:
        return None
    document = article.document
    mapped = options.field_map.applied(document.get("extra", {}))
    rest = dict(mapped.record)
    chosen = {each: rest.pop(each) for each in mapped.met if each in rest}
    fields = field_names.renamed(chosen, options.mapping, warn=article.warnings.append)
    document["extra"] = rest | fields.pop("extra", {})
    for target in CONCEPT_FIELDS & fields.keys() & document.keys():
        fields[target] = [*fields[target], *document[target]]
    if "paragraphs" in fields:
        fields["paragraphs"] = [*fields["paragraphs"], *document.get("paragraphs", ())]
    document |= fields
    return mapped


def _identify(
    article: XmlArticle,
    record: XmlRecord,
    number: int,
    name: str,
    options: ReadOptions,
) -> None:
    """Give an article without an id one: by the options, else by its file's name."""
    document = article.document
    identify(
        document,
        document.get("extra", {}),
        lambda: json.dumps(document, sort_keys=True),
        options,
        usual=(),
    )
    if not document.get("id") and not article.has_own_id:
        name = re.sub(r"(?i)\.(xml|nitf|newsml)(\.gz)?\Z", "", name)
        if name and number > 1:
            name = f"{name}-{number}"
        document["id"] = article_id(name, record.as_sent().decode("utf-8", "replace"))
