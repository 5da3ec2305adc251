"""Long poll: one request, one answer."""

import httpx2

from watchroute_client.http import WHOLE, refusal, unreachable
from watchroute_client.outputs import Connect
from watchroute_client.transports.line import Line


class PollTransport:
    """Polls; how long an answer may take is not its business."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def run(self, wanted: Connect, line: Line) -> None:
        """Ask once, and tell what is answered; raises WatchError where that isn't 200."""
        headers = {"Authorization": f"Bearer {wanted.token}"} if wanted.token else {}
        with unreachable():
            answer = await self._http.get(wanted.address, headers=headers, timeout=WHOLE)
        if answer.status_code != httpx2.codes.OK:
            raise await refusal(answer)
        body = answer.json()
        await line.answer(body["frames"], body["cursor"])
