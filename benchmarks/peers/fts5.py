"""SQLite FTS5: what comes with Python, with its Porter stemmer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from benchmarks.data.workload import FACETS
from benchmarks.peers import DAYS, Answer, Run, Unsupported
from index.article import Article
from index.dates import micros
from index.query import (
    All,
    And,
    FacetRequest,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Search,
    Sort,
    Term,
)

_DAY = 86_400 * 1_000_000  # microseconds
_TABLES = f"""
    CREATE VIRTUAL TABLE words USING fts5(
        text, content='', tokenize='porter unicode61'
    );
    CREATE TABLE paragraphs (
        n INTEGER PRIMARY KEY, id TEXT, published INTEGER, {", ".join(FACETS)}
    );
"""


class FTS5:
    """A database with a full-text table and what its rows are."""

    name = "SQLite FTS5"

    def __init__(self, folder: Path) -> None:
        self._file = folder / "fts5.db"
        self._connection: sqlite3.Connection | None = None

    def build(self, articles: Iterable[Article]) -> int:
        """Index articles, all of it on disk when this returns; return their number."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.unlink(missing_ok=True)
        connection = sqlite3.connect(self._file)
        connection.executescript(_TABLES)
        count = n = 0
        marks = ", ".join("?" * (3 + len(FACETS)))
        with connection:
            for article in articles:
                count += 1
                values = [getattr(article, name) for name in FACETS]
                when = None if article.published is None else micros(article.published)
                for each in article.paragraphs:
                    n += 1
                    connection.execute(
                        "INSERT INTO words (rowid, text) VALUES (?, ?)", (n, each.text)
                    )
                    connection.execute(
                        f"INSERT INTO paragraphs VALUES ({marks})",
                        (n, f"{article.id}#p{each.n}", when, *values),
                    )
            connection.execute("INSERT INTO words (words) VALUES ('optimize')")
        connection.close()
        return count

    def open(self) -> None:
        """Open what was built."""
        self._connection = sqlite3.connect(self._file)
        self._connection.executescript(
            "PRAGMA mmap_size = 8000000000; PRAGMA temp_store = MEMORY;"
            " CREATE TEMP TABLE found (n INTEGER PRIMARY KEY, rank REAL);"
        )

    def compile(self, search: Search) -> Run:
        """Return a function that answers a search: 10 best, exact total, facets."""
        connection = self._connection
        if connection is None:
            raise ValueError("open it first")
        fill, values = _fill(search)
        if search.sort is Sort.NEWEST:
            best = (
                "SELECT id FROM found JOIN paragraphs USING (n)"
                " ORDER BY published DESC LIMIT ?"
            )
        else:
            best = (
                "SELECT id FROM (SELECT n FROM found ORDER BY rank LIMIT ?)"
                " JOIN paragraphs USING (n)"
            )
        counts = [
            f"SELECT {_bucket(each)}, count(*) FROM found JOIN paragraphs USING (n)"
            f" GROUP BY 1 ORDER BY 2 DESC LIMIT {10 if each.interval is None else -1}"
            for each in search.facets
        ]

        def run() -> Answer:
            execute = connection.execute
            execute("DELETE FROM found")
            execute(fill, values)
            (total,) = execute("SELECT count(*) FROM found").fetchone()
            return Answer(
                hits=len(execute(best, (search.limit,)).fetchall()),
                total=total,
                facets=sum(len(execute(each).fetchall()) for each in counts),
            )

        return run

    def size(self) -> int:
        """Return how many bytes the index has on disk."""
        return self._file.stat().st_size

    def close(self) -> None:
        """Let go of files and memory."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _fill(search: Search) -> tuple[str, list[str | int]]:
    """Return the statement that finds the rows of a search, and its values."""
    conditions: list[str] = []
    values: list[str | int] = []
    if isinstance(search.query, All):
        chosen = "SELECT n, 0.0 FROM paragraphs"
    else:
        rank = "0.0" if search.sort is Sort.NEWEST else "words.rank"
        chosen = f"SELECT words.rowid, {rank} FROM words"
        conditions.append("words MATCH ?")
        values.append(_expression(search.query))
    if search.dates is not None:
        inside = []
        for end, operator in ((search.dates.low, ">="), (search.dates.high, "<=")):
            if end is not None:
                inside.append(f"published {operator} ?")
                values.append(end)
        chosen += " JOIN paragraphs ON n = words.rowid"
        conditions += inside
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"INSERT INTO found {chosen}{where}", values


def _bucket(facet: FacetRequest) -> str:
    if facet.interval is None:
        return facet.field
    return f"{facet.field} / {DAYS[facet.interval] * _DAY}"


def _expression(query: Query) -> str:
    """Return a query in FTS5's language; every word is quoted, so none is a keyword."""
    if isinstance(query, Term):
        return f'"{query.form}"'
    if isinstance(query, Phrase):
        return f'"{" ".join(query.forms)}"'
    if isinstance(query, Prefix):
        return f'"{query.prefix}" *'
    if isinstance(query, Or):
        return f"({' OR '.join(map(_expression, query.children))})"
    if isinstance(query, And):
        wanted = [each for each in query.children if not isinstance(each, Not)]
        refused = [each.child for each in query.children if isinstance(each, Not)]
        if not wanted:
            raise Unsupported("NOT alone")
        found = f"({' AND '.join(map(_expression, wanted))})"
        for each in refused:
            found = f"({found} NOT {_expression(each)})"
        return found
    raise Unsupported(type(query).__name__)
