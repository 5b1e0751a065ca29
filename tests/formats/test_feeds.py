"""RSS, Atom and WordPress exports: read item by item, whole, and within limits."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from checkout import GOLDEN, SHARED
from faults.amounts import amount
from hypothesis import given
from hypothesis import strategies as st

from index.article import Status
from index.errors import LimitExceeded, UnreadableInput
from index.formats import Read, ReadOptions, detect, read
from index.formats.feeds import feed as feeds
from index.formats.feeds.names import name_of
from index.formats.feeds.people import author_name
from index.formats.feeds.shortcodes import without_shortcodes
from index.parsing import XmlElement
from index.parsing.xml import repair
from tests.formats.feed_shapes import FEED_SHAPES
from tests.formats.shapes import Shape
from tests.formats.test_proportion import GROWTH, MOST, Work

HEAD = '<rss version="2.0"><channel><title>Wire</title><language>en</language>'
END = "</channel></rss>"
WP = ' xmlns:wp="http://wordpress.org/export/1.2/"'


def item(number: int, more: str = "") -> str:
    return f"<item><guid>g{number}</guid><title>Title {number}</title>{more}</item>\n"


def articles(data: str | bytes, name_of_format: str = "rss", **more: Any) -> list[Any]:
    sent = data.encode() if isinstance(data, str) else data
    return [each.article for each in read(name_of_format, sent, **more) if each.article]


def errors(data: str) -> list[Read]:
    return [each for each in read("rss", data.encode()) if each.error is not None]


# Detection


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("<rss version='0.92'>", "rss"),
        ("\n\n<?xml version='1.0'?>\n<!-- made by hand --><RSS>", "rss"),
        ("<rdf:RDF xmlns:rdf='x' xmlns='http://purl.org/rss/1.0/'>", "rss"),
        ("<feed xmlns='http://www.w3.org/2005/Atom'>", "atom"),
        ("<a:entry xmlns:a='http://www.w3.org/2005/Atom'>", "atom"),
        (f"<rss{WP}>", "wxr"),
        ("<rss xmlns:excerpt='http://wordpress.org/export/1.0/excerpt/'>", "wxr"),
    ],
)
def test_a_feed_is_known_by_its_root(head: str, expected: str) -> None:
    for name in ("story.txt", "feed.json", "feed.atom", ""):
        assert detect(name, head.encode()) == expected


@pytest.mark.parametrize("name_of_format", ["rss", "atom", "wxr"])
def test_a_feed_that_calls_itself_another_is_read_as_what_it_is(
    name_of_format: str,
) -> None:
    entry = "<entry><id>e1</id><title>One</title></entry>"
    atom = f"<feed xmlns='http://www.w3.org/2005/Atom'>{entry}</feed>"
    assert [each.id for each in articles(HEAD + item(1) + END, name_of_format)] == [
        "g1"
    ]
    assert [each.id for each in articles(atom, name_of_format)] == ["e1"]


@pytest.mark.parametrize("name_of_format", ["rss", "atom", "wxr"])
def test_a_feed_without_items_is_an_empty_list_and_other_xml_is_refused(
    name_of_format: str,
) -> None:
    (record,) = read(name_of_format, (HEAD + END).encode())
    assert (record.article, record.error, record.wrapper) == (None, None, "item")
    (record,) = read(name_of_format, b"<opml><body/></opml>")
    assert isinstance(record.error, UnreadableInput)
    assert "<opml>" in str(record.error)


# What an item has from its feed


def test_what_stands_between_items_is_looked_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[str] = []

    def counted(element: XmlElement) -> str:
        looked.append(element.tag)
        return name_of(element)

    monkeypatch.setattr(feeds, "name_of", counted)

    def looks(items: int) -> int:
        looked.clear()
        noise = "<x/>" * items
        # A term between two items: the item before is then not in the tree any more.
        body = "".join(item(each, "") + f"<x/><wp:tag{WP}/>" for each in range(items))
        assert len(articles(HEAD + noise + body + END)) == items
        return len(looked)

    assert looks(200) <= 4.2 * looks(50)


def test_a_channel_behind_another_shares_nothing_with_it() -> None:
    both = (
        "<rss><channel><title>One</title><copyright>A</copyright>"
        f"{item(1)}</channel><channel><title>Two</title>{item(2)}</channel></rss>"
    )
    assert [(each.source, each.copyright) for each in articles(both)] == [
        ("One", "A"),
        ("Two", None),
    ]


def test_items_are_read_while_the_file_comes() -> None:
    class Counted(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1) -> bytes:
            piece = super().read(size)
            self.taken += len(piece)
            return piece

    text = HEAD + "".join(item(each, "<x>words</x>" * 20) for each in range(4_000))
    stream = Counted((text + END).encode())
    first = next(iter(read("rss", stream)))
    assert first.article is not None
    assert stream.taken < len(text) / 2


@pytest.mark.parametrize(
    "shared",
    [
        "<title>{}</title>",
        "<copyright>{}</copyright>",
        "<atom:author><atom:name>{}</atom:name></atom:author>",
        "<link>https://x.example/{}</link>",
        '<a xml:base="https://x.example/{}"/>',
    ],
)
def test_what_is_long_is_not_held_by_every_item_again(shared: str) -> None:
    root = "<rss xmlns:atom='http://www.w3.org/2005/Atom'><channel>"
    items = "<item><guid>{}</guid><link>y</link><title>A</title></item>"
    text = root + shared.format("x" * 5_000) + "".join(map(items.format, range(3)))
    found = articles(text + END)
    assert len(found) == 3
    assert all("xxx" not in repr(article) for article in found)


def test_authors_of_a_feed_are_shared_only_if_they_are_few() -> None:
    people = "".join(f"<author><name>A{each}</name></author>" for each in range(500))
    entries = "".join(
        f"<entry><id>{each}</id><title>A</title></entry>" for each in "ab"
    )
    feed = f"<feed xmlns='http://www.w3.org/2005/Atom'>{people}{entries}</feed>"
    assert [len(each.authors) for each in articles(feed)] == [50, 50]


def test_namespaces_around_the_items_are_limited() -> None:
    """Each original declares them again."""
    many = " ".join(f"xmlns:n{each}='urn:{each}'" for each in range(300))
    text = f"<rss {many}><channel>{item(1)}{item(2)}{END}"
    (refused,) = read("rss", text.encode())
    assert isinstance(refused.error, LimitExceeded)


# Faults


def test_a_cut_feed_gives_the_items_that_are_whole_and_says_so() -> None:
    text = HEAD + "".join(
        item(each, f"<description>Text &amp; more {each}</description>")
        for each in range(3)
    )
    whole = articles(text + END)
    ends = [text.index(f"Text &amp; more {n}</description></item>") for n in range(3)]
    ends = [end + len("Text &amp; more 0</description></item>") for end in ends]
    for cut in range(len(HEAD), len(text), amount(7, 1)):
        records = list(read("rss", text[:cut].encode()))
        complete = sum(end <= cut for end in ends)
        assert [r.article for r in records if r.article] == whole[:complete]
        assert records[-1].error is not None, cut


def test_damage_in_one_item_leaves_the_others_as_they_are() -> None:
    """A tag of the second item is damaged at each place in turn."""
    good = [item(each, f"<description>Text {each}</description>") for each in range(3)]
    first, _, last = articles(HEAD + "".join(good) + END)
    for place, letter in enumerate(good[1]):
        damaged = f"{good[1][:place]}\x01{good[1][place + 1 :]}"
        found = articles(HEAD + good[0] + damaged + good[2] + END)
        assert found[0] == first, (place, letter)
        if "<item>" in damaged:
            assert found[-1] == last, (place, letter)
        for article in found[1:]:
            texts = {paragraph.text for paragraph in article.paragraphs}
            assert not ({"Text 1", "Title 1"} & texts and "Text 2" in texts)


words = st.text(alphabet="abc &<>\"';#x1\n", max_size=40)


@given(words, words)
def test_a_text_is_never_joined_with_that_of_the_next_item(one: str, two: str) -> None:
    body = f"<description>{one}</description>", f"<description>{two}</description>"
    text = HEAD + item(1, body[0]) + item(2, body[1]) + item(3) + END
    found = {each.id: each for each in articles(text)}
    assert "g3" in found
    for number, sent in ((1, one), (2, two)):
        if f"g{number}" in found and "&" not in sent and "<" not in sent:
            expected = " ".join(sent.split())
            read_back = " ".join(p.text for p in found[f"g{number}"].paragraphs[1:])
            assert read_back.split() == expected.split()


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("Salt & pepper", ["Salt & pepper"]),
        ("Salt &amp; pepper & oil", ["Salt & pepper & oil"]),
        ("One<br>two", ["One two"]),
        ("<p>One<p>two", ["One", "two"]),
        ("AT&T <b>rose</b> again", ["AT&T rose again"]),
        ("One\x0btwo & three", ["One two & three"]),
    ],
)
def test_what_has_one_meaning_is_mended_with_a_warning(
    sent: str, expected: list[str]
) -> None:
    text = HEAD + item(1, f"<description>{sent}</description>") + item(2) + END
    one, two = read("rss", text.encode())
    assert one.article is not None
    assert [each.text for each in one.article.paragraphs[1:]] == expected
    assert one.article.source == "Wire"
    assert "was mended" in one.warnings[0]
    assert one.original is not None
    assert sent.encode() in one.original.data
    assert two.warnings == ()


def test_a_prefix_that_nothing_declares_is_taken_by_its_name() -> None:
    text = HEAD + item(1, "<dc:creator>Ada Moss</dc:creator>") + END
    (record,) = read("rss", text.encode())
    assert record.article is not None
    assert [each.name for each in record.article.authors] == ["Ada Moss"]
    assert record.error is None


def test_a_broken_head_costs_no_item_and_is_read_too() -> None:
    text = f"<rss><channel><title>Salt & pepper</title>{item(1)}{END}"
    (article,) = articles(text)
    assert article.source == "Salt & pepper"


def test_an_error_in_an_item_names_its_line() -> None:
    text = HEAD + "\n" + item(1) + item(2, "<link a=b>") + item(3) + END
    (refused,) = errors(text)
    assert refused.line == 3
    assert "(line 3)" in str(refused.error)


def test_broken_items_are_read_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[int] = []
    reading = repair.xml_records

    def counted(data: bytes, is_record: Any) -> Iterator[Any]:
        parsed.append(len(data))
        return reading(data, is_record)

    monkeypatch.setattr(repair, "xml_records", counted)

    def work(items: int) -> int:
        parsed.clear()
        broken = "".join(item(each, "<x>a & b</x>") for each in range(items))
        assert len(articles(HEAD + broken + END)) == items
        return sum(parsed)

    assert work(80) <= 4.2 * work(20)


def test_ends_are_looked_for_only_of_a_few_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each name costs a search in the whole text."""
    looked: set[str] = set()
    searching = repair._next

    def counted(text: str, mark: str, at: int, ends: dict[str, int]) -> int:
        looked.add(mark)
        return searching(text, mark, at, ends)

    monkeypatch.setattr(repair, "_next", counted)
    many = "".join(f"<a{each}:title>" for each in range(300))
    list(repair._parts(many, feeds.TEXTS))
    assert len(looked) <= repair.MAX_NAMES


def test_a_long_broken_file_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair, "MAX_REPAIRED", 1_000)
    text = HEAD + item(1) + item(2, "&") + item(3, "words " * 200) + END
    assert [each.id for each in articles(text)] == ["g1"]
    (refused,) = errors(text)
    assert "line 2" in str(refused.error)


def test_after_many_broken_items_the_rest_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(repair, "MAX_RECORDS", 3)
    text = HEAD + "\n" + "".join(item(each, "a & b") for each in range(6)) + END
    assert [each.id for each in articles(text)] == ["g0", "g1", "g2"]
    (refused,) = errors(text)
    assert "the rest is not read (line 5)" in str(refused.error)


def test_a_limit_is_no_fault_that_is_mended() -> None:
    deep = HEAD + "<x>" * 300 + "</x>" * 300 + item(1) + END
    (refused,) = errors(deep)
    assert isinstance(refused.error, LimitExceeded)


# Fields


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Ada Moss", "Ada Moss"),
        ("ada@moss.example (Ada Moss)", "Ada Moss"),
        ("Ada Moss <ada@moss.example>", "Ada Moss"),
        ('"Ada Moss" <ada@moss.example>', "Ada Moss"),
        ("Ada Moss (ada@moss.example)", "Ada Moss"),
        ("mailto:ada@moss.example (Ada Moss)", "Ada Moss"),
        ("ada@moss.example", None),
        ("<ada@moss.example>", None),
        ("Ada Moss @ the quay", "Ada Moss @ the quay"),
    ],
)
def test_an_author_is_a_name_without_an_address(
    written: str, expected: str | None
) -> None:
    assert author_name(written) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("A [sic] word [1] of [the mayor]", "A [sic] word [1] of [the mayor]"),
        ("A [gallery] b", "A  b"),
        ('A [b c="d"]e[/b] f', "A e f"),
        ("A [quote]e[/quote] f", "A e f"),
        ("A [video src=x] b [video]c[/video] d", "A  b  d"),
        ("A [embed]http://x[/embed] b", "A  b"),
        ("A [embed]http://x and no end", "A http://x and no end"),
        ("[caption]x[/caption]", "<figure><figcaption>x</figcaption></figure>"),
        ("[/caption] x", "</figcaption></figure> x"),
        ("[[[[", "[[[["),
    ],
)
def test_shortcodes_go_and_words_in_brackets_stay(html: str, expected: str) -> None:
    assert without_shortcodes(html) == expected


@given(st.text(alphabet='ab []/="_'))
def test_words_outside_brackets_are_never_lost(html: str) -> None:
    outside = html
    if "[" not in html:
        assert without_shortcodes(html) == outside
    assert len(without_shortcodes(html)) <= len(html)


def test_the_strictest_of_what_a_post_says_counts_whatever_the_format_is_called() -> (
    None
):
    post = item(
        1,
        f"<wp:post_password{WP}>x</wp:post_password><wp:status{WP}>publish</wp:status>",
    )
    for name_of_format in ("rss", "atom", "wxr"):
        (article,) = articles(HEAD + post + END, name_of_format)
        assert article.status is Status.WITHHELD
        assert "password" not in str(article.extra)


def test_a_comment_of_a_reader_is_not_kept_in_the_article() -> None:
    address = "<wp:comment_author_IP>192.0.2.1</wp:comment_author_IP>"
    comment = f"<wp:comment{WP}>{address}</wp:comment>"
    status = f"<wp:status{WP}>publish</wp:status>"
    (article,) = articles(HEAD + item(1, status + comment) + END, "wxr")
    assert "192.0.2.1" not in str(article)


def test_a_mapping_reads_what_is_kept_in_extra() -> None:
    more = (
        '<itunes:author xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">'
        "Ada Moss</itunes:author>"
    )
    options = ReadOptions(mapping={"itunes:author": "byline"})
    (article,) = articles(HEAD + item(1, more) + END, options=options)
    assert article.byline == "Ada Moss"


def test_a_long_guid_is_an_id_that_ends_in_its_hash() -> None:
    long = "https://alerts.example/?" + "q" * 900
    other = long + "x"
    first, second = articles(
        f"{HEAD}<item><guid>{long}</guid><title>A</title></item>"
        f"<item><guid>{other}</guid><title>B</title></item>{END}"
    )
    assert len(first.id) <= 400
    assert first.id != second.id
    assert first.url == long


@pytest.mark.slow
@pytest.mark.parametrize("shape", FEED_SHAPES, ids=lambda shape: shape.name)
def test_reading_a_feed_takes_steps_in_proportion(
    shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = amount(120, 2_000)
    small, large = shape.of_size(units), shape.of_size(GROWTH * units)

    def reading(data: bytes) -> None:
        for _ in read(shape.format, data):
            pass

    reading(large)  # fills the caches of names
    work = Work(monkeypatch)
    one = work.of(lambda: reading(small))
    other = work.of(lambda: reading(large))
    assert other <= MOST * max(one, 3_000)


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real feeds lie beside a checkout")
def test_every_item_of_the_real_feeds_is_read_or_refused_with_a_reason() -> None:
    for path in sorted([*SHARED.glob("formats/rss/*"), *SHARED.glob("formats/atom/*")]):
        data = path.read_bytes()
        records = list(read(detect(path.name, data), data, name=path.name))
        assert any(record.article for record in records), path
        for record in records:
            assert record.article or record.error, path
            if record.article:
                assert record.article.headline or record.article.paragraphs
                assert record.article.published or record.article.updated, path


def test_golden_exports_are_known_by_their_content() -> None:
    for path in (GOLDEN / "wxr").glob("*.xml"):
        assert detect("export.txt", path.read_bytes()) == "wxr"
