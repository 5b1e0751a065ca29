"""Keys in log lines: they are cut to their ids, however they are encoded."""

from __future__ import annotations

import html
import json
import logging
import sys
from array import array
from collections.abc import Callable
from urllib.parse import quote, unquote

import pytest
from faults.amounts import amount
from flask.testing import FlaskClient
from hypothesis import example, given, settings
from hypothesis import strategies as st

from index.access import Scope, new_secret
from index.archive import Archive
from service.logs import JsonLines


def of_bytes(form: str) -> Callable[[str], str]:
    return lambda text: "".join(form.format(each) for each in text.encode())


def of_characters(form: str) -> Callable[[str], str]:
    return lambda text: "".join(form.format(ord(each)) for each in text)


def of_units(form: str) -> Callable[[str], str]:
    """An encoding of each unit of UTF-16."""
    return lambda text: "".join(
        form.format(unit)
        for unit in array("H", text.encode(f"utf-16-{sys.byteorder[0]}e"))
    )


def full_width(text: str) -> str:
    return "".join(
        chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text
    )


ENCODINGS: dict[str, Callable[[str], str]] = {
    "percent": of_bytes("%{:02x}"),
    "capitals": of_bytes("%{:02X}"),
    "reserved": lambda text: quote(text, safe="").replace("_", "%5F"),
    "utf-16": of_units("%u{:04x}"),
    "json": of_units("\\u{:04x}"),
    "python": of_bytes("\\x{:02x}"),
    "python, long": of_characters("\\U{:08x}"),
    "octal": of_bytes("\\{:03o}"),
    "javascript": of_characters("\\u{{{:x}}}"),
    "javascript, with zeros": of_characters("\\u{{000{:X}}}"),
    "html": of_characters("&#{};"),
    "html, in hex": of_characters("&#x{:x};"),
    "html, without ends": of_characters("&#0{}"),
    "html, in hex without ends": of_characters("&#X0{:X}"),
    "html, by name": lambda text: text.replace("_", "&lowbar;"),
    "mail": of_bytes("={:02X}"),
    "full width": full_width,
    "part": lambda text: text[:20] + quote_all(text[20:]),
    "plain": lambda text: text,
}
quote_all = ENCODINGS["percent"]
# What may be between the characters of a key.
BETWEEN = [
    *("", " ", "\t", "\n", "\r\n ", "\x00", "\x7f", "\x1b", "+", "=\r\n"),
    *("\u00a0", "\u00ad", "\u0301", "\u200b", "\u2028", "\u202e", "\ufe0f"),
    *("\ufeff", "\ufffd", "\U000e0061"),
]


@given(
    names=st.lists(st.sampled_from(sorted(ENCODINGS)), max_size=4),
    key_id=st.text("0123456789abcdef", min_size=8, max_size=8),
    between=st.sampled_from(BETWEEN),
)
@example(names=["html", "part", "javascript"], key_id="0" * 8, between="")
@example(names=["html", "part", "capitals"], key_id="0" * 8, between="")
@settings(max_examples=amount(200, 20_000), deadline=None)
@pytest.mark.slow
def test_a_key_is_in_no_line_however_it_is_encoded(
    names: list[str], key_id: str, between: str
) -> None:
    secret = new_secret(key_id)
    encoded = between.join(secret)
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


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("name", ENCODINGS)
def test_a_key_in_one_encoding_is_in_no_line(name: str, between: str) -> None:
    secret = new_secret("5a4204ec")
    path = f"/v1/articles/{ENCODINGS[name](between.join(secret))}/paragraphs"
    line = JsonLines().format(logging.makeLogRecord({"msg": path, "path": path}))
    entry = json.loads(line)
    expected = "/v1/articles/ng_5a4204ec_.../paragraphs"
    assert (entry["path"], entry["message"]) == (expected, expected)


@pytest.mark.parametrize(
    "path",
    [
        "/ng_5a4%00204ec_SECRET",
        "/ng_5a4204ec%c1%9fSECRET",
        "/ng_5a4204ec_SE+AF8-CRET",
        "/ng_5a4204ec_&unknown;SECRET",
        "/ng_5a4204ec_S=E,C;R:E!T",
        "/NG_5A4204EC_SECRET",
        "/%C2%ADn%EF%BD%87_5a4204ec_SECRET",
        "/xng_5a4204ec_SECRET",
    ],
)
def test_what_follows_the_id_of_a_key_is_cut(path: str) -> None:
    entry = json.loads(JsonLines().format(logging.makeLogRecord({"path": path})))
    assert entry["path"].lower().lstrip("/x\u00ad") == "ng_5a4204ec_..."


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
    "path",
    [
        *("/v1/articles/a%252Fb", "100%25", "a&#38;b", "\\x41", "%0A&#10;\\x0a"),
        *(
            "a=3D",
            "\\101",
            "&lowbar",
            "&amp;amp",
            "\uff4eg",
            "&#x110000;",
            "\\U00110000",
        ),
        *("/meeting_20240612-2", "key ng_5a4204ec was revoked", "&#" + "9" * 5_000),
        *("Ko\u0308ln", "caf\u00e9 %C3%A9 %FF", "\ud800", "ng_", "n g _"),
    ],
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
