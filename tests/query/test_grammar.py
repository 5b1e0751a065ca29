"""The query grammar: understood queries, warnings and errors."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index import dates
from index.errors import InputError, InvalidQuery, InvalidValue, UnknownField
from index.query import (
    All,
    And,
    Exact,
    Fuzzy,
    Near,
    Not,
    Or,
    Parsed,
    Phrase,
    Prefix,
    Query,
    Range,
    Term,
    Wildcard,
    grammar,
)
from index.query.nodes import NOTHING, leaves
from index.settings import Settings

SETTINGS = Settings()
NOW = datetime(2016, 9, 29, 12, tzinfo=UTC)


def parse(text: str, **changed: Any) -> Parsed:
    options = {"settings": SETTINGS, "tz": UTC, "now": NOW, **changed}
    return grammar.parse(text, **options)


def bare(query: Query) -> Query:
    """A tree without the typed text of its leaves."""
    if isinstance(query, And | Or):
        return type(query)(tuple(map(bare, query.children)))
    if isinstance(query, Not):
        return Not(bare(query.child))
    return query if isinstance(query, All) else replace(query, text="")


# Typed query, canonical text, and the codes of the warnings.
UNDERSTOOD = [
    # words and operators
    ("kerry talks", "kerry AND talks", ""),
    ("kerry AND talks", "kerry AND talks", ""),
    ("a b OR c", "(a AND b) OR c", ""),
    ("a OR b c", "a OR (b AND c)", ""),
    ("a OR b AND c OR d", "a OR (b AND c) OR d", ""),
    ("NOT a b", "NOT a AND b", ""),
    ("a NOT b", "a AND NOT b", ""),
    ("a AND NOT b", "a AND NOT b", ""),
    ("a OR NOT b c", "a OR (NOT b AND c)", ""),
    ("NOT (a b)", "NOT (a AND b)", ""),
    ("NOT a NOT b", "NOT a AND NOT b", ""),
    ("(a b) c", "a AND b AND c", ""),
    ("(a OR b) OR c", "a OR b OR c", ""),
    ("(a OR b) c", "(a OR b) AND c", ""),
    ("((a))", "a", ""),
    ("a(b)c", "a AND b AND c", ""),
    ("the who", "the AND who", ""),
    ("kerry or lavrov", "kerry AND or AND lavrov", "lower_case_operator"),
    ("Or what", "Or AND what", ""),
    ('"AND"', '"AND"', ""),
    # dashes
    ("a -b", "a AND NOT b", ""),
    ('-"a b"', 'NOT "a b"', ""),
    ("-(a b)", "NOT (a AND b)", ""),
    ("-headline:a", "NOT headline:a", ""),
    ('-="a"', "NOT =a", ""),
    ("-=a", "NOT =a", ""),
    ("(-a)", "NOT a", ""),
    ("-AND", 'NOT "AND"', ""),
    ("a - b", "a AND b", "nothing_searchable"),
    ("a – b", "a AND b", "nothing_searchable"),
    ("a –b", "a AND b", ""),
    ("—b", "b", ""),
    ("--b", "b", ""),
    ("state-of-the-art", "state-of-the-art", ""),
    ('"a"-b', '"a" AND b', ""),
    ("-(-a)", "a", ""),
    # phrases
    ('"verge of suspending"', '"verge of suspending"', ""),
    ("“verge of” „a b“ «c d»", '"verge of" AND "a b" AND "c d"', ""),
    ('"talks"', '"talks"', ""),
    ('"pric* rise"', '"pric* rise"', "wildcard_in_phrase"),
    ('"a b"~5', '"a b"~5', ""),
    ('"a b"~0', '"a b"~0', ""),
    ('"a"~5', '"a"', ""),
    ('headline:"a b"~3^2', 'headline:"a b"~3^2', ""),
    ("O’Neil", "O’Neil", ""),
    ("U.S. troops", "U.S. AND troops", ""),
    ("C-17", "C-17", ""),
    ("@handle", "@handle", ""),
    ("talks, kerry!", "talks AND kerry", ""),
    ("one,two", "one AND two", ""),
    ("kerry;lavrov", "kerry AND lavrov", ""),
    ("a|b -c", "a AND b AND NOT c", ""),
    ("-one,two", "NOT (one AND two)", ""),
    ("=one,two", "=one,two", ""),
    ("well\u2013known", "well AND known", ""),
    ("\u624b\u673aiPhone", "\u624b\u673aiPhone", ""),
    ("http://example.org/a?b=c", '"http://example.org/a?b=c"', "unknown_field"),
    # numbers: a query has no language
    ("1,500", "1500 OR 1.500", ""),
    ("1.500^2", "1500^2 OR 1.500^2", ""),
    ("1,500 people", "(1500 OR 1.500) AND people", ""),
    ("headline:1.500", "headline:1500 OR headline:1.500", ""),
    ("-1,500", "NOT (1500 OR 1.500)", ""),
    ('"1,500 people"', '"1500 people" OR "1.500 people"', ""),
    ('"1,500 people"~3', '"1500 people"~3 OR "1.500 people"~3', ""),
    (
        '"1,500 to 2,500"',
        '"1500 to 2500" OR "1.500 to 2.500"',
        "",
    ),
    ("12,345.67", "12345.67", ""),
    ("1.234,5", "1234.5", ""),
    ("1,5", "1.5", ""),
    ("10.30", "10.30", ""),
    ("3.11.2", "3.11.2", ""),
    ("1\u202f000\u202f000", "1000000", ""),
    ("1 000", "1 AND 000", ""),
    ("=1,500", "=1,500", ""),
    # signs that no index has
    ("C++", "C", "signs_left_out"),
    ("C# .NET", "C AND NET", "signs_left_out"),
    ('"C++ code"', '"C++ code"', "signs_left_out"),
    ("50%", "50", "signs_left_out"),
    ("$5", "5", "signs_left_out"),
    ("AT&T", "AT&T", ""),
    ("#brexit @desk", "#brexit AND @desk", ""),
    # operators in lower case
    ("one and two", "one AND and AND two", "lower_case_operator"),
    ("not one", "not AND one", "lower_case_operator"),
    ("one OR not two", "one OR (not AND two)", "lower_case_operator"),
    ("and one", "and AND one", ""),
    ("one not", "one AND not", ""),
    # exact forms
    ('="exact form"', '="exact form"', ""),
    ("=Café", "=Café", ""),
    ("headline:=word", "headline:=word", ""),
    ('headline:="a b"^2', 'headline:="a b"^2', ""),
    ("=", '""', "no_words"),
    # wildcards and edit distance
    ("pric*", "pric*", ""),
    ("PRIC**", "PRIC*", ""),
    ("colo?r", "colo?r", ""),
    ("pri*e?d", "pri*e?d", ""),
    ("headline:pric*^2", "headline:pric*^2", ""),
    ("foo,bar*", "foo AND bar*", ""),
    ("NOT foo,bar*", "NOT (foo AND bar*)", ""),
    ("who is kerry?", "who AND is AND kerry", "question_mark"),
    ("colo?r?", "colo?r", "question_mark"),
    ("why ?", "why", "nothing_searchable"),
    ("/foo.*/", "foo", "bad_wildcard"),
    ("http://x.y/?q=*", '"http://x.y/?q"', "unknown_field"),
    ("北京*", "北京", "wildcard_not_needed"),
    ("wrod~1", "wrod~1", ""),
    ("wrod~2^3", "wrod~2^3", ""),
    ("wrod~", "wrod~1", ""),
    ("one,five~1", "one AND five", "bad_suffix"),
    ("pric*~1", "pric*", "bad_suffix"),
    ("=kerry~1", "=kerry", "bad_suffix"),
    ("=kerry~", "=kerry", "bad_suffix"),
    ("headline:=kerry~2^3", "headline:=kerry^3", "bad_suffix"),
    ('="a b"~2', '="a b"', "bad_suffix"),
    ("=kerry~x", '="kerry~x"', "bad_suffix"),
    ("=example.org/~ann", '="example.org/~ann"', ""),
    # boosts
    ("word^2", "word^2", ""),
    ("word^0.5", "word^0.5", ""),
    ("(a OR b)^2 c", "(a^2 OR b^2) AND c", ""),
    ("(a (b c^3)^2)^2", "a^2 AND b^4 AND c^12", ""),
    ("word^0", "word", "bad_boost"),
    ("word^", "word", "bad_boost"),
    ("word^99999", "word", "bad_boost"),
    ("(a^900)^900", "a^900", "bad_boost"),
    ("word^x", "word AND x", "bad_suffix"),
    ('"a b"^x', '"a b"', "bad_suffix"),
    # fields
    ("headline:syria", "headline:syria", ""),
    ("Headline:syria", "headline:syria", ""),
    ('source:"al jazeera"', 'source:"al jazeera"', ""),
    ("headline:(a OR b)", "headline:a OR headline:b", ""),
    ("headline:(a byline:b)", "headline:a AND byline:b", ""),
    ("headline:a:b", "headline:a AND headline:b", ""),
    ("Washington: talks", "Washington AND talks", ""),
    ("Washington:talks", "Washington AND talks", "unknown_field"),
    ("sorce:Reuters", "sorce AND Reuters", "unknown_field"),
    ("http://x.y", '"http://x.y"', "unknown_field"),
    ("at 10:30", 'at AND "10:30"', ""),
    ("urgency:", "urgency", "field_without_value"),
    ("Source: Reuters", "Source AND Reuters", "field_without_value"),
    ("headline:-a", "headline:a", "misplaced_dash"),
    # numbers and dates
    ("urgency:3", "urgency:3", ""),
    ("urgency:<=3", "urgency:<=3", ""),
    ("urgency:<= 3", "urgency:<=3", ""),
    ("urgency:<3", "urgency:<=2", ""),
    ("urgency:>3", "urgency:>=4", ""),
    ("urgency:=3", "urgency:3", ""),
    ("urgency:[1 TO 3]", "urgency:[1 TO 3]", ""),
    ("urgency:{1 TO 3]", "urgency:[2 TO 3]", ""),
    ("urgency:[* TO 3]", "urgency:<=3", ""),
    ("urgency:(1 OR 2)", "urgency:1 OR urgency:2", ""),
    ("-urgency:3", "NOT urgency:3", ""),
    ("published:[* TO *]", "published:*", ""),
    ("published:2016-09-29", "published:2016-09-29", ""),
    ("published:2016-09", "published:[2016-09-01 TO 2016-09-30]", ""),
    ("published:>2016-09-29", "published:>=2016-09-30", ""),
    ("published:<2016-09-29", "published:<=2016-09-28", ""),
    ("published:[2016 TO 2016-02]", "published:[2016-01-01 TO 2016-02-29]", ""),
    ("published:-7d", "published:2016-09-22T12:00:00Z", ""),
    ("published:>=-7d", "published:>=2016-09-22T12:00:00Z", ""),
    ("updated:today", "updated:2016-09-29", ""),
    ('published:"2016-09-29 14:30"', "published:2016-09-29T14:30:00Z", ""),
    (
        "published:(>=2016 <2017)",
        "published:>=2016-01-01 AND published:<=2016-12-31",
        "",
    ),
    ("urgency:[1 TO 3", "urgency:[1 TO 3]", "bad_range"),
    ("urgency:3^2", "urgency:3", "bad_suffix"),
    ("[2016 TO 2017]", "2016 AND TO AND 2017", ""),
    # wrong syntax
    ("", "", ""),
    (" \t\u3000 ", "", ""),
    ("!!!", '""', "no_words"),
    ('""', '""', "no_words"),
    ("a & b", "a AND b", "nothing_searchable"),
    ("()", '""', "empty_group no_words"),
    ("a ()", "a", "empty_group"),
    ("(a", "a", "unbalanced_bracket"),
    ("((a OR b", "a OR b", "unbalanced_bracket unbalanced_bracket"),
    ("a)", "a", "unbalanced_bracket"),
    ('"a b', "a AND b", "unbalanced_quote"),
    ('headline:"a', "headline:a", "unbalanced_quote"),
    ("AND a", "a", "dangling_operator"),
    ("a OR", "a", "dangling_operator"),
    ("a NOT", "a", "dangling_operator"),
    ("a AND OR b", "a AND b", "dangling_operator"),
    ("(OR)", '""', "dangling_operator empty_group no_words"),
    ("NOT NOT a", "a", "double_negation"),
    ("NOT -a", "a", "double_negation"),
    ("NOT NOT NOT a", "NOT a", "double_negation double_negation"),
    # characters
    ("a\tb\x01c\n", "a AND b AND c", ""),
    ("a\u200fb \u202ec\u202c", "ab AND c", ""),
    ("क्षेत्र की", "क्षेत्र AND की", ""),
    ("دونالد -ترامب", "دونالد AND NOT ترامب", ""),
    ("北京 OR 莫斯科", "北京 OR 莫斯科", ""),
    # a quote inside a Hebrew word marks an abbreviation
    ('יו"ר צה"ל', "יו״ר AND צה״ל", ""),
    ('-צה"ל שר', "NOT צה״ל AND שר", ""),
    ('"יו"ר צה"ל"', '"יו״ר צה״ל"', ""),
    ('headline:צה"ל', "headline:צה״ל", ""),
    ('headline:"יו"ר הכנסת" דו"ח', 'headline:"יו״ר הכנסת" AND דו״ח', ""),
    ('="צה"ל" =או"ם', "=צה״ל AND =או״ם", ""),
    ('צה“ל OR (מנכ"לית)', "צה״ל OR מנכ״לית", ""),
    ('צה\u200f"ל', "צה״ל", ""),
    ('צַהַ"ל', "צַהַ״ל", ""),
    ('"דו"ח מבקר"~3', '"דו״ח מבקר"~3', ""),
    ('צה"ל "שלום עולם"', 'צה״ל AND "שלום עולם"', ""),
    ('"צה"ל', "צה״ל", "unbalanced_quote"),
    ('צה"ל" שלום', "צה״ל AND שלום", "unbalanced_quote"),
    ('ש"', "ש", "unbalanced_quote"),
    ('"a"ש', '"a" AND ש', ""),
]


@pytest.mark.parametrize(("text", "understood", "warnings"), UNDERSTOOD)
def test_a_query_is_understood(text: str, understood: str, warnings: str) -> None:
    parsed = parse(text)
    assert parsed.understood == understood
    assert sorted(each.code for each in parsed.warnings) == sorted(warnings.split())


@pytest.mark.parametrize(("text", "understood", "warnings"), UNDERSTOOD)
def test_the_understood_text_parses_to_the_same_tree(
    text: str, understood: str, warnings: str
) -> None:
    assert bare(parse(understood).query) == bare(parse(text).query)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", All()),
        ("!", NOTHING),
        ("Kerry", Term("kerry", text="Kerry")),
        ("Café^2", Term("café", boost=2.0, text="Café")),
        ("U.S.", Phrase(("u", "s"), text="U.S.")),
        ("headline:a", Term("a", "headline", text="a")),
        ('"On the"', Phrase(("on", "the"), text='"On the"')),
        ('"a  b"~5', Near(("a", "b"), 5, text='"a b"~5')),
        ("Pric*", Prefix("pric", text="Pric*")),
        ("Café*", Prefix("cafe", text="Café*")),
        ("서울*", Prefix("서울", text="서울*")),  # five letters
        ("Colo?r", Wildcard("colo?r", text="Colo?r")),
        ("colo*r", Wildcard("colo*r", text="colo*r")),
        ("Wröd~2", Fuzzy("wrod", 2, text="Wröd~2")),
        ("O’Neil~1", Fuzzy("o'neil", 1, text="O’Neil~1")),
        ('="Été 2016"', Exact(("été", "2016"), text='="Été 2016"')),
        ("=U.S.", Exact(("u.s",), text="=U.S.")),
        ("北京大", Phrase(("北京", "京大"), text="北京大")),
        ('צה"ל', Phrase(("צה", "ל"), text="צה״ל")),
        ("美", Term("美", text="美")),
        ("=美", Term("美", text="=美")),
        ("urgency:<3", Range("urgency", None, 2, text="<=2")),
        ("-a -b", And((Not(Term("a", text="a")), Not(Term("b", text="b"))))),
        ("-a", Not(Term("a", text="a"))),
    ],
)
def test_leaves_hold_analysed_forms_and_the_typed_text(text: str, query: Query) -> None:
    assert parse(text).query == query


@pytest.mark.parametrize("zone", ["UTC", "Europe/London", "Pacific/Auckland"])
def test_a_date_is_its_whole_local_period_to_the_microsecond(zone: str) -> None:
    tz = ZoneInfo(zone)
    low = dates.micros(datetime(2016, 9, 1, tzinfo=tz))
    after = dates.micros(datetime(2016, 10, 1, tzinfo=tz))
    for text in (
        "published:2016-09",
        "published:[2016-09-01 TO 2016-09-30]",
        "published:{2016-08 TO 2016-10}",
    ):
        parsed = parse(text, tz=tz).query
        assert parsed == Range(
            "published", low, after - 1, text="[2016-09-01 TO 2016-09-30]"
        )
    assert parse("published:>2016-09", tz=tz).query == Range(
        "published", after, None, text=">=2016-10-01"
    )


@pytest.mark.parametrize(
    "text",
    [
        "published:2011-12-30",
        "published:=2011-12-30",
        "published:[2011-12-30 TO 2011-12-30]",
        "updated:{2011-12-30 TO 2011-12-30}",
    ],
)
def test_a_day_that_its_zone_left_out_is_an_empty_range(text: str) -> None:
    tz = ZoneInfo("Pacific/Apia")
    after = dates.micros(datetime(2011, 12, 30, 10, tzinfo=UTC))
    parsed = parse(text, tz=tz)
    assert parsed.query == Range(
        text.partition(":")[0], after, after - 1, text=text.partition(":")[2]
    )
    assert parse(parsed.understood, tz=tz).query == parsed.query


@pytest.mark.parametrize(
    "text", ["[2011-12-30 TO 2011-12-29]", "[2011-12-31 TO 2011-12-30]"]
)
def test_a_range_beside_a_day_left_out_must_not_run_backwards(text: str) -> None:
    with pytest.raises(InvalidValue, match="starts after its end"):
        parse(f"published:{text}", tz=ZoneInfo("Pacific/Apia"))


def test_a_warning_has_a_position_and_a_detail() -> None:
    (warning,) = parse("kerry sorce:Reuters").warnings
    assert (warning.code, warning.position, warning.length) == ("unknown_field", 6, 6)
    assert "source:" in warning.detail


def test_positions_refer_to_the_text_as_it_was_sent() -> None:
    (warning,) = parse("\u202ekerry\u202c \u200f(talks").warnings
    assert (warning.position, warning.length) == (9, 1)


def test_a_blank_query_matches_everything_without_a_warning() -> None:
    assert parse("\u202e ") == Parsed(query=All(), understood="", warnings=())


REFUSED = [
    ("x" * 1_001, "query_too_long", None, 1_000, 1_001),
    ("a " * 65, "query_too_many_clauses", None, 64, 65),
    ("abc*,abc*," * 33, "query_too_many_clauses", None, 64, 66),
    ("a," * 65, "query_too_many_clauses", None, 64, 65),
    (" ".join(["1,500"] * 40), "query_too_many_clauses", None, 64, 65),
    ("people:*", "wildcard_too_broad", 7, 3, 0),
    ("(" * 21 + "a" + ")" * 21, "query_too_deep", 20, 20, 21),
    ("x -" + "(" * 22, "query_too_deep", 23, 20, 21),
    ("ab*", "wildcard_too_broad", 0, 3, 2),
    ("a ab?c", "wildcard_too_broad", 2, 3, 2),
    ("\u00e9b*", "wildcard_too_broad", 0, 3, 2),
    ("\ub098*", "wildcard_too_broad", 0, 3, 2),  # 나
    ("*", "wildcard_too_broad", 0, 3, 0),
    ("kerry *", "wildcard_too_broad", 6, 3, 0),
    ("*rry", "wildcard_too_broad", 0, 3, 0),
    ("?erry", "wildcard_too_broad", 0, 3, 0),
    ("byline:*", "wildcard_too_broad", 7, 3, 0),
    ("wrod~3", "fuzzy_distance", 0, 2, 3),
    ("wrod~0", "fuzzy_distance", 0, 2, 0),
    ("wrod~0.8", "fuzzy_distance", 0, 2, None),
    ("wrod~" + "9" * 400, "fuzzy_distance", 0, 2, None),
    ("wod~1", "fuzzy_distance", 0, 4, 3),
    ("byline:[a TO c]", "unsupported_syntax", 7, None, None),
    ("byline:>5", "unsupported_syntax", 7, None, None),
    ("北?京", "unsupported_syntax", 0, None, None),
    ("a\0b", "invalid_encoding", 1, None, None),
    ("ab\ud800", "invalid_encoding", 2, None, None),
]


def test_a_star_for_any_value_of_a_field_names_the_parameter_for_that() -> None:
    with pytest.raises(InvalidQuery, match=r"use the parameter missing\.people=0"):
        parse("people:*")
    with pytest.raises(InvalidQuery, match="put at least 3 letters"):
        parse("byline:*")


@pytest.mark.parametrize(("text", "code", "position", "limit", "got"), REFUSED)
def test_exceeding_a_limit_is_an_error_that_states_the_limit(
    text: str, code: str, position: int | None, limit: int | None, got: int | None
) -> None:
    with pytest.raises(InvalidQuery) as caught:
        parse(text)
    error = caught.value
    assert (error.code, error.position) == (code, position)
    assert (error.limit, error.got) == (limit, got)


@pytest.mark.parametrize(
    ("text", "field", "position"),
    [
        ("urgency:x", "urgency", 8),
        ("urgency:" + "9" * 400, "urgency", 8),
        ("urgency:[3 TO 1]", "urgency", 8),
        ("a published:2016-13", "published", 12),
        ("published:[2016-09-30 TO 2016-09-01]", "published", 10),
        ("published:0000", "published", 10),
        ("published:<0001", "published", 10),
        ("published:tomorrow?", "published", 10),
        ("published:>=", "published", 10),
        ('"a b"~1001', "q", 0),
    ],
)
def test_an_invalid_value_names_its_field(text: str, field: str, position: int) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse(text)
    assert (caught.value.parameter, caught.value.position) == ("q", position)
    assert str(caught.value).startswith("q: " if field == "q" else f"q: {field}: ")
    assert caught.value.code == "invalid_value"
    assert len(str(caught.value.got)) <= 50


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ('kerry "talks', 6),
        ("(kerry", 0),
        ("kerry)", 5),
        ("kerry AND", 6),
        ("OR kerry", 0),
        ("NOT NOT kerry", 0),
        ("a ()", 2),
        ("kerry^x", 5),
        ("a =kerry~1", 8),
        ('"a b"~', 0),
        ("headline: a", 0),
    ],
)
def test_strict_refuses_wrong_syntax(text: str, position: int) -> None:
    with pytest.raises(InvalidQuery) as caught:
        parse(text, strict=True)
    assert (caught.value.code, caught.value.position) == ("query_syntax", position)


def test_strict_refuses_an_unknown_field() -> None:
    with pytest.raises(UnknownField) as caught:
        parse("a nope:b", strict=True)
    assert (caught.value.field, caught.value.position) == ("nope", 2)
    assert "headline" in caught.value.allowed


@pytest.mark.parametrize(
    "text", ["a b", "Washington: talks", "why?", "a & b", "!!!", "a or b", ""]
)
def test_strict_accepts_notes(text: str) -> None:
    assert parse(text, strict=True) == parse(text)


def test_limits_are_settings() -> None:
    settings = Settings(query_characters=10, query_clauses=2, wildcard_letters=1)
    assert parse("a*", settings=settings).understood == "a*"
    with pytest.raises(InvalidQuery, match="at most 2"):
        parse("a b c", settings=settings)
    with pytest.raises(InvalidQuery, match="at most 10"):
        parse("a" * 11, settings=settings)


WIDE = Settings(query_characters=10**7, query_clauses=10**7, query_depth=10**7)


@pytest.mark.slow
def test_no_nesting_reaches_pythons_limit() -> None:
    with pytest.raises(InvalidQuery) as caught:
        parse("(" * 10_000, settings=WIDE)
    assert caught.value.code == "query_too_deep"
    deepest = "a OR b (" * grammar.DEEPEST
    assert len(list(leaves(parse(deepest, settings=WIDE).query))) == 2 * grammar.DEEPEST
    assert parse("NOT " * 10_001 + "a", settings=WIDE).understood == "NOT a"


UNITS = [
    "kerry talks ",
    '"a b" ',
    '"',
    "(a OR b) ",
    ")",
    "-",
    "-a ",
    "NOT ",
    "=",
    "?",
    "nope:",
    "headline:[",
    "headline:a ",
    "abcd* ",
    "abc*",
    "a~1",
    "a^2",
    "urgency:3 ",
    "& ",
    "a,",
    "北",
    'צ"',
    'צה"ל ',
]


def calls_while(run: Callable[[], object]) -> int:
    """Number of Python calls, which is the same on any machine."""
    count = 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("unit", UNITS)
def test_parsing_takes_linear_time(unit: str) -> None:
    def work(size: int) -> int:
        text = (unit * size)[:size]
        return calls_while(lambda: parse(text, settings=WIDE))

    work(500)  # fills the caches of the analysis
    small, large = work(1_000), work(4_000)
    assert large < 5 * small + 1_000


ALPHABET = st.sampled_from(
    [
        *'ab "()-~^*?:=<>[]{}&!.,’“”–北美é\u0301\u202e\t/@#0123',
        *("AND ", "OR ", "NOT ", "headline:", "urgency:", "published:", "nope:"),
        *(
            "abcd",
            " TO ",
            "2016-09-29",
            "-7d",
            'צה"ל',
            '"~2',
            "~1",
            "^2",
            "U.S. ",
            "word ",
        ),
    ]
)
TEXTS = st.one_of(
    st.lists(ALPHABET, max_size=25).map("".join),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60),
)


@pytest.mark.slow
@given(TEXTS)
@example("-\u202e(a")
@example('headline:"')
@example("a:^2~1*")
def test_any_text_is_understood_or_refused_with_a_reason(text: str) -> None:
    try:
        parsed = parse(text)
    except (InvalidQuery, InvalidValue) as error:
        assert error.position is None or 0 <= error.position <= len(text)
        return
    for warning in parsed.warnings:
        assert 0 <= warning.position <= len(text)
        assert 0 <= warning.length <= len(text) - warning.position
    again = parse(parsed.understood, settings=WIDE)
    assert bare(again.query) == bare(parsed.query)
    assert again.understood == parsed.understood


@pytest.mark.slow
@given(TEXTS)
def test_strict_understands_the_same_or_refuses(text: str) -> None:
    try:
        parsed = parse(text, strict=True)
    except InputError:
        return
    assert parsed == parse(text)


def test_a_query_that_is_parsed_cannot_be_changed() -> None:
    assert [each.name for each in dataclass_fields(Parsed)] == [
        "query",
        "understood",
        "warnings",
    ]
    with pytest.raises(AttributeError):
        parse("a").understood = "b"  # type: ignore[misc]
