"""The entry point: a command line parsed, its command run, its errors shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from index.cli.parser import Command, build_parser
from index.cli.terminal import Screen
from index.errors import NutgrafError
from index.settings import Settings


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command and return its exit code.

    :param environ: the environment that settings are read from.
    """
    if sys.stdout is None:  # closed: the next file opened would be in its place
        if sys.stderr is not None:
            sys.stderr.write("nutgraf: stdout is closed; redirect it to /dev/null\n")
        return 1
    try:
        code = _run(argv, environ)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe has gone away
        _discard_output()
        return PIPE_CLOSED
    except OSError as error:
        if error.filename is not None:  # opening a file failed, not writing the answer
            raise
        with suppress(OSError):  # stderr may be closed too
            Screen().complain(f"nutgraf: cannot write the answer: {error.strerror}")
        _discard_output()
        return 1
    return code


def _run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    try:
        args = build_parser().parse_args(argv)
    except SystemExit as stopped:  # after --help, or an error that argparse printed
        return int(stopped.code or 0)
    screen = Screen(as_json=getattr(args, "json", False))
    run: Command = args.run
    try:
        return run(args, Settings.from_environ(environ), screen)
    except NutgrafError as error:
        screen.error(error)
        return 1


def _discard_output() -> None:
    """Discard pending output, which Python could not write at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(null, stream.fileno())


INTERRUPTED = 130  # as shells count SIGINT


PIPE_CLOSED = 141  # as shells count SIGPIPE
