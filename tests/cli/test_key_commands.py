"""``nutgraf keys``: a key is shown once; lists show everything but the key."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from index.cli import main
from index.store import Store

Run = Callable[..., str]


@pytest.fixture
def run(store: Store, capsys: pytest.CaptureFixture[str]) -> Run:
    """A function that runs ``nutgraf keys`` and returns what it prints."""

    def ran(*arguments: str, code: int = 0) -> str:
        environ = {"NUTGRAF_STORE": store.url, "NUTGRAF_ENGINE": "memory:"}
        assert main(["keys", *arguments], environ) == code
        printed = capsys.readouterr()
        return printed.err if code else printed.out

    return ran


@pytest.mark.slow
def test_a_key_is_shown_once_and_first(run: Run, store: Store) -> None:
    first, *rest = run("add", "desk", "--scope", "search,ingest").splitlines()
    key = store.keys.find(first)
    assert key is not None
    assert key.name == "desk"
    assert "This is the first key" in "".join(rest)
    assert "This is the first key" not in run("add", "other", "--scope", "search")
    secret = first.split("_", 2)[2]
    for arguments in (("list",), ("list", "--json"), ("revoke", "desk", "--json")):
        printed = run(*arguments)
        assert secret not in printed
        assert key.id in printed


def test_what_was_asked_for_is_what_is_made(run: Run, store: Store) -> None:
    printed = run(
        *("add", "partner", "--scope", "search,read-embargoed"),
        *("--filter", "source=AP", "--filter", "source=Reuters"),
        *("--exclude", "section=Sport", "--expires", "2100-01-31", "--rate", "30"),
        "--json",
    )
    created = json.loads(printed)
    key = store.keys.find(created["key"])
    assert key is not None
    assert (key.rate, key.reader.held) == (30, True)
    del created["key"], created["created"]
    assert created == {
        "id": key.id,
        "name": "partner",
        "state": "live",
        "scopes": ["search", "read-embargoed"],
        "filters": [
            {"field": "source", "values": ["AP", "Reuters"], "exclude": False},
            {"field": "section", "values": ["Sport"], "exclude": True},
        ],
        "rate": 30,
        "expires": "2100-02-01T00:00:00Z",
        "revoked": None,
    }
    (listed,) = json.loads(run("list", "--json"))["keys"]
    assert {**created, "created": listed["created"], "used": None} == listed
    table = run("list")
    assert "source=AP|Reuters section≠Sport" in table
    assert "2100-02-01T00:00:00Z" in table


def test_a_list_says_how_filters_compare(run: Run) -> None:
    run("add", "a", "--scope", "search")
    assert "Filters" not in run("list")
    run("add", "b", "--scope", "search", "--exclude", "section=Night\u200b Desk")
    run("add", "c", "--scope", "search", "--filter", "section=Night Desk")
    printed = run("list")
    assert "Filters compare values without case, white space" in printed
    assert r"section≠Night\u200b Desk is compared as night desk." in printed
    assert "section=Night Desk is compared" not in printed
    run("revoke", "b")
    assert "is compared as" not in run("list")


@pytest.mark.slow
def test_a_key_without_a_limit_says_so(run: Run) -> None:
    assert json.loads(run("add", "a", "--scope", "search", "--rate", "none", "--json"))[
        "rate"
    ] == ("none")
    run("add", "b", "--scope", "search")
    assert re.search(r"^a .* no limit ", run("list"), re.MULTILINE)
    assert re.search(r"^b .* as set ", run("list"), re.MULTILINE)


def test_when_a_key_was_last_used_is_listed(run: Run, store: Store) -> None:
    created = json.loads(run("add", "a", "--scope", "search", "--json"))
    store.rates.take(created["id"], 10, now=1_700_000_000_000_000)
    (listed,) = json.loads(run("list", "--json"))["keys"]
    assert listed["used"] == "2023-11-14T22:13:20Z"
    assert "2023-11-14T22:13:20Z" in run("list")


@pytest.mark.slow
def test_rotating_prints_the_new_key_and_when_the_old_one_ends(
    run: Run, store: Store
) -> None:
    first = run("add", "desk", "--scope", "search").splitlines()[0]
    printed = run("rotate", "desk").splitlines()
    assert store.keys.find(printed[0]) is not None
    assert printed[0] != first
    assert re.search(r"The old key \(\w{8}\) ends 20", printed[-1])
    run("revoke", first)
    done = json.loads(run("rotate", "desk", "--overlap", "0h", "--json"))
    assert done["old"]["state"] == "revoked"
    assert store.keys.find(done["key"]) is not None
    assert "is revoked" in run("rotate", "desk", "--overlap", "0h").splitlines()[-1]


def test_revoking_names_what_it_ended(run: Run) -> None:
    run("add", "desk", "--scope", "search")
    run("rotate", "desk")
    assert run("revoke", "desk").startswith("revoked 2 keys: desk (")
    assert "no live key" in run("revoke", "desk", code=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "a b", "--scope", "search"), "name"),
        (("add", "a", "--scope", "write"), "choose from search, feed, read-embargoed"),
        (("add", "a", "--scope", "read-embargoed"), "give both"),
        (("add", "a", "--scope", "search", "--filter", "title=x"), "no field 'title'"),
        (("add", "a", "--scope", "search", "--filter", "section=\u200b "), "is blank"),
        (("add", "a", "--scope", "search", "--expires", "yesterday"), "has passed"),
        (("add", "a", "--scope", "search", "--rate", "0"), "1 to 1,000,000"),
        (("rotate", "nobody"), "no live key"),
        (("rotate", "nobody", "--overlap", "long"), "12h, 90d, 4w"),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(
    run: Run, store: Store, arguments: tuple[str, ...], message: str
) -> None:
    assert message in run(*arguments, code=1)
    assert not store.keys.ever()
