"""How an engine is opened, by its URL."""

from __future__ import annotations

from index.engines.engine import MEMORY, Engine
from index.errors import InvalidValue


def open_engine(
    url: str,
    *,
    language: str = "en",
    expansions: int = 20_000,
    memory: int = MEMORY,
) -> Engine:
    """Return the engine of a URL: ``memory:`` or ``whoosh:FOLDER``.

    :param language: how articles without a language are analysed.
    :param expansions: how many words a prefix, wildcard or fuzzy term may stand for.
    :param memory: bytes that articles may take on their way into an index on disk.
    :raises InvalidValue: no such kind of engine.
    """
    kind, _, rest = url.partition(":")
    # Imported here, so that each engine's libraries are loaded only where it is used.
    if kind == "memory":
        from index.engines.memory import MemoryEngine

        return MemoryEngine(language=language, expansions=expansions)
    if kind == "whoosh" and rest:
        from index.engines.whoosh import WhooshEngine

        return WhooshEngine(
            rest, language=language, expansions=expansions, memory=memory
        )
    raise InvalidValue("engine", "write memory: or whoosh:FOLDER", got=url)
