"""Which routes are there? A module for each kind of thing asked for."""

from service.api.articles import article_answer
from service.api.documentation import openapi_document, register
from service.api.feeds import site
from service.api.links import bucket_period
from service.api.search import request_of, suggestions_of, unused_in
from service.api.search_schemas import FormatSearchArguments

__all__ = [
    "FormatSearchArguments",
    "article_answer",
    "bucket_period",
    "openapi_document",
    "register",
    "request_of",
    "site",
    "suggestions_of",
    "unused_in",
]
