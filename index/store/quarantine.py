"""Quarantine: articles that cannot be indexed, and the indexer's attempt under way.

Both are notes that only the indexer writes and that outlive its process and the index:
files beside a store in a file, rows elsewhere. An attempt is noted before it begins: a
process that died during one is told of it by the next. That note is not synced, since a
power cut is no fault of an article.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from index.errors import StoreUnavailable

_SET_ASIDE, _ATTEMPT = "set-aside", "attempt"  # names of notes


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


class Notes(Protocol):
    """A few short documents of one store, by their names."""

    def place(self, name: str) -> str:
        """Where a document is kept, in words, for messages."""
        ...

    def read(self, name: str) -> bytes | None:
        """A document; ``None`` if there is none.

        :raises OSError: it cannot be read.
        """
        ...

    def write(self, name: str, document: bytes, *, durable: bool) -> None:
        """Replace a document as a whole.

        :param durable: whether it is on disk on return.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove a document, if there is one."""
        ...


class Quarantine:
    """The articles of one store that are set aside, and the attempt under way.

    :param notes: where both are kept.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def articles(self, epoch: int) -> dict[str, SetAside]:
        """Articles that are set aside, by id.

        :param epoch: those of another history are left out.
        :raises StoreUnavailable: the list cannot be read.
        """
        try:
            note = self._notes.read(_SET_ASIDE)
            if note is None:
                return {}
            document = json.loads(note)
            if document["epoch"] != epoch:
                return {}
            return {entry["id"]: SetAside(**entry) for entry in document["articles"]}
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StoreUnavailable(
                "the list of articles that are set aside,"
                f" {self._notes.place(_SET_ASIDE)}, cannot be"
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
            note = self._notes.read(_ATTEMPT)
            return None if note is None else Attempt(**json.loads(note))
        except (OSError, ValueError, TypeError):
            # A note that was torn says nothing of an article.
            return None

    def begin(self, attempt: Attempt) -> None:
        """Note an attempt before it begins."""
        document = json.dumps(asdict(attempt)).encode()
        self._notes.write(_ATTEMPT, document, durable=False)

    def end(self) -> None:
        """Remove the note: the attempt ended, well or with an error."""
        self._notes.remove(_ATTEMPT)

    def _write(self, epoch: int, articles: Iterable[SetAside]) -> None:
        listed: list[dict[str, Any]] = [asdict(article) for article in articles]
        if not listed:
            self._notes.remove(_SET_ASIDE)
            return
        document = json.dumps({"epoch": epoch, "articles": listed}).encode()
        self._notes.write(_SET_ASIDE, document, durable=True)


class NoteFiles:
    """Notes in files beside a store; see :class:`Notes`.

    :param store: file of the store; the names of the others begin with its name.
    """

    def __init__(self, store: Path) -> None:
        self._store = store

    def place(self, name: str) -> str:
        return str(self._file(name))

    def read(self, name: str) -> bytes | None:
        try:
            return self._file(name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, document: bytes, *, durable: bool) -> None:
        file = self._file(name)
        # What need not be on disk may be torn by a power cut.
        target = file.with_name(f"{file.name}.new") if durable else file
        handle = os.open(target, os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            os.pwrite(handle, document, 0)
            os.ftruncate(handle, len(document))
            if durable:
                os.fsync(handle)
        finally:
            os.close(handle)
        if durable:
            target.replace(file)

    def remove(self, name: str) -> None:
        self._file(name).unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self._store.with_name(f"{self._store.name}-{name}")
