"""Listening: uvicorn inside an event loop and a process that are ours, signals included."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from shared.answers import problem_app
from shared.doorstep import Doorstep
from shared.errors import WatchrouteError
from shared.http1 import EVERY_ANSWER, Http1
from shared.problem import Problem
from shared.turnstile import Turnstile

_STOP_MARGIN_S: Final = 2.0
_TICK_S: Final = 1.0
"""How old the Date of an answer may be."""
_NO_STORE: Final = {"Cache-Control": "no-store"}


class AddressTaken(WatchrouteError, OSError):
    """Nothing can listen at this address; the message names it and the system's reason."""


class Listener:
    """One address at which an ASGI app is served, in the running event loop.

    `http` and `ws` are uvicorn's protocol names or classes; `options` are further ones of `uvicorn.Config`, such as
    `timeout_keep_alive`, `ssl_certfile` and `ssl_keyfile`. `socket_options` (level, name, value) are set on the
    listening sockets, and so inherited by every connection; `doorstep` is for protocol classes that have bounds.
    Every answer has EVERY_ANSWER in its head. It never touches signals, logging set-up, or `sys.exit`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str,
        port: int,
        http: Any = Http1,
        ws: Any = "none",
        socket_options: Iterable[tuple[int, int, int]] = (),
        doorstep: Doorstep | None = None,
        **options: Any,
    ) -> None:
        self._address = (host, port)
        self._socket_options = tuple(socket_options)
        defaults: dict[str, Any] = {
            "lifespan": "off",
            "log_config": None,
            "access_log": False,
            "server_header": False,
            "proxy_headers": False,
            "ws_ping_interval": None,
            "workers": 1,
            "headers": list(EVERY_ANSWER.items()),
        }
        config = uvicorn.Config(app, host=host, port=port, http=http, ws=ws, **(defaults | options))
        self._server = _Server(config, _State(Doorstep() if doorstep is None else doorstep))
        self._serving: asyncio.Task[None] | None = None
        self.port = port

    @property
    def connections(self) -> int:
        """How many connections uvicorn holds; those that were handed off are not among them."""
        return len(self._server.server_state.connections)

    async def start(self) -> None:
        """Bind and listen; returns when connections are accepted. Raises AddressTaken."""
        sockets = await _bind(*self._address)
        for listening in sockets:
            for option in self._socket_options:
                listening.setsockopt(*option)
        self.port = sockets[0].getsockname()[1]
        self._serving = asyncio.create_task(
            self._server.serve(sockets), name=f"listener {self._address[0]}:{self.port}"
        )
        started = asyncio.create_task(self._server.listening.wait())
        try:
            await asyncio.wait((self._serving, started), return_when=asyncio.FIRST_COMPLETED)
        finally:
            started.cancel()
        if self._serving.done():
            await self._serving

    async def stop(self, grace_s: float) -> None:
        """Accept nothing more, let the requests under way end within `grace_s`, then cut what is left."""
        if self._serving is None:
            return
        self._server.should_exit = True
        self._server.leaving.set()
        self._server.config.timeout_graceful_shutdown = grace_s  # type: ignore[assignment]  # a float does as well
        await asyncio.wait((self._serving,), timeout=grace_s + _STOP_MARGIN_S)
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        self._serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._serving
        self._serving = None


class _State(ServerState):
    """What all connections of a listener share.

    `turnstile` is for protocol classes that let a crowd in piecemeal, `doorstep` for those that have bounds.
    """

    def __init__(self, doorstep: Doorstep) -> None:
        super().__init__()
        self.turnstile = Turnstile()
        self.doorstep = doorstep


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, state: _State) -> None:
        super().__init__(config)
        self.server_state = state
        self.listening = asyncio.Event()
        self.leaving = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def main_loop(self) -> None:
        # uvicorn's own wakes up ten times a second, which is a tenth of what an idle process costs in all.
        while not await self.on_tick(0):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.leaving.wait(), _TICK_S)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:  # the signals are the application's
        yield


async def _bind(host: str, port: int) -> list[socket.socket]:
    bound: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in await _resolve(host, port):
            listener = socket.socket(family, kind, protocol)
            bound.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # "Any free port" is one port for all addresses of the host.
            listener.bind((address[0], port or bound[0].getsockname()[1], *address[2:]))
    except OSError as error:
        for listener in bound:
            listener.close()
        raise AddressTaken(f"can't listen at {host}:{port}: {error.strerror or error}") from error
    return bound


async def _resolve(host: str, port: int) -> list[Any]:
    found = await asyncio.get_running_loop().getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    return list(dict.fromkeys(found))


def admin_app(
    ready: Callable[[], str | None], *, asked: Callable[[Mapping[str, str]], None] | None = None
) -> Starlette:
    """The admin routes: `/livez`, `/readyz`, `/metrics`.

    `/livez` is 200 as long as the event loop turns. `ready` says why the process should get no traffic now, or None.
    `asked` is given the headers of every `/readyz`: a balancer may say there how it sees this process.
    """

    async def livez(_: Request) -> Response:
        return PlainTextResponse("ok\n", headers=_NO_STORE)

    async def readyz(request: Request) -> Response:
        if asked is not None:
            asked(request.headers)
        reason = ready()
        if reason is not None:
            raise Problem("not_ready", reason)
        return PlainTextResponse("ok\n", headers=_NO_STORE)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST, **_NO_STORE})

    return problem_app([Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)])


def stop_requested() -> asyncio.Event:
    """An event that SIGTERM or SIGINT sets; a second such signal ends the process at once."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    signals = (signal.SIGTERM, signal.SIGINT)

    def on_signal() -> None:
        stop.set()
        for number in signals:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in signals:
        loop.add_signal_handler(number, on_signal)
    return stop
