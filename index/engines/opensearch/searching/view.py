"""The view of a search: a snapshot of the index, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from index.deadline import Deadline
from index.engines.opensearch.searching.counts import Counts
from index.query import Fuzzy, Prefix, Wildcard

Body = dict[str, Any]  # of a search of OpenSearch, or of its answer


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A snapshot of the index; all that it answers is of one committed state.

    Answers are whole: what would be a part of one raises an error instead.

    :param token: of the commit.
    :param seq: newest change of the store in it.
    :param expansions: how many words a prefix, wildcard or fuzzy term may stand for.
    :param ask: answers one search, by a deadline.
    :param ask_many: answers several at once, in order.
    :param expand: the forms of the index that a leaf stands for, ascending. It may have
        forms that are no longer there.
    :param counts: what earlier searches have counted.
    """

    token: str
    seq: int
    expansions: int
    counts: Counts
    ask: Callable[[Body, Deadline | None], Body]
    ask_many: Callable[[Sequence[Body], Deadline | None], list[Body]]
    expand: Callable[[Prefix | Wildcard | Fuzzy, Deadline | None], Sequence[str]]
