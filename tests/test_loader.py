"""The loader: what it reads, in which order, and how it accounts for every record."""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from index import loader as module
from index.errors import StoreFull, UnknownField, UnknownFormat
from index.loader import Problem, Progress, Report, load
from index.store import Store

Loading = Callable[..., Report]


def line(article_id: str, **more: Any) -> str:
    return json.dumps(
        {"id": article_id, "headline": "Head", "paragraphs": ["One."], **more}
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'nutgraf.db'}")
    yield store
    store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


@pytest.fixture
def loaded(store: Store) -> Loading:
    """A function that loads paths with a generous limit."""

    def loaded(*paths: Path | str, article_bytes: int = 10_000, **more: Any) -> Report:
        return load(
            [str(path) for path in paths], store, article_bytes=article_bytes, **more
        )

    return loaded


def ids(store: Store) -> list[str]:
    with store.reading() as view:
        return [article.id for article in view.iterate()]


def test_a_load_counts_what_became_of_each_article(
    folder: Path, loaded: Loading
) -> None:
    file = folder / "a.jsonl"
    file.write_text("\n".join([line("a", version="2"), line("b"), line("c")]))
    first = loaded(file)
    assert (first.files, first.articles, first.created) == (1, 3, 3)
    assert first.seq == 3
    file.write_text(
        "\n".join([line("a", version="1"), line("b", byline="By Ana"), line("c")])
    )
    second = loaded(file)
    assert (second.stored, second.updated, second.unchanged) == (1, 1, 1)
    assert second.seq == 5


def test_loading_the_same_file_twice_changes_nothing(
    folder: Path, store: Store, loaded: Loading
) -> None:
    (folder / "a.jsonl").write_text(line("a") + "\n" + line("b"))
    loaded(folder)
    again = loaded(folder)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 2)
    assert again.seq is None
    assert store.seq() == 2


def test_a_refused_record_costs_only_itself_and_is_named(
    folder: Path, store: Store, loaded: Loading
) -> None:
    file = folder / "a.jsonl"
    file.write_text(f'{line("a")}\n{{"id": "empty"}}\n{{broken\n{line("b")}\n')
    seen: list[Problem] = []
    report = loaded(file, on_problem=seen.append)
    assert ids(store) == ["a", "b"]
    assert report.refused == 2
    assert list(report.problems) == seen
    assert [(each.file, each.line, each.label) for each in seen] == [
        (str(file), 2, "empty"),
        (str(file), 3, "item 3"),
    ]
    assert all(each.refused and each.reason for each in seen)


def test_a_conflict_in_the_store_is_named_by_its_own_line(
    folder: Path, loaded: Loading
) -> None:
    file = folder / "a.jsonl"
    file.write_text(
        f"{line('a', version='1')}\n{line('b')}\n{line('a', version='1', byline='X')}\n"
    )
    (problem,) = loaded(file).problems
    assert (problem.line, problem.label, problem.code) == (3, "a", "version_conflict")


def test_a_warning_keeps_the_article(folder: Path, store: Store, loaded: Loading):
    file = folder / "a.jsonl"
    file.write_text(line("a", published="some day"))
    report = loaded(file)
    assert (report.created, report.refused, report.warnings) == (1, 0, 1)
    (problem,) = report.problems
    assert not problem.refused
    assert (problem.line, problem.label) == (1, "a")
    assert "published" in problem.reason


def test_an_article_above_the_limit_is_refused(folder: Path, loaded: Loading) -> None:
    file = folder / "a.jsonl"
    file.write_text(line("long", paragraphs=["x" * 2_000]) + "\n" + line("short"))
    report = loaded(file, article_bytes=1_000)
    assert report.created == 1
    (problem,) = report.problems
    assert (problem.label, problem.code) == ("long", "article_too_large")
    assert "at most 1,000" in problem.reason


def test_folders_are_read_in_order_without_hidden_files_and_links(
    folder: Path, tmp_path: Path, loaded: Loading
) -> None:
    outside = tmp_path / "outside.jsonl"
    outside.write_text(line("outside"))
    (folder / "b").mkdir()
    (folder / ".hidden").mkdir()
    for name in ("b/1.jsonl", "a.jsonl", "c.jsonl", ".d.jsonl", ".hidden/e.jsonl"):
        (folder / name).write_text(line(name) + "\n{")
    (folder / "link.jsonl").symlink_to(outside)
    (folder / "around").symlink_to(folder, target_is_directory=True)
    os.mkfifo(folder / "pipe.jsonl")
    report = loaded(folder)
    files = [Path(each.file).relative_to(folder) for each in report.problems]
    assert [str(each) for each in files] == ["a.jsonl", "c.jsonl", "b/1.jsonl"]
    assert report.created == 3


def test_a_link_that_was_asked_for_is_followed(
    folder: Path, tmp_path: Path, store: Store, loaded: Loading
) -> None:
    (tmp_path / "real.jsonl").write_text(line("a"))
    (folder / "link.jsonl").symlink_to(tmp_path / "real.jsonl")
    loaded(folder / "link.jsonl")
    assert ids(store) == ["a"]


def test_what_is_no_article_by_its_name_is_passed_over_in_a_folder(
    folder: Path, loaded: Loading
) -> None:
    (folder / "a.jsonl").write_text(line("a"))
    (folder / "README.md").write_text("# About these files\n")
    (folder / "broken.json").write_bytes(b"\x00\x01")
    report = loaded(folder)
    assert (report.created, report.refused, report.passed_over) == (1, 1, 1)
    (problem,) = report.problems
    assert (Path(problem.file).name, problem.code) == ("broken.json", "unknown_format")


def test_what_was_asked_for_by_name_is_never_passed_over(
    folder: Path, loaded: Loading
) -> None:
    (folder / "README.md").write_text("# About these files\n")
    assert loaded(folder / "README.md").refused == 1


def test_a_file_that_cannot_be_read_costs_its_own_line(
    folder: Path, store: Store, loaded: Loading
) -> None:
    (folder / "a.jsonl").write_text(line("a"))
    report = loaded(folder / "none.jsonl", folder / "a.jsonl", "nul\0.jsonl")
    assert (report.created, report.refused) == (1, 2)
    assert "No such file" in report.problems[0].reason
    assert ids(store) == ["a"]


def test_a_stream_that_breaks_off_costs_what_follows(loaded: Loading) -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            data = super().read(size)
            if not data:
                raise OSError(5, "Input/output error")
            return data

    report = loaded("-", stdin=Breaking((line("a") + "\n").encode()))
    assert (report.created, report.refused) == (1, 1)
    assert "Input/output error" in report.problems[0].reason


def test_the_standard_input_is_read(store: Store, loaded: Loading) -> None:
    report = loaded("-", stdin=io.BytesIO((line("a") + "\nno").encode()))
    assert ids(store) == ["a"]
    assert [(each.file, each.line) for each in report.problems] == [("-", 2)]


def test_gzip_is_looked_through(folder: Path, store: Store, loaded: Loading) -> None:
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(line("a").encode()))
    assert loaded(folder).created == 1
    assert ids(store) == ["a"]


def test_a_text_in_a_folder_is_named_by_its_place_there(
    folder: Path, store: Store, loaded: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "desk").mkdir()
    (folder / "desk" / "one.txt").write_text("Head\n\nOne.\n")
    loaded(folder)
    monkeypatch.chdir(folder)
    assert loaded(".").unchanged == 1
    assert ids(store) == ["file:desk/one"]


def test_names_of_the_input_are_mapped(
    folder: Path, store: Store, loaded: Loading
) -> None:
    (folder / "a.jsonl").write_text(line("a", topics=["ports"]))
    loaded(folder, mapping={"topics": "subjects"})
    with store.reading() as view:
        assert [each.name for each in view.get("a").article.subjects] == ["ports"]


def test_a_wrong_format_or_mapping_is_refused_before_anything_is_read(
    loaded: Loading,
) -> None:
    with pytest.raises(UnknownFormat):
        loaded("none", read_as="wordperfect")
    with pytest.raises(UnknownField):
        loaded("none", mapping={"topics": "topics"})


def test_many_small_files_share_transactions(
    folder: Path, store: Store, loaded: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    put = store.put
    monkeypatch.setattr(
        store, "put", lambda batch: (sizes.append(len(batch)), put(batch))[1]
    )
    monkeypatch.setattr(module, "BATCH_ARTICLES", 4)
    for n in range(10):
        (folder / f"{n}.jsonl").write_text(line(f"a{n}"))
    loaded(folder)
    assert sizes == [4, 4, 2]


def test_batches_are_bounded_by_bytes(
    folder: Path, store: Store, loaded: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    put = store.put
    monkeypatch.setattr(
        store, "put", lambda batch: (sizes.append(len(batch)), put(batch))[1]
    )
    monkeypatch.setattr(module, "BATCH_BYTES", 3_000)
    text = ["x" * 1_000]
    (folder / "a.jsonl").write_text(
        "\n".join(line(f"a{n}", paragraphs=text) for n in range(5))
    )
    loaded(folder)
    assert sizes == [2, 2, 1]


def test_progress_ends_at_the_whole(folder: Path, loaded: Loading) -> None:
    for n in range(3):
        (folder / f"{n}.jsonl").write_text(line(f"a{n}"))
    told: list[Progress] = []
    loaded(folder, on_progress=told.append)
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert told[-1] == Progress(read=size, total=size, articles=3)
    assert [each.read for each in told] == sorted(each.read for each in told)


def test_the_size_of_a_stream_is_not_known(loaded: Loading) -> None:
    told: list[Progress] = []
    loaded("-", stdin=io.BytesIO(line("a").encode()), on_progress=told.append)
    assert told[-1].total is None


def test_a_report_keeps_the_first_problems_and_counts_all(
    folder: Path, loaded: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_PROBLEMS", 3)
    (folder / "a.jsonl").write_text("1\n" * 10)
    seen: list[Problem] = []
    report = loaded(folder / "a.jsonl", read_as="jsonl", on_problem=seen.append)
    assert report.refused == len(seen) == 10
    assert list(report.problems) == seen[:3]


def test_a_full_store_ends_the_load(
    folder: Path, store: Store, loaded: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(batch: object) -> None:
        raise StoreFull

    monkeypatch.setattr(store, "put", full)
    (folder / "a.jsonl").write_text(line("a"))
    with pytest.raises(StoreFull):
        loaded(folder)
