"""Restorations: a kill or a withholding is taken back, and something shows again.

What was killed by a call, or withheld, shows as it stands. What was killed by a
canceled version does not: that one is mostly a note that says so. Then the text of the
last usable version becomes current again, as a version of its own, since who has the
canceled one must see that this is newer.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, bindparam, select, update

from index.access import USABLE, entitled, values_of
from index.article import Article, Status, draft_of
from index.errors import (
    ArticleNotFound,
    ArticlePurged,
    InputError,
    InvalidArticle,
    OutsideFilter,
    StatusConflict,
)
from index.history import ChangeType, version_key
from index.query import Reader
from index.store.change_log import append
from index.store.tables import notices, versions
from index.store.view import current_version, read_article, standing_of
from index.store.withdrawal import change_status, last_row
from index.store.writing import as_kept, put

_VERSIONS = select(versions.c.version, versions.c.status).where(
    versions.c.id == bindparam("id")
)
_CONTENT = select(versions.c.content).where(
    versions.c.id == bindparam("id"), versions.c.version == bindparam("version")
)


def reinstate(
    connection: Connection, article_id: str, *, at: int, reader: Reader
) -> int | None:
    """Take a kill or a withholding back; see ``Store.reinstate``."""
    before = standing_of(connection, article_id)
    last = last_row(connection, article_id)
    in_force = last is not None and not last.over
    if before is None and not in_force:
        raise ArticleNotFound(article_id)
    if in_force and last.purged is not None:
        raise ArticlePurged(article_id)
    if in_force:
        # What an earlier kill took back does not come with it.
        connection.execute(
            update(notices)
            .where(notices.c.id == article_id)
            .values(version=last.before, before=None, over=True, cascade=False)
        )
    if before is None:
        return append(
            connection,
            ChangeType.RESTORED,
            article_id,
            None,
            at=at,
            hides=False,
            before=None,
            after=None,
        )
    if before.restrictions.status == USABLE:
        return None
    killed = last.before if in_force else None
    usable = _instead_of_canceled(connection, article_id, killed)
    if usable is None:
        return change_status(
            connection, article_id, before, USABLE, ChangeType.RESTORED, at=at
        )
    if not entitled(reader, values_of(usable)):
        raise OutsideFilter(article_id)
    (written,) = put(connection, [as_kept(draft_of(usable))], at=at, reader=reader)
    if isinstance(written, InputError):
        raise written
    return written.seq


def _instead_of_canceled(
    connection: Connection, article_id: str, killed: str | None
) -> Article | None:
    """Return what is to be current where a canceled version is, else ``None``.

    A version that came withheld is passed over: nobody was ever to read it.

    :param killed: up to which version an earlier kill still holds.
    :raises StatusConflict: there is nothing that was ever to be shown.
    """
    current = current_version(connection, article_id)
    assert current is not None, "it is here"
    rows = connection.execute(_VERSIONS, {"id": article_id}).all()
    statuses = {row.version: row.status for row in rows}
    if statuses[current] != Status.CANCELED.value:
        return None
    last = max(
        (
            version
            for version, status in statuses.items()
            if status == Status.USABLE.value
            and (killed is None or version_key(version) > version_key(killed))
        ),
        key=version_key,
        default=None,
    )
    if last is None:
        raise StatusConflict(
            article_id,
            "arrived canceled, and no usable version of it is stored; send one with a"
            f" higher number than {current}",
        )
    text = connection.execute(
        _CONTENT, {"id": article_id, "version": last}
    ).scalar_one()
    # The next whole number is what the newsroom's own system will give to its next one.
    try:
        return replace(read_article(article_id, last, text), version=f"{current}.1")
    except InvalidArticle as error:
        raise StatusConflict(
            article_id,
            f"arrived canceled, and {current} is too long for a version to follow it;"
            " send one with a higher number",
        ) from error
