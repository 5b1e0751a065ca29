"""Whoosh indexes in a folder, and short searches of them."""

from __future__ import annotations

from pathlib import Path

from articles import article
from engines.kinds import NOW

from index.engines.engine import MEMORY
from index.engines.whoosh import WhooshEngine
from index.engines.whoosh.writing.writer import MERGE_FACTOR
from index.query import Search, Term


def opened(folder: Path, language: str = "en", *, memory: int = MEMORY) -> WhooshEngine:
    return WhooshEngine(str(folder), language=language, expansions=100, memory=memory)


def ids_with(engine: WhooshEngine, form: str) -> list[str]:
    """Ids of the articles that have a word."""
    asked = Search(query=Term(form), now=NOW, limit=100)
    return sorted(hit.id for hit in engine.snapshot().search(asked).hits)


def filled(folder: Path) -> WhooshEngine:
    """Engine with several segments, some with deletions."""
    engine = opened(folder)
    engine.rebuild([], seq=0, total=0)
    for n in range(MERGE_FACTOR - 3):
        batch = [
            article(f"a{n}-{k}", f"truce talks {k} running", f"harbour only{n + k}")
            for k in range(6)
        ]
        engine.apply(batch, [f"a{n - 1}-2", f"a{n - 1}-5"], seq=n + 1)
    return engine
