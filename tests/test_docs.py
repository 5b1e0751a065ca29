"""README.md and docs/ against the code: examples are run, tables are compared.

docs/cli.md and docs/settings.md are held in test_cli_docs.py, docs/formats.md in
test_formats.py.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import shlex
import threading
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import EllipsisType
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from marshmallow import Schema
from marshmallow import fields as kinds
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from index import errors, fields, request
from index.archive import Archive
from index.article import ARTICLE_FIELDS
from index.cli import build_parser
from index.errors import NutgrafError
from index.fields import FIELDS, PLACES
from index.indexer import Indexer
from index.loader import load
from index.settings import Settings
from index.syntax import parse, write
from service import create_app, problems, refusals, schemas
from service.codes import TITLES

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "seeds/README.md"])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")


def text_of(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def page_id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
