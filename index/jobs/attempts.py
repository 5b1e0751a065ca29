"""Attempts of the indexer: what it tries next, after articles that killed it.

A process that dies leaves the note of its attempt. If two died during one batch, the
next indexes the articles of that batch one by one; if two died at one article, it is
set aside. A single death may have had any cause.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from index.dates import iso
from index.store import Attempt, Quarantine, SetAside

DEATHS = 2  # during one attempt, before it is divided or given up
REBUILD = -1  # in place of the seq of the index, in the attempt of a rebuild
DIED = "the indexer died at it"


class Attempts:
    """The attempts of one indexer, and the articles that it has set aside.

    :param quarantine: where both are kept.
    :param epoch: history of the store.
    """

    def __init__(self, quarantine: Quarantine, epoch: int) -> None:
        self._quarantine, self.epoch = quarantine, epoch
        died = quarantine.attempt()
        # The attempt of a process that died; None once another one has ended.
        self._died = died if died is not None and died.epoch == epoch else None
        self._singly_until = -1 if self._died is None else self._died.singly_until
        died = self._died
        if died is not None and died.article is None and self._deaths(died) >= DEATHS:
            self._singly_until = max(self._singly_until, died.until)

    def is_single(self, since: int) -> bool:
        """Whether the next changes are tried one by one.

        :param since: seq of the index.
        """
        return since < self._singly_until

    @property
    def is_rebuild_again(self) -> bool:
        """Whether an earlier process died during a rebuild."""
        return self._died is not None and self._died.since == REBUILD

    @property
    def probed_before(self) -> str | None:
        """Id of the article that a process died at when it probed them in order.

        ``""`` if articles are to be probed from the first one on; ``None`` if they need
        not be.
        """
        died = self._died
        if died is None or died.since != REBUILD:
            return None
        if died.article is not None:
            return died.article
        return "" if self._deaths(died) >= DEATHS else None

    def killed(self, since: int, article_id: str) -> bool:
        """Whether an article, tried alone, was the end of as many as may end so."""
        attempt = self._attempt(since, since, article_id)
        return attempt.deaths >= DEATHS

    def begin(self, since: int, until: int, article_id: str | None = None) -> None:
        """Note an attempt that begins now; see :class:`.Attempt`."""
        self._quarantine.begin(self._attempt(since, until, article_id))

    def end(self) -> None:
        """Record that the attempt ended, well or with an error."""
        self._died = None
        self._quarantine.end()

    # Articles that are set aside.

    def set_aside(self) -> dict[str, SetAside]:
        """Articles that are set aside, by id."""
        return self._quarantine.articles(self.epoch)

    def put_aside(
        self, article_id: str, version: str, digest: str, reason: str
    ) -> SetAside:
        """Set an article aside in this version."""
        article = SetAside(
            id=article_id,
            version=version,
            digest=digest,
            reason=reason,
            at=iso(datetime.now(UTC)),
            release=release(),
        )
        self._quarantine.put(self.epoch, article)
        return article

    def release(self, article_id: str) -> None:
        """Forget an article that was indexed, or need not be any more."""
        self._quarantine.release(self.epoch, article_id)

    def retry_all(self) -> None:
        """Have every article that is set aside tried once more."""
        self._quarantine.retry_all(self.epoch)

    def next_retry(self) -> SetAside | None:
        """An article that is to be tried again; it counts as tried from now on."""
        for article in self.set_aside().values():
            if article.retry or article.release != release():
                tried = replace(article, retry=False, release=release())
                self._quarantine.put(self.epoch, tried)
                return tried
        return None

    def _attempt(self, since: int, until: int, article_id: str | None) -> Attempt:
        attempt = Attempt(
            epoch=self.epoch,
            since=since,
            until=until,
            article=article_id,
            singly_until=self._singly_until,
        )
        died = self._died
        if died is not None and attempt.is_again(died):
            return replace(attempt, deaths=self._deaths(died))
        return attempt

    @staticmethod
    def _deaths(died: Attempt) -> int:
        return died.deaths + 1


def release() -> str:
    """Release of Nutgraf, empty in a checkout that is not installed."""
    try:
        return version("nutgraf")
    except PackageNotFoundError:
        return ""
