"""The engines that archives and services of tests are made with, each in turn."""

from __future__ import annotations

from pathlib import Path

import pytest
from real.amounts import FULL

# On nodes at length only: an index takes longer to make there than most tests.
_ON_NODES = [pytest.param("nodes", marks=pytest.mark.opensearch, id="opensearch")]
SERVED = ["memory:", "whoosh:{tmp}/index", *(_ON_NODES if FULL else [])]

# Deadline of a search: what is right must not depend on what else the machine does.
SEARCH_SECONDS = 20.0


def kind_of(url: str) -> str:
    """Kind of an engine, for the name of a test."""
    return url.partition(":")[0]


def engine_of(request: pytest.FixtureRequest, folder: Path) -> str:
    """URL of the engine that a test is run with: a parameter of SERVED."""
    if request.param == "nodes":
        return str(request.getfixturevalue("engine_url"))
    return str(request.param.format(tmp=folder))
