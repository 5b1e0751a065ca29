"""The manifests of deploy/: their documents, and what of the code they name."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from checkout import ROOT

from index.cli.parser import build_parser
from index.settings import Settings
from service import create_app

DEPLOY = ROOT / "deploy"
SECRETS = ("password", "secret", "token")


def documents(path: str) -> list[Any]:
    """Documents of a YAML file of deploy/."""
    return list(yaml.safe_load_all((DEPLOY / path).read_text("utf-8")))


def texts(document: Any) -> Iterator[str]:
    """All strings in a document, the names of its members too."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield str(name)
            yield from texts(value)
    elif isinstance(document, list):
        for value in document:
            yield from texts(value)
    elif isinstance(document, str):
        yield document


def check_command(words: list[str]) -> None:
    """Check that a command exists, with these options."""
    program, *arguments = words
    if program == "nutgraf":
        parser = build_parser()
        assert isinstance(parser, ArgumentParser)
        parser.parse_args(arguments)  # it exits with an error otherwise
    elif program == "python" and arguments[0].startswith("/srv/"):
        assert (ROOT / arguments[0].removeprefix("/srv/")).is_file(), arguments
    elif program in ("python", "sleep", "postgres", "pg_isready", "curl"):
        pass  # of the image
    else:
        assert entry_points(group="console_scripts", name=program), program


def check_settings(environ: dict[str, str]) -> None:
    """Check that variables are settings of ours, and hold no secret."""
    for name, value in environ.items():
        if name.startswith("NUTGRAF_"):
            setting = name.removeprefix("NUTGRAF_").removesuffix("_FILE").lower()
            assert setting in Settings.__dataclass_fields__, name
        assert not any(word in value.lower() for word in SECRETS) or (
            name.endswith("_FILE")
        ), f"{name} holds a secret; name a file"


def check_route(url: str, folder: Path) -> None:
    """Check that the service answers to a path with these parameters.

    :param folder: an empty one.
    """
    parts = urlsplit(url)
    settings = Settings(store=f"sqlite:///{folder / 'nutgraf.db'}", engine="memory:")
    client = create_app(settings).test_client()
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    # 503 without a store; unknown routes and parameters are 404 and 400.
    assert client.get(path).status_code in (200, 503), url


def is_pinned(image: str) -> bool:
    """Whether an image is named with a version of at least two numbers."""
    return re.search(r":v?\d+\.\d+", image) is not None
