"""Servers that hold one log and come and go, and an application that keeps what it is told: all of it simulated."""

from collections import deque
from collections.abc import Mapping
from random import Random
from typing import Any, Final
from urllib.parse import parse_qsl

from watchroute_client.change import Change
from watchroute_client.outputs import Close, Connect, Deliver, Output, Send
from watchroute_client.problem import WatchError
from watchroute_client.progress import Progress
from watchroute_client.session import Session
from watchroute_client.target import Target

Frame = Mapping[str, Any]
_IDS: Final = 6


class Log:
    """What was written: version n is the n-th write. A cursor is how many of them were seen."""

    def __init__(self) -> None:
        self.writes: list[Frame] = []
        self.floor = 0
        """Cursors before it are too old for the deletes that are known."""

    def write(self, resource: str, data: int | None) -> Frame:
        """A put, or (None) a delete."""
        frame = {"event": "delete" if data is None else "put", "resource": resource, "version": str(len(self.writes))}
        self.writes.append(frame if data is None else {**frame, "data": data})
        return self.writes[-1]

    def newest(self, start: int, target: Target) -> list[Frame]:
        """The newest write of each resource that was written since."""
        found: dict[str, Frame] = {}
        for frame in self.writes[start:]:
            if target.covers(frame["resource"]):
                found.pop(frame["resource"], None)
                found[frame["resource"]] = frame
        return list(found.values())

    def state(self, target: Target) -> dict[str, int]:
        """What is there."""
        return {frame["resource"]: frame["data"] for frame in self.newest(0, target) if frame["event"] == "put"}

    def opening(self, target: Target, cursor: str | None) -> list[Frame]:
        """What a watch begins with; `synced` has no cursor yet."""
        label = target.label
        if cursor is not None and int(cursor) >= self.floor:
            return [*self.newest(int(cursor), target), {"event": "synced", "watch": label, "resumed": True}]
        told = [frame for frame in self.newest(0, target) if frame["event"] == "put"]
        reset = [{"event": "reset", "watch": label, "reason": "expired"}] if cursor is not None else []
        return [*reset, *told, {"event": "synced", "watch": label, "resumed": False}]


class Served:
    """One connection, from the server's side: `waiting` are the frames that are on their way."""

    def __init__(self, wanted: Connect) -> None:
        self.wanted = wanted
        self.opened = False
        self.sent_away = False
        self.leaving = False
        self.left_at: int | None = None
        """How much was written when its overlap was over: of more it tells nothing."""
        self.waiting: deque[Frame] = deque()
        self.targets: list[Target] = []


class World:
    """Plays by a seed. Raises AssertionError when the application is told something twice, or out of order."""

    def __init__(self, random: Random, transports: tuple[str, ...], paths: list[str]) -> None:
        self.random = random
        self.log = Log()
        self.now = 0.0
        self.barred: tuple[str, ...] = ()
        """Transports that something between lets nobody open."""
        self.session = Session(clock=lambda: self.now, random=random.random, transports=transports)
        self.connections: dict[int, Served] = {}
        self.told: dict[Progress, dict[str, int]] = {}
        self._versions: dict[Progress, dict[str, int]] = {}
        for path in paths:
            progress = Progress(Target.parse(path))
            self.told[progress], self._versions[progress] = {}, {}
            self.session.add(progress)
        self.settle()

    def step(self) -> None:
        """Something happens."""
        self.random.choices(
            (
                self._write,
                self._deliver,
                self._open,
                self._lose,
                self._pass,
                self._send_away,
                self._leave,
                self._bookmark,
                self._forget,
                self._bar,
            ),
            weights=(6, 12, 6, 1, 4, 1, 0.5, 2, 0.3, 0.5),
        )[0]()
        self.settle()

    def calm(self) -> bool:
        """Lose and write nothing more; whether every watch is live, and nothing is on its way."""
        self.barred = ()
        for _ in range(400):
            for number, served in list(self.connections.items()):
                self._open_one(number, served)
                while served.waiting and number in self.connections:
                    self._deliver_one(number, served)
            self.now += 1.0
            for number in self.connections:
                self.session.on_bytes(number)
            self.session.on_time()
            self.settle()
        return self.session.status.state == "live"

    def work(self, seconds: int, barred: tuple[str, ...]) -> None:
        """Write and deliver for so long, with a network that is good but for what is barred; no server leaves."""
        self.barred = barred
        for _ in range(seconds):
            for happens in self.random.choices((self._write, self._deliver, self._open, self._bookmark), k=8):
                happens()
                self.settle()
            self.now += 1.0
            for number in self.connections:
                self.session.on_bytes(number)
            self.session.on_time()
            self.settle()

    def settle(self) -> None:
        """Do what the client wants."""
        while outputs := self.session.take():
            for output in outputs:
                self._do(output)

    def _do(self, output: Output) -> None:
        match output:
            case Connect():
                self.connections[output.number] = Served(output)
            case Close(number):
                self.connections.pop(number, None)
            case Send(number, operation) if number in self.connections and operation["op"] == "subscribe":
                self._subscribe(self.connections[number], operation["watch"], operation.get("cursor"))
            case Deliver(watch, change):
                self._tell(watch, change)

    def _tell(self, watch: Progress, change: Change) -> None:
        told, versions = self.told[watch], self._versions[watch]
        if change.event == "reset":
            told.clear()
            versions.clear()
        elif change.event in {"put", "delete"}:
            made_up = not change.frame
            assert change.version > versions.get(change.resource, -1) or made_up, (change, versions)
            versions[change.resource] = change.version
            told.pop(change.resource, None)
            if change.event == "put":
                told[change.resource] = change.data

    def _subscribe(self, served: Served, label: str, cursor: str | None) -> None:
        target = Target.parse(label)
        served.waiting.extend(self.log.opening(target, cursor))
        served.targets.append(target)

    def _pick(self) -> tuple[int, Served] | None:
        return self.random.choice(list(self.connections.items())) if self.connections else None

    def _write(self) -> None:
        resource = f"{self.random.choice('ab')}/{self.random.randrange(_IDS)}"
        frame = self.log.write(resource, None if self.random.random() < 0.3 else self.random.randrange(1000))
        for served in self.connections.values():
            if not served.leaving and any(target.covers(resource) for target in served.targets):
                served.waiting.append(frame)

    def _open(self) -> None:
        if picked := self._pick():
            self._open_one(*picked)

    def _open_one(self, number: int, served: Served) -> None:
        wanted = served.wanted
        if served.opened:
            return
        if wanted.transport in self.barred:
            self._lose_one(number)
            return
        served.opened = True
        path, _, query = wanted.address.partition("?")
        parameters = dict(parse_qsl(query))
        label = path.removeprefix("/v1/").rpartition("/")[0]
        if wanted.transport == "poll":
            self._answer(number, label, parameters.get("cursor"))
            return
        self.session.on_opened(number)
        if wanted.transport == "sse":
            self._subscribe(served, label, parameters.get("cursor"))
        self.settle()

    def _answer(self, number: int, label: str, cursor: str | None) -> None:
        del self.connections[number]
        frames = self.log.opening(Target.parse(label), cursor)
        if cursor is not None and frames[-1].get("resumed"):
            frames.pop()
        self.session.on_answer(number, [self._filled(frame) for frame in frames], self._cursor())
        self.settle()

    def _deliver(self) -> None:
        picked = self._pick()
        if picked and picked[1].waiting:
            self._deliver_one(*picked)

    def _deliver_one(self, number: int, served: Served) -> None:
        frame = served.waiting.popleft()
        if frame["event"] == "close":
            del self.connections[number]
            self.session.on_lost(number, WatchError.of_close(1012, "going_away"))
        else:
            self.session.on_frame(number, frame if frame["event"] != "synced" else self._synced(served, frame))
        self.settle()

    def _synced(self, served: Served, frame: Frame) -> Frame:
        """With the cursor of what was told by then: what still waits comes after it."""
        return {**frame, "cursor": self._before(served)}

    def _before(self, served: Served) -> str | None:
        if any(frame["event"] in {"synced", "reset"} for frame in served.waiting):
            return None
        ahead = [int(frame["version"]) for frame in served.waiting if "version" in frame]
        told = len(self.log.writes) if served.left_at is None else served.left_at
        return str(min([*ahead, told]))

    def _filled(self, frame: Frame) -> Frame:
        return {**frame, "cursor": self._cursor()} if frame["event"] == "synced" else frame

    def _cursor(self) -> str:
        return str(len(self.log.writes))

    def _lose(self) -> None:
        if picked := self._pick():
            self._lose_one(picked[0])

    def _lose_one(self, number: int) -> None:
        del self.connections[number]
        self.session.on_lost(number, WatchError("unreachable"))
        self.settle()

    def _bar(self) -> None:
        self.barred = self.random.choice(((), ("ws",), ("ws", "sse")))

    def _pass(self) -> None:
        self.now += self.random.choice((0.1, 1.0, 10.0, 50.0))
        self.session.on_time()

    def _send_away(self) -> None:
        """It goes on being told; half of the servers leave no overlap."""
        picked = self._pick()
        if picked and picked[1].opened and not picked[1].sent_away:
            served = picked[1]
            served.sent_away = True
            served.waiting.append({"event": "goaway", "cursor": None, "reconnect_in_ms": self.random.randrange(3000)})
            if self.random.random() < 0.5:
                self._end(served)

    def _leave(self) -> None:
        """The overlap of somebody is over."""
        sent_away = [served for served in self.connections.values() if served.sent_away and not served.leaving]
        if sent_away:
            self._end(self.random.choice(sent_away))

    def _end(self, served: Served) -> None:
        served.leaving, served.left_at = True, len(self.log.writes)
        served.waiting.append({"event": "close"})

    def _bookmark(self) -> None:
        picked = self._pick()
        if picked and picked[1].opened:
            cursor = self._before(picked[1])
            if cursor is not None:
                self.session.on_frame(picked[0], {"event": "bookmark", "cursor": cursor, "as_of": None, "skipped": 0})

    def _forget(self) -> None:
        """Older cursors are too old by now."""
        self.log.floor = self.random.randrange(self.log.floor, len(self.log.writes) + 1)
