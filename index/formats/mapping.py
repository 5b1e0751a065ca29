"""The mapping of a load: paths in its records, and the fields that they are read as."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from index.errors import InvalidValue, UnknownField
from index.formats.field_names import TARGETS
from index.parsing import EACH, Step, json_values

IGNORED = "-"  # instead of a field: the name is not kept in extra either
_STEP = re.compile(r"\.?((?:[^.\[\]\\]|\\.)+)|\[(\d{0,9})\]")
_LARGEST = 300  # names of a record that are compared with a name that nothing had
_REMOVED = object()


def path_of(text: str, parameter: str) -> tuple[Step, ...]:
    """Steps of a path such as ``fields.body``, ``authors[].name`` or ``a.b[0].c``.

    A backslash makes a dot or a bracket part of a name.

    :param parameter: that the path was given as, for the error.
    :raises InvalidValue: it is not a path.
    """
    steps: list[Step] = []
    at = 0
    while match := _STEP.match(text, at):
        if (match[0][0] == ".") != (at > 0 and match[1] is not None):
            break
        if match[1] is not None:
            steps.append(re.sub(r"\\(.)", r"\1", match[1]))
        else:
            steps.append(int(match[2]) if match[2] else EACH)
        at = match.end()
    if at < len(text) or not steps:
        raise InvalidValue(
            parameter,
            f"{text[:50]!r} is not a path; write it like fields.body, authors[].name or"
            " pages[0].text",
            got=text,
        )
    return tuple(steps)


def check_mapping(mapping: Mapping[str, str]) -> None:
    """Check that a mapping reads paths as fields, or ignores them.

    :raises UnknownField: there is no such field.
    :raises InvalidValue: a name is not a path.
    """
    for name, target in mapping.items():
        if target not in (*TARGETS, IGNORED):
            raise UnknownField(target, allowed=TARGETS, parameter="map")
        path_of(name, "map")


@dataclass(frozen=True, slots=True)
class Mapped:
    """A record to which a mapping was applied.

    :param record: what is mapped stands at its top, under its name in the mapping, and
        is taken out of where it stood.
    :param met: names of the mapping that it had.
    :param unmapped: the record as it came.
    """

    record: Any
    met: frozenset[str] = frozenset()
    unmapped: Any = None

    def names(self) -> Iterator[str]:
        """Yield the paths of the record, down to three levels."""
        for number, name in enumerate(_names(self.unmapped, "", 3)):
            if number == _LARGEST:
                return
            yield name


class FieldMap:
    """A mapping from paths to fields, ready to be applied to records.

    ::

        FieldMap({"fields.body": "text"}).applied({"id": 1, "fields": {"body": "x"}})
        # .record: {"id": 1, "fields.body": "x"}
    """

    def __init__(self, mapping: Mapping[str, str]) -> None:
        self._targets = dict(mapping)
        self._paths = {name: path_of(name, "map") for name in mapping}

    def applied(self, record: Any) -> Mapped:
        """The record with its mapped parts at the top; others are left as they are.

        A name that the record has literally at its top comes before a path.
        """
        if not self._targets or not isinstance(record, Mapping):
            return Mapped(record)
        met: dict[str, Any] = {}
        taken: list[tuple[Step, ...]] = []
        for name, path in self._paths.items():
            if name in record:
                met[name] = record[name]
                taken.append((name,))
                continue
            values = list(json_values(record, path))
            if values:
                single = EACH not in path and len(values) == 1
                met[name] = values[0] if single else _present(values)
                taken.append(path)
        rest = _without(record, taken)
        top = {} if rest is _REMOVED else dict(rest)
        for name, value in met.items():
            target = self._targets[name]
            if target == "authors" and isinstance(value, str):
                value = [value]  # a name, not a byline
            if target != IGNORED:
                top[name] = value
        return Mapped(top, frozenset(met), record)

    def without_ignored(self, record: Any) -> Any:
        """The record without the parts that the mapping ignores."""
        ignored = [
            (name,) if isinstance(record, Mapping) and name in record else path
            for name, path in self._paths.items()
            if self._targets[name] == IGNORED
        ]
        rest = _without(record, ignored) if ignored else record
        return None if rest is _REMOVED else rest


def _present(values: list[Any]) -> list[Any]:
    return [value for value in values if value is not None]


def _without(value: Any, paths: Sequence[tuple[Step, ...]]) -> Any:
    """A copy of a JSON value without the parts at these paths.

    What becomes empty by it is removed too.
    """
    paths = [_without_each(path, value) for path in paths]
    if not paths:
        return value
    if () in paths:
        return _REMOVED
    if isinstance(value, Mapping):
        members = {
            name: _without(item, [path[1:] for path in paths if path[0] == name])
            for name, item in value.items()
        }
        kept = {name: item for name, item in members.items() if item is not _REMOVED}
        return kept if kept or not value else _REMOVED
    if isinstance(value, list):
        items = [
            _without(item, [rest for path in paths for rest in _rests(path, number)])
            for number, item in enumerate(value)
        ]
        left = [item for item in items if item is not _REMOVED]
        return left if left or not value else _REMOVED
    return value


def _without_each(path: tuple[Step, ...], value: Any) -> tuple[Step, ...]:
    """A path whose first steps take what is no list for a list of one."""
    while path and path[0] is EACH and not isinstance(value, list):
        path = path[1:]
    return path


def _rests(path: tuple[Step, ...], number: int) -> Iterator[tuple[Step, ...]]:
    """Yield the rest of a path, in the item of a list with this number."""
    if isinstance(path[0], str):
        yield path
    elif path[0] in (EACH, number):
        yield path[1:]


def _names(value: Any, prefix: str, depth: int) -> Iterator[str]:
    if isinstance(value, list):
        for item in value[:3]:
            yield from _names(item, f"{prefix}[]", depth)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            escaped = re.sub(r"([.\[\]\\])", r"\\\1", str(name))
            path = f"{prefix}.{escaped}" if prefix else escaped
            yield path
            if depth > 1:
                yield from _names(item, path, depth - 1)
