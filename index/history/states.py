"""States of an article: what a writer has seen, so that nobody's change is lost."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from index.article import Status

_LETTERS = 32  # 128 bits: two states never share a name by chance


def state_name(
    epoch: int, article_id: str, version: str, seq: int, status: Status
) -> str:
    """Name of the state of an article, which ends with its next change.

    :param epoch: of the store; after a restore, seqs are given again.
    :param seq: of the change that stored the version.
    :param status: in force.
    """
    text = f"{epoch} {seq} {status.value} {version} {article_id}"
    return hashlib.sha256(text.encode()).hexdigest()[:_LETTERS]


@dataclass(frozen=True, slots=True)
class Expected:
    """States in one of which an article must be for a write to be carried out.

    :param names: of :func:`state_name`; ``None`` for any state in which there is
        something to read.
    """

    names: frozenset[str] | None

    def holds(self, name: str, status: Status) -> bool:
        """Whether an article in a state is as expected."""
        if self.names is None:
            return status is not Status.CANCELED
        return name in self.names
