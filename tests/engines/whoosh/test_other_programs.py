"""Indexes that another program wrote to: refused, and rebuilt."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from articles import article
from engines.whoosh.indexes import filled, ids_with, opened
from whoosh.index import open_dir
from whoosh.query import Term as WhooshTerm
from whoosh.writing import SegmentWriter

from index.engines.whoosh import WhooshEngine
from index.engines.whoosh.codec import ColumnarCodec
from index.engines.whoosh.files.segment import Segment
from index.errors import IndexDamaged, IndexUnavailable

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def engine(folder: Path) -> Iterator[WhooshEngine]:
    filled_engine = filled(folder)
    yield filled_engine
    filled_engine.close()


def default_codec(folder: Path) -> None:
    writer = open_dir(folder).writer()
    writer.add_document(id="foreign", text="truce")
    writer.commit(merge=False)


def our_codec(folder: Path) -> None:
    writer = SegmentWriter(open_dir(folder), codec=ColumnarCodec())
    writer.add_document(id="foreign", text="truce")
    writer.commit(merge=False)


def everything_merged(folder: Path) -> None:
    writer = open_dir(folder).writer()
    writer.add_document(id="foreign", text="truce")
    writer.commit(optimize=True)


def only_deletions(folder: Path) -> None:
    writer = SegmentWriter(open_dir(folder), codec=ColumnarCodec())
    writer.delete_by_term("id", "a1-1")
    writer.commit(merge=False)


def beside_a_killed_commit(folder: Path) -> None:
    record = max(folder.glob("*.json"))
    number = int(record.stem.rpartition("_")[2])
    shutil.copy(record, record.with_name(f"_MAIN_{number + 1}.json"))
    our_codec(folder)


@pytest.mark.parametrize(
    "intrude",
    [default_codec, our_codec, everything_merged, only_deletions],
)
def test_an_index_of_another_program_is_refused_and_rebuilt(
    engine: WhooshEngine, folder: Path, intrude: Callable[[Path], None]
) -> None:
    intrude(folder)
    for reader in (engine, opened(folder)):
        with pytest.raises(IndexUnavailable, match=r"another program.*rebuilds it"):
            reader.snapshot()
        assert "another program" in str(reader.state().stale)
        with pytest.raises(IndexUnavailable, match="another program"):
            reader.apply([article("b", "truce")], (), seq=50)
    engine.rebuild([article("new", "truce")], seq=51, total=1)
    assert ids_with(engine, "truce") == ["new"]
    assert ids_with(opened(folder), "truce") == ["new"]
    # The table of contents, its metadata, one segment and the lock.
    assert len(list(folder.iterdir())) == 4
    with open_dir(folder).searcher() as searcher:
        assert len(searcher.search(WhooshTerm("text", "truce"))) == 1


def test_another_programs_table_of_contents_is_not_used(
    engine: WhooshEngine, folder: Path
) -> None:
    beside_a_killed_commit(folder)
    with pytest.raises(IndexDamaged):
        engine.snapshot()
    engine.rebuild([article("new", "truce")], seq=51, total=1)
    assert ids_with(engine, "truce") == ["new"]


def test_a_segment_of_whooshs_own_writer_is_refused(
    engine: WhooshEngine, folder: Path
) -> None:
    before = set(folder.glob("*.seg"))
    our_codec(folder)
    (path,) = set(folder.glob("*.seg")) - before
    with pytest.raises(IndexDamaged, match="written by another program"):
        Segment(path, path.stem)
