"""How is untrusted XML read? Without DTDs, files or network, and within limits."""

from index.parsing.xml.elements import (
    XmlElement,
    attribute,
    children,
    descendants,
    element_language,
    element_paragraphs,
    first,
    line_text,
    local_name,
    outermost,
    own_attributes,
)
from index.parsing.xml.records import XmlRecord, xml_records
from index.parsing.xml.repair import BrokenFile, KeptInput
from index.parsing.xml.root import xml_first_child, xml_root

__all__ = [
    "BrokenFile",
    "KeptInput",
    "XmlElement",
    "XmlRecord",
    "attribute",
    "children",
    "descendants",
    "element_language",
    "element_paragraphs",
    "first",
    "line_text",
    "local_name",
    "outermost",
    "own_attributes",
    "xml_first_child",
    "xml_records",
    "xml_root",
]
