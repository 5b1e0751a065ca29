"""The part of an article that is indexed: plain values, fit for another process."""

from __future__ import annotations

from typing import NamedTuple

from index.access import restrictions_of
from index.article import FIELD_OF_ROLE, PASSAGE_FIELDS, Article
from index.dates import micros
from index.engines.whoosh.files import LINE_FIELDS, NO_VALUE, VALUE_FIELDS, values_of
from index.text import Convention, convention_of, stem_language

_FIELDS = tuple(dict.fromkeys((*LINE_FIELDS, *VALUE_FIELDS)))
_PASSAGE_OF_ROLE = {
    role: PASSAGE_FIELDS.index(name) for role, name in FIELD_OF_ROLE.items()
}


class IndexedArticle(NamedTuple):
    """An article as it goes into a segment: whole numbers, text, and tuples of them.

    Dates are microseconds since 1970 UTC. A date or urgency that the article does not
    have is ``NO_VALUE``.

    :param language: selects the stemmer, see :func:`index.text.stem_language`.
    :param convention: how it writes numbers and elisions.
    :param first_n: number of its first paragraph.
    :param passages: field of each paragraph, as a position in ``PASSAGE_FIELDS``.
    :param values: name and values of each field that it has.
    """

    id: str
    version: str
    language: str
    convention: Convention
    status: int
    embargoed_until: int
    expires: int
    published: int
    updated: int
    urgency: int
    first_n: int
    passages: bytes
    texts: tuple[str, ...]
    values: tuple[tuple[str, tuple[str, ...]], ...]


def indexed_article_of(article: Article, language: str) -> IndexedArticle:
    """The indexed part of an article.

    :param language: of an article that names none.
    """
    assert article.version is not None, article.id
    status, embargoed_until, expires = restrictions_of(article)
    published, updated = article.published, article.updated
    published_micros = NO_VALUE if published is None else micros(published)
    paragraphs = article.paragraphs
    language = article.language or language
    return IndexedArticle(
        id=article.id,
        version=article.version,
        language=stem_language(language),
        convention=convention_of(language),
        status=status,
        embargoed_until=embargoed_until,
        expires=expires,
        published=published_micros,
        updated=published_micros if updated is None else micros(updated),
        urgency=NO_VALUE if article.urgency is None else article.urgency,
        first_n=paragraphs[0].n,
        passages=bytes([_PASSAGE_OF_ROLE[paragraph.role] for paragraph in paragraphs]),
        texts=tuple([paragraph.text for paragraph in paragraphs]),
        values=tuple(
            [
                (name, tuple(values_of(article, name)))
                for name in _FIELDS
                if getattr(article, name)
            ]
        ),
    )
