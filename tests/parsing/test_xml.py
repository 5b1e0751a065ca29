"""Untrusted XML: records one by one, within limits, and no character lost."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterable
from html.entities import html5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import InputError, LimitExceeded, UnreadableInput
from index.parsing import (
    children,
    first,
    line_text,
    xml_first_child,
    xml_records,
    xml_root,
)
from index.parsing.xml import decoding, entities, preparation, records

ITEM = {"item"}.__contains__


def lines(data: bytes) -> list[str | None]:
    return [line_text(record.element) for record in xml_records(data, ITEM)]


def refusal(data: bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        list(xml_records(data, ITEM))
    return caught.value


def test_records_come_one_by_one_with_what_is_around_them() -> None:
    data = (
        b"<feed><title>News</title>\n<item><p>a</p></item><x/>\n<item>b</item></feed>"
    )
    seen = []
    for record in xml_records(data, ITEM):
        around = line_text(first(record.element.getparent(), "title"))
        seen.append((record.line, record.is_root, around, record.as_sent()))
    assert seen == [
        (2, False, "News", b"<item><p>a</p></item>"),
        (3, False, "News", b"<item>b</item>"),
    ]


def test_a_file_that_is_one_record_is_kept_as_it_came() -> None:
    data = "<?xml version='1.0' encoding='latin-1'?>\n<item>\xe9</item>\n".encode(
        "cp1252"
    )
    (record,) = xml_records(data, ITEM)
    assert (record.as_sent(), record.is_root) == (data, True)


def test_a_record_in_a_record_belongs_to_it() -> None:
    assert lines(b"<r><item>a<item>b</item></item></r>") == ["a b"]


class Pieces(io.RawIOBase):
    """A stream that comes in these pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = iter(pieces)

    def read(self, size: int = -1, /) -> bytes:
        return next(self._pieces, b"")


class Endless(io.RawIOBase):
    """A feed of many items, made as it is read."""

    def __init__(self, items: int) -> None:
        self._left, self.largest = items, 0

    def read(self, size: int = -1, /) -> bytes:
        if self._left < 0:
            return b""
        self._left -= 1
        if self._left < 0:
            return b"</feed>"
        return b"<item><p>" + b"word " * 2_000 + b"</p></item>\n"


class Feed(io.RawIOBase):
    """A stream that starts with the tag of a feed."""

    def __init__(self, items: int) -> None:
        self._parts: Iterable[bytes] = iter([b"<feed>\n"])
        self._rest = Endless(items)

    def read(self, size: int = -1, /) -> bytes:
        return next(iter(self._parts), b"") or self._rest.read(size)


@pytest.mark.slow
def test_the_memory_for_a_file_does_not_grow_with_its_records() -> None:
    peaks = []
    for items in (100, 1_000):
        tracemalloc.start()
        assert sum(1 for _ in xml_records(Feed(items), ITEM)) == items  # type: ignore[arg-type]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


# Charsets


@pytest.mark.parametrize("charset", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_comes_before_the_declaration(charset: str) -> None:
    text = "<?xml version='1.0' encoding='koi8-r'?><item>Blåbær</item>"
    assert lines(text.encode(charset)) == ["Blåbær"]


@pytest.mark.parametrize(
    "charset", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]
)
def test_wide_characters_need_no_byte_order_mark(charset: str) -> None:
    text = "<?xml version='1.0' encoding='utf-16'?><item>Blåbær</item>"
    assert lines(text.encode(charset)) == ["Blåbær"]


@pytest.mark.parametrize(
    ("label", "charset", "word"),
    [
        ("iso-8859-1", "cp1252", "“søt”"),
        ("ISO-8859-15", "iso-8859-15", "3 €"),
        ("windows-1251", "cp1251", "Київ"),
        ("shift_jis", "cp932", "髙島屋"),
        ("utf-16", "utf-8", "søt"),  # what was letters cannot be UTF-16
    ],
)
@pytest.mark.parametrize("before", ["", "\n\n", "\ufeff"])
def test_the_declared_charset_is_read(
    label: str, charset: str, word: str, before: str
) -> None:
    if before == "\ufeff" and charset != "utf-8":
        return
    text = f"{before}<?xml version='1.0' encoding='{label}'?><item>{word}</item>"
    assert lines(text.encode(charset)) == [word]


@pytest.mark.parametrize(
    ("data", "reason", "line"),
    [
        ("<item>\nsøt</item>".encode("cp1252"), r"byte 8 \(0xf8\) is not", 2),
        (
            "<?xml version='1.0' encoding='latin1'?>\n<item>søt</item>".encode(),
            "declares latin1 but is UTF-8",
            1,
        ),
        (b"<?xml version='1.0' encoding='klingon'?><item/>", "klingon", None),
        ("<item>é".encode()[:-1], "cut off within a character", 1),
    ],
)
def test_a_wrong_charset_is_refused(data: bytes, reason: str, line: int | None) -> None:
    error = refusal(data)
    assert isinstance(error, UnreadableInput)
    assert error.code == "invalid_encoding"
    assert error.line == line
    with pytest.raises(UnreadableInput, match=reason):
        raise error


def test_letters_that_end_in_two_pieces_are_whole() -> None:
    data = "<item>é€𝄞</item>".encode()
    for at in range(1, len(data)):
        assert lines(Pieces(data[:at], data[at:])) == ["é€𝄞"], at  # type: ignore[arg-type]


# Entities


def test_every_named_character_of_html_is_known() -> None:
    for name, text in html5.items():
        if name.endswith(";"):
            assert entities.NAMED_CHARACTERS[name[:-1]] == text


@pytest.mark.parametrize(
    ("name", "letter"),
    [
        ("agr", "α"),
        ("OHgr", "Ω"),
        ("sfgr", "ς"),
        ("EEacgr", "Ή"),
        ("oacgr", "ό"),
        ("idigr", "ϊ"),
        ("udiagr", "ΰ"),
        ("THgr", "Θ"),
        ("thgr", "θ"),
    ],
)
def test_greek_letters_of_iso_are_known(name: str, letter: str) -> None:
    assert lines(f"<item>&{name};</item>".encode()) == [letter]


def test_entities_are_read_in_texts_and_attributes_but_not_in_comments() -> None:
    data = (
        b"<!DOCTYPE item [<!-- &no; --><!ENTITY own 'caf&#xe9;'>"
        b"<!NOTATION n SYSTEM 'x'>]>"
        b"<item title='&eacute;&LT;'>&lt;&own;&#38;<!-- &no; --><![CDATA[&no;]]></item>"
    )
    record = next(xml_records(data, ITEM))
    assert record.element.get("title") == "é<"
    assert line_text(record.element) == "<café&&no;"


@pytest.mark.parametrize("size", range(1, 14))
def test_pieces_may_end_anywhere(size: int) -> None:
    text = (
        "<?xml version='1.0'?>\n<!DOCTYPE item [<!ENTITY own \"'é>'\">]>\n"
        "<item>&own; & <!-- &no; --> &hellip;<![CDATA[ &no; ]]>&amp;</item>"
    )
    whole = "".join(preparation.prepared([text]))
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert "".join(preparation.prepared(pieces)) == whole
    assert "&own;" not in whole
    assert "…<![CDATA[ &no; ]]>&amp;" in whole
    assert whole.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    ("doctype", "use", "reason"),
    [
        ("", "&smiley;", "&smiley; is unknown"),
        (
            '<!ENTITY e SYSTEM "file:///etc/hostname">',
            "&e;",
            "another file or for mark",
        ),
        ('<!ENTITY e PUBLIC "-//X" "http://x.example/">', "&e;", "another file"),
        ('<!ENTITY a "xx"><!ENTITY e "&a;&a;">', "&e;", "another file or for markup"),
        ('<!ENTITY e "<b>x</b>">', "&e;", "or for markup"),
        ('<!ENTITY e "&#60;b>">', "&e;", "or for markup"),
        ('<!ENTITY % p SYSTEM "x.dtd"> %p;', "x", "parameter entity"),
        ('<!ATTLIST item status CDATA "embargoed">', "x", "default values"),
        ("<!ENTITY e>", "x", "not well-formed"),
        ("<!ODD>", "x", "DOCTYPE is not closed, or not well-formed"),
    ],
)
def test_what_a_doctype_may_not_do_refuses_the_file(
    doctype: str, use: str, reason: str
) -> None:
    error = refusal(f"<!DOCTYPE item [{doctype}]>\n<item>\n{use}</item>".encode())
    assert isinstance(error, UnreadableInput)
    assert error.line is not None
    assert error.column is not None
    with pytest.raises(UnreadableInput, match=reason):
        raise error


def test_declarations_that_nothing_uses_harm_nobody() -> None:
    data = b"""<!DOCTYPE item SYSTEM "http://x.example/item.dtd" [
    <!ENTITY picture SYSTEM "a.jpg" NDATA jpeg> <!ENTITY % p "<!ENTITY q 'r'>">
    <!ATTLIST item id ID #IMPLIED> <!ELEMENT item ANY> <?pi ]> ?>
    ]><item>x</item>"""
    assert lines(data) == ["x"]


def test_names_that_a_file_declares_cannot_make_it_long() -> None:
    own = "x" * entities.MAX_OWN
    uses = "&own;" * (entities.MAX_GROWTH // entities.MAX_OWN + 1)
    data = f"<!DOCTYPE item [<!ENTITY own '{own}'>]><item>{uses}</item>".encode()
    assert isinstance(refusal(data), LimitExceeded)
    longer = f"<!DOCTYPE item [<!ENTITY own '{own}x'>]><item>&own;</item>".encode()
    assert isinstance(refusal(longer), UnreadableInput)


def test_a_doctype_has_a_limit() -> None:
    long = b"<!DOCTYPE item [" + b"<!-- x -->" * 10_000 + b"]><item>x</item>"
    assert isinstance(refusal(long), LimitExceeded)


# Limits and places


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"<a>" * (records.MAX_DEPTH + 1), "levels"),
        (
            b"<item " + b" ".join(b"a%d=''" % n for n in range(1_001)) + b"/>",
            "attributes",
        ),
    ],
)
def test_depth_and_attributes_have_limits(data: bytes, what: str) -> None:
    error = refusal(data)
    assert isinstance(error, LimitExceeded)
    assert what in str(error)


@pytest.mark.parametrize("name", ["item", "around"])
def test_elements_have_a_limit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_ELEMENTS", 100)
    data = f"<{name}>{'<x/>' * 100}</{name}>".encode()
    assert isinstance(refusal(data), LimitExceeded)
    many = b"<r>" + (b"<item>" + b"<x/>" * 90 + b"</item>") * 9 + b"</r>"
    assert len(lines(many)) == 9


def test_bytes_have_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"<r>" + b"<item>" * 1 + b"x" * 300_000 + b"</item></r>"
    monkeypatch.setattr(records, "MAX_WHOLE", 200_000)
    assert "record" in str(refusal(data))
    monkeypatch.setattr(records, "MAX_DOCUMENT", 100_000)
    assert "file" in str(refusal(data))


@pytest.mark.parametrize(
    ("data", "line", "column", "place"),
    [
        (b"<item>\n<p>a & b</p></item>", 2, 7, "in <p>"),
        (b"<item>\n <p></item>", 2, 12, "in <p>"),
        (b"<item>\n<p>cut", 2, 7, "in <p>"),
        (b"\n\n<item>&#1;</item>", 3, 11, "in <item>"),
        (b"", 1, 1, "Document is empty"),
        (b"just words", 1, 1, "'<' not found"),
    ],
)
def test_a_fault_has_its_place(data: bytes, line: int, column: int, place: str) -> None:
    error = refusal(data)
    assert isinstance(error, UnreadableInput)
    assert (error.line, error.column) == (line, column)
    assert place in str(error)


def test_records_before_a_fault_are_kept() -> None:
    seen = []
    with pytest.raises(UnreadableInput):
        for record in xml_records(b"<r><item>1</item><item>2</item><item>3</", ITEM):
            seen.append(line_text(record.element))
    assert seen == ["1", "2"]


def test_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object) -> None:
        raise AssertionError("a file or a connection was opened")

    monkeypatch.setattr("builtins.open", opened)
    monkeypatch.setattr("socket.socket.connect", opened)
    data = b"""<!DOCTYPE item PUBLIC "-//X//DTD" "http://x.example/x.dtd">
    <item xmlns:xi="http://www.w3.org/2001/XInclude">
    <xi:include href="file:///etc/hostname" parse="text"/>x</item>"""
    assert lines(data) == ["x"]


# Elements


def test_names_are_compared_without_case_and_an_own_namespace_is_left_out() -> None:
    data = b"""<item xmlns="a" xmlns:o="b"><o:Title>own</o:Title><TITLE>x</TITLE>
    <title xmlns="">none</title></item>"""
    record = next(xml_records(data, ITEM))
    assert [line_text(each) for each in children(record.element, "title")] == [
        "x",
        "none",
    ]


@pytest.mark.parametrize(
    ("xml", "line"),
    [
        ("<c>Bergen</c><c>Norway</c>", "Bergen Norway"),
        ("<c>Bergen</c>, <c>Norway</c>", "Bergen, Norway"),
        ("By<person>Jo</person>", "By Jo"),
        ("H<sub>2</sub>O <em>re</em>opens", "H2O reopens"),
        ("Salt &amp;amp; pepper", "Salt & pepper"),
        ("<!-- x --> a\n b ", "a b"),
        ("<br/> ", None),
    ],
)
def test_a_line_has_the_words_of_its_elements(xml: str, line: str | None) -> None:
    assert lines(f"<item>{xml}</item>".encode()) == [line]


@pytest.mark.parametrize(
    ("head", "root"),
    [
        ("<newsItem ", "newsItem"),
        ("\ufeff\n<?xml version='1.0'?><!-- <a> --><?p q?><n:nitf>", "nitf"),
        (
            "<!DOCTYPE NewsML SYSTEM 'a>b' [<!ENTITY x '>]'> <!-- ]> -->]>\n<NewsML>",
            "NewsML",
        ),
        ("<!doctype html><html lang='en'>", "html"),
        ("<!-- cut off", None),
        ("<!DOCTYPE a [" + "<!-- x -->" * 200, None),  # no two ways to match it
        ("<?xml version='1.0'?> words", None),
        ("< 5", None),
    ],
)
def test_the_root_is_found_in_a_head(head: str, root: str | None) -> None:
    assert xml_root(head) == root


@pytest.mark.parametrize(
    ("head", "child"),
    [
        ("<docs a='>'>\n<!-- <b> --><x:nitf>", "nitf"),
        ("<docs>words <nitf>", None),
        ("<docs/>", None),
        ("<docs", None),
    ],
)
def test_the_first_child_is_found_in_a_head(head: str, child: str | None) -> None:
    assert xml_first_child(head) == child


@pytest.mark.slow
@given(st.text(st.sampled_from("<>!-[]?&;#xDOCTYPEitem'\"/= \n%"), max_size=120))
def test_no_text_raises_anything_but_a_refusal(text: str) -> None:
    for data in (text, f"<item>{text}</item>", f"<!DOCTYPE item [{text}]><item/>"):
        try:
            list(xml_records(data.encode(), ITEM))
        except InputError as error:
            assert str(error)
        xml_root(data)


def test_a_doctype_in_many_pieces_is_looked_at_a_few_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_at: list[int] = []
    end = preparation._Preparation._doctype_end

    def counted(self: object, text: str, at: int, *, last: bool) -> int | None:
        looked_at.append(len(text) - at)
        return end(self, text, at, last=last)  # type: ignore[arg-type]

    monkeypatch.setattr(preparation._Preparation, "_doctype_end", counted)
    long = b"<!DOCTYPE item [" + b"<!-- x -->" * 30_000
    letters = (long[at : at + 1] for at in range(len(long)))
    with pytest.raises(LimitExceeded):
        list(xml_records(Pieces(*letters), ITEM))  # type: ignore[arg-type]
    assert sum(looked_at) < 4 * preparation.MAX_DOCTYPE


def test_only_declared_charsets_of_one_byte_are_doubted() -> None:
    assert decoding.XmlText(b"").sent() == b""
    text = "<?xml version='1.0' encoding='gbk'?><item>é</item>"
    # Two letters of GBK have the bytes of é in UTF-8: nobody can tell.
    assert lines(text.encode()) == ["茅"]
