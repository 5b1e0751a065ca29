"""Remedies: what each code of a problem means, and what to do about it.

The table in docs/api.md has the same sentences, with links.
"""

from __future__ import annotations

from collections.abc import Mapping

# By code; what is between backticks is code.
REMEDIES: Mapping[str, str] = {
    "article_killed": (
        "it was killed; `note`, `replacement` and `killed` are its notice"
    ),
    "article_not_found": "no article has this id or version, or you may not see it",
    "article_purged": "its text was erased for good and is not stored again",
    "article_too_large": (
        "above `NUTGRAF_ARTICLE_BYTES` as JSON, or a text with more bytes than that"
    ),
    "asset_not_found": "media of pushed items are not kept",
    "bad_request": (
        "the request is not valid HTTP; also with any other status that has no code"
        " here"
    ),
    "basic_refused": (
        "only a feed key may be sent as a Basic password; `scopes` are those of the key"
    ),
    "body_too_large": (
        "above `NUTGRAF_BODY_BYTES`, as sent or decompressed; or its articles have"
        " together more than twice as many bytes as JSON, or 300,000 paragraphs"
    ),
    "conflicting_keys": "`Authorization` and `X-API-Key` hold different keys",
    "cursor_mismatch": (
        "the cursor belongs to another search, or to an earlier release's order"
    ),
    "form_refused": (
        "a form to log in or out that another site sent, or that this browser was not"
        " given (see sessions)"
    ),
    "fuzzy_distance": (
        "the number after `~` is not 1 or 2, or the word before it is too short"
    ),
    "head_too_large": "request line and headers together are longer than 65,536 bytes",
    "history_changed": (
        "`since` belongs to another history of the store: read the feed again from"
        " the start"
    ),
    "host_refused": (
        "the `Host`, or the host in the request line, is missing or is not a name"
        " of this service"
    ),
    "incomplete_body": (
        "the body was cut off, or its chunks are damaged; nothing of it was used"
    ),
    "index_unavailable": (
        "there is no index to search now; `progress` if one is being built"
    ),
    "indexer_running": "another process is the indexer",
    "internal_error": "a bug of ours; the log has the details under `error_id`",
    "invalid_article": "an article breaks a rule; `field` says which",
    "invalid_cursor": "the cursor is not one of this service, or was changed",
    "invalid_encoding": (
        "a parameter or a body is not UTF-8, or contains a NUL or a lone surrogate"
    ),
    "invalid_gzip": (
        "the body is not one complete gzip member, or is a gzip file inside another"
    ),
    "invalid_id": "the id breaks the rules for ids",
    "invalid_input": "any other error in the request",
    "invalid_json": "the body is not JSON, or breaks one of its rules",
    "invalid_value": "a parameter, or a date or number in `q`, is not valid",
    "length_required": "a body is needed",
    "limit_exceeded": "above the limit for `parameter`",
    "method_not_allowed": "the header `Allow` lists the methods",
    "migration_needed": (
        "the store is older than this release: the operator runs `nutgraf migrate`"
    ),
    "not_acceptable": (
        "`Accept` names none of the media types of an article or a search; `offered`"
        " lists them"
    ),
    "not_found": "no such address",
    "nothing_stored": (
        "several articles were sent and none was stored; `results` says why"
    ),
    "origin_refused": "web pages of this origin may not call the service",
    "original_not_found": (
        "the version is stored as it was sent, was created by undoing a kill, or is"
        " older than the storage of originals"
    ),
    "outside_filter": "the key has a filter, which does not cover the article",
    "page_out_of_range": (
        "below 1, or beyond `NUTGRAF_WINDOW` hits; a cursor goes further"
    ),
    "paragraph_not_found": "the article has no paragraph with this number",
    "precondition_failed": (
        "the article is not in the state that `If-Match` names; nothing was changed"
    ),
    "push_off": "push needs `NUTGRAF_PUSH_SECRET`",
    "query_syntax": "with `strict=1`: `q` breaks the grammar",
    "query_too_deep": "above `NUTGRAF_QUERY_DEPTH`",
    "query_too_long": "above `NUTGRAF_QUERY_CHARACTERS`",
    "query_too_many_clauses": "above `NUTGRAF_QUERY_CLAUSES`",
    "rate_limited": "the key was used, or wrong keys were sent, too often",
    "release_outdated": (
        "a newer release has migrated the store so that this one must stop: it"
        " neither reads nor writes"
    ),
    "repeated_parameter": "a parameter that takes one value was sent several times",
    "request_timeout": "the request arrived too slowly; nothing of it was used",
    "scope": "a valid key without the scope that this needs; `scope` names it",
    "search_memory_used": (
        "other searches use all the memory that searches may take"
        " (`NUTGRAF_SEARCH_MEMORY`); try again"
    ),
    "search_timeout": "the search took longer than `NUTGRAF_SEARCH_SECONDS`; narrow it",
    "signature_refused": (
        "a pushed item is not signed with our secret; `header` names the header for"
        " the signature"
    ),
    "status_conflict": (
        "the article's status does not allow this: for example, it was killed, or"
        " it was not"
    ),
    "storage_full": "the disk is full; nothing of this write was stored",
    "store_incomplete": (
        "a move into this store has not ended, so it is neither read nor written"
    ),
    "store_moved": (
        "the store was moved to another place, which `detail` names, and this service"
        " still reads the old one; nothing of this write was stored"
    ),
    "store_moving": (
        "writes are stopped for a moment at the end of a move; nothing of this write"
        " was stored, send it again"
    ),
    "store_read_only": (
        "the database or its disk is read-only; nothing of this write was stored,"
        " and writing works again as soon as it is writable. Reads get it if no"
        " process had the database open when the disk became read-only"
    ),
    "store_unavailable": "the database cannot be reached, or was locked for too long",
    "too_many_articles": "above `NUTGRAF_ARTICLES_PER_REQUEST`",
    "too_many_buckets": (
        "more than 1,000 in a date facet, which `detail` names; use a wider interval"
    ),
    "too_many_exports": "`limit` exports of this key are under way",
    "unauthorized": "no key, or one that is unknown, expired or revoked",
    "unavailable": (
        "any other failure of the service that passes; also a body above 1 MB while"
        " others are read"
    ),
    "unknown_field": (
        "a parameter, or with `strict=1` a name in `q`, is not a field that can be"
        " used there"
    ),
    "unknown_format": "the body is in no format that Nutgraf reads",
    "unknown_parameter": (
        "`nearest` is the parameter you may mean; `POST /v1/search` takes all of"
        " them in the body"
    ),
    "unreadable_input": "the body is not in its format",
    "unsupported_media_type": (
        "a `Content-Type` or `Content-Encoding` that is not accepted; `accepted`"
        " and `encodings` list those that are"
    ),
    "unsupported_syntax": "a range on words, a wildcard in a script without spaces",
    "version_conflict": (
        "the version is stored with other content; `force=1` replaces it"
    ),
    "wildcard_too_broad": (
        "too few letters before the first `*` or `?`, or too many matching words"
    ),
}
