"""Extraction: the text of an article from among all that is on its page."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Iterable
from typing import Any

from lxml import etree

from index.article import Role
from index.errors import UnreadableInput
from index.parsing import Block, element_html, html_paragraphs

_MODULE = "trafilatura"  # of the extra [html]
EXTRA = "pip install 'nutgraf[html]'"
# What extraction raises for odd pages.
_FAULTS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    etree.LxmlError,
)
# Share of the words of one text that another must have to be the same text.
_SAME = 0.9


def extracted(html: str) -> list[Block] | None:
    """Paragraphs of the article on a page; ``None`` if the extra is not installed.

    :raises UnreadableInput: the extraction fails.
    """
    try:
        trafilatura = importlib.import_module(_MODULE)
    except ModuleNotFoundError as error:
        if error.name != _MODULE:
            raise
        return None
    try:
        text = trafilatura.extract(
            html,
            output_format="html",
            include_comments=False,
            include_tables=True,
            with_metadata=False,
        )
    except _FAULTS as error:
        raise UnreadableInput(f"the text cannot be extracted: {error}") from error
    return html_paragraphs(text) if text else []


def marked(root: Any) -> list[Block]:
    """Paragraphs of the longest ``article`` or ``main`` element that says it is one."""
    found: list[Block] = []
    for tag in ("article", "main"):
        elements = list(root.iter(tag))
        if len(elements) > 1 and tag == "article":
            # Teasers of other articles, also inside the page's own, which is longer
            # than all of them. One inside another is never the longest.
            elements = [each for each in elements if not _is_inside(each, tag)]
            sizes = sorted(
                (len(element_html(each)), at) for at, each in enumerate(elements)
            )
            elements = [elements[sizes[-1][1]]]
        if len(elements) == 1:
            found = html_paragraphs(element_html(elements[0]))
        if found:
            break
    return found


def _is_inside(element: Any, tag: str) -> bool:
    return next(element.iterancestors(tag), None) is not None


def better(
    stated: list[dict[str, Any]], found: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Of the text that the data of a page states and the one on it, the whole one.

    If both are the same text, the one with more paragraphs.
    """
    stated_words, found_words = _words(stated), _words(found)
    common = (stated_words & found_words).total()
    if common < _SAME * found_words.total():
        return stated if stated_words.total() >= found_words.total() else found
    if common < _SAME * stated_words.total():
        return stated  # all of the page's text, and more
    return stated if len(stated) > len(found) else found


def with_captions(
    paragraphs: list[dict[str, Any]], marked_paragraphs: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Paragraphs of a text, and behind them the captions that extraction left out.

    Pictures below the end of the text are those of other articles.

    :param marked_paragraphs: of the element of the page that the text is marked by.
    """
    texts = {each["text"] for each in paragraphs}
    end = max(
        (at for at, each in enumerate(marked_paragraphs) if each["text"] in texts),
        default=0,
    )
    captions = {
        each["text"]: each
        for each in reversed(marked_paragraphs[:end])
        if each.get("role") == Role.CAPTION and each["text"] not in texts
    }
    return [*paragraphs, *reversed(captions.values())]


def _words(paragraphs: Iterable[dict[str, Any]]) -> Counter[str]:
    return Counter(
        word for paragraph in paragraphs for word in paragraph["text"].split()
    )
