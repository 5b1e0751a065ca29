"""What is searchable, filterable, sortable and facetable, said once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from index.article.records import Role


class Kind(StrEnum):
    """How a field's values are kept and searched."""

    PASSAGE = "passage"  # words of the paragraphs with certain roles
    TEXT = "text"  # words of an article's own line, such as its byline
    KEYWORD = "keyword"  # whole values, and their words when searched
    INTEGER = "integer"
    DATE = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an article, and what can be done with it.

    :param roles: for a passage field, the roles of paragraphs that make it up.
    :param many: an article may have several values.
    :param weight: of a word found here when an article is scored (BM25F).
    :param filterable: usable as a parameter of its own, ``exclude.``, ``missing.``.
    :param facetable: countable; dates by interval.
    :param returned: part of an article in a search answer unless ``fields`` says else.
    """

    name: str
    kind: Kind
    about: str
    roles: tuple[Role, ...] = ()
    many: bool = False
    weight: float = 1.0
    filterable: bool = False
    facetable: bool = False
    returned: bool = False

    @property
    def searchable_words(self) -> bool:
        """Whether words can be looked for in it."""
        return self.kind in (Kind.PASSAGE, Kind.TEXT, Kind.KEYWORD)


def _keyword(
    name: str, about: str, *, many: bool = False, returned: bool = False
) -> Field:
    return Field(
        name=name,
        kind=Kind.KEYWORD,
        about=about,
        many=many,
        filterable=True,
        facetable=True,
        returned=returned,
    )


FIELDS: tuple[Field, ...] = (
    Field(
        name="headline",
        kind=Kind.PASSAGE,
        roles=(Role.HEADLINE,),
        weight=3.0,
        about="the headline",
        returned=True,
    ),
    Field(
        name="abstract",
        kind=Kind.PASSAGE,
        roles=(Role.ABSTRACT,),
        weight=1.5,
        about="summary paragraphs",
    ),
    Field(
        name="body",
        kind=Kind.PASSAGE,
        roles=(
            Role.BODY,
            Role.SUBHEAD,
            Role.QUOTE,
            Role.LIST,
            Role.TABLE,
            Role.CORRECTION,
        ),
        about="the running text: body, subheads, quotes, lists, tables, corrections",
    ),
    Field(
        name="caption",
        kind=Kind.PASSAGE,
        roles=(Role.CAPTION,),
        about="captions of pictures and video",
    ),
    Field(
        name="byline", kind=Kind.TEXT, about="who wrote it, as printed", returned=True
    ),
    Field(name="slugline", kind=Kind.TEXT, about="the desk's short name for the story"),
    Field(name="dateline", kind=Kind.TEXT, about="place and day, as printed"),
    _keyword("keywords", "free keywords", many=True),
    _keyword("subjects", "what it is about, by name", many=True),
    _keyword("people", "people it is about", many=True),
    _keyword("organisations", "organisations it is about", many=True),
    _keyword("places", "places it is about", many=True),
    _keyword("authors", "who wrote it, one by one", many=True),
    _keyword("genre", "feature, analysis, obituary …", many=True),
    _keyword("section", "the newspaper's section or service", returned=True),
    _keyword("source", "the agency or title it comes from", returned=True),
    _keyword("language", "BCP 47 tag", returned=True),
    _keyword("type", "text, picture, video, audio, graphic, composite, event …"),
    _keyword("story", "the story it belongs to"),
    Field(
        name="urgency",
        kind=Kind.INTEGER,
        about="1 (most urgent) to 9",
        filterable=True,
        facetable=True,
    ),
    Field(
        name="published",
        kind=Kind.DATE,
        about="when it was first published",
        facetable=True,
        returned=True,
    ),
    Field(
        name="updated",
        kind=Kind.DATE,
        about="when it was last changed; where unknown, when it was published",
        facetable=True,
    ),
)

FIELD_BY_NAME: dict[str, Field] = {each.name: each for each in FIELDS}


def field_names(*, kind: Kind | None = None, **having: bool) -> tuple[str, ...]:
    """Return the names of the fields of a kind, with these properties, in order."""
    return tuple(
        each.name
        for each in FIELDS
        if (kind is None or each.kind is kind)
        and all(getattr(each, name) == wanted for name, wanted in having.items())
    )


PASSAGE_FIELDS = field_names(kind=Kind.PASSAGE)
FILTERABLE = field_names(filterable=True)
FACETABLE = field_names(facetable=True)
DATE_FIELD_NAMES = field_names(kind=Kind.DATE)

# Where words without a field are sought, by the value of ``in``.
PLACES: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in PASSAGE_FIELDS},
    "text": PASSAGE_FIELDS,
    "all": (
        *PASSAGE_FIELDS,
        "byline",
        "slugline",
        "dateline",
        "keywords",
        "subjects",
        "people",
        "organisations",
        "places",
    ),
}

FIELD_OF_ROLE: dict[Role, str] = {
    role: each.name for each in FIELDS for role in each.roles
}
