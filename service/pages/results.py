"""Results: the hits of a search as a page shows them, or why there are none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from index import dates
from index.archive import Answer, ArticleHit, Excerpt
from index.article import Role
from service.pages.address import Address, Pair, article_address, fragment
from service.pages.nothing import Nothing
from service.pages.writing import Instant, counted, direction, instant_of

# Parameters of a search that an article's page keeps, for its marks and the way back.
_LEFT_BEHIND = ("limit", "facet", "facet_size", "passages", "passage_length", "explain")
_PLAIN_ROLES = (Role.BODY, Role.ABSTRACT, Role.HEADLINE)


@dataclass(frozen=True, slots=True)
class Zone:
    """The time zone of a page, and the instant that it shows.

    :param name: of the zone, for people.
    """

    rules: tzinfo
    name: str
    now: datetime

    def instant(self, iso: str) -> Instant:
        """An instant in this zone."""
        return instant_of(iso, self.rules, self.name)


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A matching paragraph.

    :param html: escaped, with ``<mark>``.
    :param role: name of the role if it is not running text, else blank.
    """

    n: int
    html: str
    role: str
    href: str


@dataclass(frozen=True, slots=True)
class HitRow:
    """An article, with its best passages in reading order.

    :param anchor: id of its element, to come back to.
    :param headline_html: escaped, with ``<mark>``.
    :param more: how many further paragraphs match, as text; blank if none does.
    :param held: why only some keys see it; blank if everybody does.
    :param score: the parts of its score, as text, if they were asked for.
    """

    anchor: str
    href: str
    headline_html: str
    section: str
    source: str
    published: Instant | None
    language: str
    direction: str
    passages: tuple[PassageRow, ...]
    more: str
    held: str
    score: str


@dataclass(frozen=True, slots=True)
class Results:
    """The answer to a search, as a page shows it.

    :param count: what was found and how long it took, in one sentence.
    :param start: the first page; blank if this is it.
    :param more: the next page; blank on the last.
    :param more_hits: the hits of the next page by themselves, for the script.
    :param behind: changes that the index does not include yet, as text; blank if none.
    """

    hits: tuple[HitRow, ...]
    count: str
    took: str
    start: str
    more: str
    more_hits: str
    behind: str
    nothing: Nothing | None


def results_of(
    answer: Answer, address: Address, root: str, zone: Zone, nothing: Nothing | None
) -> Results:
    """Results of an answer.

    :param address: of the search.
    :param root: prefix of the service's paths.
    :param nothing: what to say in place of hits.
    """
    asked = bool(answer.text.strip())
    kept = tuple(pair for pair in address.pairs if pair[0] not in _LEFT_BEHIND)
    is_later = address.value("cursor") or address.value("page", "1") != "1"
    following = None if answer.next is None else address.after(answer.next)
    return Results(
        hits=tuple([_hit(hit, root, kept, zone, asked=asked) for hit in answer.hits]),
        count=_count(answer),
        took=f"{answer.took_ms:,.0f} ms" if answer.took_ms >= 1 else "under 1 ms",
        start=str(address.start()) if is_later else "",
        more="" if following is None else str(following),
        more_hits=""
        if following is None
        else str(replace(following, path=f"{root}/hits")),
        behind=counted(answer.behind, "change") if answer.behind else "",
        nothing=nothing,
    )


def _count(answer: Answer) -> str:
    articles = counted(answer.articles, "article")
    if not answer.text.strip():
        return articles
    return f"{articles}, {counted(answer.paragraphs, 'paragraph')}"


def _hit(
    hit: ArticleHit, root: str, kept: tuple[Pair, ...], zone: Zone, *, asked: bool
) -> HitRow:
    article = hit.article
    href = str(article_address(root, article["id"], kept))
    published = article.get("published")
    language = article.get("language")
    # The headline is a paragraph that matches, too, and is shown above the others.
    in_headline = "<mark>" in (hit.headline_html or "")
    left = hit.passages_total - len(hit.passages) - in_headline
    parts = hit.parts or ()
    return HitRow(
        anchor=anchor_of(article["id"]),
        href=href,
        headline_html=hit.headline_html or "",
        section=article.get("section") or "",
        source=article.get("source") or "",
        published=zone.instant(published) if published else None,
        language=language or "",
        direction=direction(language),
        passages=tuple([_passage(each, href) for each in hit.passages]),
        more=counted(left, "more paragraph") if asked and left > 0 else "",
        held=held_of(article.get("status"), article.get("embargoed_until"), zone),
        score=", ".join(
            f"{part.text} {part.article:.2f} + {part.paragraph:.2f}" for part in parts
        ),
    )


def anchor_of(article_id: str) -> str:
    """Id of an article's element in a list of hits."""
    return f"a:{article_id}"


def held_of(status: str | None, embargo: str | None, zone: Zone) -> str:
    """Why an article is not public, in words; blank if it is."""
    if status == "withheld":
        return "Withheld"
    if embargo and dates.instant(embargo) > zone.now:
        until = zone.instant(embargo)
        return f"Embargoed until {until.day} {until.time or '00:00'} {until.zone}"
    return ""


def _passage(excerpt: Excerpt, href: str) -> PassageRow:
    plain = excerpt.role in _PLAIN_ROLES
    return PassageRow(
        n=excerpt.n,
        html=excerpt.html,
        role="" if plain else excerpt.role.capitalize(),
        href=f"{href}{fragment(paragraph_anchor(excerpt.n))}",
    )


def paragraph_anchor(n: int) -> str:
    """Id of a paragraph's element in an article."""
    return f"p{n}"
