"""docs/cli.md and docs/settings.md against the parser and the settings themselves."""

from __future__ import annotations

import argparse
import re
import runpy
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest
from checkout import ROOT

from index.cli.parser import build_parser
from index.settings import PREFIX, Settings

PAGE = ROOT / "docs" / "cli.md"
# What make docs runs.
DOCS = runpy.run_path(str(ROOT / "docs" / "commands.py"))


def below(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The parsers of a parser's commands, by name."""
    return {
        name: command
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name, command in action.choices.items()
    }


@cache
def commands() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command, by name; ``keys`` stands for each of its own."""
    parsers = {}
    for name, parser in below(build_parser()).items():
        inner = below(parser)
        parsers |= {f"{name} {action}": inner[action] for action in inner} or {
            name: parser
        }
    return parsers


@cache
def sections() -> dict[str, str]:
    """The text under each heading of docs/cli.md."""
    parts = re.split(r"^## (.+)\n", PAGE.read_text("utf-8"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def arguments() -> list[tuple[str, argparse.Action]]:
    return [
        (command, action)
        for command, parser in commands().items()
        for action in parser._actions
        if not isinstance(action, argparse._HelpAction)
    ]


def test_every_command_is_documented_and_nothing_else() -> None:
    headings = [heading for heading in sections() if heading.startswith("`nutgraf ")]
    assert headings == [f"`nutgraf {name}`" for name in commands()]


@pytest.mark.parametrize("name", commands())
def test_a_command_is_documented_as_its_help_describes_it(name: str) -> None:
    description = commands()[name].description
    assert description is not None
    assert description in sections()[f"`nutgraf {name}`"].splitlines()


@pytest.mark.parametrize("name", commands())
def test_each_section_begins_with_the_help_of_its_command(name: str) -> None:
    section = sections()[f"`nutgraf {name}`"]
    assert DOCS["BLOCK"].search(section)[2] == name
    assert section.lstrip().startswith(f"<!-- nutgraf {name} --help -->\n")


@pytest.mark.slow
def test_docs_cli_has_the_help_that_each_command_prints() -> None:
    blocks = DOCS["BLOCK"].findall(PAGE.read_text("utf-8"))
    assert [name for _, name, _, _ in blocks] == list(commands())
    stale = [name for _, name, text, _ in blocks if text != DOCS["block_of"](name)]
    assert stale == [], "docs/cli.md is out of date: run make docs"


@pytest.mark.parametrize(
    ("command", "action"),
    arguments(),
    ids=lambda value: value if isinstance(value, str) else value.dest,
)
def test_help_says_what_every_argument_is_and_its_default(
    command: str, action: argparse.Action
) -> None:
    assert action.help, "an argument without a help text"
    printed = " ".join(DOCS["help_of"](command).split())
    name = action.option_strings[0] if action.option_strings else str(action.metavar)
    assert name in printed
    assert action.help.replace("%(default)s", str(action.default)) in printed
    if action.option_strings and action.default not in (None, False, [], "", ()):
        assert "(default: %(default)s)" in action.help


@pytest.mark.slow
def test_make_docs_writes_the_help_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "cli.md"
    text = PAGE.read_text("utf-8")
    page.write_text(text.replace("Show an article.", "Shows it."), "utf-8")
    monkeypatch.setitem(DOCS["main"].__globals__, "PAGE", page)
    DOCS["main"]()
    assert page.read_text("utf-8") == text


@pytest.mark.parametrize("name", commands())
def test_help_is_printed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([*name.split(), "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: nutgraf {name}")


def test_the_settings_are_documented_as_they_are() -> None:
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{PREFIX}{setting.name.upper()}` | `{shown(setting.default)}`"
        f" | {setting.metadata['about']} |"
        for setting in fields(Settings)
    ]


def shown(default: object) -> str:
    if isinstance(default, int):
        return f"{default:,}"
    return (" ".join(default) if isinstance(default, tuple) else str(default)) or " "
