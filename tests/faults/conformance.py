"""Schemathesis on a running Nutgraf: ``conformance.py PROGRAM [OPTION…]``.

It is a program of its own, in an environment of its own: ``make faults`` has both.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from conftest import DOCUMENTS
from faults.amounts import SEED
from faults.cluster import HOST, running

from index.access import UNLIMITED, Scope
from index.store import Store

# A schema cannot say all that an answer of 400, 404 or 410 can: that an id has no
# blank, that page and cursor exclude each other, that another request killed the
# article. And with format=text every body is an article, whatever its type is.
CONFIGURATION = """[checks]
positive_data_acceptance.enabled = false
ensure_resource_availability.enabled = false
use_after_free.enabled = false
""" + "".join(
    f"""[[operations]]
include-name = "{name}"
[operations.checks]
negative_data_rejection.enabled = false
"""
    for name in (
        "POST /v1/articles",
        "PUT /v1/article",
        "PUT /v1/articles/{article_id}",
    )
)


def main(program: str, *options: str) -> int:
    """Run Schemathesis, which reports to stdout; return its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        Path(folder, "schemathesis.toml").write_text(CONFIGURATION, "utf-8")
        variables = {"NUTGRAF_WAIT_SECONDS": "0.1", "NUTGRAF_PUSH_SECRET": "a secret"}
        with running(data, **variables) as cluster:
            with cluster.client() as client:
                reply = client.ask("POST", "/v1/articles", list(DOCUMENTS), wait=1)
                assert reply.status == 200, reply.body
            # From here on every call needs a key, as the document says.
            store = Store.open(cluster.settings().store)
            key = store.keys.add("all", frozenset(Scope), rate=UNLIMITED).secret
            store.close()
            address = f"http://{HOST}:{cluster.port}/openapi.json"
            done = subprocess.run(
                (
                    *(program, "run", address, "--seed", str(SEED)),
                    # In both places: it takes one alone for a key made up in the other.
                    *("--header", f"X-API-Key: {key}"),
                    *("--header", f"Authorization: Bearer {key}"),
                    *options,
                ),
                cwd=folder,
                check=False,
            )
            assert '"Exception on' not in cluster.log("web")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
