"""Certificates and passwords of credentials.py: what is in them, and real servers."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from checkout import ROOT
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from deploy.manifests import documents
from faults.cluster import HOST, free_port

from deploy import credentials
from index.settings import Settings

DATABASE = "database.nutgraf.test"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the script makes."""
    made = tmp_path_factory.mktemp("credentials")
    make(made)
    return made


def make(folder: Path, host: str = "search.desk.example") -> None:
    subprocess.run(
        [
            *(sys.executable, ROOT / "deploy/credentials.py", folder, "--host", host),
            *("--seen-as", folder / "nutgraf"),
        ],
        check=True,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_every_folder_of_the_compose_file_is_filled(folder: Path) -> None:
    (compose,) = documents("compose.yaml")
    mounts = compose["services"]["credentials"]["volumes"]
    expected = {mount.rpartition("/")[2] for mount in mounts}
    assert {path.name for path in folder.iterdir()} == expected
    assert credentials.OWNERS.keys() == expected


def test_the_second_time_nothing_changes(folder: Path) -> None:
    before = contents(folder)
    make(folder)
    assert contents(folder) == before


def test_a_certificate_that_was_deleted_is_made_anew_by_the_same_authority(
    tmp_path: Path,
) -> None:
    make(tmp_path)
    before = contents(tmp_path)
    (tmp_path / "nginx/nutgraf.pem").unlink()
    make(tmp_path)
    after = contents(tmp_path)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"nginx/nutgraf.pem", "nginx/nutgraf.key"}
    authority = certificate(tmp_path / "ca/ca.pem")
    certificate(tmp_path / "nginx/nutgraf.pem").verify_directly_issued_by(authority)


def test_without_a_host_the_script_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "deploy/credentials.py", tmp_path, "--host", " "],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "--host search.desk.example" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_nobody_else_can_read_a_key_or_a_password(folder: Path) -> None:
    for path in folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_authority_signed_every_certificate_for_its_purpose(folder: Path) -> None:
    authority = certificate(folder / "ca/ca.pem")
    purposes = {
        "nginx/nutgraf.pem": {ExtendedKeyUsageOID.SERVER_AUTH},
        "postgresql/server.pem": {ExtendedKeyUsageOID.SERVER_AUTH},
        "opensearch-admin/admin.pem": {ExtendedKeyUsageOID.CLIENT_AUTH},
    }
    for node in credentials.NODES:
        purposes[f"{node}/node.pem"] = {
            ExtendedKeyUsageOID.SERVER_AUTH,
            ExtendedKeyUsageOID.CLIENT_AUTH,
        }
    signed = {name for name in contents(folder) if re.search(r"(?<!/ca)\.pem$", name)}
    assert signed == purposes.keys()
    for name, expected in purposes.items():
        each = certificate(folder / name)
        each.verify_directly_issued_by(authority)
        usage = each.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        assert set(usage.value) == expected


def test_the_nodes_and_the_administrator_are_those_of_opensearch_yml(
    folder: Path,
) -> None:
    (settings,) = documents("opensearch/opensearch.yml")

    def name_of(path: str) -> str:
        return certificate(folder / path).subject.rfc4514_string()

    nodes = [name_of(f"{node}/node.pem") for node in credentials.NODES]
    assert settings["plugins.security.nodes_dn"] == nodes
    admin = [name_of("opensearch-admin/admin.pem")]
    assert settings["plugins.security.authcz.admin_dn"] == admin
    assert settings["discovery.seed_hosts"] == [*credentials.NODES]
    hashing = "plugins.security.password.hashing"
    assert settings[f"{hashing}.pbkdf2.iterations"] == credentials.ITERATIONS
    assert settings[f"{hashing}.pbkdf2.length"] == credentials.BITS


def test_opensearch_has_one_user_with_the_password_that_nutgraf_sends(
    folder: Path,
) -> None:
    users = yaml.safe_load(
        (folder / "opensearch-security/internal_users.yml").read_text()
    )
    assert users.keys() == {"_meta", "nutgraf"}
    _, algorithm, parameters, salt, digest = users["nutgraf"]["hash"].split("$")
    engine = (folder / "nutgraf/engine").read_text()
    password = re.match(
        r"opensearch\+https://nutgraf:([\w-]{43})@opensearch1:9200,", engine
    )
    assert password is not None
    assert (algorithm, int(parameters) >> 32, int(parameters) & 0xFFFFFFFF) == (
        "3",
        credentials.ITERATIONS,
        credentials.BITS,
    )
    expected = hashlib.pbkdf2_hmac(
        "sha256", password[1].encode(), base64.b64decode(salt), credentials.ITERATIONS
    )
    assert base64.b64decode(digest) == expected
    mapping = yaml.safe_load(
        (folder / "opensearch-security/roles_mapping.yml").read_text()
    )
    roles = yaml.safe_load((folder / "opensearch-security/roles.yml").read_text())
    assert mapping.keys() == roles.keys() == {"_meta", "nutgraf"}
    assert mapping["nutgraf"]["users"] == ["nutgraf"]


def test_the_settings_of_nutgraf_are_read_from_the_files_and_are_not_shown(
    folder: Path,
) -> None:
    settings = Settings.from_environ(
        {
            "NUTGRAF_STORE_FILE": str(folder / "nutgraf/store"),
            "NUTGRAF_ENGINE_FILE": str(folder / "nutgraf/engine"),
        }
    )
    assert settings.store.startswith("postgresql+psycopg://nutgraf:")
    password = (folder / "postgresql/password").read_text()
    assert f":{password}@" in settings.store
    assert password not in str(settings.shown())
    assert (folder / "opensearch-admin/password").read_text() in settings.engine
    assert (folder / "opensearch-admin/password").read_text() not in str(
        settings.shown()
    )


def test_a_node_and_a_client_trust_each_other_by_these_certificates(
    folder: Path,
) -> None:
    # As two nodes do, each of which shows its certificate.
    server = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH, cafile=folder / "opensearch1/ca.pem"
    )
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_cert_chain(
        folder / "opensearch1/node.pem", folder / "opensearch1/node.key"
    )
    client = ssl.create_default_context(cafile=folder / "opensearch2/ca.pem")
    client.load_cert_chain(
        folder / "opensearch2/node.pem", folder / "opensearch2/node.key"
    )
    assert handshake(server, client, "opensearch1")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, client, "opensearch3")


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> bool:
    """Whether two sides agree, in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(10):
        for side in [*sides]:
            try:
                side.do_handshake()
                sides.remove(side)
            except ssl.SSLWantReadError:
                pass
    return not sides


# PostgreSQL

if find_spec("psycopg") is None:  # the extra postgresql
    psycopg: Any = None
else:
    import psycopg


def programs() -> Path:
    """Folder of the programs of a PostgreSQL with TLS, which the wheel's has not."""
    found = [
        path.parent
        for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")
        if (path.parent / "psql").exists()
    ]
    if not found or psycopg is None:
        pytest.skip("there is no PostgreSQL in /usr/lib/postgresql, or no psycopg")
    return max(found, key=lambda path: int(path.parent.name))


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """PostgreSQL with the options, the access rules and the script of compose.yaml."""
    bin_folder = programs()
    place = tmp_path_factory.mktemp("postgresql")
    port = free_port()
    credentials.make(
        place / "made",
        host="search.desk.example",
        postgresql=f"{DATABASE}:{port}",
        opensearch="opensearch1:9200",
        seen_as=str(place / "made/nutgraf"),
    )
    (compose,) = documents("compose.yaml")
    options = compose["services"]["postgresql"]["command"][1:]
    rules = place / "pg_hba.conf"
    # Whoever runs the tests is not the user postgres of the container.
    text = (ROOT / "deploy/compose/pg_hba.conf").read_text()
    rules.write_text(text.replace("peer\n", "trust\n"))
    seen = " ".join(options)
    seen = seen.replace("/run/credentials", str(place / "made/postgresql"))
    seen = seen.replace("/etc/postgresql/pg_hba.conf", str(rules))
    seen = seen.replace("512MB", "16MB").replace("=200", "=20")
    seen += f" -c listen_addresses={HOST} -p {port} -k {place} -c fsync=off"
    # PostgreSQL refuses to run as root.
    unprivileged = (
        ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        if os.geteuid() == 0
        else ()
    )
    if unprivileged:
        for above in (*place.parents[:3], place):
            above.chmod(above.stat().st_mode | 0o011)
        for path in (place, *place.rglob("*")):
            os.chown(path, 65534, 65534)

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [*unprivileged, bin_folder / program, "-D", place / "data", *arguments],
            check=True,
            capture_output=True,
            cwd=place,
        )

    run("initdb", "-U", "postgres", "-E", "UTF8", "--no-sync", "-A", "trust")
    run("pg_ctl", "-w", "-l", str(place / "log"), "-o", seen, "start")
    try:
        subprocess.run(
            [ROOT / "deploy/compose/database.sh"],
            check=True,
            capture_output=True,
            env={
                "PATH": f"{bin_folder}:{os.environ['PATH']}",
                "CREDENTIALS": str(place / "made/postgresql"),
                "PGHOST": str(place),
                "PGPORT": str(port),
            },
        )
        yield place / "made", port
    finally:
        run("pg_ctl", "-m", "immediate", "stop")


def connection_to(made: Path, **changes: str) -> str:
    """The address that Nutgraf has, as psycopg takes it, at this machine."""
    store = Settings.from_environ({"NUTGRAF_STORE_FILE": str(made / "nutgraf/store")})
    url = store.store.replace("+psycopg", "")
    for old, new in changes.items():
        url = re.sub(rf"{old}=[^&]*", f"{old}={new}", url)
    # Its name is checked against the certificate; no DNS knows it.
    return f"{url}&hostaddr={HOST}"


@pytest.mark.slow
def test_postgresql_takes_the_password_over_tls_with_the_name_of_the_certificate(
    postgresql: tuple[Path, int],
) -> None:
    made, _ = postgresql
    with closing(psycopg.connect(connection_to(made))) as connection:
        (used,) = connection.execute(
            "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        ).fetchone()
        assert used is True
        connection.execute("CREATE TABLE made (n int)")
        rights = connection.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles"
            " WHERE rolname = current_user"
        ).fetchone()
        assert rights == (False, False, False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "refusal"),
    [
        ("no TLS", "no pg_hba.conf entry"),
        ("another name", "does not match host name"),
        ("another authority", "SSL error"),
        ("another password", "password authentication failed"),
    ],
)
def test_postgresql_refuses_everything_else(
    postgresql: tuple[Path, int], tmp_path: Path, what: str, refusal: str
) -> None:
    made, _ = postgresql
    url = connection_to(made)
    if what == "no TLS":
        url = connection_to(made, sslmode="disable")
    elif what == "another name":
        url = url.replace(f"@{DATABASE}:", "@another.nutgraf.test:")
    elif what == "another authority":
        credentials.Authority(tmp_path)
        url = connection_to(made, sslrootcert=str(tmp_path / "ca.pem"))
    else:
        url = re.sub(r":[\w-]{43}@", ":guessed@", url)
    with pytest.raises(psycopg.OperationalError, match=refusal):
        psycopg.connect(url)
