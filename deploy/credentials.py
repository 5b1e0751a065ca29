"""Certificates and passwords of a Nutgraf on several machines: made once, never twice.

::

    python deploy/credentials.py FOLDER --host search.desk.example

makes a folder for each reader, and nothing that exists is made anew: delete a
certificate and its key to renew them, and the password to change it. Run with
``--owners`` as root, as compose.yaml does, it gives each folder to the user of the
container that reads it.

=======================  =============================================================
``ca/``                  our certificate authority; no container reads its key
``opensearch1/`` to      certificate and key of a node, for clients and other nodes
``opensearch3/``
``opensearch-security/`` what the security plugin starts with: one user, and the hash
                         of its password
``opensearch-admin/``    certificate for ``securityadmin.sh``, to change that later
``postgresql/``          certificate and key of the server, passwords of its two users
``nginx/``               certificate and key for your readers
``nutgraf/``             ``NUTGRAF_STORE`` and ``NUTGRAF_ENGINE``, each in a file
=======================  =============================================================
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import ipaddress
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NODES = ("opensearch1", "opensearch2", "opensearch3")
# User ids of the images in compose.yaml.
OWNERS = {
    **dict.fromkeys((*NODES, "opensearch-security", "opensearch-admin"), 1000),
    "postgresql": 999,
    "nginx": 0,
    "nutgraf": 10001,
    "ca": 0,
}
ORGANISATION = "Nutgraf"
CA_DAYS = 3650
DAYS = 397  # the longest that browsers accept
# OpenSearch's PBKDF2 with SHA-256, as settings in opensearch.yml say too.
ITERATIONS = 600_000
BITS = 256
STATIC = Path(__file__).with_name("opensearch") / "security"


def main() -> None:
    """Make what is missing in a folder."""
    parser = argparse.ArgumentParser(description="Make certificates and passwords.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--host", required=True, help="name that readers use in URLs")
    parser.add_argument(
        "--owners",
        action="store_true",
        help="give each folder to the user of its container; needs root",
    )
    parser.add_argument("--postgresql", default="postgresql:5432", metavar="HOST:PORT")
    parser.add_argument(
        "--opensearch",
        default=",".join(f"{node}:9200" for node in NODES),
        metavar="HOST:PORT,…",
    )
    # Where Nutgraf's processes will see the folder nutgraf/.
    parser.add_argument("--seen-as", default="/run/nutgraf", metavar="PATH")
    args = parser.parse_args()
    if not args.host.strip():
        sys.exit("Name the host that readers use in URLs: --host search.desk.example")
    make(
        args.folder,
        host=args.host.strip(),
        postgresql=args.postgresql,
        opensearch=args.opensearch,
        seen_as=args.seen_as,
    )
    if args.owners:
        give_away(args.folder)


def make(
    folder: Path, *, host: str, postgresql: str, opensearch: str, seen_as: str
) -> None:
    """Make the certificates and passwords that are missing.

    :param host: name or address in readers' URLs.
    :param postgresql: ``HOST:PORT`` of the database.
    :param opensearch: ``HOST:PORT`` of each node, separated by commas.
    :param seen_as: path of the folder ``nutgraf`` in the containers.
    """
    os.umask(0o077)
    authority = Authority(folder / "ca")
    for node in NODES:
        authority.certify(folder / node, "node", (node, "localhost"), both=True)
    authority.certify(folder / "opensearch-admin", "admin", (), both=True)
    database, _, _ = postgresql.rpartition(":")
    authority.certify(folder / "postgresql", "server", (database,))
    authority.certify(folder / "nginx", "nutgraf", (host,))

    password = once(folder / "postgresql" / "password", secret)
    once(folder / "postgresql" / "superuser-password", secret)
    authority.show(folder / "nutgraf")
    once(
        folder / "nutgraf" / "store",
        lambda: (
            f"postgresql+psycopg://nutgraf:{password}@{postgresql}/nutgraf"
            f"?sslmode=verify-full&sslrootcert={seen_as}/ca.pem"
        ),
    )
    security = folder / "opensearch-security"
    security.mkdir(exist_ok=True)
    for path in STATIC.iterdir():
        shutil.copyfile(path, security / path.name)
    password = once(folder / "opensearch-admin" / "password", secret)
    once(security / "internal_users.yml", lambda: users(password))
    once(
        folder / "nutgraf" / "engine",
        lambda: (
            f"opensearch+https://nutgraf:{password}@{opensearch}/nutgraf"
            f"?ca={seen_as}/ca.pem&shards=3&replicas=1"
        ),
    )


def once(path: Path, content: Callable[[], str]) -> str:
    """Content of a file, which is written only if it does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Complete or not at all: a file that exists is never written again.
        new = path.with_name(path.name + ".new")
        new.write_text(content(), "utf-8")
        new.replace(path)
    return path.read_text("utf-8")


def secret() -> str:
    """A new password, of letters, digits, ``-`` and ``_``: it needs no escapes."""
    return secrets.token_urlsafe(32)


def users(password: str) -> str:
    """The security plugin's list of users: ours, and no demo user."""
    return (
        "_meta: {type: internalusers, config_version: 2}\n"
        "nutgraf:\n"
        f'  hash: "{digest(password)}"\n'
        "  reserved: true\n"
        "  description: web machines and indexers of Nutgraf\n"
    )


def digest(password: str) -> str:
    """PBKDF2 digest of a password as OpenSearch writes it.

    ``$ALGORITHM$PARAMETERS$SALT$HASH``: the algorithm is 3 for SHA-256; the parameters
    are iterations and length in bits, 32 bits each; salt and hash are in Base64.
    """
    salt = secrets.token_bytes(128)
    key = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS, BITS // 8)
    parameters = ITERATIONS << 32 | BITS
    encoded = [base64.b64encode(each).decode() for each in (salt, key)]
    return "$".join(("", "3", str(parameters), *encoded))


class Authority:
    """A certificate authority of our own, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not (folder / "ca.key").exists():
            key = ec.generate_private_key(ec.SECP256R1())
            name = subject("Nutgraf certificate authority")
            certificate = (
                builder(name, name, key.public_key(), CA_DAYS)
                .add_extension(x509.BasicConstraints(True, 0), critical=True)
                .add_extension(usage(signs_certificates=True), critical=True)
                .sign(key, hashes.SHA256())
            )
            once(folder / "ca.pem", lambda: written(certificate))
            once(folder / "ca.key", lambda: written_key(key))
        self._certificate = x509.load_pem_x509_certificate(
            (folder / "ca.pem").read_bytes()
        )
        loaded = serialization.load_pem_private_key(
            (folder / "ca.key").read_bytes(), None
        )
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        self._key = loaded

    def show(self, folder: Path) -> None:
        """Write the authority's certificate, without its key, into a folder."""
        once(folder / "ca.pem", lambda: written(self._certificate))

    def certify(
        self, folder: Path, file: str, names: tuple[str, ...], *, both: bool = False
    ) -> None:
        """Write a key and its certificate, unless they are there.

        :param names: hosts or addresses; its folder is the common name without one.
        :param both: whether its owner is a client, too.
        """
        self.show(folder)
        if (folder / f"{file}.pem").exists() and (folder / f"{file}.key").exists():
            return
        (folder / f"{file}.pem").unlink(missing_ok=True)
        (folder / f"{file}.key").unlink(missing_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH] if names else []
        purposes += [ExtendedKeyUsageOID.CLIENT_AUTH] if both else []
        certificate = (
            builder(
                subject(names[0] if names else folder.name),
                self._certificate.subject,
                key.public_key(),
                DAYS,
            )
            .add_extension(x509.BasicConstraints(False, None), critical=True)
            .add_extension(usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        )
        if names:
            certificate = certificate.add_extension(
                x509.SubjectAlternativeName(list(alternatives(names))), critical=False
            )
        signed = certificate.sign(self._key, hashes.SHA256())
        once(folder / f"{file}.key", lambda: written_key(key))
        once(folder / f"{file}.pem", lambda: written(signed))


def subject(common_name: str) -> x509.Name:
    """Distinguished name of a certificate; opensearch.yml names those of the nodes."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]),
        ]
    )


def builder(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    """A certificate that begins an hour ago, for clocks that are late."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
    )


def usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """What a key may be used for."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def alternatives(names: Iterable[str]) -> Iterable[x509.GeneralName]:
    """Names of a server, as its certificate has them."""
    for name in names:
        try:
            yield x509.IPAddress(ipaddress.ip_address(name.strip("[]")))
        except ValueError:
            yield x509.DNSName(name)


def written(certificate: x509.Certificate) -> str:
    """A certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def written_key(key: ec.EllipticCurvePrivateKey) -> str:
    """A private key as PEM, in PKCS #8, which OpenSearch needs."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def give_away(folder: Path) -> None:
    """Give each folder to its reader, who alone may read it."""
    for name, owner in OWNERS.items():
        for path in (folder / name, *(folder / name).iterdir()):
            os.chown(path, owner, owner)
            path.chmod(0o700 if path.is_dir() else 0o600)


if __name__ == "__main__":
    main()
