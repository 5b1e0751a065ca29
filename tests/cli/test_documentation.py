"""docs/cli.md and docs/settings.md against the parser and the settings themselves."""

from __future__ import annotations

import argparse
import re
from functools import cache

import pytest
from checkout import ROOT

from index.cli.parser import build_parser
from index.settings import documented

DOCS = ROOT / "docs"


def below(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parsers of the commands that a parser chooses from, by name."""
    return {
        name: each
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name, each in action.choices.items()
    }


@cache
def commands() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command, by name: of ``keys``, of each of its own."""
    found = {}
    for name, parser in below(build_parser()).items():
        inner = below(parser)
        found |= {f"{name} {each}": inner[each] for each in inner} or {name: parser}
    return found


@cache
def sections() -> dict[str, str]:
    """Return the text under each heading of docs/cli.md that names a command."""
    parts = re.split(r"^## (.+)\n", (DOCS / "cli.md").read_text("utf-8"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def row(action: argparse.Action) -> str:
    """Return the row of a table that tells of an argument."""
    if not action.option_strings:
        name = str(action.metavar)
    elif action.nargs == 0:
        name = action.option_strings[0]
    else:
        value = action.metavar or (
            "|".join(action.choices) if action.choices else action.dest.upper()
        )
        name = f"{action.option_strings[0]} {value}"
    default = ""
    if action.option_strings and action.default not in (None, False, [], "", ()):
        default = f" (`{action.default}`)"
    name = name.replace("|", "\\|")  # Markdown's way to have one inside a table
    return f"| `{name}` | {action.help}{default} |"


def arguments() -> list[tuple[str, argparse.Action]]:
    return [
        (command, action)
        for command, parser in commands().items()
        for action in parser._actions
        if not isinstance(action, argparse._HelpAction)
    ]


def test_every_command_is_documented_and_nothing_else() -> None:
    documented_commands = [each for each in sections() if each.startswith("`nutgraf ")]
    assert documented_commands == [f"`nutgraf {name}`" for name in commands()]


@pytest.mark.parametrize("name", commands())
def test_a_command_is_documented_as_its_help_describes_it(name: str) -> None:
    description = commands()[name].description
    assert description is not None
    assert sections()[f"`nutgraf {name}`"].strip().startswith(description)


@pytest.mark.parametrize(
    ("command", "action"),
    arguments(),
    ids=lambda value: value if isinstance(value, str) else value.dest,
)
def test_every_argument_is_documented_as_its_help_says(
    command: str, action: argparse.Action
) -> None:
    assert action.help, "an argument without a help text"
    assert row(action) in sections()[f"`nutgraf {command}`"].splitlines()


@pytest.mark.parametrize("name", commands())
def test_no_argument_is_documented_that_is_none(name: str) -> None:
    rows = [
        line
        for line in sections()[f"`nutgraf {name}`"].splitlines()
        if line.startswith("| `")
    ]
    assert rows == [row(action) for command, action in arguments() if command == name]


@pytest.mark.parametrize("name", commands())
def test_help_is_printed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([*name.split(), "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: nutgraf {name}")


def test_the_settings_are_documented_as_they_are() -> None:
    page = (DOCS / "settings.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{name}` | `{shown(default)}` | {about} |"
        for name, default, about in documented()
    ]


def shown(default: object) -> str:
    if isinstance(default, int):
        return f"{default:,}"
    return (" ".join(default) if isinstance(default, tuple) else str(default)) or " "
