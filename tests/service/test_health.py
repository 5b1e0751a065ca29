"""Health, readiness and metrics."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from checkout import ROOT
from conftest import settings_in
from flask import Flask
from flask.testing import FlaskClient

from index.archive import Archive
from index.article import article_of
from index.errors import IndexUnavailable, StoreUnavailable
from index.jobs import Indexer
from index.settings import Settings
from index.store import View
from service import create_app, upkeep
from service.context import EXTENSION, Context


def test_a_process_that_answers_is_healthy(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Archive, "state")
    assert client.get("/healthz").json == {"status": "ok"}


def test_without_an_indexer_it_is_not_ready(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.json["status"] == "not ready"
    assert "nutgraf indexer" in answer.json["problems"][0]
    assert answer.json["store_seq"] == answer.json["index_seq"] == 3


def test_with_an_indexer_it_is_ready(client: FlaskClient, archive: Archive) -> None:
    with archive.store.indexer_lock():
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "ready")
    assert answer.json["problems"] == []


def test_without_an_indexer_searches_are_ready(client: FlaskClient) -> None:
    # Otherwise a proxy would take out all machines at once.
    answer = client.get("/readyz?part=search")
    assert (answer.status_code, answer.json["status"]) == (200, "ready")
    assert answer.json["problems"] == []
    assert answer.json["indexer_running"] is False


def test_without_an_index_the_store_is_ready_and_searches_are_not(
    client: FlaskClient, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise IndexUnavailable("the cluster cannot be reached")

    monkeypatch.setattr(archive.engine, "snapshot", fail)
    answer = client.get("/readyz?part=search")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    (problem,) = answer.json["problems"]
    assert problem.startswith("no search can be answered: the cluster cannot")
    # An article can still be read, and killed.
    answer = client.get("/readyz?part=store")
    assert (answer.status_code, answer.json["status"]) == (200, "ready")


def test_without_a_store_no_part_is_ready(
    client: FlaskClient, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise StoreUnavailable("the database does not answer")

    monkeypatch.setattr(archive.store, "reading", fail)
    for part in ("store", "search", "all"):
        answer = client.get(f"/readyz?part={part}")
        assert answer.status_code == 503
        assert answer.json["problems"] == ["the database does not answer"]
    assert client.get("/readyz?part=none").status_code == 400


def test_without_a_store_it_is_not_ready(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(archive: Archive) -> None:
        raise StoreUnavailable("no store can be opened at /srv/my data/n.db: [Errno 5]")

    monkeypatch.setattr(Archive, "condition", fail)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["problems"]) == (
        503,
        ["no store can be opened at a file: [Errno 5]"],
    )
    assert client.get("/metrics").status_code == 503


def reasons(archive: Archive, **settings: int) -> str:
    """Why an archive with changed settings, and an indexer, is not ready."""
    other = Archive(
        archive.store, archive.engine, replace(archive.settings, **settings)
    )
    with archive.store.indexer_lock():
        client = create_app(other.settings, other).test_client()
        answer = client.get("/readyz")
    assert answer.status_code == (503 if answer.json["problems"] else 200)
    return " ".join(answer.json["problems"])


def test_it_is_not_ready_while_the_index_is_far_behind(archive: Archive) -> None:
    archive.put([article_of({"id": f"n{n}", "headline": "New"}) for n in range(4)])
    assert reasons(archive, behind=4) == ""
    assert "behind by more than 3 changes" in reasons(archive, behind=3)
    Indexer(archive.store, archive.engine).catch_up()
    assert reasons(archive, behind=3) == ""


def test_it_is_not_ready_when_a_disk_is_nearly_full(
    archive: Archive, tmp_path: Path
) -> None:
    disk = os.statvfs(tmp_path)
    free = disk.f_bavail * disk.f_frsize
    assert reasons(archive, disk_free=1) == ""
    assert "on the disk of the store" in reasons(archive, disk_free=2 * free)


def test_it_is_not_ready_while_the_store_is_read_only(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(path: object, mode: int) -> bool:
        return mode != os.W_OK

    assert reasons(archive) == ""
    monkeypatch.setattr(os, "access", read_only)
    assert "the store is read-only" in reasons(archive)


@pytest.mark.slow
def test_the_disk_is_checked_before_the_index_exists(
    settings: Settings, tmp_path: Path
) -> None:
    url = f"whoosh:{tmp_path / 'not' / 'yet'}"
    with closing(Archive.open(replace(settings, engine=url))) as archive:
        assert archive.condition().free.keys() == {"store", "index"}
        assert "on the disk of the index" in reasons(archive, disk_free=2**60)


def test_it_is_not_ready_when_the_indexer_hangs(
    archive: Archive,
) -> None:
    archive.put([article_of({"id": "new", "headline": "New"})])
    now = datetime.now(UTC)
    with archive.store.indexer_lock():
        assert archive.condition(now=now).problems == ()
        later = archive.condition(now=now + timedelta(minutes=5))
    assert 299 < later.behind_seconds < 301
    (problem,) = later.problems
    assert "its log says why" in problem


def test_readiness_is_cheap_and_counts_nothing(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for owner, slow in (
        (View, "counts"),
        (View, "count"),
        (Archive, "state"),
        (type(archive.engine), "state"),
    ):
        monkeypatch.delattr(owner, slow)
    assert reasons(archive) == ""


def value(text: str, name: str) -> float:
    (value,) = re.findall(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(value)


def test_requests_are_counted_by_route_and_status(client: FlaskClient) -> None:
    for path in ("urn:test:grain", "urn:test:museum", "none"):
        client.get(f"/v1/articles/{path}")
    client.get("/nope")
    client.open("/healthz", method="FORGED")
    text = client.get("/metrics").text
    route = 'method="GET",route="/v1/articles/<article_id>"'
    assert value(text, f'nutgraf_requests_total{{{route},status="200"}}') == 2
    assert value(text, f'nutgraf_requests_total{{{route},status="404"}}') == 1
    assert value(text, f"nutgraf_request_seconds_count{{{route}}}") == 3
    assert 'route="none",status="404"' in text
    assert "FORGED" not in text


def test_the_index_is_measured(client: FlaskClient) -> None:
    text = client.get("/metrics").text
    assert value(text, "nutgraf_store_seq") == value(text, "nutgraf_index_seq") == 3
    assert value(text, "nutgraf_index_behind") == 0
    assert value(text, "nutgraf_articles") == 3
    assert value(text, "nutgraf_indexer_running") == 0


@pytest.mark.slow
def test_how_far_the_index_is_behind_is_measured(
    client: FlaskClient, archive: Archive
) -> None:
    archive.put([article_of({"id": "new", "headline": "New"})])
    text = client.get("/metrics").text
    assert value(text, "nutgraf_index_behind") == 1
    assert 0 < value(text, "nutgraf_index_behind_seconds") < 60
    assert value(text, "nutgraf_ready") == 0
    assert value(text, "nutgraf_store_bytes") > 0
    assert value(text, 'nutgraf_disk_free_bytes{of="store"}') > 0
    assert value(text, "nutgraf_segments") == 1


def test_rebuilds_are_counted(
    client: FlaskClient, archive: Archive, index_now: Callable[[], None]
) -> None:
    archive.store.request_rebuild()
    text = client.get("/metrics").text
    assert value(text, "nutgraf_rebuilds_requested_total") == 1
    assert value(text, "nutgraf_rebuilds_finished_total") == 0
    index_now()
    text = client.get("/metrics").text
    assert value(text, "nutgraf_rebuilds_finished_total") == 1


def test_refused_writes_and_problems_are_counted_by_code(client: FlaskClient) -> None:
    client.put("/v1/articles/a", json={"paragraphs": []})
    client.put("/v1/articles/a", data=b"{", content_type="application/json")
    client.post("/v1/articles", json=[{"id": "b"}, {"id": "c"}, {"headline": "No id"}])
    client.post("/v1/articles", json=[{"id": "b"}, {"id": "ok", "headline": "Kept"}])
    client.delete("/v1/articles/none")
    client.post("/v1/search", json={"q": "a", "nope": 1})
    client.get("/v1/articles/none")
    text = client.get("/metrics").text
    refused = dict(
        re.findall(r'nutgraf_refused_writes_total{code="(\w+)"} (\S+)', text)
    )
    assert refused == {
        "invalid_article": "5.0",
        "invalid_json": "1.0",
        "article_not_found": "1.0",
    }
    problems = dict(re.findall(r'nutgraf_problems_total{code="(\w+)"} (\S+)', text))
    assert problems == {
        "invalid_article": "1.0",
        "invalid_json": "1.0",
        "nothing_stored": "1.0",
        "article_not_found": "2.0",
        "unknown_parameter": "1.0",
    }


def test_waiting_requests_are_measured(app: Flask) -> None:
    ctx: Context = app.extensions[EXTENSION]
    client = app.test_client()
    client.get("/healthz")
    assert value(client.get("/metrics").text, "nutgraf_waiting_slots") == 4
    with ctx.waiting_slot() as slot:
        assert slot
        assert value(client.get("/metrics").text, "nutgraf_waiting_requests") == 1
    assert value(client.get("/metrics").text, "nutgraf_waiting_requests") == 0


@pytest.mark.slow
def test_the_cache_of_searches_is_measured(settings: Settings, tmp_path: Path) -> None:
    whoosh = replace(settings, engine=f"whoosh:{tmp_path / 'index'}")
    with closing(Archive.open(whoosh)) as archive:
        words = [f"word{n}" for n in range(20)]
        archive.put([article_of({"id": "a", "paragraphs": [" ".join(words)]})])
        Indexer(archive.store, archive.engine).catch_up()
        client = create_app(whoosh, archive).test_client()
        client.get("/healthz")
        assert value(client.get("/metrics").text, "nutgraf_cache_bytes") == 0
        for word in words:
            client.get(f"/v1/search?q={word}")
        assert value(client.get("/metrics").text, "nutgraf_cache_bytes") > 1_000


def test_gauges_are_set_by_the_upkeep_and_not_by_each_request(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx: Context = app.extensions[EXTENSION]
    measured = threading.Event()
    monkeypatch.setattr(ctx.metrics, "measure", lambda **_: measured.set())
    app.test_client().get("/healthz")
    assert not measured.is_set()
    stop = threading.Event()
    monkeypatch.setattr(upkeep, "SECONDS", 0.01)
    upkeep.start(app, stop)
    assert measured.wait(20)
    stop.set()


def test_every_number_is_in_the_page_on_operations_and_the_other_way_round(
    client: FlaskClient,
) -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    text = client.get("/metrics").text
    shown = set(re.findall(r"^# TYPE (nutgraf_\w+)", text, re.MULTILINE))
    rows = [line for line in page.splitlines() if line.startswith("| `nutgraf_")]
    documented = {
        name for row in rows for name in re.findall(r"`(nutgraf_\w+)`", row[:90])
    }
    assert documented == {name for name in shown if not name.endswith("_created")}


def test_the_archive_is_opened_by_the_first_request(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    client = create_app(settings).test_client()
    path = Path(settings.store.removeprefix("sqlite:///"))
    assert client.get("/healthz").status_code == 200
    assert not path.exists()
    answer = client.get("/v1/search?q=anything")
    assert (answer.status_code, answer.json["total"]["articles"]) == (200, 0)
    assert path.exists()


def test_the_numbers_of_all_workers_are_added_up(
    settings: Settings, archive: Archive, tmp_path: Path
) -> None:
    (tmp_path / "m").mkdir()
    # Another worker's files only: the metrics shown come from the folder.
    app = create_app(settings, archive, metrics_folder=str(tmp_path / "m"))
    text = app.test_client().get("/metrics").text
    assert "nutgraf_store_seq 3.0" in text
    assert "nutgraf_requests_total{" not in text
