"""How are bytes read safely? JSON, HTML and prose, with limits."""

from index.parsing.markup import Block, html_paragraphs, is_markup
from index.parsing.prose import (
    agency_of,
    bulleted,
    caption_of,
    dateline_of,
    day_of,
    is_byline,
    numbered,
    paragraphs,
    single_spaced,
    unified,
)
from index.parsing.source import (
    MAX_LINE,
    Recoded,
    checked_encoding,
    gathered,
    recoded,
    undecoded,
    whole,
)
from index.parsing.strict_json import KINDS, elements, items_of, parse, values

__all__ = [
    "KINDS",
    "MAX_LINE",
    "Block",
    "Recoded",
    "agency_of",
    "bulleted",
    "caption_of",
    "checked_encoding",
    "dateline_of",
    "day_of",
    "elements",
    "gathered",
    "html_paragraphs",
    "is_byline",
    "is_markup",
    "items_of",
    "numbered",
    "paragraphs",
    "parse",
    "recoded",
    "single_spaced",
    "undecoded",
    "unified",
    "values",
    "whole",
]
