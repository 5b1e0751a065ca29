"""`make bench --engine`: another engine of ours beside the index on this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import bench
from benchmarks.lines.other_engine import alike
from index.engines import Facet, Hit, Page
from index.engines.result import FacetValue
from index.query import SortKey

LINES = "engine_ingest,engine_p50,engine_p95,engine_prefix,engine_agreement"


def hit(name: str, score: float) -> Hit:
    return Hit(name, "1", score, SortKey(score, None, name), (), 1)


PAGE = Page(
    hits=(hit("a", 2.0), hit("b", 1.0)),
    articles=5,
    paragraphs=7,
    facets=(Facet("source", (FacetValue("AP", 3),), 1, 1, 2),),
)


@pytest.mark.slow
def test_an_engine_is_measured_with_the_same_workload_and_its_answers_compared(
    tmp_path: Path,
) -> None:
    result = tmp_path / "result.json"
    other = tmp_path / "other"
    arguments = ["--quick", "--paragraphs", "300", "--only", LINES]
    arguments += ["--engine", f"whoosh:{other}", "--json", str(result)]
    assert bench.main(arguments) == 0
    values = {
        line["name"]: line["value"]
        for line in json.loads(result.read_text("utf-8"))["lines"]
    }
    assert list(values) == LINES.split(",")
    assert values["engine_agreement"] == 1.0
    assert 0 < values["engine_p50"] <= values["engine_p95"]
    assert other.is_dir()


def test_without_an_engine_the_lines_that_need_it_are_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--only", "size,engine_p50"])
    assert "engine_p50: name an engine with --engine" in capsys.readouterr().err


def test_hits_with_one_score_may_come_in_any_order() -> None:
    one = replace(PAGE, hits=(hit("a", 1.0), hit("b", 1.0)))
    other = replace(PAGE, hits=(hit("c", 1.00001), hit("a", 1.0)))
    assert alike(one, other)


@pytest.mark.parametrize(
    "other",
    [
        replace(PAGE, articles=4),
        replace(PAGE, paragraphs=8),
        replace(PAGE, facets=()),
        replace(PAGE, hits=PAGE.hits[:1]),
        replace(PAGE, hits=(hit("a", 2.0), hit("b", 1.1))),
        replace(PAGE, hits=(hit("c", 2.0), hit("b", 1.0))),
    ],
    ids=("articles", "paragraphs", "facets", "fewer", "score", "another"),
)
def test_answers_that_differ_are_not_alike(other: Page) -> None:
    assert alike(PAGE, PAGE)
    assert not alike(PAGE, other)
