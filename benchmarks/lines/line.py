"""A line of the benchmark: one figure with its bar and aim, and its measured value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The measured value of a line.

    :param note: the figures behind the value, in a few words.
    :param details: all figures, for JSON.
    """

    value: float
    note: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure of the benchmark.

    :param name: as for ``--only``.
    :param bar: the value it must reach; ``None`` if it is only reported.
    :param aim: the value we want to reach.
    :param higher: higher values are better.
    :param peer: it needs tantivy.
    :param node: it needs an OpenSearch node to compare with.
    :param engine: it measures the engine that ``--engine`` names.
    """

    name: str
    what: str
    unit: str
    measure: Callable[[Session], Measured]
    bar: float | None = None
    aim: float | None = None
    higher: bool = False
    peer: bool = False
    node: bool = False
    engine: bool = False

    def reaches(self, value: float, mark: float | None) -> bool:
        """Whether a value is as good as a bar or an aim."""
        if mark is None:
            return True
        return value >= mark if self.higher else value <= mark
