"""Plain HTTP: what is not a watch, in few words and with nothing interpreted."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from tests.support.exchange import Exchange
from tests.support.recording import Frame
from tests.support.witness import witnessed_exchange


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, read to its end; header names are case-insensitive."""

    status: int
    headers: CIMultiDict[str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip()

    def version(self) -> str:
        """The version in the ETag `"<version>-<epoch>"`."""
        found = re.fullmatch(r'"(\d+)-[^".]+(?:\.\w+)?"', self.headers["ETag"])
        assert found, self.headers["ETag"]
        return found[1]

    def page(self) -> list[Frame]:
        """The frames of one page of a listing."""
        body = self.json()
        assert set(body) == {"frames", "cursor"}, body
        frames: list[Frame] = body["frames"]
        return frames

    def next_page(self) -> str | None:
        """The target of the next page, from `Link`."""
        found = re.search(r'<([^>]+)>\s*;\s*rel="?next"?', self.headers.get("Link", ""))
        return URL(found[1], encoded=True).raw_path_qs if found else None

    def problem(self) -> dict[str, Any]:
        """The problem document, after checking that it is a complete one."""
        assert self.media_type == "application/problem+json", (self.status, self.media_type, self.body[:300])
        document = self.json()
        assert {"type", "title", "status", "detail", "code"} <= set(document), document
        assert document["status"] == self.status
        assert isinstance(document, dict)
        return document


class Http:
    """A keep-alive client of one server; targets are sent as they are, percent signs included."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=40), auto_decompress=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close its connections."""
        await self._session.close()

    async def request(
        self, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """One request and its whole answer; never follows a redirect."""
        url = URL(self.url + target, encoded=True)
        sent = self._session.request(method, url, headers=headers, data=body, allow_redirects=False)
        async with sent as response:
            answer = Answer(response.status, CIMultiDict(response.headers), await response.read())
        told = answer.headers
        witnessed_exchange(Exchange(method, target, headers or {}, body, answer.status, told, answer.body))
        return answer

    async def get(self, target: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """GET."""
        return await self.request("GET", target, headers=headers)


@dataclass(frozen=True)
class Written:
    """What the producer answered to a write."""

    resource: str
    version: int
    cursor: str


class Writer:
    """Writes through the producer service; resources are named `collection/id`."""

    def __init__(self, url: str) -> None:
        self.http = Http(url)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()

    async def put(self, resource: str, data: Any) -> Written:
        """Replace the state."""
        body = json.dumps(data).encode()
        headers = {"Content-Type": "application/json"}
        return _written(await self.http.request("PUT", _path(resource), headers=headers, body=body))

    async def delete(self, resource: str) -> Written:
        """Write a tombstone."""
        return _written(await self.http.request("DELETE", _path(resource)))

    async def post(self, collection: str, items: Sequence[Mapping[str, Any]]) -> list[Written]:
        """Write many at once, as NDJSON; every one must succeed."""
        body = b"".join(json.dumps(item).encode() + b"\n" for item in items)
        headers = {"Content-Type": "application/x-ndjson"}
        answer = await self.http.request("POST", f"/v1/{collection}", headers=headers, body=body)
        assert answer.status == 200, (answer.status, answer.body[:500])
        return [_result(result) for result in answer.json()["results"]]

    async def put_each(self, resources: Sequence[str], data: Any) -> list[Written]:
        """Put the same data to several resources, at the same time."""
        return await asyncio.gather(*(self.put(resource, data) for resource in resources))


def _path(resource: str) -> str:
    collection, _, resource_id = resource.partition("/")
    return f"/v1/{quote(collection, safe='')}/{quote(resource_id, safe='')}"


def _written(answer: Answer) -> Written:
    assert answer.status == 200, (answer.status, answer.body[:500])
    return _result(answer.json())


def _result(result: dict[str, Any]) -> Written:
    assert set(result) >= {"resource", "version", "cursor"}, result
    assert isinstance(result["version"], str)
    return Written(result["resource"], int(result["version"]), result["cursor"])
