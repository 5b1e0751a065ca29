"""OpenSearch: the description by which browsers and readers find the search."""

from __future__ import annotations

from index.rendering.feed_xml import DECLARATION, element, text_element

_NAMESPACE = "http://a9.com/-/spec/opensearch/1.1/"


def opensearch_document(search: str, media_types: dict[str, str]) -> bytes:
    """Description of the search, as OpenSearch 1.1 has it.

    :param search: absolute address of the search.
    :param media_types: of each format that can be searched for page by page, by name.
    """
    document = DECLARATION + element(
        "OpenSearchDescription",
        text_element("ShortName", "Nutgraf"),
        text_element("Description", "Search the paragraphs of the archive"),
        *[
            element(
                "Url",
                type=media_type,
                rel="results",
                template=f"{search}.{name}?q={{searchTerms}}",
            )
            for name, media_type in media_types.items()
        ],
        element("Query", role="example", searchTerms="harbour"),
        text_element("InputEncoding", "UTF-8"),
        text_element("OutputEncoding", "UTF-8"),
        xmlns=_NAMESPACE,
    )
    return document.encode()
