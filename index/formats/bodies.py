"""Bodies: running text, HTML or plain, as paragraphs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from index.article import Role
from index.parsing import (
    Block,
    html_paragraphs,
    is_markup,
    paragraphs,
    unescaped,
)

# A character reference that was encoded once more.
_TWICE = re.compile(r"&amp;(#?[A-Za-z0-9]{1,31};)")
_OURS = frozenset(("n", "role", "text", "key", "credit"))
# NewsAPI and its like end a body so: "… the strike. [+2811 chars]".
_CUT_OFF = re.compile(r"\[\+?\s?\d{1,9} char(?:acter)?s\]\s*\Z")


def running(text: str, *, html: bool = False) -> list[dict[str, Any]]:
    """Paragraphs of a running text, HTML or plain, in their JSON form.

    HTML that was encoded twice is decoded twice.

    :param html: whether it is HTML also without a tag; by default its tags decide.
    """
    html_found = is_markup(text)
    if not html_found and "&" in text:
        decoded = unescaped(text)
        html_found = is_markup(decoded)
        if html_found or not html:
            text = decoded
    if not html_found and "&amp;" in text:
        text = _TWICE.sub(r"&\1", text)
    if html or html_found:
        return paragraph_json(html_paragraphs(text))
    return [{"role": "body", "text": words} for words in paragraphs(text)]


def paragraph_json(blocks: list[Block]) -> list[dict[str, Any]]:
    """Paragraphs in the JSON form that ``article_of`` reads."""
    return [
        {"role": block.role.value, "text": block.text}
        | ({"credit": block.credit} if block.credit else {})
        for block in blocks
    ]


def is_cut_off(text: str) -> bool:
    """Whether a body says at its end that its sender cut it off."""
    return _CUT_OFF.search(text[-40:]) is not None


def put_paragraphs(document: dict[str, Any]) -> None:
    """Put ``text`` and ``abstract`` among the paragraphs."""
    text, abstract = document.pop("text", None), document.pop("abstract", None)
    if text is not None:
        document["paragraphs"] = text
    if abstract is None:
        return
    rest = document.get("paragraphs", [])
    if not isinstance(rest, list):
        return
    seen = {each.get("text") for each in rest if isinstance(each, Mapping)}
    summary = []
    for paragraph in abstract:
        if paragraph["text"] not in seen:
            seen.add(paragraph["text"])
            summary.append({"role": Role.ABSTRACT.value, "text": paragraph["text"]})
    first = rest[0] if rest else None
    headed = isinstance(first, Mapping) and first.get("role") == Role.HEADLINE.value
    document["paragraphs"] = [*rest[:headed], *summary, *rest[headed:]]


def is_exported(record: Mapping[str, Any]) -> bool:
    """Whether a record is as ``document_of`` writes it: its texts are no HTML."""
    sent = record.get("paragraphs")
    first = sent[0] if isinstance(sent, list) and sent else None
    return isinstance(first, Mapping) and "key" in first and "n" in first


def are_paragraphs(value: Any) -> bool:
    """Whether paragraphs are as ``article_of`` reads them, or as it refuses them."""
    if not isinstance(value, list):
        return False
    for item in value:
        if isinstance(item, str):
            continue
        if isinstance(item, Mapping):
            has_text = isinstance(item.get("text"), str)
            if not has_text or ("role" not in item and not _OURS.issuperset(item)):
                return False
        elif isinstance(item, list):
            return False
    return True
