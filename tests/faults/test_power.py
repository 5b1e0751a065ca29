"""A file system that is shut down at once, as by a power cut, and mounted again.

What was not synced by then is gone: ext4 is told to stop, with what its journal has in
memory or without. No test does so on a file system that anybody else uses: it is made
in a file, for which one must be root.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faults.amounts import SIZE, amount, chance, progress
from faults.cluster import running
from faults.ledger import Ledger, Load, hold_to, is_sound, settles
from waiting import until

CUTS = amount(2, 50)
WRITERS = 3
# EXT4_IOC_SHUTDOWN, and its flags: the journal is written first, or is not.
_SHUTDOWN = 0x8004587D
_FLUSHED, _LOST = 1, 2
# ext4 writes its journal every five seconds by itself: cuts come before that and after.
_SECONDS = (0.2, 1.0, 7.0)
_TOOLS = ("mkfs.ext4", "mount", "umount")
_IMAGE_BYTES = 512 * 1024 * 1024

pytestmark = [
    pytest.mark.skipif(
        SIZE != "full"
        or os.geteuid() != 0
        or not Path("/dev/loop-control").exists()
        or None in map(shutil.which, _TOOLS),
        reason="at length only (make faults), by root, with loop devices and mkfs.ext4",
    ),
    pytest.mark.slow,
]


@contextmanager
def mounted(image: Path, at: Path) -> Iterator[None]:
    """Mount the file system of an image for the length of a block."""
    subprocess.run(["mount", "-o", "loop", image, at], check=True)
    try:
        yield
    finally:
        until(
            lambda: subprocess.run(["umount", at], check=False).returncode == 0,
            "nobody uses the file system any more",
        )


def cut(at: Path, flag: int) -> None:
    """Shut down a file system: from now on nothing is written to it."""
    folder = os.open(at, os.O_RDONLY)
    try:
        fcntl.ioctl(folder, _SHUTDOWN, struct.pack("I", flag))
    finally:
        os.close(folder)


def test_a_power_cut_loses_nothing_acknowledged(tmp_path: Path) -> None:
    seed = chance("power")
    image, disk = tmp_path / "image", tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(_IMAGE_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    disk.mkdir()
    with mounted(image, disk):
        (disk / "data").mkdir(mode=0o700)
    # What is written to a disk that fails is said to be full or out of reach.
    ledgers = [
        Ledger(f"w{n}", chance("power", n), refusals=(503, 507)) for n in range(WRITERS)
    ]
    variables = {
        "NUTGRAF_STORE": f"sqlite:///{disk / 'data' / 'nutgraf.db'}",
        "NUTGRAF_ENGINE": f"whoosh:{disk / 'data' / 'index'}",
    }
    for number in range(CUTS):
        flag, seconds = seed.choice((_FLUSHED, _LOST)), seed.choice(_SECONDS)
        acknowledged = sum(each.acknowledged for each in ledgers)
        with (
            mounted(image, disk),
            running(tmp_path / "logs", **variables) as cluster,
        ):
            with Load(cluster, ledgers):
                time.sleep(seconds * seed.uniform(0.5, 1.0))
                cut(disk, flag)
                time.sleep(0.3)  # some more is asked of it
            cluster.kill_web()
            cluster.kill_indexer()
        with (
            mounted(image, disk),
            running(tmp_path / "logs", **variables) as cluster,
            cluster.client() as client,
        ):
            settles(cluster, client, seconds=10)
            hold_to(ledgers, cluster, client)
            is_sound(cluster)
        all_told = sum(each.acknowledged for each in ledgers)
        assert all_told > acknowledged  # there was something to lose
        progress(f"cut {number + 1} of {CUTS}: {all_told:,} acknowledged")
