"""Articles with their words, and the articles of one moment."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from index.access import visible
from index.article import FIELD_OF_ROLE, PASSAGE_FIELDS, Article, Kind, fields
from index.dates import micros
from index.query import Search
from index.text import Tokens, analyse, is_plain

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


def doc_of(article: Article, language: str) -> Doc:
    """Return an article with its words.

    :param language: of an article without one.
    """
    return Doc(
        article=article,
        language=article.language or language,
        passages=tuple(analyse(each.text) for each in article.paragraphs),
        fields=tuple(FIELD_OF_ROLE[each.role] for each in article.paragraphs),
        lines={
            name: tuple(analyse(value) for value in values)
            for name in _LINES
            if (values := values_of(article, name))
        },
    )


def values_of(article: Article, name: str) -> list[str]:
    """Return the values of a field as text: one for each of several."""
    value = getattr(article, name)
    if value is None:
        return []
    if isinstance(value, tuple):
        return [concept.name for concept in value]
    return [str(value)]


def date_of(article: Article, name: str) -> int | None:
    """Return a date in microseconds since 1970 UTC, as orders and ranges take it."""
    instant = getattr(article, name)
    if instant is None and name == "updated":
        instant = article.published
    return None if instant is None else micros(instant)


class Docs:
    """The articles of one moment, by id."""

    def __init__(self, by_id: Mapping[str, Doc]) -> None:
        self.by_id = by_id
        self._with_form: dict[str, list[Doc]] | None = None

    def __iter__(self) -> Iterator[Doc]:
        return iter(self.by_id.values())

    def __len__(self) -> int:
        return len(self.by_id)

    def visible(self, search: Search) -> set[Doc]:
        """Return the articles that show, whatever is asked."""
        return {
            doc
            for doc in self
            if doc.article.id not in search.hidden
            and visible(doc.article, search.now, search.reader)
        }

    def visible_words(self, search: Search) -> Counter[str]:
        """Return the plain words of visible articles, and how many have each."""
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

    def with_form(self, test: Callable[[str], bool]) -> tuple[set[str], set[Doc]]:
        """Return the forms that pass a test, and the articles that hold one of them.

        What makes this engine bearable: a leaf is looked for only where it can be.
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
