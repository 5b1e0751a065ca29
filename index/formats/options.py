"""Options of a load: what its caller knows of an input that the input does not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from index.dates import DateRules
from index.formats.mapping import IGNORED, FieldMap, path_of
from index.parsing import MAX_LINE, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How the records of an input are read.

    ::

        ReadOptions(mapping={"desk": "section", "fields.body": "text"})

    :param mapping: paths in the input and the fields of ours to read them as, or ``-``
        to ignore them; they come before the names that the format knows.
    :param dates: how dates are read that do not say it themselves.
    :param defaults: fields of ours, in their JSON form, for records that lack them.
    :param id_from: where the id of a record without one is from, in the order in which
        they are tried: ``url``, ``hash``, paths in the record, or fields of ours. By
        default what its format does.
    :param records: path to the records in each JSON document; blank to find them.
    :param article_bytes: largest article as JSON; a longer text is not read to its end.
    """

    mapping: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    dates: DateRules = field(default_factory=DateRules)
    defaults: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    id_from: tuple[str, ...] = ()
    records: str = ""
    article_bytes: int = MAX_LINE
    field_map: FieldMap = field(init=False, repr=False, compare=False)
    records_path: tuple[Step, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        path = path_of(self.records, "records") if self.records else ()
        object.__setattr__(self, "field_map", FieldMap(self.mapping))
        object.__setattr__(self, "records_path", path)

    @property
    def ignores(self) -> bool:
        """Whether parts of records are left out on purpose."""
        return IGNORED in self.mapping.values()


DEFAULTS = ReadOptions()
