"""Refusals before the first byte are problem documents with the right status and code (protocol section 6)."""

import base64
import secrets

import pytest

from tests.conformance.matrix import Case
from tests.conformance.scene import Scene
from tests.support.client import Answer, Ask, Http, Refused, Watch, open_watch
from tests.support.fleet import Fleet

ADDRESSES = ["/v1/items/a", "/v1/items/a/stream", "/v1/items/a/poll", "/v1/items", "/v1/items/stream", "/v1/items/poll"]
HANDSHAKE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}


def handshake(**changed: str) -> dict[str, str]:
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    named = {name.replace("_", "-"): value for name, value in changed.items()}
    return HANDSHAKE | {"Sec-WebSocket-Key": key} | named


def check(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.problem()["code"]) == (status, code), answer.body
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("address", [*ADDRESSES, "/v1/watch/stream", "/v1/watch/poll"])
async def test_an_unknown_parameter_is_invalid(reader: Http, address: str) -> None:
    check(await reader.get(address + "?colour=red"), 400, "invalid")


@pytest.mark.parametrize(
    "target",
    [
        "/v1/items/a/poll?mode=fast",
        "/v1/items/a/stream?snapshot=maybe",
        "/v1/items/a/stream?since=yesterday",
        "/v1/items/a/stream?format=xml",
        "/v1/items/a/stream?cursor=!",
        "/v1/items/a?at_least=!",
        "/v1/items/a/stream?prefix=b",
        "/v1/items/a/stream?mode=log&mode=state",
        "/v1/items/a/stream?wait=5",
        "/v1/items/a?limit=5",
        "/v1/items/a/poll?resource=items/b",
        "/v1/watch/stream",
        "/v1/watch/poll",
        "/v1/watch/poll?resource=",
        "/v1/watch/stream?resource=items/a&resource=items/",
        "/v1/watch/stream?resource=items/a&resource=items&mode=log",
        "/v1/plain/stream?mode=log",
    ],
)
async def test_a_parameter_that_makes_no_sense_is_invalid(reader: Http, target: str) -> None:
    check(await reader.get(target), 400, "invalid")


@pytest.mark.parametrize("target", ["/v1/nowhere", "/v1/nowhere/a", "/v1/nowhere/stream", "/v1/nowhere/a/poll"])
async def test_an_unknown_collection_is_not_found(reader: Http, target: str) -> None:
    check(await reader.get(target), 404, "not_found")


@pytest.mark.parametrize("target", ["/", "/v2/items", "/v1", "/v1/items/a/b/c", "/v1/watch/dance"])
async def test_an_unknown_address_is_not_found(reader: Http, target: str) -> None:
    check(await reader.get(target), 404, "not_found")


@pytest.mark.parametrize("target", [*ADDRESSES, "/v1/watch/stream?resource=items/a"])
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
async def test_a_method_that_a_push_server_lacks_is_not_allowed(reader: Http, method: str, target: str) -> None:
    answer = await reader.request(method, target)
    check(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("target", ["/v1/items/a", "/v1/items"])
async def test_a_representation_that_is_not_there_is_not_acceptable(reader: Http, target: str) -> None:
    check(await reader.get(target, headers={"Accept": "image/png"}), 406, "not_acceptable")


@pytest.mark.parametrize("target", ["/v1/watch/ws", "/v1/items/a/ws", "/v1/items/ws"])
async def test_an_address_of_websockets_requires_an_upgrade(reader: Http, target: str) -> None:
    answer = await reader.get(target)
    check(answer, 426, "upgrade_required")
    assert answer.headers["Sec-WebSocket-Version"] == "13"
    assert answer.headers["Upgrade"].lower() == "websocket"


@pytest.mark.parametrize("version", ["8", "12", "x"])
async def test_another_version_of_websocket_is_refused(reader: Http, version: str) -> None:
    answer = await reader.get("/v1/watch/ws", headers=handshake(Sec_WebSocket_Version=version))
    check(answer, 426, "upgrade_required")
    assert answer.headers["Sec-WebSocket-Version"] == "13"


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("/v1/nowhere/a/ws", 404, "not_found"),
        ("/v1/nowhere/a", 404, "not_found"),
        ("/v1/items/a/ws?colour=red", 400, "invalid"),
        ("/v1/items/a?mode=fast", 400, "invalid"),
        ("/v1/items/a/ws?cursor=!", 400, "invalid"),
        ("/v1/plain?mode=log", 400, "invalid"),
        ("/v1/watch/ws?resource=nowhere/a", 404, "not_found"),
        ("/v1/watch/dance", 404, "not_found"),
    ],
)
async def test_a_refused_upgrade_is_an_http_answer(reader: Http, target: str, status: int, code: str) -> None:
    check(await reader.get(target, headers=handshake()), status, code)


async def test_an_upgrade_by_post_is_refused(reader: Http) -> None:
    assert (await reader.request("POST", "/v1/watch/ws", headers=handshake())).status in {400, 405, 426}


@pytest.mark.parametrize("key", ["", "short", "not base64 at all!!!!!!!"])
async def test_an_upgrade_without_a_proper_key_is_refused(reader: Http, key: str) -> None:
    answer = await reader.get("/v1/watch/ws", headers=handshake(Sec_WebSocket_Key=key))
    check(answer, 400, "invalid")


@pytest.mark.parametrize("transport", ["websocket_url", "sse", "longpoll"])
async def test_the_clients_of_this_suite_tell_a_refusal(fleet: Fleet, transport: str) -> None:
    with pytest.raises(Refused) as refused:
        await open_watch(transport, fleet.servers[0].url, Ask((Watch("nowhere"),)))
    assert refused.value.status == 404
    assert refused.value.problem["code"] == "not_found"


@pytest.mark.parametrize(
    "case", [Case("websocket_url", "collection", "log"), Case("sse", "collection", "log")], ids=str
)
async def test_an_expired_cursor_is_a_410_before_the_first_byte(scene: Scene) -> None:
    first = await scene.open(ask=Ask((Watch("others"),)))
    await first.wait_synced()
    with pytest.raises(Refused) as refused:
        await scene.open(cursor=first.cursor)
    assert refused.value.status == 410
    assert refused.value.problem["cursor"]


@pytest.mark.parametrize("service", ["producer", "pushserver"])
async def test_the_admin_port_tells_health_and_metrics(fleet: Fleet, service: str) -> None:
    url = fleet.producer.admin_url if service == "producer" else fleet.servers[0].admin_url
    async with Http(url) as http:
        assert [(await http.get(path)).status for path in ("/livez", "/readyz", "/metrics")] == [200, 200, 200]
        assert (await http.get("/metrics")).media_type in {"text/plain", "application/openmetrics-text"}
