"""The repository's layout, as docs/architecture.md draws it, and who imports whom."""

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


def names(text: str) -> set[str]:
    return set(text.split())


TOP = names("""
    service index tests seeds benchmarks deploy docs wsgi.py setup.cfg pyproject.toml
    ruff.toml Makefile Procfile gunicorn.conf.py README.md CHANGELOG.md CONTRIBUTING.md
    LICENSE .ci .gitignore
""")

# The rooms of the library, lowest first: each imports from itself and from lower ones.
ROOMS = [
    "errors",
    "dates",
    "folders",
    "deadline",
    "article",
    "settings",
    "text",
    "query",
    "access",
    "history",
    "parsing",
    "formats",
    "engines",
    "store",
    "archive",
    "jobs",
    "rendering",
    "cli",
]
# Modules that are still to be moved into their room.
FLAT = {
    "article": names("""
        index.document index.fields
    """),
}
# Rooms that do not know each other.
STRANGERS = ("formats", "engines", "store")
# What of the library the service may name: never an engine, nor the store itself.
PUBLIC = names("""
    errors dates article settings query access history parsing formats archive rendering
""")

# Foreign libraries that only these modules, and those inside them, may import.
DOORS = {
    "whoosh": {"index.engines.whoosh"},
    "sqlalchemy": {"index.store"},
    "sqlite3": {"index.store"},
    "xml": {"index.parsing.xml"},
    "defusedxml": {"index.parsing.xml"},
    "feedparser": {"index.parsing.xml"},
    "lxml": {"index.parsing.xml", "index.parsing.markup"},
    "flask": {"service"},
    "flask_smorest": {"service"},
    "marshmallow": {"service"},
    "werkzeug": {"service"},
    "prometheus_client": {"service", "gunicorn.conf"},
    "rich": {"index.cli.terminal", "index.cli.showing"},
    "gunicorn": {"service.exchange.bodies", "service.worker", "gunicorn.conf"},
}


@cache
def tracked() -> tuple[Path, ...]:
    """Return the files git keeps, relative to the root."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    paths = (Path(name) for name in listing.stdout.split("\0") if name)
    return tuple(path for path in paths if (ROOT / path).is_file())


@cache
def modules() -> dict[str, Path]:
    """Return the path of each module of ours, by name."""
    paths = [*ROOT.glob("*.py")]
    for package in ("index", "service"):
        paths += (ROOT / package).rglob("*.py")
    return {module_name(path): path for path in sorted(paths)}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(
        ".__init__"
    )


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(modules()[name].read_text("utf-8"))


def imported(name: str, nodes: Iterator[ast.AST]) -> set[str]:
    """Return what these nodes of a module import, ours and foreign, by full name."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports are absolute"
            assert node.module is not None
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = inner in modules() or inner in DOORS
                found.add(inner if is_module else node.module)
    return found


def imports(name: str) -> set[str]:
    return imported(name, ast.walk(tree(name)))


def within(name: str, packages: set[str]) -> bool:
    """Return whether a module is one of these, or inside one."""
    return any(name == each or name.startswith(f"{each}.") for each in packages)


def room(name: str) -> str:
    """The room of a module of the library."""
    top, _, rest = name.partition(".")
    for own, flat in FLAT.items():
        if name in flat:
            return own
    if rest in ("", "__main__"):
        return ROOMS[-1]
    return rest.partition(".")[0] if top == "index" else top


def in_room(name: str, rooms: Iterable[str]) -> bool:
    """Whether a module of the library is in one of these rooms."""
    return within(name, {"index"}) and room(name) in rooms


def test_the_top_level_holds_only_what_the_design_names():
    assert {path.parts[0] for path in tracked()} - TOP == set()


def test_a_file_is_at_most_five_names_deep():
    assert [str(path) for path in tracked() if len(path.parts) > 5] == []


def test_every_module_of_the_library_is_in_a_room():
    ours = [name for name in modules() if within(name, {"index"})]
    assert [name for name in ours if room(name) not in ROOMS] == []


def test_imports_go_down_only():
    wrong = [
        f"{name} imports {target}"
        for name in modules()
        for target in imports(name) & modules().keys()
        if goes_up(name, target)
    ]
    assert wrong == []


def goes_up(name: str, target: str) -> bool:
    if within(target, {"service", "wsgi"}):
        return within(name, {"index"})
    if within(name, {"index"}) and within(target, {"index"}):
        return ROOMS.index(room(target)) > ROOMS.index(room(name))
    return within(name, {"index"})


def test_no_imports_run_in_a_circle():
    # Imports within functions run later: engines open their kinds that way.
    graph = {
        name: (imported(name, iter(tree(name).body)) & modules().keys()) - {name}
        for name in modules()
    }
    tuple(TopologicalSorter(graph).static_order())


def test_formats_engines_and_store_do_not_know_each_other():
    wrong = [
        f"{name} imports {target}"
        for name in modules()
        if in_room(name, STRANGERS)
        for target in imports(name)
        if in_room(target, set(STRANGERS) - {room(name)})
    ]
    assert wrong == []


def test_the_service_sees_only_public_rooms_of_the_library():
    wrong = [
        f"{name} imports {target}"
        for name in modules()
        if within(name, {"service", "wsgi"})
        for target in imports(name)
        if within(target, {"index"})
        and target != "index"
        and room(target) not in PUBLIC
    ]
    assert wrong == []


@pytest.mark.parametrize("library", DOORS)
def test_a_foreign_library_comes_in_at_its_own_door(library):
    strangers = [
        name
        for name in modules()
        if any(within(target, {library}) for target in imports(name))
        and not within(name, DOORS[library])
        and f"index.{room(name)}" not in DOORS[library]
    ]
    assert strangers == []


def test_xml_is_parsed_in_one_place():
    # lxml.etree reads HTML too, which markup.py needs it for.
    parsing = re.compile(r"(etree\.)?(XML\w*|fromstring\w*|parse|iterparse)")
    wrong = [
        f"{name}: {call}"
        for name in modules()
        if "lxml" in {target.partition(".")[0] for target in imports(name)}
        for call in calls(name)
        if parsing.fullmatch(call) and name != "index.parsing.xml"
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
    readers = {n for n in modules() if any(map(reads_environment, ast.walk(tree(n))))}
    assert readers <= {"wsgi", "gunicorn.conf", "index.__main__"}


def calls(name: str) -> Iterator[str]:
    """Yield what a module calls, as it is written: ``pickle.loads``."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def test_only_the_command_line_prints():
    printing = {name for name in modules() if "print" in calls(name)}
    assert printing <= {"index.cli.parser", "index.cli.terminal"}


def test_nothing_turns_data_into_code():
    unsafe = re.compile(
        r"(eval|exec|__import__|(pickle|marshal|shelve)\.\w+|yaml\.\w*load\w*|os\.system)"
    )
    wrong = [
        f"{n}: {call}" for n in modules() for call in calls(n) if unsafe.fullmatch(call)
    ]
    assert wrong == []


def test_modules_are_short():
    lengths = {n: len(p.read_text("utf-8").splitlines()) for n, p in modules().items()}
    assert {name: lines for name, lines in lengths.items() if lines > 600} == {}


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
