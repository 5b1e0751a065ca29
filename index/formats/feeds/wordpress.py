"""Posts of a WordPress export (WXR): which are read, their status, terms and texts.

Source: ``wp-admin/includes/export.php`` of WordPress.
"""

from __future__ import annotations

import re
from typing import Any

from index.formats.bodies import put_paragraphs, running
from index.formats.feeds import item
from index.formats.feeds.names import name_of
from index.formats.feeds.parts import Parts
from index.formats.feeds.shortcodes import without_shortcodes
from index.formats.statuses import take
from index.formats.xml_articles import PassedOver, XmlArticle
from index.parsing import attribute, line_text

# What WordPress and its plug-ins keep as posts, and what it is.
_NO_ARTICLES: dict[str, str] = {
    "attachment": "a file of the media library",
    "revision": "an earlier state of a post",
    "nav_menu_item": "an entry of a menu",
    "wp_navigation": "a menu",
    "wp_block": "a reusable block",
    "wp_template": "a template",
    "wp_template_part": "a template",
    "wp_global_styles": "a style",
    "wp_font_family": "a font",
    "wp_font_face": "a font",
    "custom_css": "a style",
    "customize_changeset": "a setting",
    "oembed_cache": "a copy of something embedded",
    "user_request": "a request for personal data",
    "acf-field": "a field of a form",
    "acf-field-group": "a form",
    "elementor_library": "a template",
    "wpcf7_contact_form": "a form",
    "feedback": "an answer to a form",
    "shop_order": "an order",
}
# People who comment did not write for the archive; the others say nothing of a text.
_DROPPED = (
    "wp:comment",
    "wp:post_password",
    "wp:comment_status",
    "wp:ping_status",
    "wp:menu_order",
    "wp:post_parent",
)
_OF_EXPORT = re.compile(r"wordpress\.org/export/")


def is_export(head: str) -> bool:
    """Whether the first characters of an RSS file name the namespace of an export."""
    return _OF_EXPORT.search(head) is not None


def is_post(parts: Parts) -> bool:
    """Whether an item is of a WordPress export."""
    return any(name.startswith("wp:") for name in parts.names())


def check_type(parts: Parts) -> None:
    """Check that a post is an article.

    :raises PassedOver: it is a file, a menu or the like.
    """
    kind = parts.text("wp:post_type") or ""
    if kind in _NO_ARTICLES:
        raise PassedOver(f"{kind} is {_NO_ARTICLES[kind]}, and no article")


def put_post(article: XmlArticle, extra: dict[str, Any], parts: Parts) -> None:
    """Set the status, terms and texts of a post."""
    document = article.document
    statuses = [(1, text) for text in parts.texts("wp:status")]
    take(document, statuses, held=parts.text("wp:post_password") is not None)
    parts.all(*_DROPPED)
    kind = parts.text("wp:post_type")
    if kind not in (None, "post"):
        extra["post_type"] = kind
    if slug := parts.text("wp:post_name"):
        document["slugline"] = slug
    body = [
        running(without_shortcodes(text), html=True)
        for each in parts.all("content:encoded")
        if (text := (each.text or "").strip())
    ]
    excerpts = item.texts_of(parts.all("excerpt:encoded", "description"))
    if body:
        document["text"] = body[0]
        document["abstract"] = [each for text in excerpts for each in text]
        put_paragraphs(document)
    else:
        item.put_texts(article, excerpts, whole=False)
    _put_terms(document, extra, parts)
    if fields := _fields(parts):
        extra["postmeta"] = fields


def _put_terms(document: dict[str, Any], extra: dict[str, Any], parts: Parts) -> None:
    """Terms by their taxonomy: categories, tags, and those that a site has made."""
    subjects: list[dict[str, str]] = []
    keywords: list[str] = []
    terms = parts.all("category")
    known = {line_text(each) for each in terms if attribute(each, "domain")}
    for each in terms:
        name, taxonomy = line_text(each), attribute(each, "domain")
        if not name or (taxonomy is None and name in known):
            continue  # old exports have each category twice
        if taxonomy in ("post_tag", "tag"):
            keywords.append(name)
        elif taxonomy in ("post_format", "post_status", "nav_menu"):
            extra.setdefault(taxonomy, name)
        else:
            if taxonomy in (None, "category"):
                document.setdefault("section", name)
            code = attribute(each, "nicename")
            scheme = None if taxonomy == "category" else taxonomy
            concept = {"name": name, "code": code, "scheme": scheme}
            subjects.append({key: text for key, text in concept.items() if text})
    if subjects:
        document["subjects"] = subjects
    if keywords:
        document["keywords"] = list(dict.fromkeys(keywords))


def _fields(parts: Parts) -> dict[str, str]:
    """Custom fields of a post; those that WordPress hides are left out."""
    fields: dict[str, str] = {}
    for meta in parts.all("wp:postmeta"):
        texts = {name_of(child): line_text(child) for child in meta}
        key, value = texts.get("wp:meta_key"), texts.get("wp:meta_value")
        if key and value and not key.startswith("_"):
            fields[key] = value
    return fields
