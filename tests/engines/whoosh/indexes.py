"""Whoosh indexes in a folder, and what is found in them."""

from __future__ import annotations

from pathlib import Path

from engines.kinds import NOW

from index.engines.whoosh import WhooshEngine
from index.query import Search, Term


def opened(folder: Path, language: str = "en") -> WhooshEngine:
    return WhooshEngine(str(folder), language=language, expansions=100)


def found(engine: WhooshEngine, form: str) -> list[str]:
    """Ids of the articles that have a word."""
    asked = Search(query=Term(form), now=NOW, limit=100)
    return sorted(hit.id for hit in engine.snapshot().search(asked).hits)
