"""The readers: golden files, each of one thing, and properties of any input."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from checkout import GOLDEN, ROOT, SHARED
from faults.amounts import amount
from hypothesis import given, settings
from hypothesis import strategies as st

from index.article import (
    CONCEPT_FIELDS,
    DATE_FIELDS,
    TEXT_FIELDS,
    Article,
    Concept,
    Role,
    Status,
    document_of,
    number_paragraphs,
)
from index.errors import InputError, UnknownField, UnknownFormat, UnreadableInput
from index.formats import (
    FORMATS,
    Read,
    ReadOptions,
    detect,
    detect_object,
    field_names,
    read,
)
from index.formats.detection import read_parsed
from index.formats.ninjs import properties
from index.parsing import markup, prose
from index.parsing import source as sources

CASES = sorted(
    path
    for name in FORMATS
    for path in (GOLDEN / name).iterdir()
    if not path.name.endswith(".expected.json")
)
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the measuring data lies beside a checkout of the lead"
)


def expectation_of(record: Read) -> dict[str, Any]:
    """A record as an expectation file has it: without paragraph numbers and keys."""
    expectation: dict[str, Any] = {}
    if record.article is not None:
        expectation["article"] = document_of(record.article)
        for paragraph in expectation["article"]["paragraphs"]:
            del paragraph["n"], paragraph["key"]
    if record.error is not None:
        expectation["error"] = {"code": record.error.code, "detail": str(record.error)}
        expectation["label"] = record.label
    expectation["line"] = record.line
    if record.warnings:
        expectation["warnings"] = list(record.warnings)
    return expectation


@pytest.mark.parametrize(
    "path", CASES, ids=lambda each: f"{each.parent.name}/{each.name}"
)
def test_reads_as_expected(path: Path) -> None:
    with path.open("rb") as stream:
        records = [
            expectation_of(record)
            for record in read(path.parent.name, stream, name=path.name)
        ]
    expected = path.with_name(f"{path.name}.expected.json")
    assert records == json.loads(expected.read_text("utf-8"))


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("story.txt", b"Headline\nText", "text"),
        ("story", b"Headline\nText", "text"),
        ("story.2016", b"Headline\nText", "text"),
        ("", "Zür".encode()[:-1], "text"),
        ("a.txt", b'\n {"id": "1"}', "jsonl"),
        ("a.jsonl", b"no json at all", "jsonl"),
        ("a.ndjson.gz", b"", "jsonl"),
        ("a.json", b'[{"id": "1", "uri": "x"}]', "jsonl"),
        ("a.json", b'{"uri": "x", "pubstatus": "usable"}', "ninjs"),
        ("a.json", b'[{"uri": "x", "versionCreated": "2020-01-01"}]', "ninjs"),
        ("a.json", b'{"total": 1, "item": [{"uri": "x", "bodies": [', "ninjs"),
        ("ninjs-1.json", b'{"uri": "x"}', "ninjs"),
        ("a.jsonl", b'{"id": "1", "extra": {"pubstatus": "usable"}}', "jsonl"),
        ("a.txt", b"[Update] Bridge closed", "text"),
        ("a.txt", "Köln".encode("utf-16"), "text"),
        ("a.txt", "Köln".encode("latin-1"), "text"),
        ("a.txt", "Köln".encode("utf-16-le"), "text"),
        ("a", "Köln".encode("latin-1"), "text"),
        ("a.jsonl", "Köln".encode("latin-1"), "jsonl"),
        ("a.txt", '{"id": "ö\0'.encode("latin-1"), "jsonl"),
        ("a.json", '{"id": "1"}'.encode("utf-8-sig"), "jsonl"),
        ("page.txt", b"<!DOCTYPE html><p>x", "html"),
        ("", b"<!-- saved -->\n<!-- here --> <HTML lang=en>", "html"),
        ("a.xml", b"<?xml version='1.0'?>\n<!DOCTYPE html>\n<html/>", "html"),
        ("", b'{"@context": "https://schema.org", "@type": "NewsArticle"}', "jsonld"),
    ],
)
def test_the_content_decides_and_the_name_breaks_ties(
    name: str, head: bytes, expected: str
) -> None:
    assert detect(name, head) == expected
    assert detect(name, gzip.compress(head)) == expected


def test_no_two_formats_have_the_same_extension_or_media_type() -> None:
    for signs in ("extensions", "media_types"):
        all_ = [sign for each in FORMATS.values() for sign in getattr(each, signs)]
        assert len(all_) == len(set(all_)), signs


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("page.txt", b"<opml version='2.0'/>"),
        ("item.json", b"<?xml version='1.0'?><menu/>"),
        ("photo", b"\x89PNG\r\n\x1a\n\x00\x00"),
        ("README.md", b"# Words"),
        ("program.py", b"import this"),
        ("broken.gz", b"\x1f\x8b\x08\xff\xff"),
    ],
)
def test_an_unknown_format_is_not_guessed(name: str, head: bytes) -> None:
    with pytest.raises(UnknownFormat):
        detect(name, head)


def test_an_empty_input_is_called_empty() -> None:
    with pytest.raises(UnreadableInput, match="is empty"):
        detect("", b"")


@pytest.mark.parametrize("charset", ["iso-8859-1", "latin-1", "Windows-1252"])
@pytest.mark.parametrize("name_of_format", ["text", "jsonl"])
def test_a_declared_charset_is_decoded(name_of_format: str, charset: str) -> None:
    text = "Köln" if name_of_format == "text" else '{"id": "1", "headline": "Köln"}'
    for data in (text.encode("latin-1"), gzip.compress(text.encode("latin-1"))):
        assert one(name_of_format, data, encoding=charset).headline == "Köln"
        stream = io.BytesIO(data)
        assert one(name_of_format, stream, encoding=charset).headline == "Köln"


@pytest.mark.parametrize(
    ("label", "charset", "text"),
    [
        ("iso-8859-1", "windows-1252", "“Köln” – 3 €"),
        ("latin1", "windows-1252", "‘Zoë’"),
        ("latin_1", "windows-1252", "‘Zoë’"),
        ("us-ascii", "windows-1252", "‘Zoë’"),
        ("iso-8859-9", "windows-1254", "“İzmir”"),
        ("iso-8859-11", "cp874", "“ไทย”"),
        ("tis-620", "cp874", "“ไทย”"),
        ("shift_jis", "cp932", "①髙島屋"),
        ("gb2312", "gbk", "镕基"),
        ("gb_2312-80", "gbk", "镕基"),
        ("ks_c_5601-1987", "cp949", "뷁"),
        ("big5", "big5hkscs", "嘅"),
        ("x-mac-cyrillic", "mac-cyrillic", "Київ"),
        (" ISO-8859-15 ", "iso-8859-15", "3 €"),
        ("cp437", "cp437", "Größe"),
        ("koi8-r", "koi8-r", "Нева"),
    ],
)
def test_a_charset_label_is_read_as_browsers_do(
    label: str, charset: str, text: str
) -> None:
    assert one("text", text.encode(charset), encoding=label).headline == text


@pytest.mark.parametrize("charset", ["utf-8", "UTF8", "us-ascii", "utf-16-be"])
def test_utf_8_and_byte_order_marks_need_no_charset(charset: str) -> None:
    assert one("text", "Köln".encode("utf-8-sig"), encoding=charset).headline == "Köln"
    assert one("text", "Köln".encode("utf-16"), encoding=charset).headline == "Köln"


@pytest.mark.slow
def test_a_long_input_is_decoded_in_pieces() -> None:
    data = "".join(f'{{"id": "{n}", "headline": "é"}}\n' for n in range(20_000))
    for charset in ("latin-1", "utf-16-le"):
        stream = io.BytesIO(data.encode(charset))
        records = list(read("jsonl", stream, encoding=charset))
        assert [each.article.headline for each in records if each.article] == [
            "é"
        ] * 20_000


@pytest.mark.parametrize(
    "charset",
    [
        *("klingon", "hex", "rot13", "unicode_escape", "idna", "a\0b", "é", ""),
        *("replacement", "x-user-defined"),
    ],
)
def test_an_unknown_charset_is_refused(charset: str) -> None:
    with pytest.raises(UnreadableInput, match=r"charset .* is unknown") as caught:
        read("text", b"Head", encoding=charset)
    assert caught.value.code == "invalid_encoding"


def test_what_is_not_in_the_declared_charset_is_an_error_of_its_line() -> None:
    data = b'{"id": "1", "headline": "h"}\n{"id": "2", "headline": "\x81"}\n'
    good, bad = read("jsonl", data, encoding="windows-1252")
    assert good.article is not None
    assert bad.error is not None
    assert bad.error.code == "invalid_encoding"


def test_a_document_with_one_bad_byte_is_one_error() -> None:
    data = json.dumps({"id": "1", "headline": "Zürich"}, ensure_ascii=False, indent=1)
    (record,) = read("jsonl", data.encode("latin-1"))
    assert record.error is not None
    assert record.error.code == "invalid_encoding"


def test_an_unknown_format_or_field_is_refused_before_anything_is_read() -> None:
    with pytest.raises(UnknownFormat):
        read("word", b"")
    with pytest.raises(UnknownField) as caught:
        read("jsonl", b"", options=ReadOptions(mapping={"topics": "subject"}))
    assert "subjects" in caught.value.allowed


# Compressed, long and broken input


def lines_of(count: int) -> bytes:
    return b"".join(b'{"id": "%d", "headline": "h"}\n' % n for n in range(count))


class Counting(io.BytesIO):
    """A stream that counts the bytes read from it."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self.taken += len(piece)
        return piece


def test_lines_are_read_as_they_come() -> None:
    stream = Counting(lines_of(50_000))
    next(read("jsonl", stream))
    assert stream.taken < 200_000


def test_gzip_is_unzipped_also_in_several_members() -> None:
    data = gzip.compress(lines_of(3)) + gzip.compress(lines_of(2)) + b"\0" * 512
    assert [each.article is not None for each in read("jsonl", data)] == [True] * 5


@pytest.mark.slow
def test_a_cut_off_gzip_file_keeps_what_came_before() -> None:
    whole = lines_of(5_000)
    records = list(read("jsonl", gzip.compress(whole)[:-2_000]))
    *good, last = records
    assert len(good) > 1_000
    assert all(each.article for each in good)
    assert last.error is not None
    assert "cut off after" in str(last.error)
    assert last.line == len(good) + 1


def test_a_damaged_gzip_file_is_reported_as_damaged() -> None:
    data = bytearray(gzip.compress(lines_of(5_000)))
    data[len(data) // 2] ^= 0xFF
    *_, last = read("jsonl", bytes(data))
    assert last.error is not None
    assert "gzip" in str(last.error)


def test_a_cut_off_gzip_of_a_text_is_no_article() -> None:
    (record,) = read("text", gzip.compress(b"Headline\n" * 500)[:-6])
    assert record.article is None
    assert "cut off" in str(record.error)


def test_a_line_too_long_costs_only_itself() -> None:
    pieces = iter([b"short\n" + b"x" * 30, b"x" * 30 + b"\nnext", b"\n", b"y" * 99])
    lines = list(sources.Lines(pieces, longest=20))
    assert [line.data for line in lines] == [b"short", b"", b"next", b""]
    assert [line.number for line in lines] == [1, 2, 3, 4]
    assert lines[1].error is not None
    assert lines[1].error.facts["got"] == 60
    assert lines[3].error is not None


def test_an_input_read_whole_has_a_limit() -> None:
    bomb = gzip.compress(b"a" * 5_000_000)
    with pytest.raises(InputError, match="at most 1,000"):
        sources.whole_text(sources.chunks(bomb), limit=1_000)


@pytest.mark.parametrize("depth", [70, 100_000])
def test_deep_nesting_refuses_one_record(depth: int) -> None:
    deep = b'{"id": "1", "headline": "h", "x": ' + b"[" * depth + b"1" + b"]" * depth
    records = list(read("jsonl", deep + b"}\n" + lines_of(1)))
    assert [each.article is None for each in records] == [True, False]


def test_no_line_end_but_a_line_feed_ends_a_line() -> None:
    article = article_with("one\u2028two\x85three\x0bfour")
    (record,) = read("jsonl", FORMATS["jsonl"].write(article))  # type: ignore[misc]
    assert record.article == article


def article_with(text: str) -> Article:
    return Article(
        id="1", paragraphs=number_paragraphs(None, [(Role.BODY, text, None)])
    )


# Names of others


def record(**values: Any) -> bytes:
    return json.dumps({"id": "1", "headline": "h", **values}).encode()


def one(
    name_of_format: str,
    data: bytes,
    *,
    mapping: Mapping[str, str] = MappingProxyType({}),
    **more: Any,
) -> Article:
    options = ReadOptions(mapping=mapping)
    (record,) = read(name_of_format, data, options=options, **more)
    assert record.article is not None, record.error
    return record.article


def names(concepts: tuple[Concept, ...]) -> list[str]:
    return [concept.name for concept in concepts]


def test_the_mapping_comes_before_our_own_names() -> None:
    article = one(
        "jsonl",
        record(title="Mapped", topics=["a"], kicker="b", subjects=["c"]),
        mapping={"title": "headline", "topics": "subjects", "kicker": "subjects"},
    )
    assert article.headline == "Mapped"
    assert names(article.subjects) == ["a", "b", "c"]
    assert article.extra == {"headline": "h"}


def test_the_mapping_reaches_text_and_abstract() -> None:
    article = one(
        "jsonl",
        record(story_html="<p>x</p><p>y</p>", intro="z"),
        mapping={"story_html": "text", "intro": "abstract"},
    )
    assert [(each.role.value, each.text) for each in article.paragraphs[1:]] == [
        ("abstract", "z"),
        ("body", "x"),
        ("body", "y"),
    ]


def test_the_mapping_works_for_ninjs_and_front_matter() -> None:
    item = {"uri": "u", "headline": "h", "subject": ["s"], "desks": ["d"], "link": "l"}
    article = one(
        "ninjs",
        json.dumps(item).encode(),
        mapping={"desks": "subjects", "link": "url"},
    )
    assert (article.id, article.url) == ("u", "l")
    assert names(article.subjects) == ["d", "s"]
    article = one("text", b"---\ntopic: x\n---\nH", mapping={"topic": "section"})
    assert article.section == "x"


@pytest.mark.parametrize("name", ["Date_Published", "date-published", "datePublished"])
def test_case_hyphens_and_underscores_of_a_name_make_no_difference(name: str) -> None:
    article = one("jsonl", record(**{name: "2020-01-02"}))
    assert article.published == datetime(2020, 1, 2, tzinfo=UTC)


def test_no_alias_means_two_fields() -> None:
    plain = [alias for each in field_names.ALIASES.values() for alias in each]
    own = [target.replace("_", "") for target in field_names.TARGETS]
    assert len(set(plain + own)) == len(plain + own)


# Texts


def test_the_same_text_has_the_same_id() -> None:
    nameless = [one("text", b"Headline\nText").id for _ in range(2)]
    assert nameless[0] == nameless[1]
    assert nameless[0].startswith("text:")
    assert one("text", b"Other").id != nameless[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("story.txt", "file:story"),
        ("2016/09/my story.txt.gz", "file:2016/09/my-story"),
        ("./a.txt", "file:a"),
        ("/home/me/a.txt", "file:a"),
        ("../up/a.txt", "file:a"),
        ("C:\\texts\\a.txt", "file:a"),
        ("a.final.v2.txt", "file:a.final.v2"),
    ],
)
def test_a_text_without_an_id_goes_by_its_name(name: str, expected: str) -> None:
    assert one("text", b"Headline", name=name).id == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "A dog, June 1, 2016.REUTERS/Jo Doe |",
            ("A dog, June 1, 2016.", "REUTERS/Jo Doe"),
        ),
        ("A dog. AFP/Jo Doe/File Photo", ("A dog.", "AFP/Jo Doe/File Photo")),
        ("A dog (AP Photo/Jo Doe)", ("A dog", "AP Photo/Jo Doe")),
        ("A dog. Photo: Jo Doe/AFP", ("A dog.", "Jo Doe/AFP")),
        ("A gate. City Hall/Jo Bo |", ("A gate.", "City Hall/Jo Bo")),
        ("The poll was made by Reuters/Ipsos.", None),
        ("He joined AFP/Paris after the war and left it in May", None),
        ("REUTERS/Jo Doe", None),
        ("The odds are 3/4 |", None),
    ],
)
def test_a_caption_is_separated_from_its_credit(
    text: str, expected: tuple[str, str] | None
) -> None:
    assert prose.caption_of(text) == expected


@pytest.mark.parametrize(
    ("text", "line", "source"),
    [
        ("LONDON, Sept 29 (Reuters) - The", "LONDON, Sept 29", "Reuters"),
        ("LONDON (AP) — The", "LONDON", "AP"),
        (
            "WASHINGTON, D.C., Sept. 2, 2016 (AP) -- x",
            "WASHINGTON, D.C., Sept. 2, 2016",
            "AP",
        ),
        ("Berlin (dpa) - Der", "Berlin", "dpa"),
        ("(Reuters) - The", None, "Reuters"),
        ("SALVADOR, Feb 26 - Showers", "SALVADOR, Feb 26", None),
        ("HARBOUR CITY (Harbour Wire) - x", "HARBOUR CITY", "Harbour Wire"),
    ],
)
def test_a_dateline_is_found(text: str, line: str | None, source: str | None) -> None:
    dateline = prose.dateline_of(text)
    assert dateline is not None
    assert (dateline.line, dateline.source) == (line, source)


@pytest.mark.parametrize(
    "text",
    [
        "He (Smith) - a man of few words - left.",
        "The company (formerly Acme) - said",
        "(Corrects spelling of name) - The",
        "Meanwhile (see above) - the",
        "Salvador, Feb 26 - the day",
    ],
)
def test_a_sentence_is_not_a_dateline(text: str) -> None:
    assert prose.dateline_of(text) is None


def test_every_agency_is_listed_in_lower_case() -> None:
    assert all(name == name.casefold() for name in prose.AGENCIES)


# HTML


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("bare &amp; simple", ["body: bare & simple"]),
        ("a<br>b<br><br>c", ["body: a b", "body: c"]),
        ("<p>a<p>b", ["body: a", "body: b"]),
        ("<p>a</div></p>b", ["body: a", "body: b"]),
        ("a\n\nb <i>c</i>", ["body: a", "body: b c"]),
        ("<blockquote><p>q</p></blockquote>", ["quote: q"]),
        ("<ol><li><p>x</p><li>y</ol>", ["list: x", "list: y"]),
        ("<h3>s</h3>t", ["subhead: s", "body: t"]),
        ("<pre>a\nb\n\nc</pre>", ["body: a b", "body: c"]),
        (
            "<table><tr><td>a<td>b<tr><td>c</table>d",
            ["table: a | b", "body: c", "body: d"],
        ),
        (
            "<table><tr><td><p>a</p><p>b</p><td>c</table>",
            ["body: a", "body: b", "body: c"],
        ),
        ("<style>x{}</style><!-- n --><p>a<script>b</script></p>", ["body: a"]),
        ("<head><title>t</title></head><body>a", ["body: a"]),
        ("<span>Desk</span><span>Agency</span>", ["body: Desk Agency"]),
        ("&#147;a&#148; &#150; b&nbsp;c", ["body: “a” – b c"]),
        (
            "<figcaption>A dog. REUTERS/Jo Doe</figcaption>",
            ["caption: A dog. [REUTERS/Jo Doe]"],
        ),
        (
            "<figure><figcaption>A</figcaption><div>Jo</div></figure>",
            ["caption: A [Jo]"],
        ),
        ("", []),
        ("<!-- only -->", []),
    ],
)
def test_html_becomes_paragraphs(html: str, expected: list[str]) -> None:
    blocks = [
        f"{each.role}: {each.text}" + (f" [{each.credit}]" if each.credit else "")
        for each in markup.html_paragraphs(html)
    ]
    assert blocks == expected


@pytest.mark.parametrize("tag", ["div", "blockquote", "b", "table><tr><td", "span"])
def test_deep_html_is_read(tag: str) -> None:
    (block,) = markup.html_paragraphs(f"<{tag}>" * 20_000 + "end")
    assert block.text == "end"


def test_html_has_a_limit() -> None:
    with pytest.raises(InputError, match="HTML"):
        markup.html_paragraphs("x" * (markup.MAX_MARKUP + 1))


def test_a_ticker_is_not_html() -> None:
    assert not markup.is_markup("Acme <ACM> and <SRD>, 3 < 4 > 2, a<b")


# What holds for any input

TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30
)
WORDS = TEXT.filter(lambda text: text.strip())
NAMES = WORDS.map(str.strip)
INSTANTS = st.datetimes(timezones=st.just(UTC), min_value=datetime(1, 1, 3))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | TEXT
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
    ),
    max_leaves=8,
)
CONCEPTS = st.lists(
    st.builds(Concept, name=NAMES, code=st.none() | NAMES, uri=st.none() | NAMES),
    max_size=2,
    unique=True,
).map(tuple)


@st.composite
def articles(draw: st.DrawFn) -> Article:
    headline = draw(st.none() | WORDS)
    rest = draw(
        st.lists(
            st.tuples(
                st.sampled_from([role for role in Role if role is not Role.HEADLINE]),
                WORDS,
                st.none() | WORDS,
            ),
            min_size=headline is None,
            max_size=4,
        )
    )
    options: dict[str, Any] = {
        name: draw(st.none() | WORDS)
        for name in TEXT_FIELDS
        if name not in ("headline", "language")
    }
    options |= {name: draw(CONCEPTS) for name in CONCEPT_FIELDS}
    for name in DATE_FIELDS:
        options[name] = draw(st.none() | INSTANTS)
    return Article(
        id=draw(st.from_regex(r"[!-~]{1,40}", fullmatch=True)),
        version=draw(st.none() | st.from_regex(r"[0-9a-z.]{1,9}", fullmatch=True)),
        status=draw(st.sampled_from(Status)),
        headline=headline,
        paragraphs=number_paragraphs(headline, rest),
        language=draw(st.sampled_from([None, "en", "de-AT", "zh-Hant-TW"])),
        urgency=draw(st.none() | st.integers(1, 9)),
        **options,
        extra=draw(st.dictionaries(WORDS, JSON, max_size=3)),
    )


@pytest.mark.slow
@given(articles())
@settings(max_examples=60, deadline=None)
def test_an_article_written_as_jsonl_is_read_back_unchanged(article: Article) -> None:
    line = FORMATS["jsonl"].write(article)  # type: ignore[misc]
    assert line.count(b"\n") == 1
    (record,) = read("jsonl", line)
    assert record.error is None
    assert record.article == article


@pytest.mark.slow
@given(st.sampled_from(sorted(FORMATS)), st.binary(max_size=200) | TEXT.map(str.encode))
@settings(max_examples=amount(300, 20_000), deadline=None)
def test_no_bytes_raise(name_of_format: str, data: bytes) -> None:
    for record in read(name_of_format, data, name="x"):
        assert (record.article is None) == (record.error is not None)


@pytest.mark.slow
@given(
    st.binary(max_size=80)
    | st.lists(
        st.sampled_from(
            [
                "id",
                "title",
                "text",
                ",",
                ";",
                '"',
                "'",
                "\n",
                "\x01",
                "<!--",
                "<p>",
                "{",
            ]
        ),
        max_size=15,
    ).map(lambda parts: "".join(parts).encode()),
    st.sampled_from(["", "a.txt", "a.csv", "a.html", "a.xyz"]),
)
@settings(max_examples=amount(300, 20_000), deadline=None)
def test_no_head_makes_detection_fail(head: bytes, name: str) -> None:
    with suppress(UnknownFormat, UnreadableInput):
        assert detect(name, head) in FORMATS


NINJS_NAMES = [
    "uri", "guid", "type", "pubstatus", "versioncreated", "urgency", "language", "by",
    "headline", "headlines", "headline_main", "title", "body_text", "body_html",
    "bodies", "descriptions", "description_text", "associations", "people", "place",
    "subject", "genre", "authors", "service", "source", "infosources", "embargoed",
    "expires", "located", "ednote", "version", "item", "name",
]  # fmt: skip
OUR_NAMES = [
    *field_names.TARGETS,
    *(each for all_ in field_names.ALIASES.values() for each in all_),
]
VALUES = JSON | st.lists(
    st.dictionaries(
        st.sampled_from(
            ["name", "code", "rel", "role", "value", "contentType", "text"]
        ),
        JSON,
        max_size=4,
    ),
    max_size=3,
)


@pytest.mark.slow
@given(
    st.dictionaries(st.sampled_from(NINJS_NAMES + OUR_NAMES), VALUES, max_size=8),
    st.sampled_from(["jsonl", "ninjs"]),
)
@settings(max_examples=amount(120, 5_000), deadline=None)
def test_no_record_raises(values: dict[str, Any], name_of_format: str) -> None:
    data = json.dumps({"id": "1", "uri": "1", "headline": "h"} | values).encode()
    for record in read(name_of_format, data):
        assert (record.article is None) == (record.error is not None)
        assert (
            record.error is None or record.label is None or record.label.isprintable()
        )


@pytest.mark.slow
@given(st.text(st.sampled_from("<>/pbrtdlitable&;\"' \nx!-"), max_size=80))
@settings(max_examples=300, deadline=None)
def test_no_html_raises_or_yields_blank_paragraphs(html: str) -> None:
    assert all(block.text.strip() for block in markup.html_paragraphs(html))


@pytest.mark.slow
@given(
    st.lists(
        st.from_regex(r"[a-z]{1,8}( [a-z]{1,8}){0,5}\.", fullmatch=True), min_size=1
    )
)
def test_no_paragraph_of_a_plain_text_is_lost(sentences: list[str]) -> None:
    assert prose.paragraphs("\n\n".join(sentences)) == sentences
    assert prose.paragraphs("\n".join(sentences)) == sentences


# What the documentation says


DOCS = ROOT / "docs" / "formats.md"


def rows(heading: str) -> dict[str, list[str]]:
    """A table of docs/formats.md: the code words of each row, by the first."""
    section = DOCS.read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("| `")]
    words = [re.findall(r"`([^`]+)`", line) for line in table]
    return {first: rest for first, *rest in words}


def test_the_documentation_lists_every_format() -> None:
    assert rows("Formats") == {
        each.name: [*each.extensions, *each.media_types] for each in FORMATS.values()
    }


def test_the_documentation_lists_every_field_and_alias() -> None:
    assert rows("Fields and aliases") == {
        target: list(field_names.ALIASES.get(target, ()))
        for target in field_names.TARGETS
    }


def test_the_documentation_lists_every_ninjs_property() -> None:
    expected = {
        **properties.TEXTS,
        **properties.DATES,
        **properties.CONCEPTS,
        **properties.NAMES,
    }
    assert rows("ninjs") == {name: list(each) for name, each in expected.items()}


def test_the_examples_in_the_documentation_are_read_as_it_says() -> None:
    blocks = re.findall(r"```\w*\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    story = one("text", blocks[0].encode())
    assert names(story.people) == ["Berg, Anna", "Olle Lind"]
    assert (story.byline, story.dateline) == ("By Jo Marsh", "NORTHTOWN, Nov 3")
    assert story.paragraphs[-1].credit == "Pia Holm/Example Wire"
    assert one("jsonl", blocks[1].encode()).headline == "Tram line extended"


# Real input, where it is there


@needs_shared
def test_the_seed_article_is_read_whole() -> None:
    (path,) = (SHARED / "seed").iterdir()
    article = one("text", path.read_bytes(), name=path.name)
    roles = [each.role for each in article.paragraphs]
    assert roles.count(Role.CAPTION) == 1
    assert roles.count(Role.BODY) == 12
    assert len(roles) == 14
    assert article.headline == path.read_text("utf-8").split("\n")[0]
    assert article.source == "Reuters"
    assert article.published == datetime(2016, 9, 29, tzinfo=UTC)
    read_words = " ".join(each.text for each in article.paragraphs).split()
    (caption,) = (each for each in article.paragraphs if each.role is Role.CAPTION)
    assert caption.credit is not None
    lost = len(path.read_text("utf-8").replace(caption.credit, " ").split())
    assert lost - len(read_words) == 1  # the bar after the credit


@needs_shared
def test_every_ninjs_file_of_the_trade_is_read_without_a_warning() -> None:
    for path in sorted((SHARED / "formats" / "ninjs").iterdir()):
        data = path.read_bytes()
        assert detect(path.name, data[:2048]) == "ninjs"
        (record,) = read("ninjs", data)
        assert record.article is not None, path.name
        assert not record.warnings, path.name
        assert record.article.headline or "renditions_example" in path.name


# A JSON value that is parsed already is read as its text would be.

_NAMES = st.sampled_from(
    ["id", "uri", "Items", "items", "pubStatus", "versioncreated", "title", "x", "ü"]
)
_VALUES = st.none() | st.integers(-9, 9) | TEXT
_OBJECTS = st.dictionaries(_NAMES, _VALUES, max_size=6)


@pytest.mark.slow
@given(_OBJECTS)
def test_a_parsed_object_is_of_the_format_of_its_text(value: dict[str, Any]) -> None:
    assert detect_object(value) == detect("", json.dumps(value).encode())


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("id headline pubstatus", "jsonl"),
        ("id headline usageTerms urgency", "jsonl"),
        ("id title versioncreated", "jsonl"),
        ("guid title content pubDate", "jsonl"),
        ("guid title text pubstatus", "jsonl"),
        ("uri lang url title body dateTime source", "jsonl"),
        ("pubstatus headline text", "jsonl"),
        ("uri pubstatus", "ninjs"),
        ("uri headline versioncreated body_html", "ninjs"),
        ("guid headline body_text versioncreated firstcreated source", "ninjs"),
        ("uri headlines bodies", "ninjs"),
        ("uri type versionCreated by located headline_main body_main", "ninjs"),
        ("headlines bodies versioncreated", "ninjs"),
        ("uri headline", "jsonl"),
    ],
)
def test_a_record_is_of_the_format_that_more_of_its_names_are_of(
    names: str, expected: str
) -> None:
    value = dict.fromkeys(names.split(), "x")
    assert detect_object(value) == expected
    assert detect("", json.dumps([value]).encode()) == expected
    for other in FORMATS["jsonl"].name, FORMATS["ninjs"].name:
        # The name of a file decides only between equals.
        assert detect_object(value, other) == (
            other if names == "uri headline" else expected
        )


@pytest.mark.slow
@given(
    st.sampled_from(["jsonl", "ninjs"]),
    st.dictionaries(st.sampled_from(NINJS_NAMES + OUR_NAMES), VALUES, max_size=8),
)
@settings(max_examples=amount(120, 5_000), deadline=None)
def test_a_parsed_object_is_read_as_its_text(name: str, value: dict[str, Any]) -> None:
    text = json.dumps(value)
    parsed, unparsed = read_parsed(name, value, lambda: text), read(name, text.encode())
    assert [_comparable(each) for each in parsed] == [
        _comparable(each) for each in unparsed
    ]


def _comparable(record: Read) -> tuple[Read, str]:
    """A record with its error as text, as no two errors are equal."""
    return replace(record, error=None), repr(record.error)
