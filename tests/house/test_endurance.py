"""Endurance: requests of every kind, and the memory of the workers that answer them."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from benchmarks import endurance
from benchmarks.data import Generated, draw_workload
from benchmarks.endurance import Mix
from benchmarks.workplace import Workplace

SMALL = Generated(paragraphs=600, seed=7)


def test_most_requests_are_searches_and_some_are_hostile() -> None:
    mix = Mix(draw_workload(SMALL, seed=1, per_kind=2))
    kinds: Counter[str] = Counter()
    for sent in islice(mix, 10_000):
        if sent.hostile:
            kinds["hostile"] += 1
        elif sent.path.startswith("/v1/search?"):
            kinds["searches"] += 1
        else:
            kinds[sent.method] += 1
    for kind, percent in (("searches", 80), ("GET", 10), ("PUT", 5), ("hostile", 5)):
        assert kinds[kind] / 100 == pytest.approx(percent, abs=1.5)


def test_the_same_seed_sends_the_same_requests() -> None:
    workload = draw_workload(SMALL, seed=1, per_kind=2)
    first, again, other = (
        list(islice(Mix(workload, seed=seed), 200)) for seed in (1, 1, 2)
    )
    assert first == again != other


@pytest.mark.slow
def test_a_short_run_shows_the_memory_of_each_worker(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "place"
    folder.mkdir(mode=0o700)
    Workplace(folder, SMALL, base=SMALL, per_kind=2).load()
    assert endurance.main([str(folder), "--requests", "200"]) == 0
    *samples, answers = capsys.readouterr().out.splitlines()
    assert [int(line.split()[0]) for line in samples] == [*range(0, 201, 20)]
    assert all(line.count(" MB") == 2 for line in samples)
    counts = dict(each.split(": ") for each in answers[9:].split(", "))
    assert sum(map(int, counts.values())) == 200
    assert counts.keys() <= {"200", "400", "404", "422", "503"}
    assert int(counts["200"]) > 150
