"""Two releases on one store: real processes of both, and writers at each."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from faults.amounts import amount, chance, progress
from faults.cluster import Client, Cluster, path_of, running
from faults.ledger import Ledger, Load, hold_to, settles
from faults.releases import COLUMN, FILLED, next_release
from waiting import until

from index.store.tables import SCHEMA

pytestmark = pytest.mark.slow

WRITES = amount(5, 500)  # acknowledged in each part of a test, at least
WORKERS = amount(1, 2)


def settings_of(cluster: Cluster) -> dict[str, str]:
    """Settings of another release on the store and the index of a cluster."""
    names = ("NUTGRAF_STORE", "NUTGRAF_ENGINE")
    return {name: cluster.environment()[name] for name in names}


def feed_of(client: Client) -> list[dict[str, Any]]:
    """Every change that a service tells."""
    changes: list[dict[str, Any]] = []
    since = 0
    while True:
        reply = client.ask("GET", "/v1/changes", since=since, limit=1_000)
        assert reply.status == 200, reply.body
        page = reply.json
        changes += page["changes"]
        if page["next"] == since:
            return changes
        since = page["next"]


def acknowledged_by(ledgers: list[Ledger]) -> set[tuple[str, str]]:
    """Id and version of each write that was acknowledged, and not deleted later."""
    return {
        (article_id, sent.version)
        for ledger in ledgers
        for article_id, entry in ledger.entries.items()
        for sent in entry.sent
        if sent.version is not None and not entry.deleting
    }


def more(ledgers: list[Ledger]) -> None:
    """Wait until each of these writers has had more writes acknowledged."""
    enough = {ledger: ledger.acknowledged + WRITES for ledger in ledgers}
    until(
        lambda: all(each.acknowledged >= count for each, count in enough.items()),
        "writes are acknowledged",
        120,
    )


def filled(cluster: Cluster) -> dict[str, set[str | None]]:
    """Values of the added column, by the first part of the id of their articles."""
    values: dict[str, set[str | None]] = {}
    path = cluster.settings().store.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as connection:
        for article_id, value in connection.execute(
            f"SELECT id, {COLUMN} FROM versions"
        ):
            values.setdefault(article_id.partition("-")[0], set()).add(value)
    return values


def is_sound_to(cluster: Cluster) -> None:
    """Check store and index with the ``nutgraf verify`` of a cluster's own release."""
    done = cluster.run("verify", "--json")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("number", range(amount(1, 5)))
def test_a_rolling_update_loses_nothing_that_either_release_acknowledged(
    tmp_path: Path, number: int
) -> None:
    code = next_release(tmp_path / "code", breaks=False)
    olds = [Ledger(f"old{n}", chance("old", number, n)) for n in range(2)]
    news = [Ledger(f"new{n}", chance("new", number, n)) for n in range(2)]
    with (
        running(tmp_path / "data", workers=WORKERS) as older,
        running(
            tmp_path / "newer",
            indexer=False,
            workers=WORKERS,
            code=code,
            **settings_of(older),
        ) as newer,
        older.client() as older_client,
        newer.client() as newer_client,
    ):
        refused = newer_client.ask("GET", "/readyz")
        assert refused.status == 503
        assert "nutgraf migrate" in refused.json["problems"][0]
        status = newer.run("status")
        assert (status.returncode, "nutgraf migrate" in status.stderr) == (1, True)
        with Load(older, olds):
            more(olds)
            migrated = newer.run("migrate")
            assert migrated.returncode == 0, migrated.stderr
            assert f"from schema {SCHEMA} to {SCHEMA + 1}" in migrated.stdout
            with Load(newer, news):
                more([*olds, *news])
                older.stop_indexer()
                newer.start_indexer()
                more([*olds, *news])
        settles(newer, newer_client, 30)
        ledgers = [*olds, *news]
        progress(f"{sum(each.acknowledged for each in ledgers):,} acknowledged")
        feed = feed_of(newer_client)
        assert feed == feed_of(older_client)
        told = {(each["id"], each["version"]) for each in feed}
        assert acknowledged_by(ledgers) - told == set()
        hold_to(ledgers, older, older_client)
        hold_to(ledgers, older, newer_client)
        is_sound_to(newer)
        values = filled(older)
        assert all(values[each.name] == {None} for each in olds)
        assert all(values[each.name] == {FILLED} for each in news)


@pytest.mark.parametrize("number", range(amount(1, 5)))
def test_a_step_that_breaks_stops_the_older_release_and_loses_nothing(
    tmp_path: Path, number: int
) -> None:
    code = next_release(tmp_path / "code", breaks=True)
    olds = [Ledger(f"old{n}", chance("broken", number, n)) for n in range(2)]
    news = [Ledger("new", chance("newest", number))]
    with (
        running(tmp_path / "data", workers=WORKERS) as older,
        older.client() as older_client,
    ):
        with Load(older, olds):
            more(olds)
            newer = Cluster(
                folder=tmp_path, code=code, variables=settings_of(older)
            ).run("migrate")
            assert newer.returncode == 0, newer.stderr
            count = sum(each.acknowledged for each in olds)
            # What was answered just before the migration may still be counted.
            until(lambda: older_client.ask("GET", "/v1/fields").status == 503)
            last = sum(each.acknowledged for each in olds)
            assert last - count <= len(olds) * 3
            for method, path, body in (
                ("PUT", path_of("old0-0"), {"headline": "Too late"}),
                ("GET", path_of("old0-0"), None),
                ("GET", "/v1/search", None),
                ("GET", "/v1/changes", None),
            ):
                reply = older_client.ask(method, path, body)
                assert (reply.status, reply.json["code"]) == (503, "release_outdated")
            ready = older_client.ask("GET", "/readyz")
            assert ready.status == 503
            assert "newer release" in ready.json["problems"][0]
            assert older_client.ask("GET", "/healthz").status == 200
        assert sum(each.acknowledged for each in olds) == last
        older.stop_indexer()
        settings = settings_of(older)
        with (
            running(
                tmp_path / "newer", workers=WORKERS, code=code, **settings
            ) as newest,
            newest.client() as client,
        ):
            with Load(newest, news):
                more(news)
            settles(newest, client, 30)
            told = {(each["id"], each["version"]) for each in feed_of(client)}
            assert acknowledged_by([*olds, *news]) - told == set()
            is_sound_to(newest)
