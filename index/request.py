"""A search as a person or program asks for it, and what it means to an engine."""

from __future__ import annotations

from dataclasses import dataclass

from index.query import Filter, Scope, Sort, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The parameters of a search, named as the HTTP API and the command line name them.

    :param within: where words are sought, a key of :data:`index.fields.PLACES`; ``in``
        in the API.
    :param since: ``from`` in the API; a date as :func:`index.dates.period` reads it.
    :param until: ``to`` in the API; the whole of the day or month it names is included.
    :param date: the field that ``since`` and ``until`` are about.
    :param sort: by default relevance with text, newest without.
    :param page: from 1; not together with ``cursor``.
    :param facets: ``FIELD`` or ``FIELD:interval``.
    :param facet_prefix: only facet values that start like this, without case.
    :param passage_length: characters, cut at sentence ends; 0 is the whole paragraph.
    :param fields: article fields to return; empty is the short set.
    """

    q: str = ""
    within: str = "text"
    scope: Scope = Scope.ARTICLE
    unit: Unit = Unit.ARTICLE
    filters: tuple[Filter, ...] = ()
    since: str | None = None
    until: str | None = None
    date: str = "published"
    tz: str = "UTC"
    sort: Sort | None = None
    limit: int = 10
    page: int | None = None
    cursor: str | None = None
    facets: tuple[str, ...] = ()
    facet_size: int = 10
    facet_prefix: str = ""
    passages: int = 3
    passage_length: int = 0
    fields: tuple[str, ...] = ()
    strict: bool = False
    explain: bool = False
