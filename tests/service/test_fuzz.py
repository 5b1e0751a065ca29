"""No input causes a traceback or a status that is not documented."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from flask.testing import FlaskClient
from http_inputs import SIGNS, WORDS, check, json_values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.api.search_schemas import SearchArguments

pytestmark = pytest.mark.slow

# All examples share one client, since they only read.
READS = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
queries = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(WORDS + SIGNS), max_size=12).map(" ".join),
    st.lists(st.sampled_from(WORDS + SIGNS), max_size=12).map("".join),
)
NAMES = sorted(f.data_key or n for n, f in SearchArguments().fields.items())


@READS
@given(q=queries, unit=st.sampled_from(["article", "paragraph"]), strict=st.booleans())
def test_any_query(client: FlaskClient, q: str, unit: str, strict: bool) -> None:
    given_parameters = {"q": q, "unit": unit, "strict": int(strict)}
    try:
        answer = client.get("/v1/search", query_string=given_parameters)
    except UnicodeEncodeError:
        return  # a lone surrogate cannot be sent
    check(answer, 200, 400)
    check(client.get("/v1/suggest", query_string={"q": q}), 200, 400)
    check(client.get("/v1/articles/urn:test:grain", query_string={"q": q}), 200, 400)


@READS
@given(st.binary(max_size=60))
def test_any_bytes_as_a_query_string(client: FlaskClient, raw: bytes) -> None:
    for text in (raw.decode("latin-1"), quote_from_bytes(raw, safe="&=%+")):
        check(
            client.get("/v1/search", environ_overrides={"QUERY_STRING": text}), 200, 400
        )


@READS
@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=12), max_size=3))
def test_any_value_of_any_parameter(
    client: FlaskClient, parameters: dict[str, str]
) -> None:
    try:
        answer = client.get("/v1/search", query_string=parameters)
    except UnicodeEncodeError:
        return
    check(answer, 200, 400)


@READS
@given(st.dictionaries(st.sampled_from(NAMES), json_values, max_size=3) | json_values)
def test_any_json_as_a_search(client: FlaskClient, body: Any) -> None:
    check(
        client.post(
            "/v1/search", data=json.dumps(body), content_type="application/json"
        ),
        *(200, 400),
    )


@READS
@given(st.binary(max_size=80))
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_any_path(client: FlaskClient, method: str, raw: bytes) -> None:
    sent = f"/v1/articles/{quote_from_bytes(raw)}"
    path = f"/v1/articles/{raw.decode('latin-1')}"
    answer = client.open(
        "/",
        method=method,
        data=b"{}",
        content_type="application/json",
        environ_overrides={"PATH_INFO": path, "RAW_URI": sent},
    )
    check(answer, 400, 404, 405, 422)


@READS
@given(
    body=st.binary(max_size=60)
    | json_values.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(
        st.sampled_from(
            ["headline", "paragraphs", "status", "published", "extra", "uri"]
        ),
        json_values,
    ).map(lambda value: json.dumps(value).encode()),
    media_type=st.sampled_from(
        ["application/json", "text/plain", "application/x-ndjson", "", "image/png"]
    ),
    where=st.sampled_from(["/v1/articles", "/v1/articles/fuzz"]),
)
def test_any_body(
    client: FlaskClient, body: bytes, media_type: str, where: str
) -> None:
    answer = client.open(
        where,
        method="PUT" if where.endswith("fuzz") else "POST",
        data=body,
        content_type=media_type,
    )
    check(answer, 200, 207, 400, 409, 411, 413, 415, 422)
    check(client.get("/v1/articles/fuzz"), 200, 404)
