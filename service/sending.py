"""Sending answers: the head of an answer and the first bytes of its body go together.

gunicorn sends them one after the other: two calls of the system, and two packets.
"""

from __future__ import annotations

from typing import Any

from gunicorn.http.wsgi import Response  # type: ignore[import-untyped]


class WholeResponse(Response):  # type: ignore[misc]
    """gunicorn's response, with its head kept until there is something to send with it.

    What is written is sent at once, also if it is empty: of an answer that is streamed
    the head does not wait.
    """

    headers_sent: bool

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._head = b""

    def send_headers(self) -> None:
        """Compose the head; the next write sends it."""
        if not self.headers_sent:
            lines = [*self.default_headers()]
            lines += [f"{name}: {value}\r\n" for name, value in self.headers]
            lines.append("\r\n")
            self._head = "".join(lines).encode("latin-1")
            self.headers_sent = True

    def write(self, data: bytes) -> None:
        """Send bytes of the body, and before the first of them the head."""
        super().write(data)
        self._send(b"")

    def sendfile(self, respiter: Any) -> bool:
        """Send a file by the system, if it can."""
        self.send_headers()
        self._send(b"")
        sent: bool = super().sendfile(respiter)
        return sent

    def close(self) -> None:
        """Send what is left: the head of an answer without a body, the last chunk."""
        self.send_headers()
        self._send(b"0\r\n\r\n" if self.chunked else b"")

    def _emit_body(self, data: bytes) -> None:
        self._send(b"%X\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    def _send(self, data: bytes) -> None:
        if self._head:
            data, self._head = self._head + data, b""
        if data:
            self.sock.sendall(data)
