"""NewsCodes: IPTC's schemes by the aliases of their codes, and the kinds of concepts.

The aliases are those of IPTC's catalogs for NewsML-G2 (http://cv.iptc.org/newscodes/).
An item's own catalog comes before them; catalogs elsewhere are never fetched.
"""

from __future__ import annotations

from index.formats.property_names import names

_IPTC = "http://cv.iptc.org/newscodes/"
SUBJECT_CODES = "subj"  # IPTC's subject codes, eight digits; succeeded by media topics
SCHEMES: dict[str, str] = {
    SUBJECT_CODES: f"{_IPTC}subjectcode/",
    "medtop": f"{_IPTC}mediatopic/",
    "genre": f"{_IPTC}genre/",
    "scene": f"{_IPTC}scene/",
    "nprov": f"{_IPTC}newsprovider/",
    "wldreg": f"{_IPTC}worldregion/",
    "iso3166-1a2": "http://cvx.iptc.org/iso3166-1a2/",
    "iso3166-1a3": "http://cvx.iptc.org/iso3166-1a3/",
}
# The fields of ours that concepts belong to, by the code of their type, in small
# letters: IPTC's concept natures, and those of agencies.
FIELD_OF_TYPE: dict[str, str] = {
    kind: field
    for field, kinds in {
        "people": "person people",
        "organisations": "organisation organization org company party",
        "places": "geoarea poi place location city country countrycode statprov region"
        " county continent continentcode worldregion",
    }.items()
    for kind in names(kinds)
}
# Reuters numbers the types of its concepts.
FIELD_OF_TYPE["cpttype:5"] = "places"


def subject_code(code: str, name: str | None = None) -> dict[str, str]:
    """A subject of IPTC's subject codes, in the JSON form of a concept."""
    concept = {
        "code": code,
        "scheme": SUBJECT_CODES,
        "uri": f"{SCHEMES[SUBJECT_CODES]}{code}",
    }
    return {"name": name, **concept} if name else concept
