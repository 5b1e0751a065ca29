"""What ``make run`` does once Nutgraf is installed: articles, web, indexer, a hint."""

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

QUERY = "q=syria+talks&scope=paragraph"  # finds an article of seeds/


def main() -> None:
    """Load the sample articles into an empty store, then run the Procfile."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is no error: no traceback
    status = json.loads(nutgraf("status", "--json", stdout=subprocess.PIPE))
    bind = status["settings"]["NUTGRAF_BIND"]
    # Where a key was made, every caller needs one, and only its owner has it.
    key = "-H 'X-API-Key: YOUR-KEY' " if status["keys"]["made"] else ""
    curl = f"curl {key}'http://{bind}/v1/search?{QUERY}'"
    refuse_running(bind, status["indexer"])
    refuse_taken(bind)
    if status["store"]["articles"] == 0:
        nutgraf("load", "seeds")
    # In a session of its own honcho hears of a Ctrl-C, or of a closed terminal, once:
    # from here.
    honcho = subprocess.Popen(["honcho", "start"], start_new_session=True)
    asked_to_stop = False

    def stop(*_: object) -> None:
        nonlocal asked_to_stop
        asked_to_stop = True
        honcho.terminate()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    while honcho.poll() is None and not ready(bind):
        time.sleep(0.1)
    if honcho.poll() is None and not asked_to_stop:
        sys.stdout.write(f"\nNutgraf is ready. Try:\n\n  {curl}\n\n")
        sys.stdout.flush()
    code = honcho.wait()
    sys.exit(0 if asked_to_stop else code)


def nutgraf(*arguments: str, stdout: int | None = None) -> str:
    """Run a nutgraf command and return what it prints; stop where it fails."""
    done = subprocess.run(["nutgraf", *arguments], stdout=stdout, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def address(bind: str) -> tuple[str, int]:
    """Return the host and port of HOST:PORT."""
    host, _, port = bind.rpartition(":")
    return host.strip("[]"), int(port)


def refuse_running(bind: str, indexer: dict[str, Any]) -> None:
    """Stop with a clear message if a web or an indexer of ours runs already.

    Both outlive a honcho that was killed: nobody is left to stop them.

    :param indexer: what ``nutgraf status`` says of the store's.
    """
    found = []
    processes: list[int] = []
    if get(bind, "/healthz") == (http.HTTPStatus.OK, {"status": "ok"}):
        found.append(f"it answers on {bind}")
        processes += listeners(address(bind)[1])
    if indexer["running"]:
        found.append("this store has an indexer")
        processes += [indexer["process"]] if indexer["process"] else []
    if found:
        kill = " ".join(map(str, processes))
        how = f", or with:\n\n  kill {kill}\n" if kill else "."
        sys.exit(
            f"Nutgraf is running already: {' and '.join(found)}. Stop it with Ctrl-C"
            f" where it was started{how}"
        )


def listeners(port: int) -> list[int]:
    """Return the processes that listen on a port, where Linux tells of them."""
    sockets = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            # See proc(5): local address, state (0A is LISTEN) and inode.
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A" and int(local.rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{inode}]")
    found = set()
    for handles in Path("/proc").glob("[0-9]*/fd"):
        with suppress(OSError):  # another user's, or gone
            if any(str(handle.readlink()) in sockets for handle in handles.iterdir()):
                found.add(int(handles.parts[2]))
    return sorted(found)


def refuse_taken(bind: str) -> None:
    """Stop with a clear message if nothing can listen there."""
    family = socket.AF_INET6 if bind.startswith("[") else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address(bind))
        except OSError as error:
            sys.exit(
                f"Nutgraf cannot listen on {bind}: {error.strerror or error}. Try"
                " another address: make run NUTGRAF_BIND=127.0.0.1:8001"
            )


def ready(bind: str) -> bool:
    """Return whether the service answers and can search."""
    status, _ = get(bind, "/readyz")
    return status == http.HTTPStatus.OK


def get(bind: str, path: str) -> tuple[int | None, Any]:
    """Return the status and the JSON that the service answers, as far as it does."""
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
