"""Writers with a filter: which articles they may change, also while others write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection

from index.archive import Archive
from index.article import Article, article_of
from index.errors import ArticleNotFound, InputError, OutsideFilter
from index.query import Filter, Reader
from index.settings import Settings
from index.store import Store

WORDS = {"paragraphs": ["Words."]}
DESK = Reader(filters=(Filter(field="source", values=("Desk",)),))


def article(source: str, text: str = "Words.", article_id: str = "a") -> Article:
    return article_of({"id": article_id, "paragraphs": [text], "source": source})


@pytest.fixture
def archive(store_url: str) -> Iterator[Archive]:
    archive = Archive.open(Settings(store=store_url, engine="memory:"))
    yield archive
    archive.close()


def put(archive: Archive, article_: Article) -> None:
    (result,) = archive.put([article_], reader=DESK)
    if isinstance(result, InputError):
        raise result


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda archive: put(archive, article("Desk", "Anew.")), OutsideFilter),
        (lambda archive: archive.delete("a", reader=DESK), ArticleNotFound),
        (lambda archive: archive.kill("a", reader=DESK), ArticleNotFound),
        (lambda archive: archive.withhold("a", reader=DESK), ArticleNotFound),
        (lambda archive: archive.reinstate("a", reader=DESK), ArticleNotFound),
    ],
    ids=["put", "delete", "kill", "withhold", "reinstate"],
)
def test_an_article_that_leaves_the_filter_while_it_is_written_stays_as_it_is(
    archive: Archive,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[Archive], Any],
    error: type[InputError],
) -> None:
    archive.put([article("Desk")])
    another = Store(archive.store.url)
    database = archive.store._database
    writing = database.writing

    @contextmanager
    def late(*, room: int = 0, ordinary: bool = True) -> Iterator[Connection]:
        another.put([article("Wire", "Words of the wire.")])
        with writing(room=room, ordinary=ordinary) as connection:
            yield connection

    monkeypatch.setattr(database, "writing", late)
    with pytest.raises(error):
        act(archive)
    monkeypatch.undo()
    assert archive.get("a").article.paragraphs[-1].text == "Words of the wire."
    assert archive.seq() == 2
    another.close()


def test_of_a_batch_only_what_is_beyond_the_filter_is_refused(
    archive: Archive,
) -> None:
    archive.put([article("Wire", article_id="theirs")])
    results = archive.put(
        [
            article("Desk", article_id="new"),
            article("Wire", article_id="new"),
            article("Desk", article_id="theirs"),
            article("Wire", article_id="other"),
        ],
        reader=DESK,
    )
    refused = [isinstance(each, OutsideFilter) for each in results]
    assert refused == [False, True, True, True]
    with archive.store.reading() as view:
        assert [each.source for each in view.iterate()] == ["Desk", "Wire"]


def test_what_was_killed_is_restored_only_by_who_could_have_written_it(
    archive: Archive,
) -> None:
    for source in ("Desk", "Wire"):
        archive.put([article(source, article_id=source)])
        archive.kill(source)
        archive.delete(source)
    assert archive.reinstate("Desk", reader=DESK)
    with pytest.raises(ArticleNotFound):
        archive.reinstate("Wire", reader=DESK)
    with pytest.raises(ArticleNotFound):
        archive.kill("never-here", reader=DESK)


def test_who_joins_a_killed_story_kills_nothing_beyond_their_filter(
    archive: Archive,
) -> None:
    """Such an article may link a killed story to another one, which is then killed."""
    archive.put(
        [
            article("Desk", article_id="killed"),
            *(
                article_of({"id": id_, "source": id_, "story": "strike"} | WORDS)
                for id_ in ("Desk", "Wire")
            ),
        ]
    )
    archive.kill("killed", cascade=True)
    link = {"id": "new", "source": "Desk", "story": "strike", "evolved_from": "killed"}
    put(archive, article_of(link | WORDS))
    with archive.store.reading() as view:
        killed = {each.id for each in view.notices(2**60, 10)}
    assert killed == {"killed", "new", "Desk"}
    # A writer without a filter links them, too, and kills all of both.
    archive.put([article_of(link | WORDS | {"id": "newer"})])
    with archive.store.reading() as view:
        assert view.notice("Wire") is not None


def test_who_joins_a_killed_story_reads_no_note_that_was_not_for_them(
    archive: Archive,
) -> None:
    archive.put([article("Wire", article_id="theirs"), article("Desk", article_id="b")])
    for id_ in ("theirs", "b"):
        archive.kill(id_, cascade=True, note=f"Of {id_}.", replacement=f"{id_}-2")
    for id_, from_ in (("new", "theirs"), ("newer", "b")):
        link = {
            "id": id_,
            "source": "Desk",
            "evolved_from": from_,
            "correction": "Ours",
        }
        put(archive, article_of(link | WORDS))
    notices = {
        n.id: (n.note, n.replacement) for n in archive.notices(reader=DESK).notices
    }
    assert notices == {
        "b": ("Of b.", "b-2"),
        "new": ("Ours", None),
        "newer": ("Of b.", "b-2"),
    }
