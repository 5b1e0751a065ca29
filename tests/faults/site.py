"""nginx with the site of deploy/nginx.conf, but for its file names and ports."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from faults.cluster import HOST, ROOT, Reply, free_port
from waiting import until

from deploy import credentials

SITE = "nutgraf.example.org"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")

# What any nginx has around a site; every file of it is in the folder of the test.
AROUND = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
{user}
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/a; uwsgi_temp_path {folder}/b; scgi_temp_path {folder}/c;
    include {folder}/site.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Site:
    """An nginx in front of web machines, and a key of the service.

    :param folder: its files; ``ca.pem`` has who signed its certificate.
    """

    folder: Path
    port: int
    key: str

    def connect(self, *, takes: int | None = None) -> ssl.SSLSocket:
        """A new connection, to a server with the certificate of the site.

        :param takes: bytes of the answer that it has room for.
        """
        plain = socket.socket()
        if takes is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes)
        plain.settimeout(30)
        plain.connect((HOST, self.port))
        trusting = ssl.create_default_context(cafile=self.folder / "nginx/ca.pem")
        return trusting.wrap_socket(plain, server_hostname=SITE)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request on a connection of its own.

        :raises OSError: there was no answer, or no complete one.
        """
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        connection.sock = self.connect()
        try:
            named = {"Host": SITE, "X-API-Key": self.key, **(headers or {})}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        except http.client.HTTPException as error:
            raise OSError(f"{method} {path}: no answer") from error
        finally:
            connection.close()

    def reload(self) -> int:
        """Have it read its configuration again; return the exit code."""
        return subprocess.run(
            [*command(self.folder), "-s", "reload"],
            stderr=subprocess.DEVNULL,
            check=False,
        ).returncode


def command(folder: Path) -> list[str]:
    """nginx on the files of a folder."""
    assert NGINX is not None
    log, file = folder / "nginx.log", folder / "nginx.conf"
    return [NGINX, "-e", str(log), "-p", str(folder), "-c", str(file)]


def replaced(text: str, **changes: tuple[str, str]) -> str:
    for what, (old, new) in changes.items():
        assert text.count(old) == 1, what
        text = text.replace(old, new)
    return text


@contextmanager
def nginx_in_front(folder: Path, machines: Path, key: str) -> Iterator[Site]:
    """Run nginx in front of web machines, with a certificate of credentials.py.

    :param folder: its own.
    :param machines: folder with a file for each machine.
    :param key: what the site's clients send.
    """
    site = Site(folder, free_port(), key)
    authority = credentials.Authority(folder / "ca")
    authority.certify(folder / "nginx", "nutgraf", (SITE,))
    text = replaced(
        (ROOT / "deploy/nginx.conf").read_text("utf-8"),
        listen=("listen 443 ssl;", f"listen {HOST}:{site.port} ssl;"),
        certificate=("/etc/nginx/tls/nutgraf.pem", f"{folder}/nginx/nutgraf.pem"),
        key=("/etc/nginx/tls/nutgraf.key", f"{folder}/nginx/nutgraf.key"),
        machines=("/etc/nginx/machines/*.conf", f"{machines}/*.conf"),
    )
    (folder / "site.conf").write_text(text, "utf-8")
    user = "" if os.geteuid() else "user root;"  # its files are ours
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user), "utf-8")
    log = folder / "nginx.log"
    with subprocess.Popen(command(folder), stderr=subprocess.DEVNULL) as process:
        try:

            def listens() -> bool:
                assert process.poll() is None, log.read_text()
                with socket.socket() as probe:
                    return probe.connect_ex((HOST, site.port)) == 0

            until(listens, "nginx listens")
            yield site
            assert not re.search(r"\[emerg\]", log.read_text())
        finally:
            process.terminate()
