"""What tests do with an archive: write an article, and index everything."""

from __future__ import annotations

from typing import Any

from index.archive import Archive
from index.article import article_of
from index.errors import InputError
from index.jobs import Indexer


def put(
    archive: Archive,
    article_id: str = "a",
    text: str = "Words.",
    *more: str,
    **values: Any,
) -> str:
    """Store an article and return its outcome.

    :param more: the text of each further paragraph.
    :param values: further names and values of its JSON.
    """
    document = {"headline": "Head", "paragraphs": [text, *more], **values}
    (result,) = archive.put([article_of({**document, "id": article_id})])
    if isinstance(result, InputError):
        raise result
    return result.outcome.value


def index(archive: Archive) -> None:
    """Index everything that was written."""
    Indexer(archive.store, archive.engine).catch_up()
