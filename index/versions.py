"""Versions: their order, and what becomes of an article that is put.

A :class:`Batch` holds the rules and the rows they lead to; it knows no database.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from index.article import Article
from index.errors import InvalidArticle, VersionConflict
from index.visibility import Restrictions, restrictions, shows_less

FIRST = "1"
_NUMBERS = re.compile("([0-9]+)")
_LAST_NUMBER = re.compile(r"[0-9]+\Z")
_LEADING_ZEROS = re.compile(r"0+(?=[0-9]+\Z)")
_NEGATIVE = re.compile(r"-[0-9.]+\Z")


class Outcome(StrEnum):
    """What became of an article that was put; the first three are accepted writes."""

    CREATED = "created"
    UPDATED = "updated"
    STORED = "stored"  # an older version than the current one: history only
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of one article of a :meth:`Store.put`.

    :param version: the version that holds the content that was sent.
    :param seq: its number in the change log; ``None`` if nothing was written.
    """

    id: str
    version: str
    outcome: Outcome
    seq: int | None


def plain_version(version: str) -> str:
    """Return a version as it is kept: a whole number without leading zeros.

    So 007 is version 7, and equal numbers are one version.
    """
    zeros = _LEADING_ZEROS.match(version)
    return version if zeros is None else version[zeros.end() :]


def version_key(version: str) -> tuple[bool, tuple[int | str, ...], str]:
    """Return what sorts versions: numbers in them compare as numbers.

    So 9 < 10, 2.9 < 2.10 and 1 < 1.1. One that starts with a digit is above all that do
    not, so that a stray ``draft`` never keeps out the numbers that follow. It is a
    total order: versions that differ only in leading zeros (1.01, 1.1) are different
    ones, in the order of their text.
    """
    # Split by a group of digits, texts and numbers take turns, a text always first.
    parts = _NUMBERS.split(version)
    natural = tuple(int(p) if at % 2 else p for at, p in enumerate(parts))
    return not parts[0], natural, version


def next_version(version: str) -> str:
    """Return the version to follow one: its final number plus 1, or ``.1`` added to it.

    It is always higher by :func:`version_key`.
    """
    found = _LAST_NUMBER.search(version)
    if found is None:
        return f"{version}.1"
    digits = found[0]
    return f"{version[: found.start()]}{int(digits) + 1:0{len(digits)}}"


@dataclass(slots=True)
class Current:
    """What a write must know of an article that is there; the write keeps it true."""

    version: str
    restrictions: Restrictions
    digests: dict[str, str]  # of the current version, and of others that were asked for


class Batch:
    """The rows that one write will make, and the rules by which it makes them.

    :param seq: the newest change before this write.
    :param at: the instant of this write, in microseconds since 1970 UTC.
    :param found: what is there already, by id.
    """

    def __init__(self, seq: int, at: int, found: dict[str, Current]) -> None:
        self.seq, self.at = seq, at
        self.found = found
        self.created: dict[str, dict[str, Any]] = {}
        self.updated: dict[str, dict[str, Any]] = {}
        self.versions: list[dict[str, Any]] = []
        self.changes: list[dict[str, Any]] = []

    def put(self, article: Article, text: str, digest: str) -> Written:
        """Add what one article takes.

        :raises VersionConflict: its version is there with other content.
        :raises InvalidArticle: its version is a number below 0, or no higher version
            can be made of the current one.
        """
        found = self.found.get(article.id)
        version = article.version
        if version is not None and _NEGATIVE.match(version):
            raise InvalidArticle("version", f"{version} is below 0; versions count up")
        if found is None:
            version, outcome = version or FIRST, Outcome.CREATED
        elif version is None and found.digests[found.version] == digest:
            return self._unchanged(article.id, found.version)
        elif version is None:
            version, outcome = next_version(found.version), Outcome.UPDATED
            replace(article, version=version)  # checks it
        elif version in found.digests:
            if found.digests[version] != digest:
                raise VersionConflict(article.id, version)
            return self._unchanged(article.id, version)
        elif version_key(version) > version_key(found.version):
            outcome = Outcome.UPDATED
        else:
            outcome = Outcome.STORED
        return self._write(article, version, outcome, text, digest)

    @staticmethod
    def _unchanged(article_id: str, version: str) -> Written:
        return Written(
            id=article_id, version=version, outcome=Outcome.UNCHANGED, seq=None
        )

    def _write(
        self, article: Article, version: str, outcome: Outcome, text: str, digest: str
    ) -> Written:
        self.seq += 1
        hides = False
        found = self.found.get(article.id)
        if outcome is not Outcome.STORED:
            now = restrictions(article)
            hides = found is not None and shows_less(found.restrictions, now)
            row = {
                "id": article.id,
                "version": version,
                "seq": self.seq,
                **now._asdict(),
            }
            if found is None:
                found = self.found[article.id] = Current(version, now, {})
                self.created[article.id] = row
            elif article.id in self.created:
                self.created[article.id] = row
            else:
                self.updated[article.id] = row
            found.version, found.restrictions = version, now
        assert found is not None  # only what is there can have older versions
        found.digests[version] = digest
        self.versions.append(
            {
                "id": article.id,
                "version": version,
                "seq": self.seq,
                "at": self.at,
                "digest": digest,
                "status": article.status.value,
                "headline": article.headline,
                "content": text,
            }
        )
        self.changes.append(
            {
                "seq": self.seq,
                "type": outcome.value,
                "id": article.id,
                "version": version,
                "at": self.at,
                "hides": hides,
            }
        )
        return Written(id=article.id, version=version, outcome=outcome, seq=self.seq)
