"""Timing without self-deceit: runs alternated, medians, ratios within a round.

What is compared runs in turn, in one process and one run, so that whatever else slows
the machine slows all of them. Of the ratios of each round the median counts.
"""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

FLOOR_MS = 0.2  # a peer that is faster than this counts as this fast
LEAST_ROUNDS, MOST_ROUNDS = 3, 40

Runner = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """How long one task took each contestant, in milliseconds.

    :param median: by contestant's name; ``rounds`` of how many.
    :param ratio: of ours to each other one's, the median over the rounds.
    """

    median: Mapping[str, float]
    ratio: Mapping[str, float]
    rounds: int


def milliseconds(run: Runner) -> float:
    """Return how long a call takes."""
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
    tell: Callable[[int, int], None] = lambda done, rounds: None,
) -> list[Timed]:
    """Time tasks, each by several contestants, in rounds through all tasks.

    The first round is a warm-up and is not counted. Each round goes through the tasks
    in another order, and lets the contestants of a task take turns in beginning.

    :param seconds: about how long to measure; at least 3 rounds are done, at most 40.
    :param tell: called after each round.
    """
    started = time.perf_counter()
    for task in tasks:
        for run in task.values():
            run()
    warm = time.perf_counter() - started
    rounds = max(LEAST_ROUNDS, min(MOST_ROUNDS, int(seconds / max(warm, 1e-6))))
    times: list[dict[str, list[float]]] = [{name: [] for name in t} for t in tasks]
    order = list(range(len(tasks)))
    rng = Random(seed)
    gc.collect()
    for done in range(rounds):
        rng.shuffle(order)
        for at in order:
            names = list(tasks[at])
            turn = done % len(names)
            for name in names[turn:] + names[:turn]:
                times[at][name].append(milliseconds(tasks[at][name]))
        tell(done + 1, rounds)
    return [_timed(each, ours, floor_ms, rounds) for each in times]


def _timed(
    times: Mapping[str, Sequence[float]], ours: str, floor_ms: float, rounds: int
) -> Timed:
    return Timed(
        median={name: statistics.median(each) for name, each in times.items()},
        ratio={
            name: median_ratio(times[ours], each, floor=floor_ms)
            for name, each in times.items()
            if name != ours
        },
        rounds=rounds,
    )


def median_ratio(
    ours: Iterable[float], theirs: Iterable[float], *, floor: float = 0.0
) -> float:
    """Return the median of the ratios of two series, round by round.

    :param floor: what of theirs is smaller counts as this.
    """
    pairs = zip(ours, theirs, strict=True)
    return statistics.median(our / max(their, floor) for our, their in pairs)


def geometric_mean(values: Iterable[float]) -> float:
    """Return the geometric mean: the one that ratios may be averaged by."""
    logs = [math.log(value) for value in values]
    return math.exp(sum(logs) / len(logs))


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
