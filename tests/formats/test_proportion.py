"""Readers work in proportion to what they are sent, and stop at the limits.

Work is counted: lines of our code that run, and characters that our patterns pass, also
from one start of a search after another. The long form, in ``make faults``, compares
processor time too: C code counts there.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from index import formats
from index.article import MAX_PARAGRAPHS
from index.errors import LimitExceeded
from index.formats import ReadOptions
from index.formats.property_names import plain_name
from index.parsing import json_records, markup, paragraphs, parse_json, strict_json
from tests.faults.amounts import SIZE, amount
from tests.formats import rescans
from tests.formats.shapes import SHAPES, Shape

SMALL = amount(150, 20_000)  # units of the smaller input
GROWTH = 4
MOST = 1.4 * GROWTH  # in proportion, with what sorting and short inputs add


class CountedPattern:
    """A pattern that counts the characters it passes."""

    def __init__(self, pattern: re.Pattern[Any], work: Work) -> None:
        self._pattern, self._work = pattern, work

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pattern, name)

    def match(self, text: Any, *place: int) -> Any:
        return self._of(self._pattern.match(text, *place), 0, *place)

    def fullmatch(self, text: Any, *place: int) -> Any:
        return self._of(self._pattern.fullmatch(text, *place), 0, *place)

    def search(self, text: Any, *place: int) -> Any:
        match = self._pattern.search(text, *place)
        self._rescan(text, match.start() if match else len(text), *place[:1])
        return self._of(match, len(text), *place)

    def finditer(self, text: Any, at: int = 0) -> Iterator[Any]:
        self._rescan(text, len(text), at)
        for match in self._pattern.finditer(text, at):
            self._work.steps += match.end() - at
            at = match.end()
            yield match

    def findall(self, text: Any) -> Any:
        self._pass(text)
        return self._pattern.findall(text)

    def sub(self, new: Any, text: Any, count: int = 0) -> Any:
        self._pass(text)
        return self._pattern.sub(new, text, count=count)

    def split(self, text: Any, maxsplit: int = 0) -> Any:
        self._pass(text)
        return self._pattern.split(text, maxsplit=maxsplit)

    def _pass(self, text: Any) -> None:
        self._work.steps += len(text)
        self._rescan(text, len(text))

    def _rescan(self, text: Any, end: int, at: int = 0) -> None:
        self._work.steps += rescans.steps(self._pattern, text, at, end)

    def _of(self, match: Any, otherwise: int, at: int = 0, end: int = 0) -> Any:
        self._work.steps += max(0, (match.end() if match else otherwise) - at)
        return match


class Work:
    """The steps of our own code: lines that run, and characters of patterns."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps = 0
        for name, module in list(sys.modules.items()):
            if name.startswith(("index.parsing", "index.formats")):
                for attribute, value in list(vars(module).items()):
                    if isinstance(value, re.Pattern):
                        monkeypatch.setattr(
                            module, attribute, CountedPattern(value, self)
                        )

    def of(self, task: Callable[[], object]) -> int:
        """Steps that a task takes."""
        self.steps = 0
        before = sys.gettrace()
        sys.settrace(self._called)
        try:
            task()
        finally:
            sys.settrace(before)
        return self.steps

    def _called(self, frame: FrameType, event: str, _: Any) -> Any:
        name = frame.f_globals.get("__name__", "")
        return self._line if name.startswith("index.") else None

    def _line(self, frame: FrameType, event: str, _: Any) -> Any:
        self.steps += event == "line"
        return self._line


def read(shape: Shape, data: bytes) -> None:
    """Read an input as it is declared, and as its content looks."""
    for _ in formats.read(shape.format, data, encoding=shape.encoding):
        pass
    if shape.encoding is None:
        for _ in formats.read_detected(shape.format, data):
            pass


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_reading_takes_steps_in_proportion(
    shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = min(SMALL, 2_000)
    small, large = shape.of_size(units), shape.of_size(GROWTH * units)
    read(shape, large)  # fills the caches of names
    work = Work(monkeypatch)
    one = work.of(lambda: read(shape, small))
    other = work.of(lambda: read(shape, large))
    assert other <= MOST * max(one, 3_000)


@pytest.mark.slow
@pytest.mark.parametrize("start", ['{"a": 1, "', '[{"', '{"a\\\n'])
def test_a_head_of_json_is_passed_once(
    start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work(monkeypatch)
    one, other = (
        work.of(lambda data=data: formats.detect("a.json", data))  # type: ignore[misc]
        for data in ((start + '\\"' * n).encode() for n in (450, 450 * GROWTH))
    )
    assert other <= MOST * max(one, 3_000)


@pytest.mark.slow
@pytest.mark.skipif(SIZE != "full", reason="a machine at rest is needed")
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_reading_takes_processor_time_in_proportion(shape: Shape) -> None:
    def seconds(data: bytes) -> float:
        start = time.thread_time()
        read(shape, data)
        return time.thread_time() - start

    one = min(seconds(shape.of_size(SMALL)) for _ in range(3))
    other = min(seconds(shape.of_size(GROWTH * SMALL)) for _ in range(2))
    assert other <= 3 * GROWTH * one + 0.5


def test_there_are_seventy_shapes_and_no_two_alike() -> None:
    names = [shape.name for shape in SHAPES]
    assert len(names) == len(set(names))
    assert len(names) >= 70


class CountedStream:
    """A stream without end that counts the bytes that were taken from it."""

    def __init__(self, unit: bytes) -> None:
        self._unit, self.taken = unit, 0

    def read(self, size: int = -1) -> bytes:
        data = (self._unit * (size // len(self._unit) + 1))[:size]
        self.taken += len(data)
        return data


def refusal(format_name: str, data: Any, **options: Any) -> LimitExceeded:
    (record,) = formats.read(format_name, data, options=ReadOptions(**options))
    assert isinstance(record.error, LimitExceeded)
    return record.error


def test_a_text_is_read_no_further_than_an_article_may_be_long() -> None:
    stream = CountedStream(b"ab\n")
    error = refusal("text", stream, article_bytes=100_000)
    assert (error.code, error.limit) == ("article_too_large", 100_000)
    assert stream.taken < 300_000


def test_white_space_is_not_counted_as_text() -> None:
    text = b"Head\n\n" + b" \n" * 100_000 + b"end"
    (record,) = formats.read("text", text, options=ReadOptions(article_bytes=10_000))
    assert record.article is not None
    assert [part.text for part in record.article.paragraphs] == ["Head", "end"]


def test_html_is_parsed_no_further_than_its_limits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = 0
    start = markup._Target.start

    def counted(self: Any, tag: str, attributes: Any) -> None:
        nonlocal started
        started += 1
        start(self, tag, attributes)

    monkeypatch.setattr(markup._Target, "start", counted)
    with pytest.raises(LimitExceeded, match="paragraphs: at most 20,000"):
        markup.html_paragraphs("<p>a" * 200_000)
    assert started < 4 * MAX_PARAGRAPHS
    started = 0
    with pytest.raises(LimitExceeded, match="tags of HTML"):
        markup.html_paragraphs("<b></b>" * 200_000)
    assert started < 10
    with pytest.raises(LimitExceeded, match="open inside one another"):
        markup.html_paragraphs("<b>" * 100_000 + "</i>" * 100_000)


@pytest.mark.parametrize(
    "body",
    [
        {"text": "ab\n" * 20_001},
        {"blocks": [{"text": "ab"}] * 20_001},
        {"blocks": [{"type": "list", "items": ["ab"] * 20_001}]},
        {"paragraphs": ["ab"] * 20_001},
        {"body": [{"type": "table", "rows": [["a"]] * 20_001}]},
        {"body_html": "<pre>" + "ab\n" * 20_001 + "</pre>"},
    ],
    ids=lambda body: "-".join(body),
)
@pytest.mark.slow
def test_an_article_has_at_most_so_many_paragraphs(body: dict[str, Any]) -> None:
    data = json.dumps({"id": "a", "headline": "b", **body}).encode()
    assert refusal("jsonl", data).parameter == "paragraphs"


@pytest.mark.slow
def test_a_text_has_at_most_so_many_paragraphs() -> None:
    assert len(paragraphs("ab\n" * MAX_PARAGRAPHS)) == MAX_PARAGRAPHS
    with pytest.raises(LimitExceeded):
        paragraphs("ab\n" * (MAX_PARAGRAPHS + 1))


def test_values_of_json_are_counted_before_they_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(strict_json, "MAX_VALUES", 1_000)
    assert len(parse_json("[" + "0," * 998 + "0]")) == 999
    many = "[" + "[]," * 1_000 + "[]]"
    with pytest.raises(LimitExceeded, match="commas and brackets"):
        parse_json(many)
    assert len(parse_json("[" + " " * 20 * 2_000 + "0," * 1_500 + "0]")) == 1_501
    many = "[" + "[]," * 50_000 + "[]]"
    item = f'{{"id": "a", "x":\n{many}}}'.encode()
    for each in (item, b"[" + item + b"]", item.replace(b"\n", b"")):
        (value,) = json_records(each)
        assert isinstance(value.error, LimitExceeded)


def test_lines_that_are_no_document_are_read_in_turn() -> None:
    values = list(json_records(b'{"id":\n{"id": 1}\n\n{"id": 2}\n'))
    assert [(each.line, each.value) for each in values] == [
        (1, None),
        (2, {"id": 1}),
        (4, {"id": 2}),
    ]


def test_names_of_any_length_leave_nothing_in_the_caches() -> None:
    before = plain_name.__wrapped__  # type: ignore[attr-defined]
    assert plain_name("A_" * 1_000) == "a" * 1_000
    assert before("A_b") == plain_name("A_b") == "ab"
