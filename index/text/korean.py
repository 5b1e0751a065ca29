"""Korean particles: which nouns a word may be made of, written with a particle."""

from __future__ import annotations

_FIRST, _LAST = "가", "힣"  # of the syllables in Unicode
_FINALS = 28  # consonants that can end a syllable, of which 0 is none
_RIEUL = 8
_SHORTEST = 2  # letters of a noun: of one syllable, too many words only look so


def _particles(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Particles, by the sound that they follow. After letters and digits of other scripts
# any can stand, since nothing says how these are pronounced.
_AFTER_CONSONANT = _particles(
    "이 은 을 과 이나 이라고 이라는 이라도 이란 이며 이든 이야"
)
_AFTER_VOWEL = _particles("가 는 를 와 나 라고 라는 라도 란 며 든 야")
_AFTER_CONSONANT_BUT_RIEUL = _particles("으로 으로서 으로써 으로부터")
_AFTER_VOWEL_OR_RIEUL = _particles("로 로서 로써 로부터")
_AFTER_ANY = _particles("""
    에 에서 에서부터 에게 에게서 께 께서 한테 한테서 의 도 만 까지 부터 보다 처럼
    만큼 마다 조차 마저 밖에 뿐 대로 같이 커녕
""")
_PARTICLES = (
    _AFTER_CONSONANT
    | _AFTER_VOWEL
    | _AFTER_CONSONANT_BUT_RIEUL
    | _AFTER_VOWEL_OR_RIEUL
    | _AFTER_ANY
)
_LONGEST = max(map(len, _PARTICLES))
# Particles that another may follow: 에서 is, in 서울에서는.
_FOLLOWED = (
    _AFTER_CONSONANT_BUT_RIEUL
    | _AFTER_VOWEL_OR_RIEUL
    | _AFTER_ANY - {"의", "도"}
    | {"과", "와"}
)


def nouns(form: str) -> list[str]:
    """Nouns that a form may be made of, by the particles that it ends in.

    The longest comes first: 서울에서 and 서울 for 서울에서는. A particle must agree
    with the sound before it, and leave two letters or more, since 국가 and 회의 are
    nouns themselves. Of longer words, such as 어린이, only a dictionary could tell
    whether they end in a particle.
    """
    stems: list[str] = []
    if not form or not _FIRST <= form[-1] <= _LAST:
        return stems
    particle = _particle_of(form)
    while particle:
        form = form[: -len(particle)]
        stems.append(form)
        particle = _particle_of(form)
        if particle not in _FOLLOWED:
            break
    return stems


def _particle_of(form: str) -> str:
    """The longest particle that a form ends in and that agrees with the rest of it."""
    for length in range(min(_LONGEST, len(form) - _SHORTEST), 0, -1):
        particle = form[-length:]
        if particle in _PARTICLES and _agrees(form[-length - 1], particle):
            return particle
    return ""


def _agrees(before: str, particle: str) -> bool:
    """Whether a particle can follow a letter; after other scripts any can."""
    if not _FIRST <= before <= _LAST:
        return before.isalnum()
    final = (ord(before) - ord(_FIRST)) % _FINALS
    if particle in _AFTER_CONSONANT:
        return final != 0
    if particle in _AFTER_VOWEL:
        return final == 0
    if particle in _AFTER_CONSONANT_BUT_RIEUL:
        return final not in (0, _RIEUL)
    if particle in _AFTER_VOWEL_OR_RIEUL:
        return final in (0, _RIEUL)
    return True
