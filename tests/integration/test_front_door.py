"""The front door: HAProxy as operators are given it, before two push servers and a producer."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest

from infra.cluster.front_door import BASE, FOLDER, HAPROXY
from shared.problem import KINDS
from tests.integration.fronted import ALL, ITEMS, Fronted
from tests.support.client import Ask, Http, Watch
from tests.support.front_client import TRANSPORTS, Curl, DoorHttp

EVERYTHING = {
    "FRONT_PAGES": "127.0.0.1:80",
    "FRONT_SOCKET": "/run/front.sock",
    "FRONT_NAMESERVER": "127.0.0.1:53",
    **{
        f"FRONT_{kind}_{number}": f"127.0.0.1:{number}" for kind in ("PUSHSERVER", "PRODUCER") for number in range(1, 6)
    },
    **{f"FRONT_{kind}_{number}_ADMIN": "2" for kind in ("PUSHSERVER", "PRODUCER") for number in range(1, 6)},
}


@pytest.mark.parametrize("environment", [{}, EVERYTHING], ids=["defaults", "everything"])
@pytest.mark.parametrize("servers", ["static", "dns"])
def test_the_configuration_is_valid_without_a_warning(
    servers: str, environment: dict[str, str], certificate: Path
) -> None:
    given = {"FRONT_CERTIFICATE": str(certificate / "localhost.pem"), **environment}
    command = [HAPROXY, "-c", "-dW", "-f", str(BASE), "-f", str(FOLDER / f"servers.{servers}.cfg")]
    checked = subprocess.run(command, env=os.environ | given, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_every_problem_document_of_the_door_is_of_the_table_of_errors() -> None:
    lines = [line for line in BASE.read_text().splitlines() if "application/problem+json" in line]
    documents = [
        re.search(r" string '(\{.*\})'", line.replace(r"'\''", "\N{RIGHT SINGLE QUOTATION MARK}")) for line in lines
    ]
    assert len(lines) >= 10
    for line, found in zip(lines, documents, strict=True):
        assert found, line
        document = json.loads(found[1].replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
        kind = KINDS[document["code"]]
        assert document["type"] == f"urn:watchroute:problem:{document['code']}"
        assert document["title"] == kind.title
        assert document["status"] == (408 if "408" in line else kind.status)
        assert ("hdr Retry-After" in line) == (kind.status in {429, 503}), line


async def test_plain_http_is_sent_to_https(front: Fronted) -> None:
    async with Http(front.door.http_url) as http:
        answer = await http.get("/v1/items/a%2Fb?cursor=x")
    assert answer.status == 308
    assert answer.headers["Location"] == f"{front.door.url}/v1/items/a%2Fb?cursor=x"


async def test_every_answer_holds_browsers_to_https(front: Fronted) -> None:
    async with DoorHttp(front.door.url) as http:
        for target in ("/v1/items", "/v1/nothing", "/elsewhere"):
            answer = await http.get(target)
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
            assert answer.headers.getall("X-Content-Type-Options") == ["nosniff"]


OFFERS = [
    (("-tls1_3",), True),
    (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), True),
    (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"), False),
]


@pytest.mark.parametrize(("offer", "taken"), OFFERS, ids=["tls 1.3", "tls 1.2", "without aead"])
def test_tls_is_spoken_with_modern_ciphers_only(offer: tuple[str, ...], taken: bool, front: Fronted) -> None:  # noqa: FBT001
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{front.door.port}", *offer]
    tried = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert (tried.returncode == 0) == taken, tried.stderr


async def test_http_2_carries_writes_reads_and_streams(front: Fronted) -> None:
    url = f"{front.door.url}/v1/items/h2"
    body = ("--request", "PUT", "--header", "Content-Type: application/json", "--data")
    async with Curl(front.door.ca, url, *body, '{"n":1}') as put:
        written = await put.whole()
        assert written.startswith(b"HTTP/2 200")
    # A server may be a moment behind the producer, and a bare GET promises only what it has.
    cursor = orjson.loads(written.splitlines()[-1])["cursor"]
    async with Curl(front.door.ca, f"{url}?at_least={cursor}") as get:
        answer = await get.whole()
        assert answer.startswith(b"HTTP/2 200")
        assert answer.endswith(b'{"n":1}')
    async with Curl(front.door.ca, url, "--header", "Accept: text/event-stream") as stream:
        assert (await stream.until(b"event: synced")).startswith(b"HTTP/2 200")
        await front.writer.put("items/h2", {"n": 2})
        await stream.until(b'{"n": 2}')


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_change_arrives_at_once_over_every_transport(transport: str, front: Fronted) -> None:
    resource = f"of-{transport}"
    await front.writer.put(f"items/{resource}", "old")
    watcher = await TRANSPORTS[transport].open(front.door.url, Ask((Watch("items", resource),)))
    await watcher.wait_synced()
    await front.writer.put(f"items/{resource}", "new")
    await watcher.wait_for(lambda frame: frame.get("data") == "new", 5)
    await watcher.close()


async def test_streams_are_never_compressed(front: Fronted) -> None:
    target = f"{front.door.url}{ITEMS.path}/stream"
    async with Curl(front.door.ca, target, "--header", "Accept-Encoding: gzip") as stream:
        assert b"content-encoding" not in (await stream.until(b"event: synced")).lower()


async def test_many_watches_can_be_named_in_an_address(front: Fronted) -> None:
    watches = tuple(Watch("items", f"{number:012}") for number in range(500))
    watcher = await TRANSPORTS["sse"].open(front.door.url, Ask(watches))
    await watcher.wait_synced()
    await watcher.close()


METHODS = [
    ("PATCH", "/v1/items", "GET, HEAD, POST"),
    ("DELETE", "/v1/items", "GET, HEAD, POST"),
    ("POST", "/v1/items/a", "GET, HEAD, PUT, DELETE"),
    ("PUT", "/v1/items/stream", "GET, HEAD"),
    ("POST", "/v1/watch/poll", "GET, HEAD"),
    ("PUT", "/v1/items/a/stream", "GET, HEAD"),
]


@pytest.mark.parametrize(("method", "target", "allowed"), METHODS)
async def test_a_method_that_no_service_has_is_refused_with_those_that_one_has(
    method: str, target: str, allowed: str, front: Fronted
) -> None:
    async with DoorHttp(front.door.url) as http:
        answer = await http.request(method, target)
    assert (answer.status, answer.problem()["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == allowed


async def test_many_writes_go_to_the_producer_and_are_read_from_a_push_server(front: Fronted) -> None:
    written = await front.writer.post("items", [{"id": "many1", "data": 1}, {"id": "many2", "data": 2}])
    async with DoorHttp(front.door.url) as http:
        answer = await http.get(f"/v1/items/many2?at_least={written[1].cursor}")
        head = await http.request("HEAD", f"/v1/items/many2?at_least={written[1].cursor}")
    assert answer.json() == 2
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize("target", ["/metrics", "/readyz", "/livez", "/;csv", "/stats", "/page/app.js"])
async def test_what_is_for_operators_is_not_reachable_through_the_door(target: str, front: Fronted) -> None:
    async with DoorHttp(front.door.url) as http:
        answer = await http.get(target)
    assert (answer.status, answer.problem()["code"]) == (404, "not_found")


@pytest.mark.parametrize("target", ["/", "/docs/"])
async def test_whoever_opens_the_address_is_shown_the_documents(target: str, front: Fronted) -> None:
    async with DoorHttp(front.door.url) as http:
        answer = await http.get(target)
    assert answer.status in {302, 308}
    assert answer.headers["Location"] == "/docs"


async def test_the_documents_of_the_api_are_behind_the_door(front: Fronted) -> None:
    async with DoorHttp(front.door.url) as http:
        page = await http.get("/docs")
        served = await http.get("/v1/openapi.json")
        refused = await http.request("POST", "/v1/openapi.json", body=b"{}")
    assert (page.status, page.media_type) == (200, "text/html")
    assert "/v1/items/{id}" in served.json()["paths"]
    assert (refused.status, refused.problem()["code"]) == (405, "method_not_allowed")


async def test_the_admin_port_says_whether_there_is_a_server_and_what_was_done(front: Fronted) -> None:
    async with Http(front.door.admin_url) as http:
        assert (await http.get("/readyz")).status == 200
        assert b"haproxy_server_status" in (await http.get("/metrics")).body


def reached(seen: Any) -> bool:
    return any(frame.get("data") == "published" for frame in seen.frames)


async def test_a_watcher_of_the_collection_sees_what_was_written_through_the_door(front: Fronted) -> None:
    watcher = await TRANSPORTS["websocket"].open(front.door.url, ALL)
    await watcher.wait_synced()
    await front.writer.put("items/published", "published")
    await watcher.until(reached)
    await watcher.close()
