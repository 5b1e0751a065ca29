"""Fixtures that several test files share: a small archive, and its service."""

from __future__ import annotations

import gc
import json
import os
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as hypothesis_settings
from jinja2.bccache import Bucket, BytecodeCache
from real import keeper
from real.amounts import FULL
from real.opensearch import lacking, new_prefix
from served import SEARCH_SECONDS, SERVED, engine_of, kind_of
from stores import postgresql_server  # noqa: F401 - a fixture
from werkzeug.routing import Rule

from index.access import Scope
from index.archive import Archive
from index.article import Original, article_of, draft_of
from index.dates import Clock, utc_now
from index.jobs import Indexer
from index.settings import Settings
from index.store import Store
from service import create_app

# Tests make folders for stores, and no store is used where the group may write.
os.umask(0o022)

# How long an example takes depends on what else the machine does.
hypothesis_settings.register_profile("nutgraf", deadline=None)
hypothesis_settings.load_profile("nutgraf")


class SharedTemplates(BytecodeCache):
    """Compiled templates by their source, shared by all services of a process."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


# Most tests have a service of their own, and would compile its templates anew.
Flask.jinja_options = {"bytecode_cache": SharedTemplates()}


_compiled_builder = Rule._compile_builder
_builders: dict[object, Callable[..., tuple[str, str]]] = {}


def _shared_builder(
    rule: Rule, append_unknown: bool = True
) -> Callable[..., tuple[str, str]]:
    """Builder of the addresses of a rule, which is given the rule it is called for."""
    key = (tuple(rule._trace), repr(rule.defaults), append_unknown)
    if key not in _builders:
        _builders[key] = _compiled_builder(rule, append_unknown)
    return _builders[key]


# And would compile code for each of its routes, which takes half the time of a service.
Rule._compile_builder = _shared_builder  # type: ignore[method-assign]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than cores: for a third of the time tests only wait."""
    return (os.cpu_count() or 1) + 1


# What some tests need that a machine may not have, by what their ids begin with or have
# for a keyword.
_NEEDING = {"tests/browser/": "browser tests", "opensearch": "tests on OpenSearch"}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """Say in the last lines, behind pytest's own, which tests lacked a program."""
    yield
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None:
        return
    reasons = Counter(
        (kind, report.longrepr[2].removeprefix("Skipped: "))
        for report in terminal.stats.get("skipped", [])
        for need, kind in _NEEDING.items()
        if report.nodeid.startswith(need) or need in report.keywords
    )
    for (kind, reason), count in reasons.items():
        if not reason.startswith("at length only"):
            terminal.write_line(f"{count} {kind} skipped: {reason}")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start what tests will need, and keep modules out of all garbage collections."""
    needed = FULL or any(map(_needs_opensearch, session.items))
    if needed and lacking() is None:
        folder = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
        in_parallel = "PYTEST_XDIST_WORKER" in os.environ
        keeper.begin((folder.parent if in_parallel else folder) / "opensearch")
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests whose servers cannot run here; they fail where all is to be tested."""
    if _needs_opensearch(item) and (reason := lacking()) is not None:
        (pytest.fail if FULL else pytest.skip)(reason)


def _needs_opensearch(item: pytest.Item) -> bool:
    return item.get_closest_marker("opensearch") is not None


# Invented for the tests; every fact that a test relies on can be seen here.
DOCUMENTS: tuple[dict[str, Any], ...] = (
    {
        "id": "urn:test:harbour",
        "headline": "Harbour strike enters second week",
        "paragraphs": [
            "Dockers at the old harbour refused to unload grain on Monday.",
            "The union said the talks had failed over night shifts.",
            {
                "role": "caption",
                "text": "Cranes stand still.",
                "credit": "Desk/Ana Berg",
            },
        ],
        "source": "Harbour Desk",
        "section": "Business",
        "subjects": ["labour", "ports"],
        "urgency": 2,
        "published": "2016-09-29T10:00:00Z",
        "language": "en",
        "ed_note": "do not publish the name of the foreman",
    },
    {
        "id": "urn:test:grain",
        "headline": "Grain prices climb <fast>",
        "paragraphs": [
            "Bakers paid more for grain & flour after the harbour closed.",
            "A minister promised talks.",
        ],
        "source": "Market Desk",
        "section": "Business",
        "subjects": ["ports", "food"],
        "published": "2016-09-30T08:00:00Z",
    },
    {
        "id": "urn:test:museum",
        "headline": "Museum opens",
        "paragraphs": ["Visitors queued in the rain.", "The café sold 😀 buns."],
        "source": "City Desk",
        "published": "2017-01-15T08:00:00Z",
    },
)


def settings_in(folder: Path) -> Settings:
    """Settings with a new store, an engine in memory, and short waits."""
    return Settings(
        store=f"sqlite:///{folder / 'nutgraf.db'}",
        engine="memory:",
        wait_seconds=0.2,
        search_seconds=SEARCH_SECONDS,
    )


def filled_archive(settings: Settings) -> Archive:
    """An archive that holds DOCUMENTS, indexed."""
    archive = Archive.open(settings)
    archive.put(
        [
            # As if each had been sent in other words.
            draft_of(
                article_of(document),
                Original(format="jsonl", data=json.dumps(document).encode()),
            )
            for document in DOCUMENTS
        ]
    )
    Indexer(archive.store, archive.engine).catch_up()
    return archive


@pytest.fixture
def engine_url() -> Iterator[str]:
    """URL of the engine of a test's own service: in memory, or in ``make cluster`` of
    nodes, where its indexes are removed in the end."""
    if not FULL:
        yield "memory:"
        return
    prefix = new_prefix()
    yield keeper.shared_nodes().url(prefix)
    keeper.shared_nodes().remove(prefix)


@pytest.fixture
def settings(tmp_path: Path, store_url: str, engine_url: str) -> Settings:
    """Settings of a test's own service."""
    return replace(settings_in(tmp_path), store=store_url, engine=engine_url)


@pytest.fixture
def archive(settings: Settings) -> Iterator[Archive]:
    """A test's own archive."""
    archive = filled_archive(settings)
    yield archive
    archive.close()


@pytest.fixture
def clock() -> Clock:
    """The clock of a test's own store and archive: the real time."""
    return utc_now


@pytest.fixture
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a test's own store, which is empty: of SQLite, or in ``make cluster`` of
    PostgreSQL."""
    if not FULL:
        yield f"sqlite:///{tmp_path / 'nutgraf.db'}"
        return
    with request.getfixturevalue("postgresql_server").lent() as url:
        yield url


@pytest.fixture
def store(store_url: str, clock: Clock) -> Iterator[Store]:
    """A test's own store, which is empty."""
    store = Store.open(store_url, clock=clock)
    yield store
    store.close()


@pytest.fixture(params=SERVED, ids=kind_of)
def empty_archive(
    request: pytest.FixtureRequest, store_url: str, tmp_path: Path, clock: Clock
) -> Iterator[Archive]:
    """A test's own archive over each engine in turn, which is empty."""
    archive = Archive.open(
        Settings(
            store=store_url,
            engine=engine_of(request, tmp_path),
            search_seconds=SEARCH_SECONDS,
        ),
        clock=clock,
    )
    yield archive
    archive.close()


@pytest.fixture
def index_now(archive: Archive) -> Callable[[], None]:
    """A function that does at once what the indexer process would do."""
    return Indexer(archive.store, archive.engine).catch_up


@pytest.fixture
def app(settings: Settings, archive: Archive) -> Flask:
    """A test's own service over its archive."""
    return create_app(settings, archive)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client that calls a test's own service without a network."""
    return app.test_client()


@pytest.fixture(scope="session")
def shared_archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive that all tests share: for those that change nothing."""
    archive = filled_archive(settings_in(tmp_path_factory.mktemp("shared")))
    yield archive
    archive.close()


@pytest.fixture(scope="session")
def reading(shared_archive: Archive) -> FlaskClient:
    """A client of a service that all tests share: for those that change nothing."""
    return create_app(shared_archive.settings, shared_archive).test_client()


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive that the tests of one file share, for which a key was made."""
    archive = filled_archive(settings_in(tmp_path_factory.mktemp("keyed")))
    archive.keys.add("first", frozenset({Scope.SEARCH}))
    yield archive
    archive.close()
