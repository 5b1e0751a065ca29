"""The next release: a copy of this checkout with another schema."""

from __future__ import annotations

import shutil
from pathlib import Path

from checkout import ROOT

# A column that the next release fills in every row it inserts.
COLUMN, FILLED = "desk", "filled"
_TABLES = f"""
SCHEMA += 1
versions.append_column(Column("{COLUMN}", Text, default="{FILLED}"))
"""
_MIGRATION = """
STEPS = (*STEPS, Step(SCHEMA, breaks={breaks}))
"""


def next_release(folder: Path, *, breaks: bool) -> Path:
    """Write the code of the next release to a folder.

    :param breaks: whether its step is one that older releases cannot follow.
    """
    for name in ("index", "service"):
        shutil.copytree(ROOT / name, folder / name)  # with what Python has compiled
    for name in ("wsgi.py", "gunicorn.conf.py"):
        shutil.copy(ROOT / name, folder / name)
    store = folder / "index" / "store"
    for name, more in (
        ("tables.py", _TABLES),
        ("migration.py", _MIGRATION.format(breaks=breaks)),
    ):
        with (store / name).open("a", encoding="utf-8") as file:
            file.write(more)
    return folder
