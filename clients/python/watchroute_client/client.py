"""The client of an application."""

import asyncio
import inspect
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from watchroute_client.change import Change
from watchroute_client.problem import WatchError
from watchroute_client.progress import Progress
from watchroute_client.session import TRANSPORTS, Session
from watchroute_client.state import State, Status
from watchroute_client.store import Store
from watchroute_client.target import Target
from watchroute_client.watch import Watch

if TYPE_CHECKING:
    import ssl

    from watchroute_client.connection import Transport
    from watchroute_client.engine import Engine
    from watchroute_client.http import Requests, Resource, Written
    from watchroute_client.writes import Writes

Token = str | Callable[[], str | Awaitable[str | None] | None]


class WatchClient:
    """An async context manager for one server; `url` is `https://host`, or `http://…`.

    `token` is a token, or a callback (may be async) that gives one: it is asked first, before a token expires, and when
    one was refused. `transports` are tried in this order. `tls` is None for the certificates that the system trusts.
    `form` is how the server writes frames: `json`, `compact` (without times and types) or `cloudevents`.
    What is watched goes on over lost connections and restarts, without gap or repetition.
    """

    def __init__(
        self,
        url: str,
        *,
        token: Token | None = None,
        transports: Sequence[str] = TRANSPORTS,
        tls: "ssl.SSLContext | None" = None,
        form: str | None = None,
    ) -> None:
        unknown = set(transports) - set(TRANSPORTS)
        if unknown or not transports or not url.startswith(("http://", "https://")):
            raise ValueError(f"the transports are {TRANSPORTS}, and an url is http:// or https://")
        self._url = url.rstrip("/")
        self._token = token
        self._transports = tuple(transports)
        self._tls = tls
        self._form = form
        self._listeners: list[Callable[[Status], None]] = []
        self._shown: str | None = token if isinstance(token, str) else None
        self._requests: Requests | None = None
        self._writes: Writes | None = None
        self._http: Any = None
        self._made: Engine | None = None
        self._closed = False

    @property
    def status(self) -> Status:
        """The state and, where there is one, its reason."""
        if self._made is not None:
            return self._made.status
        return Status(State.CLOSED, "closed by the application") if self._closed else Status(State.CONNECTING)

    @property
    def state(self) -> State:
        """`connecting`, `catching_up`, `live`, `offline` or `closed`; `connecting` while nothing is watched."""
        return self.status.state

    @property
    def transport(self) -> str:
        """What is in use: `ws`, `sse` or `poll`."""
        return self._made.session.transport if self._made is not None else self._transports[0]

    def on_status(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        """Call `listener` with each new status; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def watch(
        self,
        path: str,
        *,
        mode: str = "state",
        cursor: str | None = None,
        since: str | None = None,
        snapshot: bool = True,
    ) -> Watch:
        """Watch a resource (`stocks/AAPL`), a collection (`stocks`) or a prefix (`stocks?prefix=A`).

        It begins at once, with the state now, unless with `snapshot=False`, from a `cursor`, or from a time (`since`).
        In `mode="log"` every change is told, and nothing but changes.
        """
        target = Target.parse(path)
        progress = Progress(target, mode=mode, cursor=cursor, since=since, snapshot=snapshot)
        return self._engine().watch(progress)

    def store(self, path: str) -> Store:
        """A live map of a collection, or of the ids under a prefix."""
        return Store(self.watch(path), lambda: self.state)

    async def get(self, path: str, *, at_least: str | None = None) -> "Resource":
        """The state of a resource now, not older than the cursor `at_least`; raises WatchError `not_found`."""
        return await self._asking().get(path, at_least)

    def listing(self, path: str) -> AsyncIterator[Change]:
        """The state of a collection, or of the ids under a prefix, as an async iterator of `put`s."""
        return self._asking().listing(path)

    async def put(self, path: str, data: Any, *, event_type: str | None = None) -> "Written":
        """Replace the state of a resource; returns when Kafka has it.

        It goes over the open WebSocket, or is a request; nothing is ever written twice.
        Raises WatchError; where nobody knows what became of it (its `outcome` is `unknown`) it is up to you to do it
        again, which is safe.
        """
        return await self._writing().put(path, data, event_type)

    async def delete(self, path: str) -> "Written":
        """Delete a resource; as `put`."""
        return await self._writing().delete(path)

    async def put_many(
        self, collection: str, items: Mapping[str, Any] | Iterable[tuple[str, Any]], *, atomic: bool = False
    ) -> list["Written | WatchError"]:
        """Write many resources at once, by their ids; what became of each, in order.

        Raises WatchError when nothing was written: one item that the collection doesn't take refuses all.
        """
        pairs = items.items() if isinstance(items, Mapping) else items
        return await self.write_many(collection, ({"id": name, "data": data} for name, data in pairs), atomic=atomic)

    async def write_many(
        self, collection: str, writes: Iterable[Mapping[str, Any]], *, atomic: bool = False
    ) -> list["Written | WatchError"]:
        """The same for writes of both kinds: `{"id": …, "data": …}` and `{"id": …, "delete": True}`."""
        import json  # noqa: PLC0415 -- imported when it is used

        lines = [json.dumps(write).encode() for write in writes]
        return await self._asking().post(collection, lines, atomic=atomic)

    async def close(self) -> None:
        """End all watches, and close all connections."""
        self._closed = True
        if self._made is not None:
            await self._made.close()
        if self._http is not None:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _engine(self) -> "Engine":
        from watchroute_client.engine import Engine  # noqa: PLC0415 -- imported when it is used

        if self._closed:
            raise RuntimeError("the client is closed")
        if self._made is None:
            ask = self._ask if callable(self._token) else None
            session = Session(
                clock=asyncio.get_running_loop().time,
                random=random.random,
                transports=self._transports,
                renewable=ask is not None,
                token=self._shown,
                form=self._form,
            )
            self._made = Engine(session, self._transport, ask=ask, on_status=self._tell_status)
        return self._made

    def _transport(self, name: str) -> "Transport":
        # Each brings a library: only those that are used are loaded.
        if name == "ws":
            from watchroute_client.transports.websocket import WebSocketTransport  # noqa: PLC0415 -- as said

            return WebSocketTransport(self._url, self._tls)
        self._asking()
        if name == "sse":
            from watchroute_client.transports.sse import SseTransport  # noqa: PLC0415 -- as said

            return SseTransport(self._http)
        from watchroute_client.transports.poll import PollTransport  # noqa: PLC0415 -- as said

        return PollTransport(self._http)

    def _asking(self) -> "Requests":
        from watchroute_client.http import Requests, open_http  # noqa: PLC0415 -- imported when it is used

        if self._closed:
            raise RuntimeError("the client is closed")
        if self._requests is None:
            self._http = open_http(self._url, self._tls)
            self._requests = Requests(self._http, self._show, self._renew)
        return self._requests

    def _writing(self) -> "Writes":
        from watchroute_client.writes import Writes  # noqa: PLC0415 -- imported when it is used

        requests = self._asking()
        if self._writes is None:
            self._writes = Writes(requests, self._publish, asyncio.get_running_loop().time)
        return self._writes

    async def _publish(self, operation: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return None if self._made is None else await self._made.ask(operation)

    async def _ask(self) -> str | None:
        """Call the callback, and keep what it gives for reads and writes."""
        if not callable(self._token):
            return self._shown
        found = self._token()
        self._shown = await found if inspect.isawaitable(found) else found
        return self._shown

    async def _show(self) -> str | None:
        return await self._ask() if self._shown is None and callable(self._token) else self._shown

    async def _renew(self) -> bool:
        if not callable(self._token):
            return False
        await self._ask()
        return True

    def _tell_status(self, status: Status) -> None:
        for listener in list(self._listeners):
            listener(status)
