"""Behind a path prefix: every address that is written has it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from index.archive import Archive
from index.errors import InvalidValue
from index.settings import Settings
from service import create_app

PREFIX = "/desk/archive"
FORWARDED = {"X-Forwarded-Prefix": PREFIX}


def addresses(value: Any) -> list[str]:
    """The texts in JSON that are addresses on the service."""
    if isinstance(value, dict):
        return [each for member in value.values() for each in addresses(member)]
    if isinstance(value, list):
        return [each for member in value for each in addresses(member)]
    return [value] if isinstance(value, str) and value.startswith("/") else []


@pytest.mark.parametrize(
    "path",
    [
        "/v1/search?facet=source&limit=1",
        "/v1/search.json?facet=source&limit=1",
        "/v1/facets/source",
        "/v1/search?lmit=1",
        "/v1/articles/none",
        "/nowhere",
    ],
)
@pytest.mark.parametrize("prefix", [PREFIX, f"{PREFIX}/"])
def test_every_address_has_the_prefix(
    reading: FlaskClient, path: str, prefix: str
) -> None:
    answer = reading.get(path, headers={"X-Forwarded-Prefix": prefix})
    written = addresses(answer.json)
    assert written
    assert [each for each in written if not each.startswith(f"{PREFIX}/")] == []
    assert not any(
        each.startswith(PREFIX) for each in addresses(reading.get(path).json)
    )


@pytest.mark.parametrize(
    "path",
    [
        "/opensearch.xml",
        *(f"/v1/search.{name}?limit=1" for name in ("atom", "rss", "jsonfeed")),
    ],
)
def test_feeds_and_their_description_have_it_too(
    reading: FlaskClient, path: str
) -> None:
    text = reading.get(path, headers=FORWARDED).get_data(as_text=True)
    assert (
        text.count("http://localhost/") == text.count(f"http://localhost{PREFIX}/") > 0
    )


def test_problems_within_an_answer_have_it(client: FlaskClient) -> None:
    answer = client.post("/v1/articles", json=[{"id": "a"}], headers=FORWARDED)
    assert all(each.startswith(PREFIX) for each in addresses(answer.json))
    assert addresses(answer.json)


@pytest.mark.parametrize(
    "path", ["/", "/v1/search", "/v1/facets/source", "/v1/search.atom"]
)
def test_an_answer_with_another_prefix_is_another_one(
    reading: FlaskClient, path: str
) -> None:
    etag = reading.get(path, headers=FORWARDED).headers["ETag"]
    sent = {"If-None-Match": etag}
    assert reading.get(path, headers={**FORWARDED, **sent}).status_code == 304
    assert reading.get(path, headers=sent).status_code == 200


@pytest.mark.parametrize(
    "prefix",
    [
        *("//evil.example", "evil", "/a//b", "/a/../b", "/..", "/a b", "/a\\b", "/é"),
        *("/a,/b", "https://evil.example", "/a?b", "/a#b", "/%2e", "/" + "a" * 200),
    ],
)
def test_what_is_no_prefix_is_refused(reading: FlaskClient, prefix: str) -> None:
    answer = reading.get("/v1/search", headers={"X-Forwarded-Prefix": prefix})
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_value")
    assert answer.json["parameter"] == "X-Forwarded-Prefix"


def test_only_a_trusted_proxy_says_where_the_service_is(
    shared_archive: Archive,
) -> None:
    def links(address: str, *proxies: str) -> str:
        settings = replace(shared_archive.settings, proxies=proxies)
        caller = create_app(settings, shared_archive).test_client()
        answer = caller.get(
            "/opensearch.xml",
            headers=FORWARDED,
            environ_overrides={"REMOTE_ADDR": address},
        )
        assert answer.status_code == 200
        return answer.get_data(as_text=True)

    assert PREFIX in links("127.0.0.1", "127.0.0.1")
    assert PREFIX in links("10.1.2.3", "10.0.0.0/8")
    assert PREFIX in links("::ffff:10.1.2.3", "10.0.0.0/8")
    assert PREFIX in links("", "127.0.0.1")  # a socket in the file system
    assert PREFIX not in links("192.0.2.7", "127.0.0.1", "10.0.0.0/8")
    assert PREFIX not in links("127.0.0.1")
    assert PREFIX not in links("nobody", "127.0.0.1")


def test_routes_are_found_as_without_it(reading: FlaskClient) -> None:
    answer = reading.get("/v1/articles/urn%3Atest%3Aharbour", headers=FORWARDED)
    assert answer.json["id"] == "urn:test:harbour"


@pytest.mark.parametrize("proxy", ["proxy.example", "10.0.0.0/99", "1.2.3"])
def test_proxies_are_addresses(proxy: str) -> None:
    with pytest.raises(InvalidValue, match="NUTGRAF_PROXIES"):
        Settings(proxies=(proxy,))


@pytest.mark.parametrize(
    "template",
    [
        "{id}",
        "https://news.example/",
        "javascript:{id}",
        "https://{id}/",
        "https://news.example/{id}/{version}",
    ],
)
def test_a_permalink_is_an_address_with_the_id(template: str) -> None:
    with pytest.raises(InvalidValue, match="NUTGRAF_PERMALINK"):
        Settings(permalink=template)
