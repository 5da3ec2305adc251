"""The JSON Schemas (2020-12) of the contract, by name: `PutFrame`, `Subscribe`, `Written`, `Problem` and the others.

They stand in the `*.json` files beside this one, and nowhere else: the documents have copies that a command makes.
"""

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

FILES: Final = ("names", "frames", "operations", "bodies", "problems", "records")
_LOCAL: Final = "#/$defs/"


@lru_cache(maxsize=1)
def definitions() -> dict[str, Any]:
    """Every schema by its name; a `$ref` among them is `#/$defs/NAME`, whichever file it is in. Not to be changed."""
    found: dict[str, Any] = {}
    for name in FILES:
        text = (files(__package__) / f"{name}.json").read_text("utf-8")
        for other in FILES:
            text = text.replace(f'"{other}.json{_LOCAL}', f'"{_LOCAL}')
        for key, schema in json.loads(text)["$defs"].items():
            if found.setdefault(key, schema) is not schema:
                raise ValueError(f"{key} is defined twice")
    return found


def schema_of(name: str) -> dict[str, Any]:
    """A schema that stands by itself, with all that it refers to."""
    return {"$ref": _LOCAL + name, "$defs": definitions()}


def components(prefix: str = "#/components/schemas/") -> dict[str, Any]:
    """Every schema by its name, as a document has them at `prefix`."""
    moved: dict[str, Any] = json.loads(json.dumps(definitions()).replace(f'"{_LOCAL}', f'"{prefix}'))
    return moved
