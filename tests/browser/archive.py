"""The archive that the browser tests look at: articles of our own making.

Every fact that a test relies on can be seen here. The constants are ids of the articles
that are worth a look of their own; :data:`ROUTINE` of them are alike and fill lists,
facets and the histogram.
"""

from __future__ import annotations

import json
from typing import Any

from index.archive import Archive
from index.article import Original, article_of, draft_of
from index.errors import InputError
from index.jobs import Indexer

LIGHTHOUSE = "urn:pages:lighthouse"  # long; "lamp" is in many of its paragraphs
FERRY = "urn:pages:ferry"  # three versions
FERRY_INQUIRY = "urn:pages:ferry-inquiry"  # evolved from the ferry's article
LONG = "urn:pages:long"  # a headline of some 400 characters, and a word of 90
MARKUP = "urn:pages:markup"  # HTML in headline, values and text
BIDI = "urn:pages:bidi"  # marks of direction in headline and source
ARABIC = "urn:pages:arabic"
HEBREW = "urn:pages:hebrew"
TAMIL = "urn:pages:tamil"
CHINESE = "urn:pages:chinese"
ODD_ID = "https://example.org/ä%20b?x=1&y=<2>#part"  # an id that must be escaped
KILLED = "urn:pages:killed"
EMBARGOED = "urn:pages:embargoed"
WITHHELD = "urn:pages:withheld"

# In no article that the public may see.
SECRET_WORDS = {KILLED: "periwinkle", EMBARGOED: "quicksilver", WITHHELD: "marzipan"}
KILL_NOTE = "The council's figures were wrong."
ROUTINE = 28

_PARTS = (
    "The keeper trimmed the lamp before dusk and wrote the hour in the book.",
    "No ship passed before midnight, and the fog came in from the north.",
    "A second lamp was carried up the stairs when the first one failed.",
    "Visitors may climb the tower on Sundays; the lamp room stays locked.",
)
_SECTIONS = ("Business", "Culture", "Politics", "Science", "Sport")
_SOURCES = ("City Desk", "Harbour Desk", "Market Desk", "Weather Desk")
_SUBJECTS = ("ports", "labour", "food", "fishing", "tourism", "weather", "schools")
_PLACES = ("Northtown", "Eastport", "Old Quay", "Saltmarsh")
_EVENTS = (
    ("Harbour counts {n} ships in a day", "The harbour master counted {n} ships."),
    ("Grain price falls for the {n}th week", "Bakers paid less for grain, {n} a sack."),
    ("School opens {n} classrooms", "The council paid for {n} rooms near the harbour."),
    ("Storm takes {n} roofs in Saltmarsh", "The storm came over the harbour wall."),
)


def _routine(number: int) -> dict[str, Any]:
    headline, text = _EVENTS[number % len(_EVENTS)]
    year = 1994 + number * 29 % 31
    return {
        "id": f"urn:pages:routine-{number}",
        "headline": headline.format(n=number + 3),
        "paragraphs": [
            text.format(n=number + 3),
            "People on the quay said that they had expected as much.",
        ],
        "source": _SOURCES[number % len(_SOURCES)],
        "section": _SECTIONS[number % len(_SECTIONS)],
        "subjects": [_SUBJECTS[number % 7], _SUBJECTS[number * 3 % 7]],
        "places": [_PLACES[number // 3 % len(_PLACES)]],
        "people": [f"Resident {number:02}"],
        "published": f"{year}-{number % 12 + 1:02}-{number % 28 + 1:02}T09:00:00Z",
        "language": "en",
    }


def _ferry(version: int, *paragraphs: str, **values: Any) -> dict[str, Any]:
    return {
        "id": FERRY,
        "version": str(version),
        "headline": "Ferry runs aground off Eastport",
        "paragraphs": list(paragraphs),
        "source": "Harbour Desk",
        "section": "Politics",
        "places": ["Eastport"],
        "published": "2018-02-11T06:30:00Z",
        "updated": f"2018-02-11T{6 + version:02}:30:00Z",
        "language": "en",
        **values,
    }


DOCUMENTS: tuple[dict[str, Any], ...] = (
    {
        "id": LIGHTHOUSE,
        "headline": "The last keeper of Northtown lighthouse",
        "slugline": "LIGHTHOUSE",
        "byline": "By Ana Berg",
        "dateline": "NORTHTOWN, May 3",
        "paragraphs": [
            {"role": "abstract", "text": "He lit the lamp for forty years."},
            *(f"{_PARTS[n % 4]} It was the year {1950 + n}." for n in range(40)),
            {"role": "caption", "text": "The lamp.", "credit": "Desk/Ana Berg"},
        ],
        "source": "City Desk",
        "section": "Culture",
        "authors": ["Ana Berg"],
        "people": ["Jonas Falk"],
        "organisations": ["Northtown Harbour Board"],
        "places": ["Northtown"],
        "subjects": ["ports", "tourism"],
        "genre": ["Feature"],
        "urgency": 4,
        "published": "2019-05-03T07:00:00Z",
        "language": "en",
    },
    _ferry(1, "A ferry ran aground at dawn.", "Twelve people were on board."),
    _ferry(
        2,
        "A ferry ran aground at dawn off Eastport.",
        "Forty-one people were on board.",
        "Nobody was hurt, the coastguard said.",
    ),
    _ferry(
        3,
        "A ferry ran aground at dawn off Eastport.",
        "Forty-two people were on board, the company said.",
        "Nobody was hurt, the coastguard said.",
        "The tide lifted it at noon.",
        correction="Forty-two people were on board, not forty-one.",
    ),
    {
        "id": FERRY_INQUIRY,
        "headline": "Ferry captain had slept for three hours, inquiry finds",
        "paragraphs": ["The inquiry blames the timetable.", "The company agreed."],
        "source": "Harbour Desk",
        "section": "Politics",
        "published": "2018-11-02T10:00:00Z",
        "evolved_from": FERRY,
        "language": "en",
    },
    {
        "id": LONG,
        "headline": "Council that had promised a new bridge, then a tunnel, then a"
        " ferry, and at last a study of whether a bridge, a tunnel or a ferry would be"
        " wanted by anybody at all, says that the study is lost, that nobody knows"
        " who had it last, and that another will be ordered as soon as the committee"
        " which decides on such orders has been chosen by those who are to choose it",
        "paragraphs": [
            "The word of the year is " + "bridgetunnelferry" * 5 + ", said the mayor.",
            "See https://example.org/" + "very-long-address/" * 8 + " for the minutes.",
        ],
        "source": "The Northtown and Eastport Weekly Messenger and Advertiser",
        "section": "Politics",
        "subjects": [
            f"a subject with a rather long name, number {n}" for n in range(9)
        ],
        "published": "2020-08-20T05:00:00Z",
        "language": "en",
    },
    {
        "id": MARKUP,
        "headline": '</title><script>alert(1)</script> & <b>bold</b> "quotes" don\'t'
        " break",
        "paragraphs": [
            "A test wrote <img src=x onerror=alert(2)> into the text & nothing moved.",
            "Then it wrote {{ 7 * 7 }} and ${7 * 7}, and &lt;b&gt; stayed as it was.",
        ],
        "source": "Desk <i>A</i> & \"B\" 'C'",
        "section": 'Science" onmouseover="alert(3)',
        "subjects": ["<svg onload=alert(4)>", "R&D"],
        "published": "2021-03-09T12:00:00Z",
        "language": "en",
    },
    {
        "id": BIDI,
        "headline": "Marks \u202eturned\u202c and \u2067set apart\u2069 in a line",
        "paragraphs": ["An unclosed mark \u202e stands in this paragraph.", "It ends."],
        "source": "Desk \u202eksed",
        "section": "Science",
        "published": "2021-04-10T12:00:00Z",
        "language": "en",
    },
    {
        "id": ARABIC,
        "headline": "الميناء القديم يستقبل أول سفينة بعد الإضراب",
        "paragraphs": [
            "وصلت السفينة إلى الميناء عند الفجر وعلى متنها 1200 طن من القمح.",
            "قال العمال إن الميناء سيعمل ليلا ونهارا حتى نهاية الشهر.",
        ],
        "source": "مكتب الميناء",
        "section": "اقتصاد",
        "published": "2022-01-15T08:00:00Z",
        "language": "ar",
    },
    {
        "id": HEBREW,
        "headline": "הנמל הישן נפתח מחדש אחרי השביתה",
        "paragraphs": ["האונייה הראשונה הגיעה לנמל בבוקר.", "העובדים חזרו לעבודה."],
        "source": "דסק הנמל",
        "section": "כלכלה",
        "published": "2022-01-16T08:00:00Z",
        "language": "he",
    },
    {
        "id": TAMIL,
        "headline": "பழைய துறைமுகத்தில் முதல் கப்பல் வந்தது",
        "paragraphs": [
            "வேலைநிறுத்தத்திற்குப் பிறகு முதல் கப்பல் காலையில் துறைமுகத்திற்கு வந்தது.",
            "தொழிலாளர்கள் மகிழ்ச்சியுடன் வேலைக்குத் திரும்பினர்.",
        ],
        "source": "துறைமுகச் செய்தி",
        "section": "வணிகம்",
        "published": "2022-02-01T08:00:00Z",
        "language": "ta",
    },
    {
        "id": CHINESE,
        "headline": "老港口罢工后迎来第一艘货船",
        "paragraphs": [
            "货船在黎明时分抵达港口，船上装有一千二百吨小麦。",
            "工人们说，港口将日夜工作到月底。",
        ],
        "source": "港口新闻",
        "section": "经济",
        "published": "2022-02-02T08:00:00Z",
        "language": "zh-Hans",
    },
    {
        "id": ODD_ID,
        "headline": "An address that needs care",
        "paragraphs": ["Its id has a letter of two bytes, an escape and signs."],
        "source": "City Desk",
        "section": "Culture",
        "published": "2022-06-01T08:00:00Z",
        "language": "en",
    },
    {
        "id": KILLED,
        "headline": "Council spends a fortune on periwinkle",
        "paragraphs": ["The council bought periwinkle for the park."],
        "source": "City Desk",
        "section": "Politics",
        "published": "2023-03-01T08:00:00Z",
        "language": "en",
    },
    {
        "id": EMBARGOED,
        "headline": "Prize goes to the study of quicksilver",
        "paragraphs": ["The jury praised the study of quicksilver."],
        "source": "City Desk",
        "section": "Science",
        "published": "2023-04-01T08:00:00Z",
        "embargoed_until": "2199-01-01T00:00:00Z",
        "language": "en",
    },
    {
        "id": WITHHELD,
        "headline": "Baker withdraws the marzipan",
        "paragraphs": ["The baker says the marzipan was old."],
        "source": "Market Desk",
        "section": "Business",
        "published": "2023-05-01T08:00:00Z",
        "language": "en",
    },
    *(_routine(number) for number in range(ROUTINE)),
)


def fill(archive: Archive) -> None:
    """Store all articles, withdraw those that are withdrawn, and index the rest."""
    drafts = [
        draft_of(
            article_of(document),
            Original(format="jsonl", data=json.dumps(document).encode()),
        )
        for document in DOCUMENTS
    ]
    for written in archive.put(drafts):
        if isinstance(written, InputError):
            raise written
    archive.kill(KILLED, note=KILL_NOTE)
    archive.withhold(WITHHELD)
    Indexer(archive.store, archive.engine).catch_up()
