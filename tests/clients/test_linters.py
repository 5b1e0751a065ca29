"""The OpenAPI document has no errors for linters; run by ``make clients``."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from clients.test_clients import FOLDER, WITH_CLIENTS, skip_without

from service.api.documentation import openapi

pytestmark = [pytest.mark.slow, WITH_CLIENTS]


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """The OpenAPI document as a file, beside what the linters need."""
    skip_without(("npm",), ("node",))
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    file = tmp_path / "openapi.json"
    file.write_bytes(openapi())
    return file


def lint(document: Path, *command: str) -> Any:
    """Report of a linter, which may have found something."""
    program, *arguments = command
    done = subprocess.run(
        [document.parent / "node_modules" / ".bin" / program, "lint", *arguments],
        cwd=document.parent,
        env={**os.environ, "REDOCLY_TELEMETRY": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    start = min(done.stdout.find(each) % (1 << 30) for each in "{[")
    report, _ = json.JSONDecoder().raw_decode(done.stdout[start:])
    return report


def test_redocly_finds_no_error(document: Path) -> None:
    report = lint(document, "redocly", document.name, "--format=json")
    assert [each for each in report["problems"] if each["severity"] == "error"] == []


@pytest.mark.parametrize("rules", ["spectral:oas", "@ibm-cloud/openapi-ruleset"])
def test_spectral_finds_no_error(document: Path, rules: str) -> None:
    ruleset = document.with_name("rules.json")
    ruleset.write_text(json.dumps({"extends": [rules]}), "utf-8")
    report = lint(
        *(document, "spectral", document.name, "--ruleset", ruleset.name),
        *("--format", "json", "--quiet"),
    )
    errors = [each for each in report if each["severity"] == 0]
    assert [(each["code"], each["path"]) for each in errors] == []
