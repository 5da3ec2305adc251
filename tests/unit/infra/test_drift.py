"""A member that is renamed on one side only is seen, whichever side and whichever member that is."""

import copy
from collections.abc import Iterator
from typing import Any, Final

import jsonschema_rs
import pytest

from shared.contract.definitions import definitions
from tests.support.contract import closed, closed_document

NAMES: Final = [
    name for name, schema in definitions().items() if "properties" in schema and name not in {"Problem", "EventHeaders"}
]


def judged(name: str, schemas: dict[str, Any], value: Any) -> bool:
    """Whether a value is as a schema says, when nothing else may be there."""
    shut = {key: closed(each) if key != "Problem" else each for key, each in schemas.items()}
    return jsonschema_rs.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": shut}).is_valid(value)


def renamed(key: str, member: str) -> str:
    return f"{key}_" if key == member else key


def members() -> Iterator[Any]:
    for name in NAMES:
        for number, example in enumerate(definitions()[name].get("examples", ())):
            for member in example if isinstance(example, dict) else ():
                yield pytest.param(name, example, member, id=f"{name}-{number}-{member}")


@pytest.mark.parametrize(("name", "example", "member"), list(members()))
def test_a_member_that_only_the_code_renames_is_seen(name: str, example: dict[str, Any], member: str) -> None:
    assert judged(name, definitions(), example)
    assert not judged(name, definitions(), {renamed(key, member): value for key, value in example.items()})


@pytest.mark.parametrize(("name", "example", "member"), list(members()))
def test_a_member_that_only_the_document_renames_is_seen(name: str, example: dict[str, Any], member: str) -> None:
    schemas = copy.deepcopy(definitions())
    for each in {name, "Problem"} if name.endswith("Problem") else {name}:
        schema = schemas[each]
        schema["properties"] = {renamed(key, member): value for key, value in schema["properties"].items()}
        schema["required"] = [renamed(key, member) for key in schema.get("required", ())]
    assert not judged(name, schemas, example)


def test_what_the_tests_judge_by_is_closed_and_what_clients_get_is_open() -> None:
    shut = closed_document("asyncapi")["components"]["schemas"]["BookmarkFrame"]
    assert shut["unevaluatedProperties"] is False
    assert "unevaluatedProperties" not in definitions()["BookmarkFrame"]
