"""Shapes of inputs that grow with a number: what cost readers more than their share.

Each shape has the format it is sent as, and makes bytes whose length is in proportion
to ``n``. The tests of proportion send each at two sizes and compare the work.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Shape:
    """A kind of input: its name, the format it is sent as, and its bytes of a size."""

    name: str
    format: str
    of_size: Callable[[int], bytes]
    encoding: str | None = None


def _front(of_size: Callable[[int], str]) -> Callable[[int], bytes]:
    return lambda n: f"---\nid: a\n{of_size(n)}\n---\nHead\n\nBody.\n".encode()


def _text(of_size: Callable[[int], str]) -> Callable[[int], bytes]:
    return lambda n: f"Head\n\n{of_size(n)}\n".encode()


def _article(**values: Any) -> bytes:
    return json.dumps({"id": "a", "headline": "Head", **values}).encode()


def _field(name: str, of_size: Callable[[int], Any]) -> Callable[[int], bytes]:
    return lambda n: _article(**{name: of_size(n)})


def _html(of_size: Callable[[int], str]) -> Callable[[int], bytes]:
    return _field("body_html", of_size)


def _item(name: str, of_size: Callable[[int], Any]) -> Callable[[int], bytes]:
    return lambda n: json.dumps(
        {"uri": "a", "versioncreated": "2026-01-02T03:04:05Z", name: of_size(n)}
    ).encode()


def _spelled(name: str, number: int) -> str:
    """One of many spellings of a name: hyphens and underscores say nothing."""
    return name + f"{number:b}".replace("0", "_").replace("1", "-")


def _nested(n: int, start: str, middle: str, end: str) -> str:
    return start * n + middle + end * n


_TEXTS: dict[str, Callable[[int], bytes]] = {
    "front matter: items of one key": _front(lambda n: "keywords:\n" + "- a\n" * n),
    "front matter: items of a key that is no list": _front(
        lambda n: "desk:\n" + "- a\n" * n
    ),
    "front matter: many keys": _front(
        lambda n: "\n".join(f"k{number}: v" for number in range(n))
    ),
    "front matter: keys that are aliases": _front(
        lambda n: "\n".join(f"{_spelled('title', number)}: v" for number in range(n))
    ),
    "front matter: commas in a list": _front(lambda n: "keywords: " + "a, " * n),
    "front matter: commas alone": _front(lambda n: "keywords: " + "," * n),
    "front matter: open quotes": _front(lambda n: "keywords: " + '"a, ' * n),
    "front matter: blanks in a list": _front(
        lambda n: "keywords: " + " " * n + "a" + " " * n + "b"
    ),
    "front matter: brackets": _front(lambda n: "keywords: " + "[" * n),
    "front matter: a long key": _front(lambda n: "k" * n + ": v"),
    "front matter: blanks before the colon": _front(lambda n: "key" + " " * n + ": v"),
    "front matter: colons": _front(lambda n: "key: " + ": " * n),
    "front matter: comments": _front(lambda n: "# a\n" * n),
    "front matter: blanks before items": _front(
        lambda n: "keywords:\n" + (" " * 200 + "x\n") * (n // 100)
    ),
    "front matter: not closed": lambda n: ("---\nkey: v\n" + "# a\n" * n).encode(),
    "front matter: fences": lambda n: ("---\n" * n).encode(),
    "front matter: digits for a date": _front(lambda n: "published: " + "1" * n),
    "front matter: digits for an urgency": _front(lambda n: "urgency: " + "1" * n),
    "front matter: digits for a version": _front(lambda n: "version: " + "1" * n),
    "front matter: a tag of a language": _front(lambda n: "language: " + "en-" * n),
    "lines": lambda n: ("ab\n" * n).encode(),
    "lines of one letter with blank lines": lambda n: ("a\n\n" * n).encode(),
    "blank lines": _text(lambda n: "\n" * n + "end"),
    "lines of blanks": _text(lambda n: " \n\t\n" * n + "end"),
    "blank lines first": lambda n: ("\n" * n + "Head\n\nBody.").encode(),
    "carriage returns": _text(lambda n: "\r" * n + "end"),
    "line separators": _text(lambda n: "\u2028" * n + "end"),
    "rules": _text(lambda n: "---\n" * n + "end"),
    "a rule of blanks and dashes": _text(lambda n: "- " * n + "end"),
    "a rule of stars and dashes": _text(lambda n: "*-" * n + "end"),
    "a rule of tabs": _text(lambda n: "-" + "\t" * n + "-x"),
    "wrapped lines": _text(lambda n: "word\n" * n + "\nend"),
    "one long word": _text(lambda n: "a" * n),
    "words": _text(lambda n: "word " * n),
    "blanks in a line": _text(lambda n: "a" + " " * n + "b"),
    "ideographic blanks": _text(lambda n: "a" + "\u3000" * n + "b"),
    "zero widths": _text(lambda n: "a" + "\u200b" * n + "b"),
    "combining marks": _text(lambda n: "a" + "\u0301" * n),
    "bullets": _text(lambda n: "• a\n" * n),
    "captions": _text(lambda n: "A boat. REUTERS/Ann Other |\n\n" * (n // 10)),
    "blanks of a caption": _text(
        lambda n: ("A boat." + " " * 180 + "REUTERS/\n\n") * (n // 100)
    ),
    "bars": _text(lambda n: "|" * n),
    "a caption of names": _text(lambda n: ("A B C D " * 25 + "\n\n") * (n // 100)),
    "dates in captions": _text(
        lambda n: "May 1, 2026 " * n + "A boat. REUTERS/Ann Other"
    ),
    "a dateline of commas": _text(lambda n: "PLACE" + ", " * n + "(dpa) - x"),
    "a dateline without end": _text(lambda n: "PLACE (" + "a" * n),
    "a byline": lambda n: ("Head\nBy " + "Ann " * n + "\n\nBody.").encode(),
    "a byline of blanks": lambda n: ("Head\nBy" + " " * n + "Ann\n\nBody.").encode(),
    "a headline of blanks": lambda n: ("Head" + " " * n + "line\n\nBody.").encode(),
    "gzip members": lambda n: (
        gzip.compress(b"Head\n\n", mtime=0) + gzip.compress(b"a\n", mtime=0) * (n // 10)
    ),
    "zeros after gzip": lambda n: gzip.compress(b"Head\n\nBody.", mtime=0) + b"\0" * n,
    "gzip of lines": lambda n: gzip.compress(b"ab\n" * n, mtime=0),
    "NULs": _text(lambda n: "\0" * n),
}

_RECORDS: dict[str, Callable[[int], bytes]] = {
    "HTML: open paragraphs": _html(lambda n: "<p>a" * n),
    "HTML: paragraphs": _html(lambda n: "<p>a</p>" * n),
    "HTML: nested divisions": _html(lambda n: _nested(n, "<div>", "a", "</div>")),
    "HTML: open divisions": _html(lambda n: "<div>a" * n),
    "HTML: nested quotes": _html(
        lambda n: _nested(n, "<blockquote>", "a", "</blockquote>")
    ),
    "HTML: open quotes": _html(lambda n: "<blockquote>a" * n),
    "HTML: nested lists": _html(lambda n: _nested(n, "<ul><li>a", "", "</ul>")),
    "HTML: open figures": _html(lambda n: "<figure>a" * n),
    "HTML: nested figures": _html(
        lambda n: _nested(n, "<figure><p>a</p>", "", "</figure>")
    ),
    "HTML: nested tables": _html(
        lambda n: _nested(n, "<table><tr><td>a", "", "</table>")
    ),
    "HTML: rows": _html(lambda n: "<table>" + "<tr><td>a<td>b" * n + "</table>"),
    "HTML: rows in rows": _html(
        lambda n: "<table>" + "<tr><td><p>a</p><p>b</p>" * n + "</table>"
    ),
    "HTML: nested spans": _html(lambda n: _nested(n, "<span>", "a", "</span>")),
    "HTML: open spans": _html(lambda n: "<p>x</p>" + "<b>a" * n),
    "HTML: spans that end elsewhere": _html(lambda n: "<p>x</p>" + "<b><i>a</b>" * n),
    "HTML: ends without starts": _html(lambda n: "<p>a</p>" + "</li></div></p>" * n),
    "HTML: quotes that p ends": _html(
        lambda n: "<blockquote>" * n + "<p>a</p></pre>" * n
    ),
    "HTML: roles for each text": _html(lambda n: "<p>" * n + "<br>a<br><br>" * n),
    "HTML: breaks": _html(lambda n: "<p>a</p>" + "a<br>" * n),
    "HTML: pairs of breaks": _html(lambda n: "<p>a</p>" + "a<br><br>" * n),
    "HTML: breaks alone": _html(lambda n: "<p>a</p>" + "<br>" * n),
    "HTML: dropped elements": _html(lambda n: "<p>a</p>" + "<svg>" * n),
    "HTML: nested dropped elements": _html(
        lambda n: "<p>a</p>" + _nested(n, "<svg>", "", "</svg>")
    ),
    "HTML: comments": _html(lambda n: "<p>a</p>" + "<!-- a -->" * n),
    "HTML: open comments": _html(lambda n: "<p>a</p>" + "<!--" * n),
    "HTML: CDATA": _html(lambda n: "<p>a</p>" + "<![CDATA[a]]>" * n),
    "HTML: open CDATA": _html(lambda n: "<p>a</p>" + "<![CDATA[" * n),
    "HTML: instructions": _html(lambda n: "<p>a</p>" + "<?a " * n),
    "HTML: declarations": _html(lambda n: "<p>a</p>" + "<!DOCTYPE " * n),
    "HTML: references": _html(lambda n: "<p>a</p>" + "&amp;" * n),
    "HTML: references in references": _html(lambda n: "<p>a</p>&" + "amp;" * n),
    "HTML: unknown references": _html(lambda n: "<p>a</p>" + "&abcdefgh" * n),
    "HTML: ampersands": _html(lambda n: "<p>a</p>" + "&" * n),
    "HTML: numbers of references": _html(lambda n: "<p>a</p>" + "&#" * n),
    "HTML: a long number of a reference": _html(lambda n: "<p>a</p>&#" + "9" * n + ";"),
    "HTML: attributes": _html(lambda n: "<p " + "a=b " * n + ">a</p>"),
    "HTML: attributes of other names": _html(
        lambda n: "<p " + " ".join(f"a{at}=b" for at in range(n)) + ">a</p>"
    ),
    "HTML: a long attribute": _html(lambda n: '<p a="' + "b" * n + '">a</p>'),
    "HTML: open attributes": _html(lambda n: "<p>a</p>" + '<p a="' * n),
    "HTML: quotes in a tag": _html(lambda n: "<p>a</p><p " + "\"'" * n),
    "HTML: signs": _html(lambda n: "<p>a</p>" + "<" * n),
    "HTML: signs and letters": _html(lambda n: "<p>a</p>" + "<a" * n),
    "HTML: signs and ends": _html(lambda n: "<p>a</p>" + "</" * n),
    "HTML: tags that are words": _html(lambda n: "<p>a</p>" + "<acm>" * n),
    "HTML: a long name of a tag": _html(lambda n: "<p>a</p><" + "a" * n + ">"),
    "HTML: many names of tags": _html(
        lambda n: "<p>a</p>" + "".join(f"<x-{at}>a" for at in range(n))
    ),
    "HTML: open tags with blanks": _html(lambda n: "<p>a</p><b" + " " * n),
    "HTML: ends with blanks": _html(lambda n: "<p>a</p>" + "</a" + " " * n),
    "HTML: many ends with blanks": _html(
        lambda n: "<p>a</p>" + ("</a" + " " * 100) * (n // 100)
    ),
    "HTML: blanks": _html(lambda n: "<p>a" + " " * n + "b</p>"),
    "HTML: blank lines": _html(lambda n: "<div>a" + "\n \n" * n + "b</div>"),
    "HTML: lines of blanks": _html(lambda n: "<i>a</i>\n" + " " * n + "b"),
    "HTML: pre": _html(lambda n: "<pre>" + "ab\n" * n + "</pre>"),
    "HTML: captions": _html(
        lambda n: "<figcaption>A boat. REUTERS/Ann Other</figcaption>" * (n // 10)
    ),
    "HTML: in a headline": _field("title", lambda n: "<b>a</b>" * n),
    "HTML: signs in a headline": _field("title", lambda n: "<b " * n),
    "HTML: of a keyword": _field("tags", lambda n: ["<b>a</b>"] * (n // 10)),
    "HTML: that was escaped": _field("body", lambda n: "&lt;p&gt;a&lt;/p&gt;" * n),
    "text: lines": _field("text", lambda n: "ab\n" * n),
    "text: tags that are none": _field("text", lambda n: "<p" * n),
    "text: long tags that are none": _field(
        "text", lambda n: ("<p" + " a" * 900) * (n // 100)
    ),
    "text: a sender's cut": _field("text", lambda n: "[+" * n + "x"),
    "text: escaped ampersands": _field("text", lambda n: "&amp;" * n),
    "text: brackets": _field("text", lambda n: "[" * n + "]"),
    "text: lists in a string": _field("text", lambda n: json.dumps([["a"]] * n)),
    "text: braces": _field("text", lambda n: '{"a":' * n + "}"),
    "blocks": _field("blocks", lambda n: [{"type": "p", "text": "a"}] * n),
    "blocks: empty": _field("blocks", lambda n: [{}] * n),
    "blocks: lists": _field("blocks", lambda n: [[]] * n),
    "blocks: numbers": _field("blocks", lambda n: [0] * n),
    "blocks: of children": _field(
        "blocks", lambda n: [{"type": "p", "children": [{"text": "a"}] * n}]
    ),
    "blocks: nested": _field("blocks", lambda n: _blocks(min(n, 60))),
    "blocks: each with text and children": _field(
        "blocks", lambda n: _told_twice(30, n // 30)
    ),
    "blocks: ops": _field("content", lambda n: {"ops": [{"insert": "a\n"}] * n}),
    "blocks: a table": _field(
        "blocks", lambda n: [{"type": "table", "rows": [["a", "b"]] * n}]
    ),
    "blocks: a wide table": _field(
        "blocks", lambda n: [{"type": "table", "rows": [["a"] * n]}]
    ),
    "blocks: properties": _field(
        "blocks", lambda n: [{f"p{number}": "a" for number in range(n)}]
    ),
    "paragraphs": _field("paragraphs", lambda n: ["a"] * n),
    "paragraphs of their own": _field(
        "paragraphs", lambda n: [f"a {number}" for number in range(n)]
    ),
    "keywords": _field("keywords", lambda n: ["a"] * n),
    "keywords of their own": _field(
        "keywords", lambda n: [f"a{number}" for number in range(n)]
    ),
    "keywords: objects": _field(
        "tags", lambda n: [{"name": f"a{number}", "type": "x"} for number in range(n)]
    ),
    "keywords: a text": _field("tags", lambda n: "a, " * n),
    "keywords: open quotes in a text": _field("tags", lambda n: '"a,' * n),
    "keywords: blanks in a text": _field("tags", lambda n: "a," + " " * n + "b"),
    "keywords: lists of Python": _field("tags", lambda n: "[" + "'a', " * n + "]"),
    "keywords: open lists of Python": _field("tags", lambda n: "[" + "'a' " * n + "]"),
    "keywords: quotes of Python": _field("tags", lambda n: "['" + "\\'" * n + "]"),
    "keywords: under many names": lambda n: json.dumps(
        {
            "id": "a",
            "headline": "b",
            **{_spelled("tags", k): ["a"] * 99 for k in range(n // 100)},
        }
    ).encode(),
    "a title in many spellings": lambda n: json.dumps(
        {"id": "a", **{_spelled("title", k): "a" for k in range(n // 100)}}
    ).encode(),
    "a summary in many spellings": lambda n: json.dumps(
        {"id": "a", **{_spelled("summary", k): "a" for k in range(n)}}
    ).encode(),
    "dates under many names": lambda n: json.dumps(
        {
            "id": "a",
            "title": "a",
            **{_spelled("pub_date", k): "x" for k in range(n // 100)},
        }
    ).encode(),
    "people in a byline": _field("byline", lambda n: [{"name": "Ann"}] * n),
    "an object for a headline": lambda n: json.dumps(
        {"id": "a", "title": {"text": "a", **{f"k{k}": "a" for k in range(n)}}}
    ).encode(),
    "a date: digits": _field("published", lambda n: "1" * n),
    "a date: blanks": _field("published", lambda n: "2026" + " " * n + "-01-02"),
    "a date: a number": lambda n: (
        b'{"id":"a","headline":"b","published":' + b"1" * n + b"}"
    ),
    "a date: parentheses": _field("published", lambda n: "2026-01-02 (" * n),
    "an urgency": _field("urgency", lambda n: "1" * n),
    "a version": _field("version", lambda n: "1" * n),
    "a status": _field("status", lambda n: "draft-" * n),
    "a language": _field("language", lambda n: "en-" * n),
    "an id": lambda n: json.dumps({"id": "a" * n, "headline": "b"}).encode(),
    "extra: names": lambda n: _article(**{f"k{number}": 0 for number in range(n)}),
    "extra: nested": _field("mood", lambda n: _lists(min(n, 60))),
    "extra: lists": _field("mood", lambda n: [[]] * n),
    "extra: names of names": lambda n: json.dumps(
        {
            "id": "a",
            "headline": "b",
            "x": {f"k{k}": {"a": "word " * 9} for k in range(n // 10)},
        }
    ).encode(),
    "numbers: long": lambda n: b'{"id":"a","headline":"b","x":' + b"9" * n + b"}",
    "numbers: long fractions": lambda n: (
        b'{"id":"a","headline":"b","x":0.' + b"9" * n + b"}"
    ),
    "numbers: long exponents": lambda n: (
        b'{"id":"a","headline":"b","x":1e' + b"0" * n + b"}"
    ),
    "JSON: escapes": _field("text", lambda n: "\u00e9" * n),
    "JSON: surrogates": _field("text", lambda n: "\U0001f6a2" * n),
    "JSON: halves of surrogates": lambda n: (
        b'{"id":"a","headline":"' + b"\\ud83d" * n + b'"}'
    ),
    "JSON: backslashes": lambda n: b'{"id":"a","headline":"' + b"\\\\" * n + b'"}',
    "JSON: open brackets": lambda n: b"[" * n,
    "JSON: open braces": lambda n: b'{"a":' * n,
    "JSON: brackets": lambda n: b"[" * n + b"]" * n,
    "JSON: an open string": lambda n: b'{"a":"' + b"a" * n,
    "JSON: open strings": lambda n: b'{"a":"\n' * n,
    "JSON: lines": lambda n: _article() + b"\n" + b'{"id":1,"title":"b"}\n' * (n // 10),
    "JSON: broken lines": lambda n: b'{"id":\n' * n,
    "JSON: blank lines": lambda n: b"\n" * n + _article(),
    "JSON: blanks": lambda n: b" " * n + _article() + b" " * n,
    "JSON: blanks inside": lambda n: b'{"id"' + b" " * n + b':"a","title":"b"}',
    "JSON: a list": lambda n: b"[" + b'{"id":1,"title":"b"},' * (n // 10) + b"{}]",
    "JSON: a list of broken items": lambda n: (
        b"[" + b'{"id" 1},\n' * (n // 10) + b"{}]"
    ),
    "JSON: a list without commas": lambda n: b"[" + b"{} " * (n // 10) + b"]",
    "JSON: a list of open items": lambda n: b"[\n" + b'{"a":[\n' * (n // 10) + b"{}]",
    "JSON: a list of empty lists": lambda n: b"[" + b"[]," * n + b"[]]",
    "JSON: a list of numbers": lambda n: b"[" + b"1," * n + b"1]",
    "JSON: a list of a long number": lambda n: b"[" + b"1" * n + b"]",
    "JSON: a list with braces that close nothing": lambda n: b"[{}" + b"}" * n + b"]",
    "JSON: lists": lambda n: b"[]\n" * n,
    "JSON: documents": lambda n: b'{\n"id":1,"title":"b"}\n' * (n // 10),
    "JSON: a document and words": lambda n: b"{\n}\n" + b"a\n" * n,
    "JSON: a key twice": lambda n: b'{"a":1,' + b'"b":1,' * n + b'"a":1}',
    "JSON: bytes that are no UTF-8": lambda n: b'{"id":"\xff' + b"\xff" * n + b'"}',
    "JSON: a list of bytes that are no UTF-8": lambda n: (
        b"[" + b'{"id":"\xff"},' * (n // 10) + b"{}]"
    ),
    "a wrapper": lambda n: json.dumps(
        {"articles": [{"id": 1, "title": "b", "tags": "a"}] * (n // 10)}
    ).encode(),
    "a wrapper of lists": lambda n: json.dumps(
        {f"k{number}": [{"a": 1}] for number in range(n)}
    ).encode(),
    "a wrapper of wrappers": lambda n: json.dumps(
        {f"k{number}": {"b": {"c": []}} for number in range(n)}
    ).encode(),
    "a wrapper of wrapped items": lambda n: json.dumps(
        {"hits": {"hits": [{"_id": 1, "_source": {"title": "b"}}] * (n // 10)}}
    ).encode(),
    "a wrapper of Elasticsearch's source": lambda n: json.dumps(
        {"data": [{"id": 1, "body_html": "<p>a"}] * (n // 10)}
    ).encode(),
}

_ITEMS: dict[str, Callable[[int], bytes]] = {
    "ninjs: a body": _item("body_xhtml", lambda n: "<p>a" * n),
    "ninjs: a body of text": _item("body_text", lambda n: "ab\n" * n),
    "ninjs: bodies": _item(
        "bodies", lambda n: [{"role": "main", "value": "a"}] * (n // 10)
    ),
    "ninjs: bodies that are blank": _item(
        "bodies", lambda n: [{"contenttype": "text/html", "value": "<br>"}] * (n // 10)
    ),
    "ninjs: headlines": _item(
        "headlines", lambda n: [{"role": f"r{k}", "value": "a"} for k in range(n // 10)]
    ),
    "ninjs: descriptions": _item(
        "descriptions",
        lambda n: [{"role": f"r{k}", "value": f"a{k}"} for k in range(n // 10)],
    ),
    "ninjs: descriptions alike": _item(
        "descriptions", lambda n: [{"role": "x", "value": "a"}] * (n // 10)
    ),
    "ninjs: bodies of many names": lambda n: json.dumps(
        {"uri": "a", **{f"body_{k}": "a" for k in range(n // 10)}}
    ).encode(),
    "ninjs: subjects": _item(
        "subject", lambda n: [{"name": f"a{k}", "code": "b"} for k in range(n // 10)]
    ),
    "ninjs: people": _item(
        "person", lambda n: [{"name": f"a{k}", "rel": "author"} for k in range(n // 10)]
    ),
    "ninjs: associations": _item(
        "associations",
        lambda n: {
            f"p{k}": {"type": "picture", "description_text": f"a{k}", "ednote": "b"}
            for k in range(n // 10)
        },
    ),
    "ninjs: nested associations": _item("associations", lambda n: _lists(min(n, 60))),
    "ninjs: other properties": lambda n: json.dumps(
        {"uri": "a", "headline": "b", **{f"k{k}": 0 for k in range(n)}}
    ).encode(),
    "ninjs: a date": _item("firstcreated", lambda n: "1" * n),
    "ninjs: a list": lambda n: json.dumps(
        [{"uri": "a", "headline": "b", "versioncreated": "c"}] * (n // 10)
    ).encode(),
}


def _page(of_size: Callable[[int], str]) -> Callable[[int], bytes]:
    return lambda n: (
        "<html><head><meta property=og:type content=article><title>a</title></head>"
        f"<body>{of_size(n)}<article><p>Head</p></article></body></html>"
    ).encode()


def _script(of_size: Callable[[int], str]) -> Callable[[int], bytes]:
    return _page(
        lambda n: f"<script type=application/ld+json>{of_size(n)}</script>",
    )


def _iptc(of_size: Callable[[int], str]) -> Callable[[int], bytes]:
    return lambda n: (
        f"\x01nwa0124 3 i 93  nwt 1888\n\nFerries/\n\x02{of_size(n)}\nIt sails.\n"
        "\x03212101 GMT Nov 18\n"
    ).encode()


def _anpa(of_size: Callable[[int], str]) -> Callable[[int], bytes]:
    return lambda n: (
        f"\x01a0123\x1fabc-\nr i BC-Ferry 03-04 0093\n\x02^BC-Ferry,93<\n{of_size(n)}"
        "It sails.\n\x03AP-WF-03-04-24 0630GMT\n"
    ).encode()


def _graph(of_size: Callable[[int], list[Any]]) -> Callable[[int], bytes]:
    return lambda n: json.dumps(
        {"@context": "https://schema.org", "@graph": of_size(n)}
    ).encode()


def _story(**values: Any) -> dict[str, Any]:
    return {"@type": "NewsArticle", "@id": "urn:a:1", "headline": "Head", **values}


def _properties(n: int) -> dict[str, Any]:
    return {f"p{number}": "value" for number in range(n)}


def _feed(of_size: Callable[[int], dict[str, Any]]) -> Callable[[int], bytes]:
    return lambda n: json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "items": [{"id": str(k), "title": "Head"} for k in range(n // 5)],
            **of_size(n),
        }
    ).encode()


_PAGES: dict[str, Callable[[int], bytes]] = {
    "HTML page: blanks in JSON-LD": _script(lambda n: '{"a":' + " " * n + "x"),
    "HTML page: semicolons in JSON-LD": _script(lambda n: "{" + ";" * n + "x"),
    "HTML page: semicolons after JSON-LD": _script(lambda n: "{}" + "; " * n + "x"),
    "HTML page: comments before JSON-LD": _script(lambda n: "<!--/* " * n + "{}"),
    "HTML page: escapes in an open string": _script(lambda n: '{"a":1,}"' + '\\"' * n),
    "HTML page: commas and blanks": _script(lambda n: '{"a":1' + ", " * n + "x"),
    "HTML page: a comma before blanks": _script(lambda n: '{"a":1,' + " " * n + "x"),
    "HTML page: blanks before a charset": lambda n: (
        b"<meta " * 40 + b"charset=" + b" " * n + b"><p>a"
    ),
    "HTML page: ideographic blanks in a title": lambda n: (
        "<title>a" + "\u3000" * n + "b</title><meta property=og:site_name content=c>"
        "<meta property=og:type content=article><article><p>Head"
    ).encode(),
    "HTML page: properties of a text": lambda n: (
        "<div itemscope itemtype=https://schema.org/NewsArticle><p itemprop='"
        + " ".join(f"p{number}" for number in range(n // 10))
        + "'>"
        + "word " * n
    ).encode(),
}

_WIRES: dict[str, Callable[[int], bytes]] = {
    "wire: blank lines": _iptc(lambda n: "\n" * n),
    "wire: a head of many lines": _iptc(lambda n: "a\n" * n),
    "wire: embargoes": _iptc(lambda n: "Embargo\n" * n),
    "wire: blanks in a head": _iptc(lambda n: "a" + " " * n + "b\n"),
    "wire: starts": lambda n: b"\x01" * n,
    "wire: a long summary": _anpa(lambda n: "^a<\n" * n),
    "wire: a long byline": _anpa(lambda n: "^By Ann Other=<\n" + "^a=<\n" * n),
}

_GRAPHS: dict[str, Callable[[int], bytes]] = {
    "JSON-LD: references to a large node": _graph(
        lambda n: [
            _story(author=[{"@id": "#n"}] * n),
            {"@type": "Person", "@id": "#n", "name": "Ann", **_properties(n)},
        ]
    ),
    "JSON-LD: articles that share a large node": _graph(
        lambda n: [
            *(
                _story(**{"@id": f"urn:a:{k}", "publisher": {"@id": "#n"}})
                for k in range(n // 5)
            ),
            {"@type": "Organization", "@id": "#n", "name": "Post", **_properties(n)},
        ]
    ),
    "JSON-LD: types of a node": _graph(
        lambda n: [
            _story(author=[{"@id": "#n"}] * n),
            {"@type": ["Person"] * n, "@id": "#n", "name": "Ann"},
        ]
    ),
}

_FEEDS: dict[str, Callable[[int], bytes]] = {
    "JSON Feed: authors": _feed(
        lambda n: {"authors": [{"name": f"n{k}"} for k in range(n)]}
    ),
    "JSON Feed: a title": _feed(lambda n: {"title": "word " * n}),
    "JSON Feed: a title that is an object": _feed(
        lambda n: {"title": {"name": "word", **_properties(n)}}
    ),
}


def _blocks(depth: int) -> Any:
    block: Any = [{"type": "p", "text": "a"}]
    for _ in range(depth // 3):
        block = [{"type": "div", "children": block}]
    return block


def _told_twice(depth: int, length: int) -> Any:
    """Blocks that repeat the text of those inside them."""
    block: dict[str, Any] = {"type": "p", "text": "ab " * length}
    for _ in range(depth):
        block = {"type": "p", "text": "a", "blocks": [block]}
    return [block]


def _lists(depth: int) -> Any:
    value: Any = "a"
    for _ in range(depth):
        value = [value]
    return value


SHAPES = [
    *(Shape(name, "text", of_size) for name, of_size in _TEXTS.items()),
    *(Shape(name, "jsonl", of_size) for name, of_size in _RECORDS.items()),
    *(Shape(name, "ninjs", of_size) for name, of_size in _ITEMS.items()),
    *(Shape(name, "html", of_size) for name, of_size in _PAGES.items()),
    *(Shape(name, "wire", of_size) for name, of_size in _WIRES.items()),
    *(Shape(name, "jsonld", of_size) for name, of_size in _GRAPHS.items()),
    *(Shape(name, "jsonfeed", of_size) for name, of_size in _FEEDS.items()),
    Shape(
        "CSV: a long name of a column",
        "csv",
        lambda n: ("id,headline," + "k" * n + "\n" + "1,a,b\n" * (n // 5)).encode(),
    ),
    *(
        Shape(f"lines in {charset}", "text", of_size, charset)
        for charset, of_size in {
            "utf-16": lambda n: ("Head\n\n" + "ab\n" * n).encode("utf-16"),
            "shift_jis": lambda n: ("見出し\n\n" + "本文\n" * n).encode("shift_jis"),
            "utf-7": lambda n: b"Head\n\n" + b"+AGE-" * n,
            "iso-2022-jp": lambda n: ("見出し\n\n" + "本文\n" * n).encode(
                "iso-2022-jp"
            ),
            "windows-1252": lambda n: b"Head\n\n" + b"\x81" * n,
        }.items()
    ),
]
