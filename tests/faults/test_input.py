"""Poison articles, fuzzed queries and bad files, on a real index."""

from __future__ import annotations

import gzip
import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from checkout import ROOT
from faults.amounts import LATE_SECONDS, amount, chance
from flask.testing import FlaskClient
from http_inputs import SIGNS, WORDS, check, json_values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from index import cli
from index.archive import Archive
from index.article import article_of
from index.jobs import Indexer
from index.settings import Settings
from service import create_app
from service.codes import PROBLEM_TYPES

pytestmark = pytest.mark.slow


def many(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


class Service(NamedTuple):
    """A service over an index on disk, all in this process."""

    client: FlaskClient
    index: Callable[[], None]
    settings: Settings

    def articles_with(self, word: str) -> int:
        """Number of articles that a search for a word counts."""
        answer = self.client.get("/v1/search", query_string={"q": word, "limit": 0})
        assert answer.status_code == 200, answer.data
        total: int = answer.json["total"]["articles"]
        return total


def texts() -> Iterator[dict[str, Any]]:
    """Yield articles of the words that the fuzzed queries are made of."""
    seed = chance("texts")
    for n in range(300):
        yield {
            "id": f"a{n}",
            "headline": " ".join(filter(str.strip, seed.sample(WORDS, 3))) or "Head",
            "paragraphs": [
                " ".join(seed.choices([*WORDS, f"only{n}", f"run{n % 7}ning"], k=30))
                for _ in range(5)
            ],
            "section": seed.choice(["World", "Sport"]),
            "urgency": seed.randrange(1, 9),
            "published": f"20{seed.randrange(10, 25)}-0{seed.randrange(1, 9)}-11",
        }


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that the tests of this file share."""
    folder = tmp_path_factory.mktemp("service")
    folder.chmod(0o700)
    settings = Settings(
        store=f"sqlite:///{folder / 'nutgraf.db'}", engine=f"whoosh:{folder / 'index'}"
    )
    archive = Archive.open(settings)
    archive.put([article_of(each) for each in texts()])
    indexer = Indexer(archive.store, archive.engine)
    indexer.catch_up()
    yield Service(
        create_app(settings, archive).test_client(), indexer.catch_up, settings
    )
    archive.close()


# Articles that are wrong, huge or strange: what is in the place of an item of a list.

ZALGO = "e" + "́̂" * 5_000
POISON: dict[str, Any] = {
    "no id": {"headline": "WORD"},
    "an id that is a number": {"id": 7, "headline": "WORD"},
    "a blank id": {"id": "", "headline": "WORD"},
    "an id with a blank": {"id": "WORD x", "headline": "WORD"},
    "an id with a new line": {"id": "WORD\nx", "headline": "WORD"},
    "an id with a NUL": {"id": "WORD\0", "headline": "WORD"},
    "an id of 401 characters": {"id": "WORD" + "x" * 401, "headline": "WORD"},
    "an id of a path": {"id": "../../WORD", "headline": "WORD"},
    "an id of markup": {"id": "<WORD>", "headline": "WORD"},
    "no text": {"id": "WORD", "source": "WORD"},
    "blank text": {"id": "WORD", "headline": " ", "paragraphs": ["\n", ""]},
    "a headline that is a number": {"id": "WORD", "headline": 3, "byline": "WORD"},
    "a headline that is a list": {"id": "WORD", "headline": ["WORD"]},
    "paragraphs that are a number": {"id": "WORD", "headline": "WORD", "paragraphs": 5},
    "paragraphs in paragraphs": {
        "id": "WORD",
        "headline": "WORD",
        "paragraphs": [[["WORD"]]],
    },
    "a paragraph that is null": {
        "id": "WORD",
        "headline": "WORD",
        "paragraphs": [None, 1, "WORD"],
    },
    "a role that there is not": {
        "id": "WORD",
        "paragraphs": [{"role": "horoscope", "text": "WORD"}],
    },
    "an unknown status": {"id": "WORD", "headline": "WORD", "status": "nearly"},
    "a status that is a list": {"id": "WORD", "headline": "WORD", "status": ["usable"]},
    "a version below 0": {"id": "WORD", "headline": "WORD", "version": -1},
    "a version that is an object": {"id": "WORD", "headline": "WORD", "version": {}},
    "an urgency of 99": {"id": "WORD", "headline": "WORD", "urgency": 99},
    "a date that is none": {"id": "WORD", "headline": "WORD", "published": "soon"},
    "the year 0": {"id": "WORD", "headline": "WORD", "published": "0000-01-01"},
    "the year 1": {
        "id": "WORD",
        "headline": "WORD",
        "published": "0001-01-01T00:00:00+14:00",
    },
    "the year 9999": {
        "id": "WORD",
        "headline": "WORD",
        "published": "9999-12-31T23:59:59-12:00",
    },
    "a date of 400 digits": {"id": "WORD", "headline": "WORD", "published": "9" * 400},
    "an embargo that is none": {
        "id": "WORD",
        "headline": "WORD",
        "embargoed_until": "later",
    },
    "a language that is none": {"id": "WORD", "headline": "WORD", "language": "¿?"},
    "subjects that are numbers": {"id": "WORD", "headline": "WORD", "subjects": [1, 2]},
    "a subject without a name": {
        "id": "WORD",
        "headline": "WORD",
        "subjects": [{"code": "x"}],
    },
    "ten thousand keywords": {
        "id": "WORD",
        "headline": "WORD",
        "keywords": [f"k{n}" for n in range(10_000)],
    },
    "above the limit": {
        "id": "WORD",
        "headline": "WORD",
        "paragraphs": ["x " * 600_000],
    },
    "130,000 distinct words": {
        "id": "WORD",
        "headline": "WORD",
        "paragraphs": [" ".join(f"d{n}" for n in range(130_000))],
    },
    "a word of 70,000 letters": {
        "id": "WORD",
        "headline": "WORD",
        "paragraphs": ["x" * 70_000],
    },
    "20,000 paragraphs": {
        "id": "WORD",
        "headline": "WORD",
        "paragraphs": ["One."] * 20_000,
    },
    "ten thousand accents on a letter": {
        "id": "WORD",
        "headline": "WORD",
        "paragraphs": [ZALGO],
    },
    "text from right to left": {"id": "WORD", "headline": "\u202eWORD\u202c \u2066x"},
    "joiners and nothing else": {
        "id": "WORD",
        "headline": "WORD",
        "paragraphs": ["\u200d\u200c" * 500],
    },
    "control characters": {
        "id": "WORD",
        "headline": "WORD",
        "byline": "a\u0007\u001bb",
    },
    "a NUL in the text": {"id": "WORD", "headline": "WORD", "paragraphs": ["a\0b"]},
    "markup": {
        "id": "WORD",
        "headline": "WORD <script>alert(1)</script>",
        "body_html": "<p onclick=x()>WORD<img src=x onerror=y()>",
    },
    "tags in tags": {"id": "WORD", "headline": "WORD", "body_html": "<b>" * 50_000},
    "many less-than signs": {
        "id": "WORD",
        "headline": "WORD",
        "body_html": "<" * 100_000,
    },
    "ever more of extra": {
        "id": "WORD",
        "headline": "WORD",
        "extra": {"a": {"b": {"c": [[[[{}]]]]}}},
    },
    "null": None,
    "a number": 12,
    "a text": "WORD",
    "a list": ["WORD"],
    "nothing in it": {},
}
_serial = iter(range(10**9))


def poisoned(poison: Any, word: str) -> Any:
    """A poison article with the word in every place of WORD."""
    return json.loads(json.dumps(poison).replace("WORD", word))


class Posted(NamedTuple):
    """A request with a poison article, and its answer.

    :ivar word: is only in the poison article.
    :ivar good: is in the two good articles around it; empty if it was sent alone.
    """

    word: str
    good: str
    answer: TestResponse


def holds(service: Service, poison: Any) -> None:
    """Send an article alone and between two good ones, and check what is stored."""
    posted = [_posted(service, poison, between=between) for between in (False, True)]
    service.index()  # of both, so that the index has to tell all of them apart
    for each in posted:
        _check_stored(service, each)


def _posted(service: Service, poison: Any, *, between: bool) -> Posted:
    serial = next(_serial)
    word, good = f"poison{serial}", f"good{serial}" if between else ""
    sent = [poisoned(poison, word)]
    if good:
        first, last = ({"id": f"good-{serial}-{n}", "headline": good} for n in (1, 2))
        sent = [first, *sent, last]
    answer = service.client.post(
        "/v1/articles", data=json.dumps(sent), content_type="application/json"
    )
    check(answer, 200, 207, 400, 422)
    return Posted(word, good, answer)


def _check_stored(service: Service, posted: Posted) -> None:
    word, good, answer = posted
    if answer.status_code == 400:  # it is no JSON, which is known only of all of it
        assert answer.json["code"] == "invalid_json", answer.data
        assert service.articles_with(word) == 0
        return
    results = answer.json.get("results", [answer.json])
    result = results[1 if good else 0]
    if good:
        assert [each["status"] for each in results[::2]] == ["created", "created"]
        assert service.articles_with(good) == 2
    if result["status"] in ("error", 422):
        problem = result.get("error", result)
        assert problem["code"] in PROBLEM_TYPES and problem["detail"], problem
        assert service.articles_with(word) == 0
        return
    assert result["status"] in ("created", "updated", "unchanged"), result
    reply = service.client.get("/v1/article", query_string={"id": result["id"]})
    assert reply.status_code in (200, 404), reply.data
    texts = [each["text"] for each in (reply.json.get("paragraphs") or ())]
    # Its text may have been in something that is not searched.
    shows = reply.status_code == 200 and any(word in text for text in texts)
    assert service.articles_with(word) == int(shows)


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
def test_a_poison_article_costs_only_itself(service: Service, poison: Any) -> None:
    holds(service, poison)


FIELDS = sorted(
    {*(name for each in POISON.values() if isinstance(each, dict) for name in each)}
    | {"updated", "people", "expires", "body_text", "uri", "type", "section", "story"}
    | {"correction", "evolved_from", "ed_note", "dateline", "authors", "places", "url"}
)


@many(amount(30, 2_000))
@given(
    st.dictionaries(
        st.sampled_from(FIELDS),
        json_values | st.text(max_size=300),
        max_size=5,
    ),
    st.booleans(),
)
def test_any_poison_article_costs_only_itself(
    service: Service, fields: dict[str, Any], is_article: bool
) -> None:
    # Hypothesis sets this to the same start each time, and segments are named by it.
    random.seed()
    base = {"id": "WORD", "headline": "WORD", "paragraphs": ["WORD here."]}
    holds(service, {**base, **fields} if is_article else fields)


def test_all_poison_in_one_batch_costs_only_itself(service: Service) -> None:
    items = [poisoned(poison, f"crowd{n}") for n, poison in enumerate(POISON.values())]
    for number, around in enumerate((items, [])):  # and the next batch is fine
        good = [
            {"id": f"end-{number}-{n}", "headline": f"afterwards{number}"}
            for n in (1, 2)
        ]
        answer = service.client.post("/v1/articles", json=[good[0], *around, good[1]])
        assert answer.status_code == (207 if around else 200), answer.data[:500]
        results = answer.json["results"]
        assert [results[n]["status"] for n in (0, -1)] == ["created"] * 2
        assert {each["status"] for each in results} <= {"created", "updated", "error"}
        service.index()
        assert service.articles_with(f"afterwards{number}") == 2


# Bodies of which not a word is kept: what is JSON is known only of the whole.


@pytest.mark.parametrize(
    "body",
    [
        b'[{"id": "whole-1", "headline": "wholly"}, {"id": "a", "headline": NaN}]',
        b'[{"id": "whole-1", "headline": "wholly"}, {"id": "a", "id": "b"}]',
        b'[{"id": "whole-1", "headline": "wholly"}, {"headline": "\\ud800"}]',
        b'[{"id": "whole-1", "headline": "wholly"}, 1e400]',
        b'[{"id": "whole-1", "headline": "wholly"}, {"headline": "\xff"}]',
        b'[{"id": "whole-1", "headline": "wholly"}, ' + b"[" * 100_000,
        b'[{"id": "whole-1", "headline": "wholly"}, ' + b"[" * 99 + b"]" * 100,
        b'[{"id": "whole-1", "headline": "wholly"}, 1' + b"0" * 400 + b"]",
        b'[{"id": "whole-1", "headline": "wholly"}, {"a": ' + b"1" * 5_000 + b"}]",
        b'[{"id": "whole-1", "headline": "wholly"}',
    ],
)
def test_nothing_is_kept_of_a_body_that_is_no_json(
    service: Service, body: bytes
) -> None:
    answer = service.client.post(
        "/v1/articles", data=body, content_type="application/json"
    )
    check(answer, 400)
    service.index()
    assert service.articles_with("wholly") == 0


# Queries.

# Each was slow, or an error, in this search engine or another one.
HOSTILE = (
    *("*", "?*", "ba*", "*ri", "***", "a* *e* *i*", "har*", "h?r*", "run*ning"),
    *("harbour~2", "harbour~9", "x" * 300 + "~99", "harbour~", "a~1", "~", "~1"),
    " OR ".join(f"only{n}" for n in range(300)),
    " ".join(["the"] * 5_000),
    *("(" * 1_000, ")" * 1_000, "(" * 20_000 + "a" + ")" * 20_000),
    *("(a OR " * 400 + "b" + ")" * 400, "NOT NOT a", "NOT " * 400 + "a", "- - -a"),
    *("x" * 8_000, "x" * 100_000, "[a TO z]", "published:[a TO z]", "urgency:>" * 30),
    *("/.*/", "([a-z]+)+!", '"' * 999, '"a b"~99999999999999999999', "a^1e400"),
    *("published:[9999-12-31 TO 0001-01-01]", "urgency:<=" + "9" * 400, "a:b:c:d"),
    *("\ud7ff", "a\u202eb", "a\0b", "́" * 500, "ﷺ" * 300, "İ" * 300, "🧑‍🚀" * 90),
    *("=" * 500, '="', '="a', "headline:", "headline:(", "headline:()", "nope:(a OR b"),
    *("\\" * 500, "a\\", "%00%ff", "{{7*7}}", "' OR 1=1 --", "<script>", "\n" * 500),
    *("AND", "OR OR", "a AND", "OR a", "NOT", "a NOT", "AND NOT OR", "()", '""', "-()"),
)

atoms = st.sampled_from(
    [*WORDS, "only7", "run3ning", "*", "h*", "har*", "ha?b*", "x~2"]
)
leaves = st.one_of(
    atoms,
    atoms.map('"{}"'.format),
    st.tuples(atoms, atoms).map('"{0[0]} {0[1]}"~3'.format),
    atoms.map("={}".format),
    atoms.map("headline:{}".format),
    st.integers(-2, 12).map("urgency:<={}".format),
    st.tuples(st.integers(0, 9999), st.integers(0, 9999)).map(
        "published:[{0[0]} TO {0[1]}]".format
    ),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=5).map(" ".join),
        st.lists(inner, min_size=2, max_size=5).map(" OR ".join),
        inner.map("({})".format),
        inner.map("NOT {}".format),
        inner.map("-{}".format),
        st.tuples(inner, st.integers(0, 99)).map("{0[0]}^{0[1]}".format),
    ),
    max_leaves=30,
)
fuzzed = st.one_of(
    trees,
    st.lists(st.sampled_from(WORDS + SIGNS), max_size=40).map(" ".join),
    st.lists(st.sampled_from(WORDS + SIGNS), max_size=40).map("".join),
    st.text(max_size=200),
    # A good query with something wrong in the middle.
    st.tuples(trees, st.text(max_size=3), st.integers(0, 60)).map(
        lambda each: each[0][: each[2]] + each[1] + each[0][each[2] :]
    ),
)


def answered(service: Service, **parameters: object) -> None:
    """Check that a search gets a documented answer before its deadline."""
    started = time.monotonic()
    answer = service.client.get("/v1/search", query_string=parameters)
    seconds = time.monotonic() - started
    assert seconds < service.settings.search_seconds + LATE_SECONDS
    check(answer, 200, 400, 503)
    if answer.status_code == 400:
        # The reason: which parameter, and in words.
        assert answer.json["parameter"] in parameters, answer.json
        assert len(answer.json["detail"]) < 500, answer.json
    if answer.status_code == 503:
        assert answer.json["code"] == "search_timeout"


@pytest.mark.parametrize("q", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_query_is_answered(service: Service, q: str) -> None:
    for scope in ("article", "paragraph"):
        for strict in (0, 1):
            answered(service, q=q, scope=scope, strict=strict, facet="section")


@many(amount(300, 10_000))
@given(
    q=fuzzed,
    more=st.fixed_dictionaries(
        {},
        optional={
            "scope": st.just("paragraph"),
            "unit": st.just("paragraph"),
            "in": st.sampled_from(["all", "headline"]),
            "strict": st.just(1),
            "sort": st.sampled_from(["newest", "relevance"]),
            "facet": st.sampled_from(["section", "published:auto"]),
            "explain": st.just(1),
        },
    ),
)
def test_any_fuzzed_query_is_answered(
    service: Service, q: str, more: dict[str, object]
) -> None:
    try:
        q.encode()
    except UnicodeEncodeError:
        return  # half a surrogate pair has no place in a URL
    answered(service, q=q, limit=3, **more)


# Files.

GOOD = 5  # files among the bad ones


class Bad(NamedTuple):
    """A bad file.

    :ivar hopeless: no reader can find an article in it.
    """

    ending: str
    data: bytes
    hopeless: bool = False


def bad_file(seed: random.Random, sample: bytes) -> Bad:
    """Bytes that are no file of articles."""
    ending = seed.choice([".jsonl", ".json", ".ninjs", ".txt", ".jsonl.gz"])
    packed = gzip.compress(sample)
    flipped = bytearray(sample)
    for _ in range(20):
        flipped[seed.randrange(len(sample))] ^= 1 << seed.randrange(8)
    text = sample.decode("utf-8", errors="replace")
    coding = seed.choice(["utf-16", "utf-16-le", "utf-32", "utf-7", "cp037"])
    mark = seed.choice([b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"])
    head = seed.choice([b"%PDF-1.7\n", b"PK\3\4", b"\x89PNG\r\n\x1a\n", b"\x7fELF"])
    bomb = seed.choice([b"[" * 3_000_000, b'{"headline":"' + b"x" * 3_000_000])
    return seed.choice(
        [
            Bad(ending, b"", hopeless=True),
            Bad(
                ending,
                b"\xff" + seed.randbytes(seed.randrange(1, 3_000)),
                hopeless=True,
            ),
            Bad(ending, sample[: 64 * seed.randrange(1 + len(sample) // 64)]),
            Bad(ending, text.encode(coding, errors="replace")),
            Bad(ending, mark + sample),
            Bad(".jsonl.gz", gzip.compress(bomb), hopeless=True),
            Bad(".jsonl.gz", packed[: seed.randrange(len(packed))]),
            Bad(".jsonl", b"[" * seed.randrange(1, 100_000), hopeless=True),
            Bad(ending, bytes(flipped)),
            Bad(ending, b"\0" * seed.randrange(1, 5_000), hopeless=True),
            Bad(ending, head + b"\xff" + seed.randbytes(500), hopeless=True),
            Bad(ending, b'{"id": "' + seed.randbytes(20) + b'"}\n' + sample[:300]),
        ]
    )


@pytest.fixture(scope="module")
def samples() -> list[bytes]:
    """Valid files of every format that is read."""
    paths = [p for p in sorted((ROOT / "seeds").rglob("*")) if p.is_file()]
    return [p.read_bytes() for p in paths if p.name != "README.md"]


def test_bad_files_cost_their_own_line_in_the_report(
    tmp_path: Path, samples: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    seed = chance("files")
    count = amount(60, 1_000)
    folder, data = tmp_path / "in", tmp_path / "data"
    folder.mkdir()
    data.mkdir(mode=0o700)
    good = {seed.randrange(count) for _ in range(GOOD)}
    hopeless = set()
    for number in range(count):
        bad = bad_file(seed, seed.choice(samples))
        path = folder / f"{number:04}-bad{bad.ending}"
        path.write_bytes(bad.data)
        if bad.hopeless:
            hopeless.add(path.name)
        if number in good:
            line = {"id": f"good-{number}", "headline": f"sound{number} inmidst"}
            (folder / f"{number:04}-good.jsonl").write_text(json.dumps(line))
    environ = {
        "NUTGRAF_STORE": f"sqlite:///{data / 'nutgraf.db'}",
        "NUTGRAF_ENGINE": f"whoosh:{data / 'index'}",
    }
    code = cli.main(["load", str(folder), "--json"], environ)
    out, err = capsys.readouterr()
    assert (code, "Traceback" in err) == (1, False), err
    lines = [json.loads(line) for line in out.splitlines()]
    problems = [next(iter(each.values())) for each in lines[:-1]]
    assert all(each["reason"] for each in problems)
    assert lines[-1]["report"]["passed_over"] == 0
    names = {Path(each["file"]).name for each in problems}
    assert hopeless <= names
    assert {name for name in names if name.endswith("-good.jsonl")} == set()
    archive = Archive.open(Settings.from_environ(environ))
    client = create_app(archive.settings, archive).test_client()
    for number in good:
        assert client.get(f"/v1/articles/good-{number}").status_code == 200
    page = client.get("/v1/search?q=inmidst").json
    assert page["total"]["articles"] == len(good)
    archive.close()
    assert cli.main(["verify"], environ) == 0, capsys.readouterr()
