"""Writing a batch of articles, in the caller's transaction.

:mod:`index.history` has the rules. This reads what they need and writes the rows that
they give.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from index.access import Audience, Restrictions, shown
from index.article import Article, Draft, Original, Status, draft_of
from index.errors import InputError, InvalidArticle
from index.history import Batch, Current, Killed, Outcome, Written, plain_version
from index.query import PUBLIC, Reader
from index.store.change_log import SET_STATE, audiences, locked_seq
from index.store.notices import write_notices
from index.store.originals import insert_originals, packed
from index.store.rows import OF_CURRENT, RESTRICTING, among, chunks
from index.store.tables import articles, changes, replaced, superseded, versions
from index.store.transactions import Withdrawal
from index.store.withdrawal import kill_joined, killed_of

_UPDATE_ARTICLE = (
    update(articles)
    .where(articles.c.id == bindparam("of"))
    .values({c: bindparam(c.name) for c in articles.c if not c.primary_key})
)
_DELETE_VERSION = delete(versions).where(
    versions.c.id == bindparam("of"), versions.c.version == bindparam("one")
)
_THIS_VERSION = (versions.c.id == bindparam("of")) & (
    versions.c.version == bindparam("one")
)
_CONTENT = select(versions.c.content).where(_THIS_VERSION)
_OF_VERSION = (replaced.c.id == bindparam("of")) & (
    replaced.c.version == bindparam("one")
)
_REPLACED = select(replaced.c.digest).where(_OF_VERSION)
# Content that comes and goes by force is replaced more than once.
_DELETE_REPLACED = delete(replaced).where(
    _OF_VERSION, replaced.c.digest == bindparam("sent")
)
_INSERT_REPLACED = insert(replaced).values(
    id=bindparam("of"), version=bindparam("one"), digest=bindparam("sent")
)


def stored_form(draft: Draft) -> Draft:
    """Draft with the stored form of its version number, and its original packed."""
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
    amend: bool = False,
    reader: Reader = PUBLIC,
) -> tuple[Written | InputError, ...]:
    """Store articles and return the outcome of each; see ``Store.put``.

    :param drafts: in their :func:`stored_form`; an error is the outcome of its own.
    :param reader: the writer; whether they may write each is not checked here.
    """
    incoming = [draft.article for draft in drafts if isinstance(draft, Draft)]
    currents = _currents(connection, incoming)
    if amend:
        _read_amendable(connection, incoming, currents)
    killed = killed_of(connection, incoming, reader)
    batch = Batch(
        locked_seq(connection),
        at,
        currents,
        killed,
        _audiences(connection, incoming, currents, killed, at),
    )
    originals: dict[tuple[str, str], Original] = {}
    outcomes: list[Written | InputError] = []
    for draft in drafts:
        if isinstance(draft, InputError):
            outcomes.append(draft)
            continue
        try:
            written = batch.put(
                draft.article, draft.text, draft.digest, force=force, amend=amend
            )
        except InputError as error:
            outcomes.append(error)
            continue
        outcomes.append(written)
        if written.outcome is not Outcome.UNCHANGED:
            # A version that the batch replaces again keeps the last original only.
            originals.pop((written.id, written.version), None)
            if draft.original is not None:
                originals[written.id, written.version] = draft.original
    _write(connection, batch, reader)
    insert_originals(connection, originals)
    return tuple(outcomes)


def _currents(connection: Connection, batch: Sequence[Article]) -> dict[str, Current]:
    """The current versions of a batch's articles, by id."""
    currents: dict[str, Current] = {}
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
            currents[row.id] = Current(
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
        and article.id in currents
        and article.version != currents[article.id].version
    }
    for keys in chunks(tuple(others)):
        for row in connection.execute(
            select(versions.c.id, versions.c.version, versions.c.sent).where(
                among(keys)
            )
        ):
            currents[row.id].digests[row.version] = row.sent
    return currents


def _read_amendable(
    connection: Connection, batch: Sequence[Article], currents: Mapping[str, Current]
) -> None:
    """Read the contents that a batch may amend, and what they replaced."""
    keys = [
        (article.id, article.version)
        for article in batch
        if article.version is not None
        and article.id in currents
        and article.version in currents[article.id].digests
    ]
    for key in dict.fromkeys(keys):
        current = currents[key[0]]
        of_key = {"of": key[0], "one": key[1]}
        for (content,) in connection.execute(_CONTENT, of_key):
            current.contents[key[1]] = content
        digests = connection.execute(_REPLACED, of_key).scalars()
        current.replaced[key[1]] = set(digests)


def _audiences(
    connection: Connection,
    batch: Sequence[Article],
    currents: Mapping[str, Current],
    killed: Mapping[str, Killed],
    at: int,
) -> dict[str, Audience]:
    """Earlier readers of the articles that a batch may kill, by id.

    Of articles that everybody can see now the log need not be read.
    """
    ids = {article.id for article in batch if article.status is Status.CANCELED}
    ids |= {id_ for id_, kill in killed.items() if kill.adopted is not None}
    hidden = {
        id_
        for id_ in ids
        if id_ not in currents or not shown(*currents[id_].restrictions, at)
    }
    return audiences(connection, hidden)


def _write(connection: Connection, batch: Batch, reader: Reader) -> None:
    """Write a batch's rows, one statement a table; no statement for no rows."""
    gone = [
        {"of": article_id, "one": version, "sent": digest}
        for (article_id, version), digests in sorted(batch.replaced.items())
        for digest in sorted(digests)
    ]
    for statement, rows in (
        (insert(articles), list(batch.created.values())),
        (_UPDATE_ARTICLE, [{"of": id_, **row} for id_, row in batch.updated.items()]),
        (_DELETE_VERSION, [{"of": i, "one": v} for i, v in sorted(batch.replaced)]),
        (_DELETE_REPLACED, gone),
        (_INSERT_REPLACED, gone),
        (insert(versions), list(batch.versions.values())),
        (insert(superseded), list(batch.superseded.values())),
        (insert(changes), batch.changes),
        (SET_STATE, [{"of": "seq", "value": batch.seq}] if batch.changes else []),
    ):
        if rows:
            connection.execute(statement, rows)
    if batch.notices or batch.raised:
        write_notices(connection, batch)
    if batch.joined:
        kill_joined(connection, batch.joined, at=batch.at, reader=reader)


def stored_draft(article: Article | Draft) -> Draft | InvalidArticle:
    """An article as it is stored, or the reason why it cannot be."""
    try:
        return stored_form(article if isinstance(article, Draft) else draft_of(article))
    except InvalidArticle as error:
        return error


def scope_of(drafts: Sequence[Draft | InvalidArticle]) -> Withdrawal | list[str]:
    """The withdrawal that a batch is; the ids of its articles if not all are kills."""
    kills = [
        draft
        for draft in drafts
        if isinstance(draft, Draft) and draft.article.status is Status.CANCELED
    ]
    if len(kills) < len(drafts):
        return [draft.article.id for draft in drafts if isinstance(draft, Draft)]
    size = sum(draft.size + _bytes_sent(draft) for draft in kills)
    return Withdrawal([draft.article.id for draft in kills], lambda _: size)


def _bytes_sent(draft: Draft) -> int:
    return 0 if draft.original is None else len(draft.original.data)
