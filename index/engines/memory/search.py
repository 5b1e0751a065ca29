"""A search over the articles of one moment, one article after another."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from index.article import DATE_FIELD_NAMES, FIELD_BY_NAME, PASSAGE_FIELDS, Article
from index.dates import zone
from index.deadline import until
from index.engines import ranking
from index.engines.facets import Counted, buckets, no_dates, value_facet
from index.engines.memory.docs import Doc, Docs, date_of, values_of
from index.engines.result import Facet, Hit, LeafScore, Page, Passage, WordCount
from index.errors import InvalidQuery
from index.query import (
    All,
    And,
    FacetRequest,
    Filter,
    Fuzzy,
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
    form_tests,
    occurrences,
    places_of,
    scoring_leaves,
    value_key,
)


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


class Answering:
    """One search being answered, article by article."""

    def __init__(self, docs: Docs, search: Search, *, expansions: int) -> None:
        self.docs, self.search, self.expansions = docs, search, expansions
        self.visible = docs.visible(search)
        self.check = until(search.deadline)
        self.paragraph_statistics: dict[tuple[str, ...], tuple[int, float]] = {}
        self.mean_lengths: dict[str, float] = {}
        self.found: dict[WordLeaf, _Found] = {}
        for leaf in _word_leaves(search.query):
            if leaf not in self.found:
                self.found[leaf] = self._find(leaf)

    def page(self, seq: int) -> Page:
        """Return the answer, from a state that includes changes up to ``seq``."""
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
            seq=seq,
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
                and (count := len(occurrences(tokens, leaf, doc.language, self.check)))
            }
            lines = {
                name: count
                for name in found.places.lines
                if (
                    count := sum(
                        len(occurrences(tokens, leaf, doc.language, self.check))
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
            forms, docs = self.docs.with_form(test)
            self._limit_expansions(leaf, forms, docs, places)
            return docs
        candidates: set[Doc] = set()
        for language in {doc.language for doc in self.docs}:
            docs = {doc for doc in self.docs if doc.language == language}
            for test in form_tests(leaf, language):
                docs &= self.docs.with_form(test)[1]
            candidates |= docs
        return candidates

    def _limit_expansions(
        self, leaf: WordLeaf, forms: set[str], docs: set[Doc], places: Places
    ) -> None:
        if len(forms) <= self.expansions:
            return
        here: set[str] = set()
        for doc in docs:
            if places.passages:
                here.update(form for tokens in doc.passages for form in tokens.forms)
            for name in places.lines:
                for tokens in doc.lines.get(name, ()):
                    here.update(tokens.forms)
        words = len(forms & here)
        if words > self.expansions:
            raise InvalidQuery(
                f"{leaf.text} matches more than {self.expansions:,} words;"
                " write more letters",
                code="wildcard_too_broad",
                limit=self.expansions,
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
                    FIELD_BY_NAME[name].weight,
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
        self.check()
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
                key = SortKey(score=score, date=date_of(article, date), id=article.id)
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
                    date=date_of(article, date),
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
        if request.field in DATE_FIELD_NAMES:
            return self._date_facet(request, docs)
        with_value: dict[str, set[Doc]] = defaultdict(set)
        spellings: dict[str, Counter[str]] = defaultdict(Counter)
        for doc in docs:
            for value in set(values_of(doc.article, request.field)):
                with_value[value_key(value)].add(doc)
                spellings[value_key(value)][value] += 1
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
        dates = [date_of(doc.article, request.field) for doc in docs]
        known = [date for date in dates if date is not None]
        missing = len(dates) - len(known)
        span = (min(known), max(known)) if known else None
        found = buckets(request, span, self.search.dates, zone(self.search.tz))
        if found is None:
            return no_dates(request, missing=missing)
        counts = Counter(found.place(date) for date in known)
        places = range(len(found.labels))
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
    if bounds.field in DATE_FIELD_NAMES:
        value = date_of(article, bounds.field)
    else:
        value = getattr(article, bounds.field)
    return (
        value is not None
        and (bounds.low is None or value >= bounds.low)
        and (bounds.high is None or value <= bounds.high)
    )


def _has_value(article: Article, wanted: Filter) -> bool:
    values = {value_key(value) for value in values_of(article, wanted.field)}
    chosen = {value_key(value) for value in wanted.values}
    return bool(values & chosen) or (wanted.missing and not values)
