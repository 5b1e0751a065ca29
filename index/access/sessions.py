"""Sessions: log-ins of browsers, each with one key, and for some time.

The id of a session is 32 random bytes in base64, which its browser keeps in a cookie.
Like a key, it is stored as its SHA-256 only.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from index.access.keys import Key

SESSION_IDLE = timedelta(hours=12)  # a session ends this long after its last use
SESSION_LIFE = timedelta(days=7)  # and this long after its log-in, used or not
# A desk may share a key. One more log-in ends the oldest session of the key.
SESSIONS_PER_KEY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A stored session: everything but its id.

    :param key: what the session may do, as it is now.
    :param created: the instant of the log-in.
    :param seen: the instant of the last use that was recorded.
    :param expires: the instant at which it ends, however much it is used.
    """

    key: Key
    created: datetime
    seen: datetime
    expires: datetime

    def is_live(self, now: datetime) -> bool:
        """Whether the session, and its key, have not ended."""
        return (
            now < self.expires
            and now < self.seen + SESSION_IDLE
            and self.key.state(now) == "live"
        )


def new_session_id() -> str:
    """New id of a session: 256 random bits, secret."""
    return secrets.token_urlsafe(32)
