"""Versions: their order, and what becomes of an article that is put.

A :class:`Batch` holds the rules and the rows they lead to; it knows no database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from index.access import (
    CANCELED,
    NO_EMBARGO,
    NO_EXPIRY,
    NOBODY,
    USABLE,
    WITHHELD,
    Audience,
    Restrictions,
    Standing,
    Values,
    audience_of,
    facts_of_kill,
    restrictions_of,
    shows_less,
    values_of,
)
from index.article import LIFTED, Article, Status, content_digest, content_json
from index.dates import from_micros, micros
from index.errors import ArticlePurged, VersionConflict
from index.history.changes import ChangeType
from index.history.numbers import FIRST, check_counts_up, next_version, version_key


class Outcome(StrEnum):
    """What became of an article that was put; all but the last are accepted writes."""

    CREATED = "created"
    UPDATED = "updated"
    # History only: an older version than the current one, or of a killed article.
    STORED = "stored"
    REPLACED = "replaced"  # the version was there, with other content
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


@dataclass(slots=True)
class Killed:
    """What of a kill, or of a withholding, decides what becomes of later versions.

    :param version: up to which nothing shows again; ``None`` for all there may be.
    :param purged: its texts were erased, and are not to be kept again.
    :param over: a newer version shows since then, or it was taken back.
    :param status: that of the articles it covers.
    :param before: as ``version``, of an earlier one.
    :param audience: who may read its notice.
    :param adopted: the notice that the article is to have, where the kill was of
        another one and meant this one, too.
    """

    version: str | None
    purged: bool = False
    over: bool = False
    status: int = CANCELED
    before: str | None = None
    audience: Audience | None = None
    adopted: Mapping[str, Any] | None = None

    def covers(self, article: Article, version: str) -> bool:
        """Return whether an article is among what was killed.

        Only what is told to be newer and usable is not.

        :param version: the one that it is to have, given or not.
        """
        if self.over:
            return self.version is not None and not self._is_newer(version)
        told = article.version is not None and article.status is Status.USABLE
        return self.version is None or not told or not self._is_newer(version)

    def _is_newer(self, version: str) -> bool:
        assert self.version is not None, "of all versions none is newer"
        return version_key(version) > version_key(self.version)

    @property
    def held_until(self) -> str | None:
        """Up to which version what it covers stays so when a newer one is killed."""
        return self.version if self.over else self.before


@dataclass(slots=True)
class Current:
    """What a write must know of an article that is there; the write keeps it true.

    :param restrictions: of the whole article: its status is that of the last kill,
        where there was one.
    :param digests: of what was sent as the current version, and as others that were
        asked for.
    """

    version: str
    restrictions: Restrictions
    digests: dict[str, str]
    values: Values
    published: int | None = None

    @property
    def standing(self) -> Standing:
        """Who may see it."""
        return Standing(self.restrictions, self.values)


class Batch:
    """The rows that one write will make, and the rules by which it makes them.

    :param seq: the newest change before this write.
    :param at: the instant of this write, in microseconds since 1970 UTC.
    :param found: what is there already, by id; ``killed`` likewise.
    :param audiences: who saw before what may be killed by this write, where anybody
        could have.
    """

    def __init__(
        self,
        seq: int,
        at: int,
        found: dict[str, Current],
        killed: dict[str, Killed] | None = None,
        audiences: dict[str, Audience] | None = None,
    ) -> None:
        self.seq, self.at = seq, at
        self.found, self.killed = found, killed or {}
        self.audiences = audiences or {}
        self.created: dict[str, dict[str, Any]] = {}
        self.updated: dict[str, dict[str, Any]] = {}
        self.versions: dict[tuple[str, str], dict[str, Any]] = {}
        self.replaced: set[tuple[str, str]] = set()  # of these, what is there goes
        self.changes: list[dict[str, Any]] = []
        self.notices: dict[str, dict[str, Any]] = {}
        # Of notices that are there: up to which version, and whether they are over.
        self.raised: dict[str, tuple[str | None, bool]] = {}
        self.joined: list[str] = []  # articles of a story that was killed before

    def put(
        self, article: Article, text: str, digest: str, *, force: bool = False
    ) -> Written:
        """Add what one article takes.

        :param text: its content as it was sent; ``digest`` of that.
        :param force: put it in the place of other content of its version. A kill or a
            withholding that covers the version covers it then, too.
        :raises VersionConflict: its version is there with other content.
        :raises InvalidArticle: its version is a number below 0, or no higher version
            can be made of the current one.
        :raises ArticlePurged: it is one whose text was erased.
        """
        found, killed = self.found.get(article.id), self.killed.get(article.id)
        version = article.version
        if version is not None:
            check_counts_up(version)
        if found is None:
            version, outcome = version or FIRST, Outcome.CREATED
        elif version is None and found.digests[found.version] == digest:
            return self._unchanged(article.id, found.version)
        elif version is None:
            version, outcome = next_version(found.version), Outcome.UPDATED
            replace(article, version=version)  # checks it
        elif version in found.digests:
            if found.digests[version] == digest:
                return self._unchanged(article.id, version)
            if not force:
                raise VersionConflict(article.id, version)
            outcome = Outcome.REPLACED
        elif version_key(version) > version_key(found.version):
            outcome = Outcome.UPDATED
        else:
            outcome = Outcome.STORED
        covering = killed if killed and killed.covers(article, version) else None
        if covering is not None and covering.purged:
            raise ArticlePurged(article.id)
        if outcome is Outcome.REPLACED:
            self.replaced.add((article.id, version))
        older = found is not None and version_key(version) < version_key(found.version)
        if older:
            return self._store(article, version, outcome, text, digest)
        return self._make_current(article, version, outcome, text, digest, covering)

    @staticmethod
    def _unchanged(article_id: str, version: str) -> Written:
        return Written(
            id=article_id, version=version, outcome=Outcome.UNCHANGED, seq=None
        )

    def _store(
        self, article: Article, version: str, outcome: Outcome, text: str, digest: str
    ) -> Written:
        """Keep an older version."""
        self.seq += 1
        self._add_version(article, version, text, digest, sent=digest)
        self._add_change(
            article.id,
            version,
            ChangeType.STORED,
            hides=outcome is Outcome.REPLACED,
        )
        return Written(id=article.id, version=version, outcome=outcome, seq=self.seq)

    def _make_current(
        self,
        article: Article,
        version: str,
        outcome: Outcome,
        text: str,
        digest: str,
        covering: Killed | None,
    ) -> Written:
        self.seq += 1
        found = self.found.get(article.id)
        sent, given = digest, article
        article = self._completed(given, found)
        if article is not given:
            text = content_json(article)
            digest = content_digest(text)
        own = restrictions_of(article)
        # A killed article stays so, whatever status comes with it.
        now = own
        if covering is not None:
            now = own._replace(status=max(own.status, covering.status))
        values = values_of(article)
        before = None if found is None else found.standing
        # An index that has the version has other words of it than the store from now
        # on: it must not answer with it before it is indexed again.
        hides = outcome is Outcome.REPLACED or (
            before is not None and shows_less(before.restrictions, now)
        )
        published = None if article.published is None else micros(article.published)
        row = {
            "id": article.id,
            "version": version,
            "seq": self.seq,
            **now._asdict(),
            "turns": next_turn(now, self.at),
            "values": Standing.values_text(values),
            "published": published,
            "evolved_from": article.evolved_from,
            "story": article.story,
        }
        if found is None:
            found = self.found[article.id] = Current(version, now, {}, values)
            self.created[article.id] = row
        elif article.id in self.created:
            self.created[article.id] = row
        else:
            self.updated[article.id] = row
        found.version, found.restrictions = version, now
        found.values, found.published = values, published
        self._add_version(article, version, text, digest, sent=sent)
        kind = _change_type(article, outcome, before, own, now)
        audience = self._audience(article.id, before, Standing(own, values))
        after = Standing(now, values)
        facts = Standing.facts(before, after)
        if kind is ChangeType.KILLED:
            facts = facts_of_kill(before, after, audience)
        self._add_change(article.id, version, kind, hides=hides, facts=facts)
        self._keep_notice(article, version, kind, covering, audience)
        if kind is ChangeType.STORED and outcome is not Outcome.REPLACED:
            outcome = Outcome.STORED
        return Written(id=article.id, version=version, outcome=outcome, seq=self.seq)

    def _completed(self, article: Article, found: Current | None) -> Article:
        """Return an article with what it keeps of the version before.

        An embargo covers all versions until one says otherwise, and a correction was
        published when the article was.
        """
        if article.embargoed_until == LIFTED:
            article = replace(article, embargoed_until=None)
        elif article.embargoed_until is None and found is not None:
            embargo = found.restrictions.embargoed_until
            if embargo > self.at:
                article = replace(article, embargoed_until=from_micros(embargo))
        if article.published is None and found is not None:
            published = found.published
            if published is not None:
                article = replace(article, published=from_micros(published))
        return article

    def _audience(
        self, article_id: str, before: Standing | None, came: Standing
    ) -> Audience | None:
        """Return who ever saw an article, and is told if it is killed now.

        ``None`` where nothing is known of anybody.

        :param came: how it comes now, be it killed.
        """
        known = self.audiences.get(article_id)
        if before is not None:
            known = (known or NOBODY).with_readers_of(before, self.at)
            self.audiences[article_id] = known
        if known is not None and known != NOBODY:
            return known
        killed = self.killed.get(article_id)
        if killed is not None and not killed.over and killed.adopted is None:
            if killed.status == CANCELED:
                return killed.audience
            # It was to be held back when it comes.
            came = Standing(came.restrictions._replace(status=WITHHELD), came.values)
        return audience_of(came, self.at) if known is None else NOBODY

    def _keep_notice(
        self,
        article: Article,
        version: str,
        kind: ChangeType,
        covering: Killed | None,
        audience: Audience | None,
    ) -> None:
        """Make, raise or end the notice of a kill, as a new current version has it."""
        killed = self.killed.get(article.id)
        adopted = None if covering is None else covering.adopted
        if kind is ChangeType.KILLED or (adopted and article.id not in self.notices):
            until = version if kind is ChangeType.KILLED else None
            before = None if killed is None else killed.held_until
            self.killed[article.id] = Killed(until, before=before, audience=audience)
            self.raised.pop(article.id, None)
            self.notices[article.id] = {
                "note": article.correction,
                "replacement": None,
                "cascade": False,
                "at": self.at,
                **(adopted or {}),
                "id": article.id,
                "status": CANCELED,
                "version": until,
                "before": before,
                "seq": self.seq,
                "facts": "null" if audience is None else audience.text(),
                "purged": None,
            }
            if adopted:
                self.joined.append(article.id)
        elif covering is not None:
            if covering.version is not None:
                covering.version = max(covering.version, version, key=version_key)
            covering.over = False
            self._raise(article.id, covering)
        elif killed is not None and not killed.over:
            killed.over = True
            self._raise(article.id, killed)

    def _raise(self, article_id: str, killed: Killed) -> None:
        if article_id in self.notices:
            self.notices[article_id].update(version=killed.version, over=killed.over)
        else:
            self.raised[article_id] = killed.version, killed.over

    def _add_version(
        self, article: Article, version: str, text: str, digest: str, *, sent: str
    ) -> None:
        self.found[article.id].digests[version] = sent
        self.versions[article.id, version] = {
            "id": article.id,
            "version": version,
            "seq": self.seq,
            "at": self.at,
            "digest": digest,
            "sent": sent,
            "status": article.status.value,
            "headline": article.headline,
            "content": text,
        }

    def _add_change(
        self,
        article_id: str,
        version: str,
        kind: ChangeType,
        *,
        hides: bool,
        facts: str | None = None,
    ) -> None:
        self.changes.append(
            {
                "seq": self.seq,
                "type": kind.value,
                "id": article_id,
                "version": version,
                "at": self.at,
                "hides": hides,
                "facts": facts,
            }
        )


def next_turn(own: Restrictions, after: int) -> int:
    """Return the next instant at which an article begins or ceases to show.

    :data:`~index.access.NO_EXPIRY` if there is none after this instant.
    """
    return min(
        (
            instant
            for instant in (own.embargoed_until, own.expires)
            if instant > after and instant not in (NO_EMBARGO, NO_EXPIRY)
        ),
        default=NO_EXPIRY,
    )


def _change_type(
    article: Article,
    outcome: Outcome,
    before: Standing | None,
    own: Restrictions,
    now: Restrictions,
) -> ChangeType:
    """Return what a new current version is to those who follow the changes.

    :param own: its own restrictions; ``now`` what they are with a kill or withholding.
    """
    was = None if before is None else before.restrictions.status
    if own.status == CANCELED:
        return ChangeType.KILLED
    if now.status == CANCELED:
        return ChangeType.STORED if was in (None, CANCELED) else ChangeType.KILLED
    if now.status == WITHHELD:
        return ChangeType.CREATED if was is None else ChangeType.WITHHELD
    if was is not None and was != USABLE:
        return ChangeType.RESTORED
    if outcome is Outcome.CREATED:
        return ChangeType.CREATED
    return ChangeType.CORRECTED if article.correction else ChangeType.UPDATED
