"""Languages: the tags that codes and names stand for, and what is no language."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.text import LANGUAGES, field_key, language_tag, languages

TAGS = {
    "en": "en EN eng ENG English english ENGLISH Englisch inglés",
    "de": "de deu ger GER German Deutsch allemand de.UTF-8",
    "fr": "fr fra fre French français Français francés",
    "es": "es spa Spanish español",
    "nl": "nl nld dut Nederlands",
    "he": "he iw heb Hebrew עברית",
    "id": "id in ind Indonesian",
    "yi": "yi ji yid",
    "ro": "ro ron rum mo română",
    "zh": "zh zho chi cmn Chinese 中文",
    "ar": "ar ara arb Arabic العربية",
    "fa": "fa fas per pes Persian Farsi فارسی",
    "el": "el ell gre",
    "cs": "cs ces cze čeština",
    "sq": "sq sqi alb",
    "cy": "cy cym wel Welsh",
    "eu": "eu eus baq",
    "my": "my mya bur",
    "ja": "ja jpn 日本語",
    "ko": "ko kor 한국어",
    "hi": "hi hin हिन्दी",
    "ru": "ru rus русский",
    "nb": "nb nob",
    "nn": "nn nno",
    "no": "no nor norsk",
    "ckb": "ckb",
    "tlh": "tlh i-klingon Klingon",
    "en-GB": "en-GB en_GB EN-gb en-uk eng-GB en_GB.UTF-8",
    "pt-BR": "pt-br pt_BR por-BR",
    "zh-Hans-CN": "zh-Hans-CN zh_hans_cn ZH-HANS-CN chi-Hans-CN",
    "es-419": "es-419 spa_419",
    "sr-Latn": "sr-Latn sh",
    "de-AT-1996": "de-AT-1996",
    "ca-ES": "ca_ES@euro",
}
NAMES_WITH_SPACES = {
    "English (UK)": "en-GB",
    "Brazilian Portuguese": "pt-BR",
    " Simplified Chinese ": "zh-Hans",
    "Norwegian Bokmål": "nb",
}
NO_LANGUAGE = [
    "", " ", "unknown", "Unknown language", "und", "UND", "mul", "zxx", "mis", "root",
    "und-GB", "qaa", "qtz", "x-default", "x-en", "xx", "xx-klingon", "zz", "xyz",
    "none", "null", "n/a", "other", "mixed", "Multiple languages", "very English",
    "French Toast", "Englishman", "English, French", "en,fr", "en;fr", "en fr",
    "en-US,en;q=0.9", "en--GB", "-en", "e", "1", "en!", "English!", "\x00", "🇬🇧",
    "en" * 60, "a-b-c", "http://example.org/lang/en",
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def registry() -> None:
    """The data of languages, loaded before the first test is timed."""
    language_tag("Klingon")


@pytest.mark.parametrize(
    ("text", "tag"),
    [(text, tag) for tag, texts in TAGS.items() for text in texts.split()]
    + list(NAMES_WITH_SPACES.items()),
    ids=ascii,
)
def test_a_code_or_name_is_the_language_it_names(text: str, tag: str) -> None:
    assert language_tag(text) == tag


@pytest.mark.parametrize("text", NO_LANGUAGE, ids=ascii)
def test_a_text_that_names_no_language_has_no_tag(text: str) -> None:
    assert language_tag(text) is None


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_languages_with_a_stemmer_are_known_under_canonical_tags(language: str) -> None:
    assert language_tag(language) == language
    assert language_tag(f"{language.upper()} ") == language


@given(st.text(max_size=30) | st.from_regex(r"[a-z]{2,8}(-[a-z0-9]{1,8}){0,3}"))
def test_a_tag_is_its_own_tag(text: str) -> None:
    tag = language_tag(text)
    assert tag is None or language_tag(tag) == tag


@pytest.mark.slow
def test_a_language_with_a_stemmer_needs_no_registry() -> None:
    code = (
        "import sys; from index.settings import Settings; Settings(language='de');"
        "sys.exit('langcodes' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        "en\u200b",
        "ｅｎ",
        "\ufeffen",
        "en\u00ad",
        "English\u200b",
        "Ｅnglish",
        " EN ",
        "eng",
    ],
)
def test_no_spelling_of_a_language_is_another_value(text: str) -> None:
    assert language_tag(text) == "en"
    assert field_key("language", text) == field_key("language", "en")
    assert field_key("section", text) != field_key("section", "en-")


@pytest.mark.parametrize("text", ["en\u2060-US", "en\u2011US", "en_us", "EN-us"])
def test_a_region_is_of_the_language_in_any_spelling(text: str) -> None:
    assert language_tag(text) == "en-US"


def test_long_texts_are_not_cached() -> None:
    before = languages._cached_tag.cache_info().currsize
    for number in range(20):
        assert language_tag(f"{number}{'x' * 10_000}") is None
    assert languages._cached_tag.cache_info().currsize == before
    # As many blanks as one likes are no part of a name.
    assert language_tag(f"{' ' * 500}de") == "de"
