"""``make run``: migrate, load the samples, start web and indexer, show a search."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

QUERY = "q=syria+talks&scope=paragraph"  # matches an article in seeds/
BESIDE = "make run NUTGRAF_BIND=127.0.0.1:8001"  # beside another service


def main() -> None:
    """Migrate the store, load the samples if it is empty, then run the Procfile."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C prints no traceback
    nutgraf("migrate", stdout=subprocess.DEVNULL)
    status = json.loads(nutgraf("status", "--json", stdout=subprocess.PIPE))
    bind = status["settings"]["NUTGRAF_BIND"]
    refuse_running(bind, status["indexer"])
    refuse_taken(bind)
    if status["store"]["articles"] == 0:
        nutgraf("load", "seeds")
    # In its own session honcho gets no signal from the terminal (Ctrl-C, hangup), only
    # the one that stop() sends.
    honcho = subprocess.Popen(["honcho", "start"], start_new_session=True)
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        honcho.terminate()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    while honcho.poll() is None and not ready(bind):
        time.sleep(0.1)
    if honcho.poll() is None and not stopping:
        sys.stdout.write(greeting(bind, needs_key=status["keys"]["required"]))
        sys.stdout.flush()
    code = honcho.wait()
    sys.exit(0 if stopping else code)


def greeting(bind: str, *, needs_key: bool) -> str:
    """What to try first: the page, and a search."""
    # Once a key exists, every caller needs one; only its owner knows it.
    key = "-H 'X-API-Key: YOUR-KEY' " if needs_key else ""
    return (
        f"\nNutgraf is ready: http://{bind}/\n\n"
        f"  curl {key}'http://{bind}/v1/search?{QUERY}'\n\n"
    )


def nutgraf(*arguments: str, stdout: int | None = None) -> str:
    """Output of a nutgraf command; if the command fails, exit with its code."""
    command = subprocess.run(["nutgraf", *arguments], stdout=stdout, text=True)
    if command.returncode:
        sys.exit(command.returncode)
    return command.stdout


def address(bind: str) -> tuple[str, int]:
    """Host and port of HOST:PORT."""
    host, _, port = bind.rpartition(":")
    return host.strip("[]"), int(port)


def refuse_running(bind: str, indexer: dict[str, Any]) -> None:
    """Exit with a message if Nutgraf's web or indexer is already running.

    Both go on running if their honcho is killed.

    :param indexer: the indexer's state from ``nutgraf status``.
    """
    running = []
    processes: list[int] = []
    if get(bind, "/healthz") == (http.HTTPStatus.OK, {"status": "ok"}):
        running.append(f"it answers on {bind}")
        processes += listeners(address(bind)[1])
    if indexer["running"]:
        running.append("this store has an indexer")
        processes += [indexer["process"]] if indexer["process"] else []
    if running:
        kill = " ".join(map(str, processes))
        how = f", or with:\n\n  kill {kill}\n" if kill else "."
        if not indexer["running"]:
            how += "\nIf it serves another store, choose another address for this one:"
            how += f"\n\n  {BESIDE}\n"
        sys.exit(
            f"Nutgraf is running already: {' and '.join(running)}. Stop it with Ctrl-C"
            f" where it was started{how}"
        )


def listeners(port: int) -> list[int]:
    """Processes that listen on a port, as far as /proc shows them; sorted."""
    sockets = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            # See proc(5): local address, state (0A is LISTEN) and inode.
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A" and int(local.rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{inode}]")
    processes = set()
    for handles in Path("/proc").glob("[0-9]*/fd"):
        with suppress(OSError):  # another user's process, or it has ended
            if any(str(handle.readlink()) in sockets for handle in handles.iterdir()):
                processes.add(int(handles.parts[2]))
    return sorted(processes)


def refuse_taken(bind: str) -> None:
    """Exit with a message if this address cannot be listened on."""
    family = socket.AF_INET6 if bind.startswith("[") else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address(bind))
        except OSError as error:
            sys.exit(
                f"Nutgraf cannot listen on {bind}: {error.strerror or error}. Try"
                f" another address: {BESIDE}"
            )


def ready(bind: str) -> bool:
    """Whether the service answers and can search."""
    status, _ = get(bind, "/readyz")
    return status == http.HTTPStatus.OK


def get(bind: str, path: str) -> tuple[int | None, Any]:
    """Status and JSON of an answer; ``None`` for each that does not arrive."""
    status = None
    connection = http.client.HTTPConnection(*address(bind), timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        status = answer.status
        return status, json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError):
        return status, None
    finally:
        connection.close()


if __name__ == "__main__":
    main()
