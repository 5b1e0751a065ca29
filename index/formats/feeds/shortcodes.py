"""Shortcodes of WordPress in a text: ``[caption]``, ``[gallery]`` and the like.

Source: https://codex.wordpress.org/Shortcode
"""

from __future__ import annotations

import re

# Their content is an address or nothing, and no text.
_WITHOUT_TEXT = frozenset(
    ("audio", "embed", "gallery", "playlist", "video", "youtube", "googlemaps")
)
_CAPTIONS = frozenset(("caption", "wp_caption"))
_CAPTION = "<figure><figcaption>"
_CAPTION_END = "</figcaption></figure>"
_TAG = re.compile(
    r"\[(?P<end>/)?(?P<name>[A-Za-z][\w-]{0,40})(?P<attributes>\s[^\[\]]{0,2000})?\]"
)
_ATTRIBUTE = re.compile(r"\s[\w-]+\s?=\s?[\"'\w]")


def without_shortcodes(html: str) -> str:
    """HTML with captions as those of HTML, and without the tags of other shortcodes.

    ::

        without_shortcodes('[caption id="a"]<img src="x"> The quay[/caption]')
        # '<figure><figcaption><img src="x"> The quay</figcaption></figure>'

    A word in brackets stays, such as ``[sic]``: a shortcode has attributes, is closed
    somewhere, or has an underscore in its name.
    """
    if "[" not in html:
        return html
    tags = list(_TAG.finditer(html))
    ended = _ended(tags)
    closed = {tag["name"].lower() for tag in tags if tag["end"]}
    pieces: list[str] = []
    at = 0
    dropping = False  # within a shortcode whose content is no text
    for number, tag in enumerate(tags):
        name = tag["name"].lower()
        if not (
            name in closed
            or name in _WITHOUT_TEXT
            or "_" in name
            or _ATTRIBUTE.match(tag["attributes"] or "")
        ):
            continue
        if dropping:
            dropping = not (tag["end"] and name in _WITHOUT_TEXT)
        else:
            pieces.append(html[at : tag.start()])
            dropping = name in _WITHOUT_TEXT and number in ended
        at = tag.end()
        if name in _CAPTIONS and not dropping:
            if number in ended:
                pieces.append(_CAPTION)
            elif tag["end"]:
                pieces.append(_CAPTION_END)
    pieces.append(html[at:])
    return "".join(pieces)


def _ended(tags: list[re.Match[str]]) -> set[int]:
    """Numbers of the opening tags whose next tag of the same name is an end."""
    ended: set[int] = set()
    following: dict[str, bool] = {}  # by name, whether its next tag is an end
    for number in range(len(tags) - 1, -1, -1):
        name, is_end = tags[number]["name"].lower(), tags[number]["end"] is not None
        if not is_end and following.get(name):
            ended.add(number)
        following[name] = is_end
    return ended
