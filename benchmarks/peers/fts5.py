"""SQLite FTS5, which comes with Python, with its Porter stemmer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from benchmarks.data import FACETS
from benchmarks.peers.peer import DAYS, Answer, Run, Unsupported
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
    """A database with a full-text table, and a table of the values of its rows."""

    name = "SQLite FTS5"

    def __init__(self, folder: Path) -> None:
        self._file = folder / "fts5.db"
        self._connection: sqlite3.Connection | None = None

    def build(self, articles: Iterable[Article]) -> int:
        """Index articles, all on disk on return; the number of articles."""
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
                published = (
                    None if article.published is None else micros(article.published)
                )
                for paragraph in article.paragraphs:
                    n += 1
                    connection.execute(
                        "INSERT INTO words (rowid, text) VALUES (?, ?)",
                        (n, paragraph.text),
                    )
                    connection.execute(
                        f"INSERT INTO paragraphs VALUES ({marks})",
                        (n, f"{article.id}#p{paragraph.n}", published, *values),
                    )
            connection.execute("INSERT INTO words (words) VALUES ('optimize')")
        connection.close()
        return count

    def open(self) -> None:
        """Open the index."""
        self._connection = sqlite3.connect(self._file)
        self._connection.executescript(
            "PRAGMA mmap_size = 8000000000; PRAGMA temp_store = MEMORY;"
            " CREATE TEMP TABLE found (n INTEGER PRIMARY KEY, rank REAL);"
        )

    def compile(self, search: Search) -> Run:
        """A function that answers a search: the best hits, exact total, facets."""
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
            f"SELECT {_bucket(facet)}, count(*) FROM found JOIN paragraphs USING (n)"
            f" GROUP BY 1 ORDER BY 2 DESC LIMIT {10 if facet.interval is None else -1}"
            for facet in search.facets
        ]

        def run() -> Answer:
            execute = connection.execute
            execute("DELETE FROM found")
            execute(fill, values)
            (total,) = execute("SELECT count(*) FROM found").fetchone()
            return Answer(
                hits=len(execute(best, (search.limit,)).fetchall()),
                total=total,
                facets=sum(len(execute(count).fetchall()) for count in counts),
            )

        return run

    def size(self) -> int:
        """Bytes of the index on disk."""
        return self._file.stat().st_size

    def close(self) -> None:
        """Release files and memory."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _fill(search: Search) -> tuple[str, list[str | int]]:
    """The statement that collects the rows of a search, and its values."""
    conditions: list[str] = []
    values: list[str | int] = []
    if isinstance(search.query, All):
        select = "SELECT n, 0.0 FROM paragraphs"
    else:
        rank = "0.0" if search.sort is Sort.NEWEST else "words.rank"
        select = f"SELECT words.rowid, {rank} FROM words"
        conditions.append("words MATCH ?")
        values.append(_expression(search.query))
    if search.dates is not None:
        bounds = []
        for end, operator in ((search.dates.low, ">="), (search.dates.high, "<=")):
            if end is not None:
                bounds.append(f"published {operator} ?")
                values.append(end)
        select += " JOIN paragraphs ON n = words.rowid"
        conditions += bounds
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"INSERT INTO found {select}{where}", values


def _bucket(facet: FacetRequest) -> str:
    if facet.interval is None:
        return facet.field
    return f"{facet.field} / {DAYS[facet.interval] * _DAY}"


def _expression(query: Query) -> str:
    """A query in FTS5's syntax; every word is quoted, so none is a keyword."""
    if isinstance(query, Term):
        return f'"{query.form}"'
    if isinstance(query, Phrase):
        return f'"{" ".join(query.forms)}"'
    if isinstance(query, Prefix):
        return f'"{query.prefix}" *'
    if isinstance(query, Or):
        return f"({' OR '.join(map(_expression, query.children))})"
    if isinstance(query, And):
        required = [child for child in query.children if not isinstance(child, Not)]
        excluded = [child.child for child in query.children if isinstance(child, Not)]
        if not required:
            raise Unsupported("NOT alone")
        expression = f"({' AND '.join(map(_expression, required))})"
        for child in excluded:
            expression = f"({expression} NOT {_expression(child)})"
        return expression
    raise Unsupported(type(query).__name__)
