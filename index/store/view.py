"""Views: one unchanging state of a store, read as records."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    bindparam,
    func,
    literal_column,
    select,
)

from index.access import (
    NO_EMBARGO,
    NO_EXPIRY,
    Standing,
)
from index.article import Article, Original
from index.dates import from_micros
from index.errors import ArticleNotFound, InvalidArticle, StoreUnavailable
from index.history import (
    Chain,
    Change,
    Counts,
    Notice,
    Stored,
    VersionInfo,
    plain_version,
)
from index.query import CURSOR_KEY_BYTES, Reader
from index.store import tables
from index.store.clippings import Clipping
from index.store.lineage import chain_of
from index.store.lookups import CONTENT, EFFECTIVE, Lookup
from index.store.notices import killed_until, notices_before, notices_of
from index.store.originals import original_of
from index.store.pending import (
    SEARCHABLE,
    Indexable,
    Pending,
    indexable,
    pending_changes,
)
from index.store.prepared import PreparedRead
from index.store.rows import (
    CHUNK,
    OF_CURRENT,
    chunks,
    current_version,
    read_article,
    standing_of,
    standings_of,
    unreadable,
)
from index.store.schema import state_value
from index.store.stages import moved_to
from index.store.tables import articles, changes, secrets, versions
from index.store.versions import listed, numbers_of

_AT_ONCE = 10  # articles in memory while a page of them is read
_VALUES = select(articles.c.id, articles.c["values"]).where(
    articles.c.id.in_(bindparam("ids", expanding=True))
)
_HIDDEN = PreparedRead(
    select(changes.c.id).where(changes.c.seq > bindparam("seq"), tables.hiding)
)
# The numbers are part of the SQL text: if they were parameters, SQLite would have to
# read them, and plan anew each time, to see that the partial indexes fit.
_LAST_ENDS = PreparedRead(
    select(
        *(
            select(func.max(instant))
            .where(instant != literal_column(str(none)), instant <= bindparam("now"))
            .scalar_subquery()
            for instant, none in (
                (articles.c.embargoed_until, NO_EMBARGO),
                (articles.c.expires, NO_EXPIRY),
            )
        )
    )
)
_STATE = PreparedRead(
    select(
        state_value("seq"),
        state_value("epoch"),
        select(secrets.c.value).where(secrets.c.name == "cursors").scalar_subquery(),
    )
)
_HEADLINES = Lookup(versions.c.headline)
_CONTENTS = Lookup(CONTENT)
_CONTENTS_AND_STATUS = Lookup(CONTENT, EFFECTIVE, of_article=True)
_CHANGED = PreparedRead(
    select(changes.c.id)
    .where(changes.c.seq > bindparam("seq"))
    .distinct()
    .limit(bindparam("limit"))
)
_CHANGES = (
    select(changes)
    .where(changes.c.seq > bindparam("since"))
    .order_by(changes.c.seq)
    .limit(bindparam("limit"))
)
_IS_CURRENT = (articles.c.version == versions.c.version).label("current")
_STORED = select(
    articles.c.id,
    versions.c.version,
    versions.c.seq,
    versions.c.at,
    versions.c.content,
    _IS_CURRENT,
    EFFECTIVE,
).select_from(articles)
_GET_CURRENT = _STORED.join(versions, OF_CURRENT).where(
    articles.c.id == bindparam("id")
)
_GET_VERSION = _STORED.join(versions, versions.c.id == articles.c.id).where(
    articles.c.id == bindparam("id"), versions.c.version == bindparam("version")
)
_PAGE = (
    _STORED.join(versions, OF_CURRENT)
    .where(articles.c.id > bindparam("after"), SEARCHABLE)
    .order_by(articles.c.id)
    .limit(bindparam("limit"))
    .execution_options(yield_per=_AT_ONCE)
)
_CHANGES_BEFORE = (
    select(changes)
    .where(changes.c.seq < bindparam("before"))
    .order_by(changes.c.seq.desc())
    .limit(bindparam("limit"))
)
_HIDING_BEFORE = _CHANGES_BEFORE.where(tables.hiding)
_CHANGED_AT = PreparedRead(
    select(changes.c.at).where(changes.c.seq == bindparam("seq"))
)
_STORED_AT = Lookup(versions.c.at)
_HAS_VERSION = PreparedRead(
    select(versions.c.version).where(
        versions.c.id == bindparam("id"), versions.c.version == bindparam("version")
    )
)
_COUNT_ARTICLES = select(func.count()).select_from(articles)
_COUNT_SEARCHABLE = _COUNT_ARTICLES.where(SEARCHABLE)
_COUNT_VERSIONS = select(func.count()).select_from(versions)


class View:
    """A snapshot of the store, for one thread, until the block that opened it ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._reads: list[Generator[Any]] = []  # that may be under way
        # The first read fixes the snapshot, and has what every answer needs.
        ((seq, epoch, key),) = _STATE.rows(connection)
        # An epoch is a history of changes; restoring a backup starts a new one.
        self.seq, self.epoch = int(seq), int(epoch)
        self._cursor_key: bytes | None = key

    def close(self) -> None:
        """End all reads that were begun, also if somebody still holds them."""
        for read in self._reads:
            read.close()

    @property
    def moved_to(self) -> str | None:
        """Where the store was moved, in words; ``None`` if it was not."""
        return moved_to(self._connection)

    @property
    def cursor_key(self) -> bytes:
        """Key that the cursors of this store are encrypted with.

        :raises StoreUnavailable: it is lost or damaged.
        """
        if self._cursor_key is not None and len(self._cursor_key) == CURSOR_KEY_BYTES:
            return self._cursor_key
        raise StoreUnavailable(
            "the key of the store's cursors is lost or damaged; restore a backup"
        )

    def hidden_since(self, seq: int) -> frozenset[str]:
        """Ids of articles that a change after ``seq`` may have hidden."""
        if seq >= self.seq:
            return frozenset()
        return frozenset(row[0] for row in _HIDDEN.rows(self._connection, seq=seq))

    def changed_since(self, seq: int, limit: int) -> frozenset[str]:
        """Ids of articles that changed after ``seq``, at most ``limit``."""
        if seq >= self.seq:
            return frozenset()
        rows = _CHANGED.rows(self._connection, seq=seq, limit=limit)
        return frozenset(row[0] for row in rows)

    def last_ends(self, now: int) -> tuple[int | None, int | None]:
        """The last embargo that had ended by ``now``, and the last expiry.

        All in microseconds since 1970 UTC. Without a write, articles appear and
        disappear at these instants only.
        """
        ((embargo, expiry),) = _LAST_ENDS.rows(self._connection, now=now)
        return embargo, expiry

    def changes(self, since: int, limit: int) -> tuple[Change, ...]:
        """Changes after ``since``, at most ``limit``, the oldest first."""
        rows = self._connection.execute(_CHANGES, {"since": since, "limit": limit})
        return tuple(_change(row) for row in rows)

    def changes_before(
        self, before: int, limit: int, *, hiding: bool
    ) -> tuple[Change, ...]:
        """Changes before a seq, at most ``limit``, the newest first.

        :param hiding: only those that may hide an article from some reader; these come
            from a small index.
        """
        statement = _HIDING_BEFORE if hiding else _CHANGES_BEFORE
        rows = self._connection.execute(statement, {"before": before, "limit": limit})
        return tuple(_change(row) for row in rows)

    def changed_at(self) -> int:
        """Instant of the newest change, in microseconds since 1970 UTC; 0 before it."""
        for (at,) in _CHANGED_AT.rows(self._connection, seq=self.seq):
            return int(at)
        return 0

    def stored_at(self, keys: Iterable[tuple[str, str]]) -> dict[str, datetime]:
        """When versions of articles were stored, by the id of the article."""
        rows = self._looked_up(_STORED_AT, keys)
        return {article_id: from_micros(at) for article_id, _, at in rows}

    def get(self, article_id: str, version: str | None = None) -> Stored:
        """A version of an article, by default the current one.

        It does not check who may see it; see :meth:`standing`.

        :raises ArticleNotFound: there is no such article or version.
        """
        row = self._connection.execute(
            _GET_CURRENT if version is None else _GET_VERSION,
            {
                "id": article_id,
                "version": None if version is None else plain_version(version),
            },
        ).one_or_none()
        if row is None:
            raise ArticleNotFound(article_id, version)
        return Stored(
            article=read_article(row.id, row.version, row.content, row.effective),
            current=bool(row.current),
            seq=row.seq,
            at=from_micros(row.at),
        )

    def pending(self, since: int, limit: int) -> tuple[Pending, ...]:
        """Changes after ``since`` as the indexer needs them, the oldest first."""
        return pending_changes(self._connection, since, limit)

    def indexable(self, article_id: str) -> Indexable | None:
        """Current version of an article; ``None`` if there is none, or it is killed."""
        return indexable(self._connection, article_id)

    def clippings(
        self, keys: Iterable[tuple[str, str]], fields: Sequence[str] = ()
    ) -> Iterator[tuple[tuple[str, str], Clipping]]:
        """Yield clippings of versions by (id, version), in any order.

        Those that do not exist are left out. Each is read when the one before it has
        been used.

        :param fields: names of fields that the clippings are to have.
        """
        lookup = _CONTENTS_AND_STATUS if "status" in fields else _CONTENTS
        key = ("", "")
        try:
            for article_id, version, content, *status in self._looked_up(lookup, keys):
                key = article_id, version
                yield key, Clipping(*key, content, fields, *status)
        except (ValueError, InvalidArticle) as error:
            raise unreadable(*key, error) from error

    def headlines(
        self, keys: Iterable[tuple[str, str]]
    ) -> Iterator[tuple[tuple[str, str], str | None]]:
        """Yield headlines of versions by (id, version), in any order; reads no text."""
        for article_id, version, headline in self._looked_up(_HEADLINES, keys):
            yield (article_id, version), headline

    def _looked_up(
        self, lookup: Lookup, keys: Iterable[tuple[str, str]]
    ) -> Generator[Any]:
        rows = lookup.rows(self._connection, keys)
        self._reads.append(rows)
        return rows

    def repeats(self, contents: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those contents that repeat an older version, and not the current one.

        :param contents: article ids, each with a digest of the content that was sent.
        """
        current: set[tuple[str, str]] = set()
        older: set[tuple[str, str]] = set()
        for chunk in chunks(contents):
            ids, digests = zip(*chunk, strict=True)
            rows = self._connection.execute(
                select(versions.c.id, versions.c.sent, _IS_CURRENT)
                .join(articles, articles.c.id == versions.c.id)
                .where(versions.c.id.in_(set(ids)), versions.c.sent.in_(set(digests)))
            )
            for row in rows:
                (current if row.current else older).add((row.id, row.sent))
        return (older - current) & set(contents)

    def sources(self, ids: Sequence[str]) -> dict[str, str | None]:
        """The source of each of these articles that is stored, by id."""
        sources: dict[str, str | None] = {}
        for chunk in chunks(tuple(set(ids))):
            rows = self._connection.execute(_VALUES, {"ids": chunk})
            for article_id, values in rows:
                sources[article_id] = next(
                    iter(json.loads(values).get("source", ())), None
                )
        return sources

    def version_numbers(self, article_id: str) -> list[str]:
        """Numbers of an article's versions, the highest first.

        :raises ArticleNotFound: there is no such article.
        """
        return numbers_of(self._connection, article_id)

    def versions(
        self, article_id: str, numbers: Sequence[str] | None = None
    ) -> tuple[VersionInfo, ...]:
        """The versions of an article, the highest first; reads no text of them.

        :param numbers: of these versions only, in their order; each must exist.
        :raises ArticleNotFound: there is no such article.
        """
        if numbers is None:
            numbers = self.version_numbers(article_id)
        return tuple(listed(self._connection, article_id, numbers))

    def has_version(self, article_id: str, version: str) -> bool:
        """Whether a version of an article is stored, by its stored number."""
        rows = _HAS_VERSION.rows(self._connection, id=article_id, version=version)
        return bool(rows)

    def chain(self, article_id: str, reader: Reader, now: int) -> Chain:
        """The chain of an article, as far as a reader may see it."""
        return chain_of(self._connection, article_id, reader, now)

    def current_version(self, article_id: str) -> str | None:
        """Number of the current version of an article; ``None`` if there is none."""
        return current_version(self._connection, article_id)

    def standing(self, article_id: str) -> Standing | None:
        """Status, dates and values that decide who may see an article."""
        return standing_of(self._connection, article_id)

    def standings(self, ids: Iterable[str]) -> dict[str, tuple[str, Standing]]:
        """Current version and standing of each of these articles that exists, by id."""
        return standings_of(self._connection, ids)

    def notice(self, article_id: str) -> Notice | None:
        """The notice of a killed article; ``None`` if it is not killed."""
        return next(iter(self.notices_of([article_id])), None)

    def notices_of(self, ids: Sequence[str]) -> tuple[Notice, ...]:
        """Notices of the killed articles among these, in the order of the ids."""
        return notices_of(self._connection, ids)

    def notices(self, before: int, limit: int) -> tuple[Notice, ...]:
        """Notices with a smaller seq than ``before``, the newest first."""
        return notices_before(self._connection, before, limit)

    def killed_until(self, article_id: str) -> str | None:
        """The version up to which an article was killed, even if the kill is over.

        ``None`` if it never was, or if none of its versions was stored then.
        """
        return killed_until(self._connection, article_id)

    def original(self, article_id: str, version: str) -> Original | None:
        """Original of a version; ``None`` if parsing changed nothing."""
        return original_of(self._connection, article_id, version)

    def current(self, after: str = "", limit: int = CHUNK) -> tuple[Article, ...]:
        """Current versions of articles with ids above ``after``, by id.

        Killed articles are left out: their text must not be used any more.
        """
        return tuple(self._page(after, limit))

    def iterate(self) -> Iterator[Article]:
        """Yield the current version of every article that is not killed, by id.

        They are read one by one: a page of large articles may not fit into memory.
        """
        walk = self._every()
        self._reads.append(walk)
        return walk

    def _every(self) -> Generator[Article]:
        after, count = "", CHUNK
        while count == CHUNK:
            count = 0
            for article in self._page(after, CHUNK):
                yield article
                after, count = article.id, count + 1

    def _page(self, after: str, limit: int) -> Iterator[Article]:
        page = {"after": after, "limit": limit}
        with closing(self._connection.execute(_PAGE, page)) as rows:
            for row in rows:
                yield read_article(row.id, row.version, row.content, row.effective)

    def count(self) -> int:
        """Number of articles."""
        return self._connection.execute(_COUNT_ARTICLES).scalar_one()

    def counts(self) -> Counts:
        """Numbers of articles and versions."""
        versions_ = self._connection.execute(_COUNT_VERSIONS).scalar_one()
        return Counts(
            articles=self.count(), versions=versions_, searchable=self.searchable()
        )

    def searchable(self) -> int:
        """Number of articles that are not killed."""
        return self._connection.execute(_COUNT_SEARCHABLE).scalar_one()


def _change(row: Any) -> Change:
    """Change from its row of the log."""
    return Change(
        seq=row.seq,
        type=row.type,
        id=row.id,
        version=row.version,
        at=from_micros(row.at),
        hides=row.hides,
        facts=row.facts,
    )
