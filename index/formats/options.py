"""Options of a load: what its caller knows of an input that the input does not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from index.dates import DateRules


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How the records of an input are read.

    ::

        ReadOptions(mapping={"desk": "section"})

    :param mapping: names in the input and the fields of ours to read them as; they come
        before the names that the format knows.
    :param dates: how dates are read that do not say it themselves.
    """

    mapping: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    dates: DateRules = field(default_factory=DateRules)


DEFAULTS = ReadOptions()
