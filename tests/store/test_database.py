"""The seam between the store and the kinds of database that can hold it."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkout import ROOT
from sqlalchemy import Executable, bindparam, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from index.store import tables
from index.store.lookups import CONTENT, Lookup
from index.store.prepared import PreparedRead, _Compiled

STORE = ROOT / "index" / "store"
KINDS = ("sqlite", "postgresql")
# Words that only the SQL of one kind knows, and its files.
ONLY_ONE_KIND = re.compile(
    r"pragma|sqlite_master|sqlite_schema|vacuum|\battach\b|begin immediate|on conflict"
    r"|insert or |-wal\b|-shm\b|pg_\w+\(|\blisten\b|\bnotify\b|regclass",
    re.IGNORECASE,
)


def neutral() -> Iterator[Path]:
    """The modules of the library that must serve any kind of database."""
    for path in sorted((ROOT / "index").rglob("*.py")):
        if not any(path.is_relative_to(STORE / kind) for kind in KINDS):
            yield path


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.slow
def test_only_the_package_of_a_kind_imports_its_driver():
    foreign = ("sqlite3", "psycopg", "sqlalchemy.dialects")
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in neutral()
        for name in imported(path)
        if name.startswith(foreign)
    ]
    assert wrong == []


@pytest.mark.slow
def test_one_module_chooses_the_kind_of_database():
    choosing = {
        path.relative_to(ROOT).as_posix()
        for path in neutral()
        for name in imported(path)
        if name.startswith(tuple(f"index.store.{kind}" for kind in KINDS))
    }
    assert choosing == {"index/store/opening.py"}


def test_the_rest_of_the_store_names_nothing_that_only_one_kind_knows():
    wrong = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in neutral()
        if path.is_relative_to(STORE)
        for match in ONLY_ONE_KIND.finditer(path.read_text("utf-8"))
    ]
    assert wrong == []


def statements() -> Iterator[tuple[str, Executable]]:
    """Every statement that a module of the store builds once."""
    for path in neutral():
        if path.parent == STORE and path.name != "__init__.py":
            module = importlib.import_module(f"index.store.{path.stem}")
            for name, value in vars(module).items():
                several = value if isinstance(value, tuple) else (value,)
                for each in several:
                    if isinstance(each, PreparedRead):
                        yield f"{path.stem}.{name}", each._statement
                    elif isinstance(each, Lookup):
                        yield f"{path.stem}.{name}", each._read._statement
                    elif isinstance(each, Executable):
                        yield f"{path.stem}.{name}", each


def test_the_statements_of_the_store_can_be_put_to_postgresql_too():
    dialect = postgresql.dialect()
    names = set()
    for name, statement in statements():
        assert str(statement.compile(dialect=dialect)), name
        names.add(name)
    assert {
        "view._CONTENTS",
        "view._HIDDEN",
        "carryover._NOTICES",
        "carryover._KEYS",
    } <= names
    for table in tables.metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=dialect))


def test_a_text_is_read_as_utf_8_in_the_words_of_each_database():
    written = [
        str(CONTENT.compile(dialect=each))
        for each in (sqlite.dialect(), postgresql.dialect())
    ]
    assert written == [
        "CAST(versions.content AS BLOB)",
        "convert_to(versions.content, 'UTF8')",
    ]


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        (sqlite.dialect(), (7, 7, 3, 0)),
        (sqlite.dialect(paramstyle="named"), {"now": 7, "limit": 3, "param_1": 0}),
        (postgresql.dialect(), {"now": 7, "limit": 3}),
    ],
)
def test_a_prepared_read_gives_a_driver_its_parameters_as_it_wants_them(
    dialect, expected
):
    later = literal_column("1") > bindparam("now")
    statement = select(later).where(later).limit(bindparam("limit"))
    compiled = _Compiled(statement, dialect)
    assert compiled.parameters({"now": 7, "limit": 3}) == expected
