"""Problems: every error has a status and a documented code, and nothing leaks."""

from __future__ import annotations

import logging
import re
from types import ModuleType

import pytest
from checkout import ROOT
from flask.testing import FlaskClient

from index import errors
from index.archive import Archive
from index.archive.question import Question
from index.errors import NutgrafError
from index.settings import Settings
from service import codes, create_app, refusals
from service.codes import PROBLEM_TYPES
from service.problems import problem_of, status_of


def children(kind: type[NutgrafError]) -> list[type[NutgrafError]]:
    """The subclasses that Nutgraf itself defines, in the order of their source."""
    return [
        child
        for child in kind.__subclasses__()
        if child.__module__.split(".")[0] in ("index", "service")
    ]


def every_error(kind: type[NutgrafError] = NutgrafError) -> list[type[NutgrafError]]:
    below = [every_error(child) for child in children(kind)]
    return [kind, *(error for branch in below for error in branch)]


def module_of(kind: type[NutgrafError]) -> str:
    """The module whose docstring draws an error; of the library it is the package."""
    package = errors.__name__
    within = kind.__module__.startswith(f"{package}.")
    return package if within else kind.__module__


def drawn(kind: type[NutgrafError], module: ModuleType) -> list[str]:
    """Tree of a class and those subclasses that lead to classes of a module."""
    branches = [
        drawn(child, module)
        for child in children(kind)
        if any(module_of(error) == module.__name__ for error in every_error(child))
    ]
    lines = [kind.__name__]
    for branch in branches:
        last = branch is branches[-1]
        lines.append(("└── " if last else "├── ") + branch[0])
        lines += [("    " if last else "│   ") + line for line in branch[1:]]
    return lines


@pytest.mark.parametrize(
    ("root", "module"), [(NutgrafError, errors), (errors.InputError, refusals)]
)
def test_a_docstring_draws_the_tree_of_its_errors(
    root: type[NutgrafError], module: ModuleType
) -> None:
    assert module.__doc__ is not None
    tree = module.__doc__.partition("::\n\n")[2].partition("\n\n")[0]
    # A remark follows a name after two or more spaces.
    names = [re.split(r"(?<=\w)  ", line[4:])[0] for line in tree.splitlines()]
    assert names == drawn(root, module)


def test_every_error_is_in_one_of_the_two_trees() -> None:
    modules = {module_of(kind) for kind in every_error()}
    assert modules == {errors.__name__, refusals.__name__}


@pytest.mark.parametrize("kind", every_error())
def test_every_error_has_a_row_in_the_table(kind: type[NutgrafError]) -> None:
    row = PROBLEM_TYPES[kind.code]
    assert 400 <= row.status <= 599
    assert row.title and row.link == f"/docs#{kind.code}"


def test_a_code_is_in_the_table_once() -> None:
    assert [row.code for row in codes._ROWS] == list(PROBLEM_TYPES)


def test_every_code_used_is_documented() -> None:
    named = set()
    for folder in ("index", "service"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text("utf-8")
            named |= set(re.findall(r'\bcode="([a-z_]+)"', text))
    # Codes of the syntax tree, the terminal and warnings, not of errors.
    assert named - {"file", "marks_left_out"} <= set(PROBLEM_TYPES)


def test_a_problem_has_the_facts_of_its_error() -> None:
    error = errors.LimitExceeded("limit", limit=100, got=200)
    assert problem_of(error) == {
        "type": "/docs#limit_exceeded",
        "title": "A limit is exceeded",
        "status": 400,
        "detail": "limit: at most 100, not 200",
        "code": "limit_exceeded",
        "parameter": "limit",
        "limit": 100,
        "got": 200,
    }


# A search whose answer is not kept, since it never had one.
UNASKED = "/v1/search?q=unasked"


def test_a_code_can_be_narrower_than_its_class() -> None:
    error = errors.LimitExceeded("article", limit=1, got=2, code="article_too_large")
    assert status_of(error) == 422


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (errors.IndexUnavailable("no index yet", progress=0.4), 503, "5"),
        (errors.SearchTimeout(2.0), 503, "1"),
        (errors.StoreUnavailable("locked"), 503, "2"),
        (errors.StoreFull(), 507, "60"),
    ],
)
def test_a_temporary_failure_says_when_to_retry(
    reading: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    error: NutgrafError,
    status: int,
    retry: str,
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(Question, "answer", fail)
    answer = reading.get(UNASKED)
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, retry)
    assert answer.json["code"] == error.code
    assert answer.json["instance"] == "/v1/search"
    assert "ETag" not in answer.headers


def test_the_error_has_the_progress_of_a_rebuild(
    reading: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise errors.IndexUnavailable("being built", progress=0.4)

    monkeypatch.setattr(Question, "answer", fail)
    assert reading.get(UNASKED).json["progress"] == 0.4


def test_a_mistake_of_ours_is_logged_and_not_told(
    reading: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("secret path")

    monkeypatch.setattr(Question, "answer", fail)
    with caplog.at_level(logging.ERROR):
        answer = reading.get(UNASKED, headers={"X-Request-Id": "r-1"})
    assert (answer.status_code, answer.json["code"]) == (500, "internal_error")
    assert answer.json["error_id"] == "r-1"
    assert b"secret" not in answer.data
    assert "ZeroDivisionError: secret path" in caplog.text


@pytest.mark.parametrize(
    "path", ["/nope", "/v1", "/v1/articles/", "/v1//search", "/v1/articles/a/b/c/d"]
)
def test_no_such_resource(reading: FlaskClient, path: str) -> None:
    answer = reading.get(path)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1", "/v1/nope", "/static/nope.css"])
def test_a_browser_gets_problem_documents_where_no_page_can_be(
    reading: FlaskClient, path: str
) -> None:
    answer = reading.get(path, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/search", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("POST", "/v1/articles/a", {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}),
        ("DELETE", "/v1/articles", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("DELETE", "/healthz", {"GET", "HEAD", "OPTIONS"}),
        ("PATCH", "/v1/fields", {"GET", "HEAD", "OPTIONS"}),
        ("TRACE", "/v1/fields", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_the_error_for_a_wrong_method_lists_the_right_ones(
    reading: FlaskClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = reading.open(path, method=method)
    assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == allowed


def test_nothing_turns_debugging_on(
    settings: Settings, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    app = create_app(settings, archive)
    assert not app.debug

    def fail(self: Archive, *_: object, **__: object) -> None:
        raise RuntimeError("not to be told")

    monkeypatch.setattr(Archive, "asking", fail)
    answer = app.test_client().get("/v1/search?q=a")
    assert answer.status_code == 500
    assert "not to be told" not in answer.text
    assert answer.json["error_id"] == answer.headers["X-Request-Id"]
