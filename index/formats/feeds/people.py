"""Authors in feeds: names that are written with mail addresses."""

from __future__ import annotations

import re

from index.formats.feeds.names import name_of
from index.parsing import XmlElement, line_text

_LONGEST = 500  # characters of an author
_MAIL = r"(?:mailto:)?[^\s@<>()]+@[^\s@<>()]+"
_MAIL_FIRST = re.compile(rf"{_MAIL}\s*\(([^()]+)\)\Z")
_MAIL_LAST = re.compile(rf"([^<>()@]+?)\s*[<(]\s*{_MAIL}\s*[>)]\Z")
_WHOLE_NAME = re.compile(r"(?:[^\W\d_a-z][\w.'’-]* ){1,3}[^\W\d_a-z][\w.'’-]*")
_ONLY_MAIL = re.compile(rf"<?{_MAIL}>?\Z")


def author_name(text: str) -> str | None:
    """Name of an author as RSS writes them; ``None`` if there is only an address.

    ::

        author_name("desk@example.org (Ada Moss)")  # "Ada Moss"
    """
    if "@" not in text or len(text) > _LONGEST:
        return text
    for pattern in (_MAIL_FIRST, _MAIL_LAST):
        if match := pattern.match(text):
            return match[1].strip(" \"'") or None
    return None if _ONLY_MAIL.match(text) else text


def names_in(text: str) -> list[str]:
    """Names in a text that may list several people, the last after "and".

    ::

        names_in("Ada Moss, Bo Katz and Jo Lind")  # ["Ada Moss", "Bo Katz", "Jo Lind"]

    It is one name unless each part is like the whole name of a person: what stands
    after a comma alone may be an office.
    """
    listed, joined, last = text.rpartition(" and ")
    names = [each.strip() for each in (*listed.rstrip(",").split(","), last)]
    return names if joined and all(map(_WHOLE_NAME.fullmatch, names)) else [text]


def person_of(element: XmlElement) -> str | None:
    """Name of a person of Atom, or of an author that is only text."""
    names = (line_text(child) for child in element if name_of(child) == "atom:name")
    name = next(filter(None, names), None)
    if name is None and not len(element):
        name = line_text(element)
    return name and author_name(name)
