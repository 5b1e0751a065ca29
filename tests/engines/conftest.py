"""Engines of each kind, empty and with articles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import crc32

import pytest
from articles import article
from engines.kinds import (
    ENGINES,
    OPENSEARCH,
    PRUNED,
    REOPENED,
    open_empty,
    shrink,
)
from engines.searches import COCOA, KERRY, LAVROV, UNDATED, fill
from real.amounts import FULL
from served import kind_of

from index.engines import Engine

_HERE = Path(__file__).parent
_ONE_OF = 16


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave most tests on OpenSearch out of a short run: some of each file remain.

    They are always the same: a new test changes nothing about the others. All of a file
    that the command names are run.
    """
    if FULL:
        return
    named = {
        (config.invocation_params.dir / a.partition("::")[0]).resolve()
        for a in config.args
    }
    ours = [
        item
        for item in items
        if item.get_closest_marker("opensearch")
        and item.path.is_relative_to(_HERE)
        and item.path not in named
    ]
    by_file: dict[Path, list[pytest.Item]] = {}
    for item in ours:
        by_file.setdefault(item.path, []).append(item)
    kept = {min(each, key=_lot) for each in by_file.values()}
    kept |= {item for item in ours if _lot(item) % _ONE_OF == 0}
    left_out = [item for item in ours if item not in kept]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


def _lot(item: pytest.Item) -> int:
    """Number that a test has in every run, by chance."""
    return crc32(f"{item.path.name} {item.name}".encode())


@pytest.fixture(params=(*ENGINES, REOPENED, PRUNED, OPENSEARCH), ids=kind_of)
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
