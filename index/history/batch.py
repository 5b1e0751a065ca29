"""A batch: the rows that one write stores for its articles.

A :class:`Batch` applies the rules and collects the rows; it knows no database.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
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
from index.article import (
    LIFTED,
    Article,
    Role,
    article_of,
    content_digest,
    content_json,
)
from index.dates import from_micros, micros
from index.errors import ArticlePurged, VersionConflict
from index.history.changes import ChangeType
from index.history.kills import Killed
from index.history.numbers import FIRST, check_counts_up, next_version, version_key
from index.history.records import Outcome, Written


@dataclass(slots=True)
class Current:
    """The stored state of an article; a write keeps it up to date.

    :param restrictions: of the article; the status is that of a kill in force.
    :param digests: by version, of the content as it was sent: of the current version,
        and of others that the write asked for.
    :param replaced: by version, digests of contents that were replaced since.
    :param contents: by version, the JSON of the versions that the write may amend.
    """

    version: str
    restrictions: Restrictions
    digests: dict[str, str]
    values: Values
    published: int | None = None
    replaced: dict[str, set[str]] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)

    @property
    def standing(self) -> Standing:
        """Restrictions and values together."""
        return Standing(self.restrictions, self.values)


class Batch:
    """The rows of one write, and the rules by which they are made.

    :param seq: number of the newest change before this write.
    :param at: the instant of this write, in microseconds since 1970 UTC.
    :param current: the stored articles by id.
    :param killed: the kills and withholdings by id.
    :param audiences: by id, the earlier readers of articles that this write may kill.
    """

    def __init__(
        self,
        seq: int,
        at: int,
        current: dict[str, Current],
        killed: dict[str, Killed] | None = None,
        audiences: dict[str, Audience] | None = None,
    ) -> None:
        self.seq, self.at = seq, at
        self.current, self.killed = current, killed or {}
        self.audiences = audiences or {}
        self.created: dict[str, dict[str, Any]] = {}
        self.updated: dict[str, dict[str, Any]] = {}
        self.versions: dict[tuple[str, str], dict[str, Any]] = {}
        # Versions whose rows go, with the digests of what was sent as each.
        self.replaced: dict[tuple[str, str], set[str]] = {}
        # By id and version, who may see each version that is below the current one now.
        self.superseded: dict[tuple[str, str], dict[str, Any]] = {}
        self.changes: list[dict[str, Any]] = []
        self.notices: dict[str, dict[str, Any]] = {}
        # Stored notices to update: the version that they cover, and whether they are
        # over.
        self.raised: dict[str, tuple[str | None, bool]] = {}
        self.joined: list[str] = []  # articles of a story that was killed earlier

    def put(
        self,
        article: Article,
        text: str,
        digest: str,
        *,
        force: bool = False,
        amend: bool = False,
    ) -> Written:
        """Add the rows of one article.

        :param text: its content as it was sent.
        :param digest: of that text.
        :param force: replace other content of the same version. A kill or withholding
            of the version covers the new content as well.
        :param amend: replace content of the same version that has the same text, status
            and embargo; what was replaced before is unchanged.
        :raises VersionConflict: its version is stored with other content.
        :raises InvalidArticle: its version is a number below 0, or the current version
            is too long to derive a higher one from it.
        :raises ArticlePurged: its text was erased for good.
        """
        current, killed = self.current.get(article.id), self.killed.get(article.id)
        version = article.version
        if version is not None:
            check_counts_up(version)
        if current is None:
            version, outcome = version or FIRST, Outcome.CREATED
        elif version is None and current.digests[current.version] == digest:
            return self._unchanged(article.id, current.version)
        elif version is None:
            version, outcome = next_version(current.version), Outcome.UPDATED
            replace(article, version=version)  # raises if it is too long
        elif version in current.digests:
            if current.digests[version] == digest:
                return self._unchanged(article.id, version)
            if amend and digest in current.replaced.get(version, ()):
                return self._unchanged(article.id, version)
            if not force and not (amend and self._amends(article, version, current)):
                raise VersionConflict(article.id, version)
            outcome = Outcome.REPLACED
        elif version_key(version) > version_key(current.version):
            outcome = Outcome.UPDATED
        else:
            outcome = Outcome.STORED
        covering = killed if killed and killed.covers(article, version) else None
        if covering is not None and covering.purged:
            raise ArticlePurged(article.id)
        if outcome is Outcome.REPLACED:
            assert current is not None, "there is something to replace"
            sent = current.digests[version]
            self.replaced.setdefault((article.id, version), set()).add(sent)
            current.replaced.setdefault(version, set()).add(sent)
        older = current is not None and version_key(version) < version_key(
            current.version
        )
        if older:
            return self._store(article, version, outcome, text, digest)
        return self._make_current(article, version, outcome, text, digest, covering)

    def _amends(self, article: Article, version: str, current: Current) -> bool:
        """Whether an article differs from a stored version in less than its substance.

        An embargo that has ended is none.
        """
        stored = article_of({**json.loads(current.contents[version]), "id": article.id})
        if version == current.version:
            article = self._completed(article, current)
        return self._substance(article) == self._substance(stored)

    def _substance(self, article: Article) -> tuple[Any, ...]:
        """What an amendment may not change: text, status and embargo.

        Captions belong to the associated items.
        """
        until = article.embargoed_until
        if until is not None and (until == LIFTED or micros(until) <= self.at):
            until = None
        text = [
            (paragraph.role, paragraph.text)
            for paragraph in article.paragraphs
            if paragraph.role is not Role.CAPTION
        ]
        return article.headline, text, article.status, until

    @staticmethod
    def _unchanged(article_id: str, version: str) -> Written:
        return Written(
            id=article_id, version=version, outcome=Outcome.UNCHANGED, seq=None
        )

    def _store(
        self, article: Article, version: str, outcome: Outcome, text: str, digest: str
    ) -> Written:
        """Add a version older than the current one."""
        self.seq += 1
        self._add_version(article, version, text, digest, sent=digest)
        own = Standing(restrictions_of(article), values_of(article))
        self._add_superseded(article.id, version, own)
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
        current = self.current.get(article.id)
        sent_digest, sent = digest, article
        article = self._completed(sent, current)
        if article is not sent:
            text = content_json(article)
            digest = content_digest(text)
        own = restrictions_of(article)
        # A killed article stays killed, whatever status it was sent with.
        now = own
        if covering is not None:
            now = own._replace(status=max(own.status, covering.status))
        values = values_of(article)
        before = None if current is None else current.standing
        # A replaced version has other words in the store than in the index, so it must
        # not show before it is indexed again.
        hides = outcome is Outcome.REPLACED or (
            before is not None and shows_less(before.restrictions, now)
        )
        if current is not None and version != current.version:
            self._add_superseded(article.id, current.version, current.standing)
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
        if current is None:
            current = self.current[article.id] = Current(version, now, {}, values)
            self.created[article.id] = row
        elif article.id in self.created:
            self.created[article.id] = row
        else:
            self.updated[article.id] = row
        current.version, current.restrictions = version, now
        current.values, current.published = values, published
        self._add_version(article, version, text, digest, sent=sent_digest)
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

    def _completed(self, article: Article, current: Current | None) -> Article:
        """The article with the embargo and date of publication of the version before.

        An embargo covers all versions until one changes it, and a correction keeps the
        date on which the article was published.
        """
        if article.embargoed_until == LIFTED:
            article = replace(article, embargoed_until=None)
        elif article.embargoed_until is None and current is not None:
            embargo = current.restrictions.embargoed_until
            if embargo > self.at:
                article = replace(article, embargoed_until=from_micros(embargo))
        if article.published is None and current is not None:
            published = current.published
            if published is not None:
                article = replace(article, published=from_micros(published))
        return article

    def _audience(
        self, article_id: str, before: Standing | None, sent: Standing
    ) -> Audience | None:
        """Readers who could ever see an article, and are told if it is killed now.

        ``None`` if no reader is known.

        :param sent: the standing that the article was sent with.
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
            # It was withheld before it arrived.
            sent = Standing(sent.restrictions._replace(status=WITHHELD), sent.values)
        return audience_of(sent, self.at) if known is None else NOBODY

    def _keep_notice(
        self,
        article: Article,
        version: str,
        kind: ChangeType,
        covering: Killed | None,
        audience: Audience | None,
    ) -> None:
        """Create, raise or end the notice of a kill for a new current version."""
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
        current = self.current[article.id]
        current.digests[version], current.contents[version] = sent, text
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

    def _add_superseded(self, article_id: str, version: str, own: Standing) -> None:
        self.superseded[article_id, version] = {
            "id": article_id,
            "version": version,
            "embargoed_until": own.restrictions.embargoed_until,
            "expires": own.restrictions.expires,
            "values": Standing.values_text(own.values),
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
    """Next instant after ``after`` at which the embargo ends or the article expires.

    :data:`~index.access.NO_EXPIRY` if there is none.
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
    """Type of the change that a new current version makes.

    :param own: restrictions of the version itself.
    :param now: the same with a kill or withholding applied.
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
