"""A client generated from the OpenAPI document works; run by ``make clients``."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

# The folder of programs that make clients.
PROGRAMS = os.environ.get("CLIENTS")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        PROGRAMS is None, reason="no generator: make clients installs it"
    ),
]
STEPS = """
import sys
from nutgraf_client import Client
from nutgraf_client.api.articles import get_article, put_article
from nutgraf_client.api.changes import list_changes
from nutgraf_client.api.search import search
from nutgraf_client.api.withdrawals import kill_article
from nutgraf_client.models import ArticleBody, KillArguments

client = Client(base_url=sys.argv[1])
page = search.sync(client=client, q="harbour", limit=1)
ids = [hit.id for hit in page.hits]
page = search.sync(client=client, q="harbour", limit=1, cursor=page.next_)
print(*sorted(ids + [hit.id for hit in page.hits]))
body = ArticleBody.from_dict({"headline": "Tram", "paragraphs": ["By a mile."]})
print(put_article.sync("tram", client=client, body=body).results[0].status.value)
print(get_article.sync("tram", client=client).headline)
print(kill_article.sync("tram", client=client, body=KillArguments(note="No.")).id)
print(*[change.id for change in list_changes.sync(client=client).changes])
"""


def test_a_generated_python_client_works(app: Flask, tmp_path: Path) -> None:
    assert PROGRAMS is not None
    document = tmp_path / "openapi.json"
    document.write_bytes(app.test_client().get("/openapi.json").data)
    subprocess.run(
        [f"{PROGRAMS}/openapi-python-client", "generate", "--path", str(document)],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"},
        check=True,
        capture_output=True,
    )
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        done = subprocess.run(
            [f"{PROGRAMS}/python", "-c", STEPS, f"http://127.0.0.1:{server.port}"],
            cwd=tmp_path / "nutgraf-client",
            check=True,
            capture_output=True,
            text=True,
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    found, put, headline, killed, changed = done.stdout.splitlines()
    assert found == "urn:test:grain urn:test:harbour"
    assert (put, headline, killed) == ("created", "Tram", "tram")
    assert changed.split()[:3] == [
        *("urn:test:harbour", "urn:test:grain", "urn:test:museum"),
    ]
