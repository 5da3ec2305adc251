"""POST over HTTP: all items are checked before one is written."""

from typing import Any

import msgpack
import orjson
import pytest

from shared.problem import Problem
from tests.unit.producer.conftest import Serve

NDJSON = "application/x-ndjson"
ITEMS = [{"id": "a", "data": {"n": 1}}, {"id": "b", "data": None}, {"id": "a", "delete": True}]
BODIES = {
    "application/json": orjson.dumps(ITEMS),
    NDJSON: b"\r\n".join(map(orjson.dumps, ITEMS)) + b"\n\n",
    "application/msgpack": msgpack.packb(ITEMS),
}


@pytest.mark.parametrize("kind", BODIES)
async def test_a_batch_is_its_items_in_order(serve: Serve, kind: str) -> None:
    service = await serve()
    answer = await service.ask("POST", "/v1/items", BODIES[kind], kind)
    assert answer.status == 200
    assert [result["resource"] for result in answer.body["results"]] == ["items/a", "items/b", "items/a"]
    assert [(write.id, write.value) for write in service.publisher.writes] == [
        ("a", b'{"n":1}'),
        ("b", b"null"),
        ("a", None),
    ]
    assert service.publisher.together == [False] * 3


@pytest.mark.parametrize(("query", "together"), [("?atomic=true", True), ("?atomic=false", False), ("", False)])
async def test_a_batch_is_written_together_when_asked_for(serve: Serve, query: str, *, together: bool) -> None:
    service = await serve()
    assert (await service.ask("POST", f"/v1/items{query}", BODIES[NDJSON], NDJSON)).status == 200
    assert service.publisher.together == [together] * 3


@pytest.mark.parametrize("query", ["?atomic", "?atomic=", "?atomic=1", "?atomic=true&atomic=true", "?dry=1"])
async def test_any_other_parameter_is_refused(serve: Serve, query: str) -> None:
    answer = await (await serve()).ask("POST", f"/v1/items{query}", b"[]")
    assert (answer.status, answer.body["code"]) == (400, "invalid")


@pytest.mark.parametrize("data", [b"1e2", b"123456789012345678901234567890", b'{"b":1,"b":2}'])
async def test_the_data_of_an_item_is_written_as_it_stands(serve: Serve, data: bytes) -> None:
    service = await serve()
    item = b'{ "data" : ' + data + b' , "id":"a"}'
    await service.ask("POST", "/v1/items", b"[" + item + b"]")
    await service.ask("POST", "/v1/items", item, NDJSON)
    assert [write.value for write in service.publisher.writes] == [data, data]


BAD: list[Any] = [
    {"id": "a"},
    {"data": 1},
    {"id": "a", "data": 1, "delete": True},
    {"id": "a", "data": 1, "type": "x"},
    {"id": "a", "delete": False},
    {"id": "a", "delete": 1},
    {"id": 7, "data": 1},
    {"id": None, "data": 1},
    {"id": "", "data": 1},
    {"id": "..", "data": 1},
    {"id": "x" * 513, "data": 1},
    {"id": "a", "data": [[[[1]]]]},
    {},
    [],
    7,
    None,
    "a",
]


@pytest.mark.parametrize("kind", ["application/json", NDJSON])
async def test_one_bad_item_is_enough_to_write_nothing(serve: Serve, kind: str) -> None:
    service = await serve(max_depth=3)
    items = [ITEMS[0], *BAD, ITEMS[1]]
    body = orjson.dumps(items) if kind != NDJSON else b"\n".join(map(orjson.dumps, items))
    answer = await service.ask("POST", "/v1/items", body, kind)
    assert (answer.status, answer.body["code"]) == (422, "invalid")
    assert [error["index"] for error in answer.body["errors"]] == list(range(1, len(BAD) + 1))
    assert all(error["detail"] for error in answer.body["errors"])
    assert not service.publisher.writes


async def test_a_line_that_is_no_json_is_named_by_its_index(serve: Serve) -> None:
    body = orjson.dumps(ITEMS[0]) + b"\n{\n" + orjson.dumps(ITEMS[1])
    answer = await (await serve()).ask("POST", "/v1/items", body, NDJSON)
    assert (answer.status, [error["index"] for error in answer.body["errors"]]) == (422, [1])


async def test_every_mistake_of_every_item_is_told(serve: Serve) -> None:
    items = [{"id": "a", "data": {"price": 1}}, {"id": "b", "data": {"price": "x"}}, {"id": "c", "data": {}}]
    answer = await (await serve()).ask("POST", "/v1/strict", orjson.dumps(items))
    assert [(error["index"], len(error["errors"])) for error in answer.body["errors"]] == [(1, 1), (2, 1)]


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"7", b"null", b"[", b"[1]x", b'{"id":"a","data":1}'])
async def test_a_body_that_is_no_array_is_not_understood(serve: Serve, body: bytes) -> None:
    answer = await (await serve()).ask("POST", "/v1/items", body)
    assert (answer.status, answer.body["code"]) == (400, "invalid")


@pytest.mark.parametrize("kind", ["application/json", NDJSON])
async def test_a_batch_has_a_largest_number_of_items(serve: Serve, kind: str) -> None:
    service = await serve(max_batch=2)
    body = BODIES[kind]
    answer = await service.ask("POST", "/v1/items", body, kind)
    assert (answer.status, answer.body["code"]) == (413, "too_large")
    assert not service.publisher.writes


async def test_an_empty_batch_has_no_results(serve: Serve) -> None:
    service = await serve()
    for kind, body in (("application/json", b"[]"), (NDJSON, b"\n")):
        for query in ("", "?atomic=true"):
            answer = await service.ask("POST", f"/v1/items{query}", body, kind)
            assert (answer.status, answer.body) == (200, {"results": []})


async def test_what_kafka_refuses_is_an_error_in_its_place(serve: Serve) -> None:
    service = await serve()
    service.publisher.answers = [Problem("too_large", "too much", outcome="not_written")]
    answer = await service.ask("POST", "/v1/items", BODIES[NDJSON], NDJSON)
    assert answer.status == 200
    first, second, third = answer.body["results"]
    assert (first["resource"], first["problem"]["code"]) == ("items/a", "too_large")
    assert {"version", "cursor"} <= set(second) & set(third)


async def test_a_batch_of_which_nothing_was_written_is_no_success(serve: Serve) -> None:
    service = await serve()
    service.publisher.answers = [Problem("unavailable", "away", outcome="unknown") for _ in ITEMS]
    answer = await service.ask("POST", "/v1/items", BODIES[NDJSON], NDJSON)
    assert (answer.status, answer.body["code"], len(answer.body["results"])) == (503, "unavailable", 3)
    assert answer.headers["Retry-After"]


async def test_the_trace_and_the_type_are_those_of_every_item(serve: Serve, trace: str) -> None:
    service = await serve()
    await service.ask("POST", "/v1/items", BODIES[NDJSON], NDJSON, traceparent=trace, ce_type="x")
    headers = [dict(write.headers) for write in service.publisher.writes]
    assert {(found["traceparent"], found["ce_type"]) for found in headers} == {(trace.encode(), b"x")}
    assert len({found["ce_id"] for found in headers}) == 3


async def test_one_id_cannot_be_that_of_many_events(serve: Serve) -> None:
    answer = await (await serve()).ask("POST", "/v1/items", BODIES[NDJSON], NDJSON, ce_id="1")
    assert (answer.status, answer.body["code"]) == (400, "invalid")
