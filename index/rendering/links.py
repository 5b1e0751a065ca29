"""Links: where the readers of an article find it."""

from __future__ import annotations

from urllib.parse import quote

from index.settings import Settings


def permalink(article_id: str, url: str | None, settings: Settings) -> str | None:
    """Address of an article for its readers; ``None`` if it has none.

    ::

        settings = Settings(permalink="https://news.example/archive/{id}")
        permalink("urn:a/b", None, settings)
        # "https://news.example/archive/urn%3Aa%2Fb"

    :param url: its own, which comes before ``NUTGRAF_PERMALINK``.
    """
    if url is not None:
        return url
    if not settings.permalink:
        return None
    return settings.permalink.replace("{id}", quote(article_id, safe=""))
