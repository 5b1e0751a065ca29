"""Aliases: the names under which records of other systems have our fields."""

from __future__ import annotations

from index.article import ARTICLE_FIELDS
from index.formats.property_names import kept, plain_name

# The fields of an article, its running text, and a summary paragraph.
TARGETS = (*ARTICLE_FIELDS, "text", "abstract")

# Dates of publication if there is no other; a planned publication is not then.
CREATION_NAMES = ("createdat", "datecreated", "created", "seendate")
EMBARGO_NAMES = (
    "embargoed",
    "embargo",
    "embargountil",
    "embargodate",
    "embargoend",
    "embargoenddate",
    "embargoedto",
    "embargotime",
    "embargoexpires",
)

# Other names of our fields; the first that is present counts. Case, spaces, hyphens and
# underscores make no difference.
ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("guid", "uri", "identifier"),
    "version": ("revision",),
    "status": ("pubstatus", "poststatus", "publicationstatus", "publishstatus"),
    "headline": ("title", "head", "hed", "webtitle", "headlines", "posttitle"),
    "slugline": ("slug", "postname"),
    "byline": ("by",),
    "authors": (
        "author",
        "creator",
        "creators",
        "writer",
        "dccreator",
        "primaryauthor",
    ),
    "section": (
        "sectionname",
        "articlesection",
        "primarysection",
        "category",
        "department",
        "desk",
        "newsdesk",
        "pillarname",
    ),
    "source": (
        "publisher",
        "provider",
        "publication",
        "agency",
        "outlet",
        "sourcename",
        "sourcedomain",
        "domain",
    ),
    "language": ("lang", "inlanguage", "locale"),
    "url": (
        "link",
        "permalink",
        "canonicalurl",
        "weburl",
        "href",
        "articleurl",
        "mainentityofpage",
        "externalurl",
    ),
    "keywords": ("tags", "tag", "keyword", "wpterm"),
    "subjects": ("subject", "desfacet", "about", "categories"),
    "people": ("persons", "person", "perfacet"),
    "organisations": ("organizations", "organisation", "organization", "orgfacet"),
    "places": ("place", "locations", "location", "geofacet", "contentlocation"),
    "genre": ("genres", "typeofmaterial"),
    "published": (
        "publishedat",
        "datepublished",
        "datepublish",
        "publisheddate",
        "publicationdate",
        "publishdate",
        "pubdate",
        "firstpublishdate",
        "firstpublished",
        "firstpublicationdate",
        "webpublicationdate",
        "publishedon",
        "dategmt",
        "postdategmt",
        "datetime",
        "date",
        "postdate",
        "displaydate",
        *CREATION_NAMES,
    ),
    "updated": (
        "updatedat",
        "datemodified",
        "datemodify",
        "modifiedgmt",
        "postmodifiedgmt",
        "modified",
        "modifiedat",
        "postmodified",
        "lastmodified",
        "lastmod",
        "lastupdated",
        "lastupdateddate",
        "dateupdated",
        "updateddate",
        "changed",
    ),
    "embargoed_until": EMBARGO_NAMES,
    "expires": (
        "expiresat",
        "expiry",
        "expireson",
        "expireat",
        "expirydate",
        "expirationdate",
        "unpublishdate",
        "unpublishat",
        "unpublishon",
    ),
    "story": ("storyid",),
    "correction": ("corrections",),
    "ed_note": ("editorsnote", "editornote"),
    "usage_terms": ("rights", "license", "licence"),
    "copyright": ("copyrightnotice",),
    "text": (
        "body",
        "bodyhtml",
        "contenthtml",
        "contentencoded",
        "articlehtml",
        "html",
        "content",
        "articlebody",
        "maintext",
        "fulltext",
        "fullcontent",
        "bodycopy",
        "bodytext",
        "contenttext",
        "articletext",
        "articlecontent",
        "storytext",
        "storybody",
        "postcontent",
        "contentelements",
        "plaintext",
        "transcript",
        "cleanedtext",
        "textcontent",
        "rawtext",
        "blocks",
        "bodyblocks",
        "contentblocks",
        "leadparagraph",
    ),
    "abstract": (
        "standfirst",
        "deck",
        "dek",
        "subheadline",
        "subheadlines",
        "summary",
        "customexcerpt",
        "description",
        "excerpt",
        "postexcerpt",
        "trailtext",
        "snippet",
    ),
}

_TARGET = {
    plain_name(name): (target, rank)
    for target in TARGETS
    if target != "extra"
    for rank, name in enumerate((target, *ALIASES.get(target, ())), 2)
}


def target_of(name: str) -> str | None:
    """Field that an alias is read as, if any."""
    return ranked_target_of(name)[0]


@kept(4096)
def ranked_target_of(name: str) -> tuple[str | None, int]:
    """Field that an alias is read as, and the alias's rank, from 2."""
    if name.startswith("_") and name != "_id":
        return None, 0  # bookkeeping of databases: _created, _version_
    return _TARGET.get(plain_name(name), (None, 0))
