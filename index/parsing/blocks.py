"""Blocks: the paragraphs of a fragment of HTML, and the cells of its tables."""

from __future__ import annotations

from typing import NamedTuple

from index.article import Role


class Block(NamedTuple):
    """One paragraph of a fragment."""

    role: Role
    text: str
    credit: str | None = None


class Cell:
    """A cell of a table: its paragraphs, and the cells of the tables inside it.

    Cells are moved outwards as they are, and taken apart once: however deep tables are
    nested, a paragraph costs the same.
    """

    def __init__(self) -> None:
        self._parts: list[Block | Cell] = []
        self.count = 0  # paragraphs

    def add(self, part: Block | Cell) -> None:
        """Add a paragraph, or what another cell holds."""
        if isinstance(part, Cell):
            if part.count == 1:
                part = part.only()
            self.count += 1 if isinstance(part, Block) else part.count
        else:
            self.count += 1
        self._parts.append(part)

    def only(self) -> Block:
        """The paragraph of a cell that has one."""
        (block,) = self.blocks()
        return block

    def blocks(self) -> list[Block]:
        """All paragraphs, in order."""
        blocks: list[Block] = []
        waiting: list[Block | Cell] = [self]
        while waiting:
            part = waiting.pop()
            if isinstance(part, Block):
                blocks.append(part)
            else:
                waiting += reversed(part._parts)
        return blocks
