"""Articles stamped anew together: an answer shows all of them with one stamp."""

from __future__ import annotations

from typing import Any

from faults.cluster import Client
from waiting import until

TOGETHER = 20  # articles that are rewritten by one request, again and again


def generation(number: int) -> list[dict[str, Any]]:
    """The same articles as always, with a new stamp."""
    return [
        {
            "id": f"stamped-{n}",
            "headline": f"Stamped g{number}",
            "paragraphs": [f"All stamped alike: g{number}.", "And a second one."],
            "source": f"g{number}",
        }
        for n in range(TOGETHER)
    ]


# The search that finds all of them.
SEARCH: dict[str, Any] = {
    "q": "stamped alike",
    "limit": TOGETHER + 1,
    "facet": "source",
    "passages": 1,
}


def stamp_of(page: Any) -> tuple[str, str | None]:
    """Stamp of the articles of an answer, and what is wrong with it, if anything."""
    hits = page["hits"]
    headlines = {hit["headline"] for hit in hits}
    texts = {hit["passages"][0]["text"] for hit in hits}
    counted = [
        (each["value"], each["count"]) for each in page["facets"]["source"]["values"]
    ]
    stamp = next(iter(headlines)).split()[-1] if hits else "none"
    if (
        headlines != {f"Stamped {stamp}"}
        or texts != {f"All stamped alike: {stamp}."}
        or {hit["version"] for hit in hits} != {str(int(stamp[1:]) + 1)}
        or counted != [(stamp, TOGETHER)]
        or page["total"]["articles"] != TOGETHER
        or len(hits) != TOGETHER
    ):
        return stamp, f"{page['total']} {headlines} {texts} {counted}"
    return stamp, None


def store_first(client: Client) -> None:
    """Store the first generation, and wait until it is found."""

    def is_indexed() -> bool:
        reply = client.ask("POST", "/v1/articles", generation(0), wait=1)
        assert reply.status == 200, reply.body
        return bool(reply.json["indexed"])

    until(is_indexed, "the first generation is indexed", 60)
