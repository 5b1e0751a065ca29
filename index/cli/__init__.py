"""Which commands are there?"""

from index.cli.parser import main

__all__ = [
    "main",
]
