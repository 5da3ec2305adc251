"""One connection at work: between its transport and the state machine."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from watchroute_client.inbox import Inbox
from watchroute_client.outputs import Connect
from watchroute_client.problem import WatchError
from watchroute_client.session import Session
from watchroute_client.transports.line import Frame, Line

MOST_AT_ONCE: Final = 16
"""More writes than that would hold up the watches of the connection, which is answered in order."""
_ANSWER_S: Final = 30.0


class Transport(Protocol):
    """A way to a server."""

    async def run(self, wanted: Connect, line: Line) -> None:
        """Open a connection, and tell what comes, until it is over; raises WatchError then."""


class Connection:
    """Implements Line. `settle` does what the state machine wants, and gives the full inboxes that came of it."""

    def __init__(self, wanted: Connect, session: Session, settle: Callable[[], set[Inbox]]) -> None:
        self.operations: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self._wanted = wanted
        self._number = wanted.number
        self._session = session
        self._settle = settle
        self._answers: dict[str, asyncio.Future[Frame]] = {}
        self._asked = 0
        self._spoilt = False
        self._let_go: asyncio.Task[None] | None = None

    async def run(self, transport: Transport) -> None:
        """Until it is over, or cancelled."""
        try:
            await transport.run(self._wanted, self)
        except WatchError as error:
            self._lost(error)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            # Something between has answered, or a server that isn't one of ours.
            self._lost(WatchError("unreachable", f"what came is not of this protocol: {type(error).__name__}"))
        finally:
            for answer in self._answers.values():
                answer.cancel()

    @property
    def writable(self) -> bool:
        """Whether one more operation may be asked over it."""
        return not self._spoilt and len(self._answers) < MOST_AT_ONCE

    async def ask(self, operation: Mapping[str, Any]) -> Frame:
        """The answer to an operation; raises WatchError with the `outcome` `unknown` where there is none."""
        self._asked += 1
        ref = f"ask {self._asked}"
        answer = self._answers[ref] = asyncio.get_running_loop().create_future()
        self.operations.put_nowait({**operation, "ref": ref})
        try:
            await asyncio.wait([answer], timeout=_ANSWER_S)
            if answer.done() and not answer.cancelled():
                frame: Frame = answer.result()
                return frame
            raise WatchError("unreachable", "the write was not answered", members={"outcome": "unknown"})
        finally:
            del self._answers[ref]
            self._leave_if_idle()

    def let_go(self, task: "asyncio.Task[None]") -> None:
        """End it, once it has answered what it was asked."""
        self._let_go = task
        self._leave_if_idle()

    def _leave_if_idle(self) -> None:
        if self._let_go is not None and not self._answers:
            self._let_go.cancel()

    def _answered(self, frame: Frame) -> bool:
        """Whether it answers what was asked here: a session's own refs are numbers."""
        ref = frame.get("ref")
        if not isinstance(ref, str):
            return False
        # A server closes connections that persist in mistakes, and with them all watches.
        self._spoilt = self._spoilt or frame.get("code") == "invalid"
        if ref in self._answers and not self._answers[ref].done():
            self._answers[ref].set_result(frame)
        return True

    def _lost(self, error: WatchError) -> None:
        self._session.on_lost(self._number, error)
        self._settle()

    def opened(self) -> None:
        """The server has taken it in."""
        self._session.on_opened(self._number)
        self._settle()

    async def frame(self, frame: Frame) -> None:
        """A frame came."""
        if self._answered(frame):
            self.alive()
            return
        self._session.on_frame(self._number, frame)
        await self._make_room()

    async def answer(self, frames: Sequence[Frame], cursor: str | None) -> None:
        """A poll was answered."""
        self._session.on_answer(self._number, frames, cursor)
        await self._make_room()

    def mark(self, cursor: str) -> None:
        """An event stream said how far it has come."""
        self._session.on_mark(self._number, cursor)

    def retry(self, retry_s: float) -> None:
        """An event stream said when to come back."""
        self._session.on_retry(self._number, retry_s)

    def alive(self) -> None:
        """Something came."""
        self._session.on_bytes(self._number)

    async def _make_room(self) -> None:
        full = self._settle()
        if not full:
            return
        self._session.on_pause(self._number, paused=True)
        for inbox in full:
            await inbox.room()
        self._session.on_pause(self._number, paused=False)
        self._settle()
