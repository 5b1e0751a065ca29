"""Honest timing: alternate the contestants, take ratios within a round, then medians.

Contestants run in turn, in one process, so that anything else that slows the machine
slows all of them. Each round gives a ratio; the result is the median of the ratios.
"""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

FLOOR_MS = 0.2  # a peer that is faster counts as this fast
LEAST_ROUNDS, MOST_ROUNDS = 3, 40

Runner = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The times of one task, in milliseconds.

    :param median: contestant → median time over the rounds.
    :param ratio: other contestant → median over the rounds of our time by its time.
    """

    median: Mapping[str, float]
    ratio: Mapping[str, float]
    rounds: int


def milliseconds(run: Runner) -> float:
    """Time of one call, in milliseconds."""
    started = time.perf_counter()
    run()
    return (time.perf_counter() - started) * 1_000


def alternated(
    tasks: Sequence[Mapping[str, Runner]],
    *,
    seconds: float,
    ours: str = "ours",
    floor_ms: float = FLOOR_MS,
    seed: int = 1,
    on_round: Callable[[int, int], None] = lambda done, rounds: None,
) -> list[Times]:
    """Time tasks in rounds, each task by several contestants.

    A first round warms up and is not counted. Each round goes through all tasks in a
    new order, and the contestants of a task take turns in going first.

    :param tasks: contestant → what to run, for each task.
    :param seconds: approximate total time; there are 3 to 40 rounds.
    :param ours: the contestant that the others are compared with.
    :param floor_ms: a contestant that is faster counts as this fast.
    :param on_round: called after each round, with its number and the number of rounds.
    """
    started = time.perf_counter()
    for task in tasks:
        for run in task.values():
            run()
    warm_up = time.perf_counter() - started
    rounds = max(LEAST_ROUNDS, min(MOST_ROUNDS, int(seconds / max(warm_up, 1e-6))))
    times: list[dict[str, list[float]]] = [
        {name: [] for name in task} for task in tasks
    ]
    order = list(range(len(tasks)))
    rng = Random(seed)
    gc.collect()
    for done in range(rounds):
        rng.shuffle(order)
        for number in order:
            names = list(tasks[number])
            turn = done % len(names)
            for name in names[turn:] + names[:turn]:
                times[number][name].append(milliseconds(tasks[number][name]))
        on_round(done + 1, rounds)
    return [_timed(by_name, ours, floor_ms, rounds) for by_name in times]


def _timed(
    times: Mapping[str, Sequence[float]], ours: str, floor_ms: float, rounds: int
) -> Times:
    return Times(
        median={name: statistics.median(series) for name, series in times.items()},
        ratio={
            name: median_ratio(times[ours], series, floor=floor_ms)
            for name, series in times.items()
            if name != ours
        },
        rounds=rounds,
    )


def median_ratio(
    ours: Iterable[float], theirs: Iterable[float], *, floor: float = 0.0
) -> float:
    """Median of the ratios of two series, round by round.

    :param floor: smaller values of theirs count as this.
    """
    pairs = zip(ours, theirs, strict=True)
    return statistics.median(our / max(their, floor) for our, their in pairs)


def geometric_mean(values: Iterable[float]) -> float:
    """Geometric mean, the mean that suits ratios."""
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs))


def percentile(values: Sequence[float], percent: float) -> float:
    """Percentile of values by nearest rank: it is one of the values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
