"""What the parts of our index are, in bytes."""

from __future__ import annotations

import json
import struct
from collections import Counter
from pathlib import Path

import numpy as np

_HEADER = 64  # bytes; offset and length of the directory are at bytes 16 and 24
# Part of an array by the end of its name, as docs/segment_format.md lists the arrays.
_PARTS = {
    "articles": "articles spreads",
    "documents": "paragraphs rows",
    "frequencies": "frequencies totals",
    "positions": "positions",
    "tags": "tags",
    "upper bounds": "bests",
    "bitmaps": "bits dense",
    "fields": "headline abstract caption",
    "offsets": "rows.at positions.at tags.at articles.at"
    " headline.at abstract.at caption.at",
    "terms": "terms terms.at folded folded.at folded.term stems stems.at"
    " members members.at entries entries.at entries.tag entries.occurrences",
}
COLUMNS = "columns"  # of documents, articles, ids and values
_PART_OF = {name: part for part, names in _PARTS.items() for name in names.split()}


def bytes_by_part(folder: Path) -> dict[str, int]:
    """Bytes of each part of an index, the largest first.

    :param folder: of the index.
    """
    sizes: Counter[str] = Counter()
    for path in folder.glob("*.seg"):
        for name, size in bytes_by_array(path).items():
            sizes[part_of(name)] += size
    return dict(sizes.most_common())


def bytes_by_array(path: Path) -> dict[str, int]:
    """Bytes of each array of a segment, from the directory in its file."""
    with path.open("rb") as file:
        offset, length = struct.unpack_from("<QQ", file.read(_HEADER), 16)
        file.seek(offset)
        listed = json.loads(file.read(length))["arrays"]
    return {
        name: np.dtype(kind).itemsize * count
        for name, (kind, count, _, _) in listed.items()
    }


def part_of(name: str) -> str:
    """Part of the index that an array belongs to."""
    field, _, rest = name.partition("/")
    if field == "id":
        return COLUMNS
    # Exceptions of packed arrays belong to these.
    rest = rest.removesuffix(".at").removesuffix(".high") if ".high" in rest else rest
    if rest.endswith(".frequencies"):
        rest = "frequencies"
    return _PART_OF.get(rest, COLUMNS)
