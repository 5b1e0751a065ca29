"""The difference of two versions: paragraphs, words and fields."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from index.article import Article, Paragraph, Role, article_of, number_paragraphs
from index.errors import LimitExceeded
from index.history import (
    ChangeKind,
    ParagraphChange,
    difference,
    difference_of,
    word_changes,
)
from index.history.difference import field_changes, paragraph_changes
from index.text import word_spans

Texts = Sequence[str | tuple[Role, str] | tuple[Role, str, str]]


def paragraphs(headline: str | None, *texts: Any) -> tuple[Paragraph, ...]:
    """Numbered paragraphs; body paragraphs are given as their text alone."""
    rest = [(Role.BODY, each) if isinstance(each, str) else each for each in texts]
    return number_paragraphs(
        headline, [(*each, None) if len(each) == 2 else each for each in rest]
    )


def kinds_of(
    old: Sequence[Paragraph], new: Sequence[Paragraph]
) -> list[tuple[str, int | None, int | None]]:
    """Kind, old number and new number of every change."""
    return [
        (each.kind.value, each.old and each.old.n, each.new and each.new.n)
        for each in paragraph_changes(old, new)
    ]


def html_of(old: str, new: str) -> str:
    """Both texts as one HTML text."""
    (change,) = paragraph_changes(paragraphs(old), paragraphs(new))
    return change.html


STRIKE = (
    "Dockers at the old harbour refused to unload grain on Monday.",
    "The union said the talks had failed over night shifts.",
    "A minister flew in from the capital.",
)


# Paragraphs.


def test_a_paragraph_in_the_middle_is_added_or_removed() -> None:
    old = paragraphs("Strike", STRIKE[0], STRIKE[2])
    new = paragraphs("Strike", *STRIKE)
    assert kinds_of(old, new) == [
        ("unchanged", 0, 0),
        ("unchanged", 1, 1),
        ("added", None, 2),
        ("unchanged", 2, 3),
    ]
    assert kinds_of(new, old)[2] == ("removed", 2, None)


def test_a_paragraph_that_shares_words_has_changed() -> None:
    old = paragraphs("Strike", *STRIKE)
    new = paragraphs(
        "Strike",
        "Ships waited outside.",
        "Dockers at the harbour refused to unload grain and coal on Tuesday.",
        STRIKE[2],
    )
    changes = paragraph_changes(old, new)
    assert kinds_of(old, new) == [
        ("unchanged", 0, 0),
        ("added", None, 1),
        ("changed", 1, 2),
        ("removed", 2, None),
        ("unchanged", 3, 3),
    ]
    changed = changes[2]
    assert changed.html == (
        "Dockers at the <del>old </del>harbour refused to unload grain"
        " <ins>and coal </ins>on <del>Monday</del><ins>Tuesday</ins>."
    )
    assert changed.old is not None
    assert [changed.old.text[slice(*span)] for span in changed.removed] == [
        "old ",
        "Monday",
    ]


def test_paragraphs_are_paired_by_shared_words_not_by_place() -> None:
    old = paragraphs(None, "Wheat rose to ten.", "Barley fell to four.")
    new = paragraphs(None, "Rain came.", "Wheat rose to nine.", "Barley fell to six.")
    assert kinds_of(old, new) == [
        ("added", None, 1),
        ("changed", 1, 2),
        ("changed", 2, 3),
    ]


def test_headlines_are_a_pair_whatever_they_say() -> None:
    old, new = paragraphs("Strike"), paragraphs("Peace at last", "Strike")
    assert kinds_of(old, new) == [("changed", 0, 0), ("added", None, 1)]
    assert html_of("Strike", "Peace") == "<del>Strike</del><ins>Peace</ins>"
    # Where only one has a headline, the text may have become it.
    assert kinds_of(paragraphs(None, "Strike"), paragraphs("Strike")) == [
        ("changed", 1, 0)
    ]


def test_a_changed_role_or_credit_is_a_change_without_spans() -> None:
    old = paragraphs("H", "The same.", (Role.CAPTION, "Cranes.", "Ana"))
    new = paragraphs("H", (Role.QUOTE, "The same."), (Role.CAPTION, "Cranes.", "Ben"))
    changes = paragraph_changes(old, new)
    assert [each.kind for each in changes] == ["unchanged", "changed", "changed"]
    assert [(each.removed, each.added) for each in changes] == [((), ())] * 3


def test_a_moved_paragraph_has_its_old_and_new_number() -> None:
    old, new = paragraphs("H", *STRIKE), paragraphs("H", STRIKE[2], *STRIKE[:2])
    changes = paragraph_changes(old, new)
    assert [
        (each.kind.value, each.moved) for each in changes if each.kind != "unchanged"
    ] == [("added", 3), ("removed", 1)]


def test_repeated_text_is_told_apart_by_its_place() -> None:
    old = paragraphs("H", "Applause.", "One more.", "Applause.")
    new = paragraphs("H", "One more.", "Applause.")
    assert kinds_of(old, new) == [
        ("unchanged", 0, 0),
        ("removed", 1, None),
        ("unchanged", 2, 1),
        ("unchanged", 3, 2),
    ]


def test_nothing_differs_from_itself() -> None:
    whole = paragraphs("H & M", *STRIKE, *STRIKE)
    changes = paragraph_changes(whole, whole)
    assert {each.kind for each in changes} == {ChangeKind.UNCHANGED}
    assert changes[0].html == "H &amp; M"


def test_all_paragraphs_can_be_added_or_removed() -> None:
    assert kinds_of((), paragraphs("H", "One.")) == [
        ("added", None, 0),
        ("added", None, 1),
    ]
    assert kinds_of(paragraphs(None, "One."), paragraphs("Two")) == [
        ("removed", 1, None),
        ("added", None, 0),
    ]


# Words.


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Grain fell", "Grain rose", "Grain <del>fell</del><ins>rose</ins>"),
        ("a red car", "a dark blue car", "a <del>red</del><ins>dark blue</ins> car"),
        ("two old men", "six new men", "<del>two old</del><ins>six new</ins> men"),
        ("no stop", "no stop.", "no stop<ins>.</ins>"),
        ("a <b> c", "a <i> c", "a &lt;<del>b</del><ins>i</ins>&gt; c"),
        ("the café", "the cafe", "the <del>café</del><ins>cafe</ins>"),
        # Equal for a search, but not for a reader: changes show what is written.
        ("Mr KERRY", "Mr Kerry", "Mr <del>KERRY</del><ins>Kerry</ins>"),
        ("O’Neil ship", "O'Neil ship", "<del>O’Neil</del><ins>O&#x27;Neil</ins> ship"),
        ("U.S. aid", "U.K. aid", "<del>U.S</del><ins>U.K</ins>. aid"),
        ("at 3.5%", "at 3.6%", "at <del>3.5</del><ins>3.6</ins>%"),
        ("进入第二周", "进入第三周", "进入第<del>二</del><ins>三</ins>周"),
        ("ไทยน้ำ", "ไทยนำ", "ไทย<del>น้ำ</del><ins>นำ</ins>"),
        ("go 👩‍👩‍👧 go", "go 👩‍👩‍👦 go", "go <del>👩‍👩‍👧</del><ins>👩‍👩‍👦</ins> go"),
        ("🇩🇪🇫🇷", "🇩🇪🇮🇹", "🇩🇪<del>🇫🇷</del><ins>🇮🇹</ins>"),
        ("x e\u0301 y", "x e y", "x <del>e\u0301</del><ins>e</ins> y"),
    ],
)
def test_changes_are_marked_word_by_word(old: str, new: str, expected: str) -> None:
    assert html_of(old, new) == expected


# Both versions can be rebuilt from the difference.

LETTERS = st.sampled_from("ab A.,&<'-_é\u0301\u200d👩🇩🇪港口ー\u0e19\u0e49\u0e33\r\n ")
WORDS = st.sampled_from(["grain", "Kerry's", "U.S.", "罢工", "👩‍👧", "e\u0301", "x"])
TEXT = st.one_of(
    st.text(LETTERS, min_size=1, max_size=12),
    st.lists(WORDS, min_size=1, max_size=12).map(" ".join),
)
BODY = st.lists(
    st.tuples(st.sampled_from([Role.BODY, Role.CAPTION]), TEXT, st.none()), max_size=7
)
VERSION = st.builds(number_paragraphs, st.one_of(st.none(), TEXT), BODY)


def side(changes: Sequence[ParagraphChange], drop: str) -> list[str]:
    """Texts of one version, rebuilt from the HTML alone."""
    keep = "ins" if drop == "del" else "del"
    texts = []
    for each in changes:
        if each.kind != {"del": "removed", "ins": "added"}[drop]:
            text = re.sub(f"<{drop}>.*?</{drop}>", "", each.html, flags=re.DOTALL)
            texts.append(html.unescape(re.sub(f"</?{keep}>", "", text)))
    return texts


def without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    at = [0, *(place for span in spans for place in span), len(text)]
    return "".join(text[a:b] for a, b in zip(at[::2], at[1::2], strict=True))


@pytest.mark.slow
@given(VERSION, VERSION)
def test_either_version_can_be_rebuilt_from_the_difference(
    old: tuple[Paragraph, ...], new: tuple[Paragraph, ...]
) -> None:
    changes = paragraph_changes(old, new)
    assert tuple(each.old for each in changes if each.old is not None) == old
    assert tuple(each.new for each in changes if each.new is not None) == new
    assert side(changes, "ins") == [each.text for each in old]
    assert side(changes, "del") == [each.text for each in new]
    for each in changes:
        if each.old is not None and each.new is not None:
            common = without(each.old.text, each.removed)
            assert common == without(each.new.text, each.added)
            if each.kind is ChangeKind.UNCHANGED:
                assert each.old.text == each.new.text
                assert not each.removed + each.added
        for paragraph, marks in ((each.old, each.removed), (each.new, each.added)):
            if paragraph is None:
                assert marks == ()
                continue
            bounds = [place for span in marks for place in span]
            assert bounds == sorted(set(bounds)), "in order, with gaps between"
            whole = {0, *(m.end() for m in regex.finditer(r"\X", paragraph.text))}
            assert whole.issuperset(bounds), "no character seen is cut"
            for start, end in word_spans(paragraph.text):
                cut = [place for place in bounds if start < place < end]
                assert not cut, "no word is cut"


@pytest.mark.slow
@given(VERSION)
def test_equal_versions_have_no_changes(whole: tuple[Paragraph, ...]) -> None:
    assert {each.kind for each in paragraph_changes(whole, whole)} <= {"unchanged"}


# Long texts.


def repeated(*texts: str, times: int) -> tuple[Paragraph, ...]:
    return paragraphs("Head", *texts * times)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(
            paragraphs("H", "a b " * 20_000),
            paragraphs("H", "b a " * 20_000 + "c"),
            id="two words, over and over",
        ),
        pytest.param(
            paragraphs("H", " ".join(f"w{n * n % 977}" for n in range(20_000))),
            paragraphs("H", " ".join(f"w{n * n % 983}" for n in range(20_000))),
            id="many words in another order",
        ),
        pytest.param(
            paragraphs("H", "a" + "?!" * 40_000),
            paragraphs("H", "a" + "!!?" * 30_000),
            id="no words",
        ),
        pytest.param(
            paragraphs("H", "\U0001f1e6" * 40_000),
            paragraphs("H", "x" + "\U0001f1e6" * 40_001),
            id="flags",
        ),
        pytest.param(
            paragraphs("H", "a" + "\u0301" * 60_000),
            paragraphs("H", "b" + "\u0301" * 60_000),
            id="one endless character",
        ),
        pytest.param(
            repeated("One.", "Two.", times=5_000),
            repeated("Two.", "Two.", "One.", times=3_000),
            id="the same paragraphs over and over",
        ),
        pytest.param(
            paragraphs("H", *(f"a b c {n}" for n in range(4_000))),
            paragraphs("H", *(f"a b c {n}" for n in range(4_000, 8_000))),
            id="thousands of similar paragraphs",
        ),
        pytest.param(
            paragraphs("H", *map(str, range(10_000))),
            paragraphs("H", *map(str, range(10_000, 0, -1))),
            id="upside down",
        ),
    ],
)
def test_long_and_hostile_texts_have_a_complete_difference(
    old: tuple[Paragraph, ...], new: tuple[Paragraph, ...]
) -> None:
    changes = paragraph_changes(old, new)
    assert side(changes, "ins") == [each.text for each in old]
    assert side(changes, "del") == [each.text for each in new]


LONG = [
    ("a b " * 250_000, "b a " * 250_000),
    (("x " + "?!" * 20) * 20_000, ("x " + "!!?" * 14) * 20_000),
    ("\u0e01\u0e33" * 150_000 + "x", "\u0e33\u0e02" * 150_000),
    (
        " ".join(f"w{n * n % 977}" for n in range(200_000)),
        " ".join(f"w{n * n % 983}" for n in range(200_000)),
    ),
]


def version(*texts: str) -> Article:
    return Article(id="a", version="1", paragraphs=paragraphs(None, *texts))


@pytest.mark.slow
@pytest.mark.parametrize("several", [1, 80], ids=["whole", "in paragraphs"])
@pytest.mark.parametrize("texts", LONG, ids=["words", "signs", "thai", "many words"])
def test_the_budget_limits_reading_and_the_rest_is_replaced(
    texts: tuple[str, str], several: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0

    def counted(reading: Callable[[str], Any]) -> Callable[[str], Any]:
        def count(text: str) -> Any:
            nonlocal read
            read += len(text)
            return reading(text)

        return count

    for module, name in ((difference, "analyse"), (word_changes, "_pieces")):
        monkeypatch.setattr(module, name, counted(getattr(module, name)))
    size = len(texts[0]) // several
    old, new = (
        version(*(text[at : at + size].strip() for at in range(0, len(text), size)))
        for text in texts
    )
    result = difference_of(old, new)
    assert result.coarse
    assert read < 3_000_000
    assert side(result.paragraphs, "ins") == [each.text for each in old.paragraphs]
    assert side(result.paragraphs, "del") == [each.text for each in new.paragraphs]


@pytest.mark.slow
def test_texts_of_usual_length_are_never_coarse() -> None:
    words = [f"w{n % 5_000}" for n in range(20_000)]
    old, new = (
        version(*(f"{end} {' '.join(words[n : n + 50])}" for n in range(0, 20_000, 50)))
        for end in ("Old", "New")
    )
    assert not difference_of(old, new).coarse
    assert {each.kind for each in difference_of(old, new).paragraphs} == {"changed"}


def test_too_many_paragraphs_are_refused() -> None:
    many = version(*["One."] * 13_000)
    with pytest.raises(LimitExceeded) as caught:
        difference_of(many, many)
    assert (caught.value.limit, caught.value.got) == (25_000, 26_000)


@pytest.mark.slow
def test_a_word_in_a_very_long_text_is_found() -> None:
    words = [f"w{n}" for n in range(30_000)]
    changed = [*words[:100], "new", *words[100:20_000], *words[20_001:]]
    (_, change) = paragraph_changes(
        paragraphs("H", " ".join(words)), paragraphs("H", " ".join(changed))
    )
    assert change.html.count("<ins>") == change.html.count("<del>") == 1
    assert "<ins>new </ins>" in change.html
    assert "<del> w20000</del>" in change.html


def test_too_many_pairs_are_compared_with_near_ones_only() -> None:
    old = paragraphs("H", *(f"Word{n} of many others" for n in range(200)))
    new = paragraphs("H", *(f"Word{n} of many more" for n in range(200)))
    assert kinds_of(old, new)[1:] == [("changed", n, n) for n in range(1, 201)]


# Fields.


def test_fields_that_differ_are_listed_with_both_values() -> None:
    base: dict[str, Any] = {
        "id": "a",
        "headline": "Old",
        "paragraphs": ["One."],
        "source": "Desk",
        "subjects": ["ports"],
        "x_desk": {"priority": 1},
    }
    old = article_of({**base, "version": "1"})
    new = article_of(
        {
            **base,
            "version": "2",
            "headline": "New",
            "source": None,
            "byline": "By Ana",
            "subjects": ["ports", {"name": "food", "code": "f"}],
            "published": "2016-09-29T10:00:00+02:00",
            "x_desk": {"priority": 2},
        }
    )
    assert [(each.name, each.old, each.new) for each in field_changes(old, new)] == [
        ("headline", "Old", "New"),
        ("source", "Desk", None),
        ("subjects", ["ports"], ["ports", {"name": "food", "code": "f"}]),
        ("extra.x_desk", {"priority": 1}, {"priority": 2}),
        ("byline", None, "By Ana"),
        ("published", None, "2016-09-29T08:00:00Z"),
    ]
    assert field_changes(old, old) == ()


def test_a_difference_names_both_versions() -> None:
    def version(number: str, text: str) -> Article:
        return Article(
            id="a",
            version=number,
            headline=text,
            paragraphs=paragraphs(text),
            published=datetime(2016, 9, 29, tzinfo=UTC),
        )

    result = difference_of(version("1", "Old"), version("2", "New"))
    assert (result.id, result.old, result.new) == ("a", "1", "2")
    assert [each.name for each in result.fields] == ["headline"]
    assert [each.kind for each in result.paragraphs] == ["changed"]
