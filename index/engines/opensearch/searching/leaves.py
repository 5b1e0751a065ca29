"""Leaves: where one occurs in a text, and how often, as a query of nested documents.

The score of a text is the frequency of the leaf in it. It is exact: what positions in
the index cannot tell, a script counts in the places of the words of the leaf.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from index.article import PASSAGE_FIELDS
from index.engines.opensearch.mapping import LINES, PARAGRAPHS, SEQUENCE
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
from index.engines.opensearch.tokens import form_term, needle, word_term
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
        if isinstance(leaf, Prefix | Wildcard | Fuzzy):
            return _of_terms(path, [form_term(form) for form in self._forms[leaf]])
        if isinstance(leaf, Exact):
            return _phrase(path, [form_term(form) for form in leaf.forms])
        if isinstance(leaf, Term):
            terms = {
                word_term(leaf.form, language): None for language in self._languages
            }
            return _of_terms(path, list(terms))
        compiled = _near if isinstance(leaf, Near) else _words
        return some([compiled(leaf, path, language) for language in self._languages])


def nested(path: str, query: Query, **options: Any) -> Query:
    """Articles with a nested document that a query matches."""
    return {"nested": {"path": path, "query": query, **options}}


def scored_by_none(path: str, query: Query) -> Query:
    """Articles with a nested document that a query matches, not scored."""
    return nested(path, query, score_mode="none")


def _of_terms(path: str, terms: Sequence[str]) -> Query:
    """Texts with some of these terms, by the sum of their frequencies."""
    return some(
        [
            {
                "match": {
                    f"{path}.t": {"query": "|".join(terms[at : at + _TERMS_AT_ONCE])}
                }
            }
            for at in range(0, len(terms), _TERMS_AT_ONCE)
        ]
    )


def _words(leaf: Phrase | Near, path: str, language: str) -> Query:
    return _phrase(path, [word_term(form, language) for form in leaf.forms])


def _phrase(path: str, terms: Sequence[str]) -> Query:
    """Texts in which terms follow each other, by the number of places they start at."""
    if len(terms) == 1:
        return _of_terms(path, terms)
    irregular: Query = {"terms": {f"{path}.irregular": sorted(set(terms))}}
    # The score of a phrase is added once for each of its words.
    match = {"query": " ".join(terms), "analyzer": SEQUENCE, "boost": 1 / len(terms)}
    regular = {
        "bool": {
            "must": [{"match_phrase": {f"{path}.t": match}}],
            "must_not": [irregular],
        }
    }
    needles = [[needle(term)] for term in terms]
    counted = positive(
        every([irregular, *_with_all(path, terms)]), phrase_frequency(path, needles)
    )
    return some([regular, counted])


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
        every(_with_all(path, terms)),
        near_frequency(
            path,
            [[needle(term)] for term in terms],
            [count for count, _ in words.values()],
            leaf.distance,
        ),
    )


def _with_all(path: str, terms: Sequence[str]) -> list[Query]:
    return [{"term": {f"{path}.t": term}} for term in dict.fromkeys(terms)]
