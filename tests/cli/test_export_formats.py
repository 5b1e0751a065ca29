"""Exports in every format: articles on lines, or a file each in a new folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from index.cli.export_target import file_name
from index.formats import read
from index.rendering import REPRESENTATIONS
from tests.cli.test_cli import Nutgraf

LINES = [name for name, each in REPRESENTATIONS.items() if each.lines]
FOLDERS = [name for name in REPRESENTATIONS if name not in LINES]


@pytest.fixture
def filled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Nutgraf:
    nutgraf = Nutgraf(tmp_path, capsys)
    source = tmp_path / "articles.jsonl"
    articles: list[dict[str, Any]] = [
        {"id": "urn:x:a/b?c", "headline": "First", "paragraphs": ["One."]},
        {"id": "..", "headline": "Second", "paragraphs": ["Two."], "ed_note": "Hush."},
        {"id": "held", "headline": "Third", "status": "withheld"},
    ]
    source.write_text("\n".join(map(json.dumps, articles)), "utf-8")
    assert nutgraf("load", str(source)).code == 0
    return nutgraf


@pytest.mark.slow
@pytest.mark.parametrize("name", FOLDERS)
def test_a_format_with_an_article_a_file_fills_a_folder(
    filled: Nutgraf, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "out" / name
    done = filled("export", "--format", name, "--output", str(folder))
    assert done == (0, f"2 articles to {folder}\n", "")
    extension = REPRESENTATIONS[name].extension
    names = {path.name for path in folder.iterdir()}
    assert names == {f"urn%3Ax%3Aa%2Fb%3Fc{extension}", f"%2E.{extension}"}
    if name != "markdown":
        ids = {
            record.article.id
            for path in folder.iterdir()
            for record in read(name, path.read_bytes())
            if record.article is not None
        }
        assert ids == {"urn:x:a/b?c", ".."}
    assert not any(b"Hush." in path.read_bytes() for path in folder.iterdir())
    again = filled("export", "--format", name, "--output", str(folder))
    assert again.code == 1 and "not empty" in again.err


@pytest.mark.slow
@pytest.mark.parametrize("name", LINES)
def test_a_format_with_an_article_a_line_fills_a_file(
    filled: Nutgraf, tmp_path: Path, name: str
) -> None:
    done = filled("export", "--format", name)
    assert done.code == 0
    lines = done.out.splitlines()
    assert len(lines) == 2 and all(json.loads(line) for line in lines)
    assert "Hush." not in done.out


@pytest.mark.slow
@pytest.mark.parametrize("target", [(), ("--output", "-")])
def test_files_of_articles_are_not_written_to_stdout(
    filled: Nutgraf, target: tuple[str, ...]
) -> None:
    done = filled("export", "--format", "nitf", *target)
    assert (done.code, done.out) == (1, "")
    assert "name a new folder" in done.err


def test_the_name_of_a_file_is_the_id_and_fits_every_file_system() -> None:
    assert file_name("urn:a/b", ".xml") == "urn%3Aa%2Fb.xml"
    assert file_name("../../etc/passwd", ".txt") == "%2E.%2F..%2Fetc%2Fpasswd.txt"
    long, other = ("海" * 300 + end for end in "ab")
    assert len(file_name(long, ".ninjs")) < 255
    assert file_name(long, ".ninjs") != file_name(other, ".ninjs")
