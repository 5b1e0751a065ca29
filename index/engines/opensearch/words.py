"""Words: the vocabulary in an index of its own, and counts of words from the articles.

The index of words only grows: it holds every form and every value that an article of
its generation ever had, and each is written before an article that has it can be found.
So it proposes words, and the articles of a snapshot decide how often each occurs.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from sys import getsizeof
from typing import Any

from rapidfuzz.distance import OSA

from index.article import FIELDS, Kind
from index.deadline import Deadline, until
from index.engines.facets import Counted, value_order
from index.engines.memory import Doc, values_of
from index.engines.opensearch.cluster import Cluster, lines_of
from index.engines.opensearch.commits import alias_of
from index.engines.opensearch.documents import forms
from index.engines.opensearch.mapping import keys_field, spellings_field
from index.engines.opensearch.searching import visible
from index.engines.result import WordCount
from index.errors import InvalidQuery
from index.query import Fuzzy, Prefix, Search, Wildcard, form_tests
from index.text import fold, has_words, is_plain, leads, value_key, words_of_value

# Body that makes an index of words, without the numbers of shards and replicas.
WORDS: dict[str, Any] = {
    "settings": {"index": {"refresh_interval": "-1", "max_regex_length": 100_000}},
    "mappings": {
        "dynamic": "strict",
        "_source": {"enabled": False},
        "properties": {
            "form": {"type": "keyword"},
            "folded": {"type": "keyword", "doc_values": False},
            "plain": {"type": "boolean", "doc_values": False},
            "field": {"type": "keyword", "doc_values": False},
            "value": {"type": "keyword"},
            "words": {"type": "keyword", "doc_values": False},
        },
    },
}
_KEYWORDS = tuple(field.name for field in FIELDS if field.kind is Kind.KEYWORD)
_PAGE = 10_000  # words read from the index at a time; the most that OpenSearch gives
_COUNTED = 500  # words counted in one search
_SEARCHES = 8  # of those in one request
# More words than that are not read for one term.
_MOST_FORMS = 200_000
# Shorter forms are sought by patterns, since Lucene's fuzzy query leaves out some words
# that are no longer than the number of edits.
_SHORT = 4
# Words that the indexer need not send again.
_KNOWN_BYTES = 64_000_000
_ENTRY_BYTES = 40  # of a set

# Answers to searches of the articles of a snapshot: bodies, and their deadline.
Ask = Callable[[Sequence[dict[str, Any]], Deadline | None], list[dict[str, Any]]]


class Vocabulary:
    """The index of words of a generation, as the indexer writes it.

    :param index: its name.
    """

    def __init__(self, index: str) -> None:
        self._alias = alias_of(index)
        # Of a value with its field before it: no form has this character.
        self._known: set[str] = set()
        self.size = 0  # of these, in bytes

    def new_lines(self, doc: Doc) -> Iterator[bytes]:
        """Yield lines that add the words of an article, without those known already."""
        for form in forms(doc) - self._known:
            yield self._lines(
                form, {"form": form, "folded": fold(form), "plain": is_plain(form)}
            )
        for field in _KEYWORDS:
            for value in values_of(doc.article, field):
                name = f"{field}\0{value}"
                if name not in self._known:
                    words = {part for word in words_of_value(value) for part in word}
                    yield self._lines(
                        name, {"field": field, "value": value, "words": sorted(words)}
                    )

    def _lines(self, name: str, document: dict[str, Any]) -> bytes:
        if self.size > _KNOWN_BYTES:
            self.forget()
        self._known.add(name)
        self.size += getsizeof(name) + _ENTRY_BYTES
        # Its name may be longer than that of a document may be.
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16)
        target = {"_index": self._alias, "_id": digest.hexdigest()}
        return lines_of(({"create": target}, document))

    def forget(self) -> None:
        """Forget what is known: it is not sure that it was written."""
        self._known.clear()
        self.size = 0


class Words:
    """The words of a snapshot.

    :param index: name of the index of words.
    :param ask: searches the articles of the snapshot.
    """

    def __init__(self, cluster: Cluster, index: str, ask: Ask) -> None:
        self._cluster, self._index, self._ask = cluster, index, ask

    def expand(
        self, leaf: Prefix | Wildcard | Fuzzy, deadline: Deadline | None
    ) -> tuple[str, ...]:
        """Forms that a leaf matches, sorted; some may be in no article any more.

        :raises InvalidQuery: there are far too many.
        """
        if isinstance(leaf, Prefix):
            query = _starts_with(leaf.prefix)
        elif isinstance(leaf, Wildcard):
            query = _starts_with(leaf.pattern.partition("*")[0].partition("?")[0])
        else:
            query = _close_to(leaf.form, leaf.distance)
        (test,) = form_tests(leaf, "")
        check = until(deadline)
        found: list[str] = []
        for form in self._read("form", query, deadline):
            check()
            if test(form):
                found.append(form)
                if len(found) > _MOST_FORMS:
                    raise InvalidQuery(
                        f"{leaf.text} matches more than {_MOST_FORMS:,} words; write"
                        " more letters",
                        code="wildcard_too_broad",
                        limit=_MOST_FORMS,
                    )
        return tuple(found)

    def completions(
        self, prefix: str, search: Search, limit: int
    ) -> tuple[WordCount, ...]:
        """Words that start with a folded prefix, most frequent first, then by word."""
        plain = {"bool": {"filter": [_starts_with(prefix), _PLAIN]}}
        candidates = list(self._read("form", plain, search.deadline))
        return tuple(self._by_frequency(candidates, search)[:limit])

    def corrections(self, form: str, search: Search) -> Iterator[str]:
        """Yield words of visible articles close to a form, the closest first."""
        folded = fold(form)
        distance = 1 if len(folded) <= 4 else 2
        query = {"bool": {"filter": [_close_to(folded, distance), _PLAIN]}}
        by_distance: defaultdict[int, list[str]] = defaultdict(list)
        for word in self._read("form", query, search.deadline):
            other = fold(word)
            edits = OSA.distance(folded, other)
            if other != folded and edits <= distance:
                by_distance[edits].append(word)
        for edits in sorted(by_distance):
            for counted in self._by_frequency(by_distance[edits], search):
                yield counted.text

    def names(
        self, field: str, typed: Sequence[str], search: Search, limit: int
    ) -> tuple[WordCount, ...]:
        """Values with words that start with the typed ones; see ``Snapshot.names``."""
        conditions: list[dict[str, Any]] = [{"term": {"field": field}}]
        conditions += [{"prefix": {"words": word}} for word in dict.fromkeys(typed)]
        query = {"bool": {"filter": conditions}}
        spellings: defaultdict[str, list[str]] = defaultdict(list)
        for value in self._read("value", query, search.deadline):
            key = value_key(value)
            if has_words(key, typed):
                spellings[key].append(value)
        articles = self._counts(keys_field(field), spellings, search)
        spelled = self._counts(
            spellings_field(field),
            (value for key in articles for value in spellings[key]),
            search,
        )
        names = [
            WordCount(
                text=Counted(
                    articles=count,
                    spellings={
                        value: spelled[value]
                        for value in spellings[key]
                        if value in spelled
                    },
                ).shown,
                articles=count,
            )
            for key, count in articles.items()
        ]
        names.sort(
            key=lambda name: (
                not leads(name.text, typed),
                -name.articles,
                value_order(name.text),
            )
        )
        return tuple(names[:limit])

    def _read(
        self, field: str, query: dict[str, Any], deadline: Deadline | None
    ) -> Iterator[str]:
        """Yield the words that a query matches, sorted by code point, page by page."""
        body: dict[str, Any] = {
            "size": _PAGE,
            "query": {"bool": {"filter": [query, {"exists": {"field": field}}]}},
            "sort": [field],
            "track_total_hits": False,
        }
        while True:
            keys = self._cluster.sort_keys(self._index, body, deadline)
            for (word,) in keys:
                yield word
            if len(keys) < _PAGE:
                return
            body["search_after"] = keys[-1]

    def _by_frequency(
        self, candidates: Sequence[str], search: Search
    ) -> list[WordCount]:
        """Those of these words that visible articles have, most frequent first."""
        counts = self._counts("words", candidates, search)
        words = [WordCount(text=word, articles=counts[word]) for word in counts]
        return sorted(words, key=lambda word: (-word.articles, word.text))

    def _counts(
        self, field: str, values: Iterable[str], search: Search
    ) -> Counter[str]:
        """Number of visible articles with each of these values, without zeros."""
        query = {"bool": {"filter": [visible(search)]}}
        chosen = list(values)
        counts: Counter[str] = Counter()
        for start in range(0, len(chosen), _COUNTED * _SEARCHES):
            chunks = [
                chosen[first : first + _COUNTED]
                for first in range(start, len(chosen), _COUNTED)[:_SEARCHES]
            ]
            answers = self._ask(
                [_counting(query, field, chunk) for chunk in chunks], search.deadline
            )
            for chunk, answer in zip(chunks, answers, strict=True):
                buckets = answer["aggregations"]["words"]["buckets"]
                for value, bucket in zip(chunk, buckets, strict=True):
                    if bucket["doc_count"]:
                        counts[value] = bucket["doc_count"]
        return counts


def _counting(
    query: dict[str, Any], field: str, values: Sequence[str]
) -> dict[str, Any]:
    """Search that counts the articles of a query with each of some values."""
    filters = [{"term": {field: value}} for value in values]
    return {
        "size": 0,
        "track_total_hits": False,
        "query": query,
        "aggs": {"words": {"filters": {"filters": filters}}},
    }


_PLAIN = {"term": {"plain": True}}


def _starts_with(prefix: str) -> dict[str, Any]:
    return {"prefix": {"folded": prefix}} if prefix else {"match_all": {}}


def _close_to(folded: str, distance: int) -> dict[str, Any]:
    """Query for folded forms within some edits, and perhaps others."""
    if len(folded) > _SHORT:
        return {
            "fuzzy": {
                "folded": {
                    "value": folded,
                    "fuzziness": distance,
                    # All of them, not those that would score best.
                    "rewrite": "constant_score",
                }
            }
        }
    patterns = {tuple(folded)}
    for _ in range(distance):
        patterns |= {other for pattern in patterns for other in _edited(pattern)}
    # No form is empty.
    pieces = sorted("".join(map(_piece, pattern)) for pattern in patterns if pattern)
    return {"regexp": {"folded": {"value": "|".join(pieces), "flags": "NONE"}}}


_ANY = ""  # in a pattern: any character


def _edited(pattern: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield patterns for all that is one edit away from a pattern."""
    for at in range(len(pattern) + 1):
        before, after = pattern[:at], pattern[at:]
        yield (*before, _ANY, *after)
        if after:
            yield (*before, *after[1:])
            yield (*before, _ANY, *after[1:])
        if len(after) > 1:
            yield (*before, after[1], after[0], *after[2:])


def _piece(letter: str) -> str:
    if letter == _ANY:
        return "."
    return letter if letter.isalnum() else f"\\{letter}"
