"""An article as a web page, which the reader of web pages reads back.

The page is whole and safe: every text is escaped, no script runs, nothing is loaded.
Its data are JSON-LD (:mod:`index.formats.jsonld`); the text states the role of each
paragraph (:mod:`index.formats.roles`). Notes to editors are not written.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from html import escape

from index.article import Article, Role
from index.dates import iso
from index.formats import jsonld, roles

STYLE = """
body { max-width: 42rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a;
  background: #fff; font: 1.05rem/1.6 Georgia, "Times New Roman", serif; }
h1 { font-size: 1.9rem; line-height: 1.2; }
h1, h2 { font-family: system-ui, sans-serif; }
header p, footer { color: #555; font-size: 0.9rem; }
header p { margin: 0.2rem 0; }
blockquote { margin: 1rem 0; padding-left: 1rem; border-left: 3px solid #bbb; }
figure { margin: 1rem 0; }
figcaption, [data-role="abstract"], [data-role="correction"] { font-style: italic; }
[data-credit]::after { content: " (" attr(data-credit) ")"; }
ul { margin: 0; }
pre { overflow-x: auto; white-space: pre-wrap; tab-size: 12; }
footer { margin-top: 2rem; border-top: 1px solid #bbb; white-space: pre-line; }
@media print {
  body { max-width: none; margin: 0; color: #000; font-size: 11pt; }
  h1, h2 { break-after: avoid; }
  p, li, blockquote, figure { break-inside: avoid; orphans: 3; widows: 3; }
  a { color: inherit; text-decoration: none; }
  a[href]::after { content: " (" attr(href) ")"; overflow-wrap: anywhere; }
}
"""
_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
# For the header of an answer; the page says it too, for copies of it.
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none';"
    " form-action 'none'"
)
# In a script element, these would end it or open a comment.
_UNSAFE = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def write(article: Article) -> bytes:
    """An article as a page of HTML in UTF-8."""
    language = f' lang="{escape(article.language)}"' if article.language else ""
    parts = [
        "<!DOCTYPE html>",
        f"<html{language}>",
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        *_metadata(article),
        f"<style>{STYLE}</style>",
        f'<script type="application/ld+json">{_data(article)}</script>',
        "</head>",
        "<body>",
        *_header(article),
        roles.write(each for each in article.paragraphs if each.n),
        *_footer(article),
        "</body>",
        "</html>",
    ]
    return ("\n".join(parts) + "\n").encode()


def _data(article: Article) -> str:
    node = jsonld.node_of(article, body=False)
    return json.dumps(node, ensure_ascii=False, allow_nan=False).translate(_UNSAFE)


def _metadata(article: Article) -> Iterable[str]:
    yield f"<title>{escape(article.headline or article.id)}</title>"
    summary = next(
        (each.text for each in article.paragraphs if each.role is Role.ABSTRACT), None
    )
    address = article.url if _is_address(article.url) else None
    if address is not None:
        yield f'<link rel="canonical" href="{escape(address)}">'
    contents: dict[str, dict[str, str | None]] = {
        "name": {
            "description": summary,
            "author": ", ".join(each.name for each in article.authors) or None,
            "copyright": article.copyright,
        },
        "property": {
            "og:type": "article",
            "og:title": article.headline,
            "og:description": summary,
            "og:url": address,
            "og:site_name": article.source,
            "article:published_time": _date(article.published),
            "article:modified_time": _date(article.updated),
            "article:expiration_time": _date(article.expires),
            "article:section": article.section,
        },
    }
    for kind, named in contents.items():
        for name, content in named.items():
            if content is not None:
                yield f'<meta {kind}="{name}" content="{escape(content)}">'


def _date(date: datetime | None) -> str | None:
    return None if date is None else iso(date)


def _is_address(url: str | None) -> bool:
    """Whether a link may lead to an address: not to a script, nor to data."""
    return url is not None and url.lower().startswith(("https://", "http://"))


def _header(article: Article) -> Iterable[str]:
    yield "<header>"
    if article.headline is not None:
        yield f"<h1>{escape(article.headline)}</h1>"
    for line in (article.byline, article.dateline):
        if line is not None:
            yield f"<p>{escape(line)}</p>"
    for label, date in (("", article.published), ("Updated ", article.updated)):
        if date is not None:
            shown = f"{date:%Y-%m-%d %H:%M} UTC"
            yield f'<p>{label}<time datetime="{iso(date)}">{shown}</time></p>'
    if article.correction is not None:
        yield f"<p>Correction: {escape(article.correction)}</p>"
    yield "</header>"


def _footer(article: Article) -> Iterable[str]:
    lines = [
        escape(text)
        for text in (article.source, article.copyright, article.usage_terms)
        if text is not None
    ]
    if article.url is not None and _is_address(article.url):
        address = escape(article.url)
        lines.append(f'<a href="{address}">{address}</a>')
    if lines:
        yield "<footer>{}</footer>".format("\n".join(lines))
