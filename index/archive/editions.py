"""What a reader may see of an article: whether any of it, and which versions."""

from __future__ import annotations

from datetime import datetime

from index import dates
from index.access import visible
from index.archive.feed import may_read
from index.article import Article, Original
from index.errors import ArticleKilled, ArticleNotFound, OriginalNotFound
from index.history import Stored, VersionInfo, plain_version, version_key
from index.query import Reader
from index.store import View, find_original


def check_shown(view: View, article_id: str, now: datetime, reader: Reader) -> None:
    """Check that a reader may see an article.

    :raises ArticleNotFound: there is none, or none that may be seen.
    :raises ArticleKilled: it was, and its notice is all there is.
    """
    standing = view.standing(article_id)
    if standing is None or not standing.shown(reader, dates.micros(now)):
        raise _not_shown(view, article_id, reader)


def shown_version(
    view: View, article_id: str, version: str | None, now: datetime, reader: Reader
) -> Stored:
    """Return a version of an article, if a reader may see both."""
    check_shown(view, article_id, now, reader)
    return version_of(view, article_id, version, now, reader)


def original_of(
    view: View, article_id: str, version: str | None, reader: Reader
) -> Original:
    """Return what a version was sent as, whether the article shows or not.

    :param version: by default the current one.
    :raises ArticleNotFound: there is no such version, or not within the filters.
    :raises ArticleKilled: it was, and its notice is all there is.
    :raises OriginalNotFound: there is no original of it.
    """
    standing = view.standing(article_id)
    if standing is None or not standing.entitles(reader):
        raise _not_shown(view, article_id, reader)
    stored = view.get(article_id, version).article
    assert stored.version is not None, "it is stored"
    found = find_original(view.connection, article_id, stored.version)
    if found is None:
        raise OriginalNotFound(article_id, stored.version)
    return found


def versions_of(
    view: View, article_id: str, now: datetime, reader: Reader
) -> tuple[VersionInfo, ...]:
    """Return those that a reader may see, the highest first."""
    listed = view.versions(article_id)
    texts = view.many([(article_id, each.version) for each in listed])
    killed = view.killed_until(article_id)
    return tuple(
        each
        for each in listed
        if _shows(
            texts[article_id, each.version],
            now,
            reader,
            None if each.current else killed,
        )
    )


def version_of(
    view: View, article_id: str, version: str | None, now: datetime, reader: Reader
) -> Stored:
    """Return one of them, by default the current one.

    :raises ArticleNotFound: it is not there, or the reader may not see it.
    """
    stored = view.get(article_id, version)
    killed = None if stored.current else view.killed_until(article_id)
    # The current version's embargo holds for all; a status is each version's own.
    if not _shows(stored.article, now, reader, killed):
        raise ArticleNotFound(article_id, version)
    return stored


def was_killed(view: View, article_id: str, version: str) -> bool:
    """Return whether a version was killed, and a newer one shows since."""
    until = view.killed_until(article_id)
    if until is None or view.notice(article_id) is not None:
        return False
    return version_key(plain_version(version)) <= version_key(until)


def newer_than(view: View, article_id: str, version: str) -> str | None:
    """Return the current version, if it is higher than another; who sees it or not."""
    current = view.current_version(article_id)
    given = version_key(plain_version(version))
    return current if current is not None and version_key(current) > given else None


def pair_of(
    view: View,
    article_id: str,
    old: str | None,
    new: str | None,
    now: datetime,
    reader: Reader,
) -> tuple[Article, Article]:
    """Return two of them.

    :param new: by default the current one.
    :param old: by default the highest below it; itself, if there is none.
    :raises ArticleNotFound: one is not there, or the reader may not see it.
    """
    later = version_of(view, article_id, new, now, reader).article
    if old is not None:
        return version_of(view, article_id, old, now, reader).article, later
    return _before(view, later, now, reader), later


def _not_shown(
    view: View, article_id: str, reader: Reader
) -> ArticleKilled | ArticleNotFound:
    """Return what to say of an article that a reader may not see."""
    notice = view.notice(article_id)
    if notice is None or not may_read(notice, reader):
        return ArticleNotFound(article_id)
    return ArticleKilled(
        article_id,
        killed=dates.iso(notice.at),
        note=notice.note,
        replacement=notice.replacement,
    )


def _shows(article: Article, now: datetime, reader: Reader, killed: str | None) -> bool:
    """Return whether a reader may see one version of an article that they may see.

    :param killed: up to which version it was killed, of other than its current one:
        that holds also where a newer one shows since.
    """
    assert article.version is not None, "it is stored"
    return visible(article, now, reader) and (
        killed is None or version_key(article.version) > version_key(killed)
    )


def _before(view: View, article: Article, now: datetime, reader: Reader) -> Article:
    """Return the highest version below one that may be seen; that one if none is."""
    assert article.version is not None, "it is stored"
    versions = [each.version for each in view.versions(article.id)]
    killed = view.killed_until(article.id)
    for version in versions[versions.index(article.version) + 1 :]:
        earlier = view.get(article.id, version).article
        if _shows(earlier, now, reader, killed):
            return earlier
    return article
