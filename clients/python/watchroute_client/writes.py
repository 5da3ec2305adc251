"""Writes of single resources: over the open WebSocket, else as requests; nothing is ever written twice."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from math import inf
from typing import Any, Final

from watchroute_client.http import Requests, Written, understood, written
from watchroute_client.problem import UNAUTHENTICATED, WatchError

_MOST_CHARS: Final = 16_384
"""A long one would hold up the watches of the connection."""
_LONG_NUMBER: Final = re.compile(r"\d{19}")
"""A push server reads numbers as 64 bits; a request's are passed on as they are written."""
_REST_S: Final = 60.0

Ask = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any] | None]]


class Writes:
    """`ask` sends an operation over a WebSocket, and gives None where there is none; `clock` gives seconds."""

    def __init__(self, requests: Requests, ask: Ask, clock: Callable[[], float]) -> None:
        self._requests = requests
        self._ask = ask
        self._clock = clock
        self._rests_until = -inf

    async def put(self, path: str, data: Any, event_type: str | None) -> Written:
        """Replace the state of one resource."""
        published = None if event_type else await self._publish(path, {"data": data})
        return published or await self._requests.put(path, data, event_type)

    async def delete(self, path: str) -> Written:
        """Delete one resource."""
        return await self._publish(path, {"delete": True}) or await self._requests.delete(path)

    async def _publish(self, path: str, what: Mapping[str, Any]) -> Written | None:
        """None where it certainly wasn't done, and may be done by a request."""
        operation = {"op": "publish", "resource": path, **what}
        if "/" not in path or "?" in path or self._clock() < self._rests_until or not _is_short(operation):
            return None
        answer = await self._ask(operation)
        if answer is None:
            return None
        if answer.get("event") == "ack":
            with understood():
                return written({"resource": path, **answer})
        error = WatchError.of_frame(answer)
        if not _is_for_a_request(error):
            raise error
        self._rests_until = self._clock() + _REST_S
        return None


def _is_short(operation: Mapping[str, Any]) -> bool:
    text = json.dumps(operation)
    return len(text) <= _MOST_CHARS and not _LONG_NUMBER.search(text)


def _is_for_a_request(error: WatchError) -> bool:
    not_done = error.outcome == "not_written" or error.members.get("limit") == "operations"
    return not_done or error.code in UNAUTHENTICATED
