"""Articles looked up by id, as a reader may see them at one moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from index import dates
from index.access import Validity, published_form
from index.archive import versions
from index.archive.answers import ArticleView
from index.archive.hits import excerpt_of
from index.archive.marking import Marker
from index.archive.tags import Tag, tag_of
from index.archive.versions import VersionPage
from index.deadline import deadline_in, until
from index.engines import Snapshot
from index.errors import SearchTimeout
from index.history import Chain, Difference, difference_of, state_name
from index.query import QueryWarning, Reader, Request, compile_request, scoring_leaves
from index.settings import Settings
from index.store import View


class Moment:
    """One state of the store, at one instant, for one reader.

    It lasts as long as the read transaction of its view, so its answers are consistent.
    All of them together may take as long as one search.

    :param snapshot: returns that of the index, ``None`` without one; only a tag needs
        it.
    """

    def __init__(
        self,
        view: View,
        now: datetime,
        reader: Reader,
        *,
        settings: Settings,
        snapshot: Callable[[], Snapshot | None],
    ) -> None:
        self._view, self._now, self._reader = view, now, reader
        self._settings, self._snapshot = settings, snapshot
        self._validity = Validity(now)
        self._check = until(deadline_in(settings.search_seconds))

    def tag(self, parameters: str) -> Tag:
        """Tag that changes whenever an answer with these parameters may change.

        It depends on the instants that were noted while the answer was made.
        """
        return tag_of(
            self._view,
            self._snapshot(),
            self._now,
            parameters,
            repr(self._reader),
            self._validity,
            self._settings,
        )

    def article(
        self,
        article_id: str,
        *,
        version: str | None = None,
        q: str = "",
        within: str = "text",
    ) -> ArticleView:
        """An article with all its paragraphs.

        :param q: its words are marked, except those under a NOT, whether or not the
            article matches. If that takes longer than a search may, none is marked,
            and a warning says so.
        :raises ArticleNotFound: there is no such article, or the reader may not see it.
        :raises ArticleKilled: it was killed, and the reader may see its notice.
        """
        now, reader = self._now, self._reader
        search, parsed = compile_request(
            Request(q=q, within=within), settings=self._settings, now=now
        )
        stored = versions.shown_version(
            self._view, article_id, version, reader, self._validity
        )
        article = stored.article
        leaves = scoring_leaves(parsed.query)
        language = article.language or self._settings.language
        marker = Marker(leaves, language=language, places=search.places)
        texts = [(paragraph.text, paragraph.role) for paragraph in article.paragraphs]
        warnings = parsed.warnings
        try:
            marks = marker.marks(texts, self._check)
        except SearchTimeout as error:
            # The text is what the reader came for.
            marks = [()] * len(texts)
            warnings = (*warnings, _marks_left_out(q, error.seconds))
        return ArticleView(
            article=published_form(article, self._validity, held=reader.held),
            current=stored.current,
            seq=stored.seq,
            at=stored.at,
            excerpts=tuple(
                excerpt_of(article.id, paragraph, spans)
                for paragraph, spans in zip(article.paragraphs, marks, strict=True)
            ),
            marked=bool(leaves),
            understood=parsed.understood,
            warnings=warnings,
            complete=warnings is parsed.warnings,
            state=state_name(
                self._view.epoch,
                article_id,
                str(article.version),
                stored.seq,
                article.status,
            ),
        )

    def versions(
        self, article_id: str, *, before: str | None = None, limit: int = 100
    ) -> VersionPage:
        """Page of the versions of an article that the reader may see, highest first.

        No text is read.

        :param before: only versions below this one: the ``next`` of a page.
        :raises SearchTimeout: it took longer than a search may.
        :raises ArticleNotFound: there is no such article, or the reader may not see it.
        :raises ArticleKilled: it was killed, and the reader may see its notice.
        """
        view, reader = self._view, self._reader
        versions.check_shown(view, article_id, reader, self._validity)
        return versions.page_of_versions(
            view,
            article_id,
            reader,
            self._validity,
            before=before,
            limit=limit,
            check=self._check,
        )

    def chain(self, article_id: str) -> Chain:
        """The articles that an article evolved from, and those that evolved from it.

        :raises ArticleNotFound: there is no such article, or the reader may not see it.
        :raises ArticleKilled: it was killed, and the reader may see its notice.
        """
        view, now, reader = self._view, self._now, self._reader
        versions.check_shown(view, article_id, reader, self._validity)
        return view.chain(article_id, reader, dates.micros(now))

    def difference(
        self, article_id: str, *, old: str | None = None, new: str | None = None
    ) -> Difference:
        """Difference between two versions of an article.

        :param new: a version, by default the current one.
        :param old: by default the highest visible version below it, or ``new`` itself
            if there is none.
        :raises ArticleNotFound: one of them does not exist, or the reader may not see
            it.
        :raises ArticleKilled: it was killed, and the reader may see its notice.
        """
        view, reader, validity = self._view, self._reader, self._validity
        versions.check_shown(view, article_id, reader, validity)
        pair = versions.pair_of(
            view, article_id, old, new, reader, validity, self._check
        )
        return difference_of(
            *[published_form(article, validity, held=reader.held) for article in pair]
        )


def _marks_left_out(q: str, seconds: float) -> QueryWarning:
    return QueryWarning(
        code="marks_left_out",
        detail=f"marking took longer than {seconds:g} s, so no word is marked; ask for"
        " fewer words",
        position=0,
        length=len(q),
    )
