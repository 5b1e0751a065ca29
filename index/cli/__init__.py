"""Which commands are there?"""

from index.cli.entry import main

__all__ = [
    "main",
]
