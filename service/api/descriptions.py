"""Descriptions of operations and of keys in answers, and examples, for OpenAPI."""

from __future__ import annotations

from typing import Any

# By the names of the views. An operation with the id as a parameter has the same.
OPERATIONS = {
    "search": (
        "Finds articles, or paragraphs, that match q and the filters, with their best"
        " passages marked. Follow next to read all hits."
    ),
    "search_by_body": (
        "The same search with its parameters in a JSON object, for queries that are too"
        " long for an address."
    ),
    "facet": (
        "Lists the values of one field with the number of articles that have each, for"
        " a search. It lists more values than a search does."
    ),
    "suggest": (
        "Completes what a reader is typing, from words, headlines and names that occur"
        " in articles that the caller may see."
    ),
    "list_fields": (
        "Lists every field of an article, and whether it can be searched, filtered,"
        " counted, sorted by and returned."
    ),
    "get_article": (
        "Reads one article whole, in its current version or an older one. Its ETag"
        " serves If-None-Match, and If-Match of a later write."
    ),
    "list_paragraphs": (
        "Reads the paragraphs of the current version, with the rights in it."
    ),
    "get_paragraph": (
        "Reads one paragraph of the current version by its number, with the rights in"
        " the article."
    ),
    "list_versions": (
        "Pages through the versions that the caller may see, and lists the articles"
        " that the article evolved from or into."
    ),
    "put_article": (
        "Stores one article under an id. Without a version it becomes the next one if"
        " its content differs; the same content again changes nothing."
    ),
    "delete_article": (
        "Removes an article and its history. To withdraw it and tell its readers why,"
        " kill it instead."
    ),
    "post_articles": (
        "Stores articles in any format that is read, in one transaction. The answer has"
        " a result for each, in the order sent; one that fails stops no other."
    ),
    "list_notices": (
        "Pages through the notices of killed articles, for clients that keep copies."
    ),
    "diff_article": (
        "Compares two versions of an article: which fields, paragraphs and words were"
        " added, removed and changed."
    ),
    "get_original": (
        "Downloads the bytes that a version was read from, as they were sent. For"
        " audits: it needs the scope admin."
    ),
    "kill_article": (
        "Withdraws an article for good. It takes effect before the call returns, and"
        " also for an id that has not arrived yet."
    ),
    "withhold_article": (
        "Hides an article from readers until it is reinstated or a newer version is"
        " published."
    ),
    "reinstate_article": (
        "Shows a killed or withheld article again, in its last usable version."
    ),
    "restore_article": "The former name of reinstate, which does the same.",
    "list_changes": (
        "Follows everything that happens to the articles that the caller may see: page"
        " by page, waiting for the next change, or as server-sent events."
    ),
    "push_item": (
        "Takes one signed ninjs item as Superdesk publishes it, and stores, kills or"
        " withholds its article."
    ),
    "get_asset": (
        "Superdesk asks this before it sends a file. Files are not kept, so the answer"
        " is 404 and the file is sent."
    ),
    "push_asset": (
        "Takes a file of a pushed item, signed like the item. The bytes are checked and"
        " counted, and not kept."
    ),
    "healthz": "Answers as long as the process is alive. It looks at nothing else.",
    "readyz": (
        "Says whether searches are answered and changes are indexed, with the reasons"
        " if not. With the scope admin it has figures, too."
    ),
    "metrics": "Counters and gauges in Prometheus' text format.",
}

# Of keys that mean the same in every answer, unless an answer describes its own.
PROPERTIES = {
    "id": "the article's id, the newsroom's own",
    "version": "the version of the article",
    "seq": "number of the change, growing with every write",
    "at": "when it happened, in UTC",
    "status": "what became of the article",
    "indexed": "whether searches already include the change",
    "results": "one result for each article, in the order sent",
    "warnings": "what was not taken as it was sent",
    "headline": "the headline as plain text",
    "headline_html": "the headline as HTML, with the words of the query marked",
    "text": "the text, plain",
    "score": "how well it matches; higher is better",
    "passages": "the best matching paragraphs, in reading order",
    "paragraphs": "the paragraphs, in reading order",
    "n": "number of the paragraph; 0 is the headline",
    "role": "what the paragraph is in its article",
    "code": "a stable name that clients may compare",
    "detail": "what is wrong and what to do, as a sentence",
    "title": "what the code means, in a few words",
    "type": "what kind of thing it is",
    "instance": "path of the request",
    "parameter": "the parameter at fault",
    "field": "the field at fault",
    "position": "where in q, in code points from 0",
    "limit": "the limit that was exceeded",
    "got": "the value that was sent",
    "line": "line of the body, from 1",
    "column": "column in that line, from 1",
    "total": "exact numbers of matches",
    "took_ms": "duration of the search in milliseconds",
    "hits": "the matches of this page, best first or as sorted",
    "facets": "counts by the fields that were asked for",
    "next_url": "address of the next page; null on the last one",
    "unit": "what the hit is: an article or a paragraph",
}

_SMALL = {
    "headline": "Tram line extended",
    "paragraphs": ["The line now ends at the harbour."],
}
_RESULT = {"id": "urn:example:tram", "version": "1", "status": "created", "seq": 7}
# By the names of schemas.
EXAMPLES: dict[str, Any] = {
    "ArticleBody": {"id": "urn:example:tram", **_SMALL, "section": "Local"},
    "SearchArguments": {"q": "tram harbour", "section": ["Local"], "limit": 5},
    "KillArguments": {"note": "The line was not extended."},
    "WriteAnswer": {"results": [_RESULT], "seq": 7, "indexed": True},
    "DeleteAnswer": {
        "id": "urn:example:tram",
        "status": "deleted",
        "seq": 8,
        "indexed": True,
    },
    "ChangesAnswer": {
        "changes": [
            {
                "seq": 7,
                "type": "created",
                "id": "urn:example:tram",
                "version": "1",
                "at": "2026-03-01T09:00:00Z",
                "removed": False,
            }
        ],
        "next": 7,
        "more": False,
        "history": "5e0c",
    },
    "Problem": {
        "type": "/docs#invalid_value",
        "title": "A value is not valid",
        "status": 400,
        "detail": "limit: must be a whole number",
        "code": "invalid_value",
        "parameter": "limit",
        "got": "x",
    },
}
