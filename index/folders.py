"""Folders and files: whether other users or machines can write to them.

Whoever can write to the store decides what is true. Whoever can write to the index
decides what searches answer, and perhaps which code runs. So neither is used if other
users may write to it.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

_OTHERS = stat.S_IWGRP | stat.S_IWOTH
# On these, other machines do not see the file locks and shared memory maps of this one.
_REMOTE = re.compile(r"(nfs\d?|cifs|smb\d?|smbfs|afs|ceph|glusterfs|fuse\.sshfs|9p)\Z")
_MOUNTS = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(r"\\([0-7]{3})")


def open_to_others(path: Path) -> str | None:
    """Reason why other users may change a file or folder, with the way out.

    ``None`` if they may not, or if nothing is there.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if status.st_mode & _OTHERS:
        return f"other users may write to {path}; run: chmod go-w '{path}'"
    # Root may use files of any user, and nobody can keep root from writing.
    us = os.geteuid()
    if us not in (0, status.st_uid) and status.st_uid != 0:
        return (
            f"{path} belongs to another user (number {status.st_uid}), who may write to"
            f" it; run this as that user, or run: chown {us} '{path}'"
        )
    return None


def remote_kind(path: Path) -> str | None:
    """Type of the file system that a path is on, if other machines share it."""
    kind = _type_of(path, _MOUNTS.read_text("utf-8", "replace"))
    return kind if kind is not None and _REMOTE.match(kind) else None


def _type_of(path: Path, mounts: str) -> str | None:
    """Type of the file system that a path is on.

    :param mounts: the content of ``/proc/PID/mountinfo``; see proc(5).
    """
    path = path.absolute()
    deepest: tuple[int, str] | None = None
    for line in mounts.splitlines():
        mount, _, source = line.partition(" - ")
        point = Path(
            _ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), mount.split()[4])
        )
        if point == path or point in path.parents:
            # If several are mounted at one point, the last one is visible.
            depth = len(point.parts)
            if deepest is None or depth >= deepest[0]:
                deepest = depth, source.split()[0]
    return None if deepest is None else deepest[1]
