"""Sending answers: as gunicorn sends them, byte for byte, in fewer pieces."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.http.wsgi import FileWrapper, Response  # type: ignore[import-untyped]

from service.sending import WholeResponse

Steps = Callable[[Any], None]


def sized(answer: Any) -> None:
    answer.start_response("200 OK", [("Content-Length", "5"), ("X-A", "b\xe9")])
    answer.write(b"hello")


def longer_than_said(answer: Any) -> None:
    answer.start_response("200 OK", [("Content-Length", "3")])
    answer.write(b"hello")
    answer.write(b"again")


def streamed(answer: Any) -> None:
    answer.start_response("200 OK", [])
    for piece in (b"", b"one", b"two" * 500, b""):
        answer.write(piece)


def empty(answer: Any) -> None:
    answer.start_response("204 No Content", [("ETag", '"x"')])


def unwritten(answer: Any) -> None:
    answer.start_response("200 OK", [("Content-Length", "0")])


def file(answer: Any) -> None:
    answer.start_response("200 OK", [("Content-Length", "4")])
    with Path(__file__).open("rb") as opened:
        answer.write_file(FileWrapper(opened))


def sent(kind: type[Response], steps: Steps, method: str, version: int) -> list[bytes]:
    pieces: list[bytes] = []

    def sendfile(opened: Any, offset: int, count: int) -> None:
        pieces.append(opened.read()[offset : offset + count])

    sock = SimpleNamespace(sendall=pieces.append, sendfile=sendfile)
    request = SimpleNamespace(
        method=method, version=(1, version), should_close=lambda: version == 0
    )
    answer = kind(request, sock, Config())
    steps(answer)
    answer.close()
    return pieces


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize(
    "steps", [sized, longer_than_said, streamed, empty, unwritten, file]
)
def test_the_same_bytes_are_sent_in_no_more_pieces(
    steps: Steps, version: int, method: str
) -> None:
    theirs = sent(Response, steps, method, version)
    ours = sent(WholeResponse, steps, method, version)
    bytes_of = [
        re.sub(rb"Date: [^\r]*", b"", b"".join(each)) for each in (ours, theirs)
    ]
    assert bytes_of[0] == bytes_of[1]
    assert len(ours) <= len(theirs)
    assert b"" not in ours


def test_an_answer_of_one_piece_is_sent_at_once() -> None:
    assert len(sent(WholeResponse, sized, "GET", 1)) == 1


def test_the_head_of_an_answer_that_is_streamed_does_not_wait() -> None:
    pieces: list[bytes] = []
    request = SimpleNamespace(method="GET", version=(1, 1), should_close=lambda: False)
    sock = SimpleNamespace(sendall=pieces.append)
    answer = WholeResponse(request, sock, Config())
    answer.start_response("200 OK", [])
    answer.write(b"")
    assert pieces[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert pieces[0].endswith(b"\r\n\r\n")
