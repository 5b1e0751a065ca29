"""The fields of an article: what each holds, and what can be done with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from index.article.records import Role


class Kind(StrEnum):
    """How a field is indexed and searched."""

    PASSAGE = "passage"  # the words of the paragraphs with certain roles
    TEXT = "text"  # the words of one line, such as the byline
    KEYWORD = "keyword"  # whole values, and their words in a query
    INTEGER = "integer"
    DATE = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an article.

    :param about: what it holds, for the documentation.
    :param roles: of a passage field: the roles of its paragraphs.
    :param many: whether an article can have several values.
    :param weight: of a word in this field when an article is scored (BM25F).
    :param filterable: whether its name, ``exclude.NAME`` and ``missing.NAME`` are
        search parameters.
    :param facetable: whether its values can be counted; dates by interval.
    :param returned: whether search answers include it unless ``fields`` is given.
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
        """Whether queries can search its words."""
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
        name="byline", kind=Kind.TEXT, about="the author line as printed", returned=True
    ),
    Field(name="slugline", kind=Kind.TEXT, about="the desk's short name for the story"),
    Field(name="dateline", kind=Kind.TEXT, about="place and day as printed"),
    _keyword("keywords", "free keywords", many=True),
    _keyword("subjects", "topics, by name", many=True),
    _keyword("people", "people in the story", many=True),
    _keyword("organisations", "organisations in the story", many=True),
    _keyword("places", "places in the story", many=True),
    _keyword("authors", "the authors, one by one", many=True),
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
        about="when it was last changed; the time of publication if unknown",
        facetable=True,
    ),
)

FIELD_BY_NAME: dict[str, Field] = {field.name: field for field in FIELDS}


def field_names(*, kind: Kind | None = None, **having: bool) -> tuple[str, ...]:
    """Names of the fields of a kind that have these properties, in order."""
    return tuple(
        field.name
        for field in FIELDS
        if (kind is None or field.kind is kind)
        and all(getattr(field, name) == value for name, value in having.items())
    )


PASSAGE_FIELDS = field_names(kind=Kind.PASSAGE)
FILTERABLE = field_names(filterable=True)
FACETABLE = field_names(facetable=True)
DATE_FIELD_NAMES = field_names(kind=Kind.DATE)

# The fields that ``in`` selects for words without a field.
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
    role: field.name for field in FIELDS for role in field.roles
}
