"""Health, readiness and metrics."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from index.archive import Archive
from index.errors import StoreUnavailable
from index.settings import Settings
from service import create_app


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
    assert answer.json["articles"] == answer.json["indexed_articles"] == 3


def test_with_an_indexer_it_is_ready(client: FlaskClient, archive: Archive) -> None:
    with archive.store.indexer_lock():
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "ready")
    assert answer.json["problems"] == []


def test_without_a_store_it_is_not_ready(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Archive) -> None:
        raise StoreUnavailable("the store is locked")

    monkeypatch.setattr(Archive, "state", fail)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["problems"]) == (
        503,
        ["the store is locked"],
    )
    assert client.get("/metrics").status_code == 503


def value(text: str, name: str) -> float:
    (found,) = re.findall(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found)


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


def test_the_archive_is_opened_by_the_first_request(settings: Settings) -> None:
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
    # Another worker's files, none of them ours: what is shown comes from the folder.
    app = create_app(settings, archive, metrics_folder=str(tmp_path / "m"))
    text = app.test_client().get("/metrics").text
    assert "nutgraf_store_seq 3.0" in text
    assert "nutgraf_requests_total{" not in text
