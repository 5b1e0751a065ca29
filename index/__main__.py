"""``nutgraf`` and ``python -m index``: the command line with the environment."""

from __future__ import annotations

import os
import sys

from index import cli


def main() -> int:
    """Run the command of this process and return its exit code."""
    return cli.main(sys.argv[1:], os.environ)


if __name__ == "__main__":
    sys.exit(main())
