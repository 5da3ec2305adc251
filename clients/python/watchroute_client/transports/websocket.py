"""WebSocket: operations go out, frames come in."""

import asyncio
import json
import logging
import ssl

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from watchroute_client.outputs import Connect
from watchroute_client.problem import WatchError
from watchroute_client.transports.line import Line

_SUBPROTOCOL = Subprotocol("watch.v1.json")
_OPEN_S = 10.0
_CLOSE_S = 1.0
_MAX_BYTES = 64 * 1024 * 1024


# At DEBUG the library writes every header and message, and so every token.
_logger = logging.getLogger("watchroute_client.websocket")
_logger.setLevel(logging.INFO)


class _Direct(connect):
    """Follows no redirect: it would show the token elsewhere."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class WebSocketTransport:
    """Opens WebSockets at a server; `tls` is None for what the system trusts."""

    def __init__(self, url: str, tls: ssl.SSLContext | None) -> None:
        self._url = "ws" + url.removeprefix("http")
        self._tls = tls if url.startswith("https:") else None

    async def run(self, wanted: Connect, line: Line) -> None:
        """Open one, and tell what comes, until it is over; raises WatchError then."""
        try:
            connection = await self._connect(wanted)
        except InvalidStatus as refused:
            answer = refused.response
            raise WatchError.of_answer(answer.status_code, answer.headers, bytes(answer.body or b"")) from None
        except (OSError, WebSocketException, TimeoutError) as error:
            raise WatchError("unreachable", str(error) or type(error).__name__) from error
        sending = asyncio.create_task(_send(connection, line))
        try:
            line.opened()
            while True:
                text = await connection.recv()
                await line.frame(json.loads(text))
        except ConnectionClosed as closed:
            received = closed.rcvd
            reason = received.reason if received else ""
            raise WatchError.of_close(received.code if received else None, reason) from None
        finally:
            sending.cancel()
            await connection.close()

    async def _connect(self, wanted: Connect) -> ClientConnection:
        headers = {"Authorization": f"Bearer {wanted.token}"} if wanted.token else {}
        return await _Direct(
            self._url + wanted.address,
            subprotocols=[_SUBPROTOCOL],
            additional_headers=headers,
            compression=None,
            max_size=_MAX_BYTES,
            ping_interval=None,
            open_timeout=_OPEN_S,
            close_timeout=_CLOSE_S,
            logger=_logger,
            ssl=self._tls,
        )


async def _send(connection: ClientConnection, line: Line) -> None:
    try:
        while True:
            await connection.send(json.dumps(await line.operations.get()))
    except ConnectionClosed:
        return
