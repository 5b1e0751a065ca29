"""The store as it is read: one unchanging state of it, and the records it gives."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    case,
    false,
    func,
    literal_column,
    select,
    tuple_,
)

from index.access import (
    CANCELED,
    NO_EMBARGO,
    NO_EXPIRY,
    STATUSES,
    Audience,
    Restrictions,
    Standing,
    restrictions_of,
)
from index.article import Article, Status, article_of, content_digest
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
    version_key,
)
from index.query import Reader
from index.store import tables
from index.store.clippings import Clipping
from index.store.lineage import chain_of
from index.store.sqlite.connections import Direct
from index.store.tables import articles, changes, notices, state, versions

T = TypeVar("T")
CHUNK = 500  # values in one IN (…), articles in one page


# Statements are made once: building one costs more than running it.
VALUE = select(state.c.value).where(state.c.name == bindparam("name"))
_VALUE = Direct(VALUE)
_HIDDEN = Direct(
    select(changes.c.id).where(changes.c.seq > bindparam("seq"), tables.hiding)
)
# The numbers stand in the text: where they were values, SQLite would have to look at
# them, and plan anew each time, to see that the small indexes serve.
_TURNED = Direct(
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
OF_CURRENT = (versions.c.id == articles.c.id) & (
    versions.c.version == articles.c.version
)
SEARCHABLE = articles.c.status != literal_column(str(CANCELED))
_EFFECTIVE = case(
    (articles.c.version == versions.c.version, articles.c.status), else_=None
).label("effective")
_CONTENT = Direct(
    select(versions.c.id, versions.c.version, versions.c.content, _EFFECTIVE)
    .join(articles, articles.c.id == versions.c.id)
    .where(versions.c.id == bindparam("id"), versions.c.version == bindparam("version"))
)
_INDEXABLE = Direct(
    select(articles.c.id, versions.c.version, versions.c.content, articles.c.status)
    .join(versions, OF_CURRENT)
    .where(articles.c.id == bindparam("id"), SEARCHABLE)
)
_CHANGED = Direct(
    select(changes.c.id)
    .where(changes.c.seq > bindparam("seq"))
    .distinct()
    .limit(bindparam("limit"))
)
# A notice is over once a newer version shows.
IN_FORCE = (notices.c.over == false()) & (
    notices.c.status == literal_column(str(CANCELED))
)
_NOTICES_OF = select(notices).where(
    notices.c.id.in_(bindparam("ids", expanding=True)), IN_FORCE
)
_KILLED_UNTIL = select(
    case((notices.c.over | IN_FORCE, notices.c.version), else_=notices.c.before)
).where(notices.c.id == bindparam("id"))
_NOTICES = (
    select(notices)
    .where(notices.c.seq < bindparam("before"), IN_FORCE)
    .order_by(notices.c.seq.desc())
    .limit(bindparam("limit"))
)
_CHANGES = (
    select(changes)
    .where(changes.c.seq > bindparam("since"))
    .order_by(changes.c.seq)
    .limit(bindparam("limit"))
)
_IS_CURRENT = (articles.c.version == versions.c.version).label("current")
_KEPT = select(
    articles.c.id,
    versions.c.version,
    versions.c.seq,
    versions.c.at,
    versions.c.content,
    _IS_CURRENT,
    _EFFECTIVE,
).select_from(articles)
_GET_CURRENT = _KEPT.join(versions, OF_CURRENT).where(articles.c.id == bindparam("id"))
_GET_VERSION = _KEPT.join(versions, versions.c.id == articles.c.id).where(
    articles.c.id == bindparam("id"), versions.c.version == bindparam("version")
)
_PAGE = (
    _KEPT.join(versions, OF_CURRENT)
    .where(articles.c.id > bindparam("after"), SEARCHABLE)
    .order_by(articles.c.id)
    .limit(bindparam("limit"))
)
_VERSIONS = (
    select(
        versions.c.version,
        versions.c.seq,
        versions.c.at,
        versions.c.status,
        versions.c.headline,
        _IS_CURRENT,
    )
    .join(articles, articles.c.id == versions.c.id)
    .where(versions.c.id == bindparam("id"))
)
RESTRICTING = [articles.c[name] for name in Restrictions._fields]
_THIS = articles.c.id == bindparam("id")
_CURRENT_VERSION = select(articles.c.version).where(_THIS)
_STANDING = select(*RESTRICTING, articles.c["values"]).where(_THIS)
_COUNT_ARTICLES = select(func.count()).select_from(articles)
_COUNT_SEARCHABLE = _COUNT_ARTICLES.where(SEARCHABLE)
_COUNT_VERSIONS = select(func.count()).select_from(versions)
_LOG_BOUNDS = select(
    func.min(changes.c.seq), func.max(changes.c.seq), func.count(changes.c.seq)
)
_LOST_CURRENT = (
    select(articles.c.id, articles.c.version)
    .join(versions, OF_CURRENT, isouter=True)
    .where(versions.c.id.is_(None))
)
_ALL_VERSIONS = (
    select(
        versions.c.id,
        versions.c.version,
        versions.c.digest,
        versions.c.status.label("own_status"),
        versions.c.headline,
        versions.c.content,
        articles.c.version.label("current"),
        *RESTRICTING,
    )
    .join(articles, articles.c.id == versions.c.id)
    .where(
        tuple_(versions.c.id, versions.c.version)
        > tuple_(bindparam("id"), bindparam("version"))
    )
    .order_by(versions.c.id, versions.c.version)
    .limit(bindparam("limit"))
)


class View:
    """The store as it was at one instant; for one thread, until its block ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # The first read fixes the snapshot.
        self.seq: int = value_of(connection, "seq")

    @cached_property
    def epoch(self) -> int:
        """Which history of changes this is; a store that is restored gets another."""
        return value_of(self._connection, "epoch")

    @property
    def connection(self) -> Connection:
        """What it reads through, for those who know the tables."""
        return self._connection

    def hidden_since(self, seq: int) -> frozenset[str]:
        """Return the ids of articles that a change after ``seq`` may have hidden."""
        if seq >= self.seq:
            return frozenset()
        return frozenset(row[0] for row in _HIDDEN.rows(self._connection, seq=seq))

    def changed_since(self, seq: int, limit: int) -> frozenset[str]:
        """Return the ids of articles that changed after ``seq``, at most so many."""
        if seq >= self.seq:
            return frozenset()
        rows = _CHANGED.rows(self._connection, seq=seq, limit=limit)
        return frozenset(row[0] for row in rows)

    def turned(self, now: int) -> tuple[int | None, int | None]:
        """Return the last embargo that ended and the last expiry that fell, by ``now``.

        In microseconds since 1970 UTC: what shows changes at no other instants.
        """
        ((embargo, expiry),) = _TURNED.rows(self._connection, now=now)
        return embargo, expiry

    def changes(self, since: int, limit: int) -> tuple[Change, ...]:
        """Return changes after ``since``, oldest first."""
        rows = self._connection.execute(_CHANGES, {"since": since, "limit": limit})
        return tuple(
            Change(
                seq=row.seq,
                type=row.type,
                id=row.id,
                version=row.version,
                at=from_micros(row.at),
                hides=row.hides,
                facts=row.facts,
            )
            for row in rows
        )

    def get(self, article_id: str, version: str | None = None) -> Stored:
        """Return a version of an article, by default the current one.

        Who may see it is not asked here; see :meth:`standing`.

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

    def many(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Article]:
        """Return articles by (id, version); those that are not there are left out."""
        return {
            key: read_article(*key, text, status)
            for key, text, status in self._contents(keys)
        }

    def indexable(self, ids: Iterable[str]) -> dict[str, Article]:
        """Return the current versions of articles that are there and not killed."""
        rows = _INDEXABLE.rows_of_each(self._connection, [{"id": id_} for id_ in ids])
        return {row[0]: read_article(*row) for row in rows}

    def clippings(
        self, keys: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], Clipping]:
        """Return the same versions as :meth:`many`, to show something of each."""
        found: dict[tuple[str, str], Clipping] = {}
        key = ("", "")
        try:
            for key, text, status in self._contents(keys):
                effective = None if status is None else STATUSES[status]
                found[key] = Clipping(*key, text, effective)
        except (ValueError, InvalidArticle) as error:
            raise _unreadable(*key, error) from error
        return found

    def _contents(
        self, keys: Iterable[tuple[str, str]]
    ) -> Iterator[tuple[tuple[str, str], str, int | None]]:
        for row in _CONTENT.rows_of_each(
            self._connection,
            [{"id": key[0], "version": key[1]} for key in dict.fromkeys(keys)],
        ):
            yield row[:2], row[2], row[3]

    def repeats(self, contents: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return those of an older version of the article that its current is not.

        :param contents: article ids, each with a digest of the content that was sent.
        """
        found: dict[bool, set[tuple[str, str]]] = {True: set(), False: set()}
        for chunk in chunks(contents):
            ids, digests = zip(*chunk, strict=True)
            rows = self._connection.execute(
                select(versions.c.id, versions.c.sent, _IS_CURRENT)
                .join(articles, articles.c.id == versions.c.id)
                .where(versions.c.id.in_(set(ids)), versions.c.sent.in_(set(digests)))
            )
            for row in rows:
                found[bool(row.current)].add((row.id, row.sent))
        return (found[False] - found[True]) & set(contents)

    def versions(self, article_id: str) -> tuple[VersionInfo, ...]:
        """Return the versions of an article, the highest first.

        :raises ArticleNotFound: there is no such article.
        """
        rows = self._connection.execute(_VERSIONS, {"id": article_id}).all()
        if not rows:
            raise ArticleNotFound(article_id)
        return tuple(
            VersionInfo(
                version=row.version,
                current=bool(row.current),
                seq=row.seq,
                at=from_micros(row.at),
                status=Status(row.status),
                headline=row.headline,
            )
            for row in sorted(
                rows, key=lambda row: version_key(row.version), reverse=True
            )
        )

    def chain(self, article_id: str, reader: Reader, now: int) -> Chain:
        """Return the chain of an article, as far as a reader may see it."""
        return chain_of(self._connection, self.many, article_id, reader, now)

    def current_version(self, article_id: str) -> str | None:
        """Return which version of an article is current; ``None`` if there is none."""
        return current_version(self._connection, article_id)

    def standing(self, article_id: str) -> Standing | None:
        """Return who may see an article, ``None`` if there is none."""
        return standing_of(self._connection, article_id)

    def notice(self, article_id: str) -> Notice | None:
        """Return the notice of a killed article, ``None`` if it is not killed."""
        return next(iter(self.notices_of([article_id])), None)

    def notices_of(self, ids: Sequence[str]) -> tuple[Notice, ...]:
        """Return the notices of those articles that are killed, in the order of ids."""
        found: dict[str, Notice] = {}
        for some in chunks(ids):
            rows = self._connection.execute(_NOTICES_OF, {"ids": some})
            found |= {row.id: _notice(row) for row in rows}
        return tuple(found[each] for each in ids if each in found)

    def killed_until(self, article_id: str) -> str | None:
        """Return up to which version an article was killed, be it over since.

        ``None`` if it never was, or none of it was here.
        """
        return self._connection.execute(
            _KILLED_UNTIL, {"id": article_id}
        ).scalar_one_or_none()

    def notices(self, before: int, limit: int) -> tuple[Notice, ...]:
        """Return notices with a smaller seq, the newest first."""
        rows = self._connection.execute(_NOTICES, {"before": before, "limit": limit})
        return tuple(_notice(row) for row in rows)

    def current(self, after: str = "", limit: int = CHUNK) -> tuple[Article, ...]:
        """Return current versions in the order of their ids, those after an id.

        Killed articles are left out: nothing is done with their text any more.
        """
        rows = self._connection.execute(_PAGE, {"after": after, "limit": limit})
        return tuple(
            read_article(row.id, row.version, row.content, row.effective)
            for row in rows
        )

    def iterate(self) -> Iterator[Article]:
        """Yield the current version of every article that is not killed, by id."""
        page = self.current()
        while page:
            yield from page
            page = self.current(after=page[-1].id)

    def count(self) -> int:
        """Return the number of articles."""
        return self._connection.execute(_COUNT_ARTICLES).scalar_one()

    def counts(self) -> Counts:
        """Return how many articles and versions there are."""
        kept = self._connection.execute(_COUNT_VERSIONS).scalar_one()
        return Counts(
            articles=self.count(), versions=kept, searchable=self.searchable()
        )

    def searchable(self) -> int:
        """Return the number of articles that are not killed."""
        return self._connection.execute(_COUNT_SEARCHABLE).scalar_one()

    def problems(self) -> Iterator[str]:
        """Yield every contradiction, each as a sentence; reads everything."""
        yield from tables.quick_check(self._connection)
        yield from self._problems_of_log()
        for row in self._connection.execute(_LOST_CURRENT):
            yield f"version {row.version} of {row.id} is current, but not there"
        statuses = self._logged_statuses()
        after = ("", "")
        while page := self._connection.execute(
            _ALL_VERSIONS, {"id": after[0], "version": after[1], "limit": CHUNK}
        ).all():
            for row in page:
                yield from _problems_of(row, statuses.get(row.id))
            after = (page[-1].id, page[-1].version)

    def _logged_statuses(self) -> dict[str, int]:
        """Return the status that the log last gave each article."""
        found: dict[str, int] = {}
        since = 0
        while page := self.changes(since, CHUNK):
            for change in page:
                _, after = change.standings()
                if after is not None:
                    found[change.id] = after.restrictions.status
            since = page[-1].seq
        return found

    def _problems_of_log(self) -> Iterator[str]:
        first, last, entries = self._connection.execute(_LOG_BOUNDS).one()
        if entries != self.seq or (entries and (first, last) != (1, self.seq)):
            yield (
                f"the change log holds {entries} entries from {first} to {last},"
                f" and its counter stands at {self.seq}"
            )


def current_version(connection: Connection, article_id: str) -> str | None:
    """Return which version of an article is current, ``None`` if there is none."""
    rows = connection.execute(_CURRENT_VERSION, {"id": article_id})
    return rows.scalar_one_or_none()


def standing_of(connection: Connection, article_id: str) -> Standing | None:
    """Return how an article stands, ``None`` if there is none."""
    row = connection.execute(_STANDING, {"id": article_id}).one_or_none()
    if row is None:
        return None
    return Standing(Restrictions(*row[:-1]), json.loads(row[-1]))


def value_of(connection: Connection, name: str) -> int:
    """Return a number that the store keeps, such as ``seq`` or ``epoch``."""
    ((value,),) = _VALUE.rows(connection, name=name)
    return int(value)


def read_article(
    article_id: str, version: str, content: str, status: int | None = None
) -> Article:
    """Return the article that a version holds.

    :param status: what counts instead of the one that was sent with it.
    """
    try:
        document = {**json.loads(content), "version": version}
        if status is not None:
            document["status"] = STATUSES[status].value
        return article_of(document)
    except (ValueError, InvalidArticle) as error:
        raise _unreadable(article_id, version, error) from error


def _unreadable(article_id: str, version: str, error: Exception) -> StoreUnavailable:
    return StoreUnavailable(
        f"version {version} of {article_id} cannot be read ({error});"
        " run nutgraf verify"
    )


def _notice(row: Any) -> Notice:
    return Notice(
        id=row.id,
        version=row.version,
        seq=row.seq,
        at=from_micros(row.at),
        note=row.note,
        replacement=row.replacement,
        cascade=row.cascade,
        audience=Audience.read(json.loads(row.facts), row.at),
        purged=None if row.purged is None else from_micros(row.purged),
    )


def _problems_of(row: Any, status: int | None) -> Iterator[str]:
    """Yield what contradicts itself in one version.

    :param status: that the log last gave the article, where it did.
    """
    name = f"version {row.version} of {row.id}"
    if content_digest(row.content) != row.digest:
        yield f"{name} is not what was stored: its digest differs"
        return
    try:
        article = read_article(row.id, row.version, row.content)
    except StoreUnavailable as error:
        yield str(error)
        return
    if (article.id, article.status.value, article.headline) != (
        row.id,
        row.own_status,
        row.headline,
    ):
        yield f"{name} differs from its own columns"
    if row.version == row.current:
        expected = restrictions_of(article)
        if status is not None:
            # That of a kill, or of what took it back.
            expected = expected._replace(status=status)
        if expected != Restrictions(*row[-3:]):
            yield f"{name} is current, and the article's restrictions are not its own"
    elif version_key(row.version) > version_key(row.current):
        yield f"{name} is higher than {row.current}, which is current"


def among(keys: Iterable[tuple[str, str]]) -> ColumnElement[bool]:
    """Return a condition that holds for these (id, version), and may for a few others.

    SQLite has no use of its index for pairs in one list; for two lists it has.
    """
    ids, numbers = zip(*keys, strict=True)
    return versions.c.id.in_(set(ids)) & versions.c.version.in_(set(numbers))


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield a sequence in pieces of at most :data:`CHUNK`."""
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
