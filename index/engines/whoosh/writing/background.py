"""A process beside the indexer that writes segments, so that both cores are at work.

It is started with the first articles that it gets, and ends with the pipe that it
reads: when the indexer ends, it is gone as soon as it has done what it is at. Jobs and
answers are a length of eight bytes, and as many of JSON.
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

from index.engines.whoosh.writing.buffer import ChunkDictionary, WriteBuffer
from index.engines.whoosh.writing.indexed_article import IndexedArticle
from index.engines.whoosh.writing.inversion import write_segment
from index.errors import IndexUnavailable

_LENGTH = 8  # bytes
GC_THRESHOLD = 100_000  # new objects: articles by the thousand are no cycles
_KNOWN_BYTES = 100 * 1024 * 1024  # of chunks that it keeps from one job to the next


class BackgroundWriter:
    """The process, seen from the indexer; it does one thing at a time."""

    def __init__(self) -> None:
        start = f"import sys; sys.path[:0] = {sys.path!r}; from {__name__} import serve"
        self._process = subprocess.Popen(
            (sys.executable, "-c", f"{start}; serve()"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def write(self, drafts: Sequence[IndexedArticle], path: Path) -> None:
        """Have articles written as a segment, and wait until they are.

        :raises OSError: where the segment is written.
        :raises IndexUnavailable: the process ended or failed.
        """
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        try:
            _send(process.stdin, [str(path), [_plain(each) for each in drafts]])
            answer = _receive(process.stdout)
        except (OSError, ValueError) as error:  # the pipe is broken, or closed
            raise IndexUnavailable("the helper process of the indexer ended") from error
        if answer is None:
            raise IndexUnavailable("the helper process of the indexer ended")
        number, text = answer
        if number:
            raise OSError(number, text)
        if text:
            raise IndexUnavailable(f"the helper process of the indexer failed: {text}")

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what it was to get is of no use any more
                    pipe.close()


def serve() -> None:
    """Write segments as they are asked for on the standard input, until it ends."""
    # Ctrl-C reaches both processes; the indexer decides what becomes of this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(GC_THRESHOLD, *gc.get_threshold()[1:])
    chunks = ChunkDictionary()
    while (job := _receive(sys.stdin.buffer)) is not None:
        path, drafts = job
        if chunks.bytes > _KNOWN_BYTES:
            chunks = ChunkDictionary()
        answer: list[int | str] = [0, ""]
        try:
            buffer = WriteBuffer(chunks)
            for draft in drafts:
                buffer.add(_draft(draft))
            write_segment(buffer, Path(path))
        except OSError as error:
            answer = [error.errno or EIO, error.strerror or str(error)]
        except Exception as error:  # noqa: BLE001 - it is told where it can be handled
            answer = [0, f"{type(error).__name__}: {error}"]
        try:
            _send(sys.stdout.buffer, answer)
        except BrokenPipeError:
            # The indexer is gone, and nobody knows of this file.
            Path(path).unlink(missing_ok=True)
            os._exit(1)  # closing the pipe properly would fail again


def _plain(draft: IndexedArticle) -> tuple[object, ...]:
    """Return a draft as JSON can hold it."""
    return tuple(draft._replace(passages=draft.passages.hex()))  # type: ignore[arg-type]


def _draft(plain: list[Any]) -> IndexedArticle:
    draft = IndexedArticle(*plain)
    return draft._replace(passages=bytes.fromhex(draft.passages))  # type: ignore[arg-type]


def _send(pipe: IO[bytes], value: Any) -> None:
    data = orjson.dumps(value)
    pipe.write(len(data).to_bytes(_LENGTH, "little"))
    pipe.write(data)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> list[Any] | None:
    """Return the next value, ``None`` at the end."""
    head = pipe.read(_LENGTH)
    if len(head) < _LENGTH:
        return None
    size = int.from_bytes(head, "little")
    data = pipe.read(size)
    if len(data) < size:
        return None
    value: list[Any] = orjson.loads(data)
    return value
