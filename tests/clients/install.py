"""Generators and linters of other languages: ``install.py FOLDER`` puts them there.

``make clients`` runs it. What cannot be had is named on stderr, and the tests that need
it skip. A second run needs no network.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

PYTHON = ("openapi-python-client==0.29.1", "ruff==0.17.6")
GENERATOR = "7.25.0"
JAR = f"openapi-generator-cli-{GENERATOR}.jar"
_JAR_DIGEST = "41ce4f6b07f196676439d710759fa1ced7a08066d06ff1bf314681470289efae"
_JAR_ADDRESS = (
    "https://repo1.maven.org/maven2/org/openapitools/openapi-generator-cli/"
    f"{GENERATOR}/{JAR}"
)
_PACKAGES = Path(__file__).with_name("package.json")


def install_python(folder: Path) -> None:
    """Install the generator of Python clients, in an environment of its own."""
    home = folder / "python"
    venv.create(home, with_pip=True)
    _run(home / "bin" / "pip", "install", "--quiet", "--no-input", *PYTHON)


def install_npm(folder: Path) -> None:
    """Install the generator and library of TypeScript clients, and the linters."""
    shutil.copy(_PACKAGES, folder)
    _run(
        *("npm", "install", "--prefix", folder, "--no-audit", "--no-fund"),
        *("--no-package-lock", "--ignore-scripts", "--loglevel=error"),
    )


def download_jar(folder: Path) -> None:
    """Download OpenAPI Generator from Maven Central.

    :raises ValueError: the file is not the one that was released.
    """
    with urlopen(_JAR_ADDRESS, timeout=120) as answer:
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != _JAR_DIGEST:
        raise ValueError(f"{_JAR_ADDRESS} has another digest than {_JAR_DIGEST}")
    (folder / JAR).write_bytes(content)


# What each part is: how it is installed, and the versions that it must have.
PARTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "python": (install_python, " ".join(PYTHON)),
    "npm": (install_npm, _PACKAGES.read_text("utf-8")),
    "jar": (download_jar, _JAR_DIGEST),
}


def stamp(folder: Path, part: str) -> Path:
    """File that says which versions of a part were installed."""
    return folder / f".{part}"


def is_installed(folder: Path, part: str) -> bool:
    """Whether a part is there in the versions that it must have."""
    file = stamp(folder, part)
    return file.exists() and file.read_text("utf-8") == PARTS[part][1]


def main(name: str) -> None:
    """Install all parts that are missing or old."""
    folder = Path(name)
    folder.mkdir(parents=True, exist_ok=True)
    for part, (install, versions) in PARTS.items():
        if is_installed(folder, part):
            continue
        try:
            install(folder)
        except (OSError, URLError, ValueError, subprocess.CalledProcessError) as error:
            sys.stderr.write(f"Without {part}: {error}\n")
            continue
        stamp(folder, part).write_text(versions, "utf-8")


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main(sys.argv[1])
