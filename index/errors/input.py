"""Errors that the caller can mend: in what was sent, or asked for."""

from __future__ import annotations

from index.errors.base import InputError


class InvalidQuery(InputError):
    """Query that breaks the grammar or exceeds a limit.

    :param code: ``query_syntax query_too_long query_too_many_clauses query_too_deep
        wildcard_too_broad fuzzy_distance unsupported_syntax invalid_encoding``.
    :param position: code points from the start of ``q``, from 0.
    :param limit: the limit that is exceeded, if there is one; ``got`` the actual size.
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
    """Name of no field, or of one that cannot be used here."""

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
    """Value that its parameter, field or setting does not accept.

    :param parameter: name of the parameter, field or setting.
    :param got: the value; its first 50 characters are kept.
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
    """Cursor of another search."""

    code = "cursor_mismatch"

    def __init__(self) -> None:
        super().__init__(
            "this cursor belongs to another search, or to the order of an earlier"
            " release; keep q, filters, scope, unit and sort as they were, or start"
            " again without a cursor"
        )
        self.parameter = "cursor"


class LimitExceeded(InputError):
    """More was sent, or asked for, than a limit allows.

    :param name: of the parameter, or of what is limited.
    :param detail: what there is too much of and what to do, if the name does not say.
    """

    code = "limit_exceeded"

    def __init__(
        self,
        name: str,
        *,
        limit: int,
        got: int | None,
        code: str | None = None,
        detail: str | None = None,
    ) -> None:
        actual = "" if got is None else f", not {got:,}"
        super().__init__(f"{name}: {detail or f'at most {limit:,}{actual}'}")
        self.parameter, self.limit, self.got = name, limit, got
        if code is not None:
            self.code = code


class InvalidArticle(InputError):
    """Article that breaks a rule.

    :param field: the field at fault, a name of :class:`index.article.Article`.
    """

    code = "invalid_article"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field, self.detail = field, detail


class UnreadableInput(InputError):
    """Bytes that are not in the format that they should have.

    :param line: from 1, if the format has lines; ``column`` from 1.
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
    """Name of no format, or bytes that look like none.

    :param root: of XML: the name of its root element.
    """

    code = "unknown_format"

    def __init__(
        self, name: str, *, allowed: tuple[str, ...], root: str | None = None
    ) -> None:
        what = "" if root is None else f", XML of another kind (<{root[:60]}>)"
        super().__init__(
            f"no format that we read fits {name}{what}; choose from"
            f" {', '.join(allowed)}"
        )
        self.name, self.allowed, self.root = name, allowed, root


class VersionConflict(InputError):
    """Stored version of an article that was sent again with other content."""

    code = "version_conflict"

    def __init__(self, article_id: str, version: str) -> None:
        super().__init__(
            f"version {version} of {article_id} is stored with other content;"
            " send a higher version, or leave it out to get the next one"
        )
        self.id, self.version = article_id, version


class OutsideFilter(InputError):
    """Write to an article that the filter of the key does not cover."""

    code = "outside_filter"

    def __init__(self, article_id: str) -> None:
        super().__init__(
            f"this key's filter does not cover {article_id} (as sent, or as stored);"
            " use a key that covers it"
        )
        self.id = article_id


class ArticleNotFound(InputError):
    """Article that is not stored, or that this caller may not see."""

    code = "article_not_found"

    def __init__(self, article_id: str, version: str | None = None) -> None:
        what = f"version {version} of article" if version else "article"
        super().__init__(f"there is no {what} {article_id}; check its id")
        self.id, self.version = article_id, version


class ArticleKilled(InputError):
    """Killed article, whose text is no longer served.

    :param killed: time of the kill in ISO 8601.
    :param note: reason for the kill.
    :param replacement: id of the article to use instead.
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
        reason = "" if note is None else f": {note}"
        instead = "" if replacement is None else f"; use {replacement} instead"
        super().__init__(f"article {article_id} was killed{reason}{instead}")
        self.id, self.killed = article_id, killed
        self.note, self.replacement = note, replacement


class ArticlePurged(InputError):
    """Version that is not stored, as the text of the killed article was erased."""

    code = "article_purged"

    def __init__(self, article_id: str) -> None:
        super().__init__(
            f"{article_id} was killed and its text erased, so this version is not"
            " stored; to publish it again, send a usable version higher than the killed"
            " one"
        )
        self.id = article_id


class StatusConflict(InputError):
    """Operation that the status of the article does not allow."""

    code = "status_conflict"

    def __init__(self, article_id: str, detail: str) -> None:
        super().__init__(f"{article_id} {detail}")
        self.id = article_id


class PreconditionFailed(InputError):
    """Write to an article that is not in the state that the writer expects."""

    code = "precondition_failed"

    def __init__(self, article_id: str) -> None:
        super().__init__(
            f"{article_id} is not in the state that If-Match names, so nothing was"
            " changed; read it again, and send the ETag of that answer, without W/"
        )
        self.id = article_id


class HistoryChanged(InputError):
    """Place in the change feed that is not in the store's present history.

    :param since: the seq that the caller asked for changes after.
    :param newest: the newest seq of the store.
    """

    code = "history_changed"

    def __init__(self, since: int, *, newest: int) -> None:
        super().__init__(
            f"change {since} is not in the history of this store, whose newest change"
            f" is {newest} (an older copy may have been restored); drop what you have"
            " and read everything again, from since=0 and without history"
        )
        self.since, self.newest = since, newest


class ParagraphNotFound(InputError):
    """Number of a paragraph that the article does not have."""

    code = "paragraph_not_found"

    def __init__(self, article_id: str, n: int, *, last: int) -> None:
        super().__init__(
            f"article {article_id} has no paragraph {n}; ask for one up to {last}"
        )
        self.id, self.n, self.last = article_id, n, last


class OriginalNotFound(InputError):
    """Version whose original bytes are not stored."""

    code = "original_not_found"

    def __init__(self, article_id: str, version: str) -> None:
        super().__init__(
            f"no original is stored for version {version} of {article_id}: it is"
            " stored as sent, was created by undoing a kill, or is older than the"
            " storage of originals; read the article instead"
        )
        self.id, self.version = article_id, version
