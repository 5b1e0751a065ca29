"""The budget of one difference: how much text it may read, counted in steps."""

from __future__ import annotations

from dataclasses import dataclass

# A step takes some 0.25 µs at worst. What a character costs: of a simple script, and of
# any other.
FINDING_WORDS = 1, 11
CUTTING = 2, 4  # at the edges of words
COMPARING = 5  # steps for each piece that a text was cut into
_MOST_STEPS = 3_000_000
_SIMPLE = "\u0900"  # characters of simple scripts are below this one


@dataclass(slots=True)
class Budget:
    """The steps that one difference has left.

    :param coarse: whether something was skipped because it would have cost too much.
    """

    left: int = _MOST_STEPS
    coarse: bool = False

    def spend(self, steps: int) -> bool:
        """Take steps off the budget; ``False``, and none taken, if it has fewer."""
        if steps > self.left:
            self.coarse = True
            return False
        self.left -= steps
        return True


def steps_of(text: str, cost: tuple[int, int]) -> int:
    """Steps that a text costs.

    :param cost: of a character, :data:`FINDING_WORDS` or :data:`CUTTING`.
    """
    return len(text) * cost[not text.isascii() and max(text) >= _SIMPLE]
