"""Does what the state machine wants: connections, timers, tokens, deliveries."""

import asyncio
import time
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from math import inf
from typing import Any

from watchroute_client.change import Change
from watchroute_client.connection import Connection, Transport
from watchroute_client.inbox import Inbox
from watchroute_client.jwt import ends_at
from watchroute_client.outputs import AskToken, Close, Connect, Deliver, End, Output, Send
from watchroute_client.progress import Progress
from watchroute_client.session import Session
from watchroute_client.state import Status
from watchroute_client.watch import Watch

AskForToken = Callable[[], Awaitable[str | None]]


class Engine:
    """One event loop's; `on_status` is called whenever the status is another one."""

    def __init__(
        self,
        session: Session,
        transports: Callable[[str], Transport],
        *,
        ask: AskForToken | None,
        on_status: Callable[[Status], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._transports = transports
        self._ask = ask
        self._on_status = on_status
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: dict[int, tuple[Connection, asyncio.Task[None]]] = {}
        self._inboxes: dict[Progress, Inbox] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._asking: asyncio.Task[None] | None = None
        self.session = session
        self.status = session.status

    def watch(self, progress: Progress) -> Watch:
        """Begin one; it ends with the object that is returned, if it isn't closed before."""
        watch = Watch(progress, self._end)
        self._inboxes[progress] = watch.inbox
        # `break` in an `async for` closes nothing: what nobody can read any more would hold up everything else.
        weakref.finalize(watch, self._abandoned, progress).atexit = False
        self.session.add(progress)
        self.settle()
        return watch

    async def close(self) -> None:
        """End everything; returns when the connections are closed."""
        self.session.close()
        self.settle()
        for inbox in self._inboxes.values():
            inbox.close()
        self._inboxes.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def ask(self, operation: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The answer to an operation over an open WebSocket, None where there is none that may take it."""
        made = (self._connections[number][0] for number in self.session.writers if number in self._connections)
        connection = next((each for each in made if each.writable), None)
        return None if connection is None else await connection.ask(operation)

    def settle(self) -> set[Inbox]:
        """Do what is wanted, after each input; returns those inboxes that have no more room."""
        full: set[Inbox] = set()
        while outputs := self.session.take():
            for output in outputs:
                self._do(output, full)
        self._set_timer()
        if self.session.status != self.status:
            self.status = self.session.status
            self._on_status(self.status)
        return full

    def _do(self, output: Output, full: set[Inbox]) -> None:
        match output:
            case Deliver(progress, change):
                self._deliver(progress, change, full)
            case Connect():
                self._connect(output)
            case Send(number, operation) if number in self._connections:
                self._connections[number][0].operations.put_nowait(operation)
            case Close(number) if number in self._connections:
                connection, task = self._connections.pop(number)
                connection.let_go(task)
            case AskToken():
                self._asking = self._start(self._ask_token())
            case End(progress, error):
                self._inboxes.pop(progress).end(error)

    def _deliver(self, progress: Progress, change: Change, full: set[Inbox]) -> None:
        inbox = self._inboxes.get(progress)
        if inbox is None:
            return
        inbox.put(change, progress.cursor)
        if inbox.full:
            full.add(inbox)

    def _connect(self, wanted: Connect) -> None:
        connection = Connection(wanted, self.session, self.settle)
        task = self._start(connection.run(self._transports(wanted.transport)))
        self._connections[wanted.number] = connection, task
        task.add_done_callback(lambda _: self._connections.pop(wanted.number, None))

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        """What a transport or a callback raised unforeseen is nobody's but the application's."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._loop.call_exception_handler({"message": "watchroute_client failed", "exception": error, "task": task})

    async def _ask_token(self) -> None:
        if self._ask is None:
            return
        try:
            token = await self._ask()
        except Exception as error:  # noqa: BLE001 -- whatever the application's callback raises, it is asked again
            self.session.on_no_token(f"the token callback raised {type(error).__name__}")
        else:
            end = ends_at(token)
            self.session.on_token(token, None if end is None else end - time.time())
        self.settle()

    def _set_timer(self) -> None:
        """Wake up when the state machine wants to. Each frame moves that to later: a timer that is early stays."""
        at = self.session.deadline()
        if at is None or at == inf:
            self._stop_timer()
        elif self._timer is None or at < self._timer.when():
            self._stop_timer()
            self._timer = self._loop.call_at(at, self._on_time)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_time(self) -> None:
        self._timer = None
        self.session.on_time()
        self.settle()

    def _end(self, progress: Progress) -> None:
        inbox = self._inboxes.pop(progress, None)
        if inbox is not None:
            self.session.remove(progress)
            self.settle()
            inbox.close()

    def _abandoned(self, progress: Progress) -> None:
        """Called by the garbage collector, in whatever thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end, progress)
