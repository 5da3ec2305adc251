"""PUT, DELETE and POST at the producer (protocol section 2)."""

import json
import secrets
from typing import Any

import pytest

from tests.conformance.scene import Scene
from tests.support.client import Answer, Http, Watch, Writer
from tests.support.fleet import Fleet

JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}


async def put(writer: Writer, target: str, body: bytes, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await writer.http.request("PUT", target, headers=JSON | named, body=body)


async def post(writer: Writer, target: str, items: Any) -> Answer:
    return await writer.http.request("POST", target, headers=JSON, body=json.dumps(items).encode())


def fresh() -> str:
    return f"w{secrets.token_hex(4)}"


async def test_a_put_answers_where_the_write_is(scene: Scene) -> None:
    answer = await put(scene.writer, scene.watch.path, b'{"a":1}')
    assert (answer.status, answer.media_type) == (200, "application/json")
    assert set(answer.json()) == {"resource", "version", "cursor"}
    assert answer.json()["resource"] == scene.resource(0)
    later = await scene.put(scene.resource(0))
    assert later.version > int(answer.json()["version"])


async def test_a_delete_answers_the_same_and_may_be_repeated(scene: Scene) -> None:
    for _ in range(2):
        answer = await scene.writer.http.request("DELETE", scene.watch.path)
        assert answer.status == 200
        assert set(answer.json()) == {"resource", "version", "cursor"}


@pytest.mark.parametrize("condition", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_conditional_write_is_refused(writer: Writer, method: str, condition: str) -> None:
    headers = {condition: "*", **(JSON if method == "PUT" else {})}
    body = b"1" if method == "PUT" else None
    answer = await writer.http.request(method, "/v1/items/conditional", headers=headers, body=body)
    assert (answer.status, answer.problem()["code"]) == (400, "invalid")


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b'{"a":Infinity}', b'"\xff"', b"[1,]", b"1 2", b"\xef\xbb\xbf1"])
async def test_a_body_that_is_no_json_is_refused(writer: Writer, body: bytes) -> None:
    answer = await put(writer, "/v1/items/bad", body)
    assert answer.status in {400, 422}
    assert answer.problem()["code"] == "invalid"


async def test_a_body_nested_too_deep_is_refused(writer: Writer) -> None:
    answer = await put(writer, "/v1/items/deep", b"[" * 100_000 + b"]" * 100_000)
    assert answer.status in {400, 422}
    assert answer.problem()["code"] == "invalid"


async def test_a_body_of_another_type_is_refused(writer: Writer) -> None:
    answer = await put(writer, "/v1/items/text", b"hello", Content_Type="text/plain")
    assert (answer.status, answer.problem()["code"]) == (415, "unsupported_media_type")


async def test_a_body_too_large_is_refused(writer: Writer) -> None:
    answer = await put(writer, "/v1/small/large", json.dumps("x" * 2000).encode())
    assert (answer.status, answer.problem()["code"]) == (413, "too_large")


async def test_a_write_that_breaks_the_schema_is_refused(writer: Writer, reader: Http) -> None:
    answer = await put(writer, "/v1/strict/a", b'{"price":"high"}')
    assert (answer.status, answer.problem()["code"]) == (422, "invalid")
    assert (await put(writer, "/v1/strict/b", b'{"price":1}')).status == 200
    assert (await reader.get("/v1/strict/a")).status == 404


async def test_a_write_to_an_unknown_collection_is_refused(writer: Writer) -> None:
    answer = await put(writer, "/v1/nowhere/a", b"1")
    assert (answer.status, answer.problem()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "segment", ["stream", "ws", "poll", "watch", "x" * 513, "%00", "a%00b", "%FF", "%C3%A9" * 257], ids=lambda s: s[:7]
)
async def test_a_name_that_no_resource_may_have_is_refused(writer: Writer, segment: str) -> None:
    answer = await put(writer, f"/v1/items/{segment}", b"1")
    assert answer.status in {400, 404, 405}
    assert answer.problem()["code"] in {"invalid", "not_found", "method_not_allowed"}


async def test_an_unknown_parameter_of_a_write_is_refused(writer: Writer) -> None:
    answer = await put(writer, "/v1/items/a?dry_run=true", b"1")
    assert (answer.status, answer.problem()["code"]) == (400, "invalid")


@pytest.mark.parametrize("form", ["array", "ndjson"])
@pytest.mark.parametrize("atomic", [pytest.param(True, marks=pytest.mark.real_kafka), False], ids=["atomic", "plain"])
async def test_a_post_writes_many_in_order(scene: Scene, form: str, atomic: bool) -> None:  # noqa: FBT001 -- a case
    ids = [fresh() for _ in range(3)]
    items: list[dict[str, Any]] = [{"id": name, "data": {"n": n}} for n, name in enumerate(ids)]
    items.append({"id": ids[0], "delete": True})
    ndjson = b"\n".join(json.dumps(item).encode() for item in items)
    body, headers = (ndjson, NDJSON) if form == "ndjson" else (json.dumps(items).encode(), JSON)
    target = "/v1/items?atomic=true" if atomic else "/v1/items"
    answer = await scene.writer.http.request("POST", target, headers=headers, body=body)
    assert answer.status == 200, answer.body
    results = answer.json()["results"]
    assert [result["resource"] for result in results] == [f"items/{item['id']}" for item in items]
    assert int(results[3]["version"]) > int(results[0]["version"])
    for result, status in zip(results[1:], (200, 200, 404), strict=True):
        async with Http(scene.here.url) as http:
            target = Watch("items", result["resource"].partition("/")[2]).path
            assert (await http.get(f"{target}?at_least={result['cursor']}")).status == status


@pytest.mark.parametrize(
    "bad",
    [{"id": "", "data": 1}, {"data": 1}, {"id": "a"}, {"id": "a", "data": 1, "delete": True}, {"id": "a", "dat": 1}, 7],
    ids=["no-name", "no-id", "nothing", "both", "unknown-member", "no-object"],
)
async def test_one_bad_item_of_a_post_writes_nothing(scene: Scene, reader: Http, bad: Any) -> None:
    good = fresh()
    answer = await post(scene.writer, "/v1/items", [{"id": good, "data": 1}, bad, {"id": "x" * 600, "data": 1}])
    assert (answer.status, answer.problem()["code"]) == (422, "invalid")
    assert [error["index"] for error in answer.problem()["errors"]] == [1, 2]
    await scene.put(scene.resource(0))
    await scene.applied()
    assert (await reader.get(f"/v1/items/{good}")).status == 404


async def test_a_post_reports_every_breach_of_the_schema(writer: Writer) -> None:
    items = [{"id": "a", "data": {"price": 1}}, {"id": "b", "data": 2}, {"id": "c", "data": {}}]
    answer = await post(writer, "/v1/strict", items)
    assert answer.status == 422
    assert [error["index"] for error in answer.problem()["errors"]] == [1, 2]


@pytest.mark.parametrize("body", [b"7", b"{", b'{"id":"a","data":1}'], ids=["number", "broken", "object"])
async def test_a_post_that_is_no_array_is_refused(writer: Writer, body: bytes) -> None:
    answer = await writer.http.request("POST", "/v1/items", headers=JSON, body=body)
    assert answer.status in {400, 422}
    assert answer.problem()["code"] == "invalid"


@pytest.mark.parametrize("value", ["maybe", "", "1x"])
async def test_atomic_is_true_or_false(writer: Writer, value: str) -> None:
    answer = await post(writer, f"/v1/items?atomic={value}", [])
    assert (answer.status, answer.problem()["code"]) == (400, "invalid")


@pytest.mark.parametrize(
    ("method", "target"), [("PATCH", "/v1/items/a"), ("PUT", "/v1/items"), ("DELETE", "/v1/items")]
)
async def test_a_method_that_the_producer_lacks_is_a_405(fleet: Fleet, method: str, target: str) -> None:
    async with Http(fleet.producer.url) as http:
        answer = await http.request(method, target, headers=JSON, body=b"1")
    assert (answer.status, answer.problem()["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"]
