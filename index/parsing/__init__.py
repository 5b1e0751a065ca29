"""How are bytes read safely? JSON, HTML and prose, with limits."""

from index.parsing.json_paths import EACH, Step, json_texts, json_values
from index.parsing.json_records import json_records
from index.parsing.markup import (
    Block,
    html_paragraphs,
    is_markup,
    plain_text,
    unescaped,
)
from index.parsing.prose import (
    agency_of,
    bullet_text,
    caption_of,
    dateline_of,
    day_of,
    is_byline,
    lines_of,
    paragraphs,
    single_spaced,
    with_line_feeds,
)
from index.parsing.source import (
    MAX_LINE,
    Recoded,
    checked_encoding,
    recoded,
    unzipped,
    whole_bytes,
    whole_text,
)
from index.parsing.strict_json import JSON_TYPES, parse_json

__all__ = [
    "EACH",
    "JSON_TYPES",
    "MAX_LINE",
    "Block",
    "Recoded",
    "Step",
    "agency_of",
    "bullet_text",
    "caption_of",
    "checked_encoding",
    "dateline_of",
    "day_of",
    "html_paragraphs",
    "is_byline",
    "is_markup",
    "json_records",
    "json_texts",
    "json_values",
    "lines_of",
    "paragraphs",
    "parse_json",
    "plain_text",
    "recoded",
    "single_spaced",
    "unescaped",
    "unzipped",
    "whole_bytes",
    "whole_text",
    "with_line_feeds",
]
