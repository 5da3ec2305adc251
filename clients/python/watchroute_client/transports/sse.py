"""Server-Sent Events: one stream, one watch."""

import json

import httpx2

from watchroute_client.http import WHOLE, refusal, unreachable
from watchroute_client.outputs import Connect
from watchroute_client.problem import WatchError
from watchroute_client.transports.event_stream import EventStream, Message
from watchroute_client.transports.line import Line

_TYPE = "text/event-stream"


class SseTransport:
    """Opens event streams; how long one may be silent is not its business."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def run(self, wanted: Connect, line: Line) -> None:
        """Open one, and tell what comes, until it is over; raises WatchError then."""
        headers = {"Accept": _TYPE, **({"Authorization": f"Bearer {wanted.token}"} if wanted.token else {})}
        with unreachable():
            async with self._http.stream("GET", wanted.address, headers=headers, timeout=WHOLE) as answer:
                if answer.status_code != httpx2.codes.OK:
                    raise await refusal(answer)
                if not answer.headers.get("Content-Type", "").startswith(_TYPE):
                    raise WatchError("", "the answer is no event stream", status=answer.status_code)
                line.opened()
                await _read(answer, line)
        raise WatchError("unreachable", "the stream has ended")


async def _read(answer: httpx2.Response, line: Line) -> None:
    stream = EventStream()
    async for piece in answer.aiter_raw():
        line.alive()
        for message in stream.feed(piece):
            await _tell(message, line)


async def _tell(message: Message, line: Line) -> None:
    if message.retry_ms is not None:
        line.retry(message.retry_ms / 1000)
    if message.data:
        await line.frame(json.loads(message.data))
    if message.id:
        line.mark(message.id)
