"""The page of an article's versions: which there are, and how two of them differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any

from flask import Response, render_template, request

from index import dates
from index.archive import Moment
from index.article import DATE_FIELDS, Paragraph, Role
from index.errors import LimitExceeded
from index.history import ChangeKind, Difference, ParagraphChange, VersionInfo
from service.authority import reader
from service.context import context
from service.exchange import (
    Text,
    checked_id,
    conditional_response,
    described,
    digest_of_request,
)
from service.pages.address import Address, Pair, article_address, versions_address
from service.pages.edition import edition
from service.pages.remarks import sentence
from service.pages.results import Zone
from service.pages.search import Form, SearchPageArguments, zone_of
from service.pages.writing import Instant, counted, direction, title_of

_AT_ONCE = 50  # versions on a page
_SHOWN_UNCHANGED = 2  # unchanged paragraphs in a row that are not folded
_OWN = ("id", "old", "new", "before")
# Never on a page, whoever reads it.
_NOTES = "ed_note"
_EXTRA = "extra."


class VersionsPageArguments(SearchPageArguments):
    """Parameters of the versions: those of the search that led to the article, too."""

    id = Text(required=True, metadata=described("the article's id"))
    old = Text(metadata=described("a version; by default the visible one before"))
    new = Text(metadata=described("a version; by default the current one"))
    before = Text(metadata=described("list only versions below this one"))


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version in the list.

    :param at: when it was stored; ``None`` if that is on another page of the list.
    :param status: blank if it is usable.
    :param is_old: whether the difference starts from it.
    :param is_new: whether the difference leads to it.
    """

    version: str
    href: str
    at: Instant | None
    headline: str
    status: str
    current: bool
    is_old: bool
    is_new: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """A paragraph of one version; ``html`` is escaped, with ``<del>`` or ``<ins>``."""

    n: int
    kind: str
    html: str
    credit: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A paragraph in both versions, or in one.

    :param note: what became of it, in words, where one version has none; ``became``
        the same of one that both have. Blank if the marks say so.
    """

    kind: str
    old: Cell | None
    new: Cell | None
    note: str
    became: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """Paragraphs in a row; ``folded`` says how many if nothing changed in them."""

    rows: tuple[ChangeRow, ...]
    folded: str


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field that differs, with its values in both versions."""

    name: str
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference of two versions.

    :param others: names of properties that differ and have no field.
    """

    old: str
    new: str
    coarse: bool
    same: bool
    fields: tuple[FieldRow, ...]
    others: tuple[str, ...]
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class VersionsPage:
    """Everything that the page of an article's versions shows.

    :param back: the article.
    :param older: further versions; blank on the last page.
    :param newest: the first page of the list; blank if it is this one.
    :param refusal: why two versions are not compared; blank if they are, or there is
        one only.
    """

    title: str
    form: Form
    action: str
    hidden: tuple[Pair, ...]
    back: str
    headline: str
    language: str
    direction: str
    rows: tuple[VersionRow, ...]
    older: str
    newest: str
    comparison: Comparison | None
    refusal: str


def versions(arguments: dict[str, Any]) -> Response:
    """Page of an article's versions, and of the difference of two."""
    article_id = checked_id(arguments["id"])
    with context().archive.moment(reader=reader()) as moment:
        return conditional_response(
            moment.tag(
                f"{edition()} {request.script_root} {digest_of_request(arguments)}"
            ),
            lambda: Response(
                render_template(
                    "versions.html", page=_page_of(moment, article_id, arguments)
                ),
                content_type="text/html; charset=utf-8",
            ),
        )


def _page_of(
    moment: Moment, article_id: str, arguments: dict[str, Any]
) -> VersionsPage:
    root, zone = request.script_root, zone_of(arguments.get("tz", "UTC"))
    article = moment.article(article_id).article
    asked = Address.of(f"{root}/", arguments).pairs
    search = tuple(pair for pair in asked if pair[0] not in _OWN)
    before = arguments.get("before")
    listed = moment.versions(article_id, before=before, limit=_AT_ONCE)
    chosen = {name: arguments[name] for name in ("old", "new") if arguments.get(name)}
    here = versions_address(root, article_id, search)
    difference, refusal = None, ""
    if chosen or before is not None or len(listed.versions) > 1:
        try:
            difference = moment.difference(article_id, **chosen)
        except LimitExceeded as error:
            refusal = f"They are too long to compare. {sentence(str(error))}"
    comparison = None if difference is None else _comparison(difference, zone)
    rows = _rows(listed.versions, comparison, article_id, search, zone)
    return VersionsPage(
        title=title_of(f"Versions of {article.headline or article_id}"),
        form=Form(q=Address(here.path, search).value("q"), action=f"{root}/"),
        action=here.path,
        hidden=(*here.pairs, *(() if before is None else (("before", before),))),
        back=str(article_address(root, article_id, search)),
        headline=article.headline or article_id,
        language=article.language or "",
        direction=direction(article.language),
        rows=rows,
        older=""
        if listed.next is None
        else str(here.showing(**chosen, before=listed.next)),
        newest="" if before is None else str(here.showing(**chosen)),
        comparison=comparison,
        refusal=refusal,
    )


def _rows(
    infos: Sequence[VersionInfo],
    comparison: Comparison | None,
    article_id: str,
    search: tuple[Pair, ...],
    zone: Zone,
) -> tuple[VersionRow, ...]:
    """Rows of the list; two that are compared and not on this page come first."""
    root = request.script_root
    old, new = ("", "") if comparison is None else (comparison.old, comparison.new)

    def row(version: str, info: VersionInfo | None) -> VersionRow:
        pairs = (("version", version), *search)
        return VersionRow(
            version=version,
            href=str(article_address(root, article_id, pairs)),
            at=None if info is None else zone.instant(dates.iso(info.at)),
            headline="" if info is None else info.headline or "",
            status="" if info is None or info.status == "usable" else str(info.status),
            current=info is not None and info.current,
            is_old=version == old,
            is_new=version == new,
        )

    here = [info.version for info in infos]
    elsewhere = [
        each for each in dict.fromkeys((new, old)) if each and each not in here
    ]
    return (
        *(row(version, None) for version in elsewhere),
        *(row(info.version, info) for info in infos),
    )


def _comparison(difference: Difference, zone: Zone) -> Comparison:
    fields = [each for each in difference.fields if each.name != _NOTES]
    changes = difference.paragraphs
    return Comparison(
        old=difference.old,
        new=difference.new,
        coarse=difference.coarse,
        same=not fields and all(each.kind is ChangeKind.UNCHANGED for each in changes),
        fields=tuple(
            FieldRow(
                each.name.replace("_", " ").capitalize(),
                tuple(_texts(each.name, each.old, zone)),
                tuple(_texts(each.name, each.new, zone)),
            )
            for each in fields
            # The headline is the first of the paragraphs.
            if each.name != "headline" and not each.name.startswith(_EXTRA)
        ),
        others=tuple(
            each.name.removeprefix(_EXTRA)
            for each in fields
            if each.name.startswith(_EXTRA)
        ),
        stretches=tuple(_stretches(changes)),
    )


def _texts(name: str, value: Any, zone: Zone) -> Iterator[str]:
    """Yield the values of a field as people read them."""
    if isinstance(value, list):
        for each in value:
            yield from _texts(name, each, zone)
    elif isinstance(value, dict):  # a concept
        code = " ".join(str(value[key]) for key in ("scheme", "code") if key in value)
        yield f"{value.get('name', '')} ({code})" if code else str(value.get("name"))
    elif name in DATE_FIELDS and value is not None:
        at = zone.instant(value)
        yield f"{at.day}, {at.time or '00:00'} {at.zone}"
    elif value is not None:
        yield str(value)


def _stretches(changes: Sequence[ParagraphChange]) -> Iterator[Stretch]:
    """Yield the paragraphs, with many unchanged ones in a row folded."""
    for unchanged, run in groupby(
        changes, lambda change: change.kind is ChangeKind.UNCHANGED
    ):
        rows = tuple(map(_row, run))
        fold = unchanged and len(rows) > _SHOWN_UNCHANGED
        yield Stretch(rows, counted(len(rows), "unchanged paragraph") if fold else "")


def _row(change: ParagraphChange) -> ChangeRow:
    note = became = ""
    if change.moved is not None:
        where = "to" if change.new is None else "from"
        note = f"Moved {where} paragraph {change.moved}"
    elif change.old is None or change.new is None:
        note = "Added" if change.old is None else "Removed"
    elif change.old.role != change.new.role:
        became = f"{change.old.role.capitalize()} became {change.new.role}"
    return ChangeRow(
        kind=str(change.kind),
        old=_cell(change.old, change.removed, "del"),
        new=_cell(change.new, change.added, "ins"),
        note=note,
        became=became,
    )


def _cell(
    paragraph: Paragraph | None, spans: Sequence[tuple[int, int]], tag: str
) -> Cell | None:
    if paragraph is None:
        return None
    parts, at = [], 0
    for start, end in spans:
        parts.append(escape(paragraph.text[at:start]))
        parts.append(f"<{tag}>{escape(paragraph.text[start:end])}</{tag}>")
        at = end
    parts.append(escape(paragraph.text[at:]))
    return Cell(
        n=paragraph.n,
        kind="title" if paragraph.role is Role.HEADLINE else str(paragraph.role),
        html="".join(parts),
        credit=paragraph.credit or "",
    )
