"""Conventions of writing that differ by language: the decimal sign, and elisions."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple


class Convention(NamedTuple):
    """How the articles of a language write numbers and short words.

    A convention is all that the analysis of words needs to know of a language.
    """

    decimal_comma: bool = False  # 1,5 and 1.500, as in German; else 1.5 and 1,500
    elision: bool = False  # words lose a vowel before another word: l'état


DEFAULT = Convention()  # of English, of unknown languages, and of queries
CONVENTIONS = tuple(
    Convention(comma, elision) for comma in (False, True) for elision in (False, True)
)

# From Unicode's CLDR. Regions that write a point have a line of their own.
_COMMA = """
    af ast az be bg br bs ca co cs da de el eo es et eu fi fo fr fur fy gl hr hu hy ia
    id is it ka kk kl ky la lb lt lv mk mn nb nl nn no oc os pl pt ro ru sc se sk sl sq
    sr sv tg tk tr tt uk uz vec vi wa
"""
_POINT_IN_REGION = """
    de-ch de-li it-ch es-419 es-do es-gt es-hn es-mx es-ni es-pa es-pe es-pr es-sv es-us
"""
_ELISION = "ca co frp fr fur it lij oc pms rm sc scn vec wa"
_DECIMAL_COMMA = frozenset(_COMMA.split())
_DECIMAL_POINT = frozenset(_POINT_IN_REGION.split())
_ELIDING = frozenset(_ELISION.split())


@lru_cache(maxsize=1_024)
def convention_of(language: str) -> Convention:
    """Convention of a language.

    :param language: a BCP 47 tag, or ``""`` if it is unknown.
    """
    subtags = language.lower().replace("_", "-").split("-")
    primary = subtags[0]
    regions = {f"{primary}-{subtag}" for subtag in subtags[1:]}
    return Convention(
        decimal_comma=primary in _DECIMAL_COMMA and not regions & _DECIMAL_POINT,
        elision=primary in _ELIDING,
    )
