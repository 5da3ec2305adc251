"""`peers`: the same crowd at ours, at a dict of sockets, and at Nchan where it is installed."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Final, NamedTuple

from load.bench.figures import Figure, Figures
from load.bench.frame import data_frame
from load.bench.ground import Ground
from load.bench.peers.nchan import Nchan, installed
from load.bench.peers.peer import Peer, running
from load.bench.peers.socket_dict import SocketDict
from load.bench.plan import Plan
from load.bench.rig import Rig
from load.bench.scenario import Scenario, staged, target_of
from load.bench.usage import usage_of
from load.bench.verdict import check_counts, check_order
from load.bench.watchers import Group, Watchers

_ID: Final = "S0"
_PER_S: Final = 50


class Subject(NamedTuple):
    """Who is measured: the process that writes, its topic, and its crowd."""

    pid: int
    topic: str
    group: Group


class Peers(Scenario):
    """Each has a topic of its own: while one is measured the others are idle."""

    name = "peers"
    what = "1 000 watchers of one resource over WebSocket, 50 changes/s: at ours, and at others in turn"
    figures = (
        Figure("sockets_ratio", "CPU of a delivery, a dict of sockets", "× ours"),
        Figure("nchan_ratio", "CPU of a delivery, Nchan", "× ours"),
        Figure("ours_cpu_us", "CPU of a delivery, ours", "µs", floor="floor_cpu_us"),
        Figure("sockets_cpu_us", "CPU of a delivery, a dict of sockets", "µs", floor="floor_cpu_us"),
        Figure("nchan_cpu_us", "CPU of a delivery, Nchan (without what reads Kafka)", "µs", floor="floor_cpu_us"),
        Figure("ours_p99_ms", "p99 from publishing to client, ours", "ms", floor="floor_p99_ms"),
        Figure("sockets_p99_ms", "p99 from publishing to client, a dict of sockets", "ms", floor="floor_p99_ms"),
        Figure("nchan_p99_ms", "p99 from publishing to client, Nchan", "ms", floor="floor_p99_ms"),
    )

    async def runs(self, rig: Rig) -> AsyncGenerator[Figures, None]:
        """One run is six seconds of changes at each."""
        readers, frame = rig.size(1000, 20), data_frame("ws")
        async with AsyncExitStack() as stack:
            ground = await _loaded(rig)
            server, watchers = await stack.enter_async_context(staged(rig, ground))
            group = await _crowd(watchers, server.port, target_of("ws", f"stocks/{_ID}"), readers)
            subjects = {"ours": Subject(server.pid, ground.topic("stocks"), group)}
            for peer in await _peers(rig):
                await stack.enter_async_context(running(peer))
                group = await _crowd(watchers, peer.port, peer.target(_ID), readers)
                subjects[peer.name] = Subject(peer.pid, peer.topic, group)
            while True:
                floor = await rig.floor.sends(
                    watchers, frame, readers, rounds=rig.size(150, 5), per_s=_PER_S, sample_every=10
                )
                figures = {"floor_cpu_us": floor.cpu_us, "floor_p99_ms": floor.p99_ms}
                for name, subject in subjects.items():
                    found = await _measure(rig, subject, readers)
                    figures |= {f"{name}_{key}": value for key, value in found.items()}
                    figures[f"{name}_ratio"] = figures[f"{name}_cpu_us"] / figures["ours_cpu_us"]
                yield figures


async def _loaded(rig: Rig) -> Ground:
    ground = await rig.ground("stocks")
    await rig.load(ground.topic("stocks"), [_ID])
    return ground


async def _peers(rig: Rig) -> list[Peer]:
    grounds = [await _loaded(rig) for _ in range(2)]
    sockets, nchan = (ground.topic("stocks") for ground in grounds)
    found: list[Peer] = [SocketDict(grounds[0], sockets)]
    return [*found, Nchan(grounds[1], nchan, [_ID])] if installed() else found


async def _crowd(watchers: Watchers, port: int, target: str, readers: int) -> Group:
    return await watchers.open(port, "ws", target, readers, sample_every=10)


async def _measure(rig: Rig, subject: Subject, readers: int) -> Figures:
    plan = Plan([_ID], rig.size(300, 10))
    await subject.group.begin()
    before = usage_of(subject.pid)
    await rig.publisher.paced(subject.topic, plan, _PER_S)
    status = await subject.group.wait(readers)
    cpu_s = usage_of(subject.pid).cpu_s - before.cpu_s
    findings = await subject.group.judge()
    check_counts(status, deliveries=plan.changes * readers, elided=0, connections=readers, ends=readers)
    check_order(findings, elided=0)
    return {"received": status["received"], "cpu_us": cpu_s * 1e6 / status["received"], "p99_ms": findings["p99_ms"]}
