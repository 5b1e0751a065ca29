"""Memory: the settings, the units of deploy/ and the page on settings agree."""

from __future__ import annotations

import re

from checkout import ROOT

from index.engines.budget import SEARCH_MEMORY
from index.engines.engine import MEMORY
from index.settings import Settings

MB = 1024 * 1024
UNITS = ("web", "indexer")


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def rows() -> dict[str, int]:
    """The table in the section on memory: parts and totals, in MB."""
    section = text_of("docs/settings.md").partition("## Memory")[2]
    found = re.findall(r"^\| (.+?) \| ([0-9,]+) \|$", section, re.MULTILINE)
    return {part: int(size.replace(",", "")) for part, size in found}


def row(start: str) -> int:
    (size,) = [size for part, size in rows().items() if part.startswith(start)]
    return size


def memory_max(unit: str) -> int:
    """Limit of a unit in MB."""
    (found,) = re.findall(
        r"^MemoryMax=(\d+)G$", text_of(f"deploy/nutgraf-{unit}.service"), re.MULTILINE
    )
    return int(found) * 1024


def test_the_table_has_the_defaults() -> None:
    settings = Settings()
    assert settings.search_memory == SEARCH_MEMORY
    assert settings.index_memory == MEMORY
    assert row("a worker: its searches") * MB == settings.search_memory
    assert row("a worker: two bodies") * MB == 2 * 4 * settings.body_bytes
    assert row("a rebuild in both") * MB == 2 * settings.index_memory


def test_the_parts_add_up_and_the_units_have_room_for_them() -> None:
    (count,) = re.findall(r'"WEB_CONCURRENCY", "(\d+)"', text_of("gunicorn.conf.py"))
    worker = sum(size for part, size in rows().items() if part.startswith("a worker"))
    web = int(count) * worker + row("the process that starts the workers")
    indexer = (
        row("the indexer and its") + row("a rebuild in both") + row("merging segments")
    )
    for unit, total in zip(UNITS, (web, indexer), strict=True):
        assert row(f"**{unit}**") == total
        assert total <= memory_max(unit)
        limit = f"**{unit}** (`MemoryMax={memory_max(unit) // 1024}G`)"
        assert limit in rows()


def test_the_container_has_room_for_both() -> None:
    (found,) = re.findall(r"--memory (\d+)g", text_of("deploy/Dockerfile"))
    assert int(found) * 1024 >= sum(map(memory_max, UNITS))


def test_the_environment_of_the_units_shows_the_defaults() -> None:
    settings = Settings()
    shown = dict(
        re.findall(
            r"^#(NUTGRAF_\w+_MEMORY)=(\d+)$", text_of("deploy/nutgraf.env"), re.M
        )
    )
    assert shown == {
        "NUTGRAF_SEARCH_MEMORY": str(settings.search_memory),
        "NUTGRAF_INDEX_MEMORY": str(settings.index_memory),
    }
