"""Which words does a text have?"""

from index.text.analysis import (
    ANALYZER_VERSION,
    adjoining_spans,
    analyse,
    exact_forms,
    number_readings,
    query_forms,
    surfaces,
    with_ascii_spaces,
    word_spans,
)
from index.text.characters import Span
from index.text.clock_times import may_be_time, with_times_marked
from index.text.conventions import Convention, convention_of
from index.text.forms import (
    LOOSE_MARK,
    fold,
    fold_text,
    is_plain,
    is_single_cjk,
    plain_form,
)
from index.text.languages import field_key, language_tag
from index.text.numbers import with_groups_joined
from index.text.sentences import sentence_spans
from index.text.stems import LANGUAGES, stem_language, word_key, word_keys
from index.text.tokens import Tokens
from index.text.values import (
    folded_value,
    has_words,
    leads,
    may_share_a_word,
    typed_words,
    value_key,
    words_of_value,
)
from index.text.words import analysis_of, depends_on_convention

__all__ = [
    "ANALYZER_VERSION",
    "LANGUAGES",
    "LOOSE_MARK",
    "Convention",
    "Span",
    "Tokens",
    "adjoining_spans",
    "analyse",
    "analysis_of",
    "convention_of",
    "depends_on_convention",
    "exact_forms",
    "field_key",
    "fold",
    "fold_text",
    "folded_value",
    "has_words",
    "is_plain",
    "is_single_cjk",
    "language_tag",
    "leads",
    "may_be_time",
    "may_share_a_word",
    "number_readings",
    "plain_form",
    "query_forms",
    "sentence_spans",
    "stem_language",
    "surfaces",
    "typed_words",
    "value_key",
    "with_ascii_spaces",
    "with_groups_joined",
    "with_times_marked",
    "word_key",
    "word_keys",
    "word_spans",
    "words_of_value",
]
