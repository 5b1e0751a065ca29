"""Which words does a text have?"""

from index.text.analysis import (
    ANALYZER_VERSION,
    Tokens,
    analyse,
    exact_forms,
    query_forms,
    surfaces,
    word,
    word_spans,
)
from index.text.characters import Span
from index.text.forms import (
    LOOSE_MARK,
    fold,
    fold_text,
    is_plain,
    is_single_cjk,
    plain_form,
)
from index.text.sentences import sentence_spans
from index.text.stems import LANGUAGES, stem_language, word_key, word_keys

__all__ = [
    "ANALYZER_VERSION",
    "LANGUAGES",
    "LOOSE_MARK",
    "Span",
    "Tokens",
    "analyse",
    "exact_forms",
    "fold",
    "fold_text",
    "is_plain",
    "is_single_cjk",
    "plain_form",
    "query_forms",
    "sentence_spans",
    "stem_language",
    "surfaces",
    "word",
    "word_key",
    "word_keys",
    "word_spans",
]
