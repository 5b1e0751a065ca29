"""Reinstatement: a kill or a withholding is undone, and the article shows again.

An article that was killed or withheld by a call shows as it is stored. One that was
killed by a canceled version does not, since that version is mostly a note of the kill.
Then the text of the last usable version becomes current again, as a version of its own:
readers who have the canceled one must see that this is newer.
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
from index.store.notices import last_notice
from index.store.rows import current_version, read_article, standing_of
from index.store.tables import notices, versions
from index.store.withdrawal import change_status
from index.store.writing import put, stored_form

_VERSIONS = select(versions.c.version, versions.c.status).where(
    versions.c.id == bindparam("id")
)
_CONTENT = select(versions.c.content).where(
    versions.c.id == bindparam("id"), versions.c.version == bindparam("version")
)


def reinstate(
    connection: Connection, article_id: str, *, at: int, reader: Reader
) -> int | None:
    """Undo a kill or a withholding; see ``Store.reinstate``."""
    before = standing_of(connection, article_id)
    last = last_notice(connection, article_id)
    in_force = last is not None and not last.over
    if before is None and not in_force:
        raise ArticleNotFound(article_id)
    if in_force and last.purged is not None:
        raise ArticlePurged(article_id)
    if in_force:
        # An earlier kill that this one replaced still holds for its own versions.
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
    killed_until = last.before if in_force else None
    usable = _last_usable(connection, article_id, killed_until)
    if usable is None:
        return change_status(
            connection, article_id, before, USABLE, ChangeType.RESTORED, at=at
        )
    if not entitled(reader, values_of(usable)):
        raise OutsideFilter(article_id)
    (written,) = put(connection, [stored_form(draft_of(usable))], at=at, reader=reader)
    if isinstance(written, InputError):
        raise written
    return written.seq


def _last_usable(
    connection: Connection, article_id: str, killed_until: str | None
) -> Article | None:
    """The article that replaces a canceled current version; ``None`` if it is not one.

    A version that arrived withheld is passed over: it was never meant to be read.

    :param killed_until: the version up to which an earlier kill still holds.
    :raises StatusConflict: no version was ever meant to be shown.
    """
    current = current_version(connection, article_id)
    assert current is not None, "it is stored"
    rows = connection.execute(_VERSIONS, {"id": article_id}).all()
    statuses = {row.version: row.status for row in rows}
    if statuses[current] != Status.CANCELED.value:
        return None
    last = max(
        (
            version
            for version, status in statuses.items()
            if status == Status.USABLE.value
            and (
                killed_until is None or version_key(version) > version_key(killed_until)
            )
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
    # The newsroom's own system will give the next whole number to its next version.
    try:
        return replace(read_article(article_id, last, text), version=f"{current}.1")
    except InvalidArticle as error:
        raise StatusConflict(
            article_id,
            f"arrived canceled, and {current} is too long for a version to follow it;"
            " send one with a higher number",
        ) from error
