"""Numbers, joined spellings and clitics: every engine finds and marks the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

import pytest
from articles import article
from engines.kinds import KINDS, NOW, open_empty
from engines.searches import fill, matching_ids

from index.archive.marking import Marker
from index.article import PLACES, Role
from index.engines import Engine
from index.query import Query, scoring_leaves
from index.query.grammar import parse
from index.settings import Settings

TEXTS = (
    ("decimal", "en", "Prices rose 1.5 percent in May."),
    ("hundredths", "en", "Prices rose 1.15 percent in May."),
    ("whole", "en", "Prices rose 15 percent in May."),
    ("point", "en", "The index fell .5 percent."),
    ("thousand", "en", "About 1,500 people came."),
    ("tausend", "de", "Rund 1.500 Menschen kamen."),
    ("komma", "de", "Es waren 1,500 Liter."),
    ("litres", "en", "We have 1.500 litres."),
    ("million", "fr", "Un total de 1\u202f000\u202f000 de voix."),
    ("exactly", "en", "A total of 1000000 votes."),
    ("lakh", "en-IN", "Some 12,34,567 voters."),
    ("price", "de", "Es kostet 12.345,67 Euro."),
    ("version", "en", "They run 3.11.2 now."),
    ("score", "en", "They won 2-1 away."),
    ("day", "de", "Am 29.03.2024 um 10.30 Uhr."),
    ("train", "en", "The train at 10.45 on Friday was late."),
    ("gain", "en", "It gained 10.45 on Friday."),
    ("clitic", "en", "She'll resign, we’re told."),
    ("shell", "en", "A shell fell."),
    ("elle", "fr", "Il dit qu'elle part."),
    ("quelle", "fr", "Dans quelle ville ?"),
    ("name", "en", "O'Neill met D'Angelo."),
    ("non-us", "en", "A non-U.S. bank."),
    ("qaida", "en", "A camp of al-Qa'ida there."),
    ("mail", "en", "Send it by e-mail/fax today."),
    ("post", "en", "A post-COVID-19 rise."),
    ("file", "en", "See somefile_T3_report.pdf there."),
    ("us", "en", "The U.S. said so."),
    ("street", "de", "Die Straße ist nass."),
    ("strasse", "de", "Die Strasse ist nass."),
)

# Typed, the articles found, and what is marked in all texts, "|" between.
QUERIES = (
    ('"15 percent"', "whole", "15 percent"),
    ("=15", "whole", "15"),
    ('"5 percent"', "", ""),
    ("1.5", "decimal", "1.5"),
    ("0.5", "point", ".5"),
    ("10.45", "gain train", "10.45"),
    ("=10.45", "gain train", "10.45"),
    ("45", "train", "10.45"),
    ("1045", "", ""),
    ('"10.45 on Friday"', "gain train", "10.45 on Friday"),
    (".5", "point", ".5"),
    ("1,500", "komma litres tausend thousand", "1,500|1.500"),
    ("1.500", "komma litres tausend thousand", "1,500|1.500"),
    ("1500", "tausend thousand", "1,500|1.500"),
    ("=1,500", "komma thousand", "1,500"),
    ("=1500", "", ""),
    ('"1,500 people"', "thousand", "1,500 people"),
    ("500", "", ""),
    ("1000000", "exactly million", "1000000|1\u202f000\u202f000"),
    ("1\u202f000\u202f000", "exactly million", "1000000|1\u202f000\u202f000"),
    ("=1000000", "exactly", "1000000"),
    ("1234567", "lakh", "12,34,567"),
    ("12345.67", "price", "12.345,67"),
    ("12,345.67", "price", "12.345,67"),
    ("3.11.2", "version", "3.11.2"),
    ("11", "version", "3.11.2"),
    ("3.11", "", ""),
    ("11.2", "", ""),
    ("21", "", ""),
    ("2024", "day", "29.03.2024"),
    ("1030", "", ""),
    ("10.30", "day", "10.30"),
    ("shell", "shell", "shell"),
    ("were", "", ""),
    ("quelle", "quelle", "quelle"),
    ("elle", "elle", "qu'elle"),
    ("oneill", "name", "O'Neill"),
    ("dangelo", "name", "D'Angelo"),
    ("=oneill", "", ""),
    ("us", "non-us us", "non-U.S|U.S"),
    ("=us", "", ""),
    ("=U.S.", "us", "U.S"),
    ("qaida", "qaida", "al-Qa'ida"),
    ("email", "mail", "e-mail/fax"),
    ("covid19", "post", "post-COVID-19"),
    ("COVID-1*", "post", "post-COVID-19"),
    ("COVID-?9", "post", "post-COVID-19"),
    ("T3_rep*", "file", "somefile_T3_report.pdf"),
    ("T3_r*t", "file", "somefile_T3_report.pdf"),
    ("T3_r*x", "", ""),
    ("report.p?f", "file", "somefile_T3_report.pdf"),
    ("somefile_T?_report", "file", "somefile_T3_report.pdf"),
    ("straße", "strasse street", "Strasse|Straße"),
    ("strasse", "strasse street", "Strasse|Straße"),
    ("=straße", "street", "Straße"),
    ("=strasse", "strasse", "Strasse"),
)
ARTICLES = tuple(article(id_, text, language=tag) for id_, tag, text in TEXTS)


@pytest.fixture(scope="module", params=KINDS)
def spellings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    engine = open_empty(request.param, tmp_path_factory.mktemp("index"))
    fill(engine, *ARTICLES)
    yield engine
    engine.close()


def parsed(typed: str) -> Query:
    return parse(typed, settings=Settings(), tz=UTC, now=NOW).query


@pytest.mark.parametrize(
    ("typed", "expected"), [row[:2] for row in QUERIES], ids=[row[0] for row in QUERIES]
)
def test_a_spelling_finds_what_is_written_so(
    spellings: Engine, typed: str, expected: str
) -> None:
    assert matching_ids(spellings, parsed(typed)) == expected.split()


@pytest.mark.parametrize(
    ("typed", "marked"), [row[::2] for row in QUERIES], ids=[row[0] for row in QUERIES]
)
def test_marks_are_where_a_spelling_is_found(typed: str, marked: str) -> None:
    words = scoring_leaves(parsed(typed))
    marks = {
        text[start:end]
        for _, language, text in TEXTS
        for start, end in Marker(words, language=language, places=PLACES["text"]).marks(
            [(text, Role.BODY)]
        )[0]
    }
    assert marks == set(filter(None, marked.split("|")))
