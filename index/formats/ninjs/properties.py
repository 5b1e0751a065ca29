"""The properties of a ninjs item, and the fields of ours they are read as.

Names are in lower case, as an item is looked up without case.
"""

from __future__ import annotations

# Lists of items in an object that is not an item itself.
WRAPPERS = ("item", "items", "_items")
# Properties that ninjs has and hardly any other JSON.
_MARKS = (
    "versioncreated firstcreated contentcreated pubstatus headlines bodies descriptions"
    " body_xhtml description_text renditions associations altids $standard standard"
    " representationtype eventdetails infosources rightsinfo"
    " copyrightnotice usageterms"
)
MARKS = frozenset(_MARKS.split())
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
    "embargoed_until": ("embargoeduntil", "embargoed"),
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
