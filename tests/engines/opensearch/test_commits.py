"""Commits and rebuilds on a node: all of a batch is seen, or nothing of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from articles import article
from engines.kinds import NOW, word
from engines.searches import matching_ids, search
from real.keeper import shared_nodes
from real.opensearch import new_prefix

from index.article import Article
from index.engines import Snapshot, open_engine
from index.engines.opensearch import ClusterEngine, commits, engine, rebuilding
from index.engines.opensearch.cluster import Cluster
from index.engines.opensearch.documents import analysed, forms
from index.engines.opensearch.writing import ArticleRefused, Writer
from index.errors import IndexDamaged, IndexerRunning, IndexUnavailable
from index.query import All, Fuzzy, Prefix, Search, Unit, Wildcard, form_tests
from index.text import fold_text

pytestmark = pytest.mark.opensearch

Open = Callable[..., ClusterEngine]


@pytest.fixture
def connect() -> Iterator[Open]:
    """A function that opens an engine on the same index each time."""
    nodes, prefix = shared_nodes(), new_prefix()
    opened: list[ClusterEngine] = []

    def connect(**options: Any) -> ClusterEngine:
        one = open_engine(nodes.url(prefix), **options)
        assert isinstance(one, ClusterEngine)
        opened.append(one)
        return one

    yield connect
    for one in opened:
        one.close()
    nodes.remove(prefix)


@pytest.fixture
def cluster(connect: Open) -> ClusterEngine:
    """An engine with one article, at seq 3."""
    one = connect()
    one.rebuild([article("a", "harbour")], seq=3, total=1, epoch=7)
    return one


def indexes(one: ClusterEngine) -> list[str]:
    """The indexes with our prefix."""
    prefix = one._cluster.address.prefix
    rows = one._cluster.ask("GET", f"/_cat/indices/{prefix}-*?h=index&format=json")
    return sorted(row["index"] for row in rows or ())


def ids(snapshot: Snapshot) -> list[str]:
    page = snapshot.search(Search(query=All(), now=NOW))
    return sorted(hit.id for hit in page.hits)


def lose_points(one: ClusterEngine) -> None:
    """Close every point in time, as the end of their nodes would."""
    one._cluster.ask("DELETE", "/_search/point_in_time/_all")


class Stopped(Exception):
    """The end of a process, for the tests."""


def stopping(*articles: Article) -> Iterator[Article]:
    yield from articles
    raise Stopped


def fail(*_: object) -> None:
    raise IndexUnavailable("for the test")


def test_a_rebuild_that_fails_leaves_the_old_index_and_nothing_else(
    cluster: ClusterEngine,
) -> None:
    before = indexes(cluster)
    with pytest.raises(Stopped):
        cluster.rebuild(stopping(article("b", "x")), seq=9, total=2)
    assert indexes(cluster) == before
    assert cluster.state().progress is None
    assert (cluster.snapshot().seq, ids(cluster.snapshot())) == (3, ["a"])


def test_a_rebuild_whose_commit_got_no_answer_leaves_a_whole_index(
    cluster: ClusterEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = commits.Commits.replace

    def unanswered(*arguments: Any) -> None:
        replace(*arguments)
        fail()

    with monkeypatch.context() as patch, pytest.raises(IndexUnavailable):
        patch.setattr(commits.Commits, "replace", unanswered)
        cluster.rebuild([article("b", "x")], seq=9, total=1)
    assert list(cluster.check()) == []
    assert (cluster.snapshot().seq, ids(cluster.snapshot())) == (9, ["b"])


def test_what_a_killed_rebuild_left_is_removed_by_the_next(
    cluster: ClusterEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(rebuilding.Generations, "remove", fail)
        cluster.rebuild(stopping(), seq=9, total=2)
    left = indexes(cluster)
    cluster.rebuild([article("b", "x")], seq=9, total=1)
    assert len(indexes(cluster)) == len(left)
    assert set(left) - set(indexes(cluster))
    assert ids(cluster.snapshot()) == ["b"]


def test_a_search_goes_on_in_the_old_index_for_a_while(
    cluster: ClusterEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = cluster.snapshot()
    cluster.rebuild([article("b", "x")], seq=9, total=1)
    cluster.let_go()
    assert ids(old) == ["a"]
    late = commits.now() + commits.GRACE_SECONDS + 1
    monkeypatch.setattr(rebuilding, "now", lambda: late)
    cluster.let_go()
    with pytest.raises(IndexUnavailable, match="changed while it was searched"):
        ids(old)
    assert len(indexes(cluster)) == 3
    assert ids(cluster.snapshot()) == ["b"]


def test_a_batch_that_failed_is_not_seen_and_can_be_repeated(
    cluster: ClusterEngine, connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = [article("a", "quay"), article("b", "quay")]
    with monkeypatch.context() as patch, pytest.raises(IndexUnavailable):
        patch.setattr(Writer, "refresh", fail)
        cluster.apply(batch, (), seq=5)
    assert (cluster.snapshot().seq, ids(cluster.snapshot())) == (3, ["a"])
    assert matching_ids(cluster, word("harbour")) == ["a"]
    other = connect()  # the next process
    other.apply(batch, (), seq=5)
    assert matching_ids(cluster, word("quay")) == ["a", "b"]
    assert matching_ids(cluster, word("harbour")) == []


def test_a_lost_point_in_time_is_opened_again_only_for_the_same_commit(
    cluster: ClusterEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = cluster.snapshot()
    lose_points(cluster)
    assert ids(snapshot) == ["a"]
    with monkeypatch.context() as patch, pytest.raises(IndexUnavailable):
        patch.setattr(Writer, "refresh", fail)
        cluster.apply([article("b", "x")], (), seq=4)
    lose_points(cluster)
    with pytest.raises(IndexUnavailable, match="is being written"):
        ids(snapshot)
    cluster.apply([article("b", "x")], (), seq=4)
    with pytest.raises(IndexUnavailable, match="changed while it was searched"):
        ids(snapshot)
    assert ids(cluster.snapshot()) == ["a", "b"]


def test_points_in_time_do_not_pile_up(
    cluster: ClusterEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_OLDER_POINTS", 3)
    for seq in range(4, 14):
        cluster.apply((), (), seq=seq)
    newest = cluster._commits.newest()
    assert newest is not None
    open_now = cluster._cluster.ask("GET", "/_search/point_in_time/_all") or {}
    ours = {point["pit_id"] for point in open_now["pits"]}
    assert newest.commit.point in ours
    assert {point for _, point in cluster._older} <= ours
    assert len(cluster._older) == 3


def test_an_article_with_a_value_that_is_too_long_is_refused_alone(
    cluster: ClusterEngine,
) -> None:
    long = article("b", "quay", subjects=["s" * 40_000])
    with pytest.raises(ArticleRefused, match="article b") as refused:
        cluster.apply([long], (), seq=4)
    assert refused.value.article_id == "b"
    cluster.apply([article("c", "quay")], ["b"], seq=4)
    assert ids(cluster.snapshot()) == ["a", "c"]


def test_of_two_indexers_at_once_one_is_refused(
    cluster: ClusterEngine, connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, refresh = connect(), Writer.refresh

    def overtaken(writer: Writer) -> None:
        monkeypatch.setattr(Writer, "refresh", refresh)
        other.apply([article("a", "newer")], (), seq=6)
        refresh(writer)

    monkeypatch.setattr(Writer, "refresh", overtaken)
    with pytest.raises(IndexerRunning):
        cluster.apply([article("a", "older")], (), seq=5)
    assert (cluster.snapshot().seq, cluster.snapshot().epoch) == (6, 7)
    assert matching_ids(cluster, word("newer")) == ["a"]


def test_an_older_write_never_wins(cluster: ClusterEngine) -> None:
    cluster.apply([article("a", "newer")], ["b"], seq=8)
    commit = cluster._readable().commit
    writer, _ = cluster._writer(commit.generation)
    writer.put([article("a", "older"), article("b", "older")], seq=7)
    writer.put((), ["a"], seq=7)
    cluster.apply((), (), seq=9)
    assert matching_ids(cluster, word("newer")) == ["a"]
    assert matching_ids(cluster, word("older")) == []


def test_an_index_that_is_missing_is_stale_and_not_made_by_a_write(
    cluster: ClusterEngine,
) -> None:
    names = indexes(cluster)
    (articles,) = (name for name in names if "-articles-" in name)
    cluster._cluster.ask("DELETE", f"/{articles}")
    assert "is missing" in (cluster.state().stale or "")
    assert any("is missing" in problem for problem in cluster.check())
    with pytest.raises((IndexDamaged, IndexUnavailable)):
        cluster.apply([article("b", "x")], (), seq=4)
    assert articles not in indexes(cluster)


def test_an_index_of_another_language_is_stale(
    cluster: ClusterEngine, connect: Open
) -> None:
    other = connect(language="de")
    assert "another version or language" in (other.state().stale or "")
    with pytest.raises(IndexUnavailable, match="another version or language"):
        other.snapshot()
    other.rebuild([], seq=3, total=0)
    assert other.state().stale is None


def test_without_an_index_the_progress_of_its_rebuild_is_told(connect: Open) -> None:
    one, seen = connect(), []
    reader = connect()

    def articles() -> Iterator[Article]:
        yield article("a", "x")
        with pytest.raises(IndexUnavailable) as refused:
            reader.snapshot()
        seen.append(refused.value.progress)

    assert "there is no index yet" in (one.state().stale or "")
    one.rebuild(articles(), seq=1, total=1)
    assert seen == [0.0]


def test_a_sound_index_has_no_damage(cluster: ClusterEngine) -> None:
    assert list(cluster.check()) == []
    state = cluster.state()
    assert (state.articles, state.paragraphs, state.epoch) == (1, 1, 7)
    assert state.bytes > 0


def test_an_article_that_is_tried_is_in_no_search(cluster: ClusterEngine) -> None:
    cluster.probe(article("b", "quay"))
    cluster.probe(article("b", "quay"))
    assert ids(cluster.snapshot()) == ["a"]
    cluster.rebuild([], seq=4, total=0)
    assert not [name for name in indexes(cluster) if name.endswith("-probe")]


def test_terms_stand_for_the_forms_that_their_tests_pass(connect: Open) -> None:
    one, choose = connect(), random.Random(3)
    letters = "abcé習近x'-.1ß"

    def invented(most: int) -> str:
        return "".join(choose.choices(letters, k=choose.randint(1, most)))

    articles = [
        article(f"a{n}", " ".join(invented(7) for _ in range(40)), byline=invented(6))
        for n in range(20)
    ]
    one.rebuild(articles, seq=1, total=len(articles))
    vocabulary = sorted(
        {form for each in articles for form in forms(analysed(each, "en"))}
    )
    words = one.snapshot()._words
    for _ in range(60):
        typed = fold_text(choose.choice((choose.choice(vocabulary), invented(6))))
        gap = choose.randrange(len(typed) + 1)
        for leaf in (
            Prefix(typed[:gap]),
            Wildcard(typed[:gap] + choose.choice("*?") + typed[gap + 1 :]),
            Fuzzy(typed, choose.choice((1, 2))),
        ):
            (test,) = form_tests(leaf, "")
            assert list(words.expand(leaf, None)) == list(filter(test, vocabulary)), (
                leaf
            )


def test_many_words_are_read_page_by_page(
    connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.engines.opensearch.words._PAGE", 3)
    monkeypatch.setattr("index.engines.opensearch.words._COUNTED", 2)
    monkeypatch.setattr("index.engines.opensearch.words._SEARCHES", 3)
    one = connect()
    text = " ".join(f"quay{letter}" for letter in "abcdefgh")
    one.rebuild([article("a", text)], seq=1, total=1)
    found = one.snapshot().completions("quay", Search(query=All(), now=NOW), 99)
    assert [each.text for each in found] == text.split()
    assert search(one, Prefix("quay")).articles == 1


def test_a_late_page_of_paragraphs_reads_the_articles_of_that_page_only(
    connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, reference = connect(), open_engine("memory:")
    articles = [article(f"a{n:02}", "quay", "quay") for n in range(30)]
    for each in (one, reference):
        each.rebuild(articles, seq=1, total=len(articles))
    wanted = Search(
        query=word("quay"), unit=Unit.PARAGRAPH, offset=40, limit=4, now=NOW
    )
    read: list[str] = []
    perform = Cluster._perform

    def recorded(*arguments: Any) -> Any:
        answer = perform(*arguments)
        hits = answer.body.get("hits", {}).get("hits", ())
        read.extend(hit["_id"] for hit in hits if "p" in hit["_source"])
        return answer

    monkeypatch.setattr(Cluster, "_perform", recorded)
    page = one.snapshot().search(wanted)
    assert sorted(read) == sorted({hit.id for hit in page.hits})
    expected = reference.snapshot().search(wanted).hits
    assert [hit.key for hit in page.hits] == [hit.key for hit in expected]
