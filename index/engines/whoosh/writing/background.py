"""A background process that writes segments, so that the indexer uses a second core.

It is started with its first articles. It ends when the pipe that it reads is closed, so
once the indexer has ended, it finishes its segment and exits. Jobs and answers are
JSON, preceded by its length in eight bytes.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from errno import EIO
from pathlib import Path
from typing import IO, Any

import orjson

from index.engines.whoosh.writing.buffer import WriteBuffer
from index.engines.whoosh.writing.indexed_article import IndexedArticle
from index.engines.whoosh.writing.inversion import write_segment
from index.errors import IndexUnavailable
from index.text import Convention

_LENGTH = 8  # bytes
_PASSAGES = IndexedArticle._fields.index("passages")  # bytes are not JSON
_CONVENTION = IndexedArticle._fields.index("convention")
# New objects between two garbage collections: thousands of articles form no cycles.
GC_THRESHOLD = 100_000


class BackgroundWriter:
    """The background process, seen from the indexer; it does one job at a time."""

    def __init__(self) -> None:
        start = f"import sys; sys.path[:0] = {sys.path!r}; from {__name__} import serve"
        self._process = subprocess.Popen(
            (sys.executable, "-c", f"{start}; serve()"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def write(
        self, articles: Sequence[IndexedArticle], path: Path, *, memory: int
    ) -> int:
        """Write articles as a segment, and wait until it is written.

        :param memory: budget in bytes for making the segment.
        :return: the number of articles in it: the first of them, at least one.
        :raises OSError: the segment cannot be written.
        :raises IndexUnavailable: the process ended or failed.
        """
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        try:
            _send(
                process.stdin,
                [str(path), memory, [_encoded(article) for article in articles]],
            )
            answer = _receive(process.stdout)
        except (OSError, ValueError) as error:  # the pipe is broken, or closed
            raise IndexUnavailable(
                "the background process of the indexer ended"
            ) from error
        if answer is None:
            raise IndexUnavailable("the background process of the indexer ended")
        number, text, count = answer
        if number:
            raise OSError(number, text)
        if text:
            raise IndexUnavailable(
                f"the background process of the indexer failed: {text}"
            )
        written: int = count
        return written

    def close(self) -> None:
        """Kill the process, even in the middle of a job."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # unsent data does not matter any more
                    pipe.close()


def serve() -> None:
    """Write segments as jobs arrive on the standard input, until it is closed."""
    # Ctrl-C reaches both processes; the indexer decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(GC_THRESHOLD, *gc.get_threshold()[1:])
    buffer = WriteBuffer()
    while (job := _receive(sys.stdin.buffer)) is not None:
        path, memory, articles = job
        answer: list[int | str] = [0, "", 0]
        try:
            buffer = buffer.next(memory)
            for article in articles:
                buffer.add(_decoded(article))
                if buffer.is_full(memory):
                    break
            write_segment(buffer, Path(path))
            answer = [0, "", len(buffer)]
        except OSError as error:
            answer = [error.errno or EIO, error.strerror or str(error), 0]
        except Exception as error:  # noqa: BLE001 - reported to the indexer, which logs it
            answer = [0, f"{type(error).__name__}: {error}", 0]
        try:
            _send(sys.stdout.buffer, answer)
        except BrokenPipeError:
            # The indexer is gone, and nobody else knows of this file.
            Path(path).unlink(missing_ok=True)
            os._exit(1)  # closing the pipe properly would fail again


def _encoded(article: IndexedArticle) -> list[object]:
    """An article as JSON can represent it."""
    values: list[object] = list(article)
    values[_PASSAGES] = article.passages.hex()
    values[_CONVENTION] = list(article.convention)
    return values


def _decoded(values: list[Any]) -> IndexedArticle:
    values[_PASSAGES] = bytes.fromhex(values[_PASSAGES])
    values[_CONVENTION] = Convention(*values[_CONVENTION])
    return IndexedArticle(*values)


def _send(pipe: IO[bytes], value: Any) -> None:
    data = orjson.dumps(value)
    pipe.write(len(data).to_bytes(_LENGTH, "little"))
    pipe.write(data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> list[Any] | None:
    """The next value; ``None`` at the end of the pipe."""
    head = pipe.read(_LENGTH)
    if len(head) < _LENGTH:
        return None
    size = int.from_bytes(head, "little")
    data = pipe.read(size)
    if len(data) < size:
        return None
    value: list[Any] = orjson.loads(data)
    return value
