"""The repository's layout, as docs/architecture.md draws it, and who imports whom."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def names(text: str) -> set[str]:
    return set(text.split())


TOP = names("""
    service index tests seeds benchmarks deploy docs wsgi.py setup.cfg pyproject.toml
    ruff.toml Makefile Procfile gunicorn.conf.py README.md CHANGELOG.md CONTRIBUTING.md
    LICENSE .ci .gitignore
""")

# Every module, lowest layer first. It imports from its own layer and from lower ones.
LAYERS = [
    names("""
        index.errors
    """),
    names("""
        index.answer index.cursor index.dates index.deadline index.facets index.folders
        index.query index.ranking index.remarks index.result index.changes
        index.settings index.text index.versions index.visibility index.article
        index.article.document index.article.fields index.article.records
    """),
    names("""
        index.chain index.clipping index.difference index.highlight index.keys
        index.marking index.matching index.publication index.rates index.request
        index.leaves index.lexer index.ranges index.syntax index.audit index.backup
        index.carrying index.connections index.entitlement index.keyring index.log
        index.migration index.originals index.restoration index.store index.stories
        index.tables index.turning index.view index.withdrawal index.writing
        index.engines index.engines.memory index.engines.memory.docs
        index.engines.memory.search index.engines.whoosh index.engines.whoosh.arrays
        index.engines.whoosh.beside index.engines.whoosh.buffer
        index.engines.whoosh.close index.engines.whoosh.codec
        index.engines.whoosh.codec_columns index.engines.whoosh.codec_contents
        index.engines.whoosh.codec_postings index.engines.whoosh.codec_reading
        index.engines.whoosh.codec_writing index.engines.whoosh.counts
        index.engines.whoosh.dense index.engines.whoosh.draft index.engines.whoosh.found
        index.engines.whoosh.hits index.engines.whoosh.inversion
        index.engines.whoosh.kept index.engines.whoosh.leaves index.engines.whoosh.lists
        index.engines.whoosh.merging index.engines.whoosh.order
        index.engines.whoosh.schema index.engines.whoosh.scrub
        index.engines.whoosh.search index.engines.whoosh.segment
        index.engines.whoosh.sparse index.engines.whoosh.state
        index.engines.whoosh.storage index.engines.whoosh.stored_values
        index.engines.whoosh.tree index.engines.whoosh.values
        index.engines.whoosh.vocabulary index.engines.whoosh.writer index.formats
        index.formats.aliases index.formats.item index.formats.jsonl
        index.formats.markup index.formats.ninjs index.formats.prose
        index.formats.record index.formats.roles index.formats.source
        index.formats.strict_json index.formats.text index.formats.variant
    """),
    names("""
        index index.archive index.condition index.editions index.feed index.held
        index.history index.indexer index.loader index.question index.rendering
        index.suggestions index.verification
    """),
    names("""
        index.__main__ index.backup_commands index.cli index.commands index.console
        index.issuing service service.access service.answers service.arguments
        service.articles service.authority service.bodies service.changes service.codes
        service.comparisons service.context service.documentation service.etags
        service.health service.hosts service.links service.logs service.metrics
        service.originals service.parameters service.paths service.problems service.push
        service.refusals service.schemas service.search service.submissions
        service.withdrawals service.worker
    """),
    names("""
        wsgi gunicorn.conf
    """),
]

# Families that do not know each other.
FORMATS = {"index.formats"}
ENGINES = {"index.engines"}
STORE = names("""
    index.audit index.backup index.carrying index.chain index.connections
    index.entitlement index.keyring index.log index.migration index.originals
    index.restoration index.store index.stories index.tables index.turning index.view
    index.withdrawal index.writing
""")

# What of index the service may name: never an engine, nor the store itself.
PUBLIC = names("""
    index index.answer index.archive index.article index.article.records index.chain
    index.changes index.condition index.dates index.difference index.article.document
    index.errors index.feed index.article.fields index.formats index.formats.strict_json
    index.keys index.query index.rates index.rendering index.request index.result
    index.settings index.versions index.view
""")

# Foreign libraries that only these modules, and those inside them, may import.
DOORS = {
    "whoosh": {"index.engines.whoosh"},
    "sqlalchemy": STORE,
    "sqlite3": STORE,
    "xml": {"index.formats.xml"},
    "defusedxml": {"index.formats.xml"},
    "feedparser": {"index.formats.xml"},
    "lxml": {"index.formats.xml", "index.formats.markup"},
    "flask": {"service"},
    "flask_smorest": {"service"},
    "marshmallow": {"service"},
    "werkzeug": {"service"},
    "prometheus_client": {"service", "gunicorn.conf"},
    "rich": {"index.console"},
    "gunicorn": {"service.bodies", "service.worker", "gunicorn.conf"},
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


def layer(name: str) -> int:
    return next(n for n, names in enumerate(LAYERS) if name in names)


def test_the_top_level_holds_only_what_the_design_names():
    assert {path.parts[0] for path in tracked()} - TOP == set()


def test_a_file_is_at_most_four_names_deep():
    assert [str(path) for path in tracked() if len(path.parts) > 4] == []


def test_every_module_has_a_layer_and_every_layer_only_modules():
    named = [name for names in LAYERS for name in names]
    assert sorted(named) == sorted(modules())


def test_imports_go_down_only():
    ours = modules()
    wrong = [
        f"{name} imports {target}"
        for name in ours
        for target in imports(name) & ours.keys()
        if layer(target) > layer(name)
    ]
    assert wrong == []


def test_no_imports_run_in_a_circle():
    # Imports within functions run later: engines open their kinds that way.
    graph = {
        name: (imported(name, iter(tree(name).body)) & modules().keys()) - {name}
        for name in modules()
    }
    tuple(TopologicalSorter(graph).static_order())


def test_formats_engines_and_store_do_not_know_each_other():
    families = [FORMATS, ENGINES, STORE]
    wrong = [
        f"{name} imports {target}"
        for name in modules()
        for own in families
        for target in imports(name)
        if within(name, own)
        and any(within(target, other) for other in families if other is not own)
    ]
    assert wrong == []


def test_the_service_sees_only_public_modules_of_the_library():
    wrong = [
        f"{name} imports {target}"
        for name in modules()
        for target in imports(name)
        if within(name, {"service", "wsgi"})
        and within(target, {"index"})
        and target not in PUBLIC
    ]
    assert wrong == []


@pytest.mark.parametrize("library", DOORS)
def test_a_foreign_library_comes_in_at_its_own_door(library):
    strangers = [
        name
        for name in modules()
        if any(within(target, {library}) for target in imports(name))
        and not within(name, DOORS[library])
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
        if parsing.fullmatch(call) and name != "index.formats.xml"
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
    assert printing <= {"index.cli", "index.console"}


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
