"""The page of an article: its text, with the words of the search that led to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, render_template, request
from marshmallow import fields

from index import dates
from index.archive import ArticleView, Excerpt, Moment
from index.article import Article
from index.errors import InputError
from index.rendering import REPRESENTATIONS, citation_of
from service.api import article_answer, site
from service.authority import reader
from service.context import context
from service.exchange import (
    Choice,
    Text,
    Timing,
    Whole,
    checked_id,
    conditional_response,
    described,
    digest_of_request,
)
from service.pages.address import (
    Address,
    Pair,
    article_address,
    fragment,
    versions_address,
)
from service.pages.edition import edition
from service.pages.facts import Fact, Finder, Value, facts_of, later_of
from service.pages.marked import MarkWriter, Stepper, stepper_of
from service.pages.remarks import Remark, remark_of, remarks_of
from service.pages.results import Zone, anchor_of, held_of, paragraph_anchor
from service.pages.search import Form, SearchPageArguments, zone_of
from service.pages.writing import Instant, direction, title_of

FORMATS = ("json", *REPRESENTATIONS)
_CITATION = "citation"  # as a file; what it cites is a parameter
# Parameters that are not of the search.
_OWN = ("id", "version", "format", "find", "match", "found", "cite")


class ArticlePageArguments(SearchPageArguments):
    """Parameters of an article's page: those of the search that led to it, too."""

    version = Text(metadata=described("a version; by default the current one"))
    format = Choice(
        (*FORMATS, _CITATION),
        metadata=described("the article as a file, or its citation as text"),
    )
    find = Text(metadata=described("words to mark in a second colour"))
    match = Whole(1, metadata=described("number of the mark of q to stand at"))
    found = Whole(1, metadata=described("number of the mark of find to stand at"))
    cite = Whole(
        0, metadata=described("the paragraph to cite; 0 is the article as a whole")
    )


class ArticleByIdArguments(ArticlePageArguments):
    """The same with the id, for ids that no path can hold."""

    id: fields.Field[Any] = Text(required=True, metadata=described("the id"))


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph.

    :param kind: its role.
    :param html: escaped, with ``<mark>``.
    """

    n: int
    anchor: str
    kind: str
    html: str
    credit: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The form that looks for words in the article.

    :param hidden: names and values of the other parameters of this page.
    :param remark: what is wrong with the words.
    """

    text: str
    hidden: tuple[Pair, ...]
    remark: Remark | None
    steps: Stepper | None


@dataclass(frozen=True, slots=True)
class Citing:
    """A citation, and the form that cites another paragraph.

    :param n: the paragraph; 0 is the whole article.
    :param last: number of the last paragraph.
    :param asked: whether the address asks for a citation.
    """

    n: int
    words: str
    link: str
    last: int
    hidden: tuple[Pair, ...]
    asked: bool


@dataclass(frozen=True, slots=True)
class ArticlePage:
    """Everything that the page of an article shows.

    :param action: this page without parameters, for its forms.
    :param own: the article's own address, without a search.
    :param headline_html: escaped, with ``<mark>``; blank if it has no headline.
    :param changed: when it was last changed, if that is not when it was published.
    :param back: the list of hits that it was found in, at its place; blank without one.
    :param current: the newest version, if this is an older one.
    :param versions: its versions and their differences; blank if there is one only.
    :param later: the articles that evolved from this one.
    :param held: why only some keys see it; blank if everybody does.
    :param expires: when it expires; ``None`` if never.
    :param rights: the texts about its rights.
    :param original: where it was published first; blank if unknown.
    :param permalink: where people read it, in print.
    """

    title: str
    form: Form
    action: str
    own: str
    back: str
    headline_html: str
    kicker: Value | None
    source: Value | None
    byline: str
    published: Instant | None
    changed: Instant | None
    held: str
    expires: Instant | None
    version: str
    current: str
    versions: str
    later: tuple[Value, ...]
    correction: str
    language: str
    direction: str
    blocks: tuple[Block, ...]
    steps: Stepper | None
    finding: Finding
    citing: Citing
    facts: tuple[Fact, ...]
    rights: tuple[str, ...]
    formats: tuple[Value, ...]
    original: str
    permalink: str
    remarks: tuple[Remark, ...]


def article_by_id(arguments: dict[str, Any]) -> Response:
    """Page of an article whose id no path can hold."""
    return article(arguments, checked_id(arguments["id"]))


def article(arguments: dict[str, Any], article_id: str) -> Response:
    """Page of an article, the article as a file, or a citation of it."""
    q, name = arguments.get("q", ""), arguments.get("format")
    timing = Timing()
    with context().archive.moment(reader=reader()) as moment:

        def answer() -> Response:
            # Before the marks, which may use up the time that is left.
            several = name is None and _has_several(moment, article_id)
            view = moment.article(
                article_id,
                version=arguments.get("version"),
                q=q,
                within=arguments.get("in", "text"),
            )
            if name == _CITATION:
                cited = _Reading(moment, view, arguments).citing()
                return Response(
                    f"{cited.words}\n{cited.link}",
                    content_type="text/plain; charset=utf-8",
                )
            if name is not None:
                return article_answer(view, q, name)
            timing.done("read")
            reading = _Reading(moment, view, arguments, several=several)
            response = Response(
                render_template("article.html", page=reading.page()),
                content_type="text/html; charset=utf-8",
            )
            if not reading.complete:
                response.cache_control.no_store = True  # the next one may have marks
            timing.done("write")
            return timing.add_to(response)

        # Citations have the address that they were asked at.
        asked = f"{edition()} {site()} {context().settings.permalink}"
        return conditional_response(
            moment.tag(f"{asked} {digest_of_request(arguments)}"), answer
        )


class _Reading:
    """An article as one reader asked for it.

    :param several: whether it has several versions.
    :ivar complete: whether all marks were made in time.
    """

    def __init__(
        self,
        moment: Moment,
        view: ArticleView,
        arguments: dict[str, Any],
        *,
        several: bool = False,
    ) -> None:
        self._moment, self._view, self._arguments = moment, view, arguments
        self._several = several
        self._article: Article = view.article
        self._root = request.script_root
        self._zone: Zone = zone_of(arguments.get("tz", "UTC"))
        asked = Address.of(f"{self._root}/", arguments).pairs
        #: Parameters of the search that led here.
        self._search = tuple(pair for pair in asked if pair[0] not in _OWN)
        kept = [pair for pair in asked if pair[0] in ("version", "find")]
        self._here = article_address(
            self._root, self._article.id, (*self._search, *kept)
        )
        self.complete = view.complete

    def page(self) -> ArticlePage:
        """Everything that the page shows."""
        shown, view, root = self._article, self._view, self._root
        finder = Finder(root, self._zone)
        chain = self._moment.chain(shown.id)
        hits = Address(f"{root}/", self._search)
        own = self._own(root)
        finding, excerpts = self._find()
        steps = stepper_of(
            sum(len(each.marks) for each in view.excerpts),
            self._arguments.get("match", 0),
            self._here,
            "match",
            "m",
        )
        headline, blocks = _text_of(view, excerpts, steps, finding.steps)
        citing = self.citing()
        whole = self.citing(0)
        return ArticlePage(
            title=title_of(shown.headline or shown.id),
            form=Form(q=hits.value("q"), action=f"{root}/"),
            action=self._here.path,
            own=str(own),
            back=f"{hits}{fragment(anchor_of(shown.id))}" if hits.pairs else "",
            headline_html=headline,
            kicker=finder.filter("section", shown.section),
            source=finder.filter("source", shown.source),
            byline=shown.byline or "",
            published=self._instant(shown.published),
            changed=self._instant(shown.updated)
            if shown.updated != shown.published
            else None,
            held=held_of(
                shown.status,
                None
                if shown.embargoed_until is None
                else dates.iso(shown.embargoed_until),
                self._zone,
            ),
            expires=self._instant(shown.expires),
            version=shown.version or "",
            current=""
            if view.current
            else str(article_address(root, shown.id, self._search)),
            versions=self._versions(),
            later=later_of(chain, finder),
            correction=shown.correction or "",
            language=shown.language or "",
            direction=direction(shown.language),
            blocks=blocks,
            steps=steps,
            finding=finding,
            citing=citing,
            facts=facts_of(shown, chain, finder),
            rights=tuple(filter(None, (shown.copyright, shown.usage_terms))),
            formats=tuple(
                Value(name, str(own.showing(format=name))) for name in FORMATS
            ),
            original=_web_address(shown.url),
            permalink=whole.link,
            remarks=remarks_of(self._arguments.get("q", ""), view.warnings),
        )

    def citing(self, n: int | None = None) -> Citing:
        """Citation of a paragraph, by default the one that the address asks for.

        :raises ParagraphNotFound: the article has no such paragraph.
        """
        shown, asked = self._article, self._arguments.get("cite")
        number = (asked or 0) if n is None else n
        published = self._instant(shown.published)
        citation = citation_of(
            shown,
            number,
            day="" if published is None else published.day,
            page=f"{site()}{self._own('')}",
            settings=context().settings,
        )
        return Citing(
            n=number,
            words=citation.words,
            link=citation.link,
            last=self._view.excerpts[-1].n,
            hidden=self._here.pairs,
            asked=asked is not None,
        )

    def _own(self, root: str) -> Address:
        """The article's own address, in this version if it is not the current one."""
        version = (
            () if self._view.current else (("version", str(self._article.version)),)
        )
        return article_address(root, self._article.id, version)

    def _find(self) -> tuple[Finding, tuple[Excerpt, ...]]:
        """The form that looks for words, and the paragraphs with these marked."""
        text = self._arguments.get("find", "").strip()
        excerpts: tuple[Excerpt, ...] = ()
        remark = None
        if text:
            # The article is what the reader came for: words that cannot be read are
            # remarked on beside it.
            try:
                view = self._moment.article(
                    self._article.id, version=self._arguments.get("version"), q=text
                )
            except InputError as error:
                position = error.facts.get("position")
                remark = remark_of(
                    text, str(error), position if isinstance(position, int) else None
                )
            else:
                excerpts = view.excerpts
                self.complete &= view.complete
                remark = next(iter(remarks_of(text, view.warnings)), None)
        steps = stepper_of(
            sum(len(each.marks) for each in excerpts),
            self._arguments.get("found", 0),
            self._here,
            "found",
            "f",
        )
        hidden = self._here.showing(find=None).pairs
        return Finding(text, hidden, remark, steps), excerpts

    def _versions(self) -> str:
        """The page of the versions, if there are several."""
        if not self._several:
            return ""
        return str(versions_address(self._root, self._article.id, self._search))

    def _instant(self, at: datetime | None) -> Instant | None:
        return None if at is None else self._zone.instant(dates.iso(at))


def _text_of(
    view: ArticleView,
    looked_for: tuple[Excerpt, ...],
    steps: Stepper | None,
    found_steps: Stepper | None,
) -> tuple[str, tuple[Block, ...]]:
    """Headline and paragraphs, with the marks of both kinds."""
    writer = MarkWriter(
        (
            0 if steps is None else steps.current,
            0 if found_steps is None else found_steps.current,
        )
    )
    marks_of = {each.n: each.marks for each in looked_for}
    headline, blocks = "", []
    for excerpt in view.excerpts:
        html = writer.html(excerpt.text, excerpt.marks, marks_of.get(excerpt.n, ()))
        if excerpt.n == 0:
            headline = html
        else:
            blocks.append(
                Block(
                    n=excerpt.n,
                    anchor=paragraph_anchor(excerpt.n),
                    kind=str(excerpt.role),
                    html=html,
                    credit=excerpt.credit or "",
                )
            )
    return headline, tuple(blocks)


def _has_several(moment: Moment, article_id: str) -> bool:
    return len(moment.versions(article_id, limit=2).versions) > 1


def _web_address(url: str | None) -> str:
    """An address that may be a link: others could run a script."""
    is_web = url is not None and url.lower().startswith(("https://", "http://"))
    return url if is_web and url is not None else ""
