"""PUT and DELETE over HTTP: what becomes of a request before Kafka is asked."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgpack
import pytest

from shared.problem import Problem
from shared.resource import path_of
from tests.unit.producer.conftest import Serve

LIMITS: dict[str, Any] = {"max_id_bytes": 8, "max_depth": 3, "max_body_bytes": 1024}


async def test_a_put_is_one_write_of_the_body_as_it_is(serve: Serve) -> None:
    service = await serve()
    answer = await service.ask("PUT", "/v1/items/a%2Fb%20%C3%A9", b' {"n": 1e2} ')
    assert (answer.status, answer.body) == (200, {"resource": "items/a/b é", "version": "1", "cursor": "cursor"})
    (write,) = service.publisher.writes
    assert (write.id, write.value, write.topic) == ("a/b é", b' {"n": 1e2} ', "items")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["a\nb", "a\r\nb", "?prefix=x", "a?b#c", "+", "%2F", "%"])
async def test_an_id_may_have_any_character(serve: Serve, name: str) -> None:
    service = await serve()
    assert (await service.ask("PUT", path_of("items", name), b"1")).status == 200
    assert service.publisher.writes[0].id == name


async def test_a_delete_is_one_write_without_a_value(serve: Serve) -> None:
    service = await serve()
    assert (await service.ask("DELETE", "/v1/items/a")).status == 200
    assert service.publisher.writes[0].value is None


async def test_the_time_of_the_event_and_of_the_record_are_one(serve: Serve) -> None:
    service = await serve()
    await service.ask("PUT", "/v1/items/a", b"1")
    (write,) = service.publisher.writes
    assert f"{write.time_ms % 1000:03d}Z".encode() == dict(write.headers)["ce_time"][-4:]


async def test_attributes_and_the_trace_come_from_headers(serve: Serve, trace: str) -> None:
    service = await serve()
    await service.ask("PUT", "/v1/items/a", b"1", ce_type="a.b", ce_id="7", ce_source="/x", traceparent=trace)
    headers = dict(service.publisher.writes[0].headers)
    assert (headers["ce_type"], headers["ce_id"], headers["ce_source"]) == (b"a.b", b"7", b"/x")
    assert headers["traceparent"] == trace.encode()


@pytest.mark.parametrize(
    ("collection", "value"), [("items", b'{"a":[1,null]}'), ("packed", msgpack.packb({"a": [1, None]}))]
)
@pytest.mark.parametrize(
    ("kind", "body"),
    [("application/json", b'{"a":[1,null]}'), ("application/msgpack", msgpack.packb({"a": [1, None]}))],
)
async def test_a_body_of_either_kind_becomes_what_the_collection_holds(
    serve: Serve, collection: str, value: bytes, kind: str, body: bytes
) -> None:
    service = await serve()
    assert (await service.ask("PUT", f"/v1/{collection}/a", body, kind)).status == 200
    assert service.publisher.writes[0].value == value


@pytest.mark.parametrize(
    "kind",
    [
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        'application/json;charset="UTF-8"',
        "application/json; v=1",
    ],
)
async def test_a_kind_may_have_parameters(serve: Serve, kind: str) -> None:
    assert (await (await serve()).ask("PUT", "/v1/items/a", b"1", kind)).status == 200


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        (None, {}),
        ("text/plain", {}),
        ("application/x-ndjson", {}),
        ("application/json; charset=latin1", {}),
        ("application/json", {"Content_Encoding": "gzip"}),
        ("application/jsonx", {}),
    ],
)
async def test_any_other_body_is_not_understood(serve: Serve, kind: str | None, headers: dict[str, str]) -> None:
    service = await serve()
    answer = await service.ask("PUT", "/v1/items/a", b"1", kind, **headers)
    assert (answer.status, answer.body["code"]) == (415, "unsupported_media_type")
    assert not service.publisher.writes


REFUSED: list[tuple[str, str, bytes | None, dict[str, str], int, str]] = [
    ("PUT", "/v1/nowhere/a", b"1", {}, 404, "not_found"),
    ("PUT", "/v2/items/a", b"1", {}, 404, "not_found"),
    ("PUT", "/v1/items/a/b", b"1", {}, 404, "not_found"),
    ("PUT", "/v1/items/%FF", b"1", {}, 400, "invalid"),
    ("PUT", "/v1/items/watch", b"1", {}, 400, "invalid"),
    ("PUT", "/v1/items/a?x=1", b"1", {}, 400, "invalid"),
    ("PUT", "/v1/items/a?atomic=true", b"1", {}, 400, "invalid"),
    ("PUT", "/v1/items/a?x", b"1", {}, 400, "invalid"),
    ("DELETE", "/v1/items/a?cursor=x", None, {}, 400, "invalid"),
    ("PUT", "/v1/items/a", b"1", {"If_Match": '"1"'}, 400, "invalid"),
    ("PUT", "/v1/items/a", b"1", {"If_None_Match": "*"}, 400, "invalid"),
    ("PUT", "/v1/items/a", b"1", {"If_Unmodified_Since": "Mon, 23 Nov 2026 10:00:00 GMT"}, 400, "invalid"),
    ("DELETE", "/v1/items/a", None, {"If_Match": "*"}, 400, "invalid"),
    ("PUT", "/v1/items/a", b"1", {"Content_Range": "bytes 0-0/1"}, 400, "invalid"),
    ("PUT", "/v1/items/a", b"1", {"ce_time": "2026-11-23T10:00:00Z"}, 400, "invalid"),
    ("PUT", "/v1/items/a", b"1", {"ce_type": "x%00"}, 400, "invalid"),
    ("PUT", "/v1/items/a", b"{", {}, 400, "invalid"),
    ("PUT", "/v1/items/a", b"[[[[1]]]]", {}, 422, "invalid"),
    ("PUT", "/v1/items/123456789", b"1", {}, 400, "invalid"),
    ("PUT", "/v1/items/%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9", b"1", {}, 400, "invalid"),
    ("DELETE", "/v1/items/123456789", None, {}, 400, "invalid"),
    ("PUT", "/v1/strict/a", b'{"price":"x"}', {}, 422, "invalid"),
    ("PUT", "/v1/small/a", b'"' + b"x" * 19 + b'"', {}, 413, "too_large"),
    ("PUT", "/v1/items/a", b'"' + b"x" * 1024 + b'"', {}, 413, "too_large"),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "status", "code"), REFUSED)
async def test_a_bad_request_is_refused_and_nothing_is_written(
    serve: Serve, method: str, path: str, body: bytes | None, headers: dict[str, str], status: int, code: str
) -> None:
    service = await serve(**LIMITS)
    answer = await service.ask(method, path, body, **headers)
    assert (answer.status, answer.body["code"]) == (status, code), answer.body
    assert not service.publisher.writes


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/v1/items/a", "DELETE, PUT"),
        ("POST", "/v1/items/a", "DELETE, PUT"),
        ("GET", "/v1/items", "POST"),
        ("PUT", "/v1/items", "POST"),
        ("PUT", "/v1/items/a/stream", "GET, HEAD"),
        ("POST", "/v1/items/ws", "GET, HEAD"),
        ("POST", "/v1/watch/poll", "GET, HEAD"),
    ],
)
async def test_a_method_that_does_not_go_with_the_address_names_those_that_do(
    serve: Serve, method: str, path: str, allow: str
) -> None:
    answer = await (await serve()).ask(method, path)
    assert (answer.status, answer.body["code"], answer.headers["Allow"]) == (405, "method_not_allowed", allow)


async def test_head_is_refused_without_a_body(serve: Serve) -> None:
    answer = await (await serve()).ask("HEAD", "/v1/items/a")
    assert (answer.status, answer.body, answer.headers["Allow"]) == (405, None, "DELETE, PUT")


async def test_the_mistakes_in_the_data_are_told(serve: Serve) -> None:
    answer = await (await serve()).ask("PUT", "/v1/strict/a", b'{"price":"x"}')
    (mistake,) = answer.body["errors"]
    assert mistake.startswith("price: ")


async def test_what_kafka_refuses_is_the_answer(serve: Serve) -> None:
    service = await serve()
    service.publisher.answers = [Problem("unavailable", "no", outcome="unknown")]
    answer = await service.ask("PUT", "/v1/items/a", b"1")
    assert (answer.status, answer.body["outcome"]) == (503, "unknown")
    assert int(answer.headers["Retry-After"]) >= 1


async def test_a_body_of_unknown_length_is_read_no_further_than_the_limit(serve: Serve) -> None:
    service = await serve(max_body_bytes=10_000)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1000
            yield b" " * 1000
            await asyncio.sleep(0.001)

    answer = await service.ask("PUT", "/v1/packed/a", endless())
    assert (answer.status, answer.body["code"]) == (413, "too_large")
    assert sent < 10_000_000


async def test_a_body_of_unknown_length_within_the_limit_is_taken(serve: Serve) -> None:
    service = await serve()

    async def parts() -> AsyncIterator[bytes]:
        yield b'{"a":'
        yield b"1}"

    assert (await service.ask("PUT", "/v1/items/a", parts())).status == 200
    assert service.publisher.writes[0].value == b'{"a":1}'


async def test_bodies_together_are_bounded_and_give_their_room_back(serve: Serve) -> None:
    service = await serve(max_buffered_bytes=50_000)
    answer = await service.ask("PUT", "/v1/items/a", b'"' + b"x" * 60_000 + b'"')
    assert (answer.status, answer.body["code"]) == (429, "rate_limited")
    for _ in range(5):
        assert (await service.ask("PUT", "/v1/items/a", b'"' + b"x" * 40_000 + b'"')).status == 200


async def test_a_body_that_does_not_come_is_not_waited_for(serve: Serve) -> None:
    service = await serve(body_timeout_s=0.2)

    async def never() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(30)

    answer = await asyncio.wait_for(service.ask("PUT", "/v1/items/a", never()), 5)
    assert (answer.status, answer.body["code"]) == (400, "invalid")
