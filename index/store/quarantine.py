"""Quarantine: articles that cannot be indexed, and the indexer's attempt under way.

Both are in files beside the store, which only the indexer writes, so they outlive its
process and the index. An attempt is noted before it begins: a process that died during
one is told of it by the next. The notes are not synced, since a power cut is no fault
of an article.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from index.errors import StoreUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """An article that could not be indexed, in the version that could not.

    :param digest: of its content: other content under the same version is tried.
    :param reason: the error, as a phrase.
    :param at: when it was set aside, in ISO 8601.
    :param release: of Nutgraf, which tried it.
    :param retry: whether it has to be tried again.
    """

    id: str
    version: str
    digest: str
    reason: str
    at: str
    release: str
    retry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt of the indexer that is under way, or during which it died.

    :param epoch: history of the store that the seqs belong to.
    :param since: seq of the index before a batch; -1 for a rebuild.
    :param until: seq of the last change of the batch.
    :param article: id, if only this one is tried.
    :param deaths: how many processes died during the same attempt before.
    :param singly_until: seq up to which articles are tried one by one.
    """

    epoch: int
    since: int
    until: int
    article: str | None = None
    deaths: int = 0
    singly_until: int = -1

    def is_again(self, other: Attempt | None) -> bool:
        """Whether it tries the same as another one."""
        return other is not None and (self.epoch, self.since, self.article) == (
            other.epoch,
            other.since,
            other.article,
        )


class Quarantine:
    """The articles of one store that are set aside, and the attempt under way.

    :param store: file of the store; the names of both files begin with its name.
    """

    def __init__(self, store: Path) -> None:
        self._articles = store.with_name(f"{store.name}-set-aside")
        self._attempt = store.with_name(f"{store.name}-attempt")

    def articles(self, epoch: int) -> dict[str, SetAside]:
        """Articles that are set aside, by id.

        :param epoch: those of another history are left out.
        :raises StoreUnavailable: the file cannot be read.
        """
        try:
            document = json.loads(self._articles.read_bytes())
            if document["epoch"] != epoch:
                return {}
            return {entry["id"]: SetAside(**entry) for entry in document["articles"]}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StoreUnavailable(
                f"the list of articles that are set aside, {self._articles}, cannot be"
                f" read ({error}); remove it and run nutgraf rebuild"
            ) from error

    def put(self, epoch: int, *articles: SetAside) -> None:
        """Set articles aside, or replace what is known of them; durable on return."""
        kept = self.articles(epoch)
        kept.update({article.id: article for article in articles})
        self._write(epoch, kept.values())

    def release(self, epoch: int, article_id: str) -> None:
        """Forget an article: it was indexed, or is not to be indexed any more."""
        kept = self.articles(epoch)
        if kept.pop(article_id, None) is not None:
            self._write(epoch, kept.values())

    def retry_all(self, epoch: int) -> None:
        """Have every article tried once more."""
        kept = self.articles(epoch)
        if kept:
            self._write(
                epoch, [replace(article, retry=True) for article in kept.values()]
            )

    def attempt(self) -> Attempt | None:
        """The attempt that did not end, if there is one."""
        try:
            return Attempt(**json.loads(self._attempt.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError):
            # A note that was torn says nothing of an article.
            return None

    def begin(self, attempt: Attempt) -> None:
        """Note an attempt before it begins."""
        data = json.dumps(asdict(attempt)).encode()
        handle = os.open(self._attempt, os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            os.pwrite(handle, data, 0)
            os.ftruncate(handle, len(data))
        finally:
            os.close(handle)

    def end(self) -> None:
        """Remove the note: the attempt ended, well or with an error."""
        with suppress(FileNotFoundError):
            self._attempt.unlink()

    def _write(self, epoch: int, articles: Iterable[SetAside]) -> None:
        listed: list[dict[str, Any]] = [asdict(article) for article in articles]
        if not listed:
            self._articles.unlink(missing_ok=True)
            return
        temporary = self._articles.with_name(f"{self._articles.name}.new")
        handle = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(json.dumps({"epoch": epoch, "articles": listed}).encode())
            file.flush()
            os.fsync(handle)
        temporary.replace(self._articles)
