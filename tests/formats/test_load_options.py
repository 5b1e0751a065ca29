"""What a load says of its records: paths, defaults, ids, where the records are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.dates import DateRules
from index.errors import InputError, InvalidArticle, InvalidValue, UnknownField
from index.formats import (
    Read,
    ReadOptions,
    check_mapping,
    defaults_of,
    read,
    read_detected,
)
from index.formats.detection import read_parsed
from index.formats.mapping import FieldMap, path_of
from index.parsing import EACH


def article_json(value: object, **options: Any) -> Read:
    """The one record of a JSON value, read as jsonl."""
    (record,) = read(
        "jsonl", json.dumps(value).encode(), options=ReadOptions(**options)
    )
    return record


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("body", ("body",)),
        ("fields.body", ("fields", "body")),
        ("authors[].name", ("authors", EACH, "name")),
        ("a.b[0].c", ("a", "b", 0, "c")),
        ("[].a", (EACH, "a")),
        ("a[][1]", ("a", EACH, 1)),
        (r"a\.b", ("a.b",)),
        (r"a\[0\]", ("a[0]",)),
        ("dc:title", ("dc:title",)),
        ("a b", ("a b",)),
        ("@type", ("@type",)),
    ],
)
def test_a_path_has_its_steps(text: str, steps: tuple[object, ...]) -> None:
    assert path_of(text, "map") == steps


@pytest.mark.parametrize(
    "text", ["", ".", ".a", "a.", "a..b", "a[", "a]", "a[x]", "a[-1]", "a[0]b", "a\\"]
)
def test_what_is_not_a_path_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="is not a path"):
        path_of(text, "map")
    with pytest.raises(InvalidValue, match="is not a path"):
        ReadOptions(mapping={text: "text"})


MAPPED = [
    # record, mapping, the record with it applied
    (
        {"id": 1, "fields": {"body": "x", "trail": "y"}},
        {"fields.body": "text"},
        {"id": 1, "fields": {"trail": "y"}, "fields.body": "x"},
    ),
    (
        {"authors": [{"name": "A", "mail": "m"}, {"name": "B"}]},
        {"authors[].name": "authors"},
        {"authors": [{"mail": "m"}], "authors[].name": ["A", "B"]},
    ),
    ({"a": {"b": [1, 2]}}, {"a.b[0]": "slugline"}, {"a": {"b": [2]}, "a.b[0]": 1}),
    (
        {"a": {"b": [1, 2]}},
        {"a.b[0]": "slugline", "a.b[1]": "section"},
        {"a.b[0]": 1, "a.b[1]": 2},
    ),
    ({"a.b": 1, "a": {"b": 2}}, {"a.b": "slugline"}, {"a": {"b": 2}, "a.b": 1}),
    ({"a.b": 1}, {r"a\.b": "slugline"}, {r"a\.b": 1}),
    ({"x": {"y": 1}, "z": 2}, {"x.y": "-"}, {"z": 2}),
    ({"x": 1, "z": 2}, {"x": "-"}, {"z": 2}),
    ({"tags": {"name": "A"}}, {"tags[].name": "keywords"}, {"tags[].name": ["A"]}),
    (
        {"tags": [{"n": "A"}, {"n": "B"}]},
        {"tags.n": "keywords"},
        {"tags.n": ["A", "B"]},
    ),
    ({"a": [{"n": None}, {"n": "B"}]}, {"a[].n": "keywords"}, {"a[].n": ["B"]}),
    ({"empty": {}, "a": {}}, {"a.b": "text"}, {"empty": {}, "a": {}}),
    ({"writer": "A B"}, {"writer": "authors"}, {"writer": ["A B"]}),
]


@pytest.mark.parametrize(("record", "mapping", "expected"), MAPPED)
def test_what_is_mapped_moves_to_the_top_and_the_rest_stays(
    record: Any, mapping: dict[str, str], expected: Any
) -> None:
    before = json.dumps(record)
    mapped = FieldMap(mapping).applied(record)
    assert mapped.record == expected
    assert json.dumps(record) == before


@pytest.mark.parametrize("name_of_format", ["jsonl", "ninjs", "text"])
def test_paths_are_mapped_in_every_format(name_of_format: str) -> None:
    value = {"fields": {"desk": "City", "x": 1, "y": 2}, "headline": "h", "uri": "u"}
    data = json.dumps(value)
    if name_of_format == "text":
        front = "\n".join(f"{name}: {json.dumps(each)}" for name, each in value.items())
        data = f"---\n{front}\n---\nh\n\nText."
    mapping = {"fields.desk": "section", "fields.x": "-"}
    options = ReadOptions(mapping=mapping)
    (record,) = read(name_of_format, data.encode(), options=options)
    assert record.article is not None, record.error
    assert (record.article.id, record.article.section) == ("u", "City")
    assert record.article.extra == {"fields": {"y": 2}}
    assert record.mapped is not None
    assert record.mapped.met == mapping.keys()
    assert record.original is not None  # it has what was ignored


def test_a_mapping_to_no_field_is_refused() -> None:
    check_mapping({"a.b": "text", "c": "-"})
    with pytest.raises(UnknownField):
        check_mapping({"a.b": "topics"})


@given(
    st.recursive(
        st.integers(0, 9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
        ),
        max_leaves=8,
    ),
    st.sampled_from(["a", "a.b", "a[].b", "a[0]", "b[].c[].a", "c.a.b"]),
)
@pytest.mark.slow
def test_nothing_is_lost_or_doubled_by_a_path(value: Any, name: str) -> None:
    mapped = FieldMap({name: "text"}).applied({"a": value, "b": value, "c": value})
    assert sorted(leaves(mapped.record)) == sorted(leaves([value] * 3))


def leaves(value: Any) -> list[int]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


# Defaults


def test_defaults_are_for_records_that_have_none() -> None:
    defaults = defaults_of(
        [
            *[("source", "Archive"), ("people", "Ada B"), ("people", "Cy D")],
            *[("urgency", "3"), ("keywords", "ports, ferries"), ("status", "withheld")],
        ],
        dates=DateRules(),
    )
    read = article_json(
        {"id": "1", "title": "h", "publisher": "Own"}, defaults=defaults
    )
    article = read.article
    assert article is not None
    assert (article.source, article.urgency, article.status) == ("Own", 3, "withheld")
    assert [each.name for each in article.people] == ["Ada B", "Cy D"]
    assert [each.name for each in article.keywords] == ["ports", "ferries"]
    assert read.original is not None


def test_a_default_does_not_bring_back_an_embargo_that_was_lifted() -> None:
    defaults = defaults_of([("embargoed_until", "2099-01-01")], dates=DateRules())
    lifted = {"id": "1", "headline": "h", "embargoed_until": None}
    with_default = article_json(lifted, defaults=defaults).article
    assert with_default == article_json(lifted).article


@pytest.mark.parametrize(
    "pairs",
    [
        [("id", "1")],
        [("paragraphs", "x")],
        [("desk", "x")],
        [("source", "a"), ("source", "b")],
        [("urgency", "high")],
        [("language", "no such language")],
        [("published", "some day")],
        [("embargoed_until", "some day")],
        [("status", "live-ish")],
    ],
)
def test_a_default_is_checked_like_a_value_of_a_record(
    pairs: list[tuple[str, str]],
) -> None:
    with pytest.raises(InputError):
        defaults_of(pairs, dates=DateRules())


# Ids


@pytest.mark.parametrize(
    ("record", "places", "expected"),
    [
        ({"id": "own", "url": "u"}, ("hash",), "own"),
        ({"url": "u"}, (), "u"),
        ({"url": "u", "sku": 7}, ("sku", "url"), "7"),
        ({"url": "u"}, ("sku", "url"), "u"),
        ({"link": "l"}, ("url",), "l"),
        ({"meta": {"key": "k"}}, ("meta.key",), "k"),
        ({"slug": "s"}, ("slugline",), "s"),
        ({"sku": {"no": "id"}, "slug": "s"}, ("sku", "slug"), "s"),
        ({"seat": "North  Bay", "no": 7}, ("seat+no",), "North-Bay+7"),
        ({"seat": "x", "url": "u"}, ("seat+no", "url"), "u"),
        ({"deck": "x\ty" * 200}, ("deck",), f"{'x-y' * 127}x--169df776d121f605"),
    ],
)
def test_an_id_is_from_the_first_place_that_has_one(
    record: dict[str, Any], places: tuple[str, ...], expected: str
) -> None:
    read = article_json({"headline": "h", **record}, id_from=places)
    assert read.article is not None, read.error
    assert read.article.id == expected


def test_a_hash_is_the_same_for_the_same_content() -> None:
    def of(data: str, **options: Any) -> str:
        chosen = ReadOptions(id_from=("hash",), **options)
        (record,) = read("jsonl", data.encode(), options=chosen)
        assert record.article is not None
        return record.article.id

    first = of('{"title": "h", "text": "x"}')
    assert first.startswith("hash:")
    assert of('[\n{"text": "x",\n "title":   "h"}]') == first
    assert of('{"title": "h", "text": "x"}', mapping={"title": "slugline"}) == first
    assert of('{"title": "h", "text": "y"}') != first
    volatile = '{"title": "h", "text": "x", "seen": 17}'
    assert of(volatile) != first
    assert of(volatile, mapping={"seen": "-"}) == first


def test_an_item_of_ninjs_without_a_uri_may_get_an_id() -> None:
    item = json.dumps({"headline": "h", "versioncreated": "2020-01-01"}).encode()
    (refused,) = read("ninjs", item)
    assert isinstance(refused.error, InvalidArticle)
    (record,) = read("ninjs", item, options=ReadOptions(id_from=("hash",)))
    assert record.article is not None


# Where the records are


def test_the_records_are_where_the_load_says() -> None:
    value = {
        "a": {"b": [{"id": 1, "title": "x"}, {"id": 2, "title": "y"}]},
        "items": [],
    }
    for path in ("a.b", "a.b[]", "a[].b"):
        options = ReadOptions(records=path)
        records = list(read("jsonl", json.dumps(value).encode(), options=options))
        assert [each.article.id for each in records if each.article] == ["1", "2"]
    (record,) = read(
        "jsonl", b'{"id": 1, "title": "x"}', options=ReadOptions(records="a.b")
    )
    assert "has nothing under 'a.b'" in str(record.error)


def test_the_original_of_a_wrapped_record_is_its_own_bytes() -> None:
    first, second = '{"id":1, "title":"\\u00e9"}', '{"id":2,"title" : "y"}'
    data = f'{{"n": 2, "data": {{"articles": [ {first},{second} ]}}}}'
    records = list(read("jsonl", data.encode()))
    originals = [each.original.data.decode() for each in records if each.original]
    assert originals == [first, second]
    parsed = list(read_parsed(None, json.loads(data), lambda: data))
    assert [each.original for each in parsed] == [each.original for each in records]
    assert {each.wrapper for each in records} == {"data.articles"}


# Detection of each record


def test_each_record_of_a_mixed_file_is_read_as_what_it_is() -> None:
    ninjs = {"uri": "n", "headlines": [{"value": "N"}], "versionCreated": "2020-01-01"}
    ours = {"id": "o", "headline": "O", "usageTerms": "free", "pubstatus": "usable"}
    data = "\n".join(map(json.dumps, [ninjs, ours, ninjs])).encode()
    for default in ("jsonl", "ninjs"):
        records = list(read_detected(default, data))
        headlines = [each.article.headline for each in records if each.article]
        assert headlines == ["N", "O", "N"]
        assert {each.read_as or default for each in records} == {"jsonl", "ninjs"}


def test_a_wrong_guess_is_tried_as_the_other() -> None:
    # With the names of ninjs, but its text is under names that only ours are.
    value = {"guid": "g", "versioncreated": "2020-01-01", "renditions": {}, "text": "x"}
    (record,) = read_detected("jsonl", json.dumps(value).encode())
    assert record.article is not None
    assert (record.guess, record.read_as) == ("ninjs", "jsonl")
    (refused,) = read("ninjs", json.dumps(value).encode())
    assert refused.article is None  # a declared format is not guessed


@pytest.mark.parametrize(
    "bad",
    [{"pubstatus": "live-ish"}, {"embargoed": "some day"}, {"embargoed": {"a": 1}}],
)
def test_what_withholds_an_article_is_never_passed_by_another_format(
    bad: dict[str, Any],
) -> None:
    value = {"uri": "u", "versioncreated": "2020-01-01", "headline": "h", **bad}
    (record,) = read_detected("jsonl", json.dumps(value).encode())
    assert record.article is None
