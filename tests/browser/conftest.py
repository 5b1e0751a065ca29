"""Fixtures of the browser tests: a server, the browser, and a page that is watched."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from checkout import ROOT
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from browser.amounts import HEIGHTS, SIZE, THEMES
from browser.site import Site, serving
from browser.watch import Watch

PICTURES = ROOT / "build" / "pages"  # git ignores it
_HERE = Path(__file__).parent
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# As root there is no sandbox, and containers have little shared memory.
_OF_ROOT = ["--disable-dev-shm-usage"]
# Milliseconds: other tests may use all cores.
_PATIENCE = 30_000
expect.set_options(timeout=_PATIENCE)
_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Mark all tests of this folder as slow; leave most of them out of a short run."""
    ours = [item for item in items if item.path.is_relative_to(_HERE)]
    for item in ours:
        item.add_marker(pytest.mark.slow)
    if SIZE == "full" or any(_HERE in [path, *path.parents] for path in _named(config)):
        return
    left_out = [each for each in ours if not each.get_closest_marker("in_every_run")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


def _named(config: pytest.Config) -> list[Path]:
    """Files and folders that the command names."""
    return [
        (config.invocation_params.dir / name.partition("::")[0]).resolve()
        for name in config.args
    ]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether the test itself failed, for its picture."""
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The system's Chromium; without one, the tests are skipped, or fail at length."""
    program = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, _PROGRAMS)), None
    )
    if program is None:
        reason = "no Chromium found; apt-get install chromium, or set CHROMIUM=PATH"
        (pytest.fail if SIZE == "full" else pytest.skip)(reason)
    root = os.geteuid() == 0
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program,
            chromium_sandbox=not root,
            args=_OF_ROOT if root else [],
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that is open to all, which the tests share: they change nothing."""
    with serving(tmp_path_factory.mktemp("site") / "data") as site:
        yield site


@pytest.fixture(scope="package")
def keyed_site(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A server that asks for a key, which the tests share: they change no article."""
    folder = tmp_path_factory.mktemp("keyed") / "data"
    with serving(folder, behind_keys=True) as site:
        yield site


@pytest.fixture
def theme() -> str:
    """Theme of ``page``: a name in THEMES; ``@each_theme`` goes through them."""
    return "light"


@pytest.fixture
def width() -> int:
    """Width of ``page`` in CSS pixels; ``@each_width`` goes through all."""
    return 1280


@pytest.fixture
def scripts() -> bool:
    """Whether ``page`` runs scripts; to switch them off, parametrize a test with it."""
    return True


@pytest.fixture
def looked_at(site: Site) -> Site:
    """The site of ``page``; a file of tests may override it with ``keyed_site``."""
    return site


@pytest.fixture
def watch(looked_at: Site) -> Watch:
    """What goes wrong in ``page``; the test fails in the end if anything is left."""
    return Watch(looked_at.url)


@pytest.fixture
def context(
    browser: Browser,
    looked_at: Site,
    watch: Watch,
    theme: str,
    width: int,
    scripts: bool,
) -> Iterator[BrowserContext]:
    """A browser profile of a test's own: no cookies, nothing stored, nothing cached."""
    context = browser.new_context(
        base_url=looked_at.url,
        viewport={"width": width, "height": HEIGHTS[width]},
        java_script_enabled=scripts,
        locale="en-GB",
        timezone_id="UTC",
        **THEMES[theme],
    )
    context.set_default_timeout(_PATIENCE)
    watch.attach(context)
    yield context
    context.close()
    assert watch.faults == []


@pytest.fixture
def page(context: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A watched page of ``site``, for ``page.goto("/?q=harbour")``.

    If the test fails, ``build/pages/failed-TEST.png`` shows how it looked.
    """
    page = context.new_page()
    yield page
    if request.node.stash.get(_FAILED, False) and not page.is_closed():
        name = re.sub(r"\W+", "-", request.node.name).strip("-")
        page.screenshot(path=PICTURES / f"failed-{name}.png", full_page=True)


@pytest.fixture
def picture(page: Page, theme: str, width: int) -> Callable[[str], Path]:
    """A function that keeps ``page`` as ``build/pages/NAME-THEME-WIDTH.png``."""

    def keep(name: str) -> Path:
        path = PICTURES / f"{name}-{theme}-{width}.png"
        page.screenshot(path=path, full_page=True, animations="disabled")
        return path

    return keep
