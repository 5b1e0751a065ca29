"""The feed around an item: its title, language and rights, which the item shares."""

from __future__ import annotations

from urllib.parse import urljoin

from index.formats.feeds.names import name_of
from index.formats.feeds.people import person_of
from index.parsing import XmlElement, line_text, local_name

# Elements that are records of a feed.
ITEMS = frozenset(("item", "entry", "deleted-entry"))
# Of a WordPress export: lists of all terms, which each item repeats.
TERMS = frozenset(("category", "tag", "term"))
# Each item has what it shares with its feed again, so that must be short.
LONGEST = 2_000  # characters
MOST_AUTHORS = 50
# Elements that hold a text, in which HTML may stand that should have been escaped.
TEXTS = frozenset(("title", "description", "summary", "content", "encoded", "subtitle"))
# Our name, and the elements that it is read from; the first that is not blank counts.
_NAMES = {
    "title": ("title", "atom:title", "dc:title"),
    "language": ("language", "dc:language"),
    "copyright": ("copyright", "dc:rights", "atom:rights", "atom:copyright"),
    "link": ("link",),
}
_WANTED = {name: ours for ours, listed in _NAMES.items() for name in listed}


class Feed:
    """What is known of a feed before its next item.

    :attr:`values` has title, language, copyright and link; :attr:`users` the names of
    the users of a WordPress site, by their logins; :attr:`authors` those of all items
    that have no other. What is longer than :data:`LONGEST` is not shared.
    """

    def __init__(self) -> None:
        self.is_complete = False  # whether all that is around the items was read
        self._parent: XmlElement | None = None
        self._last: XmlElement | None = None  # the last sibling that was looked at
        self._forget()

    def _forget(self) -> None:
        self.values: dict[str, str] = {}
        self.users: dict[str, str] = {}
        self.authors: list[str] = []

    def base(self) -> str:
        """Address that relative ones are resolved by, unless ``xml:base`` says."""
        link, own = self.values.get("link", ""), self.values.get("self", "")
        try:
            return urljoin(own, link)
        except ValueError:
            return ""  # such as a broken address of IPv6

    def come_to(self, item: XmlElement) -> None:
        """Take what stands between the item before and this one.

        Each element is looked at once, however many items there are.
        """
        if self.is_complete:
            return
        parent = item.getparent()
        if parent is not self._parent:
            self._parent, self._last = parent, None
            self._forget()
        fresh: list[XmlElement] = []
        for sibling in item.itersiblings(preceding=True):
            name = local_name(sibling)
            if sibling is self._last or name in ITEMS:
                break
            if name not in TERMS:  # which leave the tree again
                fresh.append(sibling)
        for sibling in reversed(fresh):
            if name_of(sibling) == "channel":  # of RSS 1.0, beside its items
                for child in sibling:
                    self._take(child)
            else:
                self._take(sibling)
        if fresh:
            self._last = fresh[0]

    def _take(self, element: XmlElement) -> None:
        name = name_of(element)
        if name == "wp:author":
            self._take_user(element)
        elif name == "atom:author":
            author = person_of(element)
            if author and len(author) <= LONGEST and len(self.authors) < MOST_AUTHORS:
                self.authors.append(author)
        elif name in _WANTED and (text := line_text(element)):
            self._set(_WANTED[name], text)
        elif name == "atom:link":
            relation = element.get("rel", "alternate").lower()
            address = (element.get("href") or "").strip()
            if address and relation in ("alternate", "self"):
                self._set("link" if relation == "alternate" else "self", address)

    def _set(self, name: str, text: str) -> None:
        if len(text) <= LONGEST:
            self.values.setdefault(name, text)

    def _take_user(self, user: XmlElement) -> None:
        texts = {name_of(child): line_text(child) for child in user}
        login, name = texts.get("wp:author_login"), texts.get("wp:author_display_name")
        if login and name and len(name) <= LONGEST:
            self.users[login] = name
