"""An article as Markdown, by CommonMark: for people, editors and language models.

It is written only. The front matter is YAML; the text is escaped, so that no word of an
article becomes markup. Notes to editors and ``extra`` are not written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from index.article import Article, Paragraph, Role, document_of

# Not in the front matter: what stands below it, and what is not written.
_OUTSIDE = ("paragraphs", "ed_note", "extra")
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&!$])")
# What makes a list, a heading or a rule of a line.
_START = re.compile(r"(\d{1,9})[.)]|[-+=:]")


def write(article: Article) -> bytes:
    """An article as Markdown in UTF-8: front matter, headline, text, and its rights."""
    document = document_of(article)
    for name in _OUTSIDE:
        document.pop(name, None)
    matter = [
        f"{name}: {json.dumps(value, ensure_ascii=False)}"
        for name, value in document.items()
    ]
    return "\n".join(
        ["---", *matter, "---", "", "\n\n".join(_blocks(article)), ""]
    ).encode()


def _blocks(article: Article) -> Iterator[str]:
    if article.headline is not None:
        yield f"# {_line(article.headline)}"
    for line in (article.byline, article.dateline):
        if line is not None:
            yield f"*{_line(line)}*"
    items: list[str] = []
    for paragraph in article.paragraphs:
        if paragraph.role is Role.LIST:
            items.append(f"- {_line(paragraph.text)}")
            continue
        if items:
            yield "\n".join(items)
            items = []
        if paragraph.n:
            yield _block(paragraph)
    if items:
        yield "\n".join(items)
    if article.correction is not None:
        yield f"**Correction:** {_line(article.correction)}"
    rights = [
        _escaped(each) for each in (article.copyright, article.usage_terms) if each
    ]
    if rights:
        yield "---"
        yield from rights


def _block(paragraph: Paragraph) -> str:
    match paragraph.role:
        case Role.SUBHEAD:
            return f"## {_line(paragraph.text)}"
        case Role.QUOTE:
            return "> " + _escaped(paragraph.text).replace("\n", "\n> ")
        case Role.TABLE:
            return _table(paragraph.text)
        case Role.CAPTION:
            credit = "" if paragraph.credit is None else f" ({paragraph.credit})"
            return f"*{_line(paragraph.text + credit)}*"
        case Role.ABSTRACT:
            return f"**{_line(paragraph.text)}**"
        case _:
            return _escaped(paragraph.text)


def _table(text: str) -> str:
    """A table whose first row is its head; rows are lines, cells end at tabs."""
    rows = [
        [_line(cell) for cell in row.split("\t")] for row in text.strip().split("\n")
    ]
    width = max(map(len, rows))
    if width == 1:
        return _escaped(text)
    rows = [[*row, *[""] * (width - len(row))] for row in rows]
    rows.insert(1, ["---"] * width)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _line(text: str) -> str:
    """A text in one line, escaped."""
    return _escaped(" ".join(text.split()))


def _escaped(text: str) -> str:
    """A text of which nothing is markup, and whose lines stay lines."""
    lines = [line.strip() for line in _SPECIAL.sub(r"\\\1", text).splitlines()]
    return "\\\n".join(_unmarked(line) for line in lines if line)


def _unmarked(line: str) -> str:
    """A line that makes no list, heading or rule."""
    start = _START.match(line)
    if start is None:
        return line
    if start[1]:
        return f"{start[1]}\\{line[len(start[1]) :]}"
    return f"\\{line}"
