"""JSON Schema (2020-12) enforcement on writes."""

from pathlib import Path
from typing import Any, Final, Self

import jsonschema_rs
import orjson

_MAX_ERRORS: Final = 20


class Schema:
    """A compiled JSON Schema."""

    def __init__(self, document: Any) -> None:
        self._validator = jsonschema_rs.Draft202012Validator(document, validate_formats=True)

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read and compile; raises ValueError with the path and the reason (pydantic turns it into a mistake)."""
        try:
            return cls(orjson.loads(path.read_bytes()))
        except (OSError, orjson.JSONDecodeError, jsonschema_rs.ValidationError, ValueError) as error:
            raise ValueError(f"{path}: {error}") from None

    def mistakes(self, value: Any) -> list[str]:
        """What is wrong with a value, at most 20 lines of `path: reason`; empty when it fits."""
        lines = []
        for error in self._validator.iter_errors(value):
            where = "/".join(str(part) for part in error.instance_path)
            lines.append(f"{where or '(whole)'}: {error.message[:300]}")
            if len(lines) == _MAX_ERRORS:
                break
        return lines
