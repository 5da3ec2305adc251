"""The document of a running system: types and paths for each collection, as OpenAPI has them."""

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from shared.catalog import Catalog, CollectionSettings
from shared.contract.served import Granted, served_document
from shared.grants import Grants
from shared.principal import EVERYBODY, Principal
from shared.schema import Schema

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:example:order",
    "type": "object",
    "required": ["items"],
    "properties": {"items": {"type": "array", "items": {"$ref": "#/$defs/item"}}, "before": {"$ref": "#"}},
    "examples": [{"items": [{"count": 1}]}],
    "$defs": {"item": {"type": "object", "properties": {"count": {"type": "integer"}}}},
}


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    (tmp_path / "order.json").write_text(json.dumps(SCHEMA))
    tables: dict[str, dict[str, Any]] = {
        "orders": {"schema": tmp_path / "order.json", "modes": ("state", "log")},
        "a-b": {"deprecated": "2026-11-01", "successor": "a.b"},
        "a.b": {},
    }
    return Catalog({name: CollectionSettings.model_validate(table) for name, table in tables.items()})


@pytest.fixture
def document(catalog: Catalog) -> dict[str, Any]:
    return served_document(Granted.to(EVERYBODY, catalog))


def test_it_is_valid_openapi(document: dict[str, Any]) -> None:
    validate(document)


def test_it_is_json(document: dict[str, Any]) -> None:
    assert json.loads(json.dumps(document)) == document


def test_each_collection_has_paths_of_its_own_and_none_is_left_open(document: dict[str, Any]) -> None:
    assert {"/v1/orders", "/v1/orders/{id}/stream", "/v1/a-b/poll", "/v1/watch/ws"} <= set(document["paths"])
    assert not [path for path in document["paths"] if "{collection}" in path]
    assert "#/components/parameters/Collection" not in json.dumps(document["paths"])


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    ids = [
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict)
    ]
    assert len(set(ids)) == len(ids)
    assert {"read_orders", "read_a_b", "read_a_b_2"} <= set(ids)


@pytest.mark.parametrize(
    ("data", "fits"),
    [
        ({"items": [{"count": 1}]}, True),
        ({"items": [{"count": "one"}]}, False),
        ({"items": [], "before": {"items": []}}, True),
        ({"items": [], "before": {}}, False),
    ],
)
def test_a_frame_of_a_collection_has_its_data(document: dict[str, Any], data: Any, *, fits: bool) -> None:
    frame = Schema({"$ref": "#/components/schemas/PutFrame_orders", "components": document["components"]})
    assert (frame.mistakes({"event": "put", "resource": "orders/1", "version": "1", "data": data}) == []) is fits


def test_what_is_read_listed_polled_and_written_has_that_type(document: dict[str, Any]) -> None:
    item = document["paths"]["/v1/orders/{id}"]
    assert item["get"]["responses"]["200"]["$ref"] == "#/components/responses/State_orders"
    assert item["put"]["requestBody"]["$ref"] == "#/components/requestBodies/State_orders"
    poll = document["components"]["responses"]["Poll_orders"]["content"]["application/json"]["schema"]
    assert poll["$ref"] == "#/components/schemas/Poll_orders"


def test_the_examples_of_a_schema_are_in_it(document: dict[str, Any]) -> None:
    assert document["components"]["schemas"]["State_orders"]["examples"] == SCHEMA["examples"]


def test_what_is_deprecated_is_marked(document: dict[str, Any]) -> None:
    (tag,) = (tag for tag in document["tags"] if tag["name"] == "a-b")
    assert tag["x-watchroute"]["deprecated"] == {"since": "2026-11-01", "successor": "a.b"}
    assert document["paths"]["/v1/a-b/{id}"]["get"]["deprecated"] is True
    assert "deprecated" not in document["paths"]["/v1/a.b/{id}"]["get"]


def test_what_is_not_granted_is_not_named(catalog: Catalog) -> None:
    nobody = Principal("somebody", 0, Grants(()))
    assert Granted.to(nobody, catalog) == ()
    assert "/v1/orders" not in json.dumps(served_document(()))
