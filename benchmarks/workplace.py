"""Where a run keeps its store, its indexes and those of its peers."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.data.corpus import Corpus, File, Size, size_of, write_lines
from benchmarks.data.workload import Workload, draw, workload_of
from benchmarks.measuring.processes import NUTGRAF, Done, run
from benchmarks.peers import Peer
from index.article import Article
from index.engines import Engine, open_engine
from index.jobs import Indexer
from index.store import Store

_ABOUT = "about.json"
_BUILT = "built.json"  # in the folder of a peer whose index is complete

Tell = Callable[[str], None]


class OtherCorpus(Exception):
    """The folder to keep things in holds another corpus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """How long it took to index a number of paragraphs, headlines not counted."""

    seconds: float
    paragraphs: int

    @property
    def rate(self) -> float:
        """Paragraphs a second."""
        return self.paragraphs / self.seconds


class Workplace:
    """A folder with one corpus in a store, and whatever is built from it.

    What a kept folder already has is used again, unless it is asked for anew.

    :param base: the corpus that words are drawn from; ``corpus`` may be copies of it.
    :param workload: that of an earlier run; by default one is drawn.
    :raises OtherCorpus: the folder was made for another one.
    """

    def __init__(
        self,
        folder: Path,
        corpus: Corpus,
        *,
        base: Corpus,
        seed: int = 1,
        each: int = 8,
        workload: Workload | None = None,
        tell: Tell = lambda text: None,
    ) -> None:
        self.folder, self.corpus, self.base = folder, corpus, base
        self._tell = tell
        folder.mkdir(parents=True, exist_ok=True)
        about = self._about(seed, each)
        self.size = Size(**about["size"])
        self.base_size = Size(**about["base_size"])
        self.workload = workload or workload_of(about["workload"])
        self.variables = {
            "NUTGRAF_STORE": f"sqlite:///{folder / 'nutgraf.db'}",
            "NUTGRAF_ENGINE": f"whoosh:{folder / 'index'}",
        }

    def _about(self, seed: int, each: int) -> dict[str, Any]:
        path = self.folder / _ABOUT
        made_for = {
            "corpus": self.corpus.description(),
            "workload_seed": seed,
            "searches_a_kind": each,
        }
        if path.exists():
            about: dict[str, Any] = json.loads(path.read_text("utf-8"))
            if any(about[name] != value for name, value in made_for.items()):
                raise OtherCorpus(f"{self.folder} holds another corpus; choose another")
            return about
        self._tell("drawing the workload")
        workload = draw(self.base, seed=seed, each=each)
        self._tell("measuring the corpus")
        base_size = size_of(self.base)
        size = base_size if self.corpus is self.base else size_of(self.corpus)
        about = {
            **made_for,
            "size": size._asdict(),
            "base_size": base_size._asdict(),
            "workload": workload.document(),
        }
        path.write_text(json.dumps(about), "utf-8")
        return about

    def load(self) -> Done:
        """Load the corpus into an empty store, by ``nutgraf load``, until indexed."""
        for path in self.folder.glob("nutgraf.db*"):
            path.unlink()
        shutil.rmtree(self.folder / "index", ignore_errors=True)
        self._loaded_mark.unlink(missing_ok=True)
        file, mapping = self._input()
        maps = [f"--map={name}={field}" for name, field in mapping.items()]
        self._tell("nutgraf load")
        done = run(
            (*NUTGRAF, "load", "--json", *maps, str(file)),
            self.variables,
            # 1 says that some records were refused; the report counts the others.
            accepted=(0, 1),
        )
        self._loaded_mark.write_text(json.dumps(asdict(done)), "utf-8")
        return done

    def store(self) -> Store:
        """Open the store, loaded."""
        if not self._loaded_mark.exists():
            self.load()
        return Store.open(self.variables["NUTGRAF_STORE"])

    def engine(self) -> Engine:
        """Open our index of the store, up to date."""
        engine = open_engine(self.variables["NUTGRAF_ENGINE"])
        with closing(self.store()) as store:
            state = engine.state()
            if state.stale is not None or state.seq != store.seq():
                self._tell("bringing the index up to date")
                Indexer(store, engine).catch_up()
        return engine

    def build_ours(self) -> Built:
        """Build our index from the store, in a folder of its own that is removed."""
        folder = self.folder / "built"
        shutil.rmtree(folder, ignore_errors=True)
        engine = open_engine(f"whoosh:{folder}")
        with closing(self.store()) as store:
            self._tell("building our index from the store")
            started = time.perf_counter()
            Indexer(store, engine).rebuild()
            seconds = time.perf_counter() - started
        engine.close()
        shutil.rmtree(folder)
        return Built(seconds=seconds, paragraphs=self.size.paragraphs)

    def build_engine(self, name: str, articles: Iterable[Article]) -> Engine:
        """Build our index of some articles without a store, and open it."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        self._tell(f"building {name}")
        engine = open_engine(f"whoosh:{folder}")
        # A number of articles is only wanted for progress, which nobody sees here.
        engine.rebuild(articles, seq=1, total=self.size.articles)
        return engine

    def build_peer(self, peer: Peer, folder: Path) -> Built:
        """Build a peer's index from the store, the same way as ours."""
        with closing(self.store()) as store, store.reading() as view:
            return self.build(peer, folder, view.iterate())

    def build(self, peer: Peer, folder: Path, articles: Iterable[Article]) -> Built:
        """Build a peer's index in a folder, from nothing."""
        shutil.rmtree(folder, ignore_errors=True)
        self._tell(f"building {peer.name}")
        started = time.perf_counter()
        peer.build(articles)
        seconds = time.perf_counter() - started
        (folder / _BUILT).write_text("{}", "utf-8")
        return Built(seconds=seconds, paragraphs=self.size.paragraphs)

    @staticmethod
    def is_built(folder: Path) -> bool:
        """Say whether a peer's index is there and complete."""
        return (folder / _BUILT).exists()

    def _input(self) -> tuple[Path, Mapping[str, str]]:
        """Return the file to load, which is written if there is none."""
        if isinstance(self.corpus, File):
            return self.corpus.path, self.corpus.mapping
        path = self.folder / "corpus.jsonl"
        if not path.exists():
            self._tell("writing the corpus")
            part = path.with_suffix(".part")
            write_lines(self.corpus, part)
            part.replace(path)
        return path, {}

    @property
    def _loaded_mark(self) -> Path:
        return self.folder / "loaded.json"
