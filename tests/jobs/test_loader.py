"""The loader: what it reads, in which order, and how it reports every record."""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from index.errors import StoreFull, UnknownField, UnknownFormat, UnreadableInput
from index.formats import ReadOptions
from index.jobs import Problem, Progress, Report, load, repeats
from index.jobs import loader as module
from index.store import Store

Loading = Callable[..., Report]


def line(article_id: str, **more: Any) -> str:
    return json.dumps(
        {"id": article_id, "headline": "Head", "paragraphs": ["One."], **more}
    )


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


def headlines(store: Store, article_id: str) -> list[str | None]:
    with store.reading() as view:
        return [each.headline for each in reversed(view.versions(article_id))]


ORDERS = ["AB", "ABA", "ABC", "AAB", "ABAB", "ABCB"]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("batch", [1, 2, 3, 200])
def test_an_article_twice_in_a_load_is_its_last_and_a_second_load_changes_nothing(
    folder: Path,
    store: Store,
    loaded: Loading,
    monkeypatch: pytest.MonkeyPatch,
    order: str,
    batch: int,
) -> None:
    monkeypatch.setattr(module, "BATCH_ARTICLES", batch)
    file = folder / "a.jsonl"
    file.write_text("\n".join(line("a", headline=each) for each in order))
    first = loaded(file)
    before = headlines(store, "a")
    assert before[-1] == order[-1]
    assert first.warnings > 0
    seq = store.seq()
    second = loaded(file)
    assert (second.created, second.updated, second.stored) == (0, 0, 0)
    assert (second.unchanged, second.seq, store.seq()) == (len(order), None, seq)
    assert headlines(store, "a") == before


def test_an_article_twice_in_a_load_is_warned_of_by_its_own_line(
    folder: Path, loaded: Loading
) -> None:
    file = folder / "a.jsonl"
    file.write_text(f"{line('a')}\n{line('b')}\n{line('a', byline='X')}\n{line('b')}")
    for _ in range(2):
        report = loaded(file)
        (problem,) = report.problems
        assert not problem.refused
        assert (problem.line, problem.label, report.warnings) == (3, "a", 1)
        assert "more than once" in problem.reason


def test_several_versions_of_an_article_in_a_load_are_no_problem(
    folder: Path, store: Store, loaded: Loading
) -> None:
    file = folder / "a.jsonl"
    file.write_text(
        "\n".join(line("a", version=n, headline=f"Head {n}") for n in (1, 2, 3))
    )
    assert loaded(file).problems == ()
    assert headlines(store, "a") == ["Head 1", "Head 2", "Head 3"]


def test_going_back_to_an_earlier_text_is_a_new_version(
    folder: Path, store: Store, loaded: Loading
) -> None:
    for headline in ("Old", "New", "Old"):
        (folder / "a.jsonl").write_text(line("a", headline=headline))
        report = loaded(folder)
    assert (report.updated, report.warnings) == (1, 0)
    assert report.seq == 3
    assert headlines(store, "a") == ["Old", "New", "Old"]


def test_many_articles_go_back_to_an_earlier_text_by_way_of_the_disk(
    folder: Path, store: Store, loaded: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "MEMORY_BYTES", 500)
    monkeypatch.setattr(module, "BATCH_ARTICLES", 3)
    for byline in ("Old", "New", "Old"):
        (folder / "a.jsonl").write_text(
            "\n".join(line(f"a{n}", byline=byline, x=f"é {n}") for n in range(10))
        )
        report = loaded(folder)
    assert (report.updated, report.refused, store.seq()) == (10, 0, 30)
    with store.reading() as view:
        assert {each.byline for each in view.iterate()} == {"Old"}
        assert view.get("a7").article.extra == {"x": "é 7"}


def test_an_interrupted_load_reports_what_was_stored(
    store: Store, loaded: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupting(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            data = super().read(size)
            if not data:
                raise KeyboardInterrupt
            return data

    monkeypatch.setattr(module, "BATCH_ARTICLES", 2)
    text = "".join(line(each) + "\n" for each in "abc")
    with pytest.raises(module.LoadInterrupted) as caught:
        loaded("-", stdin=Interrupting(text.encode()))
    assert caught.value.report.created == 2
    assert ids(store) == ["a", "b"]


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


def test_a_link_named_by_the_caller_is_followed(
    folder: Path, tmp_path: Path, store: Store, loaded: Loading
) -> None:
    (tmp_path / "real.jsonl").write_text(line("a"))
    (folder / "link.jsonl").symlink_to(tmp_path / "real.jsonl")
    loaded(folder / "link.jsonl")
    assert ids(store) == ["a"]


def test_other_files_in_a_folder_are_passed_over(folder: Path, loaded: Loading) -> None:
    (folder / "a.jsonl").write_text(line("a"))
    (folder / "README.md").write_text("# About these files\n")
    (folder / "broken.json").write_bytes(b"\x00\x01")
    report = loaded(folder)
    assert (report.created, report.refused, report.passed_over) == (1, 1, 1)
    (problem,) = report.problems
    assert (Path(problem.file).name, problem.code) == (
        "broken.json",
        "unreadable_input",
    )


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.ninjs", "a.txt", "a", "a.gz"])
@pytest.mark.parametrize("read_as", [None, "jsonl"])
@pytest.mark.parametrize("content", [b"", b"\n \r\n"])
def test_an_empty_file_is_refused_by_name(
    folder: Path, loaded: Loading, name: str, read_as: str | None, content: bytes
) -> None:
    data = gzip.compress(content) if name.endswith(".gz") else content
    (folder / name).write_bytes(data)
    report = loaded(folder / name, read_as=read_as)
    (problem,) = report.problems
    assert (report.refused, problem.file) == (1, str(folder / name))
    if name != "a.txt" or read_as:
        assert problem.reason == "is empty"


def test_an_empty_standard_input_is_refused(loaded: Loading) -> None:
    (problem,) = loaded("-", stdin=io.BytesIO()).problems
    assert (problem.file, problem.reason) == ("-", "is empty")


def test_a_text_in_another_encoding_is_refused_with_its_place(
    folder: Path, loaded: Loading
):
    (folder / "a.txt").write_bytes("Zürich votes\n\nToday.".encode("latin-1"))
    (problem,) = loaded(folder).problems
    assert problem.code == "invalid_encoding"
    assert "byte 1 (0xfc) is not UTF-8" in problem.reason


@pytest.mark.parametrize("bad", [b"\0", b"\xfc"])
@pytest.mark.parametrize("form", ["lines", "list"])
def test_a_bad_byte_costs_its_own_record_only(
    folder: Path, store: Store, loaded: Loading, bad: bytes, form: str
) -> None:
    records = [line(each).encode() for each in "abc"]
    records[1] = records[1].replace(b"One", b"O" + bad + b"ne")
    if form == "lines":
        data = b"\n".join(records)
    else:
        data = b"[\n" + b",\n".join(records) + b"]"
    (folder / "a.json").write_bytes(data)
    report = loaded(folder)
    assert ids(store) == ["a", "c"]
    (problem,) = report.problems
    assert problem.line == (2 if form == "lines" else 3)
    if bad != b"\0":
        assert problem.code == "invalid_encoding"
        assert "(0xfc) is not UTF-8" in problem.reason


def test_what_is_no_article_by_its_kind_is_passed_over_with_a_note_for_each_kind(
    folder: Path, loaded: Loading
) -> None:
    post = (
        "<item><guid>{}</guid><title>A</title><wp:status>publish</wp:status>"
        "<wp:post_type>{}</wp:post_type></item>"
    )
    kinds = ("post", "attachment", "nav_menu_item", "attachment")
    items = "".join(post.format(at, kind) for at, kind in enumerate(kinds))
    (folder / "export.xml").write_text(
        '<rss xmlns:wp="http://wordpress.org/export/1.2/"><channel><title>T</title>'
        f"{items}</channel></rss>"
    )
    report = loaded(folder)
    assert (report.created, report.refused, report.passed_over) == (1, 0, 3)
    details = [note.detail for note in report.notes]
    assert any(
        each.startswith("passed over 2 records") and "attachment" in each
        for each in details
    )
    assert len(details) == 2


def test_columns_that_are_no_field_are_a_note(folder: Path, loaded: Loading) -> None:
    (folder / "a.csv").write_text("id;title;Autor;Bild\n1;Ferry;Bo;\n2;Rink;Jo;\n")
    (note,) = loaded(folder).notes
    assert note.detail == (
        "columns that are no field are kept in extra: Autor, Bild; --map NAME=FIELD"
        " reads one as a field"
    )


MENU = (
    '<rss xmlns:wp="http://wordpress.org/export/1.2/"><channel><title>T</title><item>'
    "<title>Menu</title><wp:status>publish</wp:status><wp:post_id>6</wp:post_id>"
    "<wp:post_type>nav_menu_item</wp:post_type></item></channel></rss>"
)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "it is empty"),
        ({"within/": ""}, "it is empty"),
        (
            {"a.png": "\0", "b/c.jpg": "\0", "README.md": "# About", "d.mp4": "\0"},
            "passed over README.md, a.png, d.mp4 … (not named as articles)",
        ),
        ({".a.txt": "Hidden"}, "passed over .a.txt (hidden)"),
        ({".git/": "", "a.json": "[]"}, ".git (hidden); a.json (without records)"),
        ({"m.xml": MENU}, "passed over m.xml (type: nav_menu_item is an entry of a"),
    ],
)
def test_a_folder_of_which_nothing_was_read_is_refused_with_what_was_passed_over(
    folder: Path, loaded: Loading, files: dict[str, str], reason: str
) -> None:
    for name, content in files.items():
        if name.endswith("/"):
            (folder / name).mkdir()
        else:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(content)
    (problem,) = loaded(folder).problems
    assert (problem.file, problem.code) == (str(folder), "unreadable_input")
    assert problem.reason.startswith("nothing in it was read: ")
    assert reason in problem.reason


def test_a_folder_of_links_and_pipes_is_refused(folder: Path, loaded: Loading) -> None:
    (folder / "around").symlink_to(folder, target_is_directory=True)
    os.mkfifo(folder / "pipe.jsonl")
    (problem,) = loaded(folder).problems
    assert "around (a link); pipe.jsonl (no regular file)" in problem.reason


def test_each_folder_that_was_named_is_judged_by_itself(
    folder: Path, loaded: Loading
) -> None:
    for name in ("full", "empty", "refused"):
        (folder / name).mkdir()
    (folder / "full" / "a.jsonl").write_text(line("a"))
    (folder / "refused" / "a.jsonl").write_text("{")
    report = loaded(*(folder / name for name in ("full", "empty", "refused")))
    assert {Path(each.file).name for each in report.problems} == {"empty", "a.jsonl"}
    # What is read again and unchanged was read.
    assert loaded(folder / "full").refused == 0


def test_a_file_named_by_the_caller_is_never_passed_over(
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


def test_gzip_is_unzipped(folder: Path, store: Store, loaded: Loading) -> None:
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
    loaded(folder, options=ReadOptions(mapping={"topics": "subjects"}))
    with store.reading() as view:
        assert [each.name for each in view.get("a").article.subjects] == ["ports"]


def test_a_wrong_format_or_mapping_is_refused_before_anything_is_read(
    loaded: Loading,
) -> None:
    with pytest.raises(UnknownFormat):
        loaded("none", read_as="wordperfect")
    with pytest.raises(UnknownField):
        loaded("none", options=ReadOptions(mapping={"topics": "topics"}))


@pytest.fixture
def sizes(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many articles each transaction stores."""
    sizes: list[int] = []
    put = store.put
    monkeypatch.setattr(
        store,
        "put",
        lambda batch, **how: (sizes.append(len(batch)), put(batch, **how))[1],
    )
    return sizes


def test_many_small_files_share_transactions(
    folder: Path, sizes: list[int], loaded: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH_ARTICLES", 4)
    for n in range(10):
        (folder / f"{n}.jsonl").write_text(line(f"a{n}"))
    loaded(folder)
    assert sizes == [4, 4, 2]


def test_batches_are_bounded_by_bytes(
    folder: Path, sizes: list[int], loaded: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    steps: list[Progress] = []
    loaded(folder, on_progress=steps.append)
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert steps[-1] == Progress(read=size, total=size, articles=3)
    assert [each.read for each in steps] == sorted(each.read for each in steps)


def test_the_size_of_a_stream_is_not_known(loaded: Loading) -> None:
    steps: list[Progress] = []
    loaded("-", stdin=io.BytesIO(line("a").encode()), on_progress=steps.append)
    assert steps[-1].total is None


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
    def full(batch: object, **how: object) -> None:
        raise StoreFull

    monkeypatch.setattr(store, "put", full)
    (folder / "a.jsonl").write_text(line("a"))
    with pytest.raises(StoreFull):
        loaded(folder)


# What a load tells besides


def notes(report: Report) -> list[str]:
    return [note.detail for note in report.notes]


def test_what_was_unwrapped_is_told_once_for_each_list(
    folder: Path, store: Store, loaded: Loading
) -> None:
    pages = [
        {"status": "ok", "articles": [{"id": each, "title": each} for each in page]}
        for page in ("ab", "cde", "")
    ]
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, pages)))
    (folder / "b.json").write_text(json.dumps({"articles": []}))
    report = loaded(folder)
    assert ids(store) == ["a", "b", "c", "d", "e"]
    assert (report.articles, report.refused, report.warnings) == (5, 0, 0)
    assert notes(report) == [
        "unwrapped 5 records from articles",
        "unwrapped 0 records from articles",
    ]


def test_an_unknown_wrapper_is_refused_with_a_way_to_read_it(
    folder: Path, store: Store, loaded: Loading
) -> None:
    file = folder / "a.json"
    file.write_text(json.dumps({"load": {"things": [{"id": "a", "title": "A"}]}}))
    (problem,) = loaded(file).problems
    assert "a list of 1 object under 'load.things'" in problem.reason
    assert "--records 'load.things'" in problem.reason
    report = loaded(file, options=ReadOptions(records="load.things"))
    assert (ids(store), report.refused) == (["a"], 0)


def test_the_hint_names_the_records_of_an_export_and_not_the_links_between_them(
    folder: Path, store: Store, loaded: Loading
) -> None:
    links = [{"post": "a", "tag": str(n)} for n in range(3)]
    export = {"db": [{"data": {"posts": [{"id": "a", "title": "A"}], "links": links}}]}
    file = folder / "a.json"
    file.write_text(json.dumps(export))
    (problem,) = loaded(file).problems
    assert "--records 'db[].data.posts'" in problem.reason
    report = loaded(file, options=ReadOptions(records="db[].data.posts"))
    assert (ids(store), report.refused) == (["a"], 0)


def test_records_of_two_formats_in_a_file_are_told(
    folder: Path, loaded: Loading
) -> None:
    ninjs = {"uri": "n", "headlines": [{"value": "N"}], "versionCreated": "2020-01-01"}
    (folder / "a.jsonl").write_text(f"{line('a')}\n{json.dumps(ninjs)}\n{line('b')}")
    report = loaded(folder)
    assert report.created == 3
    assert notes(report) == [
        "each record was read by its own names: 2 as jsonl, 1 as ninjs"
    ]
    assert notes(loaded(folder, read_as="jsonl")) == []


def test_names_of_the_mapping_that_nothing_had_are_told_at_the_end(
    folder: Path, loaded: Loading
) -> None:
    (folder / "a.jsonl").write_text(line("a", desk="x", fields={"body": "y"}))
    (folder / "b.jsonl").write_text(line("b", topic="z"))
    mapping = {"desks": "section", "topic": "subjects", "field.body": "text"}
    report = loaded(folder, options=ReadOptions(mapping={**mapping, "zzz": "-"}))
    assert report.warnings == 3
    assert [each.reason for each in report.problems] == [
        "nothing had 'desks'; did you mean 'desk'?",
        "nothing had 'field.body'; did you mean 'fields.body'?",
        "nothing had 'zzz'",
    ]


def test_two_sources_of_an_id_in_one_file_are_told(
    folder: Path, loaded: Loading
) -> None:
    sent = [line("a", source=source, byline=source) for source in ("Wire A", "Wire B")]
    (folder / "a.jsonl").write_text("\n".join([*sent, line("b", source="Wire B")]))
    reasons = [problem.reason for problem in loaded(folder).problems]
    assert any("'Wire A'" in reason and "'Wire B'" in reason for reason in reasons)


def test_an_id_that_is_nowhere_names_where_it_was_looked_for(
    folder: Path, loaded: Loading
) -> None:
    (folder / "a.jsonl").write_text('{"headline": "Head"}')
    report = loaded(folder, options=ReadOptions(id_from=("storyno", "sku")))
    assert "nothing under storyno and sku" in report.problems[0].reason


def test_the_same_id_from_another_source_is_told_with_both(
    folder: Path, loaded: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NAMED_SOURCES", 2)
    file = folder / "a.jsonl"
    for source in ("Wire A", "Wire A", None, "Wire B"):
        more = {} if source is None else {"source": source}
        file.write_text("\n".join(line(each, byline=source, **more) for each in "abcd"))
        report = loaded(file)
        assert report.warnings == 0 or source == "Wire B"
    file.write_text("\n".join(line(each, source="Wire A") for each in "abcd"))
    report = loaded(file)
    reasons = [each.reason for each in report.problems]
    assert len(reasons) == report.warnings == 3
    assert "is from 'Wire B', this one from 'Wire A'" in reasons[0]
    assert "2 more articles" in reasons[2]
    assert [each.label for each in report.problems] == ["a", "b", None]
    assert loaded(file).warnings == 0


def test_a_record_without_an_id_is_refused_with_the_option_that_makes_one(
    folder: Path, store: Store, loaded: Loading
) -> None:
    (folder / "a.jsonl").write_text('{"headline": "No id"}')
    (problem,) = loaded(folder).problems
    assert "--id-from" in problem.reason
    for _ in range(2):
        report = loaded(folder, options=ReadOptions(id_from=("hash",)))
        assert report.articles == 1
    assert report.unchanged == 1
    assert ids(store)[0].startswith("hash:")


def test_files_in_another_charset_are_read(
    folder: Path, store: Store, loaded: Loading
) -> None:
    (folder / "a.txt").write_bytes("“Zürich” votes\n\nToday.".encode("cp1252"))
    (folder / "b.jsonl").write_bytes(line("b", headline="Größe").encode("cp1252"))
    (folder / "c.txt").write_bytes("Über\n\nText.".encode("utf-8-sig"))
    (folder / "d.json").write_bytes(b'[{"id": "d", "headline": "na\xefve"}]')
    report = loaded(folder, encoding="ISO-8859-1")
    assert report.problems == ()
    assert headlines(store, "file:a") == ["“Zürich” votes"]
    assert headlines(store, "file:c") == ["Über"]
    assert headlines(store, "d") == ["naïve"]
    (folder / "e.txt").write_bytes("Ohne Marke\n\nText.".encode("utf-16-le"))
    assert loaded(folder / "e.txt", encoding="utf-16-le").problems == ()
    with pytest.raises(UnreadableInput, match="unknown"):
        loaded(folder, encoding="klingon")
