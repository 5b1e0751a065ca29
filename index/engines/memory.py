"""The reference engine: exact, slow, strict; what a search means, as a program.

It goes through every article and asks of each what ``DESIGN`` section 4 says, one
article after another, with sets and dictionaries. Other engines are right when they
answer as this one does. It is for tests, and for a service that keeps nothing.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rapidfuzz.distance import OSA

from index import fields, ranking
from index.article import Article
from index.dates import micros, zone
from index.engines import EngineState
from index.errors import InvalidQuery, SearchTimeout
from index.facets import Counted, buckets, no_dates, same_value, value_facet
from index.fields import DATES, FIELD_OF_ROLE, PASSAGE_FIELDS, Kind
from index.matching import form_tests, occurrences
from index.query import (
    All,
    And,
    FacetRequest,
    Filter,
    Fuzzy,
    Interval,
    Not,
    Or,
    Places,
    Prefix,
    Query,
    Range,
    Scope,
    Search,
    Sort,
    SortKey,
    Unit,
    Wildcard,
    WordLeaf,
    places_of,
    scoring_leaves,
)
from index.result import Facet, Hit, LeafScore, Page, Passage, WordCount
from index.text import Tokens, analyse, fold
from index.visibility import visible

_LINES = tuple(
    each.name for each in fields.FIELDS if each.kind in (Kind.TEXT, Kind.KEYWORD)
)


@dataclass(frozen=True, slots=True, eq=False)
class Doc:
    """An article with its words.

    :param passages: the tokens of each paragraph; ``fields`` which field each is in.
    :param lines: field → the tokens of each of its values.
    """

    article: Article
    language: str
    passages: tuple[Tokens, ...]
    fields: tuple[str, ...]
    lines: Mapping[str, tuple[Tokens, ...]]

    def length(self, name: str) -> int:
        """Return how many words the article has in a field."""
        if name in PASSAGE_FIELDS:
            return sum(
                tokens.length
                for tokens, here in zip(self.passages, self.fields, strict=True)
                if here == name
            )
        return sum(tokens.length for tokens in self.lines.get(name, ()))


def _doc(article: Article, language: str) -> Doc:
    return Doc(
        article=article,
        language=article.language or language,
        passages=tuple(analyse(each.text) for each in article.paragraphs),
        fields=tuple(FIELD_OF_ROLE[each.role] for each in article.paragraphs),
        lines={
            name: tuple(analyse(value) for value in values)
            for name in _LINES
            if (values := _values(article, name))
        },
    )


def _values(article: Article, name: str) -> list[str]:
    value = getattr(article, name)
    if value is None:
        return []
    if isinstance(value, tuple):
        return [concept.name for concept in value]
    return [str(value)]


def _date(article: Article, name: str) -> int | None:
    instant = getattr(article, name)
    if instant is None and name == "updated":
        instant = article.published
    return None if instant is None else micros(instant)


class MemoryEngine:
    """Articles in a dictionary; see :class:`index.engines.Engine`."""

    url = "memory:"

    def __init__(self, *, language: str = "en", expansions: int = 20_000) -> None:
        self._language = language
        self._snapshot = MemorySnapshot({}, seq=0, expansions=expansions)
        self._expansions = expansions

    def snapshot(self) -> MemorySnapshot:
        """Return the newest committed state."""
        return self._snapshot

    def state(self) -> EngineState:
        """Return what the engine holds."""
        docs = self._snapshot.docs
        return EngineState(
            seq=self._snapshot.seq,
            articles=len(docs),
            paragraphs=sum(len(doc.passages) for doc in docs.values()),
            segments=1,
        )

    def apply(
        self, puts: Sequence[Article], deletes: Sequence[str], *, seq: int
    ) -> None:
        """Commit one batch: all of it or nothing."""
        docs = dict(self._snapshot.docs)
        for article_id in deletes:
            docs.pop(article_id, None)
        for article in puts:
            docs[article.id] = _doc(article, self._language)
        self._snapshot = MemorySnapshot(docs, seq=seq, expansions=self._expansions)

    def rebuild(
        self,
        articles: Iterable[Article],
        *,
        seq: int,
        total: int,
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        """Replace everything by these articles."""
        docs = {}
        for done, article in enumerate(articles, 1):
            docs[article.id] = _doc(article, self._language)
            progress(done)
        self._snapshot = MemorySnapshot(docs, seq=seq, expansions=self._expansions)

    def close(self) -> None:
        """Let go of memory."""
        self._snapshot = MemorySnapshot({}, seq=0, expansions=self._expansions)


class MemorySnapshot:
    """The articles of one moment; see :class:`index.engines.Snapshot`."""

    def __init__(self, docs: Mapping[str, Doc], *, seq: int, expansions: int) -> None:
        self.docs = docs
        self.seq = seq
        self.expansions = expansions
        self._with_form: dict[str, list[Doc]] | None = None

    def search(self, search: Search) -> Page:
        """Return what matches."""
        return _Answering(self, search).page()

    def words(self, prefix: str, search: Search, limit: int) -> tuple[WordCount, ...]:
        """Return the words that start with a folded prefix, commonest first."""
        found = [
            WordCount(text=form, articles=count)
            for form, count in self._visible_words(search).items()
            if fold(form).startswith(prefix)
        ]
        found.sort(key=lambda word: (-word.articles, word.text))
        return tuple(found[:limit])

    def similar(self, form: str, search: Search) -> str | None:
        """Return the word of visible articles that ``form`` is a slip from."""
        folded = fold(form)
        distance = 1 if len(folded) <= 4 else 2
        ranked = [
            (OSA.distance(folded, fold(word)), -count, word)
            for word, count in self._visible_words(search).items()
            if fold(word) != folded
        ]
        near = [each for each in ranked if each[0] <= distance]
        return min(near)[2] if near else None

    def with_form(self, test: Callable[[str], bool]) -> tuple[set[str], set[Doc]]:
        """Return the forms that pass a test, and the articles that hold one of them.

        What makes this engine bearable: a leaf is looked for only where it can be.
        """
        if self._with_form is None:
            index: dict[str, list[Doc]] = defaultdict(list)
            for doc in self.docs.values():
                forms = {form for tokens in doc.passages for form in tokens.forms}
                for values in doc.lines.values():
                    forms.update(form for tokens in values for form in tokens.forms)
                for form in forms:
                    index[form].append(doc)
            self._with_form = dict(index)
        forms = {form for form in self._with_form if test(form)}
        return forms, {doc for form in forms for doc in self._with_form[form]}

    def _visible_words(self, search: Search) -> Counter[str]:
        counts: Counter[str] = Counter()
        for doc in self.docs.values():
            if doc.article.id in search.hidden:
                continue
            if visible(doc.article, search.now):
                counts.update(
                    {
                        form
                        for tokens in doc.passages
                        for form, width in zip(tokens.forms, tokens.widths, strict=True)
                        if width == 1 and form.isalnum()
                    }
                )
        return counts


@dataclass(slots=True)
class _Found:
    """Where a leaf occurs.

    :ivar passages: article → paragraph → how often, where at all; ``lines`` article →
        field → how often.
    """

    places: Places
    passages: dict[Doc, dict[int, int]] = field(default_factory=dict)
    lines: dict[Doc, dict[str, int]] = field(default_factory=dict)

    def has(self, doc: Doc, paragraph: int | None = None) -> bool:
        """Whether the leaf is true for an article, or for one of its paragraphs."""
        if doc in self.lines:
            return True
        if paragraph is None or self.places.whole:
            return doc in self.passages
        return paragraph in self.passages.get(doc, {})

    @property
    def articles(self) -> set[Doc]:
        """The articles that have it anywhere."""
        return {*self.passages, *self.lines}


class _Answering:
    """One search being answered, article by article."""

    def __init__(self, snapshot: MemorySnapshot, search: Search) -> None:
        self.snapshot, self.search = snapshot, search
        self.docs = list(snapshot.docs.values())
        self.visible = {
            doc
            for doc in self.docs
            if visible(doc.article, search.now) and doc.article.id not in search.hidden
        }
        self.started = time.monotonic()
        self.paragraph_statistics: dict[tuple[str, ...], tuple[int, float]] = {}
        self.mean_lengths: dict[str, float] = {}
        self.found: dict[WordLeaf, _Found] = {}
        for leaf in _word_leaves(search.query):
            if leaf not in self.found:
                self.found[leaf] = self._find(leaf)

    def check(self) -> None:
        deadline = self.search.deadline
        if deadline is not None and time.monotonic() > deadline:
            raise SearchTimeout(round(deadline - self.started, 3))

    def page(self) -> Page:
        search = self.search
        base = [doc for doc in self.docs if self._is_base(doc)]
        hits = [doc for doc in base if self._included(doc)]
        matching = {doc: self._matching(doc) for doc in hits}
        rows = self._rows(hits, matching)
        rows.sort(key=lambda row: self._order(row[0]))
        if search.after is not None:
            after = self._order(search.after)
            rows = [row for row in rows if self._order(row[0]) > after]
        end = search.offset + search.limit
        chosen = rows[search.offset : end]
        return Page(
            hits=tuple(self._hit(*row, matching[row[1]]) for row in chosen),
            articles=len(hits),
            paragraphs=sum(map(len, matching.values())),
            facets=tuple(self._facet(request, base) for request in search.facets),
            after=chosen[-1][0] if chosen and len(rows) > end else None,
            seq=self.snapshot.seq,
            terms=tuple(
                WordCount(
                    text=leaf.text,
                    articles=len(self.found[leaf].articles & self.visible),
                )
                for leaf in scoring_leaves(search.query)
            ),
        )

    # Leaves.

    def _find(self, leaf: WordLeaf) -> _Found:
        found = _Found(places_of(leaf, self.search.places))
        for doc in self._candidates(leaf, found.places):
            self.check()
            passages = {
                number: count
                for number, (tokens, name) in enumerate(
                    zip(doc.passages, doc.fields, strict=True)
                )
                if name in found.places.passages
                and (count := len(occurrences(tokens, leaf, doc.language)))
            }
            lines = {
                name: count
                for name in found.places.lines
                if (
                    count := sum(
                        len(occurrences(tokens, leaf, doc.language))
                        for tokens in doc.lines.get(name, ())
                    )
                )
            }
            if passages:
                found.passages[doc] = passages
            if lines:
                found.lines[doc] = lines
        return found

    def _candidates(self, leaf: WordLeaf, places: Places) -> set[Doc]:
        if isinstance(leaf, Prefix | Wildcard | Fuzzy):
            (test,) = form_tests(leaf, "")
            forms, docs = self.snapshot.with_form(test)
            self._limit_expansions(leaf, forms, docs, places)
            return docs
        candidates: set[Doc] = set()
        for language in {doc.language for doc in self.docs}:
            docs = {doc for doc in self.docs if doc.language == language}
            for test in form_tests(leaf, language):
                docs &= self.snapshot.with_form(test)[1]
            candidates |= docs
        return candidates

    def _limit_expansions(
        self, leaf: WordLeaf, forms: set[str], docs: set[Doc], places: Places
    ) -> None:
        if len(forms) <= self.snapshot.expansions:
            return
        here: set[str] = set()
        for doc in docs:
            if places.passages:
                here.update(form for tokens in doc.passages for form in tokens.forms)
            for name in places.lines:
                for tokens in doc.lines.get(name, ()):
                    here.update(tokens.forms)
        words = len(forms & here)
        if words > self.snapshot.expansions:
            raise InvalidQuery(
                f"{leaf.text} stands for {words:,} words, more than"
                f" {self.snapshot.expansions:,}: write more letters",
                code="wildcard_too_broad",
                limit=self.snapshot.expansions,
                got=words,
            )

    # Truth, of an article or of one of its paragraphs.

    def _true(self, query: Query, doc: Doc, paragraph: int | None) -> bool:
        if isinstance(query, And):
            return all(self._true(each, doc, paragraph) for each in query.children)
        if isinstance(query, Or):
            return any(self._true(each, doc, paragraph) for each in query.children)
        if isinstance(query, Not):
            return not self._true(query.child, doc, paragraph)
        if isinstance(query, All):
            return True
        if isinstance(query, Range):
            return _within(doc.article, query)
        return self.found[query].has(doc, paragraph)

    def _units(self, doc: Doc) -> list[int | None]:
        if self.search.scope is Scope.ARTICLE:
            return [None]
        return list(range(len(doc.passages)))

    def _is_base(self, doc: Doc) -> bool:
        self.check()
        search = self.search
        return (
            doc in self.visible
            and (search.dates is None or _within(doc.article, search.dates))
            and not any(
                each.exclude and _has_value(doc.article, each)
                for each in search.filters
            )
            and any(self._true(search.query, doc, unit) for unit in self._units(doc))
        )

    def _included(self, doc: Doc, *, besides: str = "") -> bool:
        included: dict[str, bool] = {}
        for each in self.search.filters:
            if not each.exclude and each.field != besides:
                holds = _has_value(doc.article, each)
                included[each.field] = included.get(each.field, False) or holds
        return all(included.values())

    # Which leaves count, and which paragraphs match.

    def _counting(self, doc: Doc, unit: int | None) -> list[tuple[int, WordLeaf]]:
        """The leaves that are true, not under a NOT, and in no AND that fails.

        With the place of each among :func:`scoring_leaves`: a word may stand twice.
        """

        def walk(query: Query, holds: bool) -> Iterator[tuple[WordLeaf, bool]]:
            if isinstance(query, And):
                holds = holds and self._true(query, doc, unit)
                for child in query.children:
                    yield from walk(child, holds)
            elif isinstance(query, Or):
                for child in query.children:
                    yield from walk(child, holds)
            elif not isinstance(query, Not | All | Range):
                yield query, holds and self._true(query, doc, unit)

        leaves = enumerate(walk(self.search.query, True))
        return [(place, leaf) for place, (leaf, counts) in leaves if counts]

    def _counting_in(self, doc: Doc, paragraph: int) -> list[tuple[int, WordLeaf]]:
        article = self.search.scope is Scope.ARTICLE
        return self._counting(doc, None if article else paragraph)

    def _matching(self, doc: Doc) -> list[int]:
        everything = list(range(len(doc.passages)))
        if self.search.scope is Scope.PARAGRAPH:
            return [n for n in everything if self._true(self.search.query, doc, n)]
        matching: set[int] = set()
        for _, leaf in self._counting(doc, None):
            if not self.found[leaf].places.whole:
                matching.update(self.found[leaf].passages.get(doc, ()))
        return sorted(matching) or everything

    # Scores.

    def _scores(self, leaf: WordLeaf) -> bool:
        places = self.found[leaf].places
        return bool(places.passages) and not places.whole

    def _scoring(self, doc: Doc, paragraph: int) -> list[tuple[int, WordLeaf]]:
        counting = self._counting_in(doc, paragraph)
        return [(place, leaf) for place, leaf in counting if self._scores(leaf)]

    def _paragraph_parts(self, doc: Doc, n: int) -> dict[int, float]:
        return {
            place: self._paragraph_part(leaf, doc, n)
            for place, leaf in self._scoring(doc, n)
        }

    def _paragraph_part(self, leaf: WordLeaf, doc: Doc, n: int) -> float:
        found = self.found[leaf]
        frequency = found.passages.get(doc, {}).get(n, 0)
        if not frequency:
            return 0.0
        count, mean = self._paragraph_statistics(found.places.passages)
        having = sum(map(len, found.passages.values()))
        return float(
            ranking.paragraph_part(
                frequency,
                doc.passages[n].length,
                mean,
                ranking.idf(count, having),
                leaf.boost,
            )
        )

    def _paragraph_statistics(self, names: tuple[str, ...]) -> tuple[int, float]:
        """How many paragraphs are in these fields, and their mean length in words."""
        if names not in self.paragraph_statistics:
            lengths = [
                tokens.length
                for doc in self.docs
                for tokens, name in zip(doc.passages, doc.fields, strict=True)
                if name in names
            ]
            self.paragraph_statistics[names] = len(lengths), sum(lengths) / len(lengths)
        return self.paragraph_statistics[names]

    def _mean_length(self, name: str) -> float:
        """The mean length of a field, over the articles that have it."""
        if name not in self.mean_lengths:
            having = [length for doc in self.docs if (length := doc.length(name))]
            self.mean_lengths[name] = sum(having) / len(having)
        return self.mean_lengths[name]

    def _article_part(self, leaf: WordLeaf, doc: Doc) -> float:
        found = self.found[leaf]
        weighted = 0.0
        for name in (*found.places.passages, *found.places.lines):
            if name in PASSAGE_FIELDS:
                frequency = sum(
                    count
                    for n, count in found.passages.get(doc, {}).items()
                    if doc.fields[n] == name
                )
            else:
                frequency = found.lines.get(doc, {}).get(name, 0)
            if frequency:
                weighted += ranking.field_frequency(
                    frequency,
                    doc.length(name),
                    self._mean_length(name),
                    fields.BY_NAME[name].weight,
                )
        idf = ranking.idf(len(self.docs), len(found.articles))
        return float(ranking.article_part(weighted, idf, leaf.boost))

    def _article_parts(self, doc: Doc, matching: Sequence[int]) -> dict[int, float]:
        counting = {each for n in matching for each in self._scoring(doc, n)}
        return {
            place: self._article_part(leaf, doc)
            for place, leaf in sorted(counting, key=lambda each: each[0])
        }

    def _score(self, doc: Doc, matching: Sequence[int]) -> float:
        best = max(self._paragraph_sum(doc, n) for n in matching)
        parts = sum(self._article_parts(doc, matching).values())
        return float(ranking.article_score(parts, best))

    def _paragraph_sum(self, doc: Doc, n: int) -> float:
        return sum(self._paragraph_parts(doc, n).values())

    # Order and hits.

    def _rows(
        self, hits: list[Doc], matching: Mapping[Doc, list[int]]
    ) -> list[tuple[SortKey, Doc]]:
        search = self.search
        relevance = search.sort is Sort.RELEVANCE
        date = "updated" if search.sort is Sort.UPDATED else "published"
        rows = []
        for doc in hits:
            self.check()
            article = doc.article
            if search.unit is Unit.ARTICLE:
                score = self._score(doc, matching[doc]) if relevance else 0.0
                key = SortKey(score=score, date=_date(article, date), id=article.id)
                rows.append((key, doc))
                continue
            for n in matching[doc]:
                score = (
                    float(ranking.rounded(self._paragraph_sum(doc, n)))
                    if relevance
                    else 0.0
                )
                key = SortKey(
                    score=score,
                    date=_date(article, date),
                    id=article.id,
                    n=article.paragraphs[n].n,
                )
                rows.append((key, doc))
        return rows

    def _order(self, key: SortKey) -> tuple[float, bool, int, str, int]:
        date = key.date or 0
        if self.search.sort is not Sort.OLDEST:
            date = -date
        n = -1 if key.n is None else key.n
        return (-key.score, key.date is None, date, key.id, n)

    def _hit(self, key: SortKey, doc: Doc, matching: list[int]) -> Hit:
        search = self.search
        first = doc.article.paragraphs[0].n
        sums = {
            n: float(ranking.rounded(self._paragraph_sum(doc, n))) for n in matching
        }
        best = sorted(matching, key=lambda n: (-sums[n], n))
        if key.n is None:
            score = key.score
            # The headline is shown with each hit, and is no passage of it.
            below = [n for n in best if doc.article.paragraphs[n].n > 0]
            chosen = sorted(below[: search.passages])
        else:
            chosen = [key.n - first]
            score = sums[chosen[0]]
        counting = {each for n in matching for each in self._counting_in(doc, n)}
        return Hit(
            id=doc.article.id,
            version=doc.article.version or "",
            score=score,
            key=key,
            passages=tuple(
                Passage(
                    n=doc.article.paragraphs[n].n,
                    score=sums[n],
                    leaves=tuple(leaf for _, leaf in self._counting_in(doc, n)),
                )
                for n in chosen
            ),
            passages_total=len(matching),
            leaves=tuple(
                leaf for _, leaf in sorted(counting, key=lambda each: each[0])
            ),
            parts=self._explained(doc, matching, chosen if key.n is not None else best)
            if search.explain
            else None,
        )

    def _explained(
        self, doc: Doc, matching: list[int], best: list[int]
    ) -> tuple[LeafScore, ...]:
        in_paragraph = self._paragraph_parts(doc, best[0])
        in_article = self._article_parts(doc, matching)
        return tuple(
            LeafScore(
                text=leaf.text,
                article=float(ranking.rounded(in_article.get(place, 0.0))),
                paragraph=float(ranking.rounded(in_paragraph.get(place, 0.0))),
            )
            for place, leaf in enumerate(scoring_leaves(self.search.query))
            if self._scores(leaf)
        )

    # Facets.

    def _facet(self, request: FacetRequest, base: list[Doc]) -> Facet:
        docs = [doc for doc in base if self._included(doc, besides=request.field)]
        if request.field in DATES:
            return self._date_facet(request, docs)
        with_value: dict[str, set[Doc]] = defaultdict(set)
        spellings: dict[str, Counter[str]] = defaultdict(Counter)
        for doc in docs:
            for value in set(_values(doc.article, request.field)):
                with_value[same_value(value)].add(doc)
                spellings[same_value(value)][value] += 1
        having = {doc for each in with_value.values() for doc in each}
        return value_facet(
            request,
            {
                value: Counted(articles=len(each), spellings=spellings[value])
                for value, each in with_value.items()
            },
            active=[
                value
                for each in self.search.filters
                if each.field == request.field and not each.exclude
                for value in each.values
            ],
            size=self.search.facet_size,
            missing=len(docs) - len(having),
            with_other=lambda listed: len(
                {
                    doc
                    for value, each in with_value.items()
                    if value not in listed
                    for doc in each
                }
            ),
        )

    def _date_facet(self, request: FacetRequest, docs: list[Doc]) -> Facet:
        dates = [_date(doc.article, request.field) for doc in docs]
        known = [date for date in dates if date is not None]
        missing = len(dates) - len(known)
        if not known:
            return no_dates(request, missing=missing)
        interval = request.interval or Interval.AUTO
        found = buckets(min(known), max(known), interval, zone(self.search.tz))
        counts = Counter(found.place(date) for date in known)
        places = range(len(found.starts))
        return found.facet(request, [counts[each] for each in places], missing=missing)


def _word_leaves(query: Query) -> Iterator[WordLeaf]:
    if isinstance(query, And | Or):
        for child in query.children:
            yield from _word_leaves(child)
    elif isinstance(query, Not):
        yield from _word_leaves(query.child)
    elif not isinstance(query, All | Range):
        yield query


def _within(article: Article, bounds: Range) -> bool:
    if bounds.field in DATES:
        value = _date(article, bounds.field)
    else:
        value = getattr(article, bounds.field)
    return (
        value is not None
        and (bounds.low is None or value >= bounds.low)
        and (bounds.high is None or value <= bounds.high)
    )


def _has_value(article: Article, wanted: Filter) -> bool:
    values = {same_value(value) for value in _values(article, wanted.field)}
    chosen = {same_value(value) for value in wanted.values}
    return bool(values & chosen) or (wanted.missing and not values)
