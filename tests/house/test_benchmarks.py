"""The benchmarks: how they draw, count and measure, and that a run succeeds."""

from __future__ import annotations

import ast
import gzip
import hashlib
import http.server
import io
import json
import math
import os
import platform
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree

import pytest
from checkout import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from rich.console import Console

from benchmarks import bench, scale
from benchmarks.data import (
    FUZZY,
    NOW,
    Collection,
    Copies,
    File,
    Generated,
    TimedSearch,
    draw_distinct,
    draw_workload,
    first_articles,
    judged,
    read_collections,
    size_of,
    workload_of,
    write_lines,
)
from benchmarks.data.corpus import body_paragraphs, copies
from benchmarks.data.workload import BANDS
from benchmarks.index_parts import bytes_by_array, bytes_by_part, part_of
from benchmarks.lines import BY_NAME, LINES, Measured
from benchmarks.measuring import (
    Failed,
    Load,
    Server,
    WebRequest,
    cpu_seconds,
    measure_load,
    memory_bytes,
    run,
    timing,
    unshared_bytes,
)
from benchmarks.peers import (
    FTS5,
    Peer,
    StockWhoosh,
    Unsupported,
    has_tantivy,
    stored_tantivy,
    tantivy_peer,
)
from benchmarks.ranking import (
    Scores,
    command,
    counting,
    metrics,
    parameters,
    relevance,
    tuning,
)
from benchmarks.report import Result, shown, web_table
from benchmarks.scale import command as growing
from benchmarks.scale import steps
from benchmarks.scale.plot import PANELS
from benchmarks.session import Session
from benchmarks.web import (
    CONNECTIONS,
    VARIABLE,
    Hits,
    OpenSearch,
    Row,
    cpu_ratio,
    port_of,
    search_sets,
)
from benchmarks.web.opensearch import query_of
from benchmarks.workplace import OtherCorpus, Workplace
from index.article import article_of, content_json
from index.engines import open_engine
from index.engines.memory import MemoryEngine
from index.query import Search
from index.query.grammar import parse
from index.settings import Settings

SMALL = Generated(paragraphs=600, seed=7)
needs_tantivy = pytest.mark.skipif(
    not has_tantivy(),
    reason="tantivy comes with the extra [bench], which make test does not install",
)


# The corpus


def digest_of(corpus: Generated) -> str:
    text = "".join(map(content_json, corpus))
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.slow
def test_a_generated_corpus_depends_on_its_seed_alone() -> None:
    asked = (
        "import hashlib; from benchmarks.data.corpus import Generated;"
        " from index.article import content_json;"
        " text = ''.join(map(content_json, Generated(paragraphs=200, seed=3)));"
        " print(hashlib.sha256(text.encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", asked],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert digests == {digest_of(Generated(paragraphs=200, seed=3))}
    assert digests != {digest_of(Generated(paragraphs=200, seed=4))}


@pytest.mark.slow
def test_a_generated_corpus_has_the_size_asked_for_and_unique_ids() -> None:
    size = size_of(SMALL)
    last = list(SMALL)[-1]
    assert 600 <= size.paragraphs < 600 + body_paragraphs(last)
    assert len({article.id for article in SMALL}) == size.articles


@pytest.mark.slow
def test_a_generated_corpus_streams() -> None:
    assert len(list(islice(Generated(paragraphs=10**9), 5))) == 5


@pytest.mark.slow
def test_words_are_spread_as_in_a_language() -> None:
    words: Counter[str] = Counter()
    lengths = []
    for article in SMALL:
        for paragraph in article.paragraphs[1:]:
            words_of_paragraph = re.findall("[a-z]+", paragraph.text.lower())
            words.update(words_of_paragraph)
            lengths.append(len(words_of_paragraph))
    ((commonest, count), *_) = words.most_common(1)
    assert commonest == "the"
    assert 0.04 < count / words.total() < 0.12
    assert sum(1 for n in words.values() if n == 1) > len(words) / 3
    assert 35 < sum(lengths) / len(lengths) < 55


@pytest.mark.slow
def test_copies_have_new_ids_and_the_same_text() -> None:
    originals = list(first_articles(SMALL, 50))
    count = sum(map(body_paragraphs, originals))
    articles = list(copies(originals, paragraphs=count * 2))
    assert sum(map(body_paragraphs, articles)) == count * 2
    assert articles[: len(originals)] == originals
    assert [each.id for each in articles[len(originals) :]] == [
        f"{each.id}~2" for each in originals
    ]
    assert articles[-1].paragraphs == originals[-1].paragraphs


def test_copies_of_what_can_be_read_once_only_are_refused() -> None:
    with pytest.raises(ValueError, match="once only"):
        next(copies(iter(SMALL), paragraphs=10))


def test_copies_of_nothing_end() -> None:
    with pytest.raises(ValueError, match="no paragraph"):
        list(copies([], paragraphs=10))


def test_a_file_is_read_zipped_and_mapped_and_each_id_once(tmp_path: Path) -> None:
    path = tmp_path / "news.jsonl.gz"
    records = [
        {"id": "a", "kopf": "One", "paragraphs": ["Text."]},
        {"id": "a", "kopf": "Again", "paragraphs": ["Text."]},
        {"id": "", "paragraphs": 7},
        {"id": "b", "kopf": "Two", "paragraphs": ["Text."], "version": "4"},
    ]
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, records)).encode()))
    articles = list(File(path=path, mapping={"kopf": "headline"}))
    assert [(each.id, each.headline, each.version) for each in articles] == [
        ("a", "One", "1"),
        ("b", "Two", "4"),
    ]


@pytest.mark.slow
def test_a_corpus_that_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    write_lines(SMALL, path)
    assert list(File(path=path)) == list(SMALL)


@pytest.mark.slow
def test_a_description_names_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "news.jsonl"
    write_lines(first_articles(SMALL, 5), path)
    about = Copies(of=File(path=path), paragraphs=9).description()
    assert about["name"] == "news.jsonl"
    assert about["copied_to_paragraphs"] == 9
    assert str(tmp_path) not in json.dumps(about)


# The workload


WORKLOAD = draw_workload(SMALL, seed=5, per_kind=4)


def test_a_workload_has_every_kind_that_issue_3_names() -> None:
    kinds = Counter(each.kind for each in WORKLOAD.searches)
    assert set(kinds.values()) == {4}
    assert set(kinds) == {
        *("word, rare", "word, middle", "word, frequent"),
        *("AND of 2", "AND of 3", "OR of 2", "OR of 3", "OR of 5"),
        *("phrase", "prefix", "with NOT", "dates", "facets", "newest", FUZZY),
    }
    assert FUZZY not in {each.kind for each in WORKLOAD.scored}


@pytest.mark.slow
def test_a_workload_is_the_same_for_a_seed_and_can_be_recorded() -> None:
    assert draw_workload(SMALL, seed=5, per_kind=4) == WORKLOAD
    assert draw_workload(SMALL, seed=6, per_kind=4) != WORKLOAD
    assert workload_of(json.loads(json.dumps(WORKLOAD.document()))) == WORKLOAD


@pytest.mark.parametrize("asked", WORKLOAD.searches, ids=lambda asked: asked.label)
def test_every_search_of_a_workload_is_understood_as_written(
    asked: TimedSearch,
) -> None:
    parsed = parse(asked.q, settings=Settings(), tz=UTC, now=NOW, strict=True)
    assert parsed.warnings == ()
    assert asked.compiled().query == parsed.query
    assert asked.compiled().passages == 0


@pytest.mark.slow
def test_words_are_drawn_by_how_many_paragraphs_have_them() -> None:
    corpus = Generated(paragraphs=6_000, seed=2)
    having: Counter[str] = Counter()
    count = 0
    for article in corpus:
        for paragraph in article.paragraphs[1:]:
            having.update(set(re.findall("[a-z]{3,20}", paragraph.text.lower())))
            count += 1
    for asked in draw_workload(corpus, seed=1, per_kind=8).searches:
        kind, _, band = asked.kind.partition(", ")
        # In so small a corpus a rare word is in fewer than two paragraphs.
        if kind == "word" and band != "rare":
            low, high = BANDS[band]
            assert low <= having[asked.q] / count < high, asked


@pytest.mark.slow
def test_words_joined_by_and_stand_together_somewhere() -> None:
    texts = [
        set(re.findall("[a-z]+", paragraph.text.lower()))
        for article in SMALL
        for paragraph in article.paragraphs
    ]
    for asked in WORKLOAD.of("AND of 2", "AND of 3"):
        words = set(asked.q.split(" AND "))
        assert any(words <= text for text in texts), asked


@pytest.mark.slow
def test_searches_for_servers_are_all_different_and_dealt_evenly(
    ours: MemoryEngine,
) -> None:
    drawn, nothing = draw_distinct(SMALL, seed=5, per_kind=6, nothing=8)
    assert len(set(drawn)) == len(drawn)
    assert FUZZY not in {asked.kind for asked in drawn}
    sets = search_sets(drawn, 3)
    assert [Counter(asked.kind for asked in dealt) for dealt in sets] == [
        Counter(asked.kind for asked in sets[0])
    ] * 3
    assert sum(map(len, sets)) == len(set().union(*sets)) == len(drawn)
    assert draw_distinct(SMALL, seed=6, per_kind=6, nothing=8)[0] != drawn
    assert len(set(nothing)) == 8
    for asked in nothing:
        assert ours.snapshot().search(asked.compiled()).articles == 0, asked


def test_a_corpus_without_dates_is_refused() -> None:
    undated = article_of({"id": "a", "paragraphs": ["word word"] * 2, "version": "1"})
    with pytest.raises(ValueError, match="no dates"):
        draw_workload([undated])


# Timing


def test_ratios_are_taken_round_by_round() -> None:
    assert timing.median_ratio([2.0, 9.0, 4.0], [1.0, 3.0, 1.0]) == 3.0


def test_a_peer_below_the_floor_counts_as_the_floor() -> None:
    assert timing.median_ratio([0.3], [0.1], floor=0.2) == pytest.approx(1.5)


def test_ratios_average_geometrically() -> None:
    assert timing.geometric_mean([0.5, 2.0]) == pytest.approx(1.0)


def test_a_percentile_is_a_value_that_occurred() -> None:
    assert timing.percentile([4.0, 1.0, 3.0, 2.0], 50) == 2.0
    assert timing.percentile([4.0, 1.0, 3.0, 2.0], 95) == 4.0
    assert timing.percentile([7.0], 50) == 7.0


def test_contestants_alternate_and_the_warm_up_does_not_count() -> None:
    calls: list[str] = []
    task = {"ours": lambda: calls.append("a"), "peer": lambda: calls.append("b")}
    (times,) = timing.alternated([task], seconds=0.0)
    assert times.rounds == timing.LEAST_ROUNDS
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"
    assert times.ratio.keys() == {"peer"}
    assert times.median.keys() == {"ours", "peer"}


# Processes


@pytest.mark.slow
def test_the_peak_memory_of_a_command_is_its_own_and_its_children_s() -> None:
    hold = "b = bytearray(80_000_000); import time; time.sleep(0.3)"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    done = run((sys.executable, "-c", child), {})
    assert 80e6 < done.peak_bytes < 150e6


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(Failed, match="out of luck"):
        run((sys.executable, "-c", "raise SystemExit('out of luck')"), {})
    assert run((sys.executable, "-c", "raise SystemExit(1)"), {}, accepted=(1,))


def test_this_process_has_memory_to_itself() -> None:
    assert 5e6 < unshared_bytes(os.getpid()) < 5e9


class Answering(http.server.BaseHTTPRequestHandler):
    """A server's side of the load client's tests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    asked: ClassVar[Counter[tuple[str, str] | str]] = Counter()

    def do_GET(self) -> None:
        self.asked["GET", self.path] += 1
        self._answer()

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.asked[self.rfile.read(length).decode()] += 1
        self._answer()

    def _answer(self) -> None:
        self.send_response(200 if self.path.startswith("/ok") else 404)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield server.server_port
        server.shutdown()
        serving.join()


def requests_of(*paths: str) -> list[WebRequest]:
    return [WebRequest(path=path) for path in paths]


@pytest.mark.slow
def test_the_load_client_sends_each_request_once_in_a_pass(port: int) -> None:
    Answering.asked.clear()
    loads = measure_load(
        Server(os.getpid(), port),
        [*requests_of("/ok", "/ok?2", "/ok?3"), WebRequest(path="/ok", body="{}")],
        connections=2,
        passes=2,
    )
    assert Answering.asked == Counter(
        {("GET", "/ok"): 2, ("GET", "/ok?2"): 2, ("GET", "/ok?3"): 2, "{}": 2}
    )
    assert [load.requests for load in loads] == [4, 4]
    for load in loads:
        assert (load.failed, load.body_bytes) == (0, 8)
        assert load.rate == pytest.approx(load.requests / load.seconds)
        assert 0 < load.p50_ms <= load.p95_ms
        # This process is the server.
        assert load.cpu_seconds > 0
        assert load.cpu_ms == pytest.approx(250 * load.cpu_seconds)


@pytest.mark.slow
def test_the_load_client_counts_failures_and_gives_up_if_all_fail(port: int) -> None:
    server = Server(os.getpid(), port)
    (load,) = measure_load(server, requests_of("/ok", "/gone"), connections=1)
    assert (load.requests, load.failed) == (2, 1)
    with pytest.raises(Failed, match="all of 1 requests failed"):
        measure_load(server, requests_of("/gone"), connections=1)


def test_the_processor_time_of_a_process_is_read_from_its_clock() -> None:
    before = time.process_time()
    read = cpu_seconds([os.getpid()])
    assert before <= read <= time.process_time()


def test_the_memory_of_processes_is_added_up() -> None:
    resident, proportional = memory_bytes([os.getpid(), os.getpid()])
    assert proportional is not None
    assert 10e6 < proportional <= resident * 1.05


def test_the_bare_server_is_set_up_as_ours() -> None:
    def settings(path: Path) -> dict[str, Any]:
        by_name = {}
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                by_name[ast.unparse(node.targets[0])] = node.value.value
        return by_name

    ours = settings(ROOT / "gunicorn.conf.py")
    bare = settings(ROOT / "benchmarks/measuring/bare.py")
    shared = ("worker_class", "threads", "preload_app", "timeout", "keepalive")
    assert {name: bare[name] for name in shared} == {
        name: ours[name] for name in shared
    }


# Peers


def peer_of(name: str, folder: Path) -> Peer:
    if name == "FTS5":
        return FTS5(folder)
    if name == "stock Whoosh":
        return StockWhoosh(folder)
    return tantivy_peer(folder, whole_articles=name == "tantivy, articles")


@pytest.fixture(scope="module")
def ours() -> MemoryEngine:
    engine = MemoryEngine()
    engine.rebuild(list(SMALL), seq=1, total=1)
    return engine


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "FTS5",
        "stock Whoosh",
        pytest.param("tantivy", marks=needs_tantivy),
        pytest.param("tantivy, articles", marks=needs_tantivy),
    ],
)
def test_a_peer_does_the_work_that_ours_does(
    name: str, ours: MemoryEngine, tmp_path: Path
) -> None:
    peer = peer_of(name, tmp_path / "peer")
    assert peer.build(SMALL) == size_of(SMALL).articles
    assert peer.size() > 0
    peer.open()
    compared = 0
    with closing(peer):
        for asked in WORKLOAD.searches:
            search = asked.compiled()
            try:
                answer = peer.compile(search)()
            except Unsupported:
                continue
            assert answer.hits == min(10, answer.total), asked
            compared += 1
            page = ours.snapshot().search(search)
            if asked.kind.startswith("word"):
                assert answer.total > 0, asked
            # The others have older stemmers, which put other words together.
            if name == "tantivy" and asked.kind.startswith(("word", "OR", "dates")):
                assert answer.total == pytest.approx(page.paragraphs, rel=0.1, abs=2)
            if name == "tantivy, articles" and asked.kind.startswith(("word", "AND")):
                assert answer.total == pytest.approx(page.articles, rel=0.1, abs=2)
    assert compared > len(WORKLOAD.scored) * 0.8


@pytest.mark.slow
def test_everything_newest_first_is_every_paragraph(tmp_path: Path) -> None:
    size = size_of(SMALL)
    peer = FTS5(tmp_path)
    peer.build(SMALL)
    peer.open()
    with closing(peer):
        answer = peer.compile(
            TimedSearch(kind="newest", q="", sort="newest").compiled()
        )()
    assert answer.total == size.paragraphs + size.articles  # a headline each


# Searches over HTTP


@pytest.mark.slow
@needs_tantivy
def test_the_service_on_tantivy_answers_with_what_ours_has(
    ours: MemoryEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks.peers import flask_tantivy

    for hits in Hits:
        folder = tmp_path / hits.value
        peer = stored_tantivy(folder, whole_articles=hits is Hits.ARTICLES)
        assert peer.build(SMALL) == size_of(SMALL).articles
    monkeypatch.setenv("TANTIVY_FOLDER", str(tmp_path))
    client = flask_tantivy.app.test_client()
    for asked in WORKLOAD.scored:
        totals = ours.snapshot().search(asked.compiled())
        for hits in Hits:
            answer = client.get(
                f"/{hits.value}", query_string=asked.parameters()
            ).get_json()
            assert len(answer["hits"]) == min(10, answer["total"]), asked
            assert answer["facets"].keys() == set(asked.facets)
            expected = getattr(totals, hits.value)
            # What is excluded from articles may be in other paragraphs of theirs.
            same = ("word", "OR", "dates", "newest") + (
                ("with NOT",) if hits is Hits.ARTICLES else ()
            )
            if asked.kind.startswith(same):
                assert answer["total"] == pytest.approx(expected, rel=0.1, abs=2), asked
            if asked.kind == "word, frequent" and hits is Hits.ARTICLES:
                hit = answer["hits"][0]
                assert hit.keys() >= {"id", "headline", "source", "published", "score"}
                assert 1 <= len(hit["fragments"]) <= 3
                assert all("<b>" in fragment for fragment in hit["fragments"])
            elif asked.kind == "word, frequent":
                assert "<b>" in answer["hits"][0]["html"]
                assert "<b>" not in answer["hits"][0]["text"]


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("", {"match_all": {}}),
        ("tax", {"match": {"text": "tax"}}),
        ("tax*", {"prefix": {"text": "tax"}}),
        ('"tax cut"', {"match_phrase": {"text": "tax cut"}}),
        (
            "(tax OR cut) AND NOT vat",
            {
                "bool": {
                    "must": [
                        {
                            "bool": {
                                "should": [
                                    {"match": {"text": "tax"}},
                                    {"match": {"text": "cut"}},
                                ]
                            }
                        }
                    ],
                    "must_not": [{"match": {"text": "vat"}}],
                }
            },
        ),
    ],
)
def test_a_search_is_written_in_the_language_of_opensearch(
    q: str, expected: dict[str, Any]
) -> None:
    assert query_of(TimedSearch(kind="", q=q).compiled().query) == expected


class Node(http.server.BaseHTTPRequestHandler):
    """A node that keeps the mappings and counts the lines of bulk requests."""

    mappings: ClassVar[dict[str, Any]] = {}
    lines: ClassVar[Counter[str]] = Counter()

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        index, _, rest = self.path.strip("/").partition("/")
        answer: dict[str, Any] = {"errors": False}
        if self.command == "DELETE":
            self.mappings.pop(index, None)
        elif self.command == "PUT":
            document = json.loads(body)
            self.mappings.setdefault(index, {}).update(
                document.get("mappings", document)
            )
        elif rest == "_mapping":
            answer = {index: {"mappings": self.mappings.get(index, {})}}
        elif rest == "_bulk":
            self.lines[index] += body.count(b"\n")
        elif rest == "_stats/merge":
            answer = {"_all": {"total": {"merges": {"current": 0}}}}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        self._handle()

    def do_PUT(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.slow
def test_opensearch_gets_each_corpus_once(tmp_path: Path) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Node) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            corpus = Generated(paragraphs=30, seed=7)
            workplace = Workplace(tmp_path, corpus, base=corpus, per_kind=1)
            size = workplace.size
            sent = Counter(
                {
                    "nutgraf-bench-articles": 2 * size.articles,
                    "nutgraf-bench-paragraphs": 2 * (size.paragraphs + size.articles),
                }
            )
            node = OpenSearch(workplace, server.server_port)
            node.prepare()
            assert Node.lines == sent
            node.prepare()
            assert Node.lines == sent
            # As after a run with another corpus, or one that was interrupted.
            Node.mappings["nutgraf-bench-articles"]["_meta"] = {"complete": "another"}
            node.prepare()
            sent["nutgraf-bench-articles"] *= 2
            assert Node.lines == sent
        finally:
            server.shutdown()
            serving.join()


def row_of(contestant: str, *cpu_seconds: tuple[float, float]) -> Row:
    row = Row(contestant=contestant, hits=Hits.ARTICLES)
    for round_ in cpu_seconds:
        for connections, seconds in zip(CONNECTIONS, round_, strict=True):
            row.loads[connections].append(
                Load(
                    requests=10,
                    failed=0,
                    seconds=1.0,
                    cpu_seconds=seconds,
                    body_bytes=10,
                    p50_ms=1.0,
                    p95_ms=1.0,
                )
            )
    return row


def test_processor_times_of_servers_are_compared_turn_by_turn() -> None:
    ours = row_of("ours", (2.0, 3.0), (9.0, 1.0))
    theirs = row_of("theirs", (1.0, 1.0), (3.0, 2.0))
    assert cpu_ratio(ours, theirs) == pytest.approx(2.5)  # of 2, 3, 3 and 0.5
    assert ours.cpu_ms(1) == pytest.approx(550.0)


def test_the_table_of_servers_fits_where_there_is_no_terminal() -> None:
    row = row_of("Flask + tantivy", (20.0, 30.0))
    row.compared, row.differing = 221, ["prefix: ab*: 1 and 2"]
    row.resident_bytes, row.proportional_bytes = 2_547_000_000, 2_545_000_000
    console = Console(width=bench.WIDE, record=True, file=io.StringIO())
    console.print(web_table([row.document()]))
    table = console.export_text()
    assert "…" not in table
    for shown_there in ("articles", "Flask + tantivy", "220/221", "3,000", "2,547"):
        assert shown_there in table


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:9200", "http://search.example:9200", "9200", "http://"]
)
def test_a_node_on_another_machine_is_refused(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, url)
    with pytest.raises(SystemExit):
        bench.main(["--only", "size"])
    assert "write http://127.0.0.1:PORT" in capsys.readouterr().err


def test_a_node_on_this_machine_is_named_by_its_url() -> None:
    assert port_of("http://127.0.0.1:9200") == port_of("http://localhost:9200/") == 9200


def test_without_a_node_the_lines_that_need_it_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(SystemExit):
        bench.main(["--only", "size,opensearch_rate"])
    assert f"opensearch_rate: name an OpenSearch node in {VARIABLE}" in (
        capsys.readouterr().err
    )


# Growth


def step_of(paragraphs: int, **others: Any) -> scale.Step:
    figures: dict[str, Any] = {
        "articles": paragraphs // 10,
        "paragraphs": paragraphs,
        "text_bytes": 300 * paragraphs,
        "load_rate": 1_000.0,
        "rebuild_rate": 2_000.0,
        "rebuild_peak_bytes": 10**8,
        "index_bytes": 600 * paragraphs,
        "p50_ms": 1.0,
        "p95_ms": 2.0,
        "opening_seconds": 0.1,
        "write_ms": 20.0,
        "seconds": 60.0,
    }
    return scale.Step(**{**figures, **others})


def test_a_plot_of_growth_has_a_point_for_each_figure_of_each_size() -> None:
    grown = [step_of(1_000_000), step_of(2_000_000, load_rate=None), step_of(5_000_000)]
    svg = scale.plot(grown)
    root = ElementTree.fromstring(svg)
    name = "{http://www.w3.org/2000/svg}"
    texts = [text.text for text in root.iter(f"{name}text")]
    assert "Nutgraf from 1 M to 5 M paragraphs" in texts
    for panel in PANELS:
        assert {panel.title, panel.unit} <= set(texts)
    assert texts.count("paragraphs") == texts.count("2 M") == len(PANELS)
    curves = sum(len(panel.curves) for panel in PANELS)
    circles = list(root.iter(f"{name}circle"))
    assert len(circles) == 3 * curves - 1
    for circle in circles:
        assert 0 < float(circle.attrib["cx"]) < 320
        assert 0 < float(circle.attrib["cy"]) < 240


def test_one_size_alone_has_a_plot() -> None:
    ElementTree.fromstring(scale.plot([step_of(1_000)]))


def test_the_time_that_is_left_follows_from_the_last_size() -> None:
    assert scale.seconds_left([], []) == 0
    left = scale.seconds_left([step_of(10_000)], [10_000, 20_000, 40_000])
    assert left == pytest.approx(10 + 10 + 120 + 20 + 20 + 120)


@pytest.mark.slow
def test_growing_goes_on_where_it_was_stopped(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    corpus, folder = tmp_path / "news.jsonl", tmp_path / "grown"
    write_lines(first_articles(SMALL, 100), corpus)

    # What it measures then are lines of the benchmark.
    def measured(session: Session, load_rate: float | None, started: float) -> Any:
        return step_of(session.workplace.size.paragraphs, load_rate=load_rate)

    monkeypatch.setattr(steps, "_measured", measured)
    plotted = tmp_path / "plot.svg"
    arguments = ["--corpus", str(corpus), "--folder", str(folder)]
    assert growing.main([*arguments, "--sizes", "100"]) == 0
    assert growing.main([*arguments, "--sizes", "100,300", "--plot", str(plotted)]) == 0
    document = json.loads((folder / "scale.json").read_text("utf-8"))
    first, second = (scale.Step(**step) for step in document["sizes"])
    assert 100 <= first.paragraphs < 300 <= second.paragraphs
    assert first.load_rate is not None
    assert second.load_rate is not None
    assert plotted.read_text("utf-8") == scale.plot([first, second])
    assert str(tmp_path) not in (folder / "scale.json").read_text("utf-8")
    # All is done: nothing is measured again.
    capsys.readouterr()
    assert growing.main([*arguments, "--sizes", "300"]) == 0
    assert "nutgraf load" not in capsys.readouterr().out


def test_the_table_of_growth_fits_where_there_is_no_terminal() -> None:
    console = Console(width=bench.WIDE, record=True, file=io.StringIO())
    largest = step_of(10_000_000, rebuild_peak_bytes=12 * 10**9, write_ms=123.4)
    console.print(growing.growth_table([largest]))
    table = console.export_text()
    assert "…" not in table
    for shown_there in ("10,000,000", "12.00", "2.00 ×", "00:01:00"):
        assert shown_there in table


@pytest.mark.parametrize("text", ["{", "[]", '{"sizes": [{"paragraphs": 1}]}'])
def test_figures_of_growth_that_cannot_be_read_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    corpus, folder = tmp_path / "news.jsonl", tmp_path / "grown"
    write_lines(first_articles(SMALL, 100), corpus)
    folder.mkdir(mode=0o700)
    (folder / "scale.json").write_text(text, "utf-8")
    with pytest.raises(SystemExit):
        growing.main(["--corpus", str(corpus), "--folder", str(folder)])
    assert "delete its folder to start again" in capsys.readouterr().err


def test_sizes_that_are_no_numbers_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        growing.main(["--sizes", "1M"])
    assert "such as 1000000,2000000" in capsys.readouterr().err


# Relevance


def test_ndcg_divides_gains_by_the_logarithm_of_their_rank() -> None:
    relevant = {"a": 1, "b": 1, "c": 0}
    # b at 1 and a at 3, against both at the top.
    expected = (1 + 1 / math.log2(4)) / (1 + 1 / math.log2(3))
    assert metrics.ndcg(["b", "c", "a"], relevant) == pytest.approx(expected)
    assert metrics.ndcg(["a", "b"], relevant) == pytest.approx(1.0)
    assert metrics.ndcg(["x"] * 10 + ["a"], relevant) == 0.0


def test_ndcg_takes_a_grade_for_its_gain() -> None:
    expected = (1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3))
    assert metrics.ndcg(["b", "a"], {"a": 3, "b": 1}) == pytest.approx(expected)


def test_average_precision_counts_what_is_missing_as_nothing() -> None:
    relevant = {"a": 1, "b": 1, "c": 2, "d": 0}
    precision = metrics.average_precision(["a", "x", "b", "d"], relevant)
    assert precision == pytest.approx((1 / 1 + 2 / 3 + 0) / 3)


def test_recall_is_the_share_found_in_time() -> None:
    assert metrics.recall(["x", "a", "b"], {"a": 1, "b": 1}, depth=2) == 0.5


@pytest.mark.parametrize(
    "score", [metrics.ndcg, metrics.average_precision, metrics.recall]
)
def test_a_query_that_nothing_answers_has_no_score(score: Any) -> None:
    with pytest.raises(ValueError, match="nothing is relevant"):
        score(["a"], {"a": 0})


def test_paragraphs_are_those_of_blank_lines() -> None:
    assert judged.paragraphs_of("One.\nTwo.\n\n \nThree.") == ["One.\nTwo.", "Three."]
    assert judged.paragraphs_of(" ") == []


def test_without_blank_lines_sentences_are_put_together() -> None:
    sentence = "word " * 19 + "end."
    paragraphs = judged.paragraphs_of(" ".join([sentence] * 7))
    assert [len(each.split()) for each in paragraphs] == [60, 60, 20]


def test_the_words_of_a_query_are_taken_once_and_in_parts() -> None:
    assert judged.words_of("The C-17, the plane") == ("the", "c", "17", "plane")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one test collection, and something else."""
    (tmp_path / "other").mkdir()
    small = tmp_path / "small"
    small.mkdir()
    texts = {
        "1": ("Harbour strike", "Dockers refused to unload grain. Talks failed."),
        "2": ("", "Grain prices climb after the strike at the harbour."),
        "3": ("Museum opens", "Visitors queued in the rain for the museum."),
        "4": ("", " "),
    }
    for name, records in (
        ("docs", [{"id": i, "title": a, "text": b} for i, (a, b) in texts.items()]),
        (
            "queries",
            [
                {"id": "1", "text": "harbour strike"},
                {"id": "2", "text": "museums"},
                {"id": "3", "text": "nobody judged this"},
            ],
        ),
    ):
        lines = "\n".join(map(json.dumps, records))
        (small / f"{name}.jsonl").write_text(lines)
    (small / "qrels.tsv").write_text("1\t1\t1\n1\t2\t1\n2\t3\t1\n3\t1\t0\n")
    return tmp_path


def test_a_collection_is_read_without_what_cannot_be_judged(folder: Path) -> None:
    (read,) = read_collections(folder)
    assert read.name == "small"
    assert [each.id for each in read.documents] == ["1", "2", "3"]
    assert read.documents[1].headline is None
    assert read.queries == {"1": ("harbour", "strike"), "2": ("museums",)}


def test_a_folder_without_collections_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"qrels\.tsv"):
        read_collections(tmp_path)


def test_a_perfect_ranker_scores_1(folder: Path) -> None:
    (collection,) = read_collections(folder)

    def rank(words: Any) -> list[str]:
        return ["3"] if "museums" in words else ["1", "2"]

    scores = relevance.evaluate(collection, rank)
    assert scores == Scores(ndcg=1.0, average_precision=1.0, recall=1.0)


@pytest.mark.slow
def test_a_trial_scores_as_an_engine_does() -> None:
    documents = tuple(first_articles(SMALL, 300))
    one, other = documents[0].paragraphs[1], documents[5].paragraphs[1]
    words = judged.words_of(f"{one.text} {other.text}")
    collection = Collection(
        name="made up",
        documents=documents,
        queries={"q": words},
        judgements={"q": {documents[0].id: 1}},
    )
    engine = MemoryEngine()
    engine.rebuild(documents, seq=1, total=len(documents))
    search = Search(query=relevance.any_of(words), now=NOW, limit=1_000, passages=0)
    expected = {hit.id: hit.score for hit in engine.snapshot().search(search).hits}
    counted = counting.CountedCollection(collection)
    scores = counted.scores("q", parameters.current())
    trial_scores = {i: s for i, s in zip(counted.ids, scores, strict=True) if s > 0}
    assert trial_scores == pytest.approx(expected, abs=2e-6)
    best = max(expected, key=lambda each: (expected[each], each))
    assert counted.ranking("q", parameters.current(), 1) == [best]


def test_parameters_are_put_back_after_a_trial() -> None:
    before = parameters.current()
    tried = parameters.Parameters(
        k1=9.0,
        k1_paragraph=8.0,
        b_article=0.1,
        b_paragraph=0.2,
        damping=7.0,
        paragraph_share=3.0,
        headline=before.headline,
    )
    with pytest.raises(ZeroDivisionError), parameters.applied(tried):
        assert parameters.current() == tried
        raise ZeroDivisionError
    assert parameters.current() == before


def test_parameters_are_chosen_without_the_collection_left_out(folder: Path) -> None:
    (collection,) = read_collections(folder)
    pair = [
        Collection(
            name=name,
            documents=collection.documents,
            queries=collection.queries,
            judgements=collection.judgements,
        )
        for name in ("one", "two")
    ]
    result = tuning.tune(pair)
    assert [fold.left_out for fold in result.folds] == ["one", "two"]
    assert result.together.ndcg.keys() == {"one", "two"}
    # All is found at the top already: there is nothing to gain.
    assert result.together.chosen == parameters.TEXTBOOK
    # What we use now was chosen on all collections: no fold may start from it.
    assert all(fold.chosen == parameters.TEXTBOOK for fold in result.folds)
    assert {each.name for each in result.neighbours} == set(parameters.GRID)
    with pytest.raises(ValueError, match="two collections"):
        tuning.tune(pair[:1])


def test_only_what_is_varied_is_chosen(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (collection,) = read_collections(folder)
    monkeypatch.setattr(
        counting.CountedCollection,
        "ndcg",
        lambda self, chosen: chosen.k1 + chosen.damping,
    )
    result = tuning.tune([collection, collection], ("damping",))
    assert result.together.chosen == replace(parameters.TEXTBOOK, damping=8.0)


def test_our_parameters_and_the_textbooks_are_on_the_grid() -> None:
    for name, choices in parameters.GRID.items():
        assert getattr(parameters.current(), name) in choices
        assert getattr(parameters.TEXTBOOK, name) in choices


def test_a_parameter_that_is_none_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command.main([str(folder), "--tune", "--vary", "k1,k2"])
    assert "no parameter 'k2'; choose from k1, k1_paragraph" in capsys.readouterr().err


@needs_tantivy
def test_relevance_goes_through(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "result.json"
    assert command.main([str(folder), "--json", str(out)]) == 0
    assert "small" in capsys.readouterr().out
    comparison = json.loads(out.read_text())["comparison"]
    assert comparison["mean"]["ours"]["ndcg"] == pytest.approx(1.0)
    assert comparison["ratio"] == pytest.approx(1.0)


# The report


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        ("build", 1.5, "aim"),
        ("build", 1.0, "bar"),
        ("build", 0.99, "below"),
        ("search", 0.6, "aim"),
        ("search", 0.9, "bar"),
        ("search", 0.91, "below"),
        ("memory", 1.4, "bar"),
        ("stock", 99.0, ""),
    ],
)
def test_a_line_says_whether_it_reached_its_bar(
    name: str, value: float, verdict: str
) -> None:
    measured = Measured(value=value, note="")
    assert Result(line=BY_NAME[name], measured=measured).verdict == verdict


def test_a_line_that_could_not_be_measured_has_failed() -> None:
    assert Result(line=LINES[0], measured=None, error="why").verdict == "failed"


@pytest.mark.parametrize(
    ("value", "text"),
    [(15_000.0, "15,000"), (0.614, "0.61"), (33.33, "33.3"), (1234.5, "1,234")],
)
def test_a_value_has_as_many_digits_as_mean_something(value: float, text: str) -> None:
    assert shown(value) == text


def test_docs_benchmarks_has_every_line_with_its_bar_and_aim() -> None:
    page = (ROOT / "docs/benchmarks.md").read_text("utf-8")
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in re.findall(r"^\| `\w+` \|.*\|$", page, re.MULTILINE)
    ]

    def mark(value: float | None) -> str:
        return "" if value is None else f"{value:,g}"

    assert [row[:1] + row[2:5] for row in rows] == [
        [f"`{line.name}`", mark(line.bar), mark(line.aim), line.unit] for line in LINES
    ]


# The command line


def test_without_tantivy_the_lines_that_need_it_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit):
        bench.main(["--only", "size,search"])
    said = capsys.readouterr().err
    assert "search: tantivy is not installed" in said
    assert "size:" not in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "speed"], "no line speed"),
        (["--corpus", "nowhere.jsonl"], "is not a file"),
        (["--map", "a=b"], "--map is for"),
        (["--map", "a"], "NAME=FIELD"),
        (["--workload", "nowhere.json", "--only", "size"], "not the result"),
    ],
)
def test_what_is_mistyped_is_said(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        bench.main(arguments)
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_a_kept_folder_is_used_again_and_never_for_another_corpus(
    tmp_path: Path,
) -> None:
    announced: list[str] = []

    def open_it(paragraphs: int) -> Workplace:
        announced.clear()
        corpus = Generated(paragraphs=paragraphs)
        return Workplace(
            tmp_path, corpus, base=corpus, per_kind=1, announce=announced.append
        )

    before = open_it(100)
    assert announced
    again = open_it(100)
    assert announced == []
    assert (again.size, again.workload) == (before.size, before.workload)
    with pytest.raises(OtherCorpus):
        open_it(101)


def quick(out: Path, *arguments: str) -> dict[str, Any]:
    assert bench.main(["--quick", "--json", str(out), *arguments]) == 0
    result: dict[str, Any] = json.loads(out.read_text("utf-8"))
    return result


def values(result: dict[str, Any]) -> dict[str, float]:
    return {line["name"]: line["value"] for line in result["lines"]}


@pytest.mark.slow
def test_the_parts_of_an_index_are_all_of_its_arrays(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    engine = open_engine(f"whoosh:{folder}")
    engine.rebuild(SMALL, seq=1, total=1)
    engine.close()
    parts = bytes_by_part(folder)
    (path,) = folder.glob("*.seg")
    sizes = bytes_by_array(path)
    # Beside the arrays there are the directory, and 64 bytes for the start of each.
    rest = path.stat().st_size - sum(parts.values())
    assert 64 < rest < 64 * len(sizes) + 100 * len(sizes)
    assert list(parts.values()) == sorted(parts.values(), reverse=True)
    assert parts["positions"] == sum(
        size for name, size in sizes.items() if "/positions" in name
    ) - sum(size for name, size in sizes.items() if name.endswith("/positions.at"))
    table = (ROOT / "docs/segment_format.md").read_text("utf-8").split("## Size")[1]
    assert {*re.findall(r"^\| (\w[\w ]*) \|", table, re.MULTILINE)} == {
        "part",
        "all",
        *map(part_of, sizes),
        "bitmaps",
        "fields",
    }


def test_lines_without_peers_run_alone(tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    arguments = ("--paragraphs", "150", "--keep", str(tmp_path / "kept"))
    result = quick(out, *arguments, "--only", "size,fuzzy")
    assert values(result).keys() == {"size", "fuzzy"}
    assert all(value > 0 for value in values(result).values())
    assert result["corpus"]["paragraphs"] >= 150
    assert datetime.fromisoformat(result["at"]).tzinfo is not None
    # It can be run again, and says nothing about where it ran.
    again = quick(out, *arguments, "--only", "fuzzy", "--workload", str(out))
    assert again["workload"] == result["workload"]
    for secret in (str(tmp_path), str(ROOT), platform.node()):
        assert secret not in out.read_text("utf-8")


@pytest.mark.slow
@needs_tantivy
def test_a_quick_run_measures_every_line(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "result.json"
    result = quick(out, "--paragraphs", "400", "--collections", str(folder))
    assert list(values(result)) == [
        line.name for line in LINES if not line.node and not line.engine
    ]
    assert all(value > 0 for value in values(result).values())
    by_name = {line["name"]: line["details"] for line in result["lines"]}
    counts = by_name["search"]["equal_counts"]
    assert counts["median"] == pytest.approx(1.0, abs=0.1)
    assert by_name["load"]["report"]["refused"] == 0
    assert {line["name"] for line in result["lines"] if line["verdict"]}
    assert "search in process" in capsys.readouterr().out


# What it needs


def test_benchmarks_import_what_nutgraf_or_its_extra_bench_requires() -> None:
    config = ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg", "utf-8")
    declared = {
        canonicalize_name(Requirement(line).name)
        for section, option in (
            ("options", "install_requires"),
            ("options.extras_require", "bench"),
        )
        for line in config[section][option].split("\n")
        if line
    }
    packages = set()
    for path in (ROOT / "benchmarks").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                packages |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.module is not None
                packages.add(node.module.partition(".")[0])
    foreign = packages - sys.stdlib_module_names - {"index", "service", "benchmarks"}
    names = {"whoosh": "whoosh-reloaded"}
    assert {names.get(name, name) for name in foreign} <= declared


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "printed"),
    [
        ("benchmarks", "usage: python -m benchmarks "),
        ("benchmarks.ranking", "usage: python -m benchmarks.ranking "),
        ("benchmarks.scale", "usage: python -m benchmarks.scale "),
        ("benchmarks.measuring.client", "JSONDecodeError"),
        ("benchmarks.measuring.opening", "JSONDecodeError"),
    ],
)
def test_what_runs_as_a_module_is_not_imported_by_its_door(
    module: str, printed: str
) -> None:
    # Else runpy warns that the module is run twice.
    process = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-m", module, "--help"],
        cwd=ROOT,
        input="this is not JSON",
        capture_output=True,
        text=True,
        check=False,
    )
    assert printed in process.stdout + process.stderr
    assert "RuntimeWarning" not in process.stderr


def test_nutgraf_itself_knows_nothing_of_its_benchmarks() -> None:
    for package in ("index", "service"):
        for path in (ROOT / package).rglob("*.py"):
            assert "benchmarks" not in path.read_text("utf-8"), path


@pytest.mark.parametrize("target", ["bench", "scale", "relevance"])
def test_make_help_names_them(target: str) -> None:
    listing = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    assert re.search(rf"^{target} ", listing.stdout, re.M)
