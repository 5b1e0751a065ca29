"""Headers of pages: what a page may load, and what other sites learn from its links."""

from __future__ import annotations

from flask import Response

# Our own files only, and nothing inline: text of an article that got into the markup
# could neither run nor call home.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    # What people search for stays here when they follow a link to another site.
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)


def add_headers(response: Response) -> Response:
    """Add the headers of a page, unless its view has set them."""
    for name, value in _HEADERS:
        response.headers.setdefault(name, value)
    return response
