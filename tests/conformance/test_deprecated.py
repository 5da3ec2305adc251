"""A deprecated collection says so in every answer, and goes on as before."""

import re
from typing import Any

import pytest

from tests.conformance.scene import Scene
from tests.support.client import Ask, Http, Watch, open_watch
from tests.support.fleet import Fleet

HEADERS = {"Deprecation": "@1793491200", "Sunset": "Sat, 01 May 2027 00:00:00 GMT"}
LINK = '</v1/items>; rel="successor-version"'
NOTE = {"since": "2026-11-01", "sunset": "2027-05-01", "successor": "items"}
READS = ("/v1/old", "/v1/old/a", "/v1/old/absent", "/v1/old/poll", "/v1/old?limit=0", "/v1/watch/poll?resource=old")


def told(headers: Any) -> dict[str, str]:
    links = headers.getall("Link", []) if hasattr(headers, "getall") else [headers.get("Link", "")]
    assert LINK in links, links
    return {name: headers[name] for name in HEADERS}


@pytest.mark.parametrize("target", READS)
async def test_every_answer_of_a_push_server_says_so(reader: Http, scene: Scene, target: str) -> None:
    await scene.writer.put("old/a", {"price": 1})
    assert told((await reader.get(target)).headers) == HEADERS
    assert told((await reader.request("HEAD", target)).headers) == HEADERS


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [("PUT", "/v1/old/a", 200), ("DELETE", "/v1/old/a", 200), ("PUT", "/v1/old/a?x=1", 400), ("POST", "/v1/old", 415)],
)
async def test_every_answer_of_the_producer_says_so(fleet: Fleet, method: str, target: str, status: int) -> None:
    async with Http(fleet.producer.url) as http:
        headers = {"Content-Type": "application/json" if method != "POST" else "text/html"}
        answer = await http.request(method, target, headers=headers, body=b"1" if method != "DELETE" else None)
    assert (answer.status, told(answer.headers)) == (status, HEADERS)


@pytest.mark.parametrize("transport", ["sse", "websocket_url"])
async def test_the_head_of_a_stream_says_so_and_synced_has_a_note(fleet: Fleet, transport: str) -> None:
    watcher = await open_watch(transport, fleet.servers[0].url, Ask((Watch("old"),)))
    head = watcher.response if transport == "sse" else watcher.connection.response  # type: ignore[attr-defined]
    headers = head.headers
    assert {name: headers[name] for name in (*HEADERS, "Link")} == HEADERS | {"Link": LINK}
    await watcher.wait_synced()
    assert [frame["deprecated"] for frame in watcher.frames if frame["event"] == "synced"] == [NOTE]
    await watcher.close()


async def test_others_say_nothing_of_it(reader: Http) -> None:
    answer = await reader.get("/v1/items?limit=1")
    assert not set(answer.headers) & set(HEADERS)
    polled = (await reader.get("/v1/items/poll")).json()["frames"]
    assert "deprecated" not in polled[-1]


async def test_who_still_watches_it_is_counted(fleet: Fleet) -> None:
    async def count() -> float:
        async with Http(fleet.servers[0].admin_url) as http:
            text = (await http.get("/metrics")).body.decode()
        found = re.search(r'watchroute_deprecated_watches_total\{collection="old"\} ([0-9.]+)', text)
        assert "items" not in "".join(re.findall(r"watchroute_deprecated_watches_total\{.*\}", text))
        return float(found[1]) if found else 0

    before = await count()
    watcher = await open_watch("sse", fleet.servers[0].url, Ask((Watch("old"),)))
    await watcher.close()
    assert await count() == before + 1
