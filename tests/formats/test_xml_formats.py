"""NewsML-G2, NITF and NewsML 1: found by content, read alike, never in part."""

from __future__ import annotations

import gzip
import io
import random
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from checkout import GOLDEN, SHARED
from faults.amounts import amount

from index.article import Article, Status, document_of
from index.errors import InvalidArticle, UnknownFormat, UnreadableInput
from index.formats import FORMATS, Read, ReadOptions, detect, read
from index.parsing.xml import records

XML = [each.name for each in FORMATS.values() if each.roots]
FILES = sorted(
    path for name in XML for path in (GOLDEN / name).iterdir() if path.suffix == ".xml"
)
NITF = (
    '<nitf><head><docdata{status}><doc-id id-string="x:1"/>{data}</docdata></head>'
    "<body><body.head><hedline><hl1>Ferry back</hl1></hedline>{head}</body.head>"
    "<body.content>{text}</body.content></body></nitf>"
)


def one(name_of_format: str, data: bytes | str, **more: Any) -> Article:
    sent = data.encode() if isinstance(data, str) else data
    (record,) = read(name_of_format, sent, **more)
    assert record.article is not None, record.error
    return record.article


def nitf(status: str = "", data: str = "", head: str = "", text: str = "") -> str:
    return NITF.format(
        status=f' management-status="{status}"' if status else "",
        data=data,
        head=head,
        text=text or "<p>It sails at six.</p>",
    )


def g2(meta: str = "", content_meta: str = "", content: str = "") -> str:
    return (
        '<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="x:1">'
        f"<itemMeta>{meta}</itemMeta><contentMeta><headline>Ferry back</headline>"
        f"{content_meta}</contentMeta><contentSet>{content}</contentSet></newsItem>"
    )


def newsml1(management: str = "", component: str = "") -> str:
    return (
        "<NewsML><NewsItem><Identification><NewsIdentifier><ProviderId>x</ProviderId>"
        "<DateId>20210101</DateId><NewsItemId>1</NewsItemId></NewsIdentifier>"
        f"</Identification><NewsManagement>{management}</NewsManagement><NewsComponent>"
        f"<NewsLines><HeadLine>Ferry back</HeadLine></NewsLines>{component}"
        "</NewsComponent></NewsItem></NewsML>"
    )


# Detection


@pytest.mark.parametrize(
    "path", FILES, ids=lambda each: f"{each.parent.name}/{each.name}"
)
def test_the_content_tells_the_format_whatever_the_name(path: Path) -> None:
    data = path.read_bytes()
    for name in ("a.txt", "a.json", "story", "a.xml"):
        assert detect(name, data) == path.parent.name
        assert detect(name, gzip.compress(data)) == path.parent.name


def test_a_root_after_long_comments_is_found() -> None:
    licence = "<!-- " + "may be used by members only " * 1_000 + "-->"
    assert detect("", f"<?xml version='1.0'?>\n{licence}\n<nitf>".encode()) == "nitf"


def test_documents_in_a_wrapper_of_somebody_are_found() -> None:
    data = f"<nitf-doc>{nitf()}{nitf().replace('x:1', 'x:2')}</nitf-doc>".encode()
    assert detect("a.xml", data) == "nitf"
    ids = [record.article.id for record in read("nitf", data) if record.article]
    assert ids == ["x:1", "x:2"]


def test_xml_of_another_kind_is_refused_by_its_root() -> None:
    with pytest.raises(
        UnknownFormat, match="XML of another kind \\(<opml>\\)"
    ) as caught:
        detect("list.xml", b"<?xml version='1.0'?><opml version='2.0'>")
    assert caught.value.root == "opml"


@pytest.mark.parametrize("name_of_format", XML)
def test_xml_without_a_record_is_refused(name_of_format: str) -> None:
    (record,) = read(name_of_format, b"<newsMessage><header/></newsMessage>")
    assert isinstance(record.error, UnreadableInput)
    assert "there is no" in str(record.error)


# Charsets


def test_a_named_charset_comes_before_the_declaration() -> None:
    text = "<?xml version='1.0' encoding='utf-8'?>" + nitf(text="<p>Blåbær</p>")
    article = one("nitf", text.encode("cp1252"), encoding="latin-1")
    assert article.paragraphs[1].text == "Blåbær"


@pytest.mark.parametrize("stream", [False, True])
def test_utf_8_can_be_named_against_the_declaration(stream: bool) -> None:
    text = "<?xml version='1.0' encoding='iso-8859-1'?>" + nitf(text="<p>Blåbær</p>")
    data: Any = io.BytesIO(text.encode()) if stream else text.encode()
    (record,) = read("nitf", data, encoding="UTF-8")
    assert record.article is not None
    assert record.article.paragraphs[1].text == "Blåbær"


# What holds an article back


def status_of(article: Article) -> tuple[str, str | None]:
    document = document_of(article)
    return article.status.value, document.get("embargoed_until")


RELEASE = '<date.release norm="20310101T000000Z"/>'
CHANGE = (
    '<StatusWillChange><FutureStatus FormalName="{}"/>'
    "<DateAndTime>20310101T000000Z</DateAndTime></StatusWillChange>"
)
END = "2031-01-01T00:00:00Z"
LIFTED = "0001-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (nitf(), ("usable", None)),
        (nitf("usable"), ("usable", LIFTED)),
        (nitf("USABLE"), ("usable", LIFTED)),
        (nitf("withheld"), ("withheld", None)),
        (nitf("embargoed"), ("withheld", None)),
        (nitf("embargoed", RELEASE), ("usable", END)),
        (nitf("usable", RELEASE), ("usable", END)),
        (nitf("", RELEASE), ("usable", END)),
        (nitf("withheld", RELEASE), ("withheld", END)),
        (nitf("canceled", RELEASE), ("canceled", END)),
        (nitf("", '<ed-msg msg-type="Kill"/>'), ("canceled", None)),
        (nitf("", '<ed-msg msg-type="embargo"/>'), ("withheld", None)),
        (nitf("", f'<ed-msg msg-type="embargo"/>{RELEASE}'), ("usable", END)),
        (nitf("usable", '<ed-msg msg-type="hold"/>'), ("withheld", LIFTED)),
    ],
)
def test_the_strictest_of_nitf_counts(data: str, expected: tuple[str, str]) -> None:
    assert status_of(one("nitf", data)) == expected


INNER = (
    '<inlineXML><nitf><head><docdata management-status="{}"/></head><body>'
    "<body.content><p>x</p></body.content></body></nitf></inlineXML>"
)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (g2(), ("usable", None)),
        (g2('<pubStatus qcode="stat:usable"/>'), ("usable", None)),
        (g2('<pubStatus qcode="s:Withheld"/>'), ("withheld", None)),
        (g2('<pubStatus uri="http://x.example/p/canceled"/>'), ("canceled", None)),
        (g2(f"<embargoed>{END}</embargoed>"), ("usable", END)),
        (g2("<embargoed>2030-01-01T00:00:00Z</embargoed>"
            f"<embargoed>{END}</embargoed>"), ("usable", END)),
        (g2("<embargoed/>"), ("withheld", None)),
        (g2("<embargoed> </embargoed><pubStatus qcode='stat:canceled'/>"),
         ("canceled", None)),
        (g2('<signal qcode="x:kill"/>'), ("canceled", None)),
        (g2('<signal qcode="x:embargo"/>'), ("withheld", None)),
        (g2(f'<signal qcode="x:embargo"/><embargoed>{END}</embargoed>'),
         ("usable", END)),
        (g2('<signal qcode="sig:correction"/>'), ("usable", None)),
        (g2(content=INNER.format("canceled")), ("canceled", None)),
        (g2(content=INNER.format("embargoed")), ("withheld", None)),
        (g2('<pubStatus qcode="stat:canceled"/>', content=INNER.format("embargoed")),
         ("canceled", None)),
    ],
)  # fmt: skip
def test_the_strictest_of_newsml_g2_counts(
    data: str, expected: tuple[str, str]
) -> None:
    assert status_of(one("newsmlg2", data)) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (newsml1(), ("usable", None)),
        (newsml1('<Status FormalName="USABLE"/>'), ("usable", None)),
        (newsml1('<Status FormalName="Embargoed"/>'), ("withheld", None)),
        (
            newsml1('<Status FormalName="Embargoed"/>' + CHANGE.format("Usable")),
            ("usable", END),
        ),
        (
            newsml1('<Status FormalName="Withheld"/>' + CHANGE.format("usable")),
            ("usable", END),
        ),
        (
            newsml1('<Status FormalName="Canceled"/>' + CHANGE.format("Usable")),
            ("canceled", None),
        ),
        (newsml1('<Instruction FormalName="Kill"/>'), ("canceled", None)),
        (
            newsml1('<Status FormalName="Usable"/><Instruction FormalName="Hold"/>'),
            ("withheld", None),
        ),
        (
            newsml1(component="<ContentItem><DataContent>"
                    '<nitf><head><docdata management-status="withheld"/></head></nitf>'
                    "</DataContent></ContentItem>"),
            ("withheld", None),
        ),
    ],
)  # fmt: skip
def test_the_strictest_of_newsml_1_counts(data: str, expected: tuple[str, str]) -> None:
    assert status_of(one("newsml1", data)) == expected


def test_a_status_that_ends_is_an_expiry() -> None:
    article = one("newsml1", newsml1(CHANGE.format("Withheld")))
    assert document_of(article)["expires"] == END


@pytest.mark.parametrize(
    ("name_of_format", "data"),
    [
        ("nitf", nitf("frozen")),
        ("newsmlg2", g2('<pubStatus qcode="stat:frozen"/>')),
        ("newsmlg2", g2(content=INNER.format("frozen"))),
        ("newsml1", newsml1('<Status FormalName="Frozen"/>')),
        ("newsml1", newsml1(CHANGE.format("Frozen"))),
        ("nitf", nitf("", '<date.release norm="soon"/>')),
        ("newsmlg2", g2("<embargoed>soon</embargoed>")),
        ("newsmlg2", g2("<expires>soon</expires>")),
    ],
)
def test_what_is_unclear_about_a_status_refuses_the_article(
    name_of_format: str, data: str
) -> None:
    (record,) = read(name_of_format, data.encode())
    assert isinstance(record.error, InvalidArticle)


def test_a_document_cancels_another_also_without_a_headline() -> None:
    data = (
        '<nitf><head><docdata management-doc-idref="x:0"'
        ' management-idref-status="canceled"><doc-id id-string="x:1"/></docdata></head>'
        "<body><body.content/></body></nitf>"
    )
    own, other = read("nitf", data.encode())
    assert own.error is not None
    assert other.article is not None
    assert (other.article.id, other.article.status) == ("x:0", Status.CANCELED)


# Options of a load


def test_a_mapping_reads_the_properties_of_extra() -> None:
    head = '<head><meta name="desk" content="Sport"/><meta name="x.y" content="7"/>'
    data = nitf().replace("<head>", head)
    options = ReadOptions(mapping={"meta.desk": "section", "meta.x\\.y": "keywords"})
    article = one("nitf", data, options=options)
    assert article.section == "Sport"
    assert [each.name for each in article.keywords] == ["7"]
    assert article.extra == {}


def test_an_id_may_come_from_elsewhere_and_fields_from_defaults() -> None:
    head = '<head><meta name="story" content="S 17"/>'
    data = nitf().replace("<head>", head).replace('<doc-id id-string="x:1"/>', "")
    options = ReadOptions(id_from=("meta.story",), defaults={"source": "Archive"})
    article = one("nitf", data, options=options)
    assert (article.id, article.source) == ("S-17", "Archive")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("2021/my story.xml.gz", "file:2021/my-story"), ("a.nitf", "file:a")],
)
def test_a_document_without_an_id_goes_by_its_name(name: str, expected: str) -> None:
    data = nitf().replace('<doc-id id-string="x:1"/>', "")
    assert one("nitf", data, name=name).id == expected
    assert one("nitf", data).id.startswith("text:")


def test_the_original_is_the_file_or_the_element_of_the_item() -> None:
    data = f"<?xml version='1.0'?>\n{nitf()}\n".encode()
    (record,) = read("nitf", data)
    assert record.original is not None
    assert record.original.data == data
    items = g2() + g2().replace("x:1", "x:2")
    message = f"<newsMessage><itemSet>{items}</itemSet></newsMessage>"
    for record in read("newsmlg2", message.encode()):
        assert record.original is not None
        again = one("newsmlg2", record.original.data)
        assert again == record.article


# Damaged, hostile and long input


def damaged(data: bytes, random_: random.Random) -> bytes:
    """A variant of a file: cut, flipped, recoded, nested, or with a bomb in it."""
    at = random_.randrange(len(data))
    kind = random_.randrange(8)
    if kind == 0:
        return data[:at]
    if kind == 1:
        flipped = bytearray(data)
        for _ in range(random_.randint(1, 4)):
            flipped[random_.randrange(len(data))] ^= 1 << random_.randrange(8)
        return bytes(flipped)
    if kind == 2:
        return data.decode("utf-8", "replace").encode(
            random_.choice(["utf-16", "cp1252", "utf-7", "utf-32-be"]), "replace"
        )
    if kind == 3:
        return data[:at] + b"<p>" * random_.choice([10, 300, 5_000]) + data[at:]
    if kind == 4:
        bomb = b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>"
        return bomb + data[:at] + b"&b;&a;" + data[at:]
    if kind == 5:
        outside = b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/hostname'>]>"
        return outside + data[:at] + b"&e;" + data[at:]
    if kind == 6:
        return data[:at] + data[random_.randrange(len(data)) :]
    return data[:at] + random_.randbytes(3) + data[at:]


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def whole_words(path: Path) -> Iterator[str]:
    for record in read(path.parent.name, path.read_bytes()):
        if record.article is not None:
            yield from (each.text for each in record.article.paragraphs)


@pytest.mark.slow
@pytest.mark.parametrize("name_of_format", XML)
def test_no_damage_crashes_or_makes_an_article_of_a_part(
    name_of_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_: object) -> None:
        raise AssertionError("a file or a connection was opened")

    random_ = random.Random(13)
    files = [each for each in FILES if each.parent.name == name_of_format]
    contents = {path: path.read_bytes() for path in files}
    monkeypatch.setattr("socket.socket.connect", opened)
    monkeypatch.setattr("builtins.open", opened)
    for _ in range(amount(150, 3_400)):
        path = random_.choice(files)
        data = damaged(contents[path], random_)
        for record in read(name_of_format, data, name="x"):
            if record.wrapper is not None:
                continue  # a feed without items
            assert (record.article is None) == (record.error is not None)


@pytest.mark.slow
@pytest.mark.parametrize("name_of_format", XML)
def test_a_file_that_is_cut_off_anywhere_has_no_article_in_part(
    name_of_format: str,
) -> None:
    for path in FILES:
        if path.parent.name != name_of_format:
            continue
        data = path.read_bytes()
        whole = [_content(record) for record in read(name_of_format, data, name="x")]
        for at in range(0, len(data.rstrip()) - 1, amount(37, 3)):
            for record in read(name_of_format, data[:at], name="x"):
                if record.article is not None:
                    assert _content(record) in whole, (path.name, at)


def _content(record: Read) -> Any:
    return None if record.article is None else document_of(record.article)


def test_an_item_too_long_is_refused_while_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(records, "MAX_WHOLE", 200_000)
    (record,) = read("nitf", nitf(text="<p>word</p>" * 100_000).encode())
    assert record.error is not None
    assert record.error.code == "limit_exceeded"


# Real files, where they are there

REASONS = (
    "is no news",
    "needs a headline or a paragraph",
    "needs an id",
    "'OPEN' is not a status",
)
FOLDERS = {"newsmlg2": "newsml-g2", "nitf": "nitf", "newsml1": "newsml-1.2"}


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the data lies beside a checkout")
@pytest.mark.parametrize("name_of_format", XML)
def test_every_file_of_the_trade_is_read_or_refused_with_a_reason(
    name_of_format: str,
) -> None:
    folder = FOLDERS.get(name_of_format)
    if folder is None:
        pytest.skip("there are no files of this format")
    articles = 0
    for path in sorted((SHARED / "formats" / folder).iterdir()):
        data = path.read_bytes()
        try:
            assert detect(path.name, data) == name_of_format
        except UnknownFormat as error:
            assert error.root == "groupSet"
            continue
        for record in read(name_of_format, data, name=path.name):
            if record.article is None:
                assert any(reason in str(record.error) for reason in REASONS), path.name
                continue
            articles += 1
            is_notice = "management_doc_id" in record.article.extra
            assert record.article.published is not None or is_notice, path.name
            assert record.article.headline or len(record.article.paragraphs) > 1
    assert articles >= 9


# The work for an item, in calls, grows with its length

SHAPES: dict[str, tuple[str, Callable[[int], str]]] = {
    "paragraphs": ("nitf", lambda n: nitf(text="<p>word</p>" * n)),
    "people": (
        "nitf",
        lambda n: nitf(text="".join(f"<p><person>A{i}</person></p>" for i in range(n))),
    ),
    "people in people": (
        "nitf",
        lambda n: nitf(text="<person>" * 90 + "<p>x</p>" * n + "</person>" * 90),
    ),
    "media in media": (
        "nitf",
        lambda n: nitf(text="<media>" * 90 + "<p>x</p>" * n + "</media>" * 90),
    ),
    "titles": (
        "nitf",
        lambda n: nitf(head=f"<byline>{'<byttl>a</byttl>' * n}</byline>"),
    ),
    "notes": ("nitf", lambda n: nitf("", '<ed-msg info="a"/>' * n)),
    "entities": ("nitf", lambda n: nitf(text=f"<p>{'&eacute;<!-- a -->' * n}</p>")),
    "subjects": (
        "newsmlg2",
        lambda n: g2("", "".join(f'<subject qcode="a:{i}"/>' for i in range(n))),
    ),
    "headlines": ("newsmlg2", lambda n: g2("", "<headline>a</headline>" * n)),
    "renditions": ("newsmlg2", lambda n: g2("", "", "<inlineXML><p/></inlineXML>" * n)),
    "schemes and items": (
        "newsmlg2",
        lambda n: (
            "<newsMessage><header><catalog>"
            + "<scheme alias='a' uri='b'/>" * n
            + f"</catalog></header><itemSet>{g2() * n}</itemSet></newsMessage>"
        ),
    ),
    "texts": (
        "newsml1",
        lambda n: newsml1(
            "", "<ContentItem><DataContent>a</DataContent></ContentItem>" * n
        ),
    ),
    "components": (
        "newsml1",
        lambda n: newsml1(
            "", "<NewsComponent><NewsLines><x/></NewsLines></NewsComponent>" * n
        ),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_the_calls_for_an_item_grow_with_its_length(shape: str) -> None:
    name_of_format, data = SHAPES[shape]
    list(read(name_of_format, data(1).encode()))  # imports and tables are made once

    def calls(length: int) -> int:
        counted = 0

        def count(frame: object, event: str, argument: object) -> None:
            nonlocal counted
            counted += event in ("call", "c_call")

        sys.setprofile(count)
        try:
            for _ in read(name_of_format, data(length).encode()):
                pass
        finally:
            sys.setprofile(None)
        return counted

    base = calls(50)
    assert calls(450) - base < 1.2 * 4 * (calls(150) - base)
