"""Languages: the tag of the language that a text names, as BCP 47 writes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from index.text.stems import LANGUAGES
from index.text.values import value_key

_LONGEST = 100  # characters
_SHORTEST_NAME = 4  # shorter ones in Latin letters are codes
_CANONICAL = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-[A-Z]{2})?")
_CODESET = re.compile(r"[.@].*\Z")  # of a POSIX locale: de_DE.UTF-8, ca_ES@euro
# Unknown, several, none and uncoded, and the codes for private use.
_NO_LANGUAGE = re.compile(r"(?:und|mul|zxx|mis|q[a-t][a-z]|x-.*)\Z")


def language_tag(text: str) -> str | None:
    """Canonical BCP 47 tag of the language that a text names, ``None`` if it is none.

    It may be a tag in any case, with ``_`` for ``-``, codes of ISO 639-2 and 639-3
    (``deu``, ``ger``), withdrawn codes (``iw``), a POSIX locale, or the name of a
    language in any language (``English``, ``français``). Codes for *unknown* (``und``),
    *several* (``mul``) and *none* (``zxx``) name no language. The whole text must.

    The data is that of CLDR and of the IANA registry, in langcodes and language_data.
    """
    # Whoever sends a text chooses how long it is: only short ones are cached.
    return _cached_tag(text) if len(text) <= _LONGEST else _read_tag(text)


def _read_tag(text: str) -> str | None:
    name = text.strip()
    if _CANONICAL.fullmatch(name) and name.partition("-")[0] in LANGUAGES:
        return name  # as most are: needs no data
    name = value_key(name)  # no spelling of a language is unknown
    if not 0 < len(name) <= _LONGEST:
        return None
    tag = _tag_of_code(_CODESET.sub("", name).replace("_", "-"))
    if tag is None and (len(name) >= _SHORTEST_NAME or not name.isascii()):
        tag = _tag_of_name(name)
    return tag


_cached_tag = lru_cache(maxsize=10_000)(_read_tag)


def field_key(field: str, value: str) -> str:
    """Key of a value of a field: equal for the spellings of one value.

    Codes and names of a language are spellings of its tag; see :func:`.value_key`.
    """
    if field == "language":
        value = language_tag(value) or value
    return value_key(value)


def _tag_of_code(code: str) -> str | None:
    # Imported here: it takes 70 ms and 4 MB, and most processes never need it.
    from langcodes import Language, standardize_tag, tag_is_valid
    from langcodes.tag_parser import LanguageTagError

    try:
        tag = standardize_tag(code, macro=True)
        primary = Language.get(tag).language
    except LanguageTagError:
        return None
    if primary is None or _NO_LANGUAGE.match(primary) or not tag_is_valid(primary):
        return None
    return tag


def _tag_of_name(name: str) -> str | None:
    from language_data.names import normalize_name

    codes = _names().get(normalize_name(name))
    return _tag_of_code(codes[0].decode()) if codes else None


@cache
def _names() -> Mapping[str, list[bytes]]:
    # Language.find of langcodes reads the start of a text: French Toast is fr to it.
    from language_data.names import load_trie
    from language_data.util import data_filename

    path = data_filename("trie/und/name_to_language.marisa")
    names: Mapping[str, list[bytes]] = load_trie(path)
    return names
