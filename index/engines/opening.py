"""Opening an engine by its URL."""

from __future__ import annotations

from index.engines.budget import SEARCH_MEMORY
from index.engines.engine import MEMORY, Engine
from index.errors import InvalidValue


def open_engine(
    url: str,
    *,
    language: str = "en",
    expansions: int = 20_000,
    memory: int = MEMORY,
    search_memory: int = SEARCH_MEMORY,
) -> Engine:
    """Open the engine of a URL: ``memory:``, ``whoosh:FOLDER``, ``opensearch+https:``.

    :param language: of articles without a language.
    :param expansions: how many words a prefix, wildcard or fuzzy term may stand for.
    :param memory: of articles on their way into an index on disk, in bytes.
    :param search_memory: of all searches that run at a time, in bytes.
    :raises InvalidValue: the URL is of no known kind, or a part of it is invalid.
    """
    kind, _, rest = url.partition(":")
    # Imported here, so that the libraries of an engine are loaded only if it is used.
    if kind == "memory":
        from index.engines.memory import MemoryEngine

        return MemoryEngine(language=language, expansions=expansions)
    if kind == "whoosh" and rest:
        from index.engines.whoosh import WhooshEngine

        return WhooshEngine(
            rest,
            language=language,
            expansions=expansions,
            memory=memory,
            search_memory=search_memory,
        )
    if kind in ("opensearch+https", "opensearch+http"):
        try:
            from index.engines.opensearch import ClusterEngine
        except ModuleNotFoundError as error:
            raise InvalidValue(
                "engine", "install nutgraf[opensearch] first", got=kind
            ) from error
        return ClusterEngine(
            url,
            language=language,
            expansions=expansions,
            memory=memory,
            search_memory=search_memory,
        )
    raise InvalidValue(
        "engine",
        "write memory:, whoosh:FOLDER or opensearch+https://HOST:9200/PREFIX",
        got=kind,
    )
