"""Problem types: the code, status, title, Retry-After and link of every error.

The library gives each error a code and knows nothing of HTTP; the row of that code adds
what HTTP needs. The table in docs/api.md has the same codes and statuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from index.errors import NutgrafError, UnreadableInput


@dataclass(frozen=True, slots=True)
class Row:
    """Problem type, in the sense of RFC 9457.

    :param code: a stable name that clients may compare.
    :param retry_after: seconds until a client should try again; ``None`` if waiting
        does not help, or if the error itself says how long.
    :param otherwise: other statuses, by the class of an error with this code.
    """

    code: str
    status: int
    title: str
    retry_after: int | None = None
    otherwise: Mapping[type[NutgrafError], int] = field(default_factory=dict)

    @property
    def link(self) -> str:
        """Address of this code in the documentation that the service shows."""
        return f"/docs#{self.code}"

    def status_of(self, error: NutgrafError) -> int:
        """HTTP status of one error with this code."""
        return self.otherwise.get(type(error), self.status)


# By code: status, title, and Retry-After where there is one.
_ROWS = (
    Row("article_killed", 410, "The article was killed"),
    Row("article_not_found", 404, "No such article"),
    Row("article_purged", 409, "The text of the article was erased"),
    Row("article_too_large", 422, "The article is too large"),
    Row("asset_not_found", 404, "The media are not kept"),
    Row("bad_request", 400, "The request cannot be understood"),
    Row("basic_refused", 403, "The key may not be sent as a password"),
    Row("body_too_large", 413, "The body is too large"),
    Row("conflicting_keys", 400, "Two different keys were sent"),
    Row("cursor_mismatch", 400, "The cursor belongs to another search"),
    Row("form_refused", 403, "The form is not accepted"),
    Row("fuzzy_distance", 400, "A fuzzy distance is 1 or 2"),
    Row("head_too_large", 431, "The head of the request is too large"),
    Row("history_changed", 409, "The change feed belongs to another history"),
    Row("host_refused", 400, "The service does not answer to this host"),
    Row("incomplete_body", 400, "The body did not arrive completely"),
    Row("index_unavailable", 503, "There is no index to search now", 5),
    Row("indexer_running", 503, "Another process is the indexer", 2),
    Row("internal_error", 500, "Something went wrong in the service"),
    Row("invalid_article", 422, "The article breaks a rule"),
    Row("invalid_cursor", 400, "The cursor is not one of this service"),
    Row(
        "invalid_encoding",
        400,
        "The text is not valid UTF-8",
        otherwise={UnreadableInput: 422},
    ),
    Row("invalid_gzip", 422, "The body is not gzip"),
    Row("invalid_id", 400, "The id is not valid"),
    Row("invalid_input", 400, "The request cannot be carried out"),
    Row("invalid_json", 400, "The body is not JSON"),
    Row("invalid_value", 400, "A value is not valid"),
    Row("length_required", 411, "A body is needed"),
    Row("limit_exceeded", 400, "A limit is exceeded"),
    Row("method_not_allowed", 405, "The resource does not have this method"),
    Row("migration_needed", 503, "The store has to be migrated", 5),
    Row("not_acceptable", 406, "No format that the client accepts"),
    Row("not_found", 404, "No such resource"),
    Row("nothing_stored", 422, "None of the articles could be stored"),
    Row("origin_refused", 403, "Pages of this origin may not call the service"),
    Row("original_not_found", 404, "No original is stored for this version"),
    Row("outside_filter", 403, "The key's filter does not cover the article"),
    Row("page_out_of_range", 400, "The page is too far; go on with the cursor"),
    Row("paragraph_not_found", 404, "No such paragraph"),
    Row("precondition_failed", 412, "The article is not as expected"),
    Row("push_off", 404, "Push is switched off"),
    Row("query_syntax", 400, "The query breaks the grammar"),
    Row("query_too_deep", 400, "The query is nested too deep"),
    Row("query_too_long", 400, "The query is too long"),
    Row("query_too_many_clauses", 400, "The query has too many parts"),
    Row("rate_limited", 429, "Too many requests"),
    Row("release_outdated", 503, "The store needs a newer release", 5),
    Row("repeated_parameter", 400, "A parameter was sent more than once"),
    Row("request_timeout", 408, "The request did not arrive in time"),
    Row("scope", 403, "The key lacks the scope"),
    Row("search_memory_used", 503, "Other searches use all the memory", 1),
    Row("search_timeout", 503, "The search took too long", 1),
    Row("signature_refused", 403, "The signature does not match"),
    Row("status_conflict", 409, "The article's state does not allow it"),
    Row("storage_full", 507, "The disk is full", 60),
    Row("store_incomplete", 503, "A move into the store has not ended", 5),
    Row("store_moved", 503, "The store was moved to another place", 60),
    Row("store_moving", 503, "Writes are stopped for a moment", 2),
    Row("store_read_only", 503, "The store is read-only", 60),
    Row("store_unavailable", 503, "The store cannot be reached", 2),
    Row("too_many_articles", 413, "Too many articles in one request"),
    Row("too_many_buckets", 400, "The date facet has too many buckets"),
    Row("too_many_exports", 429, "Too many exports at one time", 5),
    Row("unauthorized", 401, "A key is needed"),
    Row("unavailable", 503, "The service cannot do this now", 2),
    Row("unknown_field", 400, "No such field"),
    Row("unknown_format", 415, "The format is not known"),
    Row("unknown_parameter", 400, "No such parameter"),
    Row("unreadable_input", 422, "The body is not in its format"),
    Row("unsupported_media_type", 415, "The media type is not accepted"),
    Row("unsupported_syntax", 400, "The query uses syntax that is not supported"),
    Row("version_conflict", 409, "The version is stored with other content"),
    Row("wildcard_too_broad", 400, "The wildcard is too broad"),
)

PROBLEM_TYPES = {row.code: row for row in _ROWS}
