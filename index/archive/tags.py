"""Tags: whether an answer that a client has is still the current one.

Without a write, a commit of the index, another release or other settings, an answer
changes only at instants: an embargo ends, an associated item of an article expires. The
tag of an answer holds the span of instants in which it stays as it is, as noted by the
reads that made it. So a client's tag says whether its answer is current before anything
is read again. The span is sealed with a key of the store: the next instant may be that
of something which nobody may know of yet.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from datetime import datetime

from index import dates
from index.access import Validity
from index.archive.release import RELEASE
from index.engines import Snapshot, ranking
from index.query import sealed, search_digest, unsealed
from index.settings import Settings
from index.store import View
from index.text import ANALYZER_VERSION

_SPAN = struct.Struct(">qq")
_SEALED_BYTES = 16 + _SPAN.size  # AES-SIV puts 16 bytes before what it encrypts
_CHARACTERS = -(-_SEALED_BYTES * 4 // 3)
_LAYOUT = "nutgraf tag 1"


# A state of store and index: the epoch of the store and its newest change, the newest
# change of the index and its commit.
State = tuple[int, int, int, str]


@dataclass(frozen=True, slots=True)
class Tag:
    """The tag of an answer that is being made, or of the one that a client has.

    Two are equal if all that the answers depend on besides their own reads is equal.

    :param bound: the question, the states of store and index, and what makes the
        answer: the release and its settings. As text.
    :param state: the states of store and index; ``None`` if the index is behind, or
        there is none: then no other answer has this tag.
    :param validity: of the answer; complete once the answer is made.
    :param key: of the store, to seal the span with.
    """

    bound: str
    state: State | None = field(compare=False, repr=False)
    validity: Validity = field(compare=False, repr=False)
    key: bytes = field(compare=False, repr=False)

    @property
    def text(self) -> str:
        """The tag of the finished answer, as text."""
        span = _SPAN.pack(self.validity.first, self.validity.end)
        return sealed(span, self.key, self._layout)

    @property
    def now(self) -> datetime:
        """The instant that the answer is of."""
        return dates.from_micros(self.validity.now)

    def fits(self, text: str) -> bool:
        """Whether the answer with this tag, given out earlier, is the current one."""
        if len(text) != _CHARACTERS:
            return False
        try:
            first, end = _SPAN.unpack(unsealed(text, self.key, self._layout))
        except ValueError:
            return False  # of another state of the store, or none of ours
        return bool(first <= self.validity.now < end)

    @property
    def _layout(self) -> bytes:
        # Only with the same digest can it be opened: nothing else is compared.
        return f"{_LAYOUT} {search_digest(self.bound)}".encode()


def tag_of(
    view: View,
    snapshot: Snapshot | None,
    now: datetime,
    parameters: str,
    asked: str,
    validity: Validity,
    settings: Settings,
) -> Tag:
    """Tag of an answer to these parameters from a view.

    The last embargo that ended and the last article that expired are part of it: all
    articles count for an answer, also those that are not read for it.

    :param snapshot: of the index, ``None`` without one. Its seq does not say what it
        holds: a rebuild may take in an article that was set aside, and leaves it.
    :param asked: what the parameters mean, and for which reader.
    :param validity: of the answer.
    """
    state: State | None = None
    if snapshot is not None:
        state = (view.epoch, view.seq, snapshot.seq, snapshot.token)
    behind = snapshot is None or snapshot.seq != view.seq
    bound = repr(
        (
            state or (view.epoch, view.seq),
            (RELEASE, ANALYZER_VERSION, ranking.version(), settings.of_answers),
            (view.last_ends(dates.micros(now)), now if behind else None),
            (parameters, asked),
        )
    )
    return Tag(bound, None if behind else state, validity, view.cursor_key)
