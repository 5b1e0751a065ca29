"""README.md and docs/ against the code: examples are run, tables are compared.

tests/cli/test_documentation.py checks docs/cli.md and docs/settings.md,
tests/formats/test_formats.py checks docs/formats.md.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import runpy
import shlex
import threading
from collections.abc import Iterator
from configparser import ConfigParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from checkout import ROOT
from described import resolved
from flask.testing import FlaskClient
from marshmallow import Schema
from marshmallow import fields as kinds
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from index import errors
from index.access import Scope
from index.archive import Archive
from index.article import ARTICLE_FIELDS, FIELDS, FILTERABLE, PLACES
from index.cli.parser import build_parser
from index.engines import MAX_BUCKETS
from index.errors import InvalidQuery, InvalidValue, NutgrafError, UnknownField
from index.jobs import Indexer, load
from index.query import SHORT_FIELDS, grammar, lexer, operands
from index.query.request import MAX_FACETS
from index.settings import Settings
from service import create_app, exchange, problems, refusals
from service.api import (
    article_schemas,
    assets,
    changes,
    differences,
    health,
    search_schemas,
    superdesk,
    withdrawal_schemas,
)
from service.codes import PROBLEM_TYPES
from service.exchange import schemas
from service.exchange.parameters import MAX_WHOLE
from service.pages import query_language
from service.pages.remedies import REMEDIES

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "seeds/README.md"])
SETTINGS = Settings()
# What the OpenAPI document names in a sentence only.
UNDESCRIBED = {("GET", "/v1/search.FORMAT"), ("GET", "/opensearch.xml")}
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def page_id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language in a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def cells(line: str) -> list[str]:
    """The cells of a row of a table."""
    inside = line.removeprefix("|").removesuffix("|")
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", inside)]


def code_in(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def table(name: str, marker: str) -> list[list[str]]:
    """The rows of the first table behind a marker, without its head."""
    behind = text_of(name).split(marker, 1)[1]
    first_table = re.search(r"^\|.*\n\|[ -|]+\n((?:\|.*\n)*)", behind, re.MULTILINE)
    assert first_table is not None, f"no table behind {marker} in {name}"
    return [cells(line) for line in first_table[1].splitlines()]


# Links and snippets


def heading_ids(text: str) -> set[str]:
    """The fragments that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if "://" in link:
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if fragment:
            assert fragment in heading_ids(target.read_text("utf-8")), link


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_snippet_can_be_read(page: Path) -> None:
    text = page.read_text("utf-8")
    for snippet in blocks(text, "json"):
        for line in snippet.splitlines() if "\n{" in snippet else [snippet]:
            json.loads(line)
    for snippet in blocks(text, "python"):
        ast.parse(snippet)


def commands(text: str) -> list[list[str]]:
    """The shell commands that a page shows behind a ``$``, as arguments."""
    all_commands = []
    for block in blocks(text, "console"):
        lines = re.sub(r"\\\n\s*", " ", block).splitlines()
        all_commands += [
            shlex.split(line.removeprefix("$ ")) for line in lines if line[:2] == "$ "
        ]
    return all_commands


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_nutgraf_command_is_one(page: Path) -> None:
    for program, *arguments in commands(page.read_text("utf-8")):
        if program == "nutgraf":
            ends = [n for n, each in enumerate(arguments) if each in ("|", ">")]
            build_parser().parse_args(arguments[: min(ends, default=None)])


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_make_target_is_one(page: Path) -> None:
    named = re.findall(r"(?:^|`)make ([a-z]+)\b", page.read_text("utf-8"), re.MULTILINE)
    assert set(named) <= set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.M))


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_no_page_names_a_setting_that_is_none(page: Path) -> None:
    known = set(SETTINGS.shown())
    assert set(re.findall(r"NUTGRAF_[A-Z_]+", page.read_text("utf-8"))) <= known | {
        "NUTGRAF_",
        "NUTGRAF_BENCH_OPENSEARCH",  # of the benchmark, which is no part of Nutgraf
    }


# Answers, laid out and shortened: … stands for members, items or characters left out


class Member(NamedTuple):
    """A name and value of an object."""

    name: str
    value: Any


GAP = object()  # what … stands for
_TOKEN = re.compile(
    r'[\s,]*("(?:[^"\\]|\\.)*"|[][{}:…]|true|false|null|-?\d[\d.eE+-]*)[\s,]*'
)


def read_shortened(text: str) -> Any:
    """A shortened JSON text, parsed; an object is a tuple of members and gaps."""
    tokens = iter(_TOKEN.findall(text))
    assert not _TOKEN.sub("", text), "this is no JSON, not even a shortened one"
    value = _value(next(tokens), tokens)
    assert next(tokens, None) is None, "more than one value"
    return value


def _value(token: str, rest: Iterator[str]) -> Any:
    if token == "…":
        return GAP
    if token == "[":
        return [_value(each, rest) for each in iter(lambda: next(rest), "]")]
    if token == "{":
        return tuple(_member(each, rest) for each in iter(lambda: next(rest), "}"))
    return json.loads(token)


def _member(token: str, rest: Iterator[str]) -> Any:
    if token == "…":
        return GAP
    assert next(rest) == ":"
    return Member(json.loads(token), _value(next(rest), rest))


def fits(shown: Any, real: Any) -> bool:
    """Whether a shortened answer is true: what it shows is real and in order."""
    if shown is GAP:
        return True
    if isinstance(shown, Member):
        return shown.name == real[0] and fits(shown.value, real[1])
    if isinstance(shown, tuple):
        return isinstance(real, dict) and all_fit(shown, tuple(real.items()))
    if isinstance(shown, list):
        return isinstance(real, list) and all_fit(tuple(shown), tuple(real))
    if isinstance(shown, str) and "…" in shown:
        pattern = ".*".join(map(re.escape, shown.split("…")))
        return isinstance(real, str) and bool(re.fullmatch(pattern, real, re.DOTALL))
    return type(shown) is type(real) and bool(shown == real)


def all_fit(shown: tuple[Any, ...], real: tuple[Any, ...]) -> bool:
    if not shown:
        return not real
    if shown[0] is GAP:
        return any(all_fit(shown[1:], real[n:]) for n in range(len(real) + 1))
    return bool(real) and fits(shown[0], real[0]) and all_fit(shown[1:], real[1:])


@pytest.mark.parametrize(
    ("shown", "real", "right"),
    [
        ('{"a": 1}', {"a": 1}, True),
        ('{"a": 1}', {"a": 1, "b": 2}, False),
        ('{"a": 1, …}', {"a": 1, "b": 2}, True),
        ('{"b": 2, … "a": 1}', {"a": 1, "b": 2}, False),
        ('{… "b": 2}', {"a": 1, "b": 2}, True),
        ('{"a": …}', {"a": [1]}, True),
        ("[1, …, 3]", [1, 2, 2, 3], True),
        ("[1, 3]", [1, 2, 3], False),
        ('"to … be"', "to be or to be", True),
        ('"to … be"', "not to be", False),
        ("true", 1, False),
        ("null", None, True),
    ],
)
def test_a_shortened_answer_is_compared_strictly(
    shown: str, real: Any, right: bool
) -> None:
    assert fits(read_shortened(shown), real) is right


# Curl lines


class Call(NamedTuple):
    """A curl line as a page shows it, and the answer below it."""

    method: str
    address: str
    headers: dict[str, str]
    body: str | None
    answer: str


def calls(text: str) -> list[Call]:
    all_calls = []
    for block in blocks(text, "console"):
        line, _, answer = re.sub(r"\\\n\s*", " ", block).partition("\n")
        program, *arguments = shlex.split(line.removeprefix("$ "))
        if program == "curl":
            all_calls.append(call(arguments, answer))
    return all_calls


def call(arguments: list[str], answer: str) -> Call:
    method, address, headers, body = "GET", "", {}, None
    rest = iter(arguments)
    for each in rest:
        if each == "-X":
            method = next(rest)
        elif each == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif each == "-d":
            body = next(rest)
        else:
            address = each
    return Call(method, address, headers, body, answer)


@pytest.fixture
def seeded(tmp_path: Path) -> Iterator[FlaskClient]:
    """A service with the articles of seeds/ and an indexer, as make run starts it."""
    settings = Settings(store=f"sqlite:///{tmp_path / 'nutgraf.db'}", engine="memory:")
    archive = Archive.open(settings)
    load([str(ROOT / "seeds")], archive.store, article_bytes=settings.article_bytes)
    indexer = Indexer(archive.store, archive.engine)
    indexer.catch_up()
    stop = threading.Event()
    running = threading.Thread(target=indexer.run, args=(stop,))
    running.start()
    yield create_app(settings, archive).test_client()
    stop.set()
    running.join()
    archive.close()


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/api.md"])
def test_every_curl_line_is_answered_as_shown(page: str, seeded: FlaskClient) -> None:
    shown = calls(text_of(page))
    assert shown
    for each in shown:
        parts = urlsplit(each.address)
        assert f"{parts.scheme}://{parts.netloc}" == f"http://{SETTINGS.bind}"
        answer = seeded.open(
            f"{parts.path}?{parts.query}",
            method=each.method,
            headers=each.headers,
            data=each.body,
        )
        real = json.loads(answer.data)
        assert fits(read_shortened(each.answer), real), (
            f"{each.address} says: {json.dumps(real, ensure_ascii=False, indent=1)}"
        )


def test_the_readme_says_how_many_samples_there_are(seeded: FlaskClient) -> None:
    (said,) = re.findall(r"the (\d+) articles of seeds/", text_of("README.md"))
    assert seeded.get("/v1/search?limit=0").json["total"]["articles"] == int(said)


def test_scope_narrows_as_the_readme_says(seeded: FlaskClient) -> None:
    wide = seeded.get("/v1/search?q=kerry+moscow").json
    assert "Without `scope=paragraph` three articles" in text_of("README.md")
    assert wide["total"]["articles"] == 3


# docs/query.md


def query_examples() -> list[str]:
    page = text_of("docs/query.md")
    rows = [
        cells(line)
        for part in page.split("| you write | it finds |")[1:]
        for line in part.strip().split("\n\n")[0].splitlines()[1:]
    ]
    return [example for row in rows for example in code_in(row[0])]


@pytest.mark.parametrize("example", query_examples())
def test_an_example_of_the_query_language_is_taken_as_typed(example: str) -> None:
    parsed = grammar.parse(example, settings=SETTINGS, tz=UTC, now=NOW, strict=True)
    assert not parsed.warnings
    again = grammar.parse(parsed.understood, settings=SETTINGS, tz=UTC, now=NOW)
    assert again.query == parsed.query


def without_links(text: str) -> str:
    return re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text)


@pytest.mark.parametrize(
    ("marker", "rows"),
    [
        ("## Words", query_language.WORDS),
        ("Date and number fields", query_language.IN_FIELDS),
    ],
)
def test_the_reference_shows_the_query_language_as_the_page_does(
    marker: str, rows: tuple[tuple[tuple[str, ...], str], ...]
) -> None:
    assert [
        (tuple(code_in(written)), without_links(finds))
        for written, finds in table("docs/query.md", marker)
    ] == list(rows)


def test_the_fields_of_the_query_language_are_the_fields() -> None:
    def also(each: Any) -> str:
        roles = {"filter": each.filterable, "facet": each.facetable}
        return ", ".join(name for name, has in roles.items() if has)

    assert table("docs/query.md", "<!-- fields -->") == [
        [f"`{each.name}`", each.kind.value, each.about, also(each)] for each in FIELDS
    ]


def test_the_places_of_the_query_language_are_the_places() -> None:
    (said,) = re.findall(r"`in=` (.*?)\.\n\n", text_of("docs/query.md"), re.DOTALL)
    assert code_in(said) == list(PLACES)
    beyond = re.findall(r"\(also (.*?)\)", said, re.DOTALL)[0]
    assert re.findall(r"\w+", beyond.replace(" and", "")) == list(
        PLACES["all"][len(PLACES["text"]) :]
    )


def named_calls(folder: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield each call in a package's code, with the last name of what it calls."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                yield name, node


@pytest.mark.slow
def test_the_warnings_of_the_query_language_are_all_there() -> None:
    strict = {"syntax": "error", "note": "note"}
    expected = {
        node.args[0].value: strict[name]
        for name, node in named_calls("index")
        if name in strict and node.args and isinstance(node.args[0], ast.Constant)
    }
    expected["unknown_field"] = "error, as `unknown_field`"
    rows = table("docs/query.md", "## Warnings")
    assert {code_in(row[0])[0]: row[2] for row in rows} == expected
    assert len(rows) == len(expected)


def test_the_limits_of_the_query_language_are_all_there() -> None:
    modules = ("grammar", "lexer", "operands", "ranges", "remarks")
    expected = set()
    for module in modules:
        for node in ast.walk(ast.parse(text_of(f"index/query/{module}.py"))):
            if isinstance(node, ast.Call):
                kind = getattr(node.func, "id", "")
                codes = [each.value for each in node.keywords if each.arg == "code"]
                if kind == "InvalidQuery" and codes:
                    expected.add(ast.literal_eval(codes[0]))
                elif kind == "InvalidValue":
                    expected.add(InvalidValue.code)
    said = {code_in(row[0])[0]: row[1] for row in table("docs/query.md", "## Limits")}
    assert set(said) == expected
    for code, numbers in {
        "query_too_long": [SETTINGS.query_characters],
        "query_too_many_clauses": [SETTINGS.query_clauses],
        "query_too_deep": [SETTINGS.query_depth, grammar.DEEPEST],
        "wildcard_too_broad": [SETTINGS.wildcard_letters, SETTINGS.expansions],
        "invalid_value": [operands.FARTHEST],
    }.items():
        text = re.sub(r"`[^`]*`", "", said[code])
        assert re.findall(r"\d[\d,]*", text) == [f"{each:,}" for each in numbers], code
    low, high = lexer.BOOSTS
    assert f"from {low:g} to {high:,.0f}" in text_of("docs/query.md")


WARNED = {
    "unbalanced_quote": ['"moon landing', 'moon landing"'],
    "unbalanced_bracket": ["(moon", "moon)"],
    "dangling_operator": ["AND moon", "moon OR", "moon NOT"],
    "double_negation": ["NOT NOT moon"],
    "empty_group": ["moon ()"],
    "bad_boost": ["moon^", "moon^0", "moon^2000"],
    "bad_suffix": ['"moon landing"~', '="moon landing"~2', "moon^x"],
    "bad_wildcard": ["truce.*"],
    "bad_range": ["urgency:[1 TO", "urgency:[1]"],
    "field_without_value": ["people:", "people: kerry"],
    "misplaced_dash": ["headline:-moon"],
    "unknown_field": ["headlin:moon", "washington:talks"],
    "no_words": ["!!!"],
    "nothing_searchable": ["moon !!!", "moon -"],
    "question_mark": ["moon?"],
    "wildcard_in_phrase": ['"moon land*"'],
    "wildcard_not_needed": ["北京*"],
    "lower_case_operator": ["moon or mars", "moon and mars", "not moon"],
    "signs_left_out": ["C++", "50%", "$5"],
}


@pytest.mark.parametrize(
    "row", table("docs/query.md", "## Warnings"), ids=lambda row: row[0].strip("`")
)
def test_a_warning_comes_as_described(row: list[str]) -> None:
    code, _, strict = row
    for text in WARNED[code.strip("`")]:
        parsed = grammar.parse(text, settings=SETTINGS, tz=UTC, now=NOW)
        assert code.strip("`") in [each.code for each in parsed.warnings], text
        if strict == "note":
            grammar.parse(text, settings=SETTINGS, tz=UTC, now=NOW, strict=True)
        else:
            with pytest.raises((InvalidQuery, UnknownField)) as caught:
                grammar.parse(text, settings=SETTINGS, tz=UTC, now=NOW, strict=True)
            assert caught.value.code == (code_in(strict) or ["query_syntax"])[0]


# docs/architecture.md


# What make docs runs.
ROOMS = runpy.run_path(str(ROOT / "docs" / "rooms.py"))


def rooms() -> set[str]:
    """Every room, as the architecture's headings name it."""
    packages = {
        path.parent.relative_to(ROOT).as_posix()
        for package in ("service", "benchmarks")
        for path in (ROOT / package).rglob("__init__.py")
    }
    library = {
        path.stem
        for path in (ROOT / "index").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    return (
        packages
        | library - {"__init__", "__main__"}
        | {"engines/opensearch", "engines/whoosh"}
    )


def test_the_architecture_has_a_heading_for_every_room() -> None:
    headings = re.findall(r"^### (.+)$", text_of("docs/architecture.md"), re.M)
    assert len(headings) == len(set(headings))
    assert set(headings) == rooms()


def test_each_heading_of_the_architecture_opens_with_a_question() -> None:
    page = text_of("docs/architecture.md")
    for heading, opening in re.findall(r"^### (.+)\n\n(.+)$", page, re.M):
        assert "?" in opening, heading


@pytest.mark.slow
def test_the_architecture_lists_every_module_with_its_own_words() -> None:
    page = text_of("docs/architecture.md")
    blocks = {folder: text for _, folder, text, _ in ROOMS["BLOCK"].findall(page)}
    with_modules = {
        str(path.parent.relative_to(ROOT))
        for package in ("index", "service", "benchmarks")
        for path in (ROOT / package).rglob("*.py")
        if path.name != "__init__.py"
    } - {"index"}
    assert blocks.keys() == with_modules
    for folder, text in blocks.items():
        assert text == ROOMS["block_of"](folder), "run make docs"


def test_every_library_that_is_required_has_a_reason_and_the_other_way_round() -> None:
    config = ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg", "utf-8")
    required = [
        canonicalize_name(Requirement(line).name)
        for line in config["options"]["install_requires"].split("\n")
        if line
    ]
    chosen = [
        canonicalize_name(name)
        for row in table("docs/architecture.md", "## Choices, with reasons")
        for name in row[0].split(", ")
    ]
    assert sorted(chosen) == sorted(required)


# docs/api.md


def people_pages() -> dict[tuple[str, str], Scope | None]:
    """Scope of each page for people, by method and path as the docs write it."""
    app = create_app(SETTINGS)
    scopes = exchange.scopes_of(app)
    return {
        (method, re.sub("<.*?>", "ID", path)): scopes[rule.endpoint]
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("pages.")
        for path in (rule.rule.replace("<field>", "FIELD"),)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The OpenAPI document, its paths as docs/api.md writes them."""
    store = tmp_path_factory.mktemp("described") / "nutgraf.db"
    app = create_app(Settings(store=f"sqlite:///{store}", engine="memory:"))
    document = resolved(app.test_client().get("/openapi.json").json)
    short = {"{article_id}": "ID", "{n}": "N", "{field}": "FIELD", "{format}": "FORMAT"}
    short["{media_id}"] = "ID"
    paths = {}
    for path, item in document["paths"].items():
        for long, name in short.items():
            path = path.replace(long, name)
        paths[path] = {
            method: operation
            for method, operation in item.items()
            if method in ("get", "post", "put", "delete")
        }
    return {**document, "paths": paths}


def test_every_route_is_in_the_page_and_the_other_way_round(
    described: dict[str, Any],
) -> None:
    said = set()
    for row in table("docs/api.md", "Each call needs a key"):
        words = code_in(row[0])
        paths = [word for word in words if word.startswith("/")]
        methods = [word for word in words if word not in paths]
        said |= {(method, path) for method in methods for path in paths}
    assert (
        said
        == {
            (method.upper(), path)
            for path, item in described["paths"].items()
            for method in item
        }
        | {("GET", "/openapi.json"), *UNDESCRIBED}
        | people_pages().keys()
    )


def test_the_page_about_keys_says_what_each_scope_opens(
    described: dict[str, Any],
) -> None:
    said = {
        code_in(scope)[0] if code_in(scope) else scope: set(code_in(opens))
        for scope, opens in table("docs/keys.md", "## Scopes")
    }
    assert list(said) == [*Scope, "none"]
    assert said.pop("read-embargoed") == {"search"}
    # Of these only the feeds; tests/service/test_feeds.py has more.
    assert said.pop("feed") == {"GET /v1/search", "GET /v1/search.FORMAT"}
    expected: dict[str, set[str]] = {name: set() for name in said}
    for path, item in described["paths"].items():
        for method, operation in item.items():
            (scope,) = (operation["security"] or [{"": ["none"]}])[0].values()
            expected[scope[0]].add(f"{method.upper()} {path}")
    for (method, path), scope in people_pages().items():
        expected[scope or "none"].add(f"{method} {path}")
    expected["none"] |= {"GET /openapi.json", "GET /opensearch.xml"}
    expected["search"].add("GET /v1/search.FORMAT")
    said["admin"].remove("GET /readyz")  # open, but for its numbers
    assert said == expected


def values_of(schema: dict[str, Any]) -> str:
    """The values of a parameter, as the page describes them."""
    if schema["type"] == "array":
        return "list" if "enum" in schema["items"] else "repeatable"
    if "enum" in schema:
        return " ".join(f"`{each}`" for each in schema["enum"])
    if word := re.match(r"\^\((\w+)\|\[0-9\]", schema.get("pattern", "")):
        return f"from 0, or `{word[1]}`"
    if schema["type"] == "integer":
        low, high = schema["minimum"], schema["maximum"]
        return f"from {low}" if high == MAX_WHOLE else f"{low} to {high}"
    return {"boolean": "`1` `0`", "string": "text"}[schema["type"]]


def default_of(parameter: dict[str, Any]) -> str:
    if parameter.get("required"):
        return "required"
    default = parameter["schema"].get("default")
    if default is None:
        return ""
    return f"`{int(default)}`" if isinstance(default, bool) else f"`{default}`"


def parameters(operation: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """The values and default of each parameter; filters stand as FIELD."""
    by_name = {}
    for each in operation.get("parameters", ()):
        if each["in"] == "header":  # told in a page of its own
            continue
        prefix, dot, name = each["name"].rpartition(".")
        shown = f"{prefix}{dot}FIELD" if name in FILTERABLE else each["name"]
        by_name[shown] = values_of(each["schema"]), default_of(each)
    return by_name


def documented_operations() -> list[str]:
    return re.findall(r"<!-- ([A-Z]+ /\S+) -->", text_of("docs/api.md"))


@pytest.mark.parametrize("operation", documented_operations())
def test_every_parameter_is_in_the_page(
    described: dict[str, Any], operation: str
) -> None:
    method, path = operation.split()
    declared = parameters(described["paths"][path][method.lower()])
    said = []
    for names, values, default, about in table("docs/api.md", f"<!-- {operation} -->"):
        assert about
        said += code_in(names)
        if len(code_in(names)) == 1:
            assert (values, default) == declared[code_in(names)[0]], names
    assert sorted(said) == sorted(declared)


def test_every_operation_with_parameters_has_its_table(
    described: dict[str, Any],
) -> None:
    paths = described["paths"]
    known = {}
    for operation in documented_operations():
        method, path = operation.split()
        known[path, method.lower()] = parameters(paths[path][method.lower()])
    for path, item in paths.items():
        for method, operation in item.items():
            declared = parameters(operation)
            by_id = path.split("/")[1:3] == ["v1", "article"]
            if by_id and declared:
                assert declared.pop("id") == ("text", "required")
                with_id_in_path = path.replace("/v1/article", "/v1/articles/ID")
                assert declared == known[with_id_in_path, method]
            elif declared:
                assert (path, method) in known


def test_numbers_in_the_page_are_those_of_the_code() -> None:
    page = text_of("docs/api.md")
    for variable, value in SETTINGS.shown().items():
        for said in re.findall(rf"`{variable}` \(([\d,]+)\)", page):
            assert said == f"{value:,.0f}", variable
    assert f"or auto; {MAX_FACETS} at most" in page
    assert f"more than {MAX_BUCKETS:,} in a date facet" in page
    (short,) = re.findall(r"The short set is (.*?)\. ", page)
    assert re.findall(r"\w+", short.replace(" and", "")) == list(SHORT_FIELDS)


SCHEMA_MODULES = (
    schemas,
    article_schemas,
    search_schemas,
    withdrawal_schemas,
    changes,
    differences,
    superdesk,
    assets,
    health,
)


def documented_schemas() -> list[str]:
    return re.findall(r"<!-- ([A-Z][A-Za-z]+) -->", text_of("docs/api.md"))


def keys_of(schema: type[Schema], apart: set[str]) -> set[str]:
    """The keys of an answer; nested ones are joined by a dot.

    :param apart: schemas with a table of their own, whose keys are not repeated.
    """
    keys = set()
    for name, field in schema().fields.items():
        inner, dot = (
            (field.inner, "[].") if isinstance(field, kinds.List) else (field, ".")
        )
        if isinstance(inner, kinds.Nested) and type(inner.schema).__name__ not in apart:
            keys |= {name + dot + key for key in keys_of(type(inner.schema), apart)}
        else:
            keys.add(name)
    return keys


# Keys told in a sentence of another row, or elsewhere: the fields of an article.
IN_PROSE = {
    *("QueryWarning", "WordCount", "ScorePart", "Passage", "ArticleSummary"),
    "ChangedArticle",
}
OWN_FIELDS = set(ARTICLE_FIELDS)
FIELDS_LEFT_OUT = {"ArticleHit": OWN_FIELDS, "ArticleAnswer": OWN_FIELDS}


@pytest.mark.parametrize("name", documented_schemas())
def test_every_key_of_an_answer_is_in_the_page(name: str) -> None:
    apart = {*documented_schemas(), *IN_PROSE} - {
        "Facet" if name == "FacetAnswer" else ""
    }
    schema = next(vars(home)[name] for home in SCHEMA_MODULES if name in vars(home))
    declared = keys_of(schema, apart)
    said = [
        key
        for row in table("docs/api.md", f"<!-- {name} -->")
        for key in code_in(row[0])
    ]
    hidden = FIELDS_LEFT_OUT.get(name, set()) - {"paragraphs"}
    assert sorted(said) == sorted(declared - hidden)


def test_every_schema_of_an_answer_has_its_table(described: dict[str, Any]) -> None:
    answers = {
        reference.rpartition("/")[2]
        for item in described["paths"].values()
        for operation in item.values()
        for status, answer in operation["responses"].items()
        for reference in re.findall(r"#/components/schemas/\w+", json.dumps(answer))
    }
    assert answers - {"Health"} <= set(documented_schemas())


def statuses_of_codes() -> dict[str, set[int]]:
    """The statuses of each code, from the classes of errors."""
    classes: dict[str, type[NutgrafError]] = {
        name: kind
        for module in (errors, refusals)
        for name, kind in vars(module).items()
        if inspect.isclass(kind) and issubclass(kind, NutgrafError)
    }
    statuses: dict[str, set[int]] = {code: set() for code in PROBLEM_TYPES}

    def add(code: str, kind: type[NutgrafError]) -> None:
        error = kind.__new__(kind)
        error.code = code
        statuses[code].add(problems.status_of(error))

    for kind in classes.values():
        add(kind.code, kind)
    # What a parameter is refused for becomes an InvalidValue with that code.
    raised = {**classes, "Refused": InvalidValue}
    for folder in ("index", "service"):
        for name, node in named_calls(folder):
            for each in node.keywords if name in raised else ():
                if each.arg == "code" and isinstance(each.value, ast.Constant):
                    add(str(each.value.value), raised[name])
    for status, code in problems._CODE_OF_STATUS.items():
        statuses[code].add(status)
    return statuses


def statuses_of_rows() -> dict[str, set[int]]:
    """The statuses of each code in the table of problem types."""
    return {
        row.code: {row.status, *row.otherwise.values()}
        for row in PROBLEM_TYPES.values()
    }


def test_the_page_lists_the_codes_of_problems_with_their_statuses() -> None:
    rows = table("docs/api.md", "Faults in parameters are 400")
    said = [
        (code_in(code)[0], set(map(int, re.findall(r"\b\d{3}\b", status))))
        for code, status, _ in rows
    ]
    assert said == list(statuses_of_rows().items())
    assert all(sentence for *_, sentence in rows)


def test_the_reference_says_of_each_code_what_the_page_says() -> None:
    rows = table("docs/api.md", "Faults in parameters are 400")
    said = {code_in(code)[0]: without_links(about) for code, _, about in rows}
    assert said == REMEDIES


@pytest.mark.slow
def test_every_code_of_a_problem_is_one_that_something_raises() -> None:
    raised = statuses_of_codes()
    # Any status of HTTP that has no code of its own.
    assert raised.pop("bad_request") == set()
    expected = statuses_of_rows()
    del expected["bad_request"]
    assert raised == expected


def test_the_page_says_which_statuses_carry_retry_after() -> None:
    (said,) = re.findall(
        r"with\s+([\d, and]+)\s+have `Retry-After`", text_of("docs/api.md")
    )
    statuses = {row.status for row in PROBLEM_TYPES.values() if row.retry_after}
    # How long a key has to wait is in each error.
    statuses.add(PROBLEM_TYPES[refusals.RateLimited.code].status)
    assert set(map(int, re.findall(r"\d+", said))) == statuses
