"""Articles that Hypothesis makes, for the tests of writers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from index.article import LIFTED, Article, Concept, Role, Status, number_paragraphs

WORDS = st.sampled_from(
    [
        *("Ferry", "strike", "5 < 6", "R&D", '"shut"', "it’s", "café", "海港", "a;b"),
        *("]]>", "x:y", "#7", "{i}", "-- no", "50 %", "O'Neil", "🚢"),
    ]
)


def _line(words: list[str]) -> str:
    return " ".join(["Harbour", *words])


LINES = st.lists(WORDS, max_size=4).map(_line)
CODED = st.tuples(
    st.sampled_from(["desk", "topics_2", "a.b-c"]), st.sampled_from(["1", "x-9", "K.2"])
)


def _coded(name: str, code: tuple[str, str], with_uri: bool) -> Concept:
    scheme, value = code
    if with_uri:
        uri = f"https://cv.example/{scheme}/{value}"
        return Concept(name=name, code=value, scheme=f"{scheme}-u", uri=uri)
    return Concept(name=name, code=value, scheme=scheme)


CONCEPTS = st.lists(
    st.one_of(
        st.builds(Concept, name=LINES),
        st.builds(_coded, LINES, CODED, st.booleans()),
        st.builds(Concept, name=LINES, uri=st.just("https://cv.example/only")),
    ),
    max_size=3,
    unique_by=lambda concept: concept.name,
).map(tuple)
DATES = st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1))
ROLES = st.sampled_from([role for role in Role if role is not Role.HEADLINE])
PLAIN = st.lists(
    st.tuples(ROLES, LINES, st.just(None)), max_size=5, unique_by=lambda each: each[1]
)
ANY_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n"),
    min_size=1,
).filter(str.strip)
FREE = st.lists(
    st.tuples(ROLES, ANY_TEXT, st.none() | st.sampled_from(['A "B" & <C>', "Desk/A"])),
    max_size=5,
)


@st.composite
def articles(draw: st.DrawFn, paragraphs: Any = PLAIN) -> Article:
    """An article whose lines have single spaces and no markup."""
    optional = st.none() | LINES
    headline = draw(LINES.map("Title {}".format))
    authors = draw(CONCEPTS)
    byline = draw(st.sampled_from(["none", "other", "names"]))
    dates = {
        name: None if (date := draw(DATES)) is None else date.replace(tzinfo=UTC)
        for name in ("published", "updated", "expires", "embargoed_until")
    }
    if draw(st.integers(0, 5)) == 0:
        dates["embargoed_until"] = LIFTED
    return Article(
        id=draw(st.sampled_from(["urn:x:1", "tag:a.example,2024:b/c", "plain-7"])),
        version=draw(st.sampled_from([None, "1", "12"])),
        type=draw(st.sampled_from([None, "text", "picture"])),
        status=draw(st.sampled_from(["usable", "withheld", "canceled"]).map(Status)),
        headline=headline,
        paragraphs=number_paragraphs(headline, draw(paragraphs)),
        slugline=draw(optional),
        byline={
            "none": None,
            "other": "By our own staff",
            "names": " and ".join(each.name for each in authors) or None,
        }[byline],
        authors=authors,
        dateline=draw(optional),
        section=draw(optional),
        source=draw(st.sampled_from([None, "The Desk"])),
        language=draw(st.sampled_from([None, "en", "nb", "de-AT"])),
        url=draw(st.sampled_from([None, "https://news.example/a?b=1&c=2"])),
        **{
            name: draw(CONCEPTS)
            for name in (
                "keywords",
                "subjects",
                "people",
                "organisations",
                "places",
                "genre",
            )
        },
        urgency=draw(st.sampled_from([None, 1, 9])),
        evolved_from=draw(st.sampled_from([None, "urn:x:0"])),
        story=draw(optional),
        correction=draw(optional),
        ed_note=draw(optional),
        usage_terms=draw(optional),
        copyright=draw(optional),
        extra=draw(st.sampled_from([{}, {"x_desk": 3}])),
        **dates,
    )
