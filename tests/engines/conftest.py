"""Engines of each kind, empty and with articles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from articles import article
from engines.kinds import ENGINES, PRUNED, REOPENED, open_empty, shrink
from engines.searches import COCOA, KERRY, LAVROV, UNDATED, fill

from index.engines import Engine


@pytest.fixture(
    params=(*ENGINES, REOPENED, PRUNED), ids=lambda url: url.partition(":")[0]
)
def engine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    """An empty engine of each kind in turn."""
    if request.param == PRUNED:
        shrink(monkeypatch)
    empty = open_empty(request.param, tmp_path)
    yield empty
    empty.close()


@pytest.fixture
def news(engine: Engine) -> Engine:
    """Four articles, enough for most tests."""
    fill(engine, KERRY, LAVROV, COCOA, UNDATED, seq=4)
    return engine


@pytest.fixture
def crowd(engine: Engine) -> Engine:
    """Sixty articles; many share a date, some have none."""
    start = datetime(2020, 1, 1, tzinfo=UTC)
    fill(
        engine,
        *(
            article(
                f"a{n:02d}",
                *(["truce " * (1 + n % 3)] * (1 + n % 2)),
                published=None
                if n % 10 == 9
                else (start + timedelta(n % 4)).isoformat(),
            )
            for n in range(60)
        ),
    )
    return engine
