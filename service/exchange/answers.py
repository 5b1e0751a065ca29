"""Answers as JSON text, with the addresses that only the service knows.

They are written straight from the records, since dumping them through schemas would
cost more than the search; tests hold it to :mod:`.schemas`.
"""

from __future__ import annotations

from typing import Any

from index.archive import Answer, Facet
from index.dates import iso
from index.history import Member, VersionInfo
from index.query import Request
from index.rendering import answer_document, facet_document
from service.exchange.links import Links


def search_document(answer: Answer, asked: Request, links: Links) -> dict[str, Any]:
    """Return the answer to a search."""
    document = answer_document(answer, asked)
    for facet, counted in zip(answer.facets, document["facets"].values(), strict=True):
        _link(facet, counted, links)
    document["next_url"] = None if answer.next is None else links.next(answer.next)
    return document


def linked_facet(facet: Facet, links: Links) -> dict[str, Any]:
    """Return a facet, each value with the address that ticks or unticks it."""
    document = facet_document(facet)
    _link(facet, document, links)
    return document


def version_document(version: VersionInfo) -> dict[str, Any]:
    """Return one line of an article's history."""
    return {
        "version": version.version,
        "status": version.status.value,
        "headline": version.headline,
        "current": version.current,
        "seq": version.seq,
        "at": iso(version.at),
    }


def member_document(member: Member) -> dict[str, Any]:
    """Return one article of a chain."""
    return {
        "id": member.id,
        "version": member.version,
        "headline": member.headline,
        "published": None if member.published is None else iso(member.published),
        "relation": member.relation.value,
    }


def _link(facet: Facet, document: dict[str, Any], links: Links) -> None:
    for each in document["values"]:
        each["active"] = links.active(facet, each["value"])
        each["url"] = links.toggle(facet, each["value"])
