"""Tables: which rows they have, and what a cell says. Golden files are in csv/."""

from __future__ import annotations

import csv as standard
import io
import json
from typing import Any

import pytest
from faults.amounts import amount
from hypothesis import given, settings
from hypothesis import strategies as st

from index.article import Article
from index.errors import UnknownFormat
from index.formats import ReadOptions, detect, read
from index.parsing import delimited, source, table_rows


def articles_of(text: str, **options: Any) -> list[Article | None]:
    records = read("csv", text.encode(), options=ReadOptions(**options))
    return [record.article for record in records]


def rows_of(data: bytes) -> list[list[str] | None]:
    rows = table_rows(iter([data]), {"id", "title"}.__contains__)
    return [row.cells if row.error is None else None for row in rows]


CELLS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12
) | st.text("\"',;|\t\n\\ a#", max_size=8)


@pytest.mark.slow
@given(
    st.lists(st.tuples(st.integers(1, 99), CELLS), max_size=6),
    st.sampled_from(delimited.DELIMITERS),
    st.sampled_from(["\n", "\r\n"]),
)
@settings(max_examples=amount(200, 5_000), deadline=None)
def test_cells_are_read_as_they_were_written(
    cells: list[tuple[int, str]], delimiter: str, line_end: str
) -> None:
    written = io.StringIO()
    writer = standard.writer(
        written,
        delimiter=delimiter,
        lineterminator=line_end,
        quoting=standard.QUOTE_ALL,
    )
    table = [["id", "title"], *([str(number), text] for number, text in cells)]
    writer.writerows(table)
    assert rows_of(written.getvalue().encode()) == table


@pytest.mark.slow
@given(st.text("\"';,\t\n\\ab#", max_size=60))
@settings(max_examples=amount(300, 20_000), deadline=None)
def test_no_row_is_read_with_cells_of_another_width(text: str) -> None:
    header, *rows = rows_of(f"id,title\n{text}\n".encode())
    assert header == ["id", "title"]
    for cells in rows:
        assert cells is None or len(cells) == 2 or not any(cells[2:])


@pytest.mark.parametrize(
    "line", ['"a', '"a,b', 'a,"b', '"a "b" c', '"a "b" c,d', 'x,"y\n"z'], ids=repr
)
def test_the_work_on_broken_quotes_is_in_proportion_to_the_input(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "MAX_LINE", 2_000)
    taken = 0
    take = delimited._Lines.take

    def counted(lines: delimited._Lines) -> Any:
        nonlocal taken
        coming = take(lines)
        taken += len(coming.text) if coming is not None else 0
        return coming

    monkeypatch.setattr(delimited._Lines, "take", counted)
    data = "id,title\n" + f"{line}\n" * 20_000
    rows = rows_of(data.encode())
    assert len(rows) > 1
    assert taken < 7 * len(data) + 5 * 2_000


def test_what_is_left_unread_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_LINE", 2_000)
    monkeypatch.setattr(delimited, "_READINGS", 2)
    # Each of these rows seems to end with the table, and to be too wide then.
    data = b"id,title\n" + b'"a\n' * 3_000 + b'7,8,9",x,End\n'
    *_, last = read("csv", data)
    assert "the rest was not read" in str(last.error)


def test_rows_are_read_as_they_come() -> None:
    class Counting(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            piece = super().read(size)
            self.taken += len(piece)
            return piece

    stream = Counting(b"id,title\n" + b"1,Ferry\n" * 100_000)
    next(read("csv", stream))
    assert stream.taken < 300_000


@pytest.mark.slow
def test_a_cell_above_the_limit_costs_only_its_row() -> None:
    long = "x" * (source.MAX_LINE + 1)
    quoted = f'"{long[: source.MAX_LINE // 2]}\n{long[: source.MAX_LINE // 2]}"'
    first, second, third = (
        record.article
        for record in read("csv", f"id,title\n1,{long}\n2,{quoted}\n3,c\n".encode())
        if record.article is not None or record.error is not None
    )
    assert first is None
    assert second is None
    assert third is not None


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("a.csv", "kopf;inhalt\n1;2", "csv"),
        ("a.tsv", "id\ttitle", "csv"),
        ("a.txt", "id,title,date\n1,Ferry,2020-01-02\n", "csv"),
        ("", "id;Title;Body\n1;Ferry;x\n", "csv"),
        ("", "id\tTitle\r1\tFerry\r", "csv"),
        ("a.csv", '{"id": "1", "title": "x"}', "jsonl"),
        ("a.txt", "Ferry, rink and tram\n\nAll are late.", "text"),
        ("a.txt", "Place, date\n\nText", "text"),
    ],
)
def test_a_table_is_known_by_its_header(name: str, head: str, expected: str) -> None:
    assert detect(name, head.encode()) == expected


def test_a_table_of_something_else_is_no_format() -> None:
    with pytest.raises(UnknownFormat):
        detect("a.log", b"user,score\n1,2\n")


def test_a_mapping_names_columns_and_paths() -> None:
    (article,) = articles_of(
        "nr;kopf;inhalt;authors.0.vor\n1;Ferry;Text;Bo\n",
        mapping={
            "nr": "id",
            "kopf": "headline",
            "inhalt": "text",
            "authors[].vor": "authors",
        },
    )
    assert article is not None
    assert (article.id, article.headline) == ("1", "Ferry")
    assert [paragraph.text for paragraph in article.paragraphs] == ["Ferry", "Text"]
    assert [author.name for author in article.authors] == ["Bo"]


def test_an_id_can_be_made_of_a_row() -> None:
    first, second, third = articles_of(
        "title,mood\nFerry,calm\nFerry,calm\nFerry,blue\n", id_from=("hash",)
    )
    assert first is not None and second is not None and third is not None
    assert first.id == second.id != third.id


def test_a_blank_cell_lifts_no_embargo() -> None:
    (article,) = articles_of("id,title,embargo\n1,Ferry,\n")
    assert article is not None
    assert article.embargoed_until is None


def test_the_original_is_the_header_and_the_row_and_reads_back() -> None:
    data = b'id;title\n1;A\n2;"B; ""c"""\n'
    *_, record = read("csv", data)
    assert record.original is not None
    assert record.original.data == b'id;title\n2;"B; ""c"""\n'
    (again,) = read("csv", record.original.data)
    assert again.article == record.article


def test_json_in_a_cell_of_extra_is_kept_as_json() -> None:
    extra = json.dumps({"a": [1]}).replace('"', '""')
    (article,) = articles_of(f'id,title,extra\n1,A,"{extra}"\n')
    assert article is not None
    assert article.extra == {"a": [1]}


def test_names_of_columns_are_known_with_spaces() -> None:
    text = (
        "ID,Story Text,Pub Date,Date Modified,Section Name\n1,Skaters came.,2024-11-03,"
    )
    (article,) = articles_of(f"{text}2024-11-04,Sport\n")
    assert article is not None
    assert (article.section, article.extra) == ("Sport", {})
    assert article.published is not None and article.updated is not None
    assert [each.text for each in article.paragraphs] == ["Skaters came."]


def test_a_column_called_story_may_have_the_text() -> None:
    story = "Skaters came at seven, and they stayed until noon. " * 5
    (article,) = articles_of(f"ID,Title,Story\n1,Rink,{story.replace(',', ' ')}\n")
    assert article is not None
    assert article.story is None
    assert article.paragraphs[1].text.startswith("Skaters came at seven")


def test_columns_that_are_no_field_are_named_once() -> None:
    text = b"id;Titel;body;fields.title;Autor\n1;A;x;A;Bo\n2;B;y;B;Bo\n"
    options = ReadOptions(mapping={"Autor": "authors"})
    assert [each.unread for each in read("csv", text, options=options)] == [
        ("Titel",),
        (),
    ]
