"""Plain text as a newsroom would paste it: a headline, then paragraphs.

Front matter may come first: ``key: value`` lines between two lines of ``---``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import Any, BinaryIO

from index.article import (
    CONCEPT_FIELDS,
    MAX_ID,
    Article,
    Original,
    Paragraph,
    Role,
    Status,
    document_of,
)
from index.dates import is_dated
from index.errors import InputError, UnreadableInput
from index.formats import field_names
from index.formats.completion import complete, identify
from index.formats.mapping import Mapped
from index.formats.options import DEFAULTS, ReadOptions
from index.formats.record import Read, read_of
from index.parsing import (
    agency_of,
    bullet_text,
    caption_of,
    dateline_of,
    day_of,
    is_byline,
    lines_of,
    paragraphs,
    parse_json,
    recoded,
    single_spaced,
    unzipped,
    whole_text,
    with_line_feeds,
)

_FENCE = "---"
# Not in the front matter that we write: what stands below it, and what is not written.
_OUTSIDE = ("headline", "paragraphs", "ed_note", "extra")
_QUOTED = ("[", "{", '"', "'")  # first characters of a value that would be read away
_SIGN = re.compile(r"\S")
_LONGEST_DATE = 200  # characters of a line with one
_KEY = re.compile(r"([A-Za-z_][\w-]{0,60})[ \t]*:(?:[ \t]+(.*)|)\Z")
_ITEM = re.compile(r"\s*-\s+(.*)\Z")
# Values separated by commas; double quotes around a value that contains one.
_PART = re.compile(r'\s*(?:"([^"]*)"\s*(?:,|\Z)|([^,]+)(?:,|\Z)|,)')

# Words before a date on a line of its own, and signs between a byline and a date.
_DATE_LABEL = re.compile(
    r"(?:(?P<updated>(?:last )?(?:updated|modified))|date|published|posted)"
    r"(?: on)?\s*:?\s+",
    re.IGNORECASE,
)
_BEFORE_DATE = re.compile(r"\s*[,|•·–—]\s*|\s+-\s+")


def read(
    data: bytes | BinaryIO, *, name: str = "", options: ReadOptions = DEFAULTS
) -> Iterator[Read]:
    """Yield the one article of a text.

    ::

        (record,) = read(b"Ferry back\\n\\nIt sails at six.")
        record.article.headline  # "Ferry back"

    :param name: of the file; the id is made from it if the text gives none.
    """
    try:
        pieces, encoding = unzipped(data)
        sent = bytearray()
        text = whole_text(
            recoded(_copied(pieces, sent), encoding),
            article_bytes=options.article_bytes,
        )
        warnings: list[str] = []
        document, line, mapped = _document(text, name, options, warnings)
    except InputError as error:
        yield Read(
            article=None, line=getattr(error, "line", None), error=error, label=name
        )
        return
    read = read_of(
        document,
        dates=options.dates,
        line=line,
        warnings=tuple(warnings),
        original=Original(format="text", data=bytes(sent)),
    )
    yield replace(read, mapped=mapped) if options.mapping else read


def write(article: Article) -> bytes:
    """An article as text with front matter, which :func:`read` reads back.

    Values are one line each. Of the roles of paragraphs only that of a list is written;
    a caption ends in its credit. Notes to editors and ``extra`` are not written.
    """
    document = document_of(article)
    for name in (*_OUTSIDE, *(("status",) if article.status is Status.USABLE else ())):
        document.pop(name, None)
    lines = [f"{name}: {_written(value)}" for name, value in document.items()]
    body = [_line(each) for each in article.paragraphs]
    return "\n".join([_FENCE, *lines, _FENCE, "", "\n\n".join(body), ""]).encode()


def _written(value: Any) -> str:
    """A value of front matter as one line that :func:`_value` reads."""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    line = " ".join(value.split())
    return f'"{line}"' if line[:1] in _QUOTED else line


def _line(paragraph: Paragraph) -> str:
    """A paragraph without blank lines."""
    text = re.sub(r"\s*\n\s*", "\n", paragraph.text.strip())
    if paragraph.role is Role.LIST:
        return f"• {text}"
    return text if paragraph.credit is None else f"{text} ({paragraph.credit})"


def _copied(pieces: Iterator[bytes], copy: bytearray) -> Iterator[bytes]:
    """Yield pieces, and add them to a copy."""
    for piece in pieces:
        copy += piece
        yield piece


def _document(
    text: str, name: str, options: ReadOptions, warnings: list[str]
) -> tuple[dict[str, Any], int, Mapped]:
    """The article in JSON, the line its text starts on, and its front matter."""
    text_of_file, text = text, with_line_feeds(text)
    values, first, line = _front_matter(text)
    # A blank line of a template says nothing: it does not lift an embargo.
    values = {key: value for key, value in values.items() if value is not None}
    mapped = options.field_map.applied(values)
    document = field_names.renamed(mapped.record, options.mapping, warn=warnings.append)
    start, end = _first_line(text, first)
    line += text.count("\n", first, start)
    if start < end and document.get("headline") in (None, text[start:end].strip()):
        document["headline"] = single_spaced(text[start:end])
        start = end
    start = _behind_byline(text, start, document)
    for _ in range(2):  # the day of publication, and of the update
        if (dated := _behind_date(text, start, document)) == start:
            break
        start = _behind_byline(text, dated, document)
    story = _Story.of(paragraphs(text[start:]))
    document["paragraphs"] = [*document.get("paragraphs", ()), *story.paragraphs]
    for field_name, value in (
        ("dateline", story.dateline),
        ("source", story.source),
        ("published", story.day.isoformat() if story.day else None),
    ):
        if value is not None:
            document.setdefault(field_name, value)
    identify(
        document,
        mapped.record,
        lambda: json.dumps({**values, "text": text[first:]}),
        options,
    )
    document.setdefault("id", article_id(name, text_of_file))
    complete(document, options)
    return document, line, mapped


def article_id(name: str, text: str) -> str:
    """Id for an article that gives none; the same file gets the same id.

    It is ``file:`` and the name without its extension, with hyphens for spaces; folders
    are part of it unless the name is absolute or contains ``..``. Without a name it is
    ``text:`` and a hash of the text.
    """
    path = name.replace("\\", "/").removeprefix("./")
    if path.startswith("/") or ".." in path.split("/") or ":" in path:
        path = path.rpartition("/")[2]
    for suffix in (".gz", ".txt", ".text"):
        path = path[: -len(suffix)] if path.lower().endswith(suffix) else path
    path = re.sub(r"\s+", "-", path.strip())
    path = "".join(c if c.isprintable() else "-" for c in path)
    if not path.strip("-/."):
        return f"text:{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if len(path) > MAX_ID - len("file:"):
        digest = hashlib.sha256(path.encode()).hexdigest()[:16]
        path = f"{path[: MAX_ID - 30]}-{digest}"
    return f"file:{path}"


def _first_line(text: str, at: int) -> tuple[int, int]:
    """Start and end of the first line from a place that is not blank.

    Both are the end of the text if there is none.
    """
    sign = _SIGN.search(text, at)
    if sign is None:
        return len(text), len(text)
    start = max(at, text.rfind("\n", at, sign.start()) + 1)
    end = text.find("\n", start)
    return start, len(text) if end < 0 else end


def _front_matter(text: str) -> tuple[dict[str, Any], int, int]:
    """Values of the front matter, the place after it, and the number of its line.

    :raises UnreadableInput: a line of it is not ``key: value``, or it is not closed.
    """
    if text.partition("\n")[0].rstrip() != _FENCE:
        return {}, 0, 1
    lines = islice(lines_of(text), 1, None)
    first = next(filter(_is_content, lines), "")
    if not _KEY.match(first.rstrip()):
        return {}, 0, 1  # --- is a rule above the headline
    values: dict[str, Any] = {}
    key = ""
    place = text.find("\n") + 1
    for at, line in enumerate(islice(lines_of(text), 1, None), 1):
        place += len(line) + 1
        if line.rstrip() == _FENCE:
            return values, min(place, len(text)), at + 2
        if not _is_content(line):
            continue
        if (
            key in values
            and (item := _ITEM.match(line))
            and isinstance(values[key], list | None)
        ):
            if values[key] is None:
                values[key] = []
            values[key].append(_plain(item[1]))
            continue
        pair = _KEY.match(line.rstrip())
        if not pair:
            raise UnreadableInput(
                f"line {at + 1} of the front matter is not 'key: value'", line=at + 1
            )
        key = pair[1]
        if key in values:
            raise UnreadableInput(f"the front matter names {key!r} twice", line=at + 1)
        values[key] = _value(key, pair[2])
    raise UnreadableInput(
        "the front matter that starts on line 1 is not closed by a line of ---", line=1
    )


def _is_content(line: str) -> bool:
    """Whether a line of front matter is neither blank nor a comment."""
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _value(key: str, text: str | None) -> Any:
    """Value of front matter: parsed if it looks like JSON, a list for list fields."""
    text = (text or "").strip()
    if not text:
        return None
    if text[0] in "[{":
        try:
            return parse_json(text)
        except UnreadableInput:
            text = text[1:-1] if text[0] == "[" and text[-1] == "]" else text
    if _is_list(key):
        return [
            part.strip()
            for quoted, bare in _PART.findall(text)
            if (part := quoted or bare).strip()
        ]
    return _plain(text)


def _is_list(key: str) -> bool:
    target = key if key in CONCEPT_FIELDS else field_names.target_of(key)
    return target in CONCEPT_FIELDS and key.lower() not in ("author", "creator")


def _plain(text: str) -> str:
    text = text.strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if quoted else text


def _behind_byline(text: str, at: int, document: dict[str, Any]) -> int:
    """Place behind a line ``By A Name``, which goes to the byline; the same if none is.

    A date behind the name goes to ``published``.
    """
    start, end = _first_line(text, at)
    if start == end or end - start > _LONGEST_DATE:
        return at
    line, day = single_spaced(text[start:end]), None
    if "published" not in document:
        line, day = _without_date(line)
    if not is_byline(line):
        return at
    known = document.get("byline")
    if known is None:
        document["byline"] = line
    elif not isinstance(known, str) or _by(known) != _by(line):
        return at
    if day is not None:
        document["published"] = day
    return end


def _behind_date(text: str, at: int, document: dict[str, Any]) -> int:
    """Place behind a line that is a date, which goes to its field; or the same place.

    The field is ``updated`` if the line says so, else ``published``.
    """
    start, end = _first_line(text, at)
    if start == end or end - start > _LONGEST_DATE:
        return at
    line = single_spaced(text[start:end])
    labelled = _DATE_LABEL.match(line)
    day = line[labelled.end() :] if labelled else line
    name = "updated" if labelled and labelled["updated"] else "published"
    if name in document:
        return at
    byline = None
    if not is_dated(day):
        day, byline = _before_byline(day)
    if byline is not None and "byline" not in document:
        document["byline"] = byline
    elif byline is not None or not is_dated(day):
        return at
    document[name] = day
    return end


def _before_byline(line: str) -> tuple[str, str | None]:
    """A date and the byline behind it: ``4 May 2024 | By A Name`` is both."""
    for sign in _BEFORE_DATE.finditer(line):
        if is_byline(line[sign.end() :]) and is_dated(line[: sign.start()]):
            return line[: sign.start()], line[sign.end() :]
    return line, None


def _without_date(byline: str) -> tuple[str, str | None]:
    """A byline and the date behind it: ``By A Name | 4 May 2024`` is both."""
    for sign in _BEFORE_DATE.finditer(byline):
        if is_dated(byline[sign.end() :]):
            return byline[: sign.start()], byline[sign.end() :]
    return byline, None


def _by(byline: str) -> str:
    return byline.strip().casefold().removeprefix("by ")


@dataclass(slots=True)
class _Story:
    """Paragraphs of a text, and the dateline, source and day found in them."""

    paragraphs: list[dict[str, Any]] = field(default_factory=list)
    dateline: str | None = None
    source: str | None = None
    day: date | None = None

    @classmethod
    def of(cls, texts: list[str]) -> _Story:
        story = cls()
        credited: list[str] = []
        days: list[date] = []
        first = True  # no body paragraph yet
        for text in texts:
            if caption := caption_of(text):
                words, credit = caption
                story._add(Role.CAPTION, words, credit)
                credited.append(agency_of(credit))
                day = day_of(words)
                # The date of an archive picture is not the article's.
                if day and not words.upper().startswith("FILE"):
                    days.append(day)
                continue
            if item := bullet_text(text):
                story._add(Role.LIST, item)
                continue
            if first and (line := dateline_of(text)):
                story.dateline, story.source, story.day = line
            first = False
            story._add(Role.BODY, text)
        if story.source is None and len(set(credited)) == 1:
            story.source = credited[0]
        if story.day is None and days:
            story.day = max(days)
        return story

    def _add(self, role: Role, text: str, credit: str | None = None) -> None:
        paragraph = {"role": role.value, "text": text}
        if credit is not None:
            paragraph["credit"] = credit
        self.paragraphs.append(paragraph)
