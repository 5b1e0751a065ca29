"""Names of fields, values and dates, as people read them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from service.pages.writing import MONTHS

_PERIOD = re.compile(
    r"(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class FieldName:
    """Name of a field: over its values, and before one of them."""

    many: str
    one: str


_FIELDS = {
    "keywords": FieldName("Keywords", "Keyword"),
    "subjects": FieldName("Subjects", "Subject"),
    "people": FieldName("People", "Person"),
    "organisations": FieldName("Organisations", "Organisation"),
    "places": FieldName("Places", "Place"),
    "authors": FieldName("Authors", "Author"),
    "story": FieldName("Stories", "Story"),
    "published": FieldName("Published", "Published"),
    "updated": FieldName("Last changed", "Last changed"),
}
# ISO 639: the languages that news agencies and newspapers write most.
_LANGUAGES = {
    "af": "Afrikaans",
    "am": "Amharic",
    "ar": "Arabic",
    "az": "Azerbaijani",
    "be": "Belarusian",
    "bg": "Bulgarian",
    "bn": "Bengali",
    "bs": "Bosnian",
    "ca": "Catalan",
    "cs": "Czech",
    "cy": "Welsh",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "eu": "Basque",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "ga": "Irish",
    "gl": "Galician",
    "gu": "Gujarati",
    "ha": "Hausa",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "hy": "Armenian",
    "id": "Indonesian",
    "is": "Icelandic",
    "it": "Italian",
    "ja": "Japanese",
    "ka": "Georgian",
    "kk": "Kazakh",
    "km": "Khmer",
    "kn": "Kannada",
    "ko": "Korean",
    "ku": "Kurdish",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "mk": "Macedonian",
    "ml": "Malayalam",
    "mn": "Mongolian",
    "mr": "Marathi",
    "ms": "Malay",
    "mt": "Maltese",
    "my": "Burmese",
    "nb": "Norwegian Bokmål",
    "ne": "Nepali",
    "nl": "Dutch",
    "nn": "Norwegian Nynorsk",
    "no": "Norwegian",
    "pa": "Punjabi",
    "pl": "Polish",
    "ps": "Pashto",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "si": "Sinhala",
    "sk": "Slovak",
    "sl": "Slovenian",
    "so": "Somali",
    "sq": "Albanian",
    "sr": "Serbian",
    "sv": "Swedish",
    "sw": "Swahili",
    "ta": "Tamil",
    "te": "Telugu",
    "th": "Thai",
    "tl": "Tagalog",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "uz": "Uzbek",
    "vi": "Vietnamese",
    "zh": "Chinese",
    "zu": "Zulu",
}


def field_name(field: str) -> FieldName:
    """Name of a field."""
    plain = field.capitalize()
    return _FIELDS.get(field) or FieldName(plain, plain)


def value_name(field: str, value: str) -> str:
    """Name of a value: a language by its name, everything else as it is.

    A tag with a region or script stays beside the name: ``English (en-GB)``.
    """
    if field != "language":
        return value
    language, _, rest = value.partition("-")
    name = _LANGUAGES.get(language.lower())
    if name is None:
        return value
    return f"{name} ({value})" if rest else name


def period_name(first: str, last: str) -> str:
    """Name of a period: ``2021``, ``March 2021``, ``3 May – 9 May 2021``.

    :param first: its first year, month or day in ISO 8601; blank if it has no start.
    :param last: the same of its end. Other dates, such as ``-7d``, stay as they are.
    """
    if first == last:
        return date_name(first)
    if not first:
        return f"until {date_name(last)}"
    if not last:
        return f"from {date_name(first)}"
    start, end = date_name(first), date_name(last)
    if len(first) == len(last) and len(first) > 4 and first[:4] == last[:4]:
        start = start.removesuffix(f" {int(first[:4])}") if start != first else start
    return f"{start} – {end}"


def date_name(text: str) -> str:
    """Name of a year, month or day in ISO 8601; anything else as it is."""
    match = _PERIOD.fullmatch(text)
    if match is None:
        return text
    year, month, day = (part and int(part) for part in match.groups())
    if not month:
        return f"{year}"
    return " ".join(f"{part}" for part in (day, month_name(month), year) if part)


def month_name(month: int) -> str:
    """Name of a month, from 1."""
    return MONTHS[month - 1]
