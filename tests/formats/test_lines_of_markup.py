"""Lines that may be HTML: headlines, bylines, keywords; and a ``<`` that is no tag."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.parsing import html_paragraphs, plain_text, unescaped


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("AT&T", "AT&T"),
        ("AT&amp;T", "AT&T"),
        ("AT&amp;amp;T", "AT&T"),
        ("R&D, Q&A, &c", "R&D, Q&A, &c"),
        ("a < b", "a < b"),
        ("I <3 it", "I <3 it"),
        ("5 &lt; 6", "5 < 6"),
        ("5 &amp;lt; 6 &amp;gt; 4", "5 < 6 > 4"),
        ("a &lt;b and c&gt; d", "a <b and c> d"),
        ("&lt;3 it", "<3 it"),
        ("Acme <ACM> up", "Acme <ACM> up"),
        ("<b>Ice</b> rink", "Ice rink"),
        ("&lt;b&gt;Ice&lt;/b&gt; rink", "Ice rink"),
        ("How the &lt;b&gt; tag began", "How the <b> tag began"),
        ("<p>Ice &#8211; cold</p>", "Ice – cold"),
        ("Ice<br>cold", "Ice cold"),
        ('<a href="/x">Ice</a>', "Ice"),
        ("caf&eacute;&nbsp;open", "café open"),
        ("&#146;s &#x2019;s", "’s ’s"),
        ("&foo; &amp &copy", "&foo; &amp &copy"),
        ("", ""),
        ("<p></p>", ""),
        ("ACME <P> BUYS RIVAL <PRE>, <BR> AND <DD>", None),
        ('Ice <img src="x"> rink', "Ice rink"),
    ],
)
def test_a_line_loses_tags_and_references_only(line: str, expected: str | None) -> None:
    assert plain_text(line) == (line if expected is None else expected)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>Acme <ACM> and <jo@example.org> rose</p>", None),
        ("<p>if a<b then c</p>", "if a<b then c"),
        ("<p>x <y and <em>z</em></p>", "x <y and z"),
        ("a<b and c", "a<b and c"),
        ("a <br", "a <br"),
        ('<p>cut off <a href="https://exam', "cut off"),
        ('<p title="a > b">x</p>', "x"),
        ("<hl2>Own names</hl2> <o:p>and</o:p> <x-y>more</x-y> <pb/>", None),
    ],
)
def test_a_less_than_sign_that_begins_no_tag_is_text(
    html: str, expected: str | None
) -> None:
    text = " ".join(block.text for block in html_paragraphs(html))
    if expected is None:
        expected = {
            "<p>Acme": "Acme <ACM> and <jo@example.org> rose",
            "<hl2>Own": "Own names and more",
        }[html.split()[0]]
    assert text == expected


@given(st.text("ab &<>;/=\"'", max_size=40))
def test_a_line_without_tags_or_references_stays(text: str) -> None:
    words = text.replace("&", "& ").replace("<", "< ")
    assert plain_text(words).split() == words.split()


@given(st.text("abc &;<>#x3", max_size=40))
def test_decoding_what_was_encoded_gives_the_text_back(text: str) -> None:
    encoded = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert unescaped(encoded) == text


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit", ["<", "<p ", '<p "', "<p \"'", "&", "&a", "&amp;", "</a", '<p "a" \'b ']
)
def test_hostile_markup_takes_time_in_proportion(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        start = time.process_time()
        plain_text(text)
        html_paragraphs(text)
        return time.process_time() - start

    short = min(seconds(15_000) for _ in range(3))
    assert seconds(300_000) < 20 * 8 * max(short, 0.005)
