"""Wire text: how a message is known, and what is never stored of it."""

from __future__ import annotations

import pytest
from checkout import GOLDEN

from index.article import Status
from index.formats import detect, read

STORY = (GOLDEN / "wire" / "iptc7901-story.iptc").read_bytes()
ANPA = (GOLDEN / "wire" / "anpa-story.anpa").read_bytes()
BARE = (GOLDEN / "wire" / "iptc7901-without-controls.txt").read_bytes()


@pytest.mark.parametrize("name", ["", "a.txt", "a.tst"])
@pytest.mark.parametrize("data", [STORY, ANPA, BARE], ids=["iptc", "anpa", "bare"])
def test_a_message_is_known_by_its_header(name: str, data: bytes) -> None:
    assert detect(name, data) == "wire"


def test_a_text_that_only_begins_alike_is_a_text() -> None:
    assert detect("a.txt", b"abc1234 is the code of the flight\n\nText") == "text"


@pytest.mark.parametrize("data", [STORY, ANPA, BARE], ids=["iptc", "anpa", "bare"])
def test_a_message_that_is_cut_off_is_refused(data: bytes) -> None:
    end = data.find(b"\x03") if b"\x03" in data else data.rstrip().rfind(b"\n")
    for size in range(1, end):
        for record in read("wire", data[:size]):
            assert record.article is None, data[:size][-40:]


@pytest.mark.parametrize(
    "mark",
    ["BULLETIN KILL", "MANDATORY KILL", "KILL", "Mandatory Elimination", "URGENT KILL"],
)
def test_a_kill_is_refused_and_names_the_story(mark: str) -> None:
    for data, before in ((ANPA, b"1st Ld-Writethru"), (STORY, b"2ND LEAD")):
        (record,) = read("wire", data.replace(before, mark.encode()))
        assert record.article is None
        assert "kill of" in str(record.error)


@pytest.mark.parametrize(
    "headline",
    [b"Wolves kill ten sheep", b"FLASH FLOODS KILL TEN", b"KILL IS BACK", b"The kill"],
)
def test_a_story_about_a_kill_is_no_kill(headline: bytes) -> None:
    data = STORY.replace(b"Ferry is back", headline)
    (record,) = read("wire", data)
    assert record.article is not None
    assert record.article.status is Status.USABLE


@pytest.mark.parametrize(
    "note", ["EMBARGOED", "Embargo: until further notice", "HOLD FOR RELEASE Sunday"]
)
def test_an_embargo_without_a_date_withholds(note: str) -> None:
    (record,) = read("wire", ANPA.replace(b"Eds: Adds fares.", note.encode()))
    assert record.article is not None
    assert record.article.status is Status.WITHHELD
    assert "withheld" in record.warnings[-1]


def test_notes_for_editors_are_no_part_of_the_text() -> None:
    for data in (STORY, ANPA):
        (record,) = read("wire", data)
        assert record.article is not None
        assert record.article.ed_note
        for line in record.article.ed_note.splitlines():
            assert all(line not in each.text for each in record.article.paragraphs)


def test_several_messages_each_have_their_line() -> None:
    records = list(read("wire", STORY + ANPA + STORY))
    first = STORY.count(b"\n")
    assert [record.line for record in records] == [
        *(1, first + 1, first + 1 + ANPA.count(b"\n"))
    ]
