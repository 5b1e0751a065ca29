"""Marks, their HTML, and the part of a long paragraph that is shown."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.archive import excerpts
from index.archive.excerpts import cut, excerpt_of, marked_html
from index.archive.marking import merged
from index.text import Span, sentence_spans


def test_html_is_escaped_before_it_is_marked() -> None:
    text = """<b> AT&T's "deal" </b>"""
    assert marked_html(text, [(4, 10)]) == (
        "&lt;b&gt; <mark>AT&amp;T&#x27;s</mark> &quot;deal&quot; &lt;/b&gt;"
    )


@st.composite
def marked_texts(draw: st.DrawFn) -> tuple[str, tuple[Span, ...]]:
    text = draw(
        st.text(
            st.sampled_from("ab <>&'\".é\u0301🇸。\n") | st.characters(), max_size=80
        )
    )
    ends = st.integers(0, len(text))
    spans = draw(st.lists(st.tuples(ends, ends), max_size=5))
    return text, merged((min(span), max(span)) for span in spans if span[0] != span[1])


@pytest.mark.slow
@given(marked_texts())
def test_without_marks_and_escapes_html_is_the_text(
    example: tuple[str, tuple[Span, ...]],
) -> None:
    text, spans = example
    page = marked_html(text, spans)
    bare = re.sub("</?mark>", "", page)
    assert "<" not in bare
    assert ">" not in bare
    assert html.unescape(bare) == text
    assert re.findall("<mark>(.*?)</mark>", page, re.DOTALL) == [
        html.escape(text[start:end]) for start, end in spans
    ]


@pytest.mark.parametrize(
    "text",
    [
        "The U.S. Army said so.|It left.",
        "Mr. Kerry met Gen. John F. Kelly on Jan. 5.|They talked.",
        "It rose 3.5 percent, to 1.2 million.|Prices fell.",
        "“Stop!” he said.|“Why?”|Nobody knew.",
        "He waited... and waited.|Then he left…|So did she.",
        "停火结束了。|谈判也是！|为什么？|没人知道。",
        "توقفت المحادثات؟|نعم.|انتهى",
        "वार्ता रुक गई।|युद्ध जारी है।|अंत",
        "First (and last.)|Second",
        "No stop here",
        "One paragraph|\n\n|Another",
    ],
)
def test_sentences_end_where_a_reader_would_say(text: str) -> None:
    expected = [each for each in text.split("|") if each.strip()]
    whole = text.replace("|", " " if text.isascii() or "。" not in text else "")
    assert [whole[start:end] for start, end in sentence_spans(whole)] == expected


FOUR = "One one one. Two two two. Three kerry three. Four four four."


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, FOUR),
        (500, FOUR),
        (20, "Three kerry three."),
        (34, "Two two two. Three kerry three."),
        (47, "Two two two. Three kerry three. Four four four."),
    ],
)
def test_whole_sentences_around_the_marks_are_shown(length: int, expected: str) -> None:
    at = FOUR.index("kerry")
    text, spans = excerpt_of(FOUR, [(at, at + 5)], length)
    assert text == expected
    assert [text[start:end] for start, end in spans] == ["kerry"]


def test_the_sentences_with_most_marks_are_shown() -> None:
    text = "Aleppo burns. Nothing here. Aleppo and Aleppo. Nothing again."
    spans = [(m.start(), m.end()) for m in re.finditer("Aleppo", text)]
    assert excerpt_of(text, spans, 20)[0] == "Aleppo and Aleppo."


def test_without_marks_the_lead_is_shown() -> None:
    assert excerpt_of(FOUR, [], 30) == ("One one one. Two two two.", ())


def test_a_sentence_that_is_too_long_is_cut_between_words() -> None:
    text = "alpha " * 20 + "the verge of suspending talks " + "omega " * 20
    at = text.index("verge")
    shown, spans = excerpt_of(text, [(at, at + 19)], 60)
    assert len(shown) <= 60
    assert [shown[start:end] for start, end in spans] == ["verge of suspending"]
    assert set(shown.split()) <= set(text.split())
    assert shown == shown.strip()


def test_a_phrase_across_two_sentences_is_not_cut() -> None:
    text = "One two three. Four five six. Seven eight."
    at = text.index("six. Seven")
    shown, spans = excerpt_of(text, [(at, at + 10)], 35)
    assert [shown[start:end] for start, end in spans] == ["six. Seven"]


def test_a_run_of_chinese_is_cut_between_characters() -> None:
    text = "停火" * 60
    start, end = cut(text, [(50, 52)], 20)
    assert start <= 50
    assert end >= 52
    assert 15 <= end - start <= 20


def test_an_accent_stays_with_its_letter() -> None:
    text = "e\u0301" * 50
    for length in range(5, 12):
        start, end = cut(text, [], length)
        assert start % 2 == 0
        assert end % 2 == 0


@pytest.mark.slow
@given(marked_texts(), st.integers(0, 60))
def test_what_is_shown_is_a_part_of_the_text_and_never_longer_than_asked(
    example: tuple[str, tuple[Span, ...]], length: int
) -> None:
    text, spans = example
    start, end = cut(text, spans, length)
    assert 0 <= start <= end <= len(text)
    shown, inside = excerpt_of(text, spans, length)
    assert shown == text[start:end]
    if length:
        assert len(shown) <= length
    for first, last in inside:
        assert 0 <= first < last <= len(shown)


@pytest.mark.slow
@given(marked_texts(), st.integers(20, 60))
def test_a_mark_that_fits_is_shown_whole(
    example: tuple[str, tuple[Span, ...]], length: int
) -> None:
    text, spans = example
    if not spans or any(last - first > length for first, last in spans):
        return
    inside = excerpt_of(text, spans, length)[1]
    start, _ = cut(text, spans, length)
    whole = {(first - start, last - start) for first, last in spans}
    assert inside
    assert whole.issuperset(inside)


@pytest.mark.slow
@given(marked_texts(), st.integers(0, 40), st.integers(1, 12))
def test_the_rest_of_a_long_paragraph_changes_no_excerpt(
    example: tuple[str, tuple[Span, ...]], gap: int, length: int
) -> None:
    text, spans = example
    # Sentences of all lengths, and white space, on both sides of the marks.
    rest = "A b. " + "c" * gap + "!" + " " * gap + "“D?” e… \n\n f.. 3.5 G. "
    shift = len(rest)
    text = rest + text + " " * gap + rest
    marks = [(start + shift, end + shift) for start, end in spans]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(excerpts, "_near", lambda text, marks, _: [(0, len(text), marks)])
        expected = cut(text, marks, length)
    assert cut(text, marks, length) == expected


@pytest.mark.parametrize("spans", [[], [(400_000, 400_005)], [(90, 95), (800_000, 9)]])
@pytest.mark.parametrize("between", ["", " " * 5_000])
def test_only_the_sentences_near_the_marks_are_looked_for(
    spans: list[Span], between: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Words of war. " * 60_000 + between
    marks = [(start, max(start + 5, end)) for start, end in spans]
    scanned: list[int] = []

    def counted(text: str, start: int, end: int) -> list[Span]:
        scanned.append(end - start)
        return sentence_spans(text, start, end)

    monkeypatch.setattr(excerpts, "sentence_spans", counted)
    start, end = cut(text, marks, 200)
    assert 0 < end - start <= 200
    assert sum(scanned) < 500 * max(len(marks), 1)
