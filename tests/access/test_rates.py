"""Rate limits: counted by all processes together, on any clock and a full disk."""

from __future__ import annotations

import logging
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.access import RateFile, rates
from index.access.rates import MINUTE, allow

NOW = 1_700_000_000_000_000
SECOND = 1_000_000


@pytest.fixture
def counted(tmp_path: Path) -> RateFile:
    """Rate limits of a new store."""
    return RateFile(tmp_path / "nutgraf.db-rates")


def taken(counted: RateFile, key: str, limit: int, now: int) -> bool:
    return counted.take(key, limit, now=now).taken


def test_a_bucket_holds_a_minute_and_is_refilled_evenly(counted: RateFile) -> None:
    assert [taken(counted, "a", 3, NOW) for _ in range(4)] == [True] * 3 + [False]
    assert not taken(counted, "a", 3, NOW + 20 * SECOND - 1)
    assert taken(counted, "a", 3, NOW + 20 * SECOND)
    assert not taken(counted, "a", 3, NOW + 20 * SECOND)
    later = NOW + 2 * MINUTE
    assert [taken(counted, "a", 3, later) for _ in range(4)] == [True] * 3 + [False]


def test_an_allowance_states_what_is_left(counted: RateFile) -> None:
    first = counted.take("a", 2, now=NOW)
    assert (first.left, first.full, first.wait) == (1, 30 * SECOND, 0)
    second = counted.take("a", 2, now=NOW)
    assert (second.left, second.full, second.wait) == (0, 60 * SECOND, 30 * SECOND)
    third = counted.take("a", 2, now=NOW + SECOND)
    assert (third.taken, third.left) == (False, 0)
    assert (third.full, third.wait) == (59 * SECOND, 29 * SECOND)


def test_callers_have_separate_allowances(counted: RateFile) -> None:
    assert taken(counted, "a", 1, NOW)
    assert taken(counted, "b", 1, NOW)
    assert counted.fail("a", 1, now=NOW).taken
    assert not taken(counted, "a", 1, NOW)
    assert not counted.fail("a", 1, now=NOW).taken


def test_setting_the_clock_back_locks_nobody_out_for_long(counted: RateFile) -> None:
    assert taken(counted, "a", 1, NOW)
    assert not taken(counted, "a", 1, NOW - 3600 * SECOND)
    assert taken(counted, "a", 1, NOW - 3600 * SECOND + MINUTE)


@pytest.mark.slow
@given(
    st.integers(1, 1_000_000),
    st.lists(st.integers(0, MINUTE), min_size=1, max_size=30),
)
def test_a_rate_is_never_exceeded(limit: int, pauses: list[int]) -> None:
    until, now = 0, NOW
    step = MINUTE // limit
    used = 0
    for pause in pauses:
        now += pause
        until, allowance = allow(until, now, limit)
        used += allowance.taken
        assert 0 <= allowance.left < limit
        assert allowance.taken or allowance.wait > 0
        assert used <= limit + (now - NOW) // step + 1
        if allowance.wait:
            assert not allow(until, now + allowance.wait - 1, limit)[1].taken
            assert allow(until, now + allowance.wait, limit)[1].taken


def _run(path: Path, tries: int, sent: Any) -> None:
    counted = RateFile(path)
    sent.put(sum(counted.take("a", 100, now=NOW).taken for _ in range(tries)))


def _run_forked(counted: RateFile, tries: int, sent: Any) -> None:
    sent.put(sum(counted.take("a", 100, now=NOW).taken for _ in range(tries)))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_processes_count_together(counted: RateFile, method: str) -> None:
    context = multiprocessing.get_context(method)
    sent = context.Queue()
    if method == "fork":
        counted.take("b", 1, now=NOW)  # the file is open when the process is forked
        run: Any = (_run_forked, (counted, 150, sent))
    else:
        run = (_run, (counted.path, 150, sent))
    started = [context.Process(target=run[0], args=run[1]) for _ in range(2)]
    for each in started:
        each.start()
    assert sum(sent.get(timeout=60) for _ in started) == 100
    for each in started:
        each.join()
    assert not taken(counted, "a", 100, NOW)


def test_a_process_stopped_while_counting_stops_no_other(
    counted: RateFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted.take("a", 1, now=NOW)
    holds = (
        "import fcntl, os, sys; handle = os.open(sys.argv[1], os.O_RDWR);"
        " fcntl.lockf(handle, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holds, counted.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as stopped:
        assert stopped.stdout is not None
        stopped.stdout.readline()
        monkeypatch.setattr(rates, "_LOCK_TRIES", 3)
        assert not taken(counted, "a", 1, NOW)
        assert taken(counted, "b", 1, NOW)
        stopped.communicate()
    assert not taken(counted, "b", 1, NOW)


def test_counting_continues_after_a_restart(counted: RateFile) -> None:
    assert taken(counted, "a", 1, NOW)
    counted.close()
    assert not taken(RateFile(counted.path), "a", 1, NOW)
    assert not taken(counted, "a", 1, NOW)


def test_only_its_owner_may_read_the_file(counted: RateFile) -> None:
    counted.take("a", 1)
    assert counted.path.stat().st_mode & 0o777 == 0o600


def test_when_a_key_was_last_used_is_known(counted: RateFile) -> None:
    assert counted.used("a") is None
    counted.take("a", 1, now=NOW)
    assert counted.used("a") == NOW
    counted.touch("a", now=NOW + 1)
    counted.touch("b", now=NOW + 2)
    assert (counted.used("a"), counted.used("b")) == (NOW + 1, NOW + 2)
    assert not taken(counted, "a", 1, NOW + 2), "to touch does not give back"


def test_with_too_few_slots_the_least_recently_used_is_reused(
    counted: RateFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "SLOTS", rates._NEAR + 1)
    for n in range(rates._NEAR):
        assert taken(counted, f"k{n}", 1, NOW + n)
    assert not taken(counted, "k0", 1, NOW + 100)
    assert taken(counted, "new", 1, NOW + 101)
    assert counted.used("k1") is None
    assert not taken(counted, "k2", 1, NOW + 102)


@pytest.mark.parametrize("content", [b"", b"x", b"x" * rates._SIZE])
def test_a_file_of_another_kind_is_created_anew(
    counted: RateFile, content: bytes
) -> None:
    counted.path.write_bytes(content)
    assert taken(counted, "a", 1, NOW)
    assert not taken(RateFile(counted.path), "a", 1, NOW)


@pytest.mark.parametrize("trouble", ["folder", "full", "cut"])
def test_a_process_counts_alone_if_the_file_cannot_be_used(
    counted: RateFile,
    trouble: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if trouble == "folder":
        counted.path.mkdir()
    if trouble == "full":

        def full(*arguments: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "posix_fallocate", full)
    if trouble == "cut":
        counted.take("b", 1)
        os.truncate(counted.path, 20)
    with caplog.at_level(logging.WARNING, "nutgraf.rates"):
        assert [taken(counted, "a", 2, NOW) for _ in range(3)] == [True, True, False]
    assert len(caplog.records) == 1
    assert counted.used("a") == NOW
