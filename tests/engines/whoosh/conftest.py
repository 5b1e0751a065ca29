"""An index of each codec with the same documents."""

from __future__ import annotations

import random

import pytest
from engines.whoosh.stock import SEED, Pair, filled, made_up_words


@pytest.fixture(scope="module")
def words() -> list[str]:
    return made_up_words(random.Random(SEED), 300)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> Pair:
    return filled(tmp_path_factory.mktemp("pair"), words, segments=3)
