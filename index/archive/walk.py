"""A walk: all hits of a search, page by page, each page at a moment of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from index.archive.answers import Answer
from index.query import Reader, Request

Search = Callable[[Request, Reader], Answer]


def pages_of(
    search: Search, request: Request, *, reader: Reader, size: int, most: int | None
) -> Iterator[Answer]:
    """Yield the pages of a search until its hits end.

    Each is a search with a deadline of its own, after the cursor of the page before. It
    is answered as the store is at that time: an article that was killed meanwhile is on
    no later page. One page is in memory at a time.

    ::

        archive = Archive.open(settings)
        search = lambda request, reader: archive.search(request, reader=reader)
        for page in pages_of(search, request, reader=PUBLIC, size=100, most=None):
            write(page.hits)

    :param size: hits of a page.
    :param most: hits of all pages together; ``None`` for no limit.
    :raises InputError: the request is wrong; the error names the parameter.
    :raises ServiceError: a page cannot be answered now.
    """
    left = most
    while True:
        limit = size if left is None else min(size, left)
        page = search(replace(request, limit=limit), reader)
        yield page
        if left is not None:
            left -= len(page.hits)
        if page.next is None or left == 0:
            return
        request = replace(request, cursor=page.next, page=None, facets=())
