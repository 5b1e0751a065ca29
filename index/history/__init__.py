"""What happened to an article? The rules, without a database."""

from index.history.batch import Batch, Current, next_turn
from index.history.changes import (
    FEED_TYPES,
    INDEXED_TYPES,
    Change,
    ChangeType,
    Entry,
    entry_for,
)
from index.history.difference import (
    ChangeKind,
    Difference,
    ParagraphChange,
    difference_of,
)
from index.history.kills import Killed
from index.history.numbers import check_counts_up, plain_version, version_key
from index.history.records import (
    Chain,
    Counts,
    Member,
    Notice,
    Outcome,
    Relation,
    Stored,
    VersionInfo,
    Written,
)
from index.history.states import Expected, state_name

__all__ = [
    "FEED_TYPES",
    "INDEXED_TYPES",
    "Batch",
    "Chain",
    "Change",
    "ChangeKind",
    "ChangeType",
    "Counts",
    "Current",
    "Difference",
    "Entry",
    "Expected",
    "Killed",
    "Member",
    "Notice",
    "Outcome",
    "ParagraphChange",
    "Relation",
    "Stored",
    "VersionInfo",
    "Written",
    "check_counts_up",
    "difference_of",
    "entry_for",
    "next_turn",
    "plain_version",
    "state_name",
    "version_key",
]
