"""The workplace of a run: a folder with its store, its index and those of peers."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.data import (
    Corpus,
    File,
    Size,
    Workload,
    draw_workload,
    size_of,
    workload_of,
    write_lines,
)
from benchmarks.measuring import NUTGRAF, CommandResult, run
from benchmarks.peers import Builder
from index.article import Article
from index.engines import Engine, open_engine
from index.jobs import Indexer
from index.settings import Settings
from index.store import Store

_ABOUT = "about.json"
_BUILT = "built.json"  # in the folder of a peer, once its index is complete

Announce = Callable[[str], None]  # shows what is going on


class OtherCorpus(Exception):
    """The folder of an earlier run holds another corpus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The time to index a number of paragraphs, without headlines."""

    seconds: float
    paragraphs: int

    @property
    def rate(self) -> float:
        """Paragraphs per second."""
        return self.paragraphs / self.seconds


class Workplace:
    """A folder with one corpus in a store, and the indexes built from it.

    What the folder of an earlier run has is used again; :meth:`load` and the methods
    ``build…`` always start anew.

    :param base: the corpus that words are drawn from; ``corpus`` may be copies of it.
    :param per_kind: number of searches of each kind.
    :param workload: the workload of an earlier run; by default one is drawn.
    :param search_memory: of all searches of a process, in bytes.
    :raises OtherCorpus: the folder holds another corpus.
    """

    def __init__(
        self,
        folder: Path,
        corpus: Corpus,
        *,
        base: Corpus,
        seed: int = 1,
        per_kind: int = 8,
        workload: Workload | None = None,
        search_memory: int = Settings().search_memory,
        announce: Announce = lambda text: None,
    ) -> None:
        self.folder, self.corpus, self.base = folder, corpus, base
        self.seed = seed
        self._announce = announce
        folder.mkdir(parents=True, exist_ok=True)
        about = self._about(seed, per_kind)
        self.size = Size(**about["size"])
        self.base_size = Size(**about["base_size"])
        self.workload = workload or workload_of(about["workload"])
        self.variables = {
            "NUTGRAF_STORE": f"sqlite:///{folder / 'nutgraf.db'}",
            "NUTGRAF_ENGINE": f"whoosh:{folder / 'index'}",
            "NUTGRAF_SEARCH_MEMORY": str(search_memory),
        }
        self._search_memory = search_memory

    def _about(self, seed: int, per_kind: int) -> dict[str, Any]:
        path = self.folder / _ABOUT
        wanted = {
            "corpus": self.corpus.description(),
            "workload_seed": seed,
            "searches_a_kind": per_kind,
        }
        if path.exists():
            about: dict[str, Any] = json.loads(path.read_text("utf-8"))
            if any(about[name] != value for name, value in wanted.items()):
                raise OtherCorpus(
                    f"{self.folder} holds another corpus; choose another folder"
                )
            return about
        self._announce("drawing the workload")
        workload = draw_workload(self.base, seed=seed, per_kind=per_kind)
        self._announce("measuring the corpus")
        base_size = size_of(self.base)
        size = base_size if self.corpus is self.base else size_of(self.corpus)
        about = {
            **wanted,
            "size": size._asdict(),
            "base_size": base_size._asdict(),
            "workload": workload.document(),
        }
        path.write_text(json.dumps(about), "utf-8")
        return about

    def load(self) -> CommandResult:
        """Load the corpus into an empty store and index it, with ``nutgraf load``."""
        for path in self.folder.glob("nutgraf.db*"):
            path.unlink()
        shutil.rmtree(self.folder / "index", ignore_errors=True)
        self._loaded.unlink(missing_ok=True)
        file, mapping = self._input()
        maps = [f"--map={name}={field}" for name, field in mapping.items()]
        self._announce("nutgraf load")
        result = run(
            (*NUTGRAF, "load", "--json", *maps, str(file)),
            self.variables,
            # 1: some records were refused; the report counts the others.
            accepted=(0, 1),
        )
        self._loaded.write_text(json.dumps(asdict(result)), "utf-8")
        return result

    def grow(self, corpus: Corpus) -> CommandResult:
        """Load and index what the store does not have of a larger corpus.

        :param corpus: begins with the articles that are loaded.
        """
        start = self.size.articles if self.is_loaded else 0
        path = self.folder / "more.jsonl"
        self._announce("writing the articles to load")
        write_lines(islice(corpus, start, None), path)
        self._announce("nutgraf load")
        result = run(
            (*NUTGRAF, "load", "--json", str(path)), self.variables, accepted=(0, 1)
        )
        path.unlink()
        self.size = size_of(corpus)
        about = json.loads((self.folder / _ABOUT).read_text("utf-8"))
        about["size"] = self.size._asdict()
        (self.folder / _ABOUT).write_text(json.dumps(about), "utf-8")
        self._loaded.write_text(json.dumps(asdict(result)), "utf-8")
        return result

    @property
    def is_loaded(self) -> bool:
        """Whether the store has the corpus."""
        return self._loaded.exists()

    def store(self) -> Store:
        """The store, loaded if it was not; the caller closes it."""
        if not self.is_loaded:
            self.load()
        return Store.open(self.variables["NUTGRAF_STORE"])

    def engine(self) -> Engine:
        """Our index of the store, brought up to date; the caller closes it."""
        engine = open_engine(
            self.variables["NUTGRAF_ENGINE"], search_memory=self._search_memory
        )
        self.bring_up_to_date(engine)
        return engine

    def bring_up_to_date(self, engine: Engine) -> None:
        """Index with an engine what it lacks of the store."""
        with closing(self.store()) as store:
            state = engine.state()
            if state.stale is not None or state.seq != store.seq():
                self._announce("bringing the index up to date")
                Indexer(store, engine).catch_up()

    def build_ours(self) -> Built:
        """Build our index from the store, in a folder that is removed afterwards."""
        folder = self.folder / "built"
        shutil.rmtree(folder, ignore_errors=True)
        with closing(open_engine(f"whoosh:{folder}")) as engine:
            built = self.build_with(engine)
        shutil.rmtree(folder)
        return built

    def build_with(self, engine: Engine) -> Built:
        """Build the index of an engine of ours from the store, anew."""
        with closing(self.store()) as store:
            self._announce("building our index from the store")
            started = time.perf_counter()
            Indexer(store, engine).rebuild()
            seconds = time.perf_counter() - started
        return Built(seconds=seconds, paragraphs=self.size.paragraphs)

    def build_engine(self, name: str, articles: Iterable[Article]) -> Engine:
        """Build our index of some articles without a store; the caller closes it."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        self._announce(f"building {name}")
        engine = open_engine(f"whoosh:{folder}")
        # The total is for the progress of a rebuild, which is not shown here.
        engine.rebuild(articles, seq=1, total=self.size.articles)
        return engine

    def build_peer(self, peer: Builder, folder: Path) -> Built:
        """Build the index of a peer from the store, like ours."""
        with closing(self.store()) as store, store.reading() as view:
            return self.build(peer, folder, view.iterate())

    def build(self, peer: Builder, folder: Path, articles: Iterable[Article]) -> Built:
        """Build the index of a peer in an empty folder."""
        shutil.rmtree(folder, ignore_errors=True)
        self._announce(f"building {peer.name}")
        started = time.perf_counter()
        peer.build(articles)
        seconds = time.perf_counter() - started
        (folder / _BUILT).write_text("{}", "utf-8")
        return Built(seconds=seconds, paragraphs=self.size.paragraphs)

    @staticmethod
    def is_built(folder: Path) -> bool:
        """Whether the index of a peer is complete."""
        return (folder / _BUILT).exists()

    def _input(self) -> tuple[Path, Mapping[str, str]]:
        """The file to load and its mapping; a generated corpus is written first."""
        if isinstance(self.corpus, File):
            return self.corpus.path, self.corpus.mapping
        path = self.folder / "corpus.jsonl"
        if not path.exists():
            self._announce("writing the corpus")
            part = path.with_suffix(".part")
            write_lines(self.corpus, part)
            part.replace(path)
        return path, {}

    @property
    def _loaded(self) -> Path:
        return self.folder / "loaded.json"
