"""Hits with their texts: read article by article, marked, and counted in bytes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from index.access import Validity
from index.archive import excerpts
from index.archive.answers import ArticleHit, Excerpt
from index.archive.excerpts import marked_html
from index.archive.marking import Marker
from index.article import Paragraph, Role, paragraph_id
from index.deadline import Check
from index.engines import Hit, Passage
from index.errors import IndexUnavailable, LimitExceeded
from index.query import SHORT_FIELDS, Request, Search, WordLeaf, scoring_leaves
from index.settings import Settings
from index.store import Clipping, View
from index.text import Span

# Characters of texts that are marked at once: texts that are shown in part only are in
# memory for so long.
_MARKED_AT_ONCE = 256 * 1024
# Bytes above which an answer is large, and has memory reserved.
_LARGE = 1024 * 1024
# Memory for a byte of an answer: its texts, marks and HTML, and the answer as JSON.
_MEMORY_OF_A_BYTE = 4
_BYTES_OF_A_MARK = 16  # as JSON

_HEADLINE = Role.HEADLINE

_ShownPassage = tuple[Passage, Paragraph]
_Texts = list[tuple[str, Role]]
_Leaves = list[tuple[WordLeaf, ...]]


class _Draft(NamedTuple):
    """A hit whose texts are not marked yet.

    :param number: its place on the page, from 0.
    """

    number: int
    hit: Hit
    language: str
    headline: str | None
    article: dict[str, Any]
    article_bytes: int
    shown: list[_ShownPassage]


class Hits:
    """The hits of one answer, made in groups of bounded size.

    :param reserve: called with a size in bytes, at most once, before the answer becomes
        large; it may raise.
    """

    def __init__(
        self,
        request: Request,
        search: Search,
        *,
        view: View,
        validity: Validity,
        settings: Settings,
        reserve: Callable[[int], None],
    ) -> None:
        self._request, self._search, self._settings = request, search, settings
        self._view, self._validity, self._reserve = view, validity, reserve
        self._leaves = scoring_leaves(search.query)
        self._markers: dict[str, Marker] = {}  # by language
        self._bytes = 0
        self._is_large = False

    def of(self, hits: Sequence[Hit], check: Check) -> tuple[ArticleHit, ...]:
        """Hits of an engine's page, with their texts.

        :param check: called for each article, and while texts are marked.
        :raises SearchTimeout: raised by ``check``.
        :raises LimitExceeded: the answer has more bytes than the settings allow.
        :raises SearchMemoryUsed: other searches take the memory that it needs.
        :raises IndexUnavailable: the store lacks an article of the page.
        """
        of_version: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for number, hit in enumerate(hits):
            of_version[hit.id, hit.version].append(number)
        made: dict[int, ArticleHit] = {}
        group: list[_Draft] = []
        characters = 0
        names = self._request.fields or SHORT_FIELDS
        for key, clipping in self._view.clippings(of_version, names):
            check()
            article = self._article(clipping)
            size = _json_bytes(article)
            language = clipping.language or self._settings.language
            for number in of_version[key]:
                hit = hits[number]
                shown = [(each, clipping.paragraph(each.n)) for each in hit.passages]
                group.append(
                    _Draft(
                        number, hit, language, clipping.headline, article, size, shown
                    )
                )
                characters += len(clipping.headline or "")
                characters += sum([len(paragraph.text) for _, paragraph in shown])
                if characters > _MARKED_AT_ONCE:
                    made.update(self._made(group, check))
                    group, characters = [], 0
        made.update(self._made(group, check))
        if len(made) < len(hits):
            raise ahead_of_store()
        return tuple([made[number] for number in range(len(hits))])

    def _article(self, clipping: Clipping) -> dict[str, Any]:
        return {
            "id": clipping.id,
            "version": clipping.version,
            **clipping.fields(self._validity),
            **clipping.rights(),
        }

    def _count(self, size: int) -> None:
        """Count bytes of the answer.

        :raises LimitExceeded: there are more than the settings allow.
        :raises SearchMemoryUsed: other searches take the memory that it needs.
        """
        self._bytes += size
        if self._is_large or self._bytes > _LARGE:
            limit = self._settings.answer_bytes
            if self._bytes > limit:
                raise LimitExceeded(
                    "limit",
                    limit=limit,
                    got=None,
                    detail=f"the texts of these hits have more than {limit:,} bytes"
                    " (NUTGRAF_ANSWER_BYTES); ask for fewer hits, passages or fields,"
                    " or set passage_length",
                )
            if not self._is_large:
                self._is_large = True
                self._reserve(limit * _MEMORY_OF_A_BYTE)

    def _made(
        self, group: Sequence[_Draft], check: Check
    ) -> Iterator[tuple[int, ArticleHit]]:
        """Yield the hits of some drafts, by their numbers."""
        # All texts of one language are marked at once.
        batches: dict[str, tuple[_Texts, _Leaves]] = {}
        for _, hit, language, headline, _, _, shown in group:
            if language not in batches:
                batches[language] = [], []
            texts, leaves = batches[language]
            if headline is not None:
                texts.append((headline, _HEADLINE))
                leaves.append(hit.leaves)
            for passage, paragraph in shown:
                texts.append((paragraph.text, paragraph.role))
                leaves.append(passage.leaves)
        marks = {
            language: iter(self._marker(language).marks(texts, check, leaves=leaves))
            for language, (texts, leaves) in batches.items()
        }
        for draft in group:
            check()
            yield draft.number, self._hit(draft, marks[draft.language])

    def _marker(self, language: str) -> Marker:
        if language not in self._markers:
            self._markers[language] = Marker(
                self._leaves, language=language, places=self._search.places
            )
        return self._markers[language]

    def _hit(self, draft: _Draft, marks: Iterator[tuple[Span, ...]]) -> ArticleHit:
        # Marks come in the order of the texts that the marker was given.
        hit, length = draft.hit, self._request.passage_length
        headline_html, texts, marked = None, list[str](), 0
        if draft.headline is not None:
            headline_html = marked_html(draft.headline, next(marks))
            texts.append(headline_html)
        passages = []
        for passage, paragraph in draft.shown:
            excerpt = excerpt_of(hit.id, paragraph, next(marks), passage, length)
            texts += (excerpt.text, excerpt.html)
            marked += len(excerpt.marks)
            passages.append(excerpt)
        size = _bytes("".join(texts)) + marked * _BYTES_OF_A_MARK
        self._count(draft.article_bytes + size)
        return ArticleHit(
            draft.article,
            headline_html,
            hit.score,
            hit.passages_total,
            tuple(passages),
            hit.parts,
        )


def excerpt_of(
    article_id: str,
    paragraph: Paragraph,
    spans: tuple[Span, ...],
    passage: Passage | None = None,
    length: int = 0,
) -> Excerpt:
    """Excerpt of a paragraph, with its marks.

    :param spans: the marks in the whole paragraph.
    :param passage: the passage of a hit to show; ``None`` in a whole article.
    :param length: characters at most; see :func:`index.archive.excerpts.cut`.
    """
    text = paragraph.text
    if length:
        text, spans = excerpts.excerpt_of(text, spans, length)
    return Excerpt(
        paragraph_id(article_id, paragraph.n),
        paragraph.n,
        paragraph.role,
        text,
        marked_html(text, spans),
        spans,
        None if passage is None else passage.score,
        paragraph.credit,
        paragraph.key if passage is None else None,
    )


def ahead_of_store() -> IndexUnavailable:
    """Error for an index that has what the store has not."""
    return IndexUnavailable(
        "the index is newer than the store; the indexer rebuilds it"
    )


def _bytes(text: str) -> int:
    """Length in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def _json_bytes(document: dict[str, Any]) -> int:
    """Length as JSON in UTF-8."""
    try:
        return len(orjson.dumps(document))
    except TypeError:  # an integer of more than 64 bits
        return len(json.dumps(document, ensure_ascii=False).encode())
