"""What a setting may be, in words."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo

_NAMES: Final = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "text",
    date: "date",
    Path: "path",
    SecretStr: "text, secret",
}


def type_text(field: FieldInfo) -> str:
    """The type of a setting and its bounds: `integer, from 1 to 10`."""
    return ", ".join([_type_text(field.annotation), *_bounds(field)])


def _type_text(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        return " or ".join(_type_text(argument) for argument in arguments if argument is not NoneType)
    if origin is Literal:
        return ", ".join(f'`"{value}"`' for value in arguments)
    if origin in {tuple, list}:
        return f"list of {_type_text(arguments[0])}"
    return _NAMES[annotation]


def _bounds(field: FieldInfo) -> Iterator[str]:
    found = [_bound_text(bound) for kind in (Ge, Gt, Le, Lt) for bound in field.metadata if isinstance(bound, kind)]
    if found:
        yield " ".join(found)


def _bound_text(bound: object) -> str:
    match bound:
        case Ge(ge=limit):
            return f"from {limit}"
        case Gt(gt=limit):
            return f"above {limit}"
        case Le(le=limit):
            return f"to {limit}"
        case Lt(lt=limit):
            return f"below {limit}"
    raise TypeError(bound)
