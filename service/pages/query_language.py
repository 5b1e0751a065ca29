"""The query language in short: what to write, and what it finds.

The tables in docs/query.md have the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from index.article import FIELDS
from service.pages.shapes import prose_html

# What to write, and what it finds; what is between backticks is code.
WORDS = (
    (("kerry talks",), "articles with both words; you may write `AND` between them"),
    (
        ("kerry OR lavrov",),
        ("articles with either word; AND binds tighter: `a b OR c` is `(a b) OR c`"),
    ),
    (
        ("aleppo -kerry", "aleppo NOT kerry"),
        ("articles with the first word and without the second"),
    ),
    (("(kerry OR lavrov) geneva",), "a group"),
    (
        ('"verge of suspending"',),
        ("a phrase: the words in this order, next to each other"),
    ),
    (
        ('"kerry geneva"~5',),
        (
            "the words in one paragraph, in any order, with at most 5 other words"
            " between the first and the last"
        ),
    ),
    (
        ("bomb*", "colo?r"),
        (
            "a prefix or wildcard: `*` stands for any number of characters, `?` for"
            " exactly one; at least three letters must come before the first of them"
            " (a Korean syllable has two or three)"
        ),
    ),
    (
        ("lavrof~1",),
        (
            "words within 1 (or 2) edits; `~` alone means 1; for words of four"
            " letters or more"
        ),
    ),
    (
        ("=hospitals", '="United Nations"'),
        ("the exact form: no stemming, accents count, case does not"),
    ),
    (("truce^3 talks",), "both words, with three times the weight on the first"),
)
IN_FIELDS = (
    (("headline:aleppo",), "articles with the word in the headline"),
    (('caption:"destroyed school"',), "captions with the phrase"),
    (("people:kerry",), "articles about a person whose name contains the word"),
    (
        ("published:2016-09",),
        (
            "a whole month; `2016`, `2016-09-29`, `today` and `yesterday` work the"
            " same way, in the time zone `tz`"
        ),
    ),
    (("published:>=-7d",), "the last seven days; the units `h w m y` work too"),
    (
        ("published:[2016-09-01 TO 2016-09-30]",),
        (
            "a range with both ends included; `{` or `}` excludes its end, `*`"
            " leaves it open"
        ),
    ),
    (
        ("published:>=2016-09-29", "urgency:<=3"),
        ("values from or up to this one; `>` and `<` exclude it"),
    ),
    (("urgency:*",), "articles with any value in the field"),
)


@dataclass(frozen=True, slots=True)
class Written:
    """A query to try.

    :param parameters: of the address of its search.
    """

    q: str
    parameters: str


@dataclass(frozen=True, slots=True)
class Construct:
    """Something to write in a query."""

    examples: tuple[Written, ...]
    finds_html: str


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field that a query may name.

    :param roles: what else it is for.
    """

    name: str
    kind: str
    about: str
    roles: str


def constructs_of(
    rows: tuple[tuple[tuple[str, ...], str], ...],
) -> tuple[Construct, ...]:
    """Rows of a table of the language."""
    return tuple(
        Construct(
            tuple(Written(q, f"q={quote(q, safe='')}") for q in queries),
            prose_html(finds),
        )
        for queries, finds in rows
    )


def field_rows() -> tuple[FieldRow, ...]:
    """The fields, in the order of the table in docs/query.md."""
    return tuple(
        FieldRow(
            name=field.name,
            kind=field.kind.value,
            about=field.about,
            roles=", ".join(
                role
                for role, has in (
                    ("filter", field.filterable),
                    ("facet", field.facetable),
                )
                if has
            ),
        )
        for field in FIELDS
    )
