"""A line of the benchmark: what it measures, its bar and aim, and a measured value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks.session import Bench


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a line came to.

    :param note: in a few words, what stands behind the value.
    :param details: all of it, as JSON can hold it.
    """

    value: float
    note: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure.

    :param name: what ``--only`` calls it.
    :param bar: below it the work is not done; ``None`` for what is only reported.
    :param higher: more is better.
    :param peer: it needs tantivy.
    """

    name: str
    what: str
    unit: str
    measure: Callable[[Bench], Measured]
    bar: float | None = None
    aim: float | None = None
    higher: bool = False
    peer: bool = False

    def reaches(self, value: float, mark: float | None) -> bool:
        """Say whether a value is as good as a bar or an aim."""
        if mark is None:
            return True
        return value >= mark if self.higher else value <= mark
