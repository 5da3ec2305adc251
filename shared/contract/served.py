"""The OpenAPI document that a running system serves: docs/openapi.yaml, with a path and types for each collection.

What depends on the data of a collection (`State`) gets a copy for each: `State_stocks`, `PutFrame_stocks`, and so on to
the paths. A client that is generated from it has types for `stocks`.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, Literal, NamedTuple

from shared.catalog import Collection
from shared.principal import Principal
from shared.resource import Watch

Part = Literal["all", "part", "none"]
_GENERIC: Final = "/v1/{collection}"
_PARAMETER: Final = "#/components/parameters/Collection"
_STATE: Final = ("schemas", "State")
_KINDS: Final = ("schemas", "responses", "requestBodies")
_METHODS: Final[Mapping[str, str]] = {"get": "watch", "post": "publish", "put": "publish", "delete": "publish"}
_ANY: Final = {"description": "Any JSON."}
_EXAMPLES: Final = ("example", "examples")
_NOT_OURS: Final = ("$schema", "$id")
Name = tuple[str, str]


class Granted(NamedTuple):
    """A collection, and how much of it may be watched and published."""

    collection: Collection
    watch: Part
    publish: Part

    @classmethod
    def to(cls, principal: Principal, collections: Iterable[Collection]) -> "tuple[Granted, ...]":
        """Those of which anything is granted: nobody is told of others."""
        found = (cls(each, _part(principal, "watch", each), _part(principal, "publish", each)) for each in collections)
        return tuple(each for each in found if (each.watch, each.publish) != ("none", "none"))


def served_document(granted: Sequence[Granted]) -> dict[str, Any]:
    """The document for these collections."""
    base = _base()
    components = {kind: dict(base["components"][kind]) for kind in base["components"]}
    paths = {path: item for path, item in base["paths"].items() if not path.startswith(_GENERIC)}
    tags = list(base["tags"])
    names = _names([each.collection.name for each in granted])
    for each in granted:
        suffix = names[each.collection.name]
        moved = {_pointer(name): f"{_pointer(name)}_{suffix}" for name in _dependent()}
        data = _data_schema(each.collection, f"{_pointer(_STATE)}_{suffix}")
        for kind, name in _dependent():
            made = _rewritten(base["components"][kind][name], moved)
            components[kind][f"{name}_{suffix}"] = made if data is _ANY else _exemplified(made, data)
        components["schemas"][f"State_{suffix}"] = data
        paths |= _paths_of(each, suffix, moved)
        tags.append(_tag(each))
    return {**base, "tags": tags, "paths": paths, "components": components}


@lru_cache(maxsize=1)
def _base() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((files(__package__) / "openapi.served.json").read_text("utf-8"))
    return read


@lru_cache(maxsize=1)
def _dependent() -> tuple[Name, ...]:
    """What of the components refers to the state of a resource, through whatever."""
    components = _base()["components"]
    found = {_STATE}
    before = 0
    while len(found) > before:
        before = len(found)
        pointers = {_pointer(name) for name in found}
        found |= {
            (kind, name) for kind in _KINDS for name, each in components[kind].items() if pointers & set(_refs(each))
        }
    return tuple(sorted(found))


def _pointer(name: Name) -> str:
    return "#/components/" + "/".join(name)


def _refs(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for each in node.values():
            yield from _refs(each)
    elif isinstance(node, list):
        for each in node:
            yield from _refs(each)


def _rewritten(node: Any, moved: Mapping[str, str]) -> Any:
    if isinstance(node, list):
        return [_rewritten(each, moved) for each in node if each != {"$ref": _PARAMETER}]
    if not isinstance(node, dict):
        return node
    return {
        key: moved.get(value, value) if key == "$ref" and isinstance(value, str) else _rewritten(value, moved)
        for key, value in node.items()
    }


def _data_schema(collection: Collection, pointer: str) -> Any:
    """The schema of the data as it is configured; what it refers to within itself is found at its new place."""
    path = collection.settings.schema_file
    if path is None:
        return _ANY

    def moved(node: Any) -> Any:
        if isinstance(node, list):
            return [moved(each) for each in node]
        if not isinstance(node, dict):
            return node
        return {
            key: pointer + value.removeprefix("#") if key == "$ref" and str(value).startswith("#") else moved(value)
            for key, value in node.items()
        }

    schema = json.loads(path.read_text("utf-8"))
    if not isinstance(schema, dict):
        return schema
    return {key: value for key, value in moved(schema).items() if key not in _NOT_OURS}


def _exemplified(node: Any, data: Any) -> Any:
    """The same with the collection's own example as the data of each example, and without examples if it has none."""
    if isinstance(node, list):
        return [_exemplified(each, data) for each in node]
    if not isinstance(node, dict):
        return node
    own = data.get("examples") if isinstance(data, dict) else None
    kept = {key: _exemplified(value, data) for key, value in node.items() if key not in _EXAMPLES}
    if own and isinstance(examples := node.get("examples"), list):
        kept["examples"] = _with_data(examples, own[0])
    return kept


def _with_data(node: Any, example: Any) -> Any:
    if isinstance(node, list):
        return [_with_data(each, example) for each in node]
    if not isinstance(node, dict):
        return node
    return {key: example if key == "data" else _with_data(value, example) for key, value in node.items()}


def _paths_of(granted: Granted, suffix: str, moved: Mapping[str, str]) -> dict[str, Any]:
    paths = {}
    for path, item in _base()["paths"].items():
        if not path.startswith(_GENERIC):
            continue
        kept = {"parameters": _rewritten(item["parameters"], moved)}
        for method, operation in item.items():
            if method in _METHODS and getattr(granted, _METHODS[method]) != "none":
                kept[method] = _operation_of(granted, suffix, _rewritten(operation, moved))
        if len(kept) > 1:
            paths[path.replace(_GENERIC, f"/v1/{granted.collection.name}")] = kept
    return paths


def _operation_of(granted: Granted, suffix: str, operation: dict[str, Any]) -> dict[str, Any]:
    note = {} if granted.collection.deprecation is None else {"deprecated": True}
    named = {"operationId": f"{operation['operationId']}_{suffix}", "tags": [granted.collection.name]}
    return {**operation, **named, **note}


def _tag(granted: Granted) -> dict[str, Any]:
    collection = granted.collection
    about: dict[str, Any] = {
        "modes": list(collection.settings.modes),
        "state": collection.settings.state,
        "public": collection.settings.public,
        "granted": {"watch": granted.watch, "publish": granted.publish},
    }
    if collection.deprecation is not None:
        about["deprecated"] = collection.deprecation.note
    return {"name": collection.name, "description": f"The collection {collection.name}.", "x-watchroute": about}


def _names(collections: Iterable[str]) -> dict[str, str]:
    """A name for types of each: `a-b` and `a.b` would be the same, and get numbers."""
    found: dict[str, str] = {}
    for name in collections:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        taken = set(found.values())
        number = 2
        suffix = plain
        while suffix in taken:
            suffix, number = f"{plain}_{number}", number + 1
        found[name] = suffix
    return found


def _part(principal: Principal, action: Literal["watch", "publish"], collection: Collection) -> Part:
    if principal.grants.cover(action, Watch(collection.name)):
        return "all"
    return "part" if principal.grants.some(action, collection.name) else "none"
