"""Searching over HTTP: the shape of the answer, its links and ETags."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from index.archive import Archive
from index.archive.question import Question
from index.article import article_of
from index.engines import Facet
from index.errors import InvalidValue
from index.query import Filter, Interval, Request
from service.api import links as links_of_answers
from service.api.links import Links
from service.api.search import request_of


def test_an_answer_has_what_the_api_promises(reading: FlaskClient) -> None:
    answer = reading.get("/v1/search?q=harbour+strike&facet=source").json
    assert list(answer) == [
        *("query", "total", "took_ms", "index", "hits", "facets", "next", "next_url")
    ]
    assert answer["query"]["text"] == "harbour strike"
    assert answer["query"]["understood"] == "harbour AND strike"
    assert answer["query"]["warnings"] == []
    assert answer["query"]["did_you_mean"] is None
    assert answer["query"]["terms"] == [
        {"text": "harbour", "articles": 2},
        {"text": "strike", "articles": 1},
    ]
    assert answer["query"]["applied"]["status"] == "usable"
    assert answer["total"] == {"articles": 1, "paragraphs": 2}
    assert answer["index"] == {"seq": 3, "behind": 0}
    assert (answer["next"], answer["next_url"]) == (None, None)


def test_a_hit_is_an_article_with_its_passages(reading: FlaskClient) -> None:
    (hit,) = reading.get("/v1/search?q=unload").json["hits"]
    assert hit["id"] == "urn:test:harbour"
    assert hit["version"] == "1"
    assert hit["headline"] == "Harbour strike enters second week"
    assert hit["published"] == "2016-09-29T10:00:00Z"
    assert (hit["source"], hit["section"]) == ("Harbour Desk", "Business")
    assert (hit["byline"], hit["language"], hit["url"]) == (None, "en", None)
    assert hit["passages_total"] == 1
    (passage,) = hit["passages"]
    assert passage["id"] == "urn:test:harbour#p1"
    assert (passage["n"], passage["role"]) == (1, "body")
    ((start, end),) = passage["marks"]
    assert passage["text"][start:end] == "unload"
    assert "<mark>unload</mark>" in passage["html"]


def test_a_paragraph_hit_is_a_passage_with_its_article(reading: FlaskClient) -> None:
    answer = reading.get("/v1/search?q=talks&unit=paragraph&sort=oldest").json
    assert answer["total"] == {"articles": 2, "paragraphs": 2}
    first = answer["hits"][0]
    assert first["id"] == "urn:test:harbour#p2"
    assert first["article"]["id"] == "urn:test:harbour"
    assert first["article"]["source"] == "Harbour Desk"
    assert "passages" not in first


def test_text_is_escaped_before_it_is_marked(reading: FlaskClient) -> None:
    (hit,) = reading.get("/v1/search?q=grain+flour").json["hits"]
    assert hit["headline_html"] == "<mark>Grain</mark> prices climb &lt;fast&gt;"
    assert "<mark>grain</mark> &amp; <mark>flour</mark>" in hit["passages"][0]["html"]


def test_marks_count_code_points(reading: FlaskClient) -> None:
    (hit,) = reading.get("/v1/search?q=buns").json["hits"]
    passage = hit["passages"][0]
    ((start, end),) = passage["marks"]
    assert passage["text"][start:end] == "buns"


def test_notes_to_editors_are_in_no_public_answer(reading: FlaskClient) -> None:
    for path in (
        "/v1/search?q=dockers&fields=headline,extra,status",
        "/v1/articles/urn:test:harbour",
        "/v1/articles/urn:test:harbour?q=dockers",
        "/v1/articles/urn:test:harbour?format=jsonl",
        "/v1/articles/urn:test:harbour?format=ninjs",
        "/v1/articles/urn:test:harbour/versions",
    ):
        assert b"foreman" not in reading.get(path).data, path


def test_fields_choose_the_fields_of_a_hit(reading: FlaskClient) -> None:
    (hit,) = reading.get("/v1/search?q=dockers&fields=subjects,urgency").json["hits"]
    assert hit["subjects"] == ["labour", "ports"]
    assert hit["urgency"] == 2
    assert "headline" not in hit
    assert "headline_html" not in hit


def test_filters_are_ored_within_a_field_and_anded_between(
    reading: FlaskClient,
) -> None:
    both = reading.get("/v1/search?source=harbour+desk&source=Market+Desk").json
    assert both["total"]["articles"] == 2
    one = reading.get("/v1/search?section=Business&exclude.subjects=food").json
    assert [hit["id"] for hit in one["hits"]] == ["urn:test:harbour"]
    none = reading.get("/v1/search?missing.section=1").json
    assert [hit["id"] for hit in none["hits"]] == ["urn:test:museum"]


def test_missing_is_one_more_value_to_filter_by() -> None:
    asked = request_of({"section": ["Business"], "missing.section": True})
    (wanted,) = asked.filters
    assert (wanted.values, wanted.missing, wanted.exclude) == (
        ("Business",),
        True,
        False,
    )


def test_a_facet_value_links_to_the_search_with_it_ticked(reading: FlaskClient) -> None:
    answer = reading.get("/v1/search?facet=source&limit=1&page=2&q=").json
    value = answer["facets"]["source"]["values"][0]
    assert value["active"] is False
    narrowed = reading.get(value["url"]).json
    assert "page" not in value["url"]
    assert narrowed["total"]["articles"] == value["count"] == 1
    (ticked,) = [v for v in narrowed["facets"]["source"]["values"] if v["active"]]
    assert ticked["value"] == value["value"]
    widened = reading.get(ticked["url"]).json
    assert widened["total"]["articles"] == 3


def test_a_bucket_links_to_its_days(reading: FlaskClient) -> None:
    for interval in Interval:
        facet = f"published:{interval}"
        answer = reading.get(f"/v1/search?facet={facet}&tz=Asia/Colombo").json
        values = answer["facets"][facet]["values"]
        assert sum(value["count"] for value in values) == 3
        for value in values:
            narrowed = reading.get(value["url"]).json
            assert narrowed["total"]["articles"] == value["count"], value
            again = narrowed["facets"][facet]["values"]
            if value["count"] and interval != "auto":
                assert [v["active"] for v in again] == [True]
                assert reading.get(again[0]["url"]).json["total"]["articles"] == 3


def test_decades_and_centuries_are_intervals(reading: FlaskClient) -> None:
    answer = reading.get(
        "/v1/search?facet=published:decade&facet=published:century"
    ).json
    (decade,) = answer["facets"]["published:decade"]["values"]
    (century,) = answer["facets"]["published:century"]["values"]
    assert (decade["value"], decade["count"]) == ("2010-01-01", 3)
    assert (century["value"], century["count"]) == ("2000-01-01", 3)
    assert "from=2010&to=2019&date=published" in decade["url"]
    assert "from=2000&to=2099&date=published" in century["url"]


@pytest.mark.parametrize(
    ("interval", "value", "first", "last"),
    [
        ("century", "0001-01-01", "0001", "0099"),
        ("decade", "0001-01-01", "0001", "0009"),
        ("century", "9900-01-01", "9900", "9999"),
        ("year", "0045-01-01", "0045", "0045"),
        ("week", "9999-12-27", "9999-12-27", "9999-12-31"),
        ("week", "0001-01-01", "0001-01-01", "0001-01-07"),
        ("day", "2016-09-29", "2016-09-29", "2016-09-29"),
    ],
)
def test_a_bucket_at_the_ends_of_time_has_an_address(
    interval: str, value: str, first: str, last: str
) -> None:
    facet = Facet(
        field="published", interval=interval, values=(), missing=0, other=0, distinct=0
    )
    links = Links("/v1/search", {"q": "a"})
    ticked = links.toggle(facet, value, active=False)
    assert ticked == f"/v1/search?q=a&from={first}&to={last}&date=published"
    again = Links(
        "/v1/search", {"q": "a", "from": first, "to": last, "date": "published"}
    )
    assert again.active(facet, value)
    assert again.toggle(facet, value, active=True) == "/v1/search?q=a"


def test_links_of_large_values_leave_nothing_in_memory() -> None:
    tracemalloc.start()
    try:
        for number in range(20):
            text = f"{number}{'é' * 100_000}"
            assert quote(text) in Links("/v1/search", {"q": text}).here(None)
        del text
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 2 * links_of_answers.QUOTED_BYTES


@pytest.mark.parametrize("interval", [each for each in Interval if each != "auto"])
def test_a_ticked_bucket_without_articles_can_be_unticked(
    reading: FlaskClient, interval: str
) -> None:
    facet = f"published:{interval}"
    first = reading.get(f"/v1/search?facet={facet}").json["facets"][facet]["values"][0]
    dates = first["url"].partition("&")[2]
    for address, of in (
        (f"/v1/search?facet={facet}&q=zzz&{dates}", ("facets", facet)),
        (f"/v1/facets/{facet}?q=zzz&{dates}", ()),
    ):
        answer = reading.get(address).json
        for name in of:
            answer = answer[name]
        (ticked,) = answer["values"]
        assert (ticked["value"], ticked["count"]) == (first["value"], 0)
        assert ticked["active"] is True
        wider = reading.get(ticked["url"].replace("q=zzz", "q=")).json
        assert wider["total"]["articles"] == 3


def test_pages_are_walked_to_the_end(reading: FlaskClient) -> None:
    seen = []
    address = "/v1/search?limit=1&sort=oldest&facet=source"
    while address:
        answer = reading.get(address).json
        seen += [hit["id"] for hit in answer["hits"]]
        assert answer["total"]["articles"] == 3
        address = answer["next_url"]
    assert seen == ["urn:test:harbour", "urn:test:grain", "urn:test:museum"]


def test_a_cursor_of_another_search_is_refused(reading: FlaskClient) -> None:
    cursor = reading.get("/v1/search?limit=1").json["next"]
    answer = reading.get(f"/v1/search?limit=1&q=grain&cursor={cursor}")
    assert (answer.status_code, answer.json["code"]) == (400, "cursor_mismatch")


def test_post_returns_links_that_work_with_get(reading: FlaskClient) -> None:
    answer = reading.post(
        "/v1/search", json={"q": "talks", "limit": 1, "strict": True, "sort": "oldest"}
    ).json
    following = reading.get(answer["next_url"]).json
    assert [hit["id"] for hit in following["hits"]] == ["urn:test:grain"]


def test_explain_shows_the_parts_of_a_score(reading: FlaskClient) -> None:
    for unit in ("article", "paragraph"):
        hit = reading.get(f"/v1/search?q=talks&explain=1&unit={unit}").json["hits"][0]
        assert [part["text"] for part in hit["explain"]] == ["talks"]


def test_the_limit_may_be_0(reading: FlaskClient) -> None:
    answer = reading.get("/v1/search?limit=0&facet=section").json
    assert answer["hits"] == []
    assert answer["total"]["articles"] == 3
    assert answer["facets"]["section"]["missing"] == 1


def test_wrong_syntax_is_a_warning_with_its_place(reading: FlaskClient) -> None:
    query = reading.get("/v1/search?q=%28harbour").json["query"]
    assert query["warnings"][0]["position"] == 0
    assert query["warnings"][0]["detail"]


def test_the_answer_has_its_timing(client: FlaskClient) -> None:
    first, again = (client.get("/v1/search").headers["Server-Timing"] for _ in range(2))
    assert re.fullmatch(r"search;dur=[\d.]+, write;dur=[\d.]+", first)
    assert re.fullmatch(r"write;dur=[\d.]+", again)


def test_a_number_to_filter_by_may_have_blanks_around_it(archive: Archive) -> None:
    def articles(value: str) -> int:
        wanted = Filter(field="urgency", values=(value,))
        return archive.search(Request(filters=(wanted,))).articles

    assert articles(" " * 30 + "2 ") == articles("002") == 1
    for wrong in (" " * 18, "2" * 19, "2 2", "²", "-2", ""):
        with pytest.raises(InvalidValue) as caught:
            articles(wrong)
        assert caught.value.parameter == "urgency"


# ETags.


def test_an_unchanged_answer_is_not_searched_again(
    client: FlaskClient, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/v1/search?q=grain"
    tag = client.get(path).headers["ETag"]
    assert tag.startswith('W/"')
    monkeypatch.delattr(Question, "answer")
    again = client.get(path, headers={"If-None-Match": f'"other", {tag}'})
    assert again.status_code == 304
    assert again.data == b""
    assert again.headers["ETag"] == tag
    assert again.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    "path", ["/v1/search?q=grain&facet=source", "/v1/facets/source"]
)
def test_the_same_request_again_is_answered_without_a_search(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    first = client.get(path)
    assert first.json.get("took_ms", 1) > 0
    monkeypatch.delattr(Question, "answer")
    for again in (client.get(path), client.get(path)):
        assert again.headers["ETag"] == first.headers["ETag"]
        assert again.headers["Cache-Control"] == "private, no-cache"
        assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]
        assert again.content_type == first.content_type
        assert {**again.json, "took_ms": 0} == {**first.json, "took_ms": 0}
        assert again.json.get("took_ms", 0) == 0
    head = client.head(path)
    assert (head.data, head.content_length) == (b"", again.content_length)
    assert client.get(path, headers={"If-None-Match": head.headers["ETag"]}).data == b""
    assert "nutgraf_cached_answers_total 3.0" in client.get("/metrics").text


def test_a_search_by_a_body_and_by_an_address_share_an_answer(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client.get("/v1/search?q=grain").json
    monkeypatch.delattr(Question, "answer")
    again = client.post("/v1/search", json={"q": "grain"}).json
    assert {**again, "took_ms": 0} == {**first, "took_ms": 0}


def test_links_of_an_answer_are_those_of_its_own_request(client: FlaskClient) -> None:
    orders = ("source=World+Desk&section=economy", "section=economy&source=World+Desk")
    facets = "facet=source&facet=section"
    for _ in range(2):
        for order in orders:
            answer = client.get(f"/v1/search?{order}&{facets}").json
            for facet in answer["facets"].values():
                for row in facet["values"]:
                    names = re.findall(r"(source|section)=", row["url"])
                    first = order.partition("=")[0]
                    assert len(names) < 2 or names[0] == first


def test_the_time_is_put_into_a_kept_answer_whatever_its_texts_say(
    client: FlaskClient, archive: Archive, index_now: Callable[[], None]
) -> None:
    text = 'zebra "took_ms":1, \\"took_ms":2,'
    extra = {"took_ms": 5, "zebra": 2**70}
    document = {"id": "t", "headline": text, "paragraphs": [text], "extra": extra}
    archive.put([article_of(document)])
    index_now()
    path = "/v1/search?fields=headline,extra&q=" + quote(text)
    first, again = client.get(path).json, client.get(path).json
    assert again["took_ms"] == 0 < first["took_ms"]
    assert {**again, "took_ms": 0} == {**first, "took_ms": 0}
    assert again["hits"][0]["extra"] == extra


def test_another_request_has_another_tag(reading: FlaskClient) -> None:
    paths = (
        *(
            "/v1/search",
            "/v1/search?q=a",
            "/v1/search?limit=1",
            "/v1/search?tz=Asia/Tokyo",
        ),
        *("/v1/facets/source", "/v1/facets/section", "/v1/facets/source?prefix=a"),
        *("/v1/articles/urn:test:grain", "/v1/articles/urn:test:grain?q=a"),
    )
    assert len({reading.get(path).headers["ETag"] for path in paths}) == len(paths)


def test_a_change_ends_a_tag(
    client: FlaskClient, archive: Archive, index_now: Callable[[], None]
) -> None:
    tags = [client.get("/v1/search").headers["ETag"]]
    archive.put([article_of({"id": "urn:test:new", "headline": "New"})])
    tags.append(client.get("/v1/search").headers["ETag"])
    index_now()
    tags.append(client.get("/v1/search").headers["ETag"])
    assert len(set(tags)) == 3


def test_a_relative_date_moves_the_tag(reading: FlaskClient) -> None:
    first = reading.get("/v1/search?from=-1d").headers["ETag"]
    assert reading.get("/v1/search?from=-1d").headers["ETag"] != first
    fixed = reading.get("/v1/search?from=2016").headers["ETag"]
    assert reading.get("/v1/search?from=2016").headers["ETag"] == fixed


def test_a_star_matches_no_tag(reading: FlaskClient) -> None:
    wrong = reading.get("/v1/search?limit=101", headers={"If-None-Match": "*"})
    assert wrong.status_code == 400


# Suggestions, facets and fields.


def test_suggestions_complete_the_typed_text(reading: FlaskClient) -> None:
    suggestions = reading.get("/v1/suggest?q=harb").json["suggestions"]
    assert {
        "text": "Harbour Desk",
        "type": "source",
        "articles": 1,
        "id": None,
    } in suggestions
    assert {suggestion["type"] for suggestion in suggestions} >= {
        "word",
        "headline",
        "source",
    }
    (headline,) = [
        suggestion for suggestion in suggestions if suggestion["type"] == "headline"
    ]
    assert headline["id"] == "urn:test:harbour"
    assert len(reading.get("/v1/suggest?q=harb&limit=1").json["suggestions"]) == 1


def test_one_facet_can_be_requested_alone(reading: FlaskClient) -> None:
    answer = reading.get("/v1/facets/source?q=talks&prefix=ma&facet_size=5").json
    assert answer["field"] == "source"
    (value,) = answer["values"]
    assert (value["value"], value["count"]) == ("Market Desk", 1)
    assert reading.get(value["url"]).json["total"]["articles"] == 1
    assert answer["index"]["behind"] == 0


def test_the_name_of_a_facet_may_be_encoded(reading: FlaskClient) -> None:
    plain = reading.get("/v1/facets/published:month").json
    assert reading.get("/v1/facets/published%3Amonth").json == plain
    assert plain["field"] == "published:month"
    wrong = reading.get(
        "/", environ_overrides={"PATH_INFO": "/v1/facets/\xff", "RAW_URI": ""}
    )
    assert (wrong.status_code, wrong.json["code"]) == (400, "invalid_encoding")


def test_a_date_facet_can_be_requested_alone(reading: FlaskClient) -> None:
    answer = reading.get("/v1/facets/published:year").json
    assert [v["value"] for v in answer["values"]] == ["2016-01-01", "2017-01-01"]
    assert answer["interval"] == "year"


def test_the_fields_are_listed_with_their_uses(reading: FlaskClient) -> None:
    listed = {each["name"]: each for each in reading.get("/v1/fields").json["fields"]}
    assert listed["source"]["filterable"]
    assert listed["published"]["sortable"]
    assert not listed["headline"]["facetable"]


def test_an_embargo_hides_without_the_index(
    client: FlaskClient, archive: Archive
) -> None:
    document = {
        "id": "urn:test:grain",
        "headline": "Grain prices climb",
        "embargoed_until": datetime(2100, 1, 1, tzinfo=UTC).isoformat(),
    }
    archive.put([article_of(document)])
    answer = client.get("/v1/search?q=grain&facet=source").json
    assert [hit["id"] for hit in answer["hits"]] == ["urn:test:harbour"]
    assert answer["index"]["behind"] == 1
    assert client.get("/v1/articles/urn:test:grain").status_code == 404
