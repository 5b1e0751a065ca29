"""Leaves: where one occurs in a text, and how often, as a query of nested documents.

The score of a text is the frequency of the leaf in it. It is exact: what positions in
the index cannot tell, a script counts in the places of the words of the leaf.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from index.article import PASSAGE_FIELDS
from index.engines.opensearch.mapping import ALTERNATIVES, LINES, PARAGRAPHS
from index.engines.opensearch.searching.conditions import (
    Query,
    every,
    some,
)
from index.engines.opensearch.searching.formula import InArticle, InParagraph
from index.engines.opensearch.searching.scripts import (
    near_frequency,
    phrase_frequency,
    positive,
)
from index.engines.opensearch.tokens import (
    form_needles,
    form_term,
    term_needles,
    word_term,
)
from index.query import Exact, Fuzzy, Near, Phrase, Prefix, Term, Wildcard, WordLeaf
from index.text import word_key

_TERMS_AT_ONCE = 1_000  # of one query; the cluster allows 1,024


class Leaves:
    """Queries for the leaves of one search.

    :param languages: those with stems of their own that articles are in.
    :param forms: what each prefix, wildcard and fuzzy leaf stands for.
    """

    def __init__(
        self, languages: Sequence[str], forms: dict[WordLeaf, Sequence[str]]
    ) -> None:
        self._languages, self._forms = languages, forms
        self._frequencies: dict[tuple[str, WordLeaf], Query] = {}

    def frequency(self, leaf: WordLeaf, path: str, names: Sequence[str]) -> Query:
        """Texts of some fields in which a leaf occurs, scored by how often.

        :param path: of the paragraphs, or of the lines.
        """
        if (path, leaf) not in self._frequencies:
            self._frequencies[path, leaf] = self._anywhere(leaf, path)
        query = self._frequencies[path, leaf]
        if path == PARAGRAPHS and len(names) == len(PASSAGE_FIELDS):
            return query
        fields = {"terms": {f"{path}.field": list(names)}}
        return {"bool": {"must": [query], "filter": [fields]}}

    def in_paragraph(self, atom: InParagraph) -> Query:
        """Paragraphs in which a leaf occurs."""
        return self.frequency(atom.leaf, PARAGRAPHS, atom.passages)

    def in_article(self, atom: InArticle) -> Query:
        """Articles in which a leaf occurs."""
        places = atom.places
        queries = [
            nested(path, self.frequency(atom.leaf, path, names))
            for path, names in ((PARAGRAPHS, places.passages), (LINES, places.lines))
            if names
        ]
        return some(queries)

    def _anywhere(self, leaf: WordLeaf, path: str) -> Query:
        terms = f"{path}.t"
        if isinstance(leaf, Prefix | Wildcard | Fuzzy):
            return _of_terms(
                f"{path}.f", [form_term(each) for each in self._forms[leaf]]
            )
        if isinstance(leaf, Exact):
            if len(leaf.forms) == 1:
                return _of_terms(f"{path}.f", [form_term(leaf.forms[0])])
            return self._exact(leaf, path)
        if isinstance(leaf, Term):
            words = [word_term(leaf.form, language) for language in self._languages]
            return _of_terms(terms, list(dict.fromkeys(words)))
        compiled = _near if isinstance(leaf, Near) else _phrase
        return some([compiled(leaf, path, language) for language in self._languages])

    def _exact(self, leaf: Exact, path: str) -> Query:
        """Texts in which forms follow each other."""
        candidates = some(
            [
                query
                for language in self._languages
                for query in _follow(path, _word_terms(leaf, language))
            ]
        )
        return positive(
            every([*_with_all(f"{path}.f", map(form_term, leaf.forms)), candidates]),
            phrase_frequency(path, [form_needles(form) for form in leaf.forms]),
        )


def nested(path: str, query: Query, **options: Any) -> Query:
    """Articles with a nested document that a query matches."""
    return {"nested": {"path": path, "query": query, **options}}


def scored_by_none(path: str, query: Query) -> Query:
    """Articles with a nested document that a query matches, not scored."""
    return nested(path, query, score_mode="none")


def _of_terms(column: str, terms: Sequence[str]) -> Query:
    """Texts with some of these terms, by the sum of their frequencies."""
    return some(
        [
            {
                "match": {
                    column: {
                        "query": "|".join(terms[at : at + _TERMS_AT_ONCE]),
                        "analyzer": ALTERNATIVES,
                    }
                }
            }
            for at in range(0, len(terms), _TERMS_AT_ONCE)
        ]
    )


def _word_terms(leaf: Phrase | Near | Exact, language: str) -> list[str]:
    return [word_term(form, language) for form in leaf.forms]


def _phrase(leaf: Phrase | Near, path: str, language: str) -> Query:
    """Texts in which words follow each other, by the number of places they start at."""
    terms = _word_terms(leaf, language)
    if len(terms) == 1:
        return _of_terms(f"{path}.t", terms)
    regular, irregular = _follow(path, terms)
    needles = [term_needles(term) for term in terms]
    return some([regular, positive(irregular, phrase_frequency(path, needles))])


def _follow(path: str, terms: Sequence[str]) -> tuple[Query, Query]:
    """Texts in which terms follow each other, and texts in which they may.

    The first are scored by the number of places where they start.
    """
    irregular: Query = {"terms": {f"{path}.irregular": sorted(set(terms))}}
    # The score of a phrase is added once for each of its words.
    match = {"query": " ".join(terms), "boost": 1 / len(terms)}
    regular = {
        "bool": {
            "must": [{"match_phrase": {f"{path}.t": match}}],
            "must_not": [irregular],
        }
    }
    return regular, every([irregular, *_with_all(f"{path}.t", terms)])


def _near(leaf: Phrase | Near, path: str, language: str) -> Query:
    """Texts with the words of a Near in a window, by the number of windows."""
    assert isinstance(leaf, Near)
    words: dict[str, tuple[int, str]] = {}  # by key: how often, and the term
    for form in leaf.forms:
        key = word_key(form, language)
        times = words[key][0] if key in words else 0
        words[key] = times + 1, word_term(form, language)
    terms = [term for _, term in words.values()]
    return positive(
        every(_with_all(f"{path}.t", terms)),
        near_frequency(
            path,
            [term_needles(term) for term in terms],
            [count for count, _ in words.values()],
            leaf.distance,
        ),
    )


def _with_all(column: str, terms: Iterable[str]) -> list[Query]:
    return [{"term": {column: term}} for term in dict.fromkeys(terms)]
