"""The state machine of a client: no I/O, no clock of its own; what happens goes in, what is to be done comes out."""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any, Final

from watchroute_client.hearing import hear, mark
from watchroute_client.lane import Lane, fits
from watchroute_client.link import Link
from watchroute_client.negotiation import Negotiation
from watchroute_client.outputs import Close, Output
from watchroute_client.problem import WatchError
from watchroute_client.progress import Progress
from watchroute_client.state import WORST_FIRST, State, Status
from watchroute_client.surroundings import Surroundings
from watchroute_client.token_keeper import TokenKeeper
from watchroute_client.trial import Trial

TRANSPORTS: Final = ("ws", "sse", "poll")
Frame = Mapping[str, Any]


class Session:
    """After every input, `take()` what is to be done, and call `on_time` when `deadline()` is reached.

    Connections are named by the number in their `Connect`. What is said of one that was closed is ignored.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        random: Callable[[], float],
        transports: Sequence[str] = TRANSPORTS,
        renewable: bool = False,
        token: str | None = None,
        form: str | None = None,
    ) -> None:
        tokens = TokenKeeper(renewable=renewable, value=token)
        negotiation = Negotiation(transports, clock=clock, random=random)
        self._around = Surroundings(negotiation, tokens, clock=clock, random=random, form=form)
        self._lanes: list[Lane] = []
        self._trial: Trial | None = None
        self._taken_over: int | None = None
        self._closed: str | None = None
        self._failed: WatchError | None = None

    @property
    def status(self) -> Status:
        """How it is connected: as its worst connection is. Once the last watch was refused it is closed."""
        if self._closed is not None:
            return Status(State.CLOSED, self._closed)
        if self._failed is not None and not self._lanes:
            return Status(State.CLOSED, str(self._failed))
        found = [lane.status for lane in self._lanes]
        return min(found, key=lambda status: WORST_FIRST.index(status.state), default=Status(State.CONNECTING))

    @property
    def transport(self) -> str:
        """What connections are opened by now."""
        return self._around.negotiation.transport

    @property
    def writers(self) -> list[int]:
        """The connections that an operation may be sent over: open WebSockets whose servers don't leave."""
        links = [link for lane in self._lanes for link in reversed(lane.links)]
        return [link.number for link in links if link.transport == "ws" and link.opened and not link.leaving]

    def take(self) -> list[Output]:
        """What is to be done, in order; once."""
        outputs, self._around.outputs = self._around.outputs, []
        return outputs

    def deadline(self) -> float | None:
        """When to call `on_time`."""
        times = [at for lane in self._all if (at := lane.deadline()) is not None]
        return min([*times, self._around.negotiation.try_at] if self._lanes else times, default=None)

    def add(self, watch: Progress) -> None:
        """Begin a watch."""
        lane = self._room_for(watch)
        if lane is None:
            self._lanes.append(Lane(self._around, [watch]))
            self._lanes[-1].on_time()
            return
        lane.watches.append(watch)
        for link in lane.links:
            if link.opened:
                lane.subscribe(link, watch)

    def remove(self, watch: Progress) -> None:
        """End a watch at the application's wish."""
        for lane in self._all:
            if watch in lane.watches:
                lane.remove(watch)
        self._settle()

    def close(self, reason: str = "closed by the application") -> None:
        """End all of them."""
        self._around.put(*(Close(link.number) for lane in self._all for link in lane.links))
        self._lanes.clear()
        self._trial = None
        self._closed = reason

    def on_time(self) -> None:
        """Do what is due."""
        if self._trial is not None and self._trial.is_dead(self._around.clock()):
            self._give_up()
        for lane in self._all:
            lane.on_time()
        self._settle()

    def on_token(self, token: str | None, lives_s: float | None = None) -> None:
        """What the token callback gave, and how long that is good for, where it is known."""
        self._around.tokens.take(token, self._around.clock(), lives_s)
        for lane in self._all:
            lane.on_token()
        self._settle()

    def on_no_token(self, why: str) -> None:
        """The token callback failed."""
        self._around.tokens.asking = False
        self._give_up()
        for lane in self._lanes:
            lane.on_no_token(why)

    def on_opened(self, number: int) -> None:
        """The connection stands (a poll's does when it is answered)."""
        if found := self._find(number):
            found[0].on_opened(found[1])
        self._settle()

    def on_frame(self, number: int, frame: Frame) -> None:
        """A frame came."""
        if found := self._find(number):
            found[1].hear(self._around.clock())
            self._hear(*found, [frame])
        self._settle()

    def on_mark(self, number: int, cursor: str) -> None:
        """An event stream has said an `id`."""
        if number == self._taken_over:
            self._taken_over = None  # it belongs to the message by which the trial has caught up
        elif (found := self._find(number)) and not self._is_trial(found[0]):
            mark(found[1], cursor)

    def on_retry(self, number: int, retry_s: float) -> None:
        """An event stream has said when to come back once it ends."""
        if found := self._find(number):
            found[1].retry_s = retry_s

    def on_bytes(self, number: int) -> None:
        """Anything came: the connection lives."""
        if found := self._find(number):
            found[1].hear(self._around.clock())

    def on_pause(self, number: int, *, paused: bool) -> None:
        """The application is behind, and nothing is read meanwhile: silence says nothing then."""
        if found := self._find(number):
            found[1].paused = paused
            found[1].hear(self._around.clock())

    def on_answer(self, number: int, frames: Sequence[Frame], cursor: str | None) -> None:
        """A poll was answered with 200."""
        found = self._find(number)
        if found is None:
            return
        lane, link = found
        link.opened = True
        self._hear(lane, link, frames)
        if self._find(number):
            self._answered(lane, link, None if self._is_trial(lane) else cursor)
        self._settle()

    def on_lost(self, number: int, error: WatchError) -> None:
        """An attempt was refused or has failed, or a connection is over; what a frame said before counts for more."""
        if found := self._find(number):
            lane, link = found
            if self._is_trial(lane):
                self._give_up()
            else:
                lane.on_lost(link, link.problem or error)
        self._settle()

    def _answered(self, lane: Lane, link: Link, cursor: str | None) -> None:
        mark(link, cursor)
        if link.problem is not None:
            lane.on_lost(link, link.problem)
            return
        self._around.negotiation.opened(link.transport)
        for watch in link.watches:
            if not watch.whole:
                hear(lane, link, {"event": "synced", "watch": watch.target.label, "cursor": cursor, "resumed": True})
        lane.on_answered()

    def _find(self, number: int) -> tuple[Lane, Link] | None:
        return next(((lane, link) for lane in self._all for link in lane.links if link.number == number), None)

    @property
    def _all(self) -> list[Lane]:
        return [*self._lanes, *([self._trial.lane] if self._trial is not None else [])]

    def _is_trial(self, lane: Lane) -> bool:
        return self._trial is not None and lane is self._trial.lane

    def _hear(self, lane: Lane, link: Link, frames: Sequence[Frame]) -> None:
        if self._is_trial(lane):
            if any(Trial.ends_by(frame) for frame in frames):
                self._give_up()
                return
            frames = [Trial.without_cursor(frame) for frame in frames]
        for frame in frames:
            hear(lane, link, frame)

    def _try(self) -> None:
        """Only while all is well: what has a connection to lose is not what a trial may harm."""
        negotiation = self._around.negotiation
        if self.status.state is not State.LIVE:
            negotiation.not_now()
            return
        negotiation.begins_to_try()
        trial = Trial(self._around, self._lanes)
        if not trial.lane.watches:
            negotiation.try_worked()  # all that there is has stayed with it
            return
        self._trial = trial
        trial.lane.on_time()

    def _give_up(self) -> None:
        if self._trial is not None:
            self._trial.close()
            self._trial = None
            self._around.negotiation.try_failed()

    def _settle(self) -> None:
        """Forget what has no watches, and move those that have no connection to the transport that is tried now."""
        self._settle_trial()
        for lane in list(self._lanes):
            if not lane.watches:
                self._lanes.remove(lane)
                self._failed = lane.failed
            elif lane.transport != self.transport and not lane.links:
                self._lanes.remove(lane)
                self._move(lane)
        if self._lanes and self._around.negotiation.try_at <= self._around.clock():
            self._try()

    def _settle_trial(self) -> None:
        trial, negotiation = self._trial, self._around.negotiation
        if trial is None:
            return
        if not trial.lane.watches:
            self._trial = None
            negotiation.not_now()
        elif negotiation.try_at != inf:
            # What was in use was stepped around, too: first of all there has to be something that works.
            trial.close()
            self._trial = None
        elif trial.worked:
            self._trial = None
            self._taken_over = max((link.number for link in trial.lane.links), default=None)
            negotiation.try_worked()
            self._lanes.append(trial.take_over(list(self._lanes)))

    def _move(self, lane: Lane) -> None:
        for watch in lane.watches:
            moved = self._room_for(watch)
            if moved is not None:
                moved.watches.append(watch)
                continue
            moved = Lane(self._around, [watch], lane.backoff.copy())
            moved.due_at, moved.reason = lane.due_at, lane.reason
            self._lanes.append(moved)
        for each in list(self._lanes):
            each.on_time()

    def _room_for(self, watch: Progress) -> Lane | None:
        return next((lane for lane in self._lanes if _has_room(lane, watch, self.transport)), None)


def _has_room(lane: Lane, watch: Progress, transport: str) -> bool:
    """Whether it may be told over the connection of the others."""
    if transport != "ws" or any(each != "ws" for each in (lane.transport, *(link.transport for link in lane.links))):
        return False
    return fits(lane, watch)
