"""Links: an article's own address, else the one that the settings make."""

from __future__ import annotations

import pytest

from index.errors import InvalidValue
from index.rendering.links import permalink
from index.settings import Settings


def test_a_link_is_the_url_of_the_article_or_made_from_its_id() -> None:
    settings = Settings(permalink="https://news.example/archive?of={id}&x=1")
    assert permalink("a", "https://desk.example/a", settings) == (
        "https://desk.example/a"
    )
    assert permalink("urn:ö/b?c#d&e", None, settings) == (
        "https://news.example/archive?of=urn%3A%C3%B6%2Fb%3Fc%23d%26e&x=1"
    )
    assert permalink("a", None, Settings()) is None


@pytest.mark.parametrize(
    "template",
    [
        "https://news.example/archive/{id}",
        "http://[::1]:8080/{id}.html",
        "https://news.example/?id={id}#top",
    ],
)
def test_a_template_is_an_address_with_a_place_for_the_id(template: str) -> None:
    assert Settings(permalink=template).permalink == template


@pytest.mark.parametrize(
    "template",
    [
        "https://news.example/archive/",
        "https://{id}.example/",
        "https://news.example/{id}/{id}",
        "https://news.example/{id}/{version}",
        "news.example/{id}",
        "javascript:alert({id})",
        "https://news.example/{id}?a b",
        'https://news.example/{id}"',
        "https://user@news.example/{id}",
        "https://news.example:99999999/{id}",
        "none",
    ],
)
def test_any_other_template_is_refused_at_the_start(template: str) -> None:
    with pytest.raises(InvalidValue, match="NUTGRAF_PERMALINK"):
        Settings.from_environ({"NUTGRAF_PERMALINK": template})
