"""Writing articles: a batch of them, in one transaction of the caller's.

:mod:`index.history` has the rules; what it must know is read here, and the rows that
it makes are written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from index.access import Audience, Restrictions, shown
from index.article import Article, Draft, Original, Status
from index.errors import InputError
from index.history import Batch, Current, Killed, Outcome, Written, plain_version
from index.query import PUBLIC, Reader
from index.store.change_log import SET_STATE, audiences, locked_seq
from index.store.originals import keep_originals, packed
from index.store.tables import articles, changes, versions
from index.store.view import OF_CURRENT, RESTRICTING, among, chunks
from index.store.withdrawal import keep_notices, kill_joined, killed_of

_UPDATE_ARTICLE = (
    update(articles)
    .where(articles.c.id == bindparam("of"))
    .values({each: bindparam(each.name) for each in articles.c if not each.primary_key})
)
_DELETE_VERSION = delete(versions).where(
    versions.c.id == bindparam("of"), versions.c.version == bindparam("one")
)


def as_kept(draft: Draft) -> Draft:
    """Draft with the version that the article is kept as, and its original packed."""
    article, original = draft.article, draft.original
    version = article.version
    if version is not None and plain_version(version) != version:
        draft = replace(draft, article=replace(article, version=plain_version(version)))
    return draft if original is None else replace(draft, original=packed(original))


def put(
    connection: Connection,
    drafts: Sequence[Draft | InputError],
    *,
    at: int,
    force: bool = False,
    reader: Reader = PUBLIC,
) -> tuple[Written | InputError, ...]:
    """Keep articles and return what became of each; see ``Store.put``.

    :param drafts: as :func:`as_kept` gives them.
    :param reader: who writes them; which of them they may is not looked at here.
    """
    given = [each.article for each in drafts if isinstance(each, Draft)]
    currents = _currents(connection, given)
    killed = killed_of(connection, given, reader)
    write = Batch(
        locked_seq(connection),
        at,
        currents,
        killed,
        _audiences(connection, given, currents, killed, at),
    )
    kept: dict[tuple[str, str], Original] = {}
    results: list[Written | InputError] = []
    for each in drafts:
        if isinstance(each, InputError):
            results.append(each)
            continue
        try:
            written = write.put(each.article, each.text, each.digest, force=force)
        except InputError as error:
            results.append(error)
            continue
        results.append(written)
        if written.outcome is not Outcome.UNCHANGED:
            # Of a version that is replaced within the batch only the last.
            kept.pop((written.id, written.version), None)
            if each.original is not None:
                kept[written.id, written.version] = each.original
    _insert(connection, write, reader)
    keep_originals(connection, kept)
    return tuple(results)


def _currents(connection: Connection, batch: Sequence[Article]) -> dict[str, Current]:
    """Return what is there of a batch's articles, by id."""
    found: dict[str, Current] = {}
    for ids in chunks(tuple({article.id for article in batch})):
        for row in connection.execute(
            select(
                articles.c.id,
                versions.c.version,
                versions.c.sent,
                articles.c["values"],
                articles.c.published,
                *RESTRICTING,
            )
            .join(versions, OF_CURRENT)
            .where(articles.c.id.in_(ids))
        ):
            found[row.id] = Current(
                row.version,
                Restrictions(*row[5:]),
                {row.version: row.sent},
                json.loads(row[3]),
                row.published,
            )
    others = {
        (article.id, article.version)
        for article in batch
        if article.version is not None
        and article.id in found
        and article.version != found[article.id].version
    }
    for keys in chunks(tuple(others)):
        for row in connection.execute(
            select(versions.c.id, versions.c.version, versions.c.sent).where(
                among(keys)
            )
        ):
            found[row.id].digests[row.version] = row.sent
    return found


def _audiences(
    connection: Connection,
    batch: Sequence[Article],
    currents: Mapping[str, Current],
    killed: Mapping[str, Killed],
    at: int,
) -> dict[str, Audience]:
    """Return who saw what of a batch may be killed by it, by id.

    Of what shows to all now the log need not be asked.
    """
    ids = {each.id for each in batch if each.status is Status.CANCELED}
    ids |= {id_ for id_, each in killed.items() if each.adopted is not None}
    hidden = {
        each
        for each in ids
        if each not in currents or not shown(*currents[each].restrictions, at)
    }
    return audiences(connection, hidden)


def _insert(connection: Connection, write: Batch, reader: Reader) -> None:
    """Write a batch's rows, one statement a table; no statement for no rows."""
    for statement, rows in (
        (insert(articles), list(write.created.values())),
        (_UPDATE_ARTICLE, [{"of": id_, **row} for id_, row in write.updated.items()]),
        (_DELETE_VERSION, [{"of": i, "one": v} for i, v in sorted(write.replaced)]),
        (insert(versions), list(write.versions.values())),
        (insert(changes), write.changes),
        (SET_STATE, [{"of": "seq", "value": write.seq}] if write.changes else []),
    ):
        if rows:
            connection.execute(statement, rows)
    if write.notices or write.raised:
        keep_notices(connection, write)
    if write.joined:
        kill_joined(connection, write.joined, at=write.at, reader=reader)
