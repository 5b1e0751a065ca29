"""A question asked of one moment, and its answer: the engine's page with its texts.

What an engine answers holds no text. The texts of its hits are read from the store, in
the versions that the index matched and in the same read transaction, and marked.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from index import dates
from index.archive import excerpts
from index.archive.answers import Answer, ArticleHit, Excerpt
from index.archive.excerpts import marked_html
from index.archive.marking import Marker
from index.archive.suggestions import did_you_mean
from index.article import Paragraph, Role, paragraph_id
from index.deadline import Check, until
from index.engines import OTHER_HISTORY, Hit, Passage, Snapshot, of_one_history
from index.errors import IndexUnavailable
from index.query import (
    SHORT_FIELDS,
    Parsed,
    Range,
    Reader,
    Request,
    Search,
    WordLeaf,
    encode_cursor,
    search_digest,
)
from index.settings import Settings
from index.store import Clipping, View
from index.text import Span

_Shown = tuple[Passage, Paragraph, Marker]
_MOST_CHANGED = 20_000  # articles that are left out of an answer one by one


class Question:
    """A search, with the index and the store as they were when it was asked.

    It lasts as long as the read transaction of its view. The snapshot of the index is
    the older one: what the store has hidden since then is left out of the answer.

    :param snapshot: or why there is none, which only an answer needs.
    """

    def __init__(
        self,
        request: Request,
        search: Search,
        parsed: Parsed,
        *,
        snapshot: Snapshot | IndexUnavailable,
        view: View,
        settings: Settings,
    ) -> None:
        self._started = time.perf_counter()
        self._request, self._search, self._parsed = request, search, parsed
        self._snapshot, self._view, self._settings = snapshot, view, settings
        self._markers: dict[tuple[tuple[WordLeaf, ...], str], Marker] = {}

    def tag(self, parameters: str) -> str:
        """Return a tag that changes whenever the answer may.

        It depends on what is stored, on what is indexed, on what relative dates mean
        now, and on the last embargo that ended and the last article that expired. While
        the index is behind, an older version may come out of its embargo meanwhile:
        then no two tags are the same.
        """
        search, snapshot = self._search, self._snapshot
        seq = -1 if isinstance(snapshot, IndexUnavailable) else snapshot.seq
        meant = repr((search.query, search.dates, search.reader))
        return tag_of(self._view, seq, search.now, parameters, meant)

    def answer(self) -> Answer:
        """Return what matches, with its passages marked.

        :raises SearchTimeout: it took longer than the settings allow.
        :raises IndexUnavailable: there is no index to answer from now.
        """
        request, search, view = self._request, self._search, self._view
        snapshot = self._snapshot
        if isinstance(snapshot, IndexUnavailable):
            raise snapshot
        if hidden := hidden_from(search.reader, view, snapshot.seq):
            search = replace(search, hidden=hidden)
        page = snapshot.search(search)
        found = view.clippings((hit.id, hit.version) for hit in page.hits)
        check_of_one_store(snapshot, view)
        if len(found) < len({hit.id for hit in page.hits}):
            raise _of_another_store()
        better = did_you_mean(snapshot, search, page, request.q)
        hits = self._hits(
            [(hit, found[hit.id, hit.version]) for hit in page.hits],
            until(search.deadline),
        )
        return Answer(
            text=request.q,
            understood=self._parsed.understood,
            warnings=self._parsed.warnings,
            did_you_mean=better,
            terms=page.terms,
            applied=_applied(request, search),
            articles=page.articles,
            paragraphs=page.paragraphs,
            took_ms=round((time.perf_counter() - self._started) * 1000, 2),
            seq=page.seq,
            behind=view.seq - snapshot.seq,
            unit=request.unit.value,
            hits=hits,
            facets=page.facets,
            next=None
            if page.after is None
            else encode_cursor(page.after, request.bound_for(search.reader)),
        )

    def _hits(
        self, found: Sequence[tuple[Hit, Clipping]], check: Check
    ) -> tuple[ArticleHit, ...]:
        # All texts in which the same is sought are marked at once.
        texts: defaultdict[Marker, list[tuple[str, Role]]] = defaultdict(list)
        drafts: list[tuple[Hit, Clipping, Marker, list[_Shown]]] = []
        for hit, clipping in found:
            language = clipping.language or self._settings.language
            marker = self._marker(hit.leaves, language)
            if clipping.headline is not None:
                texts[marker].append((clipping.headline, Role.HEADLINE))
            shown: list[_Shown] = []
            for each in hit.passages:
                of_passage = (
                    marker
                    if each.leaves is hit.leaves
                    else self._marker(each.leaves, language)
                )
                paragraph = clipping.paragraph(each.n)
                texts[of_passage].append((paragraph.text, paragraph.role))
                shown.append((each, paragraph, of_passage))
            drafts.append((hit, clipping, marker, shown))
        marks = {
            marker: iter(marker.marks(some, check)) for marker, some in texts.items()
        }
        return tuple([self._hit(*draft, marks) for draft in drafts])

    def _hit(
        self,
        hit: Hit,
        clipping: Clipping,
        marker: Marker,
        shown: Iterable[_Shown],
        marks: Mapping[Marker, Iterator[tuple[Span, ...]]],
    ) -> ArticleHit:
        # Marks come in the order in which the texts were handed over.
        request = self._request
        headline_html = None
        if clipping.headline is not None:
            headline_html = marked_html(clipping.headline, next(marks[marker]))
        return ArticleHit(
            article={
                "id": clipping.id,
                "version": clipping.version,
                **clipping.fields(request.fields or SHORT_FIELDS, self._search.now),
                **clipping.rights(),
            },
            headline_html=headline_html,
            score=hit.score,
            passages_total=hit.passages_total,
            passages=tuple(
                [
                    excerpt_of(
                        clipping.id,
                        paragraph,
                        next(marks[of_passage]),
                        passage=passage,
                        length=request.passage_length,
                    )
                    for passage, paragraph, of_passage in shown
                ]
            ),
            parts=hit.parts,
        )

    def _marker(self, leaves: tuple[WordLeaf, ...], language: str) -> Marker:
        # Hits have the same few sets of leaves again and again.
        marker = self._markers.get((leaves, language))
        if marker is None:
            marker = Marker(leaves, language=language, places=self._search.places)
            self._markers[leaves, language] = marker
        return marker


def check_of_one_store(snapshot: Snapshot, view: View) -> None:
    """Check that an index is of this store, and does not know more than it.

    :raises IndexUnavailable: it is of another, or of another history of this one.
    """
    # Of two histories the numbers do not compare: who knows what is hidden?
    if not of_one_history(snapshot, view.epoch):
        raise IndexUnavailable(f"{OTHER_HISTORY}; the indexer rebuilds it")
    if snapshot.seq > view.seq:
        raise _of_another_store()


def _of_another_store() -> IndexUnavailable:
    return IndexUnavailable(
        "the index is newer than the store; the indexer rebuilds it"
    )


def hidden_from(reader: Reader, view: View, seq: int) -> frozenset[str]:
    """Return the ids of articles that an index of this seq must not show to a reader.

    To somebody with a filter, all that changed since: they may have left the filter,
    and only the store knows.

    :raises IndexUnavailable: these are more than can be left out one by one.
    """
    if not reader.filters:
        return view.hidden_since(seq)
    changed = view.changed_since(seq, _MOST_CHANGED + 1)
    if len(changed) > _MOST_CHANGED:
        raise IndexUnavailable(
            f"the index is more than {_MOST_CHANGED:,} articles behind, too many for a"
            " key with a filter; try again later"
        )
    return changed


def tag_of(view: View, seq: int, now: datetime, parameters: str, meant: str) -> str:
    """Return the tag of an answer to these parameters from a view.

    :param seq: of the index, -1 where there is none.
    """
    moment = None if view.seq == seq else now
    turned = view.turned(dates.micros(now))
    return search_digest(view.epoch, view.seq, seq, turned, moment, parameters, meant)


def excerpt_of(
    article_id: str,
    paragraph: Paragraph,
    spans: tuple[Span, ...],
    *,
    passage: Passage | None = None,
    length: int = 0,
) -> Excerpt:
    """Return a paragraph with its marks.

    :param spans: what is marked in the whole of it.
    :param passage: what it is of a hit; without, it is one of a whole article.
    :param length: as :func:`index.archive.excerpts.cut` has it.
    """
    text, spans = excerpts.excerpt_of(paragraph.text, spans, length)
    return Excerpt(
        id=paragraph_id(article_id, paragraph.n),
        n=paragraph.n,
        role=paragraph.role,
        text=text,
        html=marked_html(text, spans),
        marks=spans,
        score=None if passage is None else passage.score,
        credit=paragraph.credit,
        key=paragraph.key if passage is None else None,
    )


def _applied(request: Request, search: Search) -> dict[str, Any]:
    """What narrows or orders the answer without being typed in ``q``."""
    applied: dict[str, Any] = {
        "status": "usable",
        "in": request.within,
        "scope": request.scope.value,
        "unit": request.unit.value,
        "sort": request.order.value,
        "tz": request.tz,
    }
    reader = search.reader
    if reader.held:
        applied["status"] = "usable, withheld or embargoed"
    if reader.filters:
        applied["key"] = [
            {
                "field": each.field,
                "exclude" if each.exclude else "values": list(each.values),
            }
            for each in reader.filters
        ]
    bounds: Range | None = search.dates
    if bounds is not None:
        applied["date"] = bounds.field
        if bounds.low is not None:
            applied["from"] = dates.iso(dates.from_micros(bounds.low))
        if bounds.high is not None:
            applied["to"] = dates.iso(dates.from_micros(bounds.high))
    return applied
