"""Every error Nutgraf raises, in one tree.

::

    NutgrafError
    ├── InputError                   the caller's to fix
    │   ├── InvalidQuery             what is wrong in ``q``, and where
    │   ├── UnknownField
    │   ├── InvalidValue             a field, parameter or setting has a bad value
    │   ├── CursorMismatch
    │   ├── LimitExceeded
    │   ├── InvalidArticle
    │   ├── UnreadableInput          bytes that are not what they should be
    │   ├── UnknownFormat
    │   ├── VersionConflict
    │   ├── OutsideFilter            a key with a filter writes what is not within it
    │   ├── ArticleNotFound
    │   ├── ArticleKilled            its notice is all there is
    │   ├── ArticlePurged            its text was erased, and is not taken again
    │   ├── StatusConflict           what a kill forbids
    │   ├── HistoryChanged           an older copy of the store was put back
    │   ├── ParagraphNotFound
    │   └── OriginalNotFound
    └── ServiceError                 ours, or the machine's
        ├── IndexUnavailable         being built, or missing
        │   └── IndexDamaged
        ├── SearchTimeout
        ├── StoreFull
        ├── StoreUnavailable
        └── IndexerRunning           another process holds the indexer's lock

``code`` is stable: clients may compare it. Facts are attributes; the message is the
same facts as a sentence that says the way out.
"""

from __future__ import annotations


class NutgrafError(Exception):
    """Anything Nutgraf itself raises."""

    code = "internal_error"

    @property
    def facts(self) -> dict[str, object]:
        """What the error knows besides its sentence, by name, without the unknown."""
        return {
            name: value
            for name, value in vars(self).items()
            if not name.startswith("_") and name != "code" and value is not None
        }


class InputError(NutgrafError):
    """The caller sent what cannot be done; sending it again changes nothing."""

    code = "invalid_input"


class ServiceError(NutgrafError):
    """The request was fine and cannot be served now; trying later may help."""

    code = "unavailable"


class InvalidQuery(InputError):
    """The query text breaks a rule that is never bent.

    :param code: ``query_syntax query_too_long query_too_many_clauses query_too_deep
        wildcard_too_broad fuzzy_distance unsupported_syntax invalid_encoding``.
    :param position: code points from the start of ``q``, from 0.
    :param limit: the limit that was passed, where there is one, and ``got`` the size.
    """

    code = "query_syntax"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        position: int | None = None,
        limit: int | None = None,
        got: int | None = None,
    ) -> None:
        super().__init__(detail)
        if code is not None:
            self.code = code
        self.parameter = "q"
        self.position, self.limit, self.got = position, limit, got


class UnknownField(InputError):
    """A name that is no field, or not one that can be used this way."""

    code = "unknown_field"

    def __init__(
        self,
        field: str,
        *,
        allowed: tuple[str, ...],
        parameter: str | None = None,
        position: int | None = None,
    ) -> None:
        super().__init__(f"no field {field!r} here; choose from {', '.join(allowed)}")
        self.field, self.allowed = field, allowed
        self.parameter, self.position = parameter, position


class InvalidValue(InputError):
    """A value does not fit what it was given for.

    :param parameter: the parameter, field or setting; ``got`` is cut to 50 characters.
    """

    code = "invalid_value"

    def __init__(
        self,
        parameter: str,
        detail: str,
        *,
        got: object = None,
        code: str | None = None,
        position: int | None = None,
        limit: int | None = None,
    ) -> None:
        super().__init__(f"{parameter}: {detail}")
        self.parameter, self.position, self.limit = parameter, position, limit
        self.got = got if got is None or isinstance(got, int) else str(got)[:50]
        if code is not None:
            self.code = code


class CursorMismatch(InputError):
    """A cursor was used with another search than the one that gave it."""

    code = "cursor_mismatch"

    def __init__(self) -> None:
        super().__init__(
            "this cursor belongs to another search: keep q, filters, scope, unit and"
            " sort as they were, or start again without a cursor"
        )
        self.parameter = "cursor"


class LimitExceeded(InputError):
    """More was sent or asked for than a limit of this service allows."""

    code = "limit_exceeded"

    def __init__(
        self, name: str, *, limit: int, got: int | None, code: str | None = None
    ) -> None:
        sent = "" if got is None else f", not {got:,}"
        super().__init__(f"{name}: at most {limit:,}{sent}")
        self.parameter, self.limit, self.got = name, limit, got
        if code is not None:
            self.code = code


class InvalidArticle(InputError):
    """An article breaks a rule of its own record.

    :param field: the field at fault, a name of :class:`index.article.Article`.
    """

    code = "invalid_article"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field, self.detail = field, detail


class UnreadableInput(InputError):
    """Bytes that are not in the format they were read as.

    :param line: from 1, where the format has lines; ``column`` from 1.
    """

    code = "unreadable_input"

    def __init__(
        self,
        detail: str,
        *,
        line: int | None = None,
        column: int | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.line, self.column = line, column
        if code is not None:
            self.code = code


class UnknownFormat(InputError):
    """No format of that name, or none that these bytes look like."""

    code = "unknown_format"

    def __init__(self, name: str, *, allowed: tuple[str, ...]) -> None:
        super().__init__(
            f"{name} is in no format we read; say which with a format,"
            f" one of {', '.join(allowed)}"
        )
        self.name, self.allowed = name, allowed


class VersionConflict(InputError):
    """The same version of an article was sent again with other content."""

    code = "version_conflict"

    def __init__(self, article_id: str, version: str) -> None:
        super().__init__(
            f"version {version} of {article_id} is stored with other content;"
            " send a higher version, or none to have one given"
        )
        self.id, self.version = article_id, version


class OutsideFilter(InputError):
    """A key with a filter writes an article that is not, or would not be, within it."""

    code = "outside_filter"

    def __init__(self, article_id: str) -> None:
        super().__init__(
            f"{article_id} is not within the filter of this key, as it was sent or as"
            " it is stored; use a key that is for it"
        )
        self.id = article_id


class ArticleNotFound(InputError):
    """No such article, or none that this caller may see: the answer is the same."""

    code = "article_not_found"

    def __init__(self, article_id: str, version: str | None = None) -> None:
        which = f"version {version} of " if version else ""
        super().__init__(f"no {which}article {article_id}")
        self.id, self.version = article_id, version


class ArticleKilled(InputError):
    """The article was killed: nothing of its text is served any more.

    :param killed: when, in ISO 8601; ``note`` why, ``replacement`` the id of the
        article to use instead.
    """

    code = "article_killed"

    def __init__(
        self,
        article_id: str,
        *,
        killed: str,
        note: str | None = None,
        replacement: str | None = None,
    ) -> None:
        why = "" if note is None else f": {note}"
        instead = "" if replacement is None else f"; use {replacement} instead"
        super().__init__(f"article {article_id} was killed{why}{instead}")
        self.id, self.killed = article_id, killed
        self.note, self.replacement = note, replacement


class ArticlePurged(InputError):
    """The text of a killed article was erased, and is not taken again."""

    code = "article_purged"

    def __init__(self, article_id: str) -> None:
        super().__init__(
            f"the text of {article_id} was erased after it was killed, and is not kept"
            " again; send a usable version higher than the killed one to publish anew"
        )
        self.id = article_id


class StatusConflict(InputError):
    """An article is in a state in which this cannot be done to it."""

    code = "status_conflict"

    def __init__(self, article_id: str, detail: str) -> None:
        super().__init__(f"{article_id} {detail}")
        self.id = article_id


class HistoryChanged(InputError):
    """What was read of the change feed is not of this history of the store.

    :param since: the seq that was asked after; ``newest`` the newest of the store.
    """

    code = "history_changed"

    def __init__(self, since: int, *, newest: int) -> None:
        super().__init__(
            f"there is no change {since} in this history of the store, whose newest is"
            f" {newest}; an older copy of it may have been put back: drop what you"
            " have and read everything again, from since=0 without history"
        )
        self.since, self.newest = since, newest


class ParagraphNotFound(InputError):
    """The article has no paragraph of that number."""

    code = "paragraph_not_found"

    def __init__(self, article_id: str, n: int, *, last: int) -> None:
        super().__init__(
            f"article {article_id} has no paragraph {n}; its last is {last}"
        )
        self.id, self.n, self.last = article_id, n, last


class OriginalNotFound(InputError):
    """What a version was sent as is not kept beside it."""

    code = "original_not_found"

    def __init__(self, article_id: str, version: str) -> None:
        super().__init__(
            f"there is no original of {article_id}, version {version}: it is kept as it"
            " was sent, was made by a restoration, or came before originals were kept"
        )
        self.id, self.version = article_id, version


class IndexUnavailable(ServiceError):
    """There is no index to answer from just now; the articles are safe in the store.

    :param progress: share of the rebuild that is done, 0 to 1, where one is under way.
    """

    code = "index_unavailable"

    def __init__(self, detail: str, *, progress: float | None = None) -> None:
        done = "" if progress is None else f" ({progress:.0%} done)"
        super().__init__(f"{detail}{done}")
        self.progress = progress


class IndexDamaged(IndexUnavailable):
    """A file of the index is not what was written; it has to be built again."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the index is damaged ({what}) and has to be built again")
        self.what = what


class SearchTimeout(ServiceError):
    """A search passed its deadline."""

    code = "search_timeout"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the search took longer than {seconds:g} s; make it narrower:"
            " fewer wildcards, more letters, a date range"
        )
        self.seconds = seconds


class StoreFull(ServiceError):
    """The disk of the store is full; nothing of this write was kept."""

    code = "storage_full"

    def __init__(self) -> None:
        super().__init__("the store's disk is full; nothing of this write was kept")


class StoreUnavailable(ServiceError):
    """The store cannot be reached, is locked for too long, or is damaged."""

    code = "store_unavailable"


class IndexerRunning(ServiceError):
    """Another process is this store's indexer."""

    code = "indexer_running"

    def __init__(self, lock: str, holder: str | None = None) -> None:
        who = f" (process {holder})" if holder else ""
        super().__init__(
            f"another indexer{who} holds {lock}; one is enough: stop it first,"
            " or leave the indexing to it"
        )
        self.lock, self.holder = lock, holder
