"""Errors that Nutgraf raises, in one tree.

::

    NutgrafError
    ├── InputError                   the caller has to change something
    │   ├── InvalidQuery             a fault in ``q``, with its position
    │   ├── UnknownField
    │   ├── InvalidValue             of a field, a parameter or a setting
    │   ├── CursorMismatch
    │   ├── LimitExceeded
    │   ├── InvalidArticle
    │   ├── UnreadableInput          bytes that are not in their format
    │   ├── UnknownFormat
    │   ├── VersionConflict
    │   ├── OutsideFilter            the key's filter does not cover the article
    │   ├── ArticleNotFound
    │   ├── ArticleKilled            only its notice is left
    │   ├── ArticlePurged            its text was erased and is not stored again
    │   ├── StatusConflict
    │   ├── PreconditionFailed       the article is not as the writer expects
    │   ├── HistoryChanged           an older copy of the store was restored
    │   ├── ParagraphNotFound
    │   └── OriginalNotFound
    └── ServiceError                 the request is fine and cannot be served now
        ├── IndexUnavailable         missing, or being built
        │   ├── IndexMissing
        │   ├── PointLost            a state of a cluster's index that is gone
        │   └── IndexDamaged
        ├── SearchTimeout
        ├── SearchMemoryUsed         other searches take all the memory
        ├── StoreFull
        ├── StoreReadOnly
        │   ├── StoreMoving          at the end of a move, for a moment
        │   └── StoreMoved           to another place, for good
        ├── StoreUnavailable         unreachable, locked for too long, or damaged
        │   ├── MigrationNeeded      the store is older than this release
        │   ├── ReleaseOutdated      the store is newer than this release may use
        │   └── StoreIncomplete      a move into it has not ended
        └── IndexerRunning           another process holds the indexer's lock

``code`` is stable: clients may compare it. An error has its facts as attributes; its
message says what is wrong and what to do about it.
"""

from index.errors.base import (
    InputError,
    NutgrafError,
    ServiceError,
)
from index.errors.input import (
    ArticleKilled,
    ArticleNotFound,
    ArticlePurged,
    CursorMismatch,
    HistoryChanged,
    InvalidArticle,
    InvalidQuery,
    InvalidValue,
    LimitExceeded,
    OriginalNotFound,
    OutsideFilter,
    ParagraphNotFound,
    PreconditionFailed,
    StatusConflict,
    UnknownField,
    UnknownFormat,
    UnreadableInput,
    VersionConflict,
)
from index.errors.service import (
    IndexDamaged,
    IndexerRunning,
    IndexMissing,
    IndexUnavailable,
    MigrationNeeded,
    PointLost,
    ReleaseOutdated,
    SearchMemoryUsed,
    SearchTimeout,
    StoreFull,
    StoreIncomplete,
    StoreMoved,
    StoreMoving,
    StoreReadOnly,
    StoreUnavailable,
)

__all__ = [
    "ArticleKilled",
    "ArticleNotFound",
    "ArticlePurged",
    "CursorMismatch",
    "HistoryChanged",
    "IndexDamaged",
    "IndexMissing",
    "IndexUnavailable",
    "IndexerRunning",
    "InputError",
    "InvalidArticle",
    "InvalidQuery",
    "InvalidValue",
    "LimitExceeded",
    "MigrationNeeded",
    "NutgrafError",
    "OriginalNotFound",
    "OutsideFilter",
    "ParagraphNotFound",
    "PointLost",
    "PreconditionFailed",
    "ReleaseOutdated",
    "SearchMemoryUsed",
    "SearchTimeout",
    "ServiceError",
    "StatusConflict",
    "StoreFull",
    "StoreIncomplete",
    "StoreMoved",
    "StoreMoving",
    "StoreReadOnly",
    "StoreUnavailable",
    "UnknownField",
    "UnknownFormat",
    "UnreadableInput",
    "VersionConflict",
]
