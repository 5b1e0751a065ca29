"""Folders and files that nobody else may write to, and where they lie.

Whoever can write to the store decides what is true, and whoever can write to the index
what a search answers, if not what runs. So neither is used where others may write.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

_OTHERS = stat.S_IWGRP | stat.S_IWOTH
# File locks and shared memory maps of one machine are not seen by another there.
_REMOTE = re.compile(r"(nfs\d?|cifs|smb\d?|smbfs|afs|ceph|glusterfs|fuse\.sshfs|9p)\Z")
_MOUNTS = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(r"\\([0-7]{3})")


def open_to_others(path: Path) -> str | None:
    """Return why others may change what lies there, as a sentence with the way out.

    ``None`` if they may not, or if nothing is there.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if status.st_mode & _OTHERS:
        return f"others may write to {path}; say: chmod go-w '{path}'"
    # Root may use what belongs to anybody, and nobody can keep root from writing.
    us = os.geteuid()
    if us not in (0, status.st_uid) and status.st_uid != 0:
        return (
            f"{path} belongs to another user (number {status.st_uid}), who may write to"
            f" it; run this as that user, or say: chown {us} '{path}'"
        )
    return None


def remote_kind(path: Path) -> str | None:
    """Return the kind of file system that a path is on, if other machines share it."""
    kind = _kind(path, _MOUNTS.read_text("utf-8", "replace"))
    return kind if kind is not None and _REMOTE.match(kind) else None


def _kind(path: Path, mounts: str) -> str | None:
    """Return the kind of the file system that a path is on, from a list of mounts.

    :param mounts: as ``/proc/PID/mountinfo`` has them; see proc(5).
    """
    path = path.absolute()
    found: tuple[int, str] | None = None
    for line in mounts.splitlines():
        here, _, there = line.partition(" - ")
        place = Path(_ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), here.split()[4]))
        if place == path or place in path.parents:
            # Of several at one place the last one is seen.
            depth = len(place.parts)
            if found is None or depth >= found[0]:
                found = depth, there.split()[0]
    return None if found is None else found[1]
