"""The documents of the API as a judge: what docs/openapi.yaml and docs/asyncapi.yaml say of frames and of requests.

For clients the schemas of what the server says are open, so that members may be added. Here they are closed: a member
that the documents don't know is a mistake of either side.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import yaml

ROOT: Final = Path(__file__).parents[2]
_COMPONENTS: Final = "#/components/"
_OPEN: Final = "Problem"
"""Others extend it by `allOf`, and are closed themselves."""
_AS_IT_IS: Final = frozenset({"const", "enum", "examples", "allOf"})
Document = dict[str, Any]
Mistakes = Callable[[Any], list[str]]


@lru_cache(maxsize=2)
def document(name: str) -> Document:
    """`openapi` or `asyncapi`, as it is written."""
    read: Document = yaml.safe_load((ROOT / "docs" / f"{name}.yaml").read_text("utf-8"))
    return read


def closed(schema: Any) -> Any:
    """The same with no member that it doesn't name."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    shut = {key: value if key in _AS_IT_IS else closed(value) for key, value in schema.items()}
    extends = str(schema.get("$ref", "")).endswith(f"/{_OPEN}")
    if extends or ("properties" in schema and "type" in schema) or "allOf" in schema:
        shut.setdefault("unevaluatedProperties", False)
    return shut


@lru_cache(maxsize=2)
def closed_document(name: str) -> Document:
    """The document with its schemas closed."""
    read = dict(document(name))
    schemas = read["components"]["schemas"]
    shut = {key: schema if key == _OPEN else closed(schema) for key, schema in schemas.items()}
    # A part of another schema: the whole is what is closed.
    if _OPEN in shut:
        shut[_OPEN] = {key: closed(value) if key == "properties" else value for key, value in schemas[_OPEN].items()}
    read["components"] = read["components"] | {"schemas": shut}
    return read


@lru_cache(maxsize=256)
def judge(name: str, reference: str) -> Mistakes:
    """What is wrong with a value, by the schema at a reference into a document."""
    found = {"$ref": reference, "components": {"schemas": closed_document(name)["components"]["schemas"]}}
    return _judge(found)


def judge_of(name: str, schema: Mapping[str, Any]) -> Mistakes:
    """The same, by a schema that stands in the document."""
    return _judge({**closed(schema), "components": {"schemas": closed_document(name)["components"]["schemas"]}})


def _judge(schema: Mapping[str, Any]) -> Mistakes:
    compiled = jsonschema_rs.Draft202012Validator(dict(schema), validate_formats=True)

    def mistakes(value: Any) -> list[str]:
        return [
            f"{'/'.join(map(str, error.instance_path))}: {error.message[:300]}" for error in compiled.iter_errors(value)
        ]

    return mistakes


def resolved(node: Any, name: str = "openapi") -> Any:
    """What a `$ref` of a document stands for, or the node itself."""
    while isinstance(node, dict) and str(node.get("$ref", "")).startswith(_COMPONENTS):
        found: Any = document(name)
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        node = found
    return node


_KINDS: Final = {
    "put": ("PutFrame", "CloudEventFrame"),
    "delete": ("DeleteFrame", "CloudEventFrame"),
}


def frame_mistakes(frame: Mapping[str, Any]) -> list[str]:
    """What is wrong with a frame, by the schema of its event."""
    event = str(frame.get("event"))
    plain, cloud = _KINDS.get(event, (f"{event.title()}Frame", ""))
    kind = cloud if cloud and "specversion" in frame else plain
    if kind not in document("asyncapi")["components"]["schemas"]:
        return [f"no document knows a frame {event!r}"]
    return judge("asyncapi", f"#/components/schemas/{kind}")(frame)


def operation_mistakes(operation: Any) -> list[str]:
    """What is wrong with an operation."""
    name = operation.get("op") if isinstance(operation, dict) else None
    kind = str(name).title()
    if kind not in document("asyncapi")["components"]["schemas"]:
        return [f"no document knows an operation {name!r}"]
    return judge("asyncapi", f"#/components/schemas/{kind}")(operation)


@lru_cache(maxsize=1)
def _paths() -> list[tuple[re.Pattern[str], str]]:
    # Those without a variable first: `/v1/watch/ws` is no collection `watch`.
    templates = sorted(document("openapi")["paths"], key=lambda path: path.count("{"))
    templates.sort(key=lambda path: (path.count("{"), -len(path)))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in templates]


def template_of(path: str) -> str | None:
    """The path of the document that a percent-encoded path of a request belongs to."""
    for pattern, template in _paths():
        if pattern.fullmatch(path) and not (template.endswith("}") and path.endswith(("/stream", "/ws", "/poll"))):
            return template
    return None
