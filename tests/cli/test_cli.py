"""The command line: answers, exit codes, errors, and effects on the store."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from checkout import ROOT

from index.article import Article, Status, article_of
from index.cli import entry
from index.cli.searching import EXPORT_BATCH
from index.cli.showing import marked, marked_html
from index.cli.terminal import Screen, printable
from index.engines import open_engine
from index.formats import jsonl
from index.jobs import Indexer, verification
from index.rendering import REPRESENTATIONS
from index.store import Store
from index.store.sqlite import soundness

pytestmark = pytest.mark.slow

ARTICLES: tuple[dict[str, Any], ...] = (
    {
        "id": "urn:test:strike",
        "headline": "Harbour strike enters second week",
        "paragraphs": ["Dockers refused to unload grain.", "Talks over shifts failed."],
        "source": "Harbour Desk",
        "subjects": ["labour"],
        "published": "2016-09-29T10:00:00Z",
        "ed_note": "the foreman is not to be named",
    },
    {
        "id": "urn:test:grain",
        "headline": "Grain prices climb",
        "paragraphs": ["Bakers paid more for grain after the strike."],
        "source": "Market Desk",
        "published": "2016-09-30T08:00:00Z",
    },
    {
        "id": "urn:test:later",
        "headline": "Grain exports resume",
        "paragraphs": ["Under embargo."],
        "embargoed_until": "2100-01-01T00:00:00Z",
    },
)


class Done(NamedTuple):
    """The exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Nutgraf:
    """Runs commands in this process, on a store and index of their own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        self.environ = {
            "NUTGRAF_STORE": f"sqlite:///{folder / 'nutgraf.db'}",
            "NUTGRAF_ENGINE": f"whoosh:{folder / 'index'}",
        }

    def __call__(self, *argv: str) -> Done:
        code = entry.main(argv, self.environ)
        return Done(code, *self._capsys.readouterr())

    @property
    def store(self) -> Store:
        return Store(self.environ["NUTGRAF_STORE"])


@pytest.fixture
def nutgraf(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Nutgraf:
    return Nutgraf(tmp_path, capsys)


@pytest.fixture
def file(tmp_path: Path) -> str:
    file = tmp_path / "articles.jsonl"
    file.write_text("".join(json.dumps(article) + "\n" for article in ARTICLES))
    return str(file)


@pytest.fixture
def loaded(nutgraf: Nutgraf, file: str) -> Nutgraf:
    assert nutgraf("load", file).code == 0
    return nutgraf


def test_a_load_is_searchable_when_it_returns(nutgraf: Nutgraf, file: str) -> None:
    done = nutgraf("load", file)
    assert done == (0, "1 file read: created 3\n", "")
    assert nutgraf("search", "dockers", "--json").json["total"]["articles"] == 1


def test_loading_the_same_file_again_says_unchanged(loaded: Nutgraf, file: str) -> None:
    assert loaded("load", file) == (0, "1 file read: unchanged 3\n", "")


def test_a_load_with_refused_records_names_them_and_fails(
    nutgraf: Nutgraf, tmp_path: Path
) -> None:
    file = tmp_path / "mixed.jsonl"
    file.write_text('{"id": "a", "headline": "Fine"}\n{"id": "b"}\n')
    done = nutgraf("load", str(file))
    assert done.code == 1
    refused, summary = done.out.splitlines()
    assert refused.startswith(f"refused: {file}:2 (b): ")
    assert summary == "1 file read: created 1, refused 1"


def test_a_load_in_json_is_a_line_a_problem_and_then_the_report(
    nutgraf: Nutgraf, tmp_path: Path
) -> None:
    file = tmp_path / "mixed.jsonl"
    file.write_text('{"id": "a", "headline": "Fine"}\n{"id": "b"}\n')
    refused, report = map(
        json.loads, nutgraf("load", "--json", str(file)).out.splitlines()
    )
    assert refused["refused"]["line"] == 2
    assert refused["refused"]["code"] == "invalid_article"
    assert report["report"]["created"] == 1
    assert report["indexed"] is True


def test_a_load_replaces_a_version_only_where_it_is_forced(
    nutgraf: Nutgraf, tmp_path: Path
) -> None:
    file = tmp_path / "a.jsonl"
    for text, options, outcome in (
        ("One.", (), "created 1"),
        ("Two.", (), "refused 1"),
        ("Two.", ("--force",), "replaced 1"),
        ("Two.", ("--force",), "unchanged 1"),
    ):
        article = {"id": "a", "version": "1", "paragraphs": [text]}
        file.write_text(json.dumps(article), "utf-8")
        assert f"1 file read: {outcome}\n" in nutgraf("load", *options, str(file)).out
    assert "Two." in nutgraf("get", "a").out


def test_a_load_that_does_not_wait_leaves_the_index_to_the_indexer(
    nutgraf: Nutgraf, file: str
) -> None:
    assert nutgraf("load", "--no-wait", file).code == 0
    assert nutgraf("status", "--json").json["index"]["behind"] == 3


def test_a_load_waits_for_the_indexer_that_runs(nutgraf: Nutgraf, file: str) -> None:
    engine = open_engine(nutgraf.environ["NUTGRAF_ENGINE"])
    stop = threading.Event()
    thread = threading.Thread(target=Indexer(nutgraf.store, engine).run, args=(stop,))
    thread.start()
    try:
        assert nutgraf("load", file).code == 0
        assert engine.state().seq == 3
        running = {"running": True, "process": os.getpid()}
        assert nutgraf("status", "--json").json["indexer"] == running
        assert f"running (process {os.getpid()})" in nutgraf("status").out
        assert nutgraf("rebuild").code == 0
    finally:
        stop.set()
        thread.join()
    assert nutgraf.store.rebuild_finished() == 1


def test_names_of_the_input_are_mapped(nutgraf: Nutgraf, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"id": "a", "titel": "Kopf", "themen": ["Hafen"]}\n')
    assert (
        nutgraf("load", "--map", "titel=headline,themen=subjects", str(file)).code == 0
    )
    article = nutgraf("get", "a", "--json").json
    assert (article["headline"], article["subjects"]) == ("Kopf", ["Hafen"])


@pytest.mark.parametrize(
    ("options", "environ"),
    [
        (("--tz", "Asia/Tokyo", "--zone", "IST=Asia/Kolkata", "--dates", "dmy"), {}),
        (
            (),
            {
                "NUTGRAF_TZ": "Asia/Tokyo",
                "NUTGRAF_ZONES": "IST=Asia/Kolkata ET=America/New_York",
                "NUTGRAF_DATES": "dmy",
            },
        ),
        (
            ("--tz", "Asia/Tokyo", "--zone", "IST=Asia/Kolkata", "--dates", "dmy"),
            {
                "NUTGRAF_TZ": "Europe/Paris",
                "NUTGRAF_ZONES": "IST=Asia/Jerusalem",
                "NUTGRAF_DATES": "mdy",
            },
        ),
    ],
)
def test_a_load_says_how_dates_are_read(
    nutgraf: Nutgraf, tmp_path: Path, options: tuple[str, ...], environ: dict[str, str]
) -> None:
    nutgraf.environ |= environ
    file = tmp_path / "a.jsonl"
    record = {"id": "a", "headline": "h", "date": "05/06/2024 10:00"}
    file.write_text(json.dumps({**record, "updated": "5 Jun 2024 10:00 IST"}))
    assert nutgraf("load", *options, str(file)).code == 0
    article = nutgraf("get", "a", "--json").json
    assert article["published"] == "2024-06-05T01:00:00Z"
    assert article["updated"] == "2024-06-05T04:30:00Z"


@pytest.mark.parametrize(
    ("option", "value"),
    [("--tz", "Mars"), ("--zone", "IST"), ("--zone", "IST=Mars")],
)
def test_a_zone_that_is_unknown_is_refused_before_anything_is_loaded(
    nutgraf: Nutgraf, file: str, option: str, value: str
) -> None:
    done = nutgraf("load", option, value, file)
    assert done.code == 2
    assert option in done.err
    assert nutgraf("search", "grain", "--json").json["total"]["articles"] == 0


def test_a_load_says_how_records_are_read(nutgraf: Nutgraf, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    page = {"payload": {"things": [{"k": "a", "hed": "Kopf", "f": {"b": "Größe"}}]}}
    file.write_text(json.dumps(page, ensure_ascii=False), "cp1252")
    done = nutgraf(
        *("load", "--records", "payload.things", "--encoding", "latin1"),
        *("--map", "f.b=text,desks=section", "--map", "hed=headline"),
        *("--id-from", "sku,k", "--set", "source=Archive", "--set", "people=Ada B"),
        str(file),
    )
    assert done.out.splitlines() == [
        f"note: {file}: unwrapped 1 record from payload.things",
        "warning: --map: nothing had 'desks'",
        "1 file read: created 1, warnings 1",
    ]
    article = nutgraf("get", "a", "--json").json
    assert article["paragraphs"][1]["text"] == "Größe"
    assert (article["source"], article["people"]) == ("Archive", ["Ada B"])


def test_a_note_of_a_load_is_a_line_of_json(nutgraf: Nutgraf, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"articles": [{"id": "a", "headline": "Kopf"}]}')
    note, report = map(
        json.loads, nutgraf("load", "--json", str(file)).out.splitlines()
    )
    assert note == {
        "note": {"file": str(file), "detail": "unwrapped 1 record from articles"}
    }
    assert "notes" not in report["report"]


def test_a_closed_stdin_cannot_be_loaded(
    nutgraf: Nutgraf, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    done = nutgraf("load", "-")
    assert (done.code, done.out) == (1, "")
    assert "stdin: is closed" in done.err
    assert nutgraf("load", file).code == 0


def test_a_command_with_a_closed_stdout_says_so(
    nutgraf: Nutgraf, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", None)
        done = nutgraf("load", file)
    assert (done.code, done.out) == (1, "")
    assert done.err == "nutgraf: stdout is closed; redirect it to /dev/null\n"
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", None)
        patched.setattr(sys, "stderr", None)
        assert nutgraf("load", file).code == 1


def test_the_standard_input_is_loaded(
    nutgraf: Nutgraf, monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b'{"id": "a", "headline": "Kopf"}\n'))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert nutgraf("load", "-").out == "1 file read: created 1\n"


def test_a_search_prints_headlines_passages_and_totals(loaded: Nutgraf) -> None:
    done = loaded("search", "grain", "strike", "--facet", "source")
    lines = done.out.splitlines()
    assert done.code == 0
    assert lines[0].startswith("1. ")
    assert "   ¶1 Bakers paid more for grain after the strike." in lines
    assert "Market Desk   1" in lines
    assert lines[-1].startswith("2 articles, ")
    assert "\x1b" not in done.out


def test_a_search_in_json_is_what_the_api_answers(loaded: Nutgraf) -> None:
    answer = loaded("search", "grain", "--facet", "source", "--json").json
    assert answer["query"]["understood"] == "grain"
    assert answer["total"] == {"articles": 2, "paragraphs": 3}
    assert answer["index"] == {"seq": 3, "behind": 0}
    assert {hit["id"] for hit in answer["hits"]} == {
        "urn:test:strike",
        "urn:test:grain",
    }
    assert answer["facets"]["source"]["values"][0]["count"] == 1


def test_the_parameters_of_a_search_are_those_of_the_api(loaded: Nutgraf) -> None:
    def ids(*options: str) -> set[str]:
        answer = loaded("search", "--json", *options).json
        return {hit.get("article", hit)["id"] for hit in answer["hits"]}

    strike, grain = "urn:test:strike", "urn:test:grain"
    assert ids() == {strike, grain}
    assert ids("--in", "headline", "grain") == {grain}
    assert ids("dockers talks", "--scope", "paragraph") == set()
    assert ids("dockers", "--unit", "paragraph") == {strike}
    assert ids("--from", "2016-09-30") == {grain}
    assert ids("--to", "2016-09-29") == {strike}
    assert ids("--filter", "source=market desk") == {grain}
    assert ids("--exclude", "source=Market Desk") == {strike}
    assert ids("--missing", "subjects") == {grain}
    assert ids("--limit", "1", "--sort", "oldest") == {strike}
    assert ids("--limit", "1", "--page", "2", "--sort", "oldest") == {grain}
    assert ids("--", "grain", "-dockers") == {grain}


def test_a_cursor_goes_on_where_the_answer_ended(loaded: Nutgraf) -> None:
    first = loaded("search", "--limit", "1", "--json").json
    more = loaded("search", "--limit", "1", "--cursor", first["next"], "--json").json
    assert {first["hits"][0]["id"], more["hits"][0]["id"]} == {
        "urn:test:strike",
        "urn:test:grain",
    }


def test_fields_explanations_and_lengths_are_passed_on(loaded: Nutgraf) -> None:
    (hit,) = loaded(
        "search", "dockers", "--fields", "subjects,source", "--explain", "--json"
    ).json["hits"]
    assert hit["subjects"] == ["labour"]
    assert "headline" not in hit
    assert hit["explain"][0]["text"] == "dockers"
    assert "dockers: article " in loaded("search", "dockers", "--explain").out


def test_a_query_with_mistakes_is_warned_of_or_refused(loaded: Nutgraf) -> None:
    done = loaded("search", '"grain')
    assert done.code == 0
    assert done.out.startswith("warning: ")
    strict = loaded("search", '"grain', "--strict")
    assert (strict.code, strict.out) == (1, "")
    assert strict.err.startswith("nutgraf: ")


def test_an_article_is_printed_with_its_paragraphs(loaded: Nutgraf) -> None:
    done = loaded("get", "urn:test:strike")
    assert done.code == 0
    assert done.out.startswith("Harbour strike enters second week\n")
    assert "¶2 Talks over shifts failed." in done.out
    assert "foreman" not in done.out


def test_an_article_in_json_has_marks_and_no_editors_note(loaded: Nutgraf) -> None:
    article = loaded("get", "urn:test:strike", "--q", "grain", "--json").json
    assert article["paragraphs"][1]["marks"] == [[26, 31]]
    assert "ed_note" not in article


def test_what_was_sent_is_written_as_it_came(loaded: Nutgraf, tmp_path: Path) -> None:
    item = '{"uri": "a",  "type": "text", "body_html": "<p>Caf\\u00e9 \u00f6</p>"}'
    (tmp_path / "a.ninjs").write_text(f"{item}\n", "utf-8")
    assert loaded("load", str(tmp_path / "a.ninjs")).code == 0
    assert loaded("original", "a") == (0, item, "")
    assert loaded("original", "a", "--version", "7").code == 1
    done = loaded("original", "urn:test:strike")
    assert (done.code, done.out) == (1, "")
    assert "it is stored as sent" in done.err


@pytest.mark.parametrize("article_id", ["urn:test:none", "urn:test:later"])
def test_what_is_not_there_or_not_to_be_seen_is_not_found(
    loaded: Nutgraf, article_id: str
) -> None:
    sentence = f"nutgraf: there is no article {article_id}; check its id\n"
    assert loaded("get", article_id) == (1, "", sentence)


def test_errors_in_json_carry_code_and_facts(loaded: Nutgraf) -> None:
    done = loaded("get", "urn:test:none", "--json")
    assert done.code == 1
    assert json.loads(done.err) == {
        "code": "article_not_found",
        "detail": "there is no article urn:test:none; check its id",
        "id": "urn:test:none",
    }


def test_a_deleted_article_is_gone_at_once(loaded: Nutgraf) -> None:
    done = loaded("delete", "urn:test:grain", "urn:test:none")
    assert done.code == 1
    assert done.out == "deleted urn:test:grain\n"
    assert done.err == "nutgraf: there is no article urn:test:none; check its id\n"
    assert loaded("search", "bakers", "--json").json["total"]["articles"] == 0


def test_errors_of_a_deletion_in_json_are_no_answers(loaded: Nutgraf) -> None:
    done = loaded("delete", "--json", "urn:test:none", "urn:test:grain")
    assert (done.code, done.json["id"]) == (1, "urn:test:grain")
    assert json.loads(done.err)["code"] == "article_not_found"


@pytest.fixture
def copy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[[Path], Nutgraf]:
    """A function that loads a file into a store of its own."""

    def copy(file: Path) -> Nutgraf:
        folder = tmp_path / "copy"
        folder.mkdir()
        nutgraf = Nutgraf(folder, capsys)
        assert nutgraf("load", str(file)).code == 0
        return nutgraf

    return copy


def articles_in(nutgraf: Nutgraf) -> list[Article]:
    with nutgraf.store.reading() as view:
        return list(view.iterate())


def test_an_export_of_all_read_back_is_the_same_store(
    loaded: Nutgraf, tmp_path: Path, copy: Callable[[Path], Nutgraf]
) -> None:
    out = tmp_path / "all.jsonl"
    done = loaded("export", "--all", "--output", str(out))
    assert done == (0, f"3 articles to {out}\n", "")
    assert articles_in(copy(out)) == articles_in(loaded)
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


def test_an_export_as_items_makes_the_same_articles(
    loaded: Nutgraf, copy: Callable[[Path], Nutgraf], tmp_path: Path
) -> None:
    out = tmp_path / "all.ninjs"
    done = loaded("export", "--all", "--format", "ninjs", "--output", str(out))
    assert done.code == 0
    assert articles_in(copy(out)) == articles_in(loaded)


def test_an_export_holds_nothing_that_does_not_show(loaded: Nutgraf) -> None:
    environ = {**os.environ, **loaded.environ}
    done = subprocess.run(
        [sys.executable, "-m", "index", "export"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        check=True,
    )
    articles = [json.loads(line) for line in done.stdout.splitlines()]
    assert [article["id"] for article in articles] == [
        "urn:test:grain",
        "urn:test:strike",
    ]
    assert all("ed_note" not in article for article in articles)


def test_an_export_leaves_out_what_is_withheld_while_it_runs(
    nutgraf: Nutgraf, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = nutgraf.store
    stored = [
        article_of({"id": f"a{n:03}", "headline": "Head"})
        for n in range(3 * EXPORT_BATCH)
    ]
    store.put(stored)

    def write_and_withhold(article: Article) -> bytes:
        if article.id == stored[0].id:
            store.put([replace(each, status=Status.WITHHELD) for each in stored])
        return jsonl.write(article)

    shape = replace(REPRESENTATIONS["jsonl"], write_article=write_and_withhold)
    monkeypatch.setitem(REPRESENTATIONS, "jsonl", shape)
    lines = nutgraf("export").out.splitlines()
    # The batch under way, and not a line more.
    assert [json.loads(line)["id"] for line in lines] == [
        each.id for each in stored[:EXPORT_BATCH]
    ]


def test_an_export_that_cannot_be_written_says_so(loaded: Nutgraf) -> None:
    done = loaded("export", "--output", str(loaded.folder / "none" / "out.jsonl"))
    assert done.code == 1
    assert "cannot be written" in done.err


def test_an_export_goes_through_a_link_to_the_file_behind_it(loaded: Nutgraf) -> None:
    folder = loaded.folder / "elsewhere"
    folder.mkdir()
    for real in (folder / "there.jsonl", folder / "not-yet.jsonl"):
        link = loaded.folder / f"to-{real.name}"
        link.symlink_to(real)
        if real.name == "there.jsonl":
            real.touch(0o600)
        assert loaded("export", "--output", str(link)).code == 0
        assert link.is_symlink()
        assert len(real.read_text().splitlines()) == 2
    assert (folder / "there.jsonl").stat().st_mode & 0o777 == 0o600
    assert len(list(folder.iterdir())) == 2


def test_an_export_into_a_pipe_leaves_it_a_pipe(loaded: Nutgraf) -> None:
    pipe = loaded.folder / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    assert loaded("export", "--output", str(pipe)).code == 0
    assert pipe.is_fifo()
    reader.join(10)
    assert len(read[0].splitlines()) == 2


# Runs each command in a process of its own, which is forked once all is imported; then
# writes their exit codes to a file.
_FORKED = """
import json, os, sys
from pathlib import Path
import index.engines.whoosh
from index.__main__ import main

codes = []
file, commands = sys.argv[1:]
for argv in json.loads(commands):
    child = os.fork()
    if not child:
        sys.argv[1:] = argv
        sys.exit(main())
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
Path(file).write_text(json.dumps(codes))
"""


class Forked(NamedTuple):
    """The exit codes of several commands, and all that they wrote."""

    codes: list[int]
    out: bytes | None
    err: bytes


def forked(loaded: Nutgraf, commands: list[list[str]], stdout: int) -> Forked:
    """Run commands one after the other, each in a process of its own.

    :param stdout: a file or pipe for the answers of all of them.
    """
    codes = loaded.folder / "codes.json"
    done = subprocess.run(
        [sys.executable, "-c", _FORKED, str(codes), json.dumps(commands)],
        cwd=ROOT,
        env={**os.environ, **loaded.environ},
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=True,
    )
    return Forked(json.loads(codes.read_text()), done.stdout, done.stderr)


def test_an_export_to_what_is_stdout_holds_nothing_but_articles(
    loaded: Nutgraf,
) -> None:
    commands = [
        ["export", "--output", name] for name in ("-", "/dev/stdout", "/dev/fd/1")
    ]
    done = forked(loaded, commands, subprocess.PIPE)
    assert (done.codes, done.err) == ([0, 0, 0], b"")
    assert done.out is not None
    ids = [json.loads(line)["id"] for line in done.out.splitlines()]
    assert ids == ["urn:test:grain", "urn:test:strike"] * 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_an_answer_that_cannot_be_written_is_one_line(loaded: Nutgraf) -> None:
    with Path("/dev/full").open("wb") as full:
        commands = [["export"], ["status"], ["status", "--json"]]
        done = forked(loaded, commands, full.fileno())
    assert done.codes == [1, 1, 1]
    line = b"nutgraf: cannot write the answer: No space left on device\n"
    assert done.err == line * 3


def test_a_reader_that_goes_away_is_no_error(loaded: Nutgraf) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        commands = [["export"], ["status"], ["search"], ["formats"]]
        done = forked(loaded, commands, writer)
    finally:
        os.close(writer)
    assert (done.codes, done.err) == ([entry.PIPE_CLOSED] * 4, b"")


def test_an_interrupt_ends_quietly(
    nutgraf: Nutgraf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("index.cli.operation.status", interrupted)
    assert nutgraf("status") == (entry.INTERRUPTED, "", "")


class Interrupted(io.BytesIO):
    """A stdin that ends with Ctrl-C."""

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if not data:
            raise KeyboardInterrupt
        return data


@pytest.mark.parametrize("as_json", [False, True])
def test_an_interrupted_load_says_what_is_stored(
    nutgraf: Nutgraf, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    monkeypatch.setattr("index.jobs.loader.BATCH_ARTICLES", 1)
    stdin = io.TextIOWrapper(Interrupted(b'{"id": "a", "headline": "Kopf"}\n'))
    monkeypatch.setattr(sys, "stdin", stdin)
    done = nutgraf("load", "-", *(["--json"] if as_json else []))
    assert (done.code, done.out) == (entry.INTERRUPTED, "")
    if as_json:
        error = json.loads(done.err)
        assert (error["code"], error["report"]["created"]) == ("interrupted", 1)
        return
    assert done.err == (
        "interrupted: 1 file read: created 1; these are stored; run the same load"
        " again for the rest\n"
    )


def test_a_load_interrupted_while_it_waits_says_that_all_is_stored(
    nutgraf: Nutgraf, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("index.cli.articles.wait_for_index", interrupted)
    done = nutgraf("load", file)
    assert (done.code, done.out) == (entry.INTERRUPTED, "")
    assert done.err.startswith("interrupted: 1 file read: created 3; all articles")
    assert done.err.count("\n") == 1


def test_the_status_shows_store_index_and_masked_settings(loaded: Nutgraf) -> None:
    loaded.environ["NUTGRAF_CORS"] = "https://desk.example"
    status = loaded("status", "--json").json
    assert status["store"]["articles"] == status["index"]["articles"] == 3
    assert status["store"]["seq"] == status["index"]["seq"] == 3
    assert status["indexer"] == {"running": False, "process": None}
    assert status["settings"]["NUTGRAF_LIMIT"] == 100
    text = loaded("status").out
    assert "up to date" in text
    assert "NUTGRAF_LIMIT" in text


def test_verify_finds_all_well(
    loaded: Nutgraf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.cli.operation.store_warnings", lambda *_: ())
    assert loaded("verify") == (0, "all is well\n", "")
    assert loaded("verify", "--json").json == {
        "sound": True,
        "problems": [],
        "warnings": [],
    }


def test_what_may_become_wrong_is_warned_of_and_is_no_failure(
    loaded: Nutgraf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 40, 1))
    monkeypatch.setattr(verification, "remote_kind", lambda path: "nfs4")
    for name in ("verify", "status"):
        done = loaded(name)
        assert done.code == 0
        lines = done.err.splitlines()
        assert [line.partition(" ")[0] for line in lines] == ["warning:"] * 3
        assert "3.51.3" in lines[0]
        assert "the store is on a network file system (nfs4)" in lines[1]
        assert len(loaded(name, "--json").json["warnings"]) == 3


@pytest.mark.parametrize(
    ("version", "mended"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 9), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((4, 0, 0), True),
    ],
)
def test_versions_of_sqlite_with_a_known_bug_are_told_from_others(
    version: tuple[int, int, int], mended: bool
) -> None:
    assert soundness.has_mended_log(version) is mended


def test_verify_compares_what_does_not_show_too(loaded: Nutgraf) -> None:
    engine = open_engine(loaded.environ["NUTGRAF_ENGINE"])
    free = {**ARTICLES[2], "embargoed_until": None, "version": "1"}
    engine.apply([article_of(free)], [], seq=3)
    done = loaded("verify")
    assert (done.code, "urn:test:later is found, and should not be" in done.out) == (
        1,
        True,
    )
    expired = {**ARTICLES[0], "expires": "2016-10-01", "version": "7"}
    engine.apply([article_of(expired)], ["urn:test:later"], seq=3)
    engine.close()
    lines = loaded("verify").out.splitlines()
    assert "urn:test:strike is indexed in version 7, not 1" in lines
    assert "urn:test:strike, version 1, is not found" in lines
    assert "urn:test:later, version 1, is not in the index" in lines


def test_verify_names_each_difference_between_index_and_store(loaded: Nutgraf) -> None:
    engine = open_engine(loaded.environ["NUTGRAF_ENGINE"])
    ghost = article_of({"id": "ghost", "version": "1", "headline": "Boo"})
    old = article_of({**ARTICLES[0], "version": "0"})
    engine.apply([ghost, old], ["urn:test:grain"], seq=3)
    engine.close()
    done = loaded("verify")
    assert done.code == 1
    assert done.out.splitlines()[:3] == [
        "urn:test:strike is indexed in version 0, not 1",
        "ghost is in the index, and should not be",
        "urn:test:grain, version 1, is not in the index",
    ]


def test_verify_leaves_out_what_is_not_indexed_yet(loaded: Nutgraf, file: str) -> None:
    Path(file).write_text(json.dumps({**ARTICLES[0], "byline": "By Ana"}) + "\n")
    loaded("load", "--no-wait", file)
    loaded("delete", "urn:test:grain")
    assert loaded("verify").code == 0


def test_a_rebuild_brings_a_deleted_index_back(loaded: Nutgraf) -> None:
    for path in (loaded.folder / "index").iterdir():
        path.unlink()
    done = loaded("search", "grain")
    assert done.code == 1
    assert done.err.startswith("nutgraf: ")
    assert loaded("verify").code == 1
    assert loaded("rebuild") == (0, "rebuilt: 3 articles, 7 paragraphs\n", "")
    assert loaded("verify").code == 0


def test_the_formats_are_listed(nutgraf: Nutgraf) -> None:
    names = [kind["name"] for kind in nutgraf("formats", "--json").json["formats"]]
    assert {"text", "jsonl", "ninjs"} <= set(names)
    assert all(name in nutgraf("formats").out for name in names)


def test_an_indexer_in_memory_is_refused(nutgraf: Nutgraf) -> None:
    nutgraf.environ["NUTGRAF_ENGINE"] = "memory:"
    done = nutgraf("indexer")
    assert done.code == 1
    assert "whoosh:FOLDER" in done.err


def test_an_index_in_memory_is_built_for_each_command(
    nutgraf: Nutgraf, file: str
) -> None:
    nutgraf.environ["NUTGRAF_ENGINE"] = "memory:"
    assert nutgraf("load", file).code == 0
    assert nutgraf("search", "dockers", "--json").json["total"]["articles"] == 1
    assert nutgraf("verify").code == 0


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("polish",),
        ("load",),
        ("load", "--format", "wordperfect", "a"),
        ("load", "--map", "topics", "a"),
        ("load", "--map", "topics=topics", "a"),
        ("load", "--map", "a..b=section", "a"),
        ("load", "--map", "a=section", "--map", "a=genre", "a"),
        ("load", "--set", "source", "a"),
        ("load", "--set", "id=1", "a"),
        ("load", "--set", "urgency=high", "a"),
        ("load", "--id-from", "a..b", "a"),
        ("load", "--records", "a[", "a"),
        ("load", "--encoding", "klingon", "a"),
        ("search", "--scope", "page"),
        ("search", "--limit", "ten"),
        ("search", "--filter", "source"),
        ("search", "grain", "-strike"),
        ("get", "--vers", "1", "a"),
    ],
)
def test_a_mistyped_command_exits_with_2(
    nutgraf: Nutgraf, argv: tuple[str, ...]
) -> None:
    done = nutgraf(*argv)
    assert (done.code, done.out) == (2, "")
    assert "usage: nutgraf" in done.err


def test_words_that_start_with_a_dash_are_explained(nutgraf: Nutgraf) -> None:
    assert "needs -- before it" in nutgraf("search", "grain", "-strike").err


def test_a_setting_that_is_none_is_refused(nutgraf: Nutgraf) -> None:
    nutgraf.environ["NUTGRAF_STORES"] = "x"
    done = nutgraf("status")
    assert done.code == 1
    assert "NUTGRAF_STORES: is not a setting" in done.err


def test_a_limit_of_the_service_holds_here_too(loaded: Nutgraf) -> None:
    done = loaded("search", "--limit", "1000", "--json")
    assert done.code == 1
    assert json.loads(done.err)["limit"] == 100


def test_the_version_is_told(nutgraf: Nutgraf) -> None:
    done = nutgraf("--version")
    assert done.code == 0
    assert done.out.startswith("nutgraf ")


def test_what_an_article_holds_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[2Jb\x07\x9b\tc\nd") == "a\ufffd[2Jb\ufffd\ufffd\tc\nd"


def test_marks_are_shown_on_a_terminal() -> None:
    screen = Screen()
    with screen.out.capture() as plain:
        screen.line(marked("no grain here", [(3, 8)]))
    assert plain.get() == "no grain here\n"
    spans = marked("no grain here", [(3, 8)]).spans
    assert [(span.start, span.end) for span in spans] == [(3, 8)]


def test_marked_html_is_shown_as_text() -> None:
    shown = marked_html("A &lt;b&gt; &amp; <mark>grain</mark>")
    assert shown.plain == "A <b> & grain"
    assert [shown.plain[span.start : span.end] for span in shown.spans] == ["grain"]
