"""README.md and docs/ against the code: examples are run, tables are compared.

docs/cli.md and docs/settings.md are held in test_cli_docs.py, docs/formats.md in
test_formats.py.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import shlex
import threading
from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from marshmallow import Schema
from marshmallow import fields as kinds
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from index import errors, leaves, lexer, syntax
from index.archive import Archive
from index.article import ARTICLE_FIELDS
from index.cli import build_parser
from index.errors import InvalidQuery, InvalidValue, NutgrafError, UnknownField
from index.facets import MAX_BUCKETS
from index.fields import FIELDS, FILTERABLE, PLACES
from index.indexer import Indexer
from index.loader import load
from index.request import MAX_FACETS, SHORT_FIELDS
from index.settings import Settings
from service import create_app, problems, refusals, schemas
from service.codes import TITLES

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "seeds/README.md"])
SETTINGS = Settings()
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def page_id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of a language in a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def cells(line: str) -> list[str]:
    """Return the cells of a table's row."""
    inside = line.removeprefix("|").removesuffix("|")
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", inside)]


def code_in(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def table(name: str, marker: str) -> list[list[str]]:
    """Return the rows, without the head, of the first table behind a marker."""
    behind = text_of(name).split(marker, 1)[1]
    found = re.search(r"^\|.*\n\|[ -|]+\n((?:\|.*\n)*)", behind, re.MULTILINE)
    assert found is not None, f"no table behind {marker} in {name}"
    return [cells(line) for line in found[1].splitlines()]


# Links and snippets


def heading_ids(text: str) -> set[str]:
    """Return the fragments that GitHub gives a page's headings."""
    found = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in found}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if "://" in link:
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if fragment:
            assert fragment in heading_ids(target.read_text("utf-8")), link


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_snippet_can_be_read(page: Path) -> None:
    text = page.read_text("utf-8")
    for snippet in blocks(text, "json"):
        for line in snippet.splitlines() if "\n{" in snippet else [snippet]:
            json.loads(line)
    for snippet in blocks(text, "python"):
        ast.parse(snippet)


def commands(text: str) -> list[list[str]]:
    """Return the shell commands that a page shows behind a ``$``, as arguments."""
    found = []
    for block in blocks(text, "console"):
        lines = re.sub(r"\\\n\s*", " ", block).splitlines()
        found += [
            shlex.split(line.removeprefix("$ ")) for line in lines if line[:2] == "$ "
        ]
    return found


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_nutgraf_command_is_one(page: Path) -> None:
    for program, *arguments in commands(page.read_text("utf-8")):
        if program == "nutgraf":
            ends = [n for n, each in enumerate(arguments) if each in ("|", ">")]
            build_parser().parse_args(arguments[: min(ends, default=None)])


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_make_target_is_one(page: Path) -> None:
    named = re.findall(r"(?:^|`)make ([a-z]+)\b", page.read_text("utf-8"), re.MULTILINE)
    assert set(named) <= set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.M))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_no_page_names_a_setting_that_is_none(page: Path) -> None:
    known = set(SETTINGS.shown())
    assert set(re.findall(r"NUTGRAF_[A-Z_]+", page.read_text("utf-8"))) <= known | {
        "NUTGRAF_"
    }


# Answers, laid out and shortened: … stands for members, items or characters left out


@dataclass(frozen=True)
class Gap:
    """What … stands for between other things."""


Members = tuple[tuple[str, Any] | Gap, ...]
_TOKEN = re.compile(
    r'\s*(?:,\s*)?("(?:[^"\\]|\\.)*"|[\[\]{}:…]|true|false|null|-?\d[\d.eE+-]*)'
)


def read_shortened(text: str) -> Any:
    """Return a shortened JSON text: objects as tuples of pairs, with gaps."""
    tokens = _TOKEN.findall(text)
    assert re.sub(r"[\s,]", "", "".join(tokens)) == re.sub(r"[\s,]", "", text)
    value, rest = _value(tokens)
    assert not rest, rest
    return value


def _value(tokens: list[str]) -> tuple[Any, list[str]]:
    first, *rest = tokens
    if first == "…":
        return Gap(), rest
    if first == "[":
        items = []
        while rest[0] != "]":
            item, rest = _value(rest)
            items.append(item)
        return items, rest[1:]
    if first == "{":
        members: list[tuple[str, Any] | Gap] = []
        while rest[0] != "}":
            if rest[0] == "…":
                members.append(Gap())
                rest = rest[1:]
                continue
            assert rest[1] == ":", rest[:3]
            value, after = _value(rest[2:])
            members.append((json.loads(rest[0]), value))
            rest = after
        return tuple(members), rest[1:]
    return json.loads(first), rest


def fits(shown: Any, real: Any) -> bool:
    """Say whether a shortened answer shows nothing but what the real one has."""
    if isinstance(shown, Gap):
        return True
    if isinstance(shown, tuple):
        return isinstance(real, dict) and _all_fit(list(shown), list(real.items()))
    if isinstance(shown, list):
        return isinstance(real, list) and _all_fit(shown, real)
    if isinstance(shown, str) and "…" in shown:
        pattern = ".*".join(map(re.escape, shown.split("…")))
        return isinstance(real, str) and bool(re.fullmatch(pattern, real, re.DOTALL))
    return type(shown) is type(real) and bool(shown == real)


def _all_fit(shown: list[Any], real: list[Any]) -> bool:
    if not shown:
        return not real
    first, *rest = shown
    if isinstance(first, Gap):
        return any(_all_fit(rest, real[n:]) for n in range(len(real) + 1))
    return bool(real) and _one_fits(first, real[0]) and _all_fit(rest, real[1:])


def _one_fits(shown: Any, real: Any) -> bool:
    if isinstance(shown, tuple) and len(shown) == 2 and isinstance(shown[0], str):
        return isinstance(real, tuple) and shown[0] == real[0] and fits(*_seconds(shown, real))
    return fits(shown, real)
