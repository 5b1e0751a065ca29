"""Keys in log lines: they are cut to their ids, however they are encoded."""

from __future__ import annotations

import html
import json
import logging
from collections.abc import Callable
from urllib.parse import quote, unquote

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from index.access import Scope, new_secret
from index.archive import Archive
from service.logs import JsonLines

ENCODINGS: dict[str, Callable[[str], str]] = {
    "percent": lambda text: "".join(f"%{ord(each):02x}" for each in text),
    "capitals": lambda text: "".join(f"%{ord(each):02X}" for each in text),
    "reserved": lambda text: quote(text, safe="").replace("_", "%5F"),
    "utf-16": lambda text: "".join(f"%u{ord(each):04x}" for each in text),
    "json": lambda text: "".join(f"\\u{ord(each):04x}" for each in text),
    "python": lambda text: "".join(f"\\x{ord(each):02x}" for each in text),
    "html": lambda text: "".join(f"&#{ord(each)};" for each in text),
    "html, in hex": lambda text: "".join(f"&#x{ord(each):x};" for each in text),
    "part": lambda text: text[:20] + "".join(f"%{ord(each):x}" for each in text[20:]),
    "plain": lambda text: text,
}


@given(
    names=st.lists(st.sampled_from(sorted(ENCODINGS)), max_size=4),
    key_id=st.text("0123456789abcdef", min_size=8, max_size=8),
)
@settings(max_examples=50)
@pytest.mark.slow
def test_a_key_is_in_no_line_however_it_is_encoded(
    names: list[str], key_id: str
) -> None:
    secret = new_secret(key_id)
    encoded = secret
    for name in names:
        encoded = ENCODINGS[name](encoded)
    record = logging.makeLogRecord(
        {"msg": f"urn:{encoded}", "codes": {encoded: [encoded]}, "path": encoded}
    )
    line = JsonLines().format(record)
    entry = json.loads(line)
    for text in (line, _decoded(line)):
        for start in range(12, len(secret) - 12, 4):
            assert secret[start : start + 12] not in text
    assert entry["path"] == f"{secret[:12]}..."
    assert entry["codes"] == {f"{secret[:12]}...": [f"{secret[:12]}..."]}


def _decoded(text: str) -> str:
    for _ in range(10):
        text = html.unescape(unquote(text))
    return text


def test_what_is_encoded_again_and_again_is_cut_in_bounded_work() -> None:
    encoded = new_secret("0123abcd").replace("_", "%5F")
    for _ in range(20):
        encoded = encoded.replace("%", "%25")
    for path in (f"a/{encoded}", "a/%" + "25" * 10_000):
        line = JsonLines().format(logging.makeLogRecord({"msg": "x", "path": path}))
        entry = json.loads(line)
        assert entry["path"].startswith("a/")
        assert entry["path"].endswith("...")
        assert "%" not in entry["path"]


@pytest.mark.parametrize(
    "path", ["/v1/articles/a%252Fb", "100%25", "a&#38;b", "\\x41", "%0A&#10;\\x0a"]
)
def test_other_encoded_texts_are_logged_as_they_came(path: str) -> None:
    record = logging.makeLogRecord({"msg": "%s", "args": (path,), "path": path})
    entry = json.loads(JsonLines().format(record))
    assert (entry["path"], entry["message"]) == (path, path)


def test_a_key_encoded_twice_in_a_request_is_in_no_line(
    client: FlaskClient, archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    new = archive.keys.add("desk", frozenset({Scope.SEARCH}))
    once = "".join(f"%{ord(each):02x}" for each in new.secret)
    twice = once.replace("%", "%25")
    with caplog.at_level(logging.INFO):
        for encoded in (once, twice, twice.replace("%", "%25")):
            client.get(
                f"/v1/articles/{encoded}",
                query_string=f"version={encoded}&{encoded}=1",
                headers={"Referer": f"http://localhost/{encoded}", "Host": encoded},
            )
            client.get(f"/{encoded}", headers={"X-Request-Id": encoded})
            client.get(f"/v1/articles/{encoded}", headers={"X-API-Key": encoded})
    lines = [JsonLines().format(record) for record in caplog.records]
    assert len(lines) >= 9
    for line in lines:
        for text in (line, _decoded(line)):
            assert new.secret[12:20] not in text
