"""Batches, rebuilds and snapshots."""

from __future__ import annotations

import pytest
from articles import article
from engines.kinds import NOW, word
from engines.searches import COCOA, LAVROV, fill, ids, matching_ids, search

from index.article import article_of
from index.engines import Engine
from index.query import All, Or, Search


def test_a_new_version_replaces_the_old_one(news: Engine) -> None:
    changed = article_of(
        {"id": "kerry", "version": "2", "paragraphs": ["Only this is left."]}
    )
    fill(news, changed, seq=5)
    assert matching_ids(news, word("hospitals")) == []
    page = search(news, word("left"))
    assert [(hit.id, hit.version) for hit in page.hits] == [("kerry", "2")]
    assert page.seq == 5


def test_a_deleted_article_is_gone(news: Engine) -> None:
    news.apply((), ["kerry", "never there"], seq=5)
    assert matching_ids(news, word("aleppo")) == []
    assert news.state().articles == 3
    assert news.snapshot().seq == 5


def test_a_snapshot_never_changes(news: Engine) -> None:
    before = news.snapshot()
    news.apply([article("new", "cocoa")], ["kerry"], seq=5)
    asked = Search(query=Or((word("cocoa"), word("aleppo"))), now=NOW)
    assert sorted(ids(before.search(asked))) == ["cocoa", "kerry", "undated"]
    assert sorted(ids(news.snapshot().search(asked))) == ["cocoa", "new", "undated"]


def test_each_commit_has_a_token_of_its_own(engine: Engine) -> None:
    tokens = []
    for commit in (
        lambda: engine.rebuild([], seq=4, total=0),
        lambda: engine.apply([COCOA], (), seq=4),
        lambda: engine.apply((), ["cocoa"], seq=4),
        lambda: engine.apply((), (), seq=4),
        lambda: engine.rebuild([], seq=4, total=0),
    ):
        commit()
        tokens.append(engine.snapshot().token)
        assert engine.snapshot().token == tokens[-1]
    assert len(set(tokens) - {""}) == len(tokens)


def test_a_rebuild_replaces_everything(news: Engine) -> None:
    progress: list[int] = []
    news.rebuild(iter([COCOA, LAVROV]), seq=9, total=2, progress=progress.append)
    assert matching_ids(news, All()) == ["cocoa", "lavrov"]
    assert (news.snapshot().seq, progress[-1]) == (9, 2)
    assert news.state().progress is None


def test_the_state_counts_articles_and_paragraphs(news: Engine) -> None:
    state = news.state()
    assert (state.seq, state.articles, state.paragraphs) == (4, 4, 10)
    assert state.stale is None


@pytest.mark.slow
def test_many_small_batches_are_one_index(engine: Engine) -> None:
    for n in range(40):
        engine.apply(
            [article(f"a{n % 25}", f"number{n} truce", headline="h")],
            [f"a{n - 20}"] if n % 7 == 0 else (),
            seq=n + 1,
        )
    assert len(matching_ids(engine, word("truce"))) == engine.state().articles
    assert matching_ids(engine, word("number39")) == ["a14"]
    assert matching_ids(engine, word("number14")) == []
