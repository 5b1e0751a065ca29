"""Operations: the OpenAPI document in groups, as the reference shows them."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from service.exchange import JSON
from service.pages.calls import ID, Call, call_of
from service.pages.shapes import Member, Schema, Shapes, folded, path_html, prose_html

_METHODS = ("get", "post", "put", "delete")
# An operation that is another one with the id as a parameter is called so.
_TWIN = "ByQuery"
_FEW = 8  # members that are shown without a click


@dataclass(frozen=True, slots=True)
class Content:
    """A body or an answer that is not a problem.

    :param status: of the answer; blank for a body.
    :param types: its media types.
    :param members: of its JSON.
    :param several: whether the JSON may also be a list of such objects.
    :param short: whether its members are so few that they are shown at once.
    """

    status: str
    about_html: str
    types: tuple[str, ...]
    members: tuple[Member, ...]
    several: bool = False
    short: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A status of problems that an operation may answer with.

    :param anchor: id of the element that lists the codes with this status.
    """

    status: str
    anchor: str
    about_html: str


@dataclass(frozen=True, slots=True)
class Twin:
    """The same operation at an address that has the id as a parameter.

    :param where: where the id stands, as text.
    """

    anchor: str
    method: str
    path_html: str
    where: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, with all that a reader needs to call it.

    :param anchor: id of its element, which never changes.
    :param name: its ``operationId``, as generated clients call it.
    :param scopes: of which a key needs one; empty if no key is needed.
    :param tried: whether the page offers to call it: only what writes nothing.
    """

    anchor: str
    name: str
    method: str
    path_html: str
    summary: str
    about_html: str
    scopes: tuple[str, ...]
    parameters: tuple[Member, ...]
    body: Content | None
    answers: tuple[Content, ...]
    refusals: tuple[Refusal, ...]
    call: Call
    tried: bool
    twins: tuple[Twin, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Operations about one kind of thing.

    :param old: those that are deprecated.
    """

    anchor: str
    name: str
    about: str
    operations: tuple[Operation, ...]
    old: tuple[Operation, ...]


def groups_of(document: Schema) -> tuple[Group, ...]:
    """The operations of an OpenAPI document by their tags, each group in its order."""
    shapes = Shapes(document)
    rows = [
        (path, item, method, item[method])
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    ]
    names = {described["operationId"] for *_, described in rows}
    twins: dict[str, list[Twin]] = {}
    own = []
    for path, item, method, described in rows:
        main = described["operationId"].removesuffix(_TWIN)
        if main != described["operationId"] and main in names:
            twins.setdefault(main, []).append(_twin(path, method, described, shapes))
        else:
            own.append((path, item, method, described))
    groups = []
    for tag in document["tags"]:
        operations: dict[bool, list[Operation]] = {False: [], True: []}
        for path, item, method, described in own:
            if tag["name"] in described["tags"]:
                operations[described.get("deprecated", False)].append(
                    _operation(path, item, method, described, document, shapes, twins)
                )
        groups.append(
            Group(
                anchor=f"group-{tag['name']}",
                name=tag["name"].capitalize(),
                about=tag.get("description", ""),
                operations=tuple(operations[False]),
                old=tuple(operations[True]),
            )
        )
    return tuple(groups)


def _twin(path: str, method: str, described: Schema, shapes: Shapes) -> Twin:
    parameters = [shapes.whole(each) for each in described.get("parameters", ())]
    asked = any(each["name"] == "id" for each in parameters)
    return Twin(
        anchor=_anchor(described),
        method=method.upper(),
        path_html=path_html(f"{path}?id={ID}" if asked else path),
        where="as a parameter" if asked else "in the body",
    )


def _anchor(described: Schema) -> str:
    return f"operation-{described['operationId']}"


def _operation(
    path: str,
    item: Schema,
    method: str,
    described: Schema,
    document: Schema,
    shapes: Shapes,
    twins: dict[str, list[Twin]],
) -> Operation:
    parameters = [
        shapes.whole(each)
        for each in (*item.get("parameters", ()), *described.get("parameters", ()))
    ]
    # One of these may be declared for its path and for itself.
    parameters = list(
        {(each["in"], each["name"]): each for each in parameters}.values()
    )
    security: Any = described.get("security", document.get("security", []))
    answers = {
        status: shapes.whole(answer)
        for status, answer in described["responses"].items()
    }
    called = {**described, "security": security}
    return Operation(
        anchor=_anchor(described),
        name=described["operationId"],
        method=method.upper(),
        path_html=path_html(path),
        summary=described["summary"],
        about_html=prose_html(described["description"]),
        scopes=_scopes(security),
        parameters=folded(tuple(map(shapes.parameter, parameters))),
        body=_body(described, shapes),
        answers=tuple(
            _content(status, answer, shapes)
            for status, answer in answers.items()
            if status < "4"
        ),
        refusals=tuple(
            Refusal(
                status,
                f"status-{status}" if status.isdigit() else "problems",
                prose_html(answer.get("description", "")),
            )
            for status, answer in answers.items()
            if status >= "4"
        ),
        call=call_of(method.upper(), path, called, parameters, shapes),
        tried=method == "get",
        twins=tuple(twins.get(described["operationId"], ())),
    )


def _scopes(security: list[dict[str, list[str]]]) -> tuple[str, ...]:
    """Scopes of which a key needs one; each way to send it names the same ones."""
    return tuple(
        dict.fromkeys(
            scope for way in security for scopes in way.values() for scope in scopes
        )
    )


def _body(described: Schema, shapes: Shapes) -> Content | None:
    if "requestBody" not in described:
        return None
    body = shapes.whole(described["requestBody"])
    return _content("", body, shapes)


def _content(status: str, described: Schema, shapes: Shapes) -> Content:
    content: Schema = described.get("content", {})
    media: Any = content.get(JSON) or next(iter(content.values()), {})
    schema: Any = media.get("schema", {})
    members = shapes.members(schema)
    about = described.get("description", "")
    if status and about == HTTPStatus(int(status)).phrase:
        about = ""
    return Content(
        status=status and f"{status} {HTTPStatus(int(status)).phrase}",
        about_html=prose_html(about),
        types=tuple(content),
        members=members,
        several=any(each.get("type") == "array" for each in schema.get("anyOf") or ()),
        short=_count(members) <= _FEW,
    )


def _count(members: tuple[Member, ...]) -> int:
    """Number of members, with those inside them."""
    return sum(1 + _count(member.members) for member in members)
