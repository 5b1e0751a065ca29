"""The peer that not every installation has: tantivy comes with the extra ``bench``."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from benchmarks.peers.peer import Builder, RankingPeer


def has_tantivy() -> bool:
    """Whether tantivy is installed."""
    return importlib.util.find_spec("tantivy") is not None


def tantivy_peer(folder: Path, *, whole_articles: bool = False) -> RankingPeer:
    """tantivy with its index in a folder.

    :param whole_articles: one document for each article, not for each paragraph.
    """
    # Imported here: everything else works without it.
    from benchmarks.peers.tantivy import Tantivy

    return Tantivy(folder, whole_articles=whole_articles)


def stored_tantivy(folder: Path, *, whole_articles: bool) -> Builder:
    """The index of the service on tantivy, with stored text, in a folder.

    :param whole_articles: one document for each article, not for each paragraph.
    """
    from benchmarks.peers.flask_tantivy import StoredTantivy

    return StoredTantivy(folder, whole_articles=whole_articles)
