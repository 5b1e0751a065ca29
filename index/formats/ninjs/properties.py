"""The properties of a ninjs item, and the fields of ours they are read as.

Names are in lower case, as an item is looked up without case.
"""

from __future__ import annotations

from index.formats.aliases import EMBARGO_NAMES

# Properties that an item has and our own records have not, under no alias either.
_MARKS = (
    "versioncreated firstcreated contentcreated headlines bodies descriptions"
    " body_xhtml description_text renditions associations altids $standard standard"
    " representationtype eventdetails infosources rightsinfo"
)
MARKS = frozenset(_MARKS.split())
# Properties of an item that are fields or aliases of ours too.
WEAK_MARKS = frozenset({"pubstatus", "copyrightnotice", "usageterms"})
MEDIA = frozenset({"picture", "photo", "video", "audio", "graphic", "animation"})

# Our field, and the properties it is read from: the first that is present counts, the
# others are kept in ``extra``.
TEXTS: dict[str, tuple[str, ...]] = {
    "id": ("guid", "uri"),
    "version": ("version",),
    "type": ("type",),
    "status": ("pubstatus",),
    "slugline": ("slugline",),
    "byline": ("byline", "by"),
    "dateline": ("located",),
    "language": ("language",),
    "urgency": ("urgency",),
    "url": ("url",),
    "embargoed_until": ("embargoeduntil", *EMBARGO_NAMES),
    "expires": ("expires",),
    "evolved_from": ("evolvedfrom",),
    "story": ("original_id",),
    "correction": ("correction",),
    "ed_note": ("ednote",),
    "usage_terms": ("usageterms",),
    "copyright": ("copyrightnotice", "copyrightholder"),
}
DATES: dict[str, tuple[str, ...]] = {
    "published": ("firstpublished", "firstcreated", "contentcreated", "versioncreated"),
    "updated": ("versioncreated",),
}
CONCEPTS: dict[str, tuple[str, ...]] = {
    "authors": ("authors",),
    "keywords": ("keywords",),
    "subjects": ("subjects", "subject"),
    "people": ("people", "person", "persons"),
    "organisations": ("organisations", "organisation", "organizations", "organization"),
    "places": ("places", "place"),
    "genre": ("genres", "genre"),
}
NAMES: dict[str, tuple[str, ...]] = {
    "source": ("source", "infosources", "infosource", "provider"),
    "section": ("service", "section"),
}
PROPERTIES = (
    frozenset(
        name
        for fields in (TEXTS, DATES, CONCEPTS, NAMES)
        for names in fields.values()
        for name in names
    )
    | MARKS
    | {"headline", "title", "name", "profile", "priority", "mimetype"}
)
