"""Web pages: the article of one, from its data, its head and its text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from index.article import Original
from index.dates import read_date
from index.errors import InputError, UnreadableInput
from index.formats import jsonl, roles
from index.formats.bodies import paragraph_json, running
from index.formats.html.extraction import (
    EXTRA,
    better,
    extracted,
    marked,
    with_captions,
)
from index.formats.html.metadata import (
    has_own_id,
    metadata_of,
    own_address,
    own_article,
    without_site,
)
from index.formats.jsonld import Graph, Node, record_of, types_of
from index.formats.options import DEFAULTS, ReadOptions
from index.formats.property_names import names
from index.formats.record import Read, refusal_of
from index.formats.text import article_id
from index.parsing import (
    WebPage,
    page_text,
    plain_text,
    unzipped,
    web_page,
    whole_bytes,
)

_SHORTEST = 200  # characters of the text of a page that does not say it is an article
# Types of schema.org whose pages are of no one article.
_NO_ARTICLES = frozenset(
    names(
        "CollectionPage SearchResultsPage ProfilePage ContactPage AboutPage"
        " CheckoutPage ItemList Product Recipe Event JobPosting"
    )
)
_NOT_FOUND = re.compile(
    r"\A\W*(?:error\s*)?(?:404|410)\b|\b(?:page|site|seite) not found\b"
    r"|\bnicht gefunden\b|\bpage introuvable\b|\bpágina no encontrada\b",
    re.IGNORECASE,
)
_TOP = 4  # paragraphs of a page among which its headline may be
_ENDING = " .…["  # of a description that was cut off


def read(
    data: bytes | BinaryIO, *, name: str = "", options: ReadOptions = DEFAULTS
) -> Iterator[Read]:
    """Yield the article of a page.

    ::

        (record,) = read(
            b"<html lang=en><title>Ferry back</title><meta property=og:type"
            b" content=article><article><h1>Ferry back</h1><p>It sails at six."
        )
        record.article.headline  # "Ferry back"

    :param name: of the file; the id is made from it if the page gives no address.
    """
    warnings: list[str] = []
    try:
        pieces, encoding = unzipped(data)
        sent = whole_bytes(pieces)
        if not sent.strip():
            raise UnreadableInput("is empty")
        text, other = page_text(sent, encoding)
        if other is not None:
            warnings.append(f"the page names the charset {other!r}, but is UTF-8")
        page = web_page(text)
        record = _record_of(page, text, options, warnings)
    except InputError as error:
        yield refusal_of(error, None, line=getattr(error, "line", None))
        return
    mapped = options.field_map.applied(record)
    made = {} if options.id_from else {"id": article_id(_without_ending(name), text)}
    read = jsonl.read_record(
        {**made, **mapped.record},
        lambda: json.dumps(record, ensure_ascii=False, default=str),
        options,
        1,
        None,
    )
    original = Original(format="html", data=sent)
    read = replace(
        read,
        line=None,
        warnings=(*warnings, *read.warnings),
        original=original if read.article is not None else None,
    )
    yield replace(read, mapped=mapped) if options.mapping else read


def _without_ending(name: str) -> str:
    return re.sub(r"\.(?:x?html?)(?=(?:\.gz)?\Z)", "", name, flags=re.IGNORECASE)


def _record_of(
    page: WebPage, text: str, options: ReadOptions, warnings: list[str]
) -> dict[str, Any]:
    """The article of a page as a record under our own field names.

    :raises UnreadableInput: the page is of no article.
    """
    graph = Graph(page.data)
    items = Graph(page.items)
    node, source = own_article(page, graph), graph
    if node is None and not graph.articles():
        node, source = own_article(page, items), items
    warnings += page.faults
    _check_is_article(page, node, graph)
    record = record_of(source, node) if node is not None else {}
    written = roles.read_within(text) if node is not None else None
    if written is not None:  # a page of ours, whose data say all that its head does
        record |= {"paragraphs": written, "abstract": None}
    else:
        _add_head_and_text(record, page, text, node, options)
    if address := own_address(page, node):
        record["url"] = address
        if not has_own_id(node):
            record["id"] = address
    if record.get("isAccessibleForFree") in (False, "False", "false", "no"):
        warnings.append(
            "the page says that it is not free to read; its text may be cut off"
        )
    if (image := page.meta("og:image")) and "image" not in record:
        record["image"] = image
    return {name: value for name, value in record.items() if value is not None}


def _add_head_and_text(
    record: dict[str, Any],
    page: WebPage,
    text: str,
    node: Node | None,
    options: ReadOptions,
) -> None:
    """Add to a record what the head and the text of its page say.

    :raises UnreadableInput: the page has no text of an article.
    """
    metadata = metadata_of(page)
    record["paragraphs"] = _paragraphs(page, text, record, node, metadata)
    record.pop("text", None)
    for field, values in metadata.items():
        if field in ("published", "updated"):
            stated = [record.get(field), *values]
            record[field] = next(
                (each for each in stated if _is_date(each, options)),
                next(filter(None, stated), None),
            )
        elif values and record.get(field) in (None, "", []):
            record[field] = values[0]
    headline = record.get("headline")
    if isinstance(headline, str):
        sites = [*metadata["source"], str(record.get("source") or "")]
        record["headline"] = headline = without_site(plain_text(headline), sites)
    _drop_repeated(record, headline)


def _check_is_article(page: WebPage, node: Node | None, graph: Graph) -> None:
    """Check that a page does not say itself that it is none of an article.

    :raises UnreadableInput: it does.
    """
    for title in (page.title or "", *page.headings[:1]):
        if node is None and _NOT_FOUND.search(title):
            raise UnreadableInput(f"no article, but an error page: {title[:80]!r}")
    if node is not None:
        return
    count = len(graph.articles())
    if count > 1:
        raise UnreadableInput(
            f"no article, but a list of {count:,}; none has the address or the headline"
            " of the page"
        )
    is_article = (page.meta("og:type") or "").lower().startswith("article")
    types = [name for each in graph.main for name in types_of(each)]
    other = next((name for name in types if name in _NO_ARTICLES), None)
    if other is not None and not is_article:
        raise UnreadableInput(f"no article: the page describes itself as {other}")
    address = own_address(page, None)
    if address is not None and urlsplit(address).path in ("", "/") and not is_article:
        raise UnreadableInput(f"no article, but the home page of {address[:100]}")


def _paragraphs(
    page: WebPage,
    text: str,
    record: Mapping[str, Any],
    node: Node | None,
    metadata: Mapping[str, list[Any]],
) -> list[dict[str, Any]]:
    """Paragraphs of the text: as the page's data states it, or as it is on the page.

    :raises UnreadableInput: there is none.
    """
    body = record.get("text")
    stated = list(record.get("paragraphs", ()))
    if isinstance(body, str) and not stated:
        stated = running(body)
    blocks = extracted(text)
    found = paragraph_json(marked(page.root) if blocks is None else blocks)
    paragraphs = better(stated, found) if stated else found
    if blocks is not None:
        paragraphs = with_captions(paragraphs, paragraph_json(marked(page.root)))
    says_article = (
        node is not None
        or (page.meta("og:type") or "").lower().startswith("article")
        or bool(metadata["published"])
    )
    size = sum(len(each["text"]) for each in paragraphs)
    if not paragraphs and blocks is None and says_article:
        raise UnreadableInput(
            "the text is not marked on the page, and the extra that finds it is not"
            f" installed: {EXTRA}"
        )
    if not paragraphs or (not says_article and size < _SHORTEST):
        raise UnreadableInput(
            "no article: the page does not say that it is one, and has no text of"
            f" {_SHORTEST} characters"
            if not says_article
            else "no text of an article was found on the page"
        )
    return paragraphs


def _drop_repeated(record: dict[str, Any], headline: str | None) -> None:
    """Drop a headline before the text, and a summary that only begins it."""
    paragraphs = record["paragraphs"]
    top = [each for each in paragraphs[:_TOP] if each["text"] != headline]
    paragraphs[:_TOP] = top
    abstract = record.get("abstract")
    summaries = abstract if isinstance(abstract, list) else [abstract]
    whole = " ".join(each["text"] for each in paragraphs[:20])[:5_000]
    left = [
        summary
        for summary in summaries
        if isinstance(summary, str)
        and (begin := " ".join(plain_text(summary).rstrip(_ENDING + "]").split()))
        and begin not in whole
    ]
    record["abstract"] = left or None


def _is_date(value: Any, options: ReadOptions) -> bool:
    try:
        read_date(value, options.dates)
    except ValueError:
        return False
    return True
