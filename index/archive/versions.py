"""Versions: which of them a reader may see, and which two are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from index import dates
from index.access import Validity, restrictions_of, visible
from index.archive.feed import may_read
from index.article import Article, Original, check_version
from index.deadline import Check
from index.errors import (
    ArticleKilled,
    ArticleNotFound,
    InvalidArticle,
    InvalidValue,
    OriginalNotFound,
)
from index.history import Stored, VersionInfo, plain_version, version_key
from index.query import Reader
from index.store import View

_AT_ONCE = 100  # versions read at a time to find one that a reader may see


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPage:
    """A page of the versions of an article, the highest first.

    :param next: the ``before`` of the next page; ``None`` on the last.
    """

    versions: tuple[VersionInfo, ...]
    next: str | None


def check_shown(
    view: View, article_id: str, reader: Reader, validity: Validity
) -> None:
    """Check that a reader may see an article.

    :raises ArticleNotFound: there is no such article, or the reader may not see it.
    :raises ArticleKilled: it was killed, and the reader may see its notice.
    """
    standing = view.standing(article_id)
    if standing is not None:
        validity.depends_on(standing.restrictions, held=reader.held)
    if standing is None or not standing.shown(reader, validity.now):
        raise _not_shown(view, article_id, reader)


def shown_version(
    view: View, article_id: str, version: str | None, reader: Reader, validity: Validity
) -> Stored:
    """Version of an article, if the reader may see the article and that version."""
    check_shown(view, article_id, reader, validity)
    return version_of(view, article_id, version, reader, validity)


def original_of(
    view: View, article_id: str, version: str | None, reader: Reader
) -> Original:
    """Bytes that a version was parsed from, whether the article is visible or not.

    :param version: by default the current one.
    :raises ArticleNotFound: there is no such version, or the filters exclude it.
    :raises ArticleKilled: it was killed, and the reader may see its notice.
    :raises OriginalNotFound: no original is stored for the version.
    """
    standing = view.standing(article_id)
    if standing is None or not standing.entitles(reader):
        raise _not_shown(view, article_id, reader)
    number = (
        view.current_version(article_id) if version is None else plain_version(version)
    )
    if number is None or not view.has_version(article_id, number):
        raise ArticleNotFound(article_id, version)
    original = view.original(article_id, number)
    if original is None:
        raise OriginalNotFound(article_id, number)
    return original


def page_of_versions(
    view: View,
    article_id: str,
    reader: Reader,
    validity: Validity,
    *,
    before: str | None,
    limit: int,
    check: Check,
) -> VersionPage:
    """Page of the versions of a visible article that the reader may see.

    :param before: only versions below this one, which need not exist.
    :param check: raises once the deadline has passed.
    """
    shown = _shown_below(view, article_id, before, reader, validity, limit + 1, check)
    page = tuple(islice(shown, limit))
    more = next(shown, None) is not None
    return VersionPage(versions=page, next=page[-1].version if more else None)


def _shown_below(
    view: View,
    article_id: str,
    before: str | None,
    reader: Reader,
    validity: Validity,
    at_once: int,
    check: Check,
) -> Iterator[VersionInfo]:
    """Yield the versions that a reader may see, the highest first.

    :param at_once: how many are read at a time.
    """
    numbers = view.version_numbers(article_id)
    if before is not None:
        key = version_key(plain_version(_checked(before)))
        numbers = [number for number in numbers if version_key(number) < key]
    killed = view.killed_until(article_id)
    for start in range(0, len(numbers), at_once):
        check()
        for each in view.versions(article_id, numbers[start : start + at_once]):
            hides = None if each.current else killed
            validity.depends_on(each.standing.restrictions, held=reader.held)
            if each.standing.shown(reader, validity.now) and _is_above(
                each.version, hides
            ):
                yield each


def version_of(
    view: View, article_id: str, version: str | None, reader: Reader, validity: Validity
) -> Stored:
    """Version of a visible article, by default the current one.

    :raises ArticleNotFound: it does not exist, or the reader may not see it.
    """
    stored = view.get(article_id, version)
    killed = None if stored.current else view.killed_until(article_id)
    # The current version's embargo covers all versions; each has its own status.
    if not _may_see(stored.article, reader, validity, killed):
        raise ArticleNotFound(article_id, version)
    return stored


def was_killed(view: View, article_id: str, version: str) -> bool:
    """Whether a version was killed and a newer one is published since."""
    until = view.killed_until(article_id)
    if until is None or view.notice(article_id) is not None:
        return False
    return version_key(plain_version(version)) <= version_key(until)


def newer_than(view: View, article_id: str, version: str) -> str | None:
    """Current version of an article if it is above another, visible or not."""
    current = view.current_version(article_id)
    other = version_key(plain_version(version))
    return current if current is not None and version_key(current) > other else None


def pair_of(
    view: View,
    article_id: str,
    old: str | None,
    new: str | None,
    reader: Reader,
    validity: Validity,
    check: Check,
) -> tuple[Article, Article]:
    """Two versions of a visible article, the old one first.

    :param new: by default the current one.
    :param old: by default the highest visible version below ``new``, or ``new`` itself
        if there is none.
    :param check: raises once the deadline has passed.
    :raises ArticleNotFound: one does not exist, or the reader may not see it.
    """
    later = version_of(view, article_id, new, reader, validity).article
    if old is not None:
        return version_of(view, article_id, old, reader, validity).article, later
    return _before(view, later, reader, validity, check), later


def _not_shown(
    view: View, article_id: str, reader: Reader
) -> ArticleKilled | ArticleNotFound:
    """Error for an article that a reader may not see."""
    notice = view.notice(article_id)
    if notice is None or not may_read(notice, reader):
        return ArticleNotFound(article_id)
    return ArticleKilled(
        article_id,
        killed=dates.iso(notice.at),
        note=notice.note,
        replacement=notice.replacement,
    )


def _may_see(
    article: Article, reader: Reader, validity: Validity, killed: str | None
) -> bool:
    """Whether a reader may see one version of a visible article.

    :param killed: the version up to which the article was killed, which still hides
        older versions after a newer one is published; ``None`` for the current one.
    """
    assert article.version is not None, "it is stored"
    if not _is_above(article.version, killed):
        return False
    validity.depends_on(restrictions_of(article), held=reader.held)
    return visible(article, dates.from_micros(validity.now), reader)


def _checked(before: str) -> str:
    """The same version, checked.

    :raises InvalidValue: it cannot be one.
    """
    try:
        return check_version(before)
    except InvalidArticle as error:
        raise InvalidValue("before", error.detail, got=before) from error


def _is_above(version: str, killed: str | None) -> bool:
    return killed is None or version_key(version) > version_key(killed)


def _before(
    view: View, article: Article, reader: Reader, validity: Validity, check: Check
) -> Article:
    """Highest visible version below another; the other itself if there is none."""
    shown = _shown_below(
        view, article.id, article.version, reader, validity, _AT_ONCE, check
    )
    earlier = next(shown, None)
    return article if earlier is None else view.get(article.id, earlier.version).article
