"""Kills and withholdings: which versions of an article they cover."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from index.access import CANCELED, Audience
from index.article import Article, Status
from index.history.numbers import version_key


@dataclass(slots=True)
class Killed:
    """A kill or withholding: all that decides whether a later version shows.

    :param version: the highest version that it covers; ``None`` for all versions.
    :param purged: whether the texts were erased and must not be stored again.
    :param over: whether a newer version shows since then, or the kill was undone.
    :param status: of the versions that it covers.
    :param before: like ``version``, for an earlier kill.
    :param audience: the readers who may read its notice.
    :param adopted: the notice that the article gets because another article of its
        story was killed with ``cascade``.
    """

    version: str | None
    purged: bool = False
    over: bool = False
    status: int = CANCELED
    before: str | None = None
    audience: Audience | None = None
    adopted: Mapping[str, Any] | None = None

    def covers(self, article: Article, version: str) -> bool:
        """Whether the kill or withholding covers an article that is put.

        While it is in force it covers every article but one that was sent as usable,
        with a version newer than those it covers.

        :param version: the version that the article is stored as, sent or derived.
        """
        if self.over:
            return self.version is not None and not self._is_newer(version)
        explicit = article.version is not None and article.status is Status.USABLE
        return self.version is None or not explicit or not self._is_newer(version)

    def _is_newer(self, version: str) -> bool:
        assert self.version is not None, "no version is newer than all"
        return version_key(version) > version_key(self.version)

    @property
    def held_until(self) -> str | None:
        """The highest version that stays covered when a newer one is killed."""
        return self.version if self.over else self.before
