"""Characters: those that make up words, and the patterns that find words in a text.

A **surface** is a word as it is written. A **unit** is a character of a script written
without spaces, with its marks.
"""

from __future__ import annotations

import re

import regex

from index.text.letters import ARABIC_MARKS
from index.text.symbols import RUN_SYMBOLS, WORD_SYMBOLS

Span = tuple[int, int]  # start and end of a piece of text, in code points

# Modifier letters included: Hawaiʻi, Qurʾan, the Ukrainian п’ять.
APOSTROPHES = "'‘’\u02bb\u02bc\u02be\u02bf＇"

PLAIN_PUNCTUATION = str.maketrans(
    dict.fromkeys(APOSTROPHES + "\u05f3", "'")  # geresh
    | dict.fromkeys("\u2010\u2011", "-")
    | dict.fromkeys("“”\u05f4", '"')  # gershayim, and the quotes typed for it
    | {"\u2044": "/"}
)

# One code point for one, so offsets stay valid. Replacing these turns most English news
# into ASCII.
TO_ASCII = (
    ("’", "'"),
    ("‘", "'"),
    ("“", '"'),
    ("”", '"'),
    ("–", " "),
    ("—", " "),
    ("…", " "),
    ("\xa0", " "),
    ("\u2010", "-"),
    ("\u2011", "-"),
)

# Scripts written without spaces; 々 and ー belong to more than one script. Their digits
# are words as those of any script.
_SPACELESS_LETTER = (
    r"[[[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
    r"\u3006\u3031-\u3035\u303C\u30FC\uFF70\uFF9E\uFF9F]&&[\p{L}\p{N}]]--\p{Nd}"
    rf"||[{RUN_SYMBOLS}]]"
)

# Invisible and inside words: soft hyphen, joiners, direction marks, variation
# selectors. The zero width space is not ignored, since it ends a word. Tatweel and the
# presentation forms of Arabic marks are letters to Unicode, but no word has only them.
_IGNORED = rf"[[\p{{Default_Ignorable_Code_Point}}--\u200B]||[{ARABIC_MARKS}]]"

_LETTER = (
    rf"[[\p{{L}}\p{{N}}]--{_SPACELESS_LETTER}--\p{{Default_Ignorable_Code_Point}}"
    rf"--[{ARABIC_MARKS}{APOSTROPHES}]]"
)

_BODY = rf"[{_LETTER}||\p{{M}}||{_IGNORED}]"

# Symbols end a core, so that №5 is found by 5, and 10㎏ by 10kg.
_CORE = rf"(?:{_LETTER}{_BODY}*+[{WORD_SYMBOLS}]*+|[{WORD_SYMBOLS}]++)"

_JOINERS = rf"{APOSTROPHES}\u05F3.\-/_&+@·\u2010\u2011\u2024\u2044．－／＿＆＋＠"

_POSSESSED_ABBREVIATION = rf"(?:[.．][{APOSTROPHES}][sSｓＳ](?!{_BODY}))?"  # U.S.'s

# No possessive group: in Python 3.11.0 to 3.11.4 one with alternatives loses letters
# (CPython issue 106052).
ASCII_SURFACE = re.compile(
    r"(?:(?<![A-Za-z0-9])[@#]|(?<![A-Za-z0-9.,])\.(?=[0-9]))?[A-Za-z0-9]++"
    r"(?:(?:[.'\-/_&+@]|(?<=[0-9])[,:](?=[0-9]))[A-Za-z0-9]++)*"
    r"(?:\.'[sS](?![A-Za-z0-9]))?"
)

SURFACE = regex.compile(
    rf"""(?V1)(?:(?<!{_BODY})[@\#＠＃]
        |(?<!{_BODY}|[.．,，])[.．](?=\p{{Nd}}))?{_CORE}
    (?:(?:[{_JOINERS}]
        |(?<=\p{{Nd}})[,:，：\u066B\u066C](?=\p{{Nd}})
        |(?<=\p{{Hebrew}})["“”\u05F4](?=\p{{Hebrew}})
       ){_CORE})*+{_POSSESSED_ABBREVIATION}
    |{_SPACELESS_LETTER}[{_SPACELESS_LETTER}||\p{{M}}||{_IGNORED}]*+
    |\p{{Regional_Indicator}}{{2}}
    |(?:\p{{Emoji_Presentation}}
        |\p{{Extended_Pictographic}}(?=[\uFE0F\p{{Emoji_Modifier}}]))
     [\uFE0F\p{{Emoji_Modifier}}]*+
     (?:\u200D\p{{Extended_Pictographic}}[\uFE0F\p{{Emoji_Modifier}}]*+)*+""",
    regex.VERBOSE,
)

PART = regex.compile(rf"(?V1){_CORE}")

# Signs inside a number: points, commas and apostrophes, also Arabic ones, and the
# raised point of older British print.
NUMBER_SIGNS = rf".,．，{APOSTROPHES}\u066B\u066C\u00B7"

# Figures, the letters of a currency before them, and those of a unit behind, which may
# be squared. Not in a longer row of figures: 3.11 of v3.11.2 does not match. A point
# may come first only in a word that starts with it.
NUMBER = regex.compile(
    rf"""(?V1)(?<!{_BODY}|\p{{Nd}}[{NUMBER_SIGNS}:：])
    (?P<before>\p{{L}}{{1,4}}+(?=\p{{Nd}}))?
    (?P<figures>(?:(?<=\A)[.．])?\p{{Nd}}++(?:[{NUMBER_SIGNS}]\p{{Nd}}++)*+)
    (?P<unit>(?:[kcdm]?m|ft|yd)[23²³](?!{_BODY})|[{_BODY}--\p{{N}}]*+)(?!{_BODY})""",
    regex.VERBOSE,
)

# NFKC can turn a character into another script: ㊀ becomes 一, ½ becomes 1⁄2.
NORMAL_PART = regex.compile(
    rf"(?V1)[{_LETTER}||{_SPACELESS_LETTER}][{_BODY}||{_SPACELESS_LETTER}]*+"
)

INVISIBLE = regex.compile(rf"(?V1)[{_IGNORED}--\p{{M}}]")

SPACELESS = regex.compile(rf"(?V1){_SPACELESS_LETTER}")

# Characters that are each a unit and already in normal form.
PLAIN_RUN = re.compile("[\u3041-\u3096\u30a1-\u30fa\u30fc\u4e00-\u9fff]+")

# The Thai and Lao vowel am counts as a mark, also where NFKC has decomposed it, and so
# do the voicing marks of halfwidth kana.
UNIT = regex.compile(
    rf"(?V1){_SPACELESS_LETTER}[\p{{M}}||{_IGNORED}||\uFF9E\uFF9F]*+"
    r"(?:[\u0E33\u0EB3]|(?<=\u0E4D)\u0E32|(?<=\u0ECD)\u0EB2)?"
)
