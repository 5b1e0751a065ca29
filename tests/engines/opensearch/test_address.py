"""The URL of an engine on a cluster."""

from __future__ import annotations

import pytest

from index.engines import open_engine
from index.engines.opensearch.address import address_of
from index.errors import InvalidValue

WHOLE = (
    "opensearch+https://news:p%40ss%2F@one.example:9200,[fd00::2]:9201,three/"
    "desk?ca=/etc/ca.pem&shards=3&replicas=1"
)


def test_every_part_of_a_url_is_read() -> None:
    address = address_of(WHOLE)
    assert address.hosts == (
        ("one.example", 9200),
        ("[fd00::2]", 9201),
        ("three", 9200),
    )
    assert (address.user, address.password) == ("news", "p@ss/")
    assert (address.tls, address.ca, address.prefix) == (True, "/etc/ca.pem", "desk")
    assert (address.shards, address.replicas) == (3, 1)


def test_all_but_the_host_may_be_left_out() -> None:
    address = address_of("opensearch+http://localhost")
    assert address.hosts == (("localhost", 9200),)
    assert (address.tls, address.prefix, address.user) == (False, "nutgraf", "")
    assert (address.shards, address.replicas) == (1, 0)


@pytest.mark.parametrize("shown", [str, repr])
def test_a_password_is_never_shown(shown: type[str]) -> None:
    assert "p@ss" not in shown(address_of(WHOLE))
    assert "p%40ss" not in shown(address_of(WHOLE))
    assert "p%40ss" not in open_engine(WHOLE).url


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("opensearch://u:secret@host", "write memory:, whoosh:FOLDER or"),
        ("opensearch+https:u:secret@host", "write opensearch"),
        ("opensearch+https://u:secret@", "write each host as"),
        ("opensearch+https://u:secret@host:0", "write each host as"),
        ("opensearch+https://u:secret@host:99999", "write each host as"),
        ("opensearch+https://u:secret@one,,two", "write each host as"),
        ("opensearch+https://u:secret@ho st", "write each host as"),
        ("opensearch+https://:secret@host", "both a user and a password"),
        ("opensearch+https://secret@host", "both a user and a password"),
        ("opensearch+https://u:secret?@host", "write %3F for"),
        ("opensearch+https://u:12/secret@host/news", "write %2F for / in a login"),
        ("opensearch+https://u:secret/12@host/news", "write %2F for / in a login"),
        ("opensearch+https://u:p@secret/12@host/news", "write %2F for / in a login"),
        ("opensearch+https://u:12/se?secret@host", "write %2F for / in a login"),
        ("opensearch+https://u:secret@host/Desk", "write a prefix of lower-case"),
        ("opensearch+https://u:secret@host/a/b", "write a prefix of lower-case"),
        ("opensearch+https://u:secret@host/_all", "write a prefix of lower-case"),
        ("opensearch+https://u:secret@host/a?shards=0", "shards must be a number"),
        ("opensearch+https://u:secret@host/a?shards=x", "shards must be a number"),
        ("opensearch+https://u:secret@host/a?replicas=-1", "replicas must be a number"),
        ("opensearch+https://u:secret@host/a?shard=3", "write ca, shards and replicas"),
        ("opensearch+https://u:secret@host/a?shards=1&shards=2", "each once"),
        ("opensearch+http://u:secret@host/a?ca=/etc/ca.pem", "ca is for"),
    ],
)
def test_a_wrong_url_is_refused_without_its_password(url: str, detail: str) -> None:
    with pytest.raises(InvalidValue, match=detail) as refused:
        open_engine(url)
    assert refused.value.parameter == "engine"
    assert "secret" not in f"{refused.value} {refused.value.facts}"
