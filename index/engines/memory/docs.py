"""Analysed articles, and the articles of one moment."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from index.access import visible
from index.article import FIELD_OF_ROLE, FIELDS, PASSAGE_FIELDS, Article, Kind
from index.dates import micros
from index.query import FieldStatistics, Search
from index.text import Tokens, analyse, is_plain

_LINES = tuple(
    field.name for field in FIELDS if field.kind in (Kind.TEXT, Kind.KEYWORD)
)


@dataclass(frozen=True, slots=True, eq=False)
class Doc:
    """An article with its tokens.

    :param passages: tokens of each paragraph.
    :param fields: field of each paragraph.
    :param lines: field of the article's own → tokens of each of its values.
    """

    article: Article
    language: str
    passages: tuple[Tokens, ...]
    fields: tuple[str, ...]
    lines: Mapping[str, tuple[Tokens, ...]]

    def length(self, name: str) -> int:
        """Length of a field, in words."""
        if name in PASSAGE_FIELDS:
            return sum(
                tokens.length
                for tokens, field in zip(self.passages, self.fields, strict=True)
                if field == name
            )
        return sum(tokens.length for tokens in self.lines.get(name, ()))


def doc_of(article: Article, language: str) -> Doc:
    """Analyse an article.

    :param language: for an article without one.
    """
    language = article.language or language
    return Doc(
        article=article,
        language=language,
        passages=tuple(
            analyse(paragraph.text, language) for paragraph in article.paragraphs
        ),
        fields=tuple(FIELD_OF_ROLE[paragraph.role] for paragraph in article.paragraphs),
        lines={
            name: tuple(analyse(value, language) for value in values)
            for name in _LINES
            if (values := values_of(article, name))
        },
    )


def values_of(article: Article, name: str) -> list[str]:
    """Values of a field as text, empty if the article has none."""
    value = getattr(article, name)
    if value is None:
        return []
    if isinstance(value, tuple):
        return [concept.name for concept in value]
    return [str(value)]


def date_of(article: Article, name: str) -> int | None:
    """A date in microseconds since 1970 UTC, for sorting and for ranges."""
    instant = getattr(article, name)
    if instant is None and name == "updated":
        instant = article.published
    return None if instant is None else micros(instant)


class Docs:
    """The articles of one moment, by id."""

    def __init__(self, by_id: Mapping[str, Doc]) -> None:
        self.by_id = by_id
        self._with_form: dict[str, list[Doc]] | None = None
        self._statistics: dict[str, FieldStatistics] = {}
        self._public: tuple[frozenset[str], Docs] | None = None  # of the last search

    def __iter__(self) -> Iterator[Doc]:
        return iter(self.by_id.values())

    def __len__(self) -> int:
        return len(self.by_id)

    def __contains__(self, doc: Doc) -> bool:
        return self.by_id.get(doc.article.id) is doc

    def visible(self, search: Search) -> set[Doc]:
        """Articles that the reader of a search may see."""
        return {
            doc
            for doc in self
            if doc.article.id not in search.hidden
            and visible(doc.article, search.now, search.reader)
        }

    def public(self, search: Search) -> Docs:
        """The articles that statistics count: those that the public may see now."""
        hidden = frozenset(
            article_id
            for article_id, doc in self.by_id.items()
            if article_id in search.hidden or not visible(doc.article, search.now)
        )
        if not hidden:
            return self
        if self._public is None or self._public[0] != hidden:
            others = {id_: doc for id_, doc in self.by_id.items() if id_ not in hidden}
            self._public = hidden, Docs(others)
        return self._public[1]

    def visible_words(self, search: Search) -> Counter[str]:
        """Plain words of visible articles, with their document frequency."""
        counts: Counter[str] = Counter()
        for doc in self.visible(search):
            counts.update(
                {
                    form
                    for tokens in doc.passages
                    for form, width in zip(tokens.forms, tokens.widths, strict=True)
                    if width == 1 and is_plain(form)
                }
            )
        return counts

    def statistics(self, name: str) -> FieldStatistics:
        """Statistics of a field."""
        if name not in self._statistics:
            lengths = [length for doc in self if (length := doc.length(name))]
            self._statistics[name] = FieldStatistics(
                articles=len(lengths),
                words=sum(lengths),
                paragraphs=sum(doc.fields.count(name) for doc in self),
            )
        return self._statistics[name]

    def with_form(self, test: Callable[[str], bool]) -> tuple[set[str], set[Doc]]:
        """Forms that pass a test, and the articles that have one of them.

        This lookup table makes the engine fast enough for tests.
        """
        if self._with_form is None:
            table: dict[str, list[Doc]] = defaultdict(list)
            for doc in self:
                forms = {form for tokens in doc.passages for form in tokens.forms}
                for values in doc.lines.values():
                    forms.update(form for tokens in values for form in tokens.forms)
                for form in forms:
                    table[form].append(doc)
            self._with_form = dict(table)
        passing = {form for form in self._with_form if test(form)}
        return passing, {doc for form in passing for doc in self._with_form[form]}
