"""Representations: the formats in which one article is given out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from index.article import Article
from index.errors import UnknownFormat
from index.formats import FORMATS, NINJS_RELEASES, PAGE_POLICY, write_ninjs
from index.rendering import markdown
from index.rendering.links import permalink
from index.settings import Settings

# Records of an article, for systems that keep it; all others are for its readers. Only
# records have notes to editors, for those who may see them, and no link that we made.
_RECORDS = ("jsonl", "ninjs")
# Formats of which a file holds many articles, one a line.
_LINES = ("jsonl", "ninjs", "jsonld")
_HEADERS = {
    "html": {"Content-Security-Policy": f"{PAGE_POLICY}; frame-ancestors 'none'"}
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """A format in which one article is given out.

    :param media_type: as in ``Content-Type``, without the charset.
    :param extension: of a file with one article, with the dot.
    :param lines: whether it is one line, so that a file may hold many.
    :param is_record: whether it may have notes to editors, and has no made link.
    :param headers: of an answer in this format.
    """

    name: str
    media_type: str
    extension: str
    write_article: Callable[[Article], bytes]
    lines: bool = False
    is_record: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content_type(self) -> str:
        """Media type, with the charset where it has one."""
        is_text = self.media_type.startswith("text/")
        return f"{self.media_type}; charset=utf-8" if is_text else self.media_type

    def write(self, article: Article, settings: Settings) -> bytes:
        """An article in this format.

        Its rights always go with it; notes to editors only into records. An article
        without a ``url`` gets the link that the settings make, except in records.
        """
        if not self.is_record:
            link = permalink(article.id, article.url, settings)
            article = replace(article, ed_note=None, url=link)
        return self.write_article(article)


def _of_formats() -> list[Representation]:
    return [
        Representation(
            name=each.name,
            media_type=each.media_types[0],
            extension=each.extensions[0],
            write_article=each.write,
            lines=each.name in _LINES,
            is_record=each.name in _RECORDS,
            headers=_HEADERS.get(each.name, {}),
        )
        for each in FORMATS.values()
        if each.write
    ]


REPRESENTATIONS: dict[str, Representation] = {
    each.name: each
    for each in (
        *_of_formats(),
        *(
            Representation(
                name=f"ninjs{release}",
                media_type=f"application/ninjs+json; version={release}",
                extension=".ninjs",
                write_article=partial(write_ninjs, which),
                lines=True,
            )
            for release, which in NINJS_RELEASES.items()
        ),
        Representation(
            name="markdown",
            media_type="text/markdown",
            extension=".md",
            write_article=markdown.write,
        ),
    )
}


def representation(name: str) -> Representation:
    """Representation of a name.

    :raises UnknownFormat: there is none.
    """
    if name not in REPRESENTATIONS:
        raise UnknownFormat(name, allowed=tuple(REPRESENTATIONS))
    return REPRESENTATIONS[name]
