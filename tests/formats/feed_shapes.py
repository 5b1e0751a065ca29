"""Shapes of feeds that grow with a number, for the tests of proportion."""

from __future__ import annotations

from collections.abc import Callable

from tests.formats.shapes import Shape

_ROOT = (
    '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:media="http://search.yahoo.com/mrss/"'
    ' xmlns:atom="http://www.w3.org/2005/Atom"'
    ' xmlns:wp="http://wordpress.org/export/1.2/"'
    ' xmlns:content="http://purl.org/rss/1.0/modules/content/">'
)
_ITEM = "<item><guid>g{}</guid><title>A</title></item>"


def _feed(of_size: Callable[[int], str]) -> Callable[[int], bytes]:
    return lambda n: f"{_ROOT}<channel>{of_size(n)}</channel></rss>".encode()


def _item(of_size: Callable[[int], str]) -> Callable[[int], bytes]:
    return _feed(lambda n: f"<item><guid>g</guid><title>A</title>{of_size(n)}</item>")


def _post(of_size: Callable[[int], str]) -> Callable[[int], bytes]:
    return _item(
        lambda n: (
            "<wp:status>publish</wp:status>"
            f"<content:encoded><![CDATA[{of_size(n)}]]></content:encoded>"
        )
    )


def _items(n: int, inside: str = "") -> str:
    unit = f"<item><guid>g{{}}</guid><title>A</title>{inside}</item>\n"
    return "".join(unit.format(number) for number in range(n // 4))


_SHAPES: dict[str, Callable[[int], bytes]] = {
    "feed: items": _feed(_items),
    "feed: elements before the items": _feed(lambda n: "<x/>" * n + _items(40)),
    "feed: elements between items": _feed(
        lambda n: "".join(f"<x/>{_ITEM.format(k)}" for k in range(n // 4))
    ),
    "feed: terms between items": _feed(
        lambda n: "".join(f"<wp:tag/><x/>{_ITEM.format(k)}" for k in range(n // 4))
    ),
    "feed: channels": _feed(
        lambda n: "".join(f"<a><y/>{_ITEM.format(k)}</a>" for k in range(n // 4))
    ),
    "feed: users": _feed(
        lambda n: (
            "".join(
                f"<wp:author><wp:author_login>u{k}</wp:author_login>"
                f"<wp:author_display_name>U{k}</wp:author_display_name></wp:author>"
                for k in range(n // 4)
            )
            + _items(40, "<dc:creator>u1</dc:creator>")
        )
    ),
    "feed: a long title and items": _feed(
        lambda n: f"<title>{'a' * n}</title>" + _items(n)
    ),
    "item: creators": _item(
        lambda n: "".join(f"<dc:creator>A{k}</dc:creator>" for k in range(n // 4))
    ),
    "item: authors with addresses": _item(
        lambda n: "<author>a@b.example (A B)</author>" * (n // 4)
    ),
    "item: a long author": _item(lambda n: f"<author>{'a@' * n}</author>"),
    "item: a long author in brackets": _item(
        lambda n: f"<author>a@b {'(' * n}</author>"
    ),
    "item: categories": _item(
        lambda n: "".join(f"<category>c{k}</category>" for k in range(n // 4))
    ),
    "item: unknown elements": _item(
        lambda n: "".join(f"<x{k}>a</x{k}>" for k in range(n // 4))
    ),
    "item: elements of one name": _item(lambda n: "<x><y>a</y></x>" * (n // 4)),
    "item: nested elements": _item(
        lambda n: "<x>" * min(n, 150) + "</x>" * min(n, 150)
    ),
    "item: links": _item(
        lambda n: "".join(f'<atom:link href="/{k}"/>' for k in range(n // 4))
    ),
    "item: media": _item(
        lambda n: (
            "<media:group>"
            + "".join(f'<media:content url="u{k}"/>' for k in range(n // 4))
            + "</media:group>"
        )
    ),
    "item: dates": _item(lambda n: "<pubDate>soon</pubDate>" * (n // 4)),
    "item: descriptions": _item(
        lambda n: "".join(f"<description>d{k}</description>" for k in range(n // 4))
    ),
    "item: prefixes that nothing declares": _item(
        lambda n: "".join(f"<p{k}:x>a</p{k}:x>" for k in range(min(n // 4, 900)))
    ),
    "post: shortcodes": _post(lambda n: "[a b=c]" * n),
    "post: brackets": _post(lambda n: "[" * n),
    "post: open shortcodes": _post(lambda n: "[video " * n),
    "post: shortcodes without an end": _post(lambda n: "[embed]" * n),
    "post: captions": _post(lambda n: "[caption]a[/caption]" * n),
    "post: words in brackets": _post(lambda n: "[a" + " b" * n),
    "post: custom fields": _item(
        lambda n: (
            "<wp:status>publish</wp:status>"
            + "<wp:postmeta><wp:meta_key>a</wp:meta_key></wp:postmeta>" * (n // 4)
        )
    ),
    "broken: ampersands": _feed(lambda n: "& " + _items(n, "a & b")),
    "broken: one long item": _item(lambda n: "& " * n),
    "broken: HTML in a text": _item(lambda n: "<description>" + "<br>" * n),
    "broken: HTML in many texts": _feed(
        lambda n: _items(n, "<description><br></description>")
    ),
    "broken: items without an end": _feed(lambda n: "<item>" * n),
    "broken: ends of items": _feed(lambda n: "</item>" * n),
    "broken: empty items": _feed(lambda n: "&" + "<item/>" * (n // 4)),
    "broken: open sections": _feed(lambda n: "&" + "<![CDATA[" * n),
    "broken: open comments": _feed(lambda n: "&" + "<!--" * n),
    "broken: texts without an end": _item(lambda n: "&" + "<title>" * n),
    "broken: texts of many names": _item(
        lambda n: "&" + "".join(f"<a{k}:title>" for k in range(n))
    ),
    "broken: tags without an end": _feed(lambda n: "&" + "<a:b " * n),
    "broken: items without the end of a tag": _feed(lambda n: "&" + "<item " * n),
    "broken: elements before the items": _feed(lambda n: "&" + "<x>" * n + _items(40)),
    "broken: ends before the items": _feed(lambda n: "&" + "<x></y>" * n + _items(40)),
    "broken: blanks behind the root": lambda n: (
        f"{_ROOT}<channel>&{_items(40)}</channel></rss>{' ' * n}<".encode()
    ),
    "broken: texts that end far away": _item(
        lambda n: "&" + "<title><![CDATA[x]]>" * n + "</title>"
    ),
    "broken: comments behind the root": lambda n: (
        f"{_ROOT}<channel>&{_items(40)}</channel></rss>{'<!-- -->' * n}<".encode()
    ),
}

FEED_SHAPES = [
    Shape(name, "wxr" if name.startswith("post") else "rss", of_size)
    for name, of_size in _SHAPES.items()
]
