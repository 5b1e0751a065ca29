"""Bodies in blocks: the notations of editors, and that no text of a block is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from faults.amounts import amount
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import InvalidArticle
from index.formats.blocks import paragraphs_of


def lines(value: Any, *, html: bool = False) -> list[str]:
    """Paragraphs of a body, each as ``role: text``."""
    return [
        f"{each['role']}: {each['text']}" for each in paragraphs_of(value, html=html)
    ]


def span(text: str, **others: Any) -> dict[str, Any]:
    return {"type": "text", "text": text, **others}


EXPECTED = [
    "subhead: Ferry back",
    "body: It sails at six.",
    "list: Daily",
    "quote: At last.",
]

EDITORS: dict[str, Any] = {
    "EditorJS": {
        "time": 1,
        "version": "2",
        "blocks": [
            {"type": "header", "data": {"text": "Ferry back", "level": 2}},
            {"type": "paragraph", "data": {"text": "It sails at <b>six</b>."}},
            {"type": "list", "data": {"style": "unordered", "items": ["Daily"]}},
            {"type": "quote", "data": {"text": "At last.", "caption": ""}},
            {"type": "delimiter", "data": {}},
        ],
    },
    "Draft.js": {
        "entityMap": {},
        "blocks": [
            {"type": "header-two", "text": "Ferry back", "data": {}},
            {"type": "unstyled", "text": "It sails at six.", "entityRanges": []},
            {"type": "unordered-list-item", "text": "Daily"},
            {"type": "blockquote", "text": "At last."},
            {"type": "atomic", "text": " "},
        ],
    },
    "Slate": [
        {"type": "h2", "children": [{"text": "Ferry back"}]},
        {
            "type": "paragraph",
            "children": [
                {"text": "It "},
                {"type": "link", "url": "/x", "children": [{"text": "sails"}]},
                {"text": " at six.", "bold": True},
            ],
        },
        {
            "type": "bulleted-list",
            "children": [{"type": "list-item", "children": [{"text": "Daily"}]}],
        },
        {"type": "block-quote", "children": [{"text": "At last."}]},
    ],
    "Portable Text": [
        {
            "_type": "block",
            "style": style,
            "children": [{"_type": "span", "text": text}],
        }
        | others
        for style, text, others in [
            ("h2", "Ferry back", {}),
            ("normal", "It sails at six.", {}),
            ("normal", "Daily", {"listItem": "bullet", "level": 1}),
            ("blockquote", "At last.", {}),
        ]
    ],
    "ProseMirror": {
        "type": "doc",
        "content": [
            {"type": "heading", "attrs": {"level": 2}, "content": [span("Ferry back")]},
            {
                "type": "paragraph",
                "content": [span("It sails"), {"type": "hardBreak"}, span("at six.")],
            },
            {
                "type": "bulletList",
                "content": [
                    {
                        "type": "listItem",
                        "content": [{"type": "paragraph", "content": [span("Daily")]}],
                    }
                ],
            },
            {
                "type": "blockquote",
                "content": [{"type": "paragraph", "content": [span("At last.")]}],
            },
        ],
    },
    "Contentful": {
        "nodeType": "document",
        "data": {},
        "content": [
            {"nodeType": kind, "data": {}, "content": content}
            for kind, content in [
                ("heading-2", [{"nodeType": "text", "value": "Ferry back"}]),
                (
                    "paragraph",
                    [
                        {"nodeType": "text", "value": "It sails at "},
                        {
                            "nodeType": "hyperlink",
                            "data": {"uri": "/x"},
                            "content": [{"nodeType": "text", "value": "six."}],
                        },
                    ],
                ),
                (
                    "unordered-list",
                    [
                        {
                            "nodeType": "list-item",
                            "content": [
                                {
                                    "nodeType": "paragraph",
                                    "content": [{"nodeType": "text", "value": "Daily"}],
                                }
                            ],
                        }
                    ],
                ),
                ("blockquote", [{"nodeType": "text", "value": "At last."}]),
            ]
        ],
    },
    "Lexical, as a text": json.dumps(
        {
            "root": {
                "type": "root",
                "children": [
                    {
                        "type": "extended-heading",
                        "tag": "h2",
                        "children": [span("Ferry back")],
                    },
                    {"type": "paragraph", "children": [span("It sails at six.")]},
                    {
                        "type": "list",
                        "children": [{"type": "listitem", "children": [span("Daily")]}],
                    },
                    {"type": "quote", "children": [span("At last.")]},
                ],
            }
        }
    ),
    "Gutenberg": [
        {"blockName": "core/heading", "innerHTML": "<h2>Ferry back</h2>"},
        {"blockName": None, "innerHTML": "\n\n"},
        {"blockName": "core/paragraph", "innerHTML": "<p>It sails at six.</p>"},
        {
            "blockName": "core/list",
            "innerHTML": "<ul></ul>",
            "innerBlocks": [
                {"blockName": "core/list-item", "innerHTML": "<li>Daily</li>"}
            ],
        },
        {"blockName": "core/quote", "innerHTML": "<blockquote>At last.</blockquote>"},
    ],
    "Arc": [
        {"type": "header", "content": "Ferry back", "level": 2},
        {"type": "text", "content": "It sails at <i>six</i>."},
        {"type": "list", "items": [{"type": "text", "content": "Daily"}]},
        {
            "type": "quote",
            "content_elements": [{"type": "text", "content": "At last."}],
        },
    ],
    "Notion": [
        {"type": kind, kind: {"rich_text": [{"type": "text", "plain_text": text}]}}
        for kind, text in [
            ("heading_2", "Ferry back"),
            ("paragraph", "It sails at six."),
            ("bulleted_list_item", "Daily"),
            ("quote", "At last."),
        ]
    ],
    "StreamField": [
        {"type": "heading", "value": "Ferry back"},
        {"type": "paragraph", "value": "<p>It sails at six.</p>"},
        {"type": "list", "value": ["Daily"]},
        {"type": "quote", "value": {"quote": "At last."}},
    ],
    "a tree of HTML": {
        "type": "root",
        "children": [
            {
                "type": "element",
                "tagName": tag,
                "children": [{"type": "text", "value": text}],
            }
            for tag, text in [
                ("h2", "Ferry back"),
                ("p", "It sails at six."),
                ("li", "Daily"),
                ("blockquote", "At last."),
            ]
        ],
    },
    "names for types": [
        {"h2": "Ferry back"},
        {"p": "It sails at six."},
        {"li": "Daily"},
        {"blockquote": "At last."},
    ],
}


@pytest.mark.parametrize("editor", sorted(EDITORS))
def test_every_editor_gives_the_same_paragraphs(editor: str) -> None:
    assert lines(EDITORS[editor]) == EXPECTED


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([{"ops": []}], []),
        (
            {"ops": [{"insert": "One "}, {"insert": "line.\nTwo.\n"}]},
            ["One line.", "Two."],
        ),
        ([{"insert": "One "}, {"insert": "line.\n"}], ["One line."]),
        ({"html": "caf&eacute;"}, ["café"]),
        ({"rendered": "A &amp; B"}, ["A & B"]),
        ({"#text": "Hash."}, ["Hash."]),
        ({"value": "<p>V.</p>", "processed": "<p>V.</p>", "format": "html"}, ["V."]),
        ([["One."], ["Two."]], ["One.", "Two."]),
        (["One.", {"type": "mystery", "text": "Two."}], ["One.", "Two."]),
        ([{"type": "mystery", "blob": "Skaters came. " * 20}], ["Skaters came. " * 20]),
        ([{"type": "mystery", "blob": "Short."}], []),
        ("[Update] Skaters came.", ["[Update] Skaters came."]),
        ("[1, 2]", ["[1, 2]"]),
        (5, []),
        ({}, []),
    ],
)
def test_shapes_of_a_body(body: Any, expected: list[str]) -> None:
    texts = [each["text"] for each in paragraphs_of(body)]
    assert texts == [text.strip() for text in expected]


def test_titles_captions_tables_and_speakers_have_their_roles() -> None:
    body = [
        {"heading": "Ice", "body": "It was cold."},
        {"type": "image", "data": {"file": {"url": "/x"}, "caption": "A rink."}},
        {"type": "image", "caption": "A pond.", "credit": {"name": "Pia Holm"}},
        {"type": "quote", "data": {"text": "At last.", "caption": "Olle Lind"}},
        {"type": "table", "data": {"content": [["Town", "Rinks"], ["Northtown", "2"]]}},
        {"type": "correction", "text": "There are two rinks."},
    ]
    assert lines(body) == [
        "subhead: Ice",
        "body: It was cold.",
        "caption: A rink.",
        "caption: A pond.",
        "quote: At last.",
        "quote: Olle Lind",
        "table: Town | Rinks",
        "table: Northtown | 2",
        "correction: There are two rinks.",
    ]
    assert paragraphs_of(body)[3]["credit"] == "Pia Holm"


def test_a_text_that_a_block_repeats_in_pieces_is_read_once() -> None:
    pieces = [
        {"type": "fragment", "model": {"text": text}} for text in ("It is ", "cold.")
    ]
    block = {"type": "paragraph", "model": {"text": "It is cold.", "blocks": pieces}}
    assert lines([{"type": "text", "model": {"blocks": [block]}}]) == [
        "body: It is cold."
    ]


def test_an_item_of_a_list_keeps_its_text_beside_items_of_its_own() -> None:
    nested = {"content": "Ice", "items": [{"content": "Ice rinks", "items": []}]}
    body = [{"type": "list", "data": {"items": [nested]}}]
    assert lines(body) == ["list: Ice", "list: Ice rinks"]


@pytest.mark.parametrize("name", ["children", "data", "mystery"])
def test_blocks_nested_too_deep_are_refused_or_hold_no_text(name: str) -> None:
    body: Any = [{"text": "Ice."}]
    for _ in range(70):
        body = [{name: body}]
    if name == "mystery":
        assert paragraphs_of(body) == []
    else:
        with pytest.raises(InvalidArticle, match="64 levels"):
            paragraphs_of(body)


WORDS = st.integers(0, 10**9).map(lambda number: f"w{number}x")
BLOCKS = st.recursive(
    st.builds(
        lambda name, kind, word: {"type": kind, name: word},
        st.sampled_from(["text", "content", "html", "value", "body"]),
        st.sampled_from(["paragraph", "heading", "li", "quote", "mystery", "text"]),
        WORDS,
    )
    | WORDS,
    lambda inner: st.builds(
        lambda name, kind, items: {"type": kind, name: items},
        st.sampled_from(["children", "content", "blocks", "items", "elements"]),
        st.sampled_from(["paragraph", "list", "section", "blockquote", "mystery"]),
        st.lists(inner, min_size=1, max_size=4),
    ),
    max_leaves=12,
)


@pytest.mark.slow
@given(st.lists(BLOCKS, max_size=4))
@settings(max_examples=amount(100, 3_000), deadline=None)
def test_no_text_of_a_block_is_lost_or_moved(blocks: list[Any]) -> None:
    sent = [part for part in json.dumps(blocks).split('"') if part[:1] == "w"]
    text = " ".join(each["text"] for each in paragraphs_of(blocks))
    position = 0
    for word in sent:
        position = text.index(word, position) + len(word)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "text",
                    "children",
                    "data",
                    "caption",
                    "rows",
                    "style",
                    "image",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@pytest.mark.slow
@given(JSON, st.booleans())
@settings(max_examples=amount(150, 4_000), deadline=None)
def test_any_json_has_paragraphs_or_none(value: Any, html: bool) -> None:
    for paragraph in paragraphs_of(value, html=html):
        assert paragraph["text"].strip()
        assert set(paragraph) <= {"role", "text", "credit"}
