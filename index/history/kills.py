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
    """A kill or withholding of an article, as far as later versions depend on it.

    :param version: the highest version that it covers; ``None`` for all versions.
    :param purged: whether the texts were erased and must not be stored again.
    :param over: whether a newer version shows since then, or the kill was undone.
    :param status: of the versions that it covers.
    :param before: like ``version``, for an earlier kill.
    :param audience: the readers who may read its notice.
    :param adopted: the notice that the article gets if the kill was of another article
        of its story and includes it.
    """

    version: str | None
    purged: bool = False
    over: bool = False
    status: int = CANCELED
    before: str | None = None
    audience: Audience | None = None
    adopted: Mapping[str, Any] | None = None

    def covers(self, article: Article, version: str) -> bool:
        """Whether an article is killed or withheld with the earlier versions.

        While the kill is in force, only an article that was sent as usable and with a
        newer version is not.

        :param version: that the article is stored as, whether it was sent with it or
            not.
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
