"""The engines that tests run on; one works on small indexes as on large ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from real.keeper import shared_nodes
from real.opensearch import Nodes, new_prefix

from index.engines import Engine, Snapshot, open_engine
from index.query import Term

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)

ENGINES = ("memory:", "whoosh:{tmp}/index")
# The engine is opened anew after every write, as in a new process.
REOPENED = "reopened whoosh:{tmp}/index"
# The engine works as on a large index: upper bounds skip hits, words have bitmaps, and
# segments are merged often and in many steps.
PRUNED = "pruned whoosh:{tmp}/index"
# Each engine has indexes of its own on the nodes that all tests share.
OPENSEARCH = pytest.param("opensearch", marks=pytest.mark.opensearch, id="opensearch")
KINDS = (*ENGINES, OPENSEARCH)
SMALL = {
    "index.engines.whoosh.searching.facets": {"_MANY_TIED": 0},
    "index.engines.whoosh.searching.ranker": {
        "_ALL_OF_ONE_LEAF": 0,
        "_ALL_OF_SEVERAL": 0,
        "_FIRST_BATCH": 1,
        "_NEXT_BATCH": 2,
    },
    "index.engines.whoosh.files.posting_lists": {"DENSE": 4, "LEAST_DENSE": 1},
    "index.engines.whoosh.writing.merging": {"_RUN_OCCURRENCES": 20},
    "index.engines.whoosh.files.arrays": {"_SPILL_BYTES": 64, "_SAMPLING": 2},
    "index.engines.whoosh.writing.writer": {"_BUFFER_SHARE": 1e-7, "MERGE_FACTOR": 3},
}


def shrink(patch: pytest.MonkeyPatch) -> None:
    """Make all thresholds of the Whoosh engine tiny."""
    for module, values in SMALL.items():
        for name, value in values.items():
            patch.setattr(f"{module}.{name}", value)


class Reopened:
    """An engine that is opened anew for each snapshot."""

    def __init__(self, url: str, **options: Any) -> None:
        self._open = lambda: open_engine(url, **options)
        self._writer = self._open()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)

    def snapshot(self) -> Snapshot:
        return self._open().snapshot()


class OnNodes:
    """An engine on OpenSearch whose indexes are removed when it is closed."""

    def __init__(self, nodes: Nodes, **options: Any) -> None:
        self._nodes, self._prefix = nodes, new_prefix()
        self._engine = open_engine(nodes.url(self._prefix), **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def close(self) -> None:
        self._engine.close()
        self._nodes.remove(self._prefix)


def open_empty(url: str, folder: Path, **options: Any) -> Engine:
    """An empty engine; its URL may begin with `reopened` or `pruned`.

    :param url: or ``opensearch``, for which one must have marked the test so.
    """
    kind, _, inner = url.format(tmp=folder).rpartition(" ")
    engine: Any
    if inner == "opensearch":
        engine = OnNodes(shared_nodes(), **options)
    else:
        engine = (Reopened if kind == "reopened" else open_engine)(inner, **options)
    engine.rebuild([], seq=0, total=0)
    return engine  # type: ignore[no-any-return]


def word(form: str, field: str | None = None) -> Term:
    return Term(form, field, text=form)
