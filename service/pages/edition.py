"""Edition: the code and templates that write pages, on which their ETags depend."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_PAGES = Path(__file__).parent
_TEMPLATES = _PAGES.parent / "templates"


@cache
def edition() -> str:
    """Digest of everything that pages are made of; read once in a process."""
    digest = hashlib.sha256()
    for path in sorted([*_PAGES.glob("*.py"), *_TEMPLATES.glob("*.html")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
