"""Only the archive talks to the store and the index, once for each request."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from checkout import ROOT
from flask.testing import FlaskClient

from index.archive import Archive
from index.store import Store, View

HARBOUR = "/v1/articles/urn:test:harbour"


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """The read transactions of the store, except those that look up keys."""
    transactions: list[None] = []
    reading = Store.reading

    @contextmanager
    def counted(self: Store) -> Iterator[View]:
        transactions.append(None)
        with reading(self) as view:
            yield view

    monkeypatch.setattr(Store, "reading", counted)
    return transactions


@pytest.mark.parametrize(
    "path",
    [
        HARBOUR,
        f"{HARBOUR}?q=dockers",
        f"{HARBOUR}/paragraphs",
        f"{HARBOUR}/paragraphs/1",
        f"{HARBOUR}/versions",
        f"{HARBOUR}/diff",
        f"{HARBOUR}/original",
        "/v1/articles?status=canceled",
        "/v1/changes",
        "/v1/facets/section",
        "/v1/search?q=dockers",
        "/v1/suggest?q=doc",
    ],
)
def test_an_answer_is_of_one_moment(
    client: FlaskClient, reads: list[None], path: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert len(reads) == 1
    tag = answer.headers.get("ETag")
    if tag is not None:
        reads.clear()
        assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
        assert len(reads) == 1


def test_a_tag_is_of_the_moment_that_the_article_is_of(
    archive: Archive,
) -> None:
    with archive.moment() as moment:
        before = moment.article("urn:test:grain")
        tag = moment.tag("x")
        archive.delete("urn:test:grain")
        assert moment.article("urn:test:grain") == before
        (version,) = moment.versions("urn:test:grain").versions
        assert version.version == before.article.version
    with archive.moment() as later:
        assert later.tag("x") != tag


@pytest.mark.slow
def test_nobody_reaches_through_an_archive_for_its_parts() -> None:
    # Jobs and commands that need the parts get them from ``open_parts``.
    assert list(_reached(ast.parse("found.archive.store.seq(); archive.engine"))) == [
        "archive.engine",
        "found.archive.store",
    ]
    root = ROOT
    modules = list(root.glob("*.py"))
    for folder in ("index", "service", "benchmarks"):
        modules += (root / folder).rglob("*.py")
    reached = {
        str(path.relative_to(root)): reached
        for path in modules
        if (reached := list(_reached(ast.parse(path.read_text("utf-8")))))
    }
    assert reached == {}


def _reached(tree: ast.Module) -> Iterator[str]:
    """Yield, sorted, each expression that takes the store or engine of an archive."""
    archives = {"archive", "_archive"}
    yield from sorted(
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"store", "engine"}
        and ast.unparse(node.value).rpartition(".")[2] in archives
    )
