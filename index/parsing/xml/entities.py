"""Named characters of XML: HTML's, ISO's Greek letters, and those a file declares.

HTML's names include those of ISO 8879 and ISO 9573-13 (Latin, Cyrillic, symbols,
publishing), except for the Greek letters of ISOgrk1 and ISOgrk2. A file may declare
more in its DOCTYPE, if each stands for a few plain characters.

Sources: https://html.spec.whatwg.org/multipage/named-characters.html,
https://www.w3.org/2003/entities/iso8879doc/overview.html
"""

from __future__ import annotations

import html
import re
from html.entities import html5

from index.errors import LimitExceeded

MAX_OWN = 100  # characters that a declared name may stand for
MAX_GROWTH = 1_000_000  # characters that the declared names of a file may add to it
# Those the parser knows itself.
PREDEFINED = frozenset(("amp", "lt", "gt", "quot", "apos"))

_GREEK_1 = (
    "A Α B Β G Γ D Δ E Ε Z Ζ EE Η TH Θ I Ι K Κ L Λ M Μ N Ν X Ξ O Ο P Π R Ρ S Σ T Τ U Υ"
    " PH Φ KH Χ PS Ψ OH Ω"
)
_GREEK_2 = "Aa Ά Ea Έ EEa Ή Ia Ί Id Ϊ Oa Ό Ua Ύ Ud Ϋ OHa Ώ"
_GREEK_2_SMALL = "aa ά ea έ eea ή ia ί id ϊ oa ό ua ύ ud ϋ oha ώ"
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});")


def _pairs(text: str) -> list[tuple[str, str]]:
    words = text.split()
    return list(zip(words[::2], words[1::2], strict=True))


def _greek() -> dict[str, str]:
    names: dict[str, str] = {"sfgr": "ς", "idiagr": "ΐ", "udiagr": "ΰ"}
    for name, letter in _pairs(_GREEK_1):
        names[f"{name}gr"] = letter
        names[f"{name.lower()}gr"] = letter.lower()
    for name, letter in (*_pairs(_GREEK_2), *_pairs(_GREEK_2_SMALL)):
        ending = "cgr" if name.endswith("a") else "igr"
        names[f"{name}{ending}"] = letter
    return names


NAMED_CHARACTERS: dict[str, str] = {
    **_greek(),
    **{name[:-1]: text for name, text in html5.items() if name.endswith(";")},
}


class Entities:
    """The named characters of one file: the known ones, and those it declares."""

    def __init__(self) -> None:
        self._own: dict[str, str | None] = {}
        self._growth = 0

    def declare(self, name: str, literal: str | None) -> None:
        """Declare a name; the first declaration counts.

        :param literal: what it stands for, as it is between the quotes; ``None`` if
            that is in another file.
        """
        if name in PREDEFINED or name in self._own:
            return
        text = None if literal is None else _REFERENCE.sub(_character, literal)
        if text is not None and (len(text) > MAX_OWN or re.search("[<&%]", text)):
            text = None
        self._own[name] = text

    def text_of(self, name: str) -> str | None:
        """Characters of a name, as they may stand in XML.

        :return: ``None`` if the name is unknown, or stands for more than plain
            characters.
        :raises LimitExceeded: the declared names of the file make it too long.
        """
        if name not in self._own:
            text = NAMED_CHARACTERS.get(name)
            return None if text is None else html.escape(text, quote=True)
        text = self._own[name]
        if text is not None:
            self._growth += len(text)
            if self._growth > MAX_GROWTH:
                raise LimitExceeded(
                    "characters from entities that an XML file declares",
                    limit=MAX_GROWTH,
                    got=None,
                )
            text = html.escape(text, quote=True)
        return text

    def is_declared(self, name: str) -> bool:
        """Whether the file declares the name, if only as another file or as markup."""
        return name in self._own


def _character(reference: re.Match[str]) -> str:
    return html.unescape(reference[0])
