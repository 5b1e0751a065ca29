"""What ``make run`` does once Nutgraf is installed: articles, web, indexer, a hint."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time

QUERY = "q=syria+talks&scope=paragraph"  # finds an article of seeds/


def main() -> None:
    """Load the sample articles into an empty store, then become honcho."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is no error: no traceback
    status = json.loads(nutgraf("status", "--json", stdout=subprocess.PIPE))
    bind = status["settings"]["NUTGRAF_BIND"]
    host, _, port = bind.rpartition(":")
    host = host.strip("[]")
    refuse_taken(host, int(port), bind)
    if status["store"]["articles"] == 0:
        nutgraf("load", "seeds")
    if os.fork() == 0:
        announce(host, int(port), bind)
    else:
        os.execvp("honcho", ["honcho", "start"])


def nutgraf(*arguments: str, stdout: int | None = None) -> str:
    """Run a nutgraf command, and stop with its exit code if it fails."""
    done = subprocess.run(["nutgraf", *arguments], stdout=stdout, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def refuse_taken(host: str, port: int, bind: str) -> None:
    """Stop with a clear message if something listens where the service would."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            sys.exit(
                f"cannot listen on {bind}: {error.strerror}."
                " Another address: make run NUTGRAF_BIND=127.0.0.1:8001"
            )


def announce(host: str, port: int, bind: str) -> None:
    """Say how to try it, once the service says that it is ready."""
    honcho = os.getppid()
    while os.getppid() == honcho:
        if ready(host, port):
            url = f"http://{bind}/v1/search?{QUERY}"
            sys.stdout.write(f"\nNutgraf is ready. Try:\n\n  curl '{url}'\n\n")
            return
        time.sleep(0.1)


def ready(host: str, port: int) -> bool:
    """Return whether the service answers and can search."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    main()
