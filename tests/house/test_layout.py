"""The layout: rooms with an order, doors between them, and who may import whom.

``docs/architecture.md`` says what each room is for. A room is a package, or a module
beside packages; the door of a package is its ``__init__``.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from checkout import ROOT

# Each process reads all of the code for them.
pytestmark = pytest.mark.slow


def names(text: str) -> set[str]:
    return set(text.split())


TOP = names("""
    service index tests seeds benchmarks deploy docs wsgi.py setup.cfg pyproject.toml
    ruff.toml Makefile Procfile gunicorn.conf.py README.md CHANGELOG.md CONTRIBUTING.md
    LICENSE .ci .gitignore
""")
PACKAGES = ("index", "service", "benchmarks")

# The rooms of each package, lowest first. A room imports from itself and from the lines
# above its own; rooms on one line do not import each other. Imports for types count.
ORDER = {
    "index": """
        errors
        dates folders deadline memo
        text
        article
        settings
        query
        access
        history parsing
        formats engines store
        archive
        jobs rendering
        cli
        __main__
    """,
    "index.engines.whoosh": """
        files
        searching stock
        codec
        storage
        writing
        engine
    """,
    "index.engines.opensearch": """
        address mapping tokens
        cluster documents
        searching
        commits
        words
        rebuilding snapshot writing
        engine
    """,
    "service": """
        hosts codes connections log_writer memory metrics
        logs
        refusals
        context
        exchange cookies
        authority problems
        admission worker upkeep
        api
        pages
        app
    """,
    "benchmarks": """
        documents machine index_parts
        data
        measuring peers
        workplace ranking endurance
        web
        session
        lines
        report
        bench
        scale
        __main__
    """,
}
# What of the library the service may name: never an engine, nor the store itself.
PUBLIC = names("""
    errors dates memo article settings query access history parsing formats archive
    rendering
""")

# Foreign libraries that only these modules, and those inside them, may import.
DOORS = {
    "whoosh": {"index.engines.whoosh"},
    "opensearchpy": {"index.engines.opensearch.cluster"},
    "urllib3": {"index.engines.opensearch.cluster"},
    "sqlalchemy": {"index.store"},
    "sqlite3": {"index.store.sqlite"},
    "psycopg": {"index.store.postgresql"},
    # xml_writing writes only.
    "xml": {"index.parsing.xml", "index.formats.xml_writing"},
    "defusedxml": {"index.parsing.xml"},
    "feedparser": {"index.parsing.xml"},
    "lxml": {"index.parsing.xml", "index.parsing.markup", "index.parsing.web_page"}
    | {"index.formats.html.extraction"},
    "flask": {"service"},
    "flask_smorest": {"service"},
    "marshmallow": {"service"},
    "jinja2": {"service.pages"},
    "werkzeug": {"service"},
    "prometheus_client": {"service", "gunicorn.conf"},
    "rich": {"index.cli.terminal", "index.cli.showing"},
    "gunicorn": {"service.exchange.bodies", "service.worker", "gunicorn.conf"},
}


@cache
def tracked() -> tuple[Path, ...]:
    """The files that git tracks, relative to the root."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    paths = (Path(name) for name in listing.stdout.split("\0") if name)
    return tuple(path for path in paths if (ROOT / path).is_file())


@cache
def modules() -> dict[str, Path]:
    """The path of each module of ours, by name."""
    paths = [*ROOT.glob("*.py")]
    for package in PACKAGES:
        paths += (ROOT / package).rglob("*.py")
    return {module_name(path): path for path in sorted(paths)}


def installed() -> list[str]:
    """The modules that are part of Nutgraf, by name: all but the benchmarks."""
    return [name for name in modules() if not is_inside(name, {"benchmarks"})]


@cache
def packages() -> list[str]:
    """The packages below the top ones, by name."""
    return [
        name
        for name, path in modules().items()
        if path.name == "__init__.py" and "." in name
    ]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(
        ".__init__"
    )


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def tree(name: str) -> ast.Module:
    return parsed(modules()[name])


def imported(name: str, nodes: Iterable[ast.AST]) -> set[str]:
    """What these nodes of a module import, ours and foreign, by full name."""
    targets = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            targets |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports are absolute"
            assert node.module is not None
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = inner in modules() or inner in DOORS
                targets.add(inner if is_module else node.module)
    return targets


@cache
def imports(name: str) -> frozenset[str]:
    return frozenset(imported(name, ast.walk(tree(name))))


def own_imports() -> Iterator[tuple[str, str]]:
    """Pairs of our modules: the first imports the second."""
    for name in modules():
        for target in imports(name) & modules().keys():
            yield name, target


def is_inside(name: str, prefixes: Iterable[str]) -> bool:
    """Whether a module is one of these, or inside one."""
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def room(name: str, package: str) -> str:
    """The room of a package that a module is in; empty for the package itself."""
    return name.removeprefix(package).lstrip(".").partition(".")[0]


@cache
def floors(package: str) -> dict[str, int]:
    """How high each room of a package lies; the package's door is on top."""
    lines = ORDER[package].strip().splitlines()
    numbers = {room: n for n, line in enumerate(lines) for room in line.split()}
    return {**numbers, "": len(lines)}


def test_the_top_level_holds_only_what_the_design_names():
    assert {path.parts[0] for path in tracked()} - TOP == set()


def test_a_file_is_at_most_five_names_deep():
    assert [str(path) for path in tracked() if len(path.parts) > 5] == []


@pytest.mark.parametrize("package", ORDER)
def test_every_module_is_in_a_room_and_every_room_has_modules(package):
    there = {room(name, package) for name in modules() if is_inside(name, {package})}
    assert there == floors(package).keys()


@pytest.mark.parametrize("package", ORDER)
def test_imports_go_down_only(package):
    floor = floors(package)
    wrong = [
        f"{name} imports {target}"
        for name, target in own_imports()
        if is_inside(name, {package})
        and is_inside(target, {package})
        and (one := room(name, package)) != (other := room(target, package))
        and floor[one] <= floor[other]
    ]
    assert wrong == []


def test_the_library_knows_nothing_of_the_service_nor_either_of_the_benchmarks():
    above = {"index": {"service", "wsgi", "benchmarks"}, "service": {"benchmarks"}}
    wrong = [
        f"{name} imports {target}"
        for name, target in own_imports()
        if is_inside(target, above.get(name.partition(".")[0], ()))
    ]
    assert wrong == []


def test_no_imports_run_in_a_circle():
    # An engine is imported when it is opened, so that its libraries are not loaded for
    # nothing; it is the one import that runs up, within a function.
    kinds = {"index.engines.opening"}
    graph = {
        name: (imported(name, tree(name).body) if name in kinds else set(imports(name)))
        & modules().keys() - {name}
        for name in modules()
    }
    tuple(TopologicalSorter(graph).static_order())


def test_nobody_imports_past_a_door():
    wrong = [
        f"{name} imports {target}"
        for name, target in own_imports()
        for package in packages()
        if target.startswith(f"{package}.")
        and not is_inside(name, {package})
        and target.removeprefix(f"{package}.") not in handed_on(package)
    ]
    assert wrong == []


@cache
def handed_on(package: str) -> frozenset[str]:
    """The names that a door hands on; one of them may be a module."""
    return frozenset(
        alias.asname or alias.name
        for node in tree(package).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    )


@pytest.mark.parametrize("package", packages())
def test_a_door_only_hands_names_on(package):
    docstring, *statements = tree(package).body
    assert isinstance(docstring, ast.Expr)
    handed: list[str] = []
    listed: list[str] = []
    for statement in statements:
        if isinstance(statement, ast.ImportFrom):
            handed += [alias.asname or alias.name for alias in statement.names]
        else:
            assert isinstance(statement, ast.Assign), ast.unparse(statement)
            assert ast.unparse(statement.targets) == "__all__"
            listed = ast.literal_eval(statement.value)
    assert sorted(listed) == sorted(handed)


@cache
def names_taken(path: Path) -> frozenset[tuple[str | None, str]]:
    """Names that a file takes, each with its module, or with ``.`` and a variable."""
    taken: set[tuple[str | None, str]] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom):
            taken |= {(node.module, alias.name) for alias in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            taken.add((f".{node.value.id}", node.attr))
    return frozenset(taken)


@pytest.mark.parametrize("package", packages())
def test_a_door_hands_on_only_what_somebody_takes(package):
    paths = [path for name, path in modules().items() if not is_inside(name, {package})]
    if is_inside(package, {"benchmarks"}):
        # Tests start servers with it.
        paths += (ROOT / "tests").rglob("*.py")
    doors = {package, "." + package.rpartition(".")[2]}
    taken = {
        name for path in paths for door, name in names_taken(path) if door in doors
    }
    assert handed_on(package) - taken == set()


def test_the_service_sees_only_public_rooms_of_the_library():
    wrong = [
        f"{name} imports {target}"
        for name, target in own_imports()
        if is_inside(name, {"service", "wsgi"})
        and is_inside(target, {"index"})
        and target != "index"
        and room(target, "index") not in PUBLIC
    ]
    assert wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("library", DOORS)
def test_a_foreign_library_comes_in_at_its_own_door(library):
    strangers = [
        name
        for name in installed()
        if any(is_inside(target, {library}) for target in imports(name))
        and not is_inside(name, DOORS[library])
    ]
    assert strangers == []


def test_xml_is_parsed_in_one_place():
    # lxml.etree reads HTML too, which markup.py needs it for.
    parsing = re.compile(r"(etree\.)?(XML\w*|fromstring\w*|parse|iterparse)")
    wrong = [
        f"{name}: {call}"
        for name in installed()
        if "lxml" in {target.partition(".")[0] for target in imports(name)}
        for call in calls(name)
        if parsing.fullmatch(call) and not is_inside(name, {"index.parsing.xml"})
    ]
    assert wrong == []


def reads_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom) and node.module == "os":
        return any(alias.name in {"environ", "getenv"} for alias in node.names)
    return isinstance(node, ast.Attribute) and ast.unparse(node) in {
        "os.environ",
        "os.getenv",
    }


def test_only_the_front_doors_read_the_environment():
    readers = {n for n in installed() if any(map(reads_environment, ast.walk(tree(n))))}
    assert readers <= {"wsgi", "gunicorn.conf", "index.__main__"}


@cache
def calls(name: str) -> tuple[str, ...]:
    """What a module calls, as it is written: ``pickle.loads``."""
    nodes = ast.walk(tree(name))
    return tuple(ast.unparse(each.func) for each in nodes if isinstance(each, ast.Call))


def test_nothing_prints_but_through_the_terminal():
    printing = {name for name in installed() if "print" in calls(name)}
    assert printing == set()


def test_nothing_turns_data_into_code():
    unsafe = re.compile(
        r"(eval|exec|__import__|(pickle|marshal|shelve)\.\w+|yaml\.\w*load\w*|os\.system)"
    )
    wrong = [
        f"{n}: {call}"
        for n in installed()
        for call in calls(n)
        if unsafe.fullmatch(call)
    ]
    assert wrong == []


def test_modules_are_short():
    lengths = {n: len(p.read_text("utf-8").splitlines()) for n, p in modules().items()}
    assert {name: lines for name, lines in lengths.items() if lines > 450} == {}


def test_modules_are_nouns_of_the_trade():
    vague = {
        "utils",
        "util",
        "helpers",
        "helper",
        "manager",
        "common",
        "misc",
        "handler",
    }
    assert [name for name in modules() if vague & set(re.split(r"[._]", name))] == []


def test_no_file_names_a_folder_of_the_machine_it_was_written_on():
    # Written in pieces, so that this file does not match itself.
    folders = re.compile(
        rb"(?<![\w.])/(?:" + rb"|".join([b"work", b"root", b"tmp"]) + rb")/"
    )
    assert [str(p) for p in tracked() if folders.search((ROOT / p).read_bytes())] == []


def test_no_file_holds_a_secret():
    # In pieces, for the same reason.
    secrets = re.compile(
        rb"-----BEGIN [A-Z ]*PRIVATE" + rb" KEY|AK" + rb"IA[0-9A-Z]{16}"
        rb"|gh[pousr]_[0-9A-Za-z]{36}|xox[abprs]-[0-9A-Za-z-]{10}"
    )
    assert [str(p) for p in tracked() if secrets.search((ROOT / p).read_bytes())] == []
